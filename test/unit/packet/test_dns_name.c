// SPDX-License-Identifier: BSD-3-Clause
#include "packet/dns_name.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

// The longest name: 63 + 63 + 63 + 61 characters and three dots make 253, on the wire 255.
static void longest_name(char text[RP_DNS_NAME_STR])
{
	memset(text, 'a', RP_DNS_NAME_STR - 1);
	text[63] = text[127] = text[191] = '.';
	text[RP_DNS_NAME_STR - 1] = '\0';
}

static void name_is_written_as_labels(void **)
{
	static const uint8_t want[] = "\x07"
				      "example"
				      "\x03"
				      "org";
	uint8_t buf[32];
	struct rp_writer w = rp_writer(buf, sizeof(buf));

	assert_true(rp_dns_name_write(&w, "example.org"));
	assert_int_equal(rp_writer_len(&w), sizeof(want));
	assert_memory_equal(buf, want, sizeof(want));
}

static void longest_name_round_trips(void **)
{
	char text[RP_DNS_NAME_STR], back[RP_DNS_NAME_STR];
	uint8_t buf[RP_DNS_NAME_WIRE];
	struct rp_writer w = rp_writer(buf, sizeof(buf));
	struct rp_reader r = rp_reader(buf, sizeof(buf));

	longest_name(text);
	assert_true(rp_dns_name_write(&w, text));
	assert_int_equal(rp_writer_len(&w), RP_DNS_NAME_WIRE);
	assert_true(rp_dns_name_read(&r, back));
	assert_string_equal(back, text);
	assert_int_equal(rp_reader_left(&r), 0);
}

static void validity_of_configured_names(void **)
{
	static const char *const good[] = {"a", "example.org", "x-1.y_2", "_tcp.example", "0.1"};
	static const char *const bad[] = {"",	  ".",	 "a.",	".a",	     "a..b", "-a",
					  "a-.b", "a b", "a/b", "b\xc3\xbc", "a\n"};
	char text[RP_DNS_NAME_STR + 1];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(rp_dns_name_valid(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(rp_dns_name_valid(bad[i]));
	longest_name(text);
	assert_true(rp_dns_name_valid(text));
	text[63] = 'a'; // a label of 127
	assert_false(rp_dns_name_valid(text));
	longest_name(text);
	strcat(text, "a");
	assert_false(rp_dns_name_valid(text));
}

static void invalid_or_too_long_name_fails_the_writer(void **)
{
	uint8_t buf[8] = {0};
	struct rp_writer w = rp_writer(buf, sizeof(buf));

	assert_false(rp_dns_name_write(&w, "a..b"));
	assert_true(w.overflow);
	assert_int_equal(rp_writer_len(&w), 0);

	w = rp_writer(buf, sizeof(buf));
	assert_true(rp_dns_name_write(&w, "abc.de"));
	w = rp_writer(buf, sizeof(buf) - 1);
	assert_false(rp_dns_name_write(&w, "abc.de"));
	assert_true(w.overflow);
}

static void names_that_fit_are_counted(void **)
{
	static const char *const names[] = {"a.bc", "d", "e"}; // 6, 3 and 3 bytes

	assert_int_equal(rp_dns_names_fit(names, 3, 12), 3);
	assert_int_equal(rp_dns_names_fit(names, 3, 11), 2);
	assert_int_equal(rp_dns_names_fit(names, 3, 8), 1);
	assert_int_equal(rp_dns_names_fit(names, 3, 5), 0);
	assert_int_equal(rp_dns_names_fit(names, 0, 100), 0);
}

static void read_takes_one_name_after_another(void **)
{
	static const uint8_t wire[] = {1, 'a', 0, 0, 2, 'b', 'c', 1, 'd', 0};
	struct rp_reader r = rp_reader(wire, sizeof(wire));
	char text[RP_DNS_NAME_STR];

	assert_true(rp_dns_name_read(&r, text));
	assert_string_equal(text, "a");
	assert_true(rp_dns_name_read(&r, text));
	assert_string_equal(text, "");
	assert_true(rp_dns_name_read(&r, text));
	assert_string_equal(text, "bc.d");
	assert_false(rp_dns_name_read(&r, text));
}

static void read_refuses_malformed_names(void **)
{
	static const struct {
		uint8_t len, wire[4];
	} bad[] = {
		{1, {1}},	   {2, {1, 'a'}},     {3, {3, 'a', 'b'}}, {2, {0xc0, 0}},
		{2, {0x40, 0}},	   {3, {1, '.', 0}},  {3, {1, ' ', 0}},	  {3, {1, 0, 0}},
		{3, {1, 0xe9, 0}}, {3, {1, 0x7f, 0}}, {1, {0xff}},
	};
	char text[RP_DNS_NAME_STR];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct rp_reader r = rp_reader(bad[i].wire, bad[i].len);

		assert_false(rp_dns_name_read(&r, text));
		assert_int_equal(rp_reader_left(&r), bad[i].len);
	}
}

static void read_refuses_a_name_over_255_bytes(void **)
{
	uint8_t wire[2 * RP_DNS_NAME_WIRE];
	struct rp_writer w = rp_writer(wire, sizeof(wire));
	char text[RP_DNS_NAME_STR];
	struct rp_reader r;

	for (int i = 0; i < 128; i++) { // 128 labels of one byte: 257 bytes with the last zero
		rp_write_u8(&w, 1);
		rp_write_u8(&w, 'a');
	}
	rp_write_u8(&w, 0);
	r = rp_reader(wire, rp_writer_len(&w));
	assert_false(rp_dns_name_read(&r, text));
	r = rp_reader(wire + 2, rp_writer_len(&w) - 2);
	assert_true(rp_dns_name_read(&r, text));
	assert_int_equal(strlen(text), RP_DNS_NAME_STR - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(name_is_written_as_labels),
		cmocka_unit_test(longest_name_round_trips),
		cmocka_unit_test(validity_of_configured_names),
		cmocka_unit_test(invalid_or_too_long_name_fails_the_writer),
		cmocka_unit_test(names_that_fit_are_counted),
		cmocka_unit_test(read_takes_one_name_after_another),
		cmocka_unit_test(read_refuses_malformed_names),
		cmocka_unit_test(read_refuses_a_name_over_255_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
