/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Addresses and prefixes of both families in one shape, so that tables, checks and parsers are
 * written once. Bytes are in network order. An IPv4 address uses the first 4 bytes, the other 12
 * are zero: two addresses are equal when family and all 16 bytes are.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ether.h>

enum rp_family { RP_NONE = 0, RP_IP4 = 4, RP_IP6 = 6 };

#define RP_IP6_LEN  16
#define RP_ADDR_STR 64 // room for any address or prefix as text, with its NUL
#define RP_MAC_STR  18

struct rp_addr {
	uint8_t family; // enum rp_family
	union {
		uint8_t bytes[RP_IP6_LEN];
		rte_be32_t ip4;
	};
};

struct rp_prefix {
	struct rp_addr addr; // host bits are zero
	uint8_t len;	     // 0..32 or 0..128
};

// The gateway of every NIC of every network, and its addresses.
#define RP_GATEWAY_MAC_BYTES 0x02, 0x00, 0x00, 0x00, 0x00, 0x01
extern const struct rte_ether_addr rp_gateway_mac;
extern const struct rp_addr rp_gateway_ip4; // 169.254.0.1
extern const struct rp_addr rp_gateway_ip6; // fe80::1

static inline uint8_t rp_family_bits(enum rp_family family)
{
	return family == RP_IP4 ? 32 : 128;
}

static inline size_t rp_family_bytes(enum rp_family family)
{
	return family == RP_IP4 ? 4 : RP_IP6_LEN;
}

static inline struct rp_addr rp_addr_ip4(rte_be32_t ip4)
{
	struct rp_addr a = {.family = RP_IP4};

	a.ip4 = ip4;
	return a;
}

static inline struct rp_addr rp_addr_ip6(const uint8_t ip6[RP_IP6_LEN])
{
	struct rp_addr a = {.family = RP_IP6};

	memcpy(a.bytes, ip6, RP_IP6_LEN);
	return a;
}

static inline bool rp_addr_equal(const struct rp_addr *a, const struct rp_addr *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, RP_IP6_LEN) == 0;
}

static inline bool rp_prefix_equal(const struct rp_prefix *a, const struct rp_prefix *b)
{
	return a->len == b->len && rp_addr_equal(&a->addr, &b->addr);
}

// The address with all bits behind the first len cleared.
struct rp_addr rp_addr_mask(const struct rp_addr *a, uint8_t len);

bool rp_prefix_contains(const struct rp_prefix *p, const struct rp_addr *a);
bool rp_prefix_overlaps(const struct rp_prefix *a, const struct rp_prefix *b);

// 224.0.0.0/4, ff00::/8
bool rp_addr_is_multicast(const struct rp_addr *a);
// 169.254.0.0/16, fe80::/10
bool rp_addr_is_link_local(const struct rp_addr *a);
// 0.0.0.0, ::
bool rp_addr_is_unspecified(const struct rp_addr *a);
// 127.0.0.0/8, ::1
bool rp_addr_is_loopback(const struct rp_addr *a);

// fe80:: with the modified EUI-64 of a MAC, RFC 4291 appendix A.
struct rp_addr rp_addr_link_local(const struct rte_ether_addr *mac);

/*
 * Text to value and back. Parsers take the whole text or nothing (0 or -EINVAL), accept exactly
 * what inet_pton accepts, and refuse a prefix whose host bits are set (-ERANGE) so that callers
 * can say which. Formatters write at most RP_ADDR_STR bytes and return buf.
 */
int rp_addr_parse(const char *text, struct rp_addr *a);
int rp_prefix_parse(const char *text, struct rp_prefix *p);
int rp_mac_parse(const char *text, struct rte_ether_addr *mac);
const char *rp_addr_format(const struct rp_addr *a, char buf[RP_ADDR_STR]);
const char *rp_prefix_format(const struct rp_prefix *p, char buf[RP_ADDR_STR]);
const char *rp_mac_format(const struct rte_ether_addr *mac, char buf[RP_MAC_STR]);
