// SPDX-License-Identifier: BSD-3-Clause
// Two network namespaces, each on a TAP that is bridged to a vhost port of testpmd, which forwards
// between them: programs of one namespace must reach those of the other.
#include "testpmd.h"
#include "vhost_user/tapbridge.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#define RUN_MS 20000
#define MTU    9000

struct side {
	char netns[32];
	struct rp_frontend *vm;
	struct rp_tapbridge *bridge;
};

static struct fixture {
	struct testpmd testpmd;
	struct side side[2];
} fixture;

#define RUN(...) proc_run((const char *const[]){__VA_ARGS__, NULL}, RUN_MS)

static int open_side(struct fixture *f, int i)
{
	const struct rp_frontend_config cfg = {.mtu = MTU};
	struct side *s = &f->side[i];
	const struct rp_tapbridge_config tap = {
		.name = "vm", .netns = s->netns, .mac = {2, 0, 0, 0, 0, (uint8_t)(i + 1)}};
	char address[32], text[600];
	struct rp_error err = {0};

	snprintf(s->netns, sizeof(s->netns), "rptest%d-%d", getpid(), i);
	snprintf(address, sizeof(address), "192.0.2.%d/24", i + 1);
	if (RUN("ip", "netns", "add", s->netns) != 0)
		return -1;
	s->vm = rp_frontend_connect(f->testpmd.path[i], &err);
	if (s->vm == NULL || rp_frontend_setup(s->vm, &cfg, &err) < 0 ||
	    (s->bridge = rp_tapbridge_create(s->vm, &tap, &err)) == NULL) {
		fprintf(stderr, "%s\n", rp_error_text(&err, text, sizeof(text)));
		return -1;
	}
	if (RUN("ip", "-n", s->netns, "addr", "add", address, "dev", "vm") != 0)
		return -1;
	return rp_tapbridge_start(s->bridge);
}

static int open_all(void **state)
{
	*state = &fixture;
	if (testpmd_prepare(&fixture.testpmd) < 0 || testpmd_start(&fixture.testpmd, true) < 0)
		return -1;
	return open_side(&fixture, 0) == 0 && open_side(&fixture, 1) == 0 ? 0 : -1;
}

static void close_all(bool passed)
{
	for (int i = 0; i < 2; i++) {
		struct side *s = &fixture.side[i];

		rp_tapbridge_destroy(s->bridge);
		rp_frontend_free(s->vm);
		if (s->netns[0] != '\0')
			RUN("ip", "netns", "del", s->netns);
	}
	testpmd_stop(&fixture.testpmd, passed);
}

static void interface_has_the_mac_and_mtu_asked_for(void **state)
{
	struct fixture *f = *state;
	struct proc *p;
	const char *argv[] = {"ip", "-n", f->side[1].netns, "link", "show", "vm", NULL};

	p = proc_start("ip", argv);
	assert_int_equal(proc_wait_line(p, "mtu 9000", RUN_MS), 0);
	assert_int_equal(proc_wait_line(p, "02:00:00:00:00:02", RUN_MS), 0);
	proc_passed(p);
	proc_stop(p);
}

static void ping_at_every_size(void **state)
{
	static const char *const sizes[] = {"0", "56", "1472", "8972"};
	struct fixture *f = *state;

	for (int i = 0; i < 4; i++)
		assert_int_equal(RUN("ip", "netns", "exec", f->side[i % 2].netns, "ping", "-c", "5",
				     "-i", "0.05", "-W", "2", "-M", "do", "-s", sizes[i],
				     i % 2 == 0 ? "192.0.2.2" : "192.0.2.1"),
				 0);
	assert_true(rp_tapbridge_stats(f->side[0].bridge).to_tap >= 20);
	assert_true(rp_tapbridge_stats(f->side[0].bridge).from_tap >= 20);
}

static void tcp_transfer_of_100_megabytes(void **state)
{
	struct fixture *f = *state;
	const char *server_argv[] = {"ip", "netns",	   "exec", f->side[1].netns, "iperf3", "-s",
				     "-1", "--forceflush", NULL};
	struct proc *server = proc_start("iperf3 -s", server_argv);

	assert_int_equal(proc_wait_line(server, "Server listening", RUN_MS), 0);
	assert_int_equal(RUN("ip", "netns", "exec", f->side[0].netns, "iperf3", "-c", "192.0.2.2",
			     "-n", "100M"),
			 0);
	proc_passed(server);
	proc_stop(server);
}

static void errors_say_what_is_wrong(void **state)
{
	struct fixture *f = *state;
	struct rp_tapbridge_config tap = {.name = "vm", .netns = "rptest-none"};
	struct rp_frontend *idle = rp_frontend_connect(f->testpmd.path[0], NULL);
	struct rp_error err;

	assert_null(rp_tapbridge_create(f->side[0].vm, &tap, &err));
	assert_int_equal(err.code, ENOENT);
	tap.netns = f->side[0].netns;
	assert_null(rp_tapbridge_create(f->side[0].vm, &tap, &err));
	assert_int_equal(err.code, EBUSY);
	tap.name = "a-name-that-is-too-long";
	assert_null(rp_tapbridge_create(f->side[0].vm, &tap, &err));
	assert_int_equal(err.code, EINVAL);
	assert_null(rp_tapbridge_create(idle, &tap, &err));
	assert_int_equal(err.code, ENOTCONN);
	rp_frontend_free(idle);
}

static void bridge_ends_with_the_back_end(void **state)
{
	struct fixture *f = *state;
	struct rp_tapbridge *br = f->side[0].bridge;
	int rc;

	for (int i = 0; i < 2; i++)
		assert_int_equal(rp_tapbridge_stop(f->side[i].bridge), 0);
	assert_int_equal(proc_write(f->testpmd.proc, "quit\n"), 0);
	assert_int_equal(proc_wait_exit(f->testpmd.proc, RUN_MS, NULL), 0);
	while ((rc = rp_tapbridge_step(br)) > 0)
		;
	assert_int_equal(rc, -ECONNRESET);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(interface_has_the_mac_and_mtu_asked_for),
		cmocka_unit_test(ping_at_every_size),
		cmocka_unit_test(tcp_transfer_of_100_megabytes),
		cmocka_unit_test(errors_say_what_is_wrong),
		cmocka_unit_test(bridge_ends_with_the_back_end),
	};
	int failed;

	if (geteuid() != 0 || access("/dev/net/tun", R_OK | W_OK) < 0) {
		puts("needs root and /dev/net/tun");
		return 77;
	}
	failed = cmocka_run_group_tests(tests, open_all, NULL);
	close_all(failed == 0);
	return failed;
}
