// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <string.h>

#include <bsd/string.h>

#include "control/noun.h"

enum key {
	KEY_NETWORK,
	KEY_MAC,
	KEY_IPV4,
	KEY_IPV6,
	KEY_PREFIX,
	KEY_REMOVE_PREFIX,
	KEY_QUEUES,
	KEY_MODE,
	KEY_SOCKET,
};

static const char *const modes[] = {
	[RP_VHOST_SERVER] = "server",
	[RP_VHOST_CLIENT] = "client",
	NULL,
};
static const char *const states[] = {
	[RP_NIC_CREATED] = "created",
	[RP_NIC_CONNECTED] = "connected",
	[RP_NIC_ERROR] = "error",
};

// clang-format off
#define NETWORK(is_required, text)                                                                 \
	{.name = "network", .id = KEY_NETWORK, .type = RP_VALUE_NAME, .required = is_required,     \
	 .max = RP_NAME_MAX - 1, .help = text}

static const struct rp_key create_keys[] = {
	NETWORK(true, "network that it is in"),
	{.name = "mac", .id = KEY_MAC, .type = RP_VALUE_MAC, .help = "default: generated"},
	{.name = "ipv4", .id = KEY_IPV4, .type = RP_VALUE_ADDR4, .help = "default: lowest free one"},
	{.name = "ipv6", .id = KEY_IPV6, .type = RP_VALUE_ADDR6, .help = "default: lowest free one"},
	{.name = "prefix", .id = KEY_PREFIX, .type = RP_VALUE_PREFIX, .repeat = true,
	 .help = "prefix routed to it"},
	{.name = "queues", .id = KEY_QUEUES, .type = RP_VALUE_NUMBER, .min = 1,
	 .max = RP_QUEUES_MAX, .help = "queue pairs offered to the VM, default 1"},
	{.name = "mode", .id = KEY_MODE, .type = RP_VALUE_CHOICE, .choices = modes,
	 .help = "server: ringplane listens (default); client: the VMM does"},
	{.name = "socket", .id = KEY_SOCKET, .type = RP_VALUE_TEXT,
	 .max = sizeof(((struct rp_nic_config *)NULL)->socket) - 1,
	 .help = "path that the VMM listens on, with mode client"},
};

static const struct rp_key update_keys[] = {
	{.name = "add-prefix", .id = KEY_PREFIX, .type = RP_VALUE_PREFIX, .repeat = true,
	 .help = "route a prefix to it"},
	{.name = "remove-prefix", .id = KEY_REMOVE_PREFIX, .type = RP_VALUE_PREFIX, .repeat = true,
	 .help = "route it no more; goes before any add-prefix"},
};

static const struct rp_key list_keys[] = {NETWORK(false, "only the NICs of this one")};
// clang-format on

static json_t *json_nic(const struct rp_nic *nic)
{
	const struct rp_nic_config *cfg = &nic->cfg;
	json_t *prefixes = json_array();
	char mac[RP_MAC_STR];

	for (uint16_t i = 0; i < cfg->n_prefixes; i++)
		json_array_append_new(prefixes, rp_json_prefix(&cfg->prefixes[i]));
	return json_pack("{s:s, s:s, s:s, s:s, s:o*, s:o*, s:o, s:i, s:s, s:s, s:s, s:o*}", "name",
			 cfg->name, "uuid", nic->uuid, "network", cfg->network, "mac",
			 rp_mac_format(&cfg->mac, mac), "ipv4", rp_json_addr(&cfg->ip4), "ipv6",
			 rp_json_addr(&cfg->ip6), "prefix", prefixes, "queues", cfg->queues, "mode",
			 modes[cfg->mode], "socket", cfg->socket, "state", states[nic->state],
			 "error", rp_json_text(nic->error));
}

// The call's prefixes of one key, in order; the caller has room for all of them.
static uint16_t take_prefixes(const struct rp_call *call, enum key key, struct rp_prefix *prefixes)
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
	switch ((enum key)value->key->id) {
	case KEY_NETWORK:
		strlcpy(cfg->network, value->text, sizeof(cfg->network));
		break;
	case KEY_MAC:
		cfg->mac = value->mac;
		break;
	case KEY_IPV4:
		cfg->ip4 = value->addr;
		break;
	case KEY_IPV6:
		cfg->ip6 = value->addr;
		break;
	case KEY_QUEUES:
		cfg->queues = (uint16_t)value->number;
		break;
	case KEY_MODE:
		cfg->mode = (enum rp_vhost_mode)value->choice;
		break;
	case KEY_SOCKET:
		strlcpy(cfg->socket, value->text, sizeof(cfg->socket));
		break;
	case KEY_PREFIX:
	case KEY_REMOVE_PREFIX:
		break;
	}
}

