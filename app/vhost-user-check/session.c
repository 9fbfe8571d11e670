// SPDX-License-Identifier: BSD-3-Clause
#include "base/unix.h"
#include "check.h"

#include "base/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define START_MS 5000

static int connect_target(struct check *c, struct rp_error *err)
{
	uint64_t deadline = rp_clock_ms() + START_MS;
	int rc;

	// One that we started has bound its socket, but may not listen yet.
	do {
		rc = target_start(c->target, err);
		if (rc == 0)
			rc = rp_unix_connect(c->target->socket, 2 * c->opt->wait_ms, err);
		if (rc == -ECONNREFUSED && c->opt->spawn != NULL)
			poll(NULL, 0, 2);
	} while (rc == -ECONNREFUSED && c->opt->spawn != NULL && rp_clock_ms() < deadline);
	return rc;
}

struct session *session_try_open(struct check *c)
{
	struct session *s = calloc(1, sizeof(*s));
	struct rp_error err;

	if (s == NULL)
		rule_skip(c, "no memory");
	s->sock = connect_target(c, &err);
	if (s->sock < 0) {
		char text[400];

		trace_add(&c->trace, "cannot connect: %s", rp_error_text(&err, text, sizeof(text)));
		free(s);
		return NULL;
	}
	s->c = c;
	s->number = ++c->n_sessions;
	s->next = c->sessions;
	c->sessions = s;
	trace_add(&c->trace, "#%u connected", s->number);
	return s;
}

struct session *session_open(struct check *c)
{
	struct session *s = session_try_open(c);

	if (s == NULL)
		rule_fail(c, "cannot connect");
	return s;
}

void session_close(struct session *s)
{
	if (s->sock < 0)
		return;
	trace_add(&s->c->trace, "#%u closed by us", s->number);
	close(s->sock);
	s->sock = -1;
}

static void peer_closed(struct session *s)
{
	if (s->sock < 0)
		return;
	trace_add(&s->c->trace, "#%u closed by the back-end", s->number);
	close(s->sock);
	s->sock = -1;
}

int session_recv(struct session *s, unsigned int ms)
{
	int rc;

	if (s->sock < 0)
		return -ECONNRESET;
	rc = rp_vhu_recv(s->sock, &s->reply, ms, &s->defect);
	if (rc == -ETIMEDOUT)
		trace_add(&s->c->trace, "#%u no answer within %u ms", s->number, ms);
	else if (rc < 0)
		peer_closed(s);
	if (rc == 0)
		for (unsigned int i = 0; i < s->reply.n_fds; i++)
			check_own_fd(s->c, s->reply.fds[i]);
	return rc;
}

int session_raw(struct session *s, const void *bytes, size_t len, const int *fds,
		unsigned int n_fds, const char *what)
{
	int rc;

	if (s->sock < 0)
		return -ECONNRESET;
	trace_add(&s->c->trace, "#%u -> %zu bytes, %u fds: %s", s->number, len, n_fds, what);
	rc = rp_vhu_send_raw(s->sock, bytes, len, fds, n_fds, s->c->opt->wait_ms, &s->defect);
	if (rc == -ECONNRESET)
		peer_closed(s);
	return rc;
}

static int session_write(struct session *s, const struct rp_vhu_msg *msg)
{
	int rc;

	if (s->sock < 0)
		return -ECONNRESET;
	rc = rp_vhu_send(s->sock, msg, s->c->opt->wait_ms, &s->defect);
	// What it said before it hung up is still there to be read.
	return rc == -ECONNRESET ? 0 : rc;
}

int session_sync(struct session *s)
{
	struct rp_vhu_msg msg = msg_plain(RP_VHU_GET_FEATURES);
	int rc = session_write(s, &msg);

	for (int i = 0; rc == 0 && i < 8; i++) {
		rc = session_recv(s, s->c->opt->wait_ms);
		if (rc == 0 && s->reply.request == RP_VHU_GET_FEATURES)
			return 0;
		s->extra += rc == 0;
	}
	return rc == 0 ? -EBADMSG : rc;
}

static enum outcome outcome_of_error(int rc)
{
	return rc == -ECONNRESET ? CLOSED : rc == -ETIMEDOUT ? TIMED_OUT : GARBAGE;
}

