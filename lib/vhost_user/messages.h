/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The vhost-user protocol: every message of both directions, once.
 *
 * All code that must know a message (front-end, back-end, client, conformance tester) takes it from
 * the lists here. A message is a 12-byte header, a payload of a kind from RP_VHU_PAYLOADS, and file
 * descriptors that travel with the header's first byte. All fields are in the host's byte order,
 * both ends being on one machine. Reference: QEMU docs/interop/vhost-user.rst.
 */

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RP_VHU_VERSION	       1u
#define RP_VHU_VERSION_MASK    3u
#define RP_VHU_FLAG_REPLY      (1u << 2)
#define RP_VHU_FLAG_NEED_REPLY (1u << 3)
#define RP_VHU_FLAGS_RESERVED  (~15u)

#define RP_VHU_MAX_FDS	   8
#define RP_VHU_MAX_REGIONS 8	// of one SET_MEM_TABLE
#define RP_VHU_CONFIG_MAX  256	// bytes of configuration space in one message
#define RP_VHU_SHMEM_MAX   256	// areas in one reply
#define RP_VHU_PAYLOAD_MAX 4096 // more than any message has

// The u64 of SET_VRING_KICK, CALL and ERR: the ring's index, and "no descriptor comes along".
#define RP_VHU_VRING_IDX_MASK 0xffu
#define RP_VHU_VRING_NOFD     (1u << 8)

#define RP_VHU_VRING_F_LOG 1u // SET_VRING_ADDR: log writes to the used ring

// SET_STATUS: the device status bits of virtio 1.2, section 2.1.
#define RP_VIRTIO_STATUS_ACKNOWLEDGE 1u
#define RP_VIRTIO_STATUS_DRIVER	     2u
#define RP_VIRTIO_STATUS_DRIVER_OK   4u
#define RP_VIRTIO_STATUS_FEATURES_OK 8u
#define RP_VIRTIO_STATUS_NEEDS_RESET 64u
#define RP_VIRTIO_STATUS_FAILED	     128u

struct rp_vhu_header {
	uint32_t request;
	uint32_t flags;
	uint32_t size; // of the payload
} __attribute__((packed));
static_assert(sizeof(struct rp_vhu_header) == 12, "wire format");

struct rp_vhu_vring_state {
	uint32_t index;
	uint32_t num;
} __attribute__((packed));
static_assert(sizeof(struct rp_vhu_vring_state) == 8, "wire format");

struct rp_vhu_vring_addr {
	uint32_t index;
	uint32_t flags;
	uint64_t desc; // addresses are the front-end's virtual ones; note the order
	uint64_t used;
	uint64_t avail;
	uint64_t log;
} __attribute__((packed));
static_assert(sizeof(struct rp_vhu_vring_addr) == 40, "wire format");

struct rp_vhu_region {
	uint64_t gpa;
	uint64_t size;
	uint64_t uva;
	uint64_t mmap_offset;
} __attribute__((packed));
static_assert(sizeof(struct rp_vhu_region) == 32, "wire format");

struct rp_vhu_mem {
	uint32_t n_regions;
	uint32_t padding;
	struct rp_vhu_region regions[RP_VHU_MAX_REGIONS];
} __attribute__((packed));
static_assert(sizeof(struct rp_vhu_mem) == 8 + 8 * 32, "wire format");

struct rp_vhu_single_region {
	uint64_t padding;
	struct rp_vhu_region region;
} __attribute__((packed));
static_assert(sizeof(struct rp_vhu_single_region) == 40, "wire format");

struct rp_vhu_log {
	uint64_t mmap_size;
	uint64_t mmap_offset;
} __attribute__((packed));
static_assert(sizeof(struct rp_vhu_log) == 16, "wire format");

struct rp_vhu_iotlb {
	uint64_t iova;
	uint64_t size;
	uint64_t uaddr;
	uint8_t perm; // 1 read, 2 write
	uint8_t type; // 1 miss, 2 update, 3 invalidate, 4 access failure
	uint8_t padding[6];
} __attribute__((packed));
static_assert(sizeof(struct rp_vhu_iotlb) == 32, "wire format");

struct rp_vhu_config {
	uint32_t offset;
	uint32_t size;
	uint32_t flags;
	uint8_t data[RP_VHU_CONFIG_MAX];
} __attribute__((packed));
static_assert(offsetof(struct rp_vhu_config, data) == 12, "wire format");

struct rp_vhu_area {
	uint64_t index; // bits 0-7 the ring, bit 8 "no descriptor"
	uint64_t size;
	uint64_t offset;
} __attribute__((packed));
static_assert(sizeof(struct rp_vhu_area) == 24, "wire format");

