// SPDX-License-Identifier: BSD-3-Clause
#include "harness.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "packet/frame.h"

/*
 * From NIC to NIC: classify, ip input, route, forward and icmp_error, and the fast lane beside
 * them: whatever it forwards, the stages must forward in the same way, byte for byte.
 */

struct spec {
	const char *src, *dst;
	uint8_t ttl;
	uint8_t proto;
	size_t payload;
};

static struct outcome out, fast;

static size_t build(uint8_t *buf, int from, const struct spec *s)
{
	struct rp_writer w = rp_writer(buf, RP_FRAME_MAX);
	struct rp_frame_head head = {
		.eth_src = from == HOST_PORT ? harness_host_mac : harness_nic(from)->cfg.mac,
		.eth_dst = rp_gateway_mac,
		.ttl = s->ttl,
		.proto = s->proto != 0 ? s->proto : IPPROTO_UDP,
		.src_port = 1000,
		.dst_port = 2000,
	};
	struct rp_frame_builder b;

	assert_int_equal(rp_addr_parse(s->src, &head.src), 0);
	assert_int_equal(rp_addr_parse(s->dst, &head.dst), 0);
	rp_frame_begin(&b, &w, &head);
	for (size_t i = 0; i < s->payload; i++)
		rp_write_u8(&w, (uint8_t)i);
	assert_true(rp_frame_end(&b));
	return rp_writer_len(&w);
}

// The fast lane may refuse, but never decide otherwise than the stages.
static void send_both(int from, const uint8_t *frame, size_t len)
{
	harness_refill();
	harness_send(from, frame, len, &out);
	if (from == HOST_PORT || !harness_fast(from, frame, len, &fast))
		return;
	assert_true(out.sent);
	assert_int_equal(out.last, RP_STAGE_forward);
	assert_int_equal(fast.port, out.port);
	assert_int_equal(fast.len, out.len);
	assert_memory_equal(fast.data, out.data, out.len);
}

static void send_spec(int from, const struct spec *s)
{
	uint8_t frame[RP_FRAME_MAX];

	send_both(from, frame, build(frame, from, s));
}

static void assert_forwarded(int to, uint8_t ttl)
{
	const struct rte_ether_addr *mac =
		to == HOST_PORT ? &harness_host_mac : &harness_nic(to)->cfg.mac;
	struct rp_frame f;

	assert_true(out.sent);
	assert_int_equal(out.port, to);
	assert_int_equal(rp_frame_parse(out.data, out.len, &f), 0);
	assert_true(rte_is_same_ether_addr(&f.eth_dst, mac));
	assert_true(rte_is_same_ether_addr(&f.eth_src, &rp_gateway_mac));
	assert_int_equal(f.ttl, ttl);
	assert_true(f.ip_checksum_ok);
	assert_true(f.l4_checksum_ok);
}

static void assert_dropped(enum rp_drop why)
{
	assert_false(out.sent);
	assert_string_equal(rp_drop_name(out.drop), rp_drop_name(why));
}

static void assert_icmp(uint8_t type, uint8_t code, enum rp_drop why)
{
	struct rp_frame f;

	assert_true(out.sent);
	assert_int_equal(out.last, RP_STAGE_icmp_error);
	assert_int_equal(rp_frame_parse(out.data, out.len, &f), 0);
	assert_true(f.ip_checksum_ok);
	assert_true(f.l4_checksum_ok);
	assert_int_equal(f.l4.pos[0], type);
	assert_int_equal(f.l4.pos[1], code);
	assert_int_equal(out.counters.drops[why], 1);
	assert_int_equal(out.counters.answers[RP_ANSWER_icmp_error], 1);
}

static void vm_to_vm_takes_the_fast_lane(void **)
{
	uint8_t frame[RP_FRAME_MAX];

	send_spec(BLUE1, &(struct spec){"10.0.0.1", "10.0.0.2", 64, 0, 18});
	assert_forwarded(BLUE2, 63);
	assert_true(harness_fast(
		BLUE1, frame,
		build(frame, BLUE1, &(struct spec){"10.0.0.1", "10.0.0.2", 64, 0, 18}), &fast));
	send_spec(BLUE2, &(struct spec){"fd00:0:0:1::2", "fd00:0:0:1::1", 2, 0, 1400});
	assert_forwarded(BLUE1, 1);
	assert_true(harness_fast(
		BLUE2, frame,
		build(frame, BLUE2, &(struct spec){"fd00:0:0:1::2", "fd00:0:0:1::1", 2, 0, 1400}),
		&fast));
}

