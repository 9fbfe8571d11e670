/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "venus/wire.h"

// What the two ends tell each other first; layout in wire.h.
struct rp_vn_hello_request {
	uint32_t protocol;
	uint32_t header_version; // VK_HEADER_VERSION of the sender's tables
	uint32_t max_frame;
	char token[RP_VN_MAX_TOKEN + 1];
};

struct rp_vn_hello_reply {
	int32_t result; // enum rp_vn_hello
	uint32_t protocol;
	uint32_t header_version;
	uint32_t max_frame;
};

void rp_vn_hello_write_request(struct rp_writer *w, const struct rp_vn_hello_request *h);

// Everything after command and flags. False: malformed.
bool rp_vn_hello_read_request(struct rp_reader *r, struct rp_vn_hello_request *h);

#define RP_VN_HELLO_REPLY 20u // bytes on the wire

void rp_vn_hello_write_reply(struct rp_writer *w, const struct rp_vn_hello_reply *h);
bool rp_vn_hello_read_reply(struct rp_reader *r, struct rp_vn_hello_reply *h);

// Why a server refused, as a sentence that says what to do.
const char *rp_vn_hello_text(int32_t result);
