// SPDX-License-Identifier: BSD-3-Clause
// The qmp command as a user types it, against the scripted QEMU as a program, and its shell at a
// terminal against a real one. argv: the paths of qmp and mock-qemu.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proc.h"

static const char *qmp_path, *mock_path;

struct fixture {
	char dir[64];
	char path[96];
	struct proc *mock;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	if (proc_make_dir(f->dir, sizeof(f->dir)) < 0)
		return -1;
	snprintf(f->path, sizeof(f->path), "%s/vm.qmp", f->dir);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	if (f->mock != NULL)
		proc_passed(f->mock);
	proc_stop(f->mock);
	proc_remove_dir(f->dir);
	free(f);
	return 0;
}

static void start_mock(struct fixture *f, const char *script)
{
	char file[96];
	const char *const argv[] = {mock_path, f->path, file, NULL};
	FILE *out;

	snprintf(file, sizeof(file), "%s/script", f->dir);
	out = fopen(file, "we");
	fputs(script, out);
	fclose(out);
	f->mock = proc_start("mock-qemu", argv);
	assert_int_equal(proc_wait_line(f->mock, "listening", 10000), 0);
}

/*
 * Run "qmp" with the words of a line ("@" is the socket, "%" the directory) and compare its exit
 * status; its output (stdout and stderr) must contain the texts up to NULL, in this order.
 */
static void check(struct fixture *f, int status, const char *line, ...)
{
	char copy[512], pattern[96], *rest = copy, *word;
	const char *argv[32] = {qmp_path};
	struct proc *p;
	unsigned n = 1, missing = 0;
	const char *text;
	va_list ap;
	int got;

	snprintf(copy, sizeof(copy), "%s", line);
	snprintf(pattern, sizeof(pattern), "%s/*.qmp", f->dir);
	while ((word = strsep(&rest, " ")) != NULL && n < 31)
		argv[n++] = strcmp(word, "@") == 0   ? f->path
			    : strcmp(word, "%") == 0 ? pattern
						     : word;
	p = proc_start("qmp", argv);
	assert_non_null(p);
	assert_int_equal(proc_wait_exit(p, 20000, &got), 0);
	va_start(ap, line);
	while ((text = va_arg(ap, const char *)) != NULL) {
		if (proc_wait_line(p, text, 5000) < 0)
			print_error("qmp %s: expected '%s'\n", line, text), missing++;
	}
	va_end(ap);
	if (WIFEXITED(got) && WEXITSTATUS(got) == status && missing == 0)
		proc_passed(p);
	proc_stop(p);
	assert_int_equal(missing, 0);
	assert_true(WIFEXITED(got));
	if (WEXITSTATUS(got) != status)
		fail_msg("qmp %s: exit status %d, expected %d", line, WEXITSTATUS(got), status);
}

static const char machine[] =
	"on query-status\nreturn {\"status\":\"running\",\"running\":true}\n"
	"on query-commands\nreturn [{\"name\":\"stop\"},{\"name\":\"cont\"}]\n"
	"on query-qmp-schema\nreturn [{\"name\":\"echo\",\"meta-type\":\"command\","
	"\"arg-type\":\"1\"},{\"name\":\"1\",\"meta-type\":\"object\",\"members\":["
	"{\"name\":\"id\",\"type\":\"str\"}]},{\"name\":\"str\",\"meta-type\":\"builtin\","
	"\"json-type\":\"string\"}]\n"
	"on echo\necho\n"
	"on fail\nerror DeviceNotFound no such device\n"
	"on human-monitor-command\nreturn \"VM status: running\\r\\n\"\n"
	"on stop\nevent STOP\nreturn {}\n"
	"on noise\nevent A {\"x\":1}\nevent B {\"x\":2}\nevent A {\"x\":3}\nreturn {}\nclose\n"
	"on silent\n"
	"on die\nclose\n"
	"on system_powerdown\nreturn {}\n"
	"on quit\nevent SHUTDOWN {\"guest\":false,\"reason\":\"host-qmp-quit\"}\nreturn "
	"{}\nclose\n";

