// SPDX-License-Identifier: BSD-3-Clause
/*
 * kill -9 at any moment: a child walks with a store and acknowledges each step on a pipe; it is
 * killed; what the store holds then is the model after the last acknowledged step, or after the one
 * behind it, which may have been committed without a chance to say so.
 */
#include "unit/fabric/scratch.h"

#include <signal.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "unit/fabric/walk.h"

#define ROUNDS	  25
#define STEPS_MAX 40 // a round
#define BUDGET_MS 4000

// After the last acknowledgement that is waited for: before the commit, or in the middle of it.
#define KILL_US_EARLY 100
#define KILL_US_LATE  4000

static void child(const struct scratch *s, uint64_t step, int ack)
{
	struct fixture f = {0};

	f.fabric = rp_fabric_new(&fake_ops, &f.ops, "/run/ringplane", MAX_NICS, &f.err);
	if (f.fabric == NULL || rp_fabric_open_store(f.fabric, s->path, &f.err) < 0)
		_exit(1);
	for (;;) {
		walk_step(&f, step++);
		if (write(ack, "", 1) != 1)
			_exit(1);
	}
}

// Let a child walk from a step on and kill it; returns how many steps it has acknowledged.
static uint64_t killed_walk(const struct scratch *s, uint64_t step, uint64_t *state)
{
	unsigned int wanted = walk_random(state) % STEPS_MAX;
	uint64_t acked = 0;
	int fds[2], status;
	char byte;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(fds[0]);
		child(s, step, fds[1]);
	}
	close(fds[1]);
	while (acked < wanted && read(fds[0], &byte, 1) == 1)
		acked++;
	// No wait for anything: where in a step, or in the start, the signal hits is the point.
	usleep(walk_random(state) % (walk_random(state) % 2 == 0 ? KILL_US_EARLY : KILL_US_LATE));
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	while (read(fds[0], &byte, 1) == 1)
		acked++;
	close(fds[0]);
	return acked;
}

static void kill_9_leaves_before_or_after(void **)
{
	uint64_t deadline = rp_clock_ms() + BUDGET_MS;
	uint64_t state = 1, step = 0, total = 0;
	struct fixture expected, restored;
	struct scratch s;

	scratch_open(&s);
	fixture_open(&expected);
	for (int round = 0; round < ROUNDS && rp_clock_ms() < deadline; round++) {
		uint64_t acked = killed_walk(&s, step, &state);
		char *want, *have;

		for (uint64_t end = step + acked; step < end; step++)
			walk_step(&expected, step);
		fixture_open_store(&restored, &s);
		want = snapshot(expected.fabric, false);
		have = snapshot(restored.fabric, false);
		if (strcmp(want, have) != 0) {
			free(want);
			walk_step(&expected, step++);
			want = snapshot(expected.fabric, false);
		}
		assert_string_equal(have, want);
		free(want);
		free(have);
		fixture_close(&restored);
		total += acked;
	}
	assert_true(total > 100);
	assert_true(expected.fabric->n_nics > 0);
	fixture_close(&expected);
	scratch_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kill_9_leaves_before_or_after),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
