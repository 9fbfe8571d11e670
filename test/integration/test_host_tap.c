// SPDX-License-Identifier: BSD-3-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <rte_arp.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_ip.h>

#include <bsd/string.h>
#include <cmocka.h>

#include "net/tap/host.h"
#include "pipeline/worker.h"

/*
 * The real net_tap driver and the real kernel, in a network namespace of this process's own: what
 * the kernel has is asked of iproute2, not of our own code.
 */

#define IF "rptest0"

static struct rte_mempool *pool;
static struct rp_host_config config;
static struct rp_host *host; // closed after each test

static struct rp_addr addr(const char *text)
{
	struct rp_addr a;

	assert_int_equal(rp_addr_parse(text, &a), 0);
	return a;
}

static struct rp_host_route route(const char *text, uint16_t mtu)
{
	struct rp_host_route r = {.mtu = mtu};

	assert_int_equal(rp_prefix_parse(text, &r.prefix), 0);
	return r;
}

// Output of a command; it must succeed.
static const char *run(const char *cmd)
{
	static char out[8192];
	FILE *f = popen(cmd, "r");
	size_t n;

	assert_non_null(f);
	n = fread(out, 1, sizeof(out) - 1, f);
	out[n] = '\0';
	if (pclose(f) != 0)
		fail_msg("'%s' failed: %s", cmd, out);
	return out;
}

static void expect(const char *cmd, const char *text)
{
	const char *out = run(cmd);

	if (strstr(out, text) == NULL)
		fail_msg("'%s' does not say '%s' but: %s", cmd, text, out);
}

static void expect_not(const char *cmd, const char *text)
{
	const char *out = run(cmd);

	if (strstr(out, text) != NULL)
		fail_msg("'%s' says '%s': %s", cmd, text, out);
}

static void open_host(void)
{
	struct rp_error err = {0};
	char text[600];

	host = rp_host_open(&config, &err);
	if (host == NULL)
		fail_msg("%s", rp_error_text(&err, text, sizeof(text)));
}

static void close_host(void)
{
	rp_host_close(host);
	host = NULL;
}

static int close_after(void **)
{
	close_host();
	run("ip route flush table main dev lo");
	return 0;
}

static void add(const char *prefix, uint16_t mtu)
{
	struct rp_host_route r = route(prefix, mtu);
	struct rp_error err = {0};
	char text[600];

	if (rp_host_route_add(host, &r, &err) < 0)
		fail_msg("%s", rp_error_text(&err, text, sizeof(text)));
}

static void send_udp(const char *to, size_t len)
{
	static const uint8_t data[9000];
	struct rp_addr a = addr(to);
	struct sockaddr_in in4 = {.sin_family = AF_INET, .sin_port = htons(9)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(9)};
	bool is4 = a.family == RP_IP4;
	int fd = socket(is4 ? AF_INET : AF_INET6, SOCK_DGRAM, 0);

	in4.sin_addr.s_addr = a.ip4;
	memcpy(&in6.sin6_addr, a.bytes, RP_IP6_LEN);
	assert_int_equal(sendto(fd, data, len, 0,
				is4 ? (struct sockaddr *)&in4 : (struct sockaddr *)&in6,
				is4 ? sizeof(in4) : sizeof(in6)),
			 len);
	close(fd);
}

// The first packet from the kernel that match() wants, within 5 s.
static struct rte_mbuf *receive(bool (*match)(const struct rte_mbuf *m))
{
	time_t end = time(NULL) + 5;
	struct rte_mbuf *m;

	while (time(NULL) < end) {
		if (rte_eth_rx_burst(rp_host_port(host), 0, &m, 1) == 0)
			continue;
		if (match(m))
			return m;
		rte_pktmbuf_free(m);
	}
	fail_msg("the kernel sent no such packet");
	return NULL;
}

static void interface_has_mac_mtu_and_addresses(void **)
{
	open_host();

	expect("ip link show " IF, "mtu 9000");
	expect("ip link show " IF, "LOWER_UP");
	expect("ip link show " IF, "02:00:00:00:00:02");
	expect("ip addr show " IF, "inet 169.254.0.2 peer 169.254.0.1/32 scope link");
	expect("ip addr show " IF, "inet6 fd72:696e:67::1/128 scope global");
	expect("ip addr show " IF, "inet6 fe80::ff:fe00:2/64 scope link");
	expect_not("ip addr show " IF, "tentative");
	expect("cat /proc/sys/net/ipv6/conf/" IF "/accept_ra", "0\n");
	assert_int_equal(rp_host_mtu(host), 9000);
	assert_int_equal(rp_host_mac(host)->addr_bytes[5], 2);
}

