// SPDX-License-Identifier: BSD-3-Clause
#include "net/tap/host.h"

#include <rte_bus_vdev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_malloc.h>
#include <rte_memzone.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <bsd/string.h>

#include "base/log.h"
#include "net/tap/internal.h"

#define VDEV	   "net_tap_host"
#define FRAME_ROOM (RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN)
#define TX_DESC	   512 // the PMD has no ring towards the kernel: it writes

// The PMD asks the kernel for a real-time signal per packet; when their queue overflows the kernel
// sends SIGIO in its place, whose default is to end the process.
static void ignore_overflow_signal(void)
{
	struct sigaction now;

	if (sigaction(SIGIO, NULL, &now) == 0 && now.sa_handler == SIG_DFL)
		signal(SIGIO, SIG_IGN);
}

static int create_vdev(struct rp_host *host, struct rp_error *err)
{
	char args[64], mac[RP_MAC_STR];
	int level = rte_log_get_level(rte_log_register("pmd.net.tap"));
	int rc;

	snprintf(args, sizeof(args), "iface=%s,mac=%s", host->kernel.name,
		 rp_mac_format(&rp_host_kernel_mac, mac));
	// It complains loudly where the kernel lacks sch_multiq, which only rte_flow would need.
	rte_log_set_level_pattern("pmd.net.tap", RTE_LOG_CRIT);
	rc = rte_vdev_init(VDEV, args);
	rte_log_set_level_pattern("pmd.net.tap", (uint32_t)level);
	if (rc < 0)
		return rp_error_set(
			err, -rc, "tap", host->kernel.name,
			"DPDK cannot make the port (%s): is the net_tap driver installed "
			"(librte-net-tap), are fewer than %d ports in use?",
			strerror(-rc), RTE_MAX_ETHPORTS);
	host->vdev = true;
	rc = rte_eth_dev_get_port_by_name(VDEV, &host->port);
	if (rc < 0)
		return rp_error_set(err, -rc, "tap", host->kernel.name, "has no port: %s",
				    strerror(-rc));
	return 0;
}

static int setup_queues(struct rp_host *host, const struct rp_host_config *cfg)
{
	static const struct rte_eth_conf conf = {
		.rxmode.offloads = RTE_ETH_RX_OFFLOAD_SCATTER,
		.txmode.offloads = RTE_ETH_TX_OFFLOAD_MULTI_SEGS,
	};
	uint16_t room = rte_pktmbuf_data_room_size(cfg->pool) - RTE_PKTMBUF_HEADROOM;
	// Its descriptors are the segments of one packet: as many as the largest frame takes.
	uint16_t segs = (uint16_t)((cfg->mtu + FRAME_ROOM + room - 1) / room);
	int rc = rte_eth_dev_configure(host->port, 1, 1, &conf);

	if (rc == 0)
		rc = rte_eth_rx_queue_setup(host->port, 0, segs, (unsigned int)cfg->socket, NULL,
					    cfg->pool);
	if (rc == 0)
		rc = rte_eth_tx_queue_setup(host->port, 0, TX_DESC, (unsigned int)cfg->socket,
					    NULL);
	return rc;
}

/*
 * net_tap of DPDK 22.11 says that its longest frame has 1522 bytes, so that ethdev refuses any
 * larger MTU, although the only place where the driver looks at the MTU is a check before it
 * writes a frame to the kernel. (Later versions say 9 KB or more and need none of this.) That
 * check reads the port's MTU through a pointer in the queue; ethdev keeps that value in a memory
 * zone, so that the pointer can be told from anything else before it is used. Where it is not
 * found the port sends 1500 bytes at most, and says so by rp_host_mtu().
 */
struct tap_tx_queue_head {
	int type;
	uint16_t *mtu;
};

