// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <string.h>

#include <bsd/string.h>

#include "fabric/store_db.h"

// Text for a column, NULL for what is not there.
static const char *prefix_text(const struct rp_prefix *p, char buf[RP_ADDR_STR])
{
	return p->addr.family == RP_NONE ? NULL : rp_prefix_format(p, buf);
}

static const char *addr_text(const struct rp_addr *a, char buf[RP_ADDR_STR])
{
	return a->family == RP_NONE ? NULL : rp_addr_format(a, buf);
}

static const char *or_null(const char *text)
{
	return text[0] != '\0' ? text : NULL;
}

static int add_value(struct rp_store *store, const struct rp_network *network, const char *kind,
		     int pos, const char *value, struct rp_error *err)
{
	return rp_store_run(
		store, err,
		"INSERT INTO network_list (network, kind, pos, value) VALUES (?, ?, ?, ?)", "ssis",
		network->uuid, kind, pos, value);
}

static int add_servers(struct rp_store *store, const struct rp_network *network, const char *kind,
		       const struct rp_addr_list *list, struct rp_error *err)
{
	char text[RP_ADDR_STR];
	int rc = 0;

	for (int i = 0; rc == 0 && i < list->n; i++)
		rc = add_value(store, network, kind, i, rp_addr_format(&list->addr[i], text), err);
	return rc;
}

static int add_lists(struct rp_store *store, const struct rp_network *network, struct rp_error *err)
{
	const struct rp_network_config *cfg = &network->cfg;
	int rc = add_servers(store, network, "dns", &cfg->dns, err);

	if (rc == 0)
		rc = add_servers(store, network, "ntp", &cfg->ntp, err);
	for (int i = 0; rc == 0 && i < cfg->n_search; i++)
		rc = add_value(store, network, "search", i, cfg->search[i], err);
	return rc;
}

int rp_store_add_network(struct rp_store *store, const struct rp_network *network,
			 struct rp_error *err)
{
	const struct rp_network_config *cfg = &network->cfg;
	char ip4[RP_ADDR_STR], ip6[RP_ADDR_STR];
	int rc;

	rc = rp_store_run(
		store, err,
		"INSERT INTO network (uuid, id, name, ip4, ip6, domain, mtu, public, real_mask) "
		"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
		"sissssiii", network->uuid, (int)network->id, cfg->name,
		prefix_text(&cfg->ip4, ip4), prefix_text(&cfg->ip6, ip6), or_null(cfg->domain),
		cfg->mtu, cfg->is_public, cfg->real_mask);
	return rc == 0 ? add_lists(store, network, err) : rc;
}

int rp_store_update_network(struct rp_store *store, const struct rp_network *network,
			    struct rp_error *err)
{
	const struct rp_network_config *cfg = &network->cfg;
	int rc;

	rc = rp_store_run(store, err,
			  "UPDATE network SET domain = ?, mtu = ?, real_mask = ? WHERE uuid = ?",
			  "siis", or_null(cfg->domain), cfg->mtu, cfg->real_mask, network->uuid);
	if (rc == 0)
		rc = rp_store_run(store, err, "DELETE FROM network_list WHERE network = ?", "s",
				  network->uuid);
	return rc == 0 ? add_lists(store, network, err) : rc;
}

int rp_store_remove_network(struct rp_store *store, const struct rp_network *network,
			    struct rp_error *err)
{
	return rp_store_run(store, err, "DELETE FROM network WHERE uuid = ?", "s", network->uuid);
}

static int add_prefixes(struct rp_store *store, const struct rp_nic *nic, struct rp_error *err)
{
	char text[RP_ADDR_STR];
	int rc = 0;

	for (int i = 0; rc == 0 && i < nic->cfg.n_prefixes; i++)
		rc = rp_store_run(
			store, err, "INSERT INTO nic_prefix (nic, pos, prefix) VALUES (?, ?, ?)",
			"sis", nic->uuid, i, rp_prefix_format(&nic->cfg.prefixes[i], text));
	return rc;
}

