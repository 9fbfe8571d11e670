// SPDX-License-Identifier: BSD-3-Clause
#include "check.h"

#include "base/clock.h"

#include <err.h>
#include <errno.h>
#include <fnmatch.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
	"usage: vhost-user-check --socket PATH [options]\n"
	"       vhost-user-check --spawn 'COMMAND {socket}' [options]\n"
	"       vhost-user-check --list | --explain RULE\n"
	"\n"
	"Plays the VM against a vhost-user back-end and says what is wrong with it.\n"
	"\n"
	"  --socket PATH      the socket the back-end listens on\n"
	"  --pid PID          its process: enables the rules about leaks and load\n"
	"  --spawn COMMAND    start it; {socket} in the command becomes a path. It is started\n"
	"                     again whenever it ends, so a crash costs one rule only\n"
	"  --device TYPE      net, blk or another word; default: guessed from the features\n"
	"  --rule GLOB        only rules like this: HS1, 'MT*', '@(HS1|VR*)'\n"
	"  --frame HEX        a frame that makes the network card send something\n"
	"                     (default: a broadcast frame, for cards that loop back)\n"
	"  --seed N           of the random rules; default 1\n"
	"  --mutations N      of the random rule ML10; default 1000\n"
	"  --wait MS          how long an answer may take; default 1000\n"
	"  --json FILE        the report as JSON, '-' for the standard output\n"
	"  --junit FILE       the report as JUnit XML\n"
	"  --list             all rules\n"
	"  --explain RULE     what a rule says and how it is tested\n"
	"  --verbose          tell why rules are skipped\n"
	"\n"
	"Exit status: 0 no MUST rule failed and nothing crashed or hung; 1 otherwise; 2 the check\n"
	"could not be made.\n";

static void list_rules(const struct options *opt)
{
	unsigned int n = 0;

	for (const struct rule *r = rule_first(); r != NULL; r = r->next) {
		if (fnmatch(opt->glob, r->id, FNM_EXTMATCH) != 0)
			continue;
		printf("%-5s %-6s %s\n", r->id, severity_name(r->severity), r->statement);
		n++;
	}
	printf("%u rules\n", n);
}

static int explain(const char *id)
{
	for (const struct rule *r = rule_first(); r != NULL; r = r->next) {
		if (strcasecmp(r->id, id) != 0)
			continue;
		printf("%s (%s): %s\n\nSection: %s\n", r->id, severity_name(r->severity),
		       r->statement, r->section);
		printf("Tested: %s\n", r->how);
		if (r->devices != 0)
			printf("Devices:%s%s\n", (r->devices & DEVICE_NET) != 0 ? " net" : "",
			       (r->devices & DEVICE_BLK) != 0 ? " blk" : "");
		for (unsigned int bit = 0; bit < 64; bit++)
			if ((r->protocol >> bit & 1) != 0)
				printf("Needs: protocol feature %s\n",
				       rp_vhu_protocol_feature_name(bit));
		if ((r->needs & NEED_DATA) != 0)
			printf("Needs: rings that work\n");
		if ((r->needs & NEED_WRITE) != 0)
			printf("Needs: a device that can be made to write (see --frame)\n");
		if ((r->needs & NEED_PID) != 0)
			printf("Needs: --pid or --spawn\n");
		if (r->risky)
			printf("Run after all others, because back-ends are known to die of it.\n");
		return 0;
	}
	warnx("no rule '%s'; --list shows all", id);
	return 2;
}

static uint64_t number(const char *name, const char *text, uint64_t max)
{
	char *end;
	uint64_t n;

	errno = 0;
	n = strtoull(text, &end, 0);
	if (errno != 0 || *text == '\0' || *text == '-' || *end != '\0' || n > max)
		errx(2, "--%s '%s': expected a number up to %" PRIu64, name, text, max);
	return n;
}

