// SPDX-License-Identifier: BSD-3-Clause
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "packet/arp.h"
#include "packet/nd.h"
#include "rig.h"

/*
 * From VM to VM through the daemon: both families, routed prefixes, networks that share a subnet,
 * port security, and every shape of ring that a guest may choose.
 */

static const char init[] =
	"network create blue ipv4 10.0.0.0/24 ipv6 fd00:1::/64 mtu 9000\n"
	"network create red ipv4 10.0.0.0/24 ipv6 fd00:1::/64\n"
	"nic create blue1 network blue mac 52:54:00:00:00:01 ipv4 10.0.0.1 ipv6 fd00:1::1 "
	"prefix 192.168.7.0/24 prefix fd00:7::/64 queues 4\n"
	"nic create blue2 network blue mac 52:54:00:00:00:02 ipv4 10.0.0.2 ipv6 fd00:1::2 queues "
	"4\n"
	"nic create red1 network red mac 52:54:00:00:01:01 ipv4 10.0.0.1 ipv6 fd00:1::1\n"
	"nic create red2 network red mac 52:54:00:00:01:02 ipv4 10.0.0.2 ipv6 fd00:1::2\n";

static struct rig *rig;
static struct rig_vm blue1, blue2, red1, red2;
static uint8_t buf[9200];

static int setup(void **)
{
	rig = rig_start(init, NULL);
	rig_vm_init(rig, &blue1, "blue1", "52:54:00:00:00:01", "10.0.0.1", "fd00:1::1");
	rig_vm_init(rig, &blue2, "blue2", "52:54:00:00:00:02", "10.0.0.2", "fd00:1::2");
	rig_vm_init(rig, &red1, "red1", "52:54:00:00:01:01", "10.0.0.1", "fd00:1::1");
	rig_vm_init(rig, &red2, "red2", "52:54:00:00:01:02", "10.0.0.2", "fd00:1::2");
	blue1.cfg.mtu = 9000;
	blue2.cfg.mtu = 9000;
	rig_vm_connect(&blue1);
	rig_vm_connect(&blue2);
	rig_vm_connect(&red1);
	rig_vm_connect(&red2);
	return 0;
}

static void send_udp(struct rig_vm *from, const struct rp_addr *dst, uint8_t ttl, size_t len,
		     uint8_t tag)
{
	rig_send(from, buf, rig_udp(buf, sizeof(buf), from, dst, ttl, len, tag));
}

static struct rp_addr addr(const char *text)
{
	struct rp_addr a;

	assert_int_equal(rp_addr_parse(text, &a), 0);
	return a;
}

static void both_families_both_ways(void **)
{
	static const size_t sizes[] = {18, 19, 64, 1400, 1472};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		send_udp(&blue1, &blue2.ip4, 64, sizes[i], 1);
		rig_assert_arrives(&blue2, sizes[i], 1, 63);
		send_udp(&blue2, &blue1.ip4, 2, sizes[i], 2);
		rig_assert_arrives(&blue1, sizes[i], 2, 1);
		send_udp(&blue1, &blue2.ip6, 64, sizes[i], 3);
		rig_assert_arrives(&blue2, sizes[i], 3, 63);
		send_udp(&blue2, &blue1.ip6, 255, sizes[i], 4);
		rig_assert_arrives(&blue1, sizes[i], 4, 254);
	}
}

static void jumbo_frames(void **)
{
	send_udp(&blue1, &blue2.ip4, 64, 8972, 5);
	rig_assert_arrives(&blue2, 8972, 5, 63);
	send_udp(&blue2, &blue1.ip6, 64, 8952, 6);
	rig_assert_arrives(&blue1, 8952, 6, 63);
}

