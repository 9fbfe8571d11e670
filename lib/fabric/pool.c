// SPDX-License-Identifier: BSD-3-Clause
#include "fabric/pool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "fabric/check.h"

struct rp_addr rp_prefix_last(const struct rp_prefix *p)
{
	struct rp_addr last = p->addr;
	size_t bytes = rp_family_bytes(p->addr.family);
	size_t i = p->len / 8;

	if (i < bytes)
		last.bytes[i] |= (uint8_t)(0xff >> (p->len % 8));
	while (++i < bytes)
		last.bytes[i] = 0xff;
	return last;
}

// The next address of the family; the highest one wraps to zero.
static struct rp_addr addr_next(const struct rp_addr *a)
{
	struct rp_addr next = *a;

	for (size_t i = rp_family_bytes(a->family); i-- > 0;) {
		if (++next.bytes[i] != 0)
			break;
	}
	return next;
}

static int compare_prefixes(const void *a, const void *b)
{
	const struct rp_prefix *pa = a;
	const struct rp_prefix *pb = b;

	return memcmp(pa->addr.bytes, pb->addr.bytes, RP_IP6_LEN);
}

static size_t take_nic(const struct rp_nic *nic, enum rp_family family, struct rp_prefix *taken)
{
	const struct rp_addr *addr = family == RP_IP4 ? &nic->cfg.ip4 : &nic->cfg.ip6;
	size_t n = 0;

	if (addr->family == family)
		taken[n++] = (struct rp_prefix){*addr, rp_family_bits(family)};
	for (uint16_t i = 0; i < nic->cfg.n_prefixes; i++) {
		if (nic->cfg.prefixes[i].addr.family == family)
			taken[n++] = nic->cfg.prefixes[i];
	}
	return n;
}

// All that is in use in the network of a NIC, lowest first; NULL: no memory.
static struct rp_prefix *taken_in_network(const struct rp_fabric *fabric, const struct rp_nic *nic,
					  enum rp_family family, size_t *n)
{
	const struct rp_nic *other;
	struct rp_prefix *taken;
	size_t room = 1u + nic->cfg.n_prefixes;

	TAILQ_FOREACH (other, &fabric->nics, entry)
		room += 1u + other->cfg.n_prefixes;
	taken = calloc(room, sizeof(*taken));
	if (taken == NULL)
		return NULL;
	*n = take_nic(nic, family, taken);
	TAILQ_FOREACH (other, &fabric->nics, entry) {
		if (other != nic && other->network == nic->network)
			*n += take_nic(other, family, taken + *n);
	}
	qsort(taken, *n, sizeof(*taken), compare_prefixes);
	return taken;
}

int rp_pool_addr(const struct rp_fabric *fabric, const struct rp_nic *nic, enum rp_family family,
		 struct rp_addr *addr, struct rp_error *err)
{
	const struct rp_network_config *net = &nic->network->cfg;
	const struct rp_prefix *subnet = family == RP_IP4 ? &net->ip4 : &net->ip6;
	struct rp_addr broadcast = rp_prefix_last(subnet);
	struct rp_addr a = addr_next(&subnet->addr);
	struct rp_prefix *taken;
	char text[RP_ADDR_STR];
	size_t n = 0;

	taken = taken_in_network(fabric, nic, family, &n);
	if (taken == NULL)
		return rp_error_set(err, ENOMEM, NULL, NULL, "out of memory");
	for (size_t i = 0; i < n; i++) {
		struct rp_addr last = rp_prefix_last(&taken[i]);

		if (rp_prefix_contains(&taken[i], &a))
			a = addr_next(&last);
	}
	free(taken);
	if (!rp_prefix_contains(subnet, &a) || (family == RP_IP4 && rp_addr_equal(&a, &broadcast)))
		return rp_error_set(err, ENOSPC, family == RP_IP4 ? "ipv4" : "ipv6",
				    rp_prefix_format(subnet, text),
				    "network '%s' is full: every address is in use or inside a "
				    "routed prefix; delete a NIC or use another network",
				    net->name);
	*addr = a;
	return 0;
}

static int random_bytes(void *buf, size_t len, struct rp_error *err)
{
	// Up to 256 bytes come whole or not at all.
	if (getrandom(buf, len, 0) == (ssize_t)len)
		return 0;
	return rp_error_set(err, errno, NULL, NULL, "no random numbers from the kernel: %s",
			    strerror(errno));
}

int rp_pool_mac(const struct rp_fabric *fabric, struct rte_ether_addr *mac, struct rp_error *err)
{
	struct rte_ether_addr m;
	int rc;

	do {
		rc = random_bytes(&m, sizeof(m), err);
		if (rc < 0)
			return rc;
		m.addr_bytes[0] &= (uint8_t)~RTE_ETHER_GROUP_ADDR;
		m.addr_bytes[0] |= RTE_ETHER_LOCAL_ADMIN_ADDR;
	} while (rp_check_mac(fabric, &m, NULL) < 0);
	*mac = m;
	return 0;
}

int rp_pool_uuid(char uuid[RP_UUID_STR], struct rp_error *err)
{
	uint8_t b[16];
	int rc = random_bytes(b, sizeof(b), err);

	if (rc < 0)
		return rc;
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	snprintf(uuid, RP_UUID_STR,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
		 b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
		 b[15]);
	return 0;
}

uint32_t rp_pool_network_id(const struct rp_fabric *fabric)
{
	const struct rp_network *network;
	bool *used = calloc(fabric->n_networks + 2u, sizeof(*used));
	uint32_t id = 1;

	if (used == NULL)
		return 0;
	// Of 1..n+1 at least one is free.
	TAILQ_FOREACH (network, &fabric->networks, entry) {
		if (network->id <= fabric->n_networks)
			used[network->id] = true;
	}
	while (used[id])
		id++;
	free(used);
	return id;
}
