/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Neighbor discovery: RFC 4861, with the options of RFC 8106 (RDNSS, DNSSL).
 *
 * A message starts at the ICMPv6 type. Writers leave its checksum zero for rp_frame_end(). Numbers
 * are in host order, lifetimes in seconds, timers in milliseconds.
 */

#include "packet/dns_name.h"
#include "packet/frame.h"

#define RP_ND_RS       133
#define RP_ND_RA       134
#define RP_ND_NS       135
#define RP_ND_NA       136
#define RP_ND_REDIRECT 137

#define RP_ND_OPT_SLLA	 1 // source link-layer address
#define RP_ND_OPT_TLLA	 2 // target link-layer address
#define RP_ND_OPT_PREFIX 3
#define RP_ND_OPT_MTU	 5
#define RP_ND_OPT_RDNSS	 25
#define RP_ND_OPT_DNSSL	 31

#define RP_ND_RA_MANAGED 0x80 // addresses by DHCPv6
#define RP_ND_RA_OTHER	 0x40 // other configuration by DHCPv6

#define RP_ND_NA_ROUTER	   0x80
#define RP_ND_NA_SOLICITED 0x40
#define RP_ND_NA_OVERRIDE  0x20

#define RP_ND_DNS_MAX	 8 // servers that a parsed advertisement holds
#define RP_ND_SEARCH_MAX 8 // likewise names

extern const struct rp_addr rp_nd_all_nodes;   // ff02::1
extern const struct rp_addr rp_nd_all_routers; // ff02::2

// ff02::1:ffxx:xxxx of an address, RFC 4291 section 2.7.1.
struct rp_addr rp_nd_solicited_node(const struct rp_addr *addr);

// 33:33 and the last four bytes of an IPv6 multicast address, RFC 2464 section 7.
struct rte_ether_addr rp_nd_multicast_mac(const struct rp_addr *addr);

/*
 * Reading.
 */

struct rp_nd_option {
	uint8_t type;
	struct rp_reader body; // behind type and length
};

// 1 and the next option, 0 at the end, -EBADMSG for a length of zero or past the end.
int rp_nd_option_next(struct rp_reader *r, struct rp_nd_option *opt);

struct rp_nd {
	uint8_t type;

	struct rp_addr target; // NS, NA and redirects
	uint8_t na_flags;

	uint8_t ra_hop_limit; // RA
	uint8_t ra_flags;
	uint16_t ra_lifetime;
	uint32_t ra_reachable;
	uint32_t ra_retrans;

	bool has_slla;
	bool has_tlla;
	struct rte_ether_addr slla;
	struct rte_ether_addr tlla;
	struct rp_reader options; // all of them, verified
};

/*
 * Read an ND message out of an ICMPv6 packet whose checksum is right; -EBADMSG where RFC 4861
 * sections 6.1.1, 6.1.2, 7.1.1, 7.1.2 and 8.1 tell a receiver to drop it. l4 is the ICMPv6 packet,
 * src, dst and hop_limit come from its IPv6 header.
 */
int rp_nd_parse(struct rp_reader l4, const struct rp_addr *src, const struct rp_addr *dst,
		uint8_t hop_limit, struct rp_nd *nd);

/*
 * Writing: a message, then its options.
 */

void rp_nd_write_rs(struct rp_writer *w);
void rp_nd_write_ra(struct rp_writer *w, uint8_t hop_limit, uint8_t flags, uint16_t lifetime);
void rp_nd_write_ns(struct rp_writer *w, const struct rp_addr *target);
void rp_nd_write_na(struct rp_writer *w, const struct rp_addr *target, uint8_t flags);

// type: RP_ND_OPT_SLLA or RP_ND_OPT_TLLA
void rp_nd_write_lladdr(struct rp_writer *w, uint8_t type, const struct rte_ether_addr *mac);
void rp_nd_write_mtu(struct rp_writer *w, uint32_t mtu);
// The IPv6 addresses among the n servers; no option where there is none.
void rp_nd_write_rdnss(struct rp_writer *w, uint32_t lifetime, const struct rp_addr *servers,
		       size_t n);
// As many of the first names as fit into the writer and an option; no option where none does.
void rp_nd_write_dnssl(struct rp_writer *w, uint32_t lifetime, const char *const *names, size_t n);

/*
 * The VM's side, for tests and test programs: whole frames. Builders return false where the frame
 * does not fit; parsers return 0, -ENOMSG where the frame is something else, -EBADMSG where it is
 * malformed or has a wrong checksum.
 */

// To all routers; with the source's link-layer address unless src is the unspecified address.
bool rp_create_router_solicitation(struct rp_writer *w, const struct rte_ether_addr *mac,
				   const struct rp_addr *src);

// To the target's solicited-node group; src :: makes it duplicate address detection.
bool rp_create_neighbor_solicitation(struct rp_writer *w, const struct rte_ether_addr *mac,
				     const struct rp_addr *src, const struct rp_addr *target);

struct rp_router_advertisement {
	struct rp_frame frame;
	struct rp_nd nd;
	uint32_t mtu;	    // 0: no MTU option
	uint8_t n_prefixes; // prefix information options
	uint8_t n_unknown;  // options of other types
	uint32_t dns_lifetime;
	uint8_t n_dns;
	struct rp_addr dns[RP_ND_DNS_MAX];
	uint32_t search_lifetime;
	uint8_t n_search;
	char search[RP_ND_SEARCH_MAX][RP_DNS_NAME_STR];
};

int rp_parse_router_advertisement(const void *data, size_t len, struct rp_router_advertisement *ra);

struct rp_neighbor_advertisement {
	struct rp_frame frame;
	struct rp_nd nd;
	bool router;
	bool solicited;
	bool override;
};

int rp_parse_neighbor_advertisement(const void *data, size_t len,
				    struct rp_neighbor_advertisement *na);
