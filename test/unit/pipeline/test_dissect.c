// SPDX-License-Identifier: BSD-3-Clause
#include "harness.h"

#include <netinet/icmp6.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "packet/arp.h"
#include "packet/dhcp4.h"
#include "packet/dhcp6.h"
#include "packet/icmp.h"
#include "packet/nd.h"

/*
 * Somebody else's opinion: questions of every kind and ringplane's answers go into a capture file,
 * and tshark must find nothing malformed in it, no error and no wrong checksum.
 */

#define SKIPPED 77 // what the test runner takes for "not run"

static struct outcome out;
static uint8_t frame[RP_FRAME_MAX];
static char path[] = "/tmp/ringplane-dissect-XXXXXX";
static FILE *pcap;
static unsigned int frames;

static void open_capture(void)
{
	const struct {
		uint32_t magic;
		uint16_t major, minor;
		uint32_t zone, accuracy, snaplen, link;
	} header = {0xa1b2c3d4, 2, 4, 0, 0, RP_FRAME_MAX, 1};
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	pcap = fdopen(fd, "w");
	assert_non_null(pcap);
	assert_int_equal(fwrite(&header, sizeof(header), 1, pcap), 1);
}

static void capture(const void *data, uint32_t len)
{
	const uint32_t header[4] = {frames++, 0, len, len};

	assert_int_equal(fwrite(header, sizeof(header), 1, pcap), 1);
	assert_int_equal(fwrite(data, len, 1, pcap), 1);
}

// Ask and capture both sides; the question must be answered.
static void ask(int from, const struct rp_writer *w)
{
	uint32_t len = (uint32_t)rp_writer_len(w);

	capture(frame, len);
	harness_refill();
	harness_send(from, frame, len, &out);
	assert_true(out.sent);
	assert_int_equal(out.port, from);
	capture(out.data, out.len);
}

static void ask_arp(int nic)
{
	struct rp_writer w = rp_writer(frame, sizeof(frame));

	assert_true(rp_create_arp_request(&w, &harness_nic(nic)->cfg.mac,
					  &harness_nic(nic)->cfg.ip4, &rp_gateway_ip4));
	ask(nic, &w);
}

static void ask_echo(int nic, const struct rp_addr *src, size_t n)
{
	static uint8_t data[RP_MTU_MAX];
	struct rp_writer w = rp_writer(frame, sizeof(frame));
	const struct rp_echo e = {
		.eth_src = harness_nic(nic)->cfg.mac,
		.eth_dst = rp_gateway_mac,
		.src = *src,
		.dst = src->family == RP_IP4 ? rp_gateway_ip4 : rp_gateway_ip6,
		.ttl = 64,
		.seq = (uint16_t)n,
		.data = rp_reader(data, n),
	};

	assert_true(src->family == RP_IP4 ? rp_create_icmp_echo_request(&w, &e)
					  : rp_create_icmpv6_echo_request(&w, &e));
	ask(nic, &w);
}

static void ask_dhcp4(int nic, const struct rp_dhcp4_client *c)
{
	struct rp_writer w = rp_writer(frame, sizeof(frame));

	assert_true(rp_create_dhcp_discover(&w, c));
	ask(nic, &w);
	for (int state = RP_DHCP4_SELECTING; state <= RP_DHCP4_REBINDING; state++) {
		w = rp_writer(frame, sizeof(frame));
		assert_true(rp_create_dhcp_request(&w, c, (enum rp_dhcp4_state)state));
		ask(nic, &w);
	}
}

static void ask_dhcp4_of_all_kinds(int nic)
{
	static const uint8_t asked[] = {1, 3, 6, 12, 15, 26, 28, 42, 51, 54, 58, 59, 119, 121};
	static const uint8_t relay[] = {1, 4, 'p', 'o', 'r', 't', 2, 2, 'i', 'd'};
	static const uint8_t long_id[200] = {0};
	struct rp_writer w = rp_writer(frame, sizeof(frame));
	struct rp_dhcp4_client c = {
		.mac = harness_nic(nic)->cfg.mac,
		.xid = 1,
		.address = harness_nic(nic)->cfg.ip4,
		.server = rp_gateway_ip4,
	};

	ask_dhcp4(nic, &c);
	assert_true(rp_create_dhcp_inform(&w, &c));
	ask(nic, &w);
	c.address.bytes[3] ^= 0x40; // every REQUEST is refused
	ask_dhcp4(nic, &c);
	c.address = harness_nic(nic)->cfg.ip4;
	c.broadcast = c.rapid_commit = true;
	c.parameters = rp_reader(asked, sizeof(asked));
	c.max_size = 1500;
	c.relay_info = rp_reader(relay, sizeof(relay));
	ask_dhcp4(nic, &c);
	c.max_size = 0;
	c.client_id = rp_reader(long_id, sizeof(long_id)); // overloads file and sname
	ask_dhcp4(nic, &c);
}

static void ask_nd(int nic)
{
	static const struct rp_addr unspecified = {.family = RP_IP6};
	const struct rp_addr *src[] = {&harness_nic(nic)->link_local, &unspecified};

	for (size_t i = 0; i < RTE_DIM(src); i++) {
		struct rp_writer w = rp_writer(frame, sizeof(frame));

		assert_true(rp_create_router_solicitation(&w, &harness_nic(nic)->cfg.mac, src[i]));
		ask(nic, &w);
		w = rp_writer(frame, sizeof(frame));
		assert_true(rp_create_neighbor_solicitation(&w, &harness_nic(nic)->cfg.mac, src[i],
							    &rp_gateway_ip6));
		ask(nic, &w);
	}
}

