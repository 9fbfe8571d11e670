// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>

#include "net/tap/internal.h"

/*
 * The kernel's routes to the VMs: `PREFIX dev IFNAME proto 114 src HOST-ADDRESS mtu MTU`, in the
 * main table. What has another protocol or leads through another interface is somebody else's.
 */

static const struct rp_addr *source_of(const struct rp_kernel_if *k, uint8_t family)
{
	return family == RP_IP4 ? &k->ip4 : &k->ip6;
}

static struct rtnl_route *make_route(const struct rp_kernel_if *k, const struct rp_prefix *prefix,
				     uint16_t mtu)
{
	const struct rp_addr *from = source_of(k, prefix->addr.family);
	struct rtnl_route *route = rtnl_route_alloc();
	struct rtnl_nexthop *via = rtnl_route_nh_alloc();
	struct nl_addr *dst = rp_kernel_addr(&prefix->addr, prefix->len);
	struct nl_addr *src = rp_kernel_addr(from, rp_family_bits(from->family));

	if (route == NULL || via == NULL || dst == NULL || src == NULL ||
	    rtnl_route_set_dst(route, dst) < 0 || rtnl_route_set_pref_src(route, src) < 0) {
		rtnl_route_put(route);
		rtnl_route_nh_free(via);
		route = NULL;
		goto out;
	}
	rtnl_route_nh_set_ifindex(via, k->index);
	rtnl_route_add_nexthop(route, via);
	rtnl_route_set_table(route, RT_TABLE_MAIN);
	rtnl_route_set_type(route, RTN_UNICAST);
	rtnl_route_set_protocol(route, RP_HOST_ROUTE_PROTO);
	rtnl_route_set_scope(route,
			     prefix->addr.family == RP_IP4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE);
	if (mtu != 0)
		rtnl_route_set_metric(route, RTAX_MTU, mtu);
out:
	nl_addr_put(src);
	nl_addr_put(dst);
	return route;
}

/*
 * Listing. The kernel is asked for our routes only: hosts with a full BGP table exist. Old ones
 * ignore the filter, so each route is looked at again.
 */
struct listed {
	struct rp_prefix prefix;
	uint16_t mtu;
};

struct listing {
	const struct rp_kernel_if *k;
	struct listed *routes;
	size_t n, room;
	int rc;
};

static bool is_ours(const struct rp_kernel_if *k, struct rtnl_route *r)
{
	return rtnl_route_get_protocol(r) == RP_HOST_ROUTE_PROTO &&
	       rtnl_route_get_table(r) == RT_TABLE_MAIN && rtnl_route_get_nnexthops(r) == 1 &&
	       rtnl_route_nh_get_ifindex(rtnl_route_nexthop_n(r, 0)) == k->index;
}

static void list_one(struct listing *list, struct rtnl_route *r)
{
	struct nl_addr *dst = rtnl_route_get_dst(r);
	struct listed *at;
	uint32_t mtu = 0;

	if (dst == NULL || !is_ours(list->k, r))
		return;
	if (list->n == list->room) {
		size_t room = list->room * 2 + 16;

		at = (struct listed *)reallocarray(list->routes, room, sizeof(*at));
		if (at == NULL) {
			list->rc = -ENOMEM;
			return;
		}
		list->routes = at;
		list->room = room;
	}
	rtnl_route_get_metric(r, RTAX_MTU, &mtu);
	at = &list->routes[list->n++];
	*at = (struct listed){.mtu = (uint16_t)mtu,
			      .prefix.len = (uint8_t)nl_addr_get_prefixlen(dst)};
	at->prefix.addr.family = rtnl_route_get_family(r) == AF_INET ? RP_IP4 : RP_IP6;
	memcpy(at->prefix.addr.bytes, nl_addr_get_binary_addr(dst), nl_addr_get_len(dst));
}

static int on_route(struct nl_msg *msg, void *arg)
{
	struct rtnl_route *r = NULL;

	if (rtnl_route_parse(nlmsg_hdr(msg), &r) == 0)
		list_one((struct listing *)arg, r);
	rtnl_route_put(r);
	return NL_OK;
}

static int list_family(struct listing *list, uint8_t family)
{
	struct rtmsg head = {.rtm_family = family,
			     .rtm_protocol = RP_HOST_ROUTE_PROTO,
			     .rtm_table = RT_TABLE_MAIN};
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETROUTE, NLM_F_REQUEST | NLM_F_DUMP);
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int rc = -NLE_NOMEM;

	if (msg != NULL && cb != NULL)
		rc = nlmsg_append(msg, &head, sizeof(head), NLMSG_ALIGNTO);
	if (rc == 0)
		rc = nla_put_u32(msg, RTA_OIF, (uint32_t)list->k->index);
	if (rc == 0) {
		nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_route, list);
		rc = nl_send_auto(list->k->sk, msg);
	}
	if (rc >= 0)
		rc = nl_recvmsgs(list->k->sk, cb);
	nl_cb_put(cb);
	nlmsg_free(msg);
	return rc < 0 ? -rp_kernel_errno(rc) : list->rc;
}

