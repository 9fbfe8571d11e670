// SPDX-License-Identifier: BSD-3-Clause
#include "check.h"

#include <jansson.h>

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define TRACE_SHOWN 16

static const char *const colors[] = {
	[PASS] = "32",	  [WARN] = "33",   [FAIL] = "31",
	[CRASH] = "1;31", [HANG] = "1;31", [SKIP] = "2",
};

static void print_verdict(const struct options *opt, enum verdict v)
{
	if (opt->color)
		printf("\033[%sm%-5s\033[0m", colors[v], verdict_name(v));
	else
		printf("%-5s", verdict_name(v));
}

void report_progress(const struct options *opt, const struct rule *rule)
{
	if (!opt->color)
		return;
	printf("\r\033[K      %-5s %s", rule->id, rule->statement);
	fflush(stdout);
}

void report_line(const struct options *opt, const struct result *r)
{
	unsigned int from = r->n_trace > TRACE_SHOWN ? r->n_trace - TRACE_SHOWN : 0;

	if (opt->color)
		printf("\r\033[K");
	print_verdict(opt, r->verdict);
	printf(" %-5s %-6s %s\n", r->rule->id, severity_name(r->rule->severity),
	       r->rule->statement);
	if (r->reason[0] != '\0' && (r->verdict != SKIP || opt->verbose))
		printf("             %s\n", r->reason);
	if (r->n_trace == 0)
		return;
	printf("             (%s)\n", r->rule->section);
	if (from > 0)
		printf("             | ... %u lines before (--json has all)\n", from);
	for (unsigned int i = from; i < r->n_trace; i++)
		printf("             | %s\n", r->trace[i]);
}

struct score {
	unsigned int count[N_VERDICTS];
	unsigned int judged;
	unsigned int good;
};

static struct score score_of(const struct result *r, unsigned int n, enum severity s)
{
	struct score sc = {0};

	for (unsigned int i = 0; i < n; i++) {
		if (r[i].rule->severity != s)
			continue;
		sc.count[r[i].verdict]++;
		sc.judged += r[i].verdict != SKIP;
		sc.good += r[i].verdict == PASS || r[i].verdict == WARN;
	}
	return sc;
}

void report_summary(const struct options *opt, const struct target *t, const struct result *r,
		    unsigned int n, double seconds)
{
	printf("\n%-8s %6s %6s %6s %6s %6s %6s %8s\n", "", "pass", "warn", "fail", "crash", "hang",
	       "skip", "score");
	for (enum severity s = MUST; s < N_SEVERITIES; s++) {
		struct score sc = score_of(r, n, s);

		printf("%-8s", severity_name(s));
		for (enum verdict v = PASS; v < N_VERDICTS; v++)
			if (opt->color && sc.count[v] > 0)
				printf(" \033[%sm%6u\033[0m", colors[v], sc.count[v]);
			else
				printf(" %6u", sc.count[v]);
		if (sc.judged > 0)
			printf(" %6.1f %%\n", 100.0 * sc.good / sc.judged);
		else
			printf(" %8s\n", "-");
	}
	printf("\n%u rules in %.1f s, seed %" PRIu64, n, seconds, opt->seed);
	if (t->starts > 1)
		printf(", the back-end was started %u times", t->starts);
	printf(". vhost-user-check --explain RULE tells more.\n");
}

int report_json(const char *path, const struct target *t, const struct result *r, unsigned int n)
{
	json_t *scores = json_object(), *rules = json_array(), *root;
	int rc;

	for (enum severity s = MUST; s < N_SEVERITIES; s++) {
		struct score sc = score_of(r, n, s);
		json_t *o = json_object();

		for (enum verdict v = PASS; v < N_VERDICTS; v++)
			json_object_set_new(o, verdict_name(v), json_integer(sc.count[v]));
		json_object_set_new(scores, severity_name(s), o);
	}
	for (unsigned int i = 0; i < n; i++) {
		json_t *o = json_pack("{ssssssssss}", "id", r[i].rule->id, "verdict",
				      verdict_name(r[i].verdict), "severity",
				      severity_name(r[i].rule->severity), "statement",
				      r[i].rule->statement, "section", r[i].rule->section);
		json_t *trace = json_array();

		json_object_set_new(o, "reason", json_string(r[i].reason));
		json_object_set_new(o, "seconds", json_real(r[i].seconds));
		for (unsigned int k = 0; k < r[i].n_trace; k++)
			json_array_append_new(trace, json_string(r[i].trace[k]));
		json_object_set_new(o, "exchange", trace);
		json_array_append_new(rules, o);
	}
	root = json_pack("{sIsIsIsoso}", "features", (json_int_t)t->offered, "protocol_features",
			 (json_int_t)t->protocol, "seed", (json_int_t)t->opt->seed, "scores",
			 scores, "rules", rules);
	if (strcmp(path, "-") == 0)
		rc = json_dumpf(root, stdout, JSON_INDENT(1));
	else
		rc = json_dump_file(root, path, JSON_INDENT(1));
	json_decref(root);
	return rc < 0 ? -EIO : 0;
}

static void xml(FILE *f, const char *text)
{
	for (; *text != '\0'; text++) {
		if (strchr("<>&\"'", *text) != NULL)
			fprintf(f, "&#%d;", *text);
		else if ((unsigned char)*text >= ' ')
			fputc(*text, f);
	}
}

static void junit_case(FILE *f, const struct result *r)
{
	fprintf(f, "  <testcase classname=\"vhost-user.%s\" name=\"%s: ",
		severity_name(r->rule->severity), r->rule->id);
	xml(f, r->rule->statement);
	fprintf(f, "\" time=\"%.3f\">\n", r->seconds);
	if (r->verdict == SKIP || r->verdict == FAIL || r->verdict == CRASH || r->verdict == HANG) {
		const char *tag = r->verdict == SKIP   ? "skipped"
				  : r->verdict == FAIL ? "failure"
						       : "error";

		fprintf(f, "   <%s message=\"%s: ", tag, verdict_name(r->verdict));
		xml(f, r->reason);
		fputs("\">", f);
		for (unsigned int i = 0; i < r->n_trace; i++) {
			xml(f, r->trace[i]);
			fputc('\n', f);
		}
		fprintf(f, "</%s>\n", tag);
	} else if (r->reason[0] != '\0') {
		fprintf(f, "   <system-out>%s: ", verdict_name(r->verdict));
		xml(f, r->reason);
		fputs("</system-out>\n", f);
	}
	fputs("  </testcase>\n", f);
}

int report_junit(const char *path, const struct target *, const struct result *r, unsigned int n,
		 double seconds)
{
	FILE *f = fopen(path, "we");
	unsigned int failures = 0, errors = 0, skipped = 0;

	if (f == NULL)
		return -errno;
	for (unsigned int i = 0; i < n; i++) {
		failures += r[i].verdict == FAIL;
		errors += r[i].verdict == CRASH || r[i].verdict == HANG;
		skipped += r[i].verdict == SKIP;
	}
	fprintf(f,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n <testsuite "
		"name=\"vhost-user-check\" tests=\"%u\" failures=\"%u\" errors=\"%u\" "
		"skipped=\"%u\" time=\"%.3f\">\n",
		n, failures, errors, skipped, seconds);
	for (unsigned int i = 0; i < n; i++)
		junit_case(f, &r[i]);
	fputs(" </testsuite>\n</testsuites>\n", f);
	return fclose(f) == 0 ? 0 : -errno;
}
