/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * DHCPv6: RFC 8415, with options 23 and 24 (RFC 3646), 31 (RFC 4075) and 56 (RFC 5908).
 *
 * One struct stands for a message in both directions: what a client sent is read into it, what a
 * server answers is written from it, and the other way round in tests. Numbers are in host order,
 * times in seconds. Pure functions, no state, nothing allocated; nothing points into the packet.
 */

#include "packet/dns_name.h"
#include "packet/frame.h"

#define RP_DHCP6_CLIENT_PORT 546
#define RP_DHCP6_SERVER_PORT 547

enum rp_dhcp6_type {
	RP_DHCP6_SOLICIT = 1,
	RP_DHCP6_ADVERTISE = 2,
	RP_DHCP6_REQUEST = 3,
	RP_DHCP6_CONFIRM = 4,
	RP_DHCP6_RENEW = 5,
	RP_DHCP6_REBIND = 6,
	RP_DHCP6_REPLY = 7,
	RP_DHCP6_RELEASE = 8,
	RP_DHCP6_DECLINE = 9,
	RP_DHCP6_RECONFIGURE = 10,
	RP_DHCP6_INFORMATION_REQUEST = 11,
	RP_DHCP6_RELAY_FORW = 12,
	RP_DHCP6_RELAY_REPL = 13,
};

enum rp_dhcp6_option {
	RP_DHCP6_OPT_CLIENTID = 1,
	RP_DHCP6_OPT_SERVERID = 2,
	RP_DHCP6_OPT_IA_NA = 3,
	RP_DHCP6_OPT_IA_TA = 4,
	RP_DHCP6_OPT_IAADDR = 5,
	RP_DHCP6_OPT_ORO = 6,
	RP_DHCP6_OPT_PREFERENCE = 7,
	RP_DHCP6_OPT_ELAPSED_TIME = 8,
	RP_DHCP6_OPT_STATUS_CODE = 13,
	RP_DHCP6_OPT_RAPID_COMMIT = 14,
	RP_DHCP6_OPT_DNS_SERVERS = 23,
	RP_DHCP6_OPT_DOMAIN_LIST = 24,
	RP_DHCP6_OPT_IA_PD = 25,
	RP_DHCP6_OPT_IAPREFIX = 26,
	RP_DHCP6_OPT_SNTP_SERVERS = 31,
	RP_DHCP6_OPT_NTP_SERVER = 56,
};

enum rp_dhcp6_status {
	RP_DHCP6_SUCCESS = 0,
	RP_DHCP6_UNSPEC_FAIL = 1,
	RP_DHCP6_NO_ADDRS_AVAIL = 2,
	RP_DHCP6_NO_BINDING = 3,
	RP_DHCP6_NOT_ON_LINK = 4,
	RP_DHCP6_USE_MULTICAST = 5,
	RP_DHCP6_NO_PREFIX_AVAIL = 6,
};

#define RP_DHCP6_DUID_MIN  3   // a type and at least one byte behind it
#define RP_DHCP6_DUID_MAX  130 // RFC 8415 section 11.1: the type and 128 bytes
#define RP_DHCP6_IA_MAX	   16  // IAs a message; one with more is refused
#define RP_DHCP6_LEASE_MAX 4   // addresses or prefixes an IA; one with more is refused
#define RP_DHCP6_LIST_MAX  8   // servers, or names, an option
#define RP_DHCP6_ASK_MAX   256 // options of higher numbers that a client asks for are not kept

extern const struct rp_addr rp_dhcp6_all_servers; // ff02::1:2, all relay agents and servers

struct rp_dhcp6_duid {
	uint8_t len; // 0: none
	uint8_t bytes[RP_DHCP6_DUID_MAX];
};

// DUID-LL of an Ethernet address, RFC 8415 section 11.4.
void rp_generate_duid_ll(const struct rte_ether_addr *mac, struct rp_dhcp6_duid *duid);

bool rp_dhcp6_duid_equal(const struct rp_dhcp6_duid *a, const struct rp_dhcp6_duid *b);

// A Status Code option; its text is chosen by the code when written, and dropped when read.
struct rp_dhcp6_result {
	bool present;
	uint16_t code; // enum rp_dhcp6_status
};

struct rp_dhcp6_lease {
	struct rp_addr addr;
	uint8_t prefix_len; // in an IA_PD
	uint32_t preferred;
	uint32_t valid;
	struct rp_dhcp6_result status;
};

