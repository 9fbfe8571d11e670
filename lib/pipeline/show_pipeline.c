// SPDX-License-Identifier: BSD-3-Clause
#include "pipeline/show.h"

#include <inttypes.h>
#include <string.h>

#define BORDER "########################"

static void header(FILE *out, const char *title)
{
	fprintf(out, "\n  %s %s %s\n", BORDER, title, BORDER);
}

static void footer(FILE *out)
{
	fprintf(out, "  %s############################%s\n", BORDER, BORDER);
}

static void counter(FILE *out, const char *name, uint64_t n, const char *text)
{
	if (n != 0)
		fprintf(out, "  %-18s %14" PRIu64 "   %s\n", name, n, text);
}

void rp_show_drops(FILE *out, const char *title, const struct rp_port_counters *counters)
{
	char line[128];
	uint64_t total = 0;

	snprintf(line, sizeof(line), "Drops of %s", title);
	header(out, line);
	for (int i = 0; i < RP_DROP_COUNT; i++) {
		counter(out, rp_drop_name((enum rp_drop)i), counters->drops[i],
			rp_drop_text((enum rp_drop)i));
		total += counters->drops[i];
	}
	fprintf(out, "  %-18s %14" PRIu64 "\n", "Total", total);
	footer(out);
}

void rp_show_answers(FILE *out, const struct rp_port_counters *counters)
{
	uint64_t total = 0;

	for (int i = 0; i < RP_ANSWER_COUNT; i++)
		total += counters->answers[i];
	fprintf(out, "answers:%s\n", total == 0 ? " -" : "");
	for (int i = 0; i < RP_ANSWER_COUNT; i++)
		counter(out, rp_answer_name((enum rp_answer)i), counters->answers[i],
			rp_answer_text((enum rp_answer)i));
}

static double per(uint64_t what, uint64_t n)
{
	return n == 0 ? 0.0 : (double)what / (double)n;
}

static void stage(FILE *out, const char *name, const struct rp_stage_counters *now,
		  const struct rp_stage_counters *last)
{
	uint64_t cycles = now->cycles - last->cycles;

	fprintf(out, "  %-18s %14" PRIu64, name, now->packets);
	if (cycles != 0)
		fprintf(out, " %14.1f\n", per(cycles, now->packets - last->packets));
	else
		fprintf(out, " %14s\n", "-");
}

void rp_show_worker(FILE *out, const struct rp_worker *w, struct rp_worker_counters *last)
{
	struct rp_worker_counters now = w->counters;
	char title[64];

	snprintf(title, sizeof(title), "Worker %-2u on lcore %-2u", w->index, w->lcore);
	header(out, title);
	fprintf(out, "  Busy: %.1f %%   Packets per burst: %.1f   (since last show)\n",
		100.0 * per(now.cycles_busy - last->cycles_busy, now.cycles - last->cycles),
		per(now.packets - last->packets, now.bursts - last->bursts));
	fprintf(out,
		"  RX-packets: %-14" PRIu64 " RX-bursts: %-14" PRIu64 "Rounds: %-" PRIu64 "\n\n",
		now.packets, now.bursts, now.rounds);
	fprintf(out, "  %-18s %14s %14s\n", "Stage", "Packets", "Cycles/packet");
	stage(out, "fast lane", &now.fast, &last->fast);
	for (int i = 0; i < RP_STAGE_COUNT; i++)
		stage(out, rp_stage_name((enum rp_stage)i), &now.stages[i], &last->stages[i]);
	footer(out);
	*last = now;
}

static void dot_edges(FILE *out, enum rp_stage from)
{
	char edges[256], *rest = edges, *to;

	snprintf(edges, sizeof(edges), "%s", rp_stage_edges(from));
	while ((to = strsep(&rest, " ")) != NULL)
		if (to[0] != '\0')
			fprintf(out, "\t%s -> %s;\n", rp_stage_name(from), to);
	// Every stage may drop, so may tx where a ring is full.
	fprintf(out, "\t%s -> drop [style=dotted, arrowhead=none];\n", rp_stage_name(from));
}

void rp_show_pipeline_dot(FILE *out)
{
	fprintf(out, "digraph ringplane {\n"
		     "\trankdir=LR;\n"
		     "\tnode [shape=box];\n"
		     "\trx [shape=oval];\n"
		     "\tmain [shape=oval, label=\"main lcore\"];\n"
		     "\tdrop [style=dotted, label=\"drop: a named reason each\"];\n"
		     "\trx -> fast_lane;\n"
		     "\tfast_lane -> tx [penwidth=3];\n"
		     "\tfast_lane -> classify [label=\"not mine\"];\n"
		     "\tmain -> tx [label=\"packet ring\"];\n");
	for (int i = 0; i < RP_STAGE_COUNT; i++)
		dot_edges(out, (enum rp_stage)i);
	fprintf(out, "}\n");
}
