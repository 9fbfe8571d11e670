// SPDX-License-Identifier: BSD-3-Clause
// qmp: talk to the monitor of QEMU or qemu-storage-daemon. Options and exit codes: doc/man/qmp.1.
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"

enum {
	OPT_ALL = 256,
	OPT_CONNECT_TIMEOUT,
	OPT_COUNT,
	OPT_COUNTERS,
	OPT_FD,
	OPT_FILTER,
	OPT_FORCE_LARGE,
	OPT_INITIAL_WAIT,
	OPT_NO_FORCE,
	OPT_OOB,
	OPT_PID,
	OPT_RETRY,
	OPT_VERSION,
};

static const struct option options[] = {
	{"all", required_argument, NULL, OPT_ALL},
	{"connect-timeout", required_argument, NULL, OPT_CONNECT_TIMEOUT},
	{"count", required_argument, NULL, OPT_COUNT},
	{"counters", no_argument, NULL, OPT_COUNTERS},
	{"fd", required_argument, NULL, OPT_FD},
	{"filter", required_argument, NULL, OPT_FILTER},
	{"force-large", no_argument, NULL, OPT_FORCE_LARGE},
	{"help", no_argument, NULL, 'h'},
	{"initial-wait", required_argument, NULL, OPT_INITIAL_WAIT},
	{"json", no_argument, NULL, 'j'},
	{"no-force", no_argument, NULL, OPT_NO_FORCE},
	{"oob", no_argument, NULL, OPT_OOB},
	{"pid", required_argument, NULL, OPT_PID},
	{"pretty", no_argument, NULL, 'p'},
	{"retry", required_argument, NULL, OPT_RETRY},
	{"timeout", required_argument, NULL, 't'},
	{"verbose", no_argument, NULL, 'v'},
	{"version", no_argument, NULL, OPT_VERSION},
	{0},
};

static void usage(void)
{
	printf("usage: qmp [OPTION]... SOCKET VERB [ARGUMENT]...\n"
	       "       qmp [OPTION]... --all PATTERN VERB [ARGUMENT]...\n"
	       "Talk to the monitor of QEMU or qemu-storage-daemon.\n"
	       "SOCKET: a path, unix:PATH or tcp:HOST:PORT\n\nVerbs:\n");
	print_verbs();
	printf("\nOptions:\n"
	       "  -j, --json             results, events and errors as JSON, one value a line\n"
	       "  -p, --pretty           JSON over several lines\n"
	       "  -t, --timeout S        for a reply (10), a guest to power down (30), an event\n"
	       "      --connect-timeout S  try for so long to connect; default: one attempt\n"
	       "      --all PATTERN      every socket that the pattern matches, at once\n"
	       "      --filter PATTERN   events: only those whose name matches\n"
	       "      --count N          events: end after so many\n"
	       "      --initial-wait S   shutdown: from the first powerdown to the second (3)\n"
	       "      --retry S          shutdown: between later ones (3); 0: only one\n"
	       "      --no-force         shutdown: leave it running if the guest does not obey\n"
	       "      --pid PID          shutdown: the process to end if quit does not help\n"
	       "      --fd N             run: pass the open descriptor N along\n"
	       "      --oob              run: execute out of band\n"
	       "      --force-large      run: send even more than 1 MiB\n"
	       "      --counters         print counters and latencies to stderr at the end\n"
	       "  -v, --verbose          log what the connection does\n"
	       "  -h, --help\n"
	       "      --version\n\n"
	       "Exit status: 0 done, 1 QEMU says no, 2 wrong usage, 3 not found, 4 permission,\n"
	       "5 refused, 6 busy, 7 timeout, 8 closed, 9 reset, 10 protocol, 11 cancelled,\n"
	       "12 some of --all failed.\n");
}

// ---- Options ----

static int bad_option(const char *option, const char *value, const char *expected)
{
	fprintf(stderr, "qmp: %s '%s': expected %s\n", option, value, expected);
	exit(EXIT_USAGE);
}

static unsigned seconds(const char *option, const char *text)
{
	char *end;
	double s = strtod(text, &end);

	if (end == text || *end != '\0' || !(s >= 0 && s <= 1000000))
		bad_option(option, text, "seconds, such as 2.5");
	return (unsigned)(s * 1000 + 0.5);
}

static unsigned positive_seconds(const char *option, const char *text)
{
	unsigned ms = seconds(option, text);

	if (ms == 0)
		bad_option(option, text, "more than 0 seconds");
	return ms;
}

static int number(const char *option, const char *text, long max)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (end == text || *end != '\0' || errno != 0 || n < 0 || n > max)
		bad_option(option, text, "a whole number");
	return (int)n;
}

static void add_fd(struct app *a, const char *text)
{
	if (a->n_fds == sizeof(a->fds) / sizeof(a->fds[0]))
		bad_option("--fd", text, "at most 16 descriptors");
	a->fds[a->n_fds++] = number("--fd", text, 1 << 20);
}

static void set_time(struct app *a, int option, const char *text)
{
	switch (option) {
	case 't':
		a->timeout_ms = positive_seconds("--timeout", text);
		break;
	case OPT_CONNECT_TIMEOUT:
		a->connect_ms = seconds("--connect-timeout", text);
		break;
	case OPT_INITIAL_WAIT:
		a->initial_ms = seconds("--initial-wait", text);
		break;
	default:
		a->retry_ms = seconds("--retry", text);
		break;
	}
}