// 20 bytes of fields, but 24 on the wire: every implementation sends the C struct with its padding.
struct rp_vhu_inflight {
	uint64_t mmap_size;
	uint64_t mmap_offset;
	uint16_t num_queues;
	uint16_t queue_size;
	uint32_t padding;
} __attribute__((packed));
static_assert(sizeof(struct rp_vhu_inflight) == 24, "wire format");

struct rp_vhu_uuid {
	uint8_t uuid[16];
} __attribute__((packed));
static_assert(sizeof(struct rp_vhu_uuid) == 16, "wire format");

struct rp_vhu_device_state {
	uint32_t direction; // 0 save, 1 load
	uint32_t phase;	    // 0 stopped
} __attribute__((packed));
static_assert(sizeof(struct rp_vhu_device_state) == 8, "wire format");

struct rp_vhu_shmem_config {
	uint32_t n_regions;
	uint32_t padding;
	uint64_t sizes[RP_VHU_SHMEM_MAX];
} __attribute__((packed));
static_assert(sizeof(struct rp_vhu_shmem_config) == 8 + 8 * 256, "wire format");

struct rp_vhu_mmap {
	uint8_t shmid;
	uint8_t padding[7];
	uint64_t fd_offset;
	uint64_t shm_offset;
	uint64_t size;
	uint64_t flags; // bit 0: writable
} __attribute__((packed));
static_assert(sizeof(struct rp_vhu_mmap) == 40, "wire format");

union rp_vhu_payload {
	uint64_t u64;
	struct rp_vhu_vring_state state;
	struct rp_vhu_vring_addr addr;
	struct rp_vhu_mem mem;
	struct rp_vhu_single_region region;
	struct rp_vhu_log log;
	struct rp_vhu_iotlb iotlb;
	struct rp_vhu_config config;
	struct rp_vhu_area area;
	struct rp_vhu_inflight inflight;
	struct rp_vhu_uuid uuid;
	struct rp_vhu_device_state device_state;
	struct rp_vhu_shmem_config shmem;
	struct rp_vhu_mmap mmap;
	uint8_t bytes[RP_VHU_PAYLOAD_MAX];
};

// clang-format off

/*
 * Kinds of payload: name, smallest and largest size. Where they differ a count inside the payload
 * decides, or (SESSION) the layout is opaque here. ACK and LOG_ANSWER stand in the reply column
 * only: ACK is a u64, 0 for success, sent only when the request asks for it (need_reply, protocol
 * feature REPLY_ACK); back-ends answer SET_LOG_BASE with an empty, a u64 or a log payload, and all
 * three are in use. LOG in a request may be the u64 of the oldest front-ends.
 */
#define RP_VHU_PAYLOADS(X)        \
	X(NONE, 0, 0)             \
	X(U64, 8, 8)              \
	X(STATE, 8, 8)            \
	X(ADDR, 40, 40)           \
	X(MEM, 8, 264)            \
	X(REGION, 40, 40)         \
	X(LOG, 8, 16)             \
	X(IOTLB, 32, 32)          \
	X(CONFIG, 12, 268)        \
	X(AREA, 24, 24)           \
	X(INFLIGHT, 24, 24)       \
	X(UUID, 16, 16)           \
	X(DEVICE_STATE, 8, 8)     \
	X(SHMEM_CONFIG, 8, 2056)  \
	X(MMAP, 40, 40)           \
	X(SESSION, 8, 4096)       \
	X(ACK, 8, 8)              \
	X(LOG_ANSWER, 0, 16)

// Protocol features: bit, name.
#define RP_VHU_PROTOCOL_FEATURES(X)        \
	X(0, MQ)                           \
	X(1, LOG_SHMFD)                    \
	X(2, RARP)                         \
	X(3, REPLY_ACK)                    \
	X(4, MTU)                          \
	X(5, BACKEND_REQ)                  \
	X(6, CROSS_ENDIAN)                 \
	X(7, CRYPTO_SESSION)               \
	X(8, PAGEFAULT)                    \
	X(9, CONFIG)                       \
	X(10, BACKEND_SEND_FD)             \
	X(11, HOST_NOTIFIER)               \
	X(12, INFLIGHT_SHMFD)              \
	X(13, RESET_DEVICE)                \
	X(14, INBAND_NOTIFICATIONS)        \
	X(15, CONFIGURE_MEM_SLOTS)         \
	X(16, STATUS)                      \
	X(17, XEN_MMAP)                    \
	X(18, SHARED_OBJECT)               \
	X(19, DEVICE_STATE)                \
	X(20, GET_VRING_BASE_INFLIGHT)     \
	X(21, GPA_ADDRESSES)               \
	X(22, SHMEM_MAP)

