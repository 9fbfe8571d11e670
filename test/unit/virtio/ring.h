/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* A ring in plain memory and the simplest device there can be, for tests of the driver side. */

#include "virtio/vring.h"

struct ring {
	struct rp_vring vr;
	void *mem;
	void *indirect;
	// The device's own places.
	uint16_t avail_idx; // split: free-running; packed: index
	uint16_t used_idx;
	bool wrap;	// packed: of the next available entry
	bool used_wrap; // packed: of the next used entry
};

// A ring of this configuration; indirect tables at gpa 0x1000000 when asked for.
void ring_open(struct ring *r, struct rp_vring_config cfg, bool indirect);
void ring_close(struct ring *r);

// The device takes the next available chain: its head (split) or id (packed), or -1. *entries (may
// be NULL) gets the ring entries it takes.
int device_take(struct ring *r, unsigned int *entries);

// The device gives it back. count: ring entries of that chain (packed only).
void device_use(struct ring *r, uint32_t id, uint32_t len, unsigned int count);
