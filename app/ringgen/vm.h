/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* A VM that ringgen plays: its rings, its addresses, its counters. */

#include "frames.h"
#include "options.h"
#include "ring.h"

struct gen_counters {
	uint64_t rx;	   // frames of ours
	uint64_t rx_bytes; // of these, without the virtio header
	uint64_t rx_other; // what else came: advertisements, frames of a wrong length
	uint64_t tx;
	uint64_t tx_bytes;
	uint64_t bursts; // attempts to send
	uint64_t full;	 // of these, the ring had no room for
};

struct gen_vm {
	struct gen_ring rx;
	struct gen_ring tx;
	struct rp_frontend *fe;
	unsigned int index;
	bool sends;
	// A frame in several receive buffers: those still to come, and what came so far.
	uint16_t rest;
	uint32_t rest_len;
	bool rest_ours;
	uint32_t rx_flow; // of the frame being received, to verify
	uint32_t next_flow;
	struct gen_template *templates; // one a flow
	uint32_t *numbers;		// next number of each flow
	struct gen_counters count;
};

// Connect to all sockets, set the rings up and fill the receive rings. 0 or -errno.
int gen_vms_open(struct gen_vm *vms, const struct gen_options *opt, struct rp_error *err);
void gen_vms_close(struct gen_vm *vms, const struct gen_options *opt);

// Make templates and buffers ready, once all addresses are known. 0 or -ENOMEM.
int gen_vms_prepare(struct gen_vm *vms, const struct gen_options *opt, struct rp_error *err);

// One frame by the slow way. False: no room in the ring.
bool gen_vm_send(struct gen_vm *vm, const struct gen_options *opt, const void *frame, size_t len);

// The next frame by the slow way, copied to buf: its length (cut to size), 0 when there is none.
size_t gen_vm_recv(struct gen_vm *vm, const struct gen_options *opt, void *buf, size_t size);