static void nothing_of_169_254_is_captured_but_the_gateway(void **)
{
	open_host();

	run("ip route replace default dev lo");
	expect("ip route get 169.254.0.1", "dev " IF);
	expect_not("ip route get 169.254.169.254", "dev " IF);
	expect_not("ip route get 169.254.0.3", "dev " IF);
	expect_not("ip -6 route show", "default dev " IF);
	run("ip route del default dev lo");
}

static void closing_leaves_nothing(void **)
{
	open_host();

	add("10.9.0.5/32", 1500);
	close_host();
	expect_not("ip link", IF);
	expect_not("ip route", "10.9.0.5");
	assert_int_equal(rte_eth_dev_count_avail(), 0);
}

static int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

static void opening_and_closing_again_and_again_leaks_nothing(void **)
{
	unsigned int mbufs;
	int fds;

	open_host();
	close_host();
	fds = count_fds();
	mbufs = rte_mempool_avail_count(pool);
	for (int i = 0; i < 20; i++) {
		open_host();
		close_host();
	}
	assert_int_equal(count_fds(), fds);
	assert_int_equal(rte_mempool_avail_count(pool), mbufs);
}

static void routes_appear_and_vanish(void **)
{
	open_host();
	struct rp_host_route r4 = route("10.9.0.0/24", 0), r6 = route("fd09::/64", 0);

	add("10.9.0.0/24", 1500);
	add("fd09::/64", 9000);
	expect("ip route show proto 114", "10.9.0.0/24 dev " IF);
	expect("ip route show proto 114", "src 169.254.0.2 mtu 1500");
	expect("ip -6 route show proto 114", "fd09::/64 dev " IF);
	expect("ip -6 route show proto 114", "src fd72:696e:67::1");
	expect("ip -6 route show proto 114", "mtu 9000");
	assert_int_equal(rp_host_route_del(host, &r4.prefix, NULL), 0);
	assert_int_equal(rp_host_route_del(host, &r6.prefix, NULL), 0);
	expect_not("ip route", "10.9.0.0");
	expect_not("ip -6 route", "fd09::");
	assert_int_equal(rp_host_route_del(host, &r6.prefix, NULL), 0); // already gone
}

static void adding_a_route_again_changes_its_mtu(void **)
{
	open_host();

	add("10.9.0.5/32", 1500);
	add("10.9.0.5/32", 1400);
	expect("ip route show 10.9.0.5", "mtu 1400");
	add("fd09::5/128", 1500);
	add("fd09::5/128", 1400);
	expect("ip -6 route show fd09::5", "mtu 1400");
	expect_not("ip -6 route show fd09::5", "mtu 1500");
}

static void foreign_routes_stay(void **)
{
	open_host();
	struct rp_host_route mine = route("10.9.0.5/32", 1500);
	struct rp_error err = {0};

	run("ip route add 10.9.0.5/32 dev lo");
	run("ip route add 10.9.0.6/32 dev " IF);
	run("ip route add 10.9.0.7/32 dev lo proto 114");
	assert_int_equal(rp_host_route_add(host, &mine, &err), -EEXIST);
	assert_string_equal(err.value, "10.9.0.5/32");
	assert_non_null(strstr(err.expected, "ip route show 10.9.0.5/32"));
	assert_int_equal(rp_host_routes_sync(host, NULL, 0, NULL), 0);
	assert_int_equal(rp_host_route_del(host, &mine.prefix, NULL), 0);
	expect("ip route", "10.9.0.5 dev lo");
	expect("ip route", "10.9.0.6 dev " IF);
	expect("ip route", "10.9.0.7 dev lo");
}

static void sync_makes_the_routes_exactly_these(void **)
{
	open_host();
	struct rp_host_route want[] = {route("10.9.0.2/32", 1500), route("10.9.0.3/32", 1400),
				       route("fd09::2/128", 1500)};

	add("10.9.0.1/32", 1500);
	add("10.9.0.2/32", 1500);
	add("10.9.0.3/32", 1500);
	add("fd09::1/128", 1500);
	assert_int_equal(rp_host_routes_sync(host, want, 3, NULL), 0);
	expect_not("ip route", "10.9.0.1 ");
	expect("ip route", "10.9.0.2 dev " IF);
	expect("ip route show 10.9.0.3", "mtu 1400");
	expect("ip -6 route", "fd09::2 dev " IF);
	expect_not("ip -6 route", "fd09::1 ");
}

