// SPDX-License-Identifier: BSD-3-Clause
#include "fabric/check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fabric/pool.h"
#include "packet/dns_name.h"

static bool name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '.' || c == '_' || c == '-';
}

int rp_check_name(const char *name, struct rp_error *err)
{
	size_t n = strnlen(name, RP_NAME_MAX);

	if (n == 0)
		return rp_error_set(err, EINVAL, "name", NULL,
				    "missing; expected 1 to %d characters of A-Z a-z 0-9 . _ -",
				    RP_NAME_MAX - 1);
	if (n == RP_NAME_MAX)
		return rp_error_set(err, EINVAL, "name", name, "longer than %d characters",
				    RP_NAME_MAX - 1);
	for (size_t i = 0; i < n; i++) {
		if (!name_char(name[i]))
			return rp_error_set(err, EINVAL, "name", name,
					    "character %zu is not allowed; expected 1 to %d "
					    "characters of A-Z a-z 0-9 . _ -",
					    i + 1, RP_NAME_MAX - 1);
	}
	return 0;
}

int rp_check_range(const char *field, uint32_t value, uint32_t min, uint32_t max,
		   struct rp_error *err)
{
	char text[16];

	if (value >= min && value <= max)
		return 0;
	snprintf(text, sizeof(text), "%u", value);
	return rp_error_set(err, EINVAL, field, text, "out of range; expected %u to %u", min, max);
}

// Ranges that no network of VMs can have, whatever its length.
static const struct {
	struct rp_prefix prefix;
	const char *what;
} unroutable[] = {
	{{{RP_IP4, {{0}}}, 8}, "0.0.0.0/8, which means \"this network\""},
	{{{RP_IP4, {{127}}}, 8}, "127.0.0.0/8, the loopback range"},
	{{{RP_IP4, {{169, 254}}}, 16}, "169.254.0.0/16, the link-local range of the gateway"},
	{{{RP_IP4, {{224}}}, 3}, "224.0.0.0/3, the multicast and reserved range"},
	{{{RP_IP6, {{0}}}, 96}, "::/96, where the unspecified and the loopback address are"},
	{{{RP_IP6, {{[10] = 0xff, 0xff}}}, 96}, "::ffff:0:0/96, the IPv4-mapped range"},
	{{{RP_IP6, {{0xfe, 0x80}}}, 10}, "fe80::/10, the link-local range of the gateway"},
	{{{RP_IP6, {{0xff}}}, 8}, "ff00::/8, the multicast range"},
};

int rp_check_prefix(const char *field, const struct rp_prefix *p, enum rp_family family,
		    uint8_t min_len, uint8_t max_len, struct rp_error *err)
{
	char text[RP_ADDR_STR], right[RP_ADDR_STR];
	struct rp_prefix masked;

	rp_prefix_format(p, text);
	if (p->addr.family != family)
		return rp_error_set(err, EINVAL, field, text, "expected an IPv%d prefix", family);
	if (p->len < min_len || p->len > max_len)
		return rp_error_set(err, EINVAL, field, text,
				    "prefix length out of range; expected /%u to /%u", min_len,
				    max_len);
	masked = (struct rp_prefix){rp_addr_mask(&p->addr, p->len), p->len};
	if (!rp_addr_equal(&masked.addr, &p->addr))
		return rp_error_set(err, EINVAL, field, text,
				    "host bits are set; expected the subnet itself: %s",
				    rp_prefix_format(&masked, right));
	for (size_t i = 0; i < sizeof(unroutable) / sizeof(unroutable[0]); i++) {
		if (rp_prefix_overlaps(&unroutable[i].prefix, p))
			return rp_error_set(err, EINVAL, field, text,
					    "overlaps %s; choose another range",
					    unroutable[i].what);
	}
	return 0;
}

static const char *server_fault(const struct rp_addr *a)
{
	if (a->family != RP_IP4 && a->family != RP_IP6)
		return "no address of either family";
	if (rp_addr_is_unspecified(a))
		return "the unspecified address";
	if (rp_addr_is_loopback(a))
		return "a loopback address, which is the VM itself";
	if (rp_addr_is_multicast(a))
		return "a multicast address";
	if (a->family == RP_IP4 && a->ip4 == UINT32_MAX)
		return "the broadcast address";
	return NULL;
}

int rp_check_servers(const char *field, const struct rp_addr_list *list, uint8_t max,
		     struct rp_error *err)
{
	char text[RP_ADDR_STR];

	if (list->n > max)
		return rp_error_set(err, EINVAL, field, NULL, "%u addresses; expected at most %u",
				    list->n, max);
	for (uint8_t i = 0; i < list->n; i++) {
		const char *fault = server_fault(&list->addr[i]);

		rp_addr_format(&list->addr[i], text);
		if (fault != NULL)
			return rp_error_set(err, EINVAL, field, text,
					    "is %s; expected a server's unicast address", fault);
		for (uint8_t j = 0; j < i; j++) {
			if (rp_addr_equal(&list->addr[i], &list->addr[j]))
				return rp_error_set(err, EINVAL, field, text,
						    "given twice; once is enough");
		}
	}
	return 0;
}

