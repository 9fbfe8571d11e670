/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The side door: what the fast lane does not forward goes through stages, one packet at a time.
 *
 * A stage is one file with one function of one packet. It returns the next stage, or rp_drop() of
 * a reason. It may read the whole frame at data (contiguous, whatever the mbuf looks like), and
 * never trusts a length in it: all reads go through a struct rp_reader.
 *
 * Adding a stage: its file, its line in RP_STAGES, its declared edges. Dispatch, counting and the
 * drawn picture come from the table in stage.c.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "base/bytes.h"
#include "pipeline/reason.h"
#include "pipeline/view.h"

struct rp_worker;

// X(id, edges): the stages that id can return besides drops, for the picture.
#define RP_STAGES(X)                                                                               \
	X(classify, "arp_reply ip4_input ip6_input")                                               \
	X(arp_reply, "tx")                                                                         \
	X(ip4_input, "dhcp4_reply icmp_reply route icmp_error")                                    \
	X(ip6_input, "nd_reply dhcp6_reply icmp_reply route icmp_error")                           \
	X(dhcp4_reply, "tx")                                                                       \
	X(dhcp6_reply, "tx")                                                                       \
	X(nd_reply, "tx")                                                                          \
	X(icmp_reply, "tx")                                                                        \
	X(route, "forward icmp_error")                                                             \
	X(forward, "tx icmp_error")                                                                \
	X(icmp_error, "tx")                                                                        \
	X(tx, "")

enum rp_stage {
#define X(id, edges) RP_STAGE_##id,
	RP_STAGES(X)
#undef X
		RP_STAGE_COUNT,
	RP_STAGE_DONE = RP_STAGE_COUNT, // what tx returns: the packet has left our hands
	RP_STAGE_DROPS,			// from here on: drops, see rp_drop()
};

// A drop as the value that a stage returns.
static inline enum rp_stage rp_drop(enum rp_drop reason)
{
	return (enum rp_stage)(RP_STAGE_DROPS + (unsigned int)reason);
}

static inline bool rp_stage_is_drop(enum rp_stage s)
{
	return s >= RP_STAGE_DROPS;
}

static inline enum rp_drop rp_stage_drop(enum rp_stage s)
{
	return (enum rp_drop)((unsigned int)s - RP_STAGE_DROPS);
}

struct rp_packet {
	struct rte_mbuf *mbuf;
	const uint8_t *data; // the whole frame; a copy where the mbuf is a chain
	uint32_t len;
	struct rp_worker *worker;
	const struct rp_view *view;
	const struct rp_nic_view *nic; // where it came from; NULL: the host's TAP
	uint16_t in_port;
	uint16_t in_queue;

	// Set by ip4_input and ip6_input; lengths are verified against the frame.
	struct rp_addr src;
	struct rp_addr dst;
	uint16_t l3;	  // offset of the IP header
	uint16_t l4;	  // offset behind the IP header and its options or extension headers
	uint32_t l4_len;  // bytes at l4 by the IP length field: padding excluded
	uint8_t l4_proto; // of the last header that was understood
	uint8_t ttl;	  // TTL or hop limit
	bool fragment;	  // a fragment: l4 is meaningful only where frag_first
	bool frag_first;

	// Set by route: where it goes. out == NULL with out_port set: the host.
	const struct rp_nic_view *out;
	uint16_t out_port;

	// Set by whoever returns RP_STAGE_icmp_error.
	uint8_t icmp_type;
	uint8_t icmp_code;
	uint32_t icmp_info;	  // MTU of frag-needed and packet-too-big, else 0
	enum rp_drop icmp_reason; // what is counted for the offending packet
};

typedef enum rp_stage (*rp_stage_fn)(struct rp_packet *p);

// clang-format off
#define X(id, edges) enum rp_stage rp_stage_##id(struct rp_packet *p);
RP_STAGES(X)
#undef X
// clang-format on

const char *rp_stage_name(enum rp_stage s);
// The declared edges, names separated by blanks.
const char *rp_stage_edges(enum rp_stage s);

/*
 * Helpers for stages.
 */

// The first n bytes of the frame in the mbuf itself, writable; NULL where they are not contiguous
// there (n beyond the first segment).
static inline uint8_t *rp_packet_head(struct rp_packet *p, uint32_t n)
{
	return n <= p->mbuf->data_len ? rte_pktmbuf_mtod(p->mbuf, uint8_t *) : NULL;
}

// A reader over the L4 bytes (l4_len of them).
static inline struct rp_reader rp_packet_l4(const struct rp_packet *p)
{
	return rp_reader(p->data + p->l4, p->l4_len);
}

/*
 * Is the checksum over the first len bytes at l4 right? Also where the VM left it to its device
 * (VIRTIO_NET_HDR_F_NEEDS_CSUM, which Linux uses for UDP): such a packet never was on a wire.
 */
bool rp_packet_l4_checksum_ok(const struct rp_packet *p, size_t len);

// Does ringplane answer ARP and ND for this address on the port the packet came from? The gateway
// on every port; on the TAP also every address and routed prefix of a public NIC.
bool rp_packet_answers_for(const struct rp_packet *p, const struct rp_addr *addr);

// MAC of the machine behind the port the packet came from, as configured.
const struct rte_ether_addr *rp_packet_peer_mac(const struct rp_packet *p);

// Count an answer for the NIC that the packet came from.
void rp_packet_answered(struct rp_packet *p, enum rp_answer answer);

/*
 * A reply of its own, for answers that are not the request with a few fields changed: write the
 * frame (from the destination MAC on) to the writer, then return rp_packet_reply(). The writer is
 * over the worker's buffer, as long as the port's MTU allows; the request stays readable meanwhile;
 * rp_packet_reply() puts the bytes into the mbuf in place of the request and sends them out of the
 * port it came from, or drops with reply_no_room where the writer overflowed.
 */
struct rp_writer rp_packet_writer(struct rp_packet *p);
enum rp_stage rp_packet_reply(struct rp_packet *p, const struct rp_writer *w);

// The packet itself, changed in place, goes back out of the port it came from.
enum rp_stage rp_packet_return(struct rp_packet *p);

// Go to icmp_error with these; reason is counted as the fate of the packet itself.
enum rp_stage rp_packet_icmp_error(struct rp_packet *p, uint8_t type, uint8_t code, uint32_t info,
				   enum rp_drop reason);
