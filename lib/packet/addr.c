// SPDX-License-Identifier: BSD-3-Clause
#include "packet/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

const struct rte_ether_addr rp_gateway_mac = {.addr_bytes = {RP_GATEWAY_MAC_BYTES}};
const struct rp_addr rp_gateway_ip4 = {.family = RP_IP4, .bytes = {169, 254, 0, 1}};
const struct rp_addr rp_gateway_ip6 = {.family = RP_IP6, .bytes = {0xfe, 0x80, [15] = 1}};

struct rp_addr rp_addr_mask(const struct rp_addr *a, uint8_t len)
{
	struct rp_addr m = {.family = a->family};

	memcpy(m.bytes, a->bytes, len / 8);
	if (len % 8 != 0)
		m.bytes[len / 8] = a->bytes[len / 8] & (uint8_t)(0xff00u >> (len % 8));
	return m;
}

bool rp_prefix_contains(const struct rp_prefix *p, const struct rp_addr *a)
{
	struct rp_addr m;

	if (p->addr.family != a->family)
		return false;
	m = rp_addr_mask(a, p->len);
	return rp_addr_equal(&m, &p->addr);
}

bool rp_prefix_overlaps(const struct rp_prefix *a, const struct rp_prefix *b)
{
	return a->len <= b->len ? rp_prefix_contains(a, &b->addr) : rp_prefix_contains(b, &a->addr);
}

bool rp_addr_is_multicast(const struct rp_addr *a)
{
	return a->family == RP_IP4 ? (a->bytes[0] & 0xf0) == 0xe0 : a->bytes[0] == 0xff;
}

bool rp_addr_is_link_local(const struct rp_addr *a)
{
	if (a->family == RP_IP4)
		return a->bytes[0] == 169 && a->bytes[1] == 254;
	return a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

bool rp_addr_is_unspecified(const struct rp_addr *a)
{
	static const uint8_t zero[RP_IP6_LEN];

	return memcmp(a->bytes, zero, RP_IP6_LEN) == 0;
}

bool rp_addr_is_loopback(const struct rp_addr *a)
{
	static const uint8_t one[RP_IP6_LEN] = {[15] = 1};

	return a->family == RP_IP4 ? a->bytes[0] == 127 : memcmp(a->bytes, one, RP_IP6_LEN) == 0;
}

struct rp_addr rp_addr_link_local(const struct rte_ether_addr *mac)
{
	const uint8_t *m = mac->addr_bytes;

	return (struct rp_addr){
		.family = RP_IP6,
		.bytes = {0xfe, 0x80, [8] = m[0] ^ 0x02, m[1], m[2], 0xff, 0xfe, m[3], m[4], m[5]},
	};
}

int rp_addr_parse(const char *text, struct rp_addr *a)
{
	struct rp_addr v = {0};

	if (inet_pton(AF_INET, text, v.bytes) == 1)
		v.family = RP_IP4;
	else if (inet_pton(AF_INET6, text, v.bytes) == 1)
		v.family = RP_IP6;
	else
		return -EINVAL;
	*a = v;
	return 0;
}

int rp_prefix_parse(const char *text, struct rp_prefix *p)
{
	const char *slash = strchr(text, '/');
	char addr[RP_ADDR_STR];
	struct rp_prefix v;
	struct rp_addr masked;
	unsigned long len;
	char *end;

	if (slash == NULL || (size_t)(slash - text) >= sizeof(addr) || slash[1] < '0' ||
	    slash[1] > '9')
		return -EINVAL;
	memcpy(addr, text, (size_t)(slash - text));
	addr[slash - text] = '\0';
	len = strtoul(slash + 1, &end, 10);
	if (*end != '\0' || rp_addr_parse(addr, &v.addr) < 0 || len > rp_family_bits(v.addr.family))
		return -EINVAL;
	v.len = (uint8_t)len;
	masked = rp_addr_mask(&v.addr, v.len);
	if (!rp_addr_equal(&masked, &v.addr))
		return -ERANGE;
	*p = v;
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int rp_mac_parse(const char *text, struct rte_ether_addr *mac)
{
	struct rte_ether_addr v;

	// Exactly "xx:xx:xx:xx:xx:xx": scanf would also take blanks, signs and single digits.
	if (strlen(text) != RP_MAC_STR - 1)
		return -EINVAL;
	for (int i = 0; i < RTE_ETHER_ADDR_LEN; i++, text += 3) {
		int hi = hex_digit(text[0]);
		int lo = hex_digit(text[1]);

		if (hi < 0 || lo < 0 || text[2] != (i == RTE_ETHER_ADDR_LEN - 1 ? '\0' : ':'))
			return -EINVAL;
		v.addr_bytes[i] = (uint8_t)(hi << 4 | lo);
	}
	*mac = v;
	return 0;
}

const char *rp_addr_format(const struct rp_addr *a, char buf[RP_ADDR_STR])
{
	if (inet_ntop(a->family == RP_IP4 ? AF_INET : AF_INET6, a->bytes, buf, RP_ADDR_STR) == NULL)
		buf[0] = '\0';
	return buf;
}

const char *rp_prefix_format(const struct rp_prefix *p, char buf[RP_ADDR_STR])
{
	size_t n = strlen(rp_addr_format(&p->addr, buf));

	snprintf(buf + n, RP_ADDR_STR - n, "/%u", p->len);
	return buf;
}

const char *rp_mac_format(const struct rte_ether_addr *mac, char buf[RP_MAC_STR])
{
	const uint8_t *b = mac->addr_bytes;

	snprintf(buf, RP_MAC_STR, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4],
		 b[5]);
	return buf;
}
