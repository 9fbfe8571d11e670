/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The daemon: what the main lcore holds together. All of it belongs to the main lcore.
 */

#include <event2/event.h>

#include "control/control.h"
#include "fabric/fabric.h"
#include "options.h"
#include "pipeline/worker.h"

struct rp_host;
struct rp_console;

struct rp_daemon {
	const struct rp_options *opt;
	struct event_base *base;
	struct rp_dataplane *dp;
	struct rp_fabric *fabric;
	struct rp_control control;
	struct rp_host *host;		     // NULL: no public network, or --no-host
	struct rp_nic_counters host_cleared; // where its counters start
	struct rp_addr host_ip4;
	struct rp_addr host_ip6;
	int wake_fd; // eventfd: the vhost thread has news of a port
	struct event *wake;
	struct event *sigint;
	struct event *sigterm;
	struct event *stats_timer;
	struct rp_console *console;
};

// The port layer's part of a NIC (rp_nic.port).
struct rp_port {
	struct rp_daemon *daemon;
	struct rp_nic *nic;
	struct rp_vhost *vhost;
	struct event *ra_timer;	     // next unsolicited router advertisement
	unsigned int ra_sent;	     // since the driver came up
	uint64_t connected_at;	     // rp_clock_ms() when the driver came up
	uint64_t rxq, txq;	     // enabled queues, as in the published view
	uint64_t next_rxq, next_txq; // and as in the view that is being built
	uint64_t features;
	uint32_t connections;
	struct rp_nic_counters cleared; // where the counters start that control tells
};

// What a change of the model brings about; arg is the daemon.
extern const struct rp_fabric_ops rp_daemon_ops;

// Look at every port and publish a new view where something changed: the wake event's callback.
void rp_daemon_ports_changed(struct rp_daemon *d);

// Set up router advertisements of a port that came up (ra.c), or end them.
void rp_ra_start(struct rp_port *port);
void rp_ra_stop(struct rp_port *port);
