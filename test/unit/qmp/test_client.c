// SPDX-License-Identifier: BSD-3-Clause
#include "util.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/fsuid.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

// ---- Connect ----

static void connect_fails(const char *path, const struct rp_qmp_opts *opts, enum rp_qmp_kind kind,
			  enum rp_qmp_phase phase)
{
	struct rp_qmp_error err = {0};

	errno = 0;
	assert_null(rp_qmp_connect(path, opts, &err));
	assert_int_equal(errno, rp_qmp_kind_errno(kind));
	assert_kind(&err, kind);
	assert_int_equal(err.phase, phase);
}

static void version_from_the_greeting(void **)
{
	struct mock *m = mock_start(NULL, "");
	struct rp_qmp *c = connect_to(m);
	struct rp_qmp_version v;

	rp_qmp_version(c, &v);
	assert_int_equal(v.major, 7);
	assert_int_equal(v.minor, 2);
	assert_int_equal(v.micro, 22);
	assert_string_equal(v.package, "mock");
	assert_false(v.oob);
	assert_int_equal(rp_qmp_state(c), RP_QMP_READY);
	assert_int_equal(rp_qmp_peer_pid(c), getpid());
	rp_qmp_close(c);
	mock_stop(m);
}

static void missing_socket_is_not_found(void **)
{
	struct rp_qmp_opts opts = test_opts();

	opts.retry_ms = 0;
	connect_fails("/tmp/no/such/socket", &opts, RP_QMP_NOT_FOUND, RP_QMP_PHASE_CONNECT);
}

static void missing_socket_is_retried_until_the_deadline(void **)
{
	struct rp_qmp_opts opts = test_opts();
	uint64_t start = rp_clock_ms();

	opts.retry_ms = 20;
	opts.connect_ms = 200;
	connect_fails("/tmp/no/such/socket", &opts, RP_QMP_NOT_FOUND, RP_QMP_PHASE_CONNECT);
	assert_true(rp_clock_ms() - start >= 150);
}

static void *start_later(void *arg)
{
	const struct timespec ts = {.tv_nsec = 100000000};

	nanosleep(&ts, NULL); // the case: QEMU starts after its client
	return mock_start(arg, "");
}

static void socket_that_appears_later_is_found(void **)
{
	char dir[] = "/tmp/qmp.XXXXXX", path[64];
	struct rp_qmp_opts opts = test_opts();
	struct rp_qmp *c;
	pthread_t thread;
	void *m;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/late", dir);
	pthread_create(&thread, NULL, start_later, path);
	c = rp_qmp_connect(path, &opts, NULL);
	pthread_join(thread, &m);
	assert_non_null(c);
	rp_qmp_close(c);
	mock_stop(m);
	unlink(path);
	rmdir(dir);
}

static void stale_socket_is_refused(void **)
{
	struct rp_qmp_opts opts = test_opts();
	struct mock *m = mock_start(NULL, "on quit\nexit");
	struct rp_qmp *c = connect_to(m);

	opts.retry_ms = 0;
	exec_fails(c, "quit", RP_QMP_CLOSED);
	// The listener closes right after the connection.
	for (int i = 0; i < 1000; i++) {
		struct rp_qmp_opts wait = opts;
		struct rp_qmp_error err;
		struct rp_qmp *again;

		wait.greeting_ms = 100;
		again = rp_qmp_connect(mock_path(m), &wait, &err);
		assert_null(again);
		if (err.kind == RP_QMP_REFUSED)
			break;
	}
	connect_fails(mock_path(m), &opts, RP_QMP_REFUSED, RP_QMP_PHASE_CONNECT);
	rp_qmp_close(c);
	mock_stop(m);
}

static void plain_file_is_no_socket(void **)
{
	char path[] = "/tmp/qmp.XXXXXX";
	int fd = mkstemp(path);

	connect_fails(path, NULL, RP_QMP_ARGUMENT, RP_QMP_PHASE_CONNECT);
	close(fd);
	unlink(path);
}

// Threads inherit the file system's view of the user, so this works for root, too.
static void socket_of_somebody_else_is_a_matter_of_permission(void **)
{
	struct mock *m = mock_start(NULL, "");
	int before;

	assert_int_equal(chmod(mock_path(m), 0), 0);
	before = setfsuid(65534);
	connect_fails(mock_path(m), NULL, RP_QMP_PERMISSION, RP_QMP_PHASE_CONNECT);
	setfsuid((uid_t)before);
	mock_stop(m);
}

