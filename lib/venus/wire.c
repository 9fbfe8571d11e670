// SPDX-License-Identifier: BSD-3-Clause
#include "venus/wire.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"

#define FIRST_BUFFER 65536u

void rp_vn_wire_tune(int fd)
{
	const int on = 1, idle = 15, interval = 5, probes = 3;

	// These fail on Unix and vsock sockets, which need none of them.
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
}

static uint64_t deadline(int timeout_ms)
{
	return timeout_ms > 0 ? rp_clock_ms() + (uint64_t)timeout_ms : 0;
}

// Wait until the socket is ready or the deadline (0: none) has passed.
static int wait_ready(int fd, short events, uint64_t until)
{
	struct pollfd p = {.fd = fd, .events = events};

	for (;;) {
		uint64_t now = until != 0 ? rp_clock_ms() : 0;
		int rc;

		if (until != 0 && now >= until)
			return -ETIMEDOUT;
		rc = poll(&p, 1, until != 0 ? (int)(until - now) : -1);
		if (rc > 0)
			return 0;
		if (rc < 0 && errno != EINTR)
			return -errno;
	}
}

static void iov_advance(struct msghdr *msg, size_t n)
{
	while (n > 0 && msg->msg_iovlen > 0) {
		struct iovec *v = msg->msg_iov;
		size_t part = n < v->iov_len ? n : v->iov_len;

		v->iov_base = (uint8_t *)v->iov_base + part;
		v->iov_len -= part;
		n -= part;
		if (v->iov_len == 0) {
			msg->msg_iov++;
			msg->msg_iovlen--;
		}
	}
}

int rp_vn_wire_send(struct rp_vn_wire *w, const void *payload, size_t len, int timeout_ms)
{
	uint32_t header[2] = {htole32(RP_VN_MAGIC), htole32((uint32_t)len)};
	struct iovec iov[2] = {{header, sizeof(header)}, {(void *)(uintptr_t)payload, len}};
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = len > 0 ? 2 : 1};
	uint64_t until = deadline(timeout_ms);

	if (len > RP_VN_MAX_FRAME)
		return -EMSGSIZE;
	while (msg.msg_iovlen > 0) {
		ssize_t n = sendmsg(w->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n >= 0) {
			iov_advance(&msg, (size_t)n);
		} else if (errno == EAGAIN) {
			int rc = wait_ready(w->fd, POLLOUT, until);

			if (rc < 0)
				return rc;
		} else if (errno != EINTR) {
			return -errno;
		}
	}
	return 0;
}

// Make room for `need` bytes from w->start on.
static int make_room(struct rp_vn_wire *w, size_t need)
{
	if (w->cap - w->start >= need)
		return 0;
	if (w->start > 0 && w->end > w->start)
		memmove(w->buf, w->buf + w->start, w->end - w->start);
	w->end -= w->start;
	w->start = 0;
	if (w->cap < need) {
		size_t cap = need > FIRST_BUFFER ? need : FIRST_BUFFER;
		uint8_t *buf = realloc(w->buf, cap);

		if (buf == NULL)
			return -ENOMEM;
		w->buf = buf;
		w->cap = cap;
	}
	return 0;
}

// Read until `need` bytes are at hand; whatever else has arrived comes along.
static int fill(struct rp_vn_wire *w, size_t need, uint64_t until)
{
	int rc = make_room(w, need);

	while (rc == 0 && w->end - w->start < need) {
		ssize_t n;

		rc = wait_ready(w->fd, POLLIN, until);
		if (rc < 0)
			break;
		n = recv(w->fd, w->buf + w->end, w->cap - w->end, MSG_DONTWAIT);
		if (n > 0)
			w->end += (size_t)n;
		else if (n == 0)
			rc = -EPIPE;
		else if (errno != EINTR && errno != EAGAIN)
			rc = -errno;
	}
	return rc;
}

int rp_vn_wire_recv(struct rp_vn_wire *w, struct rp_reader *frame, int timeout_ms)
{
	uint64_t until = deadline(timeout_ms);
	uint32_t magic = 0, size = 0;
	struct rp_reader header;
	int rc;

	if (w->start == w->end)
		w->start = w->end = 0;
	rc = fill(w, RP_VN_HEADER, until);
	if (rc < 0)
		return rc;
	header = rp_reader(w->buf + w->start, RP_VN_HEADER);
	rp_read_le32(&header, &magic);
	rp_read_le32(&header, &size);
	if (magic != RP_VN_MAGIC)
		return -EPROTO;
	if (size > RP_VN_MAX_FRAME)
		return -EMSGSIZE;
	rc = fill(w, RP_VN_HEADER + size, until);
	if (rc < 0)
		return rc;
	*frame = rp_reader(w->buf + w->start + RP_VN_HEADER, size);
	w->start += RP_VN_HEADER + size;
	return 0;
}

void rp_vn_wire_close(struct rp_vn_wire *w)
{
	if (w->fd >= 0)
		close(w->fd);
	free(w->buf);
	*w = (struct rp_vn_wire){.fd = -1};
}
