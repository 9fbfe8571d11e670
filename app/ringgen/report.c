// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "run.h"

#define LINE "-----------------------"

// What is derived from the counters.
struct summary {
	struct gen_counters measured;
	struct gen_counters total;
	double pps;
	double bps;
	uint64_t lost; // of all that was sent, warm-up included
	double full;   // share of bursts
	double headroom;
};

struct gen_counters gen_sum(const struct gen_counters *c, unsigned int n)
{
	struct gen_counters sum = {0};

	for (unsigned int i = 0; i < n; i++) {
		sum.rx += c[i].rx;
		sum.rx_bytes += c[i].rx_bytes;
		sum.rx_other += c[i].rx_other;
		sum.tx += c[i].tx;
		sum.tx_bytes += c[i].tx_bytes;
		sum.bursts += c[i].bursts;
		sum.full += c[i].full;
	}
	return sum;
}

static double share(uint64_t part, uint64_t whole)
{
	return whole == 0 ? 0 : (double)part / (double)whole;
}

static struct summary summarize(const struct gen_options *opt, const struct gen_result *res)
{
	struct summary s = {
		.measured = gen_sum(res->measured, opt->n_vms),
		.total = gen_sum(res->total, opt->n_vms),
	};

	s.pps = res->seconds > 0 ? (double)s.measured.rx / res->seconds : 0;
	s.bps = s.pps * opt->size * 8;
	s.lost = s.total.tx > s.total.rx ? s.total.tx - s.total.rx : 0;
	s.full = share(s.measured.full, s.measured.bursts);
	s.headroom = res->idle < 1 ? 1 / (1 - res->idle) : 0;
	return s;
}

bool gen_passed(const struct gen_options *opt, const struct gen_result *res)
{
	const struct gen_faults *f = &res->faults;

	return !opt->verify || (f->lost == 0 && f->reordered == 0 && f->content == 0 &&
				summarize(opt, res).lost == 0);
}

static void print_counters(const struct gen_counters *c)
{
	printf("  RX-packets: %-14" PRIu64 " RX-other:   %-14" PRIu64 " RX-bytes:  %" PRIu64 "\n",
	       c->rx, c->rx_other, c->rx_bytes);
	printf("  TX-packets: %-14" PRIu64 " TX-bursts:  %-14" PRIu64 " TX-bytes:  %" PRIu64 "\n",
	       c->tx, c->bursts, c->tx_bytes);
}

static void print_faults(const struct gen_faults *f)
{
	printf("verified: %" PRIu64 " frames, %" PRIu64 " numbers left out, %" PRIu64
	       " out of order, %" PRIu64 " with other content\n",
	       f->checked, f->lost, f->reordered, f->content);
}

static void print_histogram(const struct gen_histogram *h)
{
	uint64_t from = 0;

	for (uint64_t to = 64; from <= h->max && to != 0; from = to, to *= 2) {
		uint64_t n = gen_hist_between(h, from, to);

		if (n > 0)
			printf("  %8" PRIu64 " .. %-8" PRIu64 " ns %10" PRIu64 " %6.2f %% %.*s\n",
			       from, to - 1, n, 100 * share(n, h->n), (int)(40 * share(n, h->n)),
			       "########################################");
	}
}

static void print_latency(const struct gen_result *res)
{
	const struct gen_histogram *h = &res->latency;

	printf("latency, one way, one frame in flight: %" PRIu64 " frames, %" PRIu64 " never came\n"
	       "  min %" PRIu64 ", mean %.0f, p50 %" PRIu64 ", p90 %" PRIu64 ", p99 %" PRIu64
	       ", p99.9 %" PRIu64 ", max %" PRIu64 " ns\n",
	       h->n, res->timeouts, h->min, h->n > 0 ? h->sum / (double)h->n : 0,
	       gen_hist_quantile(h, 0.5), gen_hist_quantile(h, 0.9), gen_hist_quantile(h, 0.99),
	       gen_hist_quantile(h, 0.999), h->max);
	print_histogram(h);
}

