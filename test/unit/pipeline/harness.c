// SPDX-License-Identifier: BSD-3-Clause
#include "harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_eal.h>

#include <bsd/string.h>
#include <cmocka.h>

const struct rte_ether_addr harness_host_mac = {{0x02, 0, 0, 0, 0, 0x02}};

static struct rp_dataplane *dp;
static struct rp_fabric fabric;
static struct rp_network networks[4];
static struct rp_nic nics[N_NICS];

static struct rp_prefix prefix(const char *text)
{
	struct rp_prefix p;

	assert_int_equal(rp_prefix_parse(text, &p), 0);
	return p;
}

static struct rp_addr addr(const char *text)
{
	struct rp_addr a;

	assert_int_equal(rp_addr_parse(text, &a), 0);
	return a;
}

static struct rp_network *add_network(uint32_t id, const char *name, const char *ip4,
				      const char *ip6)
{
	struct rp_network *net = &networks[id - 1];

	net->id = id;
	net->cfg.mtu = RP_MTU_DEFAULT;
	strlcpy(net->cfg.name, name, sizeof(net->cfg.name));
	if (ip4 != NULL)
		net->cfg.ip4 = prefix(ip4);
	if (ip6 != NULL)
		net->cfg.ip6 = prefix(ip6);
	TAILQ_INSERT_TAIL(&fabric.networks, net, entry);
	return net;
}

static void add_nic(int n, struct rp_network *net, const char *name, const char *mac,
		    const char *ip4, const char *ip6)
{
	struct rp_nic *nic = &nics[n];

	nic->network = net;
	strlcpy(nic->cfg.name, name, sizeof(nic->cfg.name));
	assert_int_equal(rp_mac_parse(mac, &nic->cfg.mac), 0);
	if (ip4 != NULL)
		nic->cfg.ip4 = addr(ip4);
	if (ip6 != NULL)
		nic->cfg.ip6 = addr(ip6);
	nic->cfg.queues = 1;
	TAILQ_INSERT_TAIL(&fabric.nics, nic, entry);
}

static void make_model(void)
{
	static struct rp_prefix blue1_prefixes[2];
	struct rp_network *blue, *red;

	TAILQ_INIT(&fabric.networks);
	TAILQ_INIT(&fabric.nics);
	blue = add_network(1, "blue", "10.0.0.0/24", "fd00:0:0:1::/64");
	blue->cfg.is_public = true;
	blue->cfg.dns = (struct rp_addr_list){2, {addr("1.1.1.1"), addr("2606:4700::1111")}};
	blue->cfg.ntp = (struct rp_addr_list){2, {addr("10.0.0.123"), addr("fd00::123")}};
	strlcpy(blue->cfg.domain, "example.org", sizeof(blue->cfg.domain));
	strlcpy(blue->cfg.search[blue->cfg.n_search++], "lab.example.org", RP_DOMAIN_MAX);
	red = add_network(2, "red", "10.0.0.0/24", "fd00:0:0:1::/64");
	red->cfg.mtu = RP_MTU_MAX;
	red->cfg.real_mask = true;

	add_nic(BLUE1, blue, "blue1", "52:54:00:00:00:01", "10.0.0.1", "fd00:0:0:1::1");
	add_nic(BLUE2, blue, "blue2", "52:54:00:00:00:02", "10.0.0.2", "fd00:0:0:1::2");
	add_nic(BLUE3, blue, "blue3", "52:54:00:00:00:03", "10.0.0.3", "fd00:0:0:1::3");
	add_nic(RED1, red, "red1", "52:54:00:00:01:01", "10.0.0.1", "fd00:0:0:1::1");
	add_nic(RED2, red, "red2", "52:54:00:00:01:02", "10.0.0.2", "fd00:0:0:1::2");
	add_nic(FOUR1, add_network(3, "four", "10.4.0.0/24", NULL), "four1", "52:54:00:00:02:01",
		"10.4.0.1", NULL);
	add_nic(SIX1, add_network(4, "six", NULL, "fd00:6::/64"), "six1", "52:54:00:00:03:01", NULL,
		"fd00:6::1");
	blue1_prefixes[0] = prefix("192.168.7.0/24");
	blue1_prefixes[1] = prefix("fd00:7::/64");
	nics[BLUE1].cfg.prefixes = blue1_prefixes;
	nics[BLUE1].cfg.n_prefixes = 2;
}

