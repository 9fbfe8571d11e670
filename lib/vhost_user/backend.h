/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The back-end device: the device's side of one vhost-user connection, for split rings.
 *
 *	static const struct rp_backend_ops ops = {.kicked = serve};
 *	struct rp_backend_device dev = {.features = ..., .n_rings = 2, .queue_num = 1, .ops = &ops};
 *
 *	be = rp_backend_new(rp_vhu_accept(listener, ...), &dev);
 *	while ((rc = rp_backend_step(be)) >= 0)
 *		if (rc == 0)
 *			poll(rp_backend_fd(be), rp_backend_timeout(be));
 *	rp_backend_free(be);
 *
 * Theory of operation. The owner polls one descriptor and calls step(), which reads messages (also
 * those that come in pieces: nothing here waits) and kicks, and calls back. A ring is *started* by
 * the first kick behind SET_VRING_KICK and stopped by GET_VRING_BASE; it is *enabled* or not,
 * independently. kicked() is called for started rings, enabled or not: a disabled ring of a network
 * card takes packets and drops them, and receives none. The device works on rp_backend_ring() with
 * virtio/split_device.h and calls rp_backend_call() when the driver wants it.
 *
 * The front-end is not trusted. Each message is checked against the table, its gate and the state;
 * what fails is answered with an ack other than 0 if the front-end asked for one, else by the end
 *of the connection, because otherwise it would believe that all is well. Memory that vanishes under
 * us is replaced (see mapping.h). Only eventfds are taken for kick, call and err: anything else
 * could block us or keep us busy.
 *
 * One thread an object. Reference: QEMU docs/interop/vhost-user.rst.
 */

#include "vhost_user/device_memory.h"
#include "vhost_user/socket.h"
#include "virtio/split_device.h"

struct rp_backend; // opaque

// Protocol features that are implemented here; the device offers those that fit it.
#define RP_BACKEND_PROTOCOL_FEATURES                                                               \
	(RP_VHU_PROTOCOL_BIT(MQ) | RP_VHU_PROTOCOL_BIT(LOG_SHMFD) | RP_VHU_PROTOCOL_BIT(RARP) |    \
	 RP_VHU_PROTOCOL_BIT(REPLY_ACK) | RP_VHU_PROTOCOL_BIT(MTU) |                               \
	 RP_VHU_PROTOCOL_BIT(BACKEND_REQ) | RP_VHU_PROTOCOL_BIT(CONFIG) |                          \
	 RP_VHU_PROTOCOL_BIT(INFLIGHT_SHMFD) | RP_VHU_PROTOCOL_BIT(RESET_DEVICE) |                 \
	 RP_VHU_PROTOCOL_BIT(INBAND_NOTIFICATIONS) | RP_VHU_PROTOCOL_BIT(CONFIGURE_MEM_SLOTS) |    \
	 RP_VHU_PROTOCOL_BIT(STATUS))

// Each may be NULL. Those that return int refuse the message by a negative number.
struct rp_backend_ops {
	// A started ring may have available chains (or be asked to look: see timeout).
	void (*kicked)(struct rp_backend *be, unsigned int q, void *arg);
	void (*ring_started)(struct rp_backend *be, unsigned int q, void *arg);
	// The last moment to give chains back; after it nothing may touch the ring. Not
	// called when the ring's memory is gone already.
	void (*ring_stopped)(struct rp_backend *be, unsigned int q, void *arg);
	void (*features_set)(struct rp_backend *be, void *arg);
	void (*reset)(struct rp_backend *be, void *arg);
	int (*set_mtu)(struct rp_backend *be, uint64_t mtu, void *arg);
	int (*set_config)(struct rp_backend *be, uint32_t offset, const void *data, uint32_t size,
			  void *arg);
	// Every request before it is handled, and every reply before it is sent: for tests
	// that need a back-end which misbehaves. 0 go on; 1 leave it out; negative: hang
	// up.
	int (*request)(struct rp_backend *be, const struct rp_vhu_msg *msg, void *arg);
	int (*reply)(struct rp_backend *be, struct rp_vhu_msg *reply, void *arg);
};

struct rp_backend_device {
	uint64_t features;	    // offered virtio features; with bit 30 for protocol features
	uint64_t protocol_features; // offered; at most RP_BACKEND_PROTOCOL_FEATURES
	unsigned int n_rings;	    // at most 256
	uint64_t queue_num;	    // the answer to GET_QUEUE_NUM; a network card counts pairs
	const void *config;	    // configuration space, read by GET_CONFIG
	uint32_t config_size;
	const struct rp_backend_ops *ops;
	void *arg;
};

// Serve a connected socket, which is ours from here on. The device must outlive the
// object. NULL with errno set (and the socket closed).
struct rp_backend *rp_backend_new(int sock, const struct rp_backend_device *dev);

// Stop all rings, unmap, close, free. NULL is fine.
void rp_backend_free(struct rp_backend *be);

// Handle what is there, without waiting: how much it was (0: now wait), or -ECONNRESET the
// front-end hung up, other -errno we did, and rp_backend_error() says why.
int rp_backend_step(struct rp_backend *be);

// Readable when step() has something to do.
int rp_backend_fd(const struct rp_backend *be);

// How long to wait for that at most, in ms: -1 for ever, 0 not at all, 1 while a ring is
// polled.
int rp_backend_timeout(const struct rp_backend *be);

const struct rp_error *rp_backend_error(const struct rp_backend *be);

// A ring to work on; NULL unless it is started.
struct rp_device_ring *rp_backend_ring(struct rp_backend *be, unsigned int q);
bool rp_backend_ring_enabled(const struct rp_backend *be, unsigned int q);

// Notify the driver about ring q, wanted or not.
void rp_backend_call(struct rp_backend *be, unsigned int q);

// From kicked(): there is more to do, but others shall have their turn first.
void rp_backend_again(struct rp_backend *be, unsigned int q);

// Tell the driver that ring q is broken.
void rp_backend_ring_error(struct rp_backend *be, unsigned int q);

uint64_t rp_backend_features(const struct rp_backend *be); // negotiated
uint64_t rp_backend_protocol_features(const struct rp_backend *be);
uint64_t rp_backend_status(const struct rp_backend *be);
const struct rp_device_regions *rp_backend_memory(const struct rp_backend *be);
int rp_backend_socket(const struct rp_backend *be);

// Tell the front-end that the configuration space changed. 0, -ENOTSUP not negotiated,
// -errno.
int rp_backend_config_changed(struct rp_backend *be);
