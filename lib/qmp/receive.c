// SPDX-License-Identifier: BSD-3-Clause
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "qmp/internal.h"

// ---- Text to JSON ----

// Does the integer at p (n characters) not fit into what jansson holds?
static bool is_huge(const char *p, size_t n)
{
	char digits[64];

	if (n < 19)
		return false;
	if (n >= sizeof(digits))
		return true;
	memcpy(digits, p, n);
	digits[n] = '\0';
	errno = 0;
	strtoll(digits, NULL, 10);
	return errno == ERANGE;
}

/*
 * QEMU has unsigned 64-bit numbers, jansson signed ones: write those that do not fit as reals, so
 * that one such number does not cost the whole reply.
 */
static json_t *load_huge(const char *text, size_t len)
{
	char *copy = malloc(len * 2 + 1);
	bool string = false;
	json_t *json;
	size_t o = 0;

	if (copy == NULL)
		return NULL;
	for (size_t i = 0; i < len;) {
		size_t n = 0;

		if (!string && (text[i] == '-' || isdigit((unsigned char)text[i])))
			n = 1 + strspn(text + i + 1, "0123456789.eE+-");
		if (n > 0) {
			bool integer = memchr(text + i, '.', n) == NULL &&
				       memchr(text + i, 'e', n) == NULL &&
				       memchr(text + i, 'E', n) == NULL;

			memcpy(copy + o, text + i, n);
			o += n;
			if (integer && is_huge(text + i, n)) {
				memcpy(copy + o, ".0", 2);
				o += 2;
			}
			i += n;
			continue;
		}
		if (string && text[i] == '\\')
			copy[o++] = text[i++];
		else if (text[i] == '"')
			string = !string;
		copy[o++] = text[i++];
	}
	json = json_loadb(copy, o, 0, NULL);
	free(copy);
	return json;
}

// text must be followed by a byte that ends a number: the frame is an object, so '}' does.
static json_t *load(const char *text, size_t len, json_error_t *error)
{
	json_t *json = json_loadb(text, len, 0, error);

	if (json == NULL && json_error_code(error) == json_error_numeric_overflow)
		json = load_huge(text, len);
	return json;
}

// ---- Messages ----

static void fail_oldest(struct rp_qmp *c, const struct rp_qmp_error *err)
{
	struct rp_qmp_call *call = rp_qmp_calls_oldest(c);

	if (call == NULL)
		return;
	c->settled = call->seq;
	rp_qmp_call_finish(call, NULL, err);
}

/*
 * A message was lost. QEMU answers in order, so it was the reply to the oldest command, unless its
 * beginning says that it was an event: waiting for the deadline would tell less, and later.
 */
static void lost_message(struct rp_qmp *c, const char *head, size_t len, const char *why)
{
	struct rp_qmp_error err;
	bool event = memmem(head, len < 40 ? len : 40, "\"timestamp\"", 11) != NULL ||
		     memmem(head, len < 40 ? len : 40, "\"event\"", 7) != NULL;

	rp_qmp_client_log(c, RP_LOG_WARN, "lost %s that %s", event ? "an event" : "a message", why);
	rp_qmp_error_set(&err, RP_QMP_PROTOCOL, RP_QMP_PHASE_REPLY, NULL, "lost a reply that %s",
			 why);
	pthread_mutex_lock(&c->lock);
	c->counters.broken++;
	if (!event)
		fail_oldest(c, &err);
	rp_qmp_calls_pump(c);
	pthread_mutex_unlock(&c->lock);
}

static void fill_command_error(struct rp_qmp_error *err, enum rp_qmp_kind kind, const json_t *error)
{
	const char *class = json_string_value(json_object_get(error, "class"));
	const char *desc = json_string_value(json_object_get(error, "desc"));

	rp_qmp_error_set(err, kind, RP_QMP_PHASE_REPLY, NULL, "%s",
			 desc != NULL ? desc : "error without a description");
	strlcpy(err->class, class != NULL ? class : "GenericError", sizeof(err->class));
}

/*
 * An error without an id: QEMU could not parse what it got. After our 0xFF that is expected. Else
 * the oldest command is the one it means, and its parser may be in the middle of something.
 */
static void stray_error(struct rp_qmp *c, const json_t *error)
{
	struct rp_qmp_error err;
	bool expected;

	fill_command_error(&err, RP_QMP_PROTOCOL, error);
	pthread_mutex_lock(&c->lock);
	c->counters.stray_errors++;
	expected = c->quiet_on;
	if (!expected && rp_qmp_calls_oldest(c) != NULL) {
		fail_oldest(c, &err);
		c->resync = true;
		rp_qmp_calls_pump(c);
	}
	pthread_mutex_unlock(&c->lock);
	if (!expected)
		rp_qmp_client_log(c, RP_LOG_WARN, "error without an id: %s", err.desc);
}

