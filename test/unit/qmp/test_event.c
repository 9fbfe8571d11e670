// SPDX-License-Identifier: BSD-3-Clause
#include "util.h"

#include <pthread.h>

static void take(struct rp_qmp_queue *q, const struct rp_qmp_filter *filter, const char *name)
{
	struct rp_qmp_error err;
	struct rp_qmp_event *e;

	if (rp_qmp_queue_wait(q, filter, 5000, &e, &err) != 0)
		fail_msg("%s: %s", name, err.desc);
	assert_string_equal(e->name, name);
	rp_qmp_event_unref(e);
}

static void event_before_the_greeting_is_kept(void **)
{
	struct mock *m = mock_start(NULL, "on accept\nevent RESUME\ngreet");
	struct rp_qmp *c = connect_to(m);
	const struct rp_qmp_filter filter = {.name = "RESUME"};
	struct rp_qmp_event *e;

	assert_int_equal(rp_qmp_wait_event(c, &filter, 5000, &e, NULL), 0);
	assert_int_equal(e->seconds, 1700000000);
	assert_int_equal(e->microseconds, 5);
	assert_int_equal(json_object_size(e->data), 0);
	rp_qmp_event_unref(e);
	rp_qmp_close(c);
	mock_stop(m);
}

static void event_before_the_reply_of_its_command(void **)
{
	struct mock *m = mock_start(NULL, "on stop\nevent STOP\nreturn {}");
	struct rp_qmp *c = connect_to(m);
	struct rp_qmp_queue *q = rp_qmp_queue_open(c, 4);

	exec_ok(c, "stop");
	take(q, NULL, "STOP");
	rp_qmp_queue_close(q);
	rp_qmp_close(c);
	mock_stop(m);
}

static void others_stay_in_the_queue_in_order(void **)
{
	struct mock *m = mock_start(NULL, "on x\nevent A\nevent B\nevent C\nreturn {}");
	struct rp_qmp *c = connect_to(m);
	struct rp_qmp_queue *q = rp_qmp_queue_open(c, 4);

	exec_ok(c, "x");
	take(q, &(struct rp_qmp_filter){.name = "B"}, "B");
	take(q, NULL, "A");
	take(q, NULL, "C");
	rp_qmp_queue_close(q);
	rp_qmp_close(c);
	mock_stop(m);
}

static void full_queue_drops_the_oldest_and_counts(void **)
{
	struct mock *m = mock_start(NULL, "on x\nevent A\nevent B\nevent C\nevent D\nreturn {}");
	struct rp_qmp *c = connect_to(m);
	struct rp_qmp_queue *q = rp_qmp_queue_open(c, 2);
	struct rp_qmp_counters n;

	exec_ok(c, "x");
	assert_int_equal(rp_qmp_queue_dropped(q), 2);
	take(q, NULL, "C");
	take(q, NULL, "D");
	rp_qmp_counters(c, &n);
	assert_int_equal(n.events, 4);
	assert_int_equal(n.events_dropped, 2);
	rp_qmp_queue_close(q);
	rp_qmp_close(c);
	mock_stop(m);
}

static void filter_by_pattern_and_data(void **)
{
	struct mock *m = mock_start(
		NULL, "on x\nevent DEVICE_DELETED {\"device\":\"a\",\"path\":\"/p\"}\n"
		      "event JOB {\"job\":{\"id\":1,\"x\":2}}\n"
		      "event DEVICE_DELETED {\"device\":\"b\",\"path\":\"/p\"}\nreturn {}");
	struct rp_qmp *c = connect_to(m);
	struct rp_qmp_filter filter = {.name = "DEVICE_*"};
	struct rp_qmp_event *e;

	exec_ok(c, "x");
	filter.data = json_pack("{s:s}", "device", "b");
	assert_int_equal(rp_qmp_wait_event(c, &filter, 5000, &e, NULL), 0);
	assert_string_equal(json_string_value(json_object_get(e->data, "device")), "b");
	rp_qmp_event_unref(e);
	json_decref(filter.data);

	filter.name = NULL;
	filter.data = json_pack("{s:{s:i}}", "job", "id", 1);
	assert_int_equal(rp_qmp_wait_event(c, &filter, 5000, &e, NULL), 0);
	assert_string_equal(e->name, "JOB");
	rp_qmp_event_unref(e);
	json_decref(filter.data);

	filter.data = json_pack("{s:s}", "device", "c");
	assert_int_equal(rp_qmp_wait_event(c, &filter, 30, &e, NULL), -ETIMEDOUT);
	json_decref(filter.data);
	rp_qmp_close(c);
	mock_stop(m);
}

