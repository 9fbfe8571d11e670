// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <event2/thread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/string.h>

#include "base/clock.h"
#include "qmp/internal.h"

// ---- Small things that the other files use, too ----

void cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attr);
	pthread_condattr_destroy(&attr);
}

bool cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t deadline_ms)
{
	struct timespec ts;

	if (deadline_ms == 0) {
		pthread_cond_wait(cond, lock);
		return true;
	}
	ts.tv_sec = (time_t)(deadline_ms / 1000);
	ts.tv_nsec = (long)(deadline_ms % 1000) * 1000000;
	return pthread_cond_timedwait(cond, lock, &ts) != ETIMEDOUT;
}

uint64_t deadline_in(unsigned ms)
{
	return ms == 0 ? 0 : rp_clock_ms() + ms;
}

static struct timeval until(uint64_t deadline_ms)
{
	uint64_t now = rp_clock_ms();
	// One more: libevent's clock may be a tick behind, and waking too early only spins.
	uint64_t left = deadline_ms > now ? deadline_ms - now + 1 : 0;

	return (struct timeval){.tv_sec = (time_t)(left / 1000),
				.tv_usec = (suseconds_t)(left % 1000) * 1000};
}

void client_log(const struct rp_qmp *c, enum rp_log_level level, const char *fmt, ...)
{
	char text[512], line[768];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (c->opts.log == NULL) {
		rp_log(level, "qmp %s: %s", c->address.text, text);
		return;
	}
	snprintf(line, sizeof(line), "qmp %s: %s", c->address.text, text);
	c->opts.log(level, line, c->opts.log_arg);
}

const char *rp_qmp_state_name(enum rp_qmp_state state)
{
	static const char *const names[] = {
		[RP_QMP_CONNECTING] = "connecting",
		[RP_QMP_GREETING] = "greeting",
		[RP_QMP_NEGOTIATING] = "negotiating",
		[RP_QMP_READY] = "ready",
		[RP_QMP_LOST] = "lost",
		[RP_QMP_ENDED] = "ended",
	};

	return names[state];
}

// ---- Loop ----

static __thread const struct rp_qmp_loop *running_loop;

bool on_loop(const struct rp_qmp_loop *loop)
{
	return running_loop == loop;
}

static void *loop_main(void *arg)
{
	struct rp_qmp_loop *loop = arg;

	running_loop = loop;
	event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY);
	return NULL;
}

static void on_stop(evutil_socket_t, short, void *arg)
{
	struct rp_qmp_loop *loop = arg;

	event_base_loopbreak(loop->base);
}

static pthread_once_t events_once = PTHREAD_ONCE_INIT;

static void events_init(void)
{
	evthread_use_pthreads();
}

struct rp_qmp_loop *rp_qmp_loop_new(void)
{
	struct rp_qmp_loop *loop = calloc(1, sizeof(*loop));
	int rc = ENOMEM;

	if (loop == NULL)
		return NULL;
	pthread_once(&events_once, events_init);
	loop->base = event_base_new();
	if (loop->base == NULL)
		goto free_loop;
	loop->stop = event_new(loop->base, -1, 0, on_stop, loop);
	if (loop->stop == NULL)
		goto free_base;
	rc = pthread_create(&loop->thread, NULL, loop_main, loop);
	if (rc != 0)
		goto free_stop;
	return loop;
free_stop:
	event_free(loop->stop);
free_base:
	event_base_free(loop->base);
free_loop:
	free(loop);
	errno = rc;
	return NULL;
}

void rp_qmp_loop_free(struct rp_qmp_loop *loop)
{
	if (loop == NULL)
		return;
	event_active(loop->stop, 0, 0);
	pthread_join(loop->thread, NULL);
	event_free(loop->stop);
	event_base_free(loop->base);
	free(loop);
}

// ---- Life of a connection: loop's thread ----

static enum rp_qmp_phase phase_of(enum rp_qmp_state state)
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