static void verbs_in_text_and_json(void **state)
{
	struct fixture *f = *state;

	start_mock(f, machine);
	check(f, 0, "@ status", "running\n", NULL);
	check(f, 0, "--json @ status", "{\"status\": \"running\", \"running\": true}\n", NULL);
	check(f, 0, "@ --pretty status", "{\n  \"status\": \"running\"", NULL);
	check(f, 0, "@ run echo id=5 n=5 a.b=x", "\"id\": \"5\"", "\"n\": 5", "\"a\": {", NULL);
	check(f, 0, "-j @ run echo {\"n\":[1]}", "{\"n\": [1]}\n", NULL);
	check(f, 0, "@ stop", NULL);
	check(f, 0, "--json @ cont", "{}\n", NULL);
	check(f, 0, "@ hmp info status", "VM status: running", NULL);
	check(f, 0, "@ commands", "cont\nstop\n", NULL);
	check(f, 0, "@ commands echo", "id=string\n", NULL);
	check(f, 0, "@ screendump x.png", NULL);
	check(f, 0, "--counters @ reset", "\"replies\": 2", "\"histogram\"", NULL);
	check(f, 0, "unix:/dev/null --help", "Exit status", NULL);
	check(f, 0, "--timeout 0.3 @ shutdown", "down: by quit (host-qmp-quit), 0.3", "still runs",
	      NULL); // the mock does
	check(f, 0, "-t 0.3 -j @ shutdown", "\"step\": \"quit\"", "\"reason\": \"host-qmp-quit\"",
	      NULL);
}

static void events_and_wait(void **state)
{
	struct fixture *f = *state;

	start_mock(f,
		   "on accept\nevent A {\"x\":1}\nevent B {\"x\":2}\nevent A {\"x\":3}\ngreet\n");
	check(f, 0, "--count 2 @ events", "Z A {\"x\": 1}\n", "Z B {\"x\": 2}\n", NULL);
	check(f, 0, "-j --count 1 @ events x=3", "{\"event\": \"A\", \"data\": {\"x\": 3}", NULL);
	check(f, 0, "--filter B* --timeout 0.2 @ events", "Z B", NULL);
	check(f, 0, "@ wait A x=3", "Z A {\"x\": 3}\n", NULL);
	check(f, 7, "--timeout 0.1 @ wait C", "no such event in time", NULL);
}

static void exit_status_of_each_kind(void **state)
{
	struct fixture *f = *state;

	check(f, 3, "@ status", "no such socket", NULL);
	check(f, 3, "-j @ status", "{\"error\": {\"kind\": \"not-found\"", NULL);
	check(f, 0, "@ shutdown", "was down already", NULL);
	start_mock(f, machine);
	check(f, 1, "@ run fail", "no such device (DeviceNotFound)", NULL);
	check(f, 1, "-j @ run fail", "\"class\": \"DeviceNotFound\"", NULL);
	check(f, 7, "--timeout 0.1 @ run silent", "no reply in time", NULL);
	check(f, 8, "@ run die", "QEMU closed the connection", NULL);
	proc_passed(f->mock);
	proc_stop(f->mock);
	f->mock = NULL;
	check(f, 5, "@ status", "no QEMU behind the socket", NULL);
}

static void exit_status_of_a_stranger(void **state)
{
	struct fixture *f = *state;

	start_mock(f, "on accept\nraw QEMU monitor\\r\\n(qemu)\n");
	check(f, 10, "--timeout 0.2 @ status", "this is no QMP monitor", NULL);
}

static void wrong_usage(void **state)
{
	struct fixture *f = *state;

	start_mock(f, machine);
	check(f, 2, "@", "VERB is missing", NULL);
	check(f, 2, "@ query-status", "'run query-status'", NULL);
	check(f, 2, "@ run", "something is missing", NULL);
	check(f, 2, "@ status now", "too many arguments", NULL);
	check(f, 2, "@ run echo x", "expected key=value", NULL);
	check(f, 2, "@ run echo {", "not JSON", NULL);
	check(f, 2, "--timeout soon @ status", "expected seconds", NULL);
	check(f, 2, "--count -1 @ events", "expected a whole number", NULL);
	check(f, 2, "--nosuch @ status", "try 'qmp --help'", NULL);
	check(f, 2, "tcp:nowhere status", "expected PATH", NULL);
	check(f, 2, "/dev/null status", "is not a socket", NULL);
	check(f, 2, "--pid 1 @ shutdown", "is not behind this socket", NULL);
	check(f, 2, "--fd 99 @ run getfd fdname=x", "descriptor 99", NULL);
	check(f, 2, "--all % events", "not with events", NULL);
}

static void all_sockets_of_a_pattern(void **state)
{
	struct fixture *f = *state;
	char stale[128];
	const char *const argv[] = {mock_path, stale, NULL};
	struct proc *p;

	snprintf(stale, sizeof(stale), "%s/stale.qmp", f->dir);
	p = proc_start("mock-qemu", argv);
	assert_int_equal(proc_wait_line(p, "listening", 10000), 0);
	proc_passed(p);
	proc_stop(p);
	start_mock(f, machine);
	check(f, 12, "--all % status", "SOCKET", "stale.qmp", "refused", "running", "7.2.22", NULL);
	check(f, 12, "-j --all % run echo n=1", "\"refused\"", "\"return\": {\"n\": 1}", NULL);
	check(f, 0, "-t 0.2 --all % shutdown", "was down already", "down: by quit", NULL);
	check(f, 3, "--all /no/such/* status", "no socket matches", NULL);
}

