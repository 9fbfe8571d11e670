// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "qmp/internal.h"

// ---- One event, shared by all who keep it ----

// The JSON value stays inside and is only read, so that its plain reference count is never raced.
struct shared_event {
	struct rp_qmp_event e; // first: it is what users see
	atomic_uint refs;
	json_t *message;
	json_t *empty; // where the message has no data
};

static struct shared_event *shared(const struct rp_qmp_event *e)
{
	return (struct shared_event *)(uintptr_t)e;
}

struct rp_qmp_event *rp_qmp_event_ref(const struct rp_qmp_event *e)
{
	atomic_fetch_add(&shared(e)->refs, 1);
	return &shared(e)->e;
}

void rp_qmp_event_unref(struct rp_qmp_event *e)
{
	if (e == NULL || atomic_fetch_sub(&shared(e)->refs, 1) != 1)
		return;
	json_decref(shared(e)->message);
	json_decref(shared(e)->empty);
	free(shared(e));
}

static struct rp_qmp_event *event_new_from(const json_t *message)
{
	struct shared_event *s = calloc(1, sizeof(*s));
	const json_t *stamp;

	if (s == NULL)
		return NULL;
	atomic_init(&s->refs, 1);
	s->message = json_deep_copy(message);
	s->empty = json_object();
	if (s->message == NULL || s->empty == NULL) {
		rp_qmp_event_unref(&s->e);
		return NULL;
	}
	stamp = json_object_get(s->message, "timestamp");
	s->e.name = json_string_value(json_object_get(s->message, "event"));
	s->e.data = json_object_get(s->message, "data");
	if (!json_is_object(s->e.data))
		s->e.data = s->empty;
	s->e.seconds = json_integer_value(json_object_get(stamp, "seconds"));
	s->e.microseconds = json_integer_value(json_object_get(stamp, "microseconds"));
	return &s->e;
}

// Every member of want is in have; objects in objects by the same rule.
static bool contains(const json_t *have, const json_t *want)
{
	const char *key;
	json_t *value;

	if (!json_is_object(want) || !json_is_object(have))
		return json_equal(have, want);
	json_object_foreach((json_t *)(uintptr_t)want, key, value)
	{
		const json_t *there = json_object_get(have, key);

		if (there == NULL || !contains(there, value))
			return false;
	}
	return true;
}

bool rp_qmp_event_match(const struct rp_qmp_event *e, const struct rp_qmp_filter *filter)
{
	if (filter == NULL)
		return true;
	if (filter->name != NULL && fnmatch(filter->name, e->name, 0) != 0)
		return false;
	return filter->data == NULL || contains(e->data, filter->data);
}

// ---- Queues ----

struct rp_qmp_queue *rp_qmp_queue_new(struct rp_qmp *c, size_t capacity)
{
	struct rp_qmp_queue *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return NULL;
	q->c = c;
	q->capacity = capacity > 0 ? capacity : 1;
	TAILQ_INIT(&q->events);
	rp_qmp_cond_init(&q->arrived);
	TAILQ_INSERT_TAIL(&c->queues, q, link);
	return q;
}

static struct rp_qmp_event *queue_take(struct rp_qmp_queue *q, struct event_node *node)
{
	struct rp_qmp_event *e = node->e;

	TAILQ_REMOVE(&q->events, node, link);
	q->n--;
	free(node);
	return e;
}

void rp_qmp_queue_free(struct rp_qmp_queue *q)
{
	while (!TAILQ_EMPTY(&q->events))
		rp_qmp_event_unref(queue_take(q, TAILQ_FIRST(&q->events)));
	pthread_cond_destroy(&q->arrived);
	free(q);
}

struct rp_qmp_queue *rp_qmp_queue_open(struct rp_qmp *c, size_t capacity)
{
	struct rp_qmp_queue *q;

	pthread_mutex_lock(&c->lock);
	q = rp_qmp_queue_new(c, capacity);
	pthread_mutex_unlock(&c->lock);
	if (q == NULL)
		errno = ENOMEM;
	else
		rp_qmp_ref(c);
	return q;
}

void rp_qmp_queue_close(struct rp_qmp_queue *q)
{
	struct rp_qmp *c;

	if (q == NULL)
		return;
	c = q->c;
	pthread_mutex_lock(&c->lock);
	TAILQ_REMOVE(&c->queues, q, link);
	pthread_mutex_unlock(&c->lock);
	rp_qmp_queue_free(q);
	rp_qmp_unref(c);
}

static void queue_add(struct rp_qmp_queue *q, struct rp_qmp_event *e)
{
	struct event_node *node = malloc(sizeof(*node));

	if (q->n == q->capacity || node == NULL) {
		q->dropped++;
		q->c->counters.events_dropped++;
		if (node == NULL)
			return;
		rp_qmp_event_unref(queue_take(q, TAILQ_FIRST(&q->events)));
	}
	node->e = rp_qmp_event_ref(e);
	TAILQ_INSERT_TAIL(&q->events, node, link);
	q->n++;
	pthread_cond_broadcast(&q->arrived);
}

static struct event_node *queue_find(struct rp_qmp_queue *q, const struct rp_qmp_filter *filter)
{
	struct event_node *node;

	TAILQ_FOREACH (node, &q->events, link) {
		if (rp_qmp_event_match(node->e, filter))
			return node;
	}
	return NULL;
}

