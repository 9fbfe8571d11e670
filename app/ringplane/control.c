// SPDX-License-Identifier: BSD-3-Clause
#include "control.h"

#include <string.h>

#include <rte_ethdev.h>

#include "base/clock.h"
#include "net/tap/host.h"
#include "net/vhost/vhost.h"
#include "rpc/server.h"

static uint16_t count_pairs(uint64_t rxq, uint64_t txq)
{
	return (uint16_t)__builtin_popcountll(rxq & txq);
}

static void nic_link(void *, const struct rp_nic *nic, struct rp_nic_link *link)
{
	const struct rp_port *port = nic->port;
	struct rp_vhost_state st;

	rp_vhost_state(port->vhost, &st);
	link->features = st.features;
	link->queue_pairs = count_pairs(st.rxq, st.txq);
	link->since = time(NULL) - (time_t)((rp_clock_ms() - port->connected_at) / 1000);
	for (uint16_t i = 0; i < 2 * link->queue_pairs && i < RTE_DIM(link->ring_sizes); i++)
		link->ring_sizes[link->n_rings++] = rp_vhost_ring_size(port->vhost, i);
}

// Everything a port has counted since it was made.
static void read_counters(const struct rp_daemon *d, uint16_t port, struct rp_nic_counters *c)
{
	struct rp_port_counters sum;
	struct rte_eth_stats st = {0};

	rte_eth_stats_get(port, &st);
	rp_dataplane_port_counters(d->dp, port, &sum);
	*c = (struct rp_nic_counters){
		.rx_packets = st.ipackets,
		.rx_bytes = st.ibytes,
		.rx_errors = st.ierrors + st.imissed + st.rx_nombuf,
		.tx_packets = st.opackets,
		.tx_bytes = st.obytes,
		.tx_errors = st.oerrors,
	};
	memcpy(c->drops, sum.drops, sizeof(c->drops));
	memcpy(c->answers, sum.answers, sizeof(c->answers));
}

// The console may have set a port's own counters to zero meanwhile: never below it.
static void subtract(uint64_t *now, uint64_t start)
{
	*now -= *now >= start ? start : 0;
}

static void subtract_all(struct rp_nic_counters *now, const struct rp_nic_counters *start)
{
	subtract(&now->rx_packets, start->rx_packets);
	subtract(&now->rx_bytes, start->rx_bytes);
	subtract(&now->rx_errors, start->rx_errors);
	subtract(&now->tx_packets, start->tx_packets);
	subtract(&now->tx_bytes, start->tx_bytes);
	subtract(&now->tx_errors, start->tx_errors);
	for (size_t i = 0; i < RP_DROP_COUNT; i++)
		subtract(&now->drops[i], start->drops[i]);
	for (size_t i = 0; i < RP_ANSWER_COUNT; i++)
		subtract(&now->answers[i], start->answers[i]);
}

// The port of a NIC or of the host, and where its counters start; false: there is none.
static bool find_port(struct rp_daemon *d, const struct rp_nic *nic, uint16_t *port,
		      struct rp_nic_counters **start)
{
	if (nic == NULL) {
		if (d->host == NULL)
			return false;
		*port = rp_host_port(d->host);
		*start = &d->host_cleared;
		return true;
	}
	if (!nic->has_port)
		return false;
	*port = rp_vhost_port(((struct rp_port *)nic->port)->vhost);
	*start = &((struct rp_port *)nic->port)->cleared;
	return true;
}

static bool nic_counters(void *arg, const struct rp_nic *nic, struct rp_nic_counters *counters)
{
	struct rp_nic_counters *start;
	struct rp_daemon *d = arg;
	uint16_t port;

	if (!find_port(d, nic, &port, &start))
		return false;
	read_counters(d, port, counters);
	subtract_all(counters, start);
	return true;
}

static bool nic_clear(void *arg, const struct rp_nic *nic)
{
	struct rp_nic_counters *start;
	struct rp_daemon *d = arg;
	uint16_t port;

	if (!find_port(d, nic, &port, &start))
		return false;
	read_counters(d, port, start);
	return true;
}

static const struct rp_dataplane *dataplane(void *arg)
{
	return ((const struct rp_daemon *)arg)->dp;
}

static void shut_down(void *arg)
{
	event_base_loopexit(((struct rp_daemon *)arg)->base, NULL);
}

static const struct rp_control_ops ops = {
	.nic_link = nic_link,
	.nic_counters = nic_counters,
	.nic_clear = nic_clear,
	.dataplane = dataplane,
	.shutdown = shut_down,
};

void rp_daemon_control_init(struct rp_daemon *d)
{
	d->control = (struct rp_control){
		.fabric = d->fabric,
		.ops = &ops,
		.ops_arg = d,
		.version = RP_VERSION,
	};
}

int rp_daemon_control_open(struct rp_daemon *d, struct rp_error *err)
{
	char path[108];
	struct rp_rpc_server_config cfg = {
		.path = d->opt->control,
		.mode = d->opt->control_mode,
		.group = d->opt->control_group,
		.call = rp_control_call,
		.arg = &d->control,
	};

	if (cfg.path == NULL) {
		snprintf(path, sizeof(path), "%s/control.sock", d->opt->socket_dir);
		cfg.path = path;
	}
	d->control.server = rp_rpc_server_new(d->base, &cfg, err);
	return d->control.server == NULL ? -err->code : 0;
}

void rp_daemon_control_close(struct rp_daemon *d)
{
	struct rp_rpc_server *server = d->control.server;

	// NICs that are taken down with the daemon are no events.
	d->control.server = NULL;
	rp_rpc_server_free(server);
}
