// SPDX-License-Identifier: BSD-3-Clause
#include "pipeline/show.h"

#include <inttypes.h>
#include <string.h>

#include <rte_dev.h>
#include <rte_devargs.h>

#include "packet/addr.h"

#define NIC_BORDER  "########################"
#define INFO_BORDER "*********************"
#define FWD_BORDER  "----------------------"
#define ACC_BORDER  "+++++++++++++++"
#define NS_PER_SEC  1000000000.0

static uint64_t rate(uint64_t now, uint64_t before, uint64_t ns)
{
	if (ns == 0 || now < before)
		return 0;
	return (uint64_t)((double)(now - before) / (double)ns * NS_PER_SEC);
}

void rp_show_port_stats(FILE *out, uint16_t port, const struct rte_eth_stats *s,
			struct rp_show_rate *last, uint64_t now_ns)
{
	const struct rte_eth_stats *was = &last->stats;
	uint64_t ns = last->at_ns != 0 ? now_ns - last->at_ns : 0;

	fprintf(out, "\n  %s NIC statistics for port %-2d %s\n", NIC_BORDER, port, NIC_BORDER);
	fprintf(out,
		"  RX-packets: %-10" PRIu64 " RX-missed: %-10" PRIu64 " RX-bytes:  %-" PRIu64 "\n",
		s->ipackets, s->imissed, s->ibytes);
	fprintf(out, "  RX-errors: %-" PRIu64 "\n", s->ierrors);
	fprintf(out, "  RX-nombuf:  %-10" PRIu64 "\n", s->rx_nombuf);
	fprintf(out,
		"  TX-packets: %-10" PRIu64 " TX-errors: %-10" PRIu64 " TX-bytes:  %-" PRIu64 "\n",
		s->opackets, s->oerrors, s->obytes);
	fprintf(out, "\n  Throughput (since last show)\n");
	fprintf(out, "  Rx-pps: %12" PRIu64 "          Rx-bps: %12" PRIu64 "\n",
		rate(s->ipackets, was->ipackets, ns), rate(s->ibytes, was->ibytes, ns) * 8);
	fprintf(out, "  Tx-pps: %12" PRIu64 "          Tx-bps: %12" PRIu64 "\n",
		rate(s->opackets, was->opackets, ns), rate(s->obytes, was->obytes, ns) * 8);
	fprintf(out, "  %s############################%s\n", NIC_BORDER, NIC_BORDER);
	last->at_ns = now_ns;
	last->stats = *s;
}

static void show_link(FILE *out, uint16_t port)
{
	struct rte_eth_link link = {0};

	rte_eth_link_get_nowait(port, &link);
	fprintf(out, "\nLink status: %s\n", link.link_status ? "up" : "down");
	if (link.link_speed == RTE_ETH_SPEED_NUM_UNKNOWN)
		fprintf(out, "Link speed: Unknown\n");
	else if (link.link_speed % 1000 == 0)
		fprintf(out, "Link speed: %u Gbps\n", link.link_speed / 1000);
	else
		fprintf(out, "Link speed: %u Mbps\n", link.link_speed);
	fprintf(out, "Link duplex: %s\n",
		link.link_duplex == RTE_ETH_LINK_FULL_DUPLEX ? "full-duplex" : "half-duplex");
	fprintf(out, "Autoneg status: %s\n",
		link.link_autoneg == RTE_ETH_LINK_AUTONEG ? "On" : "Off");
}

static void show_device(FILE *out, uint16_t port, const struct rte_eth_dev_info *info)
{
	const struct rte_devargs *args = rte_dev_devargs(info->device);
	struct rte_ether_addr mac;
	char text[RP_MAC_STR], name[RTE_ETH_NAME_MAX_LEN];

	if (rte_eth_macaddr_get(port, &mac) == 0)
		fprintf(out, "MAC address: %s", rp_mac_format(&mac, text));
	if (rte_eth_dev_get_name_by_port(port, name) == 0)
		fprintf(out, "\nDevice name: %s", name);
	fprintf(out, "\nDriver name: %s", info->driver_name);
	if (args != NULL && args->args != NULL)
		fprintf(out, "\nDevargs: %s", args->args);
	fprintf(out, "\nConnect to socket: %d", rte_eth_dev_socket_id(port));
}

