// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <stdlib.h>

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_malloc.h>

#include "pipeline/run.h"
#include "pipeline/worker.h"

#define INJECT_RING 1024
#define POOL_CACHE  256

static struct rte_mempool *make_pool(int socket, unsigned int mbufs, struct rp_error *err)
{
	struct rte_mempool *pool;
	char name[RTE_MEMPOOL_NAMESIZE];

	snprintf(name, sizeof(name), "rp_mbufs_%d", socket);
	pool = rte_mempool_lookup(name);
	if (pool != NULL)
		return pool;
	pool = rte_pktmbuf_pool_create(name, mbufs, POOL_CACHE, 0, RP_MBUF_ROOM, socket);
	if (pool == NULL)
		rp_error_set(
			err, rte_errno, "memory", NULL,
			"no room for %u packet buffers (%u MB) on NUMA node %d: %s; give EAL more "
			"with -m MB or reserve hugepages",
			mbufs, mbufs / 1024 * (RP_MBUF_ROOM + 256) / 1024, socket,
			rte_strerror(rte_errno));
	return pool;
}

static int add_worker(struct rp_dataplane *dp, unsigned int lcore, unsigned int mbufs,
		      struct rp_error *err)
{
	int socket = (int)rte_lcore_to_socket_id(lcore);
	struct rp_worker *w;

	w = rte_zmalloc_socket("rp_worker", sizeof(*w), RTE_CACHE_LINE_SIZE, socket);
	if (w == NULL)
		return rp_error_set(err, ENOMEM, "memory", NULL,
				    "no room for worker %u (%zu KB): give EAL more with -m MB",
				    lcore, sizeof(*w) / 1024);
	dp->workers[dp->n_workers] = w;
	w->dp = dp;
	w->index = dp->n_workers++;
	w->lcore = lcore;
	w->pool = make_pool(socket, mbufs, err);
	return w->pool == NULL ? -ENOMEM : 0;
}

static int make_shared(struct rp_dataplane *dp, uint16_t n, struct rp_error *err)
{
	struct rp_view *empty;
	struct rp_fabric none = {.networks = TAILQ_HEAD_INITIALIZER(none.networks),
				 .nics = TAILQ_HEAD_INITIALIZER(none.nics)};

	dp->qsbr = rte_zmalloc("rp_qsbr", rte_rcu_qsbr_get_memsize(n), RTE_CACHE_LINE_SIZE);
	// One producer (main), one consumer (worker 0).
	dp->inject = rte_ring_create("rp_inject", INJECT_RING, SOCKET_ID_ANY,
				     RING_F_SP_ENQ | RING_F_SC_DEQ);
	empty = rp_view_new(&(struct rp_view_input){
		.fabric = &none, .n_workers = n, .host.port = RP_PORT_NONE});
	dp->view = empty;
	if (dp->qsbr == NULL || dp->inject == NULL || empty == NULL)
		return rp_error_set(err, ENOMEM, "memory", NULL,
				    "no room for rings: give EAL more with -m MB");
	rte_rcu_qsbr_init(dp->qsbr, n);
	return 0;
}

struct rp_dataplane *rp_dataplane_new(const unsigned int *lcores, uint16_t n, unsigned int mbufs,
				      struct rp_error *err)
{
	struct rp_dataplane *dp = rte_zmalloc("rp_dataplane", sizeof(*dp), RTE_CACHE_LINE_SIZE);

	if (dp == NULL) {
		rp_error_set(err, ENOMEM, "memory", NULL,
			     "no room for the dataplane: give EAL more with -m MB");
		return NULL;
	}
	dp->forwarding = true;
	if (make_shared(dp, n, err) < 0)
		goto fail;
	for (uint16_t i = 0; i < n; i++)
		if (add_worker(dp, lcores[i], mbufs, err) < 0)
			goto fail;
	return dp;
fail:
	rp_dataplane_free(dp);
	return NULL;
}

