// SPDX-License-Identifier: BSD-3-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "packet/arp.h"
#include "packet/dhcp4.h"
#include "packet/dhcp6.h"
#include "packet/icmp.h"
#include "packet/nd.h"
#include "rig.h"

/*
 * What a VM sees of ringplane, through its own rings: addresses by DHCPv4, RA and DHCPv6, the
 * gateway by ARP and ND, echo at every size.
 */

static const char init[] =
	"network create blue ipv4 10.0.0.0/24 ipv6 fd00:1::/64 dns 1.1.1.1 dns 2606:4700::1111 "
	"ntp 10.0.0.123 domain example.org mtu 9000 public no\n"
	"nic create vm1 network blue mac 52:54:00:00:00:01 ipv4 10.0.0.5 ipv6 fd00:1::5\n";

static struct rig *rig;
static struct rig_vm vm;

static int setup(void **)
{
	rig = rig_start(init, NULL);
	rig_vm_init(rig, &vm, "vm1", "52:54:00:00:00:01", "10.0.0.5", "fd00:1::5");
	vm.cfg.mtu = 9000;
	rig_vm_connect(&vm);
	return 0;
}

static bool is_dhcp(const uint8_t *frame, size_t len, void *arg)
{
	return rp_parse_dhcp_response(frame, len, arg) == 0;
}

static void dhcp4_arp_and_ping(void **)
{
	static struct rp_dhcp4_response resp;
	static const uint8_t wanted[] = {1, 3, 6, 12, 15, 26, 42, 121};
	struct rp_dhcp4_client client = {
		.mac = vm.mac, .xid = 0x1234, .parameters = rp_reader(wanted, sizeof(wanted))};
	uint8_t buf[1024];
	struct rp_writer w = rp_writer(buf, sizeof(buf));

	assert_true(rp_create_dhcp_discover(&w, &client));
	rig_send(&vm, buf, rp_writer_len(&w));
	assert_true(rig_wait(&vm, is_dhcp, &resp, RIG_WAIT_MS));
	assert_int_equal(resp.type, RP_DHCP4_OFFER);
	assert_true(rp_addr_equal(&resp.yiaddr, &vm.ip4));

	client.address = resp.yiaddr;
	client.server = resp.server_id;
	w = rp_writer(buf, sizeof(buf));
	assert_true(rp_create_dhcp_request(&w, &client, RP_DHCP4_SELECTING));
	rig_send(&vm, buf, rp_writer_len(&w));
	assert_true(rig_wait(&vm, is_dhcp, &resp, RIG_WAIT_MS));
	assert_int_equal(resp.type, RP_DHCP4_ACK);
	assert_int_equal(resp.xid, 0x1234);
	assert_true(rp_addr_equal(&resp.yiaddr, &vm.ip4));
	assert_true(rp_addr_equal(&resp.server_id, &rp_gateway_ip4));
	assert_int_equal(resp.lease, 86400);
	assert_int_equal(resp.mtu, 9000);
	assert_int_equal(resp.n_routes, 2);
	assert_int_equal(resp.routes[1].dst.len, 0);
	assert_true(rp_addr_equal(&resp.routes[1].via, &rp_gateway_ip4));
	assert_string_equal(resp.hostname, "vm1");
	assert_string_equal(resp.domain, "example.org");
	assert_int_equal(resp.dns.n, 1);
	assert_int_equal(resp.ntp.n, 1);
	rig_vm_wait_ready(&vm);
}

static bool is_echo(const uint8_t *frame, size_t len, void *arg)
{
	struct rp_echo *want = arg;
	struct rp_echo got;
	bool v4 = want->src.family == RP_IP4;

	if ((v4 ? rp_parse_icmp_echo_reply(frame, len, &got)
		: rp_parse_icmpv6_echo_reply(frame, len, &got)) != 0)
		return false;
	assert_true(got.ip_checksum_ok);
	assert_true(got.checksum_ok);
	assert_true(rp_addr_equal(&got.src, &want->dst));
	assert_true(rp_addr_equal(&got.dst, &want->src));
	assert_int_equal(got.seq, want->seq);
	assert_int_equal(rp_reader_left(&got.data), rp_reader_left(&want->data));
	assert_memory_equal(got.data.pos, want->data.pos, rp_reader_left(&want->data));
	return true;
}

