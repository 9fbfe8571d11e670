// SPDX-License-Identifier: BSD-3-Clause
#include "packet/arp.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

// Who has 169.254.0.1? Tell 10.0.0.5, at 52:54:00:12:34:01.
static const uint8_t request[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x52, 0x54, 0x00, 0x12, 0x34,
				  0x01, 0x08, 0x06, 0x00, 0x01, 0x08, 0x00, 0x06, 0x04, 0x00, 0x01,
				  0x52, 0x54, 0x00, 0x12, 0x34, 0x01, 0x0a, 0x00, 0x00, 0x05, 0x00,
				  0x00, 0x00, 0x00, 0x00, 0x00, 0xa9, 0xfe, 0x00, 0x01};
// 169.254.0.1 is at 02:00:00:00:00:01.
static const uint8_t reply[] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x01, 0x02, 0x00, 0x00, 0x00, 0x00,
				0x01, 0x08, 0x06, 0x00, 0x01, 0x08, 0x00, 0x06, 0x04, 0x00, 0x02,
				0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0xa9, 0xfe, 0x00, 0x01, 0x52,
				0x54, 0x00, 0x12, 0x34, 0x01, 0x0a, 0x00, 0x00, 0x05};

static const struct rte_ether_addr mac = {{0x52, 0x54, 0x00, 0x12, 0x34, 0x01}};
static const struct rp_addr ip = {.family = RP_IP4, .bytes = {10, 0, 0, 5}};

static void request_is_the_known_bytes(void **)
{
	uint8_t buf[sizeof(request)];
	struct rp_writer w = rp_writer(buf, sizeof(buf));

	assert_true(rp_create_arp_request(&w, &mac, &ip, &rp_gateway_ip4));
	assert_int_equal(rp_writer_len(&w), sizeof(request));
	assert_memory_equal(buf, request, sizeof(request));
	w = rp_writer(buf, sizeof(buf) - 1);
	assert_false(rp_create_arp_request(&w, &mac, &ip, &rp_gateway_ip4));
}

static void request_parses_into_its_fields(void **)
{
	struct rp_arp arp;

	assert_int_equal(rp_arp_parse(request, sizeof(request), &arp), 0);
	assert_int_equal(arp.opcode, RTE_ARP_OP_REQUEST);
	assert_true(rte_is_broadcast_ether_addr(&arp.eth_dst));
	assert_true(rte_is_same_ether_addr(&arp.eth_src, &mac));
	assert_true(rte_is_same_ether_addr(&arp.sha, &mac));
	assert_true(rp_addr_equal(&arp.spa, &ip));
	assert_true(rte_is_zero_ether_addr(&arp.tha));
	assert_true(rp_addr_equal(&arp.tpa, &rp_gateway_ip4));
}

static void reply_is_written_and_read(void **)
{
	const struct rp_arp want = {
		.eth_src = rp_gateway_mac,
		.eth_dst = mac,
		.opcode = RTE_ARP_OP_REPLY,
		.sha = rp_gateway_mac,
		.spa = rp_gateway_ip4,
		.tha = mac,
		.tpa = ip,
	};
	uint8_t buf[64] = {0};
	struct rp_writer w = rp_writer(buf, sizeof(buf));
	struct rp_arp arp;

	assert_true(rp_arp_write(&w, &want));
	assert_int_equal(rp_writer_len(&w), sizeof(reply));
	assert_memory_equal(buf, reply, sizeof(reply));
	assert_int_equal(rp_parse_arp_reply(buf, sizeof(buf), &arp), 0); // with padding
	assert_true(rte_is_same_ether_addr(&arp.sha, &rp_gateway_mac));
	assert_true(rp_addr_equal(&arp.spa, &rp_gateway_ip4));
	assert_true(rte_is_same_ether_addr(&arp.tha, &mac));
	assert_true(rp_addr_equal(&arp.tpa, &ip));
	assert_int_equal(rp_parse_arp_reply(request, sizeof(request), &arp), -ENOMSG);
}

static void every_truncation_is_refused(void **)
{
	struct rp_arp arp;

	for (size_t n = 0; n < sizeof(request); n++)
		assert_int_equal(rp_arp_parse(request, n, &arp), -EBADMSG);
}

static void other_hardware_and_protocols_are_refused(void **)
{
	// ethertype, hardware type, protocol type, both address lengths
	static const size_t offsets[] = {13, 15, 17, 18, 19};
	uint8_t buf[sizeof(request)];
	struct rp_arp arp;

	for (size_t i = 0; i < RTE_DIM(offsets); i++) {
		memcpy(buf, request, sizeof(buf));
		buf[offsets[i]] ^= 0x20;
		assert_int_equal(rp_arp_parse(buf, sizeof(buf), &arp), -EPROTONOSUPPORT);
	}
}

static void announcement_is_told_from_request_and_probe(void **)
{
	const struct rp_addr none = {.family = RP_IP4};
	uint8_t buf[sizeof(request)];
	struct rp_writer w = rp_writer(buf, sizeof(buf));
	struct rp_arp arp;

	assert_int_equal(rp_arp_parse(request, sizeof(request), &arp), 0);
	assert_false(rp_arp_is_announcement(&arp));
	arp.tpa = arp.spa;
	assert_true(rp_arp_is_announcement(&arp));
	assert_true(rp_create_arp_request(&w, &mac, &none, &ip));
	assert_int_equal(rp_arp_parse(buf, sizeof(buf), &arp), 0);
	assert_false(rp_arp_is_announcement(&arp));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_is_the_known_bytes),
		cmocka_unit_test(request_parses_into_its_fields),
		cmocka_unit_test(reply_is_written_and_read),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(other_hardware_and_protocols_are_refused),
		cmocka_unit_test(announcement_is_told_from_request_and_probe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
