// SPDX-License-Identifier: BSD-3-Clause
#include "packet/arp.h"

#include "pipeline/ip_input.h"

/*
 * arp_reply: RFC 826. Answers who-has for the gateway and nothing else: no proxy ARP, so a guest
 * sends everything through the gateway. The sender must be the NIC itself (port security); a probe
 * (RFC 5227 section 2.1.1: sender 0.0.0.0) is a question as well.
 */

// An ARP sender is a source like any other: Linux takes whichever of its addresses it likes.
static bool sender_allowed(struct rp_packet *p, const struct rp_arp *arp)
{
	p->src = arp->spa;
	return rte_is_same_ether_addr(&arp->sha, rp_packet_peer_mac(p)) &&
	       (rp_addr_is_unspecified(&arp->spa) || rp_source_allowed(p));
}

enum rp_stage rp_stage_arp_reply(struct rp_packet *p)
{
	struct rp_writer w = rp_packet_writer(p);
	struct rp_arp arp, reply;

	if (rp_arp_parse(p->data, p->len, &arp) < 0)
		return rp_drop(RP_DROP_arp_malformed);
	if (!sender_allowed(p, &arp))
		return rp_drop(RP_DROP_arp_spoofed);
	if (rp_arp_is_announcement(&arp))
		return rp_drop(RP_DROP_arp_gratuitous);
	if (arp.opcode != RTE_ARP_OP_REQUEST || !rp_packet_answers_for(p, &arp.tpa))
		return rp_drop(RP_DROP_arp_ignored);
	reply = (struct rp_arp){
		.eth_src = rp_gateway_mac,
		.eth_dst = arp.sha,
		.opcode = RTE_ARP_OP_REPLY,
		.sha = rp_gateway_mac,
		.spa = arp.tpa,
		.tha = arp.sha,
		.tpa = arp.spa,
	};
	rp_arp_write(&w, &reply);
	rp_packet_answered(p, RP_ANSWER_arp_reply);
	return rp_packet_reply(p, &w);
}
