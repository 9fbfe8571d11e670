// SPDX-License-Identifier: BSD-3-Clause
#include "vm.h"

#include <string.h>

RULE(VR15, .severity = SHOULD, .section = "SET_VRING_NUM; virtio 2.7",
     .statement = "ring sizes 2, 256, 1024 and 32768 are taken; 0, 3 and 65536 are refused",
     .how = "Send each on a connection without memory.")
{
	static const uint32_t good[] = {2, 256, 1024, 32768}, bad[] = {0, 3, 65536, UINT32_MAX};
	char what[32];

	for (unsigned int i = 0; i < 4; i++) {
		struct session *s = session_negotiated(c, RP_VIRTIO_BIT(VERSION_1));
		struct rp_vhu_msg msg = msg_state(RP_VHU_SET_VRING_NUM, 0, good[i]);

		must_take(s, &msg);
		msg = msg_state(RP_VHU_SET_VRING_NUM, 0, bad[i]);
		snprintf(what, sizeof(what), "size %u", bad[i]);
		must_refuse(s, &msg, what);
		session_close(s);
	}
}

RULE(VR16, .severity = SHOULD, .section = "SET_VRING_ADDR; virtio 2.7",
     .statement = "ring addresses that are not aligned are refused",
     .how = "desc off by 8, avail off by 1, used off by 2.")
{
	for (int part = 0; part < 3; part++) {
		struct vm *vm = vm_new(c, NULL);
		struct rp_vhu_msg msg = vm_addr(vm, 0);

		vm_share_memory(vm);
		vm_set_num(vm, 0);
		msg.payload.addr.desc += part == 0 ? 8 : 0;
		msg.payload.addr.avail += part == 1 ? 1 : 0;
		msg.payload.addr.used += part == 2 ? 2 : 0;
		must_refuse(vm->s, &msg, "an address that is not aligned");
		session_close(vm->s);
	}
}

RULE(VR17, .severity = MUST, .section = "SET_VRING_ADDR",
     .statement = "SET_VRING_ADDR before the memory table does no harm",
     .how = "Send it first; then the table, the address again, and run the ring.",
     .needs = NEED_DATA)
{
	struct vm *vm = vm_new(c, NULL);
	struct rp_vhu_msg msg = vm_addr(vm, vm->work);

	vm_set_num(vm, vm->work);
	must_survive(vm->s, &msg);
	if (vm->s->sock < 0)
		return;
	vm_bring_up(vm);
	vm_work(vm, 2);
}

RULE(VR18, .severity = SHOULD, .section = "SET_VRING_ADDR",
     .statement = "a ring outside memory, or across its end, is refused or never starts",
     .how = "Each of the three parts far outside; the used ring across the region's end.",
     .needs = NEED_DATA)
{
	for (int variant = 0; variant < 4; variant++) {
		struct vm *vm = vm_new(c, NULL);
		struct rp_vhu_msg msg = vm_addr(vm, vm->work);
		const struct rp_vhu_region *r = &vm->mem.regions[0];
		uint64_t outside = r->uva + r->size + (UINT64_C(1) << 30);

		msg.payload.addr.desc = variant == 0 ? outside : msg.payload.addr.desc;
		msg.payload.addr.avail = variant == 1 ? outside : msg.payload.addr.avail;
		msg.payload.addr.used = variant == 2 ? outside : msg.payload.addr.used;
		if (variant == 3)
			msg.payload.addr.used = r->uva + r->size - 64;
		vm_share_memory(vm);
		vm_set_num(vm, vm->work);
		vm_set_base(vm, vm->work);
		must_survive(vm->s, &msg);
		if (vm->s->sock >= 0) {
			struct rp_vhu_msg more[] = {
				msg_fd(RP_VHU_SET_VRING_CALL, vm->work, vm->rings[vm->work].call),
				msg_fd(RP_VHU_SET_VRING_KICK, vm->work, vm->rings[vm->work].kick),
				msg_state(RP_VHU_SET_VRING_ENABLE, vm->work, 1),
			};

			for (int i = 0; i < 3 && vm->s->sock >= 0; i++)
				must_survive(vm->s, &more[i]);
			vm_post(vm);
			vm_kick(vm, vm->work);
			if (vm_wait(vm, vm->work, 1, 50))
				rule_fail(c, "the ring works though a part of it is outside");
		}
		session_close(vm->s);
	}
}

