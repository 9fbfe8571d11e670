// SPDX-License-Identifier: BSD-3-Clause
#include "daemon.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include <rte_lcore.h>

#include <bsd/string.h>

#include "base/clock.h"
#include "base/log.h"
#include "net/tap/host.h"
#include "net/vhost/vhost.h"

/*
 * Between the model and the ports: makes and removes them, and publishes the view that shows the
 * workers both. A view is rebuilt for each change of the model and each time a VM comes, goes, or
 * enables a queue.
 */

static void wake_main(void *arg)
{
	const struct rp_daemon *d = arg;

	// Full counters still wake: nothing to do about a failed write.
	eventfd_write(d->wake_fd, 1);
}

static int nic_add(void *arg, struct rp_nic *nic, struct rp_error *err)
{
	struct rp_daemon *d = arg;
	int node = (int)rte_lcore_to_socket_id(d->dp->workers[0]->lcore);
	struct rp_port *port = calloc(1, sizeof(*port));

	if (port == NULL)
		return rp_error_set(err, ENOMEM, "memory", NULL, "out of memory");
	port->daemon = d;
	port->nic = nic;
	port->vhost = rp_vhost_open(
		&(struct rp_vhost_config){
			.path = nic->cfg.socket,
			.queues = nic->cfg.queues,
			.client = nic->cfg.mode == RP_VHOST_CLIENT,
			.socket = node,
			.pool = rp_dataplane_pool(d->dp, node),
			.notify = wake_main,
			.notify_arg = d,
		},
		err);
	if (port->vhost == NULL) {
		free(port);
		return -err->code;
	}
	rp_dataplane_port_reset(d->dp, rp_vhost_port(port->vhost));
	nic->port = port;
	nic->state = RP_NIC_CREATED;
	return 0;
}

static void nic_remove(void *arg, struct rp_nic *nic)
{
	struct rp_port *port = nic->port;

	(void)arg;
	rp_ra_stop(port);
	rp_vhost_close(port->vhost);
	free(port);
	nic->port = NULL;
}

static bool any_public(const struct rp_fabric *fabric)
{
	const struct rp_network *net;

	TAILQ_FOREACH (net, &fabric->networks, entry)
		if (net->cfg.is_public)
			return true;
	return false;
}

// Each public NIC's addresses and routed prefixes, as kernel routes. Freed by the caller.
static struct rp_host_route *host_routes(const struct rp_fabric *fabric, size_t *n)
{
	const struct rp_nic *nic;
	struct rp_host_route *routes;
	size_t room = 0;

	TAILQ_FOREACH (nic, &fabric->nics, entry)
		room += 2u + nic->cfg.n_prefixes;
	routes = calloc(room + 1, sizeof(*routes));
	*n = 0;
	if (routes == NULL)
		return NULL;
	TAILQ_FOREACH (nic, &fabric->nics, entry) {
		const struct rp_addr *own[] = {&nic->cfg.ip4, &nic->cfg.ip6};
		uint16_t mtu = nic->network->cfg.mtu;

		if (!nic->network->cfg.is_public)
			continue;
		for (size_t i = 0; i < RTE_DIM(own); i++)
			if (own[i]->family != RP_NONE)
				routes[(*n)++] = (struct rp_host_route){
					.prefix = {*own[i], rp_family_bits(own[i]->family)},
					.mtu = mtu,
				};
		for (uint16_t i = 0; i < nic->cfg.n_prefixes; i++)
			routes[(*n)++] = (struct rp_host_route){nic->cfg.prefixes[i], mtu};
	}
	return routes;
}

// The way to the host is there exactly while some network is public.
static int open_host(struct rp_daemon *d, struct rp_error *err)
{
	int node = (int)rte_lcore_to_socket_id(d->dp->workers[0]->lcore);
	struct rp_host_config cfg = {
		.ip4 = d->host_ip4,
		.ip6 = d->host_ip6,
		.mtu = RP_MTU_MAX,
		.pool = rp_dataplane_pool(d->dp, node),
		.socket = node,
	};

	if (strlcpy(cfg.ifname, d->opt->tap, sizeof(cfg.ifname)) >= sizeof(cfg.ifname))
		return rp_error_set(err, ENAMETOOLONG, "--tap", d->opt->tap,
				    "an interface name has at most %zu bytes",
				    sizeof(cfg.ifname) - 1);
	d->host = rp_host_open(&cfg, err);
	if (d->host == NULL)
		return -err->code;
	rp_dataplane_port_reset(d->dp, rp_host_port(d->host));
	d->host_cleared = (struct rp_nic_counters){0};
	return 0;
}

static int sync_routes(struct rp_daemon *d, const struct rp_fabric *fabric, struct rp_error *err)
{
	size_t n;
	struct rp_host_route *routes = host_routes(fabric, &n);
	int rc;

	if (routes == NULL)
		return rp_error_set(err, ENOMEM, "memory", NULL, "out of memory");
	rc = rp_host_routes_sync(d->host, routes, n, err);
	free(routes);
	return rc;
}

