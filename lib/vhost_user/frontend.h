/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The front-end device: the VM's side of a vhost-user network port, in C.
 *
 * Anyone who tests a back-end links this, plays the VM, and needs no hypervisor. A worked example,
 * complete but for the includes:
 *
 *	struct rp_frontend_config cfg = {.queue_pairs = 1};
 *	struct rp_error err;
 *	uint8_t frame[1514];
 *	char text[512];
 *
 *	struct rp_frontend *vm = rp_frontend_connect("/run/ringplane/vm1.sock", &err);
 *	if (vm == NULL || rp_frontend_setup(vm, &cfg, &err) < 0)
 *		errx(1, "%s", rp_error_text(&err, text, sizeof(text)));
 *	rp_frontend_send_packet(vm, arp_request, 60);
 *	if (rp_frontend_wait_for_rx(vm, 1000) == 0)
 *		len = rp_frontend_recv_packet(vm, frame, sizeof(frame));
 *	rp_frontend_free(vm);
 *
 * Theory of operation. connect() or listen()+accept() give a control socket; nothing is said yet.
 * setup() negotiates, makes guest memory, lays rings out in it, fills the receive rings and starts
 * and enables the queue pairs. Ring 2n carries packets to the VM (receive), ring 2n+1 from it
 * (transmit). disconnect() stops the rings as a VMM does; abort() just closes, as a killed one;
 * reconnect() starts over as a rebooted VM, resume() hands over living rings as a VMM does when
 * its back-end was restarted. For hostile tests the rings, the memory and the socket are open.
 *
 * Frames are whole Ethernet frames without FCS; lengths in bytes. Functions return 0, a count, or
 * -errno as said; *err (may be NULL) carries the words. An object belongs to one thread at a time;
 * different objects are independent. Reference: virtio 1.2 sections 2.7, 2.8, 5.1; QEMU
 * docs/interop/vhost-user.rst.
 */

#include "base/error.h"
#include "vhost_user/guest_memory.h"
#include "vhost_user/socket.h"
#include "virtio/net.h"
#include "virtio/vring.h"

#include <sys/uio.h>

#define RP_FRONTEND_MAX_PAIRS 127 // a ring's index is 8 bits in SET_VRING_KICK

// Virtio features asked for by default: what a current Linux guest uses, on split rings.
#define RP_FRONTEND_FEATURES                                                                       \
	(RP_VIRTIO_BIT(VERSION_1) | RP_VIRTIO_BIT(EVENT_IDX) | RP_VIRTIO_BIT(INDIRECT_DESC) |      \
	 RP_VIRTIO_BIT(NET_MRG_RXBUF) | RP_VIRTIO_BIT(NET_MTU) | RP_VIRTIO_BIT(NET_MQ) |           \
	 RP_VIRTIO_BIT(NET_CTRL_VQ) | RP_VIRTIO_BIT(VHOST_PROTOCOL_FEATURES))

// Protocol features that this front-end implements; never more are negotiated.
#define RP_FRONTEND_PROTOCOL_FEATURES                                                              \
	(RP_VHU_PROTOCOL_BIT(MQ) | RP_VHU_PROTOCOL_BIT(REPLY_ACK) | RP_VHU_PROTOCOL_BIT(RARP) |    \
	 RP_VHU_PROTOCOL_BIT(MTU) | RP_VHU_PROTOCOL_BIT(CONFIG) |                                  \
	 RP_VHU_PROTOCOL_BIT(RESET_DEVICE) | RP_VHU_PROTOCOL_BIT(CONFIGURE_MEM_SLOTS) |            \
	 RP_VHU_PROTOCOL_BIT(STATUS))

struct rp_frontend; // opaque