static void bad_addresses(void **)
{
	char path[200];

	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	connect_fails(path, NULL, RP_QMP_ARGUMENT, RP_QMP_PHASE_CONNECT);
	connect_fails("", NULL, RP_QMP_ARGUMENT, RP_QMP_PHASE_CONNECT);
	connect_fails("tcp:4444", NULL, RP_QMP_ARGUMENT, RP_QMP_PHASE_CONNECT);
	connect_fails("tcp:localhost:", NULL, RP_QMP_ARGUMENT, RP_QMP_PHASE_CONNECT);
}

static void held_monitor_is_busy(void **)
{
	struct rp_qmp_opts opts = test_opts();
	struct mock *m = mock_start(NULL, "");
	struct rp_qmp *c = connect_to(m);

	opts.greeting_ms = 100;
	connect_fails(mock_path(m), &opts, RP_QMP_BUSY, RP_QMP_PHASE_GREETING);
	rp_qmp_close(c);
	c = connect_to(m);
	rp_qmp_close(c);
	mock_stop(m);
}

static void silent_server_times_out(void **)
{
	struct mock *m = mock_start(NULL, "on accept");
	struct rp_qmp_opts opts = test_opts();

	opts.greeting_ms = 100;
	connect_fails(mock_path(m), &opts, RP_QMP_TIMEOUT, RP_QMP_PHASE_GREETING);
	mock_stop(m);
}

static void silence_after_the_greeting_times_out(void **)
{
	struct mock *m = mock_start(NULL, "on qmp_capabilities");
	struct rp_qmp_opts opts = test_opts();

	opts.command_ms = 100;
	connect_fails(mock_path(m), &opts, RP_QMP_TIMEOUT, RP_QMP_PHASE_NEGOTIATE);
	mock_stop(m);
}

static void human_monitor_is_named(void **)
{
	struct mock *m =
		mock_start(NULL, "on accept\nraw QEMU 7.2.22 monitor - type 'help'\\r\\n(qemu) ");
	struct rp_qmp_opts opts = test_opts();
	struct rp_qmp_error err;

	opts.greeting_ms = 100;
	assert_null(rp_qmp_connect(mock_path(m), &opts, &err));
	assert_kind(&err, RP_QMP_PROTOCOL);
	assert_non_null(strstr(err.desc, "QEMU7.2.22monitor"));
	mock_stop(m);
}

static void close_before_the_greeting(void **)
{
	struct mock *m = mock_start(NULL, "on accept\nclose");

	connect_fails(mock_path(m), NULL, RP_QMP_CLOSED, RP_QMP_PHASE_GREETING);
	mock_stop(m);
}

static void refused_negotiation_is_a_protocol_error(void **)
{
	struct mock *m = mock_start(NULL, "on qmp_capabilities\nerror GenericError no");

	connect_fails(mock_path(m), NULL, RP_QMP_PROTOCOL, RP_QMP_PHASE_NEGOTIATE);
	mock_stop(m);
}

static void tcp_works(void **)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	struct rp_qmp_opts opts = test_opts();
	char address[64];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	// A listener without a server: connect is made, the greeting never comes.
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	getsockname(fd, (struct sockaddr *)&sa, &len);
	snprintf(address, sizeof(address), "tcp:127.0.0.1:%u",
		 ntohs(((struct sockaddr_in *)&sa)->sin_port));
	opts.retry_ms = 0;
	connect_fails(address, &opts, RP_QMP_REFUSED, RP_QMP_PHASE_CONNECT);
	listen(fd, 1);
	opts.greeting_ms = 100;
	connect_fails(address, &opts, RP_QMP_TIMEOUT, RP_QMP_PHASE_GREETING);
	close(fd);
}

// ---- Commands ----

static void value_of_return(void **)
{
	struct mock *m = mock_start(NULL, "on query-status\nreturn {\"status\":\"running\"}");
	struct rp_qmp *c = connect_to(m);
	json_t *ret;

	assert_int_equal(rp_qmp_exec(c, "query-status", NULL, &ret, NULL), 0);
	assert_string_equal(json_string_value(json_object_get(ret, "status")), "running");
	json_decref(ret);
	rp_qmp_close(c);
	mock_stop(m);
}

