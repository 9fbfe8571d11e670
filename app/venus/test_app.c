// SPDX-License-Identifier: BSD-3-Clause
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

static const struct {
	bool (*run)(bool direct);
	const char *what;
} phases[] = {
	{phase1, "the server's version by the driver, vkCreateInstance, and the loader's layer"},
	{phase2, "the server's devices: properties, features, memory, queues"},
	{phase3, "computing on the server: mapped memory, shaders, results as on the host"},
	{phase4, "drawing on the server: a triangle into an image, read back"},
};

#define N_PHASES ((int)(sizeof(phases) / sizeof(phases[0])))

static void print_usage(void)
{
	puts("Usage: venus-test-app --phase N | --all | --bench [--direct]\n"
	     "Check the Venus driver against a running venus-server.\n"
	     "\n"
	     "  --phase N  run one phase:");
	for (int i = 0; i < N_PHASES; i++)
		printf("               %d  %s\n", i + 1, phases[i].what);
	puts("  --bench    measure round trips, queued calls and memory transfer\n"
	     "  --all      run all phases in order, stop at the first that fails\n"
	     "  --direct   call the driver library without the system's Vulkan loader\n"
	     "  --help     show this text\n"
	     "\n"
	     "VK_DRIVER_FILES names the driver's manifest (venus_icd.x86_64.json), VENUS_SERVER "
	     "the\n"
	     "server. Exit status: 0 all passed, 1 something failed, 2 wrong usage.");
}

static int run(int first, int last, bool direct)
{
	for (int i = first; i <= last; i++) {
		if (!phases[i].run(direct)) {
			printf("FAILED in phase %d\n", i + 1);
			return 1;
		}
	}
	puts("PASSED");
	return 0;
}

int main(int argc, char **argv)
{
	enum { PHASE = 1, ALL, BENCH, DIRECT, HELP };
	static const struct option options[] = {
		{"phase", required_argument, NULL, PHASE}, {"all", no_argument, NULL, ALL},
		{"bench", no_argument, NULL, BENCH},	   {"direct", no_argument, NULL, DIRECT},
		{"help", no_argument, NULL, HELP},	   {0},
	};
	int first = -1, last = -1, opt;
	bool direct = false, measure = false;

	setvbuf(stdout, NULL, _IOLBF, 0);
	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case PHASE:
			first = last = atoi(optarg) - 1;
			break;
		case ALL:
			first = 0;
			last = N_PHASES - 1;
			break;
		case BENCH:
			measure = true;
			break;
		case DIRECT:
			direct = true;
			break;
		case HELP:
			print_usage();
			return 0;
		default:
			fputs("Try: venus-test-app --help\n", stderr);
			return 2;
		}
	}
	if (measure && optind == argc)
		return bench(direct) ? 0 : 1;
	if (optind < argc || first < 0 || last >= N_PHASES) {
		fprintf(stderr,
			"venus-test-app: expected --phase 1 to %d, --all or --bench; try --help\n",
			N_PHASES);
		return 2;
	}
	return run(first, last, direct);
}
