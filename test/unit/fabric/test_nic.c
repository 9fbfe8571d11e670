// SPDX-License-Identifier: BSD-3-Clause
#include "unit/fabric/fixture.h"

#include "fabric/pool.h"

static struct fixture f;

static int setup(void **)
{
	fixture_open(&f);
	assert_int_equal(net_create(&f, "net", "10.0.0.0/24", "fd00::/64"), 0);
	return 0;
}

static int teardown(void **)
{
	fixture_close(&f);
	return 0;
}

static void all_is_chosen_that_is_not_given(void **)
{
	const struct rp_nic *nic;

	assert_int_equal(nic_create(&f, "vm1", "net"), 0);
	nic = rp_nic_find(f.fabric, "vm1");
	assert_string_equal(nic_ip4(&f, "vm1"), "10.0.0.1");
	assert_string_equal(nic_ip6(&f, "vm1"), "fd00::1");
	assert_string_equal(nic->cfg.socket, "/run/ringplane/vm1.sock");
	assert_int_equal(nic->cfg.queues, 1);
	assert_int_equal(nic->cfg.mode, RP_VHOST_SERVER);
	assert_int_equal(nic->cfg.mac.addr_bytes[0] & 0x03, 0x02);
	assert_int_equal(nic->state, RP_NIC_CREATED);
	assert_true(nic->has_port);
	assert_ptr_equal(nic->network, rp_network_find(f.fabric, "net"));
	assert_int_equal(nic->network->n_nics, 1);
	assert_ptr_equal(rp_nic_find(f.fabric, nic->uuid), nic);
}

static void network_is_named_by_name_or_uuid(void **)
{
	assert_int_equal(nic_create(&f, "vm1", rp_network_find(f.fabric, "net")->uuid), 0);
	assert_string_equal(rp_nic_find(f.fabric, "vm1")->cfg.network, "net");
	assert_int_equal(nic_create(&f, "vm2", ""), -EINVAL);
	assert_error(&f, EINVAL, "network", "", "missing");
	assert_int_equal(nic_create(&f, "vm2", "nat"), -ENOENT);
	assert_error(&f, ENOENT, "network", "nat", "no such network");
}

static void name_is_checked_and_unique(void **)
{
	assert_int_equal(nic_create(&f, "vm/1", "net"), -EINVAL);
	assert_error(&f, EINVAL, "name", "vm/1", "character 3");
	assert_int_equal(nic_create(&f, "vm1", "net"), 0);
	assert_int_equal(nic_create(&f, "vm1", "net"), -EEXIST);
	assert_error(&f, EEXIST, "name", "vm1", "already");
	assert_int_equal(nic_create(&f, rp_nic_find(f.fabric, "vm1")->uuid, "net"), -EEXIST);
	// The kinds have names of their own.
	assert_int_equal(nic_create(&f, "net", "net"), 0);
}

static int create_with_mac(const char *name, const char *mac)
{
	struct rp_nic_config cfg = nic_config(name, "net");

	assert_int_equal(rp_mac_parse(mac, &cfg.mac), 0);
	return rp_nic_create(f.fabric, &cfg, NULL, &f.err);
}

static void mac_is_checked(void **)
{
	assert_int_equal(create_with_mac("vm1", "53:54:00:12:34:01"), -EINVAL);
	assert_error(&f, EINVAL, "mac", "53:54:00:12:34:01", "multicast");
	assert_int_equal(create_with_mac("vm1", "ff:ff:ff:ff:ff:ff"), -EINVAL);
	assert_int_equal(create_with_mac("vm1", "02:00:00:00:00:01"), -EEXIST);
	assert_error(&f, EEXIST, "mac", "02:00:00:00:00:01", "gateway");
	assert_int_equal(create_with_mac("vm1", "52:54:00:12:34:01"), 0);
	assert_int_equal(create_with_mac("vm2", "52:54:00:12:34:01"), -EEXIST);
	assert_error(&f, EEXIST, "mac", "52:54:00:12:34:01", "NIC 'vm1'");
	// A universal one is allowed: the VM may have a passed-through card's.
	assert_int_equal(create_with_mac("vm2", "00:1b:21:00:00:01"), 0);
}

static void generated_macs_are_local_and_differ(void **)
{
	struct rte_ether_addr a, b;

	for (int i = 0; i < 100; i++) {
		assert_int_equal(rp_pool_mac(f.fabric, &a, &f.err), 0);
		assert_int_equal(rp_pool_mac(f.fabric, &b, &f.err), 0);
		assert_int_equal(a.addr_bytes[0] & 0x03, 0x02);
		assert_false(rte_is_same_ether_addr(&a, &b));
	}
}

