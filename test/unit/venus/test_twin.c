// SPDX-License-Identifier: BSD-3-Clause
#include "venus/twin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SIZE (5 * RP_VN_TWIN_PAGE + 100)

static uint8_t now[SIZE], twin[SIZE], other[SIZE], other_twin[SIZE];

static int clear(void **)
{
	memset(now, 0, SIZE);
	memset(twin, 0, SIZE);
	memset(other, 0, SIZE);
	memset(other_twin, 0, SIZE);
	return 0;
}

// Send all differences to the other end; the bytes that were sent.
static size_t transfer(uint8_t *from_now, uint8_t *from_twin, uint8_t *to_now, uint8_t *to_twin)
{
	size_t at = 0, start, len, sum = 0;

	while (rp_vn_twin_next(from_now, from_twin, &at, SIZE, SIZE, &start, &len)) {
		assert_true(start + len <= SIZE);
		memcpy(from_twin + start, from_now + start, len);
		rp_vn_twin_merge(to_now + start, to_twin + start, from_twin + start, len);
		sum += len;
	}
	assert_memory_equal(from_twin, to_twin, SIZE);
	return sum;
}

static void equal_memory_sends_nothing(void **)
{
	assert_int_equal(transfer(now, twin, other, other_twin), 0);
}

static void a_byte_sends_a_few_bytes(void **)
{
	now[RP_VN_TWIN_PAGE + 1000] = 1;
	assert_in_range(transfer(now, twin, other, other_twin), 1, 64);
	assert_memory_equal(now, other, SIZE);
	assert_int_equal(transfer(now, twin, other, other_twin), 0);
}

static void the_last_bytes_are_seen(void **)
{
	now[SIZE - 1] = 7;
	now[0] = 9;
	transfer(now, twin, other, other_twin);
	assert_memory_equal(now, other, SIZE);
}

static void a_zero_that_was_something_is_sent(void **)
{
	memset(now, 0xff, SIZE);
	transfer(now, twin, other, other_twin);
	memset(now + 10, 0, 20);
	transfer(now, twin, other, other_twin);
	assert_memory_equal(now, other, SIZE);
}

static void pieces_are_cut_at_the_limit(void **)
{
	size_t at = 0, start, len, sum = 0;

	memset(now, 1, SIZE);
	while (rp_vn_twin_next(now, twin, &at, SIZE, 1000, &start, &len)) {
		assert_true(len <= 1000);
		assert_int_equal(start, sum);
		sum += len;
	}
	assert_int_equal(sum, SIZE);
}

static void neighbouring_writes_of_both_ends_are_kept(void **)
{
	for (unsigned int i = 0; i < SIZE; i += 2)
		now[i] = 1;
	for (unsigned int i = 1; i < SIZE; i += 2)
		other[i] = 2;
	transfer(now, twin, other, other_twin);
	transfer(other, other_twin, now, twin);
	for (unsigned int i = 0; i < SIZE; i++)
		assert_int_equal(now[i], i % 2 + 1);
	assert_memory_equal(now, other, SIZE);
}

static void random_writes_arrive(void **)
{
	unsigned int seed = 1;

	for (int round = 0; round < 300; round++) {
		for (int i = rand_r(&seed) % 20; i > 0; i--)
			now[(unsigned int)rand_r(&seed) % SIZE] = (uint8_t)rand_r(&seed);
		transfer(now, twin, other, other_twin);
		assert_memory_equal(now, other, SIZE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(equal_memory_sends_nothing, clear),
		cmocka_unit_test_setup(a_byte_sends_a_few_bytes, clear),
		cmocka_unit_test_setup(the_last_bytes_are_seen, clear),
		cmocka_unit_test_setup(a_zero_that_was_something_is_sent, clear),
		cmocka_unit_test_setup(pieces_are_cut_at_the_limit, clear),
		cmocka_unit_test_setup(neighbouring_writes_of_both_ends_are_kept, clear),
		cmocka_unit_test_setup(random_writes_arrive, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
