// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bsd/string.h>

#include "base/clock.h"
#include "qmp/internal.h"
#include "qmp/machine.h"

// How long SIGKILL may take: until the kernel has freed the memory of the guest.
#define KILL_MS 2000

struct run {
	struct rp_qmp *c;
	const struct rp_qmp_shutdown_opts *opts;
	struct rp_qmp_shutdown_result *result;
	struct rp_qmp_queue *q;
	uint64_t start_ms;
	uint64_t losses; // of the connection, before we began
	int pidfd;	 // -1: no pid given
	bool monitor_gone;
};

const char *rp_qmp_step_name(enum rp_qmp_step step)
{
	static const char *const names[] = {
		[RP_QMP_STEP_NONE] = "none",	       [RP_QMP_STEP_ALREADY_DOWN] = "already-down",
		[RP_QMP_STEP_POWERDOWN] = "powerdown", [RP_QMP_STEP_QUIT] = "quit",
		[RP_QMP_STEP_TERM] = "sigterm",	       [RP_QMP_STEP_KILL] = "sigkill",
	};

	return names[step];
}

static unsigned left(uint64_t deadline_ms)
{
	uint64_t now = rp_clock_ms();

	return deadline_ms > now ? (unsigned)(deadline_ms - now) : 0;
}

// ---- The process ----

static bool process_gone(const struct run *r, uint64_t deadline_ms)
{
	struct pollfd p = {.fd = r->pidfd, .events = POLLIN};
	int rc;

	do {
		rc = poll(&p, 1, (int)left(deadline_ms));
	} while (rc < 0 && errno == EINTR);
	return rc > 0;
}

// 0: open, or no pid was given. 1: there is no such process.
static int open_process(struct run *r, struct rp_qmp_error *err)
{
	int peer = r->c != NULL ? rp_qmp_peer_pid(r->c) : 0;

	if (r->opts->pid <= 0)
		return 0;
	if (peer != 0 && peer != r->opts->pid)
		return rp_qmp_error_set(err, RP_QMP_ARGUMENT, RP_QMP_PHASE_SHUTDOWN, "pid",
					"process %d is not behind this socket, process %d is",
					r->opts->pid, peer);
	r->pidfd = (int)syscall(SYS_pidfd_open, r->opts->pid, 0);
	if (r->pidfd >= 0)
		return 0;
	if (errno == ESRCH)
		return 1;
	return rp_qmp_error_set(err, RP_QMP_PERMISSION, RP_QMP_PHASE_SHUTDOWN, "pid",
				"cannot open process %d: %s", r->opts->pid, strerror(errno));
}

static bool signalled(const struct run *r, int sig, unsigned wait_ms)
{
	if (syscall(SYS_pidfd_send_signal, r->pidfd, sig, NULL, 0) < 0)
		return errno == ESRCH;
	return process_gone(r, rp_clock_ms() + wait_ms);
}

// ---- The monitor ----

// Ask for something whose reply nobody waits for.
static void ask(struct run *r, const char *command)
{
	const struct rp_qmp_request req = {.command = command};

	rp_qmp_call_free(rp_qmp_start(r->c, &req, NULL));
}

// The first one counts: with -no-shutdown our own quit makes a second.
static void note_shutdown(struct run *r, const struct rp_qmp_event *e)
{
	const char *reason = json_string_value(json_object_get(e->data, "reason"));

	r->result->guest = json_is_true(json_object_get(e->data, "guest"));
	strlcpy(r->result->reason, reason != NULL ? reason : "unknown", sizeof(r->result->reason));
}

// Has the machine ended, by the deadline?
static bool gone(struct run *r, uint64_t deadline_ms)
{
	struct rp_qmp_error err;
	struct rp_qmp_event *e;

	while (!r->monitor_gone) {
		if (rp_qmp_queue_wait_until(r->q, NULL, deadline_ms, r->losses, &e, &err) < 0) {
			if (err.kind == RP_QMP_TIMEOUT && err.phase == RP_QMP_PHASE_EVENT)
				return false;
			r->monitor_gone = true;
		} else {
			bool noted = r->result->reason[0] != '\0';

			if (strcmp(e->name, "SHUTDOWN") == 0 && !noted)
				note_shutdown(r, e);
			else if (strcmp(e->name, "STOP") == 0 && noted)
				ask(r, "quit"); // -no-shutdown: the guest is off, QEMU stays
			rp_qmp_event_unref(e);
		}
	}
	return r->pidfd < 0 || process_gone(r, deadline_ms);
}