int rp_store_add_nic(struct rp_store *store, const struct rp_nic *nic, bool default_socket,
		     struct rp_error *err)
{
	const struct rp_nic_config *cfg = &nic->cfg;
	char ip4[RP_ADDR_STR], ip6[RP_ADDR_STR], mac[RP_MAC_STR];
	int rc;

	rc = rp_store_run(
		store, err,
		"INSERT INTO nic (uuid, network, name, mac, ip4, ip6, queues, mode, socket) "
		"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
		"ssssssiis", nic->uuid, nic->network->uuid, cfg->name,
		rp_mac_format(&cfg->mac, mac), addr_text(&cfg->ip4, ip4), addr_text(&cfg->ip6, ip6),
		cfg->queues, (int)cfg->mode, default_socket ? NULL : cfg->socket);
	return rc == 0 ? add_prefixes(store, nic, err) : rc;
}

int rp_store_update_nic(struct rp_store *store, const struct rp_nic *nic, struct rp_error *err)
{
	int rc = rp_store_run(store, err, "DELETE FROM nic_prefix WHERE nic = ?", "s", nic->uuid);

	return rc == 0 ? add_prefixes(store, nic, err) : rc;
}

int rp_store_remove_nic(struct rp_store *store, const struct rp_nic *nic, struct rp_error *err)
{
	return rp_store_run(store, err, "DELETE FROM nic WHERE uuid = ?", "s", nic->uuid);
}

static int damaged(struct rp_store *store, const char *kind, const char *name, struct rp_error *err)
{
	return rp_error_set(err, EUCLEAN, "state", store->path,
			    "holds a %s '%s' with a value that is none; mend it with sqlite3 or "
			    "restore a backup",
			    kind, name);
}

// Columns to values. NULL leaves *dst as it is; false: no value of the type.
static bool get_text(sqlite3_stmt *stmt, int column, char *dst, size_t len)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);

	return text == NULL || strlcpy(dst, text, len) < len;
}

static bool get_prefix(sqlite3_stmt *stmt, int column, struct rp_prefix *p)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);

	return text == NULL || rp_prefix_parse(text, p) == 0;
}

static bool get_addr(sqlite3_stmt *stmt, int column, struct rp_addr *a)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);

	return text == NULL || rp_addr_parse(text, a) == 0;
}

static bool get_u16(sqlite3_stmt *stmt, int column, uint16_t *v)
{
	sqlite3_int64 n = sqlite3_column_int64(stmt, column);

	*v = (uint16_t)n;
	return n > 0 && n <= UINT16_MAX;
}

static bool get_list_value(sqlite3_stmt *stmt, struct rp_network_config *cfg)
{
	const char *kind = (const char *)sqlite3_column_text(stmt, 0);
	struct rp_addr_list *list = NULL;

	if (strcmp(kind, "search") == 0)
		return cfg->n_search < RP_SEARCH_MAX &&
		       get_text(stmt, 1, cfg->search[cfg->n_search++], RP_DOMAIN_MAX);
	if (strcmp(kind, "dns") == 0)
		list = &cfg->dns;
	else if (strcmp(kind, "ntp") == 0)
		list = &cfg->ntp;
	return list != NULL && list->n < RP_DNS_MAX && get_addr(stmt, 1, &list->addr[list->n++]);
}

static int load_lists(struct rp_store *store, struct rp_network *row, struct rp_error *err)
{
	sqlite3_stmt *stmt;
	int rc = rp_store_prepare(store, &stmt, err,
				  "SELECT kind, value FROM network_list WHERE network = ? "
				  "ORDER BY kind, pos",
				  "s", row->uuid);

	while (rc == 0 && (rc = rp_store_step(store, stmt, err)) == 1)
		rc = get_list_value(stmt, &row->cfg)
			     ? 0
			     : damaged(store, "network", row->cfg.name, err);
	sqlite3_finalize(stmt);
	return rc;
}

