// SPDX-License-Identifier: BSD-3-Clause
#include "pipeline/view.h"

#include <errno.h>
#include <stdlib.h>

#include <rte_ether.h>

#include "pipeline/route_table.h"
#include "pipeline/slots.h"

// Ethernet, then the IP version (and for IPv4 the header length: no options) of a plain packet.
static void fill_src(struct rp_src *src, const struct rte_ether_addr *mac)
{
	for (int v6 = 0; v6 < 2; v6++) {
		uint8_t *want = v6 ? src->want6 : src->want4;
		uint8_t *mask = v6 ? src->mask6 : src->mask4;
		uint16_t type = rte_cpu_to_be_16(v6 ? RTE_ETHER_TYPE_IPV6 : RTE_ETHER_TYPE_IPV4);

		memcpy(want, rp_gateway_mac.addr_bytes, RTE_ETHER_ADDR_LEN);
		memcpy(want + 6, mac->addr_bytes, RTE_ETHER_ADDR_LEN);
		memcpy(want + 12, &type, sizeof(type));
		want[14] = v6 ? 0x60 : 0x45;
		memset(mask, 0xff, 14);
		mask[14] = v6 ? 0xf0 : 0xff;
		mask[15] = 0;
	}
}

static void fill_dst(struct rp_dst *dst, const struct rp_view_nic *in, uint16_t index)
{
	const struct rp_nic_config *cfg = &in->nic->cfg;
	uint8_t n = 0;

	memcpy(dst->eth, cfg->mac.addr_bytes, RTE_ETHER_ADDR_LEN);
	memcpy(dst->eth + 6, rp_gateway_mac.addr_bytes, RTE_ETHER_ADDR_LEN);
	memcpy(dst->ip6, cfg->ip6.bytes, RP_IP6_LEN);
	dst->ip4 = cfg->ip4.ip4;
	dst->has_ip4 = cfg->ip4.family == RP_IP4;
	dst->has_ip6 = cfg->ip6.family == RP_IP6;
	dst->net = in->nic->network->id;
	dst->port = in->port;
	dst->mtu = in->nic->network->cfg.mtu;
	dst->index = index;
	for (uint8_t q = 0; q < 64 && n < RTE_DIM(dst->txq); q++)
		if (in->txq & (UINT64_C(1) << q))
			dst->txq[n++] = q;
	dst->n_txq = n;
	dst->up = n > 0 && in->port != RP_PORT_NONE;
	for (uint8_t i = n; n > 0 && i < RTE_DIM(dst->txq); i++)
		dst->txq[i] = dst->txq[i % n];
}

static int fill_nets(struct rp_view *view, const struct rp_fabric *fabric)
{
	const struct rp_network *net;

	TAILQ_FOREACH (net, &fabric->networks, entry)
		view->n_nets++;
	view->nets = calloc(view->n_nets + 1, sizeof(*view->nets));
	if (view->nets == NULL)
		return -ENOMEM;
	view->n_nets = 0;
	TAILQ_FOREACH (net, &fabric->networks, entry) {
		view->nets[view->n_nets].cfg = net->cfg;
		view->nets[view->n_nets++].id = net->id;
	}
	return 0;
}

static const struct rp_net_view *find_net(const struct rp_view *view, uint32_t id)
{
	for (uint32_t i = 0; i < view->n_nets; i++)
		if (view->nets[i].id == id)
			return &view->nets[i];
	return NULL;
}

static void fill_nic(struct rp_view *view, const struct rp_view_nic *in, uint16_t index)
{
	struct rp_nic_view *nic = &view->nics[index];

	nic->cfg = in->nic->cfg;
	nic->cfg.prefixes = NULL;
	nic->link_local = rp_addr_link_local(&nic->cfg.mac);
	nic->net = find_net(view, in->nic->network->id);
	fill_dst(&nic->dst, in, index);
	fill_src(&nic->src, &nic->cfg.mac);
	if (in->port < RTE_DIM(view->by_port))
		view->by_port[in->port] = nic;
	if (nic->dst.has_ip4)
		rp_slots_insert(view->slots4, view->slots_mask,
				rp_hash4(nic->dst.net, nic->dst.ip4), index);
	if (nic->dst.has_ip6)
		rp_slots_insert(view->slots6, view->slots_mask,
				rp_hash6(nic->dst.net, nic->dst.ip6), index);
}

static int fill_slots(struct rp_view *view)
{
	uint32_t size = 64;

	// At most an eighth full: nearly every look-up ends at its first slot.
	while (size < 8u * view->n_nics)
		size *= 2;
	view->slots_mask = size - 1;
	view->slots4 = calloc(size, sizeof(*view->slots4));
	view->slots6 = calloc(size, sizeof(*view->slots6));
	return view->slots4 != NULL && view->slots6 != NULL ? 0 : -ENOMEM;
}

