/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* What the user asks of ringgen. */

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "packet/addr.h"

#define GEN_MAX_VMS   64
#define GEN_MAX_BURST 256
#define GEN_MAX_FLOWS 65536
#define GEN_MIN_SIZE  64
#define GEN_MAX_SIZE  9216

struct gen_options {
	unsigned int n_vms;
	const char *sockets[GEN_MAX_VMS];
	// Fixed addresses, by VM; those not given are counted up from the built-in network's.
	struct rte_ether_addr mac[GEN_MAX_VMS];
	struct rp_addr ip4[GEN_MAX_VMS];
	struct rp_addr ip6[GEN_MAX_VMS];
	struct rte_ether_addr gateway_mac;
	bool learn;
	bool ip6_frames;
	unsigned int size;	   // of a frame, without FCS
	unsigned int burst;	   // frames shown to the ring at once
	unsigned int ring_size;	   // entries
	unsigned int flows;	   // of each sender
	unsigned int destinations; // other VMs that each sender's flows are spread over
	unsigned int idle;	   // of the VMs, the last so many only attach
	double time_s;
	double warmup_s;
	double rate; // frames a second of all senders together; 0: as many as the rings take
	bool packed;
	bool no_mrg;
	bool one_way;
	bool verify;
	bool latency;
	bool hugepages;
	bool json;
	bool help;
	bool version;
	bool probe;
	int core;
	int probe_cores[2];
};

// Fill *opt from the command line. 0, or -EINVAL with the words in *err.
int gen_options_parse(struct gen_options *opt, int argc, char **argv, struct rp_error *err);

void gen_options_help(void);

// VMs that send or receive.
static inline unsigned int gen_active(const struct gen_options *opt)
{
	return opt->n_vms - opt->idle;
}
