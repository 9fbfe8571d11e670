// SPDX-License-Identifier: BSD-3-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "proc.h"

/*
 * How the real daemon starts, or says in one line why it does not and what to do; without
 * privilege and VMs.
 */

#define WAIT_MS 10000

static char dir[64];
static struct proc *first, *second;

static struct proc *start(const char *eal, const char *tail)
{
	static unsigned int number;
	char line[512];
	const char *argv[] = {"sh", "-c", line, NULL};
	struct proc *p;

	snprintf(line, sizeof(line),
		 "exec %s %s --no-huge -m 128 --no-pci --no-telemetry --file-prefix rpstart%d-%u "
		 "-- --no-host --socket-dir %s/run %s",
		 getenv("RINGPLANE"), eal, getpid(), number++, dir, tail);
	p = proc_start("ringplane", argv);
	assert_non_null(p);
	return p;
}

static struct proc *start_ready(const char *tail)
{
	struct proc *p = start("-l 0-1", tail);

	assert_int_equal(proc_wait_line(p, ": ready", WAIT_MS), 0);
	return p;
}

static void expect_end(struct proc **p, int code)
{
	int status = 0;

	assert_int_equal(proc_wait_exit(*p, WAIT_MS, &status), 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), code);
	proc_passed(*p);
	proc_stop(*p);
	*p = NULL;
}

static void refuses(const char *eal, const char *tail, int code, const char *const *texts)
{
	char *out, *line;

	first = start(eal, tail);
	assert_int_equal(proc_wait_line(first, "ringplane: error: ", WAIT_MS), 0);
	assert_int_equal(proc_wait_exit(first, WAIT_MS, &(int){0}), 0);
	out = proc_output(first);
	line = strstr(out, "ringplane: error: ");
	*strchrnul(line, '\n') = '\0';
	for (; *texts != NULL; texts++)
		if (strstr(line, *texts) == NULL)
			fail_msg("%s: no '%s' in '%s'", tail, *texts, line);
	free(out);
	expect_end(&first, code);
}

static void mistakes_are_told_in_one_line(void **)
{
	static const struct {
		const char *eal, *tail;
		int code;
		const char *texts[4];
	} cases[] = {
		{"-l 0", "", 1, {"lcores", "a worker needs", "-l 0-1"}},
		{"-l 0-1", "--bogus", 2, {"'--bogus'", "--help"}},
		{"-l 0-1", "--init", 2, {"'--init'", "needs a value"}},
		{"-l 0-1", "words", 2, {"'words'", "--help"}},
		{"-l 0-1", "--stats-period never", 2, {"'never'", "seconds"}},
		{"-l 0-1", "--init /nonexistent", 1, {"'/nonexistent'", "No such file"}},
		{"-l 0-1", "--state /nonexistent/s", 1, {"'/nonexistent/s'", "directory"}},
		{"-l 0-1", "--socket-dir /nonexistent/s", 1, {"'/nonexistent/s'", "may write"}},
		{"-l 0-1", "--socket-dir /dev/null", 1, {"'/dev/null'", "no directory"}},
		{"-l 0-1", "--host-ip4 169.254.0.1", 1, {"'169.254.0.1'", "not the gateway"}},
		{"-l 0-1", "--host-ip4 224.0.0.9", 1, {"'224.0.0.9'", "unicast IPv4"}},
		{"-l 0-1", "--host-ip4 fd00::1", 1, {"'fd00::1'", "unicast IPv4"}},
		{"-l 0-1", "--host-ip6 fe80::5", 1, {"'fe80::5'", "link-local"}},
		{"-l 0-1", "--host-ip6 ff02::5", 1, {"'ff02::5'", "unicast IPv6"}},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		refuses(cases[i].eal, cases[i].tail, cases[i].code, cases[i].texts);
}

static void second_one_is_refused_and_disturbs_nothing(void **)
{
	char pidfile[256];

	snprintf(pidfile, sizeof(pidfile), "--pidfile %s/other.pid --control %s/other.sock", dir,
		 dir);
	second = start_ready("");
	refuses("-l 0-1", "", 1, (const char *[]){"ringplane.pid", "runs already", NULL});
	refuses("-l 0-1", pidfile, 1, (const char *[]){"vm1.sock", "listens there", NULL});
	assert_int_equal(kill(proc_pid(second), SIGTERM), 0);
	expect_end(&second, 0);
}

static void what_a_killed_one_left_is_no_hindrance(void **)
{
	char path[128];
	struct stat st;

	first = start_ready("");
	assert_int_equal(kill(proc_pid(first), SIGKILL), 0);
	assert_int_equal(proc_wait_exit(first, WAIT_MS, &(int){0}), 0);
	proc_passed(first);
	proc_stop(first);
	snprintf(path, sizeof(path), "%s/run/vm1.sock", dir);
	assert_int_equal(stat(path, &st), 0);
	first = start_ready("");
	assert_int_equal(kill(proc_pid(first), SIGTERM), 0);
	expect_end(&first, 0);
	assert_int_equal(stat(path, &st), -1);
}

static void signals_end_it_at_any_moment(void **)
{
	static const char *const marks[] = {"EAL: Selected IOVA mode", "listens on", ": ready"};

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		int status = 0;

		first = start("-l 0-1", "");
		assert_int_equal(proc_wait_line(first, marks[i], WAIT_MS), 0);
		assert_int_equal(kill(proc_pid(first), i % 2 == 0 ? SIGTERM : SIGINT), 0);
		assert_int_equal(proc_wait_exit(first, WAIT_MS, &status), 0);
		// Before the event loop stands, the signal itself ends it.
		if (WIFSIGNALED(status))
			assert_int_equal(i, 0);
		else
			assert_int_equal(WEXITSTATUS(status), 0);
		proc_passed(first);
		proc_stop(first);
		first = NULL;
	}
}