static void same_addresses_in_two_networks_stay_apart(void **)
{
	send_spec(RED1, &(struct spec){"10.0.0.1", "10.0.0.2", 64, 0, 18});
	assert_forwarded(RED2, 63);
	send_spec(RED2, &(struct spec){"fd00:0:0:1::2", "fd00:0:0:1::1", 64, 0, 18});
	assert_forwarded(RED1, 63);
	// .3 exists in blue only
	send_spec(RED1, &(struct spec){"10.0.0.1", "10.0.0.3", 64, 0, 18});
	assert_icmp(ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, RP_DROP_no_route);
}

static void routed_prefix_both_ways(void **)
{
	send_spec(BLUE2, &(struct spec){"10.0.0.2", "192.168.7.99", 64, 0, 18});
	assert_forwarded(BLUE1, 63);
	send_spec(BLUE1, &(struct spec){"192.168.7.99", "10.0.0.2", 64, 0, 18});
	assert_forwarded(BLUE2, 63);
	send_spec(BLUE2, &(struct spec){"fd00:0:0:1::2", "fd00:7::99", 64, 0, 18});
	assert_forwarded(BLUE1, 63);
	send_spec(BLUE1, &(struct spec){"fd00:7::1", "fd00:0:0:1::2", 64, 0, 18});
	assert_forwarded(BLUE2, 63);
	send_spec(BLUE2, &(struct spec){"192.168.7.99", "10.0.0.1", 64, 0, 18});
	assert_dropped(RP_DROP_spoofed_ip);
}

static void public_reaches_the_host_private_does_not(void **)
{
	send_spec(BLUE1, &(struct spec){"10.0.0.1", "192.0.2.1", 64, 0, 18});
	assert_forwarded(HOST_PORT, 63);
	send_spec(BLUE1, &(struct spec){"fd00:0:0:1::1", "2001:db8::1", 64, 0, 18});
	assert_forwarded(HOST_PORT, 63);
	send_spec(BLUE1, &(struct spec){"10.0.0.1", "169.254.0.2", 64, 0, 18});
	assert_forwarded(HOST_PORT, 63);
	send_spec(RED1, &(struct spec){"10.0.0.1", "169.254.0.2", 64, 0, 18});
	assert_dropped(RP_DROP_link_local);
	send_spec(RED1, &(struct spec){"10.0.0.1", "192.0.2.1", 64, 0, 18});
	assert_icmp(ICMP_DEST_UNREACH, ICMP_NET_UNREACH, RP_DROP_no_route);
	send_spec(RED1, &(struct spec){"fd00:0:0:1::1", "2001:db8::1", 64, 0, 18});
	assert_icmp(ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_NOROUTE, RP_DROP_no_route);
}

static void host_reaches_public_nics_only(void **)
{
	send_spec(HOST_PORT, &(struct spec){"169.254.0.2", "10.0.0.2", 64, 0, 18});
	assert_forwarded(BLUE2, 63);
	send_spec(HOST_PORT, &(struct spec){"192.0.2.1", "192.168.7.1", 64, 0, 18});
	assert_forwarded(BLUE1, 63);
	send_spec(HOST_PORT, &(struct spec){"fd72:696e:67::1", "fd00:0:0:1::1", 64, 0, 18});
	assert_forwarded(BLUE1, 63);
	send_spec(HOST_PORT, &(struct spec){"169.254.0.2", "10.4.0.1", 64, 0, 18});
	assert_dropped(RP_DROP_not_for_host);
	send_spec(HOST_PORT, &(struct spec){"10.0.0.1", "10.0.0.2", 64, 0, 18});
	assert_dropped(RP_DROP_spoofed_ip);
}

