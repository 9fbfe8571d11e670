// SPDX-License-Identifier: BSD-3-Clause
// simple-vhost-server with a front-end that is not ours: DPDK's virtio-user. Frames that testpmd
// sends once come back, are forwarded, and so go round for ever.
#include "proc.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define START_MS 20000
#define WAIT_MS	 10000
#define ENOUGH	 100000 // frames received: hundreds of laps of the ring

struct fixture {
	char dir[64];
	char path[96];
	struct proc *server;
	struct proc *testpmd;
};

static int start_server(void **state)
{
	static struct fixture f;

	f = (struct fixture){.server = NULL};
	*state = &f;
	if (proc_make_dir(f.dir, sizeof(f.dir)) < 0)
		return -1;
	snprintf(f.path, sizeof(f.path), "%s/card.sock", f.dir);
	f.server = proc_start("simple-vhost-server",
			      (const char *const[]){getenv("SIMPLE_VHOST_SERVER"), "-v", "-q", "2",
						    f.path, NULL});
	return f.server != NULL && proc_wait_line(f.server, "listening on", START_MS) == 0 ? 0 : -1;
}

static int stop_all(void **state)
{
	struct fixture *f = *state;

	proc_stop(f->testpmd);
	proc_stop(f->server);
	proc_remove_dir(f->dir);
	return 0;
}

static void start_testpmd(struct fixture *f, const char *settings)
{
	char vdev[256], prefix[96];

	snprintf(vdev, sizeof(vdev), "net_virtio_user0,path=%s,queues=2,queue_size=256,%s", f->path,
		 settings);
	snprintf(prefix, sizeof(prefix), "--file-prefix=%s", strrchr(f->dir, '.') + 1);
	// clang-format off
	const char *argv[] = {
		"stdbuf", "-oL", "dpdk-testpmd", "-l", "0,1", "--no-huge", "-m", "256", "--no-pci", "--no-shconf",
		prefix, "--single-file-segments", "--vdev", vdev, "--", "-i", "--forward-mode=io",
		"--rxq=2", "--txq=2", "--total-num-mbufs=8192", NULL,
	};
	// clang-format on

	f->testpmd = proc_start("testpmd", argv);
	assert_non_null(f->testpmd);
	assert_int_equal(proc_wait_line(f->testpmd, "testpmd>", START_MS), 0);
}

// RX-packets of the port as testpmd counts them.
static unsigned long received(struct fixture *f)
{
	unsigned long n = 0;
	char *out, *at, *next;

	assert_int_equal(proc_write(f->testpmd, "show port stats all\n"), 0);
	assert_int_equal(proc_wait_line(f->testpmd, "Tx-pps", WAIT_MS), 0);
	out = proc_output(f->testpmd);
	for (at = strstr(out, "RX-packets:"); at != NULL; at = next) {
		next = strstr(at + 1, "RX-packets:");
		n = strtoul(at + strlen("RX-packets:"), NULL, 10);
	}
	free(out);
	return n;
}

static void frames_go_round(struct fixture *f, const char *settings)
{
	uint64_t deadline = rp_clock_ms() + WAIT_MS;

	start_testpmd(f, settings);
	assert_int_equal(proc_write(f->testpmd, "start tx_first\n"), 0);
	while (received(f) < ENOUGH)
		assert_true(rp_clock_ms() < deadline);
	assert_int_equal(proc_write(f->testpmd, "quit\n"), 0);
	assert_int_equal(proc_wait_exit(f->testpmd, WAIT_MS, NULL), 0);
	assert_int_equal(proc_wait_line(f->server, "client left", WAIT_MS), 0);
	assert_int_equal(proc_wait_line(f->server, ", 0 bad", WAIT_MS), 0);
	proc_passed(f->testpmd);
	proc_passed(f->server);
}

static void mergeable_buffers(void **state)
{
	frames_go_round(*state, "mrg_rxbuf=1");
}

static void plain_buffers(void **state)
{
	frames_go_round(*state, "mrg_rxbuf=0");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start_server, stop_all)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(mergeable_buffers),
		TEST(plain_buffers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