static void wait_ends_with_the_connection(void **)
{
	struct mock *m = mock_start(NULL, "on x\nevent LAST\nclose");
	struct rp_qmp *c = connect_to(m);
	struct rp_qmp_error err;
	struct rp_qmp_event *e;

	exec_fails(c, "x", RP_QMP_CLOSED);
	assert_int_equal(rp_qmp_wait_event(c, NULL, 0, &e, NULL), 0);
	assert_string_equal(e->name, "LAST");
	rp_qmp_event_unref(e);
	assert_int_equal(rp_qmp_wait_event(c, NULL, 0, &e, &err), -ENOTCONN);
	assert_kind(&err, RP_QMP_CLOSED);
	assert_null(e);
	rp_qmp_close(c);
	mock_stop(m);
}

// ---- Callbacks ----

struct seen {
	unsigned n;
	char last[32];
	struct rp_qmp_watch *self; // removes itself when set
	struct rp_qmp_event *kept;
};

static void see(struct rp_qmp *c, const struct rp_qmp_event *e, void *arg)
{
	struct seen *s = arg;

	s->n++;
	snprintf(s->last, sizeof(s->last), "%s", e->name);
	rp_qmp_event_unref(s->kept);
	s->kept = rp_qmp_event_ref(e);
	if (s->self != NULL)
		rp_qmp_unwatch(c, s->self);
}

static void callback_sees_what_it_filters_for(void **)
{
	struct mock *m = mock_start(NULL, "on x\nevent A\nevent AB\nevent B\nreturn {}");
	struct rp_qmp *c = connect_to(m);
	struct seen all = {0}, some = {0}, once = {0};
	struct rp_qmp_watch *w = rp_qmp_watch(c, NULL, see, &all);

	rp_qmp_watch(c, &(struct rp_qmp_filter){.name = "A*"}, see, &some);
	once.self = rp_qmp_watch(c, NULL, see, &once);
	exec_ok(c, "x");
	rp_qmp_unwatch(c, w);
	exec_ok(c, "x");
	rp_qmp_close(c);
	assert_int_equal(all.n, 3);
	assert_string_equal(all.last, "B");
	assert_int_equal(some.n, 4);
	assert_int_equal(once.n, 1);
	assert_string_equal(once.kept->name, "A");
	rp_qmp_event_unref(all.kept);
	rp_qmp_event_unref(some.kept);
	rp_qmp_event_unref(once.kept);
	mock_stop(m);
}

static void slow_see(struct rp_qmp *, const struct rp_qmp_event *, void *arg)
{
	const struct timespec ts = {.tv_nsec = 50000000};

	nanosleep(&ts, NULL);
	*(int *)arg = 1;
}

static void unwatch_waits_for_a_running_callback(void **)
{
	struct mock *m = mock_start(NULL, "on x\nreturn {}\nevent A");
	struct rp_qmp *c = connect_to(m);
	struct rp_qmp_queue *q = rp_qmp_queue_open(c, 4);
	int done = 0;
	struct rp_qmp_watch *w = rp_qmp_watch(c, NULL, slow_see, &done);

	exec_ok(c, "x");
	take(q, NULL, "A"); // queues get an event before callbacks do
	rp_qmp_unwatch(c, w);
	assert_int_equal(done, 1);
	rp_qmp_queue_close(q);
	rp_qmp_close(c);
	mock_stop(m);
}

static void *wait_for_a(void *arg)
{
	take(arg, &(struct rp_qmp_filter){.name = "A"}, "A");
	return NULL;
}

static void several_threads_wait_on_their_queues(void **)
{
	struct mock *m = mock_start(NULL, "");
	struct rp_qmp *c = connect_to(m);
	struct rp_qmp_queue *q[4];
	pthread_t t[4];

	for (int i = 0; i < 4; i++) {
		q[i] = rp_qmp_queue_open(c, 4);
		pthread_create(&t[i], NULL, wait_for_a, q[i]);
	}
	mock_do(m, "event B\nevent A");
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], NULL);
		take(q[i], NULL, "B");
		rp_qmp_queue_close(q[i]);
	}
	rp_qmp_close(c);
	mock_stop(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(event_before_the_greeting_is_kept),
		cmocka_unit_test(event_before_the_reply_of_its_command),
		cmocka_unit_test(others_stay_in_the_queue_in_order),
		cmocka_unit_test(full_queue_drops_the_oldest_and_counts),
		cmocka_unit_test(filter_by_pattern_and_data),
		cmocka_unit_test(wait_ends_with_the_connection),
		cmocka_unit_test(callback_sees_what_it_filters_for),
		cmocka_unit_test(unwatch_waits_for_a_running_callback),
		cmocka_unit_test(several_threads_wait_on_their_queues),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
