/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

// A fabric under test, values from texts, and the whole model as one text to compare.

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/string.h>

#include <cmocka.h>

#include "unit/fabric/fake_ops.h"

#define MAX_NICS 31

struct fixture {
	struct fake_ops ops;
	struct rp_fabric *fabric;
	struct rp_error err; // of the last call
};

static inline void fixture_open(struct fixture *f)
{
	*f = (struct fixture){0};
	f->fabric = rp_fabric_new(&fake_ops, &f->ops, "/run/ringplane", MAX_NICS, &f->err);
	assert_non_null(f->fabric);
}

static inline void fixture_close(struct fixture *f)
{
	rp_fabric_free(f->fabric);
	assert_int_equal(f->ops.added, 0);
}

static inline struct rp_prefix prefix(const char *text)
{
	struct rp_prefix p = {0};

	if (text != NULL)
		assert_int_equal(rp_prefix_parse(text, &p), 0);
	return p;
}

static inline struct rp_addr addr(const char *text)
{
	struct rp_addr a = {0};

	if (text != NULL)
		assert_int_equal(rp_addr_parse(text, &a), 0);
	return a;
}

static inline struct rp_network_config net_config(const char *name, const char *ip4,
						  const char *ip6)
{
	struct rp_network_config cfg = {.ip4 = prefix(ip4), .ip6 = prefix(ip6)};

	strlcpy(cfg.name, name, sizeof(cfg.name));
	return cfg;
}

static inline int net_create(struct fixture *f, const char *name, const char *ip4, const char *ip6)
{
	struct rp_network_config cfg = net_config(name, ip4, ip6);

	return rp_network_create(f->fabric, &cfg, NULL, &f->err);
}

static inline int net_create_public(struct fixture *f, const char *name, const char *ip4,
				    const char *ip6)
{
	struct rp_network_config cfg = net_config(name, ip4, ip6);

	cfg.is_public = true;
	return rp_network_create(f->fabric, &cfg, NULL, &f->err);
}

static inline struct rp_nic_config nic_config(const char *name, const char *network)
{
	struct rp_nic_config cfg = {0};

	strlcpy(cfg.name, name, sizeof(cfg.name));
	strlcpy(cfg.network, network, sizeof(cfg.network));
	return cfg;
}

static inline int nic_create(struct fixture *f, const char *name, const char *network)
{
	struct rp_nic_config cfg = nic_config(name, network);

	return rp_nic_create(f->fabric, &cfg, NULL, &f->err);
}

static inline int nic_create_at(struct fixture *f, const char *name, const char *network,
				const char *address)
{
	struct rp_nic_config cfg = nic_config(name, network);
	struct rp_addr a = addr(address);

	*(a.family == RP_IP4 ? &cfg.ip4 : &cfg.ip6) = a;
	return rp_nic_create(f->fabric, &cfg, NULL, &f->err);
}

static inline int nic_create_with(struct fixture *f, const char *name, const char *network,
				  const char *routed)
{
	struct rp_nic_config cfg = nic_config(name, network);
	struct rp_prefix p = prefix(routed);

	cfg.prefixes = &p;
	cfg.n_prefixes = 1;
	return rp_nic_create(f->fabric, &cfg, NULL, &f->err);
}

// Either may be NULL.
static inline int nic_reroute(struct fixture *f, const char *name, const char *add,
			      const char *remove)
{
	struct rp_prefix to_add = prefix(add), to_remove = prefix(remove);
	struct rp_nic_update update = {&to_add, add != NULL, &to_remove, remove != NULL};

	return rp_nic_update(f->fabric, rp_nic_find(f->fabric, name), &update, &f->err);
}

static inline int nic_delete(struct fixture *f, const char *name)
{
	return rp_nic_delete(f->fabric, rp_nic_find(f->fabric, name), &f->err);
}

static inline int net_delete(struct fixture *f, const char *name, bool force, uint32_t *n_nics)
{
	return rp_network_delete(f->fabric, rp_network_find(f->fabric, name), force, n_nics,
				 &f->err);
}

static inline const char *nic_ip4(struct fixture *f, const char *name)
{
	static char text[RP_ADDR_STR];

	return rp_addr_format(&rp_nic_find(f->fabric, name)->cfg.ip4, text);
}

static inline const char *nic_ip6(struct fixture *f, const char *name)
{
	static char text[RP_ADDR_STR];

	return rp_addr_format(&rp_nic_find(f->fabric, name)->cfg.ip6, text);
}

// The last call failed for this reason: field, value, and a part of what it says.
static inline void assert_error(const struct fixture *f, int code, const char *field,
				const char *value, const char *says)
{
	assert_int_equal(f->err.code, code);
	assert_string_equal(f->err.field, field);
	assert_string_equal(f->err.value, value);
	if (strstr(f->err.expected, says) == NULL)
		fail_msg("'%s' does not say '%s'", f->err.expected, says);
}

static inline void print_list(FILE *out, const char *what, const struct rp_addr_list *list)
{
	char text[RP_ADDR_STR];

	for (uint8_t i = 0; i < list->n; i++)
		fprintf(out, " %s %s", what, rp_addr_format(&list->addr[i], text));
}

/*
 * All that is configured, in order, a line each; to be freed. uuids: with what is random too.
 */
static inline char *snapshot(const struct rp_fabric *fabric, bool uuids)
{
	char t1[RP_ADDR_STR], t2[RP_ADDR_STR], mac[RP_MAC_STR];
	const struct rp_network *net;
	const struct rp_nic *nic;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	TAILQ_FOREACH (net, &fabric->networks, entry) {
		const struct rp_network_config *c = &net->cfg;

		fprintf(out, "network %s %s id %u %s %s domain '%s' mtu %u public %d mask %d n %u",
			c->name, uuids ? net->uuid : "", net->id, rp_prefix_format(&c->ip4, t1),
			rp_prefix_format(&c->ip6, t2), c->domain, c->mtu, c->is_public,
			c->real_mask, net->n_nics);
		print_list(out, "dns", &c->dns);
		print_list(out, "ntp", &c->ntp);
		for (uint8_t i = 0; i < c->n_search; i++)
			fprintf(out, " search %s", c->search[i]);
		fputc('\n', out);
	}
	TAILQ_FOREACH (nic, &fabric->nics, entry) {
		const struct rp_nic_config *c = &nic->cfg;

		fprintf(out, "nic %s %s in %s %s %s %s queues %u mode %d %s", c->name,
			uuids ? nic->uuid : "", nic->network->cfg.name, rp_mac_format(&c->mac, mac),
			rp_addr_format(&c->ip4, t1), rp_addr_format(&c->ip6, t2), c->queues,
			(int)c->mode, c->socket);
		for (uint16_t i = 0; i < c->n_prefixes; i++)
			fprintf(out, " prefix %s", rp_prefix_format(&c->prefixes[i], t1));
		fputc('\n', out);
	}
	fprintf(out, "%u networks, %u NICs\n", fabric->n_networks, fabric->n_nics);
	fclose(out);
	return text;
}
