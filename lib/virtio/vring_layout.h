/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* The two layouts behind vring.h; vring.c chooses. Each function is as documented there. */

#include "virtio/vring.h"

int rp_split_init(struct rp_vring *vr, const struct rp_vring_config *cfg);
int rp_split_add(struct rp_vring *vr, const struct rp_vring_seg *segs, unsigned int n_out,
		 unsigned int n_in, uint32_t cookie);
unsigned int rp_split_add_burst(struct rp_vring *vr, const struct rp_vring_buf *bufs,
				unsigned int n, enum rp_vring_direction direction);
void rp_split_publish(struct rp_vring *vr);
bool rp_split_needs_kick(struct rp_vring *vr);
int rp_split_get_burst(struct rp_vring *vr, struct rp_vring_done *done, unsigned int n);
bool rp_split_enable_call(struct rp_vring *vr);
void rp_split_disable_call(struct rp_vring *vr);
uint16_t rp_split_resume_base(const struct rp_vring *vr);

int rp_packed_init(struct rp_vring *vr, const struct rp_vring_config *cfg);
int rp_packed_add(struct rp_vring *vr, const struct rp_vring_seg *segs, unsigned int n_out,
		  unsigned int n_in, uint32_t cookie);
unsigned int rp_packed_add_burst(struct rp_vring *vr, const struct rp_vring_buf *bufs,
				 unsigned int n, enum rp_vring_direction direction);
void rp_packed_publish(struct rp_vring *vr);
bool rp_packed_needs_kick(struct rp_vring *vr);
int rp_packed_get_burst(struct rp_vring *vr, struct rp_vring_done *done, unsigned int n);
bool rp_packed_enable_call(struct rp_vring *vr);
void rp_packed_disable_call(struct rp_vring *vr);
uint16_t rp_packed_resume_base(const struct rp_vring *vr);

// Check what the device gave back against our record: the chain, or NULL and the ring is broken.
struct rp_vring_chain *rp_vring_check_done(struct rp_vring *vr, uint32_t id, uint32_t len);

// Whether a chain of n segments goes through an indirect table.
static inline bool rp_vring_use_indirect(const struct rp_vring *vr, unsigned int n)
{
	return vr->indirect_table != NULL && (n > 1 || vr->always_indirect);
}

// Total bytes of the writable segments.
static inline uint32_t rp_vring_writable(const struct rp_vring_seg *segs, unsigned int n_in)
{
	uint32_t sum = 0;

	for (unsigned int i = 0; i < n_in; i++)
		sum += segs[i].len;
	return sum;
}
