/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

// What the fabric chooses where the user did not: addresses, MACs, UUIDs, network ids.

#include "fabric/fabric.h"

// The last address of a prefix: of an IPv4 subnet its broadcast address.
struct rp_addr rp_prefix_last(const struct rp_prefix *p);

/*
 * The lowest address of the family that is free in the NIC's network, from .1 or ::1 on: no NIC's
 * address, in no routed prefix. -ENOSPC with *err where there is none, -ENOMEM.
 */
int rp_pool_addr(const struct rp_fabric *fabric, const struct rp_nic *nic, enum rp_family family,
		 struct rp_addr *addr, struct rp_error *err);

// A random locally administered unicast MAC that no NIC has.
int rp_pool_mac(const struct rp_fabric *fabric, struct rte_ether_addr *mac, struct rp_error *err);

// A random UUID, RFC 4122 version 4.
int rp_pool_uuid(char uuid[RP_UUID_STR], struct rp_error *err);

// The lowest id from 1 on that no network has, 0 with errno set (ENOMEM).
uint32_t rp_pool_network_id(const struct rp_fabric *fabric);
