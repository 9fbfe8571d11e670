/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * DHCPv4: RFC 2131 (protocol), RFC 2132 (options), RFC 3046 (relay agent information), RFC 3396
 * (long options), RFC 3397 (domain search), RFC 3442 (classless routes), RFC 4039 (rapid commit),
 * RFC 6842 (client identifier in replies). Pure functions, no state.
 *
 * A message is parsed into struct rp_dhcp4, which holds copies only: the options of all areas
 * (options, and file and sname where option 52 says so) with the parts of split ones joined. So a
 * reply may be written over the request that it answers.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packet/dns_name.h"
#include "packet/frame.h"

#define RP_DHCP4_SERVER_PORT 67
#define RP_DHCP4_CLIENT_PORT 68
#define RP_DHCP4_BROADCAST   0x8000 // in flags
#define RP_DHCP4_BOOTP_MIN   300    // octets of a message, RFC 1542 section 2.1
#define RP_DHCP4_SIZE_MIN    576    // of the IP packet that every client takes, RFC 2131 section 2
#define RP_DHCP4_COOKIE	     0x63825363

enum rp_dhcp4_op { RP_DHCP4_BOOTREQUEST = 1, RP_DHCP4_BOOTREPLY = 2 };

enum rp_dhcp4_type {
	RP_DHCP4_NONE, // BOOTP: no option 53
	RP_DHCP4_DISCOVER,
	RP_DHCP4_OFFER,
	RP_DHCP4_REQUEST,
	RP_DHCP4_DECLINE,
	RP_DHCP4_ACK,
	RP_DHCP4_NAK,
	RP_DHCP4_RELEASE,
	RP_DHCP4_INFORM,
};

enum rp_dhcp4_code {
	RP_DHCP4_OPT_PAD = 0,
	RP_DHCP4_OPT_MASK = 1,
	RP_DHCP4_OPT_ROUTER = 3,
	RP_DHCP4_OPT_DNS = 6,
	RP_DHCP4_OPT_HOSTNAME = 12,
	RP_DHCP4_OPT_DOMAIN = 15,
	RP_DHCP4_OPT_MTU = 26,
	RP_DHCP4_OPT_NTP = 42,
	RP_DHCP4_OPT_REQUESTED = 50,
	RP_DHCP4_OPT_LEASE = 51,
	RP_DHCP4_OPT_OVERLOAD = 52,
	RP_DHCP4_OPT_TYPE = 53,
	RP_DHCP4_OPT_SERVER_ID = 54,
	RP_DHCP4_OPT_PARAMETERS = 55,
	RP_DHCP4_OPT_MAX_SIZE = 57,
	RP_DHCP4_OPT_T1 = 58,
	RP_DHCP4_OPT_T2 = 59,
	RP_DHCP4_OPT_CLIENT_ID = 61,
	RP_DHCP4_OPT_RAPID_COMMIT = 80,
	RP_DHCP4_OPT_RELAY_INFO = 82,
	RP_DHCP4_OPT_SEARCH = 119,
	RP_DHCP4_OPT_ROUTES = 121,
	RP_DHCP4_OPT_END = 255,
};

// The fixed part, in network order, with the magic cookie.
struct rp_dhcp4_hdr {
	uint8_t op;
	uint8_t htype;
	uint8_t hlen;
	uint8_t hops;
	rte_be32_t xid;
	rte_be16_t secs;
	rte_be16_t flags;
	rte_be32_t ciaddr;
	rte_be32_t yiaddr;
	rte_be32_t siaddr;
	rte_be32_t giaddr;
	uint8_t chaddr[16];
	uint8_t sname[64];
	uint8_t file[128];
	rte_be32_t cookie;
} __attribute__((packed));

#define RP_DHCP4_OPTIONS_MAX 2048

struct rp_dhcp4 {
	struct rp_dhcp4_hdr hdr;
	uint8_t type;		 // enum rp_dhcp4_type, or a number we do not know
	uint16_t opt_start[256]; // by code: 1 + index into opt_data, 0: the option is absent
	uint16_t opt_len[256];
	uint8_t opt_data[RP_DHCP4_OPTIONS_MAX];
};

/*
 * Parse a UDP payload. 0, or -EBADMSG: cut off, no magic cookie, an option that reaches past the
 * end of its area, a wrong length of option 52 or 53, more than RP_DHCP4_OPTIONS_MAX bytes of
 * options. A missing end option is no error (RFC 2131 section 4.1 wants it, clients forget it).
 */
int rp_dhcp4_parse(struct rp_reader payload, struct rp_dhcp4 *m);

// An option's bytes, joined; false where it is absent. They live as long as m.
bool rp_dhcp4_option(const struct rp_dhcp4 *m, enum rp_dhcp4_code code, struct rp_reader *data);

// The same for options that hold one number or one address; false also for any other length.
bool rp_dhcp4_option_be16(const struct rp_dhcp4 *m, enum rp_dhcp4_code code, uint16_t *v);
bool rp_dhcp4_option_be32(const struct rp_dhcp4 *m, enum rp_dhcp4_code code, uint32_t *v);
bool rp_dhcp4_option_ip4(const struct rp_dhcp4 *m, enum rp_dhcp4_code code, rte_be32_t *v);

// Bytes that an option of len bytes takes, and writing it: RFC 3396 splits it above 255.
size_t rp_dhcp4_option_size(size_t len);
bool rp_dhcp4_option_write(struct rp_writer *w, enum rp_dhcp4_code code, const void *data,
			   size_t len);

