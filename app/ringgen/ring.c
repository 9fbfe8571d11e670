// SPDX-License-Identifier: BSD-3-Clause
#include "ring.h"

#include <errno.h>
#include <stdlib.h>

int gen_ring_init(struct gen_ring *r, struct rp_frontend *fe, unsigned int q, uint32_t stride)
{
	struct rp_vring *vr = rp_frontend_vring(fe, q);

	*r = (struct gen_ring){
		.size = vr->size,
		.flags = q % 2 == 0 ? VRING_DESC_F_WRITE : 0,
		.avail = vr->avail_idx,
		.used = vr->used_idx,
		// A new packed ring starts with its wrap counters at 1 (virtio 1.2, 2.8.1).
		.avail_bits = 1u << VRING_PACKED_DESC_F_AVAIL,
		.used_bits = GEN_PACKED_BITS,
		.n_free = vr->size,
		.stride = stride,
		.vr = vr,
		.fe = fe,
		.queue = q,
	};
	r->free = malloc(vr->size * sizeof(r->free[0]));
	r->bufs = rp_guest_memory_alloc(rp_frontend_memory(fe), (size_t)vr->size * stride, &r->gpa);
	if (r->free == NULL || r->bufs == NULL)
		return -ENOMEM;
	for (uint16_t i = 0; i < vr->size; i++)
		r->free[i] = (uint16_t)(vr->size - 1 - i);
	return 0;
}

void gen_ring_fini(struct gen_ring *r)
{
	free(r->free);
	r->free = NULL;
}
