// SPDX-License-Identifier: BSD-3-Clause
#include "packet/nd.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "hex.h"

#define GW_LL "fe80000000000000 0000000000000001 "
#define VM_LL "fe80000000000000 505400fffe123401 "

static const char rs_frame[] = "333300000002 525400123401 86dd "
			       "60000000 0010 3a ff " VM_LL "ff02000000000000 0000000000000002 "
			       "85 00 725f 00000000 0101525400123401";
static const char ns_frame[] = "3333ff000001 525400123401 86dd "
			       "60000000 0020 3a ff " VM_LL "ff02000000000000 00000001ff000001 "
			       "87 00 72cc 00000000 " GW_LL "0101525400123401";
static const char dad_frame[] = "3333ff123401 525400123401 86dd "
				"60000000 0018 3a ff 0000000000000000 0000000000000000 "
				"ff02000000000000 00000001ff123401 "
				"87 00 c4ac 00000000 " VM_LL;
static const char ra_frame[] =
	"525400123401 020000000001 86dd "
	"60000000 0060 3a ff " GW_LL VM_LL "86 00 0167 40 c0 0708 00000000 00000000 "
	"0101020000000001 "
	"0501 0000 000005dc "
	"1905 0000 00000708 20010db8000000000000000000000053 "
	"fd000000000000000000000000000053 "
	"1f03 0000 00000708 076578616d706c65036f726700 016100";
static const char na_frame[] =
	"525400123401 020000000001 86dd "
	"60000000 0020 3a ff " GW_LL VM_LL "88 00 14b6 e0000000 " GW_LL "0201020000000001";

static const struct rte_ether_addr vm_mac = {{0x52, 0x54, 0x00, 0x12, 0x34, 0x01}};

static struct rp_addr addr(const char *text)
{
	struct rp_addr a;

	assert_int_equal(rp_addr_parse(text, &a), 0);
	return a;
}

static struct rp_frame_head gateway_head(void)
{
	return (struct rp_frame_head){
		.eth_src = rp_gateway_mac,
		.eth_dst = vm_mac,
		.src = rp_gateway_ip6,
		.dst = rp_addr_link_local(&vm_mac),
		.ttl = RP_TTL_LINK_ONLY,
		.proto = IPPROTO_ICMPV6,
	};
}

static void router_solicitation_bytes(void **)
{
	struct rp_addr ll = rp_addr_link_local(&vm_mac);
	uint8_t buf[128];
	struct rp_writer w = rp_writer(buf, sizeof(buf));

	assert_true(rp_create_router_solicitation(&w, &vm_mac, &ll));
	assert_hex(buf, rp_writer_len(&w), rs_frame);
	w = rp_writer(buf, 69);
	assert_false(rp_create_router_solicitation(&w, &vm_mac, &ll));
}

static void router_solicitation_without_address_has_no_option(void **)
{
	struct rp_addr any = addr("::");
	uint8_t buf[128];
	struct rp_writer w = rp_writer(buf, sizeof(buf));

	assert_true(rp_create_router_solicitation(&w, &vm_mac, &any));
	assert_int_equal(rp_writer_len(&w), 14 + 40 + 8);
}

static void neighbor_solicitation_bytes(void **)
{
	struct rp_addr ll = rp_addr_link_local(&vm_mac);
	struct rp_addr any = addr("::");
	uint8_t buf[128];
	struct rp_writer w = rp_writer(buf, sizeof(buf));

	assert_true(rp_create_neighbor_solicitation(&w, &vm_mac, &ll, &rp_gateway_ip6));
	assert_hex(buf, rp_writer_len(&w), ns_frame);
	w = rp_writer(buf, sizeof(buf));
	assert_true(rp_create_neighbor_solicitation(&w, &vm_mac, &any, &ll));
	assert_hex(buf, rp_writer_len(&w), dad_frame);
}

