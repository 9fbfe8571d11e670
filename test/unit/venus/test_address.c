// SPDX-License-Identifier: BSD-3-Clause
#include "venus/address.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_same_text(const char *text)
{
	struct rp_vn_address a;
	struct rp_error err;
	char buf[160];

	assert_int_equal(rp_vn_address_parse(&a, text, &err), 0);
	assert_string_equal(rp_vn_address_text(&a, buf, sizeof(buf)), text);
}

static void all_kinds_of_address_are_understood(void **)
{
	assert_same_text("127.0.0.1:5556");
	assert_same_text("[::1]:5556");
	assert_same_text("vsock:2:5556");
	assert_same_text("vsock:any:5556");
	assert_same_text("unix:/run/venus.sock");
}

static void assert_wrong(const char *text, int code, const char *hint)
{
	struct rp_vn_address a;
	struct rp_error err;
	char buf[600];

	assert_int_equal(rp_vn_address_parse(&a, text, &err), -code);
	if (strstr(rp_error_text(&err, buf, sizeof(buf)), hint) == NULL)
		fail_msg("'%s' does not say '%s'", buf, hint);
}

static void wrong_addresses_say_what_was_expected(void **)
{
	assert_wrong("127.0.0.1", EINVAL, "expected HOST:PORT");
	assert_wrong("127.0.0.1:", EINVAL, "expected HOST:PORT");
	assert_wrong("127.0.0.1:65536", EINVAL, "expected HOST:PORT");
	assert_wrong("127.0.0.1:-1", EINVAL, "expected HOST:PORT");
	assert_wrong(":5556", EINVAL, "expected HOST:PORT");
	assert_wrong("::1:5556", EINVAL, "brackets");
	assert_wrong("vsock:5556", EINVAL, "vsock:CID:PORT");
	assert_wrong("vsock:x:5556", EINVAL, "vsock:CID:PORT");
	assert_wrong("unix:", EINVAL, "path");
}

static void a_path_too_long_for_a_socket_is_refused(void **)
{
	char text[200] = "unix:/";

	memset(text + 6, 'x', 150);
	assert_wrong(text, EINVAL, "107");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_kinds_of_address_are_understood),
		cmocka_unit_test(wrong_addresses_say_what_was_expected),
		cmocka_unit_test(a_path_too_long_for_a_socket_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
