/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The driver side of a virtqueue, split (virtio 1.2, section 2.7) or packed (2.8).
 *
 * Theory of operation. The driver (a VM) owns buffers, makes them available in chains of
 * descriptors, and gets them back as used. Both sides share the ring's memory; the device is not
 * trusted: what it writes is read once, checked against our own record of what is in flight, and
 * never followed. When it breaks a rule, the ring is marked broken with a reason and stays so.
 *
 *	add -> publish -> (needs_kick? write the kick eventfd) ... get
 *
 * add() writes descriptors that the device does not see yet; publish() shows all of them at once.
 * Split rings keep free-running 16-bit indices; packed rings keep an index and a wrap bit. The
 * interface is the same for both, also in bursts; nothing allocates after init. With the feature
 * EVENT_IDX either side says at which index it wants the next notification; without it, a flag.
 *
 *	struct rp_vring_buf buf = {.gpa = gpa, .len = 1514, .cookie = 7};
 *	struct rp_vring_done done[32];
 *
 *	rp_vring_add_burst(vr, &buf, 1, RP_VRING_READABLE);
 *	rp_vring_publish(vr);
 *	if (rp_vring_needs_kick(vr))
 *		eventfd_write(kick_fd, 1);
 *	n = rp_vring_get_burst(vr, done, 32); // done[0].cookie == 7
 *
 * Lengths are in bytes, addresses are guest-physical, indices in host order. A ring belongs to one
 * thread at a time. The fields of struct rp_vring are open on purpose: a hostile test writes
 * descriptors by hand and then shows them with rp_vring_publish().
 */

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/virtio_ring.h>

static_assert(sizeof(struct vring_desc) == 16, "wire format");
static_assert(sizeof(struct vring_used_elem) == 8, "wire format");
static_assert(sizeof(struct vring_packed_desc) == 16, "wire format");
static_assert(sizeof(struct vring_packed_desc_event) == 4, "wire format");
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "virtio structs are used in place");

#define RP_VRING_SIZE_MAX 32768
// Descriptors of one chain at most, and entries of an indirect table.
#define RP_VRING_CHAIN_MAX 64

// Where the three parts of a ring lie inside one block of memory.
struct rp_vring_layout {
	size_t desc;   // split: descriptor table; packed: descriptor ring
	size_t driver; // split: available ring; packed: driver event suppression
	size_t device; // split: used ring; packed: device event suppression
	size_t total;  // bytes in all; the block must be aligned to 64 bytes
};

struct rp_vring_config {
	uint16_t size; // split: a power of two
	// Split: the first available index. Packed: index in bits 0-14, wrap counter in bit 15.
	uint16_t base;
	bool packed;
	bool event_idx;
	// Where chains of more than one segment (or all, when always_indirect) take one ring entry
	// and a table: room for size tables of RP_VRING_CHAIN_MAX descriptors. NULL: no indirect.
	void *indirect_table;
	uint64_t indirect_gpa;
	bool always_indirect;
};

enum rp_vring_direction { RP_VRING_READABLE, RP_VRING_WRITABLE }; // as the device sees it

struct rp_vring_seg {
	uint64_t gpa;
	uint32_t len;
};

struct rp_vring_buf {
	uint64_t gpa;
	uint32_t len;
	uint32_t cookie;
};

struct rp_vring_done {
	uint32_t cookie;
	uint32_t len; // bytes that the device says it wrote
};

// Our own record of a chain, by its id; count 0 means "not in flight".
struct rp_vring_chain {
	uint32_t cookie;
	uint32_t writable; // bytes that the device may write
	uint16_t count;	   // ring entries taken
	uint16_t last;	   // split: last descriptor of the chain
};

struct rp_vring {
	uint16_t size;
	bool packed;
	bool event_idx;
	bool always_indirect;
	bool avail_wrap; // packed: the driver's wrap counter
	bool used_wrap;	 // packed: where we expect the device's
	uint16_t avail_idx;
	uint16_t used_idx;
	uint16_t shown_idx;    // split: avail_idx at the last publish
	uint16_t notified_idx; // split: avail_idx at the last decision about a kick
	uint16_t num_added;    // packed: entries since the last decision about a kick
	uint16_t num_free;
	uint16_t free_head;
	uint16_t in_flight; // chains
	// Packed: the first entry since the last publish; its flags are held back till then.
	bool pending;
	uint16_t pending_idx;
	uint16_t pending_flags;
	const char *broken; // why the ring is unusable; NULL while it is fine

	// Shared memory.
	union {
		struct vring_desc *desc;
		struct vring_packed_desc *packed_desc;
	};
	union {
		struct vring_avail *avail;
		struct vring_packed_desc_event *driver_event;
	};
	union {
		struct vring_used *used;
		struct vring_packed_desc_event *device_event;
	};
	void *indirect_table;
	uint64_t indirect_gpa;

	// Ours alone: one entry per ring entry.
	struct rp_vring_chain *chains;
	uint16_t *next; // free list and, inside a chain of a split ring, the next descriptor
};

// The layout of a ring of this size.
struct rp_vring_layout rp_vring_layout(uint16_t size, bool packed);

// Bytes of an indirect table block for a ring of this size.
size_t rp_vring_indirect_size(uint16_t size);

// Set up a ring in mem (layout->total bytes, cleared here). 0, -EINVAL or -ENOMEM.
int rp_vring_init(struct rp_vring *vr, const struct rp_vring_config *cfg, void *mem);

// Free our records; the shared memory is the caller's. A cleared struct is fine too.
void rp_vring_fini(struct rp_vring *vr);

// Add one chain: first the n_out readable segments, then the n_in writable ones. 0, or -ENOSPC
// (no room now), -EINVAL (no or too many segments), -EIO (broken).
int rp_vring_add(struct rp_vring *vr, const struct rp_vring_seg *segs, unsigned int n_out,
		 unsigned int n_in, uint32_t cookie);

// Add up to n chains of one segment each; how many found room.
unsigned int rp_vring_add_burst(struct rp_vring *vr, const struct rp_vring_buf *bufs,
				unsigned int n, enum rp_vring_direction direction);

// Show the device all that was added.
void rp_vring_publish(struct rp_vring *vr);

// Whether the device wants a kick for what was published since the last call.
bool rp_vring_needs_kick(struct rp_vring *vr);

// Take back up to n used chains: how many, or -EIO once the device broke the ring (see broken).
int rp_vring_get_burst(struct rp_vring *vr, struct rp_vring_done *done, unsigned int n);

// Ask for an interrupt at the next used chain. True when one is there already: get it first.
bool rp_vring_enable_call(struct rp_vring *vr);

// Ask for no interrupts; a hint only.
void rp_vring_disable_call(struct rp_vring *vr);

// The base to hand to a back-end that takes this ring over with all that it had not used yet.
uint16_t rp_vring_resume_base(const struct rp_vring *vr);

// Mark the ring broken; the first reason stays. Returns -EIO.
int rp_vring_break(struct rp_vring *vr, const char *reason);
