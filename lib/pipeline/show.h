/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Counters for people: testpmd's layout for ports, one of the same kind for what testpmd has not.
 *
 * All of it prints to any FILE and asks nothing of a console, so that whoever has the numbers can
 * print them. Numbers are totals since the port or worker exists unless said otherwise. Main lcore.
 */

#include <stdint.h>
#include <stdio.h>

#include <rte_ethdev.h>

#include "pipeline/worker.h"

/*
 * Ports.
 */

// What a rate is measured against: the counters at the last show. Zero before the first.
struct rp_show_rate {
	uint64_t at_ns; // 0: never shown
	struct rte_eth_stats stats;
};

// `show port stats`: totals, and rates since *last, which becomes now. now_ns is any clock that
// only goes forward.
void rp_show_port_stats(FILE *out, uint16_t port, const struct rte_eth_stats *stats,
			struct rp_show_rate *last, uint64_t now_ns);

// `show port info`.
void rp_show_port_info(FILE *out, uint16_t port);

// What a port has counted since a starting point. A port that counts less than that has been made
// anew: then all it has counted.
struct rte_eth_stats rp_show_since(const struct rte_eth_stats *now,
				   const struct rte_eth_stats *start);

// `show fwd stats`: one port, and the sum over several.
void rp_show_fwd_port(FILE *out, uint16_t port, const struct rte_eth_stats *since);
void rp_show_fwd_total(FILE *out, const struct rte_eth_stats *since, size_t n);

/*
 * NICs. title is such as "nic vm1 (port 0)". Lines of zero are left out.
 */
void rp_show_drops(FILE *out, const char *title, const struct rp_port_counters *counters);
void rp_show_answers(FILE *out, const struct rp_port_counters *counters);

/*
 * Workers.
 */

// `show pipeline` of one worker. Busy share, packets per burst and cycles per packet are those
// since *last, which becomes now; cycles only while profiling is on.
void rp_show_worker(FILE *out, const struct rp_worker *w, struct rp_worker_counters *last);

// `show pipeline dot`: the stages and their edges, for Graphviz.
void rp_show_pipeline_dot(FILE *out);
