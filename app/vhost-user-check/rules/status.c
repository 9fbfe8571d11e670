// SPDX-License-Identifier: BSD-3-Clause
#include "vm.h"

RULE(ST1, .severity = MUST, .section = "SET_STATUS, GET_STATUS",
     .statement = "GET_STATUS gives what SET_STATUS set", .protocol = P(STATUS),
     .how = "Set 1, 3, 11, 15 and 0, and read each.")
{
	static const uint8_t steps[] = {1, 3, 11, 15, 0};
	struct session *s = session_negotiated(c, RP_VIRTIO_BIT(VERSION_1));

	for (unsigned int i = 0; i < sizeof(steps); i++) {
		struct rp_vhu_msg msg = msg_u64(RP_VHU_SET_STATUS, steps[i]);
		uint64_t got;

		must_take(s, &msg);
		got = get_u64(s, RP_VHU_GET_STATUS);
		if (got != steps[i])
			rule_fail(c, "set %u, got %llu", steps[i], (unsigned long long)got);
	}
}

RULE(ST2, .severity = SHOULD, .section = "SET_STATUS; virtio 3.1.1",
     .statement = "FEATURES_OK does not stick after features that were refused",
     .protocol = P(STATUS), .how = "Set a feature that is not offered, then status 11.")
{
	struct session *s = session_hello(c, CHECK_PROTOCOL);
	uint64_t other = ~s->offered & (RP_VIRTIO_BIT(ADMIN_VQ) | RP_VIRTIO_BIT(RING_RESET));
	struct rp_vhu_msg msg = msg_u64(RP_VHU_SET_FEATURES, (other & -other) | F30);

	if (other == 0)
		rule_skip(c, "it offers every bit that could be tried");
	must_survive(s, &msg);
	if (s->sock < 0)
		return;
	msg = msg_u64(RP_VHU_SET_STATUS, 11);
	must_survive(s, &msg);
	if (s->sock >= 0 && (get_u64(s, RP_VHU_GET_STATUS) & 8) != 0)
		rule_fail(c, "FEATURES_OK is set although the features cannot be");
}

RULE(ST3, .severity = SHOULD, .section = "SET_STATUS",
     .statement = "a status of more than 8 bits is refused", .protocol = P(STATUS),
     .how = "Set 0x100.")
{
	struct rp_vhu_msg msg = msg_u64(RP_VHU_SET_STATUS, 0x100);

	must_refuse(session_negotiated(c, RP_VIRTIO_BIT(VERSION_1)), &msg, "0x100");
}

RULE(ST4, .severity = ROBUST, .section = "SET_STATUS",
     .statement = "whether rings wait for DRIVER_OK is told (no judgement)", .protocol = P(STATUS),
     .how = "Start and kick rings without SET_STATUS.", .needs = NEED_DATA)
{
	struct vm *vm = vm_new(c, NULL);

	vm_share_memory(vm);
	for (unsigned int q = 0; q < vm->n_rings; q++)
		vm_setup_ring(vm, q);
	vm_enable_all(vm, true);
	vm_post(vm);
	vm_kick(vm, vm->work);
	rule_note(c, vm_wait(vm, vm->work, 1, 200) ? "they do not" : "they do");
}

RULE(RS1, .severity = MUST, .section = "RESET_DEVICE",
     .statement = "RESET_DEVICE disables the rings and keeps the connection",
     .protocol = P(RESET_DEVICE),
     .how = "Run, reset: a buffer made available stays. Set everything up again, run.",
     .needs = NEED_DATA)
{
	struct vm *vm = vm_start(c, NULL);
	struct rp_vhu_msg msg = msg_plain(RP_VHU_RESET_DEVICE);

	vm_work(vm, 2);
	must_take(vm->s, &msg);
	vm_post(vm);
	vm_kick(vm, vm->work);
	if (vm_wait(vm, vm->work, 1, 50))
		rule_fail(c, "ring %u still works", vm->work);
	for (unsigned int q = 0; q < vm->n_rings; q++)
		vm_clear_ring(vm, q, 0);
	msg = msg_u64(RP_VHU_SET_FEATURES, vm->s->features);
	must_take(vm->s, &msg);
	vm_bring_up(vm);
	vm_work(vm, 2);
}
