/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The exact-address tables of a view: open addressing, linear probing, NIC index + 1 in 16-bit
 * slots, so that the table of a full process stays in a few cache lines. The key itself stands in
 * the NIC's struct rp_dst, the cache line that forwarding needs anyway.
 */

#include <stdint.h>
#include <string.h>

#include <rte_branch_prediction.h>

#include "pipeline/view.h"

#define RP_HASH_MULTIPLIER UINT64_C(0x9e3779b97f4a7c15) // 2^64 / golden ratio, odd

static inline uint32_t rp_hash4(uint32_t net, rte_be32_t ip4)
{
	return (uint32_t)((((uint64_t)net << 32 | ip4) * RP_HASH_MULTIPLIER) >> 40);
}

static inline uint32_t rp_hash6(uint32_t net, const uint8_t ip6[RP_IP6_LEN])
{
	uint64_t half[2];

	memcpy(half, ip6, sizeof(half));
	return (uint32_t)(((half[1] ^ (half[0] << 32 | half[0] >> 32) ^ net) *
			   RP_HASH_MULTIPLIER) >>
			  40);
}

static inline void rp_slots_insert(uint16_t *slots, uint32_t mask, uint32_t hash, uint16_t index)
{
	while (slots[hash & mask] != 0)
		hash++;
	slots[hash & mask] = (uint16_t)(index + 1);
}

static inline const struct rp_dst *rp_slots_find4(const struct rp_view *view, uint32_t net,
						  rte_be32_t ip4)
{
	uint32_t h = rp_hash4(net, ip4);
	uint16_t slot;

	while ((slot = view->slots4[h++ & view->slots_mask]) != 0) {
		const struct rp_dst *dst = &view->nics[slot - 1].dst;

		if (likely(dst->ip4 == ip4 && dst->net == net))
			return dst;
	}
	return NULL;
}

static inline const struct rp_dst *rp_slots_find6(const struct rp_view *view, uint32_t net,
						  const uint8_t ip6[RP_IP6_LEN])
{
	uint32_t h = rp_hash6(net, ip6);
	uint16_t slot;

	while ((slot = view->slots6[h++ & view->slots_mask]) != 0) {
		const struct rp_dst *dst = &view->nics[slot - 1].dst;

		if (likely(memcmp(dst->ip6, ip6, RP_IP6_LEN) == 0 && dst->net == net))
			return dst;
	}
	return NULL;
}
