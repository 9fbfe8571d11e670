// SPDX-License-Identifier: BSD-3-Clause
#include "vhost_user/socket.h"
#include "base/clock.h"

#include <bsd/string.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

// Room for more descriptors than a message may have, so that too many are seen and closed.
#define CONTROL_FDS (RP_VHU_MAX_FDS * 2)

struct wire {
	struct rp_vhu_header header;
	union rp_vhu_payload payload;
} __attribute__((packed));

static rp_vhu_trace_fn trace_fn;
static void *trace_arg;

void rp_vhu_set_trace(rp_vhu_trace_fn fn, void *arg)
{
	trace_fn = fn;
	trace_arg = arg;
}

static void trace(int sock, bool sent, const struct rp_vhu_msg *msg)
{
	if (trace_fn != NULL)
		trace_fn(sock, sent, msg, trace_arg);
}

// Wait for events until the deadline. 0, -ETIMEDOUT or -errno.
static int wait_for(int sock, short events, uint64_t deadline)
{
	for (;;) {
		struct pollfd p = {.fd = sock, .events = events};
		uint64_t now = rp_clock_ms();
		int n = poll(&p, 1, now < deadline ? (int)(deadline - now) : 0);

		if (n > 0)
			return 0;
		if (n == 0)
			return -ETIMEDOUT;
		if (errno != EINTR)
			return -errno;
	}
}

int rp_vhu_accept(int listener, unsigned int timeout_ms, struct rp_error *err)
{
	uint64_t deadline = rp_clock_ms() + timeout_ms;
	int sock, rc;

	do {
		rc = wait_for(listener, POLLIN, deadline);
		if (rc < 0)
			return rp_error_set(err, -rc, "socket", NULL,
					    "nobody connected within %u ms", timeout_ms);
		sock = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	} while (sock < 0 && (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR));
	if (sock < 0)
		return rp_error_set(err, errno, "socket", NULL, "cannot accept: %s",
				    strerror(errno));
	return sock;
}

int rp_vhu_send_raw(int sock, const void *bytes, size_t len, const int *fds, unsigned int n_fds,
		    unsigned int timeout_ms, struct rp_error *err)
{
	uint64_t deadline = rp_clock_ms() + timeout_ms;
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(253 * sizeof(int))]; // SCM_MAX_FD
	} control = {0};
	struct iovec iov = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = len};
	struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};

	if (n_fds > 253)
		return rp_error_set(err, EINVAL, "descriptors", NULL, "at most 253 at a time");
	if (n_fds > 0) {
		mh.msg_control = &control;
		mh.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(&control.header), fds, n_fds * sizeof(int));
	}
	while (iov.iov_len > 0) {
		ssize_t n = sendmsg(sock, &mh, MSG_NOSIGNAL | MSG_DONTWAIT);
		int code = errno;

		if (n < 0 && (code == EAGAIN || code == EINTR)) {
			code = -wait_for(sock, POLLOUT, deadline);
			if (code == 0)
				continue;
		}
		if (n < 0 && (code == EPIPE || code == ECONNRESET))
			return rp_error_set(err, ECONNRESET, "peer", NULL,
					    "hung up before the message was sent");
		if (n < 0)
			return rp_error_set(err, code, "peer", NULL, "cannot send: %s",
					    code == ETIMEDOUT ? "it does not read"
							      : strerror(code));
		iov.iov_base = (char *)iov.iov_base + n;
		iov.iov_len -= (size_t)n;
		mh.msg_control = NULL;
		mh.msg_controllen = 0;
	}
	return 0;
}

int rp_vhu_send(int sock, const struct rp_vhu_msg *msg, unsigned int timeout_ms,
		struct rp_error *err)
{
	struct wire wire;

	if (msg->size > sizeof(wire.payload) || msg->n_fds > RP_VHU_MAX_FDS)
		return rp_error_set(err, EINVAL, "message", NULL,
				    "payload or descriptors too many");
	wire.header.request = msg->request;
	wire.header.flags = (msg->flags & ~RP_VHU_VERSION_MASK) | RP_VHU_VERSION;
	wire.header.size = msg->size;
	memcpy(&wire.payload, &msg->payload, msg->size);
	trace(sock, true, msg);
	return rp_vhu_send_raw(sock, &wire, sizeof(wire.header) + msg->size, msg->fds, msg->n_fds,
			       timeout_ms, err);
}

