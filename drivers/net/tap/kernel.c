// SPDX-License-Identifier: BSD-3-Clause
#include "net/tap/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <bsd/string.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/inet6.h>

#include "base/log.h"

#define TUN_PATH "/dev/net/tun"

const struct rte_ether_addr rp_host_kernel_mac = {{0x02, 0x00, 0x00, 0x00, 0x00, 0x02}};

static int check_name(const char *name, struct rp_error *err)
{
	if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	    strpbrk(name, "/:,= \t\n%\"") != NULL)
		return rp_error_set(err, EINVAL, "tap", name,
				    "is no name for a network interface; expected letters, digits, "
				    "'-', '_' or '.'");
	if (strlen(name) >= IFNAMSIZ)
		return rp_error_set(err, ENAMETOOLONG, "tap", name,
				    "is longer than the %d characters that Linux allows for an "
				    "interface; choose a shorter name",
				    IFNAMSIZ - 1);
	if (if_nametoindex(name) != 0)
		return rp_error_set(err, EEXIST, "tap", name,
				    "there is an interface of this name: is another ringplane "
				    "running? Choose another name with --tap NAME, or remove it "
				    "with 'ip link delete %s'",
				    name);
	return 0;
}

static int tun_path_error(int code, struct rp_error *err)
{
	if (code == ENOENT || code == ENODEV || code == ENXIO)
		return rp_error_set(err, code, "tap", TUN_PATH,
				    "is missing: load the module with 'modprobe tun', in a "
				    "container pass the device in; or run with --no-host");
	return rp_error_set(err, code, "tap", TUN_PATH,
			    "cannot be opened: %s; run as root or with CAP_NET_ADMIN, or with "
			    "--no-host",
			    strerror(code));
}

/*
 * The PMD only says that it failed, so make the interface once by ourselves and look at errno. It
 * is gone again with the file descriptor.
 */
