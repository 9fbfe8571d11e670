/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A ring driven by hand, at the cost of a few stores a frame: lib/virtio's rings keep a record of
 * every chain and take any; a load generator sends single buffers of one size, and has to be
 * faster than what it measures. It still does what a guest's driver does: writes the descriptor
 * and the header anew for each frame and takes buffers back in the order in which the device gives
 * them. One buffer belongs to each id (split: descriptor); the device is not trusted with ids.
 *
 * Memory and sharing of the ring are lib/vhost_user's; this takes an idle ring of it over. packed
 * is handed in as a constant, so that each loop is compiled for its layout.
 */

#include <stdbool.h>
#include <stdint.h>

#include "vhost_user/frontend.h"

struct gen_ring {
	uint16_t size;
	uint16_t flags;	     // of every descriptor: VRING_DESC_F_WRITE or 0
	uint16_t avail;	     // split: free-running; packed: place in the ring
	uint16_t used;	     // likewise
	uint16_t avail_bits; // packed: AVAIL and USED of an entry of ours, of one that came back
	uint16_t used_bits;
	uint16_t n_free;
	uint32_t stride; // of buffers, all of one size
	uint8_t *bufs;
	uint64_t gpa;
	struct rp_vring *vr;
	struct rp_frontend *fe;
	unsigned int queue;
	const char *broken; // why it is unusable; NULL while it is fine
	uint16_t *free;	    // ids at hand, a stack
};

#define GEN_PACKED_BITS (1u << VRING_PACKED_DESC_F_AVAIL | 1u << VRING_PACKED_DESC_F_USED)

// Take ring q of a set-up front-end over and allocate a buffer of stride bytes for each entry.
// 0, -ENOMEM.
int gen_ring_init(struct gen_ring *r, struct rp_frontend *fe, unsigned int q, uint32_t stride);
void gen_ring_fini(struct gen_ring *r);

static inline uint8_t *gen_ring_buf(const struct gen_ring *r, uint16_t id)
{
	return r->bufs + (size_t)id * r->stride;
}

// Make the buffer of an id available, len bytes of it. Packed: shown at once, split: at publish.
static inline void gen_ring_put(struct gen_ring *r, bool packed, uint16_t id, uint32_t len)
{
	uint64_t gpa = r->gpa + (uint64_t)id * r->stride;

	if (packed) {
		struct vring_packed_desc *d = &r->vr->packed_desc[r->avail];

		d->addr = gpa;
		d->len = len;
		d->id = id;
		__atomic_store_n(&d->flags, r->flags | r->avail_bits, __ATOMIC_RELEASE);
		if (++r->avail == r->size) {
			r->avail = 0;
			r->avail_bits ^= GEN_PACKED_BITS;
		}
		return;
	}
	r->vr->desc[id] = (struct vring_desc){.addr = gpa, .len = len, .flags = r->flags};
	r->vr->avail->ring[r->avail++ & (r->size - 1)] = id;
}

static inline bool gen_ring_wants_kick(const struct gen_ring *r, bool packed)
{
	// Between our index and a look at the other side's wish: virtio 1.2, 2.7.13.4, 2.8.21.3.
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (packed)
		return __atomic_load_n(&r->vr->device_event->flags, __ATOMIC_RELAXED) !=
		       VRING_PACKED_EVENT_FLAG_DISABLE;
	return (__atomic_load_n(&r->vr->used->flags, __ATOMIC_RELAXED) & VRING_USED_F_NO_NOTIFY) ==
	       0;
}

static inline void gen_ring_publish(struct gen_ring *r, bool packed)
{
	if (!packed)
		__atomic_store_n(&r->vr->avail->idx, r->avail, __ATOMIC_RELEASE);
	if (__builtin_expect(gen_ring_wants_kick(r, packed), 0))
		rp_frontend_kick(r->fe, r->queue);
}

static inline unsigned int gen_ring_take_packed(struct gen_ring *r, uint16_t *ids, uint32_t *lens,
						unsigned int max)
{
	unsigned int n = 0;

	while (n < max) {
		const struct vring_packed_desc *d = &r->vr->packed_desc[r->used];
		uint16_t flags = __atomic_load_n(&d->flags, __ATOMIC_ACQUIRE);

		if ((flags & GEN_PACKED_BITS) != r->used_bits)
			break;
		ids[n] = d->id;
		if (lens != NULL)
			lens[n] = d->len;
		if (__builtin_expect(ids[n] >= r->size, 0)) {
			r->broken = "the id of a used buffer is out of range";
			return 0;
		}
		n++;
		if (++r->used == r->size) {
			r->used = 0;
			r->used_bits ^= GEN_PACKED_BITS;
		}
	}
	return n;
}

static inline unsigned int gen_ring_take_split(struct gen_ring *r, uint16_t *ids, uint32_t *lens,
					       unsigned int max)
{
	uint16_t idx = __atomic_load_n(&r->vr->used->idx, __ATOMIC_ACQUIRE);
	unsigned int n = (uint16_t)(idx - r->used);

	if (__builtin_expect(n > r->size, 0)) {
		r->broken = "the used index is ahead of what was made available";
		return 0;
	}
	if (n > max)
		n = max;
	for (unsigned int i = 0; i < n; i++) {
		const struct vring_used_elem *e = &r->vr->used->ring[r->used++ & (r->size - 1)];
		uint32_t id = e->id;

		if (__builtin_expect(id >= r->size, 0)) {
			r->broken = "the id of a used buffer is out of range";
			return 0;
		}
		ids[i] = (uint16_t)id;
		if (lens != NULL)
			lens[i] = e->len;
	}
	return n;
}

// Take back at most max used buffers; lens may be NULL. Never more than are in flight.
static inline unsigned int gen_ring_take(struct gen_ring *r, bool packed, uint16_t *ids,
					 uint32_t *lens, unsigned int max)
{
	return packed ? gen_ring_take_packed(r, ids, lens, max)
		      : gen_ring_take_split(r, ids, lens, max);
}

// Put all used buffers among the free ones.
static inline void gen_ring_reclaim(struct gen_ring *r, bool packed)
{
	r->n_free += (uint16_t)gen_ring_take(r, packed, &r->free[r->n_free], NULL,
					     (unsigned int)(r->size - r->n_free));
}
