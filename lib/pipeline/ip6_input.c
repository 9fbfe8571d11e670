// SPDX-License-Identifier: BSD-3-Clause
#include <netinet/icmp6.h>
#include <netinet/in.h>

#include <rte_ip.h>
#include <rte_udp.h>

#include "pipeline/ip_input.h"

/*
 * ip6_input: RFC 8200 header and extension headers, port security, then local or on the way.
 */

#define DHCP6_SERVER_PORT 547
#define EXT_HEADERS_MAX	  8 // a longer walk serves nobody but an attacker

// ff02::1:2, RFC 8415 section 7.1
static const uint8_t dhcp_servers[RP_IP6_LEN] = {0xff, 0x02, [13] = 1, [15] = 2};

// One extension header that has the common form: next header, length in units of 8.
static bool skip_options(struct rp_reader *r, uint8_t *next, unsigned int unit, unsigned int plus)
{
	const uint8_t *ext = rp_peek(r, 8);

	if (ext == NULL)
		return false;
	*next = ext[0];
	return rp_read(r, (ext[1] + plus) * unit) != NULL;
}

static bool skip_fragment(struct rp_packet *p, struct rp_reader *r, uint8_t *next)
{
	const uint8_t *frag = rp_read(r, 8);

	if (frag == NULL)
		return false;
	*next = frag[0];
	p->fragment = true;
	p->frag_first = ((frag[2] << 8 | frag[3]) & 0xfff8) == 0;
	return true;
}

// To the upper-layer header, or to where a later fragment's data begin.
static bool walk_ext_headers(struct rp_packet *p, struct rp_reader *r)
{
	uint8_t *next = &p->l4_proto;

	for (int i = 0; i < EXT_HEADERS_MAX; i++) {
		switch (*next) {
		case IPPROTO_HOPOPTS:
		case IPPROTO_ROUTING:
		case IPPROTO_DSTOPTS:
			if (!skip_options(r, next, 8, 1))
				return false;
			break;
		case IPPROTO_AH:
			if (!skip_options(r, next, 4, 2))
				return false;
			break;
		case IPPROTO_FRAGMENT:
			if (!skip_fragment(p, r, next))
				return false;
			if (!p->frag_first)
				return true;
			break;
		default:
			return true;
		}
	}
	return false;
}

static bool is_nd(const struct rp_packet *p, uint8_t *type)
{
	struct rp_reader r = rp_packet_l4(p);

	return p->l4_proto == IPPROTO_ICMPV6 && !p->fragment && rp_read_u8(&r, type) &&
	       *type >= ND_ROUTER_SOLICIT && *type <= ND_REDIRECT;
}

static bool is_dhcp(const struct rp_packet *p)
{
	struct rp_reader r = rp_packet_l4(p);
	const struct rte_udp_hdr *udp = rp_peek(&r, sizeof(*udp));

	return p->nic != NULL && p->l4_proto == IPPROTO_UDP && !p->fragment && udp != NULL &&
	       udp->dst_port == RTE_BE16(DHCP6_SERVER_PORT) &&
	       (memcmp(p->dst.bytes, dhcp_servers, RP_IP6_LEN) == 0 ||
		rp_addr_equal(&p->dst, &rp_gateway_ip6));
}

enum rp_stage rp_stage_ip6_input(struct rp_packet *p)
{
	struct rp_reader r = rp_reader(p->data + p->l3, p->len - p->l3);
	const struct rte_ipv6_hdr *ip = rp_read(&r, sizeof(*ip));
	struct rp_reader payload;
	uint8_t type;
	bool nd;

	if (ip == NULL || (rte_be_to_cpu_32(ip->vtc_flow) >> 28) != 6 ||
	    !rp_read_sub(&r, rte_be_to_cpu_16(ip->payload_len), &payload))
		return rp_drop(RP_DROP_ip_bad_header);
	p->src = rp_addr_ip6(ip->src_addr);
	p->dst = rp_addr_ip6(ip->dst_addr);
	p->ttl = ip->hop_limits;
	p->l4_proto = ip->proto;
	if (!walk_ext_headers(p, &payload))
		return rp_drop(RP_DROP_ip_ext_header);
	p->l4 = (uint16_t)(payload.pos - p->data);
	p->l4_len = (uint32_t)rp_reader_left(&payload);
	rp_cut_trailer(p);

	nd = is_nd(p, &type);
	// :: is the source of duplicate address detection and of the first solicitation only.
	if (!(nd && rp_addr_is_unspecified(&p->src)) && !rp_source_allowed(p))
		return rp_drop(rp_source_drop(p));
	if (nd)
		return RP_STAGE_nd_reply;
	if (is_dhcp(p))
		return RP_STAGE_dhcp6_reply;
	if (rp_addr_equal(&p->dst, &rp_gateway_ip6))
		return rp_local(p, IPPROTO_ICMPV6);
	return RP_STAGE_route;
}