// No reply is due: one that comes nevertheless stays in s->reply.
static enum outcome expect_silence(struct session *s)
{
	struct rp_vhu_msg sync = msg_plain(RP_VHU_GET_FEATURES);
	struct rp_vhu_msg extra;
	int rc = session_write(s, &sync);

	if (rc == 0)
		rc = session_recv(s, s->c->opt->wait_ms);
	if (rc < 0)
		return outcome_of_error(rc);
	if (s->reply.request == RP_VHU_GET_FEATURES)
		return SILENT;
	s->extra++;
	extra = s->reply;
	rc = session_recv(s, s->c->opt->wait_ms);
	s->reply = extra;
	return rc == 0 ? REPLIED : outcome_of_error(rc);
}

static enum outcome judge_ack(struct session *s)
{
	int rc;

	if (s->reply.payload.u64 != 0)
		return ACK_REFUSED;
	rc = session_sync(s);
	return rc == 0 ? ACK_OK : rc == -ECONNRESET ? ACK_THEN_CLOSED : outcome_of_error(rc);
}

static bool is_refusal(const struct session *s, const struct rp_vhu_message_info *info)
{
	// Requests with a reply of their own have no ack, but back-ends send one to say no.
	return s->reply.request == info->id && s->reply.size == 8 && s->reply.payload.u64 != 0 &&
	       info->reply != RP_VHU_PAYLOAD_U64 && info->reply != RP_VHU_PAYLOAD_STATE;
}

enum outcome session_send(struct session *s, struct rp_vhu_msg *msg)
{
	const struct rp_vhu_message_info *info =
		rp_vhu_message_by_id(RP_VHU_FROM_FRONTEND, msg->request);
	bool acked =
		(msg->flags & RP_VHU_FLAG_NEED_REPLY) != 0 && (s->protocol & P(REPLY_ACK)) != 0;
	int rc = session_write(s, msg);

	if (rc < 0)
		return outcome_of_error(rc);
	if (info != NULL ? !rp_vhu_reply_expected(info, msg->flags, s->protocol) : !acked)
		return expect_silence(s);
	rc = session_recv(s, s->c->opt->wait_ms);
	// Late is one thing, never another: whoever answers the next request did not hang.
	if (rc == -ETIMEDOUT)
		return session_sync(s) == 0 ? SILENT : TIMED_OUT;
	if (rc < 0)
		return outcome_of_error(rc);
	if (info == NULL)
		return s->reply.size == 8 && s->reply.request == msg->request ? judge_ack(s)
									      : GARBAGE;
	if (rp_vhu_check_reply(&s->reply, info, &s->defect) < 0)
		return is_refusal(s, info) ? ACK_REFUSED : GARBAGE;
	return info->reply == RP_VHU_PAYLOAD_ACK ? judge_ack(s) : REPLIED;
}

enum outcome session_ask(struct session *s, struct rp_vhu_msg *msg)
{
	if ((s->protocol & P(REPLY_ACK)) != 0)
		msg->flags |= RP_VHU_FLAG_NEED_REPLY;
	return session_send(s, msg);
}

const char *outcome_name(enum outcome o)
{
	static const char *const names[] = {
		[REPLIED] = "a reply",
		[ACK_OK] = "an ack of 0",
		[ACK_REFUSED] = "a refusal",
		[ACK_THEN_CLOSED] = "an ack of 0 and then the end of the connection",
		[SILENT] = "silence",
		[CLOSED] = "the end of the connection",
		[TIMED_OUT] = "no answer in time, nor to the next request",
		[GARBAGE] = "an answer that is none",
	};

	return names[o];
}

static const char *name_of(const struct rp_vhu_msg *msg)
{
	const struct rp_vhu_message_info *info =
		rp_vhu_message_by_id(RP_VHU_FROM_FRONTEND, msg->request);

	return info != NULL ? info->name : "an unknown request";
}

// Hang and garbage end any rule.
static void check_sane(struct session *s, const struct rp_vhu_msg *msg, enum outcome o)
{
	char text[400];

	if (o == TIMED_OUT)
		rule_hang(s->c, "%s: %s", name_of(msg), outcome_name(o));
	if (o == GARBAGE)
		rule_fail(s->c, "%s: %s", name_of(msg),
			  s->defect.code != 0 ? rp_error_text(&s->defect, text, sizeof(text))
					      : outcome_name(o));
}

