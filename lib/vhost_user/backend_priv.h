/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* What the files of the back-end device share; not for users. */

#include "vhost_user/backend.h"

#define RP_BACKEND_RINGS_MAX 256

struct rp_backend_vring {
	struct rp_device_ring ring;
	struct rp_vhu_vring_addr addr;
	bool have_addr;
	uint16_t num;  // 0: not said
	uint16_t base; // where to start, or where it stopped
	int kick;
	int call;
	int err;
	bool armed;   // SET_VRING_KICK came; the first kick starts the ring
	bool no_kick; // it came without a descriptor
	bool started;
	bool enabled;
	bool again; // kicked() wants to be called again
};

struct rp_backend {
	int sock;
	int channel; // of SET_BACKEND_REQ_FD
	int epoll;
	const struct rp_backend_device *dev;
	struct rp_error err;
	struct rp_vhu_receiver rx;
	bool congested; // the front-end does not read: we do not either

	uint64_t features;
	uint64_t protocol_features;
	bool features_refused; // the last SET_FEATURES
	uint64_t status;
	struct rp_device_regions regions;
	struct rp_device_memory memory; // the rings' view of regions
	struct rp_backend_vring *vrings;
	struct rp_mapping inflight; // of SET_INFLIGHT_FD
	uint16_t inflight_rings;
	uint16_t inflight_size; // of a ring in it
};

static inline bool rp_backend_has_protocol(const struct rp_backend *be, uint64_t bit)
{
	return (be->protocol_features & bit) != 0;
}

// backend_ring.c

// Take a new kick, call or err descriptor (-1: none). 0 or -errno; only then it is taken.
int rp_backend_set_kick(struct rp_backend *be, unsigned int q, int fd);
int rp_backend_set_call(struct rp_backend *be, unsigned int q, int fd);
int rp_backend_set_err(struct rp_backend *be, unsigned int q, int fd);

// A kick came, by descriptor or by message: start the ring if it waits for it, then serve it.
void rp_backend_kick(struct rp_backend *be, unsigned int q);

// Find the ring's memory anew. False: it is not (all) there.
bool rp_backend_resolve(struct rp_backend *be, unsigned int q);

void rp_backend_stop_ring(struct rp_backend *be, unsigned int q);
void rp_backend_stop_all(struct rp_backend *be);

// Read one kick. False: none there.
bool rp_backend_take_kick(struct rp_backend *be, unsigned int q);

// backend_messages.c

// Handle the message in be->rx. 0 or -errno, when the connection must end.
int rp_backend_handle(struct rp_backend *be);
