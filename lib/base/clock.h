/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdint.h>
#include <time.h>

// Monotonic time in nanoseconds; a system call's worth of cost, so not for a poll loop.
static inline uint64_t rp_clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

// Monotonic time in milliseconds, for deadlines.
static inline uint64_t rp_clock_ms(void)
{
	return rp_clock_ns() / 1000000u;
}
