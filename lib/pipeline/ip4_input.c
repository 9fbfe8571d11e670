// SPDX-License-Identifier: BSD-3-Clause
#include <netinet/in.h>

#include <rte_ip.h>
#include <rte_udp.h>

#include "pipeline/ip_input.h"

/*
 * ip4_input: RFC 1812 section 5.2.2 header validation, port security, then local or on the way.
 */

#define DHCP4_SERVER_PORT 67

static bool udp_to(const struct rp_packet *p, uint16_t port)
{
	struct rp_reader r = rp_packet_l4(p);
	const struct rte_udp_hdr *udp = rp_peek(&r, sizeof(*udp));

	return p->l4_proto == IPPROTO_UDP && (!p->fragment || p->frag_first) && udp != NULL &&
	       udp->dst_port == rte_cpu_to_be_16(port);
}

// Length fields against the frame, then the fields that later stages use.
static bool read_header(struct rp_packet *p, const struct rte_ipv4_hdr *ip, uint32_t room)
{
	uint32_t header = (ip->version_ihl & 0x0f) * 4u;
	uint32_t total = rte_be_to_cpu_16(ip->total_length);
	uint16_t frag = rte_be_to_cpu_16(ip->fragment_offset);

	if (ip->version_ihl >> 4 != 4 || header < sizeof(*ip) || total < header || total > room)
		return false;
	p->src = rp_addr_ip4(ip->src_addr);
	p->dst = rp_addr_ip4(ip->dst_addr);
	p->l4 = (uint16_t)(p->l3 + header);
	p->l4_len = total - header;
	p->l4_proto = ip->next_proto_id;
	p->ttl = ip->time_to_live;
	p->fragment = (frag & (RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK)) != 0;
	p->frag_first = (frag & RTE_IPV4_HDR_OFFSET_MASK) == 0;
	return true;
}

enum rp_stage rp_stage_ip4_input(struct rp_packet *p)
{
	struct rp_reader r = rp_reader(p->data + p->l3, p->len - p->l3);
	const struct rte_ipv4_hdr *ip = rp_peek(&r, sizeof(*ip));
	bool dhcp;

	if (ip == NULL || !read_header(p, ip, p->len - p->l3))
		return rp_drop(RP_DROP_ip_bad_header);
	if (rte_raw_cksum(ip, p->l4 - p->l3) != 0xffff)
		return rp_drop(RP_DROP_ip_bad_checksum);
	rp_cut_trailer(p);
	dhcp = p->nic != NULL && udp_to(p, DHCP4_SERVER_PORT) &&
	       (p->dst.ip4 == UINT32_MAX || rp_addr_equal(&p->dst, &rp_gateway_ip4));
	// A DHCP client may not have its address yet: dhcp4_reply looks at what it says.
	if (dhcp)
		return RP_STAGE_dhcp4_reply;
	if (!rp_source_allowed(p))
		return rp_drop(rp_source_drop(p));
	if (rp_addr_equal(&p->dst, &rp_gateway_ip4))
		return rp_local(p, IPPROTO_ICMP);
	return RP_STAGE_route;
}
