/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The model: networks and their NICs. Owned by the main lcore; not thread-safe.
 *
 * A change goes: validate everything, begin a transaction in the store, bring the change about
 * (ports, routes), publish a new view to the workers, commit. If any step fails all earlier ones
 * are undone, the model is as before, and *err says which value was wrong and what was expected.
 *
 * The configuration structs are plain values without pointers: the workers' view holds copies.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <rte_ether.h>

#include "base/error.h"
#include "packet/addr.h"

#define RP_NAME_MAX    64 // 63 of [A-Za-z0-9._-] and a NUL
#define RP_UUID_STR    37
#define RP_DOMAIN_MAX  254 // a DNS name as text, RFC 1035 section 2.3.4, and a NUL
#define RP_DNS_MAX     8   // servers a network, both families together
#define RP_NTP_MAX     8
#define RP_SEARCH_MAX  6    // search domains a network, the domain itself not counted
#define RP_MTU_MIN     1280 // RFC 8200 section 5: the least an IPv6 link may have
#define RP_MTU_MAX     9000
#define RP_MTU_DEFAULT 1500
#define RP_QUEUES_MAX  16 // queue pairs a NIC

// Well-known timers, in seconds.
#define RP_LEASE_TIME	   86400
#define RP_DHCP4_T1	   43200
#define RP_DHCP4_T2	   75600 // 7/8 of the lease, RFC 2131 section 4.4.5
#define RP_DHCP6_T1	   43200
#define RP_DHCP6_T2	   69120
#define RP_DHCP6_PREFERRED 86400
#define RP_DHCP6_VALID	   172800
#define RP_RA_LIFETIME	   1800

struct rp_addr_list {
	uint8_t n;
	struct rp_addr addr[RP_DNS_MAX];
};

struct rp_network_config {
	char name[RP_NAME_MAX];
	struct rp_prefix ip4; // ip4.addr.family == RP_NONE: no IPv4 in this network
	struct rp_prefix ip6; // likewise
	struct rp_addr_list dns;
	struct rp_addr_list ntp;
	char domain[RP_DOMAIN_MAX]; // empty: none
	uint8_t n_search;
	char search[RP_SEARCH_MAX][RP_DOMAIN_MAX];
	uint16_t mtu;	// IP packet size, RP_MTU_MIN..RP_MTU_MAX
	bool is_public; // reaches the host through the TAP
	bool real_mask; // DHCPv4 option 1 carries the subnet's mask instead of /32
};

enum rp_vhost_mode {
	RP_VHOST_SERVER, // we listen
	RP_VHOST_CLIENT, // the VMM listens, we connect and reconnect
};

struct rp_nic_config {
	char name[RP_NAME_MAX];
	char network[RP_NAME_MAX]; // name of its network
	struct rte_ether_addr mac;
	struct rp_addr ip4; // family RP_NONE: none
	struct rp_addr ip6;
	uint16_t queues; // queue pairs offered
	enum rp_vhost_mode mode;
	char socket[108]; // path of the vhost-user socket
	uint16_t n_prefixes;
	struct rp_prefix *prefixes; // routed prefixes, owned by the fabric
};

enum rp_nic_state { RP_NIC_CREATED, RP_NIC_CONNECTED, RP_NIC_ERROR };

struct rp_network {
	TAILQ_ENTRY(rp_network) entry;
	char uuid[RP_UUID_STR];
	uint32_t id; // small, unique among live networks, 0 is never used
	struct rp_network_config cfg;
	uint32_t n_nics;
};

struct rp_nic {
	TAILQ_ENTRY(rp_nic) entry;
	char uuid[RP_UUID_STR];
	struct rp_network *network;
	struct rp_nic_config cfg;
	enum rp_nic_state state;
	void *port; // the port layer's own, set by ops->nic_add
};

TAILQ_HEAD(rp_network_list, rp_network);
TAILQ_HEAD(rp_nic_list, rp_nic);

struct rp_fabric {
	struct rp_network_list networks; // ordered by creation
	struct rp_nic_list nics;
	const struct rp_fabric_ops *ops;
	void *ops_arg;
	char socket_dir[80]; // a NIC's default socket is <socket_dir>/<name>.sock
};

/*
 * What a change brings about outside the model. nic_add runs after validation with the NIC filled
 * in but not yet listed; nic_remove after it left the list and the view without it is published.
 * publish is called with the model as it shall be; when it fails nothing has changed for workers.
 */
struct rp_fabric_ops {
	int (*nic_add)(void *arg, struct rp_nic *nic, struct rp_error *err);
	void (*nic_remove)(void *arg, struct rp_nic *nic);
	int (*publish)(void *arg, struct rp_fabric *fabric, struct rp_error *err);
};
