// SPDX-License-Identifier: BSD-3-Clause
// simple-vhost-server as a program: clients, signals, pid file, and each of its faults noticed by
// the front-end device.
#include "../must.h"
#include "proc.h"
#include "vhost_user/frontend.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define WAIT_MS	 5000
#define QUICK_MS 200 // for what is expected not to come
#define CLIENTS	 8

struct fixture {
	char dir[64];
	char path[96];
	char pidfile[96];
	struct proc *server;
	struct rp_frontend *vm[CLIENTS];
};

static const char *program;

static int make_dir(void **state)
{
	static struct fixture f;

	f = (struct fixture){.server = NULL};
	*state = &f;
	if (proc_make_dir(f.dir, sizeof(f.dir)) < 0)
		return -1;
	snprintf(f.path, sizeof(f.path), "%s/card.sock", f.dir);
	snprintf(f.pidfile, sizeof(f.pidfile), "%s/pid", f.dir);
	return 0;
}

static void close_client(struct fixture *f, int i)
{
	rp_frontend_free(f->vm[i]);
	f->vm[i] = NULL;
}

static void stop_server(struct fixture *f)
{
	for (int i = 0; i < CLIENTS; i++)
		close_client(f, i);
	proc_stop(f->server);
	f->server = NULL;
}

static int remove_dir(void **state)
{
	struct fixture *f = *state;

	stop_server(f);
	proc_remove_dir(f->dir);
	return 0;
}

static void start_server(struct fixture *f, const char *fault)
{
	const char *argv[] = {program, "-v", "-p", f->pidfile, f->path, NULL, NULL, NULL};

	if (fault != NULL) {
		argv[5] = "-f";
		argv[6] = fault;
	}
	f->server = proc_start("simple-vhost-server", argv);
	assert_non_null(f->server);
	assert_int_equal(proc_wait_line(f->server, "listening on", WAIT_MS), 0);
}

static int open_client(struct fixture *f, int i, unsigned int timeout_ms, struct rp_error *err)
{
	const struct rp_frontend_config cfg = {.timeout_ms = timeout_ms};

	f->vm[i] = rp_frontend_connect(f->path, err);
	return f->vm[i] != NULL ? rp_frontend_setup(f->vm[i], &cfg, err) : -errno;
}

static void expect_echo(struct rp_frontend *vm, uint8_t mark)
{
	uint8_t frame[60] = {2, [59] = mark}, got[60];

	assert_int_equal(rp_frontend_send_packet(vm, frame, sizeof(frame)), 0);
	assert_int_equal(rp_frontend_wait_for_rx(vm, WAIT_MS), 0);
	assert_int_equal(rp_frontend_recv_packet(vm, got, sizeof(got)), sizeof(got));
	assert_memory_equal(got, frame, sizeof(got));
}

static void passed(struct fixture *f)
{
	proc_passed(f->server);
	stop_server(f);
}

// --- the program ---

static void many_clients_at_once(void **state)
{
	struct fixture *f = *state;
	struct rp_error err;

	start_server(f, NULL);
	for (int i = 0; i < CLIENTS; i++)
		must(open_client(f, i, WAIT_MS, &err), &err);
	for (int round = 0; round < 100; round++)
		for (int i = 0; i < CLIENTS; i++)
			expect_echo(f->vm[i], (uint8_t)(round + i));
	for (int i = 0; i < CLIENTS; i++)
		must(rp_frontend_reconnect(f->vm[i], WAIT_MS, &err), &err);
	for (int i = 0; i < CLIENTS; i++)
		expect_echo(f->vm[i], 1);
	passed(f);
}

// The process that serves the first client, killed.
static void kill_one_child(const struct fixture *f)
{
	char path[64];
	FILE *file;
	int pid;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", proc_pid(f->server),
		 proc_pid(f->server));
	file = fopen(path, "re");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%d", &pid), 1);
	fclose(file);
	assert_int_equal(kill(pid, SIGKILL), 0);
}

