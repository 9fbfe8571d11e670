// SPDX-License-Identifier: BSD-3-Clause
#include "pipeline/ip_input.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>

#include "pipeline/worker.h"

static bool unusable(const struct rp_addr *a)
{
	return rp_addr_is_multicast(a) || rp_addr_is_unspecified(a) || rp_addr_is_loopback(a) ||
	       (a->family == RP_IP4 && a->bytes[0] >= 240);
}

static bool source_of_nic(const struct rp_packet *p)
{
	const struct rp_nic_config *cfg = &p->nic->cfg;

	if (rp_addr_equal(&p->src, p->src.family == RP_IP4 ? &cfg->ip4 : &cfg->ip6))
		return true;
	if (p->src.family == RP_IP6 && rp_addr_equal(&p->src, &p->nic->link_local))
		return true;
	return rp_view_route(p->view, p->nic->net->id, &p->src) == p->nic;
}

bool rp_source_allowed(const struct rp_packet *p)
{
	if (unusable(&p->src))
		return false;
	if (p->nic != NULL)
		return source_of_nic(p);
	// A public NIC's address from the host would be somebody else playing that VM.
	return rp_view_route_public(p->view, &p->src) == NULL &&
	       !rp_addr_equal(&p->src, &rp_gateway_ip4) && !rp_addr_equal(&p->src, &rp_gateway_ip6);
}

enum rp_drop rp_source_drop(const struct rp_packet *p)
{
	return unusable(&p->src) ? RP_DROP_bad_source : RP_DROP_spoofed_ip;
}

void rp_cut_trailer(struct rp_packet *p)
{
	uint32_t left = p->l4 + p->l4_len;
	struct rte_mbuf *m = p->mbuf;
	uint16_t segs = 1;

	if (p->len == left || p->len <= RP_FRAME_MIN)
		return;
	left = RTE_MAX(left, (uint32_t)RP_FRAME_MIN);
	p->len = left;
	p->mbuf->pkt_len = left;
	for (; left > m->data_len; m = m->next, segs++)
		left -= m->data_len;
	m->data_len = (uint16_t)left;
	rte_pktmbuf_free(m->next);
	m->next = NULL;
	p->mbuf->nb_segs = segs;
}

enum rp_stage rp_local(struct rp_packet *p, uint8_t icmp_proto)
{
	if (p->l4_proto == icmp_proto)
		return RP_STAGE_icmp_reply;
	// RFC 1122 section 3.2.2.1: nothing listens on any port here.
	if (p->l4_proto == IPPROTO_UDP)
		return p->src.family == RP_IP4
			       ? rp_packet_icmp_error(p, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 0,
						      RP_DROP_local_service)
			       : rp_packet_icmp_error(p, ICMP6_DST_UNREACH,
						      ICMP6_DST_UNREACH_NOPORT, 0,
						      RP_DROP_local_service);
	return rp_drop(RP_DROP_local_service);
}
