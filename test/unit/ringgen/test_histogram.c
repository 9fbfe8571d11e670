// SPDX-License-Identifier: BSD-3-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "histogram.h"

static struct gen_histogram h;

static int reset(void **)
{
	memset(&h, 0, sizeof(h));
	return 0;
}

static void an_empty_one_has_no_quantiles(void **)
{
	assert_int_equal(gen_hist_quantile(&h, 0.5), 0);
	assert_int_equal(gen_hist_between(&h, 0, 1u << 20), 0);
}

static void small_values_are_exact(void **)
{
	for (uint64_t v = 1; v <= 100; v++)
		gen_hist_add(&h, v);
	assert_int_equal(gen_hist_quantile(&h, 0.5), 50);
	assert_int_equal(gen_hist_quantile(&h, 0.99), 99);
	assert_int_equal(gen_hist_quantile(&h, 0), 1);
	assert_int_equal(gen_hist_quantile(&h, 1), 100);
	assert_int_equal(h.min, 1);
	assert_int_equal(h.max, 100);
	assert_true(h.sum == 5050);
}

static void large_values_are_within_a_64th(void **)
{
	for (uint64_t v = 1; v <= 100000; v++)
		gen_hist_add(&h, v * 1000);
	for (double q = 0.01; q < 1; q += 0.01) {
		double want = q * 100000 * 1000, got = (double)gen_hist_quantile(&h, q);

		assert_true(got >= want * 0.9999 && got <= want * (1 + 1.0 / 64));
	}
}

static void one_outlier_moves_only_the_last_quantile(void **)
{
	for (int i = 0; i < 999; i++)
		gen_hist_add(&h, 300);
	gen_hist_add(&h, 1000000);
	assert_in_range(gen_hist_quantile(&h, 0.5), 300, 304);
	assert_in_range(gen_hist_quantile(&h, 0.999), 300, 304);
	assert_int_equal(gen_hist_quantile(&h, 0.9999), 1000000);
}

static void every_value_has_a_slot(void **)
{
	static const uint64_t values[] = {0, 1, 127, 128, 255, 256, UINT64_MAX - 1, UINT64_MAX};

	for (unsigned int i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		reset(NULL);
		gen_hist_add(&h, values[i]);
		assert_int_equal(gen_hist_quantile(&h, 0.5), values[i]);
	}
	// Neighbours across a change of step stay in order.
	for (uint64_t v = 0; v < 5000; v++) {
		reset(NULL);
		gen_hist_add(&h, v);
		h.max = UINT64_MAX;
		assert_in_range(gen_hist_quantile(&h, 1), v, v + v / 64);
	}
}

static void between_counts_whole_powers_of_two(void **)
{
	for (uint64_t v = 0; v < 1024; v++)
		gen_hist_add(&h, v);
	assert_int_equal(gen_hist_between(&h, 0, 64), 64);
	assert_int_equal(gen_hist_between(&h, 64, 128), 64);
	assert_int_equal(gen_hist_between(&h, 256, 512), 256);
	assert_int_equal(gen_hist_between(&h, 1024, 2048), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_empty_one_has_no_quantiles, reset),
		cmocka_unit_test_setup(small_values_are_exact, reset),
		cmocka_unit_test_setup(large_values_are_within_a_64th, reset),
		cmocka_unit_test_setup(one_outlier_moves_only_the_last_quantile, reset),
		cmocka_unit_test_setup(every_value_has_a_slot, reset),
		cmocka_unit_test_setup(between_counts_whole_powers_of_two, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
