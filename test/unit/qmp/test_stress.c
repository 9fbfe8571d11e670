// SPDX-License-Identifier: BSD-3-Clause
// Ten thousand commands from eight threads on one connection, a third of them given up at a random
// moment: each that is answered gets its own answer, and nothing is left over.
#include "util.h"

#include <pthread.h>
#include <stdlib.h>

#define THREADS	 8
#define COMMANDS 1250

struct worker {
	struct rp_qmp *c;
	unsigned seed;
	int number;
	unsigned answered, cancelled, timed_out, wrong;
};

static void count(struct worker *w, int rc, const json_t *ret, int want)
{
	if (rc == 0 && json_integer_value(json_object_get(ret, "n")) == want)
		w->answered++;
	else if (rc == -ECANCELED)
		w->cancelled++;
	else if (rc == -ETIMEDOUT)
		w->timed_out++;
	else
		w->wrong++;
}

static void *give_up(void *call)
{
	rp_qmp_call_cancel(call);
	rp_qmp_call_free(call);
	return NULL;
}

static void one(struct worker *w, int i)
{
	const int n = w->number * COMMANDS + i;
	struct rp_qmp_request req = {.command = "echo", .arguments = json_pack("{s:i}", "n", n)};
	unsigned dice = (unsigned)rand_r(&w->seed) % 12;
	struct rp_qmp_call *call;
	json_t *ret = NULL;
	pthread_t thread;
	int rc;

	req.timeout_ms = dice == 0 ? 1 : 0;
	call = rp_qmp_start(w->c, &req, NULL);
	json_decref(req.arguments);
	if (dice == 1)
		pthread_create(&thread, NULL, give_up, rp_qmp_call_ref(call));
	if (dice == 2 || dice == 3)
		rp_qmp_call_cancel(call);
	rc = rp_qmp_call_wait(call, &ret, NULL);
	count(w, rc, ret, n);
	if (dice == 1)
		pthread_join(thread, NULL);
	json_decref(ret);
	rp_qmp_call_free(call);
}

static void *work(void *arg)
{
	struct worker *w = arg;

	for (int i = 0; i < COMMANDS; i++)
		one(w, i);
	return NULL;
}

static void run(const char *script, bool oob)
{
	struct mock *m = mock_start(NULL, script);
	struct rp_qmp_opts opts = test_opts();
	struct worker w[THREADS], sum = {0};
	struct rp_qmp_counters n;
	pthread_t threads[THREADS];
	struct rp_qmp *c;

	opts.oob = oob;
	c = connect_opts(m, &opts);
	for (int i = 0; i < THREADS; i++) {
		w[i] = (struct worker){.c = c, .seed = 17u * (unsigned)i + 1, .number = i};
		pthread_create(&threads[i], NULL, work, &w[i]);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		sum.answered += w[i].answered;
		sum.cancelled += w[i].cancelled;
		sum.timed_out += w[i].timed_out;
		sum.wrong += w[i].wrong;
	}
	exec_ok(c, "sync");
	rp_qmp_counters(c, &n);
	assert_int_equal(sum.wrong, 0);
	assert_int_equal(sum.answered + sum.cancelled + sum.timed_out, THREADS * COMMANDS);
	assert_true(sum.cancelled > 0);
	assert_int_equal(n.in_flight, 0);
	assert_int_equal(n.commands, THREADS * COMMANDS + 2);
	assert_int_equal(n.replies, sum.answered + 2);
	assert_int_equal(n.unknown_replies + n.broken, 0);
	// Everything written was answered: in time, or late.
	assert_int_equal(n.replies + n.late_replies, mock_count(m, NULL) + 1);
	rp_qmp_close(c);
	mock_stop(m);
}

static void ten_thousand_commands_with_random_cancellations(void **)
{
	run("on echo\nevent NOISE\necho", false);
}

static void the_same_with_the_out_of_band_window(void **)
{
	run("on accept\ngreet oob\non echo\necho", true);
}

static void *fire(void *arg)
{
	struct rp_qmp *c = arg;

	while (rp_qmp_exec(c, "x", NULL, NULL, NULL) == 0)
		;
	rp_qmp_unref(c);
	return NULL;
}

static void close_under_fire(void **)
{
	struct mock *m = mock_start(NULL, "");

	for (int k = 0; k < 20; k++) {
		struct rp_qmp *c = connect_to(m);
		pthread_t threads[4];

		for (int i = 0; i < 4; i++)
			pthread_create(&threads[i], NULL, fire, rp_qmp_ref(c));
		exec_ok(c, "y");
		rp_qmp_close(c);
		for (int i = 0; i < 4; i++)
			pthread_join(threads[i], NULL);
	}
	mock_stop(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ten_thousand_commands_with_random_cancellations),
		cmocka_unit_test(the_same_with_the_out_of_band_window),
		cmocka_unit_test(close_under_fire),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