static int load_network(struct rp_store *store, sqlite3_stmt *stmt,
			const struct rp_store_loader *loader, struct rp_error *err)
{
	struct rp_network row = {.id = (uint32_t)sqlite3_column_int64(stmt, 1)};
	struct rp_network_config *cfg = &row.cfg;
	int rc;

	if (!get_text(stmt, 0, row.uuid, sizeof(row.uuid)) || row.id == 0 ||
	    !get_text(stmt, 2, cfg->name, sizeof(cfg->name)) || !get_prefix(stmt, 3, &cfg->ip4) ||
	    !get_prefix(stmt, 4, &cfg->ip6) ||
	    !get_text(stmt, 5, cfg->domain, sizeof(cfg->domain)) || !get_u16(stmt, 6, &cfg->mtu))
		return damaged(store, "network", cfg->name, err);
	cfg->is_public = sqlite3_column_int(stmt, 7) != 0;
	cfg->real_mask = sqlite3_column_int(stmt, 8) != 0;
	rc = load_lists(store, &row, err);
	return rc == 0 ? loader->network(loader->arg, &row, err) : rc;
}

static int load_prefixes(struct rp_store *store, struct rp_nic *row, struct rp_error *err)
{
	sqlite3_stmt *stmt;
	int rc = rp_store_prepare(store, &stmt, err,
				  "SELECT prefix FROM nic_prefix WHERE nic = ? ORDER BY pos", "s",
				  row->uuid);

	while (rc == 0 && (rc = rp_store_step(store, stmt, err)) == 1) {
		bool good = row->cfg.n_prefixes < RP_ROUTED_MAX &&
			    get_prefix(stmt, 0, &row->cfg.prefixes[row->cfg.n_prefixes++]);

		rc = good ? 0 : damaged(store, "NIC", row->cfg.name, err);
	}
	sqlite3_finalize(stmt);
	return rc;
}

static int load_nic(struct rp_store *store, sqlite3_stmt *stmt,
		    const struct rp_store_loader *loader, struct rp_error *err)
{
	struct rp_prefix prefixes[RP_ROUTED_MAX];
	struct rp_nic row = {.cfg.prefixes = prefixes};
	struct rp_nic_config *cfg = &row.cfg;
	const char *mac = (const char *)sqlite3_column_text(stmt, 3);
	int rc;

	if (!get_text(stmt, 0, row.uuid, sizeof(row.uuid)) ||
	    !get_text(stmt, 1, cfg->network, sizeof(cfg->network)) ||
	    !get_text(stmt, 2, cfg->name, sizeof(cfg->name)) || mac == NULL ||
	    rp_mac_parse(mac, &cfg->mac) < 0 || !get_addr(stmt, 4, &cfg->ip4) ||
	    !get_addr(stmt, 5, &cfg->ip6) || !get_u16(stmt, 6, &cfg->queues) ||
	    !get_text(stmt, 8, cfg->socket, sizeof(cfg->socket)))
		return damaged(store, "NIC", cfg->name, err);
	cfg->mode = sqlite3_column_int(stmt, 7);
	rc = load_prefixes(store, &row, err);
	return rc == 0 ? loader->nic(loader->arg, &row, err) : rc;
}

typedef int (*load_row_fn)(struct rp_store *store, sqlite3_stmt *stmt,
			   const struct rp_store_loader *loader, struct rp_error *err);

static int load_rows(struct rp_store *store, const char *sql, load_row_fn load_row,
		     const struct rp_store_loader *loader, struct rp_error *err)
{
	sqlite3_stmt *stmt;
	int rc = rp_store_prepare(store, &stmt, err, sql, "");

	while (rc == 0 && (rc = rp_store_step(store, stmt, err)) == 1)
		rc = load_row(store, stmt, loader, err);
	sqlite3_finalize(stmt);
	return rc;
}

int rp_store_load(struct rp_store *store, const struct rp_store_loader *loader,
		  struct rp_error *err)
{
	int rc = load_rows(store,
			   "SELECT uuid, id, name, ip4, ip6, domain, mtu, public, real_mask "
			   "FROM network ORDER BY seq",
			   load_network, loader, err);

	if (rc < 0)
		return rc;
	return load_rows(store,
			 "SELECT nic.uuid, network.name, nic.name, mac, nic.ip4, nic.ip6, queues, "
			 "mode, socket FROM nic JOIN network ON nic.network = network.uuid "
			 "ORDER BY nic.seq",
			 load_nic, loader, err);
}
