// SPDX-License-Identifier: BSD-3-Clause
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "qmp/internal.h"

static const char *const class_names[RP_QMP_CLASSES] = {
	[RP_QMP_CLASS_GENERIC] = "GenericError",
	[RP_QMP_CLASS_COMMAND_NOT_FOUND] = "CommandNotFound",
	[RP_QMP_CLASS_DEVICE_NOT_FOUND] = "DeviceNotFound",
	[RP_QMP_CLASS_DEVICE_NOT_ACTIVE] = "DeviceNotActive",
	[RP_QMP_CLASS_KVM_MISSING_CAP] = "KVMMissingCap",
	[RP_QMP_CLASS_OTHER] = "other",
};

enum rp_qmp_class rp_qmp_error_class(const char *name)
{
	unsigned i = 0;

	while (i < RP_QMP_CLASS_OTHER && strcmp(name, class_names[i]) != 0)
		i++;
	return i;
}

void rp_qmp_count_reply(struct rp_qmp *c, const struct rp_qmp_call *call)
{
	uint64_t us = (rp_clock_ns() - call->started_ns) / 1000;
	struct rp_qmp_counters *n = &c->counters;
	unsigned bucket = us == 0 ? 0 : 64 - (unsigned)__builtin_clzll(us);

	n->replies++;
	n->latency[bucket < RP_QMP_LATENCY_BUCKETS ? bucket : RP_QMP_LATENCY_BUCKETS - 1]++;
	n->latency_us += us;
	if (us > n->latency_max_us)
		n->latency_max_us = us;
}

void rp_qmp_counters(struct rp_qmp *c, struct rp_qmp_counters *counters)
{
	pthread_mutex_lock(&c->lock);
	*counters = c->counters;
	pthread_mutex_unlock(&c->lock);
}

void rp_qmp_counters_add(struct rp_qmp_counters *a, const struct rp_qmp_counters *b)
{
	uint64_t max =
		a->latency_max_us > b->latency_max_us ? a->latency_max_us : b->latency_max_us;
	uint64_t *to = (uint64_t *)a;
	const uint64_t *from = (const uint64_t *)b;

	_Static_assert(sizeof(*a) % sizeof(uint64_t) == 0, "counters are all 64-bit");
	for (size_t i = 0; i < sizeof(*a) / sizeof(uint64_t); i++)
		to[i] += from[i];
	a->latency_max_us = max;
}

static json_t *latency_json(const struct rp_qmp_counters *n)
{
	json_t *buckets = json_array();

	for (unsigned i = 0; i < RP_QMP_LATENCY_BUCKETS; i++) {
		if (n->latency[i] != 0)
			json_array_append_new(buckets,
					      json_pack("{s:I,s:I}", "below_us", (json_int_t)1 << i,
							"count", (json_int_t)n->latency[i]));
	}
	return json_pack("{s:I,s:I,s:o}", "sum_us", (json_int_t)n->latency_us, "max_us",
			 (json_int_t)n->latency_max_us, "histogram", buckets);
}

json_t *rp_qmp_counters_json(const struct rp_qmp_counters *n)
{
	const struct {
		const char *name;
		uint64_t value;
	} plain[] = {
		{"connects", n->connects},
		{"losses", n->losses},
		{"commands", n->commands},
		{"in_flight", n->in_flight},
		{"replies", n->replies},
		{"late_replies", n->late_replies},
		{"unknown_replies", n->unknown_replies},
		{"stray_errors", n->stray_errors},
		{"events", n->events},
		{"events_dropped", n->events_dropped},
		{"broken", n->broken},
		{"junk", n->junk},
		{"resyncs", n->resyncs},
		{"bytes_in", n->bytes_in},
		{"bytes_out", n->bytes_out},
	};
	json_t *all = json_object(), *errors = json_object(), *classes = json_object();

	for (unsigned i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		json_object_set_new(all, plain[i].name, json_integer((json_int_t)plain[i].value));
	for (unsigned i = RP_QMP_OK + 1; i < RP_QMP_KINDS; i++)
		json_object_set_new(errors, rp_qmp_kind_name(i),
				    json_integer((json_int_t)n->errors[i]));
	for (unsigned i = 0; i < RP_QMP_CLASSES; i++)
		json_object_set_new(classes, class_names[i],
				    json_integer((json_int_t)n->classes[i]));
	json_object_set_new(all, "errors", errors);
	json_object_set_new(all, "classes", classes);
	json_object_set_new(all, "latency", latency_json(n));
	return all;
}
