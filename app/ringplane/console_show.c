// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "base/clock.h"
#include "console_priv.h"
#include "control/control.h"
#include "net/tap/host.h"
#include "net/vhost/vhost.h"
#include "virtio/feature_bits.h"

static uint16_t port_of(const struct rp_nic *nic)
{
	return nic->has_port ? rp_vhost_port(((const struct rp_port *)nic->port)->vhost)
			     : RP_PORT_NONE;
}

static const struct rp_nic *nic_at(const struct rp_console *c, uint16_t port)
{
	const struct rp_nic *nic;

	TAILQ_FOREACH (nic, &c->daemon->fabric->nics, entry)
		if (port_of(nic) == port)
			return nic;
	return NULL;
}

// What is remembered of a port, unless the port id has been given to another NIC since.
static struct console_port *port_memory(struct rp_console *c, uint16_t port)
{
	struct console_port *memory = &c->ports[port];
	const struct rp_nic *nic = nic_at(c, port);
	const char *owner = nic != NULL ? nic->uuid : "";

	if (strcmp(memory->owner, owner) != 0) {
		memset(memory, 0, sizeof(*memory));
		strlcpy(memory->owner, owner, sizeof(memory->owner));
	}
	return memory;
}

static void say_valid_ports(struct rp_console *c, const char *word)
{
	uint16_t port;

	fprintf(c->out, "Invalid port %s\nThe valid ports array is [", word);
	RTE_ETH_FOREACH_DEV (port) {
		fprintf(c->out, " %u", port);
	}
	fprintf(c->out, " ]\n");
}

// Call fn for the port that word names, or for all.
static void for_ports(struct rp_console *c, const char *word,
		      void (*fn)(struct rp_console *c, uint16_t port))
{
	char *end;
	unsigned long number;
	uint16_t port;

	if (strcmp(word, "all") == 0) {
		RTE_ETH_FOREACH_DEV (port) {
			fn(c, port);
		}
		return;
	}
	number = strtoul(word, &end, 10);
	if (word[0] < '0' || word[0] > '9' || *end != '\0' || number >= RTE_MAX_ETHPORTS ||
	    !rte_eth_dev_is_valid_port((uint16_t)number))
		say_valid_ports(c, word);
	else
		fn(c, (uint16_t)number);
}

static void show_stats(struct rp_console *c, uint16_t port)
{
	struct rte_eth_stats now;

	if (rte_eth_stats_get(port, &now) == 0)
		rp_show_port_stats(c->out, port, &now, &port_memory(c, port)->rate, rp_clock_ns());
}

static void clear_stats(struct rp_console *c, uint16_t port)
{
	struct console_port *memory = port_memory(c, port);

	rte_eth_stats_reset(port);
	memset(&memory->rate, 0, sizeof(memory->rate));
	memset(&memory->start, 0, sizeof(memory->start));
	fprintf(c->out, "\n  NIC statistics for port %u cleared\n", port);
}

static void show_info(struct rp_console *c, uint16_t port)
{
	rp_show_port_info(c->out, port);
}

void rp_console_show_port_stats(struct rp_console *c, const char *word)
{
	for_ports(c, word, show_stats);
}

void rp_console_clear_port_stats(struct rp_console *c, const char *word)
{
	for_ports(c, word, clear_stats);
}

void rp_console_show_port_info(struct rp_console *c, const char *word)
{
	for_ports(c, word, show_info);
}

void rp_console_show_fwd_stats(struct rp_console *c, const char *)
{
	struct rte_eth_stats since[RTE_MAX_ETHPORTS];
	struct rte_eth_stats now;
	size_t n = 0;
	uint16_t port;

	RTE_ETH_FOREACH_DEV (port) {
		if (rte_eth_stats_get(port, &now) != 0)
			continue;
		since[n] = rp_show_since(&now, &port_memory(c, port)->start);
		rp_show_fwd_port(c->out, port, &since[n++]);
	}
	rp_show_fwd_total(c->out, since, n);
}

void rp_console_clear_fwd_stats(struct rp_console *c, const char *)
{
	struct rte_eth_stats now;
	uint16_t port;

	RTE_ETH_FOREACH_DEV (port) {
		if (rte_eth_stats_get(port, &now) == 0)
			port_memory(c, port)->start = now;
	}
}

void rp_console_control(struct rp_console *c, const char *line)
{
	struct rp_error err = {0};
	char text[640];

	if (rp_control_run_line(&c->daemon->control, line, c->out, &err) < 0)
		fprintf(c->out, "%s\n", rp_error_text(&err, text, sizeof(text)));
}

static const char *const states[] = {
	[RP_NIC_CREATED] = "created",
	[RP_NIC_CONNECTED] = "connected",
	[RP_NIC_ERROR] = "error",
};

static void nic_line(struct rp_console *c, const struct rp_nic *nic)
{
	char port[8] = "-", mac[RP_MAC_STR], ip4[RP_ADDR_STR] = "-", ip6[RP_ADDR_STR] = "-";

	if (nic->has_port)
		snprintf(port, sizeof(port), "%u", port_of(nic));
	if (nic->cfg.ip4.family != RP_NONE)
		rp_addr_format(&nic->cfg.ip4, ip4);
	if (nic->cfg.ip6.family != RP_NONE)
		rp_addr_format(&nic->cfg.ip6, ip6);
	fprintf(c->out, "  %-15s %4s  %-9s  %-15s %-17s  %-15s %s\n", nic->cfg.name, port,
		states[nic->state], nic->cfg.network, rp_mac_format(&nic->cfg.mac, mac), ip4, ip6);
}

