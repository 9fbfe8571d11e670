// SPDX-License-Identifier: BSD-3-Clause
#include "packet/frame.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const uint8_t udp4_frame[] = {
	0x52, 0x54, 0x00, 0x12, 0x34, 0x01, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x08, 0x00, 0x45,
	0x00, 0x00, 0x1f, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, 0x86, 0xca, 0xa9, 0xfe, 0x00, 0x01,
	0x0a, 0x00, 0x00, 0x05, 0x00, 0x43, 0x00, 0x44, 0x00, 0x0b, 0x86, 0xea, 0x61, 0x62, 0x63};
static const uint8_t udp6_frame[] = {
	0x52, 0x54, 0x00, 0x12, 0x34, 0x01, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x86,
	0xdd, 0x60, 0x00, 0x00, 0x00, 0x00, 0x0b, 0x11, 0x40, 0xfe, 0x80, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0xfe,
	0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x50, 0x54, 0x00, 0xff, 0xfe, 0x12,
	0x34, 0x01, 0x02, 0x23, 0x02, 0x22, 0x00, 0x0b, 0xb6, 0xc6, 0x61, 0x62, 0x63};
static const uint8_t icmp6_frame[] = {
	0x52, 0x54, 0x00, 0x12, 0x34, 0x01, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x86, 0xdd,
	0x60, 0x00, 0x00, 0x00, 0x00, 0x0d, 0x3a, 0x40, 0xfe, 0x80, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0xfe, 0x80, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x50, 0x54, 0x00, 0xff, 0xfe, 0x12, 0x34, 0x01, 0x81, 0x00,
	0xa8, 0x40, 0x12, 0x34, 0x00, 0x07, 0x68, 0x65, 0x6c, 0x6c, 0x6f};
static const uint8_t icmp4_frame[] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x01, 0x02, 0x00, 0x00, 0x00,
				      0x00, 0x01, 0x08, 0x00, 0x45, 0x00, 0x00, 0x21, 0x00, 0x00,
				      0x40, 0x00, 0x40, 0x01, 0x86, 0xd8, 0xa9, 0xfe, 0x00, 0x01,
				      0x0a, 0x00, 0x00, 0x05, 0x00, 0x00, 0xa9, 0xf2, 0x12, 0x34,
				      0x00, 0x07, 0x68, 0x65, 0x6c, 0x6c, 0x6f};

#define IP4_OFF 14
#define IP6_OFF 14
#define UDP4	(IP4_OFF + 20)
#define UDP6	(IP6_OFF + 40)

static struct rp_frame_head head(const char *src, const char *dst, uint8_t proto)
{
	struct rp_frame_head h = {
		.eth_src = rp_gateway_mac,
		.eth_dst = {{0x52, 0x54, 0x00, 0x12, 0x34, 0x01}},
		.ttl = RP_TTL_DEFAULT,
		.proto = proto,
	};

	assert_int_equal(rp_addr_parse(src, &h.src), 0);
	assert_int_equal(rp_addr_parse(dst, &h.dst), 0);
	return h;
}

static size_t build(uint8_t *buf, size_t size, const struct rp_frame_head *h, const void *data,
		    size_t n)
{
	struct rp_writer w = rp_writer(buf, size);
	struct rp_frame_builder b;

	rp_frame_begin(&b, &w, h);
	rp_write_bytes(&w, data, n);
	return rp_frame_end(&b) ? rp_writer_len(&w) : 0;
}