static void set_flag(struct app *a, int option)
{
	switch (option) {
	case 'j':
		a->json = true;
		break;
	case 'p':
		a->json = true;
		a->pretty = true;
		break;
	case 'v':
		a->verbose = true;
		break;
	case OPT_COUNTERS:
		a->counters = true;
		break;
	case OPT_FORCE_LARGE:
		a->force_large = true;
		break;
	case OPT_NO_FORCE:
		a->no_force = true;
		break;
	default:
		a->oob = true;
		break;
	}
}

static void parse_options(struct app *a, int argc, char **argv)
{
	int option;

	while ((option = getopt_long(argc, argv, "hjpt:v", options, NULL)) != -1) {
		switch (option) {
		case 'h':
			usage();
			exit(0);
		case OPT_VERSION:
			printf("qmp %s\n", VERSION);
			exit(0);
		case '?':
			fprintf(stderr, "try 'qmp --help'\n");
			exit(EXIT_USAGE);
		case OPT_ALL:
			a->all = true;
			a->socket = optarg;
			break;
		case OPT_COUNT:
			a->count = (unsigned)number("--count", optarg, 1000000000);
			break;
		case OPT_FD:
			add_fd(a, optarg);
			break;
		case OPT_FILTER:
			a->filter = optarg;
			break;
		case OPT_PID:
			a->pid = number("--pid", optarg, 1 << 22);
			break;
		case 't':
		case OPT_CONNECT_TIMEOUT:
		case OPT_INITIAL_WAIT:
		case OPT_RETRY:
			set_time(a, option, optarg);
			break;
		default:
			set_flag(a, option);
		}
	}
}

// ---- Running ----

static void log_line(enum rp_log_level level, const char *line, void *arg)
{
	const struct app *a = arg;

	if (level <= RP_LOG_ERR || a->verbose)
		fprintf(stderr, "%s\n", line);
}

struct rp_qmp_opts client_opts(const struct app *a)
{
	struct rp_qmp_opts opts = RP_QMP_OPTS_DEFAULT;

	opts.log = log_line;
	opts.log_arg = (void *)(uintptr_t)a;
	opts.oob = a->oob;
	if (a->connect_ms > 0)
		opts.connect_ms = a->connect_ms;
	else
		opts.retry_ms = 0;
	return opts;
}

static int run_connected(struct app *a, const struct verb *verb)
{
	struct rp_qmp_opts opts = client_opts(a);
	struct rp_qmp_counters counters;
	struct rp_qmp_error err;
	struct rp_qmp *c;
	int rc;

	if (a->timeout_ms > 0) {
		opts.command_ms = a->timeout_ms;
		opts.write_ms = a->timeout_ms;
		if (a->timeout_ms < opts.greeting_ms)
			opts.greeting_ms = a->timeout_ms;
	}
	c = rp_qmp_connect(a->socket, &opts, &err);
	if (c == NULL)
		return report(a, &err);
	rc = verb->run(a, c);
	if (a->counters) {
		rp_qmp_counters(c, &counters);
		print_counters(&counters);
	}
	rp_qmp_close(c);
	return rc;
}

static const struct verb *parse_verb(struct app *a, int argc, char **argv)
{
	const struct verb *verb;

	if (!a->all && argc > 0) {
		a->socket = *argv++;
		argc--;
	}
	if (a->socket == NULL || argc == 0) {
		fprintf(stderr, "qmp: %s is missing; try 'qmp --help'\n",
			a->socket == NULL ? "SOCKET" : "VERB");
		exit(EXIT_USAGE);
	}
	verb = find_verb(argv[0]);
	if (verb == NULL) {
		fprintf(stderr,
			"qmp: verb '%s': there is none of this name; 'run %s' executes a command "
			"of "
			"QEMU, 'qmp --help' lists the verbs\n",
			argv[0], argv[0]);
		exit(EXIT_USAGE);
	}
	a->n_args = (unsigned)argc - 1;
	a->args = (const char *const *)argv + 1;
	if (a->n_args < verb->min_args || a->n_args > verb->max_args) {
		fprintf(stderr, "qmp: %s: %s; usage: qmp SOCKET %s %s\n", argv[0],
			a->n_args < verb->min_args ? "something is missing" : "too many arguments",
			verb->name, verb->args);
		exit(EXIT_USAGE);
	}
	return verb;
}

int main(int argc, char **argv)
{
	struct app a = {.initial_ms = 3000, .retry_ms = 3000};
	const struct verb *verb;
	int rc;

	setvbuf(stdout, NULL, _IOLBF, 0);
	parse_options(&a, argc, argv);
	verb = parse_verb(&a, argc - optind, argv + optind);
	if (a.all)
		rc = run_all(&a, verb);
	else if (verb->run_alone != NULL)
		rc = verb->run_alone(&a);
	else
		rc = run_connected(&a, verb);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "qmp: cannot write to standard output\n");
		rc = rc != 0 ? rc : EXIT_USAGE;
	}
	return rc;
}
