// SPDX-License-Identifier: BSD-3-Clause
#include "pipeline/router_advert.h"

#include <errno.h>
#include <netinet/in.h>

#include "packet/nd.h"

#define CUR_HOP_LIMIT 64

static bool has_ip6(const struct rp_addr_list *list)
{
	for (uint8_t i = 0; i < list->n; i++) {
		if (list->addr[i].family == RP_IP6)
			return true;
	}
	return false;
}

// RFC 4861 section 4.2: true flags only. A guest that is sent to DHCPv6 for nothing waits for it.
static uint8_t flags(const struct rp_network_config *net, size_t n_search)
{
	uint8_t f = RP_ND_RA_MANAGED;

	if (has_ip6(&net->dns) || has_ip6(&net->ntp) || n_search > 0)
		f |= RP_ND_RA_OTHER;
	return f;
}

bool rp_router_advert_write(struct rp_writer *w, const struct rp_nic_view *nic,
			    const struct rp_addr *dst)
{
	const struct rp_network_config *net = &nic->net->cfg;
	const char *search[RP_SEARCH_MAX + 1];
	size_t n_search = rp_network_search(net, search);
	bool all = rp_addr_is_multicast(dst);
	struct rp_frame_head head = {
		.eth_src = rp_gateway_mac,
		.eth_dst = all ? rp_nd_multicast_mac(dst) : nic->cfg.mac,
		.src = rp_gateway_ip6,
		.dst = *dst,
		.ttl = RP_TTL_LINK_ONLY,
		.proto = IPPROTO_ICMPV6,
	};
	struct rp_frame_builder b;

	rp_frame_begin(&b, w, &head);
	rp_nd_write_ra(w, CUR_HOP_LIMIT, flags(net, n_search), RP_RA_LIFETIME);
	rp_nd_write_lladdr(w, RP_ND_OPT_SLLA, &rp_gateway_mac);
	rp_nd_write_mtu(w, net->mtu);
	// RFC 8106 sections 5.1 and 5.2: at least MaxRtrAdvInterval, so that a lost one does no
	// harm.
	rp_nd_write_rdnss(w, RP_RA_LIFETIME, net->dns.addr, net->dns.n);
	rp_nd_write_dnssl(w, RP_RA_LIFETIME, search, n_search);
	return rp_frame_end(&b);
}

int rp_router_advert_send(struct rp_dataplane *dp, const struct rp_nic_view *nic)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(rp_dataplane_pool(dp, SOCKET_ID_ANY));
	struct rp_writer w;

	if (m == NULL)
		return -ENOMEM;
	w = rp_writer(rte_pktmbuf_mtod(m, void *),
		      RTE_MIN(rte_pktmbuf_tailroom(m), RTE_ETHER_HDR_LEN + nic->dst.mtu));
	// Any MTU holds all but the search names, and these are cut to what fits.
	rp_router_advert_write(&w, nic, &rp_nd_all_nodes);
	rte_pktmbuf_append(m, (uint16_t)rp_writer_len(&w));
	return rp_dataplane_inject(dp, nic->dst.port, m);
}