// The kernel forgets all routes and the IPv6 addresses of an interface that goes down.
static void sync_restores_what_a_link_down_took(void **)
{
	open_host();
	struct rp_host_route want[] = {route("10.9.0.2/32", 1500), route("fd09::2/128", 1500)};

	assert_int_equal(rp_host_routes_sync(host, want, 2, NULL), 0);
	run("ip link set " IF " down");
	expect_not("ip -6 addr show " IF, "fd72:696e:67::1");
	assert_int_equal(rp_host_routes_sync(host, want, 2, NULL), 0);
	expect("ip addr show " IF, "inet 169.254.0.2 peer 169.254.0.1/32");
	expect("ip -6 addr show " IF, "fd72:696e:67::1/128");
	expect("ip route", "10.9.0.2 dev " IF);
	expect("ip -6 route", "fd09::2 dev " IF);
}

static void deleted_interface_is_named(void **)
{
	open_host();
	struct rp_error err = {0};

	run("ip link delete " IF);
	assert_int_equal(rp_host_routes_sync(host, NULL, 0, &err), -ENODEV);
	assert_string_equal(err.value, IF);
	assert_non_null(strstr(err.expected, "restart ringplane"));
}

static void default_route_is_refused(void **)
{
	open_host();
	struct rp_host_route all = route("0.0.0.0/0", 1500);
	struct rp_error err = {0};

	assert_int_equal(rp_host_route_add(host, &all, &err), -EINVAL);
	assert_string_equal(err.value, "0.0.0.0/0");
}

static bool is_arp_for_vm(const struct rte_mbuf *m)
{
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	const struct rte_arp_hdr *arp = (const struct rte_arp_hdr *)(eth + 1);

	return eth->ether_type == RTE_BE16(RTE_ETHER_TYPE_ARP) &&
	       arp->arp_data.arp_tip == RTE_BE32(RTE_IPV4(10, 9, 0, 5));
}

static bool is_ns_for_vm(const struct rte_mbuf *m)
{
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	const uint8_t *icmp = (const uint8_t *)(eth + 1) + sizeof(struct rte_ipv6_hdr);
	struct rp_addr vm = addr("fd09::5");

	return eth->ether_type == RTE_BE16(RTE_ETHER_TYPE_IPV6) && m->pkt_len >= 78 &&
	       icmp[0] == 135 && memcmp(icmp + 8, vm.bytes, RP_IP6_LEN) == 0;
}

static void kernel_asks_for_vms_from_the_host_side_address(void **)
{
	open_host();
	const struct rte_arp_hdr *arp;
	struct rte_mbuf *m;

	add("10.9.0.5/32", 1500);
	add("fd09::5/128", 1500);
	send_udp("10.9.0.5", 1);
	m = receive(is_arp_for_vm);
	arp = rte_pktmbuf_mtod_offset(m, const struct rte_arp_hdr *, RTE_ETHER_HDR_LEN);
	assert_int_equal(arp->arp_data.arp_sip, RTE_BE32(RTE_IPV4(169, 254, 0, 2)));
	assert_memory_equal(&arp->arp_data.arp_sha, rp_host_mac(host), RTE_ETHER_ADDR_LEN);
	rte_pktmbuf_free(m);
	send_udp("fd09::5", 1);
	rte_pktmbuf_free(receive(is_ns_for_vm));
}

static bool is_jumbo(const struct rte_mbuf *m)
{
	return m->pkt_len > 9000;
}

static void jumbo_frames_pass_both_ways(void **)
{
	open_host();
	struct rte_mbuf *m;

	add("10.9.0.5/32", 9000);
	run("ip neigh add 10.9.0.5 lladdr 02:00:00:00:00:01 dev " IF);
	send_udp("10.9.0.5", 8972);
	m = receive(is_jumbo);
	assert_int_equal(m->pkt_len, 9014);
	assert_true(m->nb_segs > 1);
	// The same frame back: the kernel counts it whatever it thinks of it.
	assert_int_equal(rte_eth_tx_burst(rp_host_port(host), 0, &m, 1), 1);
	expect("cat /proc/net/dev", IF ":    9014       1 ");
}

