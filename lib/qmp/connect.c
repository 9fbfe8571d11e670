// SPDX-License-Identifier: BSD-3-Clause
// The life of a connection, on the loop's thread: connect, greet, negotiate, lose, come back.
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bsd/string.h>

#include "base/clock.h"
#include "qmp/internal.h"

static struct timeval until(uint64_t deadline_ms)
{
	uint64_t now = rp_clock_ms();
	// One more: libevent's clock may be a tick behind, and waking too early only spins.
	uint64_t left = deadline_ms > now ? deadline_ms - now + 1 : 0;

	return (struct timeval){.tv_sec = (time_t)(left / 1000),
				.tv_usec = (suseconds_t)(left % 1000) * 1000};
}

enum rp_qmp_phase rp_qmp_client_phase(enum rp_qmp_state state)
{
	switch (state) {
	case RP_QMP_CONNECTING:
		return RP_QMP_PHASE_CONNECT;
	case RP_QMP_GREETING:
		return RP_QMP_PHASE_GREETING;
	case RP_QMP_NEGOTIATING:
		return RP_QMP_PHASE_NEGOTIATE;
	default:
		return RP_QMP_PHASE_REPLY;
	}
}

static void drop_socket(struct rp_qmp *c)
{
	if (c->ev_read != NULL)
		event_free(c->ev_read);
	if (c->ev_write != NULL)
		event_free(c->ev_write);
	c->ev_read = NULL;
	c->ev_write = NULL;
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	c->peer_pid = 0;
	c->blocked = false;
	c->resync = false;
	c->quiet_on = false;
	memset(c->seq, 0, sizeof(c->seq));
	c->settled = 0;
	c->fd_seq = 0;
	rp_qmp_frame_reset(&c->frame);
}

static void set_timer(struct rp_qmp *c, uint64_t deadline_ms)
{
	struct timeval tv = until(deadline_ms);

	event_add(c->ev_timer, &tv);
}

static void tell_state(struct rp_qmp *c, enum rp_qmp_state state, const struct rp_qmp_error *cause)
{
	if (c->opts.on_state != NULL)
		c->opts.on_state(c, state, cause, c->opts.state_arg);
}

void rp_qmp_client_lost(struct rp_qmp *c, enum rp_qmp_kind kind, enum rp_qmp_phase phase,
			const char *desc, ...)
{
	struct rp_qmp_error cause;
	char text[512];
	bool told;
	va_list ap;

	va_start(ap, desc);
	vsnprintf(text, sizeof(text), desc, ap);
	va_end(ap);
	rp_qmp_error_set(&cause, kind, phase, c->address.text, "%s", text);

	pthread_mutex_lock(&c->lock);
	drop_socket(c);
	event_del(c->ev_timer);
	c->counters.losses++;
	c->cause = cause;
	if (c->opts.reconnect_min_ms > 0 && !c->closing) {
		c->state = RP_QMP_LOST;
		set_timer(c, rp_clock_ms() + c->backoff_ms);
		c->backoff_ms *= 2;
		if (c->backoff_ms > c->opts.reconnect_max_ms)
			c->backoff_ms = c->opts.reconnect_max_ms;
	} else {
		c->state = RP_QMP_ENDED;
	}
	rp_qmp_calls_fail_all(c, &cause);
	told = c->told_lost;
	c->told_lost = true;
	pthread_cond_broadcast(&c->changed);
	rp_qmp_queues_wake(c);
	pthread_mutex_unlock(&c->lock);

	rp_qmp_client_log(c, RP_LOG_DEBUG, "%s", text);
	rp_qmp_calls_run_callbacks(c);
	// Attempt after attempt to reach a VM that is down is no news.
	if (!told || c->state == RP_QMP_ENDED)
		tell_state(c, c->state, &cause);
}

static void on_readable(evutil_socket_t, short, void *arg)
{
	rp_qmp_receive(arg);
}