static void ping_gateway(size_t data_len, bool v4)
{
	static uint8_t frame[9100], data[9000];
	struct rp_writer w = rp_writer(frame, sizeof(frame));
	struct rp_echo echo = {
		.eth_src = vm.mac,
		.eth_dst = rp_gateway_mac,
		.src = v4 ? vm.ip4 : vm.ip6,
		.dst = v4 ? rp_gateway_ip4 : rp_gateway_ip6,
		.ttl = 64,
		.ident = 7,
		.seq = (uint16_t)data_len,
		.data = rp_reader(data, data_len),
	};

	for (size_t i = 0; i < data_len; i++)
		data[i] = (uint8_t)(i * 7);
	assert_true(v4 ? rp_create_icmp_echo_request(&w, &echo)
		       : rp_create_icmpv6_echo_request(&w, &echo));
	rig_send(&vm, frame, rp_writer_len(&w));
	assert_true(rig_wait(&vm, is_echo, &echo, RIG_WAIT_MS));
}

static void ping_at_every_size_up_to_the_mtu(void **)
{
	static const size_t sizes[] = {0,    1,	   18,	 56,   64,   505,  506,	 600,
				       1472, 1473, 2000, 2005, 2006, 4096, 8951, 8952};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		ping_gateway(sizes[i], true);
		ping_gateway(sizes[i], false);
	}
	ping_gateway(8972, true); // 9000 bytes of IPv4: 20 bytes less of header
}

static bool is_ra(const uint8_t *frame, size_t len, void *arg)
{
	return rp_parse_router_advertisement(frame, len, arg) == 0;
}

static bool is_na(const uint8_t *frame, size_t len, void *arg)
{
	return rp_parse_neighbor_advertisement(frame, len, arg) == 0;
}

static bool is_dhcp6(const uint8_t *frame, size_t len, void *arg)
{
	return rp_parse_dhcpv6_response(frame, len, arg) == 0;
}

static void router_solicitation_and_dhcp6(void **)
{
	static struct rp_router_advertisement ra;
	static struct rp_dhcpv6_response res;
	static struct rp_dhcp6 answer;
	struct rp_dhcpv6_client client = {.mac = vm.mac, .xid = 77, .iaid = 99};
	uint8_t buf[1024];
	struct rp_writer w = rp_writer(buf, sizeof(buf));

	assert_true(rp_create_router_solicitation(&w, &vm.mac, &vm.link_local));
	rig_send(&vm, buf, rp_writer_len(&w));
	assert_true(rig_wait(&vm, is_ra, &ra, RIG_WAIT_MS));
	assert_int_equal(ra.nd.ra_flags, RP_ND_RA_MANAGED | RP_ND_RA_OTHER);
	assert_int_equal(ra.nd.ra_lifetime, 1800);
	assert_int_equal(ra.mtu, 9000);
	assert_int_equal(ra.n_dns, 1);
	assert_int_equal(ra.n_prefixes, 0);
	assert_true(rp_addr_equal(&ra.frame.src, &rp_gateway_ip6));

	w = rp_writer(buf, sizeof(buf));
	assert_true(rp_create_dhcpv6_solicit(&w, &client));
	rig_send(&vm, buf, rp_writer_len(&w));
	assert_true(rig_wait(&vm, is_dhcp6, &res, RIG_WAIT_MS));
	assert_int_equal(res.msg.type, RP_DHCP6_ADVERTISE);
	answer = res.msg;
	w = rp_writer(buf, sizeof(buf));
	assert_true(rp_create_dhcpv6_request(&w, &client, RP_DHCP6_REQUEST, &answer));
	rig_send(&vm, buf, rp_writer_len(&w));
	assert_true(rig_wait(&vm, is_dhcp6, &res, RIG_WAIT_MS));
	assert_int_equal(res.msg.type, RP_DHCP6_REPLY);
	assert_int_equal(res.msg.n_ia, 1);
	assert_int_equal(res.msg.ia[0].iaid, 99);
	assert_int_equal(res.msg.ia[0].n, 1);
	assert_true(rp_addr_equal(&res.msg.ia[0].lease[0].addr, &vm.ip6));
	assert_int_equal(res.msg.ia[0].t1, 43200);
	assert_int_equal(res.msg.ia[0].lease[0].valid, 172800);
	assert_true(rp_addr_equal(&res.frame.src, &rp_gateway_ip6));
}

