/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* One connection to the little network card, step by step in one thread: say something, see what
 * comes back. Opening counts descriptors, closing fails when one is left over. */

#include "vhost_user/guest_memory.h"
#include "vhost_user/netdev.h"

#define RING_SIZE 16 // of the rings of these tests

struct session {
	struct rp_netdev netdev;
	struct rp_backend *be;
	int sock;
	int fds_before;
	struct rp_vhu_msg table; // SET_MEM_TABLE as share() sent it
};

// Set-up and tear-down of a cmocka test.
int session_open(void **state);
int session_close(void **state);

// A new connection, after the old one was closed by hand.
void session_connect(struct session *f);

// Send a request, let the card work, take the reply. What step() said, or -EAGAIN for no reply.
int ask(struct session *f, struct rp_vhu_msg *msg);

// Ask for an ack: its value, or what ask() said.
int64_t ack(struct session *f, struct rp_vhu_msg msg);

// The u64 that answers a request without payload.
uint64_t get(struct session *f, uint32_t id);

// All protocol features that are offered, and VERSION_1.
void negotiate(struct session *f);

// Make guest memory of so many regions and hand it over.
void share(struct session *f, struct rp_guest_memory *m, unsigned int regions);

// Ring q at uva: descriptors there, used ring 0x1000, available ring 0x2000 behind.
struct rp_vhu_msg addr_msg(uint32_t q, uint64_t uva);

#define U64(id, value) ((struct rp_vhu_msg){.request = (id), .size = 8, .payload.u64 = (value)})
#define STATE(id, index_, num_)                                                                    \
	((struct rp_vhu_msg){                                                                      \
		.request = (id), .size = 8, .payload.state = {.index = (index_), .num = (num_)}})
#define WITH_FD(id, value, fd)                                                                     \
	((struct rp_vhu_msg){                                                                      \
		.request = (id), .size = 8, .payload.u64 = (value), .fds = {fd}, .n_fds = 1})