static void open_fails(const char *name, int code, const char *text)
{
	struct rp_host_config c = config;
	struct rp_error err = {0};
	char line[600];

	strlcpy(c.ifname, name, sizeof(c.ifname));
	assert_null(rp_host_open(&c, &err));
	assert_int_equal(errno, code);
	assert_int_equal(err.code, code);
	rp_error_text(&err, line, sizeof(line));
	if (strstr(line, text) == NULL)
		fail_msg("no '%s' in: %s", text, line);
}

static void errors_say_what_to_do(void **)
{
	run("ip tuntap add taken0 mode tun");
	open_fails("taken0", EEXIST, "--tap NAME");
	run("ip link del taken0");
	open_fails("a/b", EINVAL, "'a/b'");
	open_fails("", EINVAL, "no name");
	assert_int_equal(rte_eth_dev_count_avail(), 0);
}

static void missing_privilege_is_named(void **)
{
	bool open_to_all = access("/dev/net/tun", F_OK) == 0 && seteuid(65534) == 0 &&
			   eaccess("/dev/net/tun", R_OK | W_OK) == 0;

	open_fails(IF, open_to_all ? EPERM : EACCES, "CAP_NET_ADMIN");
	assert_int_equal(seteuid(0), 0);
}

static void kernel_without_ip6_still_gives_ip4(void **)
{
	run("echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6");
	open_host();
	expect("ip addr show " IF, "169.254.0.2");
	expect_not("ip addr show " IF, "inet6");
	add("fd09::5/128", 1500);
	add("10.9.0.5/32", 1500);
	expect("ip route show proto 114", "10.9.0.5");
	run("echo 0 >/proc/sys/net/ipv6/conf/default/disable_ipv6");
}

static int setup(void **)
{
	char prefix[32];
	char *argv[] = {(char *)(uintptr_t) "test",
			(char *)(uintptr_t) "-l0",
			(char *)(uintptr_t) "--no-huge",
			(char *)(uintptr_t) "-m128",
			(char *)(uintptr_t) "--no-pci",
			(char *)(uintptr_t) "--no-telemetry",
			(char *)(uintptr_t) "--log-level=4",
			prefix,
			NULL};

	snprintf(prefix, sizeof(prefix), "--file-prefix=rptap%d", getpid());
	if (rte_eal_init(8, argv) < 0)
		return -1;
	pool = rte_pktmbuf_pool_create("pool", 4096, 0, 0, RP_MBUF_ROOM, SOCKET_ID_ANY);
	config = (struct rp_host_config){.ifname = IF,
					 .ip4 = addr("169.254.0.2"),
					 .ip6 = addr("fd72:696e:67::1"),
					 .mtu = 9000,
					 .pool = pool,
					 .socket = SOCKET_ID_ANY};
	run("ip link set lo up");
	return pool == NULL;
}

static int teardown(void **)
{
	return rte_eal_cleanup();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(interface_has_mac_mtu_and_addresses, close_after),
		cmocka_unit_test_teardown(nothing_of_169_254_is_captured_but_the_gateway,
					  close_after),
		cmocka_unit_test_teardown(closing_leaves_nothing, close_after),
		cmocka_unit_test_teardown(opening_and_closing_again_and_again_leaks_nothing,
					  close_after),
		cmocka_unit_test_teardown(routes_appear_and_vanish, close_after),
		cmocka_unit_test_teardown(adding_a_route_again_changes_its_mtu, close_after),
		cmocka_unit_test_teardown(foreign_routes_stay, close_after),
		cmocka_unit_test_teardown(sync_makes_the_routes_exactly_these, close_after),
		cmocka_unit_test_teardown(sync_restores_what_a_link_down_took, close_after),
		cmocka_unit_test_teardown(deleted_interface_is_named, close_after),
		cmocka_unit_test_teardown(default_route_is_refused, close_after),
		cmocka_unit_test_teardown(kernel_asks_for_vms_from_the_host_side_address,
					  close_after),
		cmocka_unit_test_teardown(jumbo_frames_pass_both_ways, close_after),
		cmocka_unit_test_teardown(errors_say_what_to_do, close_after),
		cmocka_unit_test_teardown(missing_privilege_is_named, close_after),
		cmocka_unit_test_teardown(kernel_without_ip6_still_gives_ip4, close_after),
	};

	if (unshare(CLONE_NEWNET) < 0) {
		fprintf(stderr, "cannot make a network namespace: %s; run as root\n",
			strerror(errno));
		return 77;
	}
	return cmocka_run_group_tests(tests, setup, teardown);
}
