// SPDX-License-Identifier: BSD-3-Clause
#include "client.h"

#include <endian.h>
#include <err.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_gpu.h>
#include <linux/virtio_net.h>
#include <string.h>

#include "base/bytes.h"

// What bits and bytes of a device mean.

static const struct {
	const char *name;
	enum rp_virtio_device device;
} devices[] = {
	{"net", RP_VIRTIO_NET},	    {"blk", RP_VIRTIO_BLK}, {"gpu", RP_VIRTIO_GPU},
	{"vsock", RP_VIRTIO_VSOCK}, {"fs", RP_VIRTIO_FS},
};

#define N_DEVICES (sizeof(devices) / sizeof(devices[0]))

const char *client_device_name(enum rp_virtio_device device)
{
	for (size_t i = 0; i < N_DEVICES; i++)
		if (devices[i].device == device)
			return devices[i].name;
	return "unknown";
}

enum rp_virtio_device client_device(const struct client *cl, uint64_t features)
{
	uint64_t net =
		RP_VIRTIO_BIT(NET_MRG_RXBUF) | RP_VIRTIO_BIT(NET_CTRL_VQ) | RP_VIRTIO_BIT(NET_CSUM);
	uint64_t blk = RP_VIRTIO_BIT(BLK_SEG_MAX) | RP_VIRTIO_BIT(BLK_BLK_SIZE);

	if (cl->device == NULL)
		return (features & net) == 0 && (features & blk) == blk ? RP_VIRTIO_BLK
									: RP_VIRTIO_NET;
	for (size_t i = 0; i < N_DEVICES; i++)
		if (strcmp(cl->device, devices[i].name) == 0)
			return devices[i].device;
	errx(2, "--device '%s': expected net, blk, gpu, vsock or fs", cl->device);
}

static json_t *named(uint64_t bits, const char *(*name)(unsigned int bit, unsigned int arg),
		     unsigned int arg)
{
	json_t *list = json_array();

	for (unsigned int bit = 0; bit < 64; bit++) {
		const char *text = (bits >> bit & 1) != 0 ? name(bit, arg) : NULL;

		if (text != NULL)
			json_array_append_new(list, json_string(text));
		else if ((bits >> bit & 1) != 0)
			json_array_append_new(list, json_sprintf("bit %u", bit));
	}
	return list;
}

static const char *virtio_name(unsigned int bit, unsigned int device)
{
	return rp_virtio_feature_name((enum rp_virtio_device)device, bit);
}

static const char *protocol_name(unsigned int bit, unsigned int)
{
	return rp_vhu_protocol_feature_name(bit);
}

json_t *client_virtio_names(const struct client *cl, uint64_t bits)
{
	return named(bits, virtio_name, client_device(cl, bits));
}

json_t *client_protocol_names(uint64_t bits)
{
	return named(bits, protocol_name, 0);
}

static bool has(uint64_t features, unsigned int bit)
{
	return (features >> bit & 1) != 0;
}

static void net_config(json_t *o, uint64_t features, struct rp_reader r)
{
	struct virtio_net_config c = {0};
	const uint8_t *m = c.mac;

	if (!rp_read_copy(&r, &c, 12))
		return;
	if (has(features, VIRTIO_NET_F_MAC))
		json_object_set_new(o, "mac",
				    json_sprintf("%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2],
						 m[3], m[4], m[5]));
	if (has(features, VIRTIO_NET_F_STATUS))
		json_object_set_new(o, "link",
				    json_string((le16toh(c.status) & 1) != 0 ? "up" : "down"));
	if (has(features, VIRTIO_NET_F_MQ))
		json_object_set_new(o, "max_queue_pairs",
				    json_integer(le16toh(c.max_virtqueue_pairs)));
	if (has(features, VIRTIO_NET_F_MTU))
		json_object_set_new(o, "mtu", json_integer(le16toh(c.mtu)));
}

static void blk_config(json_t *o, uint64_t features, struct rp_reader r)
{
	struct virtio_blk_config c = {0};

	if (!rp_read_copy(&r, &c, offsetof(struct virtio_blk_config, max_discard_sectors)))
		return;
	json_object_set_new(o, "sectors", json_integer((json_int_t)le64toh(c.capacity)));
	json_object_set_new(o, "bytes", json_integer((json_int_t)le64toh(c.capacity) * 512));
	if (has(features, VIRTIO_BLK_F_BLK_SIZE))
		json_object_set_new(o, "block_size", json_integer(le32toh(c.blk_size)));
	if (has(features, VIRTIO_BLK_F_SEG_MAX))
		json_object_set_new(o, "max_segments", json_integer(le32toh(c.seg_max)));
	if (has(features, VIRTIO_BLK_F_CONFIG_WCE))
		json_object_set_new(o, "write_cache", json_boolean(c.wce));
	if (has(features, VIRTIO_BLK_F_MQ))
		json_object_set_new(o, "queues", json_integer(le16toh(c.num_queues)));
	json_object_set_new(o, "read_only", json_boolean(has(features, VIRTIO_BLK_F_RO)));
}

static void gpu_config(json_t *o, struct rp_reader r)
{
	struct virtio_gpu_config c;

	if (!rp_read_copy(&r, &c, sizeof(c)))
		return;
	json_object_set_new(o, "scanouts", json_integer(le32toh(c.num_scanouts)));
	json_object_set_new(o, "capability_sets", json_integer(le32toh(c.num_capsets)));
}

static void vsock_config(json_t *o, struct rp_reader r)
{
	uint64_t cid;

	if (rp_read_le64(&r, &cid))
		json_object_set_new(o, "guest_cid", json_integer((json_int_t)cid));
}

static void fs_config(json_t *o, struct rp_reader r)
{
	const char *tag = rp_read(&r, 36);
	uint32_t queues;

	if (tag == NULL || !rp_read_le32(&r, &queues))
		return;
	json_object_set_new(o, "tag", json_stringn_nocheck(tag, strnlen(tag, 36)));
	json_object_set_new(o, "request_queues", json_integer(queues));
}

json_t *client_config(enum rp_virtio_device device, uint64_t features, const uint8_t *data,
		      size_t len)
{
	struct rp_reader r = rp_reader(data, len);
	json_t *o = json_object();

	switch (device) {
	case RP_VIRTIO_NET:
		net_config(o, features, r);
		break;
	case RP_VIRTIO_BLK:
		blk_config(o, features, r);
		break;
	case RP_VIRTIO_GPU:
		gpu_config(o, r);
		break;
	case RP_VIRTIO_VSOCK:
		vsock_config(o, r);
		break;
	case RP_VIRTIO_FS:
		fs_config(o, r);
		break;
	}
	return o;
}
