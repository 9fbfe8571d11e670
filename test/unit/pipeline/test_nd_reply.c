// SPDX-License-Identifier: BSD-3-Clause
#include "harness.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "hex.h"
#include "packet/nd.h"
#include "pipeline/router_advert.h"

#define GW_LL	 "fe80000000000000 0000000000000001 "
#define BLUE1_LL "fe80000000000000 505400fffe000001 "
#define ALL	 "ff02000000000000 0000000000000001 "

static struct outcome out;

static struct rp_addr addr(const char *text)
{
	struct rp_addr a;

	assert_int_equal(rp_addr_parse(text, &a), 0);
	return a;
}

static const struct rte_ether_addr *mac_of(int from)
{
	return from == HOST_PORT ? &harness_host_mac : &harness_nic(from)->cfg.mac;
}

static void solicit_neighbor(int from, const char *src, const char *target)
{
	uint8_t frame[128];
	struct rp_writer w = rp_writer(frame, sizeof(frame));
	struct rp_addr s = addr(src), t = addr(target);

	assert_true(rp_create_neighbor_solicitation(&w, mac_of(from), &s, &t));
	harness_send(from, frame, rp_writer_len(&w), &out);
}

static void solicit_router(int from, const char *src)
{
	uint8_t frame[128];
	struct rp_writer w = rp_writer(frame, sizeof(frame));
	struct rp_addr s = addr(src);

	assert_true(rp_create_router_solicitation(&w, mac_of(from), &s));
	harness_send(from, frame, rp_writer_len(&w), &out);
}

// An ICMPv6 message given as text, from BLUE1's link-local address.
static void send_message(const char *dst, uint8_t hop_limit, const char *text)
{
	uint8_t frame[512], body[512];
	struct rp_writer w = rp_writer(frame, sizeof(frame));
	struct rp_frame_head head = {
		.eth_src = *mac_of(BLUE1),
		.eth_dst = rp_gateway_mac,
		.src = harness_nic(BLUE1)->link_local,
		.dst = addr(dst),
		.ttl = hop_limit,
		.proto = IPPROTO_ICMPV6,
	};
	struct rp_frame_builder b;

	rp_frame_begin(&b, &w, &head);
	rp_write_bytes(&w, body, hex_bytes(text, body, sizeof(body)));
	assert_true(rp_frame_end(&b));
	harness_send(BLUE1, frame, rp_writer_len(&w), &out);
}

static void assert_answered(int to, enum rp_answer answer)
{
	assert_true(out.sent);
	assert_int_equal(out.port, to);
	assert_int_equal(out.last, RP_STAGE_nd_reply);
	assert_int_equal(out.counters.answers[answer], 1);
}

static void assert_dropped(enum rp_drop why)
{
	assert_false(out.sent);
	if (out.drop != why)
		fail_msg("dropped as %s, not as %s",
			 out.drop == RP_DROP_COUNT ? "nothing" : rp_drop_name(out.drop),
			 rp_drop_name(why));
	assert_int_equal(out.last, RP_STAGE_nd_reply);
}

static void gateway_is_advertised_to_who_asks(void **)
{
	solicit_neighbor(BLUE1, "fe80::5054:ff:fe00:1", "fe80::1");
	assert_answered(BLUE1, RP_ANSWER_nd_neighbor);
	assert_hex(out.data, out.len,
		   "525400000001 020000000001 86dd 60000000 0020 3a ff " GW_LL BLUE1_LL
		   "88 00 48c8 e0000000 " GW_LL "0201020000000001");
	// From its other address; on a NIC without IPv6 too, whose link-local address works.
	solicit_neighbor(BLUE1, "fd00:0:0:1::1", "fe80::1");
	assert_answered(BLUE1, RP_ANSWER_nd_neighbor);
	solicit_neighbor(FOUR1, "fe80::5054:ff:fe00:201", "fe80::1");
	assert_answered(FOUR1, RP_ANSWER_nd_neighbor);
}

static void claim_to_the_gateways_address_is_defended(void **)
{
	solicit_neighbor(BLUE1, "::", "fe80::1");
	assert_answered(BLUE1, RP_ANSWER_nd_neighbor);
	assert_hex(out.data, out.len,
		   "333300000001 020000000001 86dd 60000000 0020 3a ff " GW_LL ALL
		   "88 00 d79a a0000000 " GW_LL "0201020000000001");
}

