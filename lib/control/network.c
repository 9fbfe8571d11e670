// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <string.h>

#include <bsd/string.h>

#include "control/noun.h"

enum key {
	KEY_IPV4,
	KEY_IPV6,
	KEY_DNS,
	KEY_NTP,
	KEY_DOMAIN,
	KEY_SEARCH,
	KEY_MTU,
	KEY_PUBLIC,
	KEY_REAL_MASK,
	KEY_FORCE,
};

// clang-format off
#define SETTINGS                                                                                   \
	{.name = "dns", .id = KEY_DNS, .type = RP_VALUE_ADDR, .repeat = true, .clearable = true,   \
	 .help = "server of names that the VMs are told of"},                                      \
	{.name = "ntp", .id = KEY_NTP, .type = RP_VALUE_ADDR, .repeat = true, .clearable = true,   \
	 .help = "server of time"},                                                                \
	{.name = "domain", .id = KEY_DOMAIN, .type = RP_VALUE_TEXT, .max = RP_DOMAIN_MAX - 1,      \
	 .clearable = true, .help = "domain that the VMs are in"},                                 \
	{.name = "search", .id = KEY_SEARCH, .type = RP_VALUE_TEXT, .max = RP_DOMAIN_MAX - 1,      \
	 .repeat = true, .clearable = true, .help = "further domain in which names are looked up"},\
	{.name = "mtu", .id = KEY_MTU, .type = RP_VALUE_NUMBER, .min = RP_MTU_MIN,                 \
	 .max = RP_MTU_MAX, .help = "size of the largest IP packet"},                              \
	{.name = "real-mask", .id = KEY_REAL_MASK, .type = RP_VALUE_BOOL,                          \
	 .help = "DHCPv4 tells the subnet's mask, for guests that cannot use a /32"}

static const struct rp_key create_keys[] = {
	{.name = "ipv4", .id = KEY_IPV4, .type = RP_VALUE_SUBNET4, .help = "IPv4 subnet"},
	{.name = "ipv6", .id = KEY_IPV6, .type = RP_VALUE_SUBNET6, .help = "IPv6 prefix"},
	{.name = "public", .id = KEY_PUBLIC, .type = RP_VALUE_BOOL,
	 .help = "reaches the host and, where the host forwards, what is behind it"},
	SETTINGS,
};

static const struct rp_key update_keys[] = {SETTINGS};

static const struct rp_key delete_keys[] = {
	{.name = "force", .id = KEY_FORCE, .type = RP_VALUE_BOOL, .help = "delete its NICs as well"},
};
// clang-format on

static json_t *json_servers(const struct rp_addr_list *list)
{
	json_t *array = json_array();

	for (uint8_t i = 0; i < list->n; i++)
		json_array_append_new(array, rp_json_addr(&list->addr[i]));
	return array;
}

static json_t *json_network(const struct rp_network *network)
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
	switch ((enum key)value->key->id) {
	case KEY_IPV4:
		cfg->ip4 = value->prefix;
		return 0;
	case KEY_IPV6:
		cfg->ip6 = value->prefix;
		return 0;
	case KEY_DNS:
		return value->none ? 0 : add_server(&cfg->dns, value, err);
	case KEY_NTP:
		return value->none ? 0 : add_server(&cfg->ntp, value, err);
	case KEY_DOMAIN:
		strlcpy(cfg->domain, value->none ? "" : value->text, sizeof(cfg->domain));
		return 0;
	case KEY_SEARCH:
		return value->none ? 0 : add_search(cfg, value, err);
	case KEY_MTU:
		cfg->mtu = (uint16_t)value->number;
		return 0;
	case KEY_PUBLIC:
		cfg->is_public = value->yes;
		return 0;
	case KEY_REAL_MASK:
		cfg->real_mask = value->yes;
		return 0;
	case KEY_FORCE:
		break;
	}
	return 0;
}