// Zero means the default everywhere.
struct rp_frontend_config {
	uint64_t features;	    // wanted; negotiated is what is also offered
	uint64_t required_features; // setup fails with -ENOTSUP where one is not offered
	uint64_t protocol_features; // wanted
	bool no_protocol_features;  // as a front-end of the first days: without bit 30
	uint16_t ring_size;	    // entries; default 256
	uint16_t base;		    // first index of every ring; packed: with the wrap bit (15)
	uint16_t queue_pairs;	    // pairs with rings; default 1
	uint16_t enabled_pairs;	    // pairs enabled by setup; default all. See no_enable
	bool no_enable;		    // enable none
	bool withhold_driver_ok;    // stop before DRIVER_OK: a driver that never comes up
	uint16_t mtu;		    // default 1500; buffers are sized by it
	uint32_t rx_buffer_size;    // default: 2048 with MRG_RXBUF, else a whole frame
	uint32_t tx_segment;	    // cut packets into descriptors of at most this; default: few
	bool always_indirect;	    // an indirect table even for a single descriptor
	bool manual_rx;		    // receive buffers come from provide_rx_buffer() alone
	uint64_t memory_size;	    // at least what the rings and buffers need
	uint64_t extra_memory;	    // on top of that, in one piece, for the caller's own buffers
	uint8_t memory_regions;	    // 1 to 8; default 1
	bool hugepages;		    // guest memory in huge pages
	unsigned int timeout_ms;    // for each wait on the control socket; default 2000
};

// What came with a received packet.
struct rp_frontend_packet {
	struct virtio_net_hdr_v1 hdr;
	uint16_t pair;	  // queue pair it came on
	uint16_t buffers; // receive buffers it filled
};

struct rp_frontend_stats {
	uint64_t packets;
	uint64_t bytes;	 // frames, without the virtio header
	uint64_t kicks;	 // notifications sent
	uint64_t errors; // packets that did not fit or whose header made no sense
};

// --- connection ---

// Connect to a back-end that listens. NULL with errno set.
struct rp_frontend *rp_frontend_connect(const char *path, struct rp_error *err);

// Listen for a back-end in client mode; accept() then waits for it. NULL with errno set.
struct rp_frontend *rp_frontend_listen(const char *path, struct rp_error *err);
int rp_frontend_accept(struct rp_frontend *fe, unsigned int timeout_ms, struct rp_error *err);

// Take over a connected socket. NULL with errno set (the socket then stays the caller's).
struct rp_frontend *rp_frontend_from_socket(int sock);

// Negotiate and start everything. 0 or -errno; on failure the connection is closed.
int rp_frontend_setup(struct rp_frontend *fe, const struct rp_frontend_config *cfg,
		      struct rp_error *err);

// Stop all rings in order, then close; the object can reconnect. Never fails: a dead peer is
// closed.
void rp_frontend_disconnect(struct rp_frontend *fe);

// Close at once, as when the VMM is killed.
void rp_frontend_abort(struct rp_frontend *fe);

// Connect (or accept) again, trying until the deadline, and, if it was set up, set up afresh:
// empty rings at the configured base, as after a guest's reboot.
int rp_frontend_reconnect(struct rp_frontend *fe, unsigned int timeout_ms, struct rp_error *err);

// The same, but the guest lives on: the rings keep what is in them.
int rp_frontend_resume(struct rp_frontend *fe, unsigned int timeout_ms, struct rp_error *err);

// Close and free; NULL is fine.
void rp_frontend_free(struct rp_frontend *fe);

// Whether the other end is still there (a look, no wait).
bool rp_frontend_connected(struct rp_frontend *fe);

// --- steps of setup, for those who want only some ---

// Ask what is offered and settle the features (everything before SET_MEM_TABLE).
int rp_frontend_negotiate(struct rp_frontend *fe, const struct rp_frontend_config *cfg,
			  struct rp_error *err);
uint64_t rp_frontend_offered(const struct rp_frontend *fe);  // virtio features
uint64_t rp_frontend_features(const struct rp_frontend *fe); // negotiated
uint64_t rp_frontend_protocol_offered(const struct rp_frontend *fe);
uint64_t rp_frontend_protocol_features(const struct rp_frontend *fe);
// The answer to GET_QUEUE_NUM, 1 without MQ. DPDK counts pairs, libvhost-user rings.
uint64_t rp_frontend_queue_num(const struct rp_frontend *fe);

// Start ring q where it stands, or stop it; *base (may be NULL) gets the back-end's next index.
int rp_frontend_start_ring(struct rp_frontend *fe, unsigned int q, struct rp_error *err);
int rp_frontend_stop_ring(struct rp_frontend *fe, unsigned int q, uint32_t *base,
			  struct rp_error *err);