static void error_keeps_class_and_description(void **)
{
	struct mock *m = mock_start(NULL, "on x\nerror DeviceNotFound Device 'n' not found");
	struct rp_qmp *c = connect_to(m);
	struct rp_qmp_counters n;
	struct rp_qmp_error err;
	char text[256];

	assert_int_equal(rp_qmp_exec(c, "x", NULL, NULL, &err), -EREMOTEIO);
	assert_kind(&err, RP_QMP_COMMAND);
	assert_string_equal(err.class, "DeviceNotFound");
	assert_string_equal(err.desc, "Device 'n' not found");
	assert_string_equal(rp_qmp_error_text(&err, text, sizeof(text)),
			    "x: Device 'n' not found (DeviceNotFound)");
	rp_qmp_counters(c, &n);
	assert_int_equal(n.classes[RP_QMP_CLASS_DEVICE_NOT_FOUND], 1);
	assert_int_equal(n.errors[RP_QMP_COMMAND], 1);
	rp_qmp_close(c);
	mock_stop(m);
}

static void replies_in_any_shape(void **)
{
	const char *const accepts[] = {
		"chunk 1", "end none", "end lf", "pretty", "hold\ngreet\nflush\nchunk 3", "wait 20",
	};

	for (unsigned i = 0; i < sizeof(accepts) / sizeof(accepts[0]); i++) {
		char script[256];
		struct mock *m;
		struct rp_qmp *c;

		snprintf(script, sizeof(script), "on accept\n%s\n%s", accepts[i],
			 strstr(accepts[i], "greet") == NULL ? "greet" : "");
		m = mock_start(NULL, script);
		c = connect_to(m);
		for (int k = 0; k < 20; k++)
			exec_ok(c, "query-status");
		rp_qmp_close(c);
		mock_stop(m);
	}
}

static void two_hundred_kilobytes_in_one_line(void **)
{
	struct mock *m = mock_start(NULL, "on big\npad 207000\non huge\nchunk 1000\npad 4000000");
	struct rp_qmp *c = connect_to(m);
	json_t *ret;

	assert_int_equal(rp_qmp_exec(c, "big", NULL, &ret, NULL), 0);
	assert_int_equal(json_string_length(json_object_get(ret, "pad")), 207000);
	json_decref(ret);
	assert_int_equal(rp_qmp_exec(c, "huge", NULL, &ret, NULL), 0);
	assert_int_equal(json_string_length(json_object_get(ret, "pad")), 4000000);
	json_decref(ret);
	rp_qmp_close(c);
	mock_stop(m);
}

static void reply_beyond_the_limit_fails_only_its_command(void **)
{
	struct mock *m = mock_start(NULL, "on big\npad 5000");
	struct rp_qmp_opts opts = test_opts();
	struct rp_qmp *c;

	opts.reply_limit = 4000;
	c = connect_opts(m, &opts);
	exec_fails(c, "big", RP_QMP_PROTOCOL);
	exec_ok(c, "small");
	rp_qmp_close(c);
	mock_stop(m);
}

static void reply_that_is_not_utf8_fails_only_its_command(void **)
{
	struct mock *m =
		mock_start(NULL, "on x\nraw {\"return\": \"\\xc3\\x28\", \"id\": 4}\\r\\n");
	struct rp_qmp *c = connect_to(m);

	exec_fails(c, "x", RP_QMP_PROTOCOL);
	exec_ok(c, "y");
	rp_qmp_close(c);
	mock_stop(m);
}

static void unsigned_64_bit_numbers_survive(void **)
{
	struct mock *m = mock_start(
		NULL, "on x\nraw {\"return\": {\"a\": 18446744073709551615, \"b\": "
		      "\"18446744073709551616\", \"c\": -5, \"d\": 9223372036854775807}, "
		      "\"id\": 4}\\r\\n");
	struct rp_qmp *c = connect_to(m);
	struct rp_qmp_error err;
	json_t *ret;

	if (rp_qmp_exec(c, "x", NULL, &ret, &err) != 0)
		fail_msg("%s", err.desc);
	assert_true(json_real_value(json_object_get(ret, "a")) > 1.8e19);
	assert_string_equal(json_string_value(json_object_get(ret, "b")), "18446744073709551616");
	assert_int_equal(json_integer_value(json_object_get(ret, "c")), -5);
	assert_int_equal(json_integer_value(json_object_get(ret, "d")), INT64_MAX);
	json_decref(ret);
	rp_qmp_close(c);
	mock_stop(m);
}

