// SPDX-License-Identifier: BSD-3-Clause
#include "client.h"

#include <inttypes.h>
#include <stdio.h>

// Sizes to ask configuration space for, the largest first: back-ends refuse what they have not.
static const uint32_t config_sizes[] = {60, 40, 36, 24, 16, 12, 8};

static void add_config(const struct client *cl, struct rp_frontend *fe, json_t *root)
{
	enum rp_virtio_device device = client_device(cl, rp_frontend_offered(fe));
	uint8_t data[RP_VHU_CONFIG_MAX];

	for (size_t i = 0; i < sizeof(config_sizes) / sizeof(config_sizes[0]); i++) {
		if (rp_frontend_get_config(fe, 0, data, config_sizes[i], NULL) < 0)
			continue;
		json_object_set_new(
			root, "config",
			client_config(device, rp_frontend_offered(fe), data, config_sizes[i]));
		return;
	}
}

static void add_u64(struct rp_frontend *fe, json_t *root, const char *name, uint32_t id,
		    uint64_t feature)
{
	struct rp_vhu_msg msg = {.request = id};

	if ((rp_frontend_protocol_features(fe) & feature) != 0 &&
	    rp_frontend_request(fe, &msg, NULL) == 0)
		json_object_set_new(root, name, json_integer((json_int_t)msg.payload.u64));
}

static void print_value(const char *name, const json_t *value)
{
	const json_t *item;
	const char *key;
	size_t i;

	if (json_is_string(value)) {
		printf("%-20s %s\n", name, json_string_value(value));
	} else if (json_is_integer(value)) {
		printf("%-20s %lld\n", name, (long long)json_integer_value(value));
	} else if (json_is_boolean(value)) {
		printf("%-20s %s\n", name, json_is_true(value) ? "yes" : "no");
	} else if (json_is_array(value)) {
		printf("%s\n", name);
		json_array_foreach(value, i, item)
		{
			printf("  %s\n", json_string_value(item));
		}
	} else {
		printf("%s\n", name);
		json_object_foreach((json_t *)(uintptr_t)value, key, item)
		{
			printf("  ");
			print_value(key, item);
		}
	}
}

int client_info(const struct client *cl, int, char **)
{
	const struct rp_frontend_config cfg = {.timeout_ms = cl->timeout_ms};
	struct rp_error err;
	struct rp_frontend *fe = rp_frontend_connect(cl->socket, &err);
	json_t *root, *value;
	const char *key;

	if (fe == NULL)
		return client_failed(&err);
	if (rp_frontend_negotiate(fe, &cfg, &err) < 0) {
		rp_frontend_free(fe);
		return client_failed(&err);
	}
	root = json_pack("{ssss}", "socket", cl->socket, "device",
			 client_device_name(client_device(cl, rp_frontend_offered(fe))));
	json_object_set_new(root, "features", json_sprintf("0x%" PRIx64, rp_frontend_offered(fe)));
	json_object_set_new(root, "feature_names",
			    client_virtio_names(cl, rp_frontend_offered(fe)));
	json_object_set_new(root, "protocol_features",
			    json_sprintf("0x%" PRIx64, rp_frontend_protocol_offered(fe)));
	json_object_set_new(root, "protocol_feature_names",
			    client_protocol_names(rp_frontend_protocol_offered(fe)));
	json_object_set_new(root, "queue_num", json_integer((json_int_t)rp_frontend_queue_num(fe)));
	add_u64(fe, root, "memory_slots", RP_VHU_GET_MAX_MEM_SLOTS,
		RP_VHU_PROTOCOL_BIT(CONFIGURE_MEM_SLOTS));
	add_u64(fe, root, "status", RP_VHU_GET_STATUS, RP_VHU_PROTOCOL_BIT(STATUS));
	if ((rp_frontend_protocol_features(fe) & RP_VHU_PROTOCOL_BIT(CONFIG)) != 0)
		add_config(cl, fe, root);
	rp_frontend_free(fe);
	if (cl->json)
		json_dumpf(root, stdout, JSON_INDENT(1));
	else
		json_object_foreach(root, key, value) print_value(key, value);
	if (cl->json)
		putchar('\n');
	json_decref(root);
	return 0;
}
