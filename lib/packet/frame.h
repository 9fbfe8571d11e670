/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Whole Ethernet frames with an IPv4 or IPv6 packet inside, built and taken apart in one shape
 * for both families.
 *
 * Building goes through a bounded writer, which need not be empty:
 *
 *	rp_frame_begin(&b, &w, &head);	// Ethernet, IP and, for UDP, the UDP header
 *	rp_write_...(&w, ...);		// what comes behind
 *	ok = rp_frame_end(&b);		// lengths and checksums
 *
 * No write in between needs a check: an overflow sticks and rp_frame_end() reports it.
 *
 * Parsing never trusts a length: what the readers hand out lies inside both the frame and the IP
 * packet. Pure functions, no state, nothing allocated.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_ether.h>
#include <rte_ip.h>

#include "base/bytes.h"
#include "packet/addr.h"

#define RP_TTL_DEFAULT	 64
#define RP_TTL_LINK_ONLY 255 // required of ND messages, RFC 4861 section 4

/*
 * The Internet checksum (RFC 1071), for storing into a header whose checksum field is zero; over
 * data with a correct checksum inside it is 0. Up to 64 KiB, any alignment.
 */
uint16_t rp_checksum(const void *data, size_t len);

/*
 * The one's complement sum (not complemented) of the pseudo header of either family: RFC 768,
 * RFC 8200 section 8.1. Add the sum of the data, as rte_raw_cksum_mbuf() gives it, for chains.
 */
uint32_t rp_pseudo_sum(const struct rp_addr *src, const struct rp_addr *dst, uint8_t proto,
		       uint32_t len);

/*
 * rp_checksum() including the pseudo header that proto wants in the family of src: none for ICMP.
 */
uint16_t rp_checksum_l4(const struct rp_addr *src, const struct rp_addr *dst, uint8_t proto,
			const void *l4, size_t len);

// Fold a sum of up to 32 bits into 16, not complemented.
static inline uint16_t rp_sum_fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

// rp_checksum() of an IPv4 header; the caller vouches for as many bytes as its IHL says.
uint16_t rp_checksum_ip4(const struct rte_ipv4_hdr *ip);

struct rp_frame_head {
	struct rte_ether_addr eth_src;
	struct rte_ether_addr eth_dst;
	struct rp_addr src; // its family makes the frame IPv4 or IPv6
	struct rp_addr dst;
	uint8_t ttl; // TTL or hop limit
	uint8_t proto;
	uint16_t src_port; // host order; for IPPROTO_UDP only
	uint16_t dst_port;
};

struct rp_frame_builder {
	struct rp_writer *w;
	struct rp_frame_head head;
	size_t l3; // offsets from the writer's start
	size_t l4;
};

/*
 * Write the Ethernet header, an IPv4 header without options (DF set, id 0: RFC 6864 section 4.1)
 * or an IPv6 header without extensions and, where proto is IPPROTO_UDP, the UDP header.
 */
void rp_frame_begin(struct rp_frame_builder *b, struct rp_writer *w,
		    const struct rp_frame_head *head);

/*
 * Fill in the lengths and the checksums (IPv4 header, UDP, TCP, ICMP, ICMPv6; the checksum field
 * must have been written as zero). False where something did not fit into the writer or the
 * packet is longer than an IP length can say.
 */
bool rp_frame_end(struct rp_frame_builder *b);

struct rp_frame {
	struct rte_ether_addr eth_src;
	struct rte_ether_addr eth_dst;
	bool has_vlan;
	uint16_t vlan_tci;
	uint16_t ether_type; // host order; behind the VLAN tag
	struct rp_reader l3; // behind the Ethernet header; for IP: the IP packet without padding

	// The rest is zero where ether_type is neither RTE_ETHER_TYPE_IPV4 nor _IPV6.
	struct rp_addr src;
	struct rp_addr dst;
	uint8_t tos; // TOS or traffic class
	uint8_t ttl;
	uint8_t proto; // of the upper layer, behind IPv6 extension headers
	bool df;
	bool more_fragments;
	uint16_t frag_offset; // in bytes
	bool ip_checksum_ok;  // IPv6 has none: true

	struct rp_reader l4; // the upper layer, with its header
	bool l4_checksum_ok; // true also where none is present or the packet is a fragment

	// The rest is zero but for whole packets, or first fragments, of UDP and TCP.
	uint16_t src_port;
	uint16_t dst_port;
	struct rp_reader payload; // behind the UDP header, as long as UDP says
};

/*
 * 0, or -EBADMSG where a header is cut off or a length points outside the frame; a wrong checksum
 * is no error but a flag. IPv6 hop-by-hop, routing, destination and fragment headers are
 * stepped over. One VLAN tag at most is looked behind.
 */
int rp_frame_parse(const void *data, size_t len, struct rp_frame *f);
