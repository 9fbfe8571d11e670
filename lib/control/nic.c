// SPDX-License-Identifier: BSD-3-Clause
#include <assert.h>
#include <errno.h>
#include <string.h>

#include <bsd/string.h>

#include "control/method.h"
#include "virtio/feature_bits.h"

static_assert((int)RP_NIC_MODE_SERVER == RP_VHOST_SERVER &&
		      (int)RP_NIC_MODE_CLIENT == RP_VHOST_CLIENT,
	      "the schema's choices are in the model's order");
static_assert((int)RP_MAX_NIC_QUEUES == RP_QUEUES_MAX &&
		      (int)RP_MAX_NIC_NETWORK == RP_NAME_MAX - 1 &&
		      (int)RP_MAX_NIC_SOCKET == sizeof(((struct rp_nic_config *)NULL)->socket) - 1,
	      "the schema's limits are those of the model");

static const char *const states[] = {
	[RP_NIC_CREATED] = "created",
	[RP_NIC_CONNECTED] = "connected",
	[RP_NIC_ERROR] = "error",
};

static json_t *json_features(uint64_t features)
{
	json_t *names = json_array();

	for (unsigned int bit = 0; bit < 64; bit++) {
		const char *name = rp_virtio_feature_name(RP_VIRTIO_NET, bit);

		if ((features >> bit & 1) == 0)
			continue;
		json_array_append_new(names, name != NULL ? json_string(name)
							  : json_sprintf("bit-%u", bit));
	}
	return names;
}

static json_t *json_rings(const struct rp_nic_link *link)
{
	json_t *sizes = json_array();

	for (uint16_t i = 0; i < link->n_rings; i++)
		json_array_append_new(sizes, json_integer(link->ring_sizes[i]));
	return sizes;
}

