// SPDX-License-Identifier: BSD-3-Clause
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app.h"
#include "base/clock.h"

#define ANY UINT_MAX

int make_arguments(struct rp_qmp *c, const char *command, unsigned n, const char *const *words,
		   json_t **args, struct rp_qmp_error *err)
{
	struct rp_qmp_schema *schema = NULL;
	int rc;

	// A server without a schema gets the values as they look.
	if (rp_qmp_arguments_want_schema(n, words))
		rp_qmp_schema_load(c, &schema, NULL);
	rc = rp_qmp_arguments(schema, command, n, words, args, err);
	rp_qmp_schema_free(schema);
	return rc;
}

// ---- Status, run ----

static int status(struct app *a, struct rp_qmp *c)
{
	struct rp_qmp_error err;
	json_t *ret;

	if (rp_qmp_exec(c, "query-status", NULL, &ret, &err) < 0) {
		if (strcmp(err.class, "CommandNotFound") != 0)
			return report(a, &err);
		ret = json_pack("{s:s,s:b}", "status", "no-machine", "running", 0);
	}
	if (a->json)
		return print_json(a, ret);
	puts(json_string_value(json_object_get(ret, "status")) ?: "unknown");
	json_decref(ret);
	return 0;
}

static int run(struct app *a, struct rp_qmp *c)
{
	struct rp_qmp_request req = {
		.command = a->args[0],
		.timeout_ms = a->timeout_ms,
		.oob = a->oob,
		.force = a->force_large,
		.fds = a->fds,
		.n_fds = a->n_fds,
	};
	struct rp_qmp_error err;
	json_t *ret;
	int rc;

	rc = make_arguments(c, a->args[0], a->n_args - 1, a->args + 1, &req.arguments, &err);
	if (rc == 0)
		rc = rp_qmp_exec_request(c, &req, &ret, &err);
	json_decref(req.arguments);
	return rc < 0 ? report(a, &err) : print_value(a, ret);
}

static int run_request(struct app *a, struct rp_qmp_request *req, struct rp_qmp_error *err)
{
	req->command = a->args[0];
	req->oob = a->oob;
	req->force = a->force_large;
	return rp_qmp_arguments(NULL, a->args[0], a->n_args - 1, a->args + 1, &req->arguments, err);
}

// ---- Events ----

static int event_filter(struct app *a, struct rp_qmp_filter *filter, struct rp_qmp_error *err)
{
	return rp_qmp_arguments(NULL, "filter", a->n_args, a->args, &filter->data, err);
}

static int next_event(struct app *a, struct rp_qmp *c, const struct rp_qmp_filter *filter,
		      unsigned timeout_ms, struct rp_qmp_error *err)
{
	struct rp_qmp_event *e;
	int rc = rp_qmp_wait_event(c, filter, timeout_ms, &e, err);

	if (rc == 0)
		print_event(a, e);
	rp_qmp_event_unref(e);
	return rc;
}

// The end of QEMU is the end of its events, and no failure. A limit in time is a limit asked for.
static int events(struct app *a, struct rp_qmp *c)
{
	struct rp_qmp_filter filter = {.name = a->filter};
	uint64_t deadline_ms = rp_clock_ms() + a->timeout_ms;
	struct rp_qmp_error err;
	int rc = event_filter(a, &filter, &err);

	for (unsigned n = 0; rc == 0 && (a->count == 0 || n < a->count); n++) {
		uint64_t now_ms = rp_clock_ms();
		unsigned left_ms = 0;

		if (a->timeout_ms > 0)
			left_ms = deadline_ms > now_ms ? (unsigned)(deadline_ms - now_ms) : 1;
		rc = next_event(a, c, &filter, left_ms, &err);
	}
	json_decref(filter.data);
	if (rc == 0)
		return 0;
	if (a->count == 0 && (err.kind == RP_QMP_CLOSED ||
			      (err.kind == RP_QMP_TIMEOUT && err.phase == RP_QMP_PHASE_EVENT)))
		return 0;
	return report(a, &err);
}

static int wait_event(struct app *a, struct rp_qmp *c)
{
	struct rp_qmp_filter filter = {.name = *a->args++};
	struct rp_qmp_error err;
	int rc;

	a->n_args--;
	rc = event_filter(a, &filter, &err);
	if (rc == 0)
		rc = next_event(a, c, &filter, a->timeout_ms, &err);
	json_decref(filter.data);
	return rc < 0 ? report(a, &err) : 0;
}

