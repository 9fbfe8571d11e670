// SPDX-License-Identifier: BSD-3-Clause
#include "vm.h"

#include "base/clock.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

RULE(KC1, .severity = MUST, .section = "SET_VRING_KICK",
     .statement = "a kick gets the work done within a second",
     .how = "net: send a frame. blk: read a sector.", .devices = DEVICE_NET | DEVICE_BLK)
{
	struct vm *vm = vm_start(c, NULL);
	uint64_t start;

	vm_work(vm, 1);
	start = rp_clock_ns();
	vm_work(vm, 1);
	rule_note(c, "the second took %.0f us", (double)(rp_clock_ns() - start) / 1000);
}

// Post, kick, and see the used index move, without asking for or taking a notification.
static void use_one(struct vm *vm)
{
	uint16_t before = vm_used(vm, vm->work);
	uint64_t deadline = rp_clock_ms() + vm->c->opt->wait_ms;

	vm_post(vm);
	vm_kick(vm, vm->work);
	while (vm_used(vm, vm->work) == before) {
		if (rp_clock_ms() >= deadline)
			rule_fail(vm->c, "the buffer was not used");
		poll(NULL, 0, 1);
	}
}

RULE(KC2, .severity = MUST, .section = "SET_VRING_CALL",
     .statement = "the call eventfd is signalled when buffers were used",
     .how = "Run a buffer with interrupts on; the eventfd must become readable.",
     .needs = NEED_DATA)
{
	struct vm *vm = vm_start(c, NULL);
	int call = vm->rings[vm->work].call;

	vm_work(vm, 1);
	vm_signalled(call, 20);
	use_one(vm);
	if (!vm_signalled(call, c->opt->wait_ms))
		rule_fail(c, "a buffer was used, but the call eventfd is not signalled");
}

RULE(KC3, .severity = MUST, .section = "virtio 2.7.7",
     .statement = "NO_INTERRUPT in avail.flags keeps the call eventfd silent",
     .how = "Without EVENT_IDX set the flag, run a buffer: used advances, no signal.",
     .needs = NEED_DATA)
{
	struct vm *vm = vm_start(c, NULL);
	struct vm_ring *r = &vm->rings[vm->work];

	vm_work(vm, 1);
	rp_vring_disable_call(&r->vr);
	vm_signalled(r->call, 20);
	use_one(vm);
	if (vm_signalled(r->call, 50))
		rule_fail(c, "signalled although avail.flags says NO_INTERRUPT");
}

RULE(KC4, .severity = MUST, .section = "virtio 2.7.10",
     .statement = "with EVENT_IDX the call comes when used passes used_event, not before",
     .how = "Put used_event 3 ahead; run 2 buffers (no signal), then 2 more (signal).",
     .needs = NEED_DATA, .features = RP_VIRTIO_BIT(EVENT_IDX))
{
	struct vm_config cfg = {.features = RP_VIRTIO_BIT(EVENT_IDX)};
	struct vm *vm = vm_start(c, &cfg);
	struct vm_ring *r = &vm->rings[vm->work];

	vm_work(vm, 1);
	r->vr.avail->ring[vm->cfg.ring_size] = (uint16_t)(vm_used(vm, vm->work) + 2);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	vm_signalled(r->call, 20);
	use_one(vm);
	use_one(vm);
	if (vm_signalled(r->call, 50))
		rule_fail(c, "signalled before used passed used_event");
	use_one(vm);
	if (!vm_signalled(r->call, c->opt->wait_ms))
		rule_fail(c, "not signalled when used passed used_event");
}

RULE(KC5, .severity = MUST, .section = "SET_VRING_CALL, SET_VRING_KICK",
     .statement = "rings work without call eventfd, and without kick eventfd (by polling)",
     .how = "Set bit 8 in SET_VRING_CALL and run; then in SET_VRING_KICK and run without kick.",
     .needs = NEED_DATA)
{
	struct vm_config no_call = {.no_call_fd = true}, no_kick = {.no_kick_fd = true};
	struct vm *vm = vm_start(c, &no_call);

	vm_work(vm, 2);
	if (vm_signalled(vm->rings[vm->work].call, 0))
		rule_fail(c, "an eventfd that was never handed over is signalled");
	session_close(vm->s);
	vm = vm_start(c, &no_kick);
	vm_post(vm);
	if (!vm_wait(vm, vm->work, 1, c->opt->wait_ms))
		rule_warn(c, "without a kick eventfd the ring is not polled");
}

