/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stddef.h>

/*
 * Memory of one decoded command: handed out piece by piece, zeroed, 16-byte aligned, and taken
 * back all at once. The cap bounds what a peer can make us allocate with one command, whatever
 * counts it claims. Not thread-safe.
 */
struct rp_arena_chunk;

struct rp_arena {
	struct rp_arena_chunk *head; // the chunk in use
	size_t used;		     // bytes handed out since the last reset
	size_t cap;
};

// n zeroed bytes, or NULL where the cap is reached or memory is out.
void *rp_arena_alloc(struct rp_arena *a, size_t n);

// Room for `count` elements of `size` bytes; NULL also where the product overflows.
void *rp_arena_array(struct rp_arena *a, size_t count, size_t size);

// Take everything back; one chunk is kept for the next round.
void rp_arena_reset(struct rp_arena *a);

void rp_arena_free(struct rp_arena *a);
