// SPDX-License-Identifier: BSD-3-Clause
#include "check.h"

// Up to the point where SET_PROTOCOL_FEATURES is due.
static struct session *before_set(struct check *c)
{
	struct session *s = session_open(c);

	s->offered = get_u64(s, RP_VHU_GET_FEATURES);
	s->protocol_offered = get_u64(s, RP_VHU_GET_PROTOCOL_FEATURES);
	return s;
}

RULE(PF1, .severity = MUST, .section = "SET_PROTOCOL_FEATURES",
     .statement = "SET_PROTOCOL_FEATURES with a subset of what is offered is taken",
     .how = "Set REPLY_ACK alone, then all that are offered and known here.", .features = F30)
{
	struct session *s = before_set(c);
	struct rp_vhu_msg msg =
		msg_u64(RP_VHU_SET_PROTOCOL_FEATURES, s->protocol_offered & P(REPLY_ACK));

	must_take(s, &msg);
	s->protocol = msg.payload.u64;
	msg = msg_u64(RP_VHU_SET_PROTOCOL_FEATURES, s->protocol_offered & CHECK_PROTOCOL);
	must_take(s, &msg);
}

RULE(PF2, .severity = SHOULD, .section = "SET_PROTOCOL_FEATURES",
     .statement = "a protocol feature that is not offered is refused",
     .how = "Negotiate REPLY_ACK, then add a bit that is not offered.", .features = F30)
{
	struct session *s = session_hello(c, P(REPLY_ACK));
	struct rp_vhu_msg msg =
		msg_u64(RP_VHU_SET_PROTOCOL_FEATURES, s->protocol | UINT64_C(1) << 62);

	must_refuse(s, &msg, "a bit that is not offered");
}

RULE(PF3, .severity = MUST, .section = "In-band notifications",
     .statement = "INBAND_NOTIFICATIONS without BACKEND_REQ and REPLY_ACK ends the connection",
     .how = "Set INBAND_NOTIFICATIONS alone.", .features = F30, .protocol = P(INBAND_NOTIFICATIONS))
{
	struct session *s = before_set(c);
	struct rp_vhu_msg msg = msg_u64(RP_VHU_SET_PROTOCOL_FEATURES, P(INBAND_NOTIFICATIONS));
	enum outcome o = session_send(s, &msg);

	if (o != CLOSED)
		rule_fail(c, "expected the end of the connection, got %s", outcome_name(o));
}

RULE(PF4, .severity = SHOULD, .section = "Protocol features",
     .statement = "the offered protocol features fit each other",
     .how = "BACKEND_SEND_FD, HOST_NOTIFIER and INBAND_NOTIFICATIONS need BACKEND_REQ; "
	    "GET_VRING_BASE_INFLIGHT needs INFLIGHT_SHMFD.",
     .features = F30)
{
	uint64_t p = c->target->protocol;

	if ((p & (P(BACKEND_SEND_FD) | P(HOST_NOTIFIER) | P(INBAND_NOTIFICATIONS))) != 0 &&
	    (p & P(BACKEND_REQ)) == 0)
		rule_fail(c, "BACKEND_REQ is missing");
	if ((p & P(GET_VRING_BASE_INFLIGHT)) != 0 && (p & P(INFLIGHT_SHMFD)) == 0)
		rule_fail(c, "INFLIGHT_SHMFD is missing");
	for (unsigned int bit = 0; bit < 64; bit++)
		if ((p >> bit & 1) != 0 && rp_vhu_protocol_feature_name(bit) == NULL)
			rule_warn(c, "bit %u is in no specification known here", bit);
	if ((p & P(CRYPTO_SESSION)) != 0)
		rule_note(c, "CRYPTO_SESSION is offered: is it a crypto device?");
}

RULE(PF5, .severity = MUST, .section = "GET_PROTOCOL_FEATURES",
     .statement = "GET_PROTOCOL_FEATURES is legal though bit 30 was not set in SET_FEATURES",
     .how = "SET_FEATURES without bit 30, then GET_PROTOCOL_FEATURES.", .features = F30)
{
	struct session *s = session_open(c);
	uint64_t offered = get_u64(s, RP_VHU_GET_FEATURES);
	struct rp_vhu_msg msg = msg_u64(RP_VHU_SET_FEATURES, offered & RP_VIRTIO_BIT(VERSION_1));

	must_take(s, &msg);
	get_u64(s, RP_VHU_GET_PROTOCOL_FEATURES);
}

RULE(PF6, .severity = SHOULD, .section = "Protocol features",
     .statement = "requests of protocol features that were not negotiated are refused",
     .how = "Negotiate REPLY_ACK alone; send GET_CONFIG, GET_MAX_MEM_SLOTS, GET_STATUS and "
	    "GET_INFLIGHT_FD.",
     .features = F30)
{
	struct rp_vhu_msg msgs[] = {
		{.request = RP_VHU_GET_CONFIG, .size = 20, .payload.config.size = 8},
		{.request = RP_VHU_GET_MAX_MEM_SLOTS},
		{.request = RP_VHU_GET_STATUS},
		{.request = RP_VHU_GET_INFLIGHT_FD,
		 .size = 24,
		 .payload.inflight = {.num_queues = 1, .queue_size = 64}},
	};

	for (unsigned int i = 0; i < sizeof(msgs) / sizeof(msgs[0]); i++) {
		struct session *s = session_hello(c, P(REPLY_ACK));
		enum outcome o = session_ask(s, &msgs[i]);

		if (o == TIMED_OUT)
			rule_hang(c, "request %u: %s", msgs[i].request, outcome_name(o));
		if (o == REPLIED || o == ACK_OK)
			rule_fail(c, "request %u got %s", msgs[i].request, outcome_name(o));
		session_close(s);
	}
}