static void free_pools(const struct rp_dataplane *dp)
{
	for (uint16_t i = 0; i < dp->n_workers; i++) {
		struct rte_mempool *pool = dp->workers[i]->pool;

		for (uint16_t j = i; j < dp->n_workers; j++)
			if (dp->workers[j]->pool == pool)
				dp->workers[j]->pool = NULL;
		rte_mempool_free(pool);
	}
}

void rp_dataplane_free(struct rp_dataplane *dp)
{
	struct rte_mbuf *m;

	if (dp == NULL)
		return;
	while (dp->inject != NULL && rte_ring_dequeue(dp->inject, (void **)&m) == 0)
		rte_pktmbuf_free(m);
	rte_ring_free(dp->inject);
	free_pools(dp);
	for (uint16_t i = 0; i < dp->n_workers; i++)
		rte_free(dp->workers[i]);
	rp_view_free((struct rp_view *)dp->view);
	rte_free(dp->qsbr);
	rte_free(dp);
}

int rp_dataplane_start(struct rp_dataplane *dp, struct rp_error *err)
{
	for (uint16_t i = 0; i < dp->n_workers; i++) {
		struct rp_worker *w = dp->workers[i];
		int rc = rte_eal_remote_launch(rp_worker_run, w, w->lcore);

		if (rc < 0) {
			rp_dataplane_stop(dp);
			return rp_error_set(err, -rc, "lcore", NULL,
					    "lcore %u does not start: is it in use?", w->lcore);
		}
	}
	return 0;
}

void rp_dataplane_stop(struct rp_dataplane *dp)
{
	__atomic_store_n(&dp->stop, true, __ATOMIC_RELAXED);
	for (uint16_t i = 0; i < dp->n_workers; i++)
		rte_eal_wait_lcore(dp->workers[i]->lcore);
}

struct rte_mempool *rp_dataplane_pool(const struct rp_dataplane *dp, int socket)
{
	for (uint16_t i = 0; i < dp->n_workers; i++)
		if ((int)rte_lcore_to_socket_id(dp->workers[i]->lcore) == socket)
			return dp->workers[i]->pool;
	return dp->workers[0]->pool;
}

void rp_dataplane_publish(struct rp_dataplane *dp, struct rp_view *view)
{
	const struct rp_view *old = dp->view;

	__atomic_store_n(&dp->view, view, __ATOMIC_RELEASE);
	rte_rcu_qsbr_synchronize(dp->qsbr, RTE_QSBR_THRID_INVALID);
	rp_view_free((struct rp_view *)old);
}

int rp_dataplane_inject(struct rp_dataplane *dp, uint16_t port, struct rte_mbuf *m)
{
	m->port = port;
	if (rte_ring_sp_enqueue(dp->inject, m) == 0)
		return 0;
	rte_pktmbuf_free(m);
	return -ENOBUFS;
}

void rp_dataplane_port_counters(const struct rp_dataplane *dp, uint16_t port,
				struct rp_port_counters *sum)
{
	memset(sum, 0, sizeof(*sum));
	for (uint16_t i = 0; i < dp->n_workers; i++) {
		const struct rp_port_counters *c = &dp->workers[i]->ports[port];

		for (int r = 0; r < RP_DROP_COUNT; r++)
			sum->drops[r] += c->drops[r];
		for (int a = 0; a < RP_ANSWER_COUNT; a++)
			sum->answers[a] += c->answers[a];
	}
}

void rp_dataplane_port_reset(struct rp_dataplane *dp, uint16_t port)
{
	for (uint16_t i = 0; i < dp->n_workers; i++) {
		memset(&dp->workers[i]->ports[port], 0, sizeof(dp->workers[i]->ports[port]));
		memset(&dp->workers[i]->icmp_tokens[port], 0,
		       sizeof(dp->workers[i]->icmp_tokens[port]));
	}
}