/*
 * The monitor may end long before its process does. Where no pid was given the process is not ours
 * to end, but worth a word.
 */
static void note_left(struct run *r, int peer)
{
	if (r->pidfd >= 0 || peer <= 0 || peer == getpid())
		return;
	r->pidfd = (int)syscall(SYS_pidfd_open, peer, 0);
	if (r->pidfd >= 0 && !process_gone(r, rp_clock_ms() + r->opts->quit_ms))
		r->result->left_pid = peer;
}

// ---- Steps ----

// Press the button until the time is up. 1: there is no button.
static int powerdown(struct run *r, uint64_t deadline_ms)
{
	const struct rp_qmp_shutdown_opts *o = r->opts;
	uint64_t next_ms = r->start_ms + o->initial_ms;
	struct rp_qmp_request req = {.command = "system_powerdown"};
	struct rp_qmp_error err = {0};

	for (;;) {
		if (o->retry_ms == 0 || next_ms > deadline_ms)
			next_ms = deadline_ms;
		req.timeout_ms = left(next_ms) + 1;
		r->result->powerdowns++;
		if (rp_qmp_exec_request(r->c, &req, NULL, &err) < 0 &&
		    strcmp(err.class, "CommandNotFound") == 0)
			return 1;
		if (gone(r, next_ms)) {
			r->result->step = RP_QMP_STEP_POWERDOWN;
			return 0;
		}
		if (next_ms == deadline_ms || r->monitor_gone)
			return 0;
		next_ms += o->retry_ms;
	}
}

static void quit(struct run *r)
{
	uint64_t deadline_ms = rp_clock_ms() + r->opts->quit_ms;

	ask(r, "quit");
	if (gone(r, deadline_ms))
		r->result->step = RP_QMP_STEP_QUIT;
}

static void kill_process(struct run *r)
{
	if (r->pidfd < 0)
		return;
	if (signalled(r, SIGTERM, r->opts->term_ms))
		r->result->step = RP_QMP_STEP_TERM;
	else if (signalled(r, SIGKILL, KILL_MS))
		r->result->step = RP_QMP_STEP_KILL;
}

static int still_there(const struct run *r, bool forced, const char *address,
		       struct rp_qmp_error *err)
{
	if (!forced)
		return rp_qmp_error_set(err, RP_QMP_TIMEOUT, RP_QMP_PHASE_SHUTDOWN, address,
					"the guest did not power down within %u ms; it still runs "
					"(force ends it)",
					r->opts->timeout_ms);
	if (r->pidfd < 0)
		return rp_qmp_error_set(err, RP_QMP_TIMEOUT, RP_QMP_PHASE_SHUTDOWN, address,
					"QEMU does not react to quit; give the pid of its process "
					"(%d behind the socket) to end it by a signal",
					r->c != NULL ? rp_qmp_peer_pid(r->c) : 0);
	return rp_qmp_error_set(err, RP_QMP_TIMEOUT, RP_QMP_PHASE_SHUTDOWN, address,
				"process %d does not end, not even by SIGKILL", r->opts->pid);
}

static int take_steps(struct run *r, struct rp_qmp_error *err)
{
	bool force = r->opts->force;
	int rc;

	if (r->c != NULL && r->opts->timeout_ms > 0) {
		rc = powerdown(r, r->start_ms + r->opts->timeout_ms);
		force |= rc == 1; // nobody to ask: a storage daemon
	}
	if (r->c != NULL && force && !r->monitor_gone && r->result->step == RP_QMP_STEP_NONE)
		quit(r);
	if (force && r->result->step == RP_QMP_STEP_NONE)
		kill_process(r);
	if (r->result->step != RP_QMP_STEP_NONE)
		return 0;
	return still_there(r, force, r->c != NULL ? r->c->address.text : "pid", err);
}

