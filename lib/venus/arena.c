// SPDX-License-Identifier: BSD-3-Clause
#include "venus/arena.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK 65536
#define ALIGN 16

struct rp_arena_chunk {
	struct rp_arena_chunk *next;
	size_t size;
	size_t used;
	_Alignas(ALIGN) unsigned char data[];
};

static struct rp_arena_chunk *chunk_new(struct rp_arena *a, size_t n)
{
	size_t size = n > CHUNK ? n : CHUNK;
	struct rp_arena_chunk *c = malloc(sizeof(*c) + size);

	if (c == NULL)
		return NULL;
	c->next = a->head;
	c->size = size;
	c->used = 0;
	a->head = c;
	return c;
}

void *rp_arena_alloc(struct rp_arena *a, size_t n)
{
	struct rp_arena_chunk *c = a->head;
	void *p;

	// One past the cap is refused before rounding, so that the rounding cannot wrap.
	if (n > a->cap - a->used)
		return NULL;
	n = (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (n > a->cap - a->used)
		return NULL;
	if (c == NULL || n > c->size - c->used) {
		c = chunk_new(a, n);
		if (c == NULL)
			return NULL;
	}
	p = c->data + c->used;
	c->used += n;
	a->used += n;
	return memset(p, 0, n);
}

void *rp_arena_array(struct rp_arena *a, size_t count, size_t size)
{
	size_t n;

	return __builtin_mul_overflow(count, size, &n) ? NULL : rp_arena_alloc(a, n);
}

static void free_from(struct rp_arena_chunk *c)
{
	while (c != NULL) {
		struct rp_arena_chunk *next = c->next;

		free(c);
		c = next;
	}
}

void rp_arena_reset(struct rp_arena *a)
{
	a->used = 0;
	if (a->head == NULL)
		return;
	free_from(a->head->next);
	a->head->next = NULL;
	a->head->used = 0;
	// A huge command must not pin its memory for the rest of the connection.
	if (a->head->size > CHUNK) {
		free(a->head);
		a->head = NULL;
	}
}

void rp_arena_free(struct rp_arena *a)
{
	free_from(a->head);
	a->head = NULL;
	a->used = 0;
}
