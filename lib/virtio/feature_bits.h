/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Virtio feature bits and their names, one list per device type.
 *
 * Bits 0-23 and 50-63 belong to the device type, 24-49 to the ring and the transport. The vhost
 * protocol adds two of its own inside that range: 26 (LOG_ALL) and 30 (PROTOCOL_FEATURES).
 */

#include <stdint.h>

// clang-format off
#define RP_VIRTIO_RING_FEATURES(X)      \
	X(24, NOTIFY_ON_EMPTY)          \
	X(26, VHOST_LOG_ALL)            \
	X(27, ANY_LAYOUT)               \
	X(28, INDIRECT_DESC)            \
	X(29, EVENT_IDX)                \
	X(30, VHOST_PROTOCOL_FEATURES)  \
	X(32, VERSION_1)                \
	X(33, ACCESS_PLATFORM)          \
	X(34, RING_PACKED)              \
	X(35, IN_ORDER)                 \
	X(36, ORDER_PLATFORM)           \
	X(37, SR_IOV)                   \
	X(38, NOTIFICATION_DATA)        \
	X(39, NOTIF_CONFIG_DATA)        \
	X(40, RING_RESET)               \
	X(41, ADMIN_VQ)

#define RP_VIRTIO_NET_FEATURES(X)       \
	X(0, NET_CSUM)                  \
	X(1, NET_GUEST_CSUM)            \
	X(2, NET_CTRL_GUEST_OFFLOADS)   \
	X(3, NET_MTU)                   \
	X(5, NET_MAC)                   \
	X(6, NET_GSO)                   \
	X(7, NET_GUEST_TSO4)            \
	X(8, NET_GUEST_TSO6)            \
	X(9, NET_GUEST_ECN)             \
	X(10, NET_GUEST_UFO)            \
	X(11, NET_HOST_TSO4)            \
	X(12, NET_HOST_TSO6)            \
	X(13, NET_HOST_ECN)             \
	X(14, NET_HOST_UFO)             \
	X(15, NET_MRG_RXBUF)            \
	X(16, NET_STATUS)               \
	X(17, NET_CTRL_VQ)              \
	X(18, NET_CTRL_RX)              \
	X(19, NET_CTRL_VLAN)            \
	X(20, NET_CTRL_RX_EXTRA)        \
	X(21, NET_GUEST_ANNOUNCE)       \
	X(22, NET_MQ)                   \
	X(23, NET_CTRL_MAC_ADDR)        \
	X(50, NET_DEVICE_STATS)         \
	X(51, NET_VQ_NOTF_COAL)         \
	X(52, NET_VQ_NOTF_COAL_GROUP)   \
	X(53, NET_NOTF_COAL)            \
	X(54, NET_GUEST_USO4)           \
	X(55, NET_GUEST_USO6)           \
	X(56, NET_HOST_USO)             \
	X(57, NET_HASH_REPORT)          \
	X(59, NET_GUEST_HDRLEN)         \
	X(60, NET_RSS)                  \
	X(61, NET_RSC_EXT)              \
	X(62, NET_STANDBY)              \
	X(63, NET_SPEED_DUPLEX)

#define RP_VIRTIO_BLK_FEATURES(X)       \
	X(0, BLK_BARRIER)               \
	X(1, BLK_SIZE_MAX)              \
	X(2, BLK_SEG_MAX)               \
	X(4, BLK_GEOMETRY)              \
	X(5, BLK_RO)                    \
	X(6, BLK_BLK_SIZE)              \
	X(7, BLK_SCSI)                  \
	X(9, BLK_FLUSH)                 \
	X(10, BLK_TOPOLOGY)             \
	X(11, BLK_CONFIG_WCE)           \
	X(12, BLK_MQ)                   \
	X(13, BLK_DISCARD)              \
	X(14, BLK_WRITE_ZEROES)         \
	X(15, BLK_LIFETIME)             \
	X(16, BLK_SECURE_ERASE)         \
	X(17, BLK_ZONED)

#define RP_VIRTIO_GPU_FEATURES(X)       \
	X(0, GPU_VIRGL)                 \
	X(1, GPU_EDID)                  \
	X(2, GPU_RESOURCE_UUID)         \
	X(3, GPU_RESOURCE_BLOB)         \
	X(4, GPU_CONTEXT_INIT)

#define RP_VIRTIO_VSOCK_FEATURES(X)     \
	X(0, VSOCK_STREAM)              \
	X(1, VSOCK_SEQPACKET)           \
	X(2, VSOCK_NO_IMPLIED_STREAM)

#define RP_VIRTIO_FS_FEATURES(X)        \
	X(0, FS_NOTIFICATION)

// RP_VIRTIO_F_EVENT_IDX and so on: bit numbers.
#define RP_VIRTIO_ENUM_(bit, name) RP_VIRTIO_F_##name = (bit),
enum rp_virtio_feature_bit {
	RP_VIRTIO_RING_FEATURES(RP_VIRTIO_ENUM_)
	RP_VIRTIO_NET_FEATURES(RP_VIRTIO_ENUM_)
	RP_VIRTIO_BLK_FEATURES(RP_VIRTIO_ENUM_)
	RP_VIRTIO_GPU_FEATURES(RP_VIRTIO_ENUM_)
	RP_VIRTIO_VSOCK_FEATURES(RP_VIRTIO_ENUM_)
	RP_VIRTIO_FS_FEATURES(RP_VIRTIO_ENUM_)
};
#undef RP_VIRTIO_ENUM_
// clang-format on

// The mask of one feature: RP_VIRTIO_BIT(NET_MRG_RXBUF).
#define RP_VIRTIO_BIT(name) (UINT64_C(1) << RP_VIRTIO_F_##name)

// Virtio device type numbers (virtio 1.2, section 5) whose feature names are known here.
enum rp_virtio_device {
	RP_VIRTIO_NET = 1,
	RP_VIRTIO_BLK = 2,
	RP_VIRTIO_GPU = 16,
	RP_VIRTIO_VSOCK = 19,
	RP_VIRTIO_FS = 26,
};

// The name of a bit for this device type, such as "NET_MRG_RXBUF"; NULL where it has none.
const char *rp_virtio_feature_name(enum rp_virtio_device device, unsigned int bit);

// The bit of a name (case does not matter) for this device type, or -ENOENT.
int rp_virtio_feature_bit(enum rp_virtio_device device, const char *name);
