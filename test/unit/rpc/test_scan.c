// SPDX-License-Identifier: BSD-3-Clause
#include "rpc/scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct rp_rpc_scan scan;

static int teardown(void **)
{
	rp_rpc_scan_free(&scan);
	return 0;
}

static void expect_message(struct rp_reader *r, const char *text)
{
	assert_int_equal(rp_rpc_scan(&scan, r), RP_RPC_SCAN_MESSAGE);
	assert_int_equal(scan.len, strlen(text));
	assert_memory_equal(scan.buf, text, scan.len);
}

static struct rp_reader reader(const char *text)
{
	return rp_reader(text, strlen(text));
}

static void texts_are_told_apart_without_lines(void **)
{
	struct rp_reader r = reader(" {\"a\":[1,{}]}[2]\n\t{\"]}\\\"\\\\\":\"{\"} ");

	expect_message(&r, "{\"a\":[1,{}]}");
	expect_message(&r, "[2]");
	expect_message(&r, "{\"]}\\\"\\\\\":\"{\"}");
	assert_int_equal(rp_rpc_scan(&scan, &r), RP_RPC_SCAN_MORE);
	assert_false(rp_rpc_scan_unfinished(&scan));
}

static void text_comes_byte_by_byte(void **)
{
	static const char text[] = "{\"a\":\"\\\"}\"}";

	for (size_t i = 0; i + 1 < sizeof(text); i++) {
		struct rp_reader r = rp_reader(text + i, 1);

		if (i + 2 == sizeof(text)) {
			expect_message(&r, text);
		} else {
			assert_int_equal(rp_rpc_scan(&scan, &r), RP_RPC_SCAN_MORE);
			assert_true(rp_rpc_scan_unfinished(&scan));
		}
	}
}

static void damage_costs_one_line(void **)
{
	struct rp_reader r = reader("hello {}\n{\"a\":1}{\"b\n{\"c\":2}\n");

	assert_int_equal(rp_rpc_scan(&scan, &r), RP_RPC_SCAN_BROKEN);
	expect_message(&r, "{\"a\":1}");
	assert_int_equal(rp_rpc_scan(&scan, &r), RP_RPC_SCAN_BROKEN);
	assert_string_equal(scan.why, "a string does not end on its line");
	expect_message(&r, "{\"c\":2}");
}

static void depth_is_bounded(void **)
{
	char text[RP_RPC_DEPTH_MAX + 2];
	struct rp_reader r = rp_reader(text, sizeof(text));

	memset(text, '[', sizeof(text));
	text[sizeof(text) - 1] = '\n';
	assert_int_equal(rp_rpc_scan(&scan, &r), RP_RPC_SCAN_BROKEN);
	assert_int_equal(rp_rpc_scan(&scan, &r), RP_RPC_SCAN_MORE);
	assert_false(rp_rpc_scan_unfinished(&scan));
}

static void size_is_bounded_to_the_byte(void **)
{
	char *text = malloc(RP_RPC_MESSAGE_MAX + 1);
	struct rp_reader r = rp_reader(text, RP_RPC_MESSAGE_MAX);

	memset(text, ' ', RP_RPC_MESSAGE_MAX + 1);
	text[0] = '{';
	text[RP_RPC_MESSAGE_MAX - 1] = '}';
	assert_int_equal(rp_rpc_scan(&scan, &r), RP_RPC_SCAN_MESSAGE);
	assert_int_equal(scan.len, RP_RPC_MESSAGE_MAX);
	text[RP_RPC_MESSAGE_MAX - 1] = ' ';
	text[RP_RPC_MESSAGE_MAX] = '}';
	r = rp_reader(text, RP_RPC_MESSAGE_MAX + 1);
	assert_int_equal(rp_rpc_scan(&scan, &r), RP_RPC_SCAN_TOO_LARGE);
	free(text);
}

#define CASE(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(texts_are_told_apart_without_lines),
		CASE(text_comes_byte_by_byte),
		CASE(damage_costs_one_line),
		CASE(depth_is_bounded),
		CASE(size_is_bounded_to_the_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