static void take_frame(struct options *opt, const char *hex)
{
	size_t n = strlen(hex);

	if (n % 2 != 0 || n < 28 || n / 2 > sizeof(opt->frame) ||
	    strspn(hex, "0123456789abcdefABCDEF") != n)
		errx(2, "--frame: expected 14 to %zu bytes in hexadecimal", sizeof(opt->frame));
	for (opt->frame_len = 0; opt->frame_len < n / 2; opt->frame_len++) {
		char byte[3] = {hex[2 * opt->frame_len], hex[2 * opt->frame_len + 1], '\0'};

		opt->frame[opt->frame_len] = (uint8_t)strtoul(byte, NULL, 16);
	}
}

enum {
	OPT_SOCKET = 1,
	OPT_PID,
	OPT_SPAWN,
	OPT_DEVICE,
	OPT_RULE,
	OPT_FRAME,
	OPT_SEED,
	OPT_MUTATIONS,
	OPT_WAIT,
	OPT_JSON,
	OPT_JUNIT,
	OPT_LIST,
	OPT_EXPLAIN,
	OPT_VERBOSE,
	OPT_HELP
};

static const struct option long_options[] = {
	{"socket", required_argument, NULL, OPT_SOCKET},
	{"pid", required_argument, NULL, OPT_PID},
	{"spawn", required_argument, NULL, OPT_SPAWN},
	{"device", required_argument, NULL, OPT_DEVICE},
	{"rule", required_argument, NULL, OPT_RULE},
	{"frame", required_argument, NULL, OPT_FRAME},
	{"seed", required_argument, NULL, OPT_SEED},
	{"mutations", required_argument, NULL, OPT_MUTATIONS},
	{"wait", required_argument, NULL, OPT_WAIT},
	{"json", required_argument, NULL, OPT_JSON},
	{"junit", required_argument, NULL, OPT_JUNIT},
	{"list", no_argument, NULL, OPT_LIST},
	{"explain", required_argument, NULL, OPT_EXPLAIN},
	{"verbose", no_argument, NULL, OPT_VERBOSE},
	{"help", no_argument, NULL, OPT_HELP},
	{0},
};

// Fill *opt; what remains to be done instead of a check is done here.
static void parse(struct options *opt, int argc, char **argv)
{
	const char *explained = NULL;
	bool list = false;
	int o;

	while ((o = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch (o) {
		case OPT_SOCKET:
			opt->socket = optarg;
			break;
		case OPT_PID:
			opt->pid = (pid_t)number("pid", optarg, INT32_MAX);
			break;
		case OPT_SPAWN:
			opt->spawn = optarg;
			break;
		case OPT_DEVICE:
			opt->device = optarg;
			break;
		case OPT_RULE:
			opt->glob = optarg;
			break;
		case OPT_FRAME:
			take_frame(opt, optarg);
			break;
		case OPT_SEED:
			opt->seed = number("seed", optarg, INT64_MAX);
			break;
		case OPT_MUTATIONS:
			opt->mutations = (unsigned int)number("mutations", optarg, 100000000);
			break;
		case OPT_WAIT:
			opt->wait_ms = (unsigned int)number("wait", optarg, 60000);
			break;
		case OPT_JSON:
			opt->json = optarg;
			break;
		case OPT_JUNIT:
			opt->junit = optarg;
			break;
		case OPT_LIST:
			list = true;
			break;
		case OPT_EXPLAIN:
			explained = optarg;
			break;
		case OPT_VERBOSE:
			opt->verbose = true;
			break;
		case OPT_HELP:
			fputs(usage, stdout);
			exit(0);
		default:
			fputs(usage, stderr);
			exit(2);
		}
	}
	if (list) {
		list_rules(opt);
		exit(0);
	}
	if (explained != NULL)
		exit(explain(explained));
	if (optind < argc || (opt->socket == NULL) == (opt->spawn == NULL)) {
		fputs(usage, stderr);
		exit(2);
	}
	if (opt->spawn != NULL && strstr(opt->spawn, "{socket}") == NULL)
		errx(2, "--spawn '%s': expected the word {socket} in it, which becomes the path",
		     opt->spawn);
}

static void keep_result(struct result *r, const struct check *c, double seconds)
{
	bool bad = c->verdict == FAIL || c->verdict == CRASH || c->verdict == HANG;

	*r = (struct result){.rule = c->rule, .verdict = c->verdict, .seconds = seconds};
	r->reason = strdup(c->reason);
	if (!bad)
		return;
	r->trace = calloc(TRACE_LINES, sizeof(*r->trace));
	for (const char *line; (line = trace_line(&c->trace, r->n_trace)) != NULL;)
		r->trace[r->n_trace++] = strdup(line);
}

static void free_results(struct result *r, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		for (unsigned int k = 0; k < r[i].n_trace; k++)
			free(r[i].trace[k]);
		free(r[i].trace);
		free(r[i].reason);
	}
	free(r);
}

