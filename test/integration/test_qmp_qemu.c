// SPDX-License-Identifier: BSD-3-Clause
// The QMP client against the real thing: QEMU without a guest, and qemu-storage-daemon.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "proc.h"
#include "qmp/machine.h"
#include "qmp/schema.h"

struct fixture {
	char dir[64];
	char path[96];
	char second[96];
	char server[128];
	struct proc *p;
	struct rp_qmp *c;
};

static void no_log(enum rp_log_level, const char *, void *)
{
}

static struct rp_qmp_opts test_opts(void)
{
	struct rp_qmp_opts opts = RP_QMP_OPTS_DEFAULT;

	opts.log = no_log;
	opts.connect_ms = 20000;
	opts.greeting_ms = 20000;
	opts.command_ms = 20000;
	return opts;
}

static struct rp_qmp *connect_path(const char *path, const struct rp_qmp_opts *opts)
{
	struct rp_qmp_error err;
	struct rp_qmp *c = rp_qmp_connect(path, opts, &err);

	if (c == NULL)
		fail_msg("%s: %s", path, err.desc);
	return c;
}

static void start_qemu(struct fixture *f)
{
	char second[160];
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
		"-device",
		"VGA",
		"-device",
		"qemu-xhci,id=usb",
		"-qmp",
		f->server,
		"-qmp",
		second,
		NULL,
	};

	snprintf(second, sizeof(second), "unix:%s,server=on,wait=off", f->second);
	f->p = proc_start("qemu", argv);
	assert_non_null(f->p);
}

static int make_dir(struct fixture *f)
{
	if (proc_make_dir(f->dir, sizeof(f->dir)) < 0)
		return -1;
	snprintf(f->path, sizeof(f->path), "%s/qmp", f->dir);
	snprintf(f->second, sizeof(f->second), "%s/qmp2", f->dir);
	snprintf(f->server, sizeof(f->server), "unix:%s,server=on,wait=off", f->path);
	return 0;
}

static int setup(void **state)
{
	struct rp_qmp_opts opts = test_opts();
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	if (make_dir(f) < 0)
		return -1;
	start_qemu(f);
	f->c = connect_path(f->path, &opts);
	return 0;
}

static int setup_storage_daemon(void **state)
{
	struct rp_qmp_opts opts = test_opts();
	struct fixture *f = calloc(1, sizeof(*f));
	char chardev[160];
	const char *const argv[] = {"qemu-storage-daemon", "--chardev", chardev,
				    "--monitor",	   "chardev=c", NULL};

	*state = f;
	if (make_dir(f) < 0)
		return -1;
	snprintf(chardev, sizeof(chardev), "socket,id=c,path=%s,server=on,wait=off", f->path);
	f->p = proc_start("qemu-storage-daemon", argv);
	assert_non_null(f->p);
	f->c = connect_path(f->path, &opts);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	rp_qmp_close(f->c);
	proc_passed(f->p);
	proc_stop(f->p);
	proc_remove_dir(f->dir);
	free(f);
	return 0;
}

static void ok(int rc, const struct rp_qmp_error *err)
{
	char text[1280];

	if (rc < 0)
		fail_msg("%s", rp_qmp_error_text(err, text, sizeof(text)));
}

static void assert_status(struct rp_qmp *c, const char *expected)
{
	struct rp_qmp_error err;
	char status[32];

	ok(rp_qmp_status(c, status, sizeof(status), &err), &err);
	assert_string_equal(status, expected);
}

static void assert_event(struct rp_qmp *c, const char *name)
{
	const struct rp_qmp_filter filter = {.name = name};
	struct rp_qmp_error err;
	struct rp_qmp_event *e;

	ok(rp_qmp_wait_event(c, &filter, 20000, &e, &err), &err);
	assert_true(e->seconds > 1600000000);
	rp_qmp_event_unref(e);
}

// ---- Life ----

