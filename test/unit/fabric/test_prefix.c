// SPDX-License-Identifier: BSD-3-Clause
// Routed prefixes, and the addresses that they leave to the pool.
#include "unit/fabric/fixture.h"

#include "fabric/pool.h"

static struct fixture f;

static int setup(void **)
{
	fixture_open(&f);
	assert_int_equal(net_create(&f, "net", "10.0.0.0/24", "fd00::/64"), 0);
	assert_int_equal(nic_create(&f, "vm1", "net"), 0);
	assert_int_equal(nic_create(&f, "vm2", "net"), 0);
	return 0;
}

static int teardown(void **)
{
	fixture_close(&f);
	return 0;
}

static void added_and_removed(void **)
{
	const struct rp_nic_config *cfg = &rp_nic_find(f.fabric, "vm1")->cfg;
	char text[RP_ADDR_STR];

	assert_int_equal(nic_reroute(&f, "vm1", "10.9.0.0/24", NULL), 0);
	assert_int_equal(nic_reroute(&f, "vm1", "fd00:9::/64", NULL), 0);
	assert_int_equal(cfg->n_prefixes, 2);
	assert_int_equal(f.ops.n_prefixes, 2);
	assert_int_equal(nic_reroute(&f, "vm1", NULL, "10.9.0.0/24"), 0);
	assert_int_equal(cfg->n_prefixes, 1);
	assert_int_equal(f.ops.n_prefixes, 1);
	assert_string_equal(rp_prefix_format(&cfg->prefixes[0], text), "fd00:9::/64");
	assert_int_equal(nic_reroute(&f, "vm1", NULL, "10.9.0.0/24"), -ENOENT);
	assert_error(&f, ENOENT, "remove-prefix", "10.9.0.0/24", "not routed to NIC 'vm1'");
	assert_int_equal(nic_reroute(&f, "vm2", "10.9.0.0/24", NULL), 0);
}

static void replaced_in_one_change(void **)
{
	assert_int_equal(nic_reroute(&f, "vm1", "10.9.0.0/24", NULL), 0);
	assert_int_equal(nic_reroute(&f, "vm1", "10.9.0.0/16", "10.9.0.0/24"), 0);
	assert_int_equal(rp_nic_find(f.fabric, "vm1")->cfg.prefixes[0].len, 16);
}

static void refused_change_leaves_the_old_ones(void **)
{
	char *before, *after;

	assert_int_equal(nic_reroute(&f, "vm1", "10.9.0.0/24", NULL), 0);
	assert_int_equal(nic_reroute(&f, "vm2", "10.8.0.0/24", NULL), 0);
	before = snapshot(f.fabric, true);
	assert_int_equal(nic_reroute(&f, "vm1", "10.8.0.0/16", "10.9.0.0/24"), -EEXIST);
	after = snapshot(f.fabric, true);
	assert_string_equal(before, after);
	free(before);
	free(after);
}

static void overlaps_inside_a_network_are_refused(void **)
{
	assert_int_equal(nic_reroute(&f, "vm1", "10.9.0.0/16", NULL), 0);
	assert_int_equal(nic_reroute(&f, "vm2", "10.9.5.0/24", NULL), -EEXIST);
	assert_error(&f, EEXIST, "add-prefix", "10.9.5.0/24", "10.9.0.0/16, which is routed to");
	assert_int_equal(nic_reroute(&f, "vm1", "10.9.5.0/24", NULL), -EEXIST);
	assert_int_equal(nic_reroute(&f, "vm1", "10.8.0.0/15", NULL), -EEXIST);
	assert_int_equal(nic_create_with(&f, "vm3", "net", "10.9.5.0/24"), -EEXIST);
	assert_error(&f, EEXIST, "prefix", "10.9.5.0/24", "NIC 'vm1'");
	assert_int_equal(net_create(&f, "other", "10.0.0.0/24", NULL), 0);
	assert_int_equal(nic_create_with(&f, "vm3", "other", "10.9.5.0/24"), 0);
}

