// SPDX-License-Identifier: BSD-3-Clause
#include "base/unix.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <bsd/string.h>

#include "base/clock.h"

static int set_address(struct sockaddr_un *addr, const char *path, struct rp_error *err)
{
	*addr = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlcpy(addr->sun_path, path, sizeof(addr->sun_path)) >= sizeof(addr->sun_path))
		return rp_error_set(err, ENAMETOOLONG, "socket", path,
				    "path is too long; a socket path has at most %zu characters",
				    sizeof(addr->sun_path) - 1);
	return 0;
}

static int connect_error(struct rp_error *err, int code, const char *path)
{
	switch (code) {
	case ENOENT:
		return rp_error_set(err, code, "socket", path,
				    "no such socket; is its program started, is the path right?");
	case ECONNREFUSED:
		return rp_error_set(err, code, "socket", path,
				    "nobody listens there; the file is left over from a program "
				    "that ended");
	case EACCES:
	case EPERM:
		return rp_error_set(err, EACCES, "socket", path,
				    "permission denied; run as its owner or open it with chmod");
	case ETIMEDOUT:
	case EAGAIN:
		return rp_error_set(err, ETIMEDOUT, "socket", path,
				    "the listener's queue is full and nobody accepts");
	default:
		return rp_error_set(err, code, "socket", path, "cannot connect: %s",
				    strerror(code));
	}
}

// connect() to a Unix socket whose backlog is full fails at once with EAGAIN: try again, wait a
// little between, until the deadline.
static int connect_until(int sock, const struct sockaddr_un *addr, uint64_t deadline)
{
	while (connect(sock, (const struct sockaddr *)addr, sizeof(*addr)) < 0) {
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		if (rp_clock_ms() >= deadline)
			return -ETIMEDOUT;
		poll(NULL, 0, 1);
	}
	return 0;
}

int rp_unix_connect(const char *path, unsigned int timeout_ms, struct rp_error *err)
{
	uint64_t deadline = rp_clock_ms() + timeout_ms;
	struct sockaddr_un addr;
	int sock, rc;

	rc = set_address(&addr, path, err);
	if (rc < 0)
		return rc;
	sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (sock < 0)
		return connect_error(err, errno, path);
	rc = connect_until(sock, &addr, deadline);
	if (rc < 0) {
		close(sock);
		return connect_error(err, -rc, path);
	}
	return sock;
}

// What a probing connect() to a socket file has shown; only a refused one is dead.
static int remove_probed(const char *path, int code, struct rp_error *err)
{
	if (code == EACCES || code == EPERM)
		return rp_error_set(err, code, "socket", path,
				    "is somebody else's: %s; remove it or name another path",
				    strerror(code));
	if (code != ECONNREFUSED)
		return rp_error_set(err, EADDRINUSE, "socket", path,
				    "another program listens there; stop it or name another path");
	if (unlink(path) < 0)
		return rp_error_set(err, errno, "socket", path,
				    "is stale and cannot be removed: %s", strerror(errno));
	return 0;
}

int rp_unix_remove_dead(const char *path, struct rp_error *err)
{
	struct sockaddr_un addr;
	struct stat st;
	int probe, rc;

	rc = set_address(&addr, path, err);
	if (rc < 0 || lstat(path, &st) < 0)
		return rc;
	if (!S_ISSOCK(st.st_mode))
		return rp_error_set(err, EEXIST, "socket", path,
				    "exists and is not a socket; choose another path");
	probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (probe < 0)
		return rp_error_set(err, errno, "socket", path, "%s", strerror(errno));
	rc = connect(probe, (struct sockaddr *)&addr, sizeof(addr)) < 0 ? errno : 0;
	close(probe);
	return remove_probed(path, rc, err);
}

int rp_unix_bind(const char *path, struct rp_error *err)
{
	struct sockaddr_un addr;
	int sock, rc;

	rc = set_address(&addr, path, err);
	if (rc == 0)
		rc = rp_unix_remove_dead(path, err);
	if (rc < 0)
		return rc;
	sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (sock >= 0 && bind(sock, (struct sockaddr *)&addr, sizeof(addr)) == 0)
		return sock;
	rc = rp_error_set(err, errno, "socket", path, "cannot listen: %s", strerror(errno));
	if (sock >= 0)
		close(sock);
	return rc;
}

int rp_unix_listen(const char *path, struct rp_error *err)
{
	int sock = rp_unix_bind(path, err);
	int rc;

	if (sock < 0 || listen(sock, RP_UNIX_BACKLOG) == 0)
		return sock;
	rc = rp_error_set(err, errno, "socket", path, "cannot listen: %s", strerror(errno));
	close(sock);
	return rc;
}
