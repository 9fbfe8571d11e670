// SPDX-License-Identifier: BSD-3-Clause
#include "qmp/pool.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/clock.h"

struct member {
	TAILQ_ENTRY(member) link;
	struct rp_qmp_pool *pool;
	struct rp_qmp *c;
	char *name;
};

struct rp_qmp_pool {
	struct rp_qmp_loop *loop;
	struct rp_qmp_pool_opts opts;
	pthread_mutex_t lock; // of what follows; never held while a client is closed
	TAILQ_HEAD(, member) members;
	size_t n;
	struct rp_qmp_counters gone; // of removed members
};

struct rp_qmp_pool_opts rp_qmp_pool_defaults(void)
{
	struct rp_qmp_pool_opts opts = {.client = RP_QMP_OPTS_DEFAULT};

	opts.client.retry_ms = 0;
	opts.client.reconnect_min_ms = 100;
	opts.client.reconnect_max_ms = 5000;
	return opts;
}

struct rp_qmp_pool *rp_qmp_pool_new(const struct rp_qmp_pool_opts *opts)
{
	struct rp_qmp_pool *pool = calloc(1, sizeof(*pool));

	if (pool == NULL)
		return NULL;
	pool->opts = opts != NULL ? *opts : rp_qmp_pool_defaults();
	pool->loop = rp_qmp_loop_new();
	if (pool->loop == NULL) {
		int code = errno;

		free(pool);
		errno = code;
		return NULL;
	}
	pthread_mutex_init(&pool->lock, NULL);
	TAILQ_INIT(&pool->members);
	return pool;
}

static void member_free(struct member *m)
{
	struct rp_qmp_counters counters;
	struct rp_qmp *c = m->c;

	rp_qmp_ref(c);
	rp_qmp_close(c);
	rp_qmp_counters(c, &counters);
	rp_qmp_unref(c);
	pthread_mutex_lock(&m->pool->lock);
	rp_qmp_counters_add(&m->pool->gone, &counters);
	pthread_mutex_unlock(&m->pool->lock);
	free(m->name);
	free(m);
}

