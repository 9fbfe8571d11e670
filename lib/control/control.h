/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Commands brought to the model and the dataplane: a line, a file, a text, a JSON-RPC call. Where
 * out is not NULL the result of each command is printed there for people to read. Each command is
 * all or nothing; a file stops at the first that fails, those before it stay. Main lcore only.
 */

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include <jansson.h>

#include "base/error.h"
#include "fabric/fabric.h"
#include "pipeline/reason.h"

struct rp_dataplane;
struct rp_rpc_peer;
struct rp_rpc_server;

// What is known of a NIC while it is connected.
struct rp_nic_link {
	uint64_t features;
	time_t since;
	uint16_t queue_pairs; // enabled
	uint16_t n_rings;
	uint16_t ring_sizes[2 * RP_QUEUES_MAX];
};

// Since the port was made or its counters were cleared; "from" and "to" the VM.
struct rp_nic_counters {
	uint64_t rx_packets, rx_bytes, rx_errors;
	uint64_t tx_packets, tx_bytes, tx_errors;
	uint64_t drops[RP_DROP_COUNT];
	uint64_t answers[RP_ANSWER_COUNT];
};

/*
 * What the daemon tells and does. In nic_counters and nic_clear NULL as the NIC stands for the way
 * to the host; they return false where there is no port. All are required.
 */
struct rp_control_ops {
	void (*nic_link)(void *arg, const struct rp_nic *nic, struct rp_nic_link *link);
	bool (*nic_counters)(void *arg, const struct rp_nic *nic, struct rp_nic_counters *counters);
	bool (*nic_clear)(void *arg, const struct rp_nic *nic);
	const struct rp_dataplane *(*dataplane)(void *arg);
	void (*shutdown)(void *arg);
};

struct rp_control {
	struct rp_fabric *fabric;
	const struct rp_control_ops *ops;
	void *ops_arg;
	const char *version;	      // of ringplane
	struct rp_rpc_server *server; // who is told of events, NULL: nobody
	struct rp_rpc_peer *peer;     // who calls, NULL: the console or a file
};

int rp_control_run_line(struct rp_control *control, const char *line, FILE *out,
			struct rp_error *err);

// err->where says which line and column; "-" is the standard input.
int rp_control_run_file(struct rp_control *control, const char *path, FILE *out,
			struct rp_error *err);

// The same for a text of lines; name stands for the file's name in err->where.
int rp_control_run_text(struct rp_control *control, const char *name, const char *text, FILE *out,
			struct rp_error *err);

// Run a file, or where path is NULL a text, on an empty model: all of it or nothing.
int rp_control_load(struct rp_control *control, const char *path, const char *name,
		    const char *text, struct rp_error *err);

// The server's callback (rp_rpc_peer_call_fn); arg is the control.
int rp_control_call(void *arg, struct rp_rpc_peer *peer, const char *method, const json_t *params,
		    json_t **result, struct rp_error *err);

// Tell subscribers that a NIC's VM came or went.
void rp_control_nic_event(struct rp_control *control, const char *event, const struct rp_nic *nic);

// config/two-vms.rp, what ringplane runs when it is told nothing.
extern const char rp_config_two_vms[];