static void builds_the_known_bytes(void **)
{
	static const uint8_t echo6[] = {0x81, 0, 0, 0, 0x12, 0x34, 0, 7, 'h', 'e', 'l', 'l', 'o'};
	static const uint8_t echo4[] = {0, 0, 0, 0, 0x12, 0x34, 0, 7, 'h', 'e', 'l', 'l', 'o'};
	struct rp_frame_head h = head("169.254.0.1", "10.0.0.5", IPPROTO_UDP);
	uint8_t buf[128];

	h.src_port = 67;
	h.dst_port = 68;
	assert_int_equal(build(buf, sizeof(buf), &h, "abc", 3), sizeof(udp4_frame));
	assert_memory_equal(buf, udp4_frame, sizeof(udp4_frame));
	h.proto = IPPROTO_ICMP;
	assert_int_equal(build(buf, sizeof(buf), &h, echo4, sizeof(echo4)), sizeof(icmp4_frame));
	assert_memory_equal(buf, icmp4_frame, sizeof(icmp4_frame));

	h = head("fe80::1", "fe80::5054:ff:fe12:3401", IPPROTO_UDP);
	h.src_port = 547;
	h.dst_port = 546;
	assert_int_equal(build(buf, sizeof(buf), &h, "abc", 3), sizeof(udp6_frame));
	assert_memory_equal(buf, udp6_frame, sizeof(udp6_frame));
	h.proto = IPPROTO_ICMPV6;
	assert_int_equal(build(buf, sizeof(buf), &h, echo6, sizeof(echo6)), sizeof(icmp6_frame));
	assert_memory_equal(buf, icmp6_frame, sizeof(icmp6_frame));
}

static void builder_appends_to_a_writer_and_reports_overflow(void **)
{
	struct rp_frame_head h = head("169.254.0.1", "10.0.0.5", IPPROTO_UDP);
	struct rp_frame_builder b;
	uint8_t buf[10 + sizeof(udp4_frame)];
	struct rp_writer w = rp_writer(buf, sizeof(buf));

	h.src_port = 67;
	h.dst_port = 68;
	rp_write_zero(&w, 10);
	rp_frame_begin(&b, &w, &h);
	rp_write_bytes(&w, "abc", 3);
	assert_true(rp_frame_end(&b));
	assert_memory_equal(buf + 10, udp4_frame, sizeof(udp4_frame));
	for (size_t n = 0; n < sizeof(udp4_frame); n++)
		assert_int_equal(build(buf, n, &h, "abc", 3), 0);
	assert_int_equal(build(buf, sizeof(udp4_frame), &h, "abc", 3), sizeof(udp4_frame));
}

static void builder_refuses_what_an_ip_length_cannot_say(void **)
{
	static uint8_t buf[70000], data[UINT16_MAX];
	struct rp_frame_head h = head("169.254.0.1", "10.0.0.5", IPPROTO_UDP);

	assert_int_equal(build(buf, sizeof(buf), &h, data, UINT16_MAX - 28), UINT16_MAX + 14);
	assert_int_equal(build(buf, sizeof(buf), &h, data, UINT16_MAX - 27), 0);
	h = head("fe80::1", "fe80::2", IPPROTO_UDP);
	assert_int_equal(build(buf, sizeof(buf), &h, data, UINT16_MAX - 8), UINT16_MAX + 54);
	assert_int_equal(build(buf, sizeof(buf), &h, data, UINT16_MAX - 7), 0);
}

static void udp_checksum_zero_goes_out_as_all_ones(void **)
{
	struct rp_frame_head h = head("10.0.0.1", "10.0.0.5", IPPROTO_UDP);
	struct rp_frame f;
	uint8_t buf[64], data[2] = {0, 0};
	size_t n;

	assert_int_not_equal(build(buf, sizeof(buf), &h, data, sizeof(data)), 0);
	memcpy(data, buf + UDP4 + 6, sizeof(data));
	n = build(buf, sizeof(buf), &h, data, sizeof(data));
	assert_int_equal(buf[UDP4 + 6], 0xff);
	assert_int_equal(buf[UDP4 + 7], 0xff);
	assert_int_equal(rp_frame_parse(buf, n, &f), 0);
	assert_true(f.l4_checksum_ok);
}

