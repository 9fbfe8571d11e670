// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>

#include "control/method.h"

#define HOST_NAME "(host)" // no NIC can have it

// One NIC, or where nic is NULL the way to the host, into the array of results.
typedef void (*add_fn)(const struct rp_control *control, const struct rp_nic *nic, json_t *array);

static const char *name_of(const struct rp_nic *nic)
{
	return nic != NULL ? nic->cfg.name : HOST_NAME;
}

// The NIC that the call names, or all that there is to count.
static int for_nics(struct rp_control *control, const struct rp_call *call, int key, add_fn add,
		    json_t *array, struct rp_error *err)
{
	const struct rp_value *value = rp_call_value(call, key);
	const struct rp_nic *nic;

	if (value != NULL) {
		nic = rp_control_nic(control->fabric, "nic", value->text, err);
		if (nic == NULL)
			return -ENOENT;
		add(control, nic, array);
		return 0;
	}
	TAILQ_FOREACH (nic, &control->fabric->nics, entry)
		add(control, nic, array);
	add(control, NULL, array);
	return 0;
}

static int list(struct rp_control *control, const struct rp_call *call, int key, add_fn add,
		json_t **result, struct rp_error *err)
{
	json_t *array = json_array();
	int rc = for_nics(control, call, key, add, array, err);

	if (rc == 0)
		return rp_control_result(array, result, err);
	json_decref(array);
	return rc;
}

static json_t *json_answers(const struct rp_nic_counters *c)
{
	json_t *answers = json_object();

	for (int i = 0; i < RP_ANSWER_COUNT; i++)
		if (c->answers[i] != 0)
			json_object_set_new(answers, rp_answer_name((enum rp_answer)i),
					    json_integer((json_int_t)c->answers[i]));
	return answers;
}

static void add_stats(const struct rp_control *control, const struct rp_nic *nic, json_t *array)
{
	static const char *const states[] = {"created", "connected", "error"};
	struct rp_nic_counters c = {0};
	uint64_t drops = 0;

	if (!control->ops->nic_counters(control->ops_arg, nic, &c) && nic == NULL)
		return;
	for (int i = 0; i < RP_DROP_COUNT; i++)
		drops += c.drops[i];
	json_array_append_new(
		array,
		json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "nic", name_of(nic),
			  "state", nic != NULL ? states[nic->state] : "connected", "rx-packets",
			  (json_int_t)c.rx_packets, "rx-bytes", (json_int_t)c.rx_bytes, "rx-errors",
			  (json_int_t)c.rx_errors, "tx-packets", (json_int_t)c.tx_packets,
			  "tx-bytes", (json_int_t)c.tx_bytes, "tx-errors", (json_int_t)c.tx_errors,
			  "drops", (json_int_t)drops, "answers", json_answers(&c)));
}

static void add_drops(const struct rp_control *control, const struct rp_nic *nic, json_t *array)
{
	struct rp_nic_counters c;

	if (!control->ops->nic_counters(control->ops_arg, nic, &c))
		return;
	for (int i = 0; i < RP_DROP_COUNT; i++)
		if (c.drops[i] != 0)
			json_array_append_new(array,
					      json_pack("{s:s, s:s, s:I, s:s}", "nic", name_of(nic),
							"reason", rp_drop_name((enum rp_drop)i),
							"packets", (json_int_t)c.drops[i], "text",
							rp_drop_text((enum rp_drop)i)));
}

static void clear(const struct rp_control *control, const struct rp_nic *nic, json_t *)
{
	control->ops->nic_clear(control->ops_arg, nic);
}

int rp_method_stats_get(struct rp_control *control, const struct rp_call *call, json_t **result,
			struct rp_error *err)
{
	return list(control, call, RP_KEY_STATS_NIC, add_stats, result, err);
}

int rp_method_drops_get(struct rp_control *control, const struct rp_call *call, json_t **result,
			struct rp_error *err)
{
	return list(control, call, RP_KEY_DROPS_NIC, add_drops, result, err);
}

int rp_method_stats_clear(struct rp_control *control, const struct rp_call *call, json_t **,
			  struct rp_error *err)
{
	return for_nics(control, call, RP_KEY_STATS_NIC, clear, NULL, err);
}
