// SPDX-License-Identifier: BSD-3-Clause
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "packet/nd.h"

/*
 * Neighbor discovery: byte 0 chooses source and destination, the rest is an ICMPv6 message without
 * its checksum mattering. It is read as a VM's message and, in a frame of its own, as a router's
 * or a neighbor's.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "fuzz_nd: %s\n", what);
	abort();
}

static void check_read(const uint8_t *data, size_t size, const struct rp_addr *src,
		       const struct rp_addr *dst)
{
	struct rp_nd_option opt;
	struct rp_nd nd;
	size_t seen = 0;
	int more;

	if (rp_nd_parse(rp_reader(data, size), src, dst, RP_TTL_LINK_ONLY, &nd) < 0)
		return;
	check(nd.type >= RP_ND_RS && nd.type <= RP_ND_REDIRECT, "took a message for ND");
	check(nd.options.end == data + size, "options end elsewhere than the message");
	while ((more = rp_nd_option_next(&nd.options, &opt)) > 0)
		seen += 2 + rp_reader_left(&opt.body);
	check(more == 0, "accepted options that cannot be walked");
	check(seen % 8 == 0, "an option of no whole units");
}

static void check_frame(const uint8_t *data, size_t size, const struct rp_addr *src,
			const struct rp_addr *dst)
{
	static struct rp_router_advertisement ra;
	struct rp_neighbor_advertisement na;
	struct rp_frame_head head = {
		.src = *src, .dst = *dst, .ttl = RP_TTL_LINK_ONLY, .proto = IPPROTO_ICMPV6};
	uint8_t frame[2048];
	struct rp_writer w = rp_writer(frame, sizeof(frame));
	struct rp_frame_builder b;

	rp_frame_begin(&b, &w, &head);
	rp_write_bytes(&w, data, 2);
	rp_write_zero(&w, 2); // the checksum is the frame builder's to fill in
	rp_write_bytes(&w, data + 4, size - 4);
	if (!rp_frame_end(&b))
		return;
	if (rp_parse_router_advertisement(frame, rp_writer_len(&w), &ra) == 0) {
		check(ra.n_dns <= RP_ND_DNS_MAX && ra.n_search <= RP_ND_SEARCH_MAX, "lists");
		for (uint8_t i = 0; i < ra.n_search; i++)
			check(strnlen(ra.search[i], RP_DNS_NAME_STR) < RP_DNS_NAME_STR, "name");
	}
	if (rp_parse_neighbor_advertisement(frame, rp_writer_len(&w), &na) == 0)
		check(!rp_addr_is_multicast(&na.nd.target), "multicast target");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct rp_addr vm = {.family = RP_IP6, .bytes = {0xfe, 0x80, [15] = 5}};
	static const struct rp_addr any = {.family = RP_IP6};
	struct rp_addr group = rp_nd_solicited_node(&rp_gateway_ip6);
	const struct rp_addr *const dst[] = {&rp_nd_all_nodes, &rp_nd_all_routers, &group,
					     &rp_gateway_ip6};
	const struct rp_addr *src;

	if (size == 0)
		return -1;
	src = data[0] & 4 ? &any : &vm;
	check_read(data + 1, size - 1, src, dst[data[0] & 3]);
	if (size > 4)
		check_frame(data + 1, size - 1, src, dst[data[0] & 3]);
	return 0;
}