struct rp_dhcp6_ia {
	uint16_t option; // RP_DHCP6_OPT_IA_NA, _IA_TA or _IA_PD
	uint32_t iaid;
	uint32_t t1; // not in an IA_TA
	uint32_t t2;
	struct rp_dhcp6_result status;
	uint8_t n;
	struct rp_dhcp6_lease lease[RP_DHCP6_LEASE_MAX];
};

struct rp_dhcp6_addrs {
	uint8_t n;
	struct rp_addr addr[RP_DHCP6_LIST_MAX];
};

struct rp_dhcp6_names {
	uint8_t n;
	char name[RP_DHCP6_LIST_MAX][RP_DNS_NAME_STR];
};

struct rp_dhcp6 {
	uint8_t type; // enum rp_dhcp6_type
	uint32_t xid; // 24 bits
	struct rp_dhcp6_duid client_id;
	struct rp_dhcp6_duid server_id;
	bool rapid_commit;
	bool has_preference;
	uint8_t preference;
	bool has_elapsed;
	uint16_t elapsed; // hundredths of a second
	struct rp_dhcp6_result status;
	uint8_t n_ia;
	struct rp_dhcp6_ia ia[RP_DHCP6_IA_MAX];
	uint64_t asked[RP_DHCP6_ASK_MAX / 64]; // option request option: a bit for each option
	struct rp_dhcp6_addrs dns;
	struct rp_dhcp6_addrs sntp;
	struct rp_dhcp6_addrs ntp;
	struct rp_dhcp6_names search;
};

static inline bool rp_dhcp6_asks_for(const struct rp_dhcp6 *m, uint16_t option)
{
	return option < RP_DHCP6_ASK_MAX && (m->asked[option / 64] >> (option % 64) & 1);
}

static inline void rp_dhcp6_ask_for(struct rp_dhcp6 *m, uint16_t option)
{
	if (option < RP_DHCP6_ASK_MAX)
		m->asked[option / 64] |= UINT64_C(1) << (option % 64);
}

/*
 * Read a message, the payload of a UDP packet. -EBADMSG where an option is cut short or lies about
 * its length, where client or server identifier come twice, or where there are more IAs, leases,
 * servers or names than the struct holds; -ENOTSUP, with the type filled in, for relay messages
 * and types that RFC 8415 does not know. Unknown options are stepped over.
 */
int rp_dhcp6_parse(struct rp_reader r, struct rp_dhcp6 *m);

/*
 * Write a message. Servers, then names, that do not fit are left out; the writer overflows only
 * where the rest does not fit.
 */
void rp_dhcp6_write(struct rp_writer *w, const struct rp_dhcp6 *m);

/*
 * The VM's side, for tests and test programs: whole frames. Builders return false where the frame
 * does not fit; the parser returns 0, -ENOMSG where the frame is something else, -EBADMSG where it
 * is malformed or has a wrong checksum.
 */

struct rp_dhcpv6_client {
	struct rte_ether_addr mac; // the client identifier is its DUID-LL
	struct rp_addr dst;	   // family RP_NONE: all servers
	uint32_t xid;
	uint32_t iaid;
	bool rapid_commit;
};

// One IA_NA, asking for options 23, 24, 31 and 56.
bool rp_create_dhcpv6_solicit(struct rp_writer *w, const struct rp_dhcpv6_client *client);

/*
 * What a client sends when it has an answer: REQUEST, and in the same way CONFIRM, RENEW, REBIND,
 * RELEASE, DECLINE and INFORMATION-REQUEST. IAs with their leases and the server identifier come
 * from the answer where such a message has them; NULL: there is none.
 */
bool rp_create_dhcpv6_request(struct rp_writer *w, const struct rp_dhcpv6_client *client,
			      enum rp_dhcp6_type type, const struct rp_dhcp6 *answer);

// Any message, right or wrong.
bool rp_create_dhcpv6_message(struct rp_writer *w, const struct rp_dhcpv6_client *client,
			      const struct rp_dhcp6 *m);

struct rp_dhcpv6_response {
	struct rp_frame frame;
	struct rp_dhcp6 msg;
};

int rp_parse_dhcpv6_response(const void *data, size_t len, struct rp_dhcpv6_response *res);
