// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/string.h>

#include "base/clock.h"
#include "qmp/internal.h"

// Room for the id and the end of a command behind its text.
#define ID_ROOM 40

/*
 * Ids are integers: two times the number of the command on this connection, plus one out of band.
 * So a late reply is told from an unknown one without a list of what was given up, and since QEMU
 * answers in order, a reply settles every earlier in-band command.
 */
static uint64_t id_of(const struct rp_qmp_call *call)
{
	return call->seq * 2 + (call->oob ? 1 : 0);
}

// ---- Making and freeing ----

static int make_text(struct rp_qmp_call *call, const struct rp_qmp_request *req,
		     struct rp_qmp_error *err)
{
	size_t limit = req->force ? SIZE_MAX : call->c->opts.send_limit;
	json_t *name = json_string(req->command);
	char *quoted = name != NULL ? json_dumps(name, JSON_ENCODE_ANY) : NULL;
	char *args = req->arguments != NULL ? json_dumps(req->arguments, JSON_COMPACT) : NULL;
	int n = -1, rc = 0;

	if (quoted == NULL || (req->arguments != NULL && args == NULL)) {
		rc = rp_qmp_error_set(err, RP_QMP_ARGUMENT, RP_QMP_PHASE_NONE, req->command,
				      "the command cannot be written as JSON (not UTF-8?)");
		goto out;
	}
	n = asprintf(&call->text, "{\"%s\":%s%s%s", req->oob ? "exec-oob" : "execute", quoted,
		     args != NULL ? ",\"arguments\":" : "", args != NULL ? args : "");
	if (n < 0) {
		call->text = NULL;
		rc = rp_qmp_error_set(err, RP_QMP_ARGUMENT, RP_QMP_PHASE_NONE, req->command,
				      "out of memory");
	} else if ((size_t)n > limit) {
		rc = rp_qmp_error_set(err, RP_QMP_ARGUMENT, RP_QMP_PHASE_NONE, req->command,
				      "the command has %d bytes; at most %zu are sent (QEMU parses "
				      "about 350 kB a second) unless forced",
				      n, limit);
	}
	call->len = n < 0 ? 0 : (size_t)n;
out:
	json_decref(name);
	free(quoted);
	free(args);
	return rc;
}

static int copy_fds(struct rp_qmp_call *call, const struct rp_qmp_request *req,
		    struct rp_qmp_error *err)
{
	if (req->n_fds > 0 && !call->c->address.is_unix)
		return rp_qmp_error_set(err, RP_QMP_ARGUMENT, RP_QMP_PHASE_NONE, req->command,
					"descriptors pass over Unix sockets only");
	if (req->n_fds > MAX_FDS)
		return rp_qmp_error_set(err, RP_QMP_ARGUMENT, RP_QMP_PHASE_NONE, req->command,
					"%u descriptors; at most %d pass at once", req->n_fds,
					MAX_FDS);
	for (unsigned i = 0; i < req->n_fds; i++) {
		int fd = fcntl(req->fds[i], F_DUPFD_CLOEXEC, 0);

		if (fd < 0)
			return rp_qmp_error_set(err, RP_QMP_ARGUMENT, RP_QMP_PHASE_NONE,
						req->command, "descriptor %d: %s", req->fds[i],
						strerror(errno));
		call->fds[call->n_fds++] = fd;
	}
	return 0;
}

static void close_fds(struct rp_qmp_call *call)
{
	while (call->n_fds > 0)
		close(call->fds[--call->n_fds]);
}

struct rp_qmp_call *rp_qmp_call_ref(struct rp_qmp_call *call)
{
	atomic_fetch_add(&call->refs, 1);
	return call;
}

void rp_qmp_call_free(struct rp_qmp_call *call)
{
	struct rp_qmp *c;

	if (call == NULL || atomic_fetch_sub(&call->refs, 1) != 1)
		return;
	c = call->c;
	close_fds(call);
	json_decref(call->ret);
	pthread_cond_destroy(&call->finished);
	free(call->text);
	free(call);
	rp_qmp_unref(c);
}

