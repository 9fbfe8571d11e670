// SPDX-License-Identifier: BSD-3-Clause
// The front-end device as the listening side: testpmd's vhost ports in client mode come to it.
#include "base/clock.h"
#include "testpmd.h"
#include "vhost_user/frontend.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define WAIT_MS 5000

static struct fixture {
	struct testpmd testpmd;
	struct rp_frontend *vm[2];
} fixture;

static int listen_first(void **state)
{
	*state = &fixture;
	if (testpmd_prepare(&fixture.testpmd) < 0)
		return -1;
	for (int i = 0; i < 2; i++) {
		fixture.vm[i] = rp_frontend_listen(fixture.testpmd.path[i], NULL);
		if (fixture.vm[i] == NULL)
			return -1;
	}
	return testpmd_start(&fixture.testpmd, false);
}

// Repeat a frame until it comes through.
static void expect_path(struct rp_frontend *from, struct rp_frontend *to)
{
	const uint8_t frame[60] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xb5, 42};
	uint64_t deadline = rp_clock_ms() + WAIT_MS;
	uint8_t got[60];

	do {
		assert_int_equal(rp_frontend_send_packet(from, frame, sizeof(frame)), 0);
		assert_true(rp_clock_ms() < deadline);
	} while (rp_frontend_wait_for_rx(to, 50) < 0);
	assert_int_equal(rp_frontend_recv_packet(to, got, sizeof(got)), sizeof(got));
	assert_memory_equal(got, frame, sizeof(got));
}

static void back_end_connects_and_forwards(void **state)
{
	const struct rp_frontend_config cfg = {.queue_pairs = 1};
	struct fixture *f = *state;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(rp_frontend_send_packet(f->vm[i], "", 1), -ENOTCONN);
		assert_int_equal(rp_frontend_accept(f->vm[i], WAIT_MS, NULL), 0);
		assert_int_equal(rp_frontend_setup(f->vm[i], &cfg, NULL), 0);
	}
	expect_path(f->vm[0], f->vm[1]);
	expect_path(f->vm[1], f->vm[0]);
}

static void back_end_comes_back_to_us(void **state)
{
	struct fixture *f = *state;

	rp_frontend_abort(f->vm[1]);
	assert_int_equal(rp_frontend_reconnect(f->vm[1], WAIT_MS, NULL), 0);
	expect_path(f->vm[0], f->vm[1]);
	expect_path(f->vm[1], f->vm[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(back_end_connects_and_forwards),
		cmocka_unit_test(back_end_comes_back_to_us),
	};
	int failed = cmocka_run_group_tests(tests, listen_first, NULL);

	for (int i = 0; i < 2; i++)
		rp_frontend_free(fixture.vm[i]);
	testpmd_stop(&fixture.testpmd, failed == 0);
	return failed;
}