static void death_of_one_does_not_touch_another(void **state)
{
	struct fixture *f = *state;
	struct rp_error err;

	start_server(f, NULL);
	for (int i = 0; i < 2; i++)
		must(open_client(f, i, WAIT_MS, &err), &err);
	kill_one_child(f);
	assert_int_equal(rp_frontend_wait_for_rx(f->vm[0], WAIT_MS), -ECONNRESET);
	expect_echo(f->vm[1], 7);
	assert_int_equal(proc_wait_line(f->server, "died of signal 9", WAIT_MS), 0);
	must(rp_frontend_reconnect(f->vm[0], WAIT_MS, &err), &err);
	expect_echo(f->vm[0], 8);
	passed(f);
}

static void sigterm_ends_it_cleanly(void **state)
{
	struct fixture *f = *state;
	struct rp_error err;
	struct stat st;
	int status;

	start_server(f, NULL);
	must(open_client(f, 0, WAIT_MS, &err), &err);
	assert_int_equal(stat(f->pidfile, &st), 0);
	kill(proc_pid(f->server), SIGTERM);
	assert_int_equal(proc_wait_exit(f->server, WAIT_MS, &status), 0);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_int_equal(rp_frontend_wait_for_rx(f->vm[0], WAIT_MS), -ECONNRESET);
	assert_int_equal(stat(f->path, &st), -1);
	assert_int_equal(stat(f->pidfile, &st), -1);
	passed(f);
}

// Run to the end with other arguments; the exit status, when its output has this text.
static int run_for(const char *text, const char *const *argv)
{
	struct proc *p = proc_start(argv[0], argv);
	int status, rc = -1;

	assert_int_equal(proc_wait_exit(p, WAIT_MS, &status), 0);
	if (WIFEXITED(status) && proc_wait_line(p, text, WAIT_MS) == 0) {
		rc = WEXITSTATUS(status);
		proc_passed(p);
	}
	proc_stop(p);
	return rc;
}

#define RUN_FOR(text, ...) run_for(text, (const char *const[]){program, __VA_ARGS__, NULL})

static void second_server_is_refused(void **state)
{
	struct fixture *f = *state;
	struct rp_error err;

	start_server(f, NULL);
	assert_int_equal(RUN_FOR("another program listens there", f->path), 1);
	assert_int_equal(RUN_FOR("it runs already", "-p", f->pidfile, "/nowhere"), 1);
	must(open_client(f, 0, WAIT_MS, &err), &err);
	expect_echo(f->vm[0], 1);
	passed(f);
}

static void wrong_usage_is_explained(void **)
{
	assert_int_equal(RUN_FOR("expected one SOCKET", "-v"), 2);
	assert_int_equal(RUN_FOR("expected loopback, sink or source", "-m", "x", "s"), 2);
	assert_int_equal(RUN_FOR("expected 1 to 128", "-q", "0", "s"), 2);
	assert_int_equal(RUN_FOR("--fault list shows them", "-f", "no-such", "s"), 2);
	assert_int_equal(RUN_FOR("expected mute alone", "-f", "mute=3", "s"), 2);
	assert_int_equal(RUN_FOR("--help", "--no-such-option"), 2);
	assert_int_equal(RUN_FOR("usage:", "--help"), 0);
	assert_int_equal(RUN_FOR("lying-ack", "--fault", "list"), 0);
	assert_int_equal(RUN_FOR("cannot listen", "/no/such/dir/socket"), 1);
}

static void daemon_is_ready_when_the_command_returns(void **state)
{
	struct fixture *f = *state;
	struct rp_error err;
	FILE *file;
	int pid;

	assert_int_equal(
		proc_run((const char *const[]){program, "-d", "-p", f->pidfile, f->path, NULL},
			 WAIT_MS),
		0);
	must(open_client(f, 0, WAIT_MS, &err), &err);
	expect_echo(f->vm[0], 1);
	file = fopen(f->pidfile, "re");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%d", &pid), 1);
	fclose(file);
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(rp_frontend_wait_for_rx(f->vm[0], WAIT_MS), -ECONNRESET);
}

// --- faults ---

