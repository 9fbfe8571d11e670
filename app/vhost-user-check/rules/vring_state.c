// SPDX-License-Identifier: BSD-3-Clause
#include "vm.h"

#include <poll.h>
#include <string.h>

#define QUIET_MS 100

// Nothing happens on ring q for a while.
static bool stays(struct vm *vm, unsigned int q, uint16_t used)
{
	poll(NULL, 0, QUIET_MS);
	return vm_used(vm, q) == used;
}

RULE(VR1, .severity = MUST, .section = "Ring states",
     .statement = "a ring starts with its first kick, not before",
     .how = "Make a buffer available, set the ring up, do not kick: it must stay for 100 ms; "
	    "then kick.",
     .needs = NEED_DATA)
{
	struct vm *vm = vm_new(c, NULL);

	vm_share_memory(vm);
	vm_post(vm);
	for (unsigned int q = 0; q < vm->n_rings; q++)
		vm_setup_ring(vm, q);
	vm_enable_all(vm, true);
	vm_driver_ok(vm);
	if (!stays(vm, vm->work, 0))
		rule_warn(c, "the buffer was used without a kick (those that poll do so)");
	vm_kick(vm, vm->work);
	if (!vm_wait(vm, vm->work, 1, c->opt->wait_ms))
		rule_fail(c, "the kick did not start the ring");
}

RULE(VR2, .severity = MUST, .section = "Ring states",
     .statement = "with protocol features a ring starts disabled: it receives nothing",
     .how = "Start rings, enable the transmit ring alone, provoke a frame; then enable both.",
     .devices = DEVICE_NET, .needs = NEED_DATA | NEED_WRITE, .features = F30)
{
	struct vm *vm = vm_new(c, NULL);

	vm_share_memory(vm);
	for (unsigned int q = 0; q < vm->n_rings; q++)
		vm_setup_ring(vm, q);
	vm_driver_ok(vm);
	vm_enable(vm, 1, true);
	vm_post_rx(vm, VM_BUFFER_SIZE);
	vm_kick(vm, 0);
	vm_send_frame(vm);
	if (!stays(vm, 0, 0))
		rule_fail(c, "a frame came on a ring that was never enabled");
	vm_enable(vm, 0, true);
	vm_wait(vm, 1, 1, c->opt->wait_ms);
	vm_send_frame(vm);
	if (!vm_wait(vm, 0, 1, c->opt->wait_ms))
		rule_fail(c, "no frame came after the ring was enabled");
}

RULE(VR3, .severity = MUST, .section = "Ring states",
     .statement = "a started, disabled ring has no effect",
     .how = "net: what is sent on a disabled pair may be taken, but nothing comes back. blk: a "
	    "read on a disabled ring is not done.",
     .needs = NEED_DATA | NEED_WRITE, .features = F30)
{
	struct vm *vm = vm_new(c, NULL);
	unsigned int q = c->target->device == DEVICE_NET ? 0 : vm->work;

	vm_share_memory(vm);
	for (unsigned int i = 0; i < vm->n_rings; i++)
		vm_setup_ring(vm, i);
	vm_driver_ok(vm);
	if (c->target->device == DEVICE_NET) {
		vm_post_rx(vm, VM_BUFFER_SIZE);
		vm_kick(vm, 0);
	}
	vm_send_frame(vm);
	if (!stays(vm, q, 0))
		rule_fail(c, "ring %u worked though it is disabled", q);
}

RULE(VR4, .severity = MUST, .section = "SET_VRING_ENABLE",
     .statement = "enabling resumes a ring, also when said twice",
     .how = "Run, disable, enable twice, run.", .needs = NEED_DATA, .features = F30)
{
	struct vm *vm = vm_start(c, NULL);

	vm_work(vm, 2);
	vm_enable_all(vm, false);
	vm_enable_all(vm, true);
	vm_enable_all(vm, true);
	vm_work(vm, 2);
}

