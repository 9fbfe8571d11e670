// SPDX-License-Identifier: BSD-3-Clause
#include "venus/hello.h"

void rp_vn_hello_write_request(struct rp_writer *w, const struct rp_vn_hello_request *h)
{
	size_t n = strlen(h->token) + 1;

	rp_write_le32(w, RP_VN_CMD_HELLO);
	rp_write_le32(w, 1);
	rp_write_le32(w, h->protocol);
	rp_write_le32(w, h->header_version);
	rp_write_le32(w, h->max_frame);
	rp_write_le64(w, n);
	rp_write_bytes(w, h->token, n);
	rp_write_zero(w, -n & 3);
}

bool rp_vn_hello_read_request(struct rp_reader *r, struct rp_vn_hello_request *h)
{
	uint64_t n;

	if (!rp_read_le32(r, &h->protocol) || !rp_read_le32(r, &h->header_version) ||
	    !rp_read_le32(r, &h->max_frame) || !rp_read_le64(r, &n))
		return false;
	if (n == 0 || n > sizeof(h->token) || !rp_read_copy(r, h->token, n) ||
	    rp_read(r, -n & 3) == NULL)
		return false;
	return h->token[n - 1] == '\0';
}

void rp_vn_hello_write_reply(struct rp_writer *w, const struct rp_vn_hello_reply *h)
{
	rp_write_le32(w, RP_VN_CMD_HELLO);
	rp_write_le32(w, (uint32_t)h->result);
	rp_write_le32(w, h->protocol);
	rp_write_le32(w, h->header_version);
	rp_write_le32(w, h->max_frame);
}

bool rp_vn_hello_read_reply(struct rp_reader *r, struct rp_vn_hello_reply *h)
{
	uint32_t id, result;

	if (!rp_read_le32(r, &id) || id != RP_VN_CMD_HELLO || !rp_read_le32(r, &result))
		return false;
	h->result = (int32_t)result;
	return rp_read_le32(r, &h->protocol) && rp_read_le32(r, &h->header_version) &&
	       rp_read_le32(r, &h->max_frame);
}

const char *rp_vn_hello_text(int32_t result)
{
	switch (result) {
	case RP_VN_HELLO_OK:
		return "welcome";
	case RP_VN_HELLO_PROTOCOL:
		return "the server speaks another protocol version; install the same release";
	case RP_VN_HELLO_TOKEN:
		return "the server wants another token; set VENUS_TOKEN_FILE";
	case RP_VN_HELLO_BUSY:
		return "the server has too many clients; try again later";
	default:
		return "the server refused for an unknown reason";
	}
}
