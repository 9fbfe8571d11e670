// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "base/log.h"
#include "fabric/change.h"
#include "fabric/check.h"
#include "fabric/fabric.h"
#include "fabric/pool.h"

struct rp_nic *rp_nic_find(const struct rp_fabric *fabric, const char *name_or_uuid)
{
	struct rp_nic *nic;

	TAILQ_FOREACH (nic, &fabric->nics, entry) {
		if (strcmp(nic->cfg.name, name_or_uuid) == 0 ||
		    strcasecmp(nic->uuid, name_or_uuid) == 0)
			return nic;
	}
	return NULL;
}

static int choose_network(const struct rp_fabric *fabric, struct rp_nic *nic, struct rp_error *err)
{
	struct rp_network *network;

	if (nic->cfg.network[0] == '\0')
		return rp_error_set(err, EINVAL, "network", NULL,
				    "missing; expected the name of the network that NIC '%s' is in",
				    nic->cfg.name);
	network = rp_network_find(fabric, nic->cfg.network);
	if (network == NULL)
		return rp_error_set(err, ENOENT, "network", nic->cfg.network,
				    "there is no such network; create it first or see "
				    "'network list'");
	nic->network = network;
	strlcpy(nic->cfg.network, network->cfg.name, sizeof(nic->cfg.network));
	return 0;
}

static int default_socket(const struct rp_fabric *fabric, const struct rp_nic *nic, char *path,
			  size_t len)
{
	return snprintf(path, len, "%s/%s.sock", fabric->socket_dir, nic->cfg.name);
}

static bool has_default_socket(const struct rp_fabric *fabric, const struct rp_nic *nic)
{
	char path[256];

	default_socket(fabric, nic, path, sizeof(path));
	return strcmp(path, nic->cfg.socket) == 0;
}

static int choose_socket(const struct rp_fabric *fabric, struct rp_nic *nic, struct rp_error *err)
{
	const struct rp_nic *other;
	char path[256];
	int rc;

	if (nic->cfg.mode != RP_VHOST_SERVER && nic->cfg.mode != RP_VHOST_CLIENT)
		return rp_error_set(err, EINVAL, "mode", NULL, "expected server or client");
	if (nic->cfg.socket[0] == '\0') {
		if (strcmp(nic->cfg.name, "control") == 0)
			return rp_error_set(err, EEXIST, "name", nic->cfg.name,
					    "its socket %s/control.sock is that of ringctl; choose "
					    "another name",
					    fabric->socket_dir);
		default_socket(fabric, nic, path, sizeof(path));
	} else {
		if (nic->cfg.mode == RP_VHOST_SERVER)
			return rp_error_set(err, EINVAL, "socket", nic->cfg.socket,
					    "a path of one's own goes with 'mode client' only, "
					    "where the VMM listens; leave it out for %s/%s.sock",
					    fabric->socket_dir, nic->cfg.name);
		strlcpy(path, nic->cfg.socket, sizeof(path));
	}
	rc = rp_check_socket("socket", path, err);
	if (rc < 0)
		return rc;
	TAILQ_FOREACH (other, &fabric->nics, entry) {
		if (strcmp(path, other->cfg.socket) == 0)
			return rp_error_set(err, EEXIST, "socket", path,
					    "is already that of NIC '%s'; choose another",
					    other->cfg.name);
	}
	strlcpy(nic->cfg.socket, path, sizeof(nic->cfg.socket));
	return 0;
}

static int choose_addr(const struct rp_fabric *fabric, struct rp_nic *nic, enum rp_family family,
		       struct rp_error *err)
{
	const struct rp_network_config *net = &nic->network->cfg;
	bool ip4 = family == RP_IP4;
	struct rp_addr *addr = ip4 ? &nic->cfg.ip4 : &nic->cfg.ip6;
	const struct rp_prefix *subnet = ip4 ? &net->ip4 : &net->ip6;

	if (addr->family == RP_NONE)
		return subnet->addr.family == RP_NONE
			       ? 0
			       : rp_pool_addr(fabric, nic, family, addr, err);
	if (addr->family != family)
		return rp_error_set(err, EINVAL, ip4 ? "ipv4" : "ipv6", NULL,
				    "expected an IPv%d address", family);
	return rp_check_nic_addr(fabric, nic, ip4 ? "ipv4" : "ipv6", addr, err);
}