static void overlaps_inside_one_call_are_refused(void **)
{
	struct rp_prefix two[] = {prefix("10.9.0.0/24"), prefix("10.9.0.0/25")};
	struct rp_nic_config cfg = nic_config("vm3", "net");

	cfg.prefixes = two;
	cfg.n_prefixes = 2;
	assert_int_equal(rp_nic_create(f.fabric, &cfg, NULL, &f.err), -EEXIST);
	assert_error(&f, EEXIST, "prefix", "10.9.0.0/25", "10.9.0.0/24");
}

static void host_bits_lengths_and_ranges_are_checked(void **)
{
	static const char *const bad[] = {"10.0.0.0/7",	 "fc00::/15", "0.0.0.0/8", "224.0.0.0/24",
					  "127.0.0.0/8", "fe80::/64", "ff05::/16", "::/96"};
	struct rp_prefix host_bits = {.addr = addr("10.9.0.1"), .len = 24};
	struct rp_nic_update update = {.add = &host_bits, .n_add = 1};
	struct rp_nic *vm1 = rp_nic_find(f.fabric, "vm1");

	assert_int_equal(rp_nic_update(f.fabric, vm1, &update, &f.err), -EINVAL);
	assert_error(&f, EINVAL, "add-prefix", "10.9.0.1/24", "host bits");
	host_bits.addr.family = RP_NONE;
	assert_int_equal(rp_nic_update(f.fabric, vm1, &update, &f.err), -EINVAL);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(nic_reroute(&f, "vm1", bad[i], NULL), -EINVAL);
		assert_string_equal(f.err.value, bad[i]);
	}
	assert_int_equal(nic_reroute(&f, "vm1", "10.9.0.1/32", NULL), 0);
	assert_int_equal(nic_reroute(&f, "vm1", "fd00:9::1/128", NULL), 0);
}

static void family_must_be_the_networks(void **)
{
	assert_int_equal(net_create(&f, "four", "10.0.0.0/24", NULL), 0);
	assert_int_equal(nic_create_with(&f, "vm3", "four", "fd00:9::/64"), -EINVAL);
	assert_error(&f, EINVAL, "prefix", "fd00:9::/64", "network 'four' has no IPv6");
}

static void part_of_the_subnet_may_be_routed(void **)
{
	assert_int_equal(nic_reroute(&f, "vm1", "10.0.0.128/25", NULL), 0);
	assert_int_equal(nic_create_at(&f, "vm3", "net", "10.0.0.200"), -EEXIST);
	assert_error(&f, EEXIST, "ipv4", "10.0.0.200", "10.0.0.128/25, which is routed to NIC");
	// Its own address may be inside, another NIC's may not.
	assert_int_equal(nic_reroute(&f, "vm1", NULL, "10.0.0.128/25"), 0);
	assert_int_equal(nic_create_at(&f, "vm3", "net", "10.0.0.200"), 0);
	assert_int_equal(nic_reroute(&f, "vm1", "10.0.0.128/25", NULL), -EEXIST);
	assert_error(&f, EEXIST, "add-prefix", "10.0.0.128/25", "10.0.0.200, the address of NIC");
	assert_int_equal(nic_reroute(&f, "vm3", "10.0.0.128/25", NULL), 0);
}

static void whole_subnet_cannot_be_routed(void **)
{
	assert_int_equal(nic_reroute(&f, "vm1", "10.0.0.0/24", NULL), -EINVAL);
	assert_error(&f, EINVAL, "add-prefix", "10.0.0.0/24", "covers all of network 'net'");
	assert_int_equal(nic_reroute(&f, "vm1", "10.0.0.0/8", NULL), -EINVAL);
	assert_int_equal(nic_reroute(&f, "vm1", "fd00::/16", NULL), -EINVAL);
}