void gen_print_text(const struct gen_options *opt, const struct gen_result *res)
{
	struct summary s = summarize(opt, res);

	for (unsigned int i = 0; i < gen_active(opt); i++) {
		printf("\n  %s Statistics of VM %-2u %s\n", LINE, i + 1, LINE);
		print_counters(&res->measured[i]);
	}
	printf("\n  +++++++++++++++++++++ All VMs, %.3f s +++++++++++++++++++++\n", res->seconds);
	print_counters(&s.measured);
	if (opt->latency) {
		print_latency(res);
		return;
	}
	printf("rate: %.3f Mpps, %.3f Gbit/s of %u-byte frames (without FCS)\n", s.pps / 1e6,
	       s.bps / 1e9, opt->size);
	printf("lost: %" PRIu64 " of %" PRIu64 " sent, warm-up included (%.4f %%)\n", s.lost,
	       s.total.tx, 100 * share(s.lost, s.total.tx));
	printf("generator: idle %.1f %%, head-room %.2f or more; bursts that met a full ring %.1f "
	       "%%; had %.0f %% of its core\n",
	       100 * res->idle, s.headroom, 100 * s.full, 100 * res->cpu_share);
	if (opt->verify)
		print_faults(&res->faults);
}

// ---- JSON ----

static json_t *json_counters(const struct gen_counters *c)
{
	return json_pack("{sI sI sI sI sI sI sI}", "rx_packets", (json_int_t)c->rx, "rx_bytes",
			 (json_int_t)c->rx_bytes, "rx_other", (json_int_t)c->rx_other, "tx_packets",
			 (json_int_t)c->tx, "tx_bytes", (json_int_t)c->tx_bytes, "tx_bursts",
			 (json_int_t)c->bursts, "tx_full", (json_int_t)c->full);
}

static json_t *json_latency(const struct gen_result *res)
{
	const struct gen_histogram *h = &res->latency;

	return json_pack("{sI sI sI sf sI sI sI sI sI}", "frames", (json_int_t)h->n, "timeouts",
			 (json_int_t)res->timeouts, "min_ns", (json_int_t)h->min, "mean_ns",
			 h->n > 0 ? h->sum / (double)h->n : 0.0, "p50_ns",
			 (json_int_t)gen_hist_quantile(h, 0.5), "p90_ns",
			 (json_int_t)gen_hist_quantile(h, 0.9), "p99_ns",
			 (json_int_t)gen_hist_quantile(h, 0.99), "p999_ns",
			 (json_int_t)gen_hist_quantile(h, 0.999), "max_ns", (json_int_t)h->max);
}

static json_t *json_faults(const struct gen_faults *f)
{
	return json_pack("{sI sI sI sI}", "checked", (json_int_t)f->checked, "lost",
			 (json_int_t)f->lost, "reordered", (json_int_t)f->reordered, "content",
			 (json_int_t)f->content);
}

static json_t *json_vm(const struct gen_options *opt, const struct gen_result *res, unsigned int i)
{
	char mac[RP_MAC_STR], ip[RP_ADDR_STR];

	return json_pack("{ss ss ss so so}", "socket", opt->sockets[i], "mac",
			 rp_mac_format(&opt->mac[i], mac), "ip",
			 rp_addr_format(opt->ip6_frames ? &opt->ip6[i] : &opt->ip4[i], ip),
			 "measured", json_counters(&res->measured[i]), "total",
			 json_counters(&res->total[i]));
}

int gen_print_json(const struct gen_options *opt, const struct gen_result *res)
{
	struct summary s = summarize(opt, res);
	json_t *vms = json_array(), *root;
	int rc;

	for (unsigned int i = 0; i < gen_active(opt); i++)
		json_array_append_new(vms, json_vm(opt, res, i));
	root = json_pack("{si sf sf sf sI sI sf sf sf sf so so}", "size", (int)opt->size, "seconds",
			 res->seconds, "pps", s.pps, "bps", s.bps, "sent", (json_int_t)s.total.tx,
			 "lost", (json_int_t)s.lost, "idle", res->idle, "cpu_share", res->cpu_share,
			 "headroom", s.headroom, "full", s.full, "total", json_counters(&s.total),
			 "vms", vms);
	if (root != NULL && opt->latency)
		json_object_set_new(root, "latency", json_latency(res));
	if (root != NULL && opt->verify)
		json_object_set_new(root, "verify", json_faults(&res->faults));
	rc = root == NULL ? -ENOMEM
			  : json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
	printf("\n");
	json_decref(root);
	return rc;
}