// Before the loop may go away, so not when the last reference does.
static void drop_timer(struct rp_qmp_call *call)
{
	if (call->timer != NULL)
		event_free(call->timer);
	call->timer = NULL;
}

// ---- Finishing ----

// The list gives up its reference: to the list of due callbacks where there is one.
void rp_qmp_call_finish(struct rp_qmp_call *call, json_t *ret, const struct rp_qmp_error *err)
{
	struct rp_qmp *c = call->c;

	TAILQ_REMOVE(call->state == CALL_QUEUED ? &c->sendq : &c->sent, call, link);
	call->state = CALL_DONE;
	call->ret = ret;
	if (err != NULL) {
		call->err = *err;
		if (call->err.phase > RP_QMP_PHASE_NEGOTIATE || call->err.kind == RP_QMP_CANCELLED)
			strlcpy(call->err.subject, call->name, sizeof(call->err.subject));
	}
	c->counters.errors[call->err.kind] += err != NULL;
	c->counters.in_flight--;
	pthread_cond_broadcast(&call->finished);
	if (call->done != NULL) {
		TAILQ_INSERT_TAIL(&c->done, call, link);
		rp_qmp_wake(c);
	} else {
		rp_qmp_call_free(call);
	}
}

void rp_qmp_calls_fail_all(struct rp_qmp *c, const struct rp_qmp_error *cause)
{
	struct rp_qmp_call *call;

	while ((call = TAILQ_FIRST(&c->sent)) != NULL || (call = TAILQ_FIRST(&c->sendq)) != NULL)
		rp_qmp_call_finish(call, NULL, cause);
}

void rp_qmp_calls_run_callbacks(struct rp_qmp *c)
{
	struct rp_qmp_call *call;

	for (;;) {
		pthread_mutex_lock(&c->lock);
		call = TAILQ_FIRST(&c->done);
		if (call != NULL)
			TAILQ_REMOVE(&c->done, call, link);
		pthread_mutex_unlock(&c->lock);
		if (call == NULL)
			return;
		drop_timer(call);
		call->done(call, call->ret, call->ret != NULL ? NULL : &call->err, call->done_arg);
		rp_qmp_call_free(call);
	}
}

// Give up a command that is not finished. What is not wholly written will not run.
static void abandon(struct rp_qmp_call *call, enum rp_qmp_kind kind, const char *desc)
{
	struct rp_qmp *c = call->c;
	struct rp_qmp_error err;
	bool queued = call->state == CALL_QUEUED;

	// Without its newline a command is complete: only the reply can be dropped then.
	if (queued && call->seq != 0) {
		c->resync = c->resync || call->off > 0;
		if (call->off < call->len - 1)
			c->seq[call->oob]--;
	}
	rp_qmp_error_set(&err, kind, queued ? RP_QMP_PHASE_WRITE : RP_QMP_PHASE_REPLY, call->name,
			 "%s", desc);
	rp_qmp_call_finish(call, NULL, &err);
	if (queued)
		rp_qmp_calls_pump(c);
}

static void abandon_late(struct rp_qmp_call *call)
{
	abandon(call, RP_QMP_TIMEOUT,
		call->state == CALL_QUEUED
			? "QEMU did not take the command in time; it will not run"
			: "no reply in time; QEMU is busy, hangs or is stopped");
}

void rp_qmp_calls_expire_write(struct rp_qmp *c)
{
	struct rp_qmp_call *call = TAILQ_FIRST(&c->sendq);

	if (call != NULL && call->write_deadline_ms != 0 &&
	    rp_clock_ms() >= call->write_deadline_ms)
		abandon_late(call);
}

