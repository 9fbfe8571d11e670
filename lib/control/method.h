/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

// What the files of the methods share: their table, look-ups that suggest, shapes of results.

#include "control/command.h"
#include "control/control.h"

// Do what the call says. *result is set to a new reference, or left NULL where there is none.
typedef int (*rp_method_fn)(struct rp_control *control, const struct rp_call *call, json_t **result,
			    struct rp_error *err);

// By enum rp_method; made from the schema, so that a method without a function does not link.
extern const rp_method_fn rp_methods[];

// clang-format off
#define RP_METHOD_FN(id) int rp_method_##id(struct rp_control *control, const struct rp_call *call, \
					    json_t **result, struct rp_error *err)
// clang-format on
RP_METHOD_FN(network_create);
RP_METHOD_FN(network_update);
RP_METHOD_FN(network_delete);
RP_METHOD_FN(network_list);
RP_METHOD_FN(network_get);
RP_METHOD_FN(nic_create);
RP_METHOD_FN(nic_update);
RP_METHOD_FN(nic_delete);
RP_METHOD_FN(nic_list);
RP_METHOD_FN(nic_get);
RP_METHOD_FN(stats_get);
RP_METHOD_FN(stats_clear);
RP_METHOD_FN(drops_get);
RP_METHOD_FN(pipeline_get);
RP_METHOD_FN(events_subscribe);
RP_METHOD_FN(state_save);
RP_METHOD_FN(state_load);
RP_METHOD_FN(version_get);
RP_METHOD_FN(shutdown);

// By name or UUID; NULL with *err, which suggests the nearest name there is.
struct rp_network *rp_control_network(const struct rp_fabric *fabric, const char *field,
				      const char *name, struct rp_error *err);
struct rp_nic *rp_control_nic(const struct rp_fabric *fabric, const char *field, const char *name,
			      struct rp_error *err);

// New references; NULL where there is no value, which takes the key out of json_pack's "s:o*".
json_t *rp_json_prefix(const struct rp_prefix *p);
json_t *rp_json_addr(const struct rp_addr *a);
json_t *rp_json_text(const char *text);

// Whole objects.
json_t *rp_json_network(const struct rp_network *network);
json_t *rp_json_nic(const struct rp_control *control, const struct rp_nic *nic);

// Hand a result over: -ENOMEM with *err where it could not be built.
int rp_control_result(json_t *json, json_t **result, struct rp_error *err);

// Tell subscribers: kind is "network" or "nic", event such as "created"; takes the reference to
// object.
void rp_control_event(struct rp_control *control, const char *kind, const char *event,
		      json_t *object);

// Of what is gone only the UUID.
void rp_control_event_gone(struct rp_control *control, const char *kind, const char *uuid);
