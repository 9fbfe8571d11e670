// SPDX-License-Identifier: BSD-3-Clause
#include "vm.h"

#include <errno.h>

// A harmless legal instance of each request that has no reply but the ack.
static unsigned int harmless(struct check *c, struct rp_vhu_msg *to)
{
	uint64_t protocol = c->target->protocol & CHECK_PROTOCOL;
	unsigned int n = 0;

	to[n++] = msg_plain(RP_VHU_SET_OWNER);
	to[n++] = msg_u64(RP_VHU_SET_PROTOCOL_FEATURES, protocol);
	to[n++] =
		msg_u64(RP_VHU_SET_FEATURES, c->target->offered & (F30 | RP_VIRTIO_BIT(VERSION_1)));
	to[n++] = msg_state(RP_VHU_SET_VRING_NUM, 0, 64);
	to[n++] = msg_state(RP_VHU_SET_VRING_BASE, 0, 0);
	to[n++] = msg_fd(RP_VHU_SET_VRING_CALL, 0, check_eventfd(c));
	to[n++] = msg_fd(RP_VHU_SET_VRING_ERR, 0, check_eventfd(c));
	if ((protocol & P(MTU)) != 0)
		to[n++] = msg_u64(RP_VHU_NET_SET_MTU, 1500);
	if ((protocol & P(STATUS)) != 0)
		to[n++] = msg_u64(RP_VHU_SET_STATUS, 1);
	return n;
}

RULE(RA1, .severity = MUST, .section = "REPLY_ACK",
     .statement = "need_reply gets one ack of 0 to each legal request without reply of its own",
     .how = "Send a harmless instance of each such request with need_reply.", .features = F30,
     .protocol = P(REPLY_ACK))
{
	struct session *s = session_hello(c, CHECK_PROTOCOL);
	struct rp_vhu_msg msgs[16];
	unsigned int n = harmless(c, msgs);

	for (unsigned int i = 0; i < n; i++)
		must_take(s, &msgs[i]);
	if (s->extra > 0)
		rule_fail(c, "%u messages more than were due", s->extra);
}

RULE(RA2, .severity = MUST, .section = "REPLY_ACK", .statement = "what fails is not acked with 0",
     .how = "Send requests that cannot be done (ring size 0, ring 250, a memory table without "
	    "descriptors, SET_VRING_ENABLE of ring 250) with need_reply: refused or closed.",
     .features = F30, .protocol = P(REPLY_ACK))
{
	struct rp_vhu_msg msgs[] = {
		msg_state(RP_VHU_SET_VRING_NUM, 250, 64),
		{.request = RP_VHU_SET_MEM_TABLE,
		 .size = 40,
		 .payload.mem = {.n_regions = 1, .regions[0] = {.size = 1 << 21}}},
		msg_state(RP_VHU_SET_VRING_ENABLE, 250, 1),
		msg_state(RP_VHU_SET_VRING_NUM, 0, 0),
	};

	for (unsigned int i = 0; i < sizeof(msgs) / sizeof(msgs[0]); i++) {
		struct session *s = session_negotiated(c, RP_VIRTIO_BIT(VERSION_1));
		enum outcome o = session_ask(s, &msgs[i]);

		// How many rings there are is not always known: 250 may be one.
		if (o == ACK_OK && msgs[i].payload.state.index == 250 &&
		    c->target->queue_num * 2 > 250)
			continue;
		if (o == ACK_OK || o == ACK_THEN_CLOSED)
			rule_fail(c, "request %u cannot be done, but gets %s", msgs[i].request,
				  outcome_name(o));
		session_close(s);
	}
}

RULE(RA3, .severity = MUST, .section = "REPLY_ACK",
     .statement = "need_reply on a request with its own reply gets that reply alone",
     .how = "Send GET_FEATURES and GET_PROTOCOL_FEATURES with need_reply, then a request to see "
	    "that nothing else came.",
     .features = F30, .protocol = P(REPLY_ACK))
{
	static const uint32_t ids[] = {RP_VHU_GET_FEATURES, RP_VHU_GET_PROTOCOL_FEATURES};
	struct session *s = session_hello(c, CHECK_PROTOCOL);

	for (unsigned int i = 0; i < 2; i++) {
		struct rp_vhu_msg msg = msg_plain(ids[i]);
		enum outcome o = session_ask(s, &msg);

		if (o != REPLIED)
			rule_fail(c, "request %u: got %s", ids[i], outcome_name(o));
		msg = msg_plain(RP_VHU_GET_PROTOCOL_FEATURES);
		o = session_send(s, &msg);
		if (o != REPLIED)
			rule_fail(c, "request %u was answered more than once", ids[i]);
	}
}