static void garbage_between_replies_is_skipped(void **)
{
	struct mock *m = mock_start(NULL, "on x\nraw oops \\xff\\r\\n\nreturn {}");
	struct rp_qmp *c = connect_to(m);
	struct rp_qmp_counters n;

	for (int i = 0; i < 3; i++)
		exec_ok(c, "x");
	rp_qmp_counters(c, &n);
	assert_true(n.junk >= 10);
	rp_qmp_close(c);
	mock_stop(m);
}

static void damaged_reply_fails_only_its_command(void **)
{
	struct mock *m = mock_start(NULL, "on x\nraw {\"return\": {\"a\": 1, \\r\\n");
	struct rp_qmp *c = connect_to(m);
	const struct rp_qmp_request req = {.command = "x"};
	struct rp_qmp_call *call = rp_qmp_start(c, &req, NULL);
	struct rp_qmp_error err;

	exec_ok(c, "y");
	assert_int_equal(rp_qmp_call_wait(call, NULL, &err), -EPROTO);
	assert_kind(&err, RP_QMP_PROTOCOL);
	rp_qmp_call_free(call);
	exec_ok(c, "z");
	rp_qmp_close(c);
	mock_stop(m);
}

static void error_without_id_fails_the_oldest_and_resyncs(void **)
{
	struct mock *m = mock_start(NULL, "on x\nstray GenericError JSON parse error");
	struct rp_qmp *c = connect_to(m);
	struct rp_qmp_counters n;
	struct rp_qmp_error err;

	assert_int_equal(rp_qmp_exec(c, "x", NULL, NULL, &err), -EPROTO);
	assert_string_equal(err.class, "GenericError");
	assert_string_equal(err.desc, "JSON parse error");
	exec_ok(c, "y");
	assert_int_equal(mock_resyncs(m), 1);
	rp_qmp_counters(c, &n);
	assert_int_equal(n.stray_errors, 2);
	assert_int_equal(n.resyncs, 1);
	rp_qmp_close(c);
	mock_stop(m);
}

static void wrong_ids_are_dropped_and_counted(void **)
{
	struct mock *m = mock_start(NULL, "on x\nid 999999\nreturn {}\nid \"x\"\nreturn {}\n"
					  "id null\nreturn {}\nreturn {\"good\":1}\nreturn {}");
	struct rp_qmp *c = connect_to(m);
	struct rp_qmp_counters n;
	json_t *ret;

	assert_int_equal(rp_qmp_exec(c, "x", NULL, &ret, NULL), 0);
	assert_int_equal(json_integer_value(json_object_get(ret, "good")), 1);
	json_decref(ret);
	exec_ok(c, "y");
	rp_qmp_counters(c, &n);
	assert_int_equal(n.unknown_replies, 3);
	assert_int_equal(n.late_replies, 1); // the second reply to x
	rp_qmp_close(c);
	mock_stop(m);
}

static void timeout_then_late_reply(void **)
{
	struct mock *m = mock_start(NULL, "on slow\nwait 200\nreturn {\"late\":1}");
	struct rp_qmp *c = connect_to(m);
	const struct rp_qmp_request req = {.command = "slow", .timeout_ms = 50};
	struct rp_qmp_counters n;
	struct rp_qmp_error err;

	assert_int_equal(rp_qmp_exec_request(c, &req, NULL, &err), -ETIMEDOUT);
	assert_int_equal(err.phase, RP_QMP_PHASE_REPLY);
	exec_ok(c, "y");
	rp_qmp_counters(c, &n);
	assert_int_equal(n.late_replies, 1);
	assert_int_equal(n.errors[RP_QMP_TIMEOUT], 1);
	assert_int_equal(n.in_flight, 0);
	rp_qmp_close(c);
	mock_stop(m);
}

static void end_in_the_middle_of_an_object(void **)
{
	struct mock *m = mock_start(NULL, "on x\ncut 12\nreturn {\"a\":1}");
	struct rp_qmp *c = connect_to(m);

	exec_fails(c, "x", RP_QMP_CLOSED);
	exec_fails(c, "y", RP_QMP_CLOSED);
	assert_int_equal(rp_qmp_state(c), RP_QMP_ENDED);
	rp_qmp_close(c);
	mock_stop(m);
}

