// SPDX-License-Identifier: BSD-3-Clause
// --all: one verb for every socket that a pattern matches.
#include <glob.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"

static void print_failure(const struct app *a, const char *socket, const struct rp_qmp_error *err)
{
	char text[1280];

	if (a->json)
		print_json(a, json_pack("{s:s,s:o}", "socket", socket, "error", error_json(err)));
	else
		fprintf(stderr, "qmp: %s: %s\n", socket,
			strcmp(err->subject, socket) == 0
				? err->desc
				: rp_qmp_error_text(err, text, sizeof(text)));
}

// ---- Status: a table ----

static bool is_status(const struct rp_qmp_request *req)
{
	return strcmp(req->command, "query-status") == 0;
}

// A server without machines is up all the same.
static void allow_no_machine(struct rp_qmp_pool_result *r)
{
	if (r->ret != NULL || strcmp(r->err.class, "CommandNotFound") != 0)
		return;
	r->ret = json_pack("{s:s,s:b}", "status", "no-machine", "running", 0);
	r->err.kind = RP_QMP_OK;
}

static void print_table(const struct rp_qmp_pool_result *r, long n)
{
	int width = 6;

	for (long i = 0; i < n; i++)
		width = (int)strlen(r[i].name) > width ? (int)strlen(r[i].name) : width;
	printf("%-*s  %-14s  %s\n", width, "SOCKET", "STATUS", "QEMU");
	for (long i = 0; i < n; i++) {
		const struct rp_qmp_version *v = &r[i].version;

		if (r[i].ret == NULL)
			printf("%-*s  %-14s  %s\n", width, r[i].name,
			       rp_qmp_kind_name(r[i].err.kind), r[i].err.desc);
		else
			printf("%-*s  %-14s  %d.%d.%d\n", width, r[i].name,
			       json_string_value(json_object_get(r[i].ret, "status")) ?: "unknown",
			       v->major, v->minor, v->micro);
	}
}

static void print_json_line(const struct app *a, const struct rp_qmp_pool_result *r)
{
	char version[64];

	if (r->ret == NULL) {
		print_failure(a, r->name, &r->err);
		return;
	}
	snprintf(version, sizeof(version), "%d.%d.%d", r->version.major, r->version.minor,
		 r->version.micro);
	print_json(a, json_pack("{s:s,s:s,s:O}", "socket", r->name, "qemu", version, "return",
				r->ret));
}

static void print_text_line(const struct app *a, const struct rp_qmp_pool_result *r)
{
	char *text;

	if (r->ret == NULL) {
		print_failure(a, r->name, &r->err);
		return;
	}
	if (json_is_string(r->ret))
		text = strdup(json_string_value(r->ret));
	else
		text = json_dumps(r->ret, JSON_ENCODE_ANY);
	printf("%s: %s\n", r->name, text);
	free(text);
}

// ---- Any verb that is one command ----

static int fill_pool(struct rp_qmp_pool *pool, const glob_t *found, struct rp_qmp_error *err)
{
	int rc = 0;

	for (size_t i = 0; i < found->gl_pathc && rc == 0; i++)
		rc = rp_qmp_pool_add(pool, found->gl_pathv[i], found->gl_pathv[i], err);
	return rc;
}

static int run_requests(struct app *a, struct rp_qmp_pool *pool, const struct rp_qmp_request *req)
{
	struct rp_qmp_counters counters;
	struct rp_qmp_pool_result *r;
	int rc = 0;
	long n = rp_qmp_pool_exec(pool, req, 0, &r);

	for (long i = 0; i < n; i++) {
		if (is_status(req))
			allow_no_machine(&r[i]);
		if (r[i].err.kind != RP_QMP_OK)
			rc = EXIT_SOME_FAILED;
		if (a->json)
			print_json_line(a, &r[i]);
		else if (!is_status(req))
			print_text_line(a, &r[i]);
	}
	if (is_status(req) && !a->json)
		print_table(r, n);
	if (a->counters) {
		rp_qmp_pool_counters(pool, &counters);
		print_counters(&counters);
	}
	rp_qmp_pool_results_free(r, n);
	return rc;
}

static int run_on_pool(struct app *a, const struct verb *verb, const glob_t *found)
{
	struct rp_qmp_pool_opts opts = {.client = client_opts(a)};
	struct rp_qmp_request req = {.timeout_ms = a->timeout_ms};
	struct rp_qmp_error err;
	struct rp_qmp_pool *pool;
	int rc;

	if (a->timeout_ms > 0 && a->timeout_ms < opts.client.greeting_ms)
		opts.client.greeting_ms = a->timeout_ms;
	pool = rp_qmp_pool_new(&opts);
	if (pool == NULL) {
		perror("qmp: cannot start");
		return EXIT_USAGE;
	}
	rc = verb->request(a, &req, &err);
	if (rc == 0)
		rc = fill_pool(pool, found, &err);
	rc = rc < 0 ? report(a, &err) : run_requests(a, pool, &req);
	json_decref(req.arguments);
	rp_qmp_pool_free(pool);
	return rc;
}

// ---- Shutdown: side by side ----

struct job {
	struct app *a;
	const char *socket;
	pthread_t thread;
	struct rp_qmp_shutdown_result result;
	struct rp_qmp_error err;
	int rc;
};

static void *shut_down(void *arg)
{
	struct job *j = arg;
	const struct rp_qmp_shutdown_opts opts = shutdown_opts(j->a);
	const struct rp_qmp_opts client = client_opts(j->a);

	j->rc = rp_qmp_shutdown_at(j->socket, &client, &opts, &j->result, &j->err);
	return NULL;
}

static int shut_all_down(struct app *a, const glob_t *found)
{
	struct job *jobs = calloc(found->gl_pathc, sizeof(*jobs));
	int rc = 0;

	for (size_t i = 0; i < found->gl_pathc; i++) {
		jobs[i].a = a;
		jobs[i].socket = found->gl_pathv[i];
		if (pthread_create(&jobs[i].thread, NULL, shut_down, &jobs[i]) != 0) {
			perror("qmp: cannot start a thread");
			exit(EXIT_USAGE);
		}
	}
	for (size_t i = 0; i < found->gl_pathc; i++) {
		pthread_join(jobs[i].thread, NULL);
		if (jobs[i].rc == 0) {
			print_shutdown(a, jobs[i].socket, &jobs[i].result);
		} else {
			print_failure(a, jobs[i].socket, &jobs[i].err);
			rc = EXIT_SOME_FAILED;
		}
	}
	free(jobs);
	return rc;
}

int run_all(struct app *a, const struct verb *verb)
{
	bool shutdown = verb->run_alone == run_shutdown;
	glob_t found;
	int rc;

	if ((verb->request == NULL && !shutdown) || a->n_fds > 0 || a->pid != 0) {
		fprintf(stderr, "qmp: --all: not with %s\n",
			a->n_fds > 0  ? "--fd"
			: a->pid != 0 ? "--pid"
				      : verb->name);
		return EXIT_USAGE;
	}
	if (glob(a->socket, 0, NULL, &found) != 0) {
		struct rp_qmp_error err;

		rp_qmp_error_set(&err, RP_QMP_NOT_FOUND, RP_QMP_PHASE_CONNECT, a->socket,
				 "no socket matches; quote the pattern for the shell");
		return report(a, &err);
	}
	rc = shutdown ? shut_all_down(a, &found) : run_on_pool(a, verb, &found);
	globfree(&found);
	return rc;
}