/*
 * What one NIC is given. Names and lists may be empty: the option is then left out. Of the lists
 * only the IPv4 addresses count.
 */
struct rp_dhcp4_config {
	struct rte_ether_addr mac;
	struct rp_addr address;
	struct rp_prefix subnet; // where its mask is to be seen: "real mask"; else family RP_NONE
	struct rp_addr server;	 // the sender, server identifier and default gateway
	uint32_t lease;		 // seconds
	uint32_t t1;
	uint32_t t2;
	uint16_t mtu;
	const struct rp_addr *dns;
	size_t n_dns;
	const struct rp_addr *ntp;
	size_t n_ntp;
	const char *hostname;
	const char *domain;
	const char (*search)[RP_DNS_NAME_STR]; // further search domains
	size_t n_search;
};

/*
 * Write the whole frame that answers req with an OFFER, ACK or NAK, from rp_gateway_mac and
 * cfg->server, to where RFC 2131 section 4.1 sends it. An ACK to a DISCOVER is one of RFC 4039; an
 * ACK to an INFORM has neither address nor lease. Options go out in this order as far as the
 * client's option 57 and the MTU leave room (file and sname used as well): 53, 54, 51, 1, 3, 121,
 * 80, 61, then those of option 55 in its order (58, 59, 6, 26, 12, 15, 119, 42 where it is
 * absent), with 82 at the end of the options field. False where w has no room for a frame with a
 * message of RP_DHCP4_BOOTP_MIN bytes, which none is shorter than.
 */
bool rp_dhcp4_write_reply(struct rp_writer *w, const struct rp_dhcp4 *req, enum rp_dhcp4_type type,
			  const struct rp_dhcp4_config *cfg);

/* The client's side. */

// Where RFC 2131 section 4.3.2 tells a client's REQUEST apart.
enum rp_dhcp4_state {
	RP_DHCP4_SELECTING,   // options 50 and 54, broadcast
	RP_DHCP4_INIT_REBOOT, // option 50, broadcast
	RP_DHCP4_RENEWING,    // ciaddr, unicast to the server
	RP_DHCP4_REBINDING,   // ciaddr, broadcast
};

struct rp_dhcp4_client {
	struct rte_ether_addr mac;
	uint32_t xid;
	uint16_t secs;
	bool broadcast;		     // the flag
	struct rp_addr address;	     // offered, leased or wished for; family RP_NONE: none yet
	struct rp_addr server;	     // option 54 where the message has one, and unicast destination
	struct rp_addr giaddr;	     // family RP_NONE: not relayed
	struct rp_reader parameters; // option 55; empty ones are left out
	struct rp_reader client_id;  // option 61
	struct rp_reader relay_info; // option 82
	uint16_t max_size;	     // option 57, 0: left out
	bool rapid_commit;	     // option 80, in a DISCOVER
};

// Write a whole frame, to rp_gateway_mac where it is unicast. False where it does not fit.
bool rp_create_dhcp_discover(struct rp_writer *w, const struct rp_dhcp4_client *c);
bool rp_create_dhcp_request(struct rp_writer *w, const struct rp_dhcp4_client *c,
			    enum rp_dhcp4_state state);
bool rp_create_dhcp_inform(struct rp_writer *w, const struct rp_dhcp4_client *c);
bool rp_create_dhcp_decline(struct rp_writer *w, const struct rp_dhcp4_client *c);
bool rp_create_dhcp_release(struct rp_writer *w, const struct rp_dhcp4_client *c);

#define RP_DHCP4_LIST_MAX 16

struct rp_dhcp4_addrs {
	size_t n;
	struct rp_addr addr[RP_DHCP4_LIST_MAX];
};

struct rp_dhcp4_route {
	struct rp_prefix dst;
	struct rp_addr via; // 0.0.0.0: on link
};

// What an option says that is absent is zero, empty, or of family RP_NONE.
struct rp_dhcp4_response {
	struct rp_frame frame; // its readers point into the frame
	struct rp_dhcp4 msg;   // everything else, as it came
	enum rp_dhcp4_type type;
	uint32_t xid;
	bool broadcast;
	struct rp_addr ciaddr;
	struct rp_addr yiaddr;
	struct rp_addr siaddr;
	struct rp_addr giaddr;
	struct rte_ether_addr chaddr;
	struct rp_addr server_id;
	struct rp_addr mask;
	uint32_t lease;
	uint32_t t1;
	uint32_t t2;
	uint16_t mtu;
	struct rp_dhcp4_addrs routers;
	struct rp_dhcp4_addrs dns;
	struct rp_dhcp4_addrs ntp;
	size_t n_routes;
	struct rp_dhcp4_route routes[RP_DHCP4_LIST_MAX];
	char hostname[256];
	char domain[256];
	size_t n_search;
	char search[RP_DHCP4_LIST_MAX][RP_DNS_NAME_STR];
	struct rp_reader client_id; // points into msg: do not copy the struct
	struct rp_reader relay_info;
	bool rapid_commit;
};

/*
 * 0; -EBADMSG as rp_frame_parse() and rp_dhcp4_parse(), and for an option whose length or content
 * is wrong; -ENOMSG where the frame is no answer of a DHCPv4 server to a client or a relay.
 */
int rp_parse_dhcp_response(const void *frame, size_t len, struct rp_dhcp4_response *resp);