// Keep the descriptors of one recvmsg; those beyond the limit are closed. False: some were lost.
static bool keep_fds(struct msghdr *mh, struct rp_vhu_msg *msg)
{
	bool fit = (mh->msg_flags & MSG_CTRUNC) == 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c != NULL; c = CMSG_NXTHDR(mh, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (msg->n_fds < RP_VHU_MAX_FDS) {
				msg->fds[msg->n_fds++] = fd;
			} else {
				close(fd);
				fit = false;
			}
		}
	}
	return fit;
}

// One recvmsg for what is missing. Bytes, 0 for "not now", or -errno.
static ssize_t receive_some(int sock, void *buf, size_t len, struct rp_vhu_msg *msg)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(CONTROL_FDS * sizeof(int))];
	} control;
	struct iovec iov = {.iov_base = buf, .iov_len = len};
	struct msghdr mh = {.msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(sock, &mh, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < 0)
		return -errno;
	if (n == 0)
		return -ECONNRESET;
	return keep_fds(&mh, msg) ? n : -EMFILE;
}

static int receive_error(struct rp_vhu_receiver *rx, int code, unsigned int timeout_ms,
			 struct rp_error *err)
{
	bool header = rx->got < sizeof(rx->header);
	size_t got = header ? rx->got : rx->got - sizeof(rx->header);
	size_t want = header ? sizeof(rx->header) : rx->header.size;
	const char *part = header ? "the header" : "the payload";

	rp_vhu_close_fds(&rx->msg);
	if (code == EMFILE)
		return rp_error_set(err, EBADMSG, "descriptors", NULL,
				    "more than %d with one message", RP_VHU_MAX_FDS);
	if (code != ECONNRESET && code != ETIMEDOUT)
		return rp_error_set(err, code, "peer", NULL, "cannot receive: %s", strerror(code));
	if (code == ECONNRESET && rx->got > 0)
		return rp_error_set(err, code, "peer", NULL,
				    "hung up in the midst of a message: %zu of %zu bytes of %s",
				    got, want, part);
	if (code == ECONNRESET)
		return rp_error_set(err, code, "peer", NULL, "hung up");
	if (rx->got == 0)
		return rp_error_set(err, code, "peer", NULL, "no answer within %u ms", timeout_ms);
	return rp_error_set(err, code, "peer", NULL,
			    "message is short: %zu of %zu bytes of %s came within %u ms", got, want,
			    part, timeout_ms);
}

// The header is whole: take what it says. 0 or -EBADMSG.
static int take_header(struct rp_vhu_receiver *rx, struct rp_error *err)
{
	char text[16];

	rx->msg.request = rx->header.request;
	rx->msg.flags = rx->header.flags;
	rx->msg.size = rx->header.size;
	if (rx->header.size <= sizeof(rx->msg.payload))
		return 0;
	rp_vhu_close_fds(&rx->msg);
	snprintf(text, sizeof(text), "%u", rx->header.size);
	return rp_error_set(err, EBADMSG, "message size", text,
			    "no message has more than %zu bytes", sizeof(rx->msg.payload));
}

int rp_vhu_receive(int sock, struct rp_vhu_receiver *rx, struct rp_error *err)
{
	const size_t header_len = sizeof(rx->header);

	if (rx->got == 0)
		rx->msg.n_fds = 0;
	for (;;) {
		bool in_header = rx->got < header_len;
		size_t end = in_header ? header_len : header_len + rx->header.size;
		char *to = in_header ? (char *)&rx->header + rx->got
				     : (char *)&rx->msg.payload + (rx->got - header_len);
		ssize_t n = 0;
		int rc;

		if (rx->got < end) {
			n = receive_some(sock, to, end - rx->got, &rx->msg);
			if (n == 0)
				return 0;
			if (n < 0)
				return receive_error(rx, (int)-n, 0, err);
		}
		rx->got += (size_t)n;
		if (rx->got < end)
			continue;
		if (!in_header) {
			rx->got = 0;
			trace(sock, false, &rx->msg);
			return 1;
		}
		rc = take_header(rx, err);
		if (rc < 0)
			return rc;
	}
}

