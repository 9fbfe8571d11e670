/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The way to the host stack: one net_tap port, the kernel's interface at its other end, and the
 * kernel's routes to the VMs of public networks.
 *
 * Theory of operation. The kernel sees an Ethernet interface with MAC 02:00:00:00:00:02. It has a
 * host-side address of each family, so that what the host sends to a VM has a source that the VM
 * can answer; the gateway's own addresses stay ringplane's. Each address and routed prefix of a
 * public NIC is a route of the kernel on this interface, marked with a protocol number of its own
 * (RP_HOST_ROUTE_PROTO, see `ip route show proto 114`). The kernel resolves each of these by ARP or
 * ND, which the pipeline answers with the gateway's MAC.
 *
 * Forwarding between this interface and others (net.ipv4.ip_forward, masquerading) is the
 * operator's decision: nothing here touches it.
 *
 * All functions are for the main lcore, in the network namespace that the process was in when the
 * port was opened. They return 0 or -errno (pointers: NULL with errno set) with *err filled.
 */

#include <net/if.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_ether.h>
#include <rte_mempool.h>

#include "base/error.h"
#include "packet/addr.h"

#define RP_HOST_ROUTE_PROTO 114 // 'r'; unassigned in iproute2's rt_protos

struct rp_host;

struct rp_host_config {
	char ifname[IFNAMSIZ];	  // must not exist yet
	struct rp_addr ip4;	  // the host's own; family RP_NONE: none
	struct rp_addr ip6;	  // likewise
	uint16_t mtu;		  // IP packet size, 1280..9000
	struct rte_mempool *pool; // for packets from the kernel
	int socket;		  // NUMA node for the port's own memory, or SOCKET_ID_ANY
};

// A destination behind the TAP and the largest IP packet that it takes.
struct rp_host_route {
	struct rp_prefix prefix;
	uint16_t mtu;
};

/*
 * Create the port and the interface, start both and give the interface its addresses. Needs
 * CAP_NET_ADMIN and /dev/net/tun. Nothing is left behind where any step fails. Where the kernel
 * has IPv6 turned off the interface gets no IPv6 address, and IPv6 routes are left out: a warning
 * in the log says so.
 */
struct rp_host *rp_host_open(const struct rp_host_config *cfg, struct rp_error *err);

// Remove port, interface, addresses and routes. No worker may poll the port any more. NULL is fine.
void rp_host_close(struct rp_host *host);

uint16_t rp_host_port(const struct rp_host *host);
// Of the kernel's end: where to send what is for the host.
const struct rte_ether_addr *rp_host_mac(const struct rp_host *host);
// The largest IP packet that can be sent to the kernel. May be less than asked for: see host.c.
uint16_t rp_host_mtu(const struct rp_host *host);

/*
 * Bring a route about, or change its MTU where it is there already.
 * -EEXIST: the kernel has a route for the prefix that is not ours; it stays as it is.
 * -EINVAL: a default route, which would take the host's own traffic away.
 */
int rp_host_route_add(struct rp_host *host, const struct rp_host_route *route,
		      struct rp_error *err);

// A route that is not there is no error.
int rp_host_route_del(struct rp_host *host, const struct rp_prefix *prefix, struct rp_error *err);

/*
 * Make the routes of our protocol on our interface exactly these, touching no others. All are
 * tried; the first failure is returned. Brings the interface back up where somebody took it down.
 */
int rp_host_routes_sync(struct rp_host *host, const struct rp_host_route *routes, size_t n,
			struct rp_error *err);
