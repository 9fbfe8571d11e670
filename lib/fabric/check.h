/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The rules, one function each. They look, they change nothing: 0, or -errno with *err naming the
 * field, the value and what was expected.
 */

#include "fabric/fabric.h"

// 1..63 of [A-Za-z0-9._-]; not yet the name or UUID of another network or NIC is the caller's.
int rp_check_name(const char *name, struct rp_error *err);

int rp_check_range(const char *field, uint32_t value, uint32_t min, uint32_t max,
		   struct rp_error *err);

// A subnet or routed prefix by itself: family, length, host bits, no range that cannot be routed.
int rp_check_prefix(const char *field, const struct rp_prefix *p, enum rp_family family,
		    uint8_t min_len, uint8_t max_len, struct rp_error *err);

// Servers that VMs are told of: unicast addresses, none twice.
int rp_check_servers(const char *field, const struct rp_addr_list *list, uint8_t max,
		     struct rp_error *err);

int rp_check_domain(const char *field, const char *name, struct rp_error *err);

// An absolute path that fits a sockaddr_un and can stand in a list of devargs.
int rp_check_socket(const char *field, const char *path, struct rp_error *err);

/*
 * Nobody in the address scope of a network (see fabric.h) has any part of p, the subnet of that
 * network and the addresses of its NICs not counted. Neither the network nor the NIC that p is
 * meant for need to be listed; that NIC's own prefixes are not looked at.
 */
int rp_check_unclaimed(const struct rp_fabric *fabric, const struct rp_network *network,
		       const struct rp_nic *nic, const char *field, const struct rp_prefix *p,
		       struct rp_error *err);

// The MAC may be given to a NIC: unicast, not the gateway's, no other NIC's.
int rp_check_mac(const struct rp_fabric *fabric, const struct rte_ether_addr *mac,
		 struct rp_error *err);

// The address may be given to the NIC: inside its network, not the first or (IPv4) last, free.
int rp_check_nic_addr(const struct rp_fabric *fabric, const struct rp_nic *nic, const char *field,
		      const struct rp_addr *addr, struct rp_error *err);

/*
 * The prefix may be routed to the NIC, next to those that nic->cfg.prefixes lists already. Inside
 * its network's subnet it may take a part that holds no other NIC's address, never all of it.
 */
int rp_check_routed(const struct rp_fabric *fabric, const struct rp_nic *nic, const char *field,
		    const struct rp_prefix *p, struct rp_error *err);
