// SPDX-License-Identifier: BSD-3-Clause
#include "packet/addr.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void prefix_text_round_trips(void **)
{
	static const char *const good[] = {"10.0.0.0/24",   "0.0.0.0/0", "10.1.2.3/32", "fd00::/64",
					   "2001:db8::/33", "::/0",	 "fd00::1/128"};
	char buf[RP_ADDR_STR];
	struct rp_prefix p;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(rp_prefix_parse(good[i], &p), 0);
		assert_string_equal(rp_prefix_format(&p, buf), good[i]);
	}
}

static void prefix_refuses_host_bits_and_garbage(void **)
{
	static const char *const bad[] = {"",	       "10.0.0.0",     "10.0.0.0/", "10.0.0.0/33",
					  "10.0.0/24", "10.0.0.0/2 4", "/24",	    "fd00::/129",
					  "fd00::/-1", "10.0.0.0/+8",  "x/8"};
	struct rp_prefix p;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(rp_prefix_parse(bad[i], &p), -EINVAL);
	assert_int_equal(rp_prefix_parse("10.0.0.1/24", &p), -ERANGE);
	assert_int_equal(rp_prefix_parse("fd00::1/64", &p), -ERANGE);
	assert_int_equal(rp_prefix_parse("10.0.0.128/24", &p), -ERANGE);
}

static void prefix_contains_and_overlaps(void **)
{
	struct rp_prefix wide, narrow, other;
	struct rp_addr a;

	assert_int_equal(rp_prefix_parse("10.0.0.0/9", &wide), 0);
	assert_int_equal(rp_prefix_parse("10.127.255.0/25", &narrow), 0);
	assert_int_equal(rp_prefix_parse("fd00::/8", &other), 0);
	assert_int_equal(rp_addr_parse("10.127.255.127", &a), 0);
	assert_true(rp_prefix_contains(&narrow, &a));
	a.bytes[3] = 128;
	assert_false(rp_prefix_contains(&narrow, &a));
	assert_true(rp_prefix_contains(&wide, &a));
	assert_true(rp_prefix_overlaps(&wide, &narrow));
	assert_true(rp_prefix_overlaps(&narrow, &wide));
	assert_false(rp_prefix_overlaps(&wide, &other));
}

static void link_local_of_a_mac(void **)
{
	struct rte_ether_addr mac;
	struct rp_addr ll;
	char buf[RP_ADDR_STR];

	assert_int_equal(rp_mac_parse("52:54:00:12:34:01", &mac), 0);
	ll = rp_addr_link_local(&mac);
	assert_string_equal(rp_addr_format(&ll, buf), "fe80::5054:ff:fe12:3401");
	assert_true(rp_addr_is_link_local(&ll));
}

static void mac_refuses_everything_else(void **)
{
	static const char *const bad[] = {"",
					  "52:54:00:12:34",
					  "52:54:00:12:34:01:02",
					  "52:54:0:12:34:01",
					  "5g:54:00:12:34:01",
					  "52-54-00-12-34-01",
					  " 2:54:00:12:34:01",
					  "52:54:00:12:34:01 "};
	struct rte_ether_addr mac;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(rp_mac_parse(bad[i], &mac), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefix_text_round_trips),
		cmocka_unit_test(prefix_refuses_host_bits_and_garbage),
		cmocka_unit_test(prefix_contains_and_overlaps),
		cmocka_unit_test(link_local_of_a_mac),
		cmocka_unit_test(mac_refuses_everything_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