RULE(KC6, .severity = SHOULD, .section = "SET_VRING_KICK",
     .statement = "a descriptor that is missing, or too many, is refused",
     .how = "SET_VRING_KICK and SET_VRING_CALL without descriptor and without bit 8.")
{
	for (uint32_t id = RP_VHU_SET_VRING_KICK; id <= RP_VHU_SET_VRING_CALL; id++) {
		struct rp_vhu_msg msg = msg_u64(id, 0);
		struct session *s = session_negotiated(c, RP_VIRTIO_BIT(VERSION_1));

		must_refuse(s, &msg, "neither a descriptor nor bit 8");
		session_close(s);
	}
}

RULE(KC7, .severity = MUST, .section = "SET_VRING_CALL",
     .statement = "a call eventfd set on a running ring takes the place of the old one",
     .how = "Run, set another, run: the new one is signalled, the old one is not.",
     .needs = NEED_DATA)
{
	struct vm *vm = vm_start(c, NULL);
	struct vm_ring *r = &vm->rings[vm->work];
	int old = r->call;

	vm_work(vm, 1);
	r->call = check_eventfd(c);
	vm_set_call(vm, vm->work);
	rp_vring_enable_call(&r->vr);
	vm_signalled(old, 20);
	vm_signalled(r->call, 0);
	use_one(vm);
	if (!vm_signalled(r->call, c->opt->wait_ms))
		rule_fail(c, "the new call eventfd is not signalled");
	if (vm_signalled(old, 0))
		rule_fail(c, "the old call eventfd is still signalled");
}

RULE(KC8, .severity = SHOULD, .section = "SET_VRING_ERR",
     .statement = "the err eventfd is signalled when a ring is broken",
     .how = "Let the available index jump by more than the ring holds, kick.", .needs = NEED_DATA,
     .risky = true)
{
	struct vm *vm = vm_start(c, NULL);
	int fd = check_eventfd(c);
	struct rp_vhu_msg msg = msg_fd(RP_VHU_SET_VRING_ERR, vm->work, fd);

	must_take(vm->s, &msg);
	vm_work(vm, 1);
	vm->rings[vm->work].vr.avail->idx += 30000;
	vm_kick(vm, vm->work);
	if (!vm_signalled(fd, 200))
		rule_warn(c, "not signalled within 200 ms");
}

RULE(KC9, .severity = ROBUST, .section = "SET_VRING_KICK",
     .statement = "a kick descriptor that is no eventfd does not keep the back-end busy",
     .how = "A file, a pipe whose other end is closed: refused, or no load of its own "
	    "afterwards.",
     .needs = NEED_PID | NEED_DATA)
{
	int pipes[2];
	double idle, load;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		rule_skip(c, "no pipe");
	check_own_fd(c, pipes[0]);
	close(pipes[1]);
	for (int variant = 0; variant < 2; variant++) {
		struct vm *vm = vm_start(c, NULL);
		int fd = variant == 0 ? check_memfd(c, 4096) : pipes[0];
		struct rp_vhu_msg msg = msg_fd(RP_VHU_SET_VRING_KICK, vm->work, fd);

		vm_work(vm, 1);
		idle = target_cpu(c, 150);
		// Low, as one that polls may get little of a busy machine.
		if (idle > 0.1)
			rule_skip(c, "it polls: its load says nothing");
		must_survive(vm->s, &msg);
		load = target_cpu(c, 150);
		if (load > 0.3)
			rule_fail(c, "%s for a kick eventfd: %.0f %% of a core, %.0f %% before",
				  variant == 0 ? "a file" : "a dead pipe", load * 100, idle * 100);
		session_close(vm->s);
	}
}

RULE(KC10, .severity = SHOULD, .section = "SET_VRING_KICK, SET_VRING_CALL",
     .statement = "eventfds are closed when replaced",
     .how = "Set kick, call and err twenty times: the open descriptors do not grow.",
     .needs = NEED_PID)
{
	struct session *s = session_negotiated(c, RP_VIRTIO_BIT(VERSION_1));
	int before = -1;

	for (int i = 0; i < 21; i++) {
		for (uint32_t id = RP_VHU_SET_VRING_KICK; id <= RP_VHU_SET_VRING_ERR; id++) {
			struct rp_vhu_msg msg = msg_fd(id, 0, check_eventfd(c));

			must_take(s, &msg);
		}
		if (i == 0)
			before = target_fds(c);
	}
	must_come_down(c, before, "after twenty more eventfds");
}
