/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* What the files of the front-end device share; not for users. */

#include "vhost_user/frontend.h"

#define RP_FRONTEND_DONE_MAX 64 // used buffers read ahead; also the most that one packet may fill

struct rp_frontend_queue {
	struct rp_vring vr;
	void *ring_mem;
	void *indirect; // NULL unless negotiated
	uint64_t indirect_gpa;
	int kick;
	int call;
	bool started;
	bool enabled;

	// Fixed buffers, by index; those not in a chain stand on the free stack.
	uint8_t *bufs;
	uint64_t bufs_gpa;
	uint32_t buf_size;
	uint32_t stride;
	uint16_t *free;
	uint16_t n_free;
	uint16_t *link; // next buffer of the same chain; RP_FRONTEND_NO_LINK at its end
	uint32_t *len;	// bytes posted in this buffer

	struct rp_vring_done done[RP_FRONTEND_DONE_MAX]; // taken from the ring, not yet handed out
	unsigned int n_done;
	struct rp_frontend_stats stats;
};

// Behind the last buffer of a chain; a chain that begins with it has none.
#define RP_FRONTEND_NO_LINK RP_FRONTEND_RAW_COOKIE

struct rp_frontend {
	char *path; // NULL when taken over by descriptor
	int listener;
	int sock;
	unsigned int timeout_ms;
	bool set_up;
	struct rp_frontend_config cfg;

	uint64_t offered;
	uint64_t features;
	uint64_t protocol_offered;
	uint64_t protocol_features;
	uint64_t queue_num;
	unsigned int hdr_len;

	struct rp_guest_memory mem;
	unsigned int n_queues; // two per pair
	struct rp_frontend_queue *queues;
};

static inline bool rp_frontend_has(const struct rp_frontend *fe, uint64_t virtio_bit)
{
	return (fe->features & virtio_bit) != 0;
}

static inline bool rp_frontend_has_protocol(const struct rp_frontend *fe, uint64_t protocol_bit)
{
	return (fe->protocol_features & protocol_bit) != 0;
}

// Lay rings and buffers out in guest memory for the negotiated features; all empty.
int rp_frontend_make_queues(struct rp_frontend *fe, struct rp_error *err);
void rp_frontend_free_queues(struct rp_frontend *fe);

// Empty a queue: ring at its base, all buffers free.
int rp_frontend_reset_queue(struct rp_frontend *fe, unsigned int q);

int rp_frontend_share_memory(struct rp_frontend *fe, struct rp_error *err);
int rp_frontend_driver_ok(struct rp_frontend *fe, struct rp_error *err);
