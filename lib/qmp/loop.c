// SPDX-License-Identifier: BSD-3-Clause
// The thread that drives clients.
#include <errno.h>
#include <event2/thread.h>
#include <signal.h>
#include <stdlib.h>

#include "qmp/internal.h"

static __thread const struct rp_qmp_loop *running_loop;

bool rp_qmp_on_loop(const struct rp_qmp_loop *loop)
{
	return running_loop == loop;
}

static void *loop_main(void *arg)
{
	struct rp_qmp_loop *loop = arg;

	running_loop = loop;
	event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY);
	return NULL;
}

static void on_stop(evutil_socket_t, short, void *arg)
{
	struct rp_qmp_loop *loop = arg;

	event_base_loopbreak(loop->base);
}

static pthread_once_t events_once = PTHREAD_ONCE_INIT;

static void events_init(void)
{
	evthread_use_pthreads();
}

struct rp_qmp_loop *rp_qmp_loop_new(void)
{
	struct rp_qmp_loop *loop = calloc(1, sizeof(*loop));
	sigset_t all, before;
	int rc = ENOMEM;

	if (loop == NULL)
		return NULL;
	pthread_once(&events_once, events_init);
	loop->base = event_base_new();
	if (loop->base == NULL)
		goto free_loop;
	loop->stop = event_new(loop->base, -1, 0, on_stop, loop);
	if (loop->stop == NULL)
		goto free_base;
	// The program's signals are for its own threads.
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&loop->thread, NULL, loop_main, loop);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0)
		goto free_stop;
	return loop;
free_stop:
	event_free(loop->stop);
free_base:
	event_base_free(loop->base);
free_loop:
	free(loop);
	errno = rc;
	return NULL;
}

void rp_qmp_loop_free(struct rp_qmp_loop *loop)
{
	if (loop == NULL)
		return;
	event_active(loop->stop, 0, 0);
	pthread_join(loop->thread, NULL);
	event_free(loop->stop);
	event_base_free(loop->base);
	free(loop);
}
