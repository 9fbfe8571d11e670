// SPDX-License-Identifier: BSD-3-Clause
#include "vm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct session *ready(struct check *c)
{
	return session_negotiated(c, RP_VIRTIO_BIT(VERSION_1));
}

RULE(ML1, .severity = ROBUST, .section = "Communication",
     .statement = "requests that do not exist are refused", .how = "Ids 0, 99 and 0x80000001.")
{
	static const uint32_t ids[] = {0, 99, 0x80000001};

	for (int i = 0; i < 3; i++) {
		struct session *s = ready(c);
		struct rp_vhu_msg msg = msg_u64(ids[i], 0);
		enum outcome o = must_survive(s, &msg);

		if (o == ACK_OK)
			rule_fail(c, "request %u got an ack of 0", ids[i]);
		session_close(s);
	}
}

// A header alone, and what it leads to.
static enum outcome raw_header(struct session *s, uint32_t id, uint32_t flags, uint32_t size)
{
	const struct rp_vhu_header h = {.request = id, .flags = flags, .size = size};
	char what[80];
	int rc;

	snprintf(what, sizeof(what), "request %u, flags 0x%x, size %u", id, flags, size);
	session_raw(s, &h, sizeof(h), NULL, 0, what);
	rc = session_recv(s, 100);
	return rc == 0 ? REPLIED : rc == -ETIMEDOUT ? TIMED_OUT : CLOSED;
}

RULE(ML2, .severity = SHOULD, .section = "Header",
     .statement = "messages of another version are refused",
     .how = "GET_FEATURES with version 0, 2 and 3 in the flags.")
{
	static const uint32_t versions[] = {0, 2, 3};

	for (int i = 0; i < 3; i++) {
		struct session *s = session_open(c);

		if (raw_header(s, RP_VHU_GET_FEATURES, versions[i], 0) == REPLIED)
			rule_fail(c, "version %u is answered as if it were 1", versions[i]);
		session_close(s);
	}
}

RULE(ML3, .severity = ROBUST, .section = "Header",
     .statement = "reserved flags, and a request that says it is a reply, do no harm",
     .how = "GET_FEATURES with flags 0xfffffff1 and 5.")
{
	raw_header(session_open(c), RP_VHU_GET_FEATURES, 0xfffffff1, 0);
	raw_header(session_open(c), RP_VHU_GET_FEATURES, 5, 0);
}

RULE(ML4, .severity = ROBUST, .section = "Header",
     .statement = "sizes that no message has are refused",
     .how = "SET_FEATURES of 0, 4, 4096, 2^31-1 and 2^32-1 bytes; GET_FEATURES of 16.")
{
	static const uint32_t sizes[] = {0, 4, 4096, INT32_MAX, UINT32_MAX};
	struct rp_vhu_msg msg;

	for (int i = 0; i < 5; i++) {
		struct session *s = session_open(c);

		get_u64(s, RP_VHU_GET_FEATURES);
		if (raw_header(s, RP_VHU_SET_FEATURES, 1, sizes[i]) == REPLIED)
			rule_fail(c, "SET_FEATURES of %u bytes got a reply", sizes[i]);
		session_close(s);
	}
	msg = msg_u64(RP_VHU_SET_FEATURES, 0);
	msg.size = 4;
	must_refuse(ready(c), &msg, "4 bytes");
	msg = msg_u64(RP_VHU_SET_FEATURES, 0);
	msg.size = 4096;
	must_refuse(ready(c), &msg, "4096 bytes");
}

// Whether a new front-end is served while another one misbehaves.
static void others_are_served(struct check *c, const char *what)
{
	struct session *other = session_try_open(c);
	int rc = other != NULL ? session_sync(other) : -ECONNREFUSED;

	if (rc == -ETIMEDOUT)
		rule_warn(c, "%s: a second front-end gets no answer (does it serve one only?)",
			  what);
	if (rc < 0)
		rule_fail(c, "%s: a second front-end is turned away", what);
}

RULE(ML5, .severity = ROBUST, .section = "Communication",
     .statement = "a front-end that stops in the midst of a message does not stop the others",
     .how = "Send 5 bytes of a header; ask on a second connection.")
{
	const struct rp_vhu_header h = {.request = 1, .flags = 1};
	struct session *s = session_open(c), *t;

	t = session_try_open(c);
	if (t == NULL || session_sync(t) < 0)
		rule_skip(c, "it serves one connection at a time");
	session_close(t);
	session_raw(s, &h, 5, NULL, 0, "5 bytes of a header");
	others_are_served(c, "half a header");
}

RULE(ML6, .severity = ROBUST, .section = "Communication",
     .statement = "a front-end that leaves in the midst of a message does no harm",
     .how = "Close behind every byte of a header and of a payload.")
{
	struct {
		struct rp_vhu_header h;
		uint64_t value;
	} __attribute__((packed)) msg = {.h = {RP_VHU_SET_FEATURES, RP_VHU_VERSION, 8}};

	for (size_t n = 1; n < sizeof(msg); n++) {
		struct session *s = session_open(c);

		session_raw(s, &msg, n, NULL, 0, "a part of SET_FEATURES");
		session_close(s);
	}
}