static void public_networks_share_one_scope(void **)
{
	struct rp_addr host = addr("172.31.0.1");

	assert_int_equal(rp_fabric_reserve(f.fabric, &host), 0);
	assert_int_equal(net_create_public(&f, "p1", "172.16.0.0/24", NULL), 0);
	assert_int_equal(net_create_public(&f, "p2", "172.16.1.0/24", NULL), 0);
	assert_int_equal(nic_create_with(&f, "a", "p1", "172.20.0.0/16"), 0);
	assert_int_equal(nic_create(&f, "b", "p2"), 0);
	assert_int_equal(nic_reroute(&f, "b", "172.20.3.0/24", NULL), -EEXIST);
	assert_error(&f, EEXIST, "add-prefix", "172.20.3.0/24", "NIC 'a' of network 'p1'");
	assert_int_equal(nic_reroute(&f, "b", "172.16.0.0/25", NULL), -EEXIST);
	assert_error(&f, EEXIST, "add-prefix", "172.16.0.0/25", "public network 'p1'");
	assert_int_equal(nic_reroute(&f, "b", "172.31.0.0/16", NULL), -EEXIST);
	assert_error(&f, EEXIST, "add-prefix", "172.31.0.0/16", "the host's own");
	// A private network is alone.
	assert_int_equal(nic_reroute(&f, "vm1", "172.20.3.0/24", NULL), 0);
}

static void number_of_prefixes_is_limited(void **)
{
	struct rp_prefix many[RP_ROUTED_MAX + 1];
	struct rp_nic_config cfg = nic_config("vm3", "net");

	for (int i = 0; i <= RP_ROUTED_MAX; i++) {
		many[i] = prefix("10.9.0.0/24");
		many[i].addr.bytes[2] = (uint8_t)i;
	}
	cfg.prefixes = many;
	cfg.n_prefixes = RP_ROUTED_MAX + 1;
	assert_int_equal(rp_nic_create(f.fabric, &cfg, NULL, &f.err), -EINVAL);
	assert_error(&f, EINVAL, "prefix", "", "at most 64");
	cfg.n_prefixes--;
	assert_int_equal(rp_nic_create(f.fabric, &cfg, NULL, &f.err), 0);
	assert_int_equal(nic_reroute(&f, "vm3", "10.10.0.0/24", NULL), -EINVAL);
}

static void pool_gives_the_lowest_free_address(void **)
{
	assert_int_equal(nic_create_at(&f, "vm4", "net", "10.0.0.4"), 0);
	assert_int_equal(nic_create(&f, "vm5", "net"), 0);
	assert_string_equal(nic_ip4(&f, "vm5"), "10.0.0.3");
	assert_string_equal(nic_ip6(&f, "vm5"), "fd00::4");
	assert_int_equal(nic_create(&f, "vm6", "net"), 0);
	assert_string_equal(nic_ip4(&f, "vm6"), "10.0.0.5");
	assert_int_equal(nic_delete(&f, "vm1"), 0);
	assert_int_equal(nic_create(&f, "vm7", "net"), 0);
	assert_string_equal(nic_ip4(&f, "vm7"), "10.0.0.1");
	assert_string_equal(nic_ip6(&f, "vm7"), "fd00::1");
}

static void pool_steps_over_routed_prefixes(void **)
{
	assert_int_equal(nic_reroute(&f, "vm1", "10.0.0.4/30", NULL), 0);
	assert_int_equal(nic_reroute(&f, "vm2", "10.0.0.8/29", NULL), 0);
	assert_int_equal(nic_reroute(&f, "vm2", "fd00::/127", NULL), -EEXIST);
	assert_int_equal(nic_reroute(&f, "vm2", "fd00::4/126", NULL), 0);
	assert_int_equal(nic_create(&f, "vm3", "net"), 0);
	assert_string_equal(nic_ip4(&f, "vm3"), "10.0.0.3");
	assert_string_equal(nic_ip6(&f, "vm3"), "fd00::3");
	assert_int_equal(nic_create(&f, "vm4", "net"), 0);
	assert_string_equal(nic_ip4(&f, "vm4"), "10.0.0.16");
	assert_string_equal(nic_ip6(&f, "vm4"), "fd00::8");
	// Its own too: a host route wins, but nobody would expect the address inside.
	assert_int_equal(nic_create_with(&f, "vm5", "net", "10.0.0.16/28"), -EEXIST);
	assert_int_equal(nic_delete(&f, "vm4"), 0);
	assert_int_equal(nic_create_with(&f, "vm5", "net", "10.0.0.16/28"), 0);
	assert_string_equal(nic_ip4(&f, "vm5"), "10.0.0.32");
}

