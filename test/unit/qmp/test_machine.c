// SPDX-License-Identifier: BSD-3-Clause
#include "util.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "qmp/machine.h"

static const struct rp_qmp_shutdown_opts quick = {
	.initial_ms = 50,
	.retry_ms = 50,
	.timeout_ms = 220,
	.force = true,
	.quit_ms = 200,
	.term_ms = 200,
};

static void status_and_running(void **)
{
	struct mock *m = mock_start(
		NULL, "on query-status\nreturn {\"status\":\"paused\",\"running\":false}");
	struct rp_qmp *c = connect_to(m);
	char status[32];

	assert_int_equal(rp_qmp_status(c, status, sizeof(status), NULL), 0);
	assert_string_equal(status, "paused");
	assert_int_equal(rp_qmp_is_running(c, NULL), 0);
	rp_qmp_close(c);
	mock_stop(m);
}

static void reply_of_another_shape_is_a_protocol_error(void **)
{
	struct mock *m = mock_start(NULL, "on query-status\nreturn []");
	struct rp_qmp *c = connect_to(m);
	struct rp_qmp_error err;
	char status[32], *text;

	assert_int_equal(rp_qmp_status(c, status, sizeof(status), &err), -EPROTO);
	assert_kind(&err, RP_QMP_PROTOCOL);
	assert_int_equal(rp_qmp_hmp(c, "info", &text, &err), -EPROTO);
	rp_qmp_close(c);
	mock_stop(m);
}

static void device_del_waits_for_its_own_event(void **)
{
	struct mock *m =
		mock_start(NULL, "on device_del\nreturn {}\n"
				 "event DEVICE_DELETED {\"device\":\"b\",\"path\":\"/b\"}\n"
				 "wait 20\n"
				 "event DEVICE_DELETED {\"device\":\"a\",\"path\":\"/a\"}");
	struct rp_qmp *c = connect_to(m);
	struct rp_qmp_error err;

	assert_int_equal(rp_qmp_device_del(c, "a", 5000, NULL), 0);
	assert_int_equal(rp_qmp_device_del(c, "never", 100, &err), -ETIMEDOUT);
	assert_int_equal(err.phase, RP_QMP_PHASE_EVENT);
	rp_qmp_close(c);
	mock_stop(m);
}

static void failed_migration_tells_why(void **)
{
	struct mock *m = mock_start(
		NULL,
		"on migrate\nreturn {}\nevent MIGRATION {\"status\":\"setup\"}\n"
		"event MIGRATION {\"status\":\"failed\"}\n"
		"on query-migrate\nreturn {\"status\":\"failed\",\"error-desc\":\"no disk\"}");
	struct rp_qmp *c = connect_to(m);
	struct rp_qmp_error err;

	assert_int_equal(rp_qmp_migrate(c, "exec:false", 5000, &err), -EREMOTEIO);
	assert_string_equal(err.desc, "failed: no disk");
	rp_qmp_close(c);
	mock_stop(m);
}

// ---- Shutdown ----

static void guest_obeys(void **)
{
	struct mock *m =
		mock_start(NULL, "on system_powerdown\nevent POWERDOWN\nreturn {}\nwait 30\n"
				 "event SHUTDOWN {\"guest\":true,\"reason\":\"guest-shutdown\"}\n"
				 "close");
	struct rp_qmp *c = connect_to(m);
	struct rp_qmp_shutdown_result r;

	assert_int_equal(rp_qmp_shutdown(c, NULL, &r, NULL), 0);
	assert_int_equal(r.step, RP_QMP_STEP_POWERDOWN);
	assert_string_equal(r.reason, "guest-shutdown");
	assert_true(r.guest);
	assert_int_equal(r.powerdowns, 1);
	rp_qmp_close(c);
	mock_stop(m);
}