static void duplicate_detection_of_other_addresses_is_not_answered(void **)
{
	solicit_neighbor(BLUE1, "::", "fd00:0:0:1::1");
	assert_dropped(RP_DROP_nd_ignored);
	solicit_neighbor(BLUE1, "::", "fe80::5054:ff:fe00:1");
	assert_dropped(RP_DROP_nd_ignored);
	// A neighbor's address, and the first of the subnet's.
	solicit_neighbor(BLUE2, "::", "fd00:0:0:1::1");
	assert_dropped(RP_DROP_nd_ignored);
	solicit_neighbor(BLUE2, "fd00:0:0:1::2", "fd00:0:0:1::1");
	assert_dropped(RP_DROP_nd_ignored);
}

static void host_finds_the_addresses_of_public_nics(void **)
{
	struct rp_neighbor_advertisement na;
	struct rp_addr want = addr("fd00:0:0:1::1");

	solicit_neighbor(HOST_PORT, "fd72:696e:67::1", "fd00:0:0:1::1");
	assert_answered(HOST_PORT, RP_ANSWER_nd_neighbor);
	assert_int_equal(rp_parse_neighbor_advertisement(out.data, out.len, &na), 0);
	assert_true(rp_addr_equal(&na.nd.target, &want));
	assert_true(rp_addr_equal(&na.frame.src, &want));
	assert_true(na.router && na.solicited && na.override);
	assert_memory_equal(&na.nd.tlla, &rp_gateway_mac, sizeof(na.nd.tlla));
	assert_true(rte_is_same_ether_addr(&na.frame.eth_dst, &harness_host_mac));
	// A routed prefix, the gateway, and then what is not public or nobody's.
	solicit_neighbor(HOST_PORT, "fd72:696e:67::1", "fd00:7::99");
	assert_answered(HOST_PORT, RP_ANSWER_nd_neighbor);
	solicit_neighbor(HOST_PORT, "fe80::ff:fe00:2", "fe80::1");
	assert_answered(HOST_PORT, RP_ANSWER_nd_neighbor);
	solicit_neighbor(HOST_PORT, "fd72:696e:67::1", "fd00:6::1");
	assert_dropped(RP_DROP_nd_ignored);
	solicit_neighbor(HOST_PORT, "fd72:696e:67::1", "fd00:0:0:1::77");
	assert_dropped(RP_DROP_nd_ignored);
	solicit_router(HOST_PORT, "fe80::ff:fe00:2");
	assert_dropped(RP_DROP_nd_ignored);
}

static void router_is_advertised_with_all_there_is(void **)
{
	solicit_router(BLUE1, "fe80::5054:ff:fe00:1");
	assert_answered(BLUE1, RP_ANSWER_nd_router);
	assert_hex(out.data, out.len,
		   "525400000001 020000000001 86dd 60000000 0060 3a ff " GW_LL BLUE1_LL
		   "86 00 028f 40 c0 0708 00000000 00000000 "
		   "0101020000000001 0501 0000 000005dc "
		   "1903 0000 00000708 26064700000000000000000000001111 "
		   "1f05 0000 00000708 076578616d706c65036f726700 "
		   "036c6162076578616d706c65036f726700 0000");
}

static void router_is_advertised_to_all_where_the_source_is_none(void **)
{
	struct rp_router_advertisement ra;

	solicit_router(BLUE1, "::");
	assert_answered(BLUE1, RP_ANSWER_nd_router);
	assert_int_equal(rp_parse_router_advertisement(out.data, out.len, &ra), 0);
	assert_true(rp_addr_equal(&ra.frame.dst, &rp_nd_all_nodes));
	assert_memory_equal(&ra.frame.eth_dst, "\x33\x33\x00\x00\x00\x01", 6);
}

