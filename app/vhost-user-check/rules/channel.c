// SPDX-License-Identifier: BSD-3-Clause
#include "vm.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// Hand over one end of a pair; ours is returned.
static int give_channel(struct session *s)
{
	struct rp_vhu_msg msg = {.request = RP_VHU_SET_BACKEND_REQ_FD, .n_fds = 1};
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		rule_skip(s->c, "no socket pair: %s", strerror(errno));
	check_own_fd(s->c, pair[0]);
	check_own_fd(s->c, pair[1]);
	msg.fds[0] = pair[1];
	must_take(s, &msg);
	return pair[0];
}

RULE(BR1, .severity = MUST, .section = "SET_BACKEND_REQ_FD",
     .statement = "SET_BACKEND_REQ_FD is taken with a descriptor and refused without",
     .protocol = P(BACKEND_REQ), .how = "Send both.")
{
	struct rp_vhu_msg msg = msg_plain(RP_VHU_SET_BACKEND_REQ_FD);
	struct session *s = session_negotiated(c, RP_VIRTIO_BIT(VERSION_1));

	give_channel(s);
	must_refuse(s, &msg, "no descriptor");
}

RULE(BR2, .severity = MUST, .section = "Back-end message types",
     .statement = "what comes on the back-end's channel is in the table and negotiated",
     .protocol = P(BACKEND_REQ), .how = "Hand a channel over, run rings, read what comes.",
     .needs = NEED_DATA)
{
	struct vm *vm = vm_new(c, NULL);
	int channel = give_channel(vm->s);
	struct rp_vhu_msg msg;
	struct rp_error err;
	char text[400];
	int rc;

	vm_bring_up(vm);
	vm_work(vm, 2);
	while ((rc = rp_vhu_recv(channel, &msg, 50, &err)) == 0) {
		const struct rp_vhu_message_info *info =
			rp_vhu_message_by_id(RP_VHU_FROM_BACKEND, msg.request);

		rp_vhu_close_fds(&msg);
		if (rp_vhu_check_request(&msg, RP_VHU_FROM_BACKEND, &err) < 0)
			rule_fail(c, "%s", rp_error_text(&err, text, sizeof(text)));
		if (!rp_vhu_message_allowed(info, vm->s->features, vm->s->protocol))
			rule_fail(c, "%s was not negotiated", info->name);
		if ((msg.flags & RP_VHU_FLAG_NEED_REPLY) != 0 &&
		    (vm->s->protocol & P(REPLY_ACK)) == 0)
			rule_fail(c, "%s asks for a reply without REPLY_ACK", info->name);
	}
	if (rc == -EBADMSG)
		rule_fail(c, "%s", rp_error_text(&err, text, sizeof(text)));
}

RULE(BR3, .severity = ROBUST, .section = "SET_BACKEND_REQ_FD",
     .statement = "a channel whose other end is closed does no harm", .protocol = P(BACKEND_REQ),
     .how = "Hand a channel over, close it, run rings.", .needs = NEED_DATA, .risky = true)
{
	struct vm *vm = vm_new(c, NULL);
	int channel = give_channel(vm->s);

	shutdown(channel, SHUT_RDWR);
	vm_bring_up(vm);
	vm_work(vm, 2);
}