static void show_queues(FILE *out, const struct rte_eth_dev_info *info)
{
	const struct {
		const char *ring;
		uint16_t now, max;
		const struct rte_eth_desc_lim *lim;
	} ways[] = {
		{"RX", info->nb_rx_queues, info->max_rx_queues, &info->rx_desc_lim},
		{"TX", info->nb_tx_queues, info->max_tx_queues, &info->tx_desc_lim},
	};

	for (size_t i = 0; i < RTE_DIM(ways); i++) {
		fprintf(out, "Current number of %s queues: %u\n", ways[i].ring, ways[i].now);
		fprintf(out, "Max possible %s queues: %u\n", ways[i].ring, ways[i].max);
		fprintf(out, "Max possible number of %sDs per queue: %hu\n", ways[i].ring,
			ways[i].lim->nb_max);
		fprintf(out, "Min possible number of %sDs per queue: %hu\n", ways[i].ring,
			ways[i].lim->nb_min);
	}
}

void rp_show_port_info(FILE *out, uint16_t port)
{
	struct rte_eth_dev_info info;
	uint16_t mtu;

	if (rte_eth_dev_info_get(port, &info) != 0)
		return;
	fprintf(out, "\n%s Infos for port %-2d %s\n", INFO_BORDER, port, INFO_BORDER);
	show_device(out, port, &info);
	show_link(out, port);
	if (rte_eth_dev_get_mtu(port, &mtu) == 0)
		fprintf(out, "MTU: %u\n", mtu);
	fprintf(out, "Promiscuous mode: %s\n",
		rte_eth_promiscuous_get(port) == 1 ? "enabled" : "disabled");
	fprintf(out, "Minimum size of RX buffer: %u\n", info.min_rx_bufsize);
	fprintf(out, "Maximum configurable length of RX packet: %u\n", info.max_rx_pktlen);
	show_queues(out, &info);
}

struct rte_eth_stats rp_show_since(const struct rte_eth_stats *now,
				   const struct rte_eth_stats *start)
{
	struct rte_eth_stats d = *now;

	if (now->ipackets < start->ipackets || now->opackets < start->opackets ||
	    now->imissed < start->imissed || now->oerrors < start->oerrors ||
	    now->rx_nombuf < start->rx_nombuf || now->ierrors < start->ierrors)
		return d;
	d.ipackets -= start->ipackets;
	d.opackets -= start->opackets;
	d.ibytes -= start->ibytes;
	d.obytes -= start->obytes;
	d.imissed -= start->imissed;
	d.ierrors -= start->ierrors;
	d.oerrors -= start->oerrors;
	d.rx_nombuf -= start->rx_nombuf;
	return d;
}

static void show_way(FILE *out, const char *way, uint64_t packets, uint64_t dropped)
{
	fprintf(out,
		"  %s-packets: %-14" PRIu64 " %s-dropped: %-14" PRIu64 "%s-total: %-" PRIu64 "\n",
		way, packets, way, dropped, way, packets + dropped);
}

// The drivers count what they could not send as TX errors.
void rp_show_fwd_port(FILE *out, uint16_t port, const struct rte_eth_stats *s)
{
	fprintf(out, "\n  %s Forward statistics for port %-2d %s\n", FWD_BORDER, port, FWD_BORDER);
	show_way(out, "RX", s->ipackets, s->imissed);
	if (s->ierrors + s->rx_nombuf > 0) {
		fprintf(out, "  RX-error: %-" PRIu64 "\n", s->ierrors);
		fprintf(out, "  RX-nombufs: %-14" PRIu64 "\n", s->rx_nombuf);
	}
	show_way(out, "TX", s->opackets, s->oerrors);
	fprintf(out, "  %s--------------------------------%s\n", FWD_BORDER, FWD_BORDER);
}

void rp_show_fwd_total(FILE *out, const struct rte_eth_stats *since, size_t n)
{
	struct rte_eth_stats sum = {0};

	for (size_t i = 0; i < n; i++) {
		sum.ipackets += since[i].ipackets;
		sum.imissed += since[i].imissed;
		sum.opackets += since[i].opackets;
		sum.oerrors += since[i].oerrors;
		sum.rx_nombuf += since[i].rx_nombuf;
	}
	fprintf(out, "\n  %s Accumulated forward statistics for all ports%s\n", ACC_BORDER,
		ACC_BORDER);
	show_way(out, "RX", sum.ipackets, sum.imissed);
	show_way(out, "TX", sum.opackets, sum.oerrors);
	if (sum.rx_nombuf > 0)
		fprintf(out, "  RX-nombufs: %-14" PRIu64 "\n", sum.rx_nombuf);
	fprintf(out, "  %s++++++++++++++++++++++++++++++++++++++++++++++%s\n", ACC_BORDER,
		ACC_BORDER);
}
