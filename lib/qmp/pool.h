/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The monitors of many machines, by name, on one thread: each is connected as soon as its socket
 * answers and again after each loss, with a pause that doubles from one attempt to the next.
 *
 * Thread-safe as the clients are. Callbacks run on the pool's thread.
 */

#include "qmp/qmp.h"

struct rp_qmp_pool;

// Called when a machine becomes READY or is LOST (cause: why). c is borrowed.
typedef void (*rp_qmp_pool_state_fn)(const char *name, struct rp_qmp *c, enum rp_qmp_state state,
				     const struct rp_qmp_error *cause, void *arg);

struct rp_qmp_pool_opts {
	struct rp_qmp_opts client; // of each; on_state belongs to the pool
	rp_qmp_pool_state_fn on_state;
	void *state_arg;
};

// Pauses of 100 ms to 5 s, and one attempt to connect each time.
struct rp_qmp_pool_opts rp_qmp_pool_defaults(void);

// opts NULL: the defaults. NULL with errno set.
struct rp_qmp_pool *rp_qmp_pool_new(const struct rp_qmp_pool_opts *opts);
// Close all; not from a callback. Clients that somebody still references stay allocated, but ended.
void rp_qmp_pool_free(struct rp_qmp_pool *pool);

// Add a machine; it connects by itself. -EEXIST (RP_QMP_ARGUMENT): the name is taken.
int rp_qmp_pool_add(struct rp_qmp_pool *pool, const char *name, const char *address,
		    struct rp_qmp_error *err);
// Close and forget; not from a callback. False: no such name.
bool rp_qmp_pool_remove(struct rp_qmp_pool *pool, const char *name);
// A reference to its client, or NULL: no such name. Give it back with rp_qmp_unref().
struct rp_qmp *rp_qmp_pool_get(struct rp_qmp_pool *pool, const char *name);
size_t rp_qmp_pool_size(struct rp_qmp_pool *pool);

struct rp_qmp_pool_result {
	char *name;
	json_t *ret;		 // NULL on failure
	struct rp_qmp_error err; // kind RP_QMP_OK on success
	struct rp_qmp_version version;
};

/*
 * Run one command on every machine at once and collect what each says, in the order of adding. A
 * machine that is being connected for the first time is waited for; one that is down counts as a
 * failure with its cause. timeout_ms bounds the whole; 0: the clients' own deadlines do.
 * *results is to be freed with rp_qmp_pool_results_free(). Returns the number of machines, or
 * -errno.
 */
long rp_qmp_pool_exec(struct rp_qmp_pool *pool, const struct rp_qmp_request *req,
		      unsigned timeout_ms, struct rp_qmp_pool_result **results);
void rp_qmp_pool_results_free(struct rp_qmp_pool_result *results, long n);

// The sum over all machines, those removed included.
void rp_qmp_pool_counters(struct rp_qmp_pool *pool, struct rp_qmp_counters *counters);