static void given_address_is_checked(void **)
{
	static const struct {
		const char *addr, *field, *says;
	} bad[] = {
		{"10.0.1.1", "ipv4", "expected an address in 10.0.0.0/24"},
		{"10.0.0.0", "ipv4", "of the subnet 10.0.0.0/24 itself"},
		{"10.0.0.255", "ipv4", "broadcast address of 10.0.0.0/24"},
		{"169.254.0.1", "ipv4", "outside of network 'net'"},
		{"fd00:0:0:1::1", "ipv6", "expected an address in fd00::/64"},
		{"fd00::", "ipv6", "of the subnet fd00::/64 itself"},
		{"fe80::1", "ipv6", "outside of network 'net'"},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(nic_create_at(&f, "vm1", "net", bad[i].addr), -EINVAL);
		assert_error(&f, EINVAL, bad[i].field, bad[i].addr, bad[i].says);
	}
	assert_int_equal(nic_create_at(&f, "vm1", "net", "10.0.0.254"), 0);
	assert_int_equal(nic_create_at(&f, "vm2", "net", "fd00::ffff:ffff:ffff:ffff"), 0);
}

static void address_of_a_missing_family_is_refused(void **)
{
	struct rp_nic_config cfg = nic_config("vm1", "net");

	assert_int_equal(net_create(&f, "four", "10.0.0.0/24", NULL), 0);
	assert_int_equal(net_create(&f, "six", NULL, "fd00::/64"), 0);
	assert_int_equal(nic_create_at(&f, "vm1", "four", "fd00::1"), -EINVAL);
	assert_error(&f, EINVAL, "ipv6", "fd00::1", "network 'four' has no IPv6");
	assert_int_equal(nic_create_at(&f, "vm1", "six", "10.0.0.1"), -EINVAL);
	assert_error(&f, EINVAL, "ipv4", "10.0.0.1", "network 'six' has no IPv4");
	assert_int_equal(nic_create(&f, "vm4", "four"), 0);
	assert_int_equal(rp_nic_find(f.fabric, "vm4")->cfg.ip6.family, RP_NONE);
	assert_int_equal(nic_create(&f, "vm6", "six"), 0);
	assert_int_equal(rp_nic_find(f.fabric, "vm6")->cfg.ip4.family, RP_NONE);
	cfg.ip4 = addr("fd00::1");
	assert_int_equal(rp_nic_create(f.fabric, &cfg, NULL, &f.err), -EINVAL);
	assert_string_equal(f.err.field, "ipv4");
}

static void address_is_given_once_a_network(void **)
{
	assert_int_equal(nic_create_at(&f, "vm1", "net", "10.0.0.7"), 0);
	assert_int_equal(nic_create_at(&f, "vm2", "net", "10.0.0.7"), -EEXIST);
	assert_error(&f, EEXIST, "ipv4", "10.0.0.7", "NIC 'vm1'");
	assert_int_equal(nic_create_at(&f, "vm2", "net", "fd00::1"), -EEXIST);
	assert_int_equal(net_create(&f, "other", "10.0.0.0/24", NULL), 0);
	assert_int_equal(nic_create_at(&f, "vm2", "other", "10.0.0.7"), 0);
}

static void socket_of_ones_own_needs_client_mode(void **)
{
	struct rp_nic_config cfg = nic_config("vm1", "net");

	strlcpy(cfg.socket, "/tmp/vm1", sizeof(cfg.socket));
	assert_int_equal(rp_nic_create(f.fabric, &cfg, NULL, &f.err), -EINVAL);
	assert_error(&f, EINVAL, "socket", "/tmp/vm1", "mode client");
	cfg.mode = RP_VHOST_CLIENT;
	assert_int_equal(rp_nic_create(f.fabric, &cfg, NULL, &f.err), 0);
	assert_string_equal(rp_nic_find(f.fabric, "vm1")->cfg.socket, "/tmp/vm1");
	strlcpy(cfg.name, "vm2", sizeof(cfg.name));
	assert_int_equal(rp_nic_create(f.fabric, &cfg, NULL, &f.err), -EEXIST);
	assert_error(&f, EEXIST, "socket", "/tmp/vm1", "NIC 'vm1'");
	cfg.socket[0] = '\0';
	assert_int_equal(rp_nic_create(f.fabric, &cfg, NULL, &f.err), 0);
	assert_string_equal(rp_nic_find(f.fabric, "vm2")->cfg.socket, "/run/ringplane/vm2.sock");
	cfg.mode = 2;
	strlcpy(cfg.name, "vm3", sizeof(cfg.name));
	assert_int_equal(rp_nic_create(f.fabric, &cfg, NULL, &f.err), -EINVAL);
}

static void socket_path_is_checked(void **)
{
	static const char *const bad[] = {"vm1.sock", "/tmp/a,b",  "/tmp/a b",
					  "/tmp/a=b", "/tmp/\x01", "/tmp/[a]"};
	struct rp_nic_config cfg = nic_config("vm1", "net");

	cfg.mode = RP_VHOST_CLIENT;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		strlcpy(cfg.socket, bad[i], sizeof(cfg.socket));
		assert_int_equal(rp_nic_create(f.fabric, &cfg, NULL, &f.err), -EINVAL);
		assert_string_equal(f.err.field, "socket");
	}
	memset(cfg.socket, '/', sizeof(cfg.socket));
	assert_int_equal(rp_nic_create(f.fabric, &cfg, NULL, &f.err), -ENAMETOOLONG);
}

