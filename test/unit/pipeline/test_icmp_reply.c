// SPDX-License-Identifier: BSD-3-Clause
#include "harness.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "packet/icmp.h"

static struct outcome out;
static uint8_t frame[RP_FRAME_MAX], data[RP_FRAME_MAX];

static struct rp_echo ping(int from, enum rp_family family, size_t n)
{
	const struct rp_nic_view *nic = from == HOST_PORT ? NULL : harness_nic(from);
	struct rp_echo e = {
		.eth_src = nic != NULL ? nic->cfg.mac : harness_host_mac,
		.eth_dst = rp_gateway_mac,
		.src = family == RP_IP4 ? harness_worker()->view->host.ip4
					: harness_worker()->view->host.ip6,
		.dst = family == RP_IP4 ? rp_gateway_ip4 : rp_gateway_ip6,
		.ttl = 3,
		.ident = 0xbeef,
		.seq = (uint16_t)n,
		.data = rp_reader(data, n),
	};

	if (nic != NULL)
		e.src = family == RP_IP4 ? nic->cfg.ip4 : nic->cfg.ip6;
	for (size_t i = 0; i < n; i++)
		data[i] = (uint8_t)(i * 7 + n);
	return e;
}

static size_t build(const struct rp_echo *e)
{
	struct rp_writer w = rp_writer(frame, sizeof(frame));

	assert_true(e->src.family == RP_IP4 ? rp_create_icmp_echo_request(&w, e)
					    : rp_create_icmpv6_echo_request(&w, e));
	return rp_writer_len(&w);
}

static void assert_answered(int from, const struct rp_echo *asked)
{
	size_t n = rp_reader_left(&asked->data);
	struct rp_echo got;

	assert_true(out.sent);
	assert_int_equal(out.last, RP_STAGE_icmp_reply);
	assert_int_equal(out.port, from);
	assert_int_equal(out.counters.answers[RP_ANSWER_echo_reply], 1);
	assert_int_equal(asked->src.family == RP_IP4
				 ? rp_parse_icmp_echo_reply(out.data, out.len, &got)
				 : rp_parse_icmpv6_echo_reply(out.data, out.len, &got),
			 0);
	assert_true(got.ip_checksum_ok);
	assert_true(got.checksum_ok);
	assert_true(rte_is_same_ether_addr(&got.eth_src, &rp_gateway_mac));
	assert_true(rte_is_same_ether_addr(&got.eth_dst, &asked->eth_src));
	assert_true(rp_addr_equal(&got.src, &asked->dst));
	assert_true(rp_addr_equal(&got.dst, &asked->src));
	assert_int_equal(got.ttl, RP_TTL_DEFAULT);
	assert_int_equal(got.ident, asked->ident);
	assert_int_equal(got.seq, asked->seq);
	assert_int_equal(rp_reader_left(&got.data), n);
	assert_memory_equal(got.data.pos, asked->data.pos, n);
}

static void assert_dropped(enum rp_drop why)
{
	assert_false(out.sent);
	assert_string_equal(rp_drop_name(out.drop), rp_drop_name(why));
	assert_int_equal(out.counters.answers[RP_ANSWER_echo_reply], 0);
}

static void every_size_up_to_the_mtu(enum rp_family family, int from, size_t max, size_t step)
{
	for (size_t n = 0; n <= max; n += step) {
		struct rp_echo e = ping(from, family, n);

		harness_send(from, frame, build(&e), &out);
		assert_answered(from, &e);
	}
	struct rp_echo e = ping(from, family, max);

	harness_send(from, frame, build(&e), &out);
	assert_answered(from, &e);
	e = ping(from, family, max + 1);
	harness_send(from, frame, build(&e), &out);
	assert_dropped(RP_DROP_too_big);
}

static void ip4_echo_up_to_the_mtu(void **)
{
	every_size_up_to_the_mtu(RP_IP4, BLUE1, 1472, 13);
	every_size_up_to_the_mtu(RP_IP4, RED1, 8972, 501);
}

static void ip6_echo_up_to_the_mtu(void **)
{
	every_size_up_to_the_mtu(RP_IP6, BLUE1, 1452, 13);
	every_size_up_to_the_mtu(RP_IP6, RED1, 8952, 501);
}

static void echo_over_chains(void **)
{
	for (int v6 = 0; v6 < 2; v6++) {
		for (size_t seg = 62; seg < 1500; seg += 97) {
			struct rp_echo e = ping(RED1, v6 ? RP_IP6 : RP_IP4, 3001);
			size_t len = build(&e);

			harness_send_chain(RED1, frame, len, seg, &out);
			assert_answered(RED1, &e);
			frame[len - 1] ^= 0x80; // in the last segment of the chain
			harness_send_chain(RED1, frame, len, seg, &out);
			assert_dropped(RP_DROP_l4_bad_checksum);
		}
	}
}

static void link_local_sources_and_the_host_are_answered(void **)
{
	struct rp_echo e = ping(BLUE2, RP_IP6, 56);

	e.src = harness_nic(BLUE2)->link_local;
	harness_send(BLUE2, frame, build(&e), &out);
	assert_answered(BLUE2, &e);
	e = ping(HOST_PORT, RP_IP4, 56);
	harness_send(HOST_PORT, frame, build(&e), &out);
	assert_answered(HOST_PORT, &e);
	e = ping(HOST_PORT, RP_IP6, 56);
	harness_send(HOST_PORT, frame, build(&e), &out);
	assert_answered(HOST_PORT, &e);
}