static void guest_obeys_and_qemu_stays_for_quit(void **)
{
	// As with -no-shutdown: the guest is off, QEMU waits to be told.
	struct mock *m = mock_start(
		NULL,
		"on quit\nevent SHUTDOWN {\"guest\":false,\"reason\":\"host-qmp-quit\"}\nreturn "
		"{}\nclose\non system_powerdown\nreturn {}\n"
		"event SHUTDOWN {\"guest\":true,\"reason\":\"guest-shutdown\"}\n"
		"event STOP");
	struct rp_qmp *c = connect_to(m);
	struct rp_qmp_shutdown_result r;

	assert_int_equal(rp_qmp_shutdown(c, NULL, &r, NULL), 0);
	assert_int_equal(r.step, RP_QMP_STEP_POWERDOWN);
	assert_string_equal(r.reason, "guest-shutdown");
	assert_int_equal(mock_count(m, "quit"), 1);
	rp_qmp_close(c);
	mock_stop(m);
}

static void guest_ignores_and_quit_ends_it(void **)
{
	struct mock *m = mock_start(
		NULL, "on quit\nevent SHUTDOWN "
		      "{\"guest\":false,\"reason\":\"host-qmp-quit\"}\nreturn {}\nclose");
	struct rp_qmp *c = connect_to(m);
	struct rp_qmp_shutdown_result r;

	assert_int_equal(rp_qmp_shutdown(c, &quick, &r, NULL), 0);
	assert_int_equal(r.step, RP_QMP_STEP_QUIT);
	assert_string_equal(r.reason, "host-qmp-quit");
	assert_false(r.guest);
	assert_true(r.powerdowns >= 4);
	assert_true(r.elapsed_ms >= 220);
	rp_qmp_close(c);
	mock_stop(m);
}

static void without_force_it_is_left_running(void **)
{
	struct mock *m = mock_start(NULL, "");
	struct rp_qmp *c = connect_to(m);
	struct rp_qmp_shutdown_opts opts = quick;
	struct rp_qmp_shutdown_result r;
	struct rp_qmp_error err;

	opts.force = false;
	assert_int_equal(rp_qmp_shutdown(c, &opts, &r, &err), -ETIMEDOUT);
	assert_int_equal(err.phase, RP_QMP_PHASE_SHUTDOWN);
	assert_int_equal(r.step, RP_QMP_STEP_NONE);
	assert_int_equal(mock_count(m, "quit"), 0);
	rp_qmp_close(c);
	mock_stop(m);
}

static void no_power_button_means_quit(void **)
{
	struct mock *m = mock_start(NULL, "on system_powerdown\nerror CommandNotFound no\n"
					  "on quit\nreturn {}\nclose");
	struct rp_qmp *c = connect_to(m);
	struct rp_qmp_shutdown_opts opts = quick;
	struct rp_qmp_shutdown_result r;

	opts.force = false;
	opts.timeout_ms = 20000;
	assert_int_equal(rp_qmp_shutdown(c, &opts, &r, NULL), 0);
	assert_int_equal(r.step, RP_QMP_STEP_QUIT);
	assert_true(r.elapsed_ms < 10000);
	rp_qmp_close(c);
	mock_stop(m);
}

static void deaf_qemu_without_pid_is_a_timeout(void **)
{
	struct mock *m = mock_start(NULL, "on system_powerdown\ndeaf");
	struct rp_qmp *c = connect_to(m);
	struct rp_qmp_shutdown_result r;
	struct rp_qmp_error err;

	assert_int_equal(rp_qmp_shutdown(c, &quick, &r, &err), -ETIMEDOUT);
	assert_non_null(strstr(err.desc, "does not react to quit"));
	assert_true(r.elapsed_ms >= 420);
	rp_qmp_close(c);
	mock_stop(m);
}

// A process that has to be ended by a signal; the mock behind the socket is this very test, so the
// monitor is already gone in these cases.
static pid_t sleeper(bool stubborn)
{
	pid_t pid;
	int pipes[2];
	char byte;

	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	if (pid == 0) {
		if (stubborn)
			signal(SIGTERM, SIG_IGN);
		if (write(pipes[1], "", 1) == 1)
			pause();
		_exit(0);
	}
	assert_int_equal(read(pipes[0], &byte, 1), 1);
	close(pipes[0]);
	close(pipes[1]);
	return pid;
}