// With each fault, what setup() says.
static void faults_in_the_handshake_are_named(void **state)
{
	static const struct {
		const char *fault;
		int rc;
		const char *text;
	} expected[] = {
		{"no-ack", -ETIMEDOUT, "no answer within"},
		{"always-nack", -EPROTO, "refused it"},
		{"double-reply", -EBADMSG, "the answer is to another request"},
		{"no-reply", -ETIMEDOUT, "no answer within"},
		{"wrong-size", -EBADMSG, "wrong for its payload"},
		{"wrong-size=4096", -EBADMSG, "wrong for its payload"},
		{"wrong-id", -EBADMSG, "the answer is to another request"},
		{"no-reply-bit", -EBADMSG, "the reply bit"},
		{"need-reply-bit", 0, ""},
		{"wrong-version", -EBADMSG, "expected 1"},
		{"wrong-version=0", -EBADMSG, "expected 1"},
		{"short-reply", -ETIMEDOUT, "message is short: 7 of 8 bytes"},
		{"hang-up-in-reply", -ECONNRESET, "in the midst of a message"},
		{"late-reply", -ETIMEDOUT, "no answer within"},
		{"stray-fd", -EBADMSG, "wrong number"},
		{"garbage", -EBADMSG, "no message has more than"},
		{"queue-num-zero", -ENOTSUP, "the back-end has 0"},
		{"unsolicited", -EBADMSG, "the answer is to another request"},
		{"close-after", -ECONNRESET, "hung up"},
		{"crash-after=9", -ECONNRESET, "hung up"},
		{"hang-after", -ETIMEDOUT, "no answer within"},
	};
	struct fixture *f = *state;

	for (unsigned int i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		struct rp_error err = {0};
		int rc;

		start_server(f, expected[i].fault);
		rc = open_client(f, 0, QUICK_MS, &err);
		if (rc != expected[i].rc || strstr(err.expected, expected[i].text) == NULL)
			fail_msg("%s: %d, '%s'", expected[i].fault, rc, err.expected);
		passed(f);
	}
}

// A server with this fault and one client that is set up.
static struct rp_frontend *faulty(struct fixture *f, const char *fault)
{
	struct rp_error err;

	start_server(f, fault);
	must(open_client(f, 0, WAIT_MS, &err), &err);
	return f->vm[0];
}

static void faults_in_the_data_path_are_named(void **state)
{
	static const uint8_t frame[60] = {2};
	struct fixture *f = *state;
	struct rp_frontend *vm;
	uint8_t got[60];

	vm = faulty(f, "deaf");
	assert_int_equal(rp_frontend_send_packet(vm, frame, sizeof(frame)), 0);
	assert_int_equal(rp_frontend_wait_for_tx(vm, QUICK_MS), -ETIMEDOUT);
	passed(f);

	vm = faulty(f, "wrong-used-id");
	assert_int_equal(rp_frontend_send_packet(vm, frame, sizeof(frame)), 0);
	assert_int_equal(rp_frontend_wait_for_tx(vm, WAIT_MS), -EIO);
	assert_string_equal(rp_frontend_ring_broken(vm, 1), "used id is not in flight");
	passed(f);

	vm = faulty(f, "wrong-used-len");
	assert_int_equal(rp_frontend_send_packet(vm, frame, sizeof(frame)), 0);
	assert_int_equal(rp_frontend_wait_for_rx(vm, WAIT_MS), 0);
	assert_int_equal(rp_frontend_recv_packet(vm, got, sizeof(got)), -EIO);
	assert_string_equal(rp_frontend_ring_broken(vm, 0), "used length exceeds the buffer");
	passed(f);

	vm = faulty(f, "corrupt-frame");
	assert_int_equal(rp_frontend_send_packet(vm, frame, sizeof(frame)), 0);
	assert_int_equal(rp_frontend_wait_for_rx(vm, WAIT_MS), 0);
	assert_int_equal(rp_frontend_recv_packet(vm, got, sizeof(got)), sizeof(got));
	assert_int_equal(got[59], 0x80);
	passed(f);
}

static void mute_server_works_but_does_not_call(void **state)
{
	static const uint8_t frame[60] = {2};
	struct fixture *f = *state;
	struct rp_frontend *vm = faulty(f, "mute");

	assert_false(rp_frontend_arm(vm, 0));
	assert_int_equal(rp_frontend_send_packet(vm, frame, sizeof(frame)), 0);
	// Found at the last look, when time is up, as nobody wakes us.
	assert_int_equal(rp_frontend_wait_for_tx(vm, QUICK_MS), 0);
	for (unsigned int q = 0; q < 2; q++)
		assert_int_equal(read(rp_frontend_call_fd(vm, q), &(uint64_t){0}, 8), -1);
	assert_int_equal(rp_frontend_wait_for_rx(vm, QUICK_MS), 0);
	passed(f);
}

