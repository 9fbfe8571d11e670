// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "proc.h"
#include "rig.h"
#include "vhost_user/tapbridge.h"

/*
 * The host side with real kernels on both ends: the daemon and its TAP in a network namespace of
 * the test's own (the "host"), the VM's side bridged to a TAP in another one (the "guest"), and
 * ping between them.
 */

static const char init[] =
	"network create pub ipv4 10.7.0.0/24 ipv6 fd00:7::/64 public yes\n"
	"network create priv ipv4 10.8.0.0/24 ipv6 fd00:8::/64 public no\n"
	"nic create vm1 network pub mac 52:54:00:00:00:01 ipv4 10.7.0.1 ipv6 fd00:7::1 "
	"prefix 192.168.7.0/24\n"
	"nic create vm2 network priv mac 52:54:00:00:00:02 ipv4 10.8.0.1 ipv6 fd00:8::1\n";

static struct rig *rig;
static struct rig_vm vm1, vm2;
static struct rp_tapbridge *bridge1, *bridge2;
static char guest1[32], guest2[32];

// A shell command line on the host (that is: in our namespace); its status.
static int sh(const char *fmt, ...)
{
	const char *argv[] = {"sh", "-c", NULL, NULL};
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	argv[2] = line;
	return proc_run(argv, 20000);
}

static struct rp_tapbridge *make_guest(struct rig_vm *vm, const char *netns, const char *ip4,
				       const char *ip6)
{
	struct rp_tapbridge_config cfg = {.name = "eth0", .netns = netns, .mtu = 1500};
	struct rp_tapbridge *br;
	struct rp_error err;

	rig_vm_connect(vm);
	memcpy(cfg.mac, vm->mac.addr_bytes, sizeof(cfg.mac));
	assert_int_equal(sh("ip netns add %s", netns), 0);
	br = rp_tapbridge_create(vm->fe, &cfg, &err);
	assert_non_null(br);
	assert_int_equal(rp_tapbridge_start(br), 0);
	assert_int_equal(sh("ip -n %1$s addr add %2$s/32 dev eth0 && "
			    "ip -n %1$s route add 169.254.0.1 dev eth0 && "
			    "ip -n %1$s route add default via 169.254.0.1 && "
			    "ip -n %1$s addr add %3$s/128 dev eth0 nodad && "
			    "ip -n %1$s route replace default via fe80::1 dev eth0",
			    netns, ip4, ip6),
			 0);
	return br;
}

static int setup(void **)
{
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	assert_int_equal(sh("ip link set lo up"), 0);
	snprintf(guest1, sizeof(guest1), "rpguest1-%d", getpid());
	snprintf(guest2, sizeof(guest2), "rpguest2-%d", getpid());
	rig = rig_start(init, (const char *const[]){"--tap", "rphost", NULL});
	rig_vm_init(rig, &vm1, "vm1", "52:54:00:00:00:01", "10.7.0.1", "fd00:7::1");
	rig_vm_init(rig, &vm2, "vm2", "52:54:00:00:00:02", "10.8.0.1", "fd00:8::1");
	bridge1 = make_guest(&vm1, guest1, "10.7.0.1", "fd00:7::1");
	bridge2 = make_guest(&vm2, guest2, "10.8.0.1", "fd00:8::1");
	return 0;
}

static void guest_pings_gateway_and_host(void **)
{
	assert_int_equal(sh("ip netns exec %s ping -c 2 -W 2 169.254.0.1", guest1), 0);
	assert_int_equal(sh("ip netns exec %s ping -c 2 -W 2 fe80::1%%eth0", guest1), 0);
	assert_int_equal(sh("ip netns exec %s ping -c 2 -W 2 169.254.0.2", guest1), 0);
	assert_int_equal(sh("ip netns exec %s ping -c 2 -W 2 fd72:696e:67::1", guest1), 0);
	assert_int_equal(sh("ip netns exec %s ping -c 1 -W 2 -s 1472 -M do 169.254.0.2", guest1),
			 0);
	assert_int_equal(
		sh("ip netns exec %s ping -c 1 -W 2 -s 1452 -M do fd72:696e:67::1", guest1), 0);
}

static void host_pings_guest(void **)
{
	assert_int_equal(sh("ping -c 2 -W 2 10.7.0.1"), 0);
	assert_int_equal(sh("ping -c 2 -W 2 fd00:7::1"), 0);
	assert_int_equal(sh("ping -c 1 -W 2 -s 1472 -M do 10.7.0.1"), 0);
	// Behind a routed prefix, too.
	assert_int_equal(sh("ip -n %s addr add 192.168.7.5/32 dev lo && ip -n %s link set lo up",
			    guest1, guest1),
			 0);
	assert_int_equal(sh("ping -c 1 -W 2 192.168.7.5"), 0);
}

static void private_network_and_host_do_not_meet(void **)
{
	assert_int_equal(sh("ip netns exec %s ping -c 1 -W 2 169.254.0.1", guest2), 0);
	assert_int_not_equal(sh("ip netns exec %s ping -c 1 -W 1 169.254.0.2 >/dev/null", guest2),
			     0);
	assert_int_not_equal(sh("ping -c 1 -W 1 10.8.0.1 >/dev/null"), 0);
	assert_int_not_equal(sh("ip netns exec %s ping -c 1 -W 1 10.7.0.1 >/dev/null", guest2), 0);
}

// What lies behind the host is reached through its routing, when the operator wants it.
static void guest_reaches_beyond_the_host(void **)
{
	assert_int_equal(sh("ip addr add 192.0.2.1/32 dev lo"), 0);
	assert_int_equal(sh("ip netns exec %s ping -c 1 -W 2 192.0.2.1", guest1), 0);
}

static void routes_follow_the_nics(void **)
{
	assert_int_equal(sh("ip route show proto 114 | grep -q '^10.7.0.1 dev rphost'"), 0);
	assert_int_equal(sh("ip route show proto 114 | grep -q '^192.168.7.0/24 dev rphost'"), 0);
	assert_int_equal(sh("ip -6 route show proto 114 | grep -q '^fd00:7::1 dev rphost'"), 0);
	assert_int_not_equal(sh("ip route | grep 10.8.0"), 0);
	free(rig_command(rig, "nic create vm3 network pub ipv4 10.7.0.3 ipv6 fd00:7::3 "
			      "mac 52:54:00:00:00:03"));
	assert_int_equal(sh("ip route show proto 114 | grep -q '^10.7.0.3 dev rphost'"), 0);
	free(rig_command(rig, "nic delete vm3"));
	assert_int_not_equal(sh("ip route | grep 10.7.0.3"), 0);
	assert_int_not_equal(sh("ip -6 route | grep fd00:7::3"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(guest_pings_gateway_and_host),
		cmocka_unit_test(host_pings_guest),
		cmocka_unit_test(private_network_and_host_do_not_meet),
		cmocka_unit_test(guest_reaches_beyond_the_host),
		cmocka_unit_test(routes_follow_the_nics),
	};
	int failed = cmocka_run_group_tests(tests, setup, NULL);

	rp_tapbridge_destroy(bridge1);
	rp_tapbridge_destroy(bridge2);
	rig_vm_free(&vm1);
	rig_vm_free(&vm2);
	sh("ip netns del %s; ip netns del %s", guest1, guest2);
	rig_stop(rig, failed == 0);
	// The TAP went with the daemon, and the routes with it.
	if (failed == 0 && sh("ip link show rphost 2>/dev/null || ip route | grep rphost") == 0)
		failed = 1;
	return failed;
}
