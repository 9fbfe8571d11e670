// SPDX-License-Identifier: BSD-3-Clause
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>

#include "pipeline/stage.h"

/*
 * route: where does this destination lie? Exact addresses, then routed prefixes, longest first,
 * then the host where the network is public. What must not leave the NIC is dropped by name.
 */

// 255.255.255.255 and the subnet's broadcast address.
static bool is_broadcast(const struct rp_packet *p)
{
	const struct rp_prefix *subnet;
	uint32_t host;

	if (p->dst.family != RP_IP4)
		return false;
	if (p->dst.ip4 == UINT32_MAX)
		return true;
	if (p->nic == NULL)
		return false;
	subnet = &p->nic->net->cfg.ip4;
	if (subnet->addr.family == RP_NONE || subnet->len > 30)
		return false;
	host = UINT32_MAX >> subnet->len;
	return rp_prefix_contains(subnet, &p->dst) && (rte_be_to_cpu_32(p->dst.ip4) & host) == host;
}

static bool has_host(const struct rp_packet *p)
{
	return p->nic != NULL && p->nic->net->cfg.is_public;
}

static bool is_host_address(const struct rp_packet *p)
{
	const struct rp_host_view *host = &p->view->host;

	return rp_addr_equal(&p->dst, p->dst.family == RP_IP4 ? &host->ip4 : &host->ip6);
}

static enum rp_stage to_host(struct rp_packet *p)
{
	if (p->view->host.port == RP_PORT_NONE)
		return rp_drop(RP_DROP_host_down);
	p->out = NULL;
	p->out_port = p->view->host.port;
	return RP_STAGE_forward;
}

static enum rp_stage unreachable(struct rp_packet *p)
{
	if (p->dst.family == RP_IP4)
		return rp_packet_icmp_error(
			p, ICMP_DEST_UNREACH,
			p->nic != NULL && rp_prefix_contains(&p->nic->net->cfg.ip4, &p->dst)
				? ICMP_HOST_UNREACH
				: ICMP_NET_UNREACH,
			0, RP_DROP_no_route);
	return rp_packet_icmp_error(
		p, ICMP6_DST_UNREACH,
		p->nic != NULL && rp_prefix_contains(&p->nic->net->cfg.ip6, &p->dst)
			? ICMP6_DST_UNREACH_ADDR
			: ICMP6_DST_UNREACH_NOROUTE,
		0, RP_DROP_no_route);
}

static enum rp_stage to_nic(struct rp_packet *p, const struct rp_nic_view *nic)
{
	if (nic == p->nic)
		return rp_drop(RP_DROP_own_address);
	if (!nic->dst.up)
		return rp_drop(RP_DROP_dst_down);
	p->out = nic;
	p->out_port = nic->dst.port;
	return RP_STAGE_forward;
}

static enum rp_stage route_from_host(struct rp_packet *p)
{
	const struct rp_nic_view *nic = rp_view_route_public(p->view, &p->dst);

	return nic != NULL ? to_nic(p, nic) : rp_drop(RP_DROP_not_for_host);
}

enum rp_stage rp_stage_route(struct rp_packet *p)
{
	const struct rp_nic_view *nic;

	// A frame to a group MAC carries a group address, RFC 1122 section 3.3.6.
	if (rp_addr_is_multicast(&p->dst) || is_broadcast(p) ||
	    rte_is_multicast_ether_addr((const struct rte_ether_addr *)p->data))
		return rp_drop(RP_DROP_multicast);
	if (rp_addr_is_unspecified(&p->dst) || rp_addr_is_loopback(&p->dst))
		return rp_drop(RP_DROP_no_route);
	if (p->nic == NULL)
		return route_from_host(p);
	if (has_host(p) && is_host_address(p))
		return to_host(p);
	// RFC 3927 section 7, RFC 4291 section 2.5.6
	if (rp_addr_is_link_local(&p->dst) || rp_addr_is_link_local(&p->src))
		return rp_drop(RP_DROP_link_local);
	nic = rp_view_route(p->view, p->nic->net->id, &p->dst);
	if (nic != NULL)
		return to_nic(p, nic);
	// Inside our own subnets the kernel knows no more than we do: its route points back here.
	if (has_host(p) && !rp_prefix_contains(&p->nic->net->cfg.ip4, &p->dst) &&
	    !rp_prefix_contains(&p->nic->net->cfg.ip6, &p->dst)) {
		// Another public network's VM is reached without the kernel.
		nic = rp_view_route_public(p->view, &p->dst);
		return nic != NULL ? to_nic(p, nic) : to_host(p);
	}
	return unreachable(p);
}
