/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A front-end's memory as a back-end has it: regions, each reachable by guest-physical address (for
 * descriptors) and by the front-end's virtual address (for rings), and the log of dirty pages.
 *
 * Regions must not overlap in either space, nor wrap around; what fails changes nothing.
 */

#include "vhost_user/mapping.h"
#include "vhost_user/messages.h"

#define RP_DEVICE_MEMORY_SLOTS 32
#define RP_DIRTY_PAGE	       4096 // bytes that one bit of the log stands for

struct rp_device_region {
	struct rp_vhu_region wire;
	struct rp_mapping mapping;
};

struct rp_device_regions {
	unsigned int n;
	struct rp_device_region region[RP_DEVICE_MEMORY_SLOTS];
	struct rp_mapping log;
	bool logging; // writes are to be logged
};

// The whole table anew. fds stay the caller's. 0 or -errno with the old table in place.
int rp_device_regions_set(struct rp_device_regions *m, const struct rp_vhu_mem *table,
			  const int *fds, struct rp_error *err);

// One region more, or one less (known by gpa, uva and size). -ENOSPC, -EEXIST; -ENOENT.
int rp_device_regions_add(struct rp_device_regions *m, const struct rp_vhu_region *wire, int fd,
			  struct rp_error *err);
int rp_device_regions_remove(struct rp_device_regions *m, const struct rp_vhu_region *wire,
			     struct rp_error *err);

// Unmap everything, the log too.
void rp_device_regions_clear(struct rp_device_regions *m);

// Where a guest-physical address is, and how many of *len bytes lie there together; NULL: nowhere.
void *rp_device_regions_at(const struct rp_device_regions *m, uint64_t gpa, uint64_t *len);

// Where len bytes at a front-end's virtual address are, all in one region; NULL: nowhere.
void *rp_device_regions_at_uva(const struct rp_device_regions *m, uint64_t uva, uint64_t len);

// Mark the pages of a write as dirty, if writes are logged.
void rp_device_regions_wrote(const struct rp_device_regions *m, uint64_t gpa, uint64_t len);
