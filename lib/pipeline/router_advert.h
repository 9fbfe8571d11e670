/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Router advertisements, RFC 4861 section 6.2: one builder for the answer to a solicitation
 * (nd_reply) and for the periodic ones, which the main lcore sends.
 */

#include "pipeline/worker.h"

/*
 * Write what this NIC shall hear to dst, its own address or all nodes: a whole frame. Search names
 * that do not fit into the network's MTU are left out. False where the writer is too small. Only
 * for a NIC with an IPv6 address: to another there is nothing to advertise.
 */
bool rp_router_advert_write(struct rp_writer *w, const struct rp_nic_view *nic,
			    const struct rp_addr *dst);

/*
 * Send the NIC an unsolicited one. Main lcore. -ENOMEM or -ENOBUFS where there is no packet buffer
 * or the workers are too far behind: the next one will do.
 */
int rp_router_advert_send(struct rp_dataplane *dp, const struct rp_nic_view *nic);
