// SPDX-License-Identifier: BSD-3-Clause
#include "unit/fabric/fixture.h"

static struct fixture f;

static int setup(void **)
{
	fixture_open(&f);
	return 0;
}

static int teardown(void **)
{
	fixture_close(&f);
	return 0;
}

static void names_are_checked(void **)
{
	char longest[RP_NAME_MAX], text[2] = "x";

	memset(longest, 'n', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(net_create(&f, "", "10.0.0.0/24", NULL), -EINVAL);
	assert_error(&f, EINVAL, "name", "", "missing");
	for (const char *bad = " /:,@#\\\"'*\x7f\xc3"; *bad != '\0'; bad++) {
		text[0] = *bad;
		assert_int_equal(net_create(&f, text, "10.0.0.0/24", NULL), -EINVAL);
		assert_error(&f, EINVAL, "name", text, "character 1 is not allowed");
	}
	assert_int_equal(net_create(&f, "a/b", "10.0.0.0/24", NULL), -EINVAL);
	assert_error(&f, EINVAL, "name", "a/b", "character 2");
	assert_int_equal(net_create(&f, longest, "10.0.0.0/24", NULL), 0);
	assert_int_equal(net_create(&f, "Az09._-", "10.0.0.0/24", NULL), 0);
	assert_int_equal(f.fabric->n_networks, 2);
}

static void unterminated_name_is_refused(void **)
{
	struct rp_network_config cfg = net_config("x", "10.0.0.0/24", NULL);

	memset(cfg.name, 'x', sizeof(cfg.name));
	assert_int_equal(rp_network_create(f.fabric, &cfg, NULL, NULL), -EINVAL);
}

static void name_is_unique(void **)
{
	const char *uuid;

	assert_int_equal(net_create(&f, "a", "10.0.0.0/24", NULL), 0);
	assert_int_equal(net_create(&f, "a", "10.0.1.0/24", NULL), -EEXIST);
	assert_error(&f, EEXIST, "name", "a", "choose another");
	assert_int_equal(net_create(&f, "A", "10.0.0.0/24", NULL), 0);
	// One could not be told from the other.
	uuid = rp_network_find(f.fabric, "a")->uuid;
	assert_int_equal(net_create(&f, uuid, "10.0.1.0/24", NULL), -EEXIST);
}

static void found_by_name_and_uuid(void **)
{
	struct rp_network *a;
	char upper[RP_UUID_STR];

	assert_int_equal(net_create(&f, "a", "10.0.0.0/24", NULL), 0);
	a = rp_network_find(f.fabric, "a");
	assert_non_null(a);
	assert_int_equal(strlen(a->uuid), 36);
	assert_int_equal(a->uuid[14], '4');
	assert_non_null(strchr("89ab", a->uuid[19]));
	assert_ptr_equal(rp_network_find(f.fabric, a->uuid), a);
	for (int i = 0; i < RP_UUID_STR; i++)
		upper[i] = a->uuid[i] >= 'a' ? (char)(a->uuid[i] - 32) : a->uuid[i];
	assert_ptr_equal(rp_network_find(f.fabric, upper), a);
	assert_null(rp_network_find(f.fabric, "b"));
	assert_null(rp_network_find(f.fabric, ""));
}

static void one_family_is_required(void **)
{
	assert_int_equal(net_create(&f, "a", NULL, NULL), -EINVAL);
	assert_error(&f, EINVAL, "ipv4", "", "ipv4 SUBNET, ipv6 PREFIX or both");
	assert_int_equal(net_create(&f, "four", "10.0.0.0/24", NULL), 0);
	assert_int_equal(net_create(&f, "six", NULL, "fd00::/64"), 0);
	assert_int_equal(net_create(&f, "both", "10.0.0.0/24", "fd00::/64"), 0);
}

static void host_bits_are_refused(void **)
{
	struct rp_network_config cfg = net_config("a", "10.0.0.0/24", NULL);

	cfg.ip4.addr.bytes[3] = 1;
	assert_int_equal(rp_network_create(f.fabric, &cfg, NULL, &f.err), -EINVAL);
	assert_error(&f, EINVAL, "ipv4", "10.0.0.1/24", "10.0.0.0/24");
	cfg = net_config("a", NULL, "fd00::/64");
	cfg.ip6.addr.bytes[15] = 1;
	assert_int_equal(rp_network_create(f.fabric, &cfg, NULL, &f.err), -EINVAL);
	assert_error(&f, EINVAL, "ipv6", "fd00::1/64", "fd00::/64");
}

static void family_of_a_subnet_is_checked(void **)
{
	struct rp_network_config cfg = net_config("a", NULL, NULL);

	cfg.ip4 = prefix("fd00::/64");
	assert_int_equal(rp_network_create(f.fabric, &cfg, NULL, &f.err), -EINVAL);
	assert_error(&f, EINVAL, "ipv4", "fd00::/64", "IPv4");
	cfg = net_config("a", NULL, NULL);
	cfg.ip6 = prefix("10.0.0.0/24");
	assert_int_equal(rp_network_create(f.fabric, &cfg, NULL, &f.err), -EINVAL);
	assert_error(&f, EINVAL, "ipv6", "10.0.0.0/24", "IPv6");
}

static void prefix_lengths_are_limited(void **)
{
	struct rp_network_config cfg = net_config("a", "10.0.0.0/24", NULL);

	assert_int_equal(net_create(&f, "a", "10.0.0.0/7", NULL), -EINVAL);
	assert_error(&f, EINVAL, "ipv4", "10.0.0.0/7", "/8 to /30");
	assert_int_equal(net_create(&f, "a", "10.0.0.0/31", NULL), -EINVAL);
	assert_int_equal(net_create(&f, "a", "10.0.0.1/32", NULL), -EINVAL);
	assert_int_equal(net_create(&f, "a", NULL, "fc00::/15"), -EINVAL);
	assert_error(&f, EINVAL, "ipv6", "fc00::/15", "/16 to /126");
	assert_int_equal(net_create(&f, "a", NULL, "fd00::/127"), -EINVAL);
	cfg.ip4.len = 255;
	assert_int_equal(rp_network_create(f.fabric, &cfg, NULL, NULL), -EINVAL);
	assert_int_equal(net_create(&f, "a", "10.0.0.0/8", "fd00::/16"), 0);
	assert_int_equal(net_create(&f, "b", "10.0.0.0/30", "fd00::/126"), 0);
}

static void ranges_without_vms_are_refused(void **)
{
	static const char *const bad4[] = {"0.0.0.0/8",	     "127.0.0.0/8",    "127.1.0.0/16",
					   "169.254.0.0/16", "169.254.0.0/24", "224.0.0.0/8",
					   "239.1.2.0/24",   "240.0.0.0/8",    "255.255.255.0/24"};
	static const char *const bad6[] = {"::/16",	"::/96",     "::ffff:10.0.0.0/104",
					   "fe80::/64", "febf::/16", "ff02::/16"};

	for (size_t i = 0; i < sizeof(bad4) / sizeof(bad4[0]); i++) {
		assert_int_equal(net_create(&f, "a", bad4[i], NULL), -EINVAL);
		assert_error(&f, EINVAL, "ipv4", bad4[i], "choose another range");
	}
	for (size_t i = 0; i < sizeof(bad6) / sizeof(bad6[0]); i++) {
		assert_int_equal(net_create(&f, "a", NULL, bad6[i]), -EINVAL);
		assert_error(&f, EINVAL, "ipv6", bad6[i], "choose another range");
	}
	assert_int_equal(net_create(&f, "a", "169.253.0.0/16", "64:ff9b::/96"), 0);
}

static void public_networks_do_not_overlap(void **)
{
	assert_int_equal(net_create_public(&f, "a", "10.0.0.0/16", "fd00::/48"), 0);
	assert_int_equal(net_create_public(&f, "b", "10.0.5.0/24", NULL), -EEXIST);
	assert_error(&f, EEXIST, "ipv4", "10.0.5.0/24", "10.0.0.0/16 of public network 'a'");
	assert_int_equal(net_create_public(&f, "b", "10.0.0.0/8", NULL), -EEXIST);
	assert_int_equal(net_create_public(&f, "b", "10.1.0.0/16", "fd00:0:0:9::/64"), -EEXIST);
	assert_error(&f, EEXIST, "ipv6", "fd00:0:0:9::/64", "fd00::/48 of public network 'a'");
	assert_int_equal(net_create_public(&f, "b", "10.1.0.0/16", "fd00:0:1::/48"), 0);
}

static void private_networks_may_overlap(void **)
{
	assert_int_equal(net_create_public(&f, "a", "10.0.0.0/16", "fd00::/48"), 0);
	assert_int_equal(net_create(&f, "b", "10.0.0.0/16", "fd00::/48"), 0);
	assert_int_equal(net_create(&f, "c", "10.0.0.0/24", "fd00::/48"), 0);
}

static void public_subnet_keeps_off_prefixes_of_public_nics(void **)
{
	assert_int_equal(net_create_public(&f, "a", "10.0.0.0/16", NULL), 0);
	assert_int_equal(nic_create_with(&f, "vm1", "a", "172.16.0.0/16"), 0);
	assert_int_equal(net_create_public(&f, "b", "172.16.5.0/24", NULL), -EEXIST);
	assert_error(&f, EEXIST, "ipv4", "172.16.5.0/24", "172.16.0.0/16, which is routed to NIC");
	assert_int_equal(net_create(&f, "b", "172.16.5.0/24", NULL), 0);
}

static void public_subnet_keeps_off_the_hosts_addresses(void **)
{
	struct rp_addr host = addr("fd72:696e:67::1");

	assert_int_equal(rp_fabric_reserve(f.fabric, &host), 0);
	assert_int_equal(net_create_public(&f, "a", NULL, "fd72:696e:67::/64"), -EEXIST);
	assert_error(&f, EEXIST, "ipv6", "fd72:696e:67::/64", "fd72:696e:67::1, the host's own");
	assert_int_equal(net_create(&f, "a", NULL, "fd72:696e:67::/64"), 0);
	for (int i = 1; i < RP_RESERVED_MAX; i++)
		assert_int_equal(rp_fabric_reserve(f.fabric, &host), 0);
	assert_int_equal(rp_fabric_reserve(f.fabric, &host), -ENOSPC);
}

static void mtu_is_limited_and_defaults(void **)
{
	static const uint16_t bad[] = {1, 576, 1279, 9001, 65535};
	struct rp_network_config cfg = net_config("a", "10.0.0.0/24", NULL);

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cfg.mtu = bad[i];
		assert_int_equal(rp_network_create(f.fabric, &cfg, NULL, &f.err), -EINVAL);
		assert_string_equal(f.err.field, "mtu");
		assert_string_equal(f.err.expected, "out of range; expected 1280 to 9000");
	}
	assert_int_equal(net_create(&f, "a", "10.0.0.0/24", NULL), 0);
	assert_int_equal(rp_network_find(f.fabric, "a")->cfg.mtu, 1500);
	strlcpy(cfg.name, "least", sizeof(cfg.name));
	cfg.mtu = 1280;
	assert_int_equal(rp_network_create(f.fabric, &cfg, NULL, NULL), 0);
	strlcpy(cfg.name, "most", sizeof(cfg.name));
	cfg.mtu = 9000;
	assert_int_equal(rp_network_create(f.fabric, &cfg, NULL, NULL), 0);
}