RULE(RA4, .severity = SHOULD, .section = "REPLY_ACK",
     .statement = "need_reply without REPLY_ACK gets no ack",
     .how = "Set no protocol features, send SET_OWNER and SET_VRING_NUM with need_reply.")
{
	struct session *s = session_hello(c, 0);
	struct rp_vhu_msg msg = msg_state(RP_VHU_SET_VRING_NUM, 0, 64);
	enum outcome o;

	msg.flags = RP_VHU_FLAG_NEED_REPLY;
	o = session_send(s, &msg);
	if (o == TIMED_OUT)
		rule_hang(c, "%s", outcome_name(o));
	if (o != SILENT && o != CLOSED)
		rule_fail(c, "got %s", outcome_name(o));
}

RULE(RA5, .severity = MUST, .section = "REPLY_ACK",
     .statement = "REPLY_ACK works as soon as SET_PROTOCOL_FEATURES set it",
     .how = "Set it before SET_FEATURES, without bit 30 in SET_FEATURES, and without a "
	    "GET_PROTOCOL_FEATURES before: an ack must come each time.",
     .features = F30, .protocol = P(REPLY_ACK))
{
	for (int variant = 0; variant < 3; variant++) {
		struct session *s = session_open(c);
		uint64_t offered = get_u64(s, RP_VHU_GET_FEATURES);
		struct rp_vhu_msg msg = msg_u64(RP_VHU_SET_PROTOCOL_FEATURES, P(REPLY_ACK));
		enum outcome o;

		if (variant != 2)
			get_u64(s, RP_VHU_GET_PROTOCOL_FEATURES);
		must_take(s, &msg);
		s->protocol = P(REPLY_ACK);
		msg = msg_u64(RP_VHU_SET_FEATURES, offered & RP_VIRTIO_BIT(VERSION_1));
		if (variant == 0)
			msg = msg_plain(RP_VHU_SET_OWNER);
		o = session_ask(s, &msg);
		if (o != ACK_OK)
			rule_fail(c, "%s: expected an ack of 0, got %s",
				  variant == 0	 ? "before SET_FEATURES"
				  : variant == 1 ? "SET_FEATURES without bit 30"
						 : "without GET_PROTOCOL_FEATURES",
				  outcome_name(o));
		session_close(s);
	}
}

RULE(RA6, .severity = MUST, .section = "REPLY_ACK", .statement = "the ack comes after the effect",
     .how = "After the ack of SET_MEM_TABLE close our descriptor at once, then run rings in it.",
     .features = F30, .protocol = P(REPLY_ACK), .needs = NEED_DATA)
{
	struct vm *vm = vm_new(c, NULL);

	vm_share_memory(vm);
	vm_close_memory_fd(vm);
	for (unsigned int q = 0; q < vm->n_rings; q++)
		vm_setup_ring(vm, q);
	vm_enable_all(vm, true);
	vm_driver_ok(vm);
	vm_work(vm, 2);
}

RULE(RA7, .severity = SHOULD, .section = "REPLY_ACK",
     .statement = "acks come in the order of the requests",
     .how = "Send 64 requests of two kinds at once, then read 64 acks.", .features = F30,
     .protocol = P(REPLY_ACK))
{
	struct session *s = session_hello(c, CHECK_PROTOCOL);

	for (unsigned int i = 0; i < 64; i++) {
		struct rp_vhu_msg msg =
			msg_state(i % 2 == 0 ? RP_VHU_SET_VRING_NUM : RP_VHU_SET_VRING_BASE, 0,
				  i % 2 == 0 ? 64 : 0);

		msg.flags = RP_VHU_FLAG_NEED_REPLY;
		rp_vhu_send(s->sock, &msg, c->opt->wait_ms, NULL);
	}
	for (unsigned int i = 0; i < 64; i++) {
		int rc = session_recv(s, c->opt->wait_ms);

		if (rc == -ETIMEDOUT)
			rule_hang(c, "only %u of 64 acks came", i);
		if (rc < 0)
			rule_fail(c, "it hung up after %u of 64 acks", i);
		if (s->reply.request != (i % 2 == 0 ? RP_VHU_SET_VRING_NUM : RP_VHU_SET_VRING_BASE))
			rule_fail(c, "ack %u is for request %u", i, s->reply.request);
	}
}
