/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What went wrong, in parts that a program can branch on and a person can read.
 *
 * Functions return 0 or -errno (pointers: NULL with errno set). Where the reason is the user's
 * input, they also fill a struct rp_error: which field, which value, what was expected. Its text is
 * one line: "ipv4 '10.0.0.1/24': host bits are set; expected a subnet such as 10.0.0.0/24".
 */

#include <stdarg.h>
#include <stddef.h>

struct rp_error {
	int code;	    // positive errno, 0 for "no error"
	char field[64];	    // the option, key or word that is wrong; may be empty
	char value[128];    // what was given; may be empty, cut where longer
	char expected[320]; // what is wrong, what was expected, what to do next
	char where[160];    // "file:line:column" of a configuration, else empty
};

// Fill *err (which may be NULL: then only the code counts) and return -code.
__attribute__((format(printf, 5, 6))) int rp_error_set(struct rp_error *err, int code,
						       const char *field, const char *value,
						       const char *expected, ...);

// The whole error as one line without a newline, in buf; returns buf. "where: " comes first.
const char *rp_error_text(const struct rp_error *err, char *buf, size_t len);
