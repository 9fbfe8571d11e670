// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/string.h>

#include "base/clock.h"
#include "qmp/internal.h"

// ---- Small things that the other files use, too ----

void rp_qmp_cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attr);
	pthread_condattr_destroy(&attr);
}

bool rp_qmp_cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t deadline_ms)
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

uint64_t rp_qmp_deadline_in(unsigned ms)
{
	return ms == 0 ? 0 : rp_clock_ms() + ms;
}

void rp_qmp_client_log(const struct rp_qmp *c, enum rp_log_level level, const char *fmt, ...)
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

// ---- Waking the loop ----

void rp_qmp_wake(struct rp_qmp *c)
{
	if (c->woken || c->torn)
		return;
	c->woken = true;
	event_active(c->ev_wake, 0, 0);
}

static void tear_down(struct rp_qmp *c)
{
	if (c->state != RP_QMP_ENDED)
		rp_qmp_client_lost(c, RP_QMP_CLOSED, rp_qmp_client_phase(c->state),
				   "closed by this program");
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
	rp_qmp_client_arm_write(c);
	pthread_mutex_unlock(&c->lock);
	rp_qmp_calls_run_callbacks(c);
	if (closing)
		tear_down(c);
	else if (fresh)
		rp_qmp_client_begin(c);
}

// ---- Opening and closing ----

static void client_free(struct rp_qmp *c)
{
	struct rp_qmp_watch *w;

	while ((w = TAILQ_FIRST(&c->watches)) != NULL) {
		TAILQ_REMOVE(&c->watches, w, link);
		rp_qmp_watch_free(w);
	}
	if (c->events != NULL)
		rp_qmp_queue_free(c->events);
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
	rp_qmp_cond_init(&c->changed);
	TAILQ_INIT(&c->sendq);
	TAILQ_INIT(&c->sent);
	TAILQ_INIT(&c->done);
	TAILQ_INIT(&c->queues);
	TAILQ_INIT(&c->watches);
	if (rp_qmp_frame_init(&c->frame, c->opts.reply_limit, c->opts.depth_limit) < 0)
		return -ENOMEM;
	if (c->opts.event_queue > 0) {
		c->events = rp_qmp_queue_new(c, c->opts.event_queue);
		if (c->events == NULL)
			return -ENOMEM;
	}
	c->ev_wake = event_new(loop->base, -1, 0, on_wake, c);
	c->ev_timer = event_new(loop->base, -1, 0, rp_qmp_client_on_timer, c);
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
	rc = rp_qmp_address_parse(&c->address, address, err);
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
	rp_qmp_wake(c);
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
	uint64_t deadline_ms = rp_qmp_deadline_in(timeout_ms);
	bool in_time = !rp_qmp_on_loop(c->loop);
	int rc;

	if (!in_time)
		return rp_qmp_error_set(err, RP_QMP_ARGUMENT, RP_QMP_PHASE_CONNECT, c->address.text,
					"a callback may not wait");
	pthread_mutex_lock(&c->lock);
	while (c->state < RP_QMP_READY && in_time)
		in_time = rp_qmp_cond_wait_until(&c->changed, &c->lock, deadline_ms);
	if (c->state == RP_QMP_READY) {
		rc = 0;
	} else if (c->state > RP_QMP_READY) {
		rc = -rp_qmp_kind_errno(c->cause.kind);
		if (err != NULL)
			*err = c->cause;
	} else {
		rc = rp_qmp_error_set(err, RP_QMP_TIMEOUT, rp_qmp_client_phase(c->state),
				      c->address.text, "not ready within %u ms (%s)", timeout_ms,
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
	rp_qmp_wake(c);
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
