// SPDX-License-Identifier: BSD-3-Clause
#include "util.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "qmp/pool.h"

#define MACHINES 100

static struct rp_qmp_pool *quiet_pool(void)
{
	struct rp_qmp_pool_opts opts = rp_qmp_pool_defaults();

	opts.client.log = no_log;
	opts.client.reconnect_min_ms = 5;
	opts.client.reconnect_max_ms = 40;
	return rp_qmp_pool_new(&opts);
}

static void hundred_machines_are_polled_by_one_pool(void **)
{
	const struct rp_qmp_request req = {.command = "query-status"};
	struct mock *m[MACHINES];
	struct rp_qmp_pool *pool = quiet_pool();
	struct rp_qmp_pool_result *results;
	struct rp_qmp_counters n;
	char name[16];

	for (int i = 0; i < MACHINES; i++) {
		m[i] = mock_start(NULL, "on query-status\nreturn {\"status\":\"running\"}");
		snprintf(name, sizeof(name), "vm%d", i);
		assert_int_equal(rp_qmp_pool_add(pool, name, mock_path(m[i]), NULL), 0);
	}
	for (int round = 0; round < 3; round++) {
		assert_int_equal(rp_qmp_pool_exec(pool, &req, 20000, &results), MACHINES);
		for (int i = 0; i < MACHINES; i++) {
			snprintf(name, sizeof(name), "vm%d", i);
			assert_string_equal(results[i].name, name);
			assert_int_equal(results[i].err.kind, RP_QMP_OK);
			assert_int_equal(results[i].version.major, 7);
			assert_string_equal(
				json_string_value(json_object_get(results[i].ret, "status")),
				"running");
		}
		rp_qmp_pool_results_free(results, MACHINES);
	}
	rp_qmp_pool_counters(pool, &n);
	assert_int_equal(n.connects, MACHINES);
	assert_int_equal(n.replies, 4 * MACHINES);
	rp_qmp_pool_free(pool);
	for (int i = 0; i < MACHINES; i++)
		mock_stop(m[i]);
}

static void machine_that_is_down_has_its_cause(void **)
{
	const struct rp_qmp_request req = {.command = "x"};
	struct rp_qmp_pool *pool = quiet_pool();
	struct mock *m = mock_start(NULL, "");
	struct rp_qmp_pool_result *results;

	assert_int_equal(rp_qmp_pool_add(pool, "down", "/no/such/socket", NULL), 0);
	assert_int_equal(rp_qmp_pool_add(pool, "up", mock_path(m), NULL), 0);
	assert_int_equal(rp_qmp_pool_exec(pool, &req, 0, &results), 2);
	assert_kind(&results[0].err, RP_QMP_NOT_FOUND);
	assert_null(results[0].ret);
	assert_int_equal(results[1].err.kind, RP_QMP_OK);
	assert_non_null(results[1].ret);
	rp_qmp_pool_results_free(results, 2);
	rp_qmp_pool_free(pool);
	mock_stop(m);
}

static void names_are_unique_and_can_be_removed(void **)
{
	struct rp_qmp_pool *pool = quiet_pool();
	struct mock *m = mock_start(NULL, "");
	struct rp_qmp_error err;
	struct rp_qmp *c;

	assert_int_equal(rp_qmp_pool_add(pool, "a", mock_path(m), NULL), 0);
	assert_int_equal(rp_qmp_pool_add(pool, "a", mock_path(m), &err), -EEXIST);
	assert_int_equal(rp_qmp_pool_add(pool, "b", "tcp:", &err), -EINVAL);
	c = rp_qmp_pool_get(pool, "a");
	assert_non_null(c);
	assert_null(rp_qmp_pool_get(pool, "b"));
	assert_int_equal(rp_qmp_wait_ready(c, 5000, NULL), 0);
	assert_true(rp_qmp_pool_remove(pool, "a"));
	assert_false(rp_qmp_pool_remove(pool, "a"));
	assert_int_equal(rp_qmp_pool_size(pool), 0);
	exec_fails(c, "x", RP_QMP_CLOSED);
	rp_qmp_unref(c);
	rp_qmp_pool_free(pool);
	mock_stop(m);
}

struct states {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned ready, lost;
};

static void on_state(const char *name, struct rp_qmp *, enum rp_qmp_state state,
		     const struct rp_qmp_error *, void *arg)
{
	struct states *s = arg;

	assert_string_equal(name, "a");
	pthread_mutex_lock(&s->lock);
	s->ready += state == RP_QMP_READY;
	s->lost += state == RP_QMP_LOST;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

static void machine_that_restarts_comes_back(void **)
{
	struct states s = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0};
	struct rp_qmp_pool_opts opts = rp_qmp_pool_defaults();
	struct rp_qmp_pool *pool;
	char path[] = "/tmp/qmp.restart.XXXXXX";
	struct mock *m;

	assert_true(mkstemp(path) >= 0);
	m = mock_start(path, "");
	opts.client.log = no_log;
	opts.on_state = on_state;
	opts.state_arg = &s;
	pool = rp_qmp_pool_new(&opts);
	assert_int_equal(rp_qmp_pool_add(pool, "a", path, NULL), 0);
	for (unsigned round = 1; round <= 3; round++) {
		pthread_mutex_lock(&s.lock);
		while (s.ready < round)
			pthread_cond_wait(&s.changed, &s.lock);
		pthread_mutex_unlock(&s.lock);
		mock_stop(m);
		pthread_mutex_lock(&s.lock);
		while (s.lost < round)
			pthread_cond_wait(&s.changed, &s.lock);
		pthread_mutex_unlock(&s.lock);
		m = mock_start(path, "");
	}
	rp_qmp_pool_free(pool);
	mock_stop(m);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hundred_machines_are_polled_by_one_pool),
		cmocka_unit_test(machine_that_is_down_has_its_cause),
		cmocka_unit_test(names_are_unique_and_can_be_removed),
		cmocka_unit_test(machine_that_restarts_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
