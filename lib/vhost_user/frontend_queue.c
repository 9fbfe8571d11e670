// SPDX-License-Identifier: BSD-3-Clause
#include "vhost_user/frontend_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define ETHER_EXTRA	22    // Ethernet header with two VLAN tags
#define RX_BUFFER_MRG	2048  // with MRG_RXBUF: a page's half, as guests do
#define RX_BUFFER_TSO	65562 // without it, and with guest offloads: virtio 1.2, 5.1.6.3.1
#define CACHE_LINE_MASK 63u

static uint32_t frame_size(const struct rp_frontend *fe)
{
	return fe->hdr_len + ETHER_EXTRA + fe->cfg.mtu;
}

static uint32_t buffer_size(const struct rp_frontend *fe, unsigned int q)
{
	uint64_t tso = RP_VIRTIO_BIT(NET_GUEST_TSO4) | RP_VIRTIO_BIT(NET_GUEST_TSO6) |
		       RP_VIRTIO_BIT(NET_GUEST_UFO);
	uint32_t size = frame_size(fe);

	if (q % 2 == 0 && fe->cfg.rx_buffer_size != 0)
		size = fe->cfg.rx_buffer_size;
	else if (q % 2 == 0 && rp_frontend_has(fe, RP_VIRTIO_BIT(NET_MRG_RXBUF)))
		size = RX_BUFFER_MRG;
	else if (q % 2 == 0 && rp_frontend_has(fe, tso))
		size = RX_BUFFER_TSO;
	return size;
}

// Distance between buffers: each starts a cache line.
static uint32_t buffer_stride(uint32_t size)
{
	return (size + CACHE_LINE_MASK) & ~CACHE_LINE_MASK;
}

static void free_queue(struct rp_frontend_queue *queue)
{
	rp_vring_fini(&queue->vr);
	free(queue->free);
	free(queue->link);
	free(queue->len);
	if (queue->kick >= 0)
		close(queue->kick);
	if (queue->call >= 0)
		close(queue->call);
}

void rp_frontend_free_queues(struct rp_frontend *fe)
{
	for (unsigned int q = 0; q < fe->n_queues; q++)
		free_queue(&fe->queues[q]);
	free(fe->queues);
	fe->queues = NULL;
	fe->n_queues = 0;
	rp_guest_memory_destroy(&fe->mem);
}

int rp_frontend_reset_queue(struct rp_frontend *fe, unsigned int q)
{
	struct rp_frontend_queue *queue = &fe->queues[q];
	struct rp_vring_config cfg = {
		.size = fe->cfg.ring_size,
		.base = fe->cfg.base,
		.packed = rp_frontend_has(fe, RP_VIRTIO_BIT(RING_PACKED)),
		.event_idx = rp_frontend_has(fe, RP_VIRTIO_BIT(EVENT_IDX)),
		.indirect_table = queue->indirect,
		.indirect_gpa = queue->indirect_gpa,
		.always_indirect = fe->cfg.always_indirect,
	};
	int rc;

	rp_vring_fini(&queue->vr);
	rc = rp_vring_init(&queue->vr, &cfg, queue->ring_mem);
	if (rc < 0)
		return rc;
	rp_vring_disable_call(&queue->vr);
	queue->n_done = 0;
	queue->n_free = fe->cfg.ring_size;
	for (unsigned int i = 0; i < queue->n_free; i++)
		queue->free[i] = (uint16_t)(queue->n_free - 1 - i);
	return 0;
}

