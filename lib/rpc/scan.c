// SPDX-License-Identifier: BSD-3-Clause
#include "rpc/scan.h"

#include <stdlib.h>

#define KEEP_SIZE 16384 // a larger buffer is not kept for the next text

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void start(struct rp_rpc_scan *s)
{
	if (s->size > KEEP_SIZE) {
		free(s->buf);
		s->buf = NULL;
		s->size = 0;
	}
	s->len = 0;
	s->depth = 0;
	s->in_string = false;
	s->escape = false;
	s->done = false;
}

static enum rp_rpc_scan_result broken(struct rp_rpc_scan *s, char c, const char *why)
{
	start(s);
	s->skip = c != '\n';
	s->why = why;
	return RP_RPC_SCAN_BROKEN;
}

static bool append(struct rp_rpc_scan *s, char c)
{
	if (s->len == s->size) {
		size_t size = s->size == 0 ? 1024 : s->size * 2;
		char *buf = realloc(s->buf, size);

		if (buf == NULL)
			return false;
		s->buf = buf;
		s->size = size;
	}
	s->buf[s->len++] = c;
	return true;
}

static void follow_string(struct rp_rpc_scan *s, char c)
{
	if (s->escape)
		s->escape = false;
	else if (c == '\\')
		s->escape = true;
	else if (c == '"')
		s->in_string = false;
}

// One byte of a text; depth is 0 behind its last.
static enum rp_rpc_scan_result take(struct rp_rpc_scan *s, char c)
{
	if (s->len == RP_RPC_MESSAGE_MAX)
		return RP_RPC_SCAN_TOO_LARGE;
	if (!append(s, c))
		return broken(s, c, "out of memory");
	if (s->in_string) {
		if (c == '\n')
			return broken(s, c, "a string does not end on its line");
		follow_string(s, c);
		return RP_RPC_SCAN_MORE;
	}
	if (c == '"')
		s->in_string = true;
	if (c == '{' || c == '[')
		s->depth++;
	if (s->depth > RP_RPC_DEPTH_MAX)
		return broken(s, c, "nested too deeply");
	if (c == '}' || c == ']')
		s->depth--;
	s->done = s->depth == 0;
	return s->done ? RP_RPC_SCAN_MESSAGE : RP_RPC_SCAN_MORE;
}

enum rp_rpc_scan_result rp_rpc_scan(struct rp_rpc_scan *s, struct rp_reader *r)
{
	enum rp_rpc_scan_result result;
	uint8_t byte;

	if (s->done)
		start(s);
	while (rp_read_u8(r, &byte)) {
		char c = (char)byte;

		if (s->skip) {
			s->skip = c != '\n';
			continue;
		}
		if (s->depth == 0) {
			if (is_space(c))
				continue;
			if (c != '{' && c != '[')
				return broken(s, c, "expected a JSON object or array");
		}
		result = take(s, c);
		if (result != RP_RPC_SCAN_MORE)
			return result;
	}
	return RP_RPC_SCAN_MORE;
}

bool rp_rpc_scan_unfinished(const struct rp_rpc_scan *s)
{
	return s->depth > 0;
}

void rp_rpc_scan_free(struct rp_rpc_scan *s)
{
	free(s->buf);
	*s = (struct rp_rpc_scan){0};
}
