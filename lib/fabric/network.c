// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/change.h"
#include "fabric/check.h"
#include "fabric/fabric.h"
#include "fabric/pool.h"

struct rp_network *rp_network_find(const struct rp_fabric *fabric, const char *name_or_uuid)
{
	struct rp_network *network;

	TAILQ_FOREACH (network, &fabric->networks, entry) {
		if (strcmp(network->cfg.name, name_or_uuid) == 0 ||
		    strcasecmp(network->uuid, name_or_uuid) == 0)
			return network;
	}
	return NULL;
}

static int check_domains(const struct rp_network_config *cfg, struct rp_error *err)
{
	int rc = cfg->domain[0] != '\0' ? rp_check_domain("domain", cfg->domain, err) : 0;

	if (rc == 0)
		rc = cfg->n_search <= RP_SEARCH_MAX
			     ? 0
			     : rp_error_set(err, EINVAL, "search", NULL,
					    "%u domains; expected at most %d", cfg->n_search,
					    RP_SEARCH_MAX);
	for (uint8_t i = 0; rc == 0 && i < cfg->n_search; i++) {
		rc = rp_check_domain("search", cfg->search[i], err);
		for (uint8_t j = 0; rc == 0 && j < i; j++) {
			if (strcasecmp(cfg->search[i], cfg->search[j]) == 0)
				rc = rp_error_set(err, EINVAL, "search", cfg->search[i],
						  "given twice; once is enough");
		}
	}
	return rc;
}

// What may change in a network's life.
static int check_settings(const struct rp_network_config *cfg, struct rp_error *err)
{
	int rc = rp_check_range("mtu", cfg->mtu, RP_MTU_MIN, RP_MTU_MAX, err);

	if (rc == 0)
		rc = rp_check_servers("dns", &cfg->dns, RP_DNS_MAX, err);
	if (rc == 0)
		rc = rp_check_servers("ntp", &cfg->ntp, RP_NTP_MAX, err);
	return rc == 0 ? check_domains(cfg, err) : rc;
}

static int check_subnet(const struct rp_fabric *fabric, const struct rp_network *network,
			enum rp_family family, struct rp_error *err)
{
	bool ip4 = family == RP_IP4;
	const struct rp_prefix *subnet = ip4 ? &network->cfg.ip4 : &network->cfg.ip6;
	const char *field = ip4 ? "ipv4" : "ipv6";
	int rc;

	if (subnet->addr.family == RP_NONE)
		return 0;
	rc = rp_check_prefix(field, subnet, family, ip4 ? RP_SUBNET4_MIN : RP_SUBNET6_MIN,
			     ip4 ? RP_SUBNET4_MAX : RP_SUBNET6_MAX, err);
	return rc == 0 ? rp_check_unclaimed(fabric, network, NULL, field, subnet, err) : rc;
}

static int check_network(const struct rp_fabric *fabric, const struct rp_network *network,
			 struct rp_error *err)
{
	const struct rp_network_config *cfg = &network->cfg;
	int rc = rp_check_name(cfg->name, err);

	if (rc < 0)
		return rc;
	if (rp_network_find(fabric, cfg->name) != NULL)
		return rp_error_set(err, EEXIST, "name", cfg->name,
				    "there is a network of this name already; choose another");
	if (cfg->ip4.addr.family == RP_NONE && cfg->ip6.addr.family == RP_NONE)
		return rp_error_set(err, EINVAL, "ipv4", NULL,
				    "missing; expected ipv4 SUBNET, ipv6 PREFIX or both for "
				    "network '%s'",
				    cfg->name);
	rc = check_subnet(fabric, network, RP_IP4, err);
	if (rc == 0)
		rc = check_subnet(fabric, network, RP_IP6, err);
	return rc == 0 ? check_settings(cfg, err) : rc;
}

// A checked network that is not listed yet.
static struct rp_network *network_new(const struct rp_fabric *fabric,
				      const struct rp_network_config *cfg, struct rp_error *err)
{
	struct rp_network *network = calloc(1, sizeof(*network));
	int rc;

	if (network == NULL) {
		rp_error_set(err, ENOMEM, NULL, NULL, "out of memory");
		return NULL;
	}
	network->cfg = *cfg;
	if (network->cfg.mtu == 0)
		network->cfg.mtu = RP_MTU_DEFAULT;
	rc = check_network(fabric, network, err);
	if (rc < 0) {
		free(network);
		errno = -rc;
		return NULL;
	}
	return network;
}

int rp_network_create(struct rp_fabric *fabric, const struct rp_network_config *cfg,
		      struct rp_network **out, struct rp_error *err)
{
	struct rp_network *network = network_new(fabric, cfg, err);
	int rc;