static struct rp_view *build_view(struct rp_daemon *d, const struct rp_fabric *fabric, bool host)
{
	struct rp_view_nic in[RTE_MAX_ETHPORTS];
	const struct rp_nic *nic;
	uint16_t n = 0;

	TAILQ_FOREACH (nic, &fabric->nics, entry) {
		struct rp_port *port = nic->port;
		struct rp_vhost_state st;

		if (!nic->has_port || n == RTE_DIM(in))
			continue;
		rp_vhost_state(port->vhost, &st);
		port->next_rxq = st.rxq;
		port->next_txq = st.txq;
		in[n++] = (struct rp_view_nic){
			.nic = nic,
			.port = rp_vhost_port(port->vhost),
			.rxq = st.rxq,
			.txq = st.txq,
		};
	}
	return rp_view_new(&(struct rp_view_input){
		.fabric = fabric,
		.nics = in,
		.n_nics = n,
		.n_workers = d->dp->n_workers,
		.host = {.port = host ? rp_host_port(d->host) : RP_PORT_NONE,
			 .mtu = host ? rp_host_mtu(d->host) : 0,
			 .mac = host ? *rp_host_mac(d->host) : (struct rte_ether_addr){{0}},
			 .ip4 = d->host_ip4,
			 .ip6 = d->host_ip6},
	});
}

static void publish_view(struct rp_daemon *d, const struct rp_fabric *fabric, struct rp_view *view)
{
	const struct rp_nic *nic;

	rp_dataplane_publish(d->dp, view);
	TAILQ_FOREACH (nic, &fabric->nics, entry) {
		struct rp_port *port = nic->port;

		if (!nic->has_port)
			continue;
		port->rxq = port->next_rxq;
		port->txq = port->next_txq;
	}
}

// What can fail comes before what the workers see; routes are the last of it.
static int publish(void *arg, struct rp_fabric *fabric, struct rp_error *err)
{
	struct rp_daemon *d = arg;
	bool host = any_public(fabric) && !d->opt->no_host;
	struct rp_view *view;

	if (host && d->host == NULL && open_host(d, err) < 0)
		return -err->code;
	view = build_view(d, fabric, host);
	if (view == NULL)
		return rp_error_set(err, ENOMEM, "memory", NULL, "out of memory for a new view");
	if (host && sync_routes(d, fabric, err) < 0) {
		rp_view_free(view);
		return -err->code;
	}
	publish_view(d, fabric, view);
	if (!host && d->host != NULL) {
		rp_host_close(d->host);
		d->host = NULL;
	}
	return 0;
}

const struct rp_fabric_ops rp_daemon_ops = {
	.nic_add = nic_add,
	.nic_remove = nic_remove,
	.publish = publish,
};

static void warn_numa(const struct rp_nic *nic, int guest)
{
	const struct rp_port *port = nic->port;
	int worker = (int)rte_lcore_to_socket_id(port->daemon->dp->workers[0]->lcore);

	if (guest >= 0 && worker >= 0 && guest != worker)
		rp_warn("nic '%s': its VM's memory is on NUMA node %d, its worker on node %d; "
			"start "
			"the VM on node %d or give ringplane lcores of node %d",
			nic->cfg.name, guest, worker, worker, guest);
}

// Take over what the vhost thread noted; true where the workers must be told.
static bool port_changed(struct rp_nic *nic)
{
	struct rp_port *port = nic->port;
	struct rp_vhost_state st;
	bool again;

	rp_vhost_state(port->vhost, &st);
	again = st.connections != port->connections;
	port->connections = st.connections;
	port->features = st.features;
	if (st.up && (nic->state != RP_NIC_CONNECTED || again)) {
		nic->state = RP_NIC_CONNECTED;
		port->connected_at = rp_clock_ms();
		rp_info("nic '%s': connected", nic->cfg.name);
		rp_control_nic_event(&port->daemon->control, "connected", nic);
		warn_numa(nic, st.numa_node);
		rp_ra_start(port);
	} else if (!st.up && nic->state == RP_NIC_CONNECTED) {
		nic->state = RP_NIC_CREATED;
		rp_info("nic '%s': disconnected", nic->cfg.name);
		rp_control_nic_event(&port->daemon->control, "disconnected", nic);
		rp_ra_stop(port);
	}
	return st.rxq != port->rxq || st.txq != port->txq;
}

void rp_daemon_ports_changed(struct rp_daemon *d)
{
	struct rp_view *view;
	struct rp_nic *nic;
	bool changed = false;

	TAILQ_FOREACH (nic, &d->fabric->nics, entry)
		if (nic->has_port)
			changed |= port_changed(nic);
	if (!changed)
		return;
	view = build_view(d, d->fabric, d->host != NULL);
	if (view == NULL) {
		rp_err("out of memory: the workers keep the queues they know");
		return;
	}
	publish_view(d, d->fabric, view);
}