void client_lost(struct rp_qmp *c, enum rp_qmp_kind kind, enum rp_qmp_phase phase, const char *desc,
		 ...)
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
	calls_fail_all(c, &cause);
	told = c->told_lost;
	c->told_lost = true;
	pthread_cond_broadcast(&c->changed);
	queues_wake(c);
	pthread_mutex_unlock(&c->lock);

	client_log(c, RP_LOG_DEBUG, "%s", text);
	calls_run_callbacks(c);
	// Attempt after attempt to reach a VM that is down is no news.
	if (!told || c->state == RP_QMP_ENDED)
		tell_state(c, c->state, &cause);
}

static void on_readable(evutil_socket_t, short, void *arg)
{
	receive(arg);
}

// Lock held: let the loop write what the socket did not take.
static void arm_write(struct rp_qmp *c)
{
	uint64_t deadline_ms = calls_write_deadline(c);
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
	uint64_t deadline_ms = deadline_in(c->opts.greeting_ms);

	event_add(c->ev_read, NULL);
	if (deadline_ms != 0)
		set_timer(c, deadline_ms);
	else
		event_del(c->ev_timer);
	pthread_mutex_lock(&c->lock);
	c->state = RP_QMP_GREETING;
	c->peer_pid = c->address.is_unix ? address_peer_pid(c->fd) : 0;
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
	kind = address_failure(&c->address, code, why, sizeof(why));
	if (may_pass && kind != RP_QMP_ARGUMENT && c->opts.retry_ms > 0 &&
	    (c->phase_deadline_ms == 0 || next_ms < c->phase_deadline_ms))
		set_timer(c, next_ms);
	else
		client_lost(c, kind, RP_QMP_PHASE_CONNECT, "%s", why);
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
		calls_expire_write(c);
	calls_pump(c);
	arm_write(c);
	pthread_mutex_unlock(&c->lock);
	calls_run_callbacks(c);
}

static void try_connect(struct rp_qmp *c)
{
	int fd = -1, rc;
	struct timeval tv;

	rc = address_connect(&c->address, c->attempt, &fd);
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
		client_lost(c, RP_QMP_PROTOCOL, RP_QMP_PHASE_CONNECT, "out of memory");
	} else if (rc == 0) {
		connected(c);
	} else {
		tv = until(c->phase_deadline_ms);
		event_add(c->ev_write, c->phase_deadline_ms != 0 ? &tv : NULL);
	}
}

static void begin(struct rp_qmp *c)
{
	pthread_mutex_lock(&c->lock);
	c->state = RP_QMP_CONNECTING;
	c->phase_deadline_ms = deadline_in(c->opts.connect_ms);
	c->attempt = 0;
	pthread_mutex_unlock(&c->lock);
	try_connect(c);
}

static void greeting_late(struct rp_qmp *c)
{
	enum rp_qmp_kind kind;
	char why[256];

	if (c->frame.junk > 0) {
		client_lost(c, RP_QMP_PROTOCOL, RP_QMP_PHASE_GREETING,
			    "this is no QMP monitor: it says '%s'; expected the socket of -qmp, or "
			    "of -mon with mode=control",
			    c->frame.head);
		return;
	}
	kind = address_silence(&c->address, c->fd, why, sizeof(why));
	client_lost(c, kind, RP_QMP_PHASE_GREETING, "no greeting within %u ms: %s",
		    c->opts.greeting_ms, why);
}