static void routed_prefixes(void **)
{
	struct rp_addr behind4 = addr("192.168.7.9"), behind6 = addr("fd00:7::9");
	struct rig_vm *from = &blue1;
	struct rp_addr own = from->ip4;

	send_udp(&blue2, &behind4, 64, 50, 7);
	rig_assert_arrives(&blue1, 50, 7, 63);
	send_udp(&blue2, &behind6, 64, 50, 8);
	rig_assert_arrives(&blue1, 50, 8, 63);
	from->ip4 = behind4;
	send_udp(from, &blue2.ip4, 64, 50, 9);
	from->ip4 = own;
	rig_assert_arrives(&blue2, 50, 9, 63);
}

static void networks_with_one_subnet_are_isolated(void **)
{
	send_udp(&blue1, &blue2.ip4, 64, 40, 20);
	send_udp(&red1, &red2.ip4, 64, 40, 30);
	rig_assert_arrives(&blue2, 40, 20, 63);
	rig_assert_arrives(&red2, 40, 30, 63);
	// What blue1 sent to 10.0.0.2 is not on its way to red2 as well.
	send_udp(&blue1, &blue2.ip4, 64, 32, 21);
	rig_assert_arrives(&blue2, 32, 21, 63);
	rig_assert_blocked(&red2, &red1, 21);
}

struct icmp_wanted {
	uint8_t proto, type, code;
};

static bool is_icmp(const uint8_t *frame, size_t len, void *arg)
{
	const struct icmp_wanted *want = arg;
	struct rp_frame f;

	return rp_frame_parse(frame, len, &f) == 0 && f.proto == want->proto &&
	       rp_reader_left(&f.l4) > 8 && f.l4.pos[0] == want->type &&
	       f.l4.pos[1] == want->code && f.ip_checksum_ok && f.l4_checksum_ok;
}

static void errors_come_back(void **)
{
	struct icmp_wanted expired = {IPPROTO_ICMP, ICMP_TIME_EXCEEDED, 0};
	struct icmp_wanted expired6 = {IPPROTO_ICMPV6, ICMP6_TIME_EXCEEDED, 0};
	struct icmp_wanted host = {IPPROTO_ICMP, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH};
	struct icmp_wanted net6 = {IPPROTO_ICMPV6, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_NOROUTE};
	struct icmp_wanted frag = {IPPROTO_ICMP, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED};
	struct rp_addr nobody = addr("10.0.0.77"), elsewhere = addr("2001:db8::1");

	send_udp(&blue1, &blue2.ip4, 1, 40, 1);
	assert_true(rig_wait(&blue1, is_icmp, &expired, RIG_WAIT_MS));
	send_udp(&blue1, &blue2.ip6, 1, 40, 1);
	assert_true(rig_wait(&blue1, is_icmp, &expired6, RIG_WAIT_MS));
	send_udp(&blue1, &nobody, 64, 40, 1);
	assert_true(rig_wait(&blue1, is_icmp, &host, RIG_WAIT_MS));
	send_udp(&blue1, &elsewhere, 64, 40, 1);
	assert_true(rig_wait(&blue1, is_icmp, &net6, RIG_WAIT_MS));
	// red has an MTU of 1500
	send_udp(&red1, &red2.ip4, 64, 1473, 1);
	assert_true(rig_wait(&red1, is_icmp, &frag, RIG_WAIT_MS));
}

// Sends blue1's frame with a part of it changed, which must not arrive and be counted as reason.
static void assert_refused(size_t len, const char *reason)
{
	uint64_t before = rig_drops(rig, "blue1", reason);

	rig_send(&blue1, buf, len);
	rig_assert_blocked(&blue2, &blue1, 77);
	assert_int_equal(rig_drops(rig, "blue1", reason), before + 1);
}