enum outcome must_survive(struct session *s, struct rp_vhu_msg *msg)
{
	enum outcome o = session_ask(s, msg);

	check_sane(s, msg, o);
	return o;
}

void must_take(struct session *s, struct rp_vhu_msg *msg)
{
	enum outcome o = must_survive(s, msg);
	bool acked = (msg->flags & RP_VHU_FLAG_NEED_REPLY) != 0;

	if (o != ACK_OK && o != REPLIED && (o != SILENT || acked))
		rule_fail(s->c, "%s must be taken; got %s", name_of(msg), outcome_name(o));
}

bool must_refuse(struct session *s, struct rp_vhu_msg *msg, const char *what)
{
	enum outcome o = must_survive(s, msg);

	if (o == ACK_OK || o == REPLIED)
		rule_fail(s->c, "%s with %s must be refused; got %s", name_of(msg), what,
			  outcome_name(o));
	if (o == SILENT && (msg->flags & RP_VHU_FLAG_NEED_REPLY) != 0)
		rule_fail(s->c, "%s with %s: an ack was asked for; got silence", name_of(msg),
			  what);
	if (o == SILENT)
		rule_warn(s->c,
			  "%s with %s: silence; without REPLY_ACK nothing says that it was "
			  "refused",
			  name_of(msg), what);
	return s->sock >= 0;
}

bool session_closed_within(struct session *s, unsigned int ms)
{
	uint64_t deadline = rp_clock_ms() + ms;

	while (s->sock >= 0 && rp_clock_ms() < deadline) {
		struct pollfd p = {.fd = s->sock, .events = POLLIN};

		if (poll(&p, 1, (int)(deadline - rp_clock_ms())) == 1)
			session_recv(s, 0);
	}
	return s->sock < 0;
}

uint64_t get_u64(struct session *s, uint32_t id)
{
	struct rp_vhu_msg msg = msg_plain(id);
	enum outcome o = session_send(s, &msg);

	check_sane(s, &msg, o);
	if (o != REPLIED)
		rule_fail(s->c, "%s: expected a reply, got %s", name_of(&msg), outcome_name(o));
	return s->reply.payload.u64;
}

// Those that serve one connection turn the next away until they are done with the last.
static struct session *open_served(struct check *c)
{
	struct session *s = session_open(c);

	for (int i = 0; c->target->single && i < 50 && session_sync(s) == -ECONNRESET; i++) {
		poll(NULL, 0, 10);
		s = session_open(c);
	}
	return s;
}

struct session *session_hello(struct check *c, uint64_t protocol_wanted)
{
	struct session *s = open_served(c);
	struct rp_vhu_msg msg = msg_plain(RP_VHU_SET_OWNER);

	s->offered = get_u64(s, RP_VHU_GET_FEATURES);
	must_take(s, &msg);
	if ((s->offered & F30) == 0)
		return s;
	s->protocol_offered = get_u64(s, RP_VHU_GET_PROTOCOL_FEATURES);
	msg = msg_u64(RP_VHU_SET_PROTOCOL_FEATURES, s->protocol_offered & protocol_wanted);
	must_take(s, &msg);
	s->protocol = s->protocol_offered & protocol_wanted;
	return s;
}

struct session *session_negotiated(struct check *c, uint64_t features)
{
	struct session *s = session_hello(c, CHECK_PROTOCOL);
	struct rp_vhu_msg msg = msg_u64(RP_VHU_SET_FEATURES, s->offered & (features | F30));

	must_take(s, &msg);
	s->features = msg.payload.u64;
	return s;
}

struct rp_vhu_msg msg_plain(uint32_t id)
{
	return (struct rp_vhu_msg){.request = id};
}

struct rp_vhu_msg msg_u64(uint32_t id, uint64_t value)
{
	return (struct rp_vhu_msg){.request = id, .size = 8, .payload.u64 = value};
}

struct rp_vhu_msg msg_state(uint32_t id, uint32_t index, uint32_t num)
{
	return (struct rp_vhu_msg){
		.request = id, .size = 8, .payload.state = {.index = index, .num = num}};
}

struct rp_vhu_msg msg_fd(uint32_t id, uint64_t value, int fd)
{
	struct rp_vhu_msg msg = msg_u64(id, value);

	msg.fds[msg.n_fds++] = fd;
	return msg;
}
