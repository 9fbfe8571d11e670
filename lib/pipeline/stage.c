// SPDX-License-Identifier: BSD-3-Clause
#include "pipeline/stage.h"

#include <netinet/in.h>

#include <rte_cycles.h>
#include <rte_udp.h>

#include "packet/frame.h"
#include "pipeline/worker.h"

/*
 * Dispatch: written once for all stages. A packet walks from stage to stage until one says tx or
 * drops it; each visit is counted, and timed while profiling.
 */

struct stage {
	const char *name;
	const char *edges;
	rp_stage_fn run;
};

static const struct stage stages[] = {
#define X(id, to) [RP_STAGE_##id] = {.name = #id, .edges = to, .run = rp_stage_##id},
	RP_STAGES(X)
#undef X
};

const char *rp_stage_name(enum rp_stage s)
{
	return stages[s].name;
}

const char *rp_stage_edges(enum rp_stage s)
{
	return stages[s].edges;
}

static enum rp_stage visit(struct rp_packet *p, enum rp_stage s)
{
	struct rp_stage_counters *c = &p->worker->counters.stages[s];
	uint64_t start;

	c->packets++;
	if (likely(!p->worker->dp->profiling))
		return stages[s].run(p);
	start = rte_rdtsc();
	s = stages[s].run(p);
	c->cycles += rte_rdtsc() - start;
	return s;
}

// The whole frame in one piece: as it lies in the mbuf, or copied out of the chain.
static enum rp_stage linearize(struct rp_worker *w, struct rp_packet *p)
{
	struct rte_mbuf *m = p->mbuf;

	p->len = m->pkt_len;
	if (p->len > RP_FRAME_MAX)
		return rp_drop(RP_DROP_giant);
	p->data = rte_pktmbuf_read(m, 0, p->len, w->linear);
	return p->data != NULL ? RP_STAGE_classify : rp_drop(RP_DROP_runt);
}

void rp_side_door(struct rp_worker *w, const struct rp_poll *poll, struct rte_mbuf *m)
{
	struct rp_packet p = {
		.mbuf = m,
		.worker = w,
		.view = w->view,
		.nic = poll->nic,
		.in_port = poll->port,
		.in_queue = poll->queue,
	};
	enum rp_stage s = linearize(w, &p);

	while (s < RP_STAGE_COUNT)
		s = visit(&p, s);
	if (s == RP_STAGE_DONE)
		return;
	w->ports[p.in_port].drops[rp_stage_drop(s)]++;
	rte_pktmbuf_free(p.mbuf);
}

enum rp_stage rp_stage_tx(struct rp_packet *p)
{
	if (!rp_worker_send(p->worker, p->out_port, p->mbuf))
		return rp_drop(RP_DROP_tx_full);
	return RP_STAGE_DONE;
}

bool rp_packet_l4_checksum_ok(const struct rp_packet *p, size_t len)
{
	uint64_t seen = p->mbuf->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;
	struct rp_reader r = rp_packet_l4(p);
	const void *l4 = rp_read(&r, len);

	if (l4 == NULL)
		return false;
	if (seen == RTE_MBUF_F_RX_L4_CKSUM_NONE || seen == RTE_MBUF_F_RX_L4_CKSUM_GOOD)
		return true;
	if (p->l4_proto == IPPROTO_UDP) {
		const struct rte_udp_hdr *udp = l4;

		// RFC 768: zero says that there is none. RFC 8200 section 8.1: not over IPv6.
		if (len < sizeof(*udp) || udp->dgram_cksum == 0)
			return len >= sizeof(*udp) && p->src.family == RP_IP4;
	}
	return rp_checksum_l4(&p->src, &p->dst, p->l4_proto, l4, len) == 0;
}

bool rp_packet_answers_for(const struct rp_packet *p, const struct rp_addr *addr)
{
	const struct rp_addr *gateway = addr->family == RP_IP4 ? &rp_gateway_ip4 : &rp_gateway_ip6;

	if (rp_addr_equal(addr, gateway))
		return true;
	return p->nic == NULL && rp_view_route_public(p->view, addr) != NULL;
}

const struct rte_ether_addr *rp_packet_peer_mac(const struct rp_packet *p)
{
	return p->nic != NULL ? &p->nic->cfg.mac : &p->view->host.mac;
}

void rp_packet_answered(struct rp_packet *p, enum rp_answer answer)
{
	p->worker->ports[p->in_port].answers[answer]++;
}

struct rp_writer rp_packet_writer(struct rp_packet *p)
{
	size_t mtu = p->nic != NULL ? p->nic->dst.mtu : p->view->host.mtu;

	return rp_writer(p->worker->reply,
			 RTE_MIN(sizeof(p->worker->reply), RTE_ETHER_HDR_LEN + mtu));
}

enum rp_stage rp_packet_reply(struct rp_packet *p, const struct rp_writer *w)
{
	struct rte_mbuf *m = p->mbuf;
	uint16_t len = (uint16_t)rp_writer_len(w);

	if (w->overflow)
		return rp_drop(RP_DROP_reply_no_room);
	// The request's bytes, chained or not, make room for the reply's.
	rte_pktmbuf_free(m->next);
	m->next = NULL;
	m->nb_segs = 1;
	if (len > m->buf_len - m->data_off)
		return rp_drop(RP_DROP_reply_no_room);
	m->data_len = len;
	m->pkt_len = len;
	memcpy(rte_pktmbuf_mtod(m, void *), w->start, len);
	return rp_packet_return(p);
}

enum rp_stage rp_packet_return(struct rp_packet *p)
{
	p->out = p->nic;
	p->out_port = p->in_port;
	return RP_STAGE_tx;
}

enum rp_stage rp_packet_icmp_error(struct rp_packet *p, uint8_t type, uint8_t code, uint32_t info,
				   enum rp_drop reason)
{
	p->icmp_type = type;
	p->icmp_code = code;
	p->icmp_info = info;
	p->icmp_reason = reason;
	return RP_STAGE_icmp_error;
}