RULE(VR5, .severity = MUST, .section = "Ring states",
     .statement = "without bit 30 in SET_FEATURES rings run without SET_VRING_ENABLE",
     .how = "SET_FEATURES without bit 30; start the rings; never enable them.", .needs = NEED_DATA)
{
	struct vm_config cfg = {.no_f30 = true};

	vm_work(vm_start(c, &cfg), 2);
}

RULE(VR6, .severity = SHOULD, .section = "SET_VRING_ENABLE",
     .statement = "SET_VRING_ENABLE before the ring is set up is remembered",
     .how = "Enable right after SET_MEM_TABLE, then set the rings up and run them.",
     .needs = NEED_DATA, .features = F30)
{
	struct vm *vm = vm_new(c, NULL);

	vm_share_memory(vm);
	vm_enable_all(vm, true);
	for (unsigned int q = 0; q < vm->n_rings; q++)
		vm_setup_ring(vm, q);
	vm_driver_ok(vm);
	vm_work(vm, 2);
}

RULE(VR7, .severity = SHOULD, .section = "SET_VRING_ENABLE",
     .statement = "SET_VRING_ENABLE of neither 0 nor 1 is refused", .how = "Send 2.",
     .features = F30)
{
	struct rp_vhu_msg msg = msg_state(RP_VHU_SET_VRING_ENABLE, 0, 2);

	must_refuse(session_negotiated(c, RP_VIRTIO_BIT(VERSION_1)), &msg, "the value 2");
}

RULE(VR8, .severity = MUST, .section = "GET_VRING_BASE",
     .statement = "GET_VRING_BASE gives the base plus what was used",
     .how = "Start at base 0 and at 65530, run 9 buffers, stop.", .needs = NEED_DATA)
{
	for (int i = 0; i < 2; i++) {
		struct vm_config cfg = {.base = i == 0 ? 0 : 65530};
		struct vm *vm = vm_start(c, &cfg);
		uint32_t base;

		vm_work(vm, 9);
		base = vm_stop(vm, vm->work);
		if (base != (uint16_t)(cfg.base + 9))
			rule_fail(c, "base %u, 9 buffers used: expected %u, got %u", cfg.base,
				  (uint16_t)(cfg.base + 9), base);
		session_close(vm->s);
	}
}

RULE(VR9, .severity = MUST, .section = "Suspended device state",
     .statement = "after GET_VRING_BASE guest memory stays as it is and nothing is signalled",
     .how = "Stop all rings, add buffers and kick, compare all memory after 300 ms.",
     .needs = NEED_DATA)
{
	struct vm *vm = vm_start(c, NULL);
	uint64_t sum;

	vm_work(vm, 2);
	for (unsigned int q = 0; q < vm->n_rings; q++)
		vm_stop(vm, q);
	for (unsigned int q = 0; q < vm->n_rings; q++)
		vm_signalled(vm->rings[q].call, 0);
	vm_post(vm);
	if (c->target->device == DEVICE_NET)
		vm_post_rx(vm, VM_BUFFER_SIZE);
	sum = vm_sum(vm);
	for (unsigned int q = 0; q < vm->n_rings; q++)
		vm_kick(vm, q);
	if (vm_signalled(vm->rings[vm->work].call, 300))
		rule_fail(c, "the stopped ring %u was signalled", vm->work);
	if (vm_sum(vm) != sum)
		rule_fail(c, "guest memory changed though all rings are stopped");
}

RULE(VR10, .severity = MUST, .section = "GET_VRING_BASE",
     .statement = "the answer to GET_VRING_BASE comes after work in flight is done",
     .how = "Kick 16 buffers and stop at once: what base says and the used index must agree.",
     .needs = NEED_DATA)
{
	struct vm *vm = vm_start(c, NULL);
	uint32_t base;
	uint16_t used;

	vm_work(vm, 1);
	for (int i = 0; i < 16; i++)
		vm_post(vm);
	vm_kick(vm, vm->work);
	base = vm_stop(vm, vm->work);
	used = vm_used(vm, vm->work);
	if (base != used)
		rule_fail(c, "base is %u, the used index %u: work was in flight", base, used);
}

