// SPDX-License-Identifier: BSD-3-Clause
#include "client.h"

#include "base/clock.h"
#include "base/unix.h"

#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static int get_features(int sock, unsigned int timeout_ms, struct rp_error *err)
{
	struct rp_vhu_msg msg = {.request = RP_VHU_GET_FEATURES};

	return rp_vhu_call(sock, &msg, 0, timeout_ms, err);
}

static void show(const struct client *cl, double *us, unsigned int n, double seconds,
		 unsigned int failed)
{
	if (cl->json)
		printf("{\"count\": %u, \"failed\": %u, \"seconds\": %.6f, \"min_us\": %.1f, "
		       "\"median_us\": %.1f, \"p99_us\": %.1f}\n",
		       n, failed, seconds, client_share(us, n, 0), client_share(us, n, 0.5),
		       client_share(us, n, 0.99));
	else
		printf("%u in %.3f s (%.0f a second), %u failed; us: min %.1f, median %.1f, p99 "
		       "%.1f\n",
		       n, seconds, n / seconds, failed, client_share(us, n, 0),
		       client_share(us, n, 0.5), client_share(us, n, 0.99));
}

int client_ping(const struct client *cl, int argc, char **argv)
{
	static const struct option options[] = {{"count", required_argument, NULL, 'c'}, {0}};
	unsigned int count = 1000, n = 0;
	struct rp_error err;
	uint64_t start;
	double *us;
	int o, sock;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (o != 'c')
			return 2;
		count = (unsigned int)client_number("--count", optarg, 100000000);
	}
	us = calloc(count + 1, sizeof(*us));
	sock = us != NULL ? rp_unix_connect(cl->socket, cl->timeout_ms, &err) : -ENOMEM;
	if (sock < 0) {
		free(us);
		return client_failed(&err);
	}
	start = rp_clock_ns();
	for (n = 0; n < count; n++) {
		uint64_t before = rp_clock_ns();

		if (get_features(sock, cl->timeout_ms, &err) < 0)
			break;
		us[n] = (double)(rp_clock_ns() - before) / 1000;
	}
	if (n > 0)
		show(cl, us, n, (double)(rp_clock_ns() - start) / 1e9, count - n);
	close(sock);
	free(us);
	return n < count ? client_failed(&err) : 0;
}

// One of P threads that connect R times each.
struct worker {
	const struct client *cl;
	pthread_t thread;
	unsigned int repeat;
	unsigned int failed;
	double *us; // room for repeat
	struct rp_error err;
};

static void *work(void *arg)
{
	struct worker *w = arg;
	unsigned int n = 0;

	for (unsigned int i = 0; i < w->repeat; i++) {
		uint64_t before = rp_clock_ns();
		int sock = rp_unix_connect(w->cl->socket, w->cl->timeout_ms, &w->err);
		int rc = sock < 0 ? sock : get_features(sock, w->cl->timeout_ms, &w->err);

		if (sock >= 0)
			close(sock);
		if (rc < 0)
			w->failed++;
		else
			w->us[n++] = (double)(rp_clock_ns() - before) / 1000;
	}
	return NULL;
}

static int run_workers(const struct client *cl, struct worker *w, unsigned int parallel,
		       unsigned int repeat, double *us)
{
	uint64_t start = rp_clock_ns();
	unsigned int failed = 0, started, n = 0;
	int rc = 0;

	for (started = 0; started < parallel; started++) {
		w[started] = (struct worker){
			.cl = cl, .repeat = repeat, .us = us + (size_t)started * repeat};
		if (pthread_create(&w[started].thread, NULL, work, &w[started]) != 0)
			break;
	}
	for (unsigned int i = 0; i < started; i++) {
		pthread_join(w[i].thread, NULL);
		failed += w[i].failed;
		if (w[i].failed > 0)
			rc = client_failed(&w[i].err);
		// Close the gaps that failures left.
		for (unsigned int k = 0; k < repeat - w[i].failed; k++)
			us[n++] = w[i].us[k];
	}
	if (n > 0)
		show(cl, us, n, (double)(rp_clock_ns() - start) / 1e9, failed);
	return started < parallel ? 1 : rc;
}

int client_connect(const struct client *cl, int argc, char **argv)
{
	static const struct option options[] = {{"repeat", required_argument, NULL, 'r'},
						{"parallel", required_argument, NULL, 'p'},
						{0}};
	unsigned int repeat = 1000, parallel = 1;
	struct worker *workers;
	double *us;
	int o, rc = 1;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (o == 'r')
			repeat = (unsigned int)client_number("--repeat", optarg, 10000000);
		else if (o == 'p')
			parallel = (unsigned int)client_number("--parallel", optarg, 256);
		else
			return 2;
	}
	workers = calloc(parallel + 1, sizeof(*workers));
	us = calloc((size_t)repeat * parallel + 1, sizeof(*us));
	if (workers != NULL && us != NULL)
		rc = run_workers(cl, workers, parallel, repeat, us);
	free(workers);
	free(us);
	return rc;
}