static void servers_are_checked(void **)
{
	static const char *const bad[] = {"0.0.0.0",   "::",	  "127.0.0.1",	    "::1",
					  "224.0.0.1", "ff02::1", "255.255.255.255"};
	struct rp_network_config cfg = net_config("a", "10.0.0.0/24", NULL);

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cfg.dns = (struct rp_addr_list){.n = 2, .addr = {addr("9.9.9.9"), addr(bad[i])}};
		assert_int_equal(rp_network_create(f.fabric, &cfg, NULL, &f.err), -EINVAL);
		assert_error(&f, EINVAL, "dns", bad[i], "unicast");
	}
	cfg.dns = (struct rp_addr_list){.n = 2, .addr = {addr("9.9.9.9"), addr("9.9.9.9")}};
	assert_int_equal(rp_network_create(f.fabric, &cfg, NULL, &f.err), -EINVAL);
	assert_error(&f, EINVAL, "dns", "9.9.9.9", "twice");
	cfg.dns.n = RP_DNS_MAX + 1;
	assert_int_equal(rp_network_create(f.fabric, &cfg, NULL, &f.err), -EINVAL);
	assert_error(&f, EINVAL, "dns", "", "at most 8");
	cfg.dns.n = 1;
	cfg.ntp = (struct rp_addr_list){.n = 1};
	assert_int_equal(rp_network_create(f.fabric, &cfg, NULL, &f.err), -EINVAL);
	assert_string_equal(f.err.field, "ntp");
	cfg.ntp.addr[0] = addr("fd00::123");
	assert_int_equal(rp_network_create(f.fabric, &cfg, NULL, NULL), 0);
}

