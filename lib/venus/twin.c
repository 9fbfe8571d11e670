// SPDX-License-Identifier: BSD-3-Clause
#include "venus/twin.h"

#include <string.h>

#define STEP 64u

static bool page_differs(const uint8_t *now, const uint8_t *twin, size_t at, size_t end)
{
	size_t n = end - at < RP_VN_TWIN_PAGE ? end - at : RP_VN_TWIN_PAGE;

	return memcmp(now + at, twin + at, n) != 0;
}

bool rp_vn_twin_next(const uint8_t *now, const uint8_t *twin, size_t *from, size_t end, size_t max,
		     size_t *start, size_t *len)
{
	size_t at = *from, stop;

	while (at < end && !page_differs(now, twin, at, end))
		at += RP_VN_TWIN_PAGE;
	if (at >= end) {
		*from = end;
		return false;
	}
	stop = at;
	while (stop < end && stop - at < max && page_differs(now, twin, stop, end))
		stop += RP_VN_TWIN_PAGE;
	if (stop > end)
		stop = end;
	if (stop - at > max)
		stop = at + max;
	*from = stop;
	// Small changes stay small on the wire. A writer may have undone its change meanwhile, so
	// neither end may be walked over.
	while (stop - at > STEP && memcmp(now + at, twin + at, STEP) == 0)
		at += STEP;
	while (stop - at > STEP && memcmp(now + stop - STEP, twin + stop - STEP, STEP) == 0)
		stop -= STEP;
	*start = at;
	*len = stop - at;
	return true;
}

static uint64_t load(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

// Never store a byte that is the same: the GPU may be writing its own value there.
static void merge_bytes(uint8_t *now, uint8_t *twin, const uint8_t *in, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (in[i] != twin[i]) {
			now[i] = in[i];
			twin[i] = in[i];
		}
	}
}

static void merge_word(uint8_t *now, uint8_t *twin, const uint8_t *in)
{
	const uint64_t ones = 0x0101010101010101u;
	uint64_t differs = load(in) ^ load(twin);

	if (differs == 0)
		return;
	// Some byte of it is zero: not all of them differ.
	if (((differs - ones) & ~differs & (ones << 7)) != 0) {
		merge_bytes(now, twin, in, 8);
		return;
	}
	memcpy(now, in, 8);
	memcpy(twin, in, 8);
}

void rp_vn_twin_merge(uint8_t *now, uint8_t *twin, const uint8_t *in, size_t len)
{
	size_t at = 0;

	for (; len - at >= 8; at += 8)
		merge_word(now + at, twin + at, in + at);
	merge_bytes(now + at, twin + at, in + at, len - at);
}
