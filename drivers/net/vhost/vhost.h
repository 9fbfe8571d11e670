/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A NIC's port on DPDK's vhost PMD: a vdev made and removed at run time.
 *
 * Main lcore only, but for the notify callback, which comes from the vhost library's own thread
 * and must do no more than wake the main loop; the main loop then asks for the state.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_mempool.h>

#include "base/error.h"

struct rp_vhost;

struct rp_vhost_config {
	const char *path; // of the socket
	uint16_t queues;  // pairs offered
	bool client;	  // the VMM listens; we connect, and again whenever it is gone
	int socket;	  // NUMA node of the worker that will poll it
	struct rte_mempool *pool;
	void (*notify)(void *arg); // something about the link or a queue has changed
	void *notify_arg;
};

struct rp_vhost_state {
	bool up;	      // a driver is there and at least one queue towards the VM is enabled
	uint64_t rxq;	      // bit n: queue n from the VM is enabled
	uint64_t txq;	      // bit n: queue n towards the VM is enabled
	uint64_t features;    // negotiated virtio features, 0 while down
	uint32_t connections; // how often a driver has come up
	int numa_node;	      // of the guest's memory, -1 where unknown
};

// Server mode replaces a stale socket file, and refuses one that somebody listens on.
struct rp_vhost *rp_vhost_open(const struct rp_vhost_config *cfg, struct rp_error *err);

// No worker may poll or send to it any more. Ends the connection, removes the socket.
void rp_vhost_close(struct rp_vhost *v);

uint16_t rp_vhost_port(const struct rp_vhost *v);
void rp_vhost_state(const struct rp_vhost *v, struct rp_vhost_state *state);

// Descriptors of a ring, 0 where there is none. Ring 2n is what pair n receives on, 2n + 1 what it
// sends on, as the driver sees it.
uint16_t rp_vhost_ring_size(const struct rp_vhost *v, uint16_t ring);