static void publish(void)
{
	// Static: the leak checker does not look for pointers in EAL's memory.
	static struct rp_view *view;
	struct rp_view_nic in[N_NICS];

	for (int i = 0; i < N_NICS; i++)
		in[i] = (struct rp_view_nic){
			.nic = &nics[i], .port = (uint16_t)i, .rxq = i != BLUE3, .txq = i != BLUE3};
	view = rp_view_new(&(struct rp_view_input){
		.fabric = &fabric,
		.nics = in,
		.n_nics = N_NICS,
		.n_workers = 1,
		.host = {.port = HOST_PORT,
			 .mtu = RP_MTU_MAX,
			 .mac = harness_host_mac,
			 .ip4 = addr("169.254.0.2"),
			 .ip6 = addr("fd72:696e:67::1")},
	});
	assert_non_null(view);
	rp_dataplane_publish(dp, view);
	dp->workers[0]->view = view;
}

int harness_setup(void **)
{
	char line[160];
	char *argv[24], *rest = line;
	int argc = 0;
	unsigned int lcore = 0;
	struct rp_error err;

	snprintf(line, sizeof(line),
		 "test -l 0 --no-huge -m 64 --no-pci --no-shconf --no-telemetry --log-level 3 "
		 "--file-prefix rpunit%d",
		 getpid());
	while ((argv[argc] = strsep(&rest, " ")) != NULL)
		argc++;
	if (rte_eal_init(argc, argv) < 0)
		return -1;
	dp = rp_dataplane_new(&lcore, 1, 1023, &err);
	if (dp == NULL)
		return -1;
	make_model();
	publish();
	return 0;
}

int harness_teardown(void **)
{
	rp_dataplane_free(dp);
	return rte_eal_cleanup();
}

const struct rp_nic_view *harness_nic(int nic)
{
	return &dp->view->nics[nic];
}

struct rp_worker *harness_worker(void)
{
	return dp->workers[0];
}

void harness_refill(void)
{
	memset(dp->workers[0]->icmp_tokens, 0, sizeof(dp->workers[0]->icmp_tokens));
}

static struct rte_mbuf *make_mbuf(const uint8_t *frame, size_t len, size_t seg)
{
	struct rte_mbuf *head = NULL;

	do {
		size_t n = RTE_MIN(len, seg);
		struct rte_mbuf *m = rte_pktmbuf_alloc(dp->workers[0]->pool);

		assert_non_null(m);
		memcpy(rte_pktmbuf_append(m, (uint16_t)n), frame, n);
		if (head == NULL)
			head = m;
		else
			assert_int_equal(rte_pktmbuf_chain(head, m), 0);
		frame += n;
		len -= n;
	} while (len > 0);
	return head;
}

static void collect(struct outcome *out)
{
	struct rp_worker *w = dp->workers[0];

	assert_in_range(w->n_touched, 0, 1);
	if (w->n_touched == 0)
		return;
	struct rp_tx *tx = &w->tx[w->touched[0]];
	struct rte_mbuf *m = tx->pkts[0];
	const void *data;

	assert_int_equal(tx->n, 1);
	rte_mbuf_sanity_check(m, 1);
	out->sent = true;
	out->port = w->touched[0];
	out->len = m->pkt_len;
	data = rte_pktmbuf_read(m, 0, m->pkt_len, out->data);
	if (data != out->data)
		memcpy(out->data, data, m->pkt_len);
	rte_pktmbuf_free(m);
	tx->n = 0;
	w->n_touched = 0;
}

