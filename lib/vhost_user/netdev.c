// SPDX-License-Identifier: BSD-3-Clause
#include "vhost_user/netdev.h"

#include <errno.h>
#include <string.h>

#define BUDGET	     256 // frames before others have their turn
#define BUFFERS_MAX  256 // of one frame
#define SOURCE_FRAME 60

#define FEATURES                                                                                   \
	(RP_VIRTIO_BIT(NET_CSUM) | RP_VIRTIO_BIT(NET_GUEST_CSUM) | RP_VIRTIO_BIT(NET_MTU) |        \
	 RP_VIRTIO_BIT(NET_MAC) | RP_VIRTIO_BIT(NET_GUEST_TSO4) | RP_VIRTIO_BIT(NET_GUEST_TSO6) |  \
	 RP_VIRTIO_BIT(NET_HOST_TSO4) | RP_VIRTIO_BIT(NET_HOST_TSO6) |                             \
	 RP_VIRTIO_BIT(NET_MRG_RXBUF) | RP_VIRTIO_BIT(NET_STATUS) | RP_VIRTIO_BIT(NET_CTRL_VQ) |   \
	 RP_VIRTIO_BIT(NET_MQ) | RP_VIRTIO_BIT(VHOST_LOG_ALL) | RP_VIRTIO_BIT(ANY_LAYOUT) |        \
	 RP_VIRTIO_BIT(INDIRECT_DESC) | RP_VIRTIO_BIT(EVENT_IDX) |                                 \
	 RP_VIRTIO_BIT(VHOST_PROTOCOL_FEATURES) | RP_VIRTIO_BIT(VERSION_1))

static bool has(const struct rp_backend *be, uint64_t bit)
{
	return (rp_backend_features(be) & bit) != 0;
}

static void push(struct rp_netdev *card, struct rp_backend *be, unsigned int q, uint16_t head,
		 uint32_t len)
{
	if (card->hooks.push != NULL)
		card->hooks.push(card, q, &head, &len);
	rp_device_ring_push(rp_backend_ring(be, q), head, len);
}

static void call_if_wanted(struct rp_netdev *card, struct rp_backend *be, unsigned int q)
{
	struct rp_device_ring *ring = rp_backend_ring(be, q);

	rp_device_ring_publish(ring);
	if (rp_device_ring_needs_call(ring) &&
	    (card->hooks.call == NULL || card->hooks.call(card, q)))
		rp_backend_call(be, q);
	if (ring->broken != NULL)
		rp_backend_ring_error(be, q);
}

// --- to the front-end ---

// What has been written of one frame into a receive ring.
struct fill {
	struct rp_device_ring *ring;
	unsigned int buffers;
	uint16_t head[BUFFERS_MAX];
	uint32_t len[BUFFERS_MAX];
};

// Spread len bytes over as many buffers as allowed. False: not enough room, nothing taken.
static bool fill_buffers(struct rp_netdev *card, struct fill *f, size_t len, unsigned int most)
{
	size_t done = 0;

	for (f->buffers = 0; done < len; f->buffers++) {
		struct rp_device_chain *chain = f->buffers == 0 ? &card->first : &card->next;

		int rc = f->buffers < most ? rp_device_ring_pop(f->ring, chain) : 0;

		if (rc != 1) {
			// A chain that makes no sense was taken as well; its turn comes later.
			rp_device_ring_unpop(f->ring, f->buffers + (rc == -EBADMSG));
			return false;
		}
		f->head[f->buffers] = chain->head;
		f->len[f->buffers] = (uint32_t)rp_device_chain_write(
			f->ring, chain, 0, card->frame + done, len - done);
		done += f->len[f->buffers];
	}
	return true;
}

// Chains at the head of a receive ring that make no sense, or have no room for a header, go back.
static void skip_bad(struct rp_netdev *card, struct rp_device_ring *ring, unsigned int hdr_len)
{
	int rc;

	while ((rc = rp_device_ring_pop(ring, &card->first)) != 0 && rc != -EIO) {
		if (rc == 1 && card->first.in_len > hdr_len) {
			rp_device_ring_unpop(ring, 1);
			return;
		}
		card->stats.bad++;
		rp_device_ring_push(ring, card->first.head, 0);
	}
}

