// SPDX-License-Identifier: BSD-3-Clause
#include "vm.h"

#include <errno.h>
#include <unistd.h>

// Go `steps` steps of the handshake, then close.
static void leave_after(struct check *c, unsigned int steps)
{
	struct vm *vm;

	if (steps == 0) {
		session_close(session_open(c));
	} else if (steps == 1) {
		struct session *s = session_open(c);

		get_u64(s, RP_VHU_GET_FEATURES);
		session_close(s);
	} else if (steps == 2) {
		session_close(session_hello(c, CHECK_PROTOCOL));
	} else {
		vm = vm_new(c, NULL);
		if (steps > 3)
			vm_share_memory(vm);
		for (unsigned int q = 0; steps > 4 && q < vm->n_rings; q++)
			vm_setup_ring(vm, q);
		if (steps > 5)
			vm_enable_all(vm, true);
		if (steps > 6)
			vm_driver_ok(vm);
		session_close(vm->s);
		vm_free_all(c);
	}
}

RULE(RC1, .severity = MUST, .section = "Communication",
     .statement = "a front-end may leave at any step of the handshake and come back",
     .how = "Disconnect after each of 8 steps, 5 times over; then rings work, and no descriptor "
	    "is left over.")
{
	int before;

	leave_after(c, 7);
	session_close(session_hello(c, CHECK_PROTOCOL));
	before = target_fds(c);
	for (int round = 0; round < 5; round++)
		for (unsigned int steps = 0; steps < 8; steps++)
			leave_after(c, steps);
	if (before >= 0 && !c->target->one_shot)
		must_come_down(c, before, "after 40 connections that ended early");
	if (c->target->data)
		vm_work(vm_start(c, NULL), 2);
}

RULE(RC2, .severity = MUST, .section = "Communication",
     .statement = "a front-end that vanishes under traffic may come back",
     .how = "Leave buffers in flight and close, 5 times; then rings work.", .needs = NEED_DATA)
{
	for (int i = 0; i < 5; i++) {
		struct vm *vm = vm_start(c, NULL);

		vm_work(vm, 1);
		for (int k = 0; k < 20; k++)
			vm_post(vm);
		vm_kick(vm, vm->work);
		session_close(vm->s);
		// Its memory is unmapped here, too: that must be nobody's concern any more.
		vm_free_all(c);
	}
	vm_work(vm_start(c, NULL), 2);
}

RULE(RC4, .severity = SHOULD, .section = "Communication",
     .statement = "a second connection is served or refused, and the first goes on",
     .how = "Connect twice; ask on the second, then on the first.")
{
	struct session *first = session_hello(c, CHECK_PROTOCOL);
	struct session *second = session_try_open(c);
	int rc = second != NULL ? session_sync(second) : -ECONNREFUSED;

	if (rc == -ETIMEDOUT)
		rule_note(c, "the second waits until the first has gone");
	if (session_sync(first) < 0)
		rule_fail(c, "the first connection is dead after a second came");
}

RULE(RC5, .severity = ROBUST, .section = "Communication",
     .statement = "whether it ends with its connection is told (no judgement)",
     .how = "Disconnect and look whether the process is still there.", .needs = NEED_SPAWN)
{
	session_close(session_hello(c, CHECK_PROTOCOL));
	rule_note(c, c->target->one_shot ? "it does" : "it does not");
}