static int check_prefix_count(uint32_t n, struct rp_error *err)
{
	if (n <= RP_ROUTED_MAX)
		return 0;
	return rp_error_set(err, EINVAL, "prefix", NULL, "%u routed prefixes; expected at most %d",
			    n, RP_ROUTED_MAX);
}

// Take over n more prefixes, each checked next to those before it. The array has room for all.
static int add_prefixes(const struct rp_fabric *fabric, struct rp_nic *nic,
			const struct rp_prefix *add, uint16_t n, const char *field,
			struct rp_error *err)
{
	int rc = check_prefix_count((uint32_t)nic->cfg.n_prefixes + n, err);

	for (uint16_t i = 0; rc == 0 && i < n; i++) {
		rc = rp_check_routed(fabric, nic, field, &add[i], err);
		if (rc == 0)
			nic->cfg.prefixes[nic->cfg.n_prefixes++] = add[i];
	}
	return rc;
}

static int check_name_and_room(const struct rp_fabric *fabric, const struct rp_nic *nic,
			       struct rp_error *err)
{
	int rc = rp_check_name(nic->cfg.name, err);

	if (rc < 0)
		return rc;
	if (rp_nic_find(fabric, nic->cfg.name) != NULL)
		return rp_error_set(err, EEXIST, "name", nic->cfg.name,
				    "there is a NIC of this name already; choose another");
	if (fabric->n_nics >= fabric->max_nics)
		return rp_error_set(err, ENOSPC, "name", nic->cfg.name,
				    "one process serves at most %u NICs (a limit of DPDK's port "
				    "table, RTE_MAX_ETHPORTS); delete one or start a second "
				    "ringplane",
				    fabric->max_nics);
	return 0;
}

// Check what is given and choose what is not.
static int fill_in(const struct rp_fabric *fabric, struct rp_nic *nic,
		   const struct rp_nic_config *cfg, struct rp_error *err)
{
	int rc = check_name_and_room(fabric, nic, err);

	if (rc == 0)
		rc = choose_network(fabric, nic, err);
	if (rc == 0 && !rte_is_zero_ether_addr(&nic->cfg.mac))
		rc = rp_check_mac(fabric, &nic->cfg.mac, err);
	else if (rc == 0)
		rc = rp_pool_mac(fabric, &nic->cfg.mac, err);
	if (rc == 0)
		rc = rp_check_range("queues", nic->cfg.queues, 1, RP_QUEUES_MAX, err);
	if (rc == 0)
		rc = choose_socket(fabric, nic, err);
	// The prefixes first: the lowest free address is one outside of them.
	if (rc == 0)
		rc = add_prefixes(fabric, nic, cfg->prefixes, cfg->n_prefixes, "prefix", err);
	if (rc == 0)
		rc = choose_addr(fabric, nic, RP_IP4, err);
	return rc == 0 ? choose_addr(fabric, nic, RP_IP6, err) : rc;
}

static void nic_free(struct rp_nic *nic)
{
	free(nic->cfg.prefixes);
	free(nic);
}

// A checked and complete NIC that is not listed yet and has no port.
static struct rp_nic *nic_new(const struct rp_fabric *fabric, const struct rp_nic_config *cfg,
			      struct rp_error *err)
{
	struct rp_nic *nic = calloc(1, sizeof(*nic));
	int rc = -ENOMEM;

	if (nic == NULL)
		goto no_memory;
	nic->cfg = *cfg;
	nic->cfg.n_prefixes = 0;
	nic->cfg.prefixes = calloc(cfg->n_prefixes + 1u, sizeof(*cfg->prefixes));
	if (nic->cfg.prefixes == NULL)
		goto no_memory;
	if (nic->cfg.queues == 0)
		nic->cfg.queues = 1;
	rc = fill_in(fabric, nic, cfg, err);
	if (rc == 0)
		return nic;
	nic_free(nic);
	errno = -rc;
	return NULL;

no_memory:
	free(nic);
	rp_error_set(err, ENOMEM, NULL, NULL, "out of memory");
	errno = ENOMEM;
	return NULL;
}

int rp_nic_create(struct rp_fabric *fabric, const struct rp_nic_config *cfg, struct rp_nic **out,
		  struct rp_error *err)
{
	struct rp_nic *nic = nic_new(fabric, cfg, err);
	int rc;

