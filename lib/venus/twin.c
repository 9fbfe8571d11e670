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

void rp_vn_twin_merge(uint8_t *now, uint8_t *twin, const uint8_t *in, size_t len)
{
	for (size_t at = 0; at < len;) {
		size_t n = len - at < STEP ? len - at : STEP, from;

		if (memcmp(in + at, twin + at, n) == 0) {
			at += n;
			continue;
		}
		// Never store a byte that is the same: the GPU may be writing its own value there.
		for (size_t i = 0; i < n;) {
			while (i < n && in[at + i] == twin[at + i])
				i++;
			for (from = i; i < n && in[at + i] != twin[at + i];)
				i++;
			memcpy(now + at + from, in + at + from, i - from);
			memcpy(twin + at + from, in + at + from, i - from);
		}
		at += n;
	}
}