static void unread_commands_make_a_reset(void **)
{
	struct mock *m = mock_start(NULL, "on x\ndeaf\nevent READY");
	struct rp_qmp *c = connect_to(m);
	const struct rp_qmp_request req = {.command = "y"};
	const struct rp_qmp_filter ready = {.name = "READY"};
	struct rp_qmp_call *first, *second;
	struct rp_qmp_event *e;
	struct rp_qmp_error err;

	first = rp_qmp_start(c, &(struct rp_qmp_request){.command = "x"}, NULL);
	assert_int_equal(rp_qmp_wait_event(c, &ready, 5000, &e, NULL), 0);
	rp_qmp_event_unref(e);
	second = rp_qmp_start(c, &req, NULL);
	mock_do(m, "close");
	assert_int_equal(rp_qmp_call_wait(first, NULL, &err), -ECONNRESET);
	assert_kind(&err, RP_QMP_RESET);
	assert_int_equal(rp_qmp_call_wait(second, NULL, &err), -ECONNRESET);
	rp_qmp_call_free(first);
	rp_qmp_call_free(second);
	rp_qmp_close(c);
	mock_stop(m);
}

static void command_too_large_is_not_sent(void **)
{
	struct mock *m = mock_start(NULL, "");
	struct rp_qmp *c = connect_to(m);
	struct rp_qmp_request req = {.command = "x"};
	struct rp_qmp_error err;
	char *text = malloc(2000001);

	memset(text, 'a', 2000000);
	text[2000000] = '\0';
	req.arguments = json_pack("{s:s}", "a", text);
	assert_int_equal(rp_qmp_exec_request(c, &req, NULL, &err), -EINVAL);
	assert_kind(&err, RP_QMP_ARGUMENT);
	assert_int_equal(mock_count(m, NULL), 0);
	req.force = true;
	assert_int_equal(rp_qmp_exec_request(c, &req, NULL, &err), 0);
	json_decref(req.arguments);
	free(text);
	rp_qmp_close(c);
	mock_stop(m);
}

// ---- Writes that do not go through ----

static struct rp_qmp_call *start_big(struct rp_qmp *c, unsigned timeout_ms)
{
	struct rp_qmp_request req = {.command = "big", .force = true, .timeout_ms = timeout_ms};
	struct rp_qmp_call *call;
	char *text = malloc(8000001);

	memset(text, 'a', 8000000);
	text[8000000] = '\0';
	req.arguments = json_pack("{s:s}", "a", text);
	call = rp_qmp_start(c, &req, NULL);
	json_decref(req.arguments);
	free(text);
	assert_non_null(call);
	return call;
}

// The server reads nothing for a while: the command is stuck half way and never becomes whole.
static void half_written_command_never_runs(struct rp_qmp_opts *opts, bool cancel)
{
	struct mock *m = mock_start(NULL, "on nap\ndeaf\nevent NAP");
	struct rp_qmp *c = connect_opts(m, opts);
	struct rp_qmp_call *nap, *big;
	struct rp_qmp_counters n;
	struct rp_qmp_event *e;
	struct rp_qmp_error err;

	nap = rp_qmp_start(c, &(struct rp_qmp_request){.command = "nap"}, NULL);
	assert_int_equal(rp_qmp_wait_event(c, NULL, 5000, &e, NULL), 0);
	rp_qmp_event_unref(e);
	big = start_big(c, 0);
	if (cancel)
		assert_true(rp_qmp_call_cancel(big));
	assert_int_equal(rp_qmp_call_wait(big, NULL, &err), cancel ? -ECANCELED : -ETIMEDOUT);
	assert_int_equal(err.phase, RP_QMP_PHASE_WRITE);
	rp_qmp_call_free(big);
	rp_qmp_call_cancel(nap);
	rp_qmp_call_free(nap);
	mock_do(m, "hear");
	exec_ok(c, "y");
	assert_int_equal(mock_count(m, "big"), 0);
	assert_int_equal(mock_resyncs(m), 1);
	rp_qmp_counters(c, &n);
	assert_int_equal(n.resyncs, 1);
	rp_qmp_close(c);
	mock_stop(m);
}

static void write_deadline_leaves_the_connection_usable(void **)
{
	struct rp_qmp_opts opts = test_opts();

	opts.write_ms = 50;
	half_written_command_never_runs(&opts, false);
}

static void cancel_of_a_half_written_command(void **)
{
	struct rp_qmp_opts opts = test_opts();

	half_written_command_never_runs(&opts, true);
}

static void large_command_goes_through_in_pieces(void **)
{
	struct mock *m = mock_start(NULL, "");
	struct rp_qmp *c = connect_to(m);
	struct rp_qmp_call *call = start_big(c, 0);

	exec_ok(c, "y");
	assert_int_equal(rp_qmp_call_wait(call, NULL, NULL), 0);
	rp_qmp_call_free(call);
	assert_int_equal(mock_count(m, "big"), 1);
	assert_int_equal(mock_resyncs(m), 0);
	rp_qmp_close(c);
	mock_stop(m);
}

