/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * ARP for IPv4 over Ethernet, RFC 826 and RFC 5227. Pure functions, no state.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_arp.h>
#include <rte_ether.h>

#include "base/bytes.h"
#include "packet/addr.h"

struct rp_arp {
	struct rte_ether_addr eth_src; // of the frame that carries it
	struct rte_ether_addr eth_dst;
	uint16_t opcode;	   // RTE_ARP_OP_REQUEST, RTE_ARP_OP_REPLY or any other, host order
	struct rte_ether_addr sha; // sender
	struct rp_addr spa;
	struct rte_ether_addr tha; // target
	struct rp_addr tpa;
};

/*
 * Parse a whole frame. 0; -EBADMSG where it is cut off; -EPROTONOSUPPORT where it is not ARP
 * (untagged) or not for IPv4 over Ethernet.
 */
int rp_arp_parse(const void *frame, size_t len, struct rp_arp *arp);

// Write a whole frame of 42 bytes.
bool rp_arp_write(struct rp_writer *w, const struct rp_arp *arp);

// RFC 5227 section 1.1: an announcement tells of its sender and asks for nobody.
bool rp_arp_is_announcement(const struct rp_arp *arp);

// Who has target? Tell ip, at mac. With 0.0.0.0 as ip it is a probe of RFC 5227.
bool rp_create_arp_request(struct rp_writer *w, const struct rte_ether_addr *mac,
			   const struct rp_addr *ip, const struct rp_addr *target);

// rp_arp_parse() that takes replies only: -ENOMSG for any other opcode.
int rp_parse_arp_reply(const void *frame, size_t len, struct rp_arp *arp);
