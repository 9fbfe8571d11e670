// SPDX-License-Identifier: BSD-3-Clause
#include "virtio/vring_layout.h"

#include <errno.h>

/*
 * Packed ring, driver side (virtio 1.2, section 2.8). One ring of descriptors: we write an entry
 * with its AVAIL bit equal to our wrap counter and its USED bit the opposite; the device writes it
 * back with both bits equal to its own counter, under the id of the buffer, and goes on by as many
 * entries as the chain had. Ids come from a free list, so they need not be the entry's place.
 *
 * The device stops at the first entry that is not available, so holding back the flags of the first
 * new entry until publish hides all that follow it.
 */

#define AVAIL (1u << VRING_PACKED_DESC_F_AVAIL)
#define USED  (1u << VRING_PACKED_DESC_F_USED)

int rp_packed_init(struct rp_vring *vr, const struct rp_vring_config *cfg)
{
	uint16_t index = cfg->base & 0x7fff;
	bool wrap = (cfg->base & (1u << VRING_PACKED_EVENT_F_WRAP_CTR)) != 0;

	vr->avail_idx = index;
	vr->used_idx = index;
	vr->avail_wrap = wrap;
	vr->used_wrap = wrap;
	// As if this lap had been used up to the base: nothing looks available or newly used.
	for (unsigned int i = 0; i < vr->size; i++)
		vr->packed_desc[i].flags = (i < index) == wrap ? AVAIL | USED : 0;
	return 0;
}

// Flags of an entry written now.
static uint16_t entry_flags(const struct rp_vring *vr, uint16_t flags)
{
	return (uint16_t)(flags | (vr->avail_wrap ? AVAIL : USED));
}

// Step over count entries.
static void advance(const struct rp_vring *vr, uint16_t *index, bool *wrap, uint16_t count)
{
	*index += count;
	if (*index >= vr->size) {
		*index -= vr->size;
		*wrap = !*wrap;
	}
}

static void put_entry(struct rp_vring *vr, uint64_t gpa, uint32_t len, uint16_t id, uint16_t flags)
{
	struct vring_packed_desc *d = &vr->packed_desc[vr->avail_idx];

	d->addr = gpa;
	d->len = len;
	d->id = id;
	flags = entry_flags(vr, flags);
	if (vr->pending) {
		d->flags = flags;
	} else {
		vr->pending = true;
		vr->pending_idx = vr->avail_idx;
		vr->pending_flags = flags;
	}
	advance(vr, &vr->avail_idx, &vr->avail_wrap, 1);
}

// Take an id for a chain of count entries.
static uint16_t take_id(struct rp_vring *vr, uint16_t count, uint32_t writable, uint32_t cookie)
{
	uint16_t id = vr->free_head;

	vr->chains[id] = (struct rp_vring_chain){
		.cookie = cookie, .writable = writable, .count = count, .last = id};
	vr->free_head = vr->next[id];
	vr->num_free -= count;
	vr->num_added += count;
	vr->in_flight++;
	return id;
}

static void put_indirect(struct rp_vring *vr, const struct rp_vring_seg *segs, unsigned int n_out,
			 unsigned int n, uint16_t id)
{
	struct vring_packed_desc *table = vr->indirect_table;
	size_t offset = (size_t)id * RP_VRING_CHAIN_MAX;

	table += offset;
	for (unsigned int i = 0; i < n; i++)
		table[i] = (struct vring_packed_desc){.addr = segs[i].gpa,
						      .len = segs[i].len,
						      .flags = i < n_out ? 0 : VRING_DESC_F_WRITE};
	put_entry(vr, vr->indirect_gpa + offset * sizeof(*table), n * (uint32_t)sizeof(*table), id,
		  VRING_DESC_F_INDIRECT);
}

int rp_packed_add(struct rp_vring *vr, const struct rp_vring_seg *segs, unsigned int n_out,
		  unsigned int n_in, uint32_t cookie)
{
	unsigned int n = n_out + n_in;
	uint32_t writable = rp_vring_writable(segs + n_out, n_in);

	if (rp_vring_use_indirect(vr, n)) {
		put_indirect(vr, segs, n_out, n, take_id(vr, 1, writable, cookie));
		return 0;
	}
	uint16_t id = take_id(vr, (uint16_t)n, writable, cookie);

	for (unsigned int i = 0; i < n; i++) {
		uint16_t flags = i < n_out ? 0 : VRING_DESC_F_WRITE;

		if (i + 1 < n)
			flags |= VRING_DESC_F_NEXT;
		put_entry(vr, segs[i].gpa, segs[i].len, id, flags);
	}
	return 0;
}

