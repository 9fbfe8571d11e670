// SPDX-License-Identifier: BSD-3-Clause
#include <bsd/stdlib.h>

#include "base/log.h"
#include "daemon.h"
#include "net/vhost/vhost.h"
#include "pipeline/router_advert.h"

/*
 * Unsolicited router advertisements, RFC 4861 section 6.2.4: without them a guest that solicits
 * once loses its default route when the router lifetime ends. A few go out soon after the driver
 * came up, then one now and then, at random so that many VMs do not answer in step.
 */

#define INTERVAL_MAX	600 // seconds; the lifetime is three of them
#define INTERVAL_MIN	200
#define INITIAL_MAX	16 // between the first ones
#define INITIAL_MIN	3
#define INITIAL_ADVERTS 3

static void schedule(struct rp_port *port)
{
	bool initial = port->ra_sent < INITIAL_ADVERTS;
	uint32_t min = initial ? INITIAL_MIN : INTERVAL_MIN;
	uint32_t max = initial ? INITIAL_MAX : INTERVAL_MAX;
	struct timeval tv = {.tv_sec = min + arc4random_uniform(max - min + 1)};

	event_add(port->ra_timer, &tv);
}

static const struct rp_nic_view *view_of(const struct rp_port *port)
{
	return port->daemon->dp->view->by_port[rp_vhost_port(port->vhost)];
}

static void timer_cb(evutil_socket_t, short, void *arg)
{
	struct rp_port *port = arg;
	const struct rp_nic_view *nic = view_of(port);

	// One that does not go out is made up for by the next.
	if (nic != NULL)
		rp_router_advert_send(port->daemon->dp, nic);
	port->ra_sent++;
	schedule(port);
}

void rp_ra_start(struct rp_port *port)
{
	if (port->nic->cfg.ip6.family == RP_NONE)
		return;
	if (port->ra_timer == NULL)
		port->ra_timer = evtimer_new(port->daemon->base, timer_cb, port);
	if (port->ra_timer == NULL) {
		rp_err("nic '%s': out of memory: no periodic router advertisements",
		       port->nic->cfg.name);
		return;
	}
	port->ra_sent = 0;
	schedule(port);
}

void rp_ra_stop(struct rp_port *port)
{
	if (port->ra_timer != NULL)
		event_free(port->ra_timer);
	port->ra_timer = NULL;
}