int rp_vhu_recv(int sock, struct rp_vhu_msg *msg, unsigned int timeout_ms, struct rp_error *err)
{
	uint64_t deadline = rp_clock_ms() + timeout_ms;
	struct rp_vhu_receiver rx;
	int rc;

	rx.got = 0;
	while ((rc = rp_vhu_receive(sock, &rx, err)) == 0) {
		rc = wait_for(sock, POLLIN, deadline);
		if (rc < 0)
			return receive_error(&rx, -rc, timeout_ms, err);
	}
	if (rc < 0)
		return rc;
	memcpy(msg, &rx.msg, offsetof(struct rp_vhu_msg, payload) + rx.msg.size);
	memcpy(msg->fds, rx.msg.fds, rx.msg.n_fds * sizeof(int));
	msg->n_fds = rx.msg.n_fds;
	return 0;
}

static int bad(struct rp_error *err, const char *field, uint64_t value, const char *name,
	       const char *expected)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	return rp_error_set(err, EBADMSG, field, text, "%s: %s", name, expected);
}

int rp_vhu_check_request(const struct rp_vhu_msg *msg, enum rp_vhu_direction direction,
			 struct rp_error *err)
{
	const struct rp_vhu_message_info *info = rp_vhu_message_by_id(direction, msg->request);

	if (info == NULL)
		return bad(err, "request id", msg->request, "unknown", "no such message");
	if ((msg->flags & RP_VHU_VERSION_MASK) != RP_VHU_VERSION)
		return bad(err, "version", msg->flags & RP_VHU_VERSION_MASK, info->name,
			   "expected 1");
	if ((msg->flags & RP_VHU_FLAG_REPLY) != 0)
		return bad(err, "flags", msg->flags, info->name, "a request is marked as a reply");
	if ((msg->flags & RP_VHU_FLAGS_RESERVED) != 0)
		return bad(err, "flags", msg->flags, info->name, "reserved bits are set");
	if (!rp_vhu_payload_size_ok(info->payload, &msg->payload, msg->size))
		return bad(err, "message size", msg->size, info->name, "wrong for its payload");
	if (msg->n_fds < info->fds_min || msg->n_fds > info->fds_max)
		return bad(err, "descriptors", msg->n_fds, info->name, "wrong number");
	return 0;
}

int rp_vhu_check_reply(const struct rp_vhu_msg *reply, const struct rp_vhu_message_info *info,
		       struct rp_error *err)
{
	bool config_error = info->reply == RP_VHU_PAYLOAD_CONFIG && reply->size == 0;

	if (reply->request != info->id)
		return bad(err, "reply id", reply->request, info->name,
			   "the answer is to another request");
	if ((reply->flags & RP_VHU_VERSION_MASK) != RP_VHU_VERSION)
		return bad(err, "reply version", reply->flags & RP_VHU_VERSION_MASK, info->name,
			   "expected 1");
	if ((reply->flags & RP_VHU_FLAG_REPLY) == 0)
		return bad(err, "reply flags", reply->flags, info->name,
			   "the reply bit (2) is not set");
	if (!config_error && !rp_vhu_payload_size_ok(info->reply, &reply->payload, reply->size))
		return bad(err, "reply size", reply->size, info->name, "wrong for its payload");
	if (reply->n_fds < info->reply_fds_min || reply->n_fds > info->reply_fds_max)
		return bad(err, "reply descriptors", reply->n_fds, info->name, "wrong number");
	return 0;
}

int rp_vhu_call(int sock, struct rp_vhu_msg *msg, uint64_t protocol_features,
		unsigned int timeout_ms, struct rp_error *err)
{
	const struct rp_vhu_message_info *info =
		rp_vhu_message_by_id(RP_VHU_FROM_FRONTEND, msg->request);
	int rc;

	if (info == NULL)
		return bad(err, "request id", msg->request, "unknown", "no such message");
	rc = rp_vhu_send(sock, msg, timeout_ms, err);
	if (rc < 0)
		return rc;
	if (!rp_vhu_reply_expected(info, msg->flags, protocol_features)) {
		msg->size = 0;
		msg->n_fds = 0;
		return 0;
	}
	rc = rp_vhu_recv(sock, msg, timeout_ms, err);
	if (rc < 0)
		return rc;
	rc = rp_vhu_check_reply(msg, info, err);
	if (rc < 0)
		rp_vhu_close_fds(msg);
	else if (info->reply == RP_VHU_PAYLOAD_ACK && msg->payload.u64 != 0)
		rc = rp_error_set(err, EPROTO, "peer", info->name, "refused it");
	return rc;
}

void rp_vhu_close_fds(struct rp_vhu_msg *msg)
{
	for (unsigned int i = 0; i < msg->n_fds; i++)
		if (msg->fds[i] >= 0)
			close(msg->fds[i]);
	msg->n_fds = 0;
}