	if (network == NULL)
		return -errno;
	rc = rp_pool_uuid(network->uuid, err);
	if (rc < 0)
		goto free_network;
	network->id = rp_pool_network_id(fabric);
	if (network->id == 0) {
		rc = rp_error_set(err, ENOMEM, NULL, NULL, "out of memory");
		goto free_network;
	}
	rc = rp_change_begin(fabric, err);
	if (rc < 0)
		goto free_network;
	rp_change_list_network(fabric, network, NULL);
	if (fabric->store != NULL)
		rc = rp_store_add_network(fabric->store, network, err);
	if (rc == 0)
		rc = rp_change_finish(fabric, err);
	if (rc < 0)
		goto undo;
	if (out != NULL)
		*out = network;
	return 0;

undo:
	rp_change_unlist_network(fabric, network);
	rp_change_undo(fabric);
free_network:
	free(network);
	return rc;
}

int rp_network_restore(struct rp_fabric *fabric, const struct rp_network *row, struct rp_error *err)
{
	struct rp_network *network = network_new(fabric, &row->cfg, err);

	if (network == NULL)
		return -errno;
	memcpy(network->uuid, row->uuid, sizeof(network->uuid));
	network->id = row->id;
	rp_change_list_network(fabric, network, NULL);
	return 0;
}

static int check_fixed(const struct rp_network_config *now, const struct rp_network_config *cfg,
		       struct rp_error *err)
{
	const char *field = NULL;

	if (strcmp(now->name, cfg->name) != 0)
		field = "name";
	else if (!rp_prefix_equal(&now->ip4, &cfg->ip4))
		field = "ipv4";
	else if (!rp_prefix_equal(&now->ip6, &cfg->ip6))
		field = "ipv6";
	else if (now->is_public != cfg->is_public)
		field = "public";
	if (field == NULL)
		return 0;
	return rp_error_set(err, EINVAL, field, NULL,
			    "cannot change while network '%s' exists; delete it and create it anew",
			    now->name);
}

int rp_network_update(struct rp_fabric *fabric, struct rp_network *network,
		      const struct rp_network_config *cfg, struct rp_error *err)
{
	const struct rp_network_config old = network->cfg;
	int rc = check_fixed(&network->cfg, cfg, err);

	if (rc == 0)
		rc = check_settings(cfg, err);
	if (rc == 0)
		rc = rp_change_begin(fabric, err);
	if (rc < 0)
		return rc;
	network->cfg = *cfg;
	if (fabric->store != NULL)
		rc = rp_store_update_network(fabric->store, network, err);
	if (rc == 0)
		rc = rp_change_finish(fabric, err);
	if (rc < 0) {
		network->cfg = old;
		rp_change_undo(fabric);
	}
	return rc;
}

// A NIC out of the list, and the one that followed it there.
struct unlisted {
	struct rp_nic *nic;
	struct rp_nic *next;
};

static void unlist_nics(struct rp_fabric *fabric, struct rp_network *network, struct unlisted *gone)
{
	struct rp_nic *nic, *next;

	for (nic = TAILQ_FIRST(&fabric->nics); nic != NULL; nic = next) {
		next = TAILQ_NEXT(nic, entry);
		if (nic->network != network)
			continue;
		*gone++ = (struct unlisted){nic, next};
		rp_change_unlist_nic(fabric, nic);
	}
}

int rp_network_delete(struct rp_fabric *fabric, struct rp_network *network, bool force,
		      uint32_t *n_nics, struct rp_error *err)
{
	struct rp_network *next = TAILQ_NEXT(network, entry);
	uint32_t n = network->n_nics;
	struct unlisted *gone;
	int rc;

	if (n > 0 && !force)
		return rp_error_set(err, EBUSY, "name", network->cfg.name,
				    "the network has %u NIC%s; delete %s first, or say 'force yes' "
				    "to have %s deleted with it",
				    n, n == 1 ? "" : "s", n == 1 ? "it" : "them",
				    n == 1 ? "it" : "them");
	gone = calloc(n + 1u, sizeof(*gone));
	if (gone == NULL)
		return rp_error_set(err, ENOMEM, NULL, NULL, "out of memory");
	rc = rp_change_begin(fabric, err);
	if (rc < 0)
		goto out;
	unlist_nics(fabric, network, gone);
	rp_change_unlist_network(fabric, network);
	if (fabric->store != NULL)
		rc = rp_store_remove_network(fabric->store, network, err);
	if (rc == 0)
		rc = rp_change_finish(fabric, err);
	if (rc < 0) {
		rp_change_list_network(fabric, network, next);
		// Backwards, so that each one's follower is listed again before it.
		while (n-- > 0)
			rp_change_list_nic(fabric, gone[n].nic, gone[n].next);
		rp_change_undo(fabric);
		goto out;
	}
	for (uint32_t i = 0; i < n; i++)
		rp_change_drop_nic(fabric, gone[i].nic);
	free(network);
	if (n_nics != NULL)
		*n_nics = n;
out:
	free(gone);
	return rc;
}
