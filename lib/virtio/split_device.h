/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The device side of a split virtqueue (virtio 1.2, section 2.7), for guests that may be hostile.
 *
 * Theory of operation. The driver's memory can change at any moment, so every word of it is read
 * once into our own variables and checked there; no walk is longer than the ring (or the table) and
 * every buffer is translated by the caller's memory before it becomes an iovec. What is wrong with
 * one chain costs the guest that chain: pop() gives -EBADMSG with its head, push() it back with
 * length 0 and go on. What is wrong with the ring itself (available index ahead by more than the
 * ring, head out of range) breaks it, with a reason, until the driver sets it up again.
 *
 *	while ((rc = rp_device_ring_pop(ring, &chain)) == 1 || rc == -EBADMSG) {
 *		len = rc == 1 ? rp_device_chain_write(ring, &chain, 0, data, size) : 0;
 *		rp_device_ring_push(ring, chain.head, len);
 *	}
 *	rp_device_ring_publish(ring);
 *	if (rp_device_ring_needs_call(ring))
 *		eventfd_write(call_fd, 1);
 *
 * A ring belongs to one thread. Nothing allocates. Lengths in bytes, indices free-running.
 */

#include "virtio/inflight.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include <linux/virtio_ring.h>

// Segments of one chain at most, as in QEMU.
#define RP_DEVICE_IOV_MAX 1024

// The guest's memory as the device sees it.
struct rp_device_memory {
	// Where guest-physical address gpa is, and in *len (in: wanted, > 0) how many bytes of it
	// lie together there. NULL: nowhere.
	void *(*at)(void *arg, uint64_t gpa, uint64_t *len);
	// Called for every write to guest memory, for dirty logging; may be NULL.
	void (*wrote)(void *arg, uint64_t gpa, uint64_t len);
	void *arg;
};

struct rp_device_ring {
	uint16_t size; // a power of two
	bool event_idx;
	bool indirect;
	bool log_used; // report writes to the used ring through memory->wrote
	uint64_t used_gpa;
	uint16_t next_avail; // index of the next available entry that we take
	uint16_t next_used;  // where the next used entry goes
	uint16_t shown_used; // used index at the last publish
	uint16_t called;     // used index at the last decision about a call
	const char *broken;  // why the ring is unusable; NULL while it is fine
	const struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	const struct rp_device_memory *memory;
	struct rp_inflight inflight; // shared and again are set by the caller before start, or NULL
};

// A chain in our own words: first n_out readable segments, then n_in writable ones.
struct rp_device_chain {
	uint16_t head;
	unsigned int n_out;
	unsigned int n_in;
	size_t out_len;
	size_t in_len;
	const char *error; // with -EBADMSG: what is wrong
	struct iovec iov[RP_DEVICE_IOV_MAX];
	uint64_t gpa[RP_DEVICE_IOV_MAX];
};

// Bytes that each part of a ring takes, event index included.
static inline uint64_t rp_device_ring_desc_len(uint16_t size)
{
	return sizeof(struct vring_desc) * (uint64_t)size;
}

static inline uint64_t rp_device_ring_avail_len(uint16_t size)
{
	return sizeof(struct vring_avail) + 2 * (uint64_t)size + 2;
}

static inline uint64_t rp_device_ring_used_len(uint16_t size)
{
	return sizeof(struct vring_used) + sizeof(struct vring_used_elem) * (uint64_t)size + 2;
}

// Ready the ring to go on at index base; size, pointers and flags are set by the caller before.
// With a record of chains in flight, base follows from that.
void rp_device_ring_start(struct rp_device_ring *ring, uint16_t base);

// Take the next available chain. 1; 0 none there; -EBADMSG the chain makes no sense (its head is
// valid); -EIO the ring is broken.
int rp_device_ring_pop(struct rp_device_ring *ring, struct rp_device_chain *chain);

// Put back the last n chains that were taken and not pushed: they will be taken again.
void rp_device_ring_unpop(struct rp_device_ring *ring, unsigned int n);

// Give a chain back, len bytes of it written; the driver sees it after publish.
void rp_device_ring_push(struct rp_device_ring *ring, uint16_t head, uint32_t len);
void rp_device_ring_publish(struct rp_device_ring *ring);

// Whether the driver wants a call for what was published since the last time.
bool rp_device_ring_needs_call(struct rp_device_ring *ring);

// Ask to be kicked at the next available chain. True: one is there already.
bool rp_device_ring_enable_kick(struct rp_device_ring *ring);

// Ask for no kicks; a hint only.
void rp_device_ring_disable_kick(struct rp_device_ring *ring);

// Copy len bytes from offset of the readable part, or into the writable part; how many there were.
size_t rp_device_chain_read(const struct rp_device_chain *chain, size_t offset, void *buf,
			    size_t len);
size_t rp_device_chain_write(struct rp_device_ring *ring, const struct rp_device_chain *chain,
			     size_t offset, const void *buf, size_t len);
