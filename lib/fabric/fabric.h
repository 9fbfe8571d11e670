/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The model: networks and their NICs. Owned by the main lcore; not thread-safe.
 *
 * A change goes: validate everything, begin a transaction in the store, bring the change about
 * (ports, routes), publish a new view to the workers, commit. If any step fails all earlier ones
 * are undone, the model is as before, and *err says which value was wrong and what was expected.
 *
 * The workers' view holds copies of what it needs (a NIC's routed prefixes too): the model's
 * structs are changed in place and freed without asking the workers.
 *
 * A routed prefix shares its scope with what the host's routing table would mix up: the prefixes
 * of its own network and, where that is public, the subnets and prefixes of all public networks.
 */

#include <stdbool.h>
#include <stdint.h>
#include <strings.h>
#include <sys/queue.h>

#include <rte_ether.h>

#include "base/error.h"
#include "packet/addr.h"

#define RP_NAME_MAX	64 // 63 of [A-Za-z0-9._-] and a NUL
#define RP_UUID_STR	37
#define RP_DOMAIN_MAX	254 // a DNS name as text, RFC 1035 section 2.3.4, and a NUL
#define RP_DNS_MAX	8   // servers a network, both families together
#define RP_NTP_MAX	8
#define RP_SEARCH_MAX	6    // search domains a network, the domain itself not counted
#define RP_MTU_MIN	1280 // RFC 8200 section 5: the least an IPv6 link may have
#define RP_MTU_MAX	9000
#define RP_MTU_DEFAULT	1500
#define RP_QUEUES_MAX	16 // queue pairs a NIC
#define RP_ROUTED_MAX	64 // routed prefixes a NIC
#define RP_RESERVED_MAX 4  // addresses of the host side, see rp_fabric_reserve()

// Lengths that a network's subnet and a NIC's routed prefix may have.
#define RP_SUBNET4_MIN 8
#define RP_SUBNET4_MAX 30
#define RP_SUBNET6_MIN 16
#define RP_SUBNET6_MAX 126
#define RP_ROUTED4_MIN 8
#define RP_ROUTED6_MIN 16

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

// Zero stands for the default where a member has one.
struct rp_network_config {
	char name[RP_NAME_MAX];
	struct rp_prefix ip4; // ip4.addr.family == RP_NONE: no IPv4 in this network
	struct rp_prefix ip6; // likewise
	struct rp_addr_list dns;
	struct rp_addr_list ntp;
	char domain[RP_DOMAIN_MAX]; // empty: none
	uint8_t n_search;
	char search[RP_SEARCH_MAX][RP_DOMAIN_MAX];
	uint16_t mtu;	// IP packet size, RP_MTU_MIN..RP_MTU_MAX; 0: RP_MTU_DEFAULT
	bool is_public; // reaches the host through the TAP
	bool real_mask; // DHCPv4 option 1 carries the subnet's mask instead of /32
};

// The names to search: the domain, then the others but for the domain itself.
static inline size_t rp_network_search(const struct rp_network_config *net,
				       const char *names[RP_SEARCH_MAX + 1])
{
	size_t n = 0;

	if (net->domain[0] != '\0')
		names[n++] = net->domain;
	for (uint8_t i = 0; i < net->n_search; i++) {
		if (strcasecmp(net->search[i], net->domain) != 0)
			names[n++] = net->search[i];
	}
	return n;
}

enum rp_vhost_mode {
	RP_VHOST_SERVER, // we listen
	RP_VHOST_CLIENT, // the VMM listens, we connect and reconnect
};

// What is left zero at the creation of a NIC is chosen for it; in the model all is filled in.
struct rp_nic_config {
	char name[RP_NAME_MAX];
	char network[RP_NAME_MAX]; // its network's name (at creation also its UUID)
	struct rte_ether_addr mac; // zero: generated
	struct rp_addr ip4;	   // RP_NONE: the lowest free one, if the network has the family
	struct rp_addr ip6;
	uint16_t queues; // queue pairs offered, 0: 1
	enum rp_vhost_mode mode;
	char socket[108]; // path of the vhost-user socket, empty: <socket_dir>/<name>.sock
	uint16_t n_prefixes;
	struct rp_prefix *prefixes; // routed prefixes, in the model owned by the fabric
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
	/*
	 * Kept by the port layer, except that a NIC whose port could not be made when the store was
	 * loaded is listed in state RP_NIC_ERROR with has_port unset: views leave it out.
	 */
	enum rp_nic_state state;
	char error[256]; // why, in state RP_NIC_ERROR
	bool has_port;	 // ops->nic_add has succeeded
	void *port;	 // the port layer's own, set by ops->nic_add
};