static int make_queue(struct rp_frontend *fe, unsigned int q)
{
	struct rp_frontend_queue *queue = &fe->queues[q];
	size_t n = fe->cfg.ring_size;
	struct rp_vring_layout layout =
		rp_vring_layout(fe->cfg.ring_size, rp_frontend_has(fe, RP_VIRTIO_BIT(RING_PACKED)));
	uint64_t gpa;

	queue->kick = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	queue->call = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	queue->buf_size = buffer_size(fe, q);
	queue->stride = buffer_stride(queue->buf_size);
	queue->free = calloc(n, sizeof(*queue->free));
	queue->link = calloc(n, sizeof(*queue->link));
	queue->len = calloc(n, sizeof(*queue->len));
	queue->ring_mem = rp_guest_memory_alloc(&fe->mem, layout.total, &gpa);
	queue->bufs = rp_guest_memory_alloc(&fe->mem, n * queue->stride, &queue->bufs_gpa);
	if (rp_frontend_has(fe, RP_VIRTIO_BIT(INDIRECT_DESC))) {
		queue->indirect = rp_guest_memory_alloc(
			&fe->mem, rp_vring_indirect_size(fe->cfg.ring_size), &queue->indirect_gpa);
		if (queue->indirect == NULL)
			return -ENOMEM;
	}
	if (queue->kick < 0 || queue->call < 0)
		return -EMFILE;
	if (queue->free == NULL || queue->link == NULL || queue->len == NULL ||
	    queue->ring_mem == NULL || queue->bufs == NULL)
		return -ENOMEM;
	return rp_frontend_reset_queue(fe, q);
}

// Bytes that the queues take, and the largest single block, which must fit into one region.
static uint64_t memory_needed(const struct rp_frontend *fe)
{
	uint64_t n = fe->cfg.ring_size, sum = 0, largest = 0;
	uint64_t ring = rp_vring_layout(fe->cfg.ring_size, false).total;
	uint64_t indirect = rp_vring_indirect_size(fe->cfg.ring_size);

	for (unsigned int q = 0; q < 2; q++) {
		uint64_t bufs = n * buffer_stride(buffer_size(fe, q));

		sum += ring + indirect + bufs + 3 * (CACHE_LINE_MASK + 1);
		largest = bufs > largest ? bufs : largest;
	}
	largest = indirect > largest ? indirect : largest;
	sum = sum * fe->cfg.queue_pairs + largest * fe->cfg.memory_regions;
	sum = sum > fe->cfg.memory_size ? sum : fe->cfg.memory_size;
	return sum + fe->cfg.extra_memory * fe->cfg.memory_regions;
}

static int check_ring_config(const struct rp_frontend *fe, struct rp_error *err)
{
	uint16_t size = fe->cfg.ring_size;
	bool packed = rp_frontend_has(fe, RP_VIRTIO_BIT(RING_PACKED));

	if (size > RP_VRING_SIZE_MAX || (!packed && (size & (size - 1)) != 0))
		return rp_error_set(err, EINVAL, "ring size", NULL,
				    "expected at most %d and, for a split ring, a power of two",
				    RP_VRING_SIZE_MAX);
	if (packed && (fe->cfg.base & 0x7fff) >= size)
		return rp_error_set(err, EINVAL, "ring base", NULL,
				    "expected an index below the ring size (bit 15: wrap counter)");
	if (buffer_size(fe, 0) < fe->hdr_len)
		return rp_error_set(err, EINVAL, "rx buffer size", NULL,
				    "has no room for the virtio header");
	return 0;
}

int rp_frontend_make_queues(struct rp_frontend *fe, struct rp_error *err)
{
	bool packed = rp_frontend_has(fe, RP_VIRTIO_BIT(RING_PACKED));
	int rc;

	// A new packed ring starts with its wrap counter at 1 (virtio 1.2, 2.8.1).
	if (packed && fe->cfg.base == 0)
		fe->cfg.base = 1u << VRING_PACKED_EVENT_F_WRAP_CTR;
	rc = check_ring_config(fe, err);
	if (rc == 0)
		rc = rp_guest_memory_create(&fe->mem, memory_needed(fe), fe->cfg.memory_regions,
					    fe->cfg.hugepages, err);
	if (rc < 0)
		return rc;
	fe->queues = calloc(2u * fe->cfg.queue_pairs, sizeof(*fe->queues));
	if (fe->queues == NULL)
		return rp_error_set(err, ENOMEM, "queues", NULL, "no memory");
	fe->n_queues = 2u * fe->cfg.queue_pairs;
	for (unsigned int q = 0; q < fe->n_queues; q++)
		fe->queues[q].kick = fe->queues[q].call = -1;
	for (unsigned int q = 0; q < fe->n_queues; q++) {
		rc = make_queue(fe, q);
		if (rc < 0)
			return rp_error_set(err, -rc, "queues", NULL, "cannot make ring %u: %s", q,
					    strerror(-rc));
	}
	return 0;
}