// Lock held: let the loop write what the socket did not take.
void rp_qmp_client_arm_write(struct rp_qmp *c)
{
	uint64_t deadline_ms = rp_qmp_calls_write_deadline(c);
	struct timeval tv;

	if (!c->blocked || c->ev_write == NULL || event_pending(c->ev_write, EV_WRITE, NULL))
		return;
	if (deadline_ms != 0)
		tv = until(deadline_ms);
	event_add(c->ev_write, deadline_ms != 0 ? &tv : NULL);
}

static void try_connect(struct rp_qmp *c);

static void connected(struct rp_qmp *c)
{
	uint64_t deadline_ms = rp_qmp_deadline_in(c->opts.greeting_ms);

	event_add(c->ev_read, NULL);
	if (deadline_ms != 0)
		set_timer(c, deadline_ms);
	else
		event_del(c->ev_timer);
	pthread_mutex_lock(&c->lock);
	c->state = RP_QMP_GREETING;
	c->peer_pid = c->address.is_unix ? rp_qmp_address_peer_pid(c->fd) : 0;
	pthread_mutex_unlock(&c->lock);
}

static void connect_failed(struct rp_qmp *c, int code)
{
	bool may_pass = code == ENOENT || code == ECONNREFUSED || code == EAGAIN;
	uint64_t next_ms = rp_clock_ms() + c->opts.retry_ms;
	enum rp_qmp_kind kind;
	char why[256];

	if (++c->attempt < c->address.n) {
		try_connect(c);
		return;
	}
	c->attempt = 0;
	kind = rp_qmp_address_failure(&c->address, code, why, sizeof(why));
	if (may_pass && kind != RP_QMP_ARGUMENT && c->opts.retry_ms > 0 &&
	    (c->phase_deadline_ms == 0 || next_ms < c->phase_deadline_ms))
		set_timer(c, next_ms);
	else
		rp_qmp_client_lost(c, kind, RP_QMP_PHASE_CONNECT, "%s", why);
}

static void on_writable(evutil_socket_t, short what, void *arg)
{
	struct rp_qmp *c = arg;
	int code = 0;
	socklen_t len = sizeof(code);

	if (c->state == RP_QMP_CONNECTING) {
		getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &code, &len);
		if (what & EV_TIMEOUT)
			code = ETIMEDOUT;
		if (code == 0) {
			connected(c);
			return;
		}
		pthread_mutex_lock(&c->lock);
		drop_socket(c);
		pthread_mutex_unlock(&c->lock);
		connect_failed(c, code);
		return;
	}
	pthread_mutex_lock(&c->lock);
	c->blocked = false;
	if (what & EV_TIMEOUT)
		rp_qmp_calls_expire_write(c);
	rp_qmp_calls_pump(c);
	rp_qmp_client_arm_write(c);
	pthread_mutex_unlock(&c->lock);
	rp_qmp_calls_run_callbacks(c);
}

static void try_connect(struct rp_qmp *c)
{
	int fd = -1, rc;
	struct timeval tv;

	rc = rp_qmp_address_connect(&c->address, c->attempt, &fd);
	if (fd < 0) {
		connect_failed(c, -rc);
		return;
	}
	pthread_mutex_lock(&c->lock);
	c->fd = fd;
	c->quit_sent = false;
	c->ev_read = event_new(c->loop->base, fd, EV_READ | EV_PERSIST, on_readable, c);
	c->ev_write = event_new(c->loop->base, fd, EV_WRITE, on_writable, c);
	pthread_mutex_unlock(&c->lock);
	if (c->ev_read == NULL || c->ev_write == NULL) {
		rp_qmp_client_lost(c, RP_QMP_PROTOCOL, RP_QMP_PHASE_CONNECT, "out of memory");
	} else if (rc == 0) {
		connected(c);
	} else {
		tv = until(c->phase_deadline_ms);
		event_add(c->ev_write, c->phase_deadline_ms != 0 ? &tv : NULL);
	}
}

void rp_qmp_client_begin(struct rp_qmp *c)
{
	pthread_mutex_lock(&c->lock);
	c->state = RP_QMP_CONNECTING;
	c->phase_deadline_ms = rp_qmp_deadline_in(c->opts.connect_ms);
	c->attempt = 0;
	pthread_mutex_unlock(&c->lock);
	try_connect(c);
}

