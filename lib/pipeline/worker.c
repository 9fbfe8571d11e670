// SPDX-License-Identifier: BSD-3-Clause
#include "pipeline/worker.h"

#include <rte_cycles.h>
#include <rte_lcore.h>
#include <rte_pause.h>

#include "pipeline/run.h"

/*
 * The loop of a worker, see worker.h for what a round is.
 */

static void send_port(struct rp_worker *w, const struct rp_poll *poll, uint16_t port)
{
	struct rp_dataplane *dp = w->dp;
	struct rp_tx *tx = &w->tx[port];
	uint16_t queue = rp_view_tx_queue(w->view, port, poll);
	rte_spinlock_t *lock = &dp->tx_lock[port][queue % RP_TXQ_LOCKS];
	uint16_t sent;

	if (dp->n_workers > 1)
		rte_spinlock_lock(lock);
	sent = rte_eth_tx_burst(port, queue, tx->pkts, tx->n);
	if (dp->n_workers > 1)
		rte_spinlock_unlock(lock);
	if (unlikely(sent < tx->n)) {
		w->ports[port].drops[RP_DROP_tx_full] += tx->n - sent;
		rte_pktmbuf_free_bulk(tx->pkts + sent, tx->n - sent);
	}
	tx->n = 0;
}

void rp_worker_flush(struct rp_worker *w, const struct rp_poll *poll)
{
	for (uint16_t i = 0; i < w->n_touched; i++)
		send_port(w, poll, w->touched[i]);
	w->n_touched = 0;
}

static uint16_t fast_lane(struct rp_worker *w, const struct rp_poll *poll, struct rte_mbuf **pkts,
			  uint16_t n)
{
	struct rp_stage_counters *c = &w->counters.fast;
	uint64_t start = 0;
	uint16_t left;

	if (unlikely(w->dp->profiling))
		start = rte_rdtsc();
	left = rp_fast_lane(w, poll, pkts, n);
	if (unlikely(w->dp->profiling))
		c->cycles += rte_rdtsc() - start;
	c->packets += (uint16_t)(n - left);
	return left;
}

void rp_worker_burst(struct rp_worker *w, const struct rp_poll *poll, struct rte_mbuf **pkts,
		     uint16_t n)
{
	uint16_t left = n;

	w->counters.bursts++;
	w->counters.packets += n;
	// The TAP is bound by system calls: its packets all take the side door.
	if (likely(poll->nic != NULL))
		left = fast_lane(w, poll, pkts, n);
	for (uint16_t i = 0; i < left; i++)
		rp_side_door(w, poll, pkts[i]);
}

static uint16_t poll_one(struct rp_worker *w, const struct rp_poll *poll)
{
	struct rte_mbuf *pkts[RP_BURST];
	uint16_t n = rte_eth_rx_burst(poll->port, poll->queue, pkts, RP_BURST);

	if (n == 0)
		return 0;
	rp_worker_burst(w, poll, pkts, n);
	rp_worker_flush(w, poll);
	return n;
}

// Packets of the main lcore; its own sender queue is that of the first poll pair.
static uint16_t send_injected(struct rp_worker *w)
{
	static const struct rp_poll from_main = {.port = 0};
	struct rte_mbuf *pkts[RP_BURST];
	unsigned int n = rte_ring_sc_dequeue_burst(w->dp->inject, (void **)pkts, RP_BURST, NULL);

	if (likely(n == 0))
		return 0;
	for (unsigned int i = 0; i < n; i++) {
		uint16_t port = pkts[i]->port;

		// The NIC may have gone since.
		if (!rp_view_port_up(w->view, port) || !rp_worker_send(w, port, pkts[i]))
			rte_pktmbuf_free(pkts[i]);
	}
	rp_worker_flush(w, &from_main);
	return (uint16_t)n;
}

static unsigned int round_once(struct rp_worker *w)
{
	const struct rp_view *view = __atomic_load_n(&w->dp->view, __ATOMIC_ACQUIRE);
	const struct rp_poll_list *list = &view->workers[w->index];
	unsigned int moved = 0;

	w->view = view;
	if (unlikely(!__atomic_load_n(&w->dp->forwarding, __ATOMIC_RELAXED))) {
		rte_pause();
		return 0;
	}
	for (uint16_t i = 0; i < list->n; i++)
		moved += poll_one(w, &list->poll[i]);
	if (w->index == 0)
		moved += send_injected(w);
	return moved;
}

int rp_worker_run(void *arg)
{
	struct rp_worker *w = arg;
	struct rte_rcu_qsbr *qsbr = w->dp->qsbr;
	uint64_t last = rte_rdtsc();

	rte_rcu_qsbr_thread_register(qsbr, w->index);
	rte_rcu_qsbr_thread_online(qsbr, w->index);
	while (!__atomic_load_n(&w->dp->stop, __ATOMIC_RELAXED)) {
		unsigned int moved = round_once(w);
		uint64_t now = rte_rdtsc();

		w->counters.rounds++;
		w->counters.cycles += now - last;
		if (moved > 0)
			w->counters.cycles_busy += now - last;
		last = now;
		rte_rcu_qsbr_quiescent(qsbr, w->index);
	}
	rte_rcu_qsbr_thread_offline(qsbr, w->index);
	rte_rcu_qsbr_thread_unregister(qsbr, w->index);
	return 0;
}