static void add_nic_routes(struct rp_route_table *t, const struct rp_view_nic *in, uint16_t index)
{
	const struct rp_nic_config *cfg = &in->nic->cfg;
	const struct rp_addr *own[] = {&cfg->ip4, &cfg->ip6};
	bool is_public = in->nic->network->cfg.is_public;

	for (uint16_t i = 0; i < cfg->n_prefixes; i++) {
		rp_route_table_add(t, in->nic->network->id, &cfg->prefixes[i], index);
		if (is_public)
			rp_route_table_add(t, RP_NET_PUBLIC, &cfg->prefixes[i], index);
	}
	for (size_t i = 0; is_public && i < RTE_DIM(own); i++) {
		struct rp_prefix p = {.addr = *own[i]};

		if (own[i]->family == RP_NONE)
			continue;
		p.len = rp_family_bits(own[i]->family);
		rp_route_table_add(t, RP_NET_PUBLIC, &p, index);
	}
}

static int fill_routes(struct rp_view *view, const struct rp_view_input *in)
{
	size_t n = 0;

	for (uint16_t i = 0; i < in->n_nics; i++)
		n += 2u * in->nics[i].nic->cfg.n_prefixes + 2;
	view->routes = rp_route_table_new(n);
	if (view->routes == NULL)
		return -ENOMEM;
	for (uint16_t i = 0; i < in->n_nics; i++)
		add_nic_routes(view->routes, &in->nics[i], i);
	return 0;
}

static int add_poll(struct rp_view *view, uint32_t *turn, struct rp_poll poll)
{
	struct rp_poll_list *list = &view->workers[(*turn)++ % view->n_workers];
	struct rp_poll *grown = realloc(list->poll, (list->n + 1u) * sizeof(*grown));

	if (grown == NULL)
		return -ENOMEM;
	grown[list->n++] = poll;
	list->poll = grown;
	return 0;
}

// Queues go to the workers in turn; the TAP first, so that it has worker 0.
static int fill_polls(struct rp_view *view, const struct rp_view_input *in)
{
	uint32_t turn = 0;

	view->workers = calloc(view->n_workers, sizeof(*view->workers));
	if (view->workers == NULL)
		return -ENOMEM;
	if (view->host.port != RP_PORT_NONE &&
	    add_poll(view, &turn, (struct rp_poll){.port = view->host.port}) < 0)
		return -ENOMEM;
	for (uint16_t i = 0; i < in->n_nics; i++)
		for (uint16_t q = 0; q < 64 && in->nics[i].port != RP_PORT_NONE; q++)
			if ((in->nics[i].rxq & (UINT64_C(1) << q)) &&
			    add_poll(view, &turn,
				     (struct rp_poll){.port = in->nics[i].port,
						      .queue = q,
						      .nic = &view->nics[i]}) < 0)
				return -ENOMEM;
	return 0;
}

struct rp_view *rp_view_new(const struct rp_view_input *in)
{
	struct rp_view *view = calloc(1, sizeof(*view));

	if (view == NULL)
		return NULL;
	view->n_workers = in->n_workers;
	view->host = in->host;
	view->n_nics = in->n_nics;
	if (posix_memalign((void **)&view->nics, RTE_CACHE_LINE_SIZE,
			   (in->n_nics + 1u) * sizeof(*view->nics)) != 0) {
		view->nics = NULL;
		goto nomem;
	}
	memset(view->nics, 0, (in->n_nics + 1u) * sizeof(*view->nics));
	if (fill_nets(view, in->fabric) < 0 || fill_slots(view) < 0)
		goto nomem;
	for (uint16_t i = 0; i < in->n_nics; i++)
		fill_nic(view, &in->nics[i], i);
	if (fill_routes(view, in) < 0 || fill_polls(view, in) < 0)
		goto nomem;
	return view;
nomem:
	rp_view_free(view);
	errno = ENOMEM;
	return NULL;
}

void rp_view_free(struct rp_view *view)
{
	if (view == NULL)
		return;
	for (uint16_t i = 0; view->workers != NULL && i < view->n_workers; i++)
		free(view->workers[i].poll);
	free(view->workers);
	rp_route_table_free(view->routes);
	free(view->slots4);
	free(view->slots6);
	free(view->nets);
	free(view->nics);
	free(view);
}

const struct rp_nic_view *rp_view_exact(const struct rp_view *view, uint32_t net,
					const struct rp_addr *addr)
{
	const struct rp_dst *dst = addr->family == RP_IP4 ? rp_slots_find4(view, net, addr->ip4)
							  : rp_slots_find6(view, net, addr->bytes);

	return dst == NULL ? NULL : &view->nics[dst->index];
}

static const struct rp_nic_view *route_in(const struct rp_view *view, uint32_t net,
					  const struct rp_addr *addr)
{
	int index = rp_route_table_find(view->routes, net, addr);

	return index < 0 ? NULL : &view->nics[index];
}

const struct rp_nic_view *rp_view_route(const struct rp_view *view, uint32_t net,
					const struct rp_addr *addr)
{
	const struct rp_nic_view *nic = rp_view_exact(view, net, addr);

	return nic != NULL ? nic : route_in(view, net, addr);
}

const struct rp_nic_view *rp_view_route_public(const struct rp_view *view,
					       const struct rp_addr *addr)
{
	return route_in(view, RP_NET_PUBLIC, addr);
}
