// SPDX-License-Identifier: BSD-3-Clause
#include "histogram.h"

// The first slots hold single values; then each power of two has half as many.
static unsigned int slot(uint64_t value)
{
	unsigned int shift = 0;

	if (value >= GEN_HIST_STEPS)
		shift = 64 - (unsigned int)__builtin_clzll(value) - GEN_HIST_BITS;
	return shift * (GEN_HIST_STEPS / 2) + (unsigned int)(value >> shift);
}

// The largest value of a slot.
static uint64_t slot_last(unsigned int i)
{
	unsigned int shift = i < GEN_HIST_STEPS ? 0 : i / (GEN_HIST_STEPS / 2) - 1;
	uint64_t base = i - shift * (GEN_HIST_STEPS / 2);

	return (base << shift) + ((UINT64_C(1) << shift) - 1);
}

void gen_hist_add(struct gen_histogram *h, uint64_t value)
{
	h->slots[slot(value)]++;
	if (h->n == 0 || value < h->min)
		h->min = value;
	if (value > h->max)
		h->max = value;
	h->n++;
	h->sum += (double)value;
}

uint64_t gen_hist_quantile(const struct gen_histogram *h, double share)
{
	double rank = share * (double)h->n;
	uint64_t seen = 0;

	if (h->n == 0)
		return 0;
	for (unsigned int i = 0; i < GEN_HIST_SLOTS; i++) {
		seen += h->slots[i];
		if (seen > 0 && (double)seen >= rank) {
			uint64_t last = slot_last(i);

			return last < h->max ? last : h->max;
		}
	}
	return h->max;
}

uint64_t gen_hist_between(const struct gen_histogram *h, uint64_t from, uint64_t to)
{
	uint64_t n = 0;

	for (unsigned int i = slot(from); i < slot(to); i++)
		n += h->slots[i];
	return n;
}
