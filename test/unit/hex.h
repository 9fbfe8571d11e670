/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Frames as hexadecimal text, one field a word: what a test expects stays readable beside the RFC.
 * Include it behind cmocka.h.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Bytes of the text, blanks between them ignored; fails the test on anything else.
static inline size_t hex_bytes(const char *text, uint8_t *buf, size_t size)
{
	size_t n = 0;

	for (; *text != '\0'; text++) {
		unsigned int byte = 0;

		if (*text == ' ')
			continue;
		if (n == size || sscanf(text, "%2x", &byte) != 1)
			fail_msg("bad hexadecimal text at '%s'", text);
		buf[n++] = (uint8_t)byte;
		text++;
	}
	return n;
}

// Compare, and show both sides on a difference.
#define assert_hex(data, len, text) hex_compare(data, len, text, __FILE__, __LINE__)

static inline void hex_compare(const void *data, size_t len, const char *text, const char *file,
			       int line)
{
	uint8_t want[2048];
	size_t n = hex_bytes(text, want, sizeof(want));
	const uint8_t *got = (const uint8_t *)data;

	if (n == len && memcmp(want, got, n) == 0)
		return;
	print_error("want %zu bytes:", n);
	for (size_t i = 0; i < n; i++)
		print_error(" %02x", want[i]);
	print_error("\ngot  %zu bytes:", len);
	for (size_t i = 0; i < len; i++)
		print_error(" %02x", got[i]);
	print_error("\n");
	_fail(file, line);
}