static void other_flag_only_where_there_is_other_configuration(void **)
{
	struct rp_router_advertisement ra;

	solicit_router(RED1, "fe80::5054:ff:fe00:101");
	assert_answered(RED1, RP_ANSWER_nd_router);
	assert_int_equal(rp_parse_router_advertisement(out.data, out.len, &ra), 0);
	assert_int_equal(ra.nd.ra_flags, RP_ND_RA_MANAGED);
	assert_int_equal(ra.nd.ra_hop_limit, 64);
	assert_int_equal(ra.nd.ra_lifetime, 1800);
	assert_int_equal(ra.mtu, 9000);
	assert_int_equal(ra.n_dns, 0);
	assert_int_equal(ra.n_search, 0);
	assert_int_equal(ra.n_prefixes, 0);
	assert_int_equal(ra.n_unknown, 0);
	assert_int_equal(out.len, 14 + 40 + 16 + 8 + 8);
}

static void no_router_for_a_nic_without_ip6(void **)
{
	solicit_router(FOUR1, "fe80::5054:ff:fe00:201");
	assert_dropped(RP_DROP_ip_no_family);
	solicit_router(FOUR1, "::");
	assert_dropped(RP_DROP_ip_no_family);
}

#define NS_GW "87 00 0000 00000000 " GW_LL

static void malformed_messages_are_dropped_by_name(void **)
{
	send_message("ff02::2", 64, "85 00 0000 00000000"); // hop limit
	assert_dropped(RP_DROP_nd_malformed);
	send_message("ff02::1:ff00:1", 254, NS_GW);
	assert_dropped(RP_DROP_nd_malformed);
	send_message("ff02::1:ff00:1", 255, NS_GW "01 00 525400000001");
	assert_dropped(RP_DROP_nd_malformed);
	send_message("ff02::2", 255, "85 01 0000 00000000");
	assert_dropped(RP_DROP_nd_malformed);
	send_message("ff02::1:ff00:1", 255, "87 00 0000 00000000 fe800000");
	assert_dropped(RP_DROP_nd_malformed);
	send_message("ff02::2", 255, "85 00 0000 000000");
	assert_dropped(RP_DROP_l4_malformed);
	send_message("ff02::2", 255, "85");
	assert_dropped(RP_DROP_l4_malformed);
}

static void wrong_checksum_is_dropped(void **)
{
	uint8_t frame[128];
	struct rp_writer w = rp_writer(frame, sizeof(frame));

	assert_true(rp_create_neighbor_solicitation(
		&w, mac_of(BLUE1), &harness_nic(BLUE1)->link_local, &rp_gateway_ip6));
	frame[56] ^= 1;
	harness_send(BLUE1, frame, rp_writer_len(&w), &out);
	assert_dropped(RP_DROP_l4_bad_checksum);
}

static void foreign_link_layer_addresses_are_spoofing(void **)
{
	send_message("ff02::1:ff00:1", 255, NS_GW "01 01 525400000002");
	assert_dropped(RP_DROP_nd_spoofed);
	send_message("fe80::1", 255, "88 00 0000 60000000 " BLUE1_LL "02 01 020000000001");
	assert_dropped(RP_DROP_nd_spoofed);
	send_message("ff02::2", 255, "85 00 0000 00000000 01 01 525400000002");
	assert_dropped(RP_DROP_nd_spoofed);
	// Its own is fine, in unicast too, and with a nonce (RFC 7527).
	send_message("fe80::1", 255, NS_GW "0e01 010203040506 01 01 525400000001");
	assert_answered(BLUE1, RP_ANSWER_nd_neighbor);
}

static void a_vm_is_no_router_and_teaches_nobody(void **)
{
	send_message("ff02::1", 255, "86 00 0000 40 00 0708 00000000 00000000");
	assert_dropped(RP_DROP_nd_router);
	send_message("fe80::1", 255, "89 00 0000 00000000 " BLUE1_LL GW_LL);
	assert_dropped(RP_DROP_nd_router);
	send_message("ff02::1", 255, "88 00 0000 20000000 " BLUE1_LL "02 01 525400000001");
	assert_dropped(RP_DROP_nd_ignored);
	// An advertisement for the gateway's own address.
	send_message("ff02::1", 255, "88 00 0000 20000000 " GW_LL "02 01 525400000001");
	assert_dropped(RP_DROP_nd_ignored);
}