// Whether the table of stages declares this edge.
static bool is_declared(enum rp_stage from, enum rp_stage to)
{
	const char *name = rp_stage_name(to);
	const char *at = rp_stage_edges(from);
	size_t len = strlen(name);

	while ((at = strstr(at, name)) != NULL) {
		if ((at[len] == ' ' || at[len] == '\0') &&
		    (at == rp_stage_edges(from) || at[-1] == ' '))
			return true;
		at += len;
	}
	return false;
}

// A packet visits no stage twice and the list of stages is in order of visit: so which ones
// counted it is the way it took, and each step of that must be a declared edge.
static enum rp_stage last_visited(const struct rp_stage_counters *before)
{
	const struct rp_stage_counters *now = dp->workers[0]->counters.stages;
	enum rp_stage last = RP_STAGE_COUNT, before_last = RP_STAGE_COUNT;

	for (int s = 0; s < RP_STAGE_COUNT; s++) {
		if (now[s].packets == before[s].packets)
			continue;
		if (last != RP_STAGE_COUNT && !is_declared(last, (enum rp_stage)s))
			fail_msg("%s -> %s is no declared edge", rp_stage_name(last),
				 rp_stage_name((enum rp_stage)s));
		before_last = last;
		last = (enum rp_stage)s;
	}
	return last == RP_STAGE_tx ? before_last : last;
}

static void subtract(struct rp_port_counters *c, const struct rp_port_counters *before)
{
	for (int i = 0; i < RP_DROP_COUNT; i++)
		c->drops[i] -= before->drops[i];
	for (int i = 0; i < RP_ANSWER_COUNT; i++)
		c->answers[i] -= before->answers[i];
}

static void feed(int from, const void *frame, size_t len, size_t seg, uint64_t ol_flags,
		 struct outcome *out)
{
	struct rp_worker *w = dp->workers[0];
	struct rp_stage_counters stages[RP_STAGE_COUNT];
	struct rp_port_counters before = w->ports[from];
	unsigned int mbufs = rte_mempool_avail_count(w->pool);
	const struct rp_poll poll = {.port = (uint16_t)from,
				     .nic = from == HOST_PORT ? NULL : &w->view->nics[from]};
	struct rte_mbuf *m = make_mbuf(frame, len, seg);

	m->ol_flags = ol_flags;
	memset(out, 0, sizeof(*out));
	memcpy(stages, w->counters.stages, sizeof(stages));
	rp_side_door(w, &poll, m);
	collect(out);
	out->last = last_visited(stages);
	out->counters = w->ports[from];
	subtract(&out->counters, &before);
	out->drop = RP_DROP_COUNT;
	for (int i = 0; i < RP_DROP_COUNT && !out->sent; i++)
		if (out->counters.drops[i] > 0)
			out->drop = (enum rp_drop)i;
	// Whatever became of it, its buffers are back.
	assert_int_equal(rte_mempool_avail_count(w->pool), mbufs);
}

void harness_send_chain(int from, const void *frame, size_t len, size_t seg, struct outcome *out)
{
	feed(from, frame, len, seg, 0, out);
}

void harness_send_flags(int from, const void *frame, size_t len, uint64_t ol_flags,
			struct outcome *out)
{
	feed(from, frame, len, RP_MBUF_ROOM - RTE_PKTMBUF_HEADROOM, ol_flags, out);
}

void harness_send(int from, const void *frame, size_t len, struct outcome *out)
{
	harness_send_flags(from, frame, len, 0, out);
}

bool harness_fast(int from, const void *frame, size_t len, struct outcome *out)
{
	struct rp_worker *w = dp->workers[0];
	struct rte_mbuf *m = make_mbuf(frame, len, RP_MBUF_ROOM - RTE_PKTMBUF_HEADROOM);
	const struct rp_poll poll = {.port = (uint16_t)from, .nic = &w->view->nics[from]};

	memset(out, 0, sizeof(*out));
	if (rp_fast_lane(w, &poll, &m, 1) > 0) {
		rte_pktmbuf_free(m);
		return false;
	}
	collect(out);
	return true;
}
