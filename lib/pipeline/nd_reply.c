// SPDX-License-Identifier: BSD-3-Clause
#include <netinet/in.h>

#include "packet/nd.h"
#include "pipeline/local.h"
#include "pipeline/router_advert.h"

/*
 * nd_reply: neighbor discovery, RFC 4861. A VM's link has two machines on it, the VM and the
 * gateway: solicitations for the gateway are answered, a claim to its address is defended, and
 * nothing that the VM says about itself or others goes anywhere (MACs are configured, not
 * learned). On the TAP the host asks for the VMs of public networks as well.
 */

#define ND_HEADER 8 // ICMPv6 and the word that all of them have behind it

// Who speaks for a link-layer address that is not its own would be learned by somebody.
static bool spoofed(const struct rp_packet *p, const struct rp_nd *nd)
{
	const struct rte_ether_addr *mac = rp_packet_peer_mac(p);

	return (nd->has_slla && !rte_is_same_ether_addr(&nd->slla, mac)) ||
	       (nd->has_tlla && !rte_is_same_ether_addr(&nd->tlla, mac));
}

static enum rp_stage answer_neighbor(struct rp_packet *p, const struct rp_addr *target)
{
	// RFC 4861 section 7.2.4: to all nodes, and not as solicited, where nobody can be told.
	bool dad = rp_addr_is_unspecified(&p->src);
	// Without the router flag the VM would take its default route away (section 7.2.5).
	uint8_t flags = RP_ND_NA_ROUTER | RP_ND_NA_OVERRIDE | (dad ? 0 : RP_ND_NA_SOLICITED);
	struct rp_frame_head head = {
		.eth_src = rp_gateway_mac,
		.eth_dst = dad ? rp_nd_multicast_mac(&rp_nd_all_nodes) : *rp_packet_peer_mac(p),
		.src = *target,
		.dst = dad ? rp_nd_all_nodes : p->src,
		.ttl = RP_TTL_LINK_ONLY,
		.proto = IPPROTO_ICMPV6,
	};
	struct rp_writer w = rp_packet_writer(p);
	struct rp_frame_builder b;

	rp_frame_begin(&b, &w, &head);
	rp_nd_write_na(&w, target, flags);
	rp_nd_write_lladdr(&w, RP_ND_OPT_TLLA, &rp_gateway_mac);
	rp_frame_end(&b);
	rp_packet_answered(p, RP_ANSWER_nd_neighbor);
	return rp_packet_reply(p, &w);
}

static enum rp_stage answer_router(struct rp_packet *p)
{
	struct rp_writer w = rp_packet_writer(p);

	// A default route that leads nowhere delays every connection the guest tries.
	if (p->nic->cfg.ip6.family == RP_NONE)
		return rp_drop(RP_DROP_ip_no_family);
	rp_router_advert_write(&w, p->nic,
			       rp_addr_is_unspecified(&p->src) ? &rp_nd_all_nodes : &p->src);
	rp_packet_answered(p, RP_ANSWER_nd_router);
	return rp_packet_reply(p, &w);
}

enum rp_stage rp_stage_nd_reply(struct rp_packet *p)
{
	enum rp_drop why = rp_local_check(p, p->l4_len, ND_HEADER);
	struct rp_nd nd;

	if (why != RP_DROP_COUNT)
		return rp_drop(why);
	if (rp_nd_parse(rp_packet_l4(p), &p->src, &p->dst, p->ttl, &nd) < 0)
		return rp_drop(RP_DROP_nd_malformed);
	if (spoofed(p, &nd))
		return rp_drop(RP_DROP_nd_spoofed);
	if (nd.type == RP_ND_NS && rp_packet_answers_for(p, &nd.target))
		return answer_neighbor(p, &nd.target);
	if (nd.type == RP_ND_RS && p->nic != NULL)
		return answer_router(p);
	if (nd.type == RP_ND_RA || nd.type == RP_ND_REDIRECT)
		return rp_drop(RP_DROP_nd_router);
	return rp_drop(RP_DROP_nd_ignored);
}
