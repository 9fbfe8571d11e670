// SPDX-License-Identifier: BSD-3-Clause
#include "check.h"

#include <linux/virtio_blk.h>
#include <linux/virtio_net.h>
#include <string.h>

#define CONFIG P(CONFIG)
#define SIZE   12 // bytes that every device has: the smallest configuration space

static struct rp_vhu_msg get_config(uint32_t offset, uint32_t size)
{
	return (struct rp_vhu_msg){.request = RP_VHU_GET_CONFIG,
				   .size = 12 + size,
				   .payload.config = {.offset = offset, .size = size}};
}

static void must_read(struct session *s, uint32_t offset, uint32_t size)
{
	struct rp_vhu_msg msg = get_config(offset, size);

	must_take(s, &msg);
	if (s->reply.size == 0)
		rule_fail(s->c, "GET_CONFIG of %u bytes at %u gets an empty reply: an error", size,
			  offset);
	if (s->reply.payload.config.size != size)
		rule_fail(s->c, "GET_CONFIG of %u bytes gets %u", size,
			  s->reply.payload.config.size);
}

RULE(CF1, .severity = MUST, .section = "GET_CONFIG",
     .statement = "the reply to GET_CONFIG is as large as the request", .protocol = CONFIG,
     .how = "Read 1, 4 and 12 bytes.")
{
	struct session *s = session_negotiated(c, RP_VIRTIO_BIT(VERSION_1));

	must_read(s, 0, 1);
	must_read(s, 0, 4);
	must_read(s, 0, SIZE);
}

RULE(CF2, .severity = MUST, .section = "GET_CONFIG",
     .statement = "the offset of GET_CONFIG is honoured", .protocol = CONFIG,
     .how = "Read [0,12), then every four bytes of it alone, and compare.")
{
	struct session *s = session_negotiated(c, RP_VIRTIO_BIT(VERSION_1));
	uint8_t all[SIZE];

	must_read(s, 0, SIZE);
	memcpy(all, s->reply.payload.config.data, SIZE);
	for (uint32_t at = 0; at + 4 <= SIZE; at += 4) {
		must_read(s, at, 4);
		if (memcmp(s->reply.payload.config.data, all + at, 4) != 0)
			rule_fail(c, "4 bytes at offset %u are not those of [0,%d)", at, SIZE);
	}
}

RULE(CF3, .severity = MUST, .section = "GET_CONFIG",
     .statement = "an error of GET_CONFIG is an empty reply, not invented bytes",
     .protocol = CONFIG, .how = "Read 8 bytes at offset 0xffff0000.")
{
	struct session *s = session_negotiated(c, RP_VIRTIO_BIT(VERSION_1));
	struct rp_vhu_msg msg = get_config(0xffff0000, 8);
	enum outcome o = must_survive(s, &msg);

	if (o == REPLIED && s->reply.size > 0)
		rule_fail(c, "8 bytes came from offset 0xffff0000");
}

RULE(CF4, .severity = MUST, .section = "SET_CONFIG",
     .statement = "SET_CONFIG of a read-only field is refused", .protocol = CONFIG,
     .how = "Write byte 0 (MAC address of a card that does not let it be set so; capacity of a "
	    "disk) with flags 0, read it again.")
{
	struct session *s = session_negotiated(c, RP_VIRTIO_BIT(VERSION_1));
	struct rp_vhu_msg msg;
	uint8_t before;

	must_read(s, 0, 1);
	before = s->reply.payload.config.data[0];
	msg = get_config(0, 1);
	msg.request = RP_VHU_SET_CONFIG;
	msg.payload.config.data[0] = before ^ 2;
	if (must_survive(s, &msg) != ACK_OK)
		return;
	must_read(s, 0, 1);
	if (s->reply.payload.config.data[0] != before)
		rule_fail(c, "the byte was changed");
	rule_fail(c, "acked with 0, though nothing was written");
}

RULE(CF5, .severity = SHOULD, .section = "GET_CONFIG",
     .statement = "a range that ends behind the configuration space is refused", .protocol = CONFIG,
     .how = "Read 256 bytes at offset 255, and 8 at 0xfffffffc.")
{
	static const uint32_t at[] = {255, 0xfffffffc}, size[] = {256, 8};

	for (int i = 0; i < 2; i++) {
		struct session *s = session_negotiated(c, RP_VIRTIO_BIT(VERSION_1));
		struct rp_vhu_msg msg = get_config(at[i], size[i]);

		if (must_survive(s, &msg) == REPLIED && s->reply.size > 0)
			rule_fail(c, "%u bytes came from offset %u", size[i], at[i]);
		session_close(s);
	}
}

RULE(CF6, .severity = ROBUST, .section = "GET_CONFIG",
     .statement = "a size that is not that of the payload is refused", .protocol = CONFIG,
     .how = "Declare 200 bytes and send 8; declare 0xffffffff.")
{
	static const uint32_t declared[] = {200, UINT32_MAX};

	for (int i = 0; i < 2; i++) {
		struct session *s = session_negotiated(c, RP_VIRTIO_BIT(VERSION_1));
		struct rp_vhu_msg msg = get_config(0, 8);
		enum outcome o;

		msg.payload.config.size = declared[i];
		o = session_ask(s, &msg);
		if (o == TIMED_OUT)
			rule_hang(c, "declared %u bytes, sent 8: %s", declared[i], outcome_name(o));
		if (o == REPLIED && s->reply.size > 12 + 8)
			rule_fail(c, "%u bytes came for 8", s->reply.size - 12);
		session_close(s);
	}
}

RULE(CF7, .severity = SHOULD, .section = "GET_CONFIG",
     .statement = "what the configuration space says makes sense", .protocol = CONFIG,
     .how = "blk: a capacity, as many queues as GET_QUEUE_NUM. net: a unicast MAC address, an "
	    "MTU of 68 or more where offered.",
     .devices = DEVICE_NET | DEVICE_BLK)
{
	struct session *s = session_negotiated(c, RP_VIRTIO_BIT(VERSION_1));
	const uint8_t *data = s->reply.payload.config.data;
	uint64_t capacity;
	uint16_t n;

	if (c->target->device == DEVICE_BLK) {
		must_read(s, 0, 36);
		memcpy(&capacity, data, sizeof(capacity));
		memcpy(&n, data + offsetof(struct virtio_blk_config, num_queues), sizeof(n));
		if (capacity == 0)
			rule_fail(c, "the disk has 0 sectors");
		if ((c->target->offered & RP_VIRTIO_BIT(BLK_MQ)) != 0 && n != c->target->queue_num)
			rule_fail(c, "%u queues here, %llu by GET_QUEUE_NUM", n,
				  (unsigned long long)c->target->queue_num);
		return;
	}
	must_read(s, 0, SIZE);
	if ((c->target->offered & RP_VIRTIO_BIT(NET_MAC)) != 0 && (data[0] & 1) != 0)
		rule_fail(c, "the MAC address is a group address");
	memcpy(&n, data + offsetof(struct virtio_net_config, mtu), sizeof(n));
	if ((c->target->offered & RP_VIRTIO_BIT(NET_MTU)) != 0 && n < 68)
		rule_fail(c, "the MTU is %u", n);
	memcpy(&n, data + offsetof(struct virtio_net_config, max_virtqueue_pairs), sizeof(n));
	if ((c->target->offered & RP_VIRTIO_BIT(NET_MQ)) != 0 && (n == 0 || n > 0x8000))
		rule_fail(c, "max_virtqueue_pairs is %u, not 1 to 32768", n);
}