/*
 * What a message depends on: nothing, a virtio feature bit, or a protocol feature bit.
 * GATE_VIRTIO(30) means "offered": GET_PROTOCOL_FEATURES comes before SET_FEATURES.
 */
#define RP_VHU_GATE_NONE         (-1)
#define RP_VHU_GATE_VIRTIO(bit)  (bit)
#define RP_VHU_GATE_PROTOCOL(f)  (64 + (int)RP_VHU_P_##f)

/*
 * Front-end to back-end:
 * id, name, payload, fds at least, at most, reply, fds with the reply at least, at most, gate.
 */
#define RP_VHU_FRONTEND_MESSAGES(X)                                                                   \
	X(1, GET_FEATURES, NONE, 0, 0, U64, 0, 0, RP_VHU_GATE_NONE)                                   \
	X(2, SET_FEATURES, U64, 0, 0, ACK, 0, 0, RP_VHU_GATE_NONE)                                    \
	X(3, SET_OWNER, NONE, 0, 0, ACK, 0, 0, RP_VHU_GATE_NONE)                                      \
	X(4, RESET_OWNER, NONE, 0, 0, ACK, 0, 0, RP_VHU_GATE_NONE)                                    \
	X(5, SET_MEM_TABLE, MEM, 0, 8, ACK, 0, 0, RP_VHU_GATE_NONE)                                   \
	X(6, SET_LOG_BASE, LOG, 0, 1, LOG_ANSWER, 0, 0, RP_VHU_GATE_NONE)                             \
	X(7, SET_LOG_FD, NONE, 1, 1, ACK, 0, 0, RP_VHU_GATE_NONE)                                     \
	X(8, SET_VRING_NUM, STATE, 0, 0, ACK, 0, 0, RP_VHU_GATE_NONE)                                 \
	X(9, SET_VRING_ADDR, ADDR, 0, 0, ACK, 0, 0, RP_VHU_GATE_NONE)                                 \
	X(10, SET_VRING_BASE, STATE, 0, 0, ACK, 0, 0, RP_VHU_GATE_NONE)                               \
	X(11, GET_VRING_BASE, STATE, 0, 0, STATE, 0, 0, RP_VHU_GATE_NONE)                             \
	X(12, SET_VRING_KICK, U64, 0, 1, ACK, 0, 0, RP_VHU_GATE_NONE)                                 \
	X(13, SET_VRING_CALL, U64, 0, 1, ACK, 0, 0, RP_VHU_GATE_NONE)                                 \
	X(14, SET_VRING_ERR, U64, 0, 1, ACK, 0, 0, RP_VHU_GATE_NONE)                                  \
	X(15, GET_PROTOCOL_FEATURES, NONE, 0, 0, U64, 0, 0, RP_VHU_GATE_VIRTIO(30))                   \
	X(16, SET_PROTOCOL_FEATURES, U64, 0, 0, ACK, 0, 0, RP_VHU_GATE_VIRTIO(30))                    \
	X(17, GET_QUEUE_NUM, NONE, 0, 0, U64, 0, 0, RP_VHU_GATE_PROTOCOL(MQ))                         \
	X(18, SET_VRING_ENABLE, STATE, 0, 0, ACK, 0, 0, RP_VHU_GATE_VIRTIO(30))                       \
	X(19, SEND_RARP, U64, 0, 0, ACK, 0, 0, RP_VHU_GATE_PROTOCOL(RARP))                            \
	X(20, NET_SET_MTU, U64, 0, 0, ACK, 0, 0, RP_VHU_GATE_PROTOCOL(MTU))                           \
	X(21, SET_BACKEND_REQ_FD, NONE, 1, 1, ACK, 0, 0, RP_VHU_GATE_PROTOCOL(BACKEND_REQ))           \
	X(22, IOTLB_MSG, IOTLB, 0, 0, U64, 0, 0, RP_VHU_GATE_VIRTIO(33))                              \
	X(23, SET_VRING_ENDIAN, STATE, 0, 0, ACK, 0, 0, RP_VHU_GATE_PROTOCOL(CROSS_ENDIAN))           \
	X(24, GET_CONFIG, CONFIG, 0, 0, CONFIG, 0, 0, RP_VHU_GATE_PROTOCOL(CONFIG))                   \
	X(25, SET_CONFIG, CONFIG, 0, 0, ACK, 0, 0, RP_VHU_GATE_PROTOCOL(CONFIG))                      \
	X(26, CREATE_CRYPTO_SESSION, SESSION, 0, 0, SESSION, 0, 0, RP_VHU_GATE_PROTOCOL(CRYPTO_SESSION)) \
	X(27, CLOSE_CRYPTO_SESSION, U64, 0, 0, ACK, 0, 0, RP_VHU_GATE_PROTOCOL(CRYPTO_SESSION))       \
	X(28, POSTCOPY_ADVISE, NONE, 0, 0, NONE, 0, 1, RP_VHU_GATE_PROTOCOL(PAGEFAULT))               \
	X(29, POSTCOPY_LISTEN, NONE, 0, 0, ACK, 0, 0, RP_VHU_GATE_PROTOCOL(PAGEFAULT))                \
	X(30, POSTCOPY_END, NONE, 0, 0, U64, 0, 0, RP_VHU_GATE_PROTOCOL(PAGEFAULT))                   \
	X(31, GET_INFLIGHT_FD, INFLIGHT, 0, 0, INFLIGHT, 0, 1, RP_VHU_GATE_PROTOCOL(INFLIGHT_SHMFD))  \
	X(32, SET_INFLIGHT_FD, INFLIGHT, 1, 1, ACK, 0, 0, RP_VHU_GATE_PROTOCOL(INFLIGHT_SHMFD))       \
	X(33, GPU_SET_SOCKET, NONE, 1, 1, ACK, 0, 0, RP_VHU_GATE_NONE)                                \
	X(34, RESET_DEVICE, NONE, 0, 0, ACK, 0, 0, RP_VHU_GATE_PROTOCOL(RESET_DEVICE))                \
	X(35, VRING_KICK, STATE, 0, 0, ACK, 0, 0, RP_VHU_GATE_PROTOCOL(INBAND_NOTIFICATIONS))         \
	X(36, GET_MAX_MEM_SLOTS, NONE, 0, 0, U64, 0, 0, RP_VHU_GATE_PROTOCOL(CONFIGURE_MEM_SLOTS))    \
	X(37, ADD_MEM_REG, REGION, 1, 1, ACK, 0, 0, RP_VHU_GATE_PROTOCOL(CONFIGURE_MEM_SLOTS))        \
	X(38, REM_MEM_REG, REGION, 0, 1, ACK, 0, 0, RP_VHU_GATE_PROTOCOL(CONFIGURE_MEM_SLOTS))        \
	X(39, SET_STATUS, U64, 0, 0, ACK, 0, 0, RP_VHU_GATE_PROTOCOL(STATUS))                         \
	X(40, GET_STATUS, NONE, 0, 0, U64, 0, 0, RP_VHU_GATE_PROTOCOL(STATUS))                        \
	X(41, GET_SHARED_OBJECT, UUID, 0, 0, NONE, 0, 1, RP_VHU_GATE_PROTOCOL(SHARED_OBJECT))         \
	X(42, SET_DEVICE_STATE_FD, DEVICE_STATE, 1, 1, U64, 0, 1, RP_VHU_GATE_PROTOCOL(DEVICE_STATE)) \
	X(43, CHECK_DEVICE_STATE, NONE, 0, 0, U64, 0, 0, RP_VHU_GATE_PROTOCOL(DEVICE_STATE))          \
	X(44, GET_SHMEM_CONFIG, NONE, 0, 0, SHMEM_CONFIG, 0, 0, RP_VHU_GATE_PROTOCOL(SHMEM_MAP))