static void spoofed_addresses_are_dropped(void **)
{
	uint8_t frame[RP_FRAME_MAX];
	size_t len;

	send_spec(BLUE1, &(struct spec){"10.0.0.9", "10.0.0.2", 64, 0, 18});
	assert_dropped(RP_DROP_spoofed_ip);
	send_spec(BLUE1, &(struct spec){"fd00:0:0:1::9", "fd00:0:0:1::2", 64, 0, 18});
	assert_dropped(RP_DROP_spoofed_ip);
	send_spec(BLUE1, &(struct spec){"0.0.0.0", "10.0.0.2", 64, 0, 18});
	assert_dropped(RP_DROP_bad_source);
	send_spec(BLUE1, &(struct spec){"::", "fd00:0:0:1::2", 64, 0, 18});
	assert_dropped(RP_DROP_bad_source);
	send_spec(BLUE1, &(struct spec){"224.0.0.1", "10.0.0.2", 64, 0, 18});
	assert_dropped(RP_DROP_bad_source);
	len = build(frame, BLUE1, &(struct spec){"10.0.0.1", "10.0.0.2", 64, 0, 18});
	frame[11] ^= 1;
	send_both(BLUE1, frame, len);
	assert_dropped(RP_DROP_spoofed_mac);
	frame[11] ^= 1;
	frame[5] ^= 1;
	send_both(BLUE1, frame, len);
	assert_dropped(RP_DROP_l2_not_for_us);
	send_spec(FOUR1, &(struct spec){"fd00:6::1", "fd00:6::2", 64, 0, 18});
	assert_dropped(RP_DROP_spoofed_ip);
}

static void what_never_leaves_the_nic(void **)
{
	send_spec(BLUE1, &(struct spec){"10.0.0.1", "255.255.255.255", 64, 0, 18});
	assert_dropped(RP_DROP_multicast);
	send_spec(BLUE1, &(struct spec){"10.0.0.1", "10.0.0.255", 64, 0, 18});
	assert_dropped(RP_DROP_multicast);
	send_spec(BLUE1, &(struct spec){"10.0.0.1", "224.0.0.251", 64, 0, 18});
	assert_dropped(RP_DROP_multicast);
	send_spec(BLUE1, &(struct spec){"fd00:0:0:1::1", "ff02::fb", 64, 0, 18});
	assert_dropped(RP_DROP_multicast);
	send_spec(BLUE1, &(struct spec){"10.0.0.1", "169.254.7.7", 64, 0, 18});
	assert_dropped(RP_DROP_link_local);
	send_spec(BLUE1, &(struct spec){"fe80::5054:ff:fe00:1", "fe80::9", 64, 0, 18});
	assert_dropped(RP_DROP_link_local);
	send_spec(BLUE1, &(struct spec){"fe80::5054:ff:fe00:1", "fd00:0:0:1::2", 64, 0, 18});
	assert_dropped(RP_DROP_link_local);
	send_spec(BLUE1, &(struct spec){"10.0.0.1", "10.0.0.1", 64, 0, 18});
	assert_dropped(RP_DROP_own_address);
	send_spec(BLUE1, &(struct spec){"10.0.0.1", "192.168.7.1", 64, 0, 18});
	assert_dropped(RP_DROP_own_address);
	send_spec(BLUE1, &(struct spec){"10.0.0.1", "10.0.0.3", 64, 0, 18});
	assert_dropped(RP_DROP_dst_down);
	send_spec(BLUE1, &(struct spec){"10.0.0.1", "127.0.0.1", 64, 0, 18});
	assert_dropped(RP_DROP_no_route);
}

static void ttl_and_hop_limit_run_out(void **)
{
	for (uint8_t ttl = 0; ttl <= 1; ttl++) {
		send_spec(BLUE1, &(struct spec){"10.0.0.1", "10.0.0.2", ttl, 0, 18});
		assert_icmp(ICMP_TIME_EXCEEDED, ICMP_EXC_TTL, RP_DROP_ttl_expired);
		send_spec(BLUE1, &(struct spec){"fd00:0:0:1::1", "fd00:0:0:1::2", ttl, 0, 18});
		assert_icmp(ICMP6_TIME_EXCEEDED, ICMP6_TIME_EXCEED_TRANSIT, RP_DROP_ttl_expired);
	}
}

