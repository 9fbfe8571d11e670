// SPDX-License-Identifier: BSD-3-Clause
#include "check.h"

#include <errno.h>
#include <string.h>

RULE(HS1, .severity = MUST, .section = "Communication",
     .statement = "GET_FEATURES is answered first on a fresh connection",
     .how = "Connect and send GET_FEATURES before anything else: 8 bytes must come.")
{
	get_u64(session_open(c), RP_VHU_GET_FEATURES);
}

// The requests that have a reply of their own and are legal without rings.
static const uint32_t getters[] = {RP_VHU_GET_FEATURES, RP_VHU_GET_PROTOCOL_FEATURES,
				   RP_VHU_GET_QUEUE_NUM, RP_VHU_GET_MAX_MEM_SLOTS,
				   RP_VHU_GET_STATUS};

#define N_GETTERS (sizeof(getters) / sizeof(getters[0]))

static bool legal(const struct session *s, uint32_t id)
{
	return rp_vhu_message_allowed(rp_vhu_message_by_id(RP_VHU_FROM_FRONTEND, id), s->offered,
				      s->protocol);
}

RULE(HS2, .severity = MUST, .section = "Header",
     .statement = "replies carry the request's id, version 1, the reply bit and no need_reply",
     .how = "Send each request that has a reply of its own and look at the header of the reply.")
{
	struct session *s = session_hello(c, CHECK_PROTOCOL);

	for (unsigned int i = 0; i < N_GETTERS; i++) {
		if (!legal(s, getters[i]))
			continue;
		get_u64(s, getters[i]);
		if (s->reply.flags != (RP_VHU_VERSION | RP_VHU_FLAG_REPLY))
			rule_fail(c, "reply to request %u: flags are 0x%x, expected 0x5",
				  getters[i], s->reply.flags);
	}
}

RULE(HS3, .severity = MUST, .section = "Communication",
     .statement = "nothing is sent that nobody asked for",
     .how = "Connect and wait 200 ms; then again after a message without reply.")
{
	struct session *s = session_open(c);
	struct rp_vhu_msg msg = msg_plain(RP_VHU_SET_OWNER);

	if (session_recv(s, 200) != -ETIMEDOUT)
		rule_fail(c, "something came, or it hung up, before we said a word");
	rp_vhu_send(s->sock, &msg, c->opt->wait_ms, NULL);
	if (session_recv(s, 200) != -ETIMEDOUT)
		rule_fail(c, "something came, or it hung up, after SET_OWNER");
}

RULE(HS4, .severity = SHOULD, .section = "SET_OWNER",
     .statement = "SET_OWNER is taken, and does no harm a second time",
     .how = "Send it twice, then GET_FEATURES.")
{
	struct session *s = session_hello(c, CHECK_PROTOCOL);
	struct rp_vhu_msg msg = msg_plain(RP_VHU_SET_OWNER);

	must_survive(s, &msg);
	if (s->sock < 0)
		rule_fail(c, "a second SET_OWNER ends the connection");
}

RULE(HS5, .severity = SHOULD, .section = "RESET_OWNER",
     .statement = "RESET_OWNER drops neither the connection nor what was negotiated",
     .how = "Negotiate, send RESET_OWNER, then a request that needs a negotiated feature.")
{
	struct session *s = session_negotiated(c, RP_VIRTIO_BIT(VERSION_1));
	struct rp_vhu_msg msg = msg_plain(RP_VHU_RESET_OWNER);

	must_survive(s, &msg);
	if (s->sock < 0)
		rule_fail(c, "RESET_OWNER ends the connection");
	if (legal(s, RP_VHU_GET_QUEUE_NUM))
		get_u64(s, RP_VHU_GET_QUEUE_NUM);
}

RULE(HS6, .severity = MUST, .section = "Communication",
     .statement = "requests without a reply get none",
     .how = "Send five messages without need_reply, then GET_FEATURES: the first thing to come "
	    "must be its answer.")
{
	struct session *s = session_hello(c, CHECK_PROTOCOL);

	for (uint32_t q = 0; q < 4; q++) {
		struct rp_vhu_msg msg = msg_state(RP_VHU_SET_VRING_NUM, q / 4, 256);

		rp_vhu_send(s->sock, &msg, c->opt->wait_ms, NULL);
	}
	if (session_sync(s) < 0)
		rule_fail(c, "no answer to GET_FEATURES behind four SET_VRING_NUM");
	if (s->extra > 0)
		rule_fail(c, "%u messages came that nobody asked for", s->extra);
}

// One GET_FEATURES in two writes, cut behind `cut` bytes.
static void split_request(struct check *c, size_t cut)
{
	const struct rp_vhu_header h = {.request = RP_VHU_GET_FEATURES, .flags = RP_VHU_VERSION};
	struct session *s = session_open(c);

	session_raw(s, &h, cut, NULL, 0, "the start of GET_FEATURES");
	session_raw(s, (const char *)&h + cut, sizeof(h) - cut, NULL, 0, "the rest of it");
	if (session_recv(s, c->opt->wait_ms) < 0 || s->reply.request != RP_VHU_GET_FEATURES)
		rule_fail(c, "a header that comes as %zu + %zu bytes is not answered", cut,
			  sizeof(h) - cut);
	session_close(s);
}

RULE(HS7, .severity = ROBUST, .section = "Communication",
     .statement = "messages that come in pieces, or several at once, are taken all the same",
     .how = "Send a header as 5 + 7 bytes, a payload as 4 + 4, and two requests in one write.")
{
	struct {
		struct rp_vhu_header h;
		uint64_t value;
	} __attribute__((packed)) set = {.h = {RP_VHU_SET_FEATURES, RP_VHU_VERSION, 8}};
	struct rp_vhu_header two[2] = {{RP_VHU_GET_FEATURES, RP_VHU_VERSION, 0},
				       {RP_VHU_GET_FEATURES, RP_VHU_VERSION, 0}};
	struct session *s;

	s = session_open(c);
	session_raw(s, two, sizeof(two), NULL, 0, "two GET_FEATURES");
	for (int i = 0; i < 2; i++)
		if (session_recv(s, c->opt->wait_ms) < 0)
			rule_fail(c, "two requests in one write got %d answers", i);
	set.value = s->reply.payload.u64 & (RP_VIRTIO_BIT(VERSION_1) | F30);
	session_raw(s, &set, 16, NULL, 0, "SET_FEATURES with half its payload");
	session_raw(s, (const char *)&set + 16, 4, NULL, 0, "the other half");
	if (session_sync(s) < 0)
		rule_fail(c, "a payload that comes as 4 + 4 bytes is not taken");
	session_close(s);
	split_request(c, 5);
	split_request(c, 1);
}

RULE(HS8, .severity = ROBUST, .section = "Communication",
     .statement = "a second connection gets the same answers as the first",
     .how = "Ask for features, protocol features and queues, negotiate, disconnect, ask again.")
{
	uint64_t first[N_GETTERS] = {0};

	for (int round = 0; round < 2; round++) {
		struct session *s = session_hello(c, CHECK_PROTOCOL);

		for (unsigned int i = 0; i < 4; i++) {
			uint64_t v = legal(s, getters[i]) ? get_u64(s, getters[i]) : 0;

			if (round == 1 && v != first[i])
				rule_fail(c, "request %u: 0x%llx at first, 0x%llx later",
					  getters[i], (unsigned long long)first[i],
					  (unsigned long long)v);
			first[i] = v;
		}
		session_close(s);
	}
}
