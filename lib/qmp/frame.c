// SPDX-License-Identifier: BSD-3-Clause
#include "qmp/frame.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum state {
	BETWEEN,      // outside of any object
	SKIP,	      // after damage: wait for '{' at the start of a line
	KEY_OR_END,   // after '{'
	KEY,	      // after ',' in an object
	KEY_STRING,   // in a key
	KEY_ESCAPE,   // after a backslash in a key
	COLON,	      // after a key
	VALUE,	      // after ':' or after ',' in an array
	VALUE_OR_END, // after '['
	STRING,
	STRING_ESCAPE,
	WORD,	      // in a number, true, false or null
	COMMA_OR_END, // after a value
};

int rp_qmp_frame_init(struct rp_qmp_frame *f, size_t limit, unsigned depth_limit)
{
	memset(f, 0, sizeof(*f));
	f->limit = limit;
	f->depth_limit = depth_limit < RP_QMP_DEPTH_MAX ? depth_limit : RP_QMP_DEPTH_MAX;
	f->stack = calloc(RP_QMP_DEPTH_MAX / 8 + 1, 1);
	f->line_start = true;
	return f->stack != NULL ? 0 : -ENOMEM;
}

void rp_qmp_frame_free(struct rp_qmp_frame *f)
{
	free(f->buf);
	free(f->stack);
	memset(f, 0, sizeof(*f));
}

void rp_qmp_frame_reset(struct rp_qmp_frame *f)
{
	f->len = 0;
	f->depth = 0;
	f->state = BETWEEN;
	f->line_start = true;
	f->done = false;
	f->junk = 0;
	f->head[0] = '\0';
}

static bool in_object(const struct rp_qmp_frame *f)
{
	unsigned level = f->depth - 1;

	return f->stack[level / 8] & (1u << (level % 8));
}

static bool push(struct rp_qmp_frame *f, bool object)
{
	if (f->depth == f->depth_limit) {
		f->why = "is nested deeper than the limit";
		return false;
	}
	if (object)
		f->stack[f->depth / 8] |= (uint8_t)(1u << (f->depth % 8));
	else
		f->stack[f->depth / 8] &= (uint8_t) ~(1u << (f->depth % 8));
	f->depth++;
	f->state = object ? KEY_OR_END : VALUE_OR_END;
	return true;
}

static bool pop(struct rp_qmp_frame *f, bool object)
{
	if (in_object(f) != object)
		return false;
	f->depth--;
	f->state = f->depth > 0 ? COMMA_OR_END : BETWEEN;
	return true;
}

static bool is_word(uint8_t c)
{
	return isalnum(c) || c == '-' || c == '+' || c == '.';
}

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool start_value(struct rp_qmp_frame *f, uint8_t c)
{
	if (c == '{' || c == '[')
		return push(f, c == '{');
	if (c == '"')
		f->state = STRING;
	else if (is_word(c))
		f->state = WORD;
	else
		return false;
	return true;
}

static bool after_value(struct rp_qmp_frame *f, uint8_t c)
{
	if (c == '}' || c == ']')
		return pop(f, c == '}');
	if (c != ',')
		return false;
	f->state = in_object(f) ? KEY : VALUE;
	return true;
}

static bool in_string(struct rp_qmp_frame *f, uint8_t c)
{
	bool key = f->state == KEY_STRING;

	if (c == '\\')
		f->state = key ? KEY_ESCAPE : STRING_ESCAPE;
	else if (c == '"')
		f->state = key ? COLON : COMMA_OR_END;
	return c >= 0x20;
}

// One byte inside an object. False: the grammar forbids it, or a limit does (f->why).
static bool step(struct rp_qmp_frame *f, uint8_t c)
{
	switch (f->state) {
	case KEY_STRING:
	case STRING:
		return in_string(f, c);
	case KEY_ESCAPE:
		f->state = KEY_STRING;
		return c >= 0x20;
	case STRING_ESCAPE:
		f->state = STRING;
		return c >= 0x20;
	case WORD:
		if (is_word(c))
			return true;
		f->state = COMMA_OR_END;
		break;
	}
	if (is_space(c))
		return true;
	switch (f->state) {
	case KEY_OR_END:
		if (c == '}')
			return pop(f, true);
		// fall through
	case KEY:
		f->state = KEY_STRING;
		return c == '"';
	case COLON:
		f->state = VALUE;
		return c == ':';
	case VALUE_OR_END:
		if (c == ']')
			return pop(f, false);
		// fall through
	case VALUE:
		return start_value(f, c);
	default:
		return after_value(f, c);
	}
}

static bool store(struct rp_qmp_frame *f, uint8_t c)
{
	if (f->len == f->limit) {
		f->why = "is longer than the limit";
		return false;
	}
	if (f->len == f->size) {
		size_t size = f->size == 0 ? 4096 : f->size * 2;
		char *p = realloc(f->buf, size);

		if (p == NULL) {
			f->why = "does not fit into memory";
			return false;
		}
		f->buf = p;
		f->size = size;
	}
	f->buf[f->len++] = (char)c;
	return true;
}

// Remember what the junk looks like: an HMP monitor or an ssh server gives itself away by it.
static void note_junk(struct rp_qmp_frame *f, uint8_t c)
{
	if (is_space(c))
		return;
	if (f->junk < sizeof(f->head) - 1) {
		f->head[f->junk] = isprint(c) ? (char)c : '.';
		f->head[f->junk + 1] = '\0';
	}
	f->junk++;
}

// A byte outside of objects: only '{' matters, and after damage only at the start of a line.
static void outside(struct rp_qmp_frame *f, uint8_t c)
{
	if (c == '{' && (f->state == BETWEEN || f->line_start)) {
		push(f, true);
		store(f, c);
	} else {
		note_junk(f, c);
	}
	f->line_start = c == '\n';
}

enum rp_qmp_frame_result rp_qmp_frame_feed(struct rp_qmp_frame *f, struct rp_reader *r)
{
	const uint8_t *p;

	if (f->done) {
		f->len = 0;
		f->done = false;
	}
	for (; (p = rp_peek(r, 1)) != NULL; rp_read(r, 1)) {
		if (f->depth == 0) {
			outside(f, *p);
			continue;
		}
		f->why = "is not JSON";
		if (!step(f, *p) || !store(f, *p)) {
			// The byte stays unread: it may be the first of the next message.
			f->state = SKIP;
			f->depth = 0;
			f->done = true;
			return RP_QMP_FRAME_BROKEN;
		}
		f->line_start = *p == '\n';
		if (f->depth == 0) {
			rp_read(r, 1);
			f->done = true;
			return RP_QMP_FRAME_OBJECT;
		}
	}
	return RP_QMP_FRAME_MORE;
}