static void too_big_for_the_receiver(void **)
{
	send_spec(HOST_PORT, &(struct spec){"192.0.2.1", "10.0.0.2", 64, 0, 1500});
	assert_icmp(ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, RP_DROP_too_big);
	assert_int_equal(out.data[14 + 20 + 6] << 8 | out.data[14 + 20 + 7], 1500);
	send_spec(HOST_PORT, &(struct spec){"2001:db8::1", "fd00:0:0:1::2", 64, 0, 1500});
	assert_icmp(ICMP6_PACKET_TOO_BIG, 0, RP_DROP_too_big);
	send_spec(BLUE1, &(struct spec){"10.0.0.1", "10.0.0.2", 64, 0, 1473});
	assert_icmp(ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, RP_DROP_too_big);
	send_spec(BLUE1, &(struct spec){"10.0.0.1", "10.0.0.2", 64, 0, 1472});
	assert_forwarded(BLUE2, 63);
}

static void jumbo_frames_come_as_chains(void **)
{
	send_spec(RED1, &(struct spec){"10.0.0.1", "10.0.0.2", 64, 0, 8972});
	assert_forwarded(RED2, 63);
	send_spec(RED1, &(struct spec){"fd00:0:0:1::1", "fd00:0:0:1::2", 64, 0, 8952});
	assert_forwarded(RED2, 63);
}

// Beyond the IP packet there is nothing to forward: a frame could be of any size with it.
static void what_follows_the_packet_is_cut_off(void **)
{
	static const struct spec specs[] = {
		{"10.0.0.1", "10.0.0.2", 64, 0, 100},
		{"fd00:0:0:1::1", "fd00:0:0:1::2", 64, 0, 100},
	};
	static const size_t extra[] = {1, 1400, 2048, 60000};
	uint8_t frame[RP_FRAME_MAX] = {0};

	for (size_t s = 0; s < RTE_DIM(specs); s++)
		for (size_t e = 0; e < RTE_DIM(extra); e++) {
			size_t len = build(frame, BLUE1, &specs[s]);

			memset(frame + len, 0xee, extra[e]);
			send_both(BLUE1, frame, len + extra[e]);
			assert_forwarded(BLUE2, 63);
			assert_int_equal(out.len, len);
		}
	// A short frame is padded to 60 bytes on Ethernet.
	memset(frame, 0, sizeof(frame));
	build(frame, BLUE1, &(struct spec){"10.0.0.1", "10.0.0.2", 64, 0, 1});
	send_both(BLUE1, frame, 60);
	assert_forwarded(BLUE2, 63);
	assert_int_equal(out.len, 60);
}

static void frame_longer_than_any_packet(void **)
{
	static uint8_t frame[RP_FRAME_MAX + 1];

	build(frame, BLUE1, &(struct spec){"10.0.0.1", "10.0.0.2", 64, 0, 100});
	send_both(BLUE1, frame, sizeof(frame));
	assert_dropped(RP_DROP_giant);
}

static void no_error_in_answer_to_an_error(void **)
{
	uint8_t frame[RP_FRAME_MAX];
	size_t len = build(frame, RED1, &(struct spec){"10.0.0.1", "10.9.9.9", 64, 1, 40});

	// The payload counts up from 0: type 0 is an echo reply, which may be answered.
	send_both(RED1, frame, len);
	assert_icmp(ICMP_DEST_UNREACH, ICMP_NET_UNREACH, RP_DROP_no_route);
	frame[34] = ICMP_DEST_UNREACH;
	send_both(RED1, frame, len);
	assert_dropped(RP_DROP_icmp_not_allowed);
	assert_int_equal(out.counters.drops[RP_DROP_no_route], 1);
}

static void errors_are_rate_limited(void **)
{
	uint8_t frame[RP_FRAME_MAX];
	size_t len = build(frame, RED1, &(struct spec){"10.0.0.1", "10.9.9.9", 64, 0, 40});
	int sent = 0;

	harness_refill();
	for (int i = 0; i < 200; i++) {
		harness_send(RED1, frame, len, &out);
		sent += out.sent;
	}
	assert_in_range(sent, 20, 199);
	assert_dropped(RP_DROP_icmp_rate_limited);
}