static void ask_dhcp6(int nic)
{
	static const enum rp_dhcp6_type types[] = {RP_DHCP6_REQUEST,
						   RP_DHCP6_CONFIRM,
						   RP_DHCP6_RENEW,
						   RP_DHCP6_REBIND,
						   RP_DHCP6_RELEASE,
						   RP_DHCP6_DECLINE,
						   RP_DHCP6_INFORMATION_REQUEST};
	static struct rp_dhcpv6_response offer, answer;
	struct rp_dhcpv6_client c = {.mac = harness_nic(nic)->cfg.mac, .xid = 7, .iaid = 9};
	struct rp_writer w = rp_writer(frame, sizeof(frame));

	assert_true(rp_create_dhcpv6_solicit(&w, &c));
	ask(nic, &w);
	assert_int_equal(rp_parse_dhcpv6_response(out.data, out.len, &offer), 0);
	for (size_t i = 0; i < RTE_DIM(types); i++) {
		w = rp_writer(frame, sizeof(frame));
		assert_true(rp_create_dhcpv6_request(&w, &c, types[i], &offer.msg));
		ask(nic, &w);
		assert_int_equal(rp_parse_dhcpv6_response(out.data, out.len, &answer), 0);
	}
	c.rapid_commit = true;
	w = rp_writer(frame, sizeof(frame));
	assert_true(rp_create_dhcpv6_solicit(&w, &c));
	ask(nic, &w);
}

// Time exceeded, unreachable, port unreachable; and too big, from the host.
static void provoke_errors(int from, const struct rp_addr *src, const char *dst, uint8_t ttl,
			   size_t n)
{
	struct rp_writer w = rp_writer(frame, sizeof(frame));
	struct rp_frame_head head = {
		.eth_src = from == HOST_PORT ? harness_host_mac : harness_nic(from)->cfg.mac,
		.eth_dst = rp_gateway_mac,
		.src = *src,
		.ttl = ttl,
		.proto = IPPROTO_UDP,
		.src_port = 40000,
		.dst_port = 40001,
	};
	struct rp_frame_builder b;

	assert_int_equal(rp_addr_parse(dst, &head.dst), 0);
	rp_frame_begin(&b, &w, &head);
	rp_write_zero(&w, n);
	assert_true(rp_frame_end(&b));
	ask(from, &w);
}

static void ask_everything(void)
{
	const struct rp_nic_view *blue1 = harness_nic(BLUE1);
	const struct rp_host_view *host = &harness_worker()->view->host;

	ask_arp(BLUE1);
	ask_dhcp4_of_all_kinds(BLUE1);
	ask_dhcp4_of_all_kinds(RED1);
	for (size_t n = 0; n <= 1452; n += 121) {
		ask_echo(BLUE1, &blue1->cfg.ip4, n);
		ask_echo(BLUE1, &blue1->cfg.ip6, n);
	}
	ask_echo(RED1, &harness_nic(RED1)->cfg.ip4, 8972);
	ask_echo(RED1, &harness_nic(RED1)->cfg.ip6, 8952);
	ask_nd(BLUE1);
	ask_nd(SIX1);
	ask_dhcp6(BLUE1);
	ask_dhcp6(RED1);
	provoke_errors(BLUE1, &blue1->cfg.ip4, "10.0.0.2", 1, 100);
	provoke_errors(BLUE1, &blue1->cfg.ip6, "fd00:0:0:1::2", 1, 100);
	provoke_errors(RED1, &harness_nic(RED1)->cfg.ip4, "10.9.0.2", 64, 2000);
	provoke_errors(RED1, &harness_nic(RED1)->cfg.ip6, "fd99::2", 64, 2000);
	provoke_errors(BLUE1, &blue1->cfg.ip4, "169.254.0.1", 64, 100);
	provoke_errors(BLUE1, &blue1->cfg.ip6, "fe80::1", 64, 100);
	provoke_errors(HOST_PORT, &host->ip4, "10.0.0.2", 64, 2000);
	provoke_errors(HOST_PORT, &host->ip6, "fd00:0:0:1::2", 64, 2000);
}

#define BAD                                                                                        \
	"_ws.malformed || _ws.short || _ws.expert.severity == \"Error\""                           \
	" || ip.checksum.status == \"Bad\" || udp.checksum.status == \"Bad\""                      \
	" || icmp.checksum.status == \"Bad\" || icmpv6.checksum.status == \"Bad\""

// Lines that tshark prints for the frames of the capture that a display filter selects.
static unsigned int dissect(const char *filter, bool show)
{
	char command[1024], line[1024];
	unsigned int n = 0;
	FILE *f;

	snprintf(command, sizeof(command),
		 "tshark -r %s -o ip.check_checksum:TRUE -o udp.check_checksum:TRUE -Y '%s' 2>%s",
		 path, filter, show ? "&1" : "/dev/null");
	f = popen(command, "r");
	assert_non_null(f);
	for (; fgets(line, sizeof(line), f) != NULL; n++) {
		if (show)
			print_error("%s", line);
	}
	assert_int_equal(pclose(f), 0);
	return n;
}

static void tshark_finds_nothing_wrong(void **)
{
	static const uint8_t broken[60] = {[12] = 0x08, [14] = 0x45, [17] = 0x40};

	open_capture();
	ask_everything();
	// One frame that is wrong, to see that it looks.
	capture(broken, sizeof(broken));
	assert_int_equal(fclose(pcap), 0);
	if (dissect("!(" BAD ")", false) != frames - 1) {
		dissect(BAD, true);
		fail_msg("tshark found something wrong in %s", path);
	}
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tshark_finds_nothing_wrong),
	};

	if (system("tshark --version >/dev/null 2>&1") != 0)
		return SKIPPED;
	return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
