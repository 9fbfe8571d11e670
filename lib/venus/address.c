// SPDX-License-Identifier: BSD-3-Clause
#include "venus/address.h"

#include <arpa/inet.h>
#include <bsd/string.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define EXPECTED "expected HOST:PORT, [IPv6]:PORT, vsock:CID:PORT or unix:PATH"

static bool parse_number(const char *text, unsigned long max, unsigned long *v)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*v = strtoul(text, &end, 10);
	return errno == 0 && *end == '\0' && *v <= max;
}

static int parse_unix(struct rp_vn_address *addr, const char *text, struct rp_error *err)
{
	const char *path = text + strlen("unix:");

	if (*path == '\0' || strlen(path) >= sizeof(addr->un.sun_path))
		return rp_error_set(err, EINVAL, "address", text,
				    "expected a path of 1 to %zu bytes after unix:",
				    sizeof(addr->un.sun_path) - 1);
	addr->un.sun_family = AF_UNIX;
	strlcpy(addr->un.sun_path, path, sizeof(addr->un.sun_path));
	addr->len = sizeof(addr->un);
	return 0;
}

static int parse_vsock(struct rp_vn_address *addr, const char *text, struct rp_error *err)
{
	char cid[32];
	const char *rest = text + strlen("vsock:"), *colon = strchr(rest, ':');
	unsigned long n = VMADDR_CID_ANY, port;

	if (colon == NULL || (size_t)(colon - rest) >= sizeof(cid))
		return rp_error_set(err, EINVAL, "address", text, EXPECTED);
	strlcpy(cid, rest, (size_t)(colon - rest) + 1);
	if ((strcmp(cid, "any") != 0 && !parse_number(cid, UINT32_MAX, &n)) ||
	    !parse_number(colon + 1, UINT32_MAX, &port))
		return rp_error_set(err, EINVAL, "address", text,
				    "expected vsock:CID:PORT with a number or 'any' as CID");
	addr->vm.svm_family = AF_VSOCK;
	addr->vm.svm_cid = (uint32_t)n;
	addr->vm.svm_port = (uint32_t)port;
	addr->len = sizeof(addr->vm);
	return 0;
}

static int parse_inet(struct rp_vn_address *addr, const char *text, struct rp_error *err)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
	const char *colon = strrchr(text, ':');
	unsigned long port;
	char host[256];
	size_t n;
	int rc;

	if (colon == NULL || colon == text || !parse_number(colon + 1, 65535, &port))
		return rp_error_set(err, EINVAL, "address", text, EXPECTED);
	n = (size_t)(colon - text);
	if (n > 2 && text[0] == '[' && text[n - 1] == ']') {
		text++;
		n -= 2;
	} else if (memchr(text, ':', n) != NULL) {
		return rp_error_set(err, EINVAL, "address", text,
				    "an IPv6 address needs brackets: [::1]:5556");
	}
	if (n >= sizeof(host))
		return rp_error_set(err, EINVAL, "address", text, "host name too long");
	strlcpy(host, text, n + 1);
	rc = getaddrinfo(host, colon + 1, &hints, &found);
	if (rc != 0)
		return rp_error_set(err, ENOENT, "address", host, "%s", gai_strerror(rc));
	memcpy(&addr->sa, found->ai_addr, found->ai_addrlen);
	addr->len = found->ai_addrlen;
	freeaddrinfo(found);
	return 0;
}

int rp_vn_address_parse(struct rp_vn_address *addr, const char *text, struct rp_error *err)
{
	memset(addr, 0, sizeof(*addr));
	if (strncmp(text, "unix:", 5) == 0)
		return parse_unix(addr, text, err);
	if (strncmp(text, "vsock:", 6) == 0)
		return parse_vsock(addr, text, err);
	return parse_inet(addr, text, err);
}

const char *rp_vn_address_text(const struct rp_vn_address *addr, char *buf, size_t len)
{
	char ip[INET6_ADDRSTRLEN];

	switch (addr->sa.sa_family) {
	case AF_UNIX:
		snprintf(buf, len, "unix:%s", addr->un.sun_path);
		break;
	case AF_VSOCK:
		if (addr->vm.svm_cid == VMADDR_CID_ANY)
			snprintf(buf, len, "vsock:any:%u", addr->vm.svm_port);
		else
			snprintf(buf, len, "vsock:%u:%u", addr->vm.svm_cid, addr->vm.svm_port);
		break;
	case AF_INET6:
		inet_ntop(AF_INET6, &addr->in6.sin6_addr, ip, sizeof(ip));
		snprintf(buf, len, "[%s]:%u", ip, ntohs(addr->in6.sin6_port));
		break;
	default:
		inet_ntop(AF_INET, &addr->in.sin_addr, ip, sizeof(ip));
		snprintf(buf, len, "%s:%u", ip, ntohs(addr->in.sin_port));
	}
	return buf;
}

static int wait_connected(int fd, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	int rc, e = 0;
	socklen_t len = sizeof(e);

	do {
		rc = poll(&p, 1, timeout_ms);
	} while (rc < 0 && errno == EINTR);
	if (rc == 0)
		return -ETIMEDOUT;
	if (rc < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &e, &len) < 0)
		return -errno;
	return -e;
}

int rp_vn_address_connect(const struct rp_vn_address *addr, int timeout_ms, struct rp_error *err)
{
	int fd = socket(addr->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int rc, off = 0;
	char text[160];

	rp_vn_address_text(addr, text, sizeof(text));
	if (fd < 0)
		return rp_error_set(err, errno, "server", text, "no socket: %s", strerror(errno));
	rc = connect(fd, &addr->sa, addr->len) == 0 ? 0 : -errno;
	if (rc == -EINPROGRESS)
		rc = wait_connected(fd, timeout_ms);
	if (rc == 0 && ioctl(fd, FIONBIO, &off) < 0)
		rc = -errno;
	if (rc < 0) {
		close(fd);
		return rp_error_set(err, -rc, "server", text,
				    "cannot connect: %s; is venus-server running there?",
				    strerror(-rc));
	}
	return fd;
}

// Only a socket that nobody listens on is removed.
static void remove_stale(const struct rp_vn_address *addr)
{
	struct rp_error ignored;
	int fd;

	if (addr->sa.sa_family != AF_UNIX)
		return;
	fd = rp_vn_address_connect(addr, 100, &ignored);
	if (fd >= 0)
		close(fd);
	else if (fd == -ECONNREFUSED)
		unlink(addr->un.sun_path);
}

int rp_vn_address_listen(const struct rp_vn_address *addr, struct rp_error *err)
{
	int fd, one = 1, e;
	char text[160];

	remove_stale(addr);
	fd = socket(addr->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && addr->sa.sa_family != AF_UNIX)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd >= 0 && bind(fd, &addr->sa, addr->len) == 0 && listen(fd, 128) == 0)
		return fd;
	e = errno;
	if (fd >= 0)
		close(fd);
	return rp_error_set(err, e, "listen", rp_vn_address_text(addr, text, sizeof(text)),
			    "%s; pick another address with --listen", strerror(e));
}