// A list that is given replaces the whole one there was.
static int set_all(struct rp_network_config *cfg, const struct rp_call *call, struct rp_error *err)
{
	int rc = 0;

	if (rp_call_value(call, KEY_DNS) != NULL)
		memset(&cfg->dns, 0, sizeof(cfg->dns));
	if (rp_call_value(call, KEY_NTP) != NULL)
		memset(&cfg->ntp, 0, sizeof(cfg->ntp));
	if (rp_call_value(call, KEY_SEARCH) != NULL)
		cfg->n_search = 0;
	for (uint16_t i = 0; rc == 0 && i < call->n_values; i++)
		rc = set(cfg, &call->values[i], err);
	return rc;
}

static int network_create(struct rp_fabric *fabric, const struct rp_call *call, json_t **result,
			  struct rp_error *err)
{
	struct rp_network_config cfg = {0};
	struct rp_network *network;
	int rc;

	strlcpy(cfg.name, call->name, sizeof(cfg.name));
	rc = set_all(&cfg, call, err);
	if (rc == 0)
		rc = rp_network_create(fabric, &cfg, &network, err);
	return rc == 0 ? rp_control_result(json_network(network), result, err) : rc;
}

static int network_update(struct rp_fabric *fabric, const struct rp_call *call, json_t **result,
			  struct rp_error *err)
{
	struct rp_network *network = rp_control_network(fabric, "name", call->name, err);
	struct rp_network_config cfg;
	int rc;

	if (network == NULL)
		return -ENOENT;
	cfg = network->cfg;
	rc = set_all(&cfg, call, err);
	if (rc == 0)
		rc = rp_network_update(fabric, network, &cfg, err);
	return rc == 0 ? rp_control_result(json_network(network), result, err) : rc;
}

static int network_delete(struct rp_fabric *fabric, const struct rp_call *call, json_t **result,
			  struct rp_error *err)
{
	struct rp_network *network = rp_control_network(fabric, "name", call->name, err);
	const struct rp_value *force = rp_call_value(call, KEY_FORCE);
	uint32_t n_nics;
	int rc;

	if (network == NULL)
		return -ENOENT;
	rc = rp_network_delete(fabric, network, force != NULL && force->yes, &n_nics, err);
	return rc == 0 ? rp_control_result(json_pack("{s:i}", "nics-deleted", (int)n_nics), result,
					   err)
		       : rc;
}

static int network_list(struct rp_fabric *fabric, const struct rp_call *, json_t **result,
			struct rp_error *err)
{
	const struct rp_network *network;
	json_t *array = json_array();

	TAILQ_FOREACH (network, &fabric->networks, entry)
		json_array_append_new(array, json_network(network));
	return rp_control_result(array, result, err);
}

static int network_show(struct rp_fabric *fabric, const struct rp_call *call, json_t **result,
			struct rp_error *err)
{
	const struct rp_network *network = rp_control_network(fabric, "name", call->name, err);

	return network != NULL ? rp_control_result(json_network(network), result, err) : -ENOENT;
}

#define KEYS(array) .n_keys = sizeof(array) / sizeof((array)[0]), .keys = array

static const char *const columns[] = {"name", "ipv4", "ipv6", "public", "mtu", "dns", "nics", NULL};

static const struct rp_command commands[] = {
	{"network", "create", true, KEYS(create_keys), .run = network_create,
	 .help = "make a network; it needs ipv4, ipv6 or both"},
	{"network", "update", true, .needs_key = true, KEYS(update_keys), .run = network_update,
	 .help = "change what the VMs are told; a list that is given replaces the old one"},
	{"network", "delete", true, KEYS(delete_keys), .run = network_delete,
	 .help = "delete a network"},
	{"network", "list", false, .columns = columns, .run = network_list,
	 .help = "all networks, oldest first"},
	{"network", "show", true, .run = network_show, .help = "one network in full"},
};

const struct rp_noun rp_noun_network = {
	"network",
	sizeof(commands) / sizeof(commands[0]),
	commands,
};