// ---- One command each ----

static int done(struct app *a, int rc, const struct rp_qmp_error *err)
{
	if (rc < 0)
		return report(a, err);
	return a->json ? print_json(a, json_object()) : 0;
}

#define PLAIN_VERB(name, executed)                                                                 \
	static int name(struct app *a, struct rp_qmp *c)                                           \
	{                                                                                          \
		struct rp_qmp_error err;                                                           \
                                                                                                   \
		return done(a, rp_qmp_##name(c, &err), &err);                                      \
	}                                                                                          \
	static int name##_request(struct app *, struct rp_qmp_request *req, struct rp_qmp_error *) \
	{                                                                                          \
		req->command = executed;                                                           \
		return 0;                                                                          \
	}
PLAIN_VERB(stop, "stop")
PLAIN_VERB(cont, "cont")
PLAIN_VERB(system_reset, "system_reset")
PLAIN_VERB(powerdown, "system_powerdown")
PLAIN_VERB(quit, "quit")
#undef PLAIN_VERB

static int status_request(struct app *, struct rp_qmp_request *req, struct rp_qmp_error *)
{
	req->command = "query-status";
	return 0;
}

// The words of a line, with blanks between them as the shell took them away.
static char *join_words(struct app *a)
{
	char *line = strdup("");

	for (unsigned i = 0; i < a->n_args && line != NULL; i++) {
		char *longer = NULL;

		if (asprintf(&longer, "%s%s%s", line, i > 0 ? " " : "", a->args[i]) < 0)
			longer = NULL;
		free(line);
		line = longer;
	}
	return line;
}

static int hmp(struct app *a, struct rp_qmp *c)
{
	char *line = join_words(a), *text;
	struct rp_qmp_error err;
	int rc = rp_qmp_hmp(c, line, &text, &err);

	free(line);
	if (rc < 0)
		return report(a, &err);
	if (a->json)
		print_json(a, json_string(text));
	else
		fputs(text, stdout);
	free(text);
	return 0;
}

static int hmp_request(struct app *a, struct rp_qmp_request *req, struct rp_qmp_error *)
{
	char *line = join_words(a);

	req->command = "human-monitor-command";
	req->arguments = json_pack("{s:s}", "command-line", line);
	free(line);
	return 0;
}

// QEMU writes the file, from its own directory: give it the whole path.
static int screendump(struct app *a, struct rp_qmp *c)
{
	const char *file = a->args[0];
	char path[2 * PATH_MAX], dir[PATH_MAX];
	struct rp_qmp_error err;

	if (file[0] == '/' || getcwd(dir, sizeof(dir)) == NULL)
		snprintf(path, sizeof(path), "%s", file);
	else
		snprintf(path, sizeof(path), "%s/%s", dir, file);
	return done(a, rp_qmp_screendump(c, path, &err), &err);
}

// ---- Commands ----

static void print_member(const struct rp_qmp_schema_member *member, void *)
{
	printf("%s=%s%s\n", member->name, member->type, member->optional ? " (optional)" : "");
}

static void add_member(const struct rp_qmp_schema_member *member, void *list)
{
	json_array_append_new(list, json_pack("{s:s,s:s,s:b}", "name", member->name, "type",
					      member->type, "optional", member->optional));
}

static int command_arguments(struct app *a, struct rp_qmp *c)
{
	struct rp_qmp_schema *schema;
	struct rp_qmp_error err;
	json_t *list = json_array();
	bool known;

	if (rp_qmp_schema_load(c, &schema, &err) < 0) {
		json_decref(list);
		return report(a, &err);
	}
	known = rp_qmp_schema_members(schema, a->args[0], "", a->json ? add_member : print_member,
				      list);
	rp_qmp_schema_free(schema);
	if (known && a->json)
		return print_json(a, list);
	json_decref(list);
	if (known)
		return 0;
	rp_qmp_error_set(&err, RP_QMP_ARGUMENT, RP_QMP_PHASE_NONE, a->args[0],
			 "this server has no such command");
	return report(a, &err);
}

static int commands(struct app *a, struct rp_qmp *c)
{
	struct rp_qmp_error err;
	json_t *names, *name;
	size_t i;

	if (a->n_args == 1)
		return command_arguments(a, c);
	if (rp_qmp_query_commands(c, &names, &err) < 0)
		return report(a, &err);
	if (a->json)
		return print_json(a, names);
	json_array_foreach(names, i, name)
	{
		puts(json_string_value(name));
	}
	json_decref(names);
	return 0;
}

// ---- Shutdown ----

struct rp_qmp_shutdown_opts shutdown_opts(const struct app *a)
{
	struct rp_qmp_shutdown_opts opts = RP_QMP_SHUTDOWN_DEFAULT;

	opts.initial_ms = a->initial_ms;
	opts.retry_ms = a->retry_ms;
	opts.force = !a->no_force;
	opts.pid = a->pid;
	if (a->timeout_ms > 0)
		opts.timeout_ms = a->timeout_ms;
	return opts;
}

int print_shutdown(const struct app *a, const char *socket, const struct rp_qmp_shutdown_result *r)
{
	static const char *const steps[] = {
		[RP_QMP_STEP_NONE] = "still running",
		[RP_QMP_STEP_ALREADY_DOWN] = "was down already",
		[RP_QMP_STEP_POWERDOWN] = "down: the guest powered off",
		[RP_QMP_STEP_QUIT] = "down: by quit",
		[RP_QMP_STEP_TERM] = "down: by SIGTERM",
		[RP_QMP_STEP_KILL] = "down: by SIGKILL",
	};

	if (a->json)
		return print_json(a, json_pack("{s:s,s:s,s:s,s:b,s:i,s:i,s:i}", "socket", socket,
					       "step", rp_qmp_step_name(r->step), "reason",
					       r->reason, "guest", r->guest, "powerdowns",
					       (int)r->powerdowns, "elapsed_ms", (int)r->elapsed_ms,
					       "left_pid", r->left_pid));
	printf("%s: %s%s%s%s, %u.%03u s\n", socket, steps[r->step],
	       r->reason[0] != '\0' ? " (" : "", r->reason, r->reason[0] != '\0' ? ")" : "",
	       r->elapsed_ms / 1000, r->elapsed_ms % 1000);
	if (r->left_pid != 0)
		printf("%s: process %d behind the socket still runs\n", socket, r->left_pid);
	return 0;
}

int run_shutdown(struct app *a)
{
	const struct rp_qmp_shutdown_opts opts = shutdown_opts(a);
	const struct rp_qmp_opts client = client_opts(a);
	struct rp_qmp_shutdown_result result;
	struct rp_qmp_error err;

	if (rp_qmp_shutdown_at(a->socket, &client, &opts, &result, &err) < 0)
		return report(a, &err);
	return print_shutdown(a, a->socket, &result);
}

// ---- The table ----

static const struct verb verbs[] = {
	{"status", "", "is it running?", 0, 0, status, NULL, status_request},
	{"run", "COMMAND [KEY=VALUE...|JSON]", "execute a command of QEMU", 1, ANY, run, NULL,
	 run_request},
	{"events", "[KEY=VALUE...]", "print events as they come", 0, ANY, events, NULL, NULL},
	{"wait", "EVENT [KEY=VALUE...]", "wait for an event and print it", 1, ANY, wait_event, NULL,
	 NULL},
	{"shutdown", "", "power down, then quit, then by --pid", 0, 0, NULL, run_shutdown, NULL},
	{"stop", "", "pause", 0, 0, stop, NULL, stop_request},
	{"cont", "", "go on", 0, 0, cont, NULL, cont_request},
	{"reset", "", "press the reset button", 0, 0, system_reset, NULL, system_reset_request},
	{"powerdown", "", "press the power button", 0, 0, powerdown, NULL, powerdown_request},
	{"quit", "", "end QEMU at once", 0, 0, quit, NULL, quit_request},
	{"hmp", "LINE", "a line of the human monitor", 1, ANY, hmp, NULL, hmp_request},
	{"screendump", "FILE.png", "have QEMU write what the screen shows", 1, 1, screendump, NULL,
	 NULL},
	{"commands", "[COMMAND]", "list commands, or the arguments of one", 0, 1, commands, NULL,
	 NULL},
	{"shell", "", "type commands, with completion", 0, 0, run_shell, NULL, NULL},
};

const struct verb *find_verb(const char *name)
{
	for (unsigned i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	}
	return NULL;
}

void print_verbs(void)
{
	for (unsigned i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		char line[64];

		snprintf(line, sizeof(line), "%s %s", verbs[i].name, verbs[i].args);
		printf("  %-33s %s\n", line, verbs[i].help);
	}
}
