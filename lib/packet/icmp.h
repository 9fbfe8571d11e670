/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * ICMP echo of both families: RFC 792, RFC 4443 section 4. Pure functions, no state.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packet/frame.h"

#define RP_ICMP_ECHO_REPLY     0
#define RP_ICMP_ECHO_REQUEST   8
#define RP_ICMPV6_ECHO_REQUEST 128
#define RP_ICMPV6_ECHO_REPLY   129

struct rp_icmp_echo_hdr {
	uint8_t type;
	uint8_t code;
	uint16_t checksum;
	rte_be16_t ident;
	rte_be16_t seq;
} __attribute__((packed));

static inline uint8_t rp_icmp_echo_request_type(enum rp_family family)
{
	return family == RP_IP4 ? RP_ICMP_ECHO_REQUEST : RP_ICMPV6_ECHO_REQUEST;
}

static inline uint8_t rp_icmp_echo_reply_type(enum rp_family family)
{
	return family == RP_IP4 ? RP_ICMP_ECHO_REPLY : RP_ICMPV6_ECHO_REPLY;
}

/*
 * Make a reply of a request in place: type and checksum (RFC 1624). Swapping the addresses leaves
 * ICMPv6's pseudo header, and with it the checksum, as it is.
 */
void rp_icmp_echo_to_reply(struct rp_icmp_echo_hdr *h, enum rp_family family);

struct rp_echo {
	struct rte_ether_addr eth_src;
	struct rte_ether_addr eth_dst;
	struct rp_addr src;
	struct rp_addr dst;
	uint8_t ttl;	// TTL or hop limit
	uint16_t ident; // host order
	uint16_t seq;
	struct rp_reader data; // of a parsed one: points into the frame
	bool ip_checksum_ok;   // set by the parsers
	bool checksum_ok;
};

// Write a whole frame. False where it does not fit or an address is of the other family.
bool rp_create_icmp_echo_request(struct rp_writer *w, const struct rp_echo *echo);
bool rp_create_icmpv6_echo_request(struct rp_writer *w, const struct rp_echo *echo);

// 0; -EBADMSG as rp_frame_parse(); -ENOMSG where the frame is something else.
int rp_parse_icmp_echo_reply(const void *frame, size_t len, struct rp_echo *echo);
int rp_parse_icmpv6_echo_reply(const void *frame, size_t len, struct rp_echo *echo);