void rp_qmp_pool_free(struct rp_qmp_pool *pool)
{
	struct member *m;

	if (pool == NULL)
		return;
	while ((m = TAILQ_FIRST(&pool->members)) != NULL) {
		TAILQ_REMOVE(&pool->members, m, link);
		member_free(m);
	}
	rp_qmp_loop_free(pool->loop);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

static void on_member_state(struct rp_qmp *c, enum rp_qmp_state state,
			    const struct rp_qmp_error *cause, void *arg)
{
	const struct member *m = arg;
	const struct rp_qmp_pool_opts *opts = &m->pool->opts;

	if (opts->on_state != NULL)
		opts->on_state(m->name, c, state, cause, opts->state_arg);
}

// Lock held.
static struct member *find(struct rp_qmp_pool *pool, const char *name)
{
	struct member *m;

	TAILQ_FOREACH (m, &pool->members, link) {
		if (strcmp(m->name, name) == 0)
			return m;
	}
	return NULL;
}

int rp_qmp_pool_add(struct rp_qmp_pool *pool, const char *name, const char *address,
		    struct rp_qmp_error *err)
{
	struct rp_qmp_opts opts = pool->opts.client;
	struct member *m = calloc(1, sizeof(*m));
	int rc = 0;

	if (m == NULL || (m->name = strdup(name)) == NULL) {
		free(m);
		rp_qmp_error_set(err, RP_QMP_ARGUMENT, RP_QMP_PHASE_NONE, name, "out of memory");
		return -ENOMEM;
	}
	m->pool = pool;
	opts.on_state = on_member_state;
	opts.state_arg = m;
	pthread_mutex_lock(&pool->lock);
	if (find(pool, name) != NULL) {
		rp_qmp_error_set(err, RP_QMP_ARGUMENT, RP_QMP_PHASE_NONE, name,
				 "the pool has a machine of this name already");
		rc = -EEXIST;
	} else {
		m->c = rp_qmp_open(pool->loop, address, &opts, err);
		rc = m->c != NULL ? 0 : -errno;
	}
	if (rc == 0) {
		TAILQ_INSERT_TAIL(&pool->members, m, link);
		pool->n++;
	}
	pthread_mutex_unlock(&pool->lock);
	if (rc < 0) {
		free(m->name);
		free(m);
	}
	return rc;
}

bool rp_qmp_pool_remove(struct rp_qmp_pool *pool, const char *name)
{
	struct member *m;

	pthread_mutex_lock(&pool->lock);
	m = find(pool, name);
	if (m != NULL) {
		TAILQ_REMOVE(&pool->members, m, link);
		pool->n--;
	}
	pthread_mutex_unlock(&pool->lock);
	if (m != NULL)
		member_free(m);
	return m != NULL;
}

struct rp_qmp *rp_qmp_pool_get(struct rp_qmp_pool *pool, const char *name)
{
	struct rp_qmp *c = NULL;
	struct member *m;

	pthread_mutex_lock(&pool->lock);
	m = find(pool, name);
	if (m != NULL)
		c = rp_qmp_ref(m->c);
	pthread_mutex_unlock(&pool->lock);
	return c;
}

size_t rp_qmp_pool_size(struct rp_qmp_pool *pool)
{
	size_t n;

	pthread_mutex_lock(&pool->lock);
	n = pool->n;
	pthread_mutex_unlock(&pool->lock);
	return n;
}

// ---- One command for all ----

struct job {
	struct rp_qmp *c;
	struct rp_qmp_call *call;
};

// A reference to every client, so that members may be removed meanwhile.
static long take_all(struct rp_qmp_pool *pool, struct job **jobs,
		     struct rp_qmp_pool_result **results)
{
	struct member *m;
	long n = 0;

	pthread_mutex_lock(&pool->lock);
	*jobs = calloc(pool->n + 1, sizeof(**jobs));
	*results = calloc(pool->n + 1, sizeof(**results));
	if (*jobs == NULL || *results == NULL) {
		pthread_mutex_unlock(&pool->lock);
		free(*jobs);
		free(*results);
		*results = NULL;
		return -ENOMEM;
	}
	TAILQ_FOREACH (m, &pool->members, link) {
		(*jobs)[n].c = rp_qmp_ref(m->c);
		(*results)[n++].name = strdup(m->name);
	}
	pthread_mutex_unlock(&pool->lock);
	return n;
}

// What is left of the whole, for one step: at least a tick, 0 only for no deadline.
static unsigned budget(uint64_t deadline_ms)
{
	uint64_t now = rp_clock_ms();

	if (deadline_ms == 0)
		return 0;
	return deadline_ms > now ? (unsigned)(deadline_ms - now) : 1;
}

long rp_qmp_pool_exec(struct rp_qmp_pool *pool, const struct rp_qmp_request *req,
		      unsigned timeout_ms, struct rp_qmp_pool_result **results)
{
	uint64_t deadline_ms = timeout_ms == 0 ? 0 : rp_clock_ms() + timeout_ms;
	struct rp_qmp_request plain = *req;
	struct job *jobs;
	long n = take_all(pool, &jobs, results);

	plain.done = NULL;
	// All connect at the same time, so waiting for one after the other is waiting for the
	// slowest.
	for (long i = 0; i < n; i++) {
		struct rp_qmp_error *err = &(*results)[i].err;

		if (rp_qmp_wait_ready(jobs[i].c, budget(deadline_ms), err) < 0)
			continue;
		rp_qmp_version(jobs[i].c, &(*results)[i].version);
		plain.timeout_ms = req->timeout_ms != 0 ? req->timeout_ms : budget(deadline_ms);
		jobs[i].call = rp_qmp_start(jobs[i].c, &plain, err);
	}
	for (long i = 0; i < n; i++) {
		if (jobs[i].call != NULL)
			rp_qmp_call_wait(jobs[i].call, &(*results)[i].ret, &(*results)[i].err);
		rp_qmp_call_free(jobs[i].call);
		rp_qmp_unref(jobs[i].c);
	}
	if (n >= 0)
		free(jobs);
	return n;
}

void rp_qmp_pool_results_free(struct rp_qmp_pool_result *results, long n)
{
	for (long i = 0; i < n; i++) {
		free(results[i].name);
		json_decref(results[i].ret);
	}
	free(results);
}

void rp_qmp_pool_counters(struct rp_qmp_pool *pool, struct rp_qmp_counters *counters)
{
	struct rp_qmp_counters one;
	struct member *m;

	pthread_mutex_lock(&pool->lock);
	*counters = pool->gone;
	TAILQ_FOREACH (m, &pool->members, link) {
		rp_qmp_counters(m->c, &one);
		rp_qmp_counters_add(counters, &one);
	}
	pthread_mutex_unlock(&pool->lock);
}
