// SPDX-License-Identifier: BSD-3-Clause
#include "virtio/vring.h"
#include "virtio/vring_layout.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_LINE 64

static size_t align_up(size_t n, size_t to)
{
	return (n + to - 1) / to * to;
}

struct rp_vring_layout rp_vring_layout(uint16_t size, bool packed)
{
	struct rp_vring_layout l = {.desc = 0};
	// Split rings: flags, index, entries, and the event index behind them.
	size_t driver = packed ? sizeof(struct vring_packed_desc_event)
			       : sizeof(struct vring_avail) + (size_t)size * 2 + 2;
	size_t device = packed ? sizeof(struct vring_packed_desc_event)
			       : sizeof(struct vring_used) +
					 (size_t)size * sizeof(struct vring_used_elem) + 2;

	l.driver = align_up((size_t)size * 16, CACHE_LINE);
	l.device = align_up(l.driver + driver, CACHE_LINE);
	l.total = align_up(l.device + device, CACHE_LINE);
	return l;
}

size_t rp_vring_indirect_size(uint16_t size)
{
	return (size_t)size * RP_VRING_CHAIN_MAX * sizeof(struct vring_desc);
}

int rp_vring_init(struct rp_vring *vr, const struct rp_vring_config *cfg, void *mem)
{
	struct rp_vring_layout layout = rp_vring_layout(cfg->size, cfg->packed);
	bool power_of_two = (cfg->size & (cfg->size - 1)) == 0;

	memset(vr, 0, sizeof(*vr));
	if (cfg->size == 0 || cfg->size > RP_VRING_SIZE_MAX || (!cfg->packed && !power_of_two))
		return -EINVAL;
	if (cfg->packed && (cfg->base & 0x7fff) >= cfg->size)
		return -EINVAL;
	memset(mem, 0, layout.total);
	vr->size = cfg->size;
	vr->packed = cfg->packed;
	vr->event_idx = cfg->event_idx;
	vr->always_indirect = cfg->always_indirect;
	vr->indirect_table = cfg->indirect_table;
	vr->indirect_gpa = cfg->indirect_gpa;
	vr->num_free = cfg->size;
	vr->desc = mem;
	vr->avail = (void *)((char *)mem + layout.driver);
	vr->used = (void *)((char *)mem + layout.device);
	vr->chains = calloc(cfg->size, sizeof(*vr->chains));
	vr->next = calloc(cfg->size, sizeof(*vr->next));
	if (vr->chains == NULL || vr->next == NULL) {
		rp_vring_fini(vr);
		return -ENOMEM;
	}
	for (unsigned int i = 0; i < cfg->size; i++)
		vr->next[i] = (uint16_t)(i + 1);
	return cfg->packed ? rp_packed_init(vr, cfg) : rp_split_init(vr, cfg);
}

void rp_vring_fini(struct rp_vring *vr)
{
	free(vr->chains);
	free(vr->next);
	vr->chains = NULL;
	vr->next = NULL;
}

int rp_vring_break(struct rp_vring *vr, const char *reason)
{
	if (vr->broken == NULL)
		vr->broken = reason;
	return -EIO;
}

struct rp_vring_chain *rp_vring_check_done(struct rp_vring *vr, uint32_t id, uint32_t len)
{
	struct rp_vring_chain *chain;

	if (id >= vr->size) {
		rp_vring_break(vr, "used id out of range");
		return NULL;
	}
	chain = &vr->chains[id];
	if (chain->count == 0) {
		rp_vring_break(vr, "used id is not in flight");
		return NULL;
	}
	// Of a chain that the device may only read, the length has no meaning for the driver.
	if (chain->writable != 0 && len > chain->writable) {
		rp_vring_break(vr, "used length exceeds the buffer");
		return NULL;
	}
	return chain;
}

int rp_vring_add(struct rp_vring *vr, const struct rp_vring_seg *segs, unsigned int n_out,
		 unsigned int n_in, uint32_t cookie)
{
	unsigned int n = n_out + n_in;

	if (n == 0 || n > RP_VRING_CHAIN_MAX)
		return -EINVAL;
	if (vr->broken != NULL)
		return -EIO;
	if ((rp_vring_use_indirect(vr, n) ? 1 : n) > vr->num_free)
		return -ENOSPC;
	return vr->packed ? rp_packed_add(vr, segs, n_out, n_in, cookie)
			  : rp_split_add(vr, segs, n_out, n_in, cookie);
}

unsigned int rp_vring_add_burst(struct rp_vring *vr, const struct rp_vring_buf *bufs,
				unsigned int n, enum rp_vring_direction direction)
{
	if (vr->broken != NULL)
		return 0;
	if (n > vr->num_free)
		n = vr->num_free;
	return vr->packed ? rp_packed_add_burst(vr, bufs, n, direction)
			  : rp_split_add_burst(vr, bufs, n, direction);
}

void rp_vring_publish(struct rp_vring *vr)
{
	if (vr->packed)
		rp_packed_publish(vr);
	else
		rp_split_publish(vr);
}

bool rp_vring_needs_kick(struct rp_vring *vr)
{
	return vr->packed ? rp_packed_needs_kick(vr) : rp_split_needs_kick(vr);
}

int rp_vring_get_burst(struct rp_vring *vr, struct rp_vring_done *done, unsigned int n)
{
	if (vr->broken != NULL)
		return -EIO;
	return vr->packed ? rp_packed_get_burst(vr, done, n) : rp_split_get_burst(vr, done, n);
}

bool rp_vring_enable_call(struct rp_vring *vr)
{
	return vr->packed ? rp_packed_enable_call(vr) : rp_split_enable_call(vr);
}

void rp_vring_disable_call(struct rp_vring *vr)
{
	if (vr->packed)
		rp_packed_disable_call(vr);
	else
		rp_split_disable_call(vr);
}

uint16_t rp_vring_resume_base(const struct rp_vring *vr)
{
	return vr->packed ? rp_packed_resume_base(vr) : rp_split_resume_base(vr);
}
