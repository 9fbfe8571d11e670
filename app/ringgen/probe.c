// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "run.h"

// Many short tries and their median: a try that is interrupted does not count.
#define TRIES  101
#define ROUNDS 1000

// The cache line that goes to and fro: even values are ours to answer, odd ones the other's.
struct table {
	_Alignas(64) uint64_t ball;
	_Alignas(64) int core;
};

int gen_pin(int core, struct rp_error *err)
{
	char text[16];
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)core, &set);
	if (sched_setaffinity(0, sizeof(set), &set) == 0)
		return 0;
	snprintf(text, sizeof(text), "%d", core);
	return rp_error_set(err, errno, "core", text, "cannot run there: %s", strerror(errno));
}

double gen_cpu_time(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

double gen_tsc_hz(void)
{
	static double hz;

	if (hz == 0) {
		uint64_t ns = rp_clock_ns(), tsc = gen_tsc(), end;

		do {
			end = rp_clock_ns();
		} while (end < ns + 20000000u);
		hz = (double)(gen_tsc() - tsc) * 1e9 / (double)(end - ns);
	}
	return hz;
}

static void *answer(void *arg)
{
	struct table *t = arg;
	uint64_t value;

	if (gen_pin(t->core, NULL) < 0)
		return t;
	while ((value = __atomic_load_n(&t->ball, __ATOMIC_ACQUIRE)) != UINT64_MAX)
		if (value % 2 != 0)
			__atomic_store_n(&t->ball, value + 1, __ATOMIC_RELEASE);
	return NULL;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double play(struct table *t)
{
	uint64_t start = rp_clock_ns();

	for (unsigned int i = 0; i < ROUNDS; i++) {
		uint64_t want = t->ball + 2;

		__atomic_store_n(&t->ball, want - 1, __ATOMIC_RELEASE);
		while (__atomic_load_n(&t->ball, __ATOMIC_ACQUIRE) != want)
			;
	}
	return (double)(rp_clock_ns() - start) / ROUNDS;
}

int gen_probe(const int cores[2], double *ns, struct rp_error *err)
{
	static struct table t;
	double tries[TRIES];
	pthread_t thread;
	int rc;

	// First where the other thread will run, so that nobody waits for one that cannot.
	rc = gen_pin(cores[1], err);
	if (rc == 0)
		rc = gen_pin(cores[0], err);
	if (rc < 0)
		return rc;
	t.core = cores[1];
	rc = pthread_create(&thread, NULL, answer, &t);
	if (rc != 0)
		return rp_error_set(err, rc, "--probe", NULL, "no second thread: %s", strerror(rc));
	for (unsigned int i = 0; i < TRIES; i++)
		tries[i] = play(&t);
	__atomic_store_n(&t.ball, UINT64_MAX, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	qsort(tries, TRIES, sizeof(tries[0]), by_value);
	*ns = tries[TRIES / 2];
	return 0;
}