static void status_follows_cont_stop_reset(void **state)
{
	struct fixture *f = *state;
	struct rp_qmp_error err;

	assert_int_equal(rp_qmp_peer_pid(f->c), proc_pid(f->p));
	assert_status(f->c, "prelaunch");
	assert_int_equal(rp_qmp_is_running(f->c, NULL), 0);
	ok(rp_qmp_cont(f->c, &err), &err);
	assert_event(f->c, "RESUME");
	assert_int_equal(rp_qmp_is_running(f->c, NULL), 1);
	ok(rp_qmp_stop(f->c, &err), &err);
	assert_event(f->c, "STOP");
	assert_status(f->c, "paused");
	ok(rp_qmp_system_reset(f->c, &err), &err);
	assert_event(f->c, "RESET");
	ok(rp_qmp_powerdown(f->c, &err), &err);
	assert_event(f->c, "POWERDOWN");
}

static void second_client_finds_it_busy_second_monitor_sees_events(void **state)
{
	struct rp_qmp_opts opts = test_opts();
	struct fixture *f = *state;
	struct rp_qmp_error err;
	struct rp_qmp *other;

	opts.greeting_ms = 300;
	assert_null(rp_qmp_connect(f->path, &opts, &err));
	assert_int_equal(err.kind, RP_QMP_BUSY);
	opts = test_opts();
	other = connect_path(f->second, &opts);
	ok(rp_qmp_cont(f->c, &err), &err);
	assert_event(other, "RESUME");
	rp_qmp_close(f->c);
	f->c = connect_path(f->path, &opts); // free again as soon as the first has left
	rp_qmp_close(other);
}

static void stopped_process_is_named_and_answers_late(void **state)
{
	struct rp_qmp_opts opts = test_opts();
	const struct rp_qmp_request req = {.command = "query-status", .timeout_ms = 200};
	struct fixture *f = *state;
	struct rp_qmp_counters n;
	struct rp_qmp_error err;

	kill(proc_pid(f->p), SIGSTOP);
	assert_int_equal(rp_qmp_exec_request(f->c, &req, NULL, &err), -ETIMEDOUT);
	opts.greeting_ms = 200;
	assert_null(rp_qmp_connect(f->second, &opts, &err));
	assert_int_equal(err.kind, RP_QMP_TIMEOUT);
	assert_non_null(strstr(err.desc, "is stopped"));
	kill(proc_pid(f->p), SIGCONT);
	assert_status(f->c, "prelaunch");
	rp_qmp_counters(f->c, &n);
	assert_int_equal(n.late_replies, 1);
}

static void killed_process_leaves_a_stale_socket(void **state)
{
	struct rp_qmp_opts opts = test_opts();
	struct rp_qmp_shutdown_result result;
	struct fixture *f = *state;
	struct rp_qmp_error err;
	struct rp_qmp_event *e;
	int status;

	kill(proc_pid(f->p), SIGKILL);
	assert_int_equal(proc_wait_exit(f->p, 20000, &status), 0);
	assert_true(rp_qmp_wait_event(f->c, NULL, 20000, &e, &err) < 0);
	assert_true(err.kind == RP_QMP_CLOSED || err.kind == RP_QMP_RESET);
	opts.retry_ms = 0;
	assert_null(rp_qmp_connect(f->path, &opts, &err));
	assert_int_equal(err.kind, RP_QMP_REFUSED);
	ok(rp_qmp_shutdown_at(f->path, &opts, NULL, &result, &err), &err);
	assert_int_equal(result.step, RP_QMP_STEP_ALREADY_DOWN);
}

static void quit_ends_the_process(void **state)
{
	struct fixture *f = *state;
	struct rp_qmp_error err;
	int status;

	ok(rp_qmp_quit(f->c, &err), &err);
	assert_event(f->c, "SHUTDOWN");
	assert_int_equal(proc_wait_exit(f->p, 20000, &status), 0);
	assert_int_equal(rp_qmp_exec(f->c, "query-status", NULL, NULL, &err), -ENOTCONN);
}

// ---- Garbage ----

static void abandoned_half_command_does_no_harm(void **state)
{
	struct rp_qmp_request req = {.command = "qom-get", .force = true};
	struct fixture *f = *state;
	struct rp_qmp_counters n;
	struct rp_qmp_call *call;
	char *text = malloc(4000001);

	memset(text, '{', 4000000);
	text[4000000] = '\0';
	req.arguments = json_pack("{s:s}", "path", text);
	for (int i = 0; i < 3; i++) {
		call = rp_qmp_start(f->c, &req, NULL);
		assert_non_null(call);
		assert_true(rp_qmp_call_cancel(call));
		rp_qmp_call_free(call);
		assert_status(f->c, "prelaunch");
	}
	json_decref(req.arguments);
	free(text);
	rp_qmp_counters(f->c, &n);
	assert_int_equal(n.resyncs, 3);
	assert_true(n.stray_errors >= 3);
}