// Back-end to front-end, on the descriptor of SET_BACKEND_REQ_FD. The columns are the same.
#define RP_VHU_BACKEND_MESSAGES(X)                                                                    \
	X(1, IOTLB_MSG, IOTLB, 0, 0, ACK, 0, 0, RP_VHU_GATE_VIRTIO(33))                               \
	X(2, CONFIG_CHANGE_MSG, NONE, 0, 0, ACK, 0, 0, RP_VHU_GATE_PROTOCOL(CONFIG))                  \
	X(3, VRING_HOST_NOTIFIER_MSG, AREA, 0, 1, ACK, 0, 0, RP_VHU_GATE_PROTOCOL(HOST_NOTIFIER))     \
	X(4, VRING_CALL, STATE, 0, 0, ACK, 0, 0, RP_VHU_GATE_PROTOCOL(INBAND_NOTIFICATIONS))          \
	X(5, VRING_ERR, STATE, 0, 0, ACK, 0, 0, RP_VHU_GATE_PROTOCOL(INBAND_NOTIFICATIONS))           \
	X(6, SHARED_OBJECT_ADD, UUID, 0, 0, ACK, 0, 0, RP_VHU_GATE_PROTOCOL(SHARED_OBJECT))           \
	X(7, SHARED_OBJECT_REMOVE, UUID, 0, 0, ACK, 0, 0, RP_VHU_GATE_PROTOCOL(SHARED_OBJECT))        \
	X(8, SHARED_OBJECT_LOOKUP, UUID, 0, 0, U64, 0, 1, RP_VHU_GATE_PROTOCOL(SHARED_OBJECT))        \
	X(9, SHMEM_MAP, MMAP, 1, 1, ACK, 0, 0, RP_VHU_GATE_PROTOCOL(SHMEM_MAP))                       \
	X(10, SHMEM_UNMAP, MMAP, 0, 0, ACK, 0, 0, RP_VHU_GATE_PROTOCOL(SHMEM_MAP))