static void spoofed_sources_are_refused_by_name(void **)
{
	struct rig_vm fake = blue1;
	struct rp_writer w;

	fake.mac.addr_bytes[5] ^= 0x40;
	assert_refused(rig_udp(buf, sizeof(buf), &fake, &blue2.ip4, 64, 32, 77), "spoofed_mac");
	fake = blue1;
	fake.ip4 = addr("10.0.0.9");
	assert_refused(rig_udp(buf, sizeof(buf), &fake, &blue2.ip4, 64, 32, 77), "spoofed_ip");
	fake.ip4 = blue2.ip4;
	assert_refused(rig_udp(buf, sizeof(buf), &fake, &blue2.ip4, 64, 32, 77), "spoofed_ip");
	fake.ip6 = addr("fd00:1::9");
	assert_refused(rig_udp(buf, sizeof(buf), &fake, &blue2.ip6, 64, 32, 77), "spoofed_ip");
	fake.ip6 = addr("fe80::5054:ff:fe00:2");
	assert_refused(rig_udp(buf, sizeof(buf), &fake, &blue2.ip6, 64, 32, 77), "spoofed_ip");

	w = rp_writer(buf, sizeof(buf));
	fake.ip4 = addr("10.0.0.9");
	assert_true(rp_create_arp_request(&w, &blue1.mac, &fake.ip4, &rp_gateway_ip4));
	assert_refused(rp_writer_len(&w), "arp_spoofed");
	w = rp_writer(buf, sizeof(buf));
	fake.link_local = addr("fe80::5054:ff:fe00:2");
	assert_true(
		rp_create_neighbor_solicitation(&w, &blue1.mac, &fake.link_local, &rp_gateway_ip6));
	assert_refused(rp_writer_len(&w), "spoofed_ip");
}

static void group_and_link_local_destinations_stay(void **)
{
	struct rp_addr multicast = addr("224.0.0.251"), broadcast = addr("10.0.0.255"),
		       link_local = addr("169.254.9.9"), multicast6 = addr("ff02::fb");

	assert_refused(rig_udp(buf, sizeof(buf), &blue1, &multicast, 64, 32, 77), "multicast");
	assert_refused(rig_udp(buf, sizeof(buf), &blue1, &broadcast, 64, 32, 77), "multicast");
	assert_refused(rig_udp(buf, sizeof(buf), &blue1, &multicast6, 64, 32, 77), "multicast");
	assert_refused(rig_udp(buf, sizeof(buf), &blue1, &link_local, 64, 32, 77), "link_local");
	assert_refused(rig_udp(buf, sizeof(buf), &blue1, &blue1.ip4, 64, 32, 77), "own_address");
}

#define BIT(name) RP_VIRTIO_BIT(name)
#define BASE	  (BIT(VERSION_1) | BIT(VHOST_PROTOCOL_FEATURES) | BIT(NET_MQ) | BIT(NET_CTRL_VQ))

static void exchange(void)
{
	for (uint8_t tag = 100; tag < 140; tag++) {
		size_t len = tag % 4 == 0 ? 8900 : 18u + tag * 7u;

		send_udp(&blue1, tag % 2 ? &blue2.ip4 : &blue2.ip6, 64, len, tag);
		rig_assert_arrives(&blue2, len, tag, 63);
		send_udp(&blue2, tag % 2 ? &blue1.ip4 : &blue1.ip6, 64, len, tag);
		rig_assert_arrives(&blue1, len, tag, 63);
	}
}

static void reconnect_with(const struct rp_frontend_config *cfg)
{
	struct rig_vm *vms[] = {&blue1, &blue2};

	for (int i = 0; i < 2; i++) {
		rig_vm_free(vms[i]);
		vms[i]->cfg = *cfg;
		vms[i]->cfg.mtu = 9000;
		rig_vm_connect(vms[i]);
	}
}

