// SPDX-License-Identifier: BSD-3-Clause
#include "check.h"

#include "vm.h"

#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

int check_own_fd(struct check *c, int fd)
{
	if (fd < 0)
		rule_skip(c, "the tester has no descriptors left: %s", strerror(errno));
	if (c->n_fds == CHECK_FDS) {
		close(c->fds[0]);
		memmove(c->fds, c->fds + 1, (CHECK_FDS - 1) * sizeof(c->fds[0]));
		c->n_fds--;
	}
	c->fds[c->n_fds++] = fd;
	return fd;
}

int check_eventfd(struct check *c)
{
	return check_own_fd(c, eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
}

int check_memfd(struct check *c, size_t size)
{
	int fd = check_own_fd(c, memfd_create("guest-memory", MFD_CLOEXEC));

	if (ftruncate(fd, (off_t)size) < 0)
		rule_skip(c, "no memory for the test");
	return fd;
}

// xorshift64*: the same numbers for the same seed everywhere.
uint64_t check_random(struct check *c)
{
	c->random ^= c->random >> 12;
	c->random ^= c->random << 25;
	c->random ^= c->random >> 27;
	return c->random * UINT64_C(2685821657736338717);
}

void check_begin(struct check *c, const struct rule *rule)
{
	trace_clear(&c->trace);
	c->rule = rule;
	c->verdict = PASS;
	c->reason[0] = '\0';
	c->note[0] = '\0';
	c->n_sessions = 0;
	c->random = c->opt->seed * 2 + 1;
	rp_vhu_set_trace(trace_hook, c);
}

void check_clean_up(struct check *c)
{
	struct session *s;

	rp_vhu_set_trace(NULL, NULL);
	vm_free_all(c);
	while ((s = c->sessions) != NULL) {
		c->sessions = s->next;
		if (s->sock >= 0)
			close(s->sock);
		free(s);
	}
	while (c->n_fds > 0)
		close(c->fds[--c->n_fds]);
}

// Whether the rule makes sense here; else it is skipped with the reason.
static void check_applies(struct check *c)
{
	const struct rule *r = c->rule;
	const struct target *t = c->target;
	uint64_t features = r->features & ~t->offered, protocol = r->protocol & ~t->protocol;

	if (r->devices != 0 && (r->devices & t->device) == 0)
		rule_skip(c, "not for this type of device");
	if (features != 0)
		rule_skip(c, "virtio feature %d is not offered", __builtin_ctzll(features));
	if (protocol != 0)
		rule_skip(c, "protocol feature %s is not offered",
			  rp_vhu_protocol_feature_name((unsigned int)__builtin_ctzll(protocol)));
	if ((r->needs & (NEED_DATA | NEED_WRITE)) != 0 && !t->data)
		rule_skip(c, t->device == DEVICE_OTHER
				     ? "no data path is known for this type of device"
				     : "its rings are not seen to work (see KC1)");
	if ((r->needs & NEED_WRITE) != 0 && !t->write)
		rule_skip(c, "it sends nothing in answer to our frame (see --frame)");
	if ((r->needs & NEED_PID) != 0 && t->pid == 0)
		rule_skip(c, "needs --pid or --spawn");
	if ((r->needs & NEED_SPAWN) != 0 && t->opt->spawn == NULL)
		rule_skip(c, "needs --spawn");
	if ((r->needs & NEED_MQ) != 0 && t->queue_num < 2)
		rule_skip(c, "it has one queue only");
}

// Any answer to GET_FEATURES, right or wrong.
static int sign_of_life(struct session *s)
{
	struct rp_vhu_msg msg = msg_plain(RP_VHU_GET_FEATURES);
	int rc = rp_vhu_send(s->sock, &msg, s->c->opt->wait_ms, NULL);

	if (rc == 0)
		rc = session_recv(s, 2 * s->c->opt->wait_ms);
	return rc == -EBADMSG ? 0 : rc;
}

// A process may take its time to die (of a signal, it writes its core first).
static bool ends_within(struct target *t, unsigned int ms)
{
	uint64_t deadline = rp_clock_ms() + ms;

	while (t->pid > 0 && target_alive(t)) {
		if (rp_clock_ms() >= deadline)
			return false;
		poll(NULL, 0, 5);
	}
	return t->pid == 0 || t->opt->spawn == NULL;
}

static void note_crash(struct check *c)
{
	size_t at = strlen(c->reason);

	c->verdict = CRASH;
	snprintf(c->reason + at, sizeof(c->reason) - at, "%sthe back-end %s", at > 0 ? "; " : "",
		 c->target->end);
}

// After a rule: is it still there, and does it answer a new front-end? `ends` is how often it had
// ended before.
static void check_health(struct check *c, unsigned int ends)
{
	struct target *t = c->target;
	struct session *s;
	int rc;

	if (setjmp(c->out) != 0)
		return;
	s = session_try_open(c);
	if (s == NULL && t->ends == ends) {
		snprintf(t->end, sizeof(t->end), "does not listen any more");
		note_crash(c);
		return;
	}
	rc = s != NULL ? sign_of_life(s) : -ECONNREFUSED;
	if (rc < 0 && t->pid > 0)
		ends_within(t, c->opt->wait_ms);
	// Those that end with their connection may; a signal is a crash all the same.
	if (t->ends != ends && (!t->one_shot || strstr(t->end, "signal") != NULL)) {
		note_crash(c);
	} else if (rc == -ETIMEDOUT && !t->one_shot) {
		c->verdict = HANG;
		snprintf(c->reason, sizeof(c->reason),
			 "afterwards a new connection gets no answer to GET_FEATURES");
		// Only a fresh one can show anything about the other rules.
		target_stop(t);
	}
}

static void close_all(struct check *c)
{
	vm_free_all(c);
	for (struct session *s = c->sessions; s != NULL; s = s->next)
		session_close(s);
}

void check_run(struct check *c, const struct rule *rule)
{
	unsigned int ends = c->target->ends;
	bool skipped;

	check_begin(c, rule);
	if (setjmp(c->out) == 0) {
		check_applies(c);
		rule->run(c);
		if (c->note[0] != '\0')
			memcpy(c->reason, c->note, sizeof(c->note));
	}
	skipped = c->verdict == SKIP && c->n_sessions == 0;
	close_all(c);
	if (!skipped)
		check_health(c, ends);
	check_clean_up(c);
}
