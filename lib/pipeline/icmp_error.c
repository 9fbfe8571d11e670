// SPDX-License-Identifier: BSD-3-Clause
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>

#include <rte_cycles.h>

#include "packet/frame.h"
#include "pipeline/worker.h"

/*
 * icmp_error: tells the sender why, with the head of its packet. RFC 1812 section 4.3.2, RFC 4443
 * section 2.4: never in answer to an error, a fragment other than the first, a group address or a
 * source that is not one host; limited per NIC.
 */

#define ERRORS_PER_SECOND 100
#define ERRORS_BURST	  20

static bool is_error(const struct rp_packet *p)
{
	struct rp_reader r = rp_packet_l4(p);
	uint8_t type;

	if (p->l4_proto != (p->src.family == RP_IP4 ? IPPROTO_ICMP : IPPROTO_ICMPV6))
		return false;
	// What cannot be told from an error is taken for one.
	if (!rp_read_u8(&r, &type))
		return true;
	if (p->src.family == RP_IP6)
		return type < ICMP6_INFOMSG_MASK || type == ND_REDIRECT;
	return type != ICMP_ECHO && type != ICMP_ECHOREPLY && type != ICMP_TIMESTAMP &&
	       type != ICMP_TIMESTAMPREPLY && type != ICMP_INFO_REQUEST &&
	       type != ICMP_INFO_REPLY && type != ICMP_ADDRESS && type != ICMP_ADDRESSREPLY;
}

static bool allowed(const struct rp_packet *p)
{
	const struct rte_ether_hdr *eth = (const void *)p->data;

	return !(p->fragment && !p->frag_first) && !is_error(p) && !rp_addr_is_multicast(&p->dst) &&
	       !rte_is_multicast_ether_addr(&eth->dst_addr) && !rp_addr_is_unspecified(&p->src) &&
	       !rp_addr_is_multicast(&p->src);
}

static bool take_token(struct rp_packet *p)
{
	struct rp_tokens *t = &p->worker->icmp_tokens[p->in_port];
	uint64_t now = rte_rdtsc();
	uint64_t per_token = rte_get_tsc_hz() / ERRORS_PER_SECOND;
	uint64_t earned = (now - t->at) / per_token;

	if (earned > 0) {
		t->left = (uint32_t)RTE_MIN(t->left + earned, (uint64_t)ERRORS_BURST);
		t->at = now;
	}
	if (t->left == 0)
		return false;
	t->left--;
	return true;
}

// RFC 1812 section 4.3.2.3: up to 576 bytes in all; RFC 4443 section 2.4 (c): up to the least MTU.
static size_t quoted_len(const struct rp_packet *p)
{
	size_t have = (size_t)(p->l4 - p->l3) + p->l4_len;
	size_t room = p->src.family == RP_IP4 ? 576 - 20 - 8 : 1280 - 40 - 8;

	return RTE_MIN(have, room);
}

static enum rp_stage build(struct rp_packet *p)
{
	bool v4 = p->src.family == RP_IP4;
	struct rp_frame_head head = {
		.eth_src = rp_gateway_mac,
		.eth_dst = *rp_packet_peer_mac(p),
		.src = v4 ? rp_gateway_ip4 : rp_gateway_ip6,
		.dst = p->src,
		.ttl = RP_TTL_DEFAULT,
		.proto = v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6,
	};
	struct rp_writer w = rp_packet_writer(p);
	struct rp_frame_builder b;

	rp_frame_begin(&b, &w, &head);
	rp_write_u8(&w, p->icmp_type);
	rp_write_u8(&w, p->icmp_code);
	rp_write_be16(&w, 0);
	// RFC 1191 section 4 puts the MTU into the low half, RFC 4443 section 3.2 uses all of it.
	rp_write_be32(&w, p->icmp_info);
	rp_write_bytes(&w, p->data + p->l3, quoted_len(p));
	rp_frame_end(&b);
	return rp_packet_reply(p, &w);
}

// The offending packet is counted under its own reason in any case; the error, if one goes out,
// under its answer.
enum rp_stage rp_stage_icmp_error(struct rp_packet *p)
{
	struct rp_port_counters *c = &p->worker->ports[p->in_port];
	enum rp_stage next;

	if (!allowed(p)) {
		c->drops[RP_DROP_icmp_not_allowed]++;
		return rp_drop(p->icmp_reason);
	}
	if (!take_token(p)) {
		c->drops[RP_DROP_icmp_rate_limited]++;
		return rp_drop(p->icmp_reason);
	}
	next = build(p);
	if (rp_stage_is_drop(next))
		return next;
	c->drops[p->icmp_reason]++;
	rp_packet_answered(p, RP_ANSWER_icmp_error);
	return next;
}