TAILQ_HEAD(rp_network_list, rp_network);
TAILQ_HEAD(rp_nic_list, rp_nic);

struct rp_store;

// Readers look at the lists and the counts; only the functions below change anything.
struct rp_fabric {
	struct rp_network_list networks; // ordered by creation
	struct rp_nic_list nics;
	uint32_t n_networks;
	uint32_t n_nics;
	uint32_t max_nics;
	const struct rp_fabric_ops *ops;
	void *ops_arg;
	char socket_dir[80]; // a NIC's default socket is <socket_dir>/<name>.sock
	uint8_t n_reserved;
	struct rp_addr reserved[RP_RESERVED_MAX];
	struct rp_store *store;	    // NULL: nothing is kept
	bool unpublished;	    // the last publish failed
	bool view_stale;	    // the workers' view has something that the model has not
	struct rp_nic_list retired; // NICs that a stale view may still show to the workers
};

/*
 * What a change brings about outside the model. All three are required; err is never NULL. nic_add
 * runs after validation with the NIC filled in but not yet listed; nic_remove after it left the
 * list and the view without it is published, and never for a NIC that nic_add refused. publish is
 * called with the model as it shall be; it is the only call for a change of a network or of a NIC's
 * routed prefixes: what follows from the model elsewhere (kernel routes) is compared and mended
 * there. When it fails the workers still have the view before; what else it has done by then is
 * undone by a further call, with the model as it was.
 */
struct rp_fabric_ops {
	int (*nic_add)(void *arg, struct rp_nic *nic, struct rp_error *err);
	void (*nic_remove)(void *arg, struct rp_nic *nic);
	int (*publish)(void *arg, struct rp_fabric *fabric, struct rp_error *err);
};

/*
 * An empty model that keeps nothing. max_nics is the caller's limit (ports that DPDK can have).
 * Errors (errno): EINVAL, ENAMETOOLONG (socket_dir), ENOMEM.
 */
struct rp_fabric *rp_fabric_new(const struct rp_fabric_ops *ops, void *ops_arg,
				const char *socket_dir, uint32_t max_nics, struct rp_error *err);

/*
 * Take every NIC down (ops->nic_remove; nothing is published: the workers have stopped) and free
 * all. What the store holds stays in it.
 */
void rp_fabric_free(struct rp_fabric *fabric);

// An address of the host side, which no public network may contain. -ENOSPC after RP_RESERVED_MAX.
int rp_fabric_reserve(struct rp_fabric *fabric, const struct rp_addr *addr);

/*
 * Load the model from an SQLite file (made where it is missing; ":memory:" keeps nothing), bring
 * its NICs up, publish once, and keep every later change there. For an empty fabric only. A NIC
 * whose port cannot be made does not stop the others: see struct rp_nic. -errno with *err: the
 * file cannot be opened or written, is no store of ours, is in use, or breaks a rule.
 */
int rp_fabric_open_store(struct rp_fabric *fabric, const char *path, struct rp_error *err);

/*
 * Create, change, delete. 0 or -errno with *err (which may be NULL): EINVAL a value breaks a rule,
 * EEXIST it is taken, ENOENT no such thing, EBUSY still in use, ENOSPC full, else what the store
 * or an operation said. *err names the key of the grammar as its field.
 */

// out may be NULL.
int rp_network_create(struct rp_fabric *fabric, const struct rp_network_config *cfg,
		      struct rp_network **out, struct rp_error *err);

// cfg is the whole new configuration; name, subnets and is_public must be as they are.
int rp_network_update(struct rp_fabric *fabric, struct rp_network *network,
		      const struct rp_network_config *cfg, struct rp_error *err);

// With force its NICs go as well; n_nics (may be NULL) is set to how many went.
int rp_network_delete(struct rp_fabric *fabric, struct rp_network *network, bool force,
		      uint32_t *n_nics, struct rp_error *err);

// By name or UUID; NULL if there is none.
struct rp_network *rp_network_find(const struct rp_fabric *fabric, const char *name_or_uuid);

// cfg->prefixes is copied. out may be NULL.
int rp_nic_create(struct rp_fabric *fabric, const struct rp_nic_config *cfg, struct rp_nic **out,
		  struct rp_error *err);

struct rp_nic_update {
	const struct rp_prefix *add;
	uint16_t n_add;
	const struct rp_prefix *remove; // these go first
	uint16_t n_remove;
};

int rp_nic_update(struct rp_fabric *fabric, struct rp_nic *nic, const struct rp_nic_update *update,
		  struct rp_error *err);
int rp_nic_delete(struct rp_fabric *fabric, struct rp_nic *nic, struct rp_error *err);
struct rp_nic *rp_nic_find(const struct rp_fabric *fabric, const char *name_or_uuid);
