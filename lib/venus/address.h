/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <linux/vm_sockets.h>

#include "base/error.h"

/*
 * Where a server listens: "HOST:PORT", "[IPv6]:PORT", "vsock:CID:PORT" or "unix:PATH".
 *
 * HOST may be a name; it is resolved when the address is parsed. "vsock:any:PORT" listens for every
 * CID. All functions return 0 or -errno and fill *err.
 */
#define RP_VN_DEFAULT_ADDRESS "127.0.0.1:5556"

struct rp_vn_address {
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
		struct sockaddr_vm vm;
	};
	socklen_t len;
};

int rp_vn_address_parse(struct rp_vn_address *addr, const char *text, struct rp_error *err);

// "127.0.0.1:5556" and the like, in buf; returns buf.
const char *rp_vn_address_text(const struct rp_vn_address *addr, char *buf, size_t len);

// A connected stream socket, or -errno; waits timeout_ms at most.
int rp_vn_address_connect(const struct rp_vn_address *addr, int timeout_ms, struct rp_error *err);

// A listening stream socket, or -errno. A stale Unix socket in the way is replaced.
int rp_vn_address_listen(const struct rp_vn_address *addr, struct rp_error *err);
