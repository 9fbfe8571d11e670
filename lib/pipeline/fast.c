// SPDX-License-Identifier: BSD-3-Clause
#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_ip.h>
#include <rte_mbuf.h>

#include "pipeline/slots.h"
#include "pipeline/worker.h"

/*
 * The fast lane: the usual packet, from a known NIC to a connected NIC of its network, in one pass
 * without calls. Every check that the stages make is made here, on the bytes as they lie: whatever
 * differs from the plain case in the least is "not mine" and goes through the side door, which
 * decides and counts. The order of the checks puts the cache lines that are touched anyway first:
 * frame, ingress NIC, destination NIC.
 */

#define ETH_LEN	 14
#define MIN4_LEN (ETH_LEN + 20)
#define MIN6_LEN (ETH_LEN + 40)

static inline uint64_t load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint32_t load32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint16_t load16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

// The first 16 bytes against what this NIC's plain frames start with: both MACs, EtherType,
// IP version and, for IPv4, a header without options.
static inline bool starts_as(const uint8_t *frame, const uint8_t want[16], const uint8_t mask[16])
{
	return (((load64(frame) ^ load64(want)) & load64(mask)) |
		((load64(frame + 8) ^ load64(want + 8)) & load64(mask + 8))) == 0;
}

// Nothing behind the IP packet but the padding of a short frame.
static inline bool fills_frame(const struct rte_mbuf *m, uint32_t len)
{
	return likely(len == m->pkt_len) || (len < m->pkt_len && m->pkt_len <= RP_FRAME_MIN);
}

// RFC 1071 over the 20 bytes of a header without options: all ones when it is right.
static inline bool header_sum_ok(const uint8_t *ip)
{
	uint64_t a = load64(ip);
	uint64_t b = load64(ip + 8);
	uint64_t sum =
		(a & UINT32_MAX) + (a >> 32) + (b & UINT32_MAX) + (b >> 32) + load32(ip + 16);

	sum = (sum & 0xffff) + ((sum >> 16) & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff;
}

// RFC 1624: the checksum after the TTL went down by one.
static inline void decrement_ttl4(uint8_t *ip)
{
	uint32_t sum = load16(ip + 10) + (uint32_t)RTE_BE16(0x0100);
	uint16_t folded = (uint16_t)(sum + (sum >= 0xffff));

	memcpy(ip + 10, &folded, sizeof(folded));
	ip[8]--;
}

static inline const struct rp_dst *plain4(const struct rp_view *view, const struct rp_nic_view *nic,
					  const struct rte_mbuf *m, uint8_t *frame)
{
	uint8_t *ip = frame + ETH_LEN;
	uint32_t len = rte_be_to_cpu_16(load16(ip + 2));
	const struct rp_dst *dst;

	if (unlikely(len < 20 || !fills_frame(m, len + ETH_LEN) || ip[8] <= 1 ||
		     load32(ip + 12) != nic->dst.ip4 || !nic->dst.has_ip4 || !header_sum_ok(ip)))
		return NULL;
	dst = rp_slots_find4(view, nic->dst.net, load32(ip + 16));
	if (unlikely(dst == NULL || dst == &nic->dst || !dst->up || len > dst->mtu))
		return NULL;
	decrement_ttl4(ip);
	return dst;
}

// Next headers that are no extension headers a router has to look at: RFC 8200 section 4 asks
// routers to look at hop-by-hop options only, but those and all other ones take the side door.
static inline bool plain_next_header(uint8_t nh)
{
	return nh == IPPROTO_TCP || nh == IPPROTO_UDP || nh == IPPROTO_ICMPV6;
}

static inline const struct rp_dst *plain6(const struct rp_view *view, const struct rp_nic_view *nic,
					  const struct rte_mbuf *m, uint8_t *frame)
{
	uint8_t *ip = frame + ETH_LEN;
	uint32_t len = 40u + rte_be_to_cpu_16(load16(ip + 4));
	const struct rp_dst *dst;

	if (unlikely(!fills_frame(m, len + ETH_LEN) || ip[7] <= 1 || !nic->dst.has_ip6 ||
		     !plain_next_header(ip[6]) ||
		     (load64(ip + 8) ^ load64(nic->dst.ip6)) |
			     (load64(ip + 16) ^ load64(nic->dst.ip6 + 8))))
		return NULL;
	dst = rp_slots_find6(view, nic->dst.net, ip + 24);
	if (unlikely(dst == NULL || dst == &nic->dst || !dst->up || len > dst->mtu))
		return NULL;
	ip[7]--;
	return dst;
}

uint16_t rp_fast_lane(struct rp_worker *w, const struct rp_poll *poll, struct rte_mbuf **pkts,
		      uint16_t n)
{
	const struct rp_nic_view *nic = poll->nic;
	const struct rp_view *view = w->view;
	uint16_t left = 0;

	for (uint16_t i = 0; i < n; i++) {
		struct rte_mbuf *m = pkts[i];
		uint8_t *frame = rte_pktmbuf_mtod(m, uint8_t *);
		const struct rp_dst *dst = NULL;

		if (likely(m->data_len >= MIN4_LEN &&
			   starts_as(frame, nic->src.want4, nic->src.mask4)))
			dst = plain4(view, nic, m, frame);
		else if (m->data_len >= MIN6_LEN &&
			 starts_as(frame, nic->src.want6, nic->src.mask6))
			dst = plain6(view, nic, m, frame);
		if (unlikely(dst == NULL)) {
			pkts[left++] = m;
			continue;
		}
		memcpy(frame, dst->eth, 12);
		rp_worker_send(w, dst->port, m);
	}
	return left;
}
