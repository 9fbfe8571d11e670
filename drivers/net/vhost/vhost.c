// SPDX-License-Identifier: BSD-3-Clause
#include "net/vhost/vhost.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_bus_vdev.h>
#include <rte_errno.h>
#include <rte_eth_vhost.h>
#include <rte_ethdev.h>
#include <rte_vhost.h>

#include <bsd/string.h>
#include <numaif.h>

#include "base/unix.h"

/*
 * Theory of operation. The PMD tells of queues (QUEUE_STATE) and of the device as a whole
 * (INTR_LSC) by callbacks on the vhost library's thread. They only note what changed in atomic
 * words and wake the main loop, which rebuilds the workers' view: a queue is polled or sent to only
 * while the guest has it enabled. The PMD itself makes a poll of a device that just went away
 * harmless.
 */

#define RING_SIZE 1024 // of the ethdev queue; the guest's ring decides
#define RINGS_MAX 32   // whose sizes are told

struct rp_vhost {
	uint16_t port;
	bool client;
	char name[32];
	char path[108];
	void (*notify)(void *arg);
	void *notify_arg;
	// Written on the vhost thread, read on the main lcore.
	uint64_t rxq;
	uint64_t txq;
	uint64_t features;
	int numa_node;
	uint16_t ring_sizes[RINGS_MAX];
	uint32_t connections;
	bool up;
};

static void note_queues(struct rp_vhost *v)
{
	struct rte_eth_vhost_queue_event ev;

	while (rte_eth_vhost_get_queue_event(v->port, &ev) == 0) {
		uint64_t *mask = ev.rx ? &v->rxq : &v->txq;

		if (ev.queue_id >= 64)
			continue;
		if (ev.enable)
			__atomic_fetch_or(mask, UINT64_C(1) << ev.queue_id, __ATOMIC_RELEASE);
		else
			__atomic_fetch_and(mask, ~(UINT64_C(1) << ev.queue_id), __ATOMIC_RELEASE);
	}
}

// On the vhost thread, as note_device().
static void note_rings(struct rp_vhost *v)
{
	int vid = rte_eth_vhost_get_vid_from_port_id(v->port);
	struct rte_vhost_vring vring;

	for (uint16_t i = 0; vid >= 0 && i < RINGS_MAX; i++) {
		uint16_t size = 0;

		if (i < rte_vhost_get_vring_num(vid) &&
		    rte_vhost_get_vhost_vring(vid, i, &vring) == 0)
			size = vring.size;
		__atomic_store_n(&v->ring_sizes[i], size, __ATOMIC_RELAXED);
	}
}

static int queue_event(uint16_t, enum rte_eth_event_type, void *arg, void *)
{
	struct rp_vhost *v = arg;

	note_queues(v);
	note_rings(v);
	v->notify(v->notify_arg);
	return 0;
}

// Where the first page of the guest's largest region lies.
static int guest_node(int vid)
{
	struct rte_vhost_memory *mem = NULL;
	const struct rte_vhost_mem_region *largest = NULL;
	int node = -1;

	if (rte_vhost_get_mem_table(vid, &mem) < 0)
		return -1;
	for (uint32_t i = 0; i < mem->nregions; i++)
		if (largest == NULL || mem->regions[i].size > largest->size)
			largest = &mem->regions[i];
	if (largest == NULL || get_mempolicy(&node, NULL, 0, (void *)largest->host_user_addr,
					     MPOL_F_NODE | MPOL_F_ADDR) < 0)
		node = -1;
	free(mem);
	return node;
}

/*
 * On the vhost thread, which alone may look into the device: its memory table is freed under the
 * eyes of any other one when the guest sends a new one.
 */
static void note_device(struct rp_vhost *v)
{
	int vid = rte_eth_vhost_get_vid_from_port_id(v->port);
	uint64_t features = 0;

	if (vid >= 0)
		rte_vhost_get_negotiated_features(vid, &features);
	__atomic_store_n(&v->features, features, __ATOMIC_RELAXED);
	__atomic_store_n(&v->numa_node, vid >= 0 ? guest_node(vid) : -1, __ATOMIC_RELAXED);
}

static int link_event(uint16_t port, enum rte_eth_event_type, void *arg, void *)
{
	struct rp_vhost *v = arg;
	struct rte_eth_link link;
	bool up;

	rte_eth_link_get_nowait(port, &link);
	up = link.link_status == RTE_ETH_LINK_UP;
	if (up) {
		note_device(v);
		note_rings(v);
		__atomic_fetch_add(&v->connections, 1, __ATOMIC_RELAXED);
	}
	__atomic_store_n(&v->up, up, __ATOMIC_RELEASE);
	if (!up) {
		// The PMD forgets the queues of a device that is gone, without an event.
		__atomic_store_n(&v->rxq, 0, __ATOMIC_RELEASE);
		__atomic_store_n(&v->txq, 0, __ATOMIC_RELEASE);
	}
	v->notify(v->notify_arg);
	return 0;
}

// DPDK tells no reason when it cannot make the socket.
static int check_directory(const char *path, struct rp_error *err)
{
	char copy[sizeof(((struct sockaddr_un *)0)->sun_path)];

	strlcpy(copy, path, sizeof(copy));
	if (access(dirname(copy), W_OK | X_OK) == 0)
		return 0;
	return rp_error_set(err, errno, "socket", path,
			    "cannot be made in its directory: %s; make the directory writable for "
			    "this process",
			    strerror(errno));
}

