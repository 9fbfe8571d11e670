// SPDX-License-Identifier: BSD-3-Clause
#include "packet/dhcp4.h"

#include "pipeline/ip_input.h"
#include "pipeline/local.h"

/*
 * dhcp4_reply: the DHCPv4 server of a NIC, RFC 2131. Each NIC has one address, given by the control
 * plane, so there is no lease to remember: DISCOVER is offered that address, REQUEST gets an ACK
 * for it and a NAK for any other, INFORM the settings only; RELEASE and DECLINE change nothing and
 * are counted. Only the NIC's own hardware address is served.
 */

static struct rp_dhcp4_config configure(const struct rp_nic_view *nic)
{
	const struct rp_network_config *net = &nic->net->cfg;
	struct rp_dhcp4_config c = {
		.mac = nic->cfg.mac,
		.address = nic->cfg.ip4,
		.server = rp_gateway_ip4,
		.lease = RP_LEASE_TIME,
		.t1 = RP_DHCP4_T1,
		.t2 = RP_DHCP4_T2,
		.mtu = net->mtu,
		.dns = net->dns.addr,
		.n_dns = net->dns.n,
		.ntp = net->ntp.addr,
		.n_ntp = net->ntp.n,
		.hostname = nic->cfg.name,
		.domain = net->domain,
		.search = net->search,
		.n_search = net->n_search,
	};

	if (net->real_mask)
		c.subnet = net->ip4;
	return c;
}

static bool from_this_nic(const struct rp_packet *p, const struct rp_dhcp4_hdr *h)
{
	return h->op == RP_DHCP4_BOOTREQUEST && h->htype == 1 && h->hlen == RTE_ETHER_ADDR_LEN &&
	       memcmp(h->chaddr, &p->nic->cfg.mac, RTE_ETHER_ADDR_LEN) == 0;
}

/*
 * Port security, which ip4_input leaves to this stage: beside the usual sources, 0.0.0.0 may ask,
 * and a client that renews or rebinds an address that is not (or no longer) the NIC's may come from
 * that one: all it can get is a NAK.
 */
static bool source_allowed(const struct rp_packet *p, const struct rp_dhcp4 *m)
{
	return rp_addr_is_unspecified(&p->src) || rp_source_allowed(p) ||
	       (m->type == RP_DHCP4_REQUEST && p->src.ip4 == m->hdr.ciaddr);
}

// An absent option contradicts nobody; one that holds no address contradicts.
static bool agrees(const struct rp_dhcp4 *m, enum rp_dhcp4_code code, const struct rp_addr *ours)
{
	rte_be32_t ip4;

	if (m->opt_start[code] == 0)
		return true;
	return rp_dhcp4_option_ip4(m, code, &ip4) && ip4 == ours->ip4;
}

/*
 * RFC 2131 section 4.3.2: SELECTING and INIT-REBOOT name the address in option 50, RENEWING and
 * REBINDING in ciaddr. Whatever is there must be the NIC's.
 */
static enum rp_dhcp4_type judge_request(const struct rp_dhcp4 *m, const struct rp_addr *own)
{
	if (m->opt_start[RP_DHCP4_OPT_REQUESTED] == 0 && m->hdr.ciaddr == 0)
		return RP_DHCP4_NONE;
	if (!agrees(m, RP_DHCP4_OPT_REQUESTED, own) ||
	    (m->hdr.ciaddr != 0 && m->hdr.ciaddr != own->ip4))
		return RP_DHCP4_NAK;
	return RP_DHCP4_ACK;
}

static enum rp_stage answer(struct rp_packet *p, const struct rp_dhcp4 *m, enum rp_dhcp4_type type)
{
	struct rp_writer w = rp_packet_writer(p);
	struct rp_dhcp4_config c = configure(p->nic);

	if (!rp_dhcp4_write_reply(&w, m, type, &c))
		return rp_drop(RP_DROP_reply_no_room);
	rp_packet_answered(p, type == RP_DHCP4_OFFER ? RP_ANSWER_dhcp4_offer
			      : type == RP_DHCP4_ACK ? RP_ANSWER_dhcp4_ack
						     : RP_ANSWER_dhcp4_nak);
	return rp_packet_reply(p, &w);
}

static enum rp_stage act(struct rp_packet *p, const struct rp_dhcp4 *m)
{
	enum rp_dhcp4_type type;

	switch (m->type) {
	case RP_DHCP4_DISCOVER:
		return answer(p, m,
			      m->opt_start[RP_DHCP4_OPT_RAPID_COMMIT] != 0 ? RP_DHCP4_ACK
									   : RP_DHCP4_OFFER);
	case RP_DHCP4_REQUEST:
		type = judge_request(m, &p->nic->cfg.ip4);
		return type == RP_DHCP4_NONE ? rp_drop(RP_DROP_dhcp4_malformed)
					     : answer(p, m, type);
	case RP_DHCP4_INFORM:
		return answer(p, m, RP_DHCP4_ACK);
	case RP_DHCP4_RELEASE:
		return rp_drop(RP_DROP_dhcp4_release);
	case RP_DHCP4_DECLINE:
		return rp_drop(RP_DROP_dhcp4_decline);
	default:
		return rp_drop(RP_DROP_dhcp4_ignored);
	}
}

enum rp_stage rp_stage_dhcp4_reply(struct rp_packet *p)
{
	struct rp_reader payload;
	struct rp_dhcp4 m;
	enum rp_drop why = rp_local_udp(p, &payload);

	if (why != RP_DROP_COUNT)
		return rp_drop(why);
	if (rp_dhcp4_parse(payload, &m) < 0)
		return rp_drop(RP_DROP_dhcp4_malformed);
	if (!source_allowed(p, &m))
		return rp_drop(rp_source_drop(p));
	if (!from_this_nic(p, &m.hdr))
		return rp_drop(RP_DROP_dhcp4_not_the_nic);
	if (p->nic->cfg.ip4.family != RP_IP4)
		return rp_drop(RP_DROP_ip_no_family);
	if (!agrees(&m, RP_DHCP4_OPT_SERVER_ID, &rp_gateway_ip4))
		return rp_drop(RP_DROP_dhcp4_other_server);
	return act(p, &m);
}