static void router_advertisement_bytes(void **)
{
	static const char *const names[] = {"example.org", "a"};
	const struct rp_addr dns[] = {addr("2001:db8::53"), addr("1.1.1.1"), addr("fd00::53")};
	struct rp_frame_head head = gateway_head();
	uint8_t buf[256];
	struct rp_writer w = rp_writer(buf, sizeof(buf));
	struct rp_frame_builder b;

	rp_frame_begin(&b, &w, &head);
	rp_nd_write_ra(&w, 64, RP_ND_RA_MANAGED | RP_ND_RA_OTHER, 1800);
	rp_nd_write_lladdr(&w, RP_ND_OPT_SLLA, &rp_gateway_mac);
	rp_nd_write_mtu(&w, 1500);
	rp_nd_write_rdnss(&w, 1800, dns, 3);
	rp_nd_write_dnssl(&w, 1800, names, 2);
	assert_true(rp_frame_end(&b));
	assert_hex(buf, rp_writer_len(&w), ra_frame);
}

static void neighbor_advertisement_bytes(void **)
{
	struct rp_frame_head head = gateway_head();
	uint8_t buf[128];
	struct rp_writer w = rp_writer(buf, sizeof(buf));
	struct rp_frame_builder b;

	rp_frame_begin(&b, &w, &head);
	rp_nd_write_na(&w, &rp_gateway_ip6,
		       RP_ND_NA_ROUTER | RP_ND_NA_SOLICITED | RP_ND_NA_OVERRIDE);
	rp_nd_write_lladdr(&w, RP_ND_OPT_TLLA, &rp_gateway_mac);
	assert_true(rp_frame_end(&b));
	assert_hex(buf, rp_writer_len(&w), na_frame);
}

static void options_without_content_are_not_written(void **)
{
	const struct rp_addr dns[] = {addr("1.1.1.1")};
	uint8_t buf[64];
	struct rp_writer w = rp_writer(buf, sizeof(buf));

	rp_nd_write_rdnss(&w, 1800, dns, 1);
	rp_nd_write_dnssl(&w, 1800, NULL, 0);
	assert_int_equal(rp_writer_len(&w), 0);
	assert_false(w.overflow);
}

static void search_list_is_cut_at_whole_names(void **)
{
	static const char *const names[] = {"abc.de", "fg.hi", "j"}; // 8, 7 and 3 bytes
	uint8_t buf[64];
	struct rp_writer w = rp_writer(buf, 24);

	rp_nd_write_dnssl(&w, 1, names, 3); // 8 + 18 bytes would want 32
	assert_false(w.overflow);
	assert_hex(buf, rp_writer_len(&w),
		   "1f03 0000 00000001 03616263 026465 00 026667 026869 00 00");
	w = rp_writer(buf, 23);
	rp_nd_write_dnssl(&w, 1, names, 3);
	assert_hex(buf, rp_writer_len(&w), "1f02 0000 00000001 03616263 026465 00");
	w = rp_writer(buf, 15);
	rp_nd_write_dnssl(&w, 1, names, 3);
	assert_int_equal(rp_writer_len(&w), 0);
	assert_false(w.overflow);
}

static void router_advertisement_is_parsed(void **)
{
	struct rp_router_advertisement ra;
	uint8_t buf[256];
	size_t len = hex_bytes(ra_frame, buf, sizeof(buf));
	struct rp_addr want = addr("fd00::53");

	assert_int_equal(rp_parse_router_advertisement(buf, len, &ra), 0);
	assert_int_equal(ra.nd.ra_hop_limit, 64);
	assert_int_equal(ra.nd.ra_flags, RP_ND_RA_MANAGED | RP_ND_RA_OTHER);
	assert_int_equal(ra.nd.ra_lifetime, 1800);
	assert_int_equal(ra.nd.ra_reachable, 0);
	assert_int_equal(ra.nd.ra_retrans, 0);
	assert_true(ra.nd.has_slla);
	assert_memory_equal(&ra.nd.slla, &rp_gateway_mac, sizeof(ra.nd.slla));
	assert_int_equal(ra.mtu, 1500);
	assert_int_equal(ra.n_prefixes, 0);
	assert_int_equal(ra.n_unknown, 0);
	assert_int_equal(ra.dns_lifetime, 1800);
	assert_int_equal(ra.n_dns, 2);
	assert_true(rp_addr_equal(&ra.dns[1], &want));
	assert_int_equal(ra.search_lifetime, 1800);
	assert_int_equal(ra.n_search, 2);
	assert_string_equal(ra.search[0], "example.org");
	assert_string_equal(ra.search[1], "a");
	assert_true(rp_addr_equal(&ra.frame.src, &rp_gateway_ip6));

	assert_int_equal(rp_parse_router_advertisement(buf, len - 1, &ra), -EBADMSG);
	buf[len - 1] ^= 1; // the checksum is wrong now
	assert_int_equal(rp_parse_router_advertisement(buf, len, &ra), -EBADMSG);
}

