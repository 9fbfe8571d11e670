// SPDX-License-Identifier: BSD-3-Clause
#include "packet/icmp.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

// 10.0.0.5 pings 169.254.0.1 with "hello", id 0x1234, sequence 7; checksum by hand.
static const uint8_t request4[] = {0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x52, 0x54, 0x00, 0x12,
				   0x34, 0x01, 0x08, 0x00, 0x45, 0x00, 0x00, 0x21, 0x00, 0x00,
				   0x40, 0x00, 0x40, 0x01, 0x86, 0xd8, 0x0a, 0x00, 0x00, 0x05,
				   0xa9, 0xfe, 0x00, 0x01, 0x08, 0x00, 0xa1, 0xf2, 0x12, 0x34,
				   0x00, 0x07, 0x68, 0x65, 0x6c, 0x6c, 0x6f};

static struct rp_echo echo_to(const char *src, const char *dst, const void *data, size_t n)
{
	struct rp_echo e = {
		.eth_src = {{0x52, 0x54, 0x00, 0x12, 0x34, 0x01}},
		.eth_dst = rp_gateway_mac,
		.ttl = RP_TTL_DEFAULT,
		.ident = 0x1234,
		.seq = 7,
		.data = rp_reader(data, n),
	};

	assert_int_equal(rp_addr_parse(src, &e.src), 0);
	assert_int_equal(rp_addr_parse(dst, &e.dst), 0);
	return e;
}

static void request_is_the_known_bytes(void **)
{
	struct rp_echo e = echo_to("10.0.0.5", "169.254.0.1", "hello", 5);
	uint8_t buf[64];
	struct rp_writer w = rp_writer(buf, sizeof(buf));

	assert_true(rp_create_icmp_echo_request(&w, &e));
	assert_int_equal(rp_writer_len(&w), sizeof(request4));
	assert_memory_equal(buf, request4, sizeof(request4));
	w = rp_writer(buf, sizeof(request4) - 1);
	assert_false(rp_create_icmp_echo_request(&w, &e));
}

static void the_family_must_be_the_one_of_the_name(void **)
{
	struct rp_echo e = echo_to("10.0.0.5", "169.254.0.1", "hello", 5);
	uint8_t buf[128];
	struct rp_writer w = rp_writer(buf, sizeof(buf));

	assert_false(rp_create_icmpv6_echo_request(&w, &e));
	e = echo_to("fe80::5", "fe80::1", "hello", 5);
	assert_false(rp_create_icmp_echo_request(&w, &e));
	assert_int_equal(rp_writer_len(&w), 0);
}

typedef bool create_fn(struct rp_writer *, const struct rp_echo *);
typedef int parse_fn(const void *, size_t, struct rp_echo *);

// Turn each request into a reply in place and look at it with the client's eyes.
static void replies_of_every_size(const char *src, const char *dst, size_t l4, create_fn *create,
				  parse_fn *parse, parse_fn *parse_other)
{
	static uint8_t data[1500], buf[1600];
	struct rp_echo got;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 37);
	for (size_t n = 0; n <= 1452; n += 11) {
		struct rp_echo e = echo_to(src, dst, data, n);
		struct rp_writer w = rp_writer(buf, sizeof(buf));

		e.seq = (uint16_t)(n * 41);
		assert_true(create(&w, &e));
		assert_int_equal(parse(buf, rp_writer_len(&w), &got), -ENOMSG);
		rp_icmp_echo_to_reply((struct rp_icmp_echo_hdr *)(buf + l4), e.src.family);
		assert_int_equal(parse(buf, rp_writer_len(&w), &got), 0);
		assert_true(got.ip_checksum_ok && got.checksum_ok);
		assert_int_equal(got.ident, 0x1234);
		assert_int_equal(got.seq, e.seq);
		assert_int_equal(rp_reader_left(&got.data), n);
		assert_memory_equal(got.data.pos, data, n);
		assert_int_equal(parse_other(buf, rp_writer_len(&w), &got), -ENOMSG);
	}
}

static void reply_in_place_over_ip4(void **)
{
	replies_of_every_size("10.0.0.5", "169.254.0.1", 34, rp_create_icmp_echo_request,
			      rp_parse_icmp_echo_reply, rp_parse_icmpv6_echo_reply);
}

static void reply_in_place_over_ip6(void **)
{
	replies_of_every_size("fe80::5", "fe80::1", 54, rp_create_icmpv6_echo_request,
			      rp_parse_icmpv6_echo_reply, rp_parse_icmp_echo_reply);
}

// The one message whose words add up to zero, and one where they add up to all ones.
static void reply_of_zeros_has_a_right_checksum(void **)
{
	static const uint8_t zeros[64], ones[2] = {0xff, 0xff};
	struct rp_echo e = echo_to("10.0.0.5", "169.254.0.1", zeros, sizeof(zeros)), got;
	uint8_t buf[128];

	for (int i = 0; i < 2; i++) {
		struct rp_writer w = rp_writer(buf, sizeof(buf));

		e.ident = e.seq = 0;
		assert_true(rp_create_icmp_echo_request(&w, &e));
		rp_icmp_echo_to_reply((struct rp_icmp_echo_hdr *)(buf + 34), RP_IP4);
		assert_int_equal(rp_parse_icmp_echo_reply(buf, rp_writer_len(&w), &got), 0);
		assert_true(got.checksum_ok);
		e.data = rp_reader(ones, sizeof(ones));
	}
}

static void truncated_and_damaged_replies(void **)
{
	uint8_t buf[sizeof(request4)];
	struct rp_echo e;

	memcpy(buf, request4, sizeof(buf));
	rp_icmp_echo_to_reply((struct rp_icmp_echo_hdr *)(buf + 34), RP_IP4);
	for (size_t n = 0; n < sizeof(buf); n++)
		assert_int_equal(rp_parse_icmp_echo_reply(buf, n, &e), -EBADMSG);
	buf[sizeof(buf) - 1] ^= 1;
	assert_int_equal(rp_parse_icmp_echo_reply(buf, sizeof(buf), &e), 0);
	assert_false(e.checksum_ok);
	buf[35] = 3; // a code that echo does not have
	assert_int_equal(rp_parse_icmp_echo_reply(buf, sizeof(buf), &e), -ENOMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_is_the_known_bytes),
		cmocka_unit_test(the_family_must_be_the_one_of_the_name),
		cmocka_unit_test(reply_in_place_over_ip4),
		cmocka_unit_test(reply_in_place_over_ip6),
		cmocka_unit_test(reply_of_zeros_has_a_right_checksum),
		cmocka_unit_test(truncated_and_damaged_replies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