int rp_qmp_queue_wait_until(struct rp_qmp_queue *q, const struct rp_qmp_filter *filter,
			    uint64_t deadline_ms, uint64_t losses, struct rp_qmp_event **e,
			    struct rp_qmp_error *err)
{
	const char *name = filter != NULL && filter->name != NULL ? filter->name : "event";
	struct rp_qmp *c = q->c;
	struct event_node *node;
	bool in_time = true;
	int rc = 0;

	*e = NULL;
	if (rp_qmp_on_loop(c->loop))
		return rp_qmp_error_set(err, RP_QMP_ARGUMENT, RP_QMP_PHASE_EVENT, name,
					"a callback may not wait");
	pthread_mutex_lock(&c->lock);
	for (;;) {
		node = queue_find(q, filter);
		if (node != NULL || !in_time || c->state == RP_QMP_ENDED ||
		    c->counters.losses > losses)
			break;
		in_time = rp_qmp_cond_wait_until(&q->arrived, &c->lock, deadline_ms);
	}
	if (node != NULL) {
		*e = queue_take(q, node);
	} else if (!in_time) {
		rc = rp_qmp_error_set(err, RP_QMP_TIMEOUT, RP_QMP_PHASE_EVENT, name,
				      "no such event in time");
	} else {
		rc = -rp_qmp_kind_errno(c->cause.kind);
		if (err != NULL)
			*err = c->cause;
	}
	pthread_mutex_unlock(&c->lock);
	return rc;
}

int rp_qmp_queue_wait(struct rp_qmp_queue *q, const struct rp_qmp_filter *filter,
		      unsigned timeout_ms, struct rp_qmp_event **e, struct rp_qmp_error *err)
{
	return rp_qmp_queue_wait_until(q, filter, rp_qmp_deadline_in(timeout_ms), UINT64_MAX, e,
				       err);
}

uint64_t rp_qmp_queue_dropped(struct rp_qmp_queue *q)
{
	uint64_t dropped;

	pthread_mutex_lock(&q->c->lock);
	dropped = q->dropped;
	pthread_mutex_unlock(&q->c->lock);
	return dropped;
}

int rp_qmp_wait_event(struct rp_qmp *c, const struct rp_qmp_filter *filter, unsigned timeout_ms,
		      struct rp_qmp_event **e, struct rp_qmp_error *err)
{
	if (c->events != NULL)
		return rp_qmp_queue_wait(c->events, filter, timeout_ms, e, err);
	return rp_qmp_error_set(err, RP_QMP_ARGUMENT, RP_QMP_PHASE_EVENT, c->address.text,
				"the client was opened with event_queue 0");
}

void rp_qmp_queues_wake(struct rp_qmp *c)
{
	struct rp_qmp_queue *q;

	TAILQ_FOREACH (q, &c->queues, link)
		pthread_cond_broadcast(&q->arrived);
}

// ---- Callbacks ----

void rp_qmp_watch_free(struct rp_qmp_watch *w)
{
	free(w->name);
	json_decref(w->filter.data);
	free(w);
}

struct rp_qmp_watch *rp_qmp_watch(struct rp_qmp *c, const struct rp_qmp_filter *filter,
				  rp_qmp_event_fn fn, void *arg)
{
	struct rp_qmp_watch *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->fn = fn;
	w->arg = arg;
	if (filter != NULL) {
		w->name = filter->name != NULL ? strdup(filter->name) : NULL;
		w->filter.name = w->name;
		w->filter.data = json_deep_copy(filter->data);
		if ((filter->name != NULL && w->name == NULL) ||
		    (filter->data != NULL && w->filter.data == NULL)) {
			rp_qmp_watch_free(w);
			errno = ENOMEM;
			return NULL;
		}
	}
	pthread_mutex_lock(&c->lock);
	TAILQ_INSERT_TAIL(&c->watches, w, link);
	pthread_mutex_unlock(&c->lock);
	return w;
}

void rp_qmp_unwatch(struct rp_qmp *c, struct rp_qmp_watch *w)
{
	if (w == NULL)
		return;
	pthread_mutex_lock(&c->lock);
	if (rp_qmp_on_loop(c->loop) && w->running) {
		w->gone = true;
		w = NULL;
	} else {
		while (w->running)
			pthread_cond_wait(&c->changed, &c->lock);
		TAILQ_REMOVE(&c->watches, w, link);
	}
	pthread_mutex_unlock(&c->lock);
	if (w != NULL)
		rp_qmp_watch_free(w);
}

static void run_watches(struct rp_qmp *c, const struct rp_qmp_event *e)
{
	struct rp_qmp_watch *w, *next;

	for (w = TAILQ_FIRST(&c->watches); w != NULL; w = next) {
		if (rp_qmp_event_match(e, &w->filter)) {
			w->running = true;
			pthread_mutex_unlock(&c->lock);
			w->fn(c, e, w->arg);
			pthread_mutex_lock(&c->lock);
			w->running = false;
			pthread_cond_broadcast(&c->changed);
		}
		next = TAILQ_NEXT(w, link);
		if (w->gone) {
			TAILQ_REMOVE(&c->watches, w, link);
			rp_qmp_watch_free(w);
		}
	}
}

void rp_qmp_event_arrived(struct rp_qmp *c, const json_t *message)
{
	struct rp_qmp_event *e = event_new_from(message);
	struct rp_qmp_queue *q;

	pthread_mutex_lock(&c->lock);
	c->counters.events++;
	if (e == NULL)
		c->counters.events_dropped++;
	else {
		TAILQ_FOREACH (q, &c->queues, link)
			queue_add(q, e);
		run_watches(c, e);
	}
	pthread_mutex_unlock(&c->lock);
	rp_qmp_event_unref(e);
}
