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

// Nothing behind the IP packet but the padding of a short frame.
static inline bool fills_frame(const struct rte_mbuf *m, uint32_t len)
{
	return likely(len == m->pkt_len) || (len < m->pkt_len && m->pkt_len <= RP_FRAME_MIN);
}

static inline uint64_t rotate64(uint64_t v)
{
	return v << 32 | v >> 32;
}

static inline uint32_t rotate32(uint32_t v)
{
	return v << 16 | v >> 16;
}

/*
 * RFC 1071 over the 20 bytes of a header without options: all ones when it is right. Summed in
 * 64-bit words with the carry brought around; adding a half-rotated word to itself leaves the
 * folded sum in its upper half.
 */
static inline bool header_sum_ok(const uint8_t *ip)
{
	uint64_t sum, carry;
	uint32_t half;

	carry = __builtin_add_overflow(load64(ip), load64(ip + 8), &sum);
	sum += carry;
	carry = __builtin_add_overflow(sum, load32(ip + 16), &sum);
	sum += carry;
	half = (uint32_t)((sum + rotate64(sum)) >> 32);
	return (half + rotate32(half)) >> 16 == 0xffff;
}

// RFC 1624: the checksum after the TTL went down by one.
static inline void decrement_ttl4(uint8_t *ip)
{
	uint32_t sum = load16(ip + 10) + (uint32_t)RTE_BE16(0x0100);
	uint16_t folded = (uint16_t)(sum + (sum >= 0xffff));

	memcpy(ip + 10, &folded, sizeof(folded));
	ip[8]--;
}

/*
 * What a burst needs of its NIC, in registers: the compiler cannot know that writing to a frame
 * does not change the view, and would load it anew for each packet. The last destination is kept,
 * too: packets come in trains.
 */
struct lane {
	const struct rp_view *view;
	const struct rp_dst *self;
	uint64_t want4[2], want6[2]; // mask is the same for both but for byte 14
	uint64_t mask4, mask6;
	uint64_t ip6[2];
	rte_be32_t ip4;
	bool has_ip4, has_ip6;
	const struct rp_dst *last4, *last6;
};

static inline struct lane make_lane(const struct rp_view *view, const struct rp_nic_view *nic)
{
	return (struct lane){
		.view = view,
		.self = &nic->dst,
		.want4 = {load64(nic->src.want4), load64(nic->src.want4 + 8)},
		.want6 = {load64(nic->src.want6), load64(nic->src.want6 + 8)},
		.mask4 = load64(nic->src.mask4 + 8),
		.mask6 = load64(nic->src.mask6 + 8),
		.ip6 = {load64(nic->dst.ip6), load64(nic->dst.ip6 + 8)},
		.ip4 = nic->dst.ip4,
		.has_ip4 = nic->dst.has_ip4,
		.has_ip6 = nic->dst.has_ip6,
		// Never a destination: own addresses take the side door.
		.last4 = &nic->dst,
		.last6 = &nic->dst,
	};
}

// The first 16 bytes against what this NIC's plain frames start with: both MACs, EtherType, IP
// version and, for IPv4, a header without options.
static inline bool starts_as(const uint8_t *frame, const uint64_t want[2], uint64_t mask)
{
	return ((load64(frame) ^ want[0]) | ((load64(frame + 8) ^ want[1]) & mask)) == 0;
}

static inline bool usable(const struct lane *lane, const struct rp_dst *dst)
{
	return dst != NULL && dst != lane->self && dst->up;
}

static inline const struct rp_dst *find4(struct lane *lane, rte_be32_t ip4)
{
	if (unlikely(lane->last4->ip4 != ip4 || lane->last4 == lane->self)) {
		const struct rp_dst *dst = rp_slots_find4(lane->view, lane->self->net, ip4);

		if (!usable(lane, dst))
			return NULL;
		lane->last4 = dst;
	}
	return lane->last4;
}

static inline const struct rp_dst *find6(struct lane *lane, const uint8_t *ip6)
{
	if (unlikely(((load64(lane->last6->ip6) ^ load64(ip6)) |
		      (load64(lane->last6->ip6 + 8) ^ load64(ip6 + 8))) != 0 ||
		     lane->last6 == lane->self)) {
		const struct rp_dst *dst = rp_slots_find6(lane->view, lane->self->net, ip6);

		if (!usable(lane, dst))
			return NULL;
		lane->last6 = dst;
	}
	return lane->last6;
}

static inline const struct rp_dst *plain4(struct lane *lane, const struct rte_mbuf *m,
					  uint8_t *frame)
{
	uint8_t *ip = frame + ETH_LEN;
	uint32_t len = rte_be_to_cpu_16(load16(ip + 2));
	const struct rp_dst *dst;

	if (unlikely(len < 20 || !fills_frame(m, len + ETH_LEN) || ip[8] <= 1 ||
		     load32(ip + 12) != lane->ip4 || !lane->has_ip4 || !header_sum_ok(ip)))
		return NULL;
	dst = find4(lane, load32(ip + 16));
	if (unlikely(dst == NULL || len > dst->mtu))
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

static inline const struct rp_dst *plain6(struct lane *lane, const struct rte_mbuf *m,
					  uint8_t *frame)
{
	uint8_t *ip = frame + ETH_LEN;
	uint32_t len = 40u + rte_be_to_cpu_16(load16(ip + 4));
	const struct rp_dst *dst;

	if (unlikely(!fills_frame(m, len + ETH_LEN) || ip[7] <= 1 || !lane->has_ip6 ||
		     !plain_next_header(ip[6]) ||
		     ((load64(ip + 8) ^ lane->ip6[0]) | (load64(ip + 16) ^ lane->ip6[1])) != 0))
		return NULL;
	dst = find6(lane, ip + 24);
	if (unlikely(dst == NULL || len > dst->mtu))
		return NULL;
	ip[7]--;
	return dst;
}

// The list of the destination's port, looked up again only where it changes.
struct outlet {
	uint16_t port;
	struct rp_tx *tx;
};

static inline void send_to(struct rp_worker *w, struct outlet *out, uint16_t port,
			   struct rte_mbuf *m)
{
	if (unlikely(out->port != port)) {
		out->port = port;
		out->tx = rp_worker_tx(w, port);
	}
	// A burst never holds more than the list, which was empty before it.
	out->tx->pkts[out->tx->n++] = m;
}

uint16_t rp_fast_lane(struct rp_worker *w, const struct rp_poll *poll, struct rte_mbuf **pkts,
		      uint16_t n)
{
	struct lane lane = make_lane(w->view, poll->nic);
	struct outlet out = {.port = RP_PORT_NONE};
	uint16_t left = 0;

	for (uint16_t i = 0; i < n; i++) {
		struct rte_mbuf *m = pkts[i];
		uint8_t *frame = rte_pktmbuf_mtod(m, uint8_t *);
		const struct rp_dst *dst = NULL;

		if (likely(m->data_len >= MIN4_LEN && starts_as(frame, lane.want4, lane.mask4)))
			dst = plain4(&lane, m, frame);
		else if (m->data_len >= MIN6_LEN && starts_as(frame, lane.want6, lane.mask6))
			dst = plain6(&lane, m, frame);
		if (unlikely(dst == NULL)) {
			pkts[left++] = m;
			continue;
		}
		memcpy(frame, dst->eth, 12);
		send_to(w, &out, dst->port, m);
	}
	return left;
}