static void what_qemu_cannot_parse_fails_alone(void **state)
{
	const struct rp_qmp_request good = {.command = "query-status"};
	struct rp_qmp_request deep = {.command = "query-status"};
	struct fixture *f = *state;
	struct rp_qmp_call *first, *behind;
	struct rp_qmp_error err;
	json_t *nested = json_array();

	for (int i = 0; i < 1500; i++)
		nested = json_pack("[o]", nested);
	deep.arguments = json_pack("{s:o}", "deep", nested);
	first = rp_qmp_start(f->c, &deep, NULL);
	behind = rp_qmp_start(f->c, &good, NULL);
	assert_int_equal(rp_qmp_call_wait(first, NULL, &err), -EPROTO);
	assert_non_null(strstr(err.desc, "nesting"));
	rp_qmp_call_wait(behind, NULL, NULL); // may have been swallowed
	assert_status(f->c, "prelaunch");
	rp_qmp_call_free(first);
	rp_qmp_call_free(behind);
	json_decref(deep.arguments);
}

// ---- Commands ----

static void errors_by_class(void **state)
{
	struct fixture *f = *state;
	struct rp_qmp_error err;

	assert_int_equal(rp_qmp_exec(f->c, "nosuch", NULL, NULL, &err), -EREMOTEIO);
	assert_string_equal(err.class, "CommandNotFound");
	assert_int_equal(rp_qmp_device_del(f->c, "nosuch", 0, &err), -EREMOTEIO);
	assert_string_equal(err.class, "DeviceNotFound");
	assert_int_equal(rp_qmp_has_command(f->c, "query-status", NULL), 1);
	assert_int_equal(rp_qmp_has_command(f->c, "nosuch", NULL), 0);
}

static void devices_come_and_go(void **state)
{
	struct fixture *f = *state;
	struct rp_qmp_error err;
	json_t *props, *ret;

	props = json_pack("{s:s,s:s}", "driver", "usb-tablet", "id", "t");
	ok(rp_qmp_device_add(f->c, props, &err), &err);
	ok(rp_qmp_device_del(f->c, "t", 20000, &err), &err);
	json_decref(props);
	props = json_pack("{s:s,s:s}", "type", "hubport", "id", "n");
	json_object_set_new(props, "hubid", json_integer(0));
	ok(rp_qmp_netdev_add(f->c, props, &err), &err);
	ok(rp_qmp_netdev_del(f->c, "n", &err), &err);
	json_decref(props);
	props = json_pack("{s:s,s:{}}", "type", "null", "data");
	ok(rp_qmp_chardev_add(f->c, "c", props, NULL, &err), &err);
	ok(rp_qmp_chardev_remove(f->c, "c", &err), &err);
	json_decref(props);
	ok(rp_qmp_query_block(f->c, &ret, &err), &err);
	assert_true(json_is_array(ret));
	json_decref(ret);
}

static void screendump_makes_a_png(void **state)
{
	struct fixture *f = *state;
	struct rp_qmp_error err;
	char path[128], magic[4];
	int fd;

	snprintf(path, sizeof(path), "%s/screen.png", f->dir);
	ok(rp_qmp_screendump(f->c, path, &err), &err);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(fd, magic, 4), 4);
	assert_memory_equal(magic, "\x89PNG", 4);
	close(fd);
}

static void human_monitor_line(void **state)
{
	struct fixture *f = *state;
	struct rp_qmp_error err;
	char *text;

	ok(rp_qmp_hmp(f->c, "info status", &text, &err), &err);
	assert_non_null(strstr(text, "paused"));
	free(text);
}

