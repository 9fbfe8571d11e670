// SPDX-License-Identifier: BSD-3-Clause
#include <unistd.h>

#include <rte_version.h>

#include "control/method.h"
#include "pipeline/worker.h"

int rp_method_version_get(struct rp_control *control, const struct rp_call *, json_t **result,
			  struct rp_error *err)
{
	return rp_control_result(json_pack("{s:s, s:s, s:i}", "ringplane", control->version, "dpdk",
					   rte_version(), "pid", (int)getpid()),
				 result, err);
}

int rp_method_shutdown(struct rp_control *control, const struct rp_call *, json_t **,
		       struct rp_error *)
{
	control->ops->shutdown(control->ops_arg);
	return 0;
}

static json_t *json_worker(const struct rp_worker *w)
{
	const struct rp_worker_counters *c = &w->counters;
	double busy = c->cycles == 0 ? 0 : 100.0 * (double)c->cycles_busy / (double)c->cycles;

	return json_pack("{s:i, s:i, s:f, s:I, s:I, s:I, s:I, s:I}", "worker", w->index, "lcore",
			 (int)w->lcore, "busy", busy, "packets", (json_int_t)c->packets, "bursts",
			 (json_int_t)c->bursts, "rounds", (json_int_t)c->rounds, "cycles",
			 (json_int_t)c->cycles, "cycles-busy", (json_int_t)c->cycles_busy);
}

static void add_stage(json_t *stages, const struct rp_worker *w, const char *name,
		      const struct rp_stage_counters *c)
{
	json_array_append_new(stages, json_pack("{s:i, s:s, s:I, s:I}", "worker", w->index, "stage",
						name, "packets", (json_int_t)c->packets, "cycles",
						(json_int_t)c->cycles));
}

int rp_method_pipeline_get(struct rp_control *control, const struct rp_call *, json_t **result,
			   struct rp_error *err)
{
	const struct rp_dataplane *dp = control->ops->dataplane(control->ops_arg);
	json_t *workers = json_array(), *stages = json_array();

	for (uint16_t i = 0; i < dp->n_workers; i++) {
		const struct rp_worker *w = dp->workers[i];

		json_array_append_new(workers, json_worker(w));
		add_stage(stages, w, "fast_lane", &w->counters.fast);
		for (int s = 0; s < RP_STAGE_COUNT; s++)
			add_stage(stages, w, rp_stage_name((enum rp_stage)s),
				  &w->counters.stages[s]);
	}
	return rp_control_result(json_pack("{s:b, s:b, s:o, s:o}", "forwarding", dp->forwarding,
					   "profiling", dp->profiling, "workers", workers, "stages",
					   stages),
				 result, err);
}