static int check_path(const struct rp_vhost_config *cfg, struct rp_error *err)
{
	int rc;

	// The path goes into DPDK's device arguments, which know no quoting.
	if (strpbrk(cfg->path, ",=[]\" ") != NULL)
		return rp_error_set(err, EINVAL, "socket", cfg->path,
				    "must be without blanks and any of , = [ ] \"");
	if (strlen(cfg->path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return rp_error_set(err, ENAMETOOLONG, "socket", cfg->path,
				    "is longer than the %zu bytes of a Unix socket path",
				    sizeof(((struct sockaddr_un *)0)->sun_path) - 1);
	if (cfg->client)
		return 0;
	rc = rp_unix_remove_dead(cfg->path, err);
	return rc < 0 ? rc : check_directory(cfg->path, err);
}

static int configure(struct rp_vhost *v, const struct rp_vhost_config *cfg)
{
	const struct rte_eth_conf conf = {0};
	int rc = rte_eth_dev_configure(v->port, cfg->queues, cfg->queues, &conf);

	for (uint16_t q = 0; rc == 0 && q < cfg->queues; q++) {
		rc = rte_eth_rx_queue_setup(v->port, q, RING_SIZE, (unsigned int)cfg->socket, NULL,
					    cfg->pool);
		if (rc == 0)
			rc = rte_eth_tx_queue_setup(v->port, q, RING_SIZE,
						    (unsigned int)cfg->socket, NULL);
	}
	if (rc == 0)
		rc = rte_eth_dev_callback_register(v->port, RTE_ETH_EVENT_QUEUE_STATE, queue_event,
						   v);
	if (rc == 0)
		rc = rte_eth_dev_callback_register(v->port, RTE_ETH_EVENT_INTR_LSC, link_event, v);
	return rc == 0 ? rte_eth_dev_start(v->port) : rc;
}

// The first free name: DPDK ties a vdev's name to its port.
static void pick_name(struct rp_vhost *v)
{
	uint16_t port;

	for (unsigned int i = 0; i <= RTE_MAX_ETHPORTS; i++) {
		snprintf(v->name, sizeof(v->name), "net_vhost%u", i);
		if (rte_eth_dev_get_port_by_name(v->name, &port) != 0)
			return;
	}
}

static int make_vdev(struct rp_vhost *v, const struct rp_vhost_config *cfg, struct rp_error *err)
{
	char args[192];
	int rc;

	pick_name(v);
	snprintf(args, sizeof(args), "iface=%s,queues=%u,client=%d", cfg->path, cfg->queues,
		 cfg->client);
	rc = rte_vdev_init(v->name, args);
	if (rc == 0)
		rc = rte_eth_dev_get_port_by_name(v->name, &v->port);
	if (rc < 0)
		return rp_error_set(err, -rc, "port", v->name,
				    "DPDK makes no vhost port for %s: %s; it has %u ports of %u",
				    cfg->path, rte_strerror(-rc), rte_eth_dev_count_total(),
				    RTE_MAX_ETHPORTS);
	return 0;
}

struct rp_vhost *rp_vhost_open(const struct rp_vhost_config *cfg, struct rp_error *err)
{
	struct rp_vhost *v;
	int rc;

	if (check_path(cfg, err) < 0)
		return NULL;
	v = calloc(1, sizeof(*v));
	if (v == NULL) {
		rp_error_set(err, ENOMEM, "memory", NULL, "out of memory");
		return NULL;
	}
	v->client = cfg->client;
	v->notify = cfg->notify;
	v->notify_arg = cfg->notify_arg;
	strlcpy(v->path, cfg->path, sizeof(v->path));
	if (make_vdev(v, cfg, err) < 0)
		goto fail;
	rc = configure(v, cfg);
	if (rc < 0) {
		rp_error_set(err, -rc, "socket", cfg->path,
			     "cannot be served: %s; does the directory exist and may we write it?",
			     rte_strerror(-rc));
		rte_vdev_uninit(v->name);
		goto fail;
	}
	return v;
fail:
	free(v);
	return NULL;
}

void rp_vhost_close(struct rp_vhost *v)
{
	rte_eth_dev_callback_unregister(v->port, RTE_ETH_EVENT_INTR_LSC, link_event, v);
	rte_eth_dev_callback_unregister(v->port, RTE_ETH_EVENT_QUEUE_STATE, queue_event, v);
	rte_eth_dev_stop(v->port);
	rte_vdev_uninit(v->name);
	if (!v->client)
		unlink(v->path);
	free(v);
}

uint16_t rp_vhost_port(const struct rp_vhost *v)
{
	return v->port;
}

void rp_vhost_state(const struct rp_vhost *v, struct rp_vhost_state *state)
{
	*state = (struct rp_vhost_state){
		.rxq = __atomic_load_n(&v->rxq, __ATOMIC_ACQUIRE),
		.txq = __atomic_load_n(&v->txq, __ATOMIC_ACQUIRE),
		.connections = __atomic_load_n(&v->connections, __ATOMIC_RELAXED),
		.numa_node = -1,
	};
	state->up = __atomic_load_n(&v->up, __ATOMIC_ACQUIRE) && state->txq != 0;
	if (!state->up) {
		state->rxq = 0;
		state->txq = 0;
		return;
	}
	state->features = __atomic_load_n(&v->features, __ATOMIC_RELAXED);
	state->numa_node = __atomic_load_n(&v->numa_node, __ATOMIC_RELAXED);
}

uint16_t rp_vhost_ring_size(const struct rp_vhost *v, uint16_t ring)
{
	return ring < RINGS_MAX ? __atomic_load_n(&v->ring_sizes[ring], __ATOMIC_RELAXED) : 0;
}