static void full_network_is_an_error(void **)
{
	assert_int_equal(net_create(&f, "tiny", "10.0.0.0/30", NULL), 0);
	assert_int_equal(nic_create(&f, "a", "tiny"), 0);
	assert_int_equal(nic_create(&f, "b", "tiny"), 0);
	assert_string_equal(nic_ip4(&f, "b"), "10.0.0.2");
	assert_int_equal(nic_create(&f, "c", "tiny"), -ENOSPC);
	assert_error(&f, ENOSPC, "ipv4", "10.0.0.0/30", "network 'tiny' is full");
	assert_null(rp_nic_find(f.fabric, "c"));
	assert_int_equal(net_create(&f, "tiny6", NULL, "fd00::/126"), 0);
	for (char name[] = "x1"; name[1] <= '3'; name[1]++)
		assert_int_equal(nic_create(&f, name, "tiny6"), 0);
	assert_string_equal(nic_ip6(&f, "x3"), "fd00::3");
	assert_int_equal(nic_create(&f, "x4", "tiny6"), -ENOSPC);
	assert_error(&f, ENOSPC, "ipv6", "fd00::/126", "full");
	assert_int_equal(nic_delete(&f, "x2"), 0);
	assert_int_equal(nic_create(&f, "x4", "tiny6"), 0);
	assert_string_equal(nic_ip6(&f, "x4"), "fd00::2");
}

static void carry_passes_every_byte(void **)
{
	assert_int_equal(net_create(&f, "wide", "10.0.0.0/8", "fd00::/16"), 0);
	assert_int_equal(nic_create_with(&f, "a", "wide", "10.0.0.0/9"), 0);
	assert_string_equal(nic_ip4(&f, "a"), "10.128.0.0");
	assert_int_equal(nic_create_with(&f, "b", "wide", "fd00::/17"), -EEXIST);
	assert_int_equal(nic_delete(&f, "a"), 0);
	assert_int_equal(nic_create_with(&f, "b", "wide", "fd00::/17"), 0);
	assert_string_equal(nic_ip6(&f, "b"), "fd00:8000::");
	assert_string_equal(nic_ip4(&f, "b"), "10.0.0.1");
}

static void last_address_of_a_prefix(void **)
{
	static const struct {
		const char *prefix, *last;
	} cases[] = {
		{"10.0.0.0/24", "10.0.0.255"},
		{"10.0.0.0/30", "10.0.0.3"},
		{"10.0.0.7/32", "10.0.0.7"},
		{"10.0.0.0/13", "10.7.255.255"},
		{"fd00::/64", "fd00::ffff:ffff:ffff:ffff"},
		{"fd00::1/128", "fd00::1"},
		{"fd00::8/125", "fd00::f"},
	};
	char text[RP_ADDR_STR];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rp_prefix p = prefix(cases[i].prefix);
		struct rp_addr last = rp_prefix_last(&p);

		assert_string_equal(rp_addr_format(&last, text), cases[i].last);
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(added_and_removed),
		CASE(replaced_in_one_change),
		CASE(refused_change_leaves_the_old_ones),
		CASE(overlaps_inside_a_network_are_refused),
		CASE(overlaps_inside_one_call_are_refused),
		CASE(host_bits_lengths_and_ranges_are_checked),
		CASE(family_must_be_the_networks),
		CASE(part_of_the_subnet_may_be_routed),
		CASE(whole_subnet_cannot_be_routed),
		CASE(public_networks_share_one_scope),
		CASE(number_of_prefixes_is_limited),
		CASE(pool_gives_the_lowest_free_address),
		CASE(pool_steps_over_routed_prefixes),
		CASE(full_network_is_an_error),
		CASE(carry_passes_every_byte),
		CASE(last_address_of_a_prefix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
