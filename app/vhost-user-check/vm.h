/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A pretended VM for rules about rings: guest memory, split rings and the requests that set them
 * up, each step on its own so that a rule can leave one out, repeat it or spoil it.
 *
 * The *work ring* is the one on which the driver sends requests: the transmit ring (1) of a network
 * card, ring 0 of a disk. A unit of work is a frame to send, or a sector to read.
 */

#include "check.h"

#include "vhost_user/guest_memory.h"
#include "virtio/vring.h"

#define VM_RINGS       8
#define VM_RING_SIZE   64
#define VM_BUFFER_SIZE 2048

struct vm_config {
	uint64_t features;  // wanted besides VERSION_1 and bit 30
	bool legacy;	    // without VERSION_1
	bool no_f30;	    // without bit 30 in SET_FEATURES
	uint16_t ring_size; // default 64
	uint16_t base;
	unsigned int regions; // default 1
	unsigned int rings;   // default: a network card 2, a disk 1
	bool no_call_fd;
	bool no_kick_fd;
	uint32_t addr_flags;
};

struct vm_ring {
	struct rp_vring vr;
	void *mem;
	uint64_t mem_gpa;
	size_t mem_len;
	uint8_t *bufs; // ring_size buffers of VM_BUFFER_SIZE
	uint64_t bufs_gpa;
	unsigned int next_buf;
	int kick;
	int call;
	struct rp_vring_done done; // the last that came back
	unsigned int n_done;
};

struct vm {
	struct check *c;
	struct vm *next;
	struct session *s;
	struct vm_config cfg;
	struct rp_guest_memory mem;
	unsigned int n_rings;
	unsigned int work; // the work ring
	unsigned int hdr_len;
	struct vm_ring rings[VM_RINGS];
};

// Connect, negotiate, make memory and rings; the back-end knows nothing of them yet. cfg NULL:
// the defaults. The rule ends where something must go well and does not.
struct vm *vm_new(struct check *c, const struct vm_config *cfg);

// All of it: memory, rings, enabling, device status.
struct vm *vm_start(struct check *c, const struct vm_config *cfg);
void vm_bring_up(struct vm *vm);
void vm_share_memory(struct vm *vm);
struct rp_vhu_msg vm_mem_table(const struct vm *vm);
struct rp_vhu_msg vm_addr(const struct vm *vm, unsigned int q);
void vm_set_num(struct vm *vm, unsigned int q);
void vm_set_base(struct vm *vm, unsigned int q);
void vm_set_addr(struct vm *vm, unsigned int q);
void vm_set_call(struct vm *vm, unsigned int q);
void vm_set_kick(struct vm *vm, unsigned int q);
void vm_setup_ring(struct vm *vm, unsigned int q); // the five above
void vm_kick(struct vm *vm, unsigned int q);
void vm_enable(struct vm *vm, unsigned int q, bool on); // nothing without bit 30
void vm_enable_all(struct vm *vm, bool on);
void vm_driver_ok(struct vm *vm);		 // nothing without STATUS
uint32_t vm_stop(struct vm *vm, unsigned int q); // GET_VRING_BASE
void vm_clear_ring(struct vm *vm, unsigned int q, uint16_t base);

// Add one unit of work to the work ring and show it; no kick.
void vm_post(struct vm *vm);

// Post n units, kick, wait until all are used; the rule fails where they are not.
void vm_work(struct vm *vm, unsigned int n);

// Wait until n more chains of ring q were used: true; or ms are over.
bool vm_wait(struct vm *vm, unsigned int q, unsigned int n, unsigned int ms);

// The used index of ring q as it stands in guest memory.
uint16_t vm_used(struct vm *vm, unsigned int q);

// A receive buffer for a network card, shown but not announced.
uint64_t vm_post_rx(struct vm *vm, uint32_t len);

// Make the device write: the place and length, and the bytes. The rule fails where it does not.
struct vm_written {
	uint64_t gpa;
	uint32_t len; // as used.len says
	const uint8_t *bytes;
};
struct vm_written vm_receive(struct vm *vm);

// The frame that provokes an answer, and whether the bytes behind the header are our frame again.
void vm_send_frame(struct vm *vm);

// Close our descriptor of the memory; the mapping stays.
void vm_close_memory_fd(struct vm *vm);

// A check sum of all guest memory.
uint64_t vm_sum(const struct vm *vm);

// Whether the eventfd was signalled within ms; empties it.
bool vm_signalled(int eventfd, unsigned int ms);

void vm_free_all(struct check *c);
