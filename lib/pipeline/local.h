/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What the stages that answer for the gateway share: the upper-layer checks that a host makes of
 * what is addressed to it, in either family. Both end in RP_DROP_COUNT when all is well, else in
 * the reason to drop.
 */

#include "pipeline/stage.h"

/*
 * An upper-layer packet of len bytes: whole (nothing is reassembled here), no shorter than its
 * header, inside the IP packet, with the right checksum.
 */
enum rp_drop rp_local_check(const struct rp_packet *p, size_t len, size_t header);

// The same for UDP, with the payload that its length field delimits.
enum rp_drop rp_local_udp(const struct rp_packet *p, struct rp_reader *payload);