int rp_check_domain(const char *field, const char *name, struct rp_error *err)
{
	if (rp_dns_name_valid(name))
		return 0;
	return rp_error_set(err, EINVAL, field, name,
			    "no domain name; expected labels of 1 to 63 letters, digits and '-', "
			    "such as example.org, together at most 253 characters");
}

int rp_check_socket(const char *field, const char *path, struct rp_error *err)
{
	const size_t max = sizeof(((struct rp_nic_config *)NULL)->socket);

	if (path[0] != '/')
		return rp_error_set(err, EINVAL, field, path, "expected an absolute path");
	if (strnlen(path, max) == max)
		return rp_error_set(err, ENAMETOOLONG, field, path,
				    "longer than the %zu bytes of a Unix socket address; use a "
				    "shorter directory or name",
				    max - 1);
	for (const char *c = path; *c != '\0'; c++) {
		// DPDK parses the path as part of a device string, where these have a meaning.
		if (*c <= ' ' || *c > '~' || strchr(",=[]()\"'", *c) != NULL)
			return rp_error_set(err, EINVAL, field, path,
					    "character %td cannot stand in a device's arguments; "
					    "expected printable ASCII without blanks , = [ ] ( ) "
					    "and quotes",
					    c - path + 1);
	}
	return 0;
}

// One routing table serves the networks: their own, or the host's for all public ones.
static bool shares_scope(const struct rp_network *a, const struct rp_network *b)
{
	return a == b || (a->cfg.is_public && b->cfg.is_public);
}

static int check_subnets(const struct rp_fabric *fabric, const struct rp_network *network,
			 const char *field, const struct rp_prefix *p, struct rp_error *err)
{
	const struct rp_network *other;
	char text[RP_ADDR_STR], theirs[RP_ADDR_STR];

	TAILQ_FOREACH (other, &fabric->networks, entry) {
		const struct rp_prefix *subnet =
			p->addr.family == RP_IP4 ? &other->cfg.ip4 : &other->cfg.ip6;

		if (other == network || !shares_scope(other, network) ||
		    subnet->addr.family == RP_NONE || !rp_prefix_overlaps(subnet, p))
			continue;
		return rp_error_set(err, EEXIST, field, rp_prefix_format(p, text),
				    "overlaps %s of public network '%s'; public networks share the "
				    "host's routing table: choose another range",
				    rp_prefix_format(subnet, theirs), other->cfg.name);
	}
	return 0;
}

static int check_prefixes_of(const struct rp_nic *nic, const char *field, const struct rp_prefix *p,
			     struct rp_error *err)
{
	char text[RP_ADDR_STR], theirs[RP_ADDR_STR];

	for (uint16_t i = 0; i < nic->cfg.n_prefixes; i++) {
		const struct rp_prefix *have = &nic->cfg.prefixes[i];

		if (rp_prefix_overlaps(have, p))
			return rp_error_set(err, EEXIST, field, rp_prefix_format(p, text),
					    "overlaps %s, which is routed to NIC '%s' of network "
					    "'%s'",
					    rp_prefix_format(have, theirs), nic->cfg.name,
					    nic->network->cfg.name);
	}
	return 0;
}

int rp_check_unclaimed(const struct rp_fabric *fabric, const struct rp_network *network,
		       const struct rp_nic *nic, const char *field, const struct rp_prefix *p,
		       struct rp_error *err)
{
	const struct rp_nic *other;
	char text[RP_ADDR_STR], theirs[RP_ADDR_STR];
	int rc = check_subnets(fabric, network, field, p, err);

	if (rc < 0)
		return rc;
	TAILQ_FOREACH (other, &fabric->nics, entry) {
		if (other == nic || !shares_scope(other->network, network))
			continue;
		rc = check_prefixes_of(other, field, p, err);
		if (rc < 0)
			return rc;
	}
	for (uint8_t i = 0; network->cfg.is_public && i < fabric->n_reserved; i++) {
		if (rp_prefix_contains(p, &fabric->reserved[i]))
			return rp_error_set(
				err, EEXIST, field, rp_prefix_format(p, text),
				"contains %s, the host's own address on the TAP; choose "
				"another range",
				rp_addr_format(&fabric->reserved[i], theirs));
	}
	return 0;
}

int rp_check_mac(const struct rp_fabric *fabric, const struct rte_ether_addr *mac,
		 struct rp_error *err)
{
	const struct rp_nic *other;
	char text[RP_MAC_STR];