	if (nic == NULL)
		return -errno;
	rc = rp_pool_uuid(nic->uuid, err);
	if (rc == 0)
		rc = rp_change_begin(fabric, err);
	if (rc < 0) {
		nic_free(nic);
		return rc;
	}
	if (fabric->store != NULL)
		rc = rp_store_add_nic(fabric->store, nic, has_default_socket(fabric, nic), err);
	if (rc == 0)
		rc = rp_change_add_nic(fabric, nic, err);
	if (rc < 0)
		goto undo;
	rp_change_list_nic(fabric, nic, NULL);
	rc = rp_change_finish(fabric, err);
	if (rc < 0) {
		rp_change_unlist_nic(fabric, nic);
		goto undo;
	}
	if (out != NULL)
		*out = nic;
	return 0;

undo:
	rp_change_undo(fabric);
	rp_change_drop_nic(fabric, nic);
	return rc;
}

int rp_nic_restore(struct rp_fabric *fabric, const struct rp_nic *row, struct rp_error *err)
{
	struct rp_nic *nic = nic_new(fabric, &row->cfg, err);
	struct rp_error why;

	if (nic == NULL)
		return -errno;
	memcpy(nic->uuid, row->uuid, sizeof(nic->uuid));
	// One port that fails must not cost all the others their restart.
	if (rp_change_add_nic(fabric, nic, &why) < 0) {
		nic->state = RP_NIC_ERROR;
		rp_error_text(&why, nic->error, sizeof(nic->error));
		rp_err("NIC '%s' is in the store but has no port: %s", nic->cfg.name, nic->error);
	}
	rp_change_list_nic(fabric, nic, NULL);
	return 0;
}

static int remove_prefixes(struct rp_nic *nic, const struct rp_nic_update *update,
			   struct rp_error *err)
{
	struct rp_nic_config *cfg = &nic->cfg;
	char text[RP_ADDR_STR];

	for (uint16_t i = 0; i < update->n_remove; i++) {
		const struct rp_prefix *p = &update->remove[i];
		uint16_t at = 0;

		while (at < cfg->n_prefixes && !rp_prefix_equal(&cfg->prefixes[at], p))
			at++;
		if (at == cfg->n_prefixes)
			return rp_error_set(err, ENOENT, "remove-prefix", rp_prefix_format(p, text),
					    "is not routed to NIC '%s'; see 'nic get %s'",
					    cfg->name, cfg->name);
		cfg->n_prefixes--;
		memmove(&cfg->prefixes[at], &cfg->prefixes[at + 1],
			(size_t)(cfg->n_prefixes - at) * sizeof(*p));
	}
	return 0;
}

int rp_nic_update(struct rp_fabric *fabric, struct rp_nic *nic, const struct rp_nic_update *update,
		  struct rp_error *err)
{
	const struct rp_nic_config old = nic->cfg;
	struct rp_prefix *prefixes;
	int rc;

	prefixes = calloc((size_t)old.n_prefixes + update->n_add + 1, sizeof(*prefixes));
	if (prefixes == NULL)
		return rp_error_set(err, ENOMEM, NULL, NULL, "out of memory");
	memcpy(prefixes, old.prefixes, old.n_prefixes * sizeof(*prefixes));
	nic->cfg.prefixes = prefixes;
	rc = remove_prefixes(nic, update, err);
	if (rc == 0)
		rc = add_prefixes(fabric, nic, update->add, update->n_add, "add-prefix", err);
	if (rc == 0)
		rc = rp_change_begin(fabric, err);
	if (rc < 0)
		goto restore;
	if (fabric->store != NULL)
		rc = rp_store_update_nic(fabric->store, nic, err);
	if (rc == 0)
		rc = rp_change_finish(fabric, err);
	if (rc < 0)
		goto undo;
	free(old.prefixes);
	return 0;

undo:
	nic->cfg = old;
	rp_change_undo(fabric);
restore:
	nic->cfg = old;
	free(prefixes);
	return rc;
}

int rp_nic_delete(struct rp_fabric *fabric, struct rp_nic *nic, struct rp_error *err)
{
	struct rp_nic *next = TAILQ_NEXT(nic, entry);
	int rc = rp_change_begin(fabric, err);

	if (rc < 0)
		return rc;
	rp_change_unlist_nic(fabric, nic);
	if (fabric->store != NULL)
		rc = rp_store_remove_nic(fabric->store, nic, err);
	if (rc == 0)
		rc = rp_change_finish(fabric, err);
	if (rc < 0) {
		rp_change_list_nic(fabric, nic, next);
		rp_change_undo(fabric);
		return rc;
	}
	rp_change_drop_nic(fabric, nic);
	return 0;
}