// *routes is the caller's to free, also on errors.
static int list_routes(const struct rp_kernel_if *k, struct listed **routes, size_t *n)
{
	struct listing list = {.k = k};
	int one = 1, rc;

	setsockopt(nl_socket_get_fd(k->sk), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one, sizeof(one));
	rc = k->ip4.family != RP_NONE ? list_family(&list, AF_INET) : 0;
	if (rc == 0 && k->ip6.family != RP_NONE)
		rc = list_family(&list, AF_INET6);
	*routes = list.routes;
	*n = list.n;
	return rc;
}

static bool same_prefix(const struct rp_prefix *a, const struct rp_prefix *b)
{
	return a->len == b->len && rp_addr_equal(&a->addr, &b->addr);
}

static int is_there(const struct rp_kernel_if *k, const struct rp_prefix *prefix)
{
	struct listed *routes;
	size_t n;
	int rc = list_routes(k, &routes, &n), found = 0;

	for (size_t i = 0; i < n && found == 0; i++)
		found = same_prefix(&routes[i].prefix, prefix);
	free(routes);
	return rc < 0 ? rc : found;
}

static int route_error(const struct rp_host *host, const char *verb, const struct rp_prefix *prefix,
		       int code, struct rp_error *err)
{
	char text[RP_ADDR_STR];

	return rp_error_set(err, code, "route", rp_prefix_format(prefix, text),
			    "cannot be %s on %s: %s", verb, host->kernel.name, strerror(code));
}

static int try_add(struct rp_host *host, const struct rp_host_route *want, int flags)
{
	struct rtnl_route *route = make_route(&host->kernel, &want->prefix, want->mtu);
	int rc;

	if (route == NULL)
		return -ENOMEM;
	rc = rtnl_route_add(host->kernel.sk, route, flags);
	rtnl_route_put(route);
	return rc < 0 ? -rp_kernel_errno(rc) : 0;
}

int rp_host_route_add(struct rp_host *host, const struct rp_host_route *route, struct rp_error *err)
{
	char text[RP_ADDR_STR];
	int rc;

	if (route->prefix.len == 0)
		return rp_error_set(err, EINVAL, "route", rp_prefix_format(&route->prefix, text),
				    "a default route to a VM would take the host's own traffic; "
				    "expected a prefix of one bit or more, or a private network");
	if (source_of(&host->kernel, route->prefix.addr.family)->family == RP_NONE)
		return 0; // no such family on this host: said when the port was opened
	rc = try_add(host, route, NLM_F_CREATE | NLM_F_EXCL);
	if (rc != -EEXIST)
		return rc < 0 ? route_error(host, "added", &route->prefix, -rc, err) : 0;
	rc = is_there(&host->kernel, &route->prefix);
	if (rc == 0)
		return rp_error_set(
			err, EEXIST, "route", rp_prefix_format(&route->prefix, text),
			"the kernel has a route of somebody else's for it: see 'ip route "
			"show %s'; remove that one or choose another address",
			text);
	if (rc > 0)
		rc = try_add(host, route, NLM_F_CREATE | NLM_F_REPLACE);
	return rc < 0 ? route_error(host, "changed", &route->prefix, -rc, err) : 0;
}

int rp_host_route_del(struct rp_host *host, const struct rp_prefix *prefix, struct rp_error *err)
{
	struct rtnl_route *route;
	int rc;

	if (source_of(&host->kernel, prefix->addr.family)->family == RP_NONE)
		return 0;
	route = make_route(&host->kernel, prefix, 0);
	if (route == NULL)
		return route_error(host, "removed", prefix, ENOMEM, err);
	rc = rtnl_route_delete(host->kernel.sk, route, 0);
	rtnl_route_put(route);
	if (rc < 0 && rc != -NLE_OBJ_NOTFOUND)
		return route_error(host, "removed", prefix, rp_kernel_errno(rc), err);
	return 0;
}

int rp_host_routes_sync(struct rp_host *host, const struct rp_host_route *routes, size_t n,
			struct rp_error *err)
{
	struct rp_error unused; // only the first failure is told
	struct listed *old;
	size_t n_old;
	int rc = rp_kernel_restore(&host->kernel, err);

	if (rc < 0)
		return rc;
	rc = list_routes(&host->kernel, &old, &n_old);
	if (rc < 0) {
		free(old);
		return rp_error_set(err, -rc, "tap", host->kernel.name,
				    "the kernel does not list its routes: %s", strerror(-rc));
	}
	for (size_t i = 0; i < n_old; i++) {
		size_t j = 0;

		while (j < n && !same_prefix(&old[i].prefix, &routes[j].prefix))
			j++;
		if (j == n) {
			int one = rp_host_route_del(host, &old[i].prefix, rc == 0 ? err : &unused);

			rc = rc == 0 ? one : rc;
		}
	}
	for (size_t j = 0; j < n; j++) {
		size_t i = 0;

		while (i < n_old && !(same_prefix(&old[i].prefix, &routes[j].prefix) &&
				      old[i].mtu == routes[j].mtu))
			i++;
		if (i == n_old) {
			int one = rp_host_route_add(host, &routes[j], rc == 0 ? err : &unused);

			rc = rc == 0 ? one : rc;
		}
	}
	free(old);
	return rc;
}