// ---- The shell ----

static void shell_reads_lines_and_stops_at_the_first_failure(void **state)
{
	struct fixture *f = *state;
	const char *const argv[] = {"/bin/sh",
				    "-c",
				    "printf '# c\\necho id=7 t=\"x y\"\\necho {\"j\": [1, "
				    "2]}\\nfail\\necho never=1\\n' | \"$0\" --json \"$1\" shell",
				    qmp_path,
				    f->path,
				    NULL};
	struct proc *p;
	char *output;
	int status;

	start_mock(f, machine);
	p = proc_start("qmp shell", argv);
	assert_int_equal(proc_wait_exit(p, 20000, &status), 0);
	assert_int_equal(WEXITSTATUS(status), 1);
	assert_int_equal(
		proc_wait_line(p, "{\"id\": \"7\", \"t\": \"x y\"}\n{\"j\": [1, 2]}\n", 5000), 0);
	assert_int_equal(proc_wait_line(p, "DeviceNotFound", 5000), 0);
	output = proc_output(p);
	assert_null(strstr(output, "never"));
	free(output);
	proc_passed(p);
	proc_stop(p);
}

// Type and wait until the terminal shows the text.
static void type(int fd, const char *keys, const char *expected)
{
	char seen[32768];
	size_t n = 0;

	assert_int_equal(write(fd, keys, strlen(keys)), strlen(keys));
	seen[0] = '\0';
	while (strstr(seen, expected) == NULL) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t got;

		if (n == sizeof(seen) - 1 || poll(&p, 1, 20000) <= 0)
			fail_msg("'%s' does not show '%s' but: %s", keys, expected, seen);
		got = read(fd, seen + n, sizeof(seen) - 1 - n);
		if (got <= 0)
			fail_msg("'%s': the shell ended before '%s': %s", keys, expected, seen);
		n += (size_t)got;
		seen[n] = '\0';
	}
}

static void shell_completes_from_the_schema_of_a_real_qemu(void **state)
{
	struct fixture *f = *state;
	char server[160];
	const char *const argv[] = {
		"qemu-system-x86_64",
		"-accel",
		"tcg",
		"-nodefaults",
		"-no-user-config",
		"-display",
		"none",
		"-S",
		"-M",
		"q35",
		"-m",
		"32",
		"-qmp",
		server,
		NULL,
	};
	const struct winsize size = {.ws_row = 40, .ws_col = 200};
	struct proc *qemu;
	int fd, status;
	pid_t pid;

	snprintf(server, sizeof(server), "unix:%s,server=on,wait=off", f->path);
	qemu = proc_start("qemu", argv);
	assert_int_equal(proc_wait_socket(qemu, f->path, 20000), 0);
	pid = forkpty(&fd, NULL, NULL, &size);
	if (pid == 0) {
		setenv("TERM", "xterm", 1);
		setenv("INPUTRC", "/dev/null", 1);
		execl(qmp_path, "qmp", "--connect-timeout", "20", f->path, "shell", NULL);
		_exit(127);
	}
	type(fd, "", "(qmp) ");
	type(fd, "query-kv\t", "query-kvm ");
	type(fd, "\n", "\"present\": ");
	type(fd, "blockdev-add dri\tnull-c\t file.dri\t", "driver=null-co  file.driver=");
	type(fd, "null-a\t n\t\t", "node-name=");
	type(fd, "\025cont\n", "RESUME {}"); // Ctrl-U: drop the line
	type(fd, ".hmp info status\n", "VM status: running");
	type(fd, ".nosuch\n", "not understood");
	type(fd, "echo 'open\n", "a quote is open");
	type(fd, "quit\n", "QEMU closed the connection");
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 8);
	close(fd);
	proc_passed(qemu);
	proc_stop(qemu);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		CASE(verbs_in_text_and_json),
		CASE(events_and_wait),
		CASE(exit_status_of_each_kind),
		CASE(exit_status_of_a_stranger),
		CASE(wrong_usage),
		CASE(all_sockets_of_a_pattern),
		CASE(shell_reads_lines_and_stops_at_the_first_failure),
		CASE(shell_completes_from_the_schema_of_a_real_qemu),
	};

	if (argc != 3) {
		fprintf(stderr, "usage: test_qmp_command QMP MOCK-QEMU\n");
		return 2;
	}
	qmp_path = argv[1];
	mock_path = argv[2];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
