// SPDX-License-Identifier: BSD-3-Clause
#include "ring.h"

#include <stdlib.h>

#define AVAIL (1u << VRING_PACKED_DESC_F_AVAIL)
#define USED  (1u << VRING_PACKED_DESC_F_USED)

void ring_open(struct ring *r, struct rp_vring_config cfg, bool indirect)
{
	struct rp_vring_layout layout = rp_vring_layout(cfg.size, cfg.packed);

	*r = (struct ring){.mem = aligned_alloc(64, layout.total)};
	if (indirect) {
		r->indirect = calloc(1, rp_vring_indirect_size(cfg.size));
		cfg.indirect_table = r->indirect;
		cfg.indirect_gpa = 0x1000000;
	}
	if (r->mem == NULL || rp_vring_init(&r->vr, &cfg, r->mem) < 0)
		abort();
	r->avail_idx = cfg.packed ? cfg.base & 0x7fff : cfg.base;
	r->used_idx = r->avail_idx;
	r->wrap = r->used_wrap = (cfg.base & 0x8000) != 0;
}

void ring_close(struct ring *r)
{
	rp_vring_fini(&r->vr);
	free(r->indirect);
	free(r->mem);
}

static void step(const struct ring *r, uint16_t *index, bool *wrap, unsigned int n)
{
	*index += n;
	if (*index >= r->vr.size) {
		*index -= r->vr.size;
		*wrap = !*wrap;
	}
}

static int take_packed(struct ring *r, unsigned int *entries)
{
	uint16_t flags = r->vr.packed_desc[r->avail_idx].flags;
	unsigned int n = 1;
	uint16_t at = r->avail_idx;
	bool wrap = r->wrap;

	if (((flags & AVAIL) != 0) != r->wrap || ((flags & USED) != 0) == r->wrap)
		return -1;
	for (; (r->vr.packed_desc[at].flags & VRING_DESC_F_NEXT) != 0; n++)
		step(r, &at, &wrap, 1);
	step(r, &r->avail_idx, &r->wrap, n);
	if (entries != NULL)
		*entries = n;
	return r->vr.packed_desc[at].id;
}

int device_take(struct ring *r, unsigned int *entries)
{
	if (r->vr.packed)
		return take_packed(r, entries);
	if (entries != NULL)
		*entries = 0;
	if (r->avail_idx == r->vr.avail->idx)
		return -1;
	return r->vr.avail->ring[r->avail_idx++ & (r->vr.size - 1)];
}

void device_use(struct ring *r, uint32_t id, uint32_t len, unsigned int count)
{
	if (r->vr.packed) {
		struct vring_packed_desc *d = &r->vr.packed_desc[r->used_idx];

		d->id = (uint16_t)id;
		d->len = len;
		d->flags = r->used_wrap ? AVAIL | USED : 0;
		step(r, &r->used_idx, &r->used_wrap, count);
		return;
	}
	r->vr.used->ring[r->used_idx++ & (r->vr.size - 1)] =
		(struct vring_used_elem){.id = id, .len = len};
	r->vr.used->idx = r->used_idx;
}