uint64_t rp_qmp_calls_write_deadline(const struct rp_qmp *c)
{
	const struct rp_qmp_call *call = TAILQ_FIRST(&c->sendq);

	return call != NULL && !c->resync ? call->write_deadline_ms : 0;
}

struct rp_qmp_call *rp_qmp_calls_find(struct rp_qmp *c, uint64_t id)
{
	struct rp_qmp_call *call;

	TAILQ_FOREACH (call, &c->sent, link) {
		if (id_of(call) == id)
			return call;
	}
	return NULL;
}

struct rp_qmp_call *rp_qmp_calls_oldest(struct rp_qmp *c)
{
	struct rp_qmp_call *call;

	TAILQ_FOREACH (call, &c->sent, link) {
		if (!call->oob)
			return call;
	}
	return NULL;
}

// ---- Writing ----

// Is it this command's turn? Only out-of-band execution and descriptors make one wait.
static bool may_send(const struct rp_qmp *c, const struct rp_qmp_call *call)
{
	if (call->off > 0 || call->oob)
		return true;
	// QEMU keeps only the descriptors that came last until a command asks for them.
	if (call->n_fds > 0 && c->fd_seq > c->settled)
		return false;
	return !c->version.oob || c->seq[0] - c->settled < OOB_WINDOW;
}

static ssize_t send_bytes(struct rp_qmp *c, struct rp_qmp_call *call)
{
	struct iovec iov = {.iov_base = call->text + call->off, .iov_len = call->len - call->off};
	char control[CMSG_SPACE(sizeof(int) * MAX_FDS)] = {0};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	if (call->n_fds > 0) {
		size_t size = sizeof(int) * call->n_fds;
		struct cmsghdr *cmsg;

		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(size);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(size);
		memcpy(CMSG_DATA(cmsg), call->fds, size);
	}
	return sendmsg(c->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}

// A command's number is its place on the wire, so it gets it when its first byte leaves.
static void first_byte(struct rp_qmp *c, struct rp_qmp_call *call)
{
	if (call->n_fds > 0 && !call->oob)
		c->fd_seq = call->seq;
	close_fds(call);
	call->started_ns = rp_clock_ns();
}

static void number(struct rp_qmp *c, struct rp_qmp_call *call)
{
	call->seq = ++c->seq[call->oob];
	call->len += (size_t)sprintf(call->text + call->len, ",\"id\":%llu}\n",
				     (unsigned long long)id_of(call));
	call->write_deadline_ms = rp_qmp_deadline_in(c->opts.write_ms);
}

static void wait_for_socket(struct rp_qmp *c)
{
	c->blocked = true;
	if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS) {
		rp_qmp_wake(c);
		return;
	}
	// Broken: the reader takes what QEMU still said, then sees the end.
	shutdown(c->fd, SHUT_RDWR);
}

void rp_qmp_calls_pump(struct rp_qmp *c)
{
	struct rp_qmp_call *call;
	ssize_t n;

	if (c->fd < 0 || c->blocked || c->state < RP_QMP_NEGOTIATING || c->state > RP_QMP_READY)
		return;
	if (c->resync) {
		if (send(c->fd, "\xff", 1, MSG_DONTWAIT | MSG_NOSIGNAL) != 1) {
			wait_for_socket(c);
			return;
		}
		c->resync = false;
		c->quiet_on = true;
		c->quiet = c->seq[0];
		c->counters.resyncs++;
		c->counters.bytes_out++;
	}
	while ((call = TAILQ_FIRST(&c->sendq)) != NULL && may_send(c, call)) {
		if (call->seq == 0)
			number(c, call);
		n = send_bytes(c, call);
		if (n < 0) {
			wait_for_socket(c);
			return;
		}
		if (call->off == 0)
			first_byte(c, call);
		call->off += (size_t)n;
		c->counters.bytes_out += (uint64_t)n;
		if (call->off == call->len) {
			TAILQ_REMOVE(&c->sendq, call, link);
			TAILQ_INSERT_TAIL(&c->sent, call, link);
			call->state = CALL_SENT;
		}
	}
}

