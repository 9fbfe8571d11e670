// SPDX-License-Identifier: BSD-3-Clause
// What the driver side does when the device lies.
#include "ring.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct rp_vring_config configs[] = {
	{.size = 8, .base = 65535},
	{.size = 8, .packed = true, .base = 0x8000},
};

static void post(struct ring *r, unsigned int n)
{
	struct rp_vring_buf bufs[8];

	for (unsigned int i = 0; i < n; i++)
		bufs[i] = (struct rp_vring_buf){.gpa = 0x1000 * i, .len = 100, .cookie = i};
	assert_int_equal(rp_vring_add_burst(&r->vr, bufs, n, RP_VRING_WRITABLE), n);
	rp_vring_publish(&r->vr);
}

// The ring is broken for this reason, and stays so.
static void expect_broken(struct ring *r, const char *reason)
{
	struct rp_vring_done done[8];

	assert_int_equal(rp_vring_get_burst(&r->vr, done, 8), -EIO);
	assert_string_equal(r->vr.broken, reason);
	assert_int_equal(rp_vring_get_burst(&r->vr, done, 8), -EIO);
	assert_int_equal(rp_vring_add(&r->vr, &(struct rp_vring_seg){.len = 1}, 1, 0, 0), -EIO);
	assert_int_equal(
		rp_vring_add_burst(&r->vr, &(struct rp_vring_buf){0}, 1, RP_VRING_WRITABLE), 0);
	ring_close(r);
}

static void used_index_jumps(void **)
{
	struct ring r;

	ring_open(&r, configs[0], false);
	post(&r, 2);
	r.vr.used->idx += 3;
	expect_broken(&r, "used index is ahead of what was made available");
}

static void used_index_goes_back(void **)
{
	struct ring r;

	ring_open(&r, configs[0], false);
	r.vr.used->idx -= 1;
	expect_broken(&r, "used index is ahead of what was made available");
}

static void id_out_of_range(void **)
{
	const uint32_t ids[] = {8, 255, 0xffff};

	for (int c = 0; c < 2; c++) {
		for (int i = 0; i < 3; i++) {
			struct ring r;

			ring_open(&r, configs[c], false);
			post(&r, 2);
			device_use(&r, ids[i], 1, 1);
			expect_broken(&r, "used id out of range");
		}
	}
}

static void id_never_posted(void **)
{
	for (int c = 0; c < 2; c++) {
		struct ring r;

		ring_open(&r, configs[c], false);
		post(&r, 2);
		device_use(&r, 7, 1, 1);
		expect_broken(&r, "used id is not in flight");
	}
}

static void id_used_twice(void **)
{
	for (int c = 0; c < 2; c++) {
		struct ring r;
		int id;

		ring_open(&r, configs[c], false);
		post(&r, 2);
		id = device_take(&r, NULL);
		device_use(&r, (uint32_t)id, 1, 1);
		device_use(&r, (uint32_t)id, 1, 1);
		expect_broken(&r, "used id is not in flight");
	}
}

static void length_exceeds_the_buffer(void **)
{
	for (int c = 0; c < 2; c++) {
		struct ring r;

		ring_open(&r, configs[c], false);
		post(&r, 1);
		device_use(&r, (uint32_t)device_take(&r, NULL), 101, 1);
		expect_broken(&r, "used length exceeds the buffer");
	}
}

static void length_of_a_readable_chain_has_no_meaning(void **)
{
	for (int c = 0; c < 2; c++) {
		struct rp_vring_done done;
		struct ring r;

		ring_open(&r, configs[c], false);
		assert_int_equal(rp_vring_add(&r.vr, &(struct rp_vring_seg){.len = 60}, 1, 0, 5),
				 0);
		rp_vring_publish(&r.vr);
		device_use(&r, (uint32_t)device_take(&r, NULL), UINT32_MAX, 1);
		assert_int_equal(rp_vring_get_burst(&r.vr, &done, 1), 1);
		assert_int_equal(done.cookie, 5);
		ring_close(&r);
	}
}

// Our chains do not depend on what the device makes of the descriptor table.
static void descriptors_scribbled_over(void **)
{
	for (int c = 0; c < 2; c++) {
		struct rp_vring_seg segs[3] = {{.len = 10}, {.len = 10}, {.len = 10}};
		struct rp_vring_done done;
		unsigned int entries;
		struct ring r;
		int id;

		ring_open(&r, configs[c], false);
		assert_int_equal(rp_vring_add(&r.vr, segs, 0, 3, 77), 0);
		rp_vring_publish(&r.vr);
		id = device_take(&r, &entries);
		for (int i = 0; i < 8; i++)
			r.vr.desc[i] = (struct vring_desc){
				.addr = ~0ull, .len = ~0u, .flags = 0x7f7f, .next = 0xffff};
		device_use(&r, (uint32_t)id, 30, 3);
		assert_int_equal(rp_vring_get_burst(&r.vr, &done, 1), 1);
		assert_int_equal(done.cookie, 77);
		assert_int_equal(r.vr.num_free, 8);
		ring_close(&r);
	}
}

// Random bytes all over the shared memory, between random driver steps: nothing may step outside
// (the sanitizers watch) and free entries never exceed the ring.
static void random_ring_contents(void **)
{
	srandom(1);
	for (int round = 0; round < 2000; round++) {
		struct rp_vring_config cfg = configs[round % 2];
		size_t total = rp_vring_layout(cfg.size, cfg.packed).total;
		struct rp_vring_done done[8];
		struct ring r;

		cfg.event_idx = random() % 2;
		ring_open(&r, cfg, false);
		for (int step = 0; step < 50 && r.vr.broken == NULL; step++) {
			for (long n = random() % 4; n > 0; n--)
				((uint8_t *)r.mem)[(size_t)random() % total] =
					(uint8_t)(random() % 8);
			if (r.vr.num_free > 0)
				post(&r, 1 + (unsigned int)random() % r.vr.num_free);
			rp_vring_needs_kick(&r.vr);
			rp_vring_enable_call(&r.vr);
			rp_vring_resume_base(&r.vr);
			rp_vring_get_burst(&r.vr, done, (unsigned int)random() % 9);
			assert_true(r.vr.num_free <= r.vr.size);
			assert_true(r.vr.in_flight <= r.vr.size);
		}
		ring_close(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(used_index_jumps),
		cmocka_unit_test(used_index_goes_back),
		cmocka_unit_test(id_out_of_range),
		cmocka_unit_test(id_never_posted),
		cmocka_unit_test(id_used_twice),
		cmocka_unit_test(length_exceeds_the_buffer),
		cmocka_unit_test(length_of_a_readable_chain_has_no_meaning),
		cmocka_unit_test(descriptors_scribbled_over),
		cmocka_unit_test(random_ring_contents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
