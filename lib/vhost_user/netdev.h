/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A small network card on the back-end device: what a front-end sends comes back to it, or goes
 * nowhere, or frames come without end. For tests of front-ends, and to be tested itself.
 *
 *	rp_netdev_init(&card, RP_NETDEV_LOOPBACK, 2);
 *	be = rp_backend_new(sock, &card.device);
 *
 * Pair p loops to pair p. A frame that finds no room is dropped and counted; a disabled ring's
 * frames are taken and dropped. A frame whose checksum the sender left open is finished unless the
 * receiver takes it so; a segmented one only goes to receivers that take it.
 */

#include "vhost_user/backend.h"
#include "virtio/net.h"

#define RP_NETDEV_PAIRS_MAX 128
#define RP_NETDEV_FRAME_MAX 65550 // with virtio header and 64 KB of TSO

enum rp_netdev_mode { RP_NETDEV_LOOPBACK, RP_NETDEV_SINK, RP_NETDEV_SOURCE };

struct rp_netdev_stats {
	uint64_t rx; // frames taken from the front-end
	uint64_t tx; // frames given to it
	uint64_t dropped;
	uint64_t bad; // chains that made no sense
};

struct rp_netdev;

// For tests that need a card which misbehaves; each may be NULL.
struct rp_netdev_hooks {
	// Before a used chain is given back on ring q.
	void (*push)(struct rp_netdev *card, unsigned int q, uint16_t *head, uint32_t *len);
	// Before a call; false: leave it out.
	bool (*call)(struct rp_netdev *card, unsigned int q);
	// Before a frame is given to the front-end.
	void (*frame)(struct rp_netdev *card, uint8_t *frame, size_t len);
};

struct rp_netdev {
	struct rp_backend_device device;
	struct rp_backend_ops ops; // may be added to before the first connection
	struct rp_netdev_hooks hooks;
	enum rp_netdev_mode mode;
	struct virtio_net_config config;
	struct rp_netdev_stats stats;
	uint64_t sequence; // of frames made here

	struct rp_device_chain out;   // being read
	struct rp_device_chain first; // being written: the first buffer, and the one at hand
	struct rp_device_chain next;
	uint8_t frame[RP_NETDEV_FRAME_MAX];
};

// The struct is large: not for the stack.
void rp_netdev_init(struct rp_netdev *card, enum rp_netdev_mode mode, unsigned int pairs);
