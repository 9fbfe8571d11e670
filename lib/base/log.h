/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The log of the control plane. Workers never log: they count.
 *
 * Thread-safe. One line per call, without a newline at its end; each line goes out in one write.
 */

#include <stdarg.h>

enum rp_log_level { RP_LOG_ERR, RP_LOG_WARN, RP_LOG_INFO, RP_LOG_DEBUG };

typedef void (*rp_log_sink_fn)(enum rp_log_level level, const char *line, void *arg);

// Lines above this level are dropped. Default: RP_LOG_INFO.
void rp_log_set_level(enum rp_log_level level);

// Send lines elsewhere than to stderr; NULL restores stderr.
void rp_log_set_sink(rp_log_sink_fn sink, void *arg);

// The sink that restores: for a sink that does more than write the line.
void rp_log_to_stderr(enum rp_log_level level, const char *line, void *arg);

__attribute__((format(printf, 2, 3))) void rp_log(enum rp_log_level level, const char *fmt, ...);

#define rp_err(...)   rp_log(RP_LOG_ERR, __VA_ARGS__)
#define rp_warn(...)  rp_log(RP_LOG_WARN, __VA_ARGS__)
#define rp_info(...)  rp_log(RP_LOG_INFO, __VA_ARGS__)
#define rp_debug(...) rp_log(RP_LOG_DEBUG, __VA_ARGS__)