static void process_is_ended(bool stubborn, enum rp_qmp_step step)
{
	struct rp_qmp_shutdown_opts opts = quick;
	struct rp_qmp_opts connect = test_opts();
	struct rp_qmp_shutdown_result r;
	int status;

	connect.retry_ms = 0;
	opts.pid = sleeper(stubborn);
	assert_int_equal(rp_qmp_shutdown_at("/no/such/socket", &connect, &opts, &r, NULL), 0);
	assert_int_equal(r.step, step);
	assert_int_equal(waitpid(opts.pid, &status, 0), opts.pid);
	assert_true(WIFSIGNALED(status));
	// Now it is gone, and so is nothing left to do.
	assert_int_equal(rp_qmp_shutdown_at("/no/such/socket", &connect, &opts, &r, NULL), 0);
	assert_int_equal(r.step, RP_QMP_STEP_ALREADY_DOWN);
}

static void process_without_monitor_gets_sigterm(void **)
{
	process_is_ended(false, RP_QMP_STEP_TERM);
}

static void process_that_ignores_sigterm_gets_sigkill(void **)
{
	process_is_ended(true, RP_QMP_STEP_KILL);
}

static void wrong_pid_is_refused(void **)
{
	struct mock *m = mock_start(NULL, "");
	struct rp_qmp *c = connect_to(m);
	struct rp_qmp_shutdown_opts opts = quick;
	struct rp_qmp_shutdown_result r;
	struct rp_qmp_error err;

	opts.pid = 1;
	assert_int_equal(rp_qmp_shutdown(c, &opts, &r, &err), -EINVAL);
	assert_kind(&err, RP_QMP_ARGUMENT);
	assert_int_equal(mock_count(m, NULL), 0);
	rp_qmp_close(c);
	mock_stop(m);
}

static void dead_machine_is_success(void **)
{
	struct mock *m = mock_start(NULL, "on die\nclose");
	struct rp_qmp_opts connect = test_opts();
	struct rp_qmp *c = connect_to(m);
	struct rp_qmp_shutdown_result r;

	exec_fails(c, "die", RP_QMP_CLOSED);
	assert_int_equal(rp_qmp_shutdown(c, &quick, &r, NULL), 0);
	assert_int_equal(r.step, RP_QMP_STEP_ALREADY_DOWN);
	rp_qmp_close(c);
	mock_stop(m);
	connect.retry_ms = 0;
	assert_int_equal(rp_qmp_shutdown_at("/no/such/socket", &connect, &quick, &r, NULL), 0);
	assert_int_equal(r.step, RP_QMP_STEP_ALREADY_DOWN);
}

static void quit_without_a_reply_is_success(void **)
{
	struct mock *m = mock_start(NULL, "on quit\nclose");
	struct rp_qmp *c = connect_to(m);

	assert_int_equal(rp_qmp_quit(c, NULL), 0);
	assert_int_equal(rp_qmp_quit(c, NULL), -ENOTCONN);
	rp_qmp_close(c);
	mock_stop(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_and_running),
		cmocka_unit_test(reply_of_another_shape_is_a_protocol_error),
		cmocka_unit_test(device_del_waits_for_its_own_event),
		cmocka_unit_test(failed_migration_tells_why),
		cmocka_unit_test(guest_obeys),
		cmocka_unit_test(guest_obeys_and_qemu_stays_for_quit),
		cmocka_unit_test(guest_ignores_and_quit_ends_it),
		cmocka_unit_test(without_force_it_is_left_running),
		cmocka_unit_test(no_power_button_means_quit),
		cmocka_unit_test(deaf_qemu_without_pid_is_a_timeout),
		cmocka_unit_test(process_without_monitor_gets_sigterm),
		cmocka_unit_test(process_that_ignores_sigterm_gets_sigkill),
		cmocka_unit_test(wrong_pid_is_refused),
		cmocka_unit_test(dead_machine_is_success),
		cmocka_unit_test(quit_without_a_reply_is_success),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
