// SPDX-License-Identifier: BSD-3-Clause
#include "harness.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "packet/arp.h"

static struct outcome out;

static struct rp_addr addr(const char *text)
{
	struct rp_addr a;

	assert_int_equal(rp_addr_parse(text, &a), 0);
	return a;
}

// An ARP packet from a NIC (or the host) about itself, to be changed by the test.
static struct rp_arp question(int from, const char *target)
{
	struct rp_arp arp = {
		.eth_src = from == HOST_PORT ? harness_host_mac : harness_nic(from)->cfg.mac,
		.eth_dst = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
		.opcode = RTE_ARP_OP_REQUEST,
		.spa = from == HOST_PORT ? addr("169.254.0.2") : harness_nic(from)->cfg.ip4,
		.tpa = addr(target),
	};

	arp.sha = arp.eth_src;
	return arp;
}

static void send_arp(int from, const struct rp_arp *arp)
{
	uint8_t frame[64] = {0};
	struct rp_writer w = rp_writer(frame, sizeof(frame));

	assert_true(rp_arp_write(&w, arp));
	harness_send(from, frame, rp_writer_len(&w), &out);
	assert_int_equal(out.last, RP_STAGE_arp_reply);
}

static void assert_answered(int from, const struct rp_arp *asked)
{
	struct rp_arp got;

	assert_true(out.sent);
	assert_int_equal(out.port, from);
	assert_int_equal(out.len, 42);
	assert_int_equal(rp_parse_arp_reply(out.data, out.len, &got), 0);
	assert_true(rte_is_same_ether_addr(&got.eth_src, &rp_gateway_mac));
	assert_true(rte_is_same_ether_addr(&got.eth_dst, &asked->sha));
	assert_true(rte_is_same_ether_addr(&got.sha, &rp_gateway_mac));
	assert_true(rp_addr_equal(&got.spa, &asked->tpa));
	assert_true(rte_is_same_ether_addr(&got.tha, &asked->sha));
	assert_true(rp_addr_equal(&got.tpa, &asked->spa));
	assert_int_equal(out.counters.answers[RP_ANSWER_arp_reply], 1);
}

static void assert_dropped(enum rp_drop why)
{
	assert_false(out.sent);
	assert_string_equal(rp_drop_name(out.drop), rp_drop_name(why));
	assert_int_equal(out.counters.answers[RP_ANSWER_arp_reply], 0);
}

static void who_has_the_gateway_is_answered(void **)
{
	static const int nics[] = {BLUE1, RED2, FOUR1};

	for (size_t i = 0; i < RTE_DIM(nics); i++) {
		struct rp_arp arp = question(nics[i], "169.254.0.1");

		send_arp(nics[i], &arp);
		assert_answered(nics[i], &arp);
		arp.eth_dst = rp_gateway_mac; // the kernel asks again by unicast
		send_arp(nics[i], &arp);
		assert_answered(nics[i], &arp);
	}
}

static void reply_is_these_bytes(void **)
{
	static const uint8_t want[] = {
		0x52, 0x54, 0x00, 0x00, 0x00, 0x01, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x08, 0x06,
		0x00, 0x01, 0x08, 0x00, 0x06, 0x04, 0x00, 0x02, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01,
		0xa9, 0xfe, 0x00, 0x01, 0x52, 0x54, 0x00, 0x00, 0x00, 0x01, 0x0a, 0x00, 0x00, 0x01};
	struct rp_arp arp = question(BLUE1, "169.254.0.1");

	send_arp(BLUE1, &arp);
	assert_int_equal(out.len, sizeof(want));
	assert_memory_equal(out.data, want, sizeof(want));
}

static void a_probe_for_the_gateway_is_answered(void **)
{
	struct rp_arp arp = question(BLUE1, "169.254.0.1");

	arp.spa = addr("0.0.0.0");
	send_arp(BLUE1, &arp);
	assert_answered(BLUE1, &arp);
}

static void no_proxy_arp(void **)
{
	static const char *const targets[] = {"10.0.0.2", "10.0.0.254", "169.254.0.2",
					      "192.168.7.1", "10.4.0.1"};

	for (size_t i = 0; i < RTE_DIM(targets); i++) {
		struct rp_arp arp = question(BLUE1, targets[i]);

		send_arp(BLUE1, &arp);
		assert_dropped(RP_DROP_arp_ignored);
	}
}

static void probes_for_the_own_address_get_no_answer(void **)
{
	struct rp_arp arp = question(BLUE1, "10.0.0.1");

	arp.spa = addr("0.0.0.0");
	send_arp(BLUE1, &arp);
	assert_dropped(RP_DROP_arp_ignored);
}