static void default_socket_must_fit_an_address(void **)
{
	char dir[80], name[RP_NAME_MAX];
	struct rp_fabric *fabric;
	struct rp_nic_config cfg;
	struct rp_network_config net = net_config("net", "10.0.0.0/24", NULL);

	memset(dir, 'd', sizeof(dir));
	dir[0] = '/';
	assert_null(rp_fabric_new(&fake_ops, &f.ops, "run", MAX_NICS, &f.err));
	assert_error(&f, EINVAL, "socket-dir", "run", "absolute");
	dir[sizeof(dir) - 1] = '\0';
	fabric = rp_fabric_new(&fake_ops, &f.ops, dir, MAX_NICS, &f.err);
	assert_non_null(fabric);
	assert_int_equal(rp_network_create(fabric, &net, NULL, NULL), 0);
	// 79 of the directory, 1 slash, 5 of ".sock" leave 22 of 107.
	memset(name, 'n', sizeof(name));
	name[23] = '\0';
	cfg = nic_config(name, "net");
	assert_int_equal(rp_nic_create(fabric, &cfg, NULL, &f.err), -ENAMETOOLONG);
	assert_string_equal(f.err.field, "socket");
	cfg.name[22] = '\0';
	assert_int_equal(rp_nic_create(fabric, &cfg, NULL, &f.err), 0);
	rp_fabric_free(fabric);
}

static void too_long_socket_dir_is_refused(void **)
{
	char dir[82];

	memset(dir, 'd', sizeof(dir));
	dir[0] = '/';
	dir[80] = '\0';
	assert_null(rp_fabric_new(&fake_ops, &f.ops, dir, MAX_NICS, &f.err));
	assert_int_equal(f.err.code, ENAMETOOLONG);
	assert_int_equal(errno, ENAMETOOLONG);
}

static void queues_are_limited(void **)
{
	struct rp_nic_config cfg = nic_config("vm1", "net");

	cfg.queues = 17;
	assert_int_equal(rp_nic_create(f.fabric, &cfg, NULL, &f.err), -EINVAL);
	assert_error(&f, EINVAL, "queues", "17", "1 to 16");
	cfg.queues = 16;
	assert_int_equal(rp_nic_create(f.fabric, &cfg, NULL, &f.err), 0);
}

static void number_of_nics_is_limited(void **)
{
	char name[16];

	for (int i = 0; i < MAX_NICS; i++) {
		snprintf(name, sizeof(name), "vm%d", i);
		assert_int_equal(nic_create(&f, name, "net"), 0);
	}
	assert_int_equal(nic_create(&f, "more", "net"), -ENOSPC);
	assert_error(&f, ENOSPC, "name", "more", "at most 31 NICs");
	assert_int_equal(nic_delete(&f, "vm3"), 0);
	assert_int_equal(nic_create(&f, "more", "net"), 0);
	assert_string_equal(nic_ip4(&f, "more"), "10.0.0.4");
}

static void delete_frees_address_and_mac(void **)
{
	struct rp_nic_config cfg = nic_config("vm3", "net");

	assert_int_equal(nic_create(&f, "vm1", "net"), 0);
	assert_int_equal(nic_create(&f, "vm2", "net"), 0);
	cfg.mac = rp_nic_find(f.fabric, "vm1")->cfg.mac;
	assert_int_equal(nic_delete(&f, "vm1"), 0);
	assert_null(rp_nic_find(f.fabric, "vm1"));
	assert_int_equal(f.ops.added, 1);
	assert_int_equal(f.ops.n_nics, 1);
	assert_int_equal(rp_network_find(f.fabric, "net")->n_nics, 1);
	assert_int_equal(rp_nic_create(f.fabric, &cfg, NULL, &f.err), 0);
	assert_string_equal(nic_ip4(&f, "vm3"), "10.0.0.1");
	assert_string_equal(nic_ip6(&f, "vm3"), "fd00::1");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(all_is_chosen_that_is_not_given),
		CASE(network_is_named_by_name_or_uuid),
		CASE(name_is_checked_and_unique),
		CASE(mac_is_checked),
		CASE(generated_macs_are_local_and_differ),
		CASE(given_address_is_checked),
		CASE(address_of_a_missing_family_is_refused),
		CASE(address_is_given_once_a_network),
		CASE(socket_of_ones_own_needs_client_mode),
		CASE(socket_path_is_checked),
		CASE(default_socket_must_fit_an_address),
		CASE(too_long_socket_dir_is_refused),
		CASE(queues_are_limited),
		CASE(number_of_nics_is_limited),
		CASE(delete_frees_address_and_mac),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
