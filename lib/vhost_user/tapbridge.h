/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Joins a front-end device to a kernel TAP, so that any Linux program plays the VM.
 *
 *	struct rp_tapbridge_config tap = {.name = "vm1", .netns = "vm1", .mac = {0x52, 0x54, ...}};
 *	struct rp_tapbridge *br = rp_tapbridge_create(vm, &tap, &err); // vm is set up already
 *
 *	rp_tapbridge_start(br);
 *	... ip netns exec vm1 dhclient vm1 ...
 *	rp_tapbridge_destroy(br);
 *
 * Frames pass with their virtio-net headers, so offloads that the back-end offered and setup()
 * negotiated (CSUM, HOST_TSO4, GUEST_TSO4 ...) reach the kernel as a guest would have them. What
 * the TAP sends goes out on queue pair 0 and waits while that ring is full; what any pair receives
 * goes to the TAP.
 *
 * Either start() a thread, or drive it from a loop: call step() until it returns 0, then wait for
 * rp_tapbridge_fd() to become readable. From create to destroy the bridge alone uses the front-end.
 */

#include "vhost_user/frontend.h"

struct rp_tapbridge; // opaque

struct rp_tapbridge_config {
	const char *name;  // of the interface, made here and gone with the bridge
	const char *netns; // a name of `ip netns`, or a path with a '/'; NULL: ours
	uint8_t mac[6];	   // all zero: the kernel chooses
	uint16_t mtu;	   // 0: that of the front-end's configuration
};

struct rp_tapbridge_stats {
	uint64_t to_tap;
	uint64_t from_tap;
	uint64_t dropped; // not taken by the TAP (it is down), or unfit for the ring
};

// Make the TAP, bring it up. NULL with errno set; needs CAP_NET_ADMIN in that namespace.
struct rp_tapbridge *rp_tapbridge_create(struct rp_frontend *fe,
					 const struct rp_tapbridge_config *cfg,
					 struct rp_error *err);

// Move what is there, without waiting: how many frames (0: nothing, now wait), -ECONNRESET the
// back-end hung up, -EIO it broke a ring, another -errno when the TAP is gone.
int rp_tapbridge_step(struct rp_tapbridge *br);

// Readable when step() has something to do.
int rp_tapbridge_fd(const struct rp_tapbridge *br);

// Run in a thread of its own until stop(), which says why it ended: 0 because it was told to, or
// what step() returned.
int rp_tapbridge_start(struct rp_tapbridge *br);
int rp_tapbridge_stop(struct rp_tapbridge *br);

struct rp_tapbridge_stats rp_tapbridge_stats(const struct rp_tapbridge *br);

// Stop if need be, remove the TAP, free; the front-end stays. NULL is fine.
void rp_tapbridge_destroy(struct rp_tapbridge *br);
