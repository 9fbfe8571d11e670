// SPDX-License-Identifier: BSD-3-Clause
#include "virtio/vring_layout.h"

#include <errno.h>

/*
 * Split ring, driver side. Order matters in two places (virtio 1.2, 2.7.13): the index is stored
 * with release after what it covers, and a full fence stands between our store of an index and our
 * look at what the other side wrote meanwhile; without it either side may sleep for ever.
 */

static uint16_t *used_event(struct rp_vring *vr)
{
	return &vr->avail->ring[vr->size];
}

static uint16_t *avail_event(struct rp_vring *vr)
{
	return (uint16_t *)&vr->used->ring[vr->size];
}

int rp_split_init(struct rp_vring *vr, const struct rp_vring_config *cfg)
{
	vr->avail_idx = cfg->base;
	vr->used_idx = cfg->base;
	vr->shown_idx = cfg->base;
	vr->notified_idx = cfg->base;
	vr->avail->idx = cfg->base;
	vr->used->idx = cfg->base;
	return 0;
}

static void fill_indirect(struct rp_vring *vr, uint16_t head, const struct rp_vring_seg *segs,
			  unsigned int n_out, unsigned int n)
{
	struct vring_desc *table = vr->indirect_table;
	size_t offset = (size_t)head * RP_VRING_CHAIN_MAX;

	table += offset;
	for (unsigned int i = 0; i < n; i++) {
		uint16_t flags = i < n_out ? 0 : VRING_DESC_F_WRITE;

		if (i + 1 < n)
			flags |= VRING_DESC_F_NEXT;
		table[i] = (struct vring_desc){.addr = segs[i].gpa,
					       .len = segs[i].len,
					       .flags = flags,
					       .next = (uint16_t)(i + 1)};
	}
	vr->desc[head] =
		(struct vring_desc){.addr = vr->indirect_gpa + offset * sizeof(struct vring_desc),
				    .len = n * (uint32_t)sizeof(struct vring_desc),
				    .flags = VRING_DESC_F_INDIRECT};
}

int rp_split_add(struct rp_vring *vr, const struct rp_vring_seg *segs, unsigned int n_out,
		 unsigned int n_in, uint32_t cookie)
{
	unsigned int n = n_out + n_in;
	uint16_t head = vr->free_head, last = head;
	uint16_t count = 1;

	if (rp_vring_use_indirect(vr, n)) {
		fill_indirect(vr, head, segs, n_out, n);
	} else {
		uint16_t at = head;

		for (unsigned int i = 0; i < n; i++, at = vr->next[at]) {
			uint16_t flags = i < n_out ? 0 : VRING_DESC_F_WRITE;

			if (i + 1 < n)
				flags |= VRING_DESC_F_NEXT;
			vr->desc[at] = (struct vring_desc){.addr = segs[i].gpa,
							   .len = segs[i].len,
							   .flags = flags,
							   .next = vr->next[at]};
			last = at;
		}
		count = (uint16_t)n;
	}
	vr->chains[head] =
		(struct rp_vring_chain){.cookie = cookie,
					.writable = rp_vring_writable(segs + n_out, n_in),
					.count = count,
					.last = last};
	vr->free_head = vr->next[last];
	vr->num_free -= count;
	vr->in_flight++;
	vr->avail->ring[vr->avail_idx++ & (vr->size - 1)] = head;
	return 0;
}

