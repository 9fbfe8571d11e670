// SPDX-License-Identifier: BSD-3-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "proc.h"

/*
 * The console of the real daemon, typed into by a pipe, a file, /dev/null and a terminal. One
 * private network of two NICs, no VM.
 */

#define WAIT_MS 10000
#define PROMPT	"ringplane> "

static char dir[64];
static struct proc *proc;

static void write_file(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

// A shell command that becomes the daemon; tail is its last options and redirections.
static const char *command(const char *tail)
{
	static char line[1024];

	snprintf(line, sizeof(line),
		 "exec %s -l 0-1 --no-huge -m 128 --no-pci --no-telemetry --file-prefix rpcon%d -- "
		 "--init %s/init --socket-dir %s %s",
		 getenv("RINGPLANE"), getpid(), dir, dir, tail);
	return line;
}

static void start(const char *tail)
{
	const char *argv[] = {"sh", "-c", command(tail), NULL};

	proc = proc_start("ringplane", argv);
	assert_non_null(proc);
	assert_int_equal(proc_wait_line(proc, ": ready", WAIT_MS), 0);
}

static void expect(const char *text)
{
	int rc = proc_wait_line(proc, text, WAIT_MS);

	if (rc != 0)
		fail_msg("no '%s': %s", text, strerror(-rc));
}

static void type(const char *line)
{
	assert_int_equal(proc_write(proc, line), 0);
	assert_int_equal(proc_write(proc, "\n"), 0);
}

static void expect_exit(int code)
{
	int status = 0;

	assert_int_equal(proc_wait_exit(proc, WAIT_MS, &status), 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), code);
	proc_passed(proc);
}

static int make_files(void **)
{
	assert_int_equal(proc_make_dir(dir, sizeof(dir)), 0);
	write_file("init", "network create blue ipv4 10.0.0.0/24 ipv6 fd00::/64\n"
			   "nic create vm1 network blue mac 52:54:00:00:00:01\n"
			   "nic create vm2 network blue mac 52:54:00:00:00:02\n");
	write_file("commands", "show nic\n\n# a comment\nnic delete vm2\nnic list");
	return 0;
}

static int remove_files(void **)
{
	proc_remove_dir(dir);
	return 0;
}

static int stop_after(void **)
{
	proc_stop(proc);
	proc = NULL;
	return 0;
}

static void testpmds_commands_answer_in_its_layout(void **)
{
	start("-i");
	type("show port stats all");
	expect("NIC statistics for port 0 ");
	expect("  RX-packets: 0          RX-missed: 0          RX-bytes:  0\n");
	expect("  Throughput (since last show)\n");
	expect("NIC statistics for port 1 ");
	type("show port info 1");
	expect("Infos for port 1 ");
	expect("Driver name: net_vhost\n");
	type("show port stats 9");
	expect("Invalid port 9\nThe valid ports array is [ 0 1 ]\n");
	type("stop");
	expect("Telling cores to stop...\n");
	expect("Forward statistics for port 0 ");
	expect("Accumulated forward statistics for all ports");
	expect("Done.\n");
	type("stop");
	expect("Packet forwarding not started\n");
	type("start");
	expect("packet forwarding - ports=2 - cores=1\n");
	type("start");
	expect("Packet forwarding already started\n");
	type("clear port stats 0");
	expect("NIC statistics for port 0 cleared\n");
	type("clear fwd stats all");
	type("show fwd stats all");
	expect("Accumulated");
	type("quit");
	expect_exit(0);
}

static void own_commands_show_nics_drops_and_pipeline(void **)
{
	start("-i");
	type("show nic");
	expect("  vm2                1  created    blue            52:54:00:00:00:02  10.0.0.2");
	type("show nic vm1");
	expect("socket: ");
	expect("port: 0\n");
	expect("features: -\n");
	type("show nic vm9");
	expect("'vm9'");
	type("show network");
	expect("blue  10.0.0.0/24  fd00::/64");
	type("show drops");
	expect("Drops of nic vm1 (port 0)");
	expect("Drops of nic vm2 (port 1)");
	type("set profiling on");
	type("show pipeline");
	expect("Worker 0  on lcore 1 ");
	expect("  fast lane ");
	expect("  icmp_error ");
	type("show pipeline dot");
	expect("\tclassify -> arp_reply;\n");
	type("help");
	expect("show port stats PORT");
	expect("nic create NAME");
	type("quit");
	expect_exit(0);
}

static void control_planes_grammar_passes_through(void **)
{
	start("-i");
	type("nic create vm3 network blue ipv4 10.0.0.77");
	expect("ipv4: 10.0.0.77\n");
	type("show nic");
	expect("10.0.0.77");
	type("nic delete vm3");
	type("nic create vm4 network blue ipv4 10.0.1.77");
	expect("'10.0.1.77'");
	type("network lis");
	expect("did you mean 'list'");
	type("network");
	expect("expected one of");
	type("bogus");
	expect("Command not found\n");
	type("show");
	expect("Bad arguments\n");
	type("quit");
	expect_exit(0);
}