static void parses_what_it_builds(void **)
{
	struct rp_addr want;
	struct rp_frame f;

	assert_int_equal(rp_frame_parse(udp4_frame, sizeof(udp4_frame), &f), 0);
	assert_int_equal(f.ether_type, RTE_ETHER_TYPE_IPV4);
	assert_memory_equal(&f.eth_src, &rp_gateway_mac, sizeof(rp_gateway_mac));
	assert_int_equal(f.eth_dst.addr_bytes[5], 0x01);
	assert_true(rp_addr_equal(&f.src, &rp_gateway_ip4));
	rp_addr_parse("10.0.0.5", &want);
	assert_true(rp_addr_equal(&f.dst, &want));
	assert_int_equal(f.ttl, 64);
	assert_int_equal(f.proto, IPPROTO_UDP);
	assert_true(f.df);
	assert_true(f.ip_checksum_ok && f.l4_checksum_ok);
	assert_int_equal(f.src_port, 67);
	assert_int_equal(f.dst_port, 68);
	assert_int_equal(rp_reader_left(&f.payload), 3);
	assert_memory_equal(f.payload.pos, "abc", 3);

	assert_int_equal(rp_frame_parse(icmp6_frame, sizeof(icmp6_frame), &f), 0);
	assert_true(rp_addr_equal(&f.src, &rp_gateway_ip6));
	assert_int_equal(f.proto, IPPROTO_ICMPV6);
	assert_true(f.ip_checksum_ok && f.l4_checksum_ok);
	assert_int_equal(rp_reader_left(&f.l4), 13);
	assert_int_equal(rp_reader_left(&f.payload), 0);
}

static void each_wrong_bit_is_seen_by_a_checksum(void **)
{
	uint8_t buf[sizeof(udp4_frame)];
	struct rp_frame f;

	for (size_t i = IP4_OFF + 8; i < sizeof(buf); i++) {
		memcpy(buf, udp4_frame, sizeof(buf));
		buf[i] ^= 0x10;
		if (rp_frame_parse(buf, sizeof(buf), &f) == 0)
			assert_false(f.ip_checksum_ok && f.l4_checksum_ok);
	}
}

static void udp_without_checksum_is_fine_over_ip4_only(void **)
{
	uint8_t buf[sizeof(udp6_frame)];
	struct rp_frame f;

	memcpy(buf, udp4_frame, sizeof(udp4_frame));
	memset(buf + UDP4 + 6, 0, 2);
	assert_int_equal(rp_frame_parse(buf, sizeof(udp4_frame), &f), 0);
	assert_true(f.l4_checksum_ok);
	memcpy(buf, udp6_frame, sizeof(udp6_frame));
	memset(buf + UDP6 + 6, 0, 2);
	assert_int_equal(rp_frame_parse(buf, sizeof(udp6_frame), &f), 0);
	assert_false(f.l4_checksum_ok);
}

static void every_truncation_is_refused(void **)
{
	struct rp_frame f;

	for (size_t n = 0; n < sizeof(udp4_frame); n++)
		assert_int_equal(rp_frame_parse(udp4_frame, n, &f), -EBADMSG);
	for (size_t n = 0; n < sizeof(udp6_frame); n++)
		assert_int_equal(rp_frame_parse(udp6_frame, n, &f), -EBADMSG);
}

static void lying_lengths_are_refused(void **)
{
	static const struct {
		size_t off;
		uint8_t value;
	} lies4[] = {
		{IP4_OFF, 0x44},  {IP4_OFF, 0x4f},   {IP4_OFF, 0x65},
		{IP4_OFF + 2, 1}, {IP4_OFF + 3, 19}, {IP4_OFF + 3, sizeof(udp4_frame) - 13},
		{UDP4 + 5, 7},	  {UDP4 + 5, 12},
	};
	uint8_t buf[sizeof(udp4_frame)];
	struct rp_frame f;

	for (size_t i = 0; i < RTE_DIM(lies4); i++) {
		memcpy(buf, udp4_frame, sizeof(buf));
		buf[lies4[i].off] = lies4[i].value;
		assert_int_equal(rp_frame_parse(buf, sizeof(buf), &f), -EBADMSG);
	}
}