// Give the frame in card->frame (len bytes behind its header) to receive ring q.
static void give(struct rp_netdev *card, struct rp_backend *be, unsigned int q, size_t len)
{
	bool mergeable = has(be, RP_VIRTIO_BIT(NET_MRG_RXBUF));
	unsigned int hdr_len = rp_virtio_net_hdr_len(rp_backend_features(be));
	struct fill f = {.ring = rp_backend_ring(be, q)};

	if (f.ring == NULL || !rp_backend_ring_enabled(be, q)) {
		card->stats.dropped++;
		return;
	}
	skip_bad(card, f.ring, hdr_len);
	if (card->hooks.frame != NULL)
		card->hooks.frame(card, card->frame + hdr_len, len);
	if (!fill_buffers(card, &f, hdr_len + len, mergeable ? BUFFERS_MAX : 1)) {
		card->stats.dropped++;
		return;
	}
	if (hdr_len == RP_VIRTIO_NET_HDR_LEN) {
		uint16_t n = (uint16_t)f.buffers;

		rp_device_chain_write(f.ring, &card->first,
				      offsetof(struct virtio_net_hdr_v1, num_buffers), &n,
				      sizeof(n));
	}
	for (unsigned int i = 0; i < f.buffers; i++)
		push(card, be, q, f.head[i], f.len[i]);
	card->stats.tx++;
}

// --- from the front-end ---

// Finish the checksum that the sender left open (virtio 1.2, 5.1.6.2). False: it lies outside.
static bool finish_checksum(const struct virtio_net_hdr_v1 *hdr, uint8_t *frame, size_t len)
{
	size_t start = hdr->csum_start, at = start + hdr->csum_offset;
	uint32_t sum = 0;

	if (start >= len || at + 2 > len)
		return false;
	for (size_t i = start; i < len; i++)
		sum += (i - start) % 2 == 0 ? (uint32_t)frame[i] << 8 : frame[i];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~(sum + (sum >> 16)) & 0xffff;
	// UDP has no checksum 0: that says "none" (RFC 768), and to TCP both are the same.
	if (sum == 0)
		sum = 0xffff;
	frame[at] = (uint8_t)(sum >> 8);
	frame[at + 1] = (uint8_t)sum;
	return true;
}

