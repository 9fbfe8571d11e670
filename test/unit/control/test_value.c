// SPDX-License-Identifier: BSD-3-Clause
#include "control/value.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct rp_error err;
static struct rp_key key;
static struct rp_value value = {.key = &key};

static int parse(enum rp_value_type type, const char *text)
{
	key.name = "k";
	key.type = type;
	err = (struct rp_error){0};
	return rp_value_parse(text, &value, &err);
}

static void assert_refused(enum rp_value_type type, const char *text, const char *says)
{
	assert_int_equal(parse(type, text), -EINVAL);
	assert_string_equal(err.field, "k");
	assert_string_equal(err.value, text);
	if (strstr(err.expected, says) == NULL)
		fail_msg("'%s' does not say '%s'", err.expected, says);
}

static void prefixes(void **)
{
	key = (struct rp_key){0};
	assert_int_equal(parse(RP_VALUE_SUBNET4, "10.0.0.0/24"), 0);
	assert_int_equal(value.prefix.len, 24);
	assert_int_equal(value.prefix.addr.family, RP_IP4);
	assert_int_equal(parse(RP_VALUE_SUBNET6, "fd00::/64"), 0);
	assert_int_equal(parse(RP_VALUE_PREFIX, "10.0.0.0/24"), 0);
	assert_int_equal(parse(RP_VALUE_PREFIX, "fd00::/64"), 0);
	assert_refused(RP_VALUE_SUBNET4, "fd00::/64", "is IPv6; expected an IPv4 subnet");
	assert_refused(RP_VALUE_SUBNET6, "10.0.0.0/24", "is IPv4; expected an IPv6 prefix");
	assert_refused(RP_VALUE_SUBNET4, "10.0.0.1", "prefix length is missing");
	assert_refused(RP_VALUE_SUBNET4, "10.0.0.1/24", "expected the prefix itself: 10.0.0.0/24");
	assert_refused(RP_VALUE_PREFIX, "fd00::1/64", "expected the prefix itself: fd00::/64");
	assert_refused(RP_VALUE_PREFIX, "10.0.0.0/33", "is no prefix");
	assert_refused(RP_VALUE_PREFIX, "10.0.0.0/", "is no prefix");
	assert_refused(RP_VALUE_PREFIX, "10.0.0/24", "is no prefix");
	assert_refused(RP_VALUE_PREFIX, "none", "is no prefix");
	assert_refused(RP_VALUE_PREFIX, "", "is no prefix");
}

static void addresses(void **)
{
	key = (struct rp_key){0};
	assert_int_equal(parse(RP_VALUE_ADDR4, "10.0.0.5"), 0);
	assert_int_equal(value.addr.bytes[3], 5);
	assert_int_equal(parse(RP_VALUE_ADDR6, "fd00::5"), 0);
	assert_int_equal(parse(RP_VALUE_ADDR, "10.0.0.5"), 0);
	assert_int_equal(parse(RP_VALUE_ADDR, "fd00::5"), 0);
	assert_refused(RP_VALUE_ADDR4, "fd00::5", "is IPv6");
	assert_refused(RP_VALUE_ADDR6, "10.0.0.5", "is IPv4");
	assert_refused(RP_VALUE_ADDR, "10.0.0.5/24", "prefix length does not belong here");
	assert_refused(RP_VALUE_ADDR, "10.0.0.256", "is no address");
	assert_refused(RP_VALUE_ADDR, "fe80::1%eth0", "is no address");
}

static void macs(void **)
{
	key = (struct rp_key){0};
	assert_int_equal(parse(RP_VALUE_MAC, "52:54:00:aB:34:01"), 0);
	assert_int_equal(value.mac.addr_bytes[3], 0xab);
	assert_refused(RP_VALUE_MAC, "52:54:00:12:34", "is no MAC");
	assert_refused(RP_VALUE_MAC, "52-54-00-12-34-01", "is no MAC");
	assert_refused(RP_VALUE_MAC, "00:00:00:00:00:00", "is all zero");
}

static void numbers(void **)
{
	key = (struct rp_key){.min = 1280, .max = 9000};
	assert_int_equal(parse(RP_VALUE_NUMBER, "1280"), 0);
	assert_int_equal(value.number, 1280);
	assert_int_equal(parse(RP_VALUE_NUMBER, "09000"), 0);
	assert_refused(RP_VALUE_NUMBER, "1279", "out of range; expected 1280 to 9000");
	assert_refused(RP_VALUE_NUMBER, "9001", "out of range");
	assert_refused(RP_VALUE_NUMBER, "4294968576", "out of range");
	assert_refused(RP_VALUE_NUMBER, "18446744073709552896", "out of range");
	assert_refused(RP_VALUE_NUMBER, "-1500", "is no number");
	assert_refused(RP_VALUE_NUMBER, "+1500", "is no number");
	assert_refused(RP_VALUE_NUMBER, "1500x", "is no number");
	assert_refused(RP_VALUE_NUMBER, "0x5dc", "is no number");
	assert_refused(RP_VALUE_NUMBER, "", "is no number");
}

static void booleans(void **)
{
	key = (struct rp_key){0};
	assert_int_equal(parse(RP_VALUE_BOOL, "yes"), 0);
	assert_true(value.yes);
	assert_int_equal(parse(RP_VALUE_BOOL, "no"), 0);
	assert_false(value.yes);
	assert_refused(RP_VALUE_BOOL, "Yes", "expected yes or no");
	assert_refused(RP_VALUE_BOOL, "1", "expected yes or no");
}

static void choices(void **)
{
	static const char *const modes[] = {"server", "client", NULL};
	char usage[64];

	key = (struct rp_key){.choices = modes};
	assert_int_equal(parse(RP_VALUE_CHOICE, "client"), 0);
	assert_int_equal(value.choice, 1);
	assert_refused(RP_VALUE_CHOICE, "clinet", "did you mean 'client'? expected server|client");
	assert_refused(RP_VALUE_CHOICE, "both", "expected server|client");
	assert_string_equal(rp_value_usage(&key, usage, sizeof(usage)), "server|client");
}

static void texts(void **)
{
	key = (struct rp_key){.max = 4};
	assert_int_equal(parse(RP_VALUE_TEXT, "abcd"), 0);
	assert_string_equal(value.text, "abcd");
	assert_refused(RP_VALUE_TEXT, "abcde", "longer than 4 bytes");
	assert_refused(RP_VALUE_TEXT, "", "is empty");
	assert_refused(RP_VALUE_NAME, "", "is empty");
	assert_refused(RP_VALUE_NAME, "abcde", "longer than 4 bytes");
}

static void none_clears_where_it_may(void **)
{
	key = (struct rp_key){.clearable = true};
	assert_int_equal(parse(RP_VALUE_ADDR, "none"), 0);
	assert_true(value.none);
	assert_int_equal(parse(RP_VALUE_ADDR, "9.9.9.9"), 0);
	assert_false(value.none);
	key.clearable = false;
	assert_refused(RP_VALUE_ADDR, "none", "is no address");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefixes), cmocka_unit_test(addresses),
		cmocka_unit_test(macs),	    cmocka_unit_test(numbers),
		cmocka_unit_test(booleans), cmocka_unit_test(choices),
		cmocka_unit_test(texts),    cmocka_unit_test(none_clears_where_it_may),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
