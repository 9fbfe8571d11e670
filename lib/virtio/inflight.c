// SPDX-License-Identifier: BSD-3-Clause
#include "virtio/inflight.h"

#include <stdlib.h>

static int by_counter(const void *a, const void *b, void *shared)
{
	const struct rp_inflight_ring *r = shared;
	uint64_t x = r->desc[*(const uint16_t *)a].counter;
	uint64_t y = r->desc[*(const uint16_t *)b].counter;

	return x < y ? -1 : x > y;
}

uint16_t rp_inflight_start(struct rp_inflight *f, uint16_t ring_size, uint16_t used_idx)
{
	struct rp_inflight_ring *r = f->shared;

	f->n_again = 0;
	f->at = 0;
	f->taken = 0;
	f->counter = 0;
	if (r->version == 0) {
		r->version = 1;
		r->desc_num = ring_size;
		r->used_idx = used_idx;
	}
	// Published as used, but the crash came before the marks were cleared.
	rp_inflight_done(f, ring_size, used_idx - r->used_idx, used_idx);
	for (unsigned int i = 0; i < ring_size; i++) {
		if (r->desc[i].inflight == 0)
			continue;
		f->again[f->n_again++] = (uint16_t)i;
		if (r->desc[i].counter >= f->counter)
			f->counter = r->desc[i].counter + 1;
	}
	qsort_r(f->again, f->n_again, sizeof(f->again[0]), by_counter, r);
	return f->n_again;
}

void rp_inflight_take(struct rp_inflight *f, uint16_t head)
{
	f->shared->desc[head].counter = f->counter++;
	__atomic_store_n(&f->shared->desc[head].inflight, 1, __ATOMIC_RELEASE);
}

void rp_inflight_put_back(struct rp_inflight *f, uint16_t head)
{
	__atomic_store_n(&f->shared->desc[head].inflight, 0, __ATOMIC_RELEASE);
}

void rp_inflight_use(struct rp_inflight *f, uint16_t head)
{
	f->shared->desc[head].next = f->shared->last_batch_head;
	__atomic_store_n(&f->shared->last_batch_head, head, __ATOMIC_RELEASE);
}

void rp_inflight_done(struct rp_inflight *f, uint16_t ring_size, uint16_t n, uint16_t used_idx)
{
	uint16_t head = f->shared->last_batch_head;

	for (uint16_t i = 0; i < n && i < ring_size && head < ring_size; i++) {
		f->shared->desc[head].inflight = 0;
		head = f->shared->desc[head].next;
	}
	__atomic_store_n(&f->shared->used_idx, used_idx, __ATOMIC_RELEASE);
}