void rp_console_show_nics(struct rp_console *c, const char *)
{
	const struct rp_nic *nic;

	fprintf(c->out, "  %-15s %4s  %-9s  %-15s %-17s  %-15s %s\n", "NIC", "Port", "State",
		"Network", "MAC", "IPv4", "IPv6");
	TAILQ_FOREACH (nic, &c->daemon->fabric->nics, entry)
		nic_line(c, nic);
	if (c->daemon->host != NULL)
		fprintf(c->out, "  %-15s %4u  %-9s  %s\n", "(host)", rp_host_port(c->daemon->host),
			"up", c->daemon->opt->tap);
}

static void show_features(struct rp_console *c, uint64_t features)
{
	fprintf(c->out, "features:%s", features == 0 ? " -" : "");
	for (unsigned int bit = 0; bit < 64; bit++) {
		const char *name = rp_virtio_feature_name(RP_VIRTIO_NET, bit);

		if ((features >> bit & 1) != 0 && name != NULL)
			fprintf(c->out, " %s", name);
	}
	fprintf(c->out, "\n");
}

void rp_console_show_nic(struct rp_console *c, const char *name)
{
	const struct rp_nic *nic = rp_nic_find(c->daemon->fabric, name);
	struct rp_port_counters counters;
	struct rp_vhost_state st;
	char line[256];

	snprintf(line, sizeof(line), "nic get %s", name);
	rp_console_control(c, line);
	if (nic == NULL || !nic->has_port)
		return;
	rp_vhost_state(((const struct rp_port *)nic->port)->vhost, &st);
	fprintf(c->out, "port: %u\nconnections: %u\n", port_of(nic), st.connections);
	fprintf(c->out, "queues from the VM: 0x%" PRIx64 "\nqueues to the VM: 0x%" PRIx64 "\n",
		st.rxq, st.txq);
	show_features(c, st.features);
	rp_dataplane_port_counters(c->daemon->dp, port_of(nic), &counters);
	rp_show_answers(c->out, &counters);
}

void rp_console_show_networks(struct rp_console *c, const char *)
{
	rp_console_control(c, "network list");
}

static void drops_at(struct rp_console *c, const char *what, const char *name, uint16_t port)
{
	struct rp_port_counters counters;
	char title[128];

	rp_dataplane_port_counters(c->daemon->dp, port, &counters);
	snprintf(title, sizeof(title), "%s %s (port %u)", what, name, port);
	rp_show_drops(c->out, title, &counters);
}

void rp_console_show_drops(struct rp_console *c, const char *name)
{
	const struct rp_nic *nic;

	if (name != NULL) {
		nic = rp_nic_find(c->daemon->fabric, name);
		if (nic == NULL || !nic->has_port)
			rp_console_show_nic(c, name); // says what is wrong with it
		else
			drops_at(c, "nic", nic->cfg.name, port_of(nic));
		return;
	}
	TAILQ_FOREACH (nic, &c->daemon->fabric->nics, entry)
		if (nic->has_port)
			drops_at(c, "nic", nic->cfg.name, port_of(nic));
	if (c->daemon->host != NULL)
		drops_at(c, "host", c->daemon->opt->tap, rp_host_port(c->daemon->host));
}

void rp_console_show_pipeline(struct rp_console *c, const char *)
{
	const struct rp_dataplane *dp = c->daemon->dp;

	for (uint16_t i = 0; i < dp->n_workers; i++)
		rp_show_worker(c->out, dp->workers[i], &c->workers[i]);
}

void rp_console_show_dot(struct rp_console *c, const char *)
{
	rp_show_pipeline_dot(c->out);
}

void rp_console_set_profiling(struct rp_console *c, const char *word)
{
	struct rp_dataplane *dp = c->daemon->dp;

	__atomic_store_n(&dp->profiling, strcmp(word, "on") == 0, __ATOMIC_RELAXED);
	// Cycles per packet are those of the packets that were timed.
	for (uint16_t i = 0; i < dp->n_workers; i++)
		c->workers[i] = dp->workers[i]->counters;
}

void rp_console_start(struct rp_console *c, const char *)
{
	struct rp_dataplane *dp = c->daemon->dp;

	if (dp->forwarding) {
		fprintf(c->out, "Packet forwarding already started\n");
		return;
	}
	rp_console_clear_fwd_stats(c, NULL);
	__atomic_store_n(&dp->forwarding, true, __ATOMIC_RELAXED);
	fprintf(c->out, "ringplane packet forwarding - ports=%u - cores=%u\n",
		rte_eth_dev_count_avail(), dp->n_workers);
}

void rp_console_stop(struct rp_console *c, const char *)
{
	struct rp_dataplane *dp = c->daemon->dp;

	if (!dp->forwarding) {
		fprintf(c->out, "Packet forwarding not started\n");
		return;
	}
	fprintf(c->out, "Telling cores to stop...\n");
	__atomic_store_n(&dp->forwarding, false, __ATOMIC_RELAXED);
	fprintf(c->out, "Waiting for lcores to finish...\n");
	rte_rcu_qsbr_synchronize(dp->qsbr, RTE_QSBR_THRID_INVALID);
	rp_console_show_fwd_stats(c, NULL);
	fprintf(c->out, "\nDone.\n");
}
