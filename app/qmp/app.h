/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

// What the files of the qmp command share.

#include "qmp/machine.h"
#include "qmp/pool.h"
#include "qmp/schema.h"

enum exit_code {
	EXIT_USAGE = 2,
	EXIT_SOME_FAILED = 12, // --all
};

struct app {
	const char *socket; // or the pattern of --all
	bool all;
	bool json;
	bool pretty;
	bool counters;
	bool oob;
	bool force_large;
	bool no_force;
	bool verbose;
	const char *filter;
	unsigned count;	     // events: stop after so many; 0: never
	unsigned timeout_ms; // 0: the verb's own default
	unsigned connect_ms; // 0: one attempt
	unsigned initial_ms;
	unsigned retry_ms;
	int pid;
	int fds[16];
	unsigned n_fds;
	unsigned n_args; // of the verb
	const char *const *args;
};

struct verb {
	const char *name;
	const char *args; // as the usage shows them
	const char *help;
	unsigned min_args, max_args;
	int (*run)(struct app *a, struct rp_qmp *c); // c: connected
	int (*run_alone)(struct app *a);	     // connects by itself
	// With --all: the command and its arguments (to be released by the caller).
	int (*request)(struct app *a, struct rp_qmp_request *req, struct rp_qmp_error *err);
};

const struct verb *find_verb(const char *name);
void print_verbs(void);

// The exit status that stands for a kind of failure.
int exit_code(enum rp_qmp_kind kind);
// Tell what went wrong, on stderr or, with --json, as an object on stdout. Returns the exit status.
int report(const struct app *a, const struct rp_qmp_error *err);
json_t *error_json(const struct rp_qmp_error *err);

// Print a value as the options say; takes it over. Always 0.
int print_json(const struct app *a, json_t *value);
// The same, but for a person without --json: a string bare, nothing for an empty object.
int print_value(const struct app *a, json_t *value);
void print_event(const struct app *a, const struct rp_qmp_event *e);

void print_counters(const struct rp_qmp_counters *counters); // to stderr

struct rp_qmp_opts client_opts(const struct app *a);
// Arguments by the schema of the server where that makes a difference.
int make_arguments(struct rp_qmp *c, const char *command, unsigned n, const char *const *words,
		   json_t **args, struct rp_qmp_error *err);

int run_all(struct app *a, const struct verb *verb);
int run_shell(struct app *a, struct rp_qmp *c);
int run_shutdown(struct app *a);
int print_shutdown(const struct app *a, const char *socket,
		   const struct rp_qmp_shutdown_result *result);
struct rp_qmp_shutdown_opts shutdown_opts(const struct app *a);
