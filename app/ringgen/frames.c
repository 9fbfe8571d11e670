// SPDX-License-Identifier: BSD-3-Clause
#include "frames.h"

#include <netinet/in.h>

#include "packet/frame.h"

#define FIRST_PORT 1024
#define DST_PORT   9 // discard

static_assert(RP_VIRTIO_NET_HDR_LEN + 14 + 40 + 8 + sizeof(struct gen_tag) <= GEN_HEAD_TAG,
	      "the head holds the tag");

unsigned int gen_destination(const struct gen_options *opt, unsigned int vm, unsigned int flow)
{
	if (opt->destinations == 1)
		return vm ^ 1;
	return (vm + 1 + flow % opt->destinations) % gen_active(opt);
}

void gen_frame_build(const struct gen_options *opt, uint8_t *buf, unsigned int vm,
		     unsigned int flow)
{
	const struct rp_addr *addrs = opt->ip6_frames ? opt->ip6 : opt->ip4;
	struct rp_frame_head head = {
		.eth_src = opt->mac[vm],
		.eth_dst = opt->gateway_mac,
		.src = addrs[vm],
		.dst = addrs[gen_destination(opt, vm, flow)],
		.ttl = RP_TTL_DEFAULT,
		.proto = IPPROTO_UDP,
		.src_port = (uint16_t)(FIRST_PORT + flow % (UINT16_MAX - FIRST_PORT)),
		.dst_port = DST_PORT,
	};
	struct gen_tag tag = {vm * opt->flows + flow, 0, UINT32_MAX};
	struct rp_writer w = rp_writer(buf, opt->size);
	struct rp_frame_builder b;

	rp_frame_begin(&b, &w, &head);
	if (rp_writer_left(&w) >= sizeof(tag))
		rp_write_bytes(&w, &tag, sizeof(tag));
	while (rp_writer_left(&w) > 0)
		rp_write_u8(&w, gen_pattern((unsigned int)rp_writer_len(&w)));
	rp_frame_end(&b);
}
