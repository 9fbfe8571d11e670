/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A line of text as words: blanks part them, '...' and "..." keep them together ("\"" and "\\"
 * inside the latter), # at the start of a word begins a comment.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"

#define RP_LINE_MAX  4096 // bytes of a line, its NUL included
#define RP_WORDS_MAX 256

struct rp_word {
	const char *text;
	uint16_t column; // of its first byte in the line, from 1
};

struct rp_words {
	uint16_t n;
	struct rp_word word[RP_WORDS_MAX];
	char text[RP_LINE_MAX]; // what the words point into
};

/*
 * Split a line, which may end in a newline (LF or CR LF). 0, or -EINVAL with *err and *column where
 * it is too long, has too many words, an open quote or a control character.
 */
int rp_words_split(const char *line, struct rp_words *words, uint16_t *column,
		   struct rp_error *err);

/*
 * The candidate that someone who typed word most likely meant, NULL if none is near: at most one
 * slip (a letter wrong, missing, too many, or two swapped) for every three letters.
 */
const char *rp_words_nearest(const char *word, const char *const *candidates, size_t n);

// A word as it must be written to be split off as one again: quoted where that is needed.
void rp_word_print(FILE *out, const char *word);