static void on_timer(evutil_socket_t, short, void *arg)
{
	struct rp_qmp *c = arg;

	switch (c->state) {
	case RP_QMP_LOST:
		begin(c);
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
		client_lost(c, err->kind == RP_QMP_TIMEOUT ? RP_QMP_TIMEOUT : RP_QMP_PROTOCOL,
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
	client_log(c, RP_LOG_DEBUG, "ready: QEMU %d.%d.%d", c->version.major, c->version.minor,
		   c->version.micro);
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

void client_greeted(struct rp_qmp *c, const json_t *greeting)
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
	if (call_start(c, &req, true, &call, NULL) < 0)
		client_lost(c, RP_QMP_PROTOCOL, RP_QMP_PHASE_NEGOTIATE, "out of memory");
	rp_qmp_call_free(call);
	json_decref(req.arguments);
}

// ---- Waking the loop ----

void wake(struct rp_qmp *c)
{
	if (c->woken || c->torn)
		return;
	c->woken = true;
	event_active(c->ev_wake, 0, 0);
}

static void tear_down(struct rp_qmp *c)
{
	if (c->state != RP_QMP_ENDED)
		client_lost(c, RP_QMP_CLOSED, phase_of(c->state), "closed by this program");
	pthread_mutex_lock(&c->lock);
	event_free(c->ev_timer);
	event_free(c->ev_wake);
	c->torn = true;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
}

static void on_wake(evutil_socket_t, short, void *arg)
{
	struct rp_qmp *c = arg;
	bool closing, fresh;

	pthread_mutex_lock(&c->lock);
	c->woken = false;
	closing = c->closing;
	fresh = !c->begun;
	c->begun = true;
	arm_write(c);
	pthread_mutex_unlock(&c->lock);
	calls_run_callbacks(c);
	if (closing)
		tear_down(c);
	else if (fresh)
		begin(c);
}

// ---- Opening and closing ----

static void client_free(struct rp_qmp *c)
{
	struct rp_qmp_watch *w;

	while ((w = TAILQ_FIRST(&c->watches)) != NULL) {
		TAILQ_REMOVE(&c->watches, w, link);
		watch_free(w);
	}
	if (c->events != NULL)
		queue_free(c->events);
	rp_qmp_frame_free(&c->frame);
	pthread_cond_destroy(&c->changed);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

static int client_init(struct rp_qmp *c, struct rp_qmp_loop *loop)
{
	atomic_init(&c->refs, 1);
	c->loop = loop;
	c->fd = -1;
	c->backoff_ms = c->opts.reconnect_min_ms;
	if (c->opts.reconnect_max_ms < c->opts.reconnect_min_ms)
		c->opts.reconnect_max_ms = c->opts.reconnect_min_ms;
	pthread_mutex_init(&c->lock, NULL);
	cond_init(&c->changed);
	TAILQ_INIT(&c->sendq);
	TAILQ_INIT(&c->sent);
	TAILQ_INIT(&c->done);
	TAILQ_INIT(&c->queues);
	TAILQ_INIT(&c->watches);
	if (rp_qmp_frame_init(&c->frame, c->opts.reply_limit, c->opts.depth_limit) < 0)
		return -ENOMEM;
	if (c->opts.event_queue > 0) {
		c->events = queue_new(c, c->opts.event_queue);
		if (c->events == NULL)
			return -ENOMEM;
	}
	c->ev_wake = event_new(loop->base, -1, 0, on_wake, c);
	c->ev_timer = event_new(loop->base, -1, 0, on_timer, c);
	return c->ev_wake != NULL && c->ev_timer != NULL ? 0 : -ENOMEM;
}

struct rp_qmp *rp_qmp_open(struct rp_qmp_loop *loop, const char *address,
			   const struct rp_qmp_opts *opts, struct rp_qmp_error *err)
{
	struct rp_qmp *c = calloc(1, sizeof(*c));
	int rc = -ENOMEM;

	if (c == NULL)
		goto fail;
	c->opts = opts != NULL ? *opts : RP_QMP_OPTS_DEFAULT;
	rc = address_parse(&c->address, address, err);
	if (rc < 0) {
		free(c);
		errno = -rc;
		return NULL;
	}
	rc = client_init(c, loop);
	if (rc < 0) {
		if (c->ev_wake != NULL)
			event_free(c->ev_wake);
		if (c->ev_timer != NULL)
			event_free(c->ev_timer);
		client_free(c);
		goto fail;
	}
	pthread_mutex_lock(&c->lock);
	wake(c);
	pthread_mutex_unlock(&c->lock);
	return c;
fail:
	rp_qmp_error_set(err, RP_QMP_ARGUMENT, RP_QMP_PHASE_CONNECT, address, "out of memory");
	errno = -rc;
	return NULL;
}

struct rp_qmp *rp_qmp_connect(const char *address, const struct rp_qmp_opts *opts,
			      struct rp_qmp_error *err)
{
	struct rp_qmp_loop *loop = rp_qmp_loop_new();
	struct rp_qmp *c;
	int rc;

	if (loop == NULL) {
		rc = errno;
		rp_qmp_error_set(err, RP_QMP_ARGUMENT, RP_QMP_PHASE_CONNECT, address,
				 "cannot start a thread: %s", strerror(rc));
		errno = rc;
		return NULL;
	}
	c = rp_qmp_open(loop, address, opts, err);
	if (c == NULL) {
		rc = errno;
		rp_qmp_loop_free(loop);
		errno = rc;
		return NULL;
	}
	c->own_loop = true;
	rc = rp_qmp_wait_ready(c, 0, err);
	if (rc < 0) {
		rp_qmp_close(c);
		errno = -rc;
		return NULL;
	}
	return c;
}

int rp_qmp_wait_ready(struct rp_qmp *c, unsigned timeout_ms, struct rp_qmp_error *err)
{
	uint64_t deadline_ms = deadline_in(timeout_ms);
	bool in_time = !on_loop(c->loop);
	int rc;

	if (!in_time)
		return rp_qmp_error_set(err, RP_QMP_ARGUMENT, RP_QMP_PHASE_CONNECT, c->address.text,
					"a callback may not wait");
	pthread_mutex_lock(&c->lock);
	while (c->state < RP_QMP_READY && in_time)
		in_time = cond_wait_until(&c->changed, &c->lock, deadline_ms);
	if (c->state == RP_QMP_READY) {
		rc = 0;
	} else if (c->state > RP_QMP_READY) {
		rc = -rp_qmp_kind_errno(c->cause.kind);
		if (err != NULL)
			*err = c->cause;
	} else {
		rc = rp_qmp_error_set(err, RP_QMP_TIMEOUT, phase_of(c->state), c->address.text,
				      "not ready within %u ms (%s)", timeout_ms,
				      rp_qmp_state_name(c->state));
	}
	pthread_mutex_unlock(&c->lock);
	return rc;
}

void rp_qmp_close(struct rp_qmp *c)
{
	struct rp_qmp_loop *loop;

	if (c == NULL)
		return;
	loop = c->own_loop ? c->loop : NULL;
	pthread_mutex_lock(&c->lock);
	c->closing = true;
	wake(c);
	while (!c->torn)
		pthread_cond_wait(&c->changed, &c->lock);
	pthread_mutex_unlock(&c->lock);
	rp_qmp_loop_free(loop);
	rp_qmp_unref(c);
}

struct rp_qmp *rp_qmp_ref(struct rp_qmp *c)
{
	atomic_fetch_add(&c->refs, 1);
	return c;
}

void rp_qmp_unref(struct rp_qmp *c)
{
	if (c != NULL && atomic_fetch_sub(&c->refs, 1) == 1)
		client_free(c);
}

// ---- Looking at it ----

enum rp_qmp_state rp_qmp_state(struct rp_qmp *c)
{
	enum rp_qmp_state state;

	pthread_mutex_lock(&c->lock);
	state = c->state;
	pthread_mutex_unlock(&c->lock);
	return state;
}

const char *rp_qmp_address(const struct rp_qmp *c)
{
	return c->address.text;
}

int rp_qmp_peer_pid(struct rp_qmp *c)
{
	int pid;

	pthread_mutex_lock(&c->lock);
	pid = c->peer_pid;
	pthread_mutex_unlock(&c->lock);
	return pid;
}

void rp_qmp_version(struct rp_qmp *c, struct rp_qmp_version *version)
{
	pthread_mutex_lock(&c->lock);
	*version = c->version;
	pthread_mutex_unlock(&c->lock);
}
