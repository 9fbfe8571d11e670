// SPDX-License-Identifier: BSD-3-Clause
#include "pipeline/route_table.h"

#include <stdlib.h>

#include "pipeline/slots.h"

struct entry {
	struct rp_prefix prefix; // family RP_NONE: free
	uint32_t net;
	uint16_t value;
};

struct lengths {
	uint8_t n;
	uint8_t len[129]; // descending
};

struct rp_route_table {
	size_t max;
	size_t n;
	uint32_t mask;
	struct lengths lengths4;
	struct lengths lengths6;
	struct entry entries[];
};

static struct lengths *lengths_of(struct rp_route_table *t, uint8_t family)
{
	return family == RP_IP4 ? &t->lengths4 : &t->lengths6;
}

static uint32_t hash(uint32_t net, const struct rp_addr *masked, uint8_t len)
{
	return rp_hash6(net ^ (uint32_t)len << 16, masked->bytes);
}

struct rp_route_table *rp_route_table_new(size_t max)
{
	struct rp_route_table *t;
	size_t size = 16;

	while (size < 2 * max)
		size *= 2;
	t = calloc(1, sizeof(*t) + size * sizeof(t->entries[0]));
	if (t == NULL)
		return NULL;
	t->max = max;
	t->mask = (uint32_t)(size - 1);
	return t;
}

void rp_route_table_free(struct rp_route_table *t)
{
	free(t);
}

static void note_length(struct lengths *l, uint8_t len)
{
	uint8_t i = 0;

	while (i < l->n && l->len[i] > len)
		i++;
	if (i < l->n && l->len[i] == len)
		return;
	memmove(&l->len[i + 1], &l->len[i], (size_t)(l->n - i));
	l->len[i] = len;
	l->n++;
}

// The entry, or the free place where it would stand.
static struct entry *lookup(const struct rp_route_table *t, uint32_t net,
			    const struct rp_addr *masked, uint8_t len)
{
	uint32_t h = hash(net, masked, len);

	for (;; h++) {
		const struct entry *e = &t->entries[h & t->mask];

		if (e->prefix.addr.family == RP_NONE || (e->net == net && e->prefix.len == len &&
							 rp_addr_equal(&e->prefix.addr, masked)))
			return (struct entry *)e;
	}
}

void rp_route_table_add(struct rp_route_table *t, uint32_t net, const struct rp_prefix *prefix,
			uint16_t value)
{
	struct entry *e;

	if (t->n >= t->max)
		return;
	e = lookup(t, net, &prefix->addr, prefix->len);
	if (e->prefix.addr.family != RP_NONE)
		return;
	*e = (struct entry){.prefix = *prefix, .net = net, .value = value};
	t->n++;
	note_length(lengths_of(t, prefix->addr.family), prefix->len);
}

int rp_route_table_find(const struct rp_route_table *t, uint32_t net, const struct rp_addr *addr)
{
	const struct lengths *l = addr->family == RP_IP4 ? &t->lengths4 : &t->lengths6;

	for (uint8_t i = 0; i < l->n; i++) {
		struct rp_addr masked = rp_addr_mask(addr, l->len[i]);
		const struct entry *e = lookup(t, net, &masked, l->len[i]);

		if (e->prefix.addr.family != RP_NONE)
			return e->value;
	}
	return -1;
}