static void domains_are_checked(void **)
{
	struct rp_network_config cfg = net_config("a", "10.0.0.0/24", NULL);

	strlcpy(cfg.domain, "exam ple.org", sizeof(cfg.domain));
	assert_int_equal(rp_network_create(f.fabric, &cfg, NULL, &f.err), -EINVAL);
	assert_error(&f, EINVAL, "domain", "exam ple.org", "no domain name");
	strlcpy(cfg.domain, "example.org", sizeof(cfg.domain));
	cfg.n_search = 2;
	strlcpy(cfg.search[0], "a.example.org", RP_DOMAIN_MAX);
	assert_int_equal(rp_network_create(f.fabric, &cfg, NULL, &f.err), -EINVAL);
	assert_error(&f, EINVAL, "search", "", "no domain name");
	strlcpy(cfg.search[1], "A.example.org", RP_DOMAIN_MAX);
	assert_int_equal(rp_network_create(f.fabric, &cfg, NULL, &f.err), -EINVAL);
	assert_error(&f, EINVAL, "search", "A.example.org", "twice");
	strlcpy(cfg.search[1], "b.example.org", RP_DOMAIN_MAX);
	assert_int_equal(rp_network_create(f.fabric, &cfg, NULL, NULL), 0);
	strlcpy(cfg.name, "b", sizeof(cfg.name));
	cfg.n_search = RP_SEARCH_MAX + 1;
	assert_int_equal(rp_network_create(f.fabric, &cfg, NULL, &f.err), -EINVAL);
	assert_error(&f, EINVAL, "search", "", "at most 6");
}

