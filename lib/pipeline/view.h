/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The view: all that workers know of the model, as one immutable value.
 *
 * The main lcore builds a new view for each change and publishes it; workers take up the new one
 * between two bursts; the old one is freed when every worker has passed a quiescent state (RCU).
 * Nothing in it is ever written again, so workers need no locks. It holds copies of the
 * configuration, no pointers into the model.
 */

#include <stdint.h>

#include <rte_common.h>
#include <rte_config.h>
#include <rte_ether.h>

#include "fabric/fabric.h"
#include "packet/addr.h"

#define RP_PORT_NONE UINT16_MAX

struct rp_net_view {
	struct rp_network_config cfg;
	uint32_t id;
};

// What forwarding to a NIC touches: one cache line.
struct rp_dst {
	uint8_t eth[16]; // bytes 0..11: receiver's MAC, gateway MAC; 12..15 come from the packet
	uint8_t ip6[RP_IP6_LEN];
	rte_be32_t ip4;
	uint32_t net; // rp_network.id
	uint16_t port;
	uint16_t mtu;
	uint16_t index; // of the NIC in the view
	uint8_t up;	// a driver is there and a queue to it enabled
	uint8_t n_txq;
	uint8_t txq[8]; // enabled queues towards the VM, folded by the sender's queue
	uint8_t has_ip4;
	uint8_t has_ip6;
} __rte_cache_aligned;

// What the fast lane compares a packet from this NIC with: one cache line.
struct rp_src {
	uint8_t want4[16]; // first 16 bytes of a plain IPv4 frame, and which bits of them count
	uint8_t mask4[16];
	uint8_t want6[16];
	uint8_t mask6[16];
} __rte_cache_aligned;

struct rp_nic_view {
	struct rp_dst dst;
	struct rp_src src;
	const struct rp_net_view *net;
	struct rp_nic_config cfg; // cfg.prefixes is NULL: ask rp_view_route()
	struct rp_addr link_local;
};

// The host side: the TAP, its addresses. port == RP_PORT_NONE: no way to the host.
struct rp_host_view {
	uint16_t port;
	uint16_t mtu;
	struct rte_ether_addr mac; // the kernel's end of the TAP
	struct rp_addr ip4;
	struct rp_addr ip6;
};

// One (port, queue) to poll. nic == NULL: the TAP.
struct rp_poll {
	uint16_t port;
	uint16_t queue;
	const struct rp_nic_view *nic;
};

struct rp_poll_list {
	uint16_t n;
	struct rp_poll *poll;
};

struct rp_view {
	uint16_t n_nics;
	struct rp_nic_view *nics;
	uint32_t n_nets;
	struct rp_net_view *nets;
	struct rp_host_view host;
	uint16_t n_workers;
	struct rp_poll_list *workers; // by worker index
	// Exact addresses: open addressing over NIC indices + 1, 0 is free.
	uint16_t *slots4;
	uint16_t *slots6;
	uint32_t slots_mask;
	struct rp_route_table *routes;
	// The NIC of each port id, NULL where there is none: for what is sent by port.
	const struct rp_nic_view *by_port[RTE_MAX_ETHPORTS];
};

// What the view is built from: the model, and what the port layer knows of each NIC.
struct rp_view_nic {
	const struct rp_nic *nic;
	uint16_t port;
	uint64_t rxq; // bit n: queue n from the VM is enabled
	uint64_t txq; // bit n: queue n towards the VM is enabled
};

struct rp_view_input {
	const struct rp_fabric *fabric;
	const struct rp_view_nic *nics;
	uint16_t n_nics;
	uint16_t n_workers;
	struct rp_host_view host;
};

// NULL with errno ENOMEM; everything else was validated before. Main lcore.
struct rp_view *rp_view_new(const struct rp_view_input *in);
void rp_view_free(struct rp_view *view);

/*
 * The NIC that has this very address in this network, or NULL. Any thread.
 */
const struct rp_nic_view *rp_view_exact(const struct rp_view *view, uint32_t net,
					const struct rp_addr *addr);

// The NIC to which this address goes: exact, then routed prefixes, longest first; or NULL.
const struct rp_nic_view *rp_view_route(const struct rp_view *view, uint32_t net,
					const struct rp_addr *addr);

// As rp_view_route, over all public networks: for packets that come from the host.
const struct rp_nic_view *rp_view_route_public(const struct rp_view *view,
					       const struct rp_addr *addr);

// Is there anybody at this port?
static inline bool rp_view_port_up(const struct rp_view *view, uint16_t port)
{
	return view->by_port[port] != NULL ? view->by_port[port]->dst.up : port == view->host.port;
}

// The queue to send on for packets that came from this poll pair: one sender queue always has the
// same one, which keeps the order within a flow.
static inline uint16_t rp_view_tx_queue(const struct rp_view *view, uint16_t port,
					const struct rp_poll *from)
{
	const struct rp_nic_view *nic = view->by_port[port];

	return nic == NULL ? 0 : nic->dst.txq[(from->port + from->queue) % 8u];
}