static void error_quotes_the_offending_header(void **)
{
	uint8_t frame[RP_FRAME_MAX];
	size_t len = build(frame, RED1, &(struct spec){"10.0.0.1", "10.9.9.9", 64, 0, 2000});

	harness_refill();
	harness_send(RED1, frame, len, &out);
	assert_int_equal(out.len, 14 + 576);
	assert_memory_equal(out.data + 14 + 20 + 8, frame + 14, 576 - 28);
	len = build(frame, RED1, &(struct spec){"fd00:0:0:1::1", "fd99::1", 64, 0, 2000});
	harness_send(RED1, frame, len, &out);
	assert_int_equal(out.len, 14 + 1280);
	assert_memory_equal(out.data + 14 + 40 + 8, frame + 14, 1280 - 48);
}

static void no_error_to_a_frame_for_a_group(void **)
{
	uint8_t frame[RP_FRAME_MAX];
	size_t len = build(frame, BLUE1, &(struct spec){"10.0.0.1", "169.254.0.1", 64, 0, 18});

	memset(frame, 0xff, 6);
	send_both(BLUE1, frame, len);
	assert_dropped(RP_DROP_icmp_not_allowed);
	assert_int_equal(out.counters.drops[RP_DROP_local_service], 1);
}

static void udp_to_the_gateway_finds_no_listener(void **)
{
	send_spec(BLUE1, &(struct spec){"10.0.0.1", "169.254.0.1", 64, 0, 18});
	assert_icmp(ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, RP_DROP_local_service);
	send_spec(BLUE1, &(struct spec){"fd00:0:0:1::1", "fe80::1", 64, 0, 18});
	assert_icmp(ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_NOPORT, RP_DROP_local_service);
	send_spec(BLUE1, &(struct spec){"10.0.0.1", "169.254.0.1", 64, 6, 20});
	assert_dropped(RP_DROP_local_service);
}

static void malformed_headers(void **)
{
	uint8_t good[RP_FRAME_MAX], frame[RP_FRAME_MAX];
	size_t len = build(good, BLUE1, &(struct spec){"10.0.0.1", "10.0.0.2", 64, 0, 18});
	static const struct {
		size_t at;
		uint8_t value;
		enum rp_drop why;
	} cases[] = {
		{14, 0x44, RP_DROP_ip_bad_header},   // IHL below 5
		{14, 0x4f, RP_DROP_ip_bad_header},   // IHL beyond the packet
		{14, 0x65, RP_DROP_ip_bad_header},   // version 6 under EtherType IPv4
		{16, 0x40, RP_DROP_ip_bad_header},   // total length beyond the frame
		{17, 0x13, RP_DROP_ip_bad_header},   // total length below the header
		{24, 0x00, RP_DROP_ip_bad_checksum}, // checksum
		{23, 0x99, RP_DROP_ip_bad_checksum}, // protocol, under the checksum
		{12, 0x81, RP_DROP_vlan},
		{12, 0x88, RP_DROP_ethertype},
	};

	for (size_t i = 0; i < RTE_DIM(cases); i++) {
		memcpy(frame, good, len);
		frame[cases[i].at] = cases[i].value;
		send_both(BLUE1, frame, len);
		assert_dropped(cases[i].why);
	}
	for (size_t cut = 1; cut < 34; cut++) {
		send_both(BLUE1, good, cut);
		assert_dropped(cut < 14 ? RP_DROP_runt : RP_DROP_ip_bad_header);
	}
}

static void malformed_ip6_headers(void **)
{
	uint8_t good[RP_FRAME_MAX], frame[RP_FRAME_MAX];
	size_t len =
		build(good, BLUE1, &(struct spec){"fd00:0:0:1::1", "fd00:0:0:1::2", 64, 0, 18});

	memcpy(frame, good, len);
	frame[14] = 0x45;
	send_both(BLUE1, frame, len);
	assert_dropped(RP_DROP_ip_bad_header);
	memcpy(frame, good, len);
	frame[18] = 0x40;
	send_both(BLUE1, frame, len);
	assert_dropped(RP_DROP_ip_bad_header);
	memcpy(frame, good, len);
	frame[20] = 0; // hop-by-hop options that are not there
	frame[54 + 1] = 0xff;
	send_both(BLUE1, frame, len);
	assert_dropped(RP_DROP_ip_ext_header);
	for (size_t cut = 14; cut < len; cut++) {
		send_both(BLUE1, good, cut);
		assert_dropped(RP_DROP_ip_bad_header);
	}
}

