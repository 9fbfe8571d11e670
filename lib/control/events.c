// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <string.h>

#include "control/method.h"
#include "rpc/server.h"

#define ALL_KINDS (1u << RP_EVENTS_KIND_NETWORK | 1u << RP_EVENTS_KIND_NIC)

static uint32_t topic(const char *kind)
{
	return strcmp(kind, "nic") == 0 ? 1u << RP_EVENTS_KIND_NIC : 1u << RP_EVENTS_KIND_NETWORK;
}

void rp_control_event(struct rp_control *control, const char *kind, const char *event,
		      json_t *object)
{
	json_t *params;

	if (control->server == NULL || object == NULL) {
		json_decref(object);
		return;
	}
	params = json_pack("{s:o}", "event", json_sprintf("%s.%s", kind, event));
	json_object_set_new(params, kind, object);
	rp_rpc_server_notify(control->server, topic(kind), "event", params);
}

void rp_control_event_gone(struct rp_control *control, const char *kind, const char *uuid)
{
	rp_control_event(control, kind, "deleted", json_pack("{s:s}", "uuid", uuid));
}

void rp_control_nic_event(struct rp_control *control, const char *event, const struct rp_nic *nic)
{
	if (control->server != NULL)
		rp_control_event(control, "nic", event, rp_json_nic(control, nic));
}

int rp_method_events_subscribe(struct rp_control *control, const struct rp_call *call, json_t **,
			       struct rp_error *err)
{
	uint32_t topics = 0;

	if (control->peer == NULL)
		return rp_error_set(err, EOPNOTSUPP, "events", NULL,
				    "are told over the control socket only; expected 'ringctl "
				    "events'");
	for (uint16_t i = 0; i < call->n_values; i++)
		topics |= 1u << call->values[i].choice;
	rp_rpc_peer_subscribe(control->peer, topics != 0 ? topics : ALL_KINDS);
	return 0;
}