static bool is_updated_ra(const uint8_t *frame, size_t len, void *arg)
{
	const struct rp_router_advertisement *ra = arg;

	return is_ra(frame, len, arg) && ra->mtu == 1400;
}

static bool is_unsolicited_ra(const uint8_t *frame, size_t len, void *arg)
{
	const struct rp_router_advertisement *ra = arg;

	return is_ra(frame, len, arg) && rp_addr_equal(&ra->frame.dst, &rp_nd_all_nodes);
}

// A change of the network is in the next answer, without a reconnect.
static void updates_reach_a_running_vm(void **)
{
	static struct rp_router_advertisement ra;
	uint8_t buf[1024];
	struct rp_writer w = rp_writer(buf, sizeof(buf));

	free(rig_command(rig, "network update blue mtu 1400 dns fd00::53 dns fd00::54"));
	assert_true(rp_create_router_solicitation(&w, &vm.mac, &vm.link_local));
	rig_send(&vm, buf, rp_writer_len(&w));
	assert_true(rig_wait(&vm, is_updated_ra, &ra, RIG_WAIT_MS));
	assert_int_equal(ra.n_dns, 2);
	free(rig_command(rig, "network update blue mtu 9000 dns 1.1.1.1 dns 2606:4700::1111"));
}

static void neighbor_solicitation(void **)
{
	struct rp_neighbor_advertisement na;
	struct rp_addr unspecified = {.family = RP_IP6};
	uint8_t buf[256];
	struct rp_writer w = rp_writer(buf, sizeof(buf));

	assert_true(rp_create_neighbor_solicitation(&w, &vm.mac, &vm.link_local, &rp_gateway_ip6));
	rig_send(&vm, buf, rp_writer_len(&w));
	assert_true(rig_wait(&vm, is_na, &na, RIG_WAIT_MS));
	assert_true(na.router && na.solicited && na.override);
	assert_true(rte_is_same_ether_addr(&na.nd.tlla, &rp_gateway_mac));

	// Nobody objects to the VM's own address; fe80::1 is defended.
	w = rp_writer(buf, sizeof(buf));
	assert_true(rp_create_neighbor_solicitation(&w, &vm.mac, &unspecified, &vm.ip6));
	rig_send(&vm, buf, rp_writer_len(&w));
	w = rp_writer(buf, sizeof(buf));
	assert_true(rp_create_neighbor_solicitation(&w, &vm.mac, &unspecified, &rp_gateway_ip6));
	rig_send(&vm, buf, rp_writer_len(&w));
	assert_true(rig_wait(&vm, is_na, &na, RIG_WAIT_MS));
	assert_true(rp_addr_equal(&na.nd.target, &rp_gateway_ip6));
	assert_false(na.solicited);
	assert_true(rp_addr_equal(&na.frame.dst, &rp_nd_all_nodes));
}

// The first one comes within 16 seconds of the driver, RFC 4861 section 6.2.4.
static void advertisements_come_unasked(void **)
{
	static struct rp_router_advertisement ra;

	assert_true(rig_wait(&vm, is_unsolicited_ra, &ra, 16000 + RIG_WAIT_MS));
	assert_int_equal(ra.nd.ra_lifetime, 1800);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dhcp4_arp_and_ping),
		cmocka_unit_test(ping_at_every_size_up_to_the_mtu),
		cmocka_unit_test(router_solicitation_and_dhcp6),
		cmocka_unit_test(updates_reach_a_running_vm),
		cmocka_unit_test(neighbor_solicitation),
		cmocka_unit_test(advertisements_come_unasked),
	};
	int failed = cmocka_run_group_tests(tests, setup, NULL);

	rig_vm_free(&vm);
	rig_stop(rig, failed == 0);
	return failed;
}
