// SPDX-License-Identifier: BSD-3-Clause
// ringgen: the load generator. What it does: gen_options_help(); how: rate.c, latency.c.
#include <signal.h>
#include <stdio.h>

#include "run.h"

enum { EXIT_FAULT = 1, EXIT_USAGE = 2 };

volatile sig_atomic_t gen_stop;

static void stop(int)
{
	gen_stop = 1;
}

static int report(const struct rp_error *err, int status)
{
	char text[1024];

	fprintf(stderr, "ringgen: %s\n", rp_error_text(err, text, sizeof(text)));
	return status;
}

static int probe(const struct gen_options *opt)
{
	struct rp_error err = {0};
	double ns;

	if (gen_probe(opt->probe_cores, &ns, &err) < 0)
		return report(&err, EXIT_FAULT);
	printf(opt->json ? "{\"probe_ns\": %.1f}\n" : "%.1f ns\n", ns);
	return 0;
}

static int run(struct gen_vm *vms, struct gen_options *opt, struct gen_result *result,
	       struct rp_error *err)
{
	int rc = gen_vms_open(vms, opt, err);

	if (rc == 0 && opt->learn)
		rc = gen_learn(vms, opt, err);
	if (rc == 0)
		rc = gen_vms_prepare(vms, opt, err);
	if (rc == 0)
		rc = gen_wait_ready(vms, opt, err);
	if (rc == 0)
		rc = opt->latency ? gen_run_latency(vms, opt, result, err)
				  : gen_run_rate(vms, opt, result, err);
	return rc;
}

int main(int argc, char **argv)
{
	static struct gen_vm vms[GEN_MAX_VMS];
	static struct gen_options opt;
	static struct gen_result result;
	struct rp_error err = {0};
	int rc;

	if (gen_options_parse(&opt, argc, argv, &err) < 0)
		return report(&err, EXIT_USAGE);
	if (opt.help)
		gen_options_help();
	if (opt.version)
		printf("ringgen %s\n", RP_VERSION);
	if (opt.help || opt.version)
		return 0;
	if (opt.probe)
		return probe(&opt);
	signal(SIGINT, stop);
	signal(SIGTERM, stop);
	if (gen_pin(opt.core, &err) < 0)
		return report(&err, EXIT_FAULT);
	rc = run(vms, &opt, &result, &err);
	gen_vms_close(vms, &opt);
	if (rc < 0)
		return report(&err, EXIT_FAULT);
	if (opt.json)
		gen_print_json(&opt, &result);
	else
		gen_print_text(&opt, &result);
	return gen_passed(&opt, &result) ? 0 : EXIT_FAULT;
}