static void ids_are_small_and_reused(void **)
{
	assert_int_equal(net_create(&f, "a", "10.0.0.0/24", NULL), 0);
	assert_int_equal(net_create(&f, "b", "10.0.0.0/24", NULL), 0);
	assert_int_equal(net_create(&f, "c", "10.0.0.0/24", NULL), 0);
	assert_int_equal(rp_network_find(f.fabric, "a")->id, 1);
	assert_int_equal(rp_network_find(f.fabric, "c")->id, 3);
	assert_int_equal(net_delete(&f, "b", false, NULL), 0);
	assert_int_equal(net_delete(&f, "a", false, NULL), 0);
	assert_int_equal(net_create(&f, "d", "10.0.0.0/24", NULL), 0);
	assert_int_equal(rp_network_find(f.fabric, "d")->id, 1);
	assert_int_equal(net_create(&f, "e", "10.0.0.0/24", NULL), 0);
	assert_int_equal(rp_network_find(f.fabric, "e")->id, 2);
}

static void update_changes_settings_and_publishes(void **)
{
	struct rp_network_config cfg;
	struct rp_network *net;

	assert_int_equal(net_create(&f, "a", "10.0.0.0/24", NULL), 0);
	net = rp_network_find(f.fabric, "a");
	cfg = net->cfg;
	cfg.mtu = 9000;
	cfg.real_mask = true;
	cfg.dns = (struct rp_addr_list){.n = 1, .addr = {addr("9.9.9.9")}};
	strlcpy(cfg.domain, "example.org", sizeof(cfg.domain));
	f.ops.published = 0;
	assert_int_equal(rp_network_update(f.fabric, net, &cfg, &f.err), 0);
	assert_int_equal(f.ops.published, 1);
	assert_memory_equal(&net->cfg, &cfg, sizeof(cfg));
}

