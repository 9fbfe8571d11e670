/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * vhost-user messages over a Unix socket.
 *
 * A message goes out in one sendmsg with its descriptors and comes in with a deadline on every
 * wait. Nothing here trusts the peer: sizes are checked against the table before a byte is read
 * into place, descriptors are close-on-exec and are closed on every error. All functions work on
 * blocking and non-blocking sockets alike and raise no SIGPIPE.
 *
 *	struct rp_vhu_msg msg = {.request = RP_VHU_GET_FEATURES};
 *
 *	if (rp_vhu_call(sock, &msg, 0, 1000, &err) == 0)
 *		features = msg.payload.u64;
 *
 * Errors (negative, and in words in *err, which may be NULL): -ENOENT no such socket; -ECONNREFUSED
 * nobody listens; -EACCES permission; -ECONNRESET the peer hung up (the text says whether in the
 * midst of a message); -ETIMEDOUT it is late; -EBADMSG what it sent is not a valid message or not
 * the answer to this request (short, too long, wrong id, wrong version, descriptors that do not
 * belong); other -errno of the system calls. Not thread-safe per socket.
 */

#include "base/error.h"
#include "vhost_user/messages.h"

struct rp_vhu_msg {
	uint32_t request;
	uint32_t flags; // version is put in on sending
	uint32_t size;	// of payload
	union rp_vhu_payload payload;
	int fds[RP_VHU_MAX_FDS]; // received: the caller's to close; sent: stay the caller's
	unsigned int n_fds;
};

/*
 * See every whole message that this process sends and receives, before the caller does. One for the
 * process; set it before there is a second thread. NULL: none. Bytes of rp_vhu_send_raw() are no
 * messages. The function may not send or receive.
 */
typedef void (*rp_vhu_trace_fn)(int sock, bool sent, const struct rp_vhu_msg *msg, void *arg);
void rp_vhu_set_trace(rp_vhu_trace_fn fn, void *arg);

// Wait for one connection on a listening descriptor. Returns the descriptor.
int rp_vhu_accept(int listener, unsigned int timeout_ms, struct rp_error *err);

// Send msg as it stands: header flags, size and descriptors are the caller's choice, only the
// version is added. 0 or -errno.
int rp_vhu_send(int sock, const struct rp_vhu_msg *msg, unsigned int timeout_ms,
		struct rp_error *err);

// Send these bytes and descriptors, whatever they are: for tests of the other end.
int rp_vhu_send_raw(int sock, const void *bytes, size_t len, const int *fds, unsigned int n_fds,
		    unsigned int timeout_ms, struct rp_error *err);

// A message that comes in pieces. Start with got = 0.
struct rp_vhu_receiver {
	struct rp_vhu_header header;
	size_t got; // bytes so far
	struct rp_vhu_msg msg;
};

// Take what is there, without waiting. 1: rx->msg is whole (then the next call begins another); 0:
// not yet; -errno as for rp_vhu_recv.
int rp_vhu_receive(int sock, struct rp_vhu_receiver *rx, struct rp_error *err);

// Receive one message of any id whose size fits the buffer. 0 or -errno; on error no descriptor
// stays open and the stream is out of step: close it.
int rp_vhu_recv(int sock, struct rp_vhu_msg *msg, unsigned int timeout_ms, struct rp_error *err);

// Check a received request against the table: id, version, size, descriptors. 0 or -EBADMSG.
int rp_vhu_check_request(const struct rp_vhu_msg *msg, enum rp_vhu_direction direction,
			 struct rp_error *err);

// Check a received reply to a request of this row. 0 or -EBADMSG.
int rp_vhu_check_reply(const struct rp_vhu_msg *reply, const struct rp_vhu_message_info *info,
		       struct rp_error *err);

// Send a request of the front-end and, where one is due under these protocol features, wait for its
// reply, which replaces *msg (size 0 when none is due). An ack other than 0 gives -EPROTO.
int rp_vhu_call(int sock, struct rp_vhu_msg *msg, uint64_t protocol_features,
		unsigned int timeout_ms, struct rp_error *err);

// Close the descriptors that came with a message; one that was kept is set to -1 before.
void rp_vhu_close_fds(struct rp_vhu_msg *msg);
