// SPDX-License-Identifier: BSD-3-Clause
#include "vm.h"

#include <string.h>

// A unit of work as a chain of `parts` descriptors (and a header cut at `cut` bytes).
static void post_cut(struct vm *vm, unsigned int parts)
{
	struct vm_ring *r = &vm->rings[vm->work];
	struct rp_vring_seg segs[8], whole;
	uint32_t each;

	vm_post(vm);
	// What vm_post() made stands in the table: cut its readable descriptor into pieces.
	whole = (struct rp_vring_seg){.gpa = r->bufs_gpa, .len = vm->hdr_len + 60};
	each = whole.len / parts;
	for (unsigned int i = 0; i < parts; i++)
		segs[i] = (struct rp_vring_seg){
			.gpa = whole.gpa + (uint64_t)i * each,
			.len = i + 1 < parts ? each : whole.len - each * (parts - 1)};
	if (rp_vring_add(&r->vr, segs, parts, 0, parts) < 0)
		rule_fail(vm->c, "the ring takes no more chains");
	rp_vring_publish(&r->vr);
	vm_kick(vm, vm->work);
	if (!vm_wait(vm, vm->work, 2, vm->c->opt->wait_ms))
		rule_fail(vm->c, "a frame in %u descriptors was not used", parts);
}

RULE(DP6, .severity = MUST, .section = "virtio 2.7.4, 5.1.6",
     .statement = "frames in chains of 1 to 8 descriptors are taken, headers cut in two as well",
     .how = "Send a frame in 1 to 8 descriptors of equal size, direct, then indirect.",
     .devices = DEVICE_NET, .needs = NEED_DATA)
{
	struct vm_config cfg = {.features = RP_VIRTIO_BIT(INDIRECT_DESC)};
	struct vm *vm = vm_start(c, &cfg);
	uint64_t table_gpa;
	void *table;

	for (unsigned int parts = 1; parts <= 8; parts++)
		post_cut(vm, parts);
	if ((vm->s->features & RP_VIRTIO_BIT(INDIRECT_DESC)) == 0)
		return;
	table = rp_guest_memory_alloc(&vm->mem, rp_vring_indirect_size(vm->cfg.ring_size),
				      &table_gpa);
	if (table == NULL)
		rule_skip(c, "the tester has no memory left");
	vm->rings[vm->work].vr.indirect_table = table;
	vm->rings[vm->work].vr.indirect_gpa = table_gpa;
	for (unsigned int parts = 1; parts <= 8; parts++)
		post_cut(vm, parts);
}

// Ways to spoil what is in the work ring, between add and publish.
static void spoil(struct vm *vm, unsigned int how)
{
	struct rp_vring *vr = &vm->rings[vm->work].vr;
	uint16_t slot = (uint16_t)(vr->avail_idx - 1) & (vr->size - 1);
	struct vring_desc *d = &vr->desc[vr->avail->ring[slot]];

	switch (how) {
	case 0: // a loop
		d->flags |= VRING_DESC_F_NEXT;
		d->next = vr->avail->ring[slot];
		break;
	case 1:
		d->flags |= VRING_DESC_F_NEXT;
		d->next = 0xfff0;
		break;
	case 2:
		vr->avail->ring[slot] = 0xfff0;
		break;
	case 3:
		d->addr = UINT64_C(0x7fff00000000);
		break;
	case 4:
		d->len = 0;
		break;
	case 5:
		d->len = UINT32_MAX;
		break;
	case 6: // across the end of memory
		d->addr = vm->mem.regions[0].gpa + vm->mem.regions[0].size - 8;
		break;
	case 7:
		vr->avail->idx += 20000;
		break;
	case 8:
		d->len = 5;
		break;
	case 9: // the wrong direction
		d->flags ^= VRING_DESC_F_WRITE;
		break;
	case 10: // an indirect table that is none
		d->flags = VRING_DESC_F_INDIRECT;
		d->len = 15;
		break;
	default: // a table outside memory
		d->flags = VRING_DESC_F_INDIRECT;
		d->addr = UINT64_C(0x7fff00000000);
		d->len = 64;
	}
}

RULE(DP8, .severity = ROBUST, .section = "virtio 2.7",
     .statement = "descriptors that make no sense harm neither the back-end nor other VMs",
     .how = "A loop, next and head out of range, addresses outside, lengths 0 and 2^32-1, across "
	    "the end, an index jump, 5 bytes, the wrong direction, bad indirect tables; after each "
	    "the rings are set up again and must work.",
     .needs = NEED_DATA, .risky = true)
{
	for (unsigned int how = 0; how < 12; how++) {
		struct vm_config cfg = {.features = how >= 10 ? RP_VIRTIO_BIT(INDIRECT_DESC) : 0};
		struct vm *vm = vm_start(c, &cfg);

		vm_work(vm, 1);
		trace_add(&c->trace, "spoilt descriptor, kind %u", how);
		vm_post(vm);
		spoil(vm, how);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		vm_kick(vm, vm->work);
		session_closed_within(vm->s, 30);
		session_close(vm->s);
		vm = vm_start(c, NULL);
		vm_work(vm, 1);
		session_close(vm->s);
	}
}