static uint16_t *find_tx_mtu(const struct rp_host *host)
{
	const struct rte_memzone *zone = rte_memzone_lookup("rte_eth_dev_data");
	const struct tap_tx_queue_head *txq =
		(const struct tap_tx_queue_head *)rte_eth_fp_ops[host->port].txq.data[0];
	uintptr_t start, at;
	uint16_t now;

	if (zone == NULL || txq == NULL || rte_eth_dev_get_mtu(host->port, &now) != 0)
		return NULL;
	start = (uintptr_t)zone->addr;
	at = (uintptr_t)txq->mtu;
	if (at < start || at + sizeof(now) > start + zone->len || at % sizeof(now) != 0 ||
	    *txq->mtu != now)
		return NULL;
	return txq->mtu;
}

static void set_port_mtu(struct rp_host *host, uint16_t mtu)
{
	struct rte_eth_dev_info info;
	uint16_t *tx_mtu;

	if (rte_eth_dev_info_get(host->port, &info) == 0 &&
	    (uint32_t)mtu + RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN <= info.max_rx_pktlen)
		rte_eth_dev_set_mtu(host->port, mtu);
	else if ((tx_mtu = find_tx_mtu(host)) != NULL)
		*tx_mtu = mtu;
	rte_eth_dev_get_mtu(host->port, &host->mtu);
	if (host->mtu < mtu)
		rp_warn("%s: this DPDK sends no packets larger than %u bytes to the host",
			host->kernel.name, host->mtu);
}

static int start_port(struct rp_host *host, const struct rp_host_config *cfg, struct rp_error *err)
{
	int rc = setup_queues(host, cfg);

	if (rc < 0)
		return rp_error_set(err, -rc, "tap", cfg->ifname,
				    "port %u cannot be set up: %s; are there packet buffers left?",
				    host->port, strerror(-rc));
	rc = rp_kernel_prepare(&host->kernel, cfg->mtu, err);
	if (rc < 0)
		return rc;
	rc = rte_eth_dev_start(host->port);
	if (rc < 0)
		return rp_error_set(err, -rc, "tap", cfg->ifname, "port %u does not start: %s",
				    host->port, strerror(-rc));
	set_port_mtu(host, cfg->mtu);
	return 0;
}

struct rp_host *rp_host_open(const struct rp_host_config *cfg, struct rp_error *err)
{
	struct rp_host *host;
	int rc = rp_kernel_check(cfg->ifname, err);

	if (rc < 0)
		goto none;
	host = (struct rp_host *)calloc(1, sizeof(*host));
	if (host == NULL) {
		rc = rp_error_set(err, ENOMEM, "tap", cfg->ifname, "out of memory");
		goto none;
	}
	strlcpy(host->kernel.name, cfg->ifname, sizeof(host->kernel.name));
	host->kernel.ip4 = cfg->ip4;
	host->kernel.ip6 = cfg->ip6;
	ignore_overflow_signal();
	rc = create_vdev(host, err);
	if (rc == 0)
		rc = rp_kernel_open(&host->kernel, err);
	if (rc == 0)
		rc = start_port(host, cfg, err);
	if (rc == 0)
		rc = rp_kernel_address(&host->kernel, err);
	if (rc == 0)
		return host;
	rp_host_close(host);
none:
	errno = -rc;
	return NULL;
}

void rp_host_close(struct rp_host *host)
{
	if (host == NULL)
		return;
	rp_kernel_close(&host->kernel);
	// The interface goes with the PMD's file descriptors, addresses and routes with it.
	if (host->vdev) {
		rte_eth_dev_stop(host->port);
		rte_eth_dev_close(host->port);
		rte_vdev_uninit(VDEV);
	}
	free(host);
}

uint16_t rp_host_port(const struct rp_host *host)
{
	return host->port;
}

const struct rte_ether_addr *rp_host_mac(const struct rp_host *)
{
	return &rp_host_kernel_mac;
}

uint16_t rp_host_mtu(const struct rp_host *host)
{
	return host->mtu;
}
