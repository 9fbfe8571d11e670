// SPDX-License-Identifier: BSD-3-Clause
// ringctl: the command line of ringplane's control socket. Options and exit codes:
// doc/man/ringctl.1.
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/lines.h"
#include "control/text.h"
#include "ringctl.h"

#define TIMEOUT_MS 10000

enum { OPT_COMPLETE = 256, OPT_VERSION };

static const struct option options[] = {
	{"socket", required_argument, NULL, 's'},
	{"json", no_argument, NULL, 'j'},
	{"file", required_argument, NULL, 'f'},
	{"help", no_argument, NULL, 'h'},
	{"complete", no_argument, NULL, OPT_COMPLETE},
	{"version", no_argument, NULL, OPT_VERSION},
	{0},
};

int ringctl_connect(struct ringctl *ctl, unsigned int timeout_ms, struct rp_error *err)
{
	if (ctl->client == NULL)
		ctl->client = rp_rpc_client_new(ctl->socket, timeout_ms, err);
	return ctl->client != NULL ? 0 : -err->code;
}

static void print_json(json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);

	puts(text != NULL ? text : "null");
	free(text);
}

static void print_result(const struct ringctl *ctl, const struct rp_call *call, json_t *result)
{
	if (ctl->json)
		print_json(result);
	else if (json_is_object(result) || json_is_array(result))
		rp_text_print(stdout, result, call->command->columns, ctl->color);
	fflush(stdout);
}

// A command as a line; on failure *column is where in it.
static int run_line(void *arg, const char *line, uint16_t *column, struct rp_error *err)
{
	struct ringctl *ctl = arg;
	static struct rp_call call;
	json_t *result = NULL;
	int rc = rp_command_parse(line, &call, err);

	*column = call.error_column;
	ctl->misused = rc < 0;
	if (rc < 0 || call.command == NULL)
		return rc;
	rc = ringctl_connect(ctl, TIMEOUT_MS, err);
	if (rc == 0)
		rc = rp_rpc_client_call(ctl->client, call.command->method, rp_call_to_json(&call),
					&result, err);
	if (rc < 0) {
		*column = rp_call_error_column(&call, err);
		return rc;
	}
	if (call.command->id == RP_METHOD_events_subscribe)
		rc = ringctl_events(ctl, err);
	else
		print_result(ctl, &call, result);
	json_decref(result);
	return rc;
}

static int run_words(struct ringctl *ctl, char *const *words, int n, struct rp_error *err)
{
	char *line = NULL;
	uint16_t column;
	size_t len;
	FILE *out = open_memstream(&line, &len);
	int rc;

	if (out == NULL)
		return rp_error_set(err, ENOMEM, NULL, NULL, "out of memory");
	for (int i = 0; i < n; i++) {
		rp_word_print(out, words[i]);
		fputc(i + 1 < n ? ' ' : '\n', out);
	}
	fclose(out);
	rc = run_line(ctl, line, &column, err);
	free(line);
	return rc;
}

static void print_error(const struct ringctl *ctl, const struct rp_error *err)
{
	char text[700];
	json_t *json;

	rp_error_text(err, text, sizeof(text));
	if (!ctl->json) {
		fprintf(stderr, "ringctl: %s\n", text);
		return;
	}
	json = json_pack("{s:{s:s, s:s*, s:s, s:s, s:s}}", "error", "message", text, "errno",
			 strerrorname_np(err->code), "field", err->field, "value", err->value,
			 "expected", err->expected);
	json_dumpf(json, stderr, JSON_COMPACT);
	fputc('\n', stderr);
	json_decref(json);
}

static int misuse(const char *what)
{
	fprintf(stderr, "ringctl: %s; see ringctl --help\n", what);
	return 2;
}

static int run(struct ringctl *ctl, const char *file, char *const *words, int n)
{
	struct rp_error err = {0};
	int rc;

	if (file != NULL && n > 0)
		return misuse("a command or --file, not both");
	if (file == NULL && n == 0) {
		if (isatty(STDIN_FILENO))
			return misuse("a command is missing");
		file = "-";
	}
	rc = file != NULL ? rp_lines_run_file(file, run_line, ctl, &err)
			  : run_words(ctl, words, n, &err);
	rp_rpc_client_free(ctl->client);
	if (rc == 0)
		return 0;
	print_error(ctl, &err);
	return ctl->misused ? 2 : 1;
}

int main(int argc, char **argv)
{
	struct ringctl ctl = {.socket = getenv("RINGPLANE_CONTROL")};
	const char *file = NULL;
	int c;

	signal(SIGPIPE, SIG_IGN);
	if (ctl.socket == NULL)
		ctl.socket = RINGCTL_DEFAULT_SOCKET;
	ctl.color = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL;
	while ((c = getopt_long(argc, argv, "+s:jf:h", options, NULL)) != -1) {
		switch (c) {
		case 's':
			ctl.socket = optarg;
			break;
		case 'j':
			ctl.json = true;
			break;
		case 'f':
			file = optarg;
			break;
		case 'h':
			ringctl_help(argv[optind]);
			return 0;
		case OPT_COMPLETE:
			ringctl_complete(&ctl, argv + optind, argc - optind);
			return 0;
		case OPT_VERSION:
			printf("ringctl %s\n", RP_VERSION);
			return 0;
		default:
			return 2;
		}
	}
	return run(&ctl, file, argv + optind, argc - optind);
}
