// SPDX-License-Identifier: BSD-3-Clause
#include "packet/arp.h"

#include <assert.h>
#include <errno.h>

static_assert(sizeof(struct rte_arp_hdr) == 28, "ARP for IPv4 over Ethernet");

int rp_arp_parse(const void *frame, size_t len, struct rp_arp *arp)
{
	struct rp_reader r = rp_reader(frame, len);
	struct rte_ether_hdr eth;
	struct rte_arp_hdr h;

	if (!rp_read_copy(&r, &eth, sizeof(eth)))
		return -EBADMSG;
	if (eth.ether_type != RTE_BE16(RTE_ETHER_TYPE_ARP))
		return -EPROTONOSUPPORT;
	if (!rp_read_copy(&r, &h, sizeof(h)))
		return -EBADMSG;
	if (h.arp_hardware != RTE_BE16(RTE_ARP_HRD_ETHER) ||
	    h.arp_protocol != RTE_BE16(RTE_ETHER_TYPE_IPV4) || h.arp_hlen != RTE_ETHER_ADDR_LEN ||
	    h.arp_plen != sizeof(rte_be32_t))
		return -EPROTONOSUPPORT;
	*arp = (struct rp_arp){
		.eth_src = eth.src_addr,
		.eth_dst = eth.dst_addr,
		.opcode = rte_be_to_cpu_16(h.arp_opcode),
		.sha = h.arp_data.arp_sha,
		.spa = rp_addr_ip4(h.arp_data.arp_sip),
		.tha = h.arp_data.arp_tha,
		.tpa = rp_addr_ip4(h.arp_data.arp_tip),
	};
	return 0;
}

bool rp_arp_write(struct rp_writer *w, const struct rp_arp *arp)
{
	struct rte_ether_hdr eth = {
		.dst_addr = arp->eth_dst,
		.src_addr = arp->eth_src,
		.ether_type = RTE_BE16(RTE_ETHER_TYPE_ARP),
	};
	struct rte_arp_hdr h = {
		.arp_hardware = RTE_BE16(RTE_ARP_HRD_ETHER),
		.arp_protocol = RTE_BE16(RTE_ETHER_TYPE_IPV4),
		.arp_hlen = RTE_ETHER_ADDR_LEN,
		.arp_plen = sizeof(rte_be32_t),
		.arp_opcode = rte_cpu_to_be_16(arp->opcode),
		.arp_data =
			{
				.arp_sha = arp->sha,
				.arp_sip = arp->spa.ip4,
				.arp_tha = arp->tha,
				.arp_tip = arp->tpa.ip4,
			},
	};

	return rp_write_bytes(w, &eth, sizeof(eth)) && rp_write_bytes(w, &h, sizeof(h));
}

bool rp_arp_is_announcement(const struct rp_arp *arp)
{
	return rp_addr_equal(&arp->spa, &arp->tpa);
}

bool rp_create_arp_request(struct rp_writer *w, const struct rte_ether_addr *mac,
			   const struct rp_addr *ip, const struct rp_addr *target)
{
	struct rp_arp arp = {
		.eth_src = *mac,
		.opcode = RTE_ARP_OP_REQUEST,
		.sha = *mac,
		.spa = *ip,
		.tpa = *target,
	};

	memset(&arp.eth_dst, 0xff, sizeof(arp.eth_dst));
	return rp_arp_write(w, &arp);
}

int rp_parse_arp_reply(const void *frame, size_t len, struct rp_arp *arp)
{
	int ret = rp_arp_parse(frame, len, arp);

	if (ret < 0)
		return ret;
	return arp->opcode == RTE_ARP_OP_REPLY ? 0 : -ENOMSG;
}