static void lines_come_in_pieces_and_several_at_once(void **)
{
	start("-i");
	proc_write(proc, "show n");
	proc_write(proc, "etwork\nnic list\nqu");
	expect("blue  10.0.0.0/24");
	expect("vm2   blue");
	proc_write(proc, "it\n");
	expect_exit(0);
}

static void endless_line_is_no_command(void **)
{
	static char line[20000];

	memset(line, 'x', sizeof(line) - 1);
	start("-i");
	type(line);
	expect("Command not found\n");
	type("show network");
	expect("blue  10.0.0.0/24");
	type("quit");
	expect_exit(0);
}

static void commands_of_a_file_run_and_its_end_quits(void **)
{
	char tail[128];

	snprintf(tail, sizeof(tail), "-i <%s/commands", dir);
	start(tail);
	expect(PROMPT "nic list\n");
	expect("vm1   blue");
	expect("Accumulated forward statistics");
	expect_exit(0);
}

static void end_of_dev_null_quits(void **)
{
	start("-i </dev/null");
	expect_exit(0);
}

static void without_i_standard_input_is_left_alone(void **)
{
	start("--stats-period 1 </dev/null");
	expect("Port statistics ====");
	expect("NIC statistics for port 1 ");
	expect("Port statistics ====");
	kill(proc_pid(proc), SIGTERM);
	expect("Accumulated forward statistics");
	expect_exit(0);
}

/*
 * A terminal.
 */
struct tty {
	int fd;
	pid_t pid;
	char out[65536];
	size_t len, seen;
};

static struct tty tty;

static void tty_start(void)
{
	const char *line = command("-i");

	tty = (struct tty){.fd = -1};
	tty.pid = forkpty(&tty.fd, NULL, NULL, NULL);
	if (tty.pid == 0) {
		execl("/bin/sh", "sh", "-c", line, NULL);
		_exit(127);
	}
	assert_true(tty.pid > 0);
}

static void tty_expect(const char *text)
{
	uint64_t end = rp_clock_ms() + WAIT_MS;
	const char *at;
	ssize_t n = 0;

	while ((at = strstr(tty.out + tty.seen, text)) == NULL) {
		struct pollfd p = {.fd = tty.fd, .events = POLLIN};
		uint64_t now = rp_clock_ms();

		if (now >= end || poll(&p, 1, (int)(end - now)) <= 0 ||
		    (n = read(tty.fd, tty.out + tty.len, sizeof(tty.out) - 1 - tty.len)) <= 0)
			fail_msg("no '%s' on the terminal behind: %s", text, tty.out + tty.seen);
		tty.len += (size_t)n;
		tty.out[tty.len] = '\0';
	}
	tty.seen = (size_t)(at - tty.out) + strlen(text);
}

static void tty_type(const char *keys)
{
	assert_int_equal(write(tty.fd, keys, strlen(keys)), strlen(keys));
}

static int tty_stop(void **)
{
	if (tty.pid > 0) {
		kill(tty.pid, SIGKILL);
		waitpid(tty.pid, NULL, 0);
	}
	close(tty.fd);
	return 0;
}

static void terminal_completes_edits_and_is_restored(void **)
{
	struct termios mode;
	int status;

	tty_start();
	tty_expect(": ready");
	tty_expect(PROMPT); // log lines do not swallow it
	tty_type("show pi\t");
	tty_expect("pipeline");
	tty_type("\r");
	tty_expect("Worker 0 ");
	tty_type("show nic vm\t");
	tty_expect("vm2");
	tty_type("1\r");
	tty_expect("features: -");
	tty_type("network \t");
	tty_expect("create");
	tty_type("lisx\x7ft\r"); // a slip, and backspace
	tty_expect("blue  10.0.0.0/24");
	assert_int_equal(tcgetattr(tty.fd, &mode), 0);
	assert_false(mode.c_lflag & ICANON);
	tty_type("\x04"); // Ctrl-D
	tty_expect("Accumulated forward statistics");
	assert_int_equal(waitpid(tty.pid, &status, 0), tty.pid);
	tty.pid = 0;
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_int_equal(tcgetattr(tty.fd, &mode), 0);
	assert_true(mode.c_lflag & ICANON);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(testpmds_commands_answer_in_its_layout, stop_after),
		cmocka_unit_test_teardown(own_commands_show_nics_drops_and_pipeline, stop_after),
		cmocka_unit_test_teardown(control_planes_grammar_passes_through, stop_after),
		cmocka_unit_test_teardown(lines_come_in_pieces_and_several_at_once, stop_after),
		cmocka_unit_test_teardown(endless_line_is_no_command, stop_after),
		cmocka_unit_test_teardown(commands_of_a_file_run_and_its_end_quits, stop_after),
		cmocka_unit_test_teardown(end_of_dev_null_quits, stop_after),
		cmocka_unit_test_teardown(without_i_standard_input_is_left_alone, stop_after),
		cmocka_unit_test_teardown(terminal_completes_edits_and_is_restored, tty_stop),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