static void neighbor_advertisement_is_parsed(void **)
{
	struct rp_neighbor_advertisement na;
	struct rp_router_advertisement ra;
	uint8_t buf[128];
	size_t len = hex_bytes(na_frame, buf, sizeof(buf));

	assert_int_equal(rp_parse_neighbor_advertisement(buf, len, &na), 0);
	assert_true(na.router);
	assert_true(na.solicited);
	assert_true(na.override);
	assert_true(rp_addr_equal(&na.nd.target, &rp_gateway_ip6));
	assert_true(na.nd.has_tlla);
	assert_memory_equal(&na.nd.tlla, &rp_gateway_mac, sizeof(na.nd.tlla));
	assert_int_equal(rp_parse_router_advertisement(buf, len, &ra), -ENOMSG);
	len = hex_bytes(ns_frame, buf, sizeof(buf));
	assert_int_equal(rp_parse_neighbor_advertisement(buf, len, &na), -ENOMSG);
}

// Parse an ICMPv6 message given as text.
static int parse(const char *text, const char *src, const char *dst, uint8_t hop_limit,
		 struct rp_nd *nd)
{
	struct rp_addr s = addr(src), d = addr(dst);
	uint8_t buf[256];
	size_t len = hex_bytes(text, buf, sizeof(buf));

	return rp_nd_parse(rp_reader(buf, len), &s, &d, hop_limit, nd);
}

#define LL    "fe80::5054:ff:fe12:3401"
#define GROUP "ff02::1:ff00:1"
#define NS    "87 00 0000 00000000 " GW_LL
#define NA    "88 00 0000 "
#define RS    "85 00 0000 00000000 "
#define SLLA  "01 01 525400123401 "
#define TLLA  "02 01 525400123401 "

static void valid_messages_are_read(void **)
{
	struct rp_nd nd;

	assert_int_equal(parse(RS, "::", "ff02::2", 255, &nd), 0);
	assert_int_equal(nd.type, RP_ND_RS);
	assert_false(nd.has_slla);
	// Nonce (14) and an option of an unknown type are stepped over.
	assert_int_equal(parse(NS "0e01 010203040506 " SLLA "ff02 0000000000000000000000000000", LL,
			       GROUP, 255, &nd),
			 0);
	assert_true(rp_addr_equal(&nd.target, &rp_gateway_ip6));
	assert_true(nd.has_slla);
	assert_memory_equal(&nd.slla, &vm_mac, sizeof(vm_mac));
	assert_int_equal(parse(NS, "::", GROUP, 255, &nd), 0);
	assert_int_equal(parse(NA "60000000" VM_LL TLLA, LL, "fe80::1", 255, &nd), 0);
	assert_int_equal(nd.na_flags, RP_ND_NA_SOLICITED | RP_ND_NA_OVERRIDE);
	assert_true(nd.has_tlla);
	assert_int_equal(parse("89 00 0000 00000000 " VM_LL GW_LL, LL, "fe80::1", 255, &nd), 0);
	assert_int_equal(nd.type, RP_ND_REDIRECT);
	// The reserved fields are ignored.
	assert_int_equal(parse("85 00 0000 ffffffff", LL, "ff02::2", 255, &nd), 0);
}

static void hop_limit_below_255_is_refused(void **)
{
	struct rp_nd nd;

	assert_int_equal(parse(RS, LL, "ff02::2", 254, &nd), -EBADMSG);
	assert_int_equal(parse(NS, LL, GROUP, 64, &nd), -EBADMSG);
}

