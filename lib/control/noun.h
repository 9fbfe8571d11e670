/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

// What the files of the nouns share: look-ups that suggest, and shapes of their results.

#include "control/command.h"

// By name or UUID; NULL with *err, which suggests the nearest name there is.
struct rp_network *rp_control_network(const struct rp_fabric *fabric, const char *field,
				      const char *name, struct rp_error *err);
struct rp_nic *rp_control_nic(const struct rp_fabric *fabric, const char *name,
			      struct rp_error *err);

// New references; NULL where there is no value, which takes the key out of json_pack's "s:o*".
json_t *rp_json_prefix(const struct rp_prefix *p);
json_t *rp_json_addr(const struct rp_addr *a);
json_t *rp_json_text(const char *text);

// Hand a result over: -ENOMEM with *err where it could not be built.
int rp_control_result(json_t *json, json_t **result, struct rp_error *err);