// Make the header fit for the receiver. False: it cannot take this frame.
static bool adapt(const struct rp_backend *be, struct virtio_net_hdr_v1 *hdr, uint8_t *frame,
		  size_t len)
{
	uint8_t gso = hdr->gso_type & ~VIRTIO_NET_HDR_GSO_ECN;

	if ((gso == VIRTIO_NET_HDR_GSO_TCPV4 && !has(be, RP_VIRTIO_BIT(NET_GUEST_TSO4))) ||
	    (gso == VIRTIO_NET_HDR_GSO_TCPV6 && !has(be, RP_VIRTIO_BIT(NET_GUEST_TSO6))) ||
	    (gso != VIRTIO_NET_HDR_GSO_NONE && gso != VIRTIO_NET_HDR_GSO_TCPV4 &&
	     gso != VIRTIO_NET_HDR_GSO_TCPV6))
		return false;
	if ((hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0 &&
	    !has(be, RP_VIRTIO_BIT(NET_GUEST_CSUM))) {
		if (!finish_checksum(hdr, frame, len))
			return false;
		memset(hdr, 0, sizeof(*hdr));
	}
	return true;
}

// Take one chain of transmit ring q. The frame's length, or 0 where there is nothing to forward.
static size_t take(struct rp_netdev *card, struct rp_backend *be, unsigned int hdr_len)
{
	struct virtio_net_hdr_v1 hdr = {0};
	size_t len = rp_device_chain_read(&card->out, 0, card->frame, sizeof(card->frame));

	if (len <= hdr_len || card->out.out_len > sizeof(card->frame)) {
		card->stats.bad++;
		return 0;
	}
	card->stats.rx++;
	len -= hdr_len;
	if (card->mode != RP_NETDEV_LOOPBACK)
		return 0;
	memcpy(&hdr, card->frame, hdr_len);
	if (!adapt(be, &hdr, card->frame + hdr_len, len)) {
		card->stats.dropped++;
		return 0;
	}
	memcpy(card->frame, &hdr, hdr_len);
	return len;
}

static void serve_transmit(struct rp_netdev *card, struct rp_backend *be, unsigned int q)
{
	struct rp_device_ring *ring = rp_backend_ring(be, q);
	unsigned int hdr_len = rp_virtio_net_hdr_len(rp_backend_features(be));
	bool enabled = rp_backend_ring_enabled(be, q);
	int rc = 0, n = 0;

	do {
		rp_device_ring_disable_kick(ring);
		for (; n < BUDGET && (rc = rp_device_ring_pop(ring, &card->out)) != 0; n++) {
			size_t len = rc == 1 ? take(card, be, hdr_len) : 0;

			if (rc == -EIO)
				break;
			if (rc == -EBADMSG)
				card->stats.bad++;
			if (len > 0 && enabled)
				give(card, be, q - 1, len);
			else if (len > 0)
				card->stats.dropped++;
			push(card, be, q, card->out.head, 0);
		}
	} while (rc == 0 && rp_device_ring_enable_kick(ring));
	call_if_wanted(card, be, q);
	if (rp_backend_ring(be, q - 1) != NULL)
		call_if_wanted(card, be, q - 1);
	if (n == BUDGET)
		rp_backend_again(be, q);
}

static void serve_source(struct rp_netdev *card, struct rp_backend *be, unsigned int q)
{
	struct rp_device_ring *ring = rp_backend_ring(be, q);
	unsigned int hdr_len = rp_virtio_net_hdr_len(rp_backend_features(be));
	// To broadcast, from a local address, of the type for experiments.
	static const uint8_t ether[] = {255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 1, 0x88, 0xb5};
	int n = 0;

	if (!rp_backend_ring_enabled(be, q))
		return;
	memset(card->frame, 0, hdr_len + SOURCE_FRAME);
	memcpy(card->frame + hdr_len, ether, sizeof(ether));
	rp_device_ring_disable_kick(ring);
	while (ring->broken == NULL && rp_device_ring_enable_kick(ring)) {
		uint64_t before = card->stats.tx;

		if (n++ == BUDGET) {
			rp_backend_again(be, q);
			break;
		}
		memcpy(card->frame + hdr_len + sizeof(ether), &card->sequence,
		       sizeof(card->sequence));
		give(card, be, q, SOURCE_FRAME);
		if (card->stats.tx == before)
			break; // the buffers that are there do not hold a frame
		card->sequence++;
	}
	call_if_wanted(card, be, q);
}

static void kicked(struct rp_backend *be, unsigned int q, void *arg)
{
	struct rp_netdev *card = arg;

	if (q % 2 == 1)
		serve_transmit(card, be, q);
	else if (card->mode == RP_NETDEV_SOURCE)
		serve_source(card, be, q);
}

void rp_netdev_init(struct rp_netdev *card, enum rp_netdev_mode mode, unsigned int pairs)
{
	static const uint8_t mac[] = {2, 0, 0, 0, 0, 1};

	memset(card, 0, sizeof(*card));
	card->mode = mode;
	memcpy(card->config.mac, mac, sizeof(mac));
	card->config.status = VIRTIO_NET_S_LINK_UP;
	card->config.max_virtqueue_pairs = (uint16_t)pairs;
	card->config.mtu = 65535 - 14;
	card->ops.kicked = kicked;
	card->device = (struct rp_backend_device){
		.features = FEATURES,
		.protocol_features = RP_BACKEND_PROTOCOL_FEATURES,
		.n_rings = 2 * pairs,
		.queue_num = pairs,
		.config = &card->config,
		.config_size = sizeof(card->config),
		.ops = &card->ops,
		.arg = card,
	};
}
