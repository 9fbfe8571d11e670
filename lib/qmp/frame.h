/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Finds the JSON objects in a stream of bytes, by JSON and not by line: QEMU ends an object with
 * CRLF, spreads it over lines with pretty=on, and a read may end anywhere.
 *
 * The scanner follows JSON's grammar far enough to notice damage at the byte where it happens: a
 * missing comma, a control character in a string, a new message inside an unfinished one. Strings,
 * numbers and UTF-8 are judged by the JSON library that gets the object. After damage it looks for
 * the next '{' at the start of a line: every message of QEMU starts there, pretty or not, and no
 * nested object does. Bytes between objects that are not white space are skipped and counted.
 *
 * Not thread-safe.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

#define RP_QMP_DEPTH_MAX 1024

enum rp_qmp_frame_result {
	RP_QMP_FRAME_MORE,   // every byte is consumed, no object is complete
	RP_QMP_FRAME_OBJECT, // f->buf[0..f->len) is one object; valid until the next call
	RP_QMP_FRAME_BROKEN, // a message is lost; f->why says how, f->buf holds its beginning
};

struct rp_qmp_frame {
	char *buf;
	size_t len;
	size_t size;
	size_t limit;	// longest object
	unsigned depth; // nesting of the current position
	unsigned depth_limit;
	unsigned char state;
	bool line_start; // the previous byte was a newline
	bool done;	 // the buffer was handed out: start anew
	const char *why;
	uint64_t junk;	// bytes skipped outside of objects
	char head[64];	// the first of them, for messages
	uint8_t *stack; // bit per level: 1 object, 0 array
};

// depth_limit is at most RP_QMP_DEPTH_MAX. Returns 0 or -ENOMEM.
int rp_qmp_frame_init(struct rp_qmp_frame *f, size_t limit, unsigned depth_limit);
void rp_qmp_frame_free(struct rp_qmp_frame *f);

// Forget everything: a new connection.
void rp_qmp_frame_reset(struct rp_qmp_frame *f);

// Consume bytes of r until an object is complete, a message is lost, or r is empty.
enum rp_qmp_frame_result rp_qmp_frame_feed(struct rp_qmp_frame *f, struct rp_reader *r);