static int nic_create(struct rp_fabric *fabric, const struct rp_call *call, json_t **result,
		      struct rp_error *err)
{
	struct rp_prefix prefixes[RP_CALL_VALUES_MAX];
	struct rp_nic_config cfg = {.prefixes = prefixes};
	struct rp_nic *nic;
	int rc;

	strlcpy(cfg.name, call->name, sizeof(cfg.name));
	for (uint16_t i = 0; i < call->n_values; i++)
		set(&cfg, &call->values[i]);
	cfg.n_prefixes = take_prefixes(call, KEY_PREFIX, prefixes);
	if (rp_control_network(fabric, "network", cfg.network, err) == NULL)
		return -ENOENT;
	rc = rp_nic_create(fabric, &cfg, &nic, err);
	return rc == 0 ? rp_control_result(json_nic(nic), result, err) : rc;
}

static int nic_update(struct rp_fabric *fabric, const struct rp_call *call, json_t **result,
		      struct rp_error *err)
{
	struct rp_nic *nic = rp_control_nic(fabric, call->name, err);
	struct rp_prefix add[RP_CALL_VALUES_MAX], remove[RP_CALL_VALUES_MAX];
	struct rp_nic_update update = {.add = add, .remove = remove};
	int rc;

	if (nic == NULL)
		return -ENOENT;
	update.n_add = take_prefixes(call, KEY_PREFIX, add);
	update.n_remove = take_prefixes(call, KEY_REMOVE_PREFIX, remove);
	rc = rp_nic_update(fabric, nic, &update, err);
	return rc == 0 ? rp_control_result(json_nic(nic), result, err) : rc;
}

static int nic_delete(struct rp_fabric *fabric, const struct rp_call *call, json_t **,
		      struct rp_error *err)
{
	struct rp_nic *nic = rp_control_nic(fabric, call->name, err);

	return nic != NULL ? rp_nic_delete(fabric, nic, err) : -ENOENT;
}

static int nic_list(struct rp_fabric *fabric, const struct rp_call *call, json_t **result,
		    struct rp_error *err)
{
	const struct rp_value *filter = rp_call_value(call, KEY_NETWORK);
	const struct rp_network *network = NULL;
	const struct rp_nic *nic;
	json_t *array;

	if (filter != NULL) {
		network = rp_control_network(fabric, "network", filter->text, err);
		if (network == NULL)
			return -ENOENT;
	}
	array = json_array();
	TAILQ_FOREACH (nic, &fabric->nics, entry) {
		if (network == NULL || nic->network == network)
			json_array_append_new(array, json_nic(nic));
	}
	return rp_control_result(array, result, err);
}

static int nic_show(struct rp_fabric *fabric, const struct rp_call *call, json_t **result,
		    struct rp_error *err)
{
	const struct rp_nic *nic = rp_control_nic(fabric, call->name, err);

	return nic != NULL ? rp_control_result(json_nic(nic), result, err) : -ENOENT;
}

#define KEYS(array) .n_keys = sizeof(array) / sizeof((array)[0]), .keys = array

static const char *const columns[] = {
	"name", "network", "mac", "ipv4", "ipv6", "prefix", "queues", "mode", "state", NULL,
};

static const struct rp_command commands[] = {
	{"nic", "create", true, KEYS(create_keys), .run = nic_create,
	 .help = "make a NIC, that is a vhost-user socket for one VM"},
	{"nic", "update", true, .needs_key = true, KEYS(update_keys), .run = nic_update,
	 .help = "add or remove routed prefixes"},
	{"nic", "delete", true, .run = nic_delete, .help = "end its connection and delete it"},
	{"nic", "list", false, KEYS(list_keys), .columns = columns, .run = nic_list,
	 .help = "all NICs, oldest first"},
	{"nic", "show", true, .run = nic_show, .help = "one NIC in full"},
};

const struct rp_noun rp_noun_nic = {"nic", sizeof(commands) / sizeof(commands[0]), commands};
