// SPDX-License-Identifier: BSD-3-Clause
#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static enum rp_log_level log_level = RP_LOG_INFO;
static rp_log_sink_fn log_sink = rp_log_to_stderr;
static void *log_sink_arg;

void rp_log_set_level(enum rp_log_level level)
{
	__atomic_store_n(&log_level, level, __ATOMIC_RELAXED);
}

void rp_log_set_sink(rp_log_sink_fn sink, void *arg)
{
	pthread_mutex_lock(&log_lock);
	log_sink = sink != NULL ? sink : rp_log_to_stderr;
	log_sink_arg = arg;
	pthread_mutex_unlock(&log_lock);
}

void rp_log_to_stderr(enum rp_log_level level, const char *line, void *)
{
	static const char *const names[] = {"error", "warning", "info", "debug"};

	dprintf(STDERR_FILENO, "%s: %s: %s\n", program_invocation_short_name, names[level], line);
}

void rp_log(enum rp_log_level level, const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	if (level > __atomic_load_n(&log_level, __ATOMIC_RELAXED))
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);

	pthread_mutex_lock(&log_lock);
	log_sink(level, line, log_sink_arg);
	pthread_mutex_unlock(&log_lock);
}