// Enable or disable both rings of a pair at run time.
int rp_frontend_enable_pair(struct rp_frontend *fe, unsigned int pair, bool enable,
			    struct rp_error *err);

// Read the device's configuration space (protocol feature CONFIG).
int rp_frontend_get_config(struct rp_frontend *fe, uint32_t offset, void *buf, uint32_t size,
			   struct rp_error *err);

// --- packets; the short names act on pair 0 ---

// Post one receive buffer of size bytes, virtio header included. 0, -ENOSPC, -EIO.
int rp_frontend_provide_rx_buffer(struct rp_frontend *fe, uint32_t size);
int rp_frontend_provide_rx_buffer_on(struct rp_frontend *fe, unsigned int pair, uint32_t size);

// Fill the receive ring of a pair with buffers of the configured size; how many were added.
int rp_frontend_fill_rx(struct rp_frontend *fe, unsigned int pair);

// Send a copy of a frame. 0; -ENOSPC the ring is full (wait_for_tx helps); -EMSGSIZE; -EIO the
// back-end broke the ring; -ENOTCONN.
int rp_frontend_send_packet(struct rp_frontend *fe, const void *frame, size_t len);
int rp_frontend_send_packet_on(struct rp_frontend *fe, unsigned int pair,
			       const struct virtio_net_hdr_v1 *hdr, const void *frame, size_t len);

// Send n frames with one notification; how many found room, or -errno where none did.
int rp_frontend_send_burst(struct rp_frontend *fe, unsigned int pair, const struct iovec *frames,
			   unsigned int n);

// Wait until the back-end has used all that was sent. 0, -ETIMEDOUT, -ECONNRESET, -EIO.
int rp_frontend_wait_for_tx(struct rp_frontend *fe, unsigned int timeout_ms);
int rp_frontend_wait_for_tx_on(struct rp_frontend *fe, unsigned int pair, unsigned int timeout_ms);

// Wait until a packet is there on any pair. 0, -ETIMEDOUT, -ECONNRESET, -EIO.
int rp_frontend_wait_for_rx(struct rp_frontend *fe, unsigned int timeout_ms);

// Take the next packet from any pair (or one): its length, or -EAGAIN none there, -EMSGSIZE it is
// longer than the buffer (and lost), -EBADMSG its header makes no sense (and it is lost), -EIO.
ssize_t rp_frontend_recv_packet(struct rp_frontend *fe, void *buf, size_t size);
ssize_t rp_frontend_recv_packet_on(struct rp_frontend *fe, unsigned int pair, void *buf,
				   size_t size, struct rp_frontend_packet *info);

// Counters of ring q.
struct rp_frontend_stats rp_frontend_stats(const struct rp_frontend *fe, unsigned int q);

// --- underneath ---

// Any message as it stands; with a reply where one is due (see rp_vhu_call). Adds no flags.
int rp_frontend_request(struct rp_frontend *fe, struct rp_vhu_msg *msg, struct rp_error *err);

// The cookie of chains that a test adds to a ring by hand: none of the device's own buffers, so
// that the calls above pass over them when they come back.
#define RP_FRONTEND_RAW_COOKIE UINT16_MAX

int rp_frontend_socket(const struct rp_frontend *fe); // -1 when closed
struct rp_vring *rp_frontend_vring(struct rp_frontend *fe, unsigned int q);
struct rp_guest_memory *rp_frontend_memory(struct rp_frontend *fe);
unsigned int rp_frontend_hdr_len(const struct rp_frontend *fe);
unsigned int rp_frontend_pairs(const struct rp_frontend *fe);

// The eventfd by which the back-end calls about ring q, for event loops of the caller.
int rp_frontend_call_fd(const struct rp_frontend *fe, unsigned int q);

// Empty that eventfd and ask for the next call. True: something is there already, do not sleep.
bool rp_frontend_arm(struct rp_frontend *fe, unsigned int q);

// Notify the back-end about ring q, wanted or not.
void rp_frontend_kick(struct rp_frontend *fe, unsigned int q);

// Why ring q is unusable; NULL while it is fine.
const char *rp_frontend_ring_broken(const struct rp_frontend *fe, unsigned int q);
