// SPDX-License-Identifier: BSD-3-Clause
#include "packet/icmp.h"

#include <assert.h>
#include <errno.h>

static_assert(sizeof(struct rp_icmp_echo_hdr) == 8, "RFC 792");

static uint8_t icmp_proto(enum rp_family family)
{
	return family == RP_IP4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
}

void rp_icmp_echo_to_reply(struct rp_icmp_echo_hdr *h, enum rp_family family)
{
	uint8_t request[2] = {h->type, 0}, reply[2] = {rp_icmp_echo_reply_type(family), 0};
	uint16_t old, new;

	memcpy(&old, request, sizeof(old));
	memcpy(&new, reply, sizeof(new));
	// RFC 1624 section 3, equation 3: HC' = ~(~HC + ~m + m'). For a reply of nothing but zeros
	// it yields 0, where all ones are right; and where 0 is right, all ones are as good.
	h->checksum =
		(uint16_t)~rp_sum_fold((uint16_t)~h->checksum + (uint32_t)(uint16_t)~old + new);
	if (h->checksum == 0)
		h->checksum = 0xffff;
	h->type = reply[0];
}

static bool create_request(struct rp_writer *w, const struct rp_echo *echo, enum rp_family family)
{
	struct rp_frame_head head = {
		.eth_src = echo->eth_src,
		.eth_dst = echo->eth_dst,
		.src = echo->src,
		.dst = echo->dst,
		.ttl = echo->ttl,
		.proto = icmp_proto(family),
	};
	struct rp_icmp_echo_hdr h = {
		.type = rp_icmp_echo_request_type(family),
		.ident = rte_cpu_to_be_16(echo->ident),
		.seq = rte_cpu_to_be_16(echo->seq),
	};
	struct rp_frame_builder b;

	if (echo->src.family != family || echo->dst.family != family)
		return false;
	rp_frame_begin(&b, w, &head);
	rp_write_bytes(w, &h, sizeof(h));
	rp_write_bytes(w, echo->data.pos, rp_reader_left(&echo->data));
	return rp_frame_end(&b);
}

bool rp_create_icmp_echo_request(struct rp_writer *w, const struct rp_echo *echo)
{
	return create_request(w, echo, RP_IP4);
}

bool rp_create_icmpv6_echo_request(struct rp_writer *w, const struct rp_echo *echo)
{
	return create_request(w, echo, RP_IP6);
}

static int parse_reply(const void *frame, size_t len, struct rp_echo *echo, enum rp_family family)
{
	struct rp_icmp_echo_hdr h;
	struct rp_frame f;
	int ret = rp_frame_parse(frame, len, &f);

	if (ret < 0)
		return ret;
	if (f.src.family != family || f.proto != icmp_proto(family) || f.frag_offset != 0 ||
	    !rp_read_copy(&f.l4, &h, sizeof(h)) || h.type != rp_icmp_echo_reply_type(family) ||
	    h.code != 0)
		return -ENOMSG;
	*echo = (struct rp_echo){
		.eth_src = f.eth_src,
		.eth_dst = f.eth_dst,
		.src = f.src,
		.dst = f.dst,
		.ttl = f.ttl,
		.ident = rte_be_to_cpu_16(h.ident),
		.seq = rte_be_to_cpu_16(h.seq),
		.data = f.l4,
		.ip_checksum_ok = f.ip_checksum_ok,
		.checksum_ok = f.l4_checksum_ok,
	};
	return 0;
}

int rp_parse_icmp_echo_reply(const void *frame, size_t len, struct rp_echo *echo)
{
	return parse_reply(frame, len, echo, RP_IP4);
}

int rp_parse_icmpv6_echo_reply(const void *frame, size_t len, struct rp_echo *echo)
{
	return parse_reply(frame, len, echo, RP_IP6);
}
