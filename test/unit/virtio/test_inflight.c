// SPDX-License-Identifier: BSD-3-Clause
// Devices that die in the midst of their work, and those that come after them.
#include "ring.h"
#include "virtio/split_device.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define SIZE 8
#define BASE 65533

struct fixture {
	struct ring ring;
	struct rp_device_ring dev;
	struct rp_device_memory memory;
	struct rp_inflight_ring *shared;
	uint16_t again[SIZE];
	uint8_t buffer[64];
};

static struct rp_device_chain chain;

static void *at(void *arg, uint64_t, uint64_t *len)
{
	*len = *len < 64 ? *len : 64;
	return ((struct fixture *)arg)->buffer;
}

// A device that knows nothing but the shared memory.
static void new_device(struct fixture *f)
{
	f->dev = (struct rp_device_ring){.size = SIZE,
					 .desc = f->ring.vr.desc,
					 .avail = f->ring.vr.avail,
					 .used = f->ring.vr.used,
					 .memory = &f->memory,
					 .inflight = {.shared = f->shared, .again = f->again}};
	rp_device_ring_start(&f->dev, BASE);
}

static int open_ring(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	ring_open(&f->ring, (struct rp_vring_config){.size = SIZE, .base = BASE}, false);
	f->memory = (struct rp_device_memory){.at = at, .arg = f};
	f->shared = calloc(1, rp_inflight_size(SIZE));
	new_device(f);
	*state = f;
	return 0;
}

static int close_ring(void **state)
{
	struct fixture *f = *state;

	ring_close(&f->ring);
	free(f->shared);
	free(f);
	return 0;
}

// The driver makes n chains available; their cookies count from first.
static void post(struct fixture *f, uint32_t first, unsigned int n)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct rp_vring_buf buf = {.gpa = 1, .len = 10, .cookie = first + i};

		assert_int_equal(rp_vring_add_burst(&f->ring.vr, &buf, 1, RP_VRING_WRITABLE), 1);
	}
	rp_vring_publish(&f->ring.vr);
}

static uint16_t take(struct fixture *f)
{
	assert_int_equal(rp_device_ring_pop(&f->dev, &chain), 1);
	return chain.head;
}

static void use(struct fixture *f, uint16_t head)
{
	rp_device_ring_push(&f->dev, head, 0);
	rp_device_ring_publish(&f->dev);
}

static void expect_done(struct fixture *f, uint32_t cookie)
{
	struct rp_vring_done done;

	assert_int_equal(rp_vring_get_burst(&f->ring.vr, &done, 1), 1);
	assert_int_equal(done.cookie, cookie);
}

static void what_was_taken_is_taken_again_in_the_old_order(void **state)
{
	struct fixture *f = *state;
	uint16_t head[5];

	// Out of order, so that heads (last in, first out) are not in the order of taking.
	post(f, 0, 3);
	for (int i = 0; i < 3; i++)
		head[i] = take(f);
	for (int i = 0; i < 3; i++) {
		use(f, head[i]);
		expect_done(f, (uint32_t)i);
	}
	post(f, 10, 5);
	for (int i = 0; i < 4; i++)
		head[i] = take(f);
	assert_true(head[0] > head[1]);
	use(f, head[1]);
	new_device(f);
	assert_true(rp_device_ring_enable_kick(&f->dev));
	assert_int_equal(take(f), head[0]);
	assert_int_equal(take(f), head[2]);
	assert_int_equal(take(f), head[3]);
	head[4] = take(f); // a new one
	assert_int_equal(rp_device_ring_pop(&f->dev, &chain), 0);
	// And once more: the new one stays behind the old.
	new_device(f);
	assert_int_equal(take(f), head[0]);
	assert_int_equal(take(f), head[2]);
	assert_int_equal(take(f), head[3]);
	assert_int_equal(take(f), head[4]);
	for (int i = 0; i < 5; i++)
		if (i != 1)
			use(f, head[i]);
	expect_done(f, 11);
	expect_done(f, 10);
	for (uint32_t i = 12; i < 15; i++)
		expect_done(f, i);
	new_device(f);
	assert_int_equal(rp_device_ring_pop(&f->dev, &chain), 0);
}

static void crash_between_publishing_and_clearing_marks(void **state)
{
	struct fixture *f = *state;
	uint16_t head[3];

	post(f, 0, 3);
	for (int i = 0; i < 3; i++)
		head[i] = take(f);
	rp_device_ring_push(&f->dev, head[2], 0);
	rp_device_ring_push(&f->dev, head[0], 0);
	f->ring.vr.used->idx = (uint16_t)(BASE + 2); // published, and then the end
	new_device(f);
	assert_int_equal(take(f), head[1]);
	assert_int_equal(rp_device_ring_pop(&f->dev, &chain), 0);
}

static void chains_put_back_are_taken_again(void **state)
{
	struct fixture *f = *state;
	uint16_t head[4];

	post(f, 0, 4);
	for (int i = 0; i < 2; i++)
		head[i] = take(f);
	new_device(f);
	for (int i = 0; i < 4; i++)
		head[i] = take(f);
	rp_device_ring_unpop(&f->dev, 3);
	for (int i = 1; i < 4; i++)
		assert_int_equal(take(f), head[i]);
	// What was put back is not in flight.
	rp_device_ring_unpop(&f->dev, 2);
	new_device(f);
	assert_int_equal(f->dev.inflight.n_again, 2);
	for (int i = 0; i < 4; i++)
		assert_int_equal(take(f), head[i]);
}

static void record_full_of_nonsense_harms_nobody(void **state)
{
	struct fixture *f = *state;

	srandom(1);
	post(f, 0, 8);
	for (int round = 0; round < 2000; round++) {
		uint8_t *bytes = (uint8_t *)f->shared;

		for (size_t i = 0; i < rp_inflight_size(SIZE); i++)
			bytes[i] = (uint8_t)random();
		new_device(f);
		assert_true(f->dev.inflight.n_again <= SIZE);
		for (int i = 0; i < 20 && rp_device_ring_pop(&f->dev, &chain) == 1; i++)
			if (i % 3 == 0)
				rp_device_ring_unpop(&f->dev, 1);
			else
				use(f, chain.head);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_ring, close_ring)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_taken_is_taken_again_in_the_old_order),
		TEST(crash_between_publishing_and_clearing_marks),
		TEST(chains_put_back_are_taken_again),
		TEST(record_full_of_nonsense_harms_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
