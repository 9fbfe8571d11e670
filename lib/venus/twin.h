/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Device memory that both ends can write.
 *
 * Theory of operation. The application writes into a shadow of its mapping, the GPU into the real
 * memory on the server. Each end keeps a twin: a copy of what both ends last agreed on. Client and
 * server twins are equal whenever no transfer is under way. A transfer sends what differs from the
 * sender's twin; the receiver takes over those bytes that differ from its own twin, and only those,
 * so that two ends may write neighbouring bytes of one page without losing either. Twins begin as
 * zeros.
 *
 * What is looked for in steps of a page; found by comparison, so any kind of memory will do, at the
 * cost of reading it.
 */
#define RP_VN_TWIN_PAGE 4096u

// The next piece of [*from, end) in which `now` differs from `twin`, at most `max` bytes: its place
// goes to *start and its length to *len, *from moves behind it. False: no more.
bool rp_vn_twin_next(const uint8_t *now, const uint8_t *twin, size_t *from, size_t end, size_t max,
		     size_t *start, size_t *len);

// Bytes came from the other end: what differs from the twin is written to `now` and the twin.
void rp_vn_twin_merge(uint8_t *now, uint8_t *twin, const uint8_t *in, size_t len);