// NULL where memory is short.
static json_t *json_link(const struct rp_control *control, const struct rp_nic *nic)
{
	struct rp_nic_link link = {0};
	char since[32];
	struct tm tm;

	control->ops->nic_link(control->ops_arg, nic, &link);
	gmtime_r(&link.since, &tm);
	strftime(since, sizeof(since), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return json_pack("{s:s, s:i, s:o, s:o}", "since", since, "queue-pairs", link.queue_pairs,
			 "ring-sizes", json_rings(&link), "features", json_features(link.features));
}

json_t *rp_json_nic(const struct rp_control *control, const struct rp_nic *nic)
{
	const struct rp_nic_config *cfg = &nic->cfg;
	json_t *prefixes = json_array();
	json_t *json, *link;
	char mac[RP_MAC_STR];

	for (uint16_t i = 0; i < cfg->n_prefixes; i++)
		json_array_append_new(prefixes, rp_json_prefix(&cfg->prefixes[i]));
	json = json_pack("{s:s, s:s, s:s, s:s, s:o*, s:o*, s:o, s:i, s:s, s:s, s:s, s:o*}", "name",
			 cfg->name, "uuid", nic->uuid, "network", cfg->network, "mac",
			 rp_mac_format(&cfg->mac, mac), "ipv4", rp_json_addr(&cfg->ip4), "ipv6",
			 rp_json_addr(&cfg->ip6), "prefix", prefixes, "queues", cfg->queues, "mode",
			 rp_choices_nic_mode[cfg->mode], "socket", cfg->socket, "state",
			 states[nic->state], "error", rp_json_text(nic->error));
	if (nic->state != RP_NIC_CONNECTED)
		return json;
	link = json_link(control, nic);
	json_object_update(json, link);
	json_decref(link);
	return json;
}

// The call's prefixes of one key, in order; the caller has room for all of them.
static uint16_t take_prefixes(const struct rp_call *call, enum rp_nic_key key,
			      struct rp_prefix *prefixes)
{
	uint16_t n = 0;

	for (uint16_t i = 0; i < call->n_values; i++) {
		if (call->values[i].key->id == (int)key)
			prefixes[n++] = call->values[i].prefix;
	}
	return n;
}

static void set(struct rp_nic_config *cfg, const struct rp_value *value)
{
	switch ((enum rp_nic_key)value->key->id) {
	case RP_KEY_NIC_NETWORK:
		strlcpy(cfg->network, value->text, sizeof(cfg->network));
		break;
	case RP_KEY_NIC_MAC:
		cfg->mac = value->mac;
		break;
	case RP_KEY_NIC_IPV4:
		cfg->ip4 = value->addr;
		break;
	case RP_KEY_NIC_IPV6:
		cfg->ip6 = value->addr;
		break;
	case RP_KEY_NIC_QUEUES:
		cfg->queues = (uint16_t)value->number;
		break;
	case RP_KEY_NIC_MODE:
		cfg->mode = (enum rp_vhost_mode)value->choice;
		break;
	case RP_KEY_NIC_SOCKET:
		strlcpy(cfg->socket, value->text, sizeof(cfg->socket));
		break;
	case RP_KEY_NIC_PREFIX:
	case RP_KEY_NIC_ADD_PREFIX:
	case RP_KEY_NIC_REMOVE_PREFIX:
		break;
	}
}

int rp_method_nic_create(struct rp_control *control, const struct rp_call *call, json_t **result,
			 struct rp_error *err)
{
	struct rp_prefix prefixes[RP_CALL_VALUES_MAX];
	struct rp_nic_config cfg = {.prefixes = prefixes};
	struct rp_nic *nic;
	int rc;

	strlcpy(cfg.name, call->name, sizeof(cfg.name));
	for (uint16_t i = 0; i < call->n_values; i++)
		set(&cfg, &call->values[i]);
	cfg.n_prefixes = take_prefixes(call, RP_KEY_NIC_PREFIX, prefixes);
	if (rp_control_network(control->fabric, "network", cfg.network, err) == NULL)
		return -ENOENT;
	rc = rp_nic_create(control->fabric, &cfg, &nic, err);
	if (rc == 0)
		rp_control_nic_event(control, "created", nic);
	return rc == 0 ? rp_control_result(rp_json_nic(control, nic), result, err) : rc;
}

int rp_method_nic_update(struct rp_control *control, const struct rp_call *call, json_t **result,
			 struct rp_error *err)
{
	struct rp_nic *nic = rp_control_nic(control->fabric, "name", call->name, err);
	struct rp_prefix add[RP_CALL_VALUES_MAX], remove[RP_CALL_VALUES_MAX];
	struct rp_nic_update update = {.add = add, .remove = remove};
	int rc;

	if (nic == NULL)
		return -ENOENT;
	update.n_add = take_prefixes(call, RP_KEY_NIC_ADD_PREFIX, add);
	update.n_remove = take_prefixes(call, RP_KEY_NIC_REMOVE_PREFIX, remove);
	rc = rp_nic_update(control->fabric, nic, &update, err);
	if (rc == 0)
		rp_control_nic_event(control, "updated", nic);
	return rc == 0 ? rp_control_result(rp_json_nic(control, nic), result, err) : rc;
}

int rp_method_nic_delete(struct rp_control *control, const struct rp_call *call, json_t **,
			 struct rp_error *err)
{
	struct rp_nic *nic = rp_control_nic(control->fabric, "name", call->name, err);
	char uuid[RP_UUID_STR];
	int rc;

	if (nic == NULL)
		return -ENOENT;
	strlcpy(uuid, nic->uuid, sizeof(uuid));
	rc = rp_nic_delete(control->fabric, nic, err);
	if (rc == 0)
		rp_control_event_gone(control, "nic", uuid);
	return rc;
}

int rp_method_nic_list(struct rp_control *control, const struct rp_call *call, json_t **result,
		       struct rp_error *err)
{
	const struct rp_value *filter = rp_call_value(call, RP_KEY_NIC_NETWORK);
	const struct rp_network *network = NULL;
	const struct rp_nic *nic;
	json_t *array;

	if (filter != NULL) {
		network = rp_control_network(control->fabric, "network", filter->text, err);
		if (network == NULL)
			return -ENOENT;
	}
	array = json_array();
	TAILQ_FOREACH (nic, &control->fabric->nics, entry) {
		if (network == NULL || nic->network == network)
			json_array_append_new(array, rp_json_nic(control, nic));
	}
	return rp_control_result(array, result, err);
}

int rp_method_nic_get(struct rp_control *control, const struct rp_call *call, json_t **result,
		      struct rp_error *err)
{
	const struct rp_nic *nic = rp_control_nic(control->fabric, "name", call->name, err);

	return nic != NULL ? rp_control_result(rp_json_nic(control, nic), result, err) : -ENOENT;
}