unsigned int rp_split_add_burst(struct rp_vring *vr, const struct rp_vring_buf *bufs,
				unsigned int n, enum rp_vring_direction direction)
{
	bool writable = direction == RP_VRING_WRITABLE;
	uint16_t mask = vr->size - 1, avail_idx = vr->avail_idx, head = vr->free_head;

	if (vr->always_indirect && vr->indirect_table != NULL) {
		for (unsigned int i = 0; i < n; i++) {
			struct rp_vring_seg seg = {.gpa = bufs[i].gpa, .len = bufs[i].len};

			rp_split_add(vr, &seg, !writable, writable, bufs[i].cookie);
		}
		return n;
	}
	for (unsigned int i = 0; i < n; i++) {
		vr->desc[head] = (struct vring_desc){.addr = bufs[i].gpa,
						     .len = bufs[i].len,
						     .flags = writable ? VRING_DESC_F_WRITE : 0};
		vr->chains[head] = (struct rp_vring_chain){.cookie = bufs[i].cookie,
							   .writable = writable ? bufs[i].len : 0,
							   .count = 1,
							   .last = head};
		vr->avail->ring[avail_idx++ & mask] = head;
		head = vr->next[head];
	}
	vr->free_head = head;
	vr->avail_idx = avail_idx;
	vr->num_free -= (uint16_t)n;
	vr->in_flight += (uint16_t)n;
	return n;
}

void rp_split_publish(struct rp_vring *vr)
{
	vr->shown_idx = vr->avail_idx;
	__atomic_store_n(&vr->avail->idx, vr->avail_idx, __ATOMIC_RELEASE);
}

bool rp_split_needs_kick(struct rp_vring *vr)
{
	uint16_t old = vr->notified_idx;

	if (old == vr->shown_idx)
		return false;
	vr->notified_idx = vr->shown_idx;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (vr->event_idx)
		return vring_need_event(__atomic_load_n(avail_event(vr), __ATOMIC_RELAXED),
					vr->shown_idx, old) != 0;
	return (__atomic_load_n(&vr->used->flags, __ATOMIC_RELAXED) & VRING_USED_F_NO_NOTIFY) == 0;
}

int rp_split_get_burst(struct rp_vring *vr, struct rp_vring_done *done, unsigned int n)
{
	uint16_t mask = vr->size - 1, used_idx = vr->used_idx;
	uint16_t ready = __atomic_load_n(&vr->used->idx, __ATOMIC_ACQUIRE) - used_idx;

	if (ready > vr->in_flight)
		return rp_vring_break(vr, "used index is ahead of what was made available");
	if (n > ready)
		n = ready;
	for (unsigned int i = 0; i < n; i++) {
		const struct vring_used_elem *elem = &vr->used->ring[used_idx & mask];
		// Read once: the device may change it under us.
		uint32_t id = __atomic_load_n(&elem->id, __ATOMIC_RELAXED);
		uint32_t len = __atomic_load_n(&elem->len, __ATOMIC_RELAXED);
		struct rp_vring_chain *chain = rp_vring_check_done(vr, id, len);

		if (chain == NULL)
			return -EIO;
		done[i] = (struct rp_vring_done){.cookie = chain->cookie, .len = len};
		vr->next[chain->last] = vr->free_head;
		vr->free_head = (uint16_t)id;
		vr->num_free += chain->count;
		vr->in_flight--;
		chain->count = 0;
		vr->used_idx = ++used_idx;
	}
	return (int)n;
}

bool rp_split_enable_call(struct rp_vring *vr)
{
	if (vr->event_idx)
		__atomic_store_n(used_event(vr), vr->used_idx, __ATOMIC_RELAXED);
	else
		__atomic_store_n(&vr->avail->flags, 0, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return __atomic_load_n(&vr->used->idx, __ATOMIC_RELAXED) != vr->used_idx;
}

void rp_split_disable_call(struct rp_vring *vr)
{
	// With EVENT_IDX the flag has no meaning: an event index just behind us fires last.
	if (vr->event_idx)
		__atomic_store_n(used_event(vr), vr->used_idx - 1, __ATOMIC_RELAXED);
	else
		__atomic_store_n(&vr->avail->flags, VRING_AVAIL_F_NO_INTERRUPT, __ATOMIC_RELAXED);
}

uint16_t rp_split_resume_base(const struct rp_vring *vr)
{
	uint16_t idx = __atomic_load_n(&vr->used->idx, __ATOMIC_ACQUIRE);

	return (uint16_t)(idx - vr->used_idx) <= vr->in_flight ? idx : vr->used_idx;
}