static int count_child_fds(const struct fixture *f)
{
	char path[64];
	FILE *file;
	DIR *d;
	int pid, n = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", proc_pid(f->server),
		 proc_pid(f->server));
	file = fopen(path, "re");
	assert_int_equal(fscanf(file, "%d", &pid), 1);
	fclose(file);
	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	d = opendir(path);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

// Start and stop ring 1 twenty times: how many descriptors the server has more.
static int descriptors_grown(struct fixture *f, const char *fault)
{
	struct rp_frontend *vm = faulty(f, fault);
	struct rp_error err;
	int before = count_child_fds(f);

	for (int i = 0; i < 20; i++) {
		must(rp_frontend_stop_ring(vm, 1, NULL, &err), &err);
		must(rp_frontend_start_ring(vm, 1, &err), &err);
	}
	return count_child_fds(f) - before;
}

static void descriptors_leak_only_when_told_to(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(descriptors_grown(f, NULL), 0);
	passed(f);
	assert_int_equal(descriptors_grown(f, "leak-fd"), 40);
	passed(f);
}

static void answers_are_wrong_when_told_to(void **state)
{
	const uint64_t nonsense = UINT64_C(1) << 63;
	struct fixture *f = *state;
	struct rp_frontend *vm;
	struct rp_vhu_msg msg;
	struct rp_error err;
	uint8_t mac[6];
	uint32_t base;

	vm = faulty(f, "lying-ack");
	msg = (struct rp_vhu_msg){.request = RP_VHU_SET_FEATURES,
				  .flags = RP_VHU_FLAG_NEED_REPLY,
				  .size = 8,
				  .payload.u64 = nonsense};
	assert_int_equal(rp_frontend_request(vm, &msg, &err), 0);
	passed(f);

	vm = faulty(f, "base-off-by-one");
	must(rp_frontend_stop_ring(vm, 1, &base, &err), &err);
	assert_int_equal(base, 1);
	passed(f);

	vm = faulty(f, "wrong-config");
	must(rp_frontend_get_config(vm, 0, mac, sizeof(mac), &err), &err);
	assert_int_equal(mac[0], 0xee);
	passed(f);

	vm = faulty(f, "unstable-features");
	base = (uint32_t)rp_frontend_offered(vm);
	msg = (struct rp_vhu_msg){.request = RP_VHU_GET_FEATURES};
	must(rp_frontend_request(vm, &msg, &err), &err);
	assert_true((uint32_t)msg.payload.u64 != base);
	passed(f);

	vm = faulty(f, "no-version-1");
	assert_true((rp_frontend_offered(vm) & RP_VIRTIO_BIT(VERSION_1)) == 0);
	passed(f);

	vm = faulty(f, "unknown-bits");
	assert_true(rp_frontend_protocol_offered(vm) >> 50 == 1);
	passed(f);

	vm = faulty(f, "log-without-shmfd");
	assert_true((rp_frontend_protocol_offered(vm) & RP_VHU_PROTOCOL_BIT(LOG_SHMFD)) == 0);
	passed(f);

	vm = faulty(f, "base-zero");
	assert_int_equal(rp_frontend_send_packet(vm, "x", 1), 0);
	assert_int_equal(rp_frontend_wait_for_tx(vm, WAIT_MS), 0);
	must(rp_frontend_stop_ring(vm, 1, &base, &err), &err);
	assert_int_equal(base, 0);
	passed(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(many_clients_at_once),
		TEST(death_of_one_does_not_touch_another),
		TEST(sigterm_ends_it_cleanly),
		TEST(second_server_is_refused),
		TEST(wrong_usage_is_explained),
		TEST(daemon_is_ready_when_the_command_returns),
		TEST(faults_in_the_handshake_are_named),
		TEST(faults_in_the_data_path_are_named),
		TEST(mute_server_works_but_does_not_call),
		TEST(descriptors_leak_only_when_told_to),
		TEST(answers_are_wrong_when_told_to),
	};

	program = getenv("SIMPLE_VHOST_SERVER");
	if (program == NULL) {
		fputs("SIMPLE_VHOST_SERVER is not set: run it by meson test\n", stderr);
		return 2;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
