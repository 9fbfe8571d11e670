/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Router advertisements, RFC 4861 section 6.2: one builder for the answer to a solicitation
 * (nd_reply) and for the periodic ones, which the main lcore sends.
 */

#include "pipeline/worker.h"

/*
 * Seconds between two unsolicited advertisements: below MaxRtrAdvInterval's default of 600, so
 * that a VM may miss three of them before its default route runs out (RP_RA_LIFETIME).
 */
#define RP_RA_PERIOD 400

/*
 * Write what this NIC shall hear to dst, its own address or all nodes: a whole frame. Search names
 * that do not fit into the network's MTU are left out. False where the writer is too small. Only
 * for a NIC with an IPv6 address: to another there is nothing to advertise.
 */
bool rp_router_advert_write(struct rp_writer *w, const struct rp_nic_view *nic,
			    const struct rp_addr *dst);

/*
 * Send an unsolicited one to every connected NIC with an IPv6 address; returns how many went out.
 * What does not find a buffer or room in the ring comes with the next period. Main lcore.
 */
unsigned int rp_router_advert_all(struct rp_dataplane *dp);
