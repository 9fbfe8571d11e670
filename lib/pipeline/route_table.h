/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Longest-prefix match over the prefixes of all networks and both families in one read-only hash
 * table: an entry is (network, family, length, masked address). A look-up probes once per prefix
 * length that occurs at all, longest first; an idle network costs nothing, unlike an LPM of its
 * own. Built by the main lcore, read by any thread.
 */

#include <stddef.h>
#include <stdint.h>

#include "packet/addr.h"

#define RP_NET_PUBLIC 0 // the union of all public networks, as seen from the host

struct rp_route_table;

// Room for max entries. NULL where memory is short.
struct rp_route_table *rp_route_table_new(size_t max);
void rp_route_table_free(struct rp_route_table *t);

// An entry that is there already stays: the first one wins.
void rp_route_table_add(struct rp_route_table *t, uint32_t net, const struct rp_prefix *prefix,
			uint16_t value);

// The value of the longest prefix that holds addr, or -1.
int rp_route_table_find(const struct rp_route_table *t, uint32_t net, const struct rp_addr *addr);
