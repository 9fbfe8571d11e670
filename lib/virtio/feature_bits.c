// SPDX-License-Identifier: BSD-3-Clause
#include "virtio/feature_bits.h"

#include <errno.h>
#include <stddef.h>
#include <strings.h>

#define NAME(bit, name) [bit] = #name,

static const char *const ring_names[64] = {RP_VIRTIO_RING_FEATURES(NAME)};
static const char *const net_names[64] = {RP_VIRTIO_NET_FEATURES(NAME)};
static const char *const blk_names[64] = {RP_VIRTIO_BLK_FEATURES(NAME)};
static const char *const gpu_names[64] = {RP_VIRTIO_GPU_FEATURES(NAME)};
static const char *const vsock_names[64] = {RP_VIRTIO_VSOCK_FEATURES(NAME)};
static const char *const fs_names[64] = {RP_VIRTIO_FS_FEATURES(NAME)};

static const char *const *device_names(enum rp_virtio_device device)
{
	switch (device) {
	case RP_VIRTIO_NET:
		return net_names;
	case RP_VIRTIO_BLK:
		return blk_names;
	case RP_VIRTIO_GPU:
		return gpu_names;
	case RP_VIRTIO_VSOCK:
		return vsock_names;
	case RP_VIRTIO_FS:
		return fs_names;
	}
	return NULL;
}

const char *rp_virtio_feature_name(enum rp_virtio_device device, unsigned int bit)
{
	const char *const *names = device_names(device);

	if (bit >= 64)
		return NULL;
	if (ring_names[bit] != NULL)
		return ring_names[bit];
	return names != NULL ? names[bit] : NULL;
}

int rp_virtio_feature_bit(enum rp_virtio_device device, const char *name)
{
	for (unsigned int bit = 0; bit < 64; bit++) {
		const char *known = rp_virtio_feature_name(device, bit);

		if (known != NULL && strcasecmp(known, name) == 0)
			return (int)bit;
	}
	return -ENOENT;
}
