/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Cuts a stream of bytes into JSON texts. A text is an object or an array; white space may stand
 * between texts, a text may come in pieces and several may come at once. Only brackets and strings
 * are followed here: whether it is JSON is for the JSON library to say.
 *
 * After damage the rest of the line is skipped: whoever writes a text a line loses that line only.
 * Not thread-safe.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

#define RP_RPC_MESSAGE_MAX (1024 * 1024) // bytes of a text
#define RP_RPC_DEPTH_MAX   64

enum rp_rpc_scan_result {
	RP_RPC_SCAN_MORE,      // all is consumed, no text is complete
	RP_RPC_SCAN_MESSAGE,   // buf[0..len) is one; valid until the next call
	RP_RPC_SCAN_BROKEN,    // one is lost, why says how
	RP_RPC_SCAN_TOO_LARGE, // where it ends is not looked for: close the connection
};

struct rp_rpc_scan {
	char *buf;
	size_t len;
	size_t size;
	uint32_t depth;
	bool in_string;
	bool escape; // behind a backslash
	bool skip;   // to the end of the line
	bool done;   // buf was handed out: start anew
	const char *why;
};

// Start with all zero. Also returns BROKEN where memory is short.
enum rp_rpc_scan_result rp_rpc_scan(struct rp_rpc_scan *s, struct rp_reader *r);

// In the middle of a text?
bool rp_rpc_scan_unfinished(const struct rp_rpc_scan *s);

void rp_rpc_scan_free(struct rp_rpc_scan *s);