static void migration_to_a_file_and_to_nowhere(void **state)
{
	struct fixture *f = *state;
	struct rp_qmp_error err;
	struct stat st;
	char uri[128], file[96];

	snprintf(file, sizeof(file), "%s/machine", f->dir);
	snprintf(uri, sizeof(uri), "exec:cat >%s", file);
	ok(rp_qmp_migrate(f->c, uri, 30000, &err), &err);
	assert_int_equal(stat(file, &st), 0);
	assert_true(st.st_size > 1000);
	assert_int_equal(rp_qmp_migrate(f->c, "nonsense", 1000, &err), -EREMOTEIO);
}

static void descriptor_becomes_an_fdset(void **state)
{
	struct fixture *f = *state;
	const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	const struct rp_qmp_request req = {.command = "add-fd", .fds = &fd, .n_fds = 1};
	struct rp_qmp_error err;
	json_t *ret;

	ok(rp_qmp_exec_request(f->c, &req, &ret, &err), &err);
	assert_true(json_is_integer(json_object_get(ret, "fdset-id")));
	json_decref(ret);
	close(fd);
}

static void out_of_band_execution(void **state)
{
	struct rp_qmp_opts opts = test_opts();
	struct rp_qmp_request req = {.command = "query-yank", .oob = true};
	struct fixture *f = *state;
	struct rp_qmp_error err;
	struct rp_qmp *c;

	opts.oob = true;
	c = connect_path(f->second, &opts);
	ok(rp_qmp_exec_request(c, &req, NULL, &err), &err);
	req.command = "query-status";
	assert_int_equal(rp_qmp_exec_request(c, &req, NULL, &err), -EREMOTEIO);
	assert_status(c, "prelaunch");
	rp_qmp_close(c);
}

static void schema_of_the_server(void **state)
{
	struct fixture *f = *state;
	struct rp_qmp_schema *schema;
	struct rp_qmp_error err;

	ok(rp_qmp_schema_load(f->c, &schema, &err), &err);
	assert_string_equal(rp_qmp_schema_type(schema, "migrate", "uri"), "string");
	assert_string_equal(rp_qmp_schema_type(schema, "blockdev-add", "file.driver"), "enum");
	assert_string_equal(rp_qmp_schema_type(schema, "blockdev-add", "cache.direct"), "boolean");
	assert_null(rp_qmp_schema_type(schema, "migrate", "nosuch"));
	rp_qmp_schema_free(schema);
}

// ---- Cost: reported, not judged ----

#define ROUNDS 3000