// ---- Out of band, descriptors ----

static void out_of_band_overtakes_and_window_is_kept(void **)
{
	struct mock *m =
		mock_start(NULL, "on accept\ngreet oob\non a\non qmp_capabilities\nreturn {}");
	struct rp_qmp_opts opts = test_opts();
	struct rp_qmp_call *calls[20];
	struct rp_qmp_request req = {.command = "a"};
	struct rp_qmp_version v;
	struct rp_qmp *c;

	opts.oob = true;
	c = connect_opts(m, &opts);
	rp_qmp_version(c, &v);
	assert_true(v.oob);
	for (int i = 0; i < 20; i++)
		calls[i] = rp_qmp_start(c, &req, NULL);
	req.command = "urgent";
	req.oob = true;
	assert_int_equal(rp_qmp_exec_request(c, &req, NULL, NULL), 0);
	// qmp_capabilities is answered, so seven of the twenty are with the server.
	assert_int_equal(mock_count(m, "a"), 7);
	for (int i = 0; i < 20; i++) {
		assert_true(rp_qmp_call_cancel(calls[i]));
		rp_qmp_call_free(calls[i]);
	}
	rp_qmp_close(c);
	mock_stop(m);
}

static void out_of_band_must_be_enabled(void **)
{
	struct mock *m = mock_start(NULL, "on accept\ngreet oob");
	struct rp_qmp *c = connect_to(m);
	const struct rp_qmp_request req = {.command = "a", .oob = true};
	struct rp_qmp_error err;

	assert_int_equal(rp_qmp_exec_request(c, &req, NULL, &err), -EINVAL);
	assert_kind(&err, RP_QMP_ARGUMENT);
	rp_qmp_close(c);
	mock_stop(m);
}

static void descriptor_arrives(void **)
{
	struct mock *m = mock_start(NULL, "");
	struct rp_qmp *c = connect_to(m);
	struct rp_qmp_request req = {.command = "getfd", .n_fds = 1};
	struct stat a, b;
	int pipes[2], got;

	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	req.fds = pipes;
	assert_int_equal(rp_qmp_exec_request(c, &req, NULL, NULL), 0);
	got = mock_take_fd(m);
	assert_true(got >= 0);
	assert_int_equal(fstat(got, &a), 0);
	assert_int_equal(fstat(pipes[0], &b), 0);
	assert_int_equal(a.st_ino, b.st_ino);
	close(got);
	close(pipes[0]);
	close(pipes[1]);
	rp_qmp_close(c);
	mock_stop(m);
}

// QEMU keeps only the descriptors that came last, so the next wait until the first are taken.
static void descriptors_pass_one_command_at_a_time(void **)
{
	struct mock *m = mock_start(NULL, "on getfd\n");
	struct rp_qmp *c = connect_to(m);
	const int fd = 0;
	const struct rp_qmp_request req = {.command = "getfd", .fds = &fd, .n_fds = 1};
	struct rp_qmp_call *first = rp_qmp_start(c, &req, NULL), *second;
	struct rp_qmp_counters before, after;

	rp_qmp_counters(c, &before);
	second = rp_qmp_start(c, &req, NULL);
	rp_qmp_counters(c, &after);
	assert_int_equal(before.bytes_out, after.bytes_out);
	mock_do(m, "id 4\nreturn {}"); // 2 was qmp_capabilities
	mock_wait_count(m, "getfd", 2);
	assert_int_equal(rp_qmp_call_wait(first, NULL, NULL), 0);
	rp_qmp_call_free(first);
	rp_qmp_call_free(second);
	rp_qmp_close(c);
	mock_stop(m);
}

// ---- Cancellation, callbacks ----

static void *cancel_later(void *arg)
{
	rp_qmp_call_cancel(arg);
	rp_qmp_call_free(arg);
	return NULL;
}

static void cancel_from_another_thread(void **)
{
	struct mock *m = mock_start(NULL, "on never\n");
	struct rp_qmp *c = connect_to(m);
	struct rp_qmp_call *call;
	struct rp_qmp_error err;
	pthread_t thread;

	call = rp_qmp_start(c, &(struct rp_qmp_request){.command = "never"}, NULL);
	pthread_create(&thread, NULL, cancel_later, rp_qmp_call_ref(call));
	assert_int_equal(rp_qmp_call_wait(call, NULL, &err), -ECANCELED);
	assert_kind(&err, RP_QMP_CANCELLED);
	assert_false(rp_qmp_call_cancel(call));
	pthread_join(thread, NULL);
	rp_qmp_call_free(call);
	exec_ok(c, "y");
	rp_qmp_close(c);
	mock_stop(m);
}

