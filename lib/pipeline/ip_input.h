/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What ip4_input and ip6_input share: port security and the gateway's own services.
 */

#include "pipeline/stage.h"

/*
 * May this source address come in here? From a NIC: its own address, its routed prefixes, and for
 * IPv6 the link-local address of its MAC. From the host: what is no address of ours and can be
 * answered.
 */
bool rp_source_allowed(const struct rp_packet *p);

// The reason to give when it may not.
enum rp_drop rp_source_drop(const struct rp_packet *p);

/*
 * The IP packet ends at l4 + l4_len: cut off what the frame has behind it, but for the padding of a
 * short one. Nobody's MTU would bound it.
 */
void rp_cut_trailer(struct rp_packet *p);

// A packet to the gateway itself. icmp_proto is the family's ICMP.
enum rp_stage rp_local(struct rp_packet *p, uint8_t icmp_proto);
