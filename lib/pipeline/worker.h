/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Workers: one pinned lcore each that polls its share of the queues, never blocks, never allocates
 * from the heap, never logs.
 *
 * A round of a worker: for each of its (port, queue) pairs, one burst in, through the fast lane
 * and where needed the stages, and out again before the next pair is read: few packets in hand, no
 * drain timer. Then packets that the main lcore injected; then a quiescent state for RCU.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_ethdev.h>
#include <rte_mempool.h>
#include <rte_rcu_qsbr.h>
#include <rte_ring.h>
#include <rte_spinlock.h>

#include "pipeline/stage.h"

#define RP_BURST     32
#define RP_FRAME_MIN 60		      // shorter frames are padded to it
#define RP_FRAME_MAX (64 * 1024 + 64) // the largest chain that vhost can hand over
#define RP_REPLY_MAX 2048
#define RP_MBUF_ROOM (2048 + RTE_PKTMBUF_HEADROOM)
#define RP_TXQ_LOCKS 8

// Written by one worker, read by the main lcore. 64-bit loads and stores are single ones here.
struct rp_port_counters {
	uint64_t drops[RP_DROP_COUNT];
	uint64_t answers[RP_ANSWER_COUNT];
};

struct rp_stage_counters {
	uint64_t packets;
	uint64_t cycles; // only while profiling
};

struct rp_worker_counters {
	uint64_t rounds;
	uint64_t cycles_busy; // of rounds that moved packets
	uint64_t cycles;
	uint64_t bursts;  // that were not empty
	uint64_t packets; // received in them
	struct rp_stage_counters fast;
	struct rp_stage_counters stages[RP_STAGE_COUNT];
};

struct rp_tx {
	uint16_t n;
	struct rte_mbuf *pkts[RP_BURST];
};

// RFC 1812 section 4.3.2.8: ICMP errors are limited, per NIC.
struct rp_tokens {
	uint64_t at; // cycles when last filled
	uint32_t left;
};

struct rp_worker {
	struct rp_dataplane *dp;
	uint16_t index;
	unsigned int lcore;
	const struct rp_view *view;
	struct rte_mempool *pool;

	uint16_t n_touched; // ports with packets to send, in order of first touch
	uint16_t touched[RTE_MAX_ETHPORTS];
	struct rp_tx tx[RTE_MAX_ETHPORTS];

	struct rp_worker_counters counters;
	struct rp_port_counters ports[RTE_MAX_ETHPORTS]; // by port the packet came from
	struct rp_tokens icmp_tokens[RTE_MAX_ETHPORTS];

	uint8_t linear[RP_FRAME_MAX];
	uint8_t reply[RP_REPLY_MAX];
} __rte_cache_aligned;

struct rp_dataplane {
	const struct rp_view *view; // atomic: release by main, acquire by workers
	struct rte_rcu_qsbr *qsbr;
	struct rte_ring *inject; // mbufs with ->port set to where they go; main to worker 0
	uint16_t n_workers;
	struct rp_worker *workers[RTE_MAX_LCORE];
	bool stop;	 // workers leave
	bool forwarding; // false: workers idle without polling
	bool profiling;
	// Several workers may send to one queue of a VM; held for one burst at the longest.
	rte_spinlock_t tx_lock[RTE_MAX_ETHPORTS][RP_TXQ_LOCKS];
};

/*
 * Set up for the given worker lcores, with one mbuf pool per NUMA node that they use (mbufs each).
 * Main lcore. Returns NULL with err filled.
 */
struct rp_dataplane *rp_dataplane_new(const unsigned int *lcores, uint16_t n, unsigned int mbufs,
				      struct rp_error *err);
// After rp_dataplane_stop().
void rp_dataplane_free(struct rp_dataplane *dp);

int rp_dataplane_start(struct rp_dataplane *dp, struct rp_error *err);
// Ask the workers to leave and wait until they have.
void rp_dataplane_stop(struct rp_dataplane *dp);

// The mbuf pool of a NUMA node, or of any node that has one.
struct rte_mempool *rp_dataplane_pool(const struct rp_dataplane *dp, int socket);

/*
 * Make view the one that workers use, wait until none uses the old one, free it. Takes ownership.
 * Main lcore.
 */
void rp_dataplane_publish(struct rp_dataplane *dp, struct rp_view *view);

// Hand a ready frame to worker 0, to be sent out of port. Frees it and returns -ENOBUFS when the
// ring is full. Main lcore.
int rp_dataplane_inject(struct rp_dataplane *dp, uint16_t port, struct rte_mbuf *m);

// Counters of a port over all workers, and their reset (when a port id gets a new owner).
void rp_dataplane_port_counters(const struct rp_dataplane *dp, uint16_t port,
				struct rp_port_counters *sum);
void rp_dataplane_port_reset(struct rp_dataplane *dp, uint16_t port);

/*
 * One burst from one poll pair through fast lane and stages and out. Exported for tests.
 */
void rp_worker_burst(struct rp_worker *w, const struct rp_poll *poll, struct rte_mbuf **pkts,
		     uint16_t n);

// Send what is gathered. Exported for tests.
void rp_worker_flush(struct rp_worker *w, const struct rp_poll *poll);

/*
 * The fast lane (fast.c): forwards what it can by adding it to the worker's tx lists, moves the
 * rest to the front of pkts and returns their number. Decides nothing that the stages would decide
 * otherwise.
 */
uint16_t rp_fast_lane(struct rp_worker *w, const struct rp_poll *poll, struct rte_mbuf **pkts,
		      uint16_t n);

// The side door (stage.c): one packet to its end: sent, returned or dropped.
void rp_side_door(struct rp_worker *w, const struct rp_poll *poll, struct rte_mbuf *m);

// The list of what goes to a port, noted as one to flush.
static inline struct rp_tx *rp_worker_tx(struct rp_worker *w, uint16_t port)
{
	struct rp_tx *tx = &w->tx[port];

	if (tx->n == 0)
		w->touched[w->n_touched++] = port;
	return tx;
}

// Queue a packet for a port; at most RP_BURST a port between two flushes, more are dropped.
static inline bool rp_worker_send(struct rp_worker *w, uint16_t port, struct rte_mbuf *m)
{
	struct rp_tx *tx = rp_worker_tx(w, port);

	if (tx->n == RP_BURST)
		return false;
	tx->pkts[tx->n++] = m;
	return true;
}
