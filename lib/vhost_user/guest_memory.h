/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The memory of a pretended VM: one sealed memfd, up to eight regions, a bump allocator.
 *
 * Every byte has three addresses, kept apart on purpose so that a mix-up on the other end shows:
 * the guest-physical one (descriptors), the front-end's virtual one (ring addresses; it is the
 * real mapping) and the offset in the file, which never starts at 0. Memory is zeroed at first use.
 */

#include "base/error.h"
#include "vhost_user/messages.h"

#define RP_GUEST_MEMORY_ALIGN (UINT64_C(2) << 20) // SPDK accepts nothing smaller

struct rp_guest_memory {
	int fd;
	unsigned int n_regions;
	struct rp_vhu_region regions[RP_VHU_MAX_REGIONS];
	uint64_t used[RP_VHU_MAX_REGIONS]; // bytes handed out of each region
};

// size bytes in n_regions equal regions, each rounded up to 2 MiB; with hugepages where asked.
int rp_guest_memory_create(struct rp_guest_memory *m, uint64_t size, unsigned int n_regions,
			   bool hugepages, struct rp_error *err);
void rp_guest_memory_destroy(struct rp_guest_memory *m);

// A block inside one region (the emptiest), aligned to 64 bytes, and its guest-physical address.
// NULL when no region has room.
void *rp_guest_memory_alloc(struct rp_guest_memory *m, size_t size, uint64_t *gpa);

// The address of size bytes at a guest-physical address; NULL unless they lie in one region.
void *rp_guest_memory_at(const struct rp_guest_memory *m, uint64_t gpa, uint64_t size);
