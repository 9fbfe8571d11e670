// SPDX-License-Identifier: BSD-3-Clause
#include <assert.h>
#include <errno.h>
#include <string.h>

#include <bsd/string.h>

#include "control/method.h"

static_assert((int)RP_MIN_NETWORK_MTU == RP_MTU_MIN && (int)RP_MAX_NETWORK_MTU == RP_MTU_MAX,
	      "the schema's limits are those of the model");
static_assert((int)RP_MAX_NETWORK_DOMAIN == RP_DOMAIN_MAX - 1 &&
		      (int)RP_MAX_NETWORK_SEARCH == RP_DOMAIN_MAX - 1,
	      "a domain fits the model");

static json_t *json_servers(const struct rp_addr_list *list)
{
	json_t *array = json_array();

	for (uint8_t i = 0; i < list->n; i++)
		json_array_append_new(array, rp_json_addr(&list->addr[i]));
	return array;
}

json_t *rp_json_network(const struct rp_network *network)
{
	const struct rp_network_config *cfg = &network->cfg;
	json_t *search = json_array();

	for (uint8_t i = 0; i < cfg->n_search; i++)
		json_array_append_new(search, json_string(cfg->search[i]));
	return json_pack("{s:s, s:s, s:i, s:o*, s:o*, s:b, s:i, s:b, s:o, s:o, s:o*, s:o, s:i}",
			 "name", cfg->name, "uuid", network->uuid, "id", (int)network->id, "ipv4",
			 rp_json_prefix(&cfg->ip4), "ipv6", rp_json_prefix(&cfg->ip6), "public",
			 cfg->is_public, "mtu", cfg->mtu, "real-mask", cfg->real_mask, "dns",
			 json_servers(&cfg->dns), "ntp", json_servers(&cfg->ntp), "domain",
			 rp_json_text(cfg->domain), "search", search, "nics", (int)network->n_nics);
}

static int add_server(struct rp_addr_list *list, const struct rp_value *value, struct rp_error *err)
{
	if (list->n == RP_DNS_MAX)
		return rp_error_set(err, EINVAL, value->key->name, value->text,
				    "one too many; expected at most %d", RP_DNS_MAX);
	list->addr[list->n++] = value->addr;
	return 0;
}

static int add_search(struct rp_network_config *cfg, const struct rp_value *value,
		      struct rp_error *err)
{
	if (cfg->n_search == RP_SEARCH_MAX)
		return rp_error_set(err, EINVAL, value->key->name, value->text,
				    "one too many; expected at most %d", RP_SEARCH_MAX);
	strlcpy(cfg->search[cfg->n_search++], value->text, RP_DOMAIN_MAX);
	return 0;
}

static int set(struct rp_network_config *cfg, const struct rp_value *value, struct rp_error *err)
{
	switch ((enum rp_network_key)value->key->id) {
	case RP_KEY_NETWORK_IPV4:
		cfg->ip4 = value->prefix;
		return 0;
	case RP_KEY_NETWORK_IPV6:
		cfg->ip6 = value->prefix;
		return 0;
	case RP_KEY_NETWORK_DNS:
		return value->none ? 0 : add_server(&cfg->dns, value, err);
	case RP_KEY_NETWORK_NTP:
		return value->none ? 0 : add_server(&cfg->ntp, value, err);
	case RP_KEY_NETWORK_DOMAIN:
		strlcpy(cfg->domain, value->none ? "" : value->text, sizeof(cfg->domain));
		return 0;
	case RP_KEY_NETWORK_SEARCH:
		return value->none ? 0 : add_search(cfg, value, err);
	case RP_KEY_NETWORK_MTU:
		cfg->mtu = (uint16_t)value->number;
		return 0;
	case RP_KEY_NETWORK_PUBLIC:
		cfg->is_public = value->yes;
		return 0;
	case RP_KEY_NETWORK_REAL_MASK:
		cfg->real_mask = value->yes;
		return 0;
	case RP_KEY_NETWORK_FORCE:
		break;
	}
	return 0;
}