int rp_kernel_check(const char *ifname, struct rp_error *err)
{
	struct ifreq ifr = {.ifr_flags = IFF_TAP | IFF_MULTI_QUEUE};
	int rc = check_name(ifname, err);
	int fd;

	if (rc < 0)
		return rc;
	fd = open(TUN_PATH, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return tun_path_error(errno, err);
	strlcpy(ifr.ifr_name, ifname, sizeof(ifr.ifr_name));
	rc = ioctl(fd, TUNSETIFF, &ifr) < 0 ? errno : 0;
	close(fd);
	if (rc == EPERM)
		return rp_error_set(err, rc, "tap", ifname,
				    "this process may not create network interfaces: run as root "
				    "or with CAP_NET_ADMIN, or with --no-host");
	if (rc != 0)
		return rp_error_set(err, rc, "tap", ifname, "the kernel makes no TAP: %s",
				    strerror(rc));
	return 0;
}

int rp_kernel_errno(int nle)
{
	switch (-nle) {
	case NLE_PERM:
	case NLE_NOACCESS:
		return EPERM;
	case NLE_EXIST:
		return EEXIST;
	case NLE_OBJ_NOTFOUND:
		return ENOENT;
	case NLE_NODEV:
		return ENODEV;
	case NLE_NOMEM:
		return ENOMEM;
	case NLE_OPNOTSUPP:
		return EOPNOTSUPP;
	case NLE_INVAL:
	case NLE_RANGE:
		return EINVAL;
	default:
		return EIO;
	}
}

struct nl_addr *rp_kernel_addr(const struct rp_addr *a, uint8_t len)
{
	struct nl_addr *out = nl_addr_build(a->family == RP_IP4 ? AF_INET : AF_INET6, a->bytes,
					    rp_family_bytes(a->family));

	if (out != NULL)
		nl_addr_set_prefixlen(out, len);
	return out;
}

int rp_kernel_open(struct rp_kernel_if *k, struct rp_error *err)
{
	int rc;

	k->index = (int)if_nametoindex(k->name);
	k->sk = nl_socket_alloc();
	if (k->index == 0 || k->sk == NULL)
		return rp_error_set(err, k->index == 0 ? ENODEV : ENOMEM, "tap", k->name,
				    "cannot be looked up");
	rc = nl_connect(k->sk, NETLINK_ROUTE);
	if (rc < 0)
		return rp_error_set(err, rp_kernel_errno(rc), "tap", k->name,
				    "no netlink socket: %s", nl_geterror(rc));
	return 0;
}

void rp_kernel_close(struct rp_kernel_if *k)
{
	nl_socket_free(k->sk);
	k->sk = NULL;
}

static int set_sysctl(const struct rp_kernel_if *k, const char *family, const char *name,
		      const char *value)
{
	char path[128];
	int fd, rc = 0;

	snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/%s", family, k->name, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

/*
 * ringplane is the router here, so the kernel shall learn nothing by autoconfiguration. Where
 * /proc/sys is read-only, as in some containers, this is only noise on the TAP: warn and go on.
 */
static void set_sysctls(const struct rp_kernel_if *k)
{
	static const struct {
		const char *family, *name, *value;
	} wanted[] = {
		{"ipv4", "arp_announce", "2"}, // ask with an address of this interface only
		{"ipv6", "accept_ra", "0"},
		{"ipv6", "autoconf", "0"},
		{"ipv6", "router_solicitations", "0"},
	};

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		int rc = set_sysctl(k, wanted[i].family, wanted[i].name, wanted[i].value);

		// -ENOENT: a kernel without IPv6.
		if (rc < 0 && rc != -ENOENT)
			rp_warn("%s: cannot set net.%s.conf.%s.%s to %s: %s", k->name,
				wanted[i].family, k->name, wanted[i].name, wanted[i].value,
				strerror(-rc));
	}
}

static int change_link(struct rp_kernel_if *k, struct rtnl_link *change)
{
	struct rtnl_link *now = rtnl_link_alloc();
	int rc;

	if (now == NULL || change == NULL) {
		rtnl_link_put(now);
		return -NLE_NOMEM;
	}
	rtnl_link_set_ifindex(now, k->index);
	rc = rtnl_link_change(k->sk, now, change, 0);
	rtnl_link_put(now);
	return rc;
}

int rp_kernel_prepare(struct rp_kernel_if *k, uint16_t mtu, struct rp_error *err)
{
	struct rtnl_link *change = rtnl_link_alloc();
	int rc;

	set_sysctls(k);
	if (change != NULL)
		rtnl_link_set_mtu(change, mtu);
	rc = change_link(k, change);
	rtnl_link_put(change);
	if (rc < 0)
		return rp_error_set(err, rp_kernel_errno(rc), "tap", k->name,
				    "cannot set its MTU to %u: %s", mtu, nl_geterror(rc));
	// The link-local address is ours to choose: not a random one by some policy of the host.
	change = rtnl_link_alloc();
	if (change != NULL)
		rtnl_link_inet6_set_addr_gen_mode(change, rtnl_link_inet6_str2addrgenmode("none"));
	rc = change_link(k, change);
	rtnl_link_put(change);
	if (rc < 0 && rc != -NLE_OPNOTSUPP && rc != -NLE_AF_NOSUPPORT)
		rp_warn("%s: cannot turn IPv6 address generation off: %s", k->name,
			nl_geterror(rc));
	return 0;
}

// peer NULL: none.
static int add_address(struct rp_kernel_if *k, const struct rp_addr *a, uint8_t len,
		       const struct rp_addr *peer, unsigned int flags)
{
	struct rtnl_addr *req = rtnl_addr_alloc();
	struct nl_addr *local = rp_kernel_addr(a, len);
	struct nl_addr *other = peer != NULL ? rp_kernel_addr(peer, len) : NULL;
	int rc = -NLE_NOMEM;

	if (req == NULL || local == NULL || (peer != NULL && other == NULL))
		goto out;
	rtnl_addr_set_ifindex(req, k->index);
	rc = rtnl_addr_set_local(req, local);
	if (rc == 0 && other != NULL)
		rc = rtnl_addr_set_peer(req, other);
	if (rc < 0)
		goto out;
	// Link scope: never chosen as source on another interface.
	if (a->family == RP_IP4)
		rtnl_addr_set_scope(req, RT_SCOPE_LINK);
	rtnl_addr_set_flags(req, flags);
	rc = rtnl_addr_add(k->sk, req, NLM_F_EXCL);
	if (rc == -NLE_EXIST)
		rc = 0;
out:
	nl_addr_put(other);
	nl_addr_put(local);
	rtnl_addr_put(req);
	return rc;
}

static int address_error(const struct rp_kernel_if *k, const struct rp_addr *a, int nle,
			 struct rp_error *err)
{
	char text[RP_ADDR_STR];

	return rp_error_set(err, rp_kernel_errno(nle), "tap", k->name,
			    "the kernel does not take the host-side address %s: %s",
			    rp_addr_format(a, text), nl_geterror(nle));
}

static bool has_ip6(const struct rp_kernel_if *k)
{
	char path[128], value = '1';
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", k->name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (read(fd, &value, 1) != 1)
		value = '1';
	close(fd);
	return value == '0';
}

static int address_ip6(struct rp_kernel_if *k, struct rp_error *err)
{
	// The source of the kernel's ND for what it forwards; EUI-64 of its MAC.
	struct rp_addr link_local;
	int rc;

	if (k->ip6.family == RP_NONE)
		return 0;
	if (!has_ip6(k)) {
		rp_warn("%s: IPv6 is turned off in this kernel: no IPv6 between VMs and the host",
			k->name);
		k->ip6.family = RP_NONE;
		return 0;
	}
	link_local = rp_addr_link_local(&rp_host_kernel_mac);
	// No DAD: nobody else is on this link, and ringplane would not answer it.
	rc = add_address(k, &link_local, 64, NULL, IFA_F_NODAD);
	if (rc < 0)
		return address_error(k, &link_local, rc, err);
	rc = add_address(k, &k->ip6, 128, NULL, IFA_F_NODAD | IFA_F_NOPREFIXROUTE);
	return rc < 0 ? address_error(k, &k->ip6, rc, err) : 0;
}

int rp_kernel_address(struct rp_kernel_if *k, struct rp_error *err)
{
	int rc;

	if (k->ip4.family != RP_NONE) {
		// With the gateway as its peer: the kernel then knows where ICMP errors from
		// 169.254.0.1 come from (rp_filter), and nothing else of 169.254/16 is captured.
		rc = add_address(k, &k->ip4, 32, &rp_gateway_ip4, 0);
		if (rc < 0)
			return address_error(k, &k->ip4, rc, err);
	}
	return address_ip6(k, err);
}

int rp_kernel_restore(struct rp_kernel_if *k, struct rp_error *err)
{
	struct rtnl_link *change = rtnl_link_alloc();
	int rc;

	if (change != NULL)
		rtnl_link_set_flags(change, IFF_UP);
	rc = change_link(k, change);
	rtnl_link_put(change);
	if (rc == -NLE_NODEV || rc == -NLE_OBJ_NOTFOUND)
		return rp_error_set(err, ENODEV, "tap", k->name,
				    "somebody deleted the interface; restart ringplane to have it "
				    "again");
	if (rc < 0)
		return rp_error_set(err, rp_kernel_errno(rc), "tap", k->name,
				    "cannot be brought up: %s", nl_geterror(rc));
	return rp_kernel_address(k, err);
}