unsigned int rp_packed_add_burst(struct rp_vring *vr, const struct rp_vring_buf *bufs,
				 unsigned int n, enum rp_vring_direction direction)
{
	bool writable = direction == RP_VRING_WRITABLE;

	for (unsigned int i = 0; i < n; i++) {
		uint16_t id = take_id(vr, 1, writable ? bufs[i].len : 0, bufs[i].cookie);

		if (vr->always_indirect && vr->indirect_table != NULL) {
			struct rp_vring_seg seg = {.gpa = bufs[i].gpa, .len = bufs[i].len};

			put_indirect(vr, &seg, !writable, 1, id);
			continue;
		}
		put_entry(vr, bufs[i].gpa, bufs[i].len, id, writable ? VRING_DESC_F_WRITE : 0);
	}
	return n;
}

void rp_packed_publish(struct rp_vring *vr)
{
	if (!vr->pending)
		return;
	vr->pending = false;
	__atomic_store_n(&vr->packed_desc[vr->pending_idx].flags, vr->pending_flags,
			 __ATOMIC_RELEASE);
}

bool rp_packed_needs_kick(struct rp_vring *vr)
{
	uint16_t added = vr->num_added;
	uint16_t flags, off_wrap, event;

	if (added == 0 || vr->pending)
		return false;
	vr->num_added = 0;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	flags = __atomic_load_n(&vr->device_event->flags, __ATOMIC_RELAXED);
	if (flags != VRING_PACKED_EVENT_FLAG_DESC || !vr->event_idx)
		return flags != VRING_PACKED_EVENT_FLAG_DISABLE;
	off_wrap = __atomic_load_n(&vr->device_event->off_wrap, __ATOMIC_RELAXED);
	event = off_wrap & 0x7fff;
	// An event of the lap before ours lies a ring's length behind.
	if ((off_wrap >> VRING_PACKED_EVENT_F_WRAP_CTR) != vr->avail_wrap)
		event -= vr->size;
	return vring_need_event(event, vr->avail_idx, vr->avail_idx - added) != 0;
}

// Whether an entry carries this wrap counter in both bits: the device is done with it.
static bool entry_used(const struct rp_vring *vr, uint16_t index, bool wrap)
{
	uint16_t flags = __atomic_load_n(&vr->packed_desc[index].flags, __ATOMIC_ACQUIRE);
	bool avail = (flags & AVAIL) != 0, used = (flags & USED) != 0;

	return avail == used && used == wrap;
}

int rp_packed_get_burst(struct rp_vring *vr, struct rp_vring_done *done, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n && entry_used(vr, vr->used_idx, vr->used_wrap); i++) {
		const struct vring_packed_desc *d = &vr->packed_desc[vr->used_idx];
		uint16_t id = __atomic_load_n(&d->id, __ATOMIC_RELAXED);
		uint32_t len = __atomic_load_n(&d->len, __ATOMIC_RELAXED);
		struct rp_vring_chain *chain = rp_vring_check_done(vr, id, len);

		if (chain == NULL)
			return -EIO;
		done[i] = (struct rp_vring_done){.cookie = chain->cookie, .len = len};
		advance(vr, &vr->used_idx, &vr->used_wrap, chain->count);
		vr->next[id] = vr->free_head;
		vr->free_head = id;
		vr->num_free += chain->count;
		vr->in_flight--;
		chain->count = 0;
	}
	return (int)i;
}

bool rp_packed_enable_call(struct rp_vring *vr)
{
	uint16_t flags = VRING_PACKED_EVENT_FLAG_ENABLE;

	if (vr->event_idx) {
		vr->driver_event->off_wrap =
			(uint16_t)(vr->used_idx |
				   (vr->used_wrap ? 1u << VRING_PACKED_EVENT_F_WRAP_CTR : 0));
		flags = VRING_PACKED_EVENT_FLAG_DESC;
	}
	// The offset must be there before the flags that give it a meaning.
	__atomic_store_n(&vr->driver_event->flags, flags, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return entry_used(vr, vr->used_idx, vr->used_wrap);
}

void rp_packed_disable_call(struct rp_vring *vr)
{
	__atomic_store_n(&vr->driver_event->flags, VRING_PACKED_EVENT_FLAG_DISABLE,
			 __ATOMIC_RELAXED);
}

uint16_t rp_packed_resume_base(const struct rp_vring *vr)
{
	uint16_t index = vr->used_idx;
	bool wrap = vr->used_wrap;

	// Look past what the device has used and we have not taken yet, without taking it.
	for (unsigned int n = 0; n < vr->in_flight && entry_used(vr, index, wrap); n++) {
		uint16_t id = __atomic_load_n(&vr->packed_desc[index].id, __ATOMIC_RELAXED);

		if (id >= vr->size || vr->chains[id].count == 0)
			break;
		advance(vr, &index, &wrap, vr->chains[id].count);
	}
	return (uint16_t)(index | (wrap ? 1u << VRING_PACKED_EVENT_F_WRAP_CTR : 0));
}