// c NULL: the monitor is gone already, only the process may be left.
static int end_machine(struct rp_qmp *c, uint64_t losses, const struct rp_qmp_shutdown_opts *opts,
		       struct rp_qmp_shutdown_result *result, struct rp_qmp_error *err)
{
	struct run r = {
		.c = c,
		.opts = opts,
		.result = result,
		.start_ms = rp_clock_ms(),
		.losses = losses,
		.pidfd = -1,
	};
	int peer = c != NULL ? rp_qmp_peer_pid(c) : 0;
	int rc;

	rc = open_process(&r, err);
	if (rc < 0)
		return rc;
	if (rc == 1 || (c == NULL && r.pidfd < 0)) {
		result->step = RP_QMP_STEP_ALREADY_DOWN;
		return 0;
	}
	if (c != NULL)
		r.q = rp_qmp_queue_open(c, 64);
	if (c != NULL && r.q == NULL)
		rc = rp_qmp_error_set(err, RP_QMP_ARGUMENT, RP_QMP_PHASE_SHUTDOWN, c->address.text,
				      "out of memory");
	else
		rc = take_steps(&r, err);
	result->elapsed_ms = (unsigned)(rp_clock_ms() - r.start_ms);
	if (rc == 0)
		note_left(&r, peer);
	rp_qmp_queue_close(r.q);
	if (r.pidfd >= 0)
		close(r.pidfd);
	return rc;
}

// There is no connection: the machine is down, or it cannot be reached.
static int end_unreachable(const struct rp_qmp_error *why, const struct rp_qmp_shutdown_opts *opts,
			   struct rp_qmp_shutdown_result *result, struct rp_qmp_error *err)
{
	bool down = why->kind == RP_QMP_NOT_FOUND || why->kind == RP_QMP_REFUSED ||
		    why->kind == RP_QMP_CLOSED || why->kind == RP_QMP_RESET;
	bool mute = why->kind == RP_QMP_TIMEOUT || why->kind == RP_QMP_BUSY;

	// With its pid a machine can be ended whose monitor nobody can reach.
	if (down || (mute && opts->pid > 0 && opts->force))
		return end_machine(NULL, 0, opts, result, err);
	if (err != NULL)
		*err = *why;
	return -rp_qmp_kind_errno(why->kind);
}

int rp_qmp_shutdown(struct rp_qmp *c, const struct rp_qmp_shutdown_opts *opts,
		    struct rp_qmp_shutdown_result *result, struct rp_qmp_error *err)
{
	const struct rp_qmp_shutdown_opts defaults = RP_QMP_SHUTDOWN_DEFAULT;
	struct rp_qmp_counters before;
	struct rp_qmp_error why;

	memset(result, 0, sizeof(*result));
	rp_qmp_counters(c, &before);
	if (rp_qmp_wait_ready(c, 0, &why) < 0)
		return end_unreachable(&why, opts != NULL ? opts : &defaults, result, err);
	return end_machine(c, before.losses, opts != NULL ? opts : &defaults, result, err);
}

int rp_qmp_shutdown_at(const char *address, const struct rp_qmp_opts *connect,
		       const struct rp_qmp_shutdown_opts *opts,
		       struct rp_qmp_shutdown_result *result, struct rp_qmp_error *err)
{
	const struct rp_qmp_shutdown_opts defaults = RP_QMP_SHUTDOWN_DEFAULT;
	struct rp_qmp_error why = {0};
	struct rp_qmp *c;
	int rc;

	memset(result, 0, sizeof(*result));
	c = rp_qmp_connect(address, connect, &why);
	if (c == NULL)
		return end_unreachable(&why, opts != NULL ? opts : &defaults, result, err);
	rc = rp_qmp_shutdown(c, opts, result, err);
	rp_qmp_close(c);
	return rc;
}