static int by_value(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static int raw_connect(const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	assert_int_equal(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	return fd;
}

// One line there, one line back, as the shortest program would do it.
static void raw_exchange(int fd, const char *line)
{
	char buf[4096];
	ssize_t n = 0;

	if (line != NULL)
		assert_int_equal(write(fd, line, strlen(line)), strlen(line));
	do {
		n = read(fd, buf, sizeof(buf));
		assert_true(n > 0);
	} while (buf[n - 1] != '\n');
}

static void round_trip_beside_a_raw_exchange(void **state)
{
	static uint64_t raw[ROUNDS], ours[ROUNDS];
	struct fixture *f = *state;
	int fd = raw_connect(f->second);

	raw_exchange(fd, NULL);
	raw_exchange(fd, "{\"execute\":\"qmp_capabilities\"}\n");
	for (int i = 0; i < ROUNDS; i++) {
		uint64_t start = rp_clock_ns();

		raw_exchange(fd, "{\"execute\":\"query-status\",\"id\":1}\n");
		raw[i] = rp_clock_ns() - start;
		start = rp_clock_ns();
		assert_int_equal(rp_qmp_exec(f->c, "query-status", NULL, NULL, NULL), 0);
		ours[i] = rp_clock_ns() - start;
	}
	close(fd);
	qsort(raw, ROUNDS, sizeof(raw[0]), by_value);
	qsort(ours, ROUNDS, sizeof(ours[0]), by_value);
	print_message("query-status, median of %d: raw socket %.1f us, rp_qmp_exec %.1f us "
		      "(+%.1f us); 99 %%: %.1f us, %.1f us\n",
		      ROUNDS, (double)raw[ROUNDS / 2] / 1e3, (double)ours[ROUNDS / 2] / 1e3,
		      ((double)ours[ROUNDS / 2] - (double)raw[ROUNDS / 2]) / 1e3,
		      (double)raw[ROUNDS * 99 / 100] / 1e3, (double)ours[ROUNDS * 99 / 100] / 1e3);
}

// ---- Shutdown ----

// The firmware without a system ignores the power button.
static void guest_that_ignores_powerdown(void **state)
{
	struct rp_qmp_shutdown_opts opts = RP_QMP_SHUTDOWN_DEFAULT;
	struct rp_qmp_shutdown_result result;
	struct fixture *f = *state;
	struct rp_qmp_error err;
	uint64_t start;
	int status;

	ok(rp_qmp_cont(f->c, &err), &err);
	opts.initial_ms = 300;
	opts.retry_ms = 300;
	opts.timeout_ms = 1000;
	opts.pid = proc_pid(f->p);
	start = rp_clock_ms();
	ok(rp_qmp_shutdown(f->c, &opts, &result, &err), &err);
	print_message("timeout 1000 ms: took %llu ms, step %s\n",
		      (unsigned long long)(rp_clock_ms() - start), rp_qmp_step_name(result.step));
	assert_true(rp_clock_ms() - start <= 1000 + 1000);
	assert_true(result.step == RP_QMP_STEP_QUIT);
	assert_string_equal(result.reason, "host-qmp-quit");
	assert_true(result.powerdowns >= 3);
	assert_int_equal(proc_wait_exit(f->p, 20000, &status), 0);
}

static void frozen_process_is_killed(void **state)
{
	struct rp_qmp_shutdown_opts opts = RP_QMP_SHUTDOWN_DEFAULT;
	struct rp_qmp_shutdown_result result;
	struct fixture *f = *state;
	struct rp_qmp_error err;
	uint64_t start;

	opts.timeout_ms = 300;
	opts.pid = proc_pid(f->p);
	kill(opts.pid, SIGSTOP);
	start = rp_clock_ms();
	ok(rp_qmp_shutdown(f->c, &opts, &result, &err), &err);
	print_message("timeout 300 ms: took %llu ms, step %s\n",
		      (unsigned long long)(rp_clock_ms() - start), rp_qmp_step_name(result.step));
	assert_int_equal(result.step, RP_QMP_STEP_KILL);
}

// ---- qemu-storage-daemon ----

static void storage_daemon_has_no_machine(void **state)
{
	struct rp_qmp_shutdown_result result;
	struct fixture *f = *state;
	struct rp_qmp_error err;
	char status[32];

	assert_int_equal(rp_qmp_status(f->c, status, sizeof(status), &err), -EREMOTEIO);
	assert_string_equal(err.class, "CommandNotFound");
	assert_int_equal(rp_qmp_has_command(f->c, "blockdev-add", NULL), 1);
	assert_int_equal(rp_qmp_has_command(f->c, "query-status", NULL), 0);
	ok(rp_qmp_shutdown(f->c, NULL, &result, &err), &err);
	assert_int_equal(result.step, RP_QMP_STEP_QUIT);
	assert_int_equal(result.left_pid, 0);
	assert_true(result.elapsed_ms < 3000);
}

#define QEMU_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		QEMU_TEST(status_follows_cont_stop_reset),
		QEMU_TEST(second_client_finds_it_busy_second_monitor_sees_events),
		QEMU_TEST(stopped_process_is_named_and_answers_late),
		QEMU_TEST(killed_process_leaves_a_stale_socket),
		QEMU_TEST(quit_ends_the_process),
		QEMU_TEST(abandoned_half_command_does_no_harm),
		QEMU_TEST(what_qemu_cannot_parse_fails_alone),
		QEMU_TEST(errors_by_class),
		QEMU_TEST(devices_come_and_go),
		QEMU_TEST(screendump_makes_a_png),
		QEMU_TEST(human_monitor_line),
		QEMU_TEST(migration_to_a_file_and_to_nowhere),
		QEMU_TEST(descriptor_becomes_an_fdset),
		QEMU_TEST(out_of_band_execution),
		QEMU_TEST(schema_of_the_server),
		QEMU_TEST(round_trip_beside_a_raw_exchange),
		QEMU_TEST(guest_that_ignores_powerdown),
		QEMU_TEST(frozen_process_is_killed),
		cmocka_unit_test_setup_teardown(storage_daemon_has_no_machine, setup_storage_daemon,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