static void greeting_late(struct rp_qmp *c)
{
	enum rp_qmp_kind kind;
	char why[256];

	if (c->frame.junk > 0) {
		rp_qmp_client_lost(
			c, RP_QMP_PROTOCOL, RP_QMP_PHASE_GREETING,
			"this is no QMP monitor: it says '%s'; expected the socket of -qmp, or "
			"of -mon with mode=control",
			c->frame.head);
		return;
	}
	kind = rp_qmp_address_silence(&c->address, c->fd, why, sizeof(why));
	rp_qmp_client_lost(c, kind, RP_QMP_PHASE_GREETING, "no greeting within %u ms: %s",
			   c->opts.greeting_ms, why);
}

void rp_qmp_client_on_timer(evutil_socket_t, short, void *arg)
{
	struct rp_qmp *c = arg;

	switch (c->state) {
	case RP_QMP_LOST:
		rp_qmp_client_begin(c);
		break;
	case RP_QMP_CONNECTING:
		try_connect(c);
		break;
	case RP_QMP_GREETING:
		greeting_late(c);
		break;
	default:
		break;
	}
}

static void negotiated(struct rp_qmp_call *call, json_t *ret, const struct rp_qmp_error *err,
		       void *arg)
{
	struct rp_qmp *c = arg;
	char text[1280];

	if (c->state != RP_QMP_NEGOTIATING)
		return; // the connection ended meanwhile, and that is told already
	if (ret == NULL) {
		rp_qmp_client_lost(c,
				   err->kind == RP_QMP_TIMEOUT ? RP_QMP_TIMEOUT : RP_QMP_PROTOCOL,
				   RP_QMP_PHASE_NEGOTIATE, "capabilities negotiation failed: %s",
				   rp_qmp_error_text(err, text, sizeof(text)));
		return;
	}
	pthread_mutex_lock(&c->lock);
	c->state = RP_QMP_READY;
	c->backoff_ms = c->opts.reconnect_min_ms;
	c->told_lost = false;
	c->counters.connects++;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
	(void)call;
	rp_qmp_client_log(c, RP_LOG_DEBUG, "ready: QEMU %d.%d.%d", c->version.major,
			  c->version.minor, c->version.micro);
	tell_state(c, RP_QMP_READY, NULL);
}

static bool offers_oob(const json_t *qmp)
{
	const json_t *list = json_object_get(qmp, "capabilities");
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		const char *name = json_string_value(item);

		if (name != NULL && strcmp(name, "oob") == 0)
			return true;
	}
	return false;
}

void rp_qmp_client_greeted(struct rp_qmp *c, const json_t *greeting)
{
	const json_t *qmp = json_object_get(greeting, "QMP");
	const json_t *version = json_object_get(qmp, "version");
	const json_t *qemu = json_object_get(version, "qemu");
	const char *package = json_string_value(json_object_get(version, "package"));
	bool oob = c->opts.oob && offers_oob(qmp);
	struct rp_qmp_request req = {.command = "qmp_capabilities", .done = negotiated};
	struct rp_qmp_call *call = NULL;

	event_del(c->ev_timer);
	pthread_mutex_lock(&c->lock);
	c->version = (struct rp_qmp_version){
		.major = (int)json_integer_value(json_object_get(qemu, "major")),
		.minor = (int)json_integer_value(json_object_get(qemu, "minor")),
		.micro = (int)json_integer_value(json_object_get(qemu, "micro")),
		.oob = oob,
	};
	strlcpy(c->version.package, package != NULL ? package : "", sizeof(c->version.package));
	c->state = RP_QMP_NEGOTIATING;
	pthread_mutex_unlock(&c->lock);

	req.done_arg = c;
	req.arguments = oob ? json_pack("{s:[s]}", "enable", "oob") : NULL;
	if (rp_qmp_call_start(c, &req, true, &call, NULL) < 0)
		rp_qmp_client_lost(c, RP_QMP_PROTOCOL, RP_QMP_PHASE_NEGOTIATE, "out of memory");
	rp_qmp_call_free(call);
	json_decref(req.arguments);
}