RULE(VR11, .severity = SHOULD, .section = "GET_VRING_BASE",
     .statement = "a second GET_VRING_BASE gives the same", .how = "Run, stop, stop.",
     .needs = NEED_DATA)
{
	struct vm *vm = vm_start(c, NULL);
	uint32_t first, second;

	vm_work(vm, 5);
	first = vm_stop(vm, vm->work);
	second = vm_stop(vm, vm->work);
	if (first != second)
		rule_fail(c, "%u at first, then %u", first, second);
}

RULE(VR12, .severity = MUST, .section = "Ring states",
     .statement = "stopped rings can be started again, where they were and from nothing",
     .how = "Run, stop, set up all over at the old index, run; stop, clear the rings, set up at "
	    "0 (a reboot), run.",
     .needs = NEED_DATA)
{
	struct vm *vm = vm_start(c, NULL);

	for (int round = 0; round < 4; round++) {
		vm_work(vm, 3);
		vm_enable_all(vm, false);
		for (unsigned int q = 0; q < vm->n_rings; q++)
			vm_stop(vm, q);
		for (unsigned int q = 0; q < vm->n_rings; q++) {
			if (round % 2 == 1)
				vm_clear_ring(vm, q, 0);
			vm_setup_ring(vm, q);
		}
		vm_enable_all(vm, true);
	}
	vm_work(vm, 3);
}

RULE(VR13, .severity = ROBUST, .section = "Ring states",
     .statement = "a restart that leaves out the size or the addresses is refused or works",
     .how = "Stop a ring; start it again without SET_VRING_NUM, then without SET_VRING_ADDR.",
     .needs = NEED_DATA, .risky = true)
{
	for (int variant = 0; variant < 2; variant++) {
		struct vm *vm = vm_start(c, NULL);
		unsigned int q = vm->work;
		struct rp_vhu_msg msgs[] = {
			variant == 0 ? vm_addr(vm, q)
				     : msg_state(RP_VHU_SET_VRING_NUM, q, vm->cfg.ring_size),
			msg_state(RP_VHU_SET_VRING_BASE, q, 1),
			msg_fd(RP_VHU_SET_VRING_CALL, q, vm->rings[q].call),
			msg_fd(RP_VHU_SET_VRING_KICK, q, vm->rings[q].kick),
			msg_state(RP_VHU_SET_VRING_ENABLE, q, 1),
		};

		vm_work(vm, 1);
		vm_stop(vm, q);
		for (unsigned int i = 0; i < 5 && vm->s->sock >= 0; i++)
			must_survive(vm->s, &msgs[i]);
		vm_post(vm);
		vm_kick(vm, q);
		session_closed_within(vm->s, 100);
		session_close(vm->s);
	}
}

RULE(VR14, .severity = ROBUST, .section = "Ring states",
     .statement = "size, addresses and base set on a running ring do no harm",
     .how = "Send SET_VRING_NUM, BASE and ADDR (elsewhere) to a running ring, kick.",
     .needs = NEED_DATA, .risky = true)
{
	for (int variant = 0; variant < 3; variant++) {
		struct vm *vm = vm_start(c, NULL);
		unsigned int q = vm->work;
		struct rp_vhu_msg msg = vm_addr(vm, q);

		vm_work(vm, 1);
		msg.payload.addr.used += 1024;
		if (variant == 1)
			msg = msg_state(RP_VHU_SET_VRING_NUM, q, 1024);
		if (variant == 2)
			msg = msg_state(RP_VHU_SET_VRING_BASE, q, 4711);
		must_survive(vm->s, &msg);
		vm_post(vm);
		vm_kick(vm, q);
		session_closed_within(vm->s, 50);
		session_close(vm->s);
	}
}