// The value leaves the message before another thread gets it: jansson counts references in a way
// that two threads may not do at once.
static json_t *detach_return(json_t *message)
{
	json_t *ret = json_incref(json_object_get(message, "return"));

	json_object_del(message, "return");
	return ret;
}

static void reply(struct rp_qmp *c, json_t *message)
{
	json_t *ret = detach_return(message);
	const json_t *error = json_object_get(message, "error");
	const json_t *id = json_object_get(message, "id");
	uint64_t n = json_is_integer(id) ? (uint64_t)json_integer_value(id) : 0;
	unsigned oob = n % 2;
	struct rp_qmp_error err;
	struct rp_qmp_call *call;

	if (ret == NULL)
		fill_command_error(&err, RP_QMP_COMMAND, error);
	pthread_mutex_lock(&c->lock);
	call = rp_qmp_calls_find(c, n);
	if (n / 2 == 0 || n / 2 > c->seq[oob]) {
		c->counters.unknown_replies++;
		pthread_mutex_unlock(&c->lock);
		rp_qmp_client_log(c, RP_LOG_WARN, "reply with an id that was never sent");
		json_decref(ret);
		return;
	}
	if (oob == 0 && n / 2 > c->settled)
		c->settled = n / 2;
	c->quiet_on = c->quiet_on && (oob != 0 || n / 2 <= c->quiet);
	if (call == NULL) {
		c->counters.late_replies++;
		json_decref(ret);
	} else {
		rp_qmp_count_reply(c, call);
		if (ret == NULL)
			c->counters.classes[rp_qmp_error_class(err.class)]++;
		rp_qmp_call_finish(call, ret, ret == NULL ? &err : NULL);
	}
	rp_qmp_calls_pump(c);
	pthread_mutex_unlock(&c->lock);
}

static void message(struct rp_qmp *c, const char *text, size_t len)
{
	json_error_t error;
	json_t *json = load(text, len, &error);
	char why[256];

	if (json == NULL) {
		snprintf(why, sizeof(why), "is not JSON (%s)", error.text);
		lost_message(c, text, len, why);
		return;
	}
	if (json_is_object(json_object_get(json, "QMP")) && c->state == RP_QMP_GREETING)
		rp_qmp_client_greeted(c, json);
	else if (json_is_string(json_object_get(json, "event")))
		rp_qmp_event_arrived(c, json);
	else if (json_object_get(json, "return") != NULL)
		reply(c, json);
	else if (!json_is_object(json_object_get(json, "error")))
		lost_message(c, text, len, "is neither reply nor event");
	else if (json_object_get(json, "id") == NULL)
		stray_error(c, json_object_get(json, "error"));
	else
		reply(c, json);
	json_decref(json);
}

// ---- Bytes ----

static void ended(struct rp_qmp *c, int code)
{
	bool greeted = c->state >= RP_QMP_NEGOTIATING;
	enum rp_qmp_phase phase = rp_qmp_client_phase(c->state);
	bool quit;

	pthread_mutex_lock(&c->lock);
	quit = c->quit_sent;
	pthread_mutex_unlock(&c->lock);
	// After quit QEMU may be gone before it has read what came behind it.
	if (code == 0 || quit)
		rp_qmp_client_lost(c, RP_QMP_CLOSED, phase, "QEMU closed the connection%s",
				   greeted ? "" : " without a greeting");
	else
		rp_qmp_client_lost(c, code == ECONNRESET ? RP_QMP_RESET : RP_QMP_PROTOCOL, phase,
				   "the connection broke: %s", strerror(code));
}

void rp_qmp_receive(struct rp_qmp *c)
{
	struct rp_qmp_frame *f = &c->frame;
	uint8_t *buf = c->loop->buf;
	enum rp_qmp_frame_result result;
	struct rp_reader r;
	uint64_t junk = f->junk;
	ssize_t n = recv(c->fd, buf, sizeof(c->loop->buf), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		ended(c, n < 0 ? errno : 0);
		return;
	}
	r = rp_reader(buf, (size_t)n);
	do {
		result = rp_qmp_frame_feed(f, &r);
		if (result == RP_QMP_FRAME_OBJECT)
			message(c, f->buf, f->len);
		else if (result == RP_QMP_FRAME_BROKEN)
			lost_message(c, f->buf, f->len, f->why);
	} while (result != RP_QMP_FRAME_MORE && c->fd >= 0);

	pthread_mutex_lock(&c->lock);
	c->counters.bytes_in += (uint64_t)n;
	if (c->fd >= 0)
		c->counters.junk += f->junk - junk;
	pthread_mutex_unlock(&c->lock);
	rp_qmp_calls_run_callbacks(c);
}
