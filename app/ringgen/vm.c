// SPDX-License-Identifier: BSD-3-Clause
#include "vm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RX_BUFFER 2048 // with mergeable buffers: half a page, as guests do

// Distance between buffers of a ring: a whole frame, but on a receive ring that merges. An odd
// number of cache lines: the first lines of all buffers, which everybody touches, then lie in all
// sets of the caches and not in a few.
static uint32_t stride(const struct gen_options *opt, bool rx)
{
	uint32_t whole = RP_VIRTIO_NET_HDR_LEN + opt->size;
	// The network's own frames (advertisements, DHCP) have to fit too.
	uint32_t least = rx || opt->learn ? RX_BUFFER : 2 * GEN_HEAD_TAG;

	if ((rx && !opt->no_mrg) || whole < least)
		whole = least;
	return ((whole + 63) & ~63u) | 64;
}

static int open_one(struct gen_vm *vm, const struct gen_options *opt, struct rp_error *err)
{
	uint64_t features = RP_VIRTIO_BIT(VERSION_1) | RP_VIRTIO_BIT(VHOST_PROTOCOL_FEATURES) |
			    (opt->no_mrg ? 0 : RP_VIRTIO_BIT(NET_MRG_RXBUF)) |
			    (opt->packed ? RP_VIRTIO_BIT(RING_PACKED) : 0);
	struct rp_frontend_config cfg = {
		.features = features,
		.required_features = features & ~RP_VIRTIO_BIT(VHOST_PROTOCOL_FEATURES),
		.ring_size = (uint16_t)opt->ring_size,
		.manual_rx = true,
		.hugepages = opt->hugepages,
		.extra_memory = (uint64_t)opt->ring_size * (stride(opt, true) + stride(opt, false)),
	};
	int rc;

	vm->fe = rp_frontend_connect(opt->sockets[vm->index], err);
	if (vm->fe == NULL)
		return -errno;
	rc = rp_frontend_setup(vm->fe, &cfg, err);
	if (rc < 0)
		return rc;
	rc = gen_ring_init(&vm->rx, vm->fe, 0, stride(opt, true));
	if (rc == 0)
		rc = gen_ring_init(&vm->tx, vm->fe, 1, stride(opt, false));
	if (rc < 0)
		return rp_error_set(err, -rc, "memory", NULL, "no memory for buffers of VM %u",
				    vm->index + 1);
	while (vm->rx.n_free > 0)
		gen_ring_put(&vm->rx, opt->packed, vm->rx.free[--vm->rx.n_free], vm->rx.stride);
	gen_ring_publish(&vm->rx, opt->packed);
	return 0;
}

int gen_vms_open(struct gen_vm *vms, const struct gen_options *opt, struct rp_error *err)
{
	for (unsigned int i = 0; i < opt->n_vms; i++) {
		int rc;

		vms[i].index = i;
		vms[i].sends = i < gen_active(opt) && (!opt->one_way || i % 2 == 0);
		rc = open_one(&vms[i], opt, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

void gen_vms_close(struct gen_vm *vms, const struct gen_options *opt)
{
	for (unsigned int i = 0; i < opt->n_vms; i++) {
		if (vms[i].fe != NULL)
			rp_frontend_disconnect(vms[i].fe);
		rp_frontend_free(vms[i].fe);
		gen_ring_fini(&vms[i].rx);
		gen_ring_fini(&vms[i].tx);
		free(vms[i].templates);
		free(vms[i].numbers);
	}
}

int gen_vms_prepare(struct gen_vm *vms, const struct gen_options *opt, struct rp_error *err)
{
	static uint8_t frame[GEN_MAX_SIZE + GEN_HEAD_TAG];

	for (unsigned int i = 0; i < gen_active(opt); i++) {
		struct gen_vm *vm = &vms[i];

		vm->templates = aligned_alloc(64, opt->flows * sizeof(vm->templates[0]));
		vm->numbers = calloc(opt->flows, sizeof(vm->numbers[0]));
		if (vm->templates == NULL || vm->numbers == NULL)
			return rp_error_set(err, ENOMEM, "--flows", NULL, "no memory for so many");
		for (unsigned int f = 0; f < opt->flows; f++) {
			uint8_t *bytes = vm->templates[f].bytes;

			gen_frame_build(opt, frame, i, f);
			memset(bytes, 0, RP_VIRTIO_NET_HDR_LEN);
			memcpy(bytes + RP_VIRTIO_NET_HDR_LEN, frame,
			       GEN_HEAD_TAG - RP_VIRTIO_NET_HDR_LEN);
		}
		for (uint16_t id = 0; id < vm->tx.size; id++)
			memcpy(gen_ring_buf(&vm->tx, id) + RP_VIRTIO_NET_HDR_LEN, frame, opt->size);
	}
	return 0;
}

bool gen_vm_send(struct gen_vm *vm, const struct gen_options *opt, const void *frame, size_t len)
{
	uint8_t *buf;
	uint16_t id;

	gen_ring_reclaim(&vm->tx, opt->packed);
	if (vm->tx.n_free == 0 || RP_VIRTIO_NET_HDR_LEN + len > vm->tx.stride)
		return false;
	id = vm->tx.free[--vm->tx.n_free];
	buf = gen_ring_buf(&vm->tx, id);
	memset(buf, 0, RP_VIRTIO_NET_HDR_LEN);
	memcpy(buf + RP_VIRTIO_NET_HDR_LEN, frame, len);
	gen_ring_put(&vm->tx, opt->packed, id, RP_VIRTIO_NET_HDR_LEN + (uint32_t)len);
	gen_ring_publish(&vm->tx, opt->packed);
	return true;
}

size_t gen_vm_recv(struct gen_vm *vm, const struct gen_options *opt, void *buf, size_t size)
{
	const uint8_t *from;
	size_t copied = 0;
	uint16_t id, buffers = 1;
	uint32_t len;

	// Buffers of one frame are shown together, so the rest is there when the first is.
	for (uint16_t i = 0; i < buffers; i++) {
		uint32_t skip = i == 0 ? RP_VIRTIO_NET_HDR_LEN : 0;

		if (gen_ring_take(&vm->rx, opt->packed, &id, &len, 1) == 0)
			break;
		from = gen_ring_buf(&vm->rx, id);
		if (i == 0 && !opt->no_mrg)
			memcpy(&buffers, from + offsetof(struct virtio_net_hdr_v1, num_buffers),
			       sizeof(buffers));
		if (len > vm->rx.stride || len < skip)
			len = skip;
		len -= skip;
		if (len > size - copied)
			len = (uint32_t)(size - copied);
		memcpy((uint8_t *)buf + copied, from + skip, len);
		copied += len;
		gen_ring_put(&vm->rx, opt->packed, id, vm->rx.stride);
		gen_ring_publish(&vm->rx, opt->packed);
	}
	return copied;
}
