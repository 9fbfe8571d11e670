// SPDX-License-Identifier: BSD-3-Clause
#include "vm.h"

// Rings that a queue count stands for: a network card counts pairs.
static unsigned int rings_of(const struct check *c)
{
	uint64_t n = c->target->queue_num * (c->target->device == DEVICE_NET ? 2 : 1);

	return n < VM_RINGS ? (unsigned int)n : VM_RINGS;
}

RULE(MQ1, .severity = MUST, .section = "GET_QUEUE_NUM",
     .statement = "GET_QUEUE_NUM is more than 0 and stays the same", .protocol = P(MQ),
     .how = "Ask twice, and on a new connection.")
{
	struct session *s = session_hello(c, CHECK_PROTOCOL);
	uint64_t first = get_u64(s, RP_VHU_GET_QUEUE_NUM);

	if (first == 0)
		rule_fail(c, "it is 0");
	if (get_u64(s, RP_VHU_GET_QUEUE_NUM) != first)
		rule_fail(c, "another number at the second time");
	session_close(s);
	if (get_u64(session_hello(c, CHECK_PROTOCOL), RP_VHU_GET_QUEUE_NUM) != first)
		rule_fail(c, "another number on a new connection");
	rule_note(c, "it is %llu (some count rings, some pairs)", (unsigned long long)first);
}

RULE(MQ2, .severity = MUST, .section = "Multiple queue support",
     .statement = "every queue that is offered works",
     .how = "Set up all rings (at most 8) and run each.", .needs = NEED_DATA | NEED_MQ,
     .protocol = P(MQ))
{
	struct vm_config cfg = {.features = RP_VIRTIO_BIT(NET_MQ) | RP_VIRTIO_BIT(NET_CTRL_VQ) |
					    RP_VIRTIO_BIT(BLK_MQ),
				.rings = rings_of(c)};
	struct vm *vm;
	unsigned int step = c->target->device == DEVICE_NET ? 2 : 1;

	if (c->target->device == DEVICE_NET)
		cfg.features &= ~RP_VIRTIO_BIT(BLK_MQ);
	else
		cfg.features = RP_VIRTIO_BIT(BLK_MQ);
	vm = vm_start(c, &cfg);
	for (vm->work = step - 1; vm->work < vm->n_rings; vm->work += step) {
		vm_post(vm);
		vm_kick(vm, vm->work);
		if (!vm_wait(vm, vm->work, 1, c->opt->wait_ms)) {
			if (vm->work < step)
				rule_fail(c, "ring %u does not work", vm->work);
			rule_warn(c,
				  "ring %u does not work (is it configured with fewer queues "
				  "than it offers?)",
				  vm->work);
		}
	}
}

RULE(MQ3, .severity = MUST, .section = "GET_QUEUE_NUM",
     .statement = "a ring beyond the queues is refused", .protocol = P(MQ),
     .how = "SET_VRING_NUM of ring 2 * GET_QUEUE_NUM (and one more for a control queue).")
{
	struct session *s = session_negotiated(c, RP_VIRTIO_BIT(VERSION_1));
	uint64_t n = get_u64(s, RP_VHU_GET_QUEUE_NUM);
	struct rp_vhu_msg msg = msg_state(RP_VHU_SET_VRING_NUM, (uint32_t)(2 * n + 1), 64);

	must_refuse(s, &msg, "a ring that does not exist");
}

RULE(MQ4, .severity = MUST, .section = "SET_VRING_ENABLE",
     .statement = "a queue pair carries traffic only after it was enabled",
     .how = "Two pairs, the second not enabled: nothing is received on it.", .devices = DEVICE_NET,
     .needs = NEED_WRITE | NEED_MQ, .features = F30, .protocol = P(MQ))
{
	struct vm_config cfg = {.features = RP_VIRTIO_BIT(NET_MQ) | RP_VIRTIO_BIT(NET_CTRL_VQ),
				.rings = 4};
	struct vm *vm = vm_new(c, &cfg);

	vm_share_memory(vm);
	for (unsigned int q = 0; q < 4; q++)
		vm_setup_ring(vm, q);
	vm_enable(vm, 0, true);
	vm_enable(vm, 1, true);
	vm_driver_ok(vm);
	vm_receive(vm);
	if (vm_used(vm, 2) != 0)
		rule_fail(c, "ring 2 received though its pair is not enabled");
}

RULE(MQ5, .severity = SHOULD, .section = "Multiple queue support",
     .statement = "fewer queues than offered work",
     .how = "Set up the first pair (blk: ring) alone.", .needs = NEED_DATA | NEED_MQ)
{
	vm_work(vm_start(c, NULL), 4);
}
