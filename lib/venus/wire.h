/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Frames on a stream socket.
 *
 *   u32 magic 0x56504C53 ("VPLS"), u32 size of the payload in bytes; little endian
 *   payload: commands (client to server) or replies (server to client), one after the other
 *
 * A Venus command has no length of its own, so a peer that meets one that it cannot decode cannot
 * skip it: it closes the connection. The first command is HELLO; before it nothing else is served.
 *
 *   HELLO request  u32 0x10000, u32 1, u32 protocol, u32 VK_HEADER_VERSION, u32 largest frame that
 *                  the sender takes, string token (may be empty)
 *   HELLO reply    u32 0x10000, i32 enum rp_vn_hello, u32 protocol, u32 VK_HEADER_VERSION,
 *                  u32 largest frame
 *
 * Mapped memory is not shared but sent; see twin.h:
 *
 *   WRITE_MEMORY   u32 0x10001, u32 0, u64 device, u64 memory, u64 offset, u64 size, bytes padded
 *                  to 4; no reply
 *   READ_MEMORY    u32 0x10002, u32 1, u64 device, u64 memory, u64 offset, u64 size
 *   its reply      u32 0x10002, u32 number of pieces that changed, each: u64 offset, u64 size,
 *                  bytes padded to 4
 */

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

#define RP_VN_MAGIC    0x56504C53u
#define RP_VN_HEADER   8u
#define RP_VN_PROTOCOL 1u

// Upper bound of a frame's payload in both directions.
#define RP_VN_MAX_FRAME (16u << 20)
#define RP_VN_MAX_TOKEN 256u

// Our own commands lie outside of the numbers that Venus uses.
enum rp_vn_own_command {
	RP_VN_CMD_HELLO = 0x10000,
	RP_VN_CMD_WRITE_MEMORY,
	RP_VN_CMD_READ_MEMORY,
};

// The most that one READ_MEMORY may ask for, and a WRITE_MEMORY carry.
#define RP_VN_MAX_TRANSFER (4u << 20)

enum rp_vn_hello {
	RP_VN_HELLO_OK = 0,
	RP_VN_HELLO_PROTOCOL = -1, // another protocol version
	RP_VN_HELLO_TOKEN = -2,	   // token missing or wrong
	RP_VN_HELLO_BUSY = -3,	   // too many clients
};

// One end of a connection. Not thread-safe; zero the struct and set fd.
struct rp_vn_wire {
	int fd;
	uint8_t *buf; // received bytes
	size_t cap;
	size_t start; // of the bytes not yet handed out
	size_t end;
};

// Latency and death options: no Nagle, keepalive that finds a vanished host within 30 s.
void rp_vn_wire_tune(int fd);

// Send one frame with as few system calls as the kernel allows. Bounded by timeout_ms in all (0:
// waits for ever). 0, -ETIMEDOUT, -EPIPE, -ECONNRESET or another -errno.
int rp_vn_wire_send(struct rp_vn_wire *w, const void *payload, size_t len, int timeout_ms);

// Receive one frame and point *frame at its payload, valid until the next call. Bounded as above.
// -EPIPE: the peer closed; -EPROTO: that is no frame; -EMSGSIZE: larger than RP_VN_MAX_FRAME.
int rp_vn_wire_recv(struct rp_vn_wire *w, struct rp_reader *frame, int timeout_ms);

// Close the socket and free the buffer.
void rp_vn_wire_close(struct rp_vn_wire *w);
