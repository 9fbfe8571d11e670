// SPDX-License-Identifier: BSD-3-Clause
#include "control/words.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static int check_line(const char *line, size_t *len, uint16_t *column, struct rp_error *err)
{
	size_t n = strnlen(line, RP_LINE_MAX);

	*column = 1;
	if (n == RP_LINE_MAX)
		return rp_error_set(err, EINVAL, NULL, NULL,
				    "the line is longer than %d bytes; split the command",
				    RP_LINE_MAX - 1);
	if (n > 0 && line[n - 1] == '\n')
		n--;
	if (n > 0 && line[n - 1] == '\r')
		n--;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)line[i];

		*column = (uint16_t)(i + 1);
		if ((c < ' ' && c != '\t') || c == 0x7f)
			return rp_error_set(err, EINVAL, NULL, NULL,
					    "byte 0x%02x is a control character; expected text", c);
	}
	*len = n;
	return 0;
}

// Copy one word to *out; *pos stands on its first byte and is left behind its last.
static int take_word(const char *line, size_t len, size_t *pos, char **out)
{
	char quote = '\0';
	size_t i = *pos;

	for (; i < len && (quote != '\0' || !is_blank(line[i])); i++) {
		char c = line[i];

		if (c == quote) {
			quote = '\0';
		} else if (quote == '\0' && (c == '\'' || c == '"')) {
			quote = c;
		} else {
			if (quote == '"' && c == '\\' && i + 1 < len &&
			    (line[i + 1] == '"' || line[i + 1] == '\\'))
				c = line[++i];
			*(*out)++ = c;
		}
	}
	*(*out)++ = '\0';
	*pos = i;
	return quote == '\0' ? 0 : -EINVAL;
}

int rp_words_split(const char *line, struct rp_words *words, uint16_t *column, struct rp_error *err)
{
	char *out = words->text;
	size_t pos = 0, len = 0;
	int rc = check_line(line, &len, column, err);

	words->n = 0;
	if (rc < 0)
		return rc;
	for (;;) {
		struct rp_word *word = &words->word[words->n];

		while (pos < len && is_blank(line[pos]))
			pos++;
		if (pos == len || line[pos] == '#')
			return 0;
		*column = (uint16_t)(pos + 1);
		if (words->n == RP_WORDS_MAX)
			return rp_error_set(err, EINVAL, NULL, NULL,
					    "more than %d words; split the command", RP_WORDS_MAX);
		word->text = out;
		word->column = *column;
		if (take_word(line, len, &pos, &out) < 0)
			return rp_error_set(err, EINVAL, NULL, word->text,
					    "the quote is not closed; expected another %c at its "
					    "end",
					    line[word->column - 1] == '\'' ? '\'' : '"');
		words->n++;
	}
}

#define NEAR_MAX 32 // longer words are not compared

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

// Optimal string alignment: like Levenshtein's distance, two swapped neighbours count once.
static size_t distance(const char *a, size_t na, const char *b, size_t nb)
{
	size_t row[3][NEAR_MAX + 1];

	for (size_t j = 0; j <= nb; j++)
		row[0][j] = j;
	for (size_t i = 1; i <= na; i++) {
		size_t *now = row[i % 3];
		const size_t *before = row[(i - 1) % 3];

		now[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			size_t differs = a[i - 1] != b[j - 1];

			now[j] = min3(before[j] + 1, now[j - 1] + 1, before[j - 1] + differs);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = min3(now[j], now[j], row[(i - 2) % 3][j - 2] + 1);
		}
	}
	return row[na % 3][nb];
}

const char *rp_words_nearest(const char *word, const char *const *candidates, size_t n)
{
	size_t len = strnlen(word, NEAR_MAX + 1);
	size_t least = (len + 2) / 3 + 1;
	const char *nearest = NULL;

	if (len > NEAR_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t m = strnlen(candidates[i], NEAR_MAX + 1);
		size_t d = m <= NEAR_MAX ? distance(word, len, candidates[i], m) : least;

		// A word that shares no letter is no slip of a short one.
		if (d < least && d < len) {
			least = d;
			nearest = candidates[i];
		}
	}
	return nearest;
}

void rp_word_print(FILE *out, const char *word)
{
	if (word[0] != '\0' && word[0] != '#' && strpbrk(word, " \t'\"") == NULL) {
		fputs(word, out);
		return;
	}
	fputc('"', out);
	for (; *word != '\0'; word++) {
		if (*word == '"' || *word == '\\')
			fputc('\\', out);
		fputc(*word, out);
	}
	fputc('"', out);
}
