/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* What ringgen does once its VMs are attached, and what it finds. */

#include <signal.h>

#include "histogram.h"
#include "vm.h"

// Set by SIGINT and SIGTERM: end early, print what there is.
extern volatile sig_atomic_t gen_stop;

// What --verify found.
struct gen_faults {
	uint64_t checked;
	uint64_t lost;	    // numbers that were left out
	uint64_t reordered; // that came after a later one, or twice
	uint64_t content;   // frames with other bytes than were sent
};

struct gen_result {
	double seconds; // measured
	struct gen_counters measured[GEN_MAX_VMS];
	struct gen_counters total[GEN_MAX_VMS]; // with warm-up and what came in after the end
	double idle;				// share of time that found nothing to do
	double cpu_share; // of its core that this thread had while it measured
	struct gen_faults faults;
	struct gen_histogram latency; // nanoseconds, one way
	uint64_t timeouts;	      // latency: frames that never came
};

// Ask for every VM's IP address and put it into opt. 0 or -errno.
int gen_learn(struct gen_vm *vms, struct gen_options *opt, struct rp_error *err);

// Send a frame from each sender until it arrives. 0 or -errno.
int gen_wait_ready(struct gen_vm *vms, const struct gen_options *opt, struct rp_error *err);

// 0, or -EIO when the other side broke a ring.
int gen_run_rate(struct gen_vm *vms, const struct gen_options *opt, struct gen_result *result,
		 struct rp_error *err);
int gen_run_latency(struct gen_vm *vms, const struct gen_options *opt, struct gen_result *result,
		    struct rp_error *err);

// Nanoseconds for a cache line from one core to the other and back: the median of several tries.
// 0 or -errno.
int gen_probe(const int cores[2], double *ns, struct rp_error *err);

// Pin the calling thread. 0 or -errno.
int gen_pin(int core, struct rp_error *err);

// Ticks of the time stamp counter in a second, measured once.
double gen_tsc_hz(void);

// CPU time of this thread in seconds.
double gen_cpu_time(void);

static inline uint64_t gen_tsc(void)
{
	return __builtin_ia32_rdtsc();
}

void gen_print_text(const struct gen_options *opt, const struct gen_result *result);
int gen_print_json(const struct gen_options *opt, const struct gen_result *result);

// Sum of the first n VMs' counters.
struct gen_counters gen_sum(const struct gen_counters *c, unsigned int n);

// Is this what the user wanted to hear? With --verify, faults and losses are not.
bool gen_passed(const struct gen_options *opt, const struct gen_result *result);
