/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Counts by value, with the resolution of a 64th of the value or better: values below 128 are
 * exact, every power of two above has 64 steps. 64-bit values, no allocation.
 */

#include <stdint.h>

#define GEN_HIST_BITS  7
#define GEN_HIST_STEPS (1u << GEN_HIST_BITS)
#define GEN_HIST_SLOTS ((64 - GEN_HIST_BITS + 2) * GEN_HIST_STEPS / 2)

struct gen_histogram {
	uint64_t n;
	uint64_t min;
	uint64_t max;
	double sum;
	uint64_t slots[GEN_HIST_SLOTS];
};

void gen_hist_add(struct gen_histogram *h, uint64_t value);

// The value that this share (0..1) of all values does not exceed, rounded up to its step; 0: empty.
uint64_t gen_hist_quantile(const struct gen_histogram *h, double share);

// How many values lie in [from, to), both powers of two (or from 0).
uint64_t gen_hist_between(const struct gen_histogram *h, uint64_t from, uint64_t to);
