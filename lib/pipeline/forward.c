// SPDX-License-Identifier: BSD-3-Clause
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>

#include <rte_ip.h>

#include "pipeline/stage.h"

/*
 * forward: TTL, MTU, both MACs. RFC 1812 section 5.3.1, RFC 8200 section 3.
 */

static enum rp_stage expired(struct rp_packet *p)
{
	if (p->dst.family == RP_IP4)
		return rp_packet_icmp_error(p, ICMP_TIME_EXCEEDED, ICMP_EXC_TTL, 0,
					    RP_DROP_ttl_expired);
	return rp_packet_icmp_error(p, ICMP6_TIME_EXCEEDED, ICMP6_TIME_EXCEED_TRANSIT, 0,
				    RP_DROP_ttl_expired);
}

static enum rp_stage too_big(struct rp_packet *p, uint16_t mtu)
{
	const struct rte_ipv4_hdr *ip = (const void *)(p->data + p->l3);

	if (p->dst.family == RP_IP6)
		return rp_packet_icmp_error(p, ICMP6_PACKET_TOO_BIG, 0, mtu, RP_DROP_too_big);
	// RFC 1191 section 4: only a packet that forbids fragmentation is told the MTU; ringplane
	// does not fragment, as the two ends of a network have one MTU.
	if (ip->fragment_offset & RTE_BE16(RTE_IPV4_HDR_DF_FLAG))
		return rp_packet_icmp_error(p, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, mtu,
					    RP_DROP_too_big);
	return rp_drop(RP_DROP_too_big);
}

static void rewrite(struct rp_packet *p, uint8_t *head)
{
	struct rte_ether_hdr *eth = (struct rte_ether_hdr *)head;

	rte_ether_addr_copy(p->out != NULL ? &p->out->cfg.mac : &p->view->host.mac, &eth->dst_addr);
	rte_ether_addr_copy(&rp_gateway_mac, &eth->src_addr);
	if (p->dst.family == RP_IP4) {
		struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(head + p->l3);
		// RFC 1624: the TTL is the high byte of its 16-bit word.
		uint32_t sum = ip->hdr_checksum + (uint32_t)RTE_BE16(0x0100);

		ip->hdr_checksum = (uint16_t)(sum + (sum >= 0xffff));
		ip->time_to_live--;
	} else {
		((struct rte_ipv6_hdr *)(head + p->l3))->hop_limits--;
	}
}

enum rp_stage rp_stage_forward(struct rp_packet *p)
{
	uint16_t mtu = p->out != NULL ? p->out->dst.mtu : p->view->host.mtu;
	uint32_t ip_len =
		p->dst.family == RP_IP4 ? sizeof(struct rte_ipv4_hdr) : sizeof(struct rte_ipv6_hdr);
	uint8_t *head = rp_packet_head(p, p->l3 + ip_len);

	if (p->ttl <= 1)
		return expired(p);
	if (p->l4 - p->l3 + p->l4_len > mtu)
		return too_big(p, mtu);
	// vhost fills a segment before it takes the next: headers are never spread.
	if (head == NULL)
		return rp_drop(RP_DROP_runt);
	rewrite(p, head);
	return RP_STAGE_tx;
}