static void an_ip4_header_shorter_than_itself_is_refused(void **)
{
	uint8_t buf[sizeof(icmp4_frame)];
	struct rp_frame f;

	// Over ICMP, whose header any bytes can be.
	memcpy(buf, icmp4_frame, sizeof(buf));
	for (uint8_t ihl = 0; ihl < 5; ihl++) {
		buf[IP4_OFF] = 0x40 | ihl;
		assert_int_equal(rp_frame_parse(buf, sizeof(buf), &f), -EBADMSG);
	}
}

static void what_udp_leaves_out_is_no_payload(void **)
{
	struct rp_frame_head h = head("169.254.0.1", "10.0.0.5", IPPROTO_UDP);
	uint8_t buf[64];
	size_t n = build(buf, sizeof(buf), &h, "abcdefg", 7);
	struct rp_frame f;
	uint16_t sum;

	buf[UDP4 + 5] = 8 + 3;
	memset(buf + UDP4 + 6, 0, 2);
	sum = rp_checksum_l4(&h.src, &h.dst, IPPROTO_UDP, buf + UDP4, 8 + 3);
	memcpy(buf + UDP4 + 6, &sum, sizeof(sum));
	assert_int_equal(rp_frame_parse(buf, n, &f), 0);
	assert_true(f.l4_checksum_ok);
	assert_int_equal(rp_reader_left(&f.l4), 11);
	assert_int_equal(rp_reader_left(&f.payload), 3);
}

static void padding_behind_the_packet_is_cut_off(void **)
{
	uint8_t buf[60] = {0};
	struct rp_frame f;

	memcpy(buf, udp4_frame, sizeof(udp4_frame));
	assert_int_equal(rp_frame_parse(buf, sizeof(buf), &f), 0);
	assert_int_equal(rp_reader_left(&f.l3), sizeof(udp4_frame) - 14);
	assert_int_equal(rp_reader_left(&f.payload), 3);
	assert_true(f.l4_checksum_ok);
}

static void a_vlan_tag_is_reported_and_looked_behind(void **)
{
	uint8_t buf[sizeof(udp4_frame) + 4] = {0};
	struct rp_frame f;

	memcpy(buf, udp4_frame, 12);
	memcpy(buf + 12, (uint8_t[]){0x81, 0x00, 0x20, 0x05}, 4);
	memcpy(buf + 16, udp4_frame + 12, sizeof(udp4_frame) - 12);
	assert_int_equal(rp_frame_parse(buf, sizeof(buf), &f), 0);
	assert_true(f.has_vlan);
	assert_int_equal(f.vlan_tci, 0x2005);
	assert_int_equal(f.dst_port, 68);
	assert_int_equal(rp_frame_parse(buf, 17, &f), -EBADMSG);
}

static void ip4_options_and_fragments(void **)
{
	uint8_t buf[sizeof(udp4_frame) + 4];
	struct rp_frame f;

	memcpy(buf, udp4_frame, UDP4);
	memset(buf + UDP4, 1, 4); // four no-operation options
	memcpy(buf + UDP4 + 4, udp4_frame + UDP4, sizeof(udp4_frame) - UDP4);
	buf[IP4_OFF] = 0x46;
	buf[IP4_OFF + 3] += 4;
	assert_int_equal(rp_frame_parse(buf, sizeof(buf), &f), 0);
	assert_false(f.ip_checksum_ok);
	assert_true(f.l4_checksum_ok);
	assert_int_equal(rp_reader_left(&f.payload), 3);

	memcpy(buf, udp4_frame, sizeof(udp4_frame));
	buf[IP4_OFF + 6] = 0x20; // a first fragment: more to come
	buf[UDP4 + 5] = 200;
	assert_int_equal(rp_frame_parse(buf, sizeof(udp4_frame), &f), 0);
	assert_true(f.more_fragments);
	assert_int_equal(f.dst_port, 68);
	buf[IP4_OFF + 6] = 0; // and one of the others: what follows is no UDP header
	buf[IP4_OFF + 7] = 3;
	assert_int_equal(rp_frame_parse(buf, sizeof(udp4_frame), &f), 0);
	assert_int_equal(f.frag_offset, 24);
	assert_int_equal(f.dst_port, 0);
}

