/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The header in front of every virtio-net frame (virtio 1.2, section 5.1.6).
 *
 * The structs are the kernel's: struct virtio_net_hdr_v1, 12 bytes, little-endian fields. A legacy
 * device without VERSION_1 and MRG_RXBUF leaves out the last field (num_buffers): 10 bytes.
 */

#include "virtio/feature_bits.h"

#include <assert.h>
#include <linux/virtio_net.h>

#define RP_VIRTIO_NET_HDR_LEN	     12
#define RP_VIRTIO_NET_HDR_LEN_LEGACY 10

static_assert(sizeof(struct virtio_net_hdr_v1) == RP_VIRTIO_NET_HDR_LEN, "wire format");
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "virtio structs are used in place");

// Bytes of header under these negotiated virtio features.
static inline unsigned int rp_virtio_net_hdr_len(uint64_t features)
{
	uint64_t with_num_buffers = RP_VIRTIO_BIT(VERSION_1) | RP_VIRTIO_BIT(NET_MRG_RXBUF);

	return (features & with_num_buffers) != 0 ? RP_VIRTIO_NET_HDR_LEN
						  : RP_VIRTIO_NET_HDR_LEN_LEGACY;
}