static void update_checks_settings(void **)
{
	struct rp_network_config cfg;
	struct rp_network *net;

	assert_int_equal(net_create(&f, "a", "10.0.0.0/24", NULL), 0);
	net = rp_network_find(f.fabric, "a");
	cfg = net->cfg;
	cfg.mtu = 70;
	assert_int_equal(rp_network_update(f.fabric, net, &cfg, &f.err), -EINVAL);
	assert_error(&f, EINVAL, "mtu", "70", "1280 to 9000");
	assert_int_equal(net->cfg.mtu, 1500);
}

static void update_cannot_change_what_is_fixed(void **)
{
	struct rp_network_config cfg;
	struct rp_network *net;

	assert_int_equal(net_create(&f, "a", "10.0.0.0/24", "fd00::/64"), 0);
	net = rp_network_find(f.fabric, "a");
	cfg = net->cfg;
	cfg.is_public = true;
	assert_int_equal(rp_network_update(f.fabric, net, &cfg, &f.err), -EINVAL);
	assert_error(&f, EINVAL, "public", "", "create it anew");
	cfg = net->cfg;
	cfg.ip4.len = 25;
	assert_int_equal(rp_network_update(f.fabric, net, &cfg, &f.err), -EINVAL);
	assert_string_equal(f.err.field, "ipv4");
	cfg = net->cfg;
	cfg.ip6 = prefix(NULL);
	assert_int_equal(rp_network_update(f.fabric, net, &cfg, &f.err), -EINVAL);
	assert_string_equal(f.err.field, "ipv6");
	cfg = net->cfg;
	cfg.name[0] = 'b';
	assert_int_equal(rp_network_update(f.fabric, net, &cfg, &f.err), -EINVAL);
	assert_string_equal(f.err.field, "name");
}

static void delete_with_nics_needs_force(void **)
{
	uint32_t n = 77;

	assert_int_equal(net_create(&f, "a", "10.0.0.0/24", NULL), 0);
	assert_int_equal(net_create(&f, "b", "10.0.0.0/24", NULL), 0);
	assert_int_equal(nic_create(&f, "a1", "a"), 0);
	assert_int_equal(nic_create(&f, "b1", "b"), 0);
	assert_int_equal(nic_create(&f, "a2", "a"), 0);
	assert_int_equal(net_delete(&f, "a", false, &n), -EBUSY);
	assert_error(&f, EBUSY, "name", "a", "has 2 NICs");
	assert_int_equal(n, 77);
	assert_int_equal(net_delete(&f, "a", true, &n), 0);
	assert_int_equal(n, 2);
	assert_null(rp_network_find(f.fabric, "a"));
	assert_null(rp_nic_find(f.fabric, "a1"));
	assert_null(rp_nic_find(f.fabric, "a2"));
	assert_non_null(rp_nic_find(f.fabric, "b1"));
	assert_int_equal(f.ops.added, 1);
	assert_int_equal(f.ops.n_networks, 1);
	assert_int_equal(f.ops.n_nics, 1);
}

static void delete_of_an_empty_network_counts_none(void **)
{
	uint32_t n = 77;

	assert_int_equal(net_create(&f, "a", "10.0.0.0/24", NULL), 0);
	assert_int_equal(net_delete(&f, "a", false, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(f.fabric->n_networks, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(names_are_checked),
		CASE(unterminated_name_is_refused),
		CASE(name_is_unique),
		CASE(found_by_name_and_uuid),
		CASE(one_family_is_required),
		CASE(host_bits_are_refused),
		CASE(family_of_a_subnet_is_checked),
		CASE(prefix_lengths_are_limited),
		CASE(ranges_without_vms_are_refused),
		CASE(public_networks_do_not_overlap),
		CASE(private_networks_may_overlap),
		CASE(public_subnet_keeps_off_prefixes_of_public_nics),
		CASE(public_subnet_keeps_off_the_hosts_addresses),
		CASE(mtu_is_limited_and_defaults),
		CASE(servers_are_checked),
		CASE(domains_are_checked),
		CASE(ids_are_small_and_reused),
		CASE(update_changes_settings_and_publishes),
		CASE(update_checks_settings),
		CASE(update_cannot_change_what_is_fixed),
		CASE(delete_with_nics_needs_force),
		CASE(delete_of_an_empty_network_counts_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