static void reply_is_these_bytes(void **)
{
	static const uint8_t want[] = {0x52, 0x54, 0x00, 0x00, 0x00, 0x01, 0x02, 0x00, 0x00,
				       0x00, 0x00, 0x01, 0x08, 0x00, 0x45, 0x00, 0x00, 0x1e,
				       0x00, 0x00, 0x40, 0x00, 0x40, 0x01, 0x86, 0xdf, 0xa9,
				       0xfe, 0x00, 0x01, 0x0a, 0x00, 0x00, 0x01, 0x00, 0x00,
				       0x3f, 0x05, 0xbe, 0xef, 0x00, 0x02, 0x02, 0x09};
	struct rp_echo e = ping(BLUE1, RP_IP4, 2);

	harness_send(BLUE1, frame, build(&e), &out);
	assert_int_equal(out.len, sizeof(want));
	assert_memory_equal(out.data, want, sizeof(want));
}

static void ip4_options_do_not_go_back(void **)
{
	struct rp_echo e = ping(BLUE1, RP_IP4, 100);
	size_t len = build(&e);
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(frame + 14);

	memmove(frame + 34 + 40, frame + 34, len - 34);
	memset(frame + 34, 1, 40);
	ip->version_ihl = 0x4f;
	ip->total_length = rte_cpu_to_be_16((uint16_t)(len - 14 + 40));
	ip->hdr_checksum = 0;
	ip->hdr_checksum = rp_checksum_ip4(ip);
	harness_send(BLUE1, frame, len + 40, &out);
	assert_answered(BLUE1, &e);
	assert_int_equal(out.len, len);
}

static void ip6_extension_headers_do_not_go_back(void **)
{
	static const uint8_t dst_options[8] = {IPPROTO_ICMPV6, 0, 1, 4};
	struct rp_echo e = ping(BLUE1, RP_IP6, 100);
	size_t len = build(&e);

	memmove(frame + 54 + 8, frame + 54, len - 54);
	memcpy(frame + 54, dst_options, sizeof(dst_options));
	frame[14 + 6] = IPPROTO_DSTOPTS;
	frame[14 + 5] += 8;
	harness_send(BLUE1, frame, len + 8, &out);
	assert_answered(BLUE1, &e);
	assert_int_equal(out.len, len);
}

static void padding_is_not_part_of_the_echo(void **)
{
	struct rp_echo e = ping(BLUE1, RP_IP4, 1);
	size_t len = build(&e);

	memset(frame + len, 0xaa, 60 - len);
	harness_send(BLUE1, frame, 60, &out);
	assert_answered(BLUE1, &e);
}

static void what_is_no_echo_request_is_dropped(void **)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct rp_echo e = ping(BLUE1, v6 ? RP_IP6 : RP_IP4, 32);
		size_t len = build(&e);
		size_t l4 = v6 ? 54 : 34;
		uint16_t sum;

		frame[len - 1] ^= 1;
		harness_send(BLUE1, frame, len, &out);
		assert_dropped(RP_DROP_l4_bad_checksum);
		frame[len - 1] ^= 1;
		frame[l4 + 1] = 1; // code
		memset(frame + l4 + 2, 0, 2);
		sum = rp_checksum_l4(&e.src, &e.dst, v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP, frame + l4,
				     len - l4);
		memcpy(frame + l4 + 2, &sum, sizeof(sum));
		harness_send(BLUE1, frame, len, &out);
		assert_dropped(RP_DROP_icmp_ignored);
	}
}

static void a_reply_is_not_answered(void **)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct rp_echo e = ping(BLUE1, v6 ? RP_IP6 : RP_IP4, 32);
		size_t len = build(&e);

		rp_icmp_echo_to_reply((struct rp_icmp_echo_hdr *)(frame + (v6 ? 54 : 34)),
				      e.src.family);
		harness_send(BLUE1, frame, len, &out);
		assert_dropped(RP_DROP_icmp_ignored);
	}
}

static void fragments_are_not_reassembled(void **)
{
	struct rp_echo e = ping(BLUE1, RP_IP4, 32);
	size_t len = build(&e);
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(frame + 14);

	ip->fragment_offset = RTE_BE16(RTE_IPV4_HDR_MF_FLAG);
	ip->hdr_checksum = 0;
	ip->hdr_checksum = rp_checksum_ip4(ip);
	harness_send(BLUE1, frame, len, &out);
	assert_dropped(RP_DROP_local_fragment);
}

static void truncated_echo(void **)
{
	struct rp_echo e = ping(BLUE1, RP_IP4, 0);
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(frame + 14);

	build(&e);
	for (uint16_t n = 0; n < 8; n++) {
		ip->total_length = rte_cpu_to_be_16((uint16_t)(20 + n));
		ip->hdr_checksum = 0;
		ip->hdr_checksum = rp_checksum_ip4(ip);
		harness_send(BLUE1, frame, 34u + n, &out);
		assert_dropped(RP_DROP_l4_malformed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ip4_echo_up_to_the_mtu),
		cmocka_unit_test(ip6_echo_up_to_the_mtu),
		cmocka_unit_test(echo_over_chains),
		cmocka_unit_test(link_local_sources_and_the_host_are_answered),
		cmocka_unit_test(reply_is_these_bytes),
		cmocka_unit_test(ip4_options_do_not_go_back),
		cmocka_unit_test(ip6_extension_headers_do_not_go_back),
		cmocka_unit_test(padding_is_not_part_of_the_echo),
		cmocka_unit_test(what_is_no_echo_request_is_dropped),
		cmocka_unit_test(a_reply_is_not_answered),
		cmocka_unit_test(fragments_are_not_reassembled),
		cmocka_unit_test(truncated_echo),
	};

	return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