// The socket directory may go away, as /run does when somebody cleans up.
static void lost_directory_is_named(void **)
{
	char cmd[256];

	first = start_ready("-i");
	snprintf(cmd, sizeof(cmd), "rm -r %s/run", dir);
	assert_int_equal(system(cmd), 0);
	assert_int_equal(proc_write(first, "nic create vm3 network default\n"), 0);
	assert_int_equal(proc_wait_line(first, "vm3.sock'", WAIT_MS), 0);
	assert_int_equal(proc_wait_line(first, "No such file or directory", WAIT_MS), 0);
	assert_int_equal(proc_write(first, "nic delete vm1\n"), 0);
	assert_int_equal(proc_write(first, "quit\n"), 0);
	expect_end(&first, 0);
}

// A VMM that is to listen and does not holds nobody up: waiting would be of seconds for each.
static void absent_listeners_do_not_delay(void **)
{
	char path[128], tail[160];
	FILE *f;

	snprintf(path, sizeof(path), "%s/init", dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "network create blue ipv4 10.0.0.0/24\n");
	for (int i = 0; i < 20; i++)
		fprintf(f, "nic create vm%d network blue mode client socket %s/absent%d\n", i, dir,
			i);
	fclose(f);
	snprintf(tail, sizeof(tail), "-i --init %s", path);
	first = start_ready(tail);
	assert_int_equal(proc_write(first, "network delete blue force yes\nquit\n"), 0);
	expect_end(&first, 0);
}

static int make_dir(void **)
{
	return proc_make_dir(dir, sizeof(dir));
}

static int remove_dir(void **)
{
	proc_remove_dir(dir);
	return 0;
}

static int stop_after(void **)
{
	proc_stop(first);
	proc_stop(second);
	first = NULL;
	second = NULL;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(mistakes_are_told_in_one_line, stop_after),
		cmocka_unit_test_teardown(second_one_is_refused_and_disturbs_nothing, stop_after),
		cmocka_unit_test_teardown(what_a_killed_one_left_is_no_hindrance, stop_after),
		cmocka_unit_test_teardown(signals_end_it_at_any_moment, stop_after),
		cmocka_unit_test_teardown(lost_directory_is_named, stop_after),
		cmocka_unit_test_teardown(absent_listeners_do_not_delay, stop_after),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