// ---- Issuing ----

static void on_deadline(evutil_socket_t, short, void *arg)
{
	struct rp_qmp_call *call = arg;
	struct rp_qmp *c = call->c;

	pthread_mutex_lock(&c->lock);
	if (call->state != CALL_DONE)
		abandon_late(call);
	pthread_mutex_unlock(&c->lock);
	rp_qmp_calls_run_callbacks(c);
}

static int set_deadline(struct rp_qmp_call *call, unsigned timeout_ms)
{
	struct timeval tv = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};

	call->deadline_ms = rp_qmp_deadline_in(timeout_ms);
	if (timeout_ms == 0 || call->done == NULL)
		return 0;
	call->timer = event_new(call->c->loop->base, -1, 0, on_deadline, call);
	return call->timer != NULL && event_add(call->timer, &tv) == 0 ? 0 : -ENOMEM;
}

static struct rp_qmp_call *call_new(struct rp_qmp *c, const struct rp_qmp_request *req,
				    struct rp_qmp_error *err)
{
	struct rp_qmp_call *call = calloc(1, sizeof(*call));
	char *text;

	if (call == NULL) {
		rp_qmp_error_set(err, RP_QMP_ARGUMENT, RP_QMP_PHASE_NONE, req->command,
				 "out of memory");
		return NULL;
	}
	atomic_init(&call->refs, 1);
	call->c = rp_qmp_ref(c);
	call->oob = req->oob;
	call->done = req->done;
	call->done_arg = req->done_arg;
	rp_qmp_cond_init(&call->finished);
	strlcpy(call->name, req->command, sizeof(call->name));
	if (make_text(call, req, err) < 0 || copy_fds(call, req, err) < 0)
		goto fail;
	text = realloc(call->text, call->len + ID_ROOM);
	if (text == NULL) {
		rp_qmp_error_set(err, RP_QMP_ARGUMENT, RP_QMP_PHASE_NONE, req->command,
				 "out of memory");
		goto fail;
	}
	call->text = text;
	return call;
fail:
	rp_qmp_call_free(call);
	return NULL;
}

// May this command be issued now? Lock held.
static int admit(struct rp_qmp *c, const struct rp_qmp_request *req, bool negotiation,
		 struct rp_qmp_error *err)
{
	if (negotiation)
		return 0;
	if (c->state > RP_QMP_READY) {
		if (err != NULL)
			*err = c->cause;
		return -rp_qmp_kind_errno(c->cause.kind);
	}
	if (c->state < RP_QMP_READY)
		return rp_qmp_error_set(err, RP_QMP_CLOSED, RP_QMP_PHASE_CONNECT, c->address.text,
					"not connected yet (%s)", rp_qmp_state_name(c->state));
	if (req->oob && !c->version.oob)
		return rp_qmp_error_set(err, RP_QMP_ARGUMENT, RP_QMP_PHASE_NONE, req->command,
					"out-of-band execution is not enabled on this connection");
	return 0;
}

static void enqueue(struct rp_qmp *c, struct rp_qmp_call *call)
{
	struct rp_qmp_call *head = TAILQ_FIRST(&c->sendq);

	if (strcmp(call->name, "quit") == 0)
		c->quit_sent = true;
	if (!call->oob || head == NULL)
		TAILQ_INSERT_TAIL(&c->sendq, call, link);
	else if (head->off > 0)
		TAILQ_INSERT_AFTER(&c->sendq, head, call, link);
	else
		TAILQ_INSERT_HEAD(&c->sendq, call, link);
	c->counters.commands++;
	c->counters.in_flight++;
	rp_qmp_calls_pump(c);
}