static void foreign_senders_are_dropped(void **)
{
	struct rp_arp arp = question(BLUE1, "169.254.0.1");

	arp.spa = addr("10.0.0.2");
	send_arp(BLUE1, &arp);
	assert_dropped(RP_DROP_arp_spoofed);
	arp.spa = addr("169.254.0.1");
	send_arp(BLUE1, &arp);
	assert_dropped(RP_DROP_arp_spoofed);
	arp = question(BLUE1, "169.254.0.1");
	arp.sha.addr_bytes[5] = 2;
	send_arp(BLUE1, &arp);
	assert_dropped(RP_DROP_arp_spoofed);
	// A NIC without IPv4 has no sender address but 0.0.0.0.
	arp = question(SIX1, "169.254.0.1");
	arp.spa = addr("10.0.0.1");
	send_arp(SIX1, &arp);
	assert_dropped(RP_DROP_arp_spoofed);
}

static void a_sender_in_a_routed_prefix_is_the_nics_own(void **)
{
	struct rp_arp arp = question(BLUE1, "169.254.0.1");

	arp.spa = addr("192.168.7.5");
	send_arp(BLUE1, &arp);
	assert_answered(BLUE1, &arp);
	arp = question(BLUE2, "169.254.0.1");
	arp.spa = addr("192.168.7.5");
	send_arp(BLUE2, &arp);
	assert_dropped(RP_DROP_arp_spoofed);
}

static void host_may_use_any_address_but_ours(void **)
{
	struct rp_arp arp = question(HOST_PORT, "10.0.0.1");

	arp.spa = addr("192.0.2.7"); // of another interface
	send_arp(HOST_PORT, &arp);
	assert_answered(HOST_PORT, &arp);
	arp.spa = addr("10.0.0.2");
	send_arp(HOST_PORT, &arp);
	assert_dropped(RP_DROP_arp_spoofed);
	arp.spa = addr("169.254.0.1");
	send_arp(HOST_PORT, &arp);
	assert_dropped(RP_DROP_arp_spoofed);
}

static void gratuitous_arp_and_replies_teach_nobody(void **)
{
	struct rp_arp arp = question(BLUE1, "10.0.0.1");

	send_arp(BLUE1, &arp);
	assert_dropped(RP_DROP_arp_gratuitous);
	arp.opcode = RTE_ARP_OP_REPLY;
	send_arp(BLUE1, &arp);
	assert_dropped(RP_DROP_arp_gratuitous);
	arp.tpa = addr("169.254.0.1");
	send_arp(BLUE1, &arp);
	assert_dropped(RP_DROP_arp_ignored);
	arp.opcode = RTE_ARP_OP_REVREQUEST;
	send_arp(BLUE1, &arp);
	assert_dropped(RP_DROP_arp_ignored);
}

static void host_asks_for_public_nics(void **)
{
	static const char *const answered[] = {"169.254.0.1", "10.0.0.1", "10.0.0.2",
					       "192.168.7.9"};
	static const char *const ignored[] = {"10.4.0.1", "10.0.0.200", "169.254.0.2"};
	struct rp_arp arp;

	for (size_t i = 0; i < RTE_DIM(answered); i++) {
		arp = question(HOST_PORT, answered[i]);
		send_arp(HOST_PORT, &arp);
		assert_answered(HOST_PORT, &arp);
	}
	for (size_t i = 0; i < RTE_DIM(ignored); i++) {
		arp = question(HOST_PORT, ignored[i]);
		send_arp(HOST_PORT, &arp);
		assert_false(out.sent);
	}
}

static void malformed_arp_is_dropped_at_any_length(void **)
{
	struct rp_arp arp = question(BLUE1, "169.254.0.1");
	uint8_t frame[42];
	struct rp_writer w = rp_writer(frame, sizeof(frame));

	assert_true(rp_arp_write(&w, &arp));
	for (size_t n = 14; n < sizeof(frame); n++) {
		harness_send(BLUE1, frame, n, &out);
		assert_dropped(RP_DROP_arp_malformed);
	}
	for (size_t at = 14; at < 20; at++) {
		frame[at] ^= 0x40;
		harness_send(BLUE1, frame, sizeof(frame), &out);
		assert_dropped(RP_DROP_arp_malformed);
		frame[at] ^= 0x40;
	}
	harness_send_chain(BLUE1, frame, sizeof(frame), 10, &out);
	assert_answered(BLUE1, &arp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_has_the_gateway_is_answered),
		cmocka_unit_test(reply_is_these_bytes),
		cmocka_unit_test(a_probe_for_the_gateway_is_answered),
		cmocka_unit_test(no_proxy_arp),
		cmocka_unit_test(probes_for_the_own_address_get_no_answer),
		cmocka_unit_test(foreign_senders_are_dropped),
		cmocka_unit_test(a_sender_in_a_routed_prefix_is_the_nics_own),
		cmocka_unit_test(host_may_use_any_address_but_ours),
		cmocka_unit_test(gratuitous_arp_and_replies_teach_nobody),
		cmocka_unit_test(host_asks_for_public_nics),
		cmocka_unit_test(malformed_arp_is_dropped_at_any_length),
	};

	return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