static void advertisement_keeps_to_the_mtu(void **)
{
	static struct rp_nic_view nic;
	static struct rp_net_view net;
	struct rp_router_advertisement ra;
	uint8_t buf[RTE_ETHER_HDR_LEN + RP_MTU_MIN];
	struct rp_writer w = rp_writer(buf, sizeof(buf));

	nic = *harness_nic(BLUE1);
	net = *nic.net;
	nic.net = &net;
	net.cfg.domain[0] = '\0';
	net.cfg.n_search = RP_SEARCH_MAX;
	for (int i = 0; i < RP_SEARCH_MAX; i++) {
		memset(net.cfg.search[i], 'a', RP_DOMAIN_MAX - 1);
		net.cfg.search[i][63] = net.cfg.search[i][127] = net.cfg.search[i][191] = '.';
	}
	assert_true(rp_router_advert_write(&w, &nic, &rp_nd_all_nodes));
	assert_int_equal(rp_parse_router_advertisement(buf, rp_writer_len(&w), &ra), 0);
	assert_int_equal(ra.n_search, 4);
	assert_int_equal(ra.n_dns, 1);
	w = rp_writer(buf, 60);
	assert_false(rp_router_advert_write(&w, &nic, &rp_nd_all_nodes));
}

static void unsolicited_advertisement_goes_to_all_nodes(void **)
{
	struct rp_dataplane *dp = harness_worker()->dp;
	unsigned int mbufs = rte_mempool_avail_count(harness_worker()->pool);
	struct rp_router_advertisement ra;
	struct rte_mbuf *m = NULL;

	assert_int_equal(rp_router_advert_send(dp, harness_nic(SIX1)), 0);
	assert_int_equal(rte_ring_dequeue(dp->inject, (void **)&m), 0);
	assert_int_equal(m->port, SIX1);
	rte_mbuf_sanity_check(m, 1);
	assert_int_equal(
		rp_parse_router_advertisement(rte_pktmbuf_mtod(m, void *), m->pkt_len, &ra), 0);
	assert_true(rp_addr_equal(&ra.frame.dst, &rp_nd_all_nodes));
	assert_memory_equal(&ra.frame.eth_dst, "\x33\x33\x00\x00\x00\x01", 6);
	assert_true(rp_addr_equal(&ra.frame.src, &rp_gateway_ip6));
	assert_int_equal(ra.nd.ra_lifetime, RP_RA_LIFETIME);
	rte_pktmbuf_free(m);
	assert_int_equal(rte_mempool_avail_count(harness_worker()->pool), mbufs);
}

static void unsolicited_advertisement_without_a_buffer_fails(void **)
{
	struct rp_dataplane *dp = harness_worker()->dp;
	struct rte_mempool *pool = harness_worker()->pool;
	struct rte_mbuf *taken[1024];
	unsigned int n = 0;

	while (n < RTE_DIM(taken) && (taken[n] = rte_pktmbuf_alloc(pool)) != NULL)
		n++;
	assert_int_equal(rp_router_advert_send(dp, harness_nic(SIX1)), -ENOMEM);
	rte_pktmbuf_free_bulk(taken, n);
	assert_true(rte_ring_empty(dp->inject));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gateway_is_advertised_to_who_asks),
		cmocka_unit_test(claim_to_the_gateways_address_is_defended),
		cmocka_unit_test(duplicate_detection_of_other_addresses_is_not_answered),
		cmocka_unit_test(host_finds_the_addresses_of_public_nics),
		cmocka_unit_test(router_is_advertised_with_all_there_is),
		cmocka_unit_test(router_is_advertised_to_all_where_the_source_is_none),
		cmocka_unit_test(other_flag_only_where_there_is_other_configuration),
		cmocka_unit_test(no_router_for_a_nic_without_ip6),
		cmocka_unit_test(malformed_messages_are_dropped_by_name),
		cmocka_unit_test(wrong_checksum_is_dropped),
		cmocka_unit_test(foreign_link_layer_addresses_are_spoofing),
		cmocka_unit_test(a_vm_is_no_router_and_teaches_nobody),
		cmocka_unit_test(advertisement_keeps_to_the_mtu),
		cmocka_unit_test(unsolicited_advertisement_goes_to_all_nodes),
		cmocka_unit_test(unsolicited_advertisement_without_a_buffer_fails),
	};

	return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