struct outcome {
	enum rp_qmp_kind kind;
	unsigned called;
	json_t *ret;
	int nested; // what a waiting call says in a callback
};

static void note(struct rp_qmp_call *, json_t *ret, const struct rp_qmp_error *err, void *arg)
{
	struct outcome *o = arg;

	o->called++;
	o->kind = err != NULL ? err->kind : RP_QMP_OK;
	o->ret = json_incref(ret);
}

static void callback_runs_once_for_each_end(void **)
{
	struct mock *m = mock_start(NULL, "on never\n");
	struct rp_qmp *c = connect_to(m);
	struct outcome good = {0}, late = {0}, cancelled = {0}, closed = {0};
	struct rp_qmp_request req = {.command = "good", .done = note, .done_arg = &good};
	struct rp_qmp_call *call;

	call = rp_qmp_start(c, &req, NULL);
	assert_int_equal(rp_qmp_call_wait(call, NULL, NULL), 0);
	rp_qmp_call_free(call);
	req.command = "never";
	req.timeout_ms = 30;
	req.done_arg = &late;
	call = rp_qmp_start(c, &req, NULL);
	assert_int_equal(rp_qmp_call_wait(call, NULL, NULL), -ETIMEDOUT);
	rp_qmp_call_free(call);
	req.timeout_ms = 0;
	req.done_arg = &cancelled;
	call = rp_qmp_start(c, &req, NULL);
	assert_true(rp_qmp_call_cancel(call));
	rp_qmp_call_free(call);
	req.done_arg = &closed;
	rp_qmp_call_free(rp_qmp_start(c, &req, NULL));
	rp_qmp_close(c);

	assert_int_equal(good.called + late.called + cancelled.called + closed.called, 4);
	assert_int_equal(good.kind, RP_QMP_OK);
	assert_non_null(good.ret);
	assert_int_equal(late.kind, RP_QMP_TIMEOUT);
	assert_int_equal(cancelled.kind, RP_QMP_CANCELLED);
	assert_int_equal(closed.kind, RP_QMP_CLOSED);
	json_decref(good.ret);
	mock_stop(m);
}

struct waiting {
	struct rp_qmp *c;
	int rc;
};

static void wait_in_callback(struct rp_qmp_call *, json_t *, const struct rp_qmp_error *, void *arg)
{
	struct waiting *w = arg;

	w->rc = rp_qmp_exec(w->c, "x", NULL, NULL, NULL);
}

static void waiting_in_a_callback_is_refused(void **)
{
	struct mock *m = mock_start(NULL, "");
	struct waiting w = {.c = connect_to(m)};
	const struct rp_qmp_request req = {
		.command = "a", .done = wait_in_callback, .done_arg = &w};

	rp_qmp_call_free(rp_qmp_start(w.c, &req, NULL));
	rp_qmp_close(w.c);
	assert_int_equal(w.rc, -EINVAL);
	mock_stop(m);
}

// ---- Counters, logger, reconnecting ----

static void counters_add_up(void **)
{
	struct mock *m = mock_start(NULL, "");
	struct rp_qmp *c = connect_to(m);
	struct rp_qmp_counters n, sum = {0};
	uint64_t in_histogram = 0;
	json_t *json;

	for (int i = 0; i < 10; i++)
		exec_ok(c, "x");
	rp_qmp_counters(c, &n);
	assert_int_equal(n.connects, 1);
	assert_int_equal(n.commands, 11); // with qmp_capabilities
	assert_int_equal(n.replies, 11);
	for (unsigned i = 0; i < RP_QMP_LATENCY_BUCKETS; i++)
		in_histogram += n.latency[i];
	assert_int_equal(in_histogram, 11);
	assert_true(n.latency_us >= n.latency_max_us && n.latency_max_us > 0);
	rp_qmp_counters_add(&sum, &n);
	rp_qmp_counters_add(&sum, &n);
	assert_int_equal(sum.commands, 22);
	assert_int_equal(sum.latency_max_us, n.latency_max_us);
	json = rp_qmp_counters_json(&n);
	assert_int_equal(json_integer_value(json_object_get(json, "replies")), 11);
	json_decref(json);
	rp_qmp_close(c);
	mock_stop(m);
}

