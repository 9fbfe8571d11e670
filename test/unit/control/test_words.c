// SPDX-License-Identifier: BSD-3-Clause
#include "control/words.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct rp_words words;
static struct rp_error err;
static uint16_t column;

static void split(const char *line)
{
	assert_int_equal(rp_words_split(line, &words, &column, &err), 0);
}

static void assert_word(uint16_t i, const char *text, uint16_t at)
{
	assert_true(i < words.n);
	assert_string_equal(words.word[i].text, text);
	assert_int_equal(words.word[i].column, at);
}

static void assert_refused(const char *line, uint16_t at, const char *says)
{
	assert_int_equal(rp_words_split(line, &words, &column, &err), -EINVAL);
	assert_int_equal(column, at);
	assert_non_null(strstr(err.expected, says));
}

static void blanks_part_words(void **)
{
	split("  network\tcreate   prod \r\n");
	assert_int_equal(words.n, 3);
	assert_word(0, "network", 3);
	assert_word(1, "create", 11);
	assert_word(2, "prod", 20);
}

static void comments_and_blank_lines_have_no_words(void **)
{
	static const char *const lines[] = {"", "\n", "\r\n", "  \t ", "# a b", "  #", " # 'x\n"};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		split(lines[i]);
		assert_int_equal(words.n, 0);
	}
}

static void comment_begins_at_a_word_only(void **)
{
	split("a b#c # d");
	assert_int_equal(words.n, 2);
	assert_word(1, "b#c", 3);
	split("'#' \"#\"");
	assert_int_equal(words.n, 2);
	assert_word(0, "#", 1);
}

static void quotes_keep_words_together(void **)
{
	split("a 'b c' \"d  e\" f'g h'i ''");
	assert_int_equal(words.n, 5);
	assert_word(1, "b c", 3);
	assert_word(2, "d  e", 9);
	assert_word(3, "fg hi", 16);
	assert_word(4, "", 24);
	split("'say \"x\"' \"it's\"");
	assert_word(0, "say \"x\"", 1);
	assert_word(1, "it's", 11);
}

static void backslash_escapes_in_double_quotes_only(void **)
{
	split("\"a\\\"b\" \"c\\\\\" \"d\\n\" e\\ 'f\\'");
	assert_int_equal(words.n, 5);
	assert_word(0, "a\"b", 1);
	assert_word(1, "c\\", 8);
	assert_word(2, "d\\n", 14);
	assert_word(3, "e\\", 20);
	assert_word(4, "f\\", 23);
}

static void open_quote_is_refused(void **)
{
	assert_refused("a 'b c", 3, "expected another '");
	assert_string_equal(err.value, "b c");
	assert_refused("a \"b\\\"", 3, "expected another \"");
	assert_refused("a b'c\n", 3, "the quote is not closed");
}

static void control_characters_are_refused(void **)
{
	assert_refused("ab\x01", 3, "0x01");
	assert_refused("\x1b[31m", 1, "0x1b");
	assert_refused("a\nb", 2, "0x0a");
	assert_refused("a\x7f", 2, "0x7f");
}

static void line_length_is_limited(void **)
{
	char line[RP_LINE_MAX + 10];

	memset(line, 'a', sizeof(line));
	line[RP_LINE_MAX - 1] = '\0';
	split(line);
	assert_int_equal(strlen(words.word[0].text), RP_LINE_MAX - 1);
	line[RP_LINE_MAX - 1] = '\n';
	line[RP_LINE_MAX] = '\0';
	assert_refused(line, 1, "longer than 4095 bytes");
}

static void number_of_words_is_limited(void **)
{
	char line[2 * RP_WORDS_MAX + 3];

	for (size_t i = 0; i < sizeof(line) - 1; i++)
		line[i] = i % 2 == 0 ? 'x' : ' ';
	line[2 * RP_WORDS_MAX] = '\0';
	split(line);
	assert_int_equal(words.n, RP_WORDS_MAX);
	line[2 * RP_WORDS_MAX] = 'x';
	line[2 * RP_WORDS_MAX + 1] = '\0';
	assert_refused(line, 2 * RP_WORDS_MAX + 1, "more than 256 words");
}

static void nearest_word_is_one_slip_away(void **)
{
	static const char *const c[] = {"create", "update", "delete", "list", "show", "mtu", "y"};
	static const struct {
		const char *word, *nearest;
	} cases[] = {
		{"creat", "create"},   {"craete", "create"}, {"creates", "create"},
		{"crate", "create"},   {"dlete", "delete"},  {"remove", NULL},
		{"lst", "list"},       {"shwo", "show"},     {"mut", "mtu"},
		{"upgrade", "update"}, {"x", NULL},	     {"", NULL},
		{"list", "list"},      {"updaet", "update"}, {"Create", "create"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *near = rp_words_nearest(cases[i].word, c, sizeof(c) / sizeof(c[0]));

		if (cases[i].nearest == NULL && near != NULL)
			fail_msg("%s: %s", cases[i].word, near);
		if (cases[i].nearest != NULL) {
			assert_non_null(near);
			assert_string_equal(near, cases[i].nearest);
		}
	}
}

static void long_words_are_near_to_nothing(void **)
{
	char a[100], b[100];
	const char *const c[] = {b};

	memset(a, 'a', sizeof(a));
	memset(b, 'a', sizeof(b));
	a[99] = b[99] = '\0';
	assert_null(rp_words_nearest(a, c, 1));
	a[32] = b[32] = '\0';
	assert_ptr_equal(rp_words_nearest(a, c, 1), b);
	b[32] = 'a';
	assert_null(rp_words_nearest(a, c, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blanks_part_words),
		cmocka_unit_test(comments_and_blank_lines_have_no_words),
		cmocka_unit_test(comment_begins_at_a_word_only),
		cmocka_unit_test(quotes_keep_words_together),
		cmocka_unit_test(backslash_escapes_in_double_quotes_only),
		cmocka_unit_test(open_quote_is_refused),
		cmocka_unit_test(control_characters_are_refused),
		cmocka_unit_test(line_length_is_limited),
		cmocka_unit_test(number_of_words_is_limited),
		cmocka_unit_test(nearest_word_is_one_slip_away),
		cmocka_unit_test(long_words_are_near_to_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