	rp_mac_format(mac, text);
	if (rte_is_multicast_ether_addr(mac))
		return rp_error_set(err, EINVAL, "mac", text,
				    "is a multicast address; expected an even first byte, such as "
				    "in 52:54:00:12:34:01");
	if (rte_is_zero_ether_addr(mac))
		return rp_error_set(err, EINVAL, "mac", text,
				    "is all zero; leave it out to have one generated");
	if (rte_is_same_ether_addr(mac, &rp_gateway_mac))
		return rp_error_set(err, EEXIST, "mac", text,
				    "is the gateway's own; choose another");
	TAILQ_FOREACH (other, &fabric->nics, entry) {
		if (rte_is_same_ether_addr(mac, &other->cfg.mac))
			return rp_error_set(err, EEXIST, "mac", text,
					    "is already that of NIC '%s'; choose another or leave "
					    "it out to have one generated",
					    other->cfg.name);
	}
	return 0;
}

static int check_addr_free(const struct rp_fabric *fabric, const struct rp_nic *nic,
			   const char *field, const struct rp_addr *addr, struct rp_error *err)
{
	const struct rp_nic *other;
	char text[RP_ADDR_STR], theirs[RP_ADDR_STR];

	rp_addr_format(addr, text);
	TAILQ_FOREACH (other, &fabric->nics, entry) {
		if (other == nic || other->network != nic->network)
			continue;
		if (rp_addr_equal(addr, &other->cfg.ip4) || rp_addr_equal(addr, &other->cfg.ip6))
			return rp_error_set(err, EEXIST, field, text,
					    "is already that of NIC '%s'; choose another or leave "
					    "it out for the lowest free one",
					    other->cfg.name);
		for (uint16_t i = 0; i < other->cfg.n_prefixes; i++) {
			const struct rp_prefix *p = &other->cfg.prefixes[i];

			if (rp_prefix_contains(p, addr))
				return rp_error_set(err, EEXIST, field, text,
						    "is inside %s, which is routed to NIC '%s'; "
						    "choose another",
						    rp_prefix_format(p, theirs), other->cfg.name);
		}
	}
	return 0;
}

int rp_check_nic_addr(const struct rp_fabric *fabric, const struct rp_nic *nic, const char *field,
		      const struct rp_addr *addr, struct rp_error *err)
{
	const struct rp_network_config *net = &nic->network->cfg;
	const struct rp_prefix *subnet = addr->family == RP_IP4 ? &net->ip4 : &net->ip6;
	char text[RP_ADDR_STR], range[RP_ADDR_STR];
	struct rp_addr last;

	rp_addr_format(addr, text);
	if (subnet->addr.family != addr->family)
		return rp_error_set(err, EINVAL, field, text, "network '%s' has no IPv%d",
				    net->name, addr->family);
	rp_prefix_format(subnet, range);
	if (!rp_prefix_contains(subnet, addr))
		return rp_error_set(err, EINVAL, field, text,
				    "outside of network '%s'; expected an address in %s", net->name,
				    range);
	if (rp_addr_equal(addr, &subnet->addr))
		return rp_error_set(err, EINVAL, field, text,
				    "is the address of the subnet %s itself; choose a higher one",
				    range);
	last = rp_prefix_last(subnet);
	if (addr->family == RP_IP4 && rp_addr_equal(addr, &last))
		return rp_error_set(err, EINVAL, field, text,
				    "is the broadcast address of %s; choose a lower one", range);
	return check_addr_free(fabric, nic, field, addr, err);
}

int rp_check_routed(const struct rp_fabric *fabric, const struct rp_nic *nic, const char *field,
		    const struct rp_prefix *p, struct rp_error *err)
{
	const struct rp_network_config *net = &nic->network->cfg;
	bool ip4 = p->addr.family == RP_IP4;
	const struct rp_prefix *subnet = ip4 ? &net->ip4 : &net->ip6;
	char text[RP_ADDR_STR], theirs[RP_ADDR_STR];
	const struct rp_nic *other;
	int rc;

	rc = rp_check_prefix(field, p, ip4 ? RP_IP4 : RP_IP6, ip4 ? RP_ROUTED4_MIN : RP_ROUTED6_MIN,
			     ip4 ? 32 : 128, err);
	if (rc < 0)
		return rc;
	rp_prefix_format(p, text);
	if (subnet->addr.family != p->addr.family)
		return rp_error_set(err, EINVAL, field, text, "network '%s' has no IPv%d",
				    net->name, p->addr.family);
	if (p->len <= subnet->len && rp_prefix_contains(p, &subnet->addr))
		return rp_error_set(err, EINVAL, field, text,
				    "covers all of network '%s'; expected a part of %s or a prefix "
				    "outside of it",
				    net->name, rp_prefix_format(subnet, theirs));
	rc = check_prefixes_of(nic, field, p, err);
	if (rc == 0)
		rc = rp_check_unclaimed(fabric, nic->network, nic, field, p, err);
	if (rc < 0)
		return rc;
	TAILQ_FOREACH (other, &fabric->nics, entry) {
		const struct rp_addr *addr = ip4 ? &other->cfg.ip4 : &other->cfg.ip6;

		if (other == nic || other->network != nic->network || !rp_prefix_contains(p, addr))
			continue;
		return rp_error_set(err, EEXIST, field, text,
				    "contains %s, the address of NIC '%s'; choose another range",
				    rp_addr_format(addr, theirs), other->cfg.name);
	}
	return 0;
}
