/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The record of chains in flight that outlives a back-end (QEMU docs/interop/vhost-user.rst,
 * "Inflight I/O tracking", split virtqueue).
 *
 * The front-end keeps the memory. The device marks a chain when it takes it and clears the mark
 * behind publishing it as used; after a crash the next device finds what was taken and not given
 * back, and takes it again, in the old order. The memory is the front-end's and is not trusted:
 * what it says decides which of its own chains are done twice, and nothing else.
 */

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

struct rp_inflight_desc {
	uint8_t inflight;
	uint8_t padding[5];
	uint16_t next;	  // head before it in the same batch
	uint64_t counter; // order in which chains were taken
};
static_assert(sizeof(struct rp_inflight_desc) == 16, "shared memory format");

struct rp_inflight_ring {
	uint64_t features;
	uint16_t version; // 0: never used
	uint16_t desc_num;
	uint16_t last_batch_head;
	uint16_t used_idx;
	struct rp_inflight_desc desc[];
};
static_assert(sizeof(struct rp_inflight_ring) == 16, "shared memory format");

// What a ring needs beside the record: the heads to take again.
struct rp_inflight {
	struct rp_inflight_ring *shared; // NULL: no tracking
	uint16_t *again;		 // room for as many heads as the ring has entries
	uint16_t n_again;
	uint16_t at;	  // next of them
	uint64_t taken;	  // chains taken from the available ring, not put back
	uint64_t counter; // of the next chain
};

// Bytes of the record of one ring; a multiple of 64.
static inline uint64_t rp_inflight_size(uint16_t ring_size)
{
	return (sizeof(struct rp_inflight_ring) +
		(uint64_t)ring_size * sizeof(struct rp_inflight_desc) + 63) &
	       ~UINT64_C(63);
}

// Begin with what the record says; used_idx is the used index in the ring. The number of chains to
// take again, which stand before the available index from where the device goes on.
uint16_t rp_inflight_start(struct rp_inflight *f, uint16_t ring_size, uint16_t used_idx);

void rp_inflight_take(struct rp_inflight *f, uint16_t head);
void rp_inflight_put_back(struct rp_inflight *f, uint16_t head);

// A chain is about to be used; then, behind publishing n of them, they are done.
void rp_inflight_use(struct rp_inflight *f, uint16_t head);
void rp_inflight_done(struct rp_inflight *f, uint16_t ring_size, uint16_t n, uint16_t used_idx);