// A list that is given replaces the whole one there was.
static int set_all(struct rp_network_config *cfg, const struct rp_call *call, struct rp_error *err)
{
	int rc = 0;

	if (rp_call_value(call, RP_KEY_NETWORK_DNS) != NULL)
		memset(&cfg->dns, 0, sizeof(cfg->dns));
	if (rp_call_value(call, RP_KEY_NETWORK_NTP) != NULL)
		memset(&cfg->ntp, 0, sizeof(cfg->ntp));
	if (rp_call_value(call, RP_KEY_NETWORK_SEARCH) != NULL)
		cfg->n_search = 0;
	for (uint16_t i = 0; rc == 0 && i < call->n_values; i++)
		rc = set(cfg, &call->values[i], err);
	return rc;
}

int rp_method_network_create(struct rp_control *control, const struct rp_call *call,
			     json_t **result, struct rp_error *err)
{
	struct rp_network_config cfg = {0};
	struct rp_network *network;
	int rc;

	strlcpy(cfg.name, call->name, sizeof(cfg.name));
	rc = set_all(&cfg, call, err);
	if (rc == 0)
		rc = rp_network_create(control->fabric, &cfg, &network, err);
	if (rc == 0)
		rp_control_event(control, "network", "created", rp_json_network(network));
	return rc == 0 ? rp_control_result(rp_json_network(network), result, err) : rc;
}

int rp_method_network_update(struct rp_control *control, const struct rp_call *call,
			     json_t **result, struct rp_error *err)
{
	struct rp_network *network = rp_control_network(control->fabric, "name", call->name, err);
	struct rp_network_config cfg;
	int rc;

	if (network == NULL)
		return -ENOENT;
	cfg = network->cfg;
	rc = set_all(&cfg, call, err);
	if (rc == 0)
		rc = rp_network_update(control->fabric, network, &cfg, err);
	if (rc == 0)
		rp_control_event(control, "network", "updated", rp_json_network(network));
	return rc == 0 ? rp_control_result(rp_json_network(network), result, err) : rc;
}

// The network's UUID, behind those of its NICs.
static json_t *uuids_of(const struct rp_fabric *fabric, const struct rp_network *network)
{
	json_t *array = json_array();
	const struct rp_nic *nic;

	TAILQ_FOREACH (nic, &fabric->nics, entry)
		if (nic->network == network)
			json_array_append_new(array, json_string(nic->uuid));
	json_array_append_new(array, json_string(network->uuid));
	return array;
}

static void tell_gone(struct rp_control *control, const json_t *uuids)
{
	size_t n = json_array_size(uuids);

	for (size_t i = 0; i < n; i++)
		rp_control_event_gone(control, i + 1 < n ? "nic" : "network",
				      json_string_value(json_array_get(uuids, i)));
}

int rp_method_network_delete(struct rp_control *control, const struct rp_call *call,
			     json_t **result, struct rp_error *err)
{
	struct rp_network *network = rp_control_network(control->fabric, "name", call->name, err);
	const struct rp_value *force = rp_call_value(call, RP_KEY_NETWORK_FORCE);
	json_t *gone;
	uint32_t n_nics;
	int rc;

	if (network == NULL)
		return -ENOENT;
	gone = uuids_of(control->fabric, network);
	rc = rp_network_delete(control->fabric, network, force != NULL && force->yes, &n_nics, err);
	if (rc == 0)
		tell_gone(control, gone);
	json_decref(gone);
	return rc == 0 ? rp_control_result(json_pack("{s:i}", "nics-deleted", (int)n_nics), result,
					   err)
		       : rc;
}

int rp_method_network_list(struct rp_control *control, const struct rp_call *, json_t **result,
			   struct rp_error *err)
{
	const struct rp_network *network;
	json_t *array = json_array();

	TAILQ_FOREACH (network, &control->fabric->networks, entry)
		json_array_append_new(array, rp_json_network(network));
	return rp_control_result(array, result, err);
}

int rp_method_network_get(struct rp_control *control, const struct rp_call *call, json_t **result,
			  struct rp_error *err)
{
	const struct rp_network *network =
		rp_control_network(control->fabric, "name", call->name, err);

	return network != NULL ? rp_control_result(rp_json_network(network), result, err) : -ENOENT;
}
