// SPDX-License-Identifier: BSD-3-Clause
#include "vhost_user/messages.h"
#include "base/bytes.h"

#include <errno.h>
#include <strings.h>

// clang-format off
#define ROW(id_, name_, payload_, fds_min_, fds_max_, reply_, reply_min_, reply_max_, gate_) \
	{                                                   \
		.id = (id_),                                \
		.name = #name_,                             \
		.payload = RP_VHU_PAYLOAD_##payload_,       \
		.fds_min = (fds_min_),                      \
		.fds_max = (fds_max_),                      \
		.reply = RP_VHU_PAYLOAD_##reply_,           \
		.reply_fds_min = (reply_min_),              \
		.reply_fds_max = (reply_max_),              \
		.gate = (gate_),                            \
	},
static const struct rp_vhu_message_info frontend_rows[] = {RP_VHU_FRONTEND_MESSAGES(ROW)};
static const struct rp_vhu_message_info backend_rows[] = {RP_VHU_BACKEND_MESSAGES(ROW)};

#define KIND(name_, min_, max_) [RP_VHU_PAYLOAD_##name_] = {#name_, (min_), (max_)},
static const struct {
	const char *name;
	size_t min;
	size_t max;
} kinds[] = {RP_VHU_PAYLOADS(KIND)};

#define FEATURE(bit, name) [bit] = #name,
static const char *const features[64] = {RP_VHU_PROTOCOL_FEATURES(FEATURE)};
// clang-format on

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

// Rows are in order of id without a gap, so that the id is the place.
static_assert(COUNT(frontend_rows) == RP_VHU_GET_SHMEM_CONFIG, "ids have a gap");
static_assert(COUNT(backend_rows) == RP_VHU_BACKEND_SHMEM_UNMAP, "ids have a gap");

const struct rp_vhu_message_info *rp_vhu_message_at(enum rp_vhu_direction direction, unsigned int i)
{
	if (direction == RP_VHU_FROM_FRONTEND)
		return i < COUNT(frontend_rows) ? &frontend_rows[i] : NULL;
	return i < COUNT(backend_rows) ? &backend_rows[i] : NULL;
}

const struct rp_vhu_message_info *rp_vhu_message_by_id(enum rp_vhu_direction direction, uint32_t id)
{
	return id > 0 ? rp_vhu_message_at(direction, id - 1) : NULL;
}

const struct rp_vhu_message_info *rp_vhu_message_by_name(enum rp_vhu_direction direction,
							 const char *name)
{
	const struct rp_vhu_message_info *row;

	for (unsigned int i = 0; (row = rp_vhu_message_at(direction, i)) != NULL; i++)
		if (strcasecmp(row->name, name) == 0)
			return row;
	return NULL;
}

const char *rp_vhu_payload_name(enum rp_vhu_payload_kind kind)
{
	return kinds[kind].name;
}

const char *rp_vhu_protocol_feature_name(unsigned int bit)
{
	return bit < COUNT(features) ? features[bit] : NULL;
}

int rp_vhu_protocol_feature_bit(const char *name)
{
	for (unsigned int bit = 0; bit < COUNT(features); bit++)
		if (features[bit] != NULL && strcasecmp(features[bit], name) == 0)
			return (int)bit;
	return -ENOENT;
}

bool rp_vhu_payload_size_ok(enum rp_vhu_payload_kind kind, const void *payload, size_t size)
{
	struct rp_reader r = rp_reader(payload, size);
	struct rp_vhu_vring_state pair;
	uint32_t n;

	if (size < kinds[kind].min || size > kinds[kind].max)
		return false;
	switch (kind) {
	case RP_VHU_PAYLOAD_MEM:
		return rp_read_copy(&r, &n, sizeof(n)) && n <= RP_VHU_MAX_REGIONS &&
		       size == 8 + n * sizeof(struct rp_vhu_region);
	case RP_VHU_PAYLOAD_SHMEM_CONFIG:
		return rp_read_copy(&r, &n, sizeof(n)) && n <= RP_VHU_SHMEM_MAX &&
		       size == 8 + n * sizeof(uint64_t);
	case RP_VHU_PAYLOAD_CONFIG:
		// The second word counts the bytes behind the three words.
		return rp_read_copy(&r, &pair, sizeof(pair)) && pair.num == size - 12;
	case RP_VHU_PAYLOAD_LOG:
	case RP_VHU_PAYLOAD_LOG_ANSWER:
		return size % 8 == 0;
	default:
		return true;
	}
}

bool rp_vhu_message_allowed(const struct rp_vhu_message_info *info, uint64_t virtio_features,
			    uint64_t protocol_features)
{
	if (info->gate == RP_VHU_GATE_NONE)
		return true;
	if (info->gate < 64)
		return (virtio_features >> info->gate & 1) != 0;
	return (protocol_features >> (info->gate - 64) & 1) != 0;
}

bool rp_vhu_reply_expected(const struct rp_vhu_message_info *info, uint32_t flags,
			   uint64_t protocol_features)
{
	if (info->reply == RP_VHU_PAYLOAD_LOG_ANSWER)
		return (protocol_features & RP_VHU_PROTOCOL_BIT(LOG_SHMFD)) != 0;
	if (info->reply == RP_VHU_PAYLOAD_ACK)
		return (flags & RP_VHU_FLAG_NEED_REPLY) != 0 &&
		       (protocol_features & RP_VHU_PROTOCOL_BIT(REPLY_ACK)) != 0;
	return true;
}
