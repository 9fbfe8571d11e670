// SPDX-License-Identifier: BSD-3-Clause
#include "base/error.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <bsd/string.h>

#include <cmocka.h>

static void text_names_field_value_and_expectation(void **)
{
	struct rp_error err;
	char buf[256];

	assert_int_equal(rp_error_set(&err, EINVAL, "mtu", "70", "expected %d to %d", 1280, 9000),
			 -EINVAL);
	assert_string_equal(rp_error_text(&err, buf, sizeof(buf)),
			    "mtu '70': expected 1280 to 9000");
	rp_error_set(&err, ENOENT, "network", NULL, "is missing");
	assert_string_equal(rp_error_text(&err, buf, sizeof(buf)), "network: is missing");
	rp_error_set(&err, EIO, NULL, NULL, "plain");
	assert_string_equal(rp_error_text(&err, buf, sizeof(buf)), "plain");
}

static void text_starts_with_the_place(void **)
{
	struct rp_error err;
	char buf[256];

	rp_error_set(&err, EINVAL, "mtu", "70", "too small");
	strlcpy(err.where, "a.rp:3:14", sizeof(err.where));
	assert_string_equal(rp_error_text(&err, buf, sizeof(buf)),
			    "a.rp:3:14: mtu '70': too small");
	rp_error_set(&err, EINVAL, "mtu", "70", "too small");
	assert_string_equal(rp_error_text(&err, buf, sizeof(buf)), "mtu '70': too small");
}

static void null_error_still_returns_code(void **)
{
	assert_int_equal(rp_error_set(NULL, ENOSPC, "a", "b", "c"), -ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_names_field_value_and_expectation),
		cmocka_unit_test(text_starts_with_the_place),
		cmocka_unit_test(null_error_still_returns_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