static void tell_target(const struct options *opt, const struct target *t)
{
	printf("%s: features 0x%" PRIx64 ", protocol features 0x%" PRIx64 ", %s%s%s\n\n",
	       opt->spawn != NULL ? opt->spawn : opt->socket, t->offered, t->protocol,
	       t->device == DEVICE_NET	 ? "net"
	       : t->device == DEVICE_BLK ? "blk"
					 : "other device",
	       t->data ? ", rings work" : "", t->one_shot ? ", ends with its connection" : "");
}

static unsigned int count_rules(void)
{
	unsigned int n = 0;

	for (const struct rule *r = rule_first(); r != NULL; r = r->next)
		n++;
	return n;
}

static int run(struct check *c, struct target *t)
{
	const struct options *opt = c->opt;
	struct result *results = calloc(count_rules(), sizeof(*results));
	uint64_t start = rp_clock_ms();
	bool quiet = opt->json != NULL && strcmp(opt->json, "-") == 0;
	unsigned int n = 0, bad = 0;
	int rc = 0;

	if (results == NULL)
		return 2;
	for (const struct rule *r = rule_first(); r != NULL; r = r->next) {
		uint64_t before = rp_clock_ms();

		if (fnmatch(opt->glob, r->id, FNM_EXTMATCH) != 0)
			continue;
		if (!quiet)
			report_progress(opt, r);
		check_run(c, r);
		keep_result(&results[n], c, (double)(rp_clock_ms() - before) / 1000);
		if (!quiet)
			report_line(opt, &results[n]);
		bad += c->verdict == CRASH || c->verdict == HANG ||
		       (c->verdict == FAIL && r->severity == MUST);
		n++;
	}
	if (!quiet)
		report_summary(opt, t, results, n, (double)(rp_clock_ms() - start) / 1000);
	if (opt->json != NULL)
		rc = report_json(opt->json, t, results, n);
	if (rc == 0 && opt->junit != NULL)
		rc = report_junit(opt->junit, t, results, n,
				  (double)(rp_clock_ms() - start) / 1000);
	free_results(results, n);
	if (rc < 0)
		warnx("cannot write the report: %s", strerror(-rc));
	return rc < 0 || n == 0 ? 2 : bad > 0;
}

int main(int argc, char **argv)
{
	struct options opt = {.glob = "*", .seed = 1, .wait_ms = 1000, .mutations = 1000};
	static struct target target;
	static struct check check;
	int rc = 2;

	opt.color = isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == NULL;
	parse(&opt, argc, argv);
	setvbuf(stdout, NULL, _IOLBF, 0);
	target_init(&target, &opt);
	check = (struct check){.opt = &opt, .target = &target};
	target_probe(&check);
	if (target.probed) {
		if (opt.json == NULL || strcmp(opt.json, "-") != 0)
			tell_target(&opt, &target);
		rc = run(&check, &target);
	} else {
		warnx("%s", check.reason);
		for (unsigned int i = 0; trace_line(&check.trace, i) != NULL; i++)
			warnx("| %s", trace_line(&check.trace, i));
	}
	trace_clear(&check.trace);
	target_stop(&target);
	if (target.dir[0] != '\0')
		rmdir(target.dir);
	return rc;
}