int rp_qmp_call_start(struct rp_qmp *c, const struct rp_qmp_request *req, bool negotiation,
		      struct rp_qmp_call **out, struct rp_qmp_error *err)
{
	struct rp_qmp_call *call = call_new(c, req, err);
	int rc;

	if (call == NULL)
		return -EINVAL;
	pthread_mutex_lock(&c->lock);
	rc = admit(c, req, negotiation, err);
	if (rc == 0 &&
	    set_deadline(call, req->timeout_ms != 0 ? req->timeout_ms : c->opts.command_ms) < 0)
		rc = rp_qmp_error_set(err, RP_QMP_ARGUMENT, RP_QMP_PHASE_NONE, req->command,
				      "out of memory");
	if (rc == 0) {
		*out = rp_qmp_call_ref(call);
		enqueue(c, call);
	}
	pthread_mutex_unlock(&c->lock);
	if (rc < 0) {
		drop_timer(call);
		rp_qmp_call_free(call);
	}
	return rc;
}

struct rp_qmp_call *rp_qmp_start(struct rp_qmp *c, const struct rp_qmp_request *req,
				 struct rp_qmp_error *err)
{
	struct rp_qmp_call *call;
	int rc = rp_qmp_call_start(c, req, false, &call, err);

	if (rc == 0)
		return call;
	errno = -rc;
	return NULL;
}

int rp_qmp_call_wait(struct rp_qmp_call *call, json_t **ret, struct rp_qmp_error *err)
{
	struct rp_qmp *c = call->c;
	int rc = 0;

	if (rp_qmp_on_loop(c->loop))
		return rp_qmp_error_set(err, RP_QMP_ARGUMENT, RP_QMP_PHASE_NONE, call->name,
					"a callback may not wait; use rp_qmp_start() with done");
	pthread_mutex_lock(&c->lock);
	while (call->state != CALL_DONE) {
		// With a callback it is the loop that keeps the deadline.
		if (!rp_qmp_cond_wait_until(&call->finished, &c->lock,
					    call->done == NULL ? call->deadline_ms : 0) &&
		    call->state != CALL_DONE)
			abandon_late(call);
	}
	if (call->err.kind != RP_QMP_OK) {
		rc = -rp_qmp_kind_errno(call->err.kind);
		if (err != NULL)
			*err = call->err;
	}
	if (ret != NULL) {
		*ret = call->done == NULL ? call->ret : NULL;
		if (call->done == NULL)
			call->ret = NULL;
	}
	pthread_mutex_unlock(&c->lock);
	return rc;
}

bool rp_qmp_call_cancel(struct rp_qmp_call *call)
{
	bool pending;

	pthread_mutex_lock(&call->c->lock);
	pending = call->state != CALL_DONE;
	if (pending)
		abandon(call, RP_QMP_CANCELLED, "cancelled");
	pthread_mutex_unlock(&call->c->lock);
	return pending;
}

int rp_qmp_exec_request(struct rp_qmp *c, const struct rp_qmp_request *req, json_t **ret,
			struct rp_qmp_error *err)
{
	struct rp_qmp_request plain = *req;
	struct rp_qmp_call *call;
	int rc;

	plain.done = NULL;
	if (ret != NULL)
		*ret = NULL;
	if (rp_qmp_on_loop(c->loop))
		return rp_qmp_error_set(err, RP_QMP_ARGUMENT, RP_QMP_PHASE_NONE, req->command,
					"a callback may not wait; use rp_qmp_start() with done");
	rc = rp_qmp_call_start(c, &plain, false, &call, err);
	if (rc < 0)
		return rc;
	rc = rp_qmp_call_wait(call, ret, err);
	rp_qmp_call_free(call);
	return rc;
}

int rp_qmp_exec(struct rp_qmp *c, const char *command, json_t *arguments, json_t **ret,
		struct rp_qmp_error *err)
{
	const struct rp_qmp_request req = {.command = command, .arguments = arguments};

	return rp_qmp_exec_request(c, &req, ret, err);
}