// Put n bytes of extension headers in front of the UDP datagram of udp6_frame.
static size_t with_extensions(uint8_t *buf, uint8_t first, const void *ext, size_t n)
{
	memcpy(buf, udp6_frame, UDP6);
	memcpy(buf + UDP6, ext, n);
	memcpy(buf + UDP6 + n, udp6_frame + UDP6, sizeof(udp6_frame) - UDP6);
	buf[IP6_OFF + 6] = first;
	buf[IP6_OFF + 5] += (uint8_t)n;
	return sizeof(udp6_frame) + n;
}

static void ip6_extension_headers_are_stepped_over(void **)
{
	static const uint8_t hop_and_dst[24] = {[0] = IPPROTO_DSTOPTS, 1, [16] = IPPROTO_UDP, 0};
	static const uint8_t too_long[8] = {IPPROTO_UDP, 200};
	static const uint8_t first_frag[8] = {IPPROTO_UDP, 0, 0, 1, 9, 9, 9, 9};
	static const uint8_t later_frag[8] = {IPPROTO_HOPOPTS, 0, 0x01, 0x01, 9, 9, 9, 9};
	uint8_t buf[sizeof(udp6_frame) + 24];
	struct rp_frame f;
	size_t n;

	n = with_extensions(buf, IPPROTO_HOPOPTS, hop_and_dst, sizeof(hop_and_dst));
	assert_int_equal(rp_frame_parse(buf, n, &f), 0);
	assert_int_equal(f.proto, IPPROTO_UDP);
	assert_true(f.l4_checksum_ok);
	assert_int_equal(rp_reader_left(&f.payload), 3);

	n = with_extensions(buf, IPPROTO_ROUTING, too_long, sizeof(too_long));
	assert_int_equal(rp_frame_parse(buf, n, &f), -EBADMSG);

	n = with_extensions(buf, IPPROTO_FRAGMENT, first_frag, sizeof(first_frag));
	assert_int_equal(rp_frame_parse(buf, n, &f), 0);
	assert_true(f.more_fragments);
	assert_int_equal(f.dst_port, 546);

	n = with_extensions(buf, IPPROTO_FRAGMENT, later_frag, sizeof(later_frag));
	assert_int_equal(rp_frame_parse(buf, n, &f), 0);
	assert_int_equal(f.frag_offset, 256);
	assert_int_equal(f.proto, IPPROTO_HOPOPTS);
	assert_int_equal(f.dst_port, 0);
}

static void other_ethertypes_are_handed_out_whole(void **)
{
	uint8_t buf[60] = {[12] = 0x08, [13] = 0x06};
	struct rp_frame f;

	assert_int_equal(rp_frame_parse(buf, sizeof(buf), &f), 0);
	assert_int_equal(f.ether_type, RTE_ETHER_TYPE_ARP);
	assert_int_equal(f.src.family, RP_NONE);
	assert_int_equal(rp_reader_left(&f.l3), 46);
	assert_int_equal(rp_reader_left(&f.l4), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(builds_the_known_bytes),
		cmocka_unit_test(builder_appends_to_a_writer_and_reports_overflow),
		cmocka_unit_test(builder_refuses_what_an_ip_length_cannot_say),
		cmocka_unit_test(udp_checksum_zero_goes_out_as_all_ones),
		cmocka_unit_test(parses_what_it_builds),
		cmocka_unit_test(each_wrong_bit_is_seen_by_a_checksum),
		cmocka_unit_test(udp_without_checksum_is_fine_over_ip4_only),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(lying_lengths_are_refused),
		cmocka_unit_test(an_ip4_header_shorter_than_itself_is_refused),
		cmocka_unit_test(what_udp_leaves_out_is_no_payload),
		cmocka_unit_test(padding_behind_the_packet_is_cut_off),
		cmocka_unit_test(a_vlan_tag_is_reported_and_looked_behind),
		cmocka_unit_test(ip4_options_and_fragments),
		cmocka_unit_test(ip6_extension_headers_are_stepped_over),
		cmocka_unit_test(other_ethertypes_are_handed_out_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