RULE(VR19, .severity = ROBUST, .section = "Vring state description",
     .statement = "requests about rings that do not exist are refused",
     .how = "SET_VRING_NUM, ADDR, BASE, ENABLE, GET_VRING_BASE with rings 300, 9999, 2^32-1; "
	    "KICK and CALL with ring 255.")
{
	static const uint32_t rings[] = {300, 9999, UINT32_MAX};
	static const uint32_t ids[] = {RP_VHU_SET_VRING_NUM, RP_VHU_SET_VRING_BASE,
				       RP_VHU_GET_VRING_BASE, RP_VHU_SET_VRING_ENABLE,
				       RP_VHU_SET_VRING_ADDR};

	for (unsigned int i = 0; i < 5; i++)
		for (unsigned int k = 0; k < 3; k++) {
			struct session *s = session_negotiated(c, RP_VIRTIO_BIT(VERSION_1));
			struct rp_vhu_msg msg = msg_state(ids[i], rings[k], i == 0 ? 64 : 0);
			enum outcome o;

			if (ids[i] == RP_VHU_SET_VRING_ADDR)
				msg.size = sizeof(struct rp_vhu_vring_addr);
			o = must_survive(s, &msg);
			if (o == ACK_OK || o == REPLIED)
				rule_fail(c, "request %u about ring %u got %s", ids[i], rings[k],
					  outcome_name(o));
			session_close(s);
		}
	for (uint32_t id = RP_VHU_SET_VRING_KICK; id <= RP_VHU_SET_VRING_CALL; id++) {
		struct session *s = session_negotiated(c, RP_VIRTIO_BIT(VERSION_1));
		struct rp_vhu_msg msg = msg_fd(id, 255, check_eventfd(c));

		must_survive(s, &msg);
		session_close(s);
	}
}

RULE(VR20, .severity = MUST, .section = "Ring states",
     .statement = "stopping one ring leaves the others running",
     .how = "net: stop the receive ring, the transmit ring goes on. blk: stop ring 1 of 2.",
     .needs = NEED_DATA)
{
	struct vm_config cfg = {.rings = 2};
	struct vm *vm;
	unsigned int other;

	if (c->target->device == DEVICE_BLK && c->target->queue_num < 2)
		rule_skip(c, "it has one queue only");
	vm = vm_start(c, &cfg);
	other = 1 - vm->work;
	vm_work(vm, 2);
	vm_enable(vm, other, false);
	vm_work(vm, 2);
	vm_stop(vm, other);
	// A network card without receive ring may take a transmit ring for down as well.
	if (c->target->device == DEVICE_NET) {
		vm_post(vm);
		vm_kick(vm, vm->work);
		if (!vm_wait(vm, vm->work, 1, c->opt->wait_ms))
			rule_warn(c, "the transmit ring stops with the receive ring");
		return;
	}
	vm_work(vm, 2);
}

RULE(VR21, .severity = SHOULD, .section = "Ring states",
     .statement = "the requests that set a ring up may come in any order",
     .how = "KICK before CALL; CALL again after the start; ADDR before NUM.", .needs = NEED_DATA)
{
	struct vm *vm = vm_new(c, NULL);

	vm_share_memory(vm);
	for (unsigned int q = 0; q < vm->n_rings; q++) {
		vm_set_addr(vm, q);
		vm_set_num(vm, q);
		vm_set_base(vm, q);
		vm_set_kick(vm, q);
		vm_set_call(vm, q);
	}
	vm_enable_all(vm, true);
	vm_driver_ok(vm);
	vm_work(vm, 2);
	vm_set_call(vm, vm->work);
	vm_work(vm, 2);
}