static void malformed_messages_are_refused(void **)
{
	static const struct {
		const char *text, *src, *dst;
	} bad[] = {
		{"", LL, "ff02::2"},
		{"85", LL, "ff02::2"},
		{"85 00 0000 000000", LL, "ff02::2"},	  // 7 bytes
		{"85 01 0000 00000000", LL, "ff02::2"},	  // code
		{RS "00 00 000000000000", LL, "ff02::2"}, // option of length 0
		{RS "01", LL, "ff02::2"},		  // half a header
		{RS "01 01 5254001234", LL, "ff02::2"},	  // option cut short
		{RS "01 02 525400123401", LL, "ff02::2"}, // lying length
		{RS SLLA "0e 00 ", LL, "ff02::2"},	  // behind a good one
		{RS SLLA, "::", "ff02::2"},		  // SLLAO without source
		{NS SLLA, "::", GROUP},			  // likewise
		{NS, "::", "fe80::1"},			  // DAD to unicast
		{NS, "::", "ff02::1"},			  // DAD to a wrong group
		{"87 00 0000 00000000 fe80000000000000 00000000000001", LL, GROUP},  // 23 bytes
		{"87 00 0000 00000000 ff020000000000000000000000000001", LL, GROUP}, // target
		{"88 00 0000 40000000 " VM_LL, LL, "ff02::1"}, // S to multicast
		{"88 00 0000 00000000 ff020000000000000000000000000001", LL, "ff02::1"},
		{"86 00 0000 40 00 0708 00000000 00000000", "fd00::1", "ff02::1"}, // source
		{"86 00 0000 40 00 0708 00000000 000000", LL, "ff02::1"},
		{"89 00 0000 00000000 " VM_LL "fe80", LL, LL},
		{"8a 00 0000 00000000", LL, "ff02::2"}, // no ND message
	};
	struct rp_nd nd;

	for (size_t i = 0; i < RTE_DIM(bad); i++) {
		if (parse(bad[i].text, bad[i].src, bad[i].dst, 255, &nd) != -EBADMSG)
			fail_msg("accepted: %s from %s to %s", bad[i].text, bad[i].src, bad[i].dst);
	}
}

// The options of an RA as text, in a frame of their own.
static int parse_ra_with(const char *options, struct rp_router_advertisement *ra)
{
	struct rp_frame_head head = gateway_head();
	uint8_t buf[512], opt[256];
	struct rp_writer w = rp_writer(buf, sizeof(buf));
	struct rp_frame_builder b;

	rp_frame_begin(&b, &w, &head);
	rp_nd_write_ra(&w, 64, 0, 0);
	rp_write_bytes(&w, opt, hex_bytes(options, opt, sizeof(opt)));
	assert_true(rp_frame_end(&b));
	return rp_parse_router_advertisement(buf, rp_writer_len(&w), ra);
}

static void advertisement_options_are_bounded(void **)
{
	static const char *const bad[] = {
		"1901 0000 000007",					 // cut short
		"1902 0000 00000708 20010db800000000",			 // half an address
		"1f02 0000 00000708 0561620000000000",			 // a label past the end
		"1f03 0000 00000708 01610162016301640165 0000c000 0000", // compression
		"0500 0000 000005dc",					 // length 0
	};
	struct rp_router_advertisement ra;

	for (size_t i = 0; i < RTE_DIM(bad); i++)
		assert_int_equal(parse_ra_with(bad[i], &ra), -EBADMSG);
	// Nine servers, one more than the struct holds.
	assert_int_equal(parse_ra_with("1907 0000 00000001" GW_LL GW_LL GW_LL
				       "1907 0000 00000001" GW_LL GW_LL GW_LL
				       "1907 0000 00000001" GW_LL GW_LL GW_LL,
				       &ra),
			 -EBADMSG);
	// Prefix information and unknown options are counted.
	assert_int_equal(parse_ra_with("0304 4080 00000001 00000001 00000000 " GW_LL
				       "c801 000000000000",
				       &ra),
			 0);
	assert_int_equal(ra.n_prefixes, 1);
	assert_int_equal(ra.n_unknown, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(router_solicitation_bytes),
		cmocka_unit_test(router_solicitation_without_address_has_no_option),
		cmocka_unit_test(neighbor_solicitation_bytes),
		cmocka_unit_test(router_advertisement_bytes),
		cmocka_unit_test(neighbor_advertisement_bytes),
		cmocka_unit_test(options_without_content_are_not_written),
		cmocka_unit_test(search_list_is_cut_at_whole_names),
		cmocka_unit_test(router_advertisement_is_parsed),
		cmocka_unit_test(neighbor_advertisement_is_parsed),
		cmocka_unit_test(valid_messages_are_read),
		cmocka_unit_test(hop_limit_below_255_is_refused),
		cmocka_unit_test(malformed_messages_are_refused),
		cmocka_unit_test(advertisement_options_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
