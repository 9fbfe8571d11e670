// SPDX-License-Identifier: BSD-3-Clause
#include "util.h"

#include <stdlib.h>

#include "qmp/frame.h"

// Feed text in pieces of n bytes; write what comes out, one letter or object a line, into out.
static void run(const char *text, size_t piece, size_t limit, unsigned depth, char *out)
{
	size_t len = strlen(text);
	struct rp_qmp_frame f;

	assert_int_equal(rp_qmp_frame_init(&f, limit, depth), 0);
	*out = '\0';
	for (size_t i = 0; i < len; i += piece) {
		struct rp_reader r = rp_reader(text + i, piece < len - i ? piece : len - i);
		enum rp_qmp_frame_result result;

		while ((result = rp_qmp_frame_feed(&f, &r)) != RP_QMP_FRAME_MORE) {
			if (result == RP_QMP_FRAME_OBJECT)
				out += sprintf(out, "%.*s|", (int)f.len, f.buf);
			else
				out += sprintf(out, "broken|");
		}
	}
	rp_qmp_frame_free(&f);
}

static void check(const char *text, const char *expected)
{
	const size_t pieces[] = {1, 2, 3, 7, 1000};
	char out[1024];

	for (unsigned i = 0; i < 5; i++) {
		run(text, pieces[i], 200, 8, out);
		assert_string_equal(out, expected);
	}
}

static void one_object_with_crlf(void **)
{
	check("{\"a\": 1}\r\n", "{\"a\": 1}|");
}

static void objects_without_newline_between(void **)
{
	check("{}{\"a\":[]}", "{}|{\"a\":[]}|");
}

static void pretty_object_over_lines(void **)
{
	check("{\n  \"a\": {\n    \"b\": [\n1,\n2\n]\n  }\n}\n",
	      "{\n  \"a\": {\n    \"b\": [\n1,\n2\n]\n  }\n}|");
}

static void brackets_and_quotes_in_strings(void **)
{
	check("{\"a}\": \"{[\\\"}]\\\\\"}\n", "{\"a}\": \"{[\\\"}]\\\\\"}|");
}

static void numbers_and_words(void **)
{
	check("{\"a\":-1.5e+3,\"b\":true,\"c\":null}", "{\"a\":-1.5e+3,\"b\":true,\"c\":null}|");
}

static void junk_before_an_object_is_skipped(void **)
{
	check("warning: x\n\xff]{\"a\":1}", "{\"a\":1}|");
}

static void message_cut_short_before_the_next(void **)
{
	check("{\"return\": {\"a\": {\"b\": 1\r\n{\"id\": 2}\r\n", "broken|{\"id\": 2}|");
	check("{\"return\": {\"a\": \r\n{\"id\": 2}\r\n{\"id\": 3}\r\n", "broken|{\"id\": 3}|");
}

static void newline_in_a_string_is_damage(void **)
{
	check("{\"a\": \"unfinished\r\n{\"id\": 2}\r\n", "broken|{\"id\": 2}|");
}

static void nested_objects_are_not_taken_for_messages(void **)
{
	check("{\"a\": ?, \"b\": {\"id\": 1}}\n  {\"id\": 2}\n{\"id\": 3}\n",
	      "broken|{\"id\": 3}|");
}

static void grammar_is_followed(void **)
{
	const char *const bad[] = {
		"{1:2}",     "{\"a\" 1}",  "{\"a\":}",	   "{\"a\":1 2}",   "{\"a\":1,}",
		"{\"a\":[}", "{\"a\":[1}", "{\"a\":[1,]}", "{\"a\":[1:2]}", "{,}",
		"{\"a\":1]", "{\"a\"}",	   "{\"\x01\":1}",
	};

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[64];

		snprintf(text, sizeof(text), "%s\n{}\n", bad[i]);
		check(text, "broken|{}|");
	}
}

static void depth_is_limited(void **)
{
	check("{\"a\":[[[[[[[0]]]]]]]}\n", "{\"a\":[[[[[[[0]]]]]]]}|");
	check("{\"a\":[[[[[[[[0]]]]]]]]}\n{}\n", "broken|{}|");
}

static void size_is_limited(void **)
{
	char text[300], out[512];

	snprintf(text, sizeof(text), "{\"a\":\"%0192d\"}\n", 0);
	run(text, 1, 200, 8, out);
	assert_int_equal(strlen(out), 201);
	snprintf(text, sizeof(text), "{\"a\":\"%0193d\"}\n{}\n", 0);
	run(text, 1, 200, 8, out);
	assert_string_equal(out, "broken|{}|");
}

static void head_of_junk_is_kept(void **)
{
	const char text[] = "QEMU 7.2.22 monitor\x01\r\n(qemu) ";
	struct rp_reader r = rp_reader(text, sizeof(text) - 1);
	struct rp_qmp_frame f;

	assert_int_equal(rp_qmp_frame_init(&f, 100, 8), 0);
	assert_int_equal(rp_qmp_frame_feed(&f, &r), RP_QMP_FRAME_MORE);
	assert_string_equal(f.head, "QEMU7.2.22monitor.(qemu)");
	assert_int_equal(f.junk, 24);
	rp_qmp_frame_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_object_with_crlf),
		cmocka_unit_test(objects_without_newline_between),
		cmocka_unit_test(pretty_object_over_lines),
		cmocka_unit_test(brackets_and_quotes_in_strings),
		cmocka_unit_test(numbers_and_words),
		cmocka_unit_test(junk_before_an_object_is_skipped),
		cmocka_unit_test(message_cut_short_before_the_next),
		cmocka_unit_test(newline_in_a_string_is_damage),
		cmocka_unit_test(nested_objects_are_not_taken_for_messages),
		cmocka_unit_test(grammar_is_followed),
		cmocka_unit_test(depth_is_limited),
		cmocka_unit_test(size_is_limited),
		cmocka_unit_test(head_of_junk_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
