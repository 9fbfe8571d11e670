// SPDX-License-Identifier: BSD-3-Clause
#include <rte_ether.h>

#include "pipeline/stage.h"

/*
 * classify: Ethernet. The source MAC must be the NIC's own (port security), the destination the
 * gateway's or a group address, the port is untagged. From the TAP the same holds with the
 * kernel's MAC for the NIC's.
 */

enum rp_stage rp_stage_classify(struct rp_packet *p)
{
	struct rp_reader r = rp_reader(p->data, p->len);
	const struct rte_ether_hdr *eth = rp_read(&r, sizeof(*eth));

	if (eth == NULL)
		return rp_drop(RP_DROP_runt);
	if (!rte_is_same_ether_addr(&eth->src_addr, rp_packet_peer_mac(p)))
		return rp_drop(RP_DROP_spoofed_mac);
	if (!rte_is_same_ether_addr(&eth->dst_addr, &rp_gateway_mac) &&
	    !rte_is_multicast_ether_addr(&eth->dst_addr))
		return rp_drop(RP_DROP_l2_not_for_us);
	p->l3 = sizeof(*eth);
	switch (rte_be_to_cpu_16(eth->ether_type)) {
	case RTE_ETHER_TYPE_ARP:
		return RP_STAGE_arp_reply;
	case RTE_ETHER_TYPE_IPV4:
		return RP_STAGE_ip4_input;
	case RTE_ETHER_TYPE_IPV6:
		return RP_STAGE_ip6_input;
	case RTE_ETHER_TYPE_VLAN:
	case RTE_ETHER_TYPE_QINQ:
		return rp_drop(RP_DROP_vlan);
	default:
		return rp_drop(RP_DROP_ethertype);
	}
}