static void keep_line(enum rp_log_level level, const char *line, void *arg)
{
	if (level == RP_LOG_WARN)
		strcpy(arg, line);
}

static void log_goes_where_it_is_sent(void **)
{
	struct mock *m = mock_start(NULL, "on x\nid 12345\nreturn {}\nreturn {}");
	struct rp_qmp_opts opts = test_opts();
	char line[1024] = "";
	struct rp_qmp *c;

	opts.log = keep_line;
	opts.log_arg = line;
	c = connect_opts(m, &opts);
	exec_ok(c, "x");
	rp_qmp_close(c);
	assert_non_null(strstr(line, "id that was never sent"));
	assert_non_null(strstr(line, mock_path(m)));
	mock_stop(m);
}

static void lost_connection_comes_back(void **)
{
	struct mock *m = mock_start(NULL, "on die\nclose");
	struct rp_qmp_opts opts = test_opts();
	struct rp_qmp_counters n;
	struct rp_qmp *c;

	opts.reconnect_min_ms = 10;
	opts.reconnect_max_ms = 100;
	c = connect_opts(m, &opts);
	for (int i = 0; i < 5; i++) {
		exec_fails(c, "die", RP_QMP_CLOSED);
		while (rp_qmp_wait_ready(c, 5000, NULL) != 0)
			;
		exec_ok(c, "y");
	}
	rp_qmp_counters(c, &n);
	assert_int_equal(n.connects, 6);
	assert_int_equal(n.losses, 5);
	rp_qmp_close(c);
	mock_stop(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(version_from_the_greeting),
		cmocka_unit_test(missing_socket_is_not_found),
		cmocka_unit_test(missing_socket_is_retried_until_the_deadline),
		cmocka_unit_test(socket_that_appears_later_is_found),
		cmocka_unit_test(stale_socket_is_refused),
		cmocka_unit_test(plain_file_is_no_socket),
		cmocka_unit_test(socket_of_somebody_else_is_a_matter_of_permission),
		cmocka_unit_test(bad_addresses),
		cmocka_unit_test(held_monitor_is_busy),
		cmocka_unit_test(silent_server_times_out),
		cmocka_unit_test(silence_after_the_greeting_times_out),
		cmocka_unit_test(human_monitor_is_named),
		cmocka_unit_test(close_before_the_greeting),
		cmocka_unit_test(refused_negotiation_is_a_protocol_error),
		cmocka_unit_test(tcp_works),
		cmocka_unit_test(value_of_return),
		cmocka_unit_test(error_keeps_class_and_description),
		cmocka_unit_test(replies_in_any_shape),
		cmocka_unit_test(two_hundred_kilobytes_in_one_line),
		cmocka_unit_test(reply_beyond_the_limit_fails_only_its_command),
		cmocka_unit_test(reply_that_is_not_utf8_fails_only_its_command),
		cmocka_unit_test(unsigned_64_bit_numbers_survive),
		cmocka_unit_test(garbage_between_replies_is_skipped),
		cmocka_unit_test(damaged_reply_fails_only_its_command),
		cmocka_unit_test(error_without_id_fails_the_oldest_and_resyncs),
		cmocka_unit_test(wrong_ids_are_dropped_and_counted),
		cmocka_unit_test(timeout_then_late_reply),
		cmocka_unit_test(end_in_the_middle_of_an_object),
		cmocka_unit_test(unread_commands_make_a_reset),
		cmocka_unit_test(command_too_large_is_not_sent),
		cmocka_unit_test(write_deadline_leaves_the_connection_usable),
		cmocka_unit_test(cancel_of_a_half_written_command),
		cmocka_unit_test(large_command_goes_through_in_pieces),
		cmocka_unit_test(out_of_band_overtakes_and_window_is_kept),
		cmocka_unit_test(out_of_band_must_be_enabled),
		cmocka_unit_test(descriptor_arrives),
		cmocka_unit_test(descriptors_pass_one_command_at_a_time),
		cmocka_unit_test(cancel_from_another_thread),
		cmocka_unit_test(callback_runs_once_for_each_end),
		cmocka_unit_test(waiting_in_a_callback_is_refused),
		cmocka_unit_test(counters_add_up),
		cmocka_unit_test(log_goes_where_it_is_sent),
		cmocka_unit_test(lost_connection_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