static void options_and_extension_headers_are_forwarded(void **)
{
	uint8_t frame[RP_FRAME_MAX];
	size_t len =
		build(frame, BLUE1, &(struct spec){"fd00:0:0:1::1", "fd00:0:0:1::2", 64, 0, 18});
	uint16_t sum;

	memset(frame + 54, 0, 8);
	frame[20] = 60; // destination options, 8 bytes
	frame[54] = 59; // no next header
	send_both(BLUE1, frame, len);
	assert_true(out.sent);
	assert_int_equal(out.port, BLUE2);
	assert_int_equal(out.data[21], 63);

	// Extension headers that go on behind the first buffer
	len = build(frame, RED1, &(struct spec){"fd00:0:0:1::1", "fd00:0:0:1::2", 64, 0, 4000});
	memset(frame + 54, 0, 4000);
	frame[20] = 60;
	frame[54] = 60;
	frame[55] = 255; // 2048 bytes
	frame[54 + 2048] = 59;
	send_both(RED1, frame, len);
	assert_true(out.sent);
	assert_int_equal(out.port, RED2);

	// IPv4 with 4 bytes of options: NOP NOP NOP END
	len = build(frame, BLUE1, &(struct spec){"10.0.0.1", "10.0.0.2", 64, 0, 18});
	frame[14] = 0x46;
	memcpy(frame + 34, (uint8_t[]){1, 1, 1, 0}, 4);
	frame[24] = frame[25] = 0;
	sum = rp_checksum_ip4((const void *)(frame + 14));
	memcpy(frame + 24, &sum, 2);
	send_both(BLUE1, frame, len);
	assert_true(out.sent);
	assert_int_equal(out.port, BLUE2);
	assert_int_equal(rp_checksum_ip4((const void *)(out.data + 14)), 0);
}

// Any single changed byte: what the fast lane forwards, the stages forward alike.
static void fast_lane_agrees_with_the_stages(void **)
{
	static const struct spec specs[] = {
		{"10.0.0.1", "10.0.0.2", 64, 0, 18},
		{"fd00:0:0:1::1", "fd00:0:0:1::2", 64, 0, 18},
	};
	uint8_t good[RP_FRAME_MAX], frame[RP_FRAME_MAX];

	for (size_t s = 0; s < RTE_DIM(specs); s++) {
		size_t len = build(good, BLUE1, &specs[s]);

		for (size_t at = 0; at < len; at++)
			for (int v = 0; v < 256; v += 1 + (at > 60) * 50) {
				memcpy(frame, good, len);
				frame[at] = (uint8_t)v;
				send_both(BLUE1, frame, len);
			}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vm_to_vm_takes_the_fast_lane),
		cmocka_unit_test(same_addresses_in_two_networks_stay_apart),
		cmocka_unit_test(routed_prefix_both_ways),
		cmocka_unit_test(public_reaches_the_host_private_does_not),
		cmocka_unit_test(host_reaches_public_nics_only),
		cmocka_unit_test(spoofed_addresses_are_dropped),
		cmocka_unit_test(what_never_leaves_the_nic),
		cmocka_unit_test(ttl_and_hop_limit_run_out),
		cmocka_unit_test(too_big_for_the_receiver),
		cmocka_unit_test(jumbo_frames_come_as_chains),
		cmocka_unit_test(what_follows_the_packet_is_cut_off),
		cmocka_unit_test(frame_longer_than_any_packet),
		cmocka_unit_test(no_error_in_answer_to_an_error),
		cmocka_unit_test(no_error_to_a_frame_for_a_group),
		cmocka_unit_test(errors_are_rate_limited),
		cmocka_unit_test(error_quotes_the_offending_header),
		cmocka_unit_test(udp_to_the_gateway_finds_no_listener),
		cmocka_unit_test(malformed_headers),
		cmocka_unit_test(malformed_ip6_headers),
		cmocka_unit_test(options_and_extension_headers_are_forwarded),
		cmocka_unit_test(fast_lane_agrees_with_the_stages),
	};

	return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