#define RP_VHU_PAYLOAD_ENUM_(name, min, max) RP_VHU_PAYLOAD_##name,
enum rp_vhu_payload_kind { RP_VHU_PAYLOADS(RP_VHU_PAYLOAD_ENUM_) };
#undef RP_VHU_PAYLOAD_ENUM_

#define RP_VHU_FEATURE_ENUM_(bit, name) RP_VHU_P_##name = (bit),
enum rp_vhu_protocol_feature_bit { RP_VHU_PROTOCOL_FEATURES(RP_VHU_FEATURE_ENUM_) };
#undef RP_VHU_FEATURE_ENUM_

// RP_VHU_GET_FEATURES and so on; those of the other direction are RP_VHU_BACKEND_IOTLB_MSG ...
#define RP_VHU_MESSAGE_ENUM_(id, name, ...) RP_VHU_##name = (id),
enum rp_vhu_frontend_message { RP_VHU_FRONTEND_MESSAGES(RP_VHU_MESSAGE_ENUM_) };
#undef RP_VHU_MESSAGE_ENUM_
#define RP_VHU_MESSAGE_ENUM_(id, name, ...) RP_VHU_BACKEND_##name = (id),
enum rp_vhu_backend_message { RP_VHU_BACKEND_MESSAGES(RP_VHU_MESSAGE_ENUM_) };
#undef RP_VHU_MESSAGE_ENUM_
// clang-format on

// The mask of one protocol feature: RP_VHU_PROTOCOL_BIT(REPLY_ACK).
#define RP_VHU_PROTOCOL_BIT(name) (UINT64_C(1) << RP_VHU_P_##name)

enum rp_vhu_direction { RP_VHU_FROM_FRONTEND, RP_VHU_FROM_BACKEND };

// A row of the table.
struct rp_vhu_message_info {
	uint32_t id;
	const char *name;
	enum rp_vhu_payload_kind payload;
	uint8_t fds_min;
	uint8_t fds_max;
	enum rp_vhu_payload_kind reply; // ACK: only when asked; NONE: an empty reply
	uint8_t reply_fds_min;
	uint8_t reply_fds_max;
	int gate;
};

// The row of a message; NULL where there is none.
const struct rp_vhu_message_info *rp_vhu_message_by_id(enum rp_vhu_direction direction,
						       uint32_t id);
const struct rp_vhu_message_info *rp_vhu_message_by_name(enum rp_vhu_direction direction,
							 const char *name);

// The i-th row in order of id, for loops over the table; NULL behind the last.
const struct rp_vhu_message_info *rp_vhu_message_at(enum rp_vhu_direction direction,
						    unsigned int i);

const char *rp_vhu_payload_name(enum rp_vhu_payload_kind kind);

// The name of a protocol feature bit, or NULL; the bit of a name (case ignored), or -ENOENT.
const char *rp_vhu_protocol_feature_name(unsigned int bit);
int rp_vhu_protocol_feature_bit(const char *name);

// Whether a payload of this many bytes is right for its kind, counts inside it included.
bool rp_vhu_payload_size_ok(enum rp_vhu_payload_kind kind, const void *payload, size_t size);

// Whether the message is legal under these negotiated features (gate 30 counts as offered).
bool rp_vhu_message_allowed(const struct rp_vhu_message_info *info, uint64_t virtio_features,
			    uint64_t protocol_features);

// Whether a request with these header flags is answered under these protocol features.
bool rp_vhu_reply_expected(const struct rp_vhu_message_info *info, uint32_t flags,
			   uint64_t protocol_features);
