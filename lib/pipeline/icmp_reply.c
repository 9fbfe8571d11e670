// SPDX-License-Identifier: BSD-3-Clause
#include <rte_ip.h>

#include "packet/icmp.h"
#include "pipeline/local.h"

/*
 * icmp_reply: echo to the gateway, RFC 1122 section 3.2.2.6 and RFC 4443 section 4.2. The request
 * becomes the reply in place, so that any size up to the MTU is answered, chained or not. IPv4
 * options and IPv6 extension headers do not go back.
 */

static void turn_ip4(struct rte_ipv4_hdr *ip, const struct rp_packet *p)
{
	*ip = (struct rte_ipv4_hdr){
		.version_ihl = RTE_IPV4_VHL_DEF,
		.type_of_service = ip->type_of_service,
		.total_length = rte_cpu_to_be_16((uint16_t)(sizeof(*ip) + p->l4_len)),
		.fragment_offset = RTE_BE16(RTE_IPV4_HDR_DF_FLAG),
		.time_to_live = RP_TTL_DEFAULT,
		.next_proto_id = p->l4_proto,
		.src_addr = p->dst.ip4,
		.dst_addr = p->src.ip4,
	};
	ip->hdr_checksum = rp_checksum_ip4(ip);
}

static void turn_ip6(struct rte_ipv6_hdr *ip, const struct rp_packet *p)
{
	ip->payload_len = rte_cpu_to_be_16((uint16_t)p->l4_len);
	ip->proto = p->l4_proto;
	ip->hop_limits = RP_TTL_DEFAULT;
	memcpy(ip->src_addr, p->dst.bytes, sizeof(ip->src_addr));
	memcpy(ip->dst_addr, p->src.bytes, sizeof(ip->dst_addr));
}

enum rp_stage rp_stage_icmp_reply(struct rp_packet *p)
{
	bool ip4 = p->src.family == RP_IP4;
	size_t ip_len = ip4 ? sizeof(struct rte_ipv4_hdr) : sizeof(struct rte_ipv6_hdr);
	uint16_t mtu = p->nic != NULL ? p->nic->dst.mtu : p->view->host.mtu;
	enum rp_drop why = rp_local_check(p, p->l4_len, sizeof(struct rp_icmp_echo_hdr));
	struct rp_icmp_echo_hdr *echo;
	struct rte_ether_hdr *eth;
	uint8_t *head;

	if (why != RP_DROP_COUNT)
		return rp_drop(why);
	head = rp_packet_head(p, p->l4 + sizeof(*echo));
	// vhost fills a segment before it takes the next: headers are never spread.
	if (head == NULL)
		return rp_drop(RP_DROP_runt);
	echo = (struct rp_icmp_echo_hdr *)(head + p->l4);
	if (echo->type != rp_icmp_echo_request_type(p->src.family) || echo->code != 0)
		return rp_drop(RP_DROP_icmp_ignored);
	if (ip_len + p->l4_len > mtu)
		return rp_drop(RP_DROP_too_big);

	rp_icmp_echo_to_reply(echo, p->src.family);
	// Ethernet and IP move up against ICMP, over what was between them.
	head = (uint8_t *)echo - ip_len - p->l3;
	memmove(head, rte_pktmbuf_mtod(p->mbuf, void *), p->l3 + ip_len);
	rte_pktmbuf_adj(p->mbuf, (uint16_t)(p->l4 - p->l3 - ip_len));
	eth = (struct rte_ether_hdr *)head;
	eth->dst_addr = eth->src_addr;
	eth->src_addr = rp_gateway_mac;
	if (ip4)
		turn_ip4((struct rte_ipv4_hdr *)(head + p->l3), p);
	else
		turn_ip6((struct rte_ipv6_hdr *)(head + p->l3), p);
	rp_packet_answered(p, RP_ANSWER_echo_reply);
	return rp_packet_return(p);
}