static void every_shape_of_ring(void **)
{
	static const struct rp_frontend_config shapes[] = {
		{.features = BASE},
		{.features = BASE | BIT(NET_MRG_RXBUF)},
		{.features = BASE | BIT(NET_MRG_RXBUF) | BIT(EVENT_IDX), .base = 65530},
		{.features = BASE | BIT(INDIRECT_DESC), .always_indirect = true, .tx_segment = 500},
		{.features = BASE | BIT(RING_PACKED)},
		{.features = BASE | BIT(RING_PACKED) | BIT(NET_MRG_RXBUF) | BIT(EVENT_IDX)},
		{.features = BASE | BIT(RING_PACKED) | BIT(INDIRECT_DESC) | BIT(NET_MRG_RXBUF),
		 .always_indirect = true,
		 .ring_size = 1024},
		{.features = BASE | BIT(NET_MRG_RXBUF), .ring_size = 1024, .memory_regions = 4},
		{.features = BASE | BIT(NET_MRG_RXBUF), .queue_pairs = 4, .enabled_pairs = 4},
		{.features = BASE | BIT(NET_MRG_RXBUF), .queue_pairs = 4, .enabled_pairs = 1},
		{.features = BASE | BIT(NET_MRG_RXBUF), .queue_pairs = 2},
	};

	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		struct rp_frontend_config cfg = shapes[i];

		print_message("shape %zu\n", i);
		cfg.required_features = cfg.features & (BIT(RING_PACKED) | BIT(NET_MRG_RXBUF));
		reconnect_with(&cfg);
		exchange();
	}
}

static void each_queue_pair_carries_packets(void **)
{
	reconnect_with(&(struct rp_frontend_config){.features = BASE | BIT(NET_MRG_RXBUF),
						    .queue_pairs = 4});
	for (unsigned int pair = 0; pair < 4; pair++) {
		size_t n = rig_udp(buf, sizeof(buf), &blue1, &blue2.ip4, 64, 60, (uint8_t)pair);

		assert_int_equal(rp_frontend_send_packet_on(blue1.fe, pair, NULL, buf, n), 0);
		rig_assert_arrives(&blue2, 60, (uint8_t)pair, 63);
	}
}

// Until the daemon's main loop has heard of it, a worker sends to a queue that was just turned off.
static void wait_for_queues(const char *nic, unsigned int pairs)
{
	uint64_t deadline = rp_clock_ms() + RIG_WAIT_MS;
	char command[64], wanted[64];
	bool there = false;

	snprintf(command, sizeof(command), "show nic %s", nic);
	snprintf(wanted, sizeof(wanted), "queues to the VM: 0x%x\n", (1u << pairs) - 1);
	while (!there && rp_clock_ms() < deadline) {
		char *said = rig_command(rig, command);

		there = strstr(said, wanted) != NULL;
		free(said);
	}
	assert_true(there);
}

// A guest that turns queues off while it runs: packets go to those that are left.
static void queues_turned_off_and_on_again(void **)
{
	struct rp_error err;

	for (int round = 0; round < 5; round++)
		for (unsigned int left = 4; left >= 1; left--) {
			for (unsigned int pair = 1; pair < 4; pair++)
				assert_int_equal(
					rp_frontend_enable_pair(blue2.fe, pair, pair < left, &err),
					0);
			wait_for_queues("blue2", left);
			for (unsigned int pair = 0; pair < 4; pair++) {
				size_t n = rig_udp(buf, sizeof(buf), &blue1, &blue2.ip4, 64, 60,
						   (uint8_t)pair);

				assert_int_equal(
					rp_frontend_send_packet_on(blue1.fe, pair, NULL, buf, n),
					0);
				rig_assert_arrives(&blue2, 60, (uint8_t)pair, 63);
			}
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_families_both_ways),
		cmocka_unit_test(jumbo_frames),
		cmocka_unit_test(routed_prefixes),
		cmocka_unit_test(networks_with_one_subnet_are_isolated),
		cmocka_unit_test(errors_come_back),
		cmocka_unit_test(spoofed_sources_are_refused_by_name),
		cmocka_unit_test(group_and_link_local_destinations_stay),
		cmocka_unit_test(every_shape_of_ring),
		cmocka_unit_test(each_queue_pair_carries_packets),
		cmocka_unit_test(queues_turned_off_and_on_again),
	};
	int failed = cmocka_run_group_tests(tests, setup, NULL);

	rig_vm_free(&blue1);
	rig_vm_free(&blue2);
	rig_vm_free(&red1);
	rig_vm_free(&red2);
	rig_stop(rig, failed == 0);
	return failed;
}