// Send a message that takes no descriptors, with n of them.
static void send_with_fds(struct session *s, unsigned int n)
{
	const struct rp_vhu_header h = {.request = RP_VHU_GET_FEATURES, .flags = RP_VHU_VERSION};
	int fds[253];

	fds[0] = check_memfd(s->c, 0);
	for (unsigned int i = 1; i < n; i++)
		fds[i] = fds[0];
	session_raw(s, &h, sizeof(h), fds, n, "GET_FEATURES with descriptors");
	session_recv(s, s->c->opt->wait_ms);
}

RULE(ML7, .severity = ROBUST, .section = "Communication",
     .statement = "descriptors with messages that take none are closed",
     .how = "GET_FEATURES with a descriptor, 20 times; the open descriptors do not grow.")
{
	struct session *s = session_open(c);
	int before = -1;

	for (int i = 0; i < 21; i++) {
		if (s->sock < 0)
			s = session_open(c);
		send_with_fds(s, 1);
		if (s->sock < 0) {
			s = session_open(c);
			session_sync(s);
		}
		if (i == 0)
			before = target_fds(c);
	}
	if (before >= 0)
		must_come_down(c, before, "after 20 messages with a descriptor too many");
}

RULE(ML8, .severity = ROBUST, .section = "Communication",
     .statement = "253 descriptors with one message are survived, and closed",
     .how = "GET_FEATURES with 253 descriptors, 3 times.", .risky = true)
{
	int before = target_fds(c);

	for (int i = 0; i < 3; i++) {
		struct session *s = session_open(c);

		send_with_fds(s, 253);
		session_close(s);
	}
	if (before >= 0 && !c->target->one_shot)
		must_come_down(c, before, "after 759 descriptors");
}

RULE(ML9, .severity = ROBUST, .section = "Communication",
     .statement = "a front-end that never reads its replies does not stop the others",
     .how = "10000 GET_FEATURES without reading (as far as the socket takes them); ask on a "
	    "second connection.")
{
	const struct rp_vhu_header h = {.request = RP_VHU_GET_FEATURES, .flags = RP_VHU_VERSION};
	struct session *s = session_open(c), *t = session_try_open(c);
	unsigned int n = 0;

	if (t == NULL || session_sync(t) < 0)
		rule_skip(c, "it serves one connection at a time");
	session_close(t);
	while (n < 10000 && rp_vhu_send_raw(s->sock, &h, sizeof(h), NULL, 0, 20, NULL) == 0)
		n++;
	trace_add(&c->trace, "#%u -> %u times GET_FEATURES, none read", s->number, n);
	others_are_served(c, "unread replies");
}

// A session as a VMM has it, in bytes, for spoiling.
static size_t record(struct check *c, uint8_t *to)
{
	uint64_t features = c->target->offered & (F30 | RP_VIRTIO_BIT(VERSION_1));
	const struct rp_vhu_msg msgs[] = {
		msg_plain(RP_VHU_GET_FEATURES),
		msg_plain(RP_VHU_SET_OWNER),
		msg_plain(RP_VHU_GET_PROTOCOL_FEATURES),
		msg_u64(RP_VHU_SET_PROTOCOL_FEATURES, c->target->protocol & CHECK_PROTOCOL),
		msg_u64(RP_VHU_SET_FEATURES, features),
		msg_state(RP_VHU_SET_VRING_NUM, 0, 64),
		msg_state(RP_VHU_SET_VRING_BASE, 0, 0),
		msg_u64(RP_VHU_SET_VRING_CALL, RP_VHU_VRING_NOFD),
		msg_state(RP_VHU_SET_VRING_ENABLE, 0, 1),
		msg_state(RP_VHU_GET_VRING_BASE, 0, 0),
	};
	size_t at = 0;

	for (unsigned int i = 0; i < sizeof(msgs) / sizeof(msgs[0]); i++) {
		const struct rp_vhu_header h = {msgs[i].request, RP_VHU_VERSION, msgs[i].size};

		memcpy(to + at, &h, sizeof(h));
		memcpy(to + at + sizeof(h), &msgs[i].payload, h.size);
		at += sizeof(h) + h.size;
	}
	return at;
}

RULE(ML10, .severity = ROBUST, .section = "Communication",
     .statement = "sessions with random faults are survived",
     .how = "A recorded session with 1 to 8 bytes changed at random (--seed), --mutations times; "
	    "every 50 a front-end that behaves must be served.",
     .risky = true)
{
	uint8_t clean[512], bytes[512];
	size_t len = record(c, clean);

	for (unsigned int i = 1; i <= c->opt->mutations; i++) {
		struct session *s = session_open(c);

		memcpy(bytes, clean, len);
		for (uint64_t n = 1 + check_random(c) % 8; n > 0; n--)
			bytes[check_random(c) % len] = (uint8_t)check_random(c);
		rp_vhu_send_raw(s->sock, bytes, len, NULL, 0, 50, NULL);
		// Let it read to the end: what comes of a seed shall not depend on who is faster.
		shutdown(s->sock, SHUT_WR);
		session_closed_within(s, 50);
		session_close(s);
		if (i % 50 != 0)
			continue;
		trace_add(&c->trace, "%u mutations sent, seed %llu", i,
			  (unsigned long long)c->opt->seed);
		s = session_open(c);
		if (session_sync(s) < 0)
			rule_hang(c, "after %u mutations GET_FEATURES gets no answer", i);
		session_close(s);
	}
}
