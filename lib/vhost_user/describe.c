// SPDX-License-Identifier: BSD-3-Clause
#include "vhost_user/describe.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define BYTES_SHOWN 24

struct text {
	char *buf;
	size_t len;
	size_t at;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *t, const char *format, ...)
{
	va_list ap;
	int n;

	if (t->at + 1 >= t->len)
		return;
	va_start(ap, format);
	n = vsnprintf(t->buf + t->at, t->len - t->at, format, ap);
	va_end(ap);
	if (n > 0)
		t->at += (size_t)n < t->len - t->at ? (size_t)n : t->len - t->at - 1;
}

static void add_bytes(struct text *t, const struct rp_vhu_msg *msg)
{
	uint32_t n = msg->size < BYTES_SHOWN ? msg->size : BYTES_SHOWN;

	add(t, "%u bytes:", msg->size);
	for (uint32_t i = 0; i < n; i++)
		add(t, " %02x", msg->payload.bytes[i]);
	if (n < msg->size)
		add(t, " ...");
}

static void add_region(struct text *t, const struct rp_vhu_region *r)
{
	add(t, "gpa 0x%" PRIx64 " size 0x%" PRIx64 " uva 0x%" PRIx64 " offset 0x%" PRIx64, r->gpa,
	    r->size, r->uva, r->mmap_offset);
}

static void add_mem(struct text *t, const struct rp_vhu_mem *mem)
{
	add(t, "%u regions", mem->n_regions);
	for (uint32_t i = 0; i < mem->n_regions; i++) {
		add(t, "%s", i == 0 ? ": " : "; ");
		add_region(t, &mem->regions[i]);
	}
}

static void add_payload(struct text *t, const struct rp_vhu_msg *msg, enum rp_vhu_payload_kind kind)
{
	const union rp_vhu_payload *p = &msg->payload;

	switch (kind) {
	case RP_VHU_PAYLOAD_U64:
	case RP_VHU_PAYLOAD_ACK:
		add(t, "0x%" PRIx64, p->u64);
		break;
	case RP_VHU_PAYLOAD_STATE:
		add(t, "index %u, num %u", p->state.index, p->state.num);
		break;
	case RP_VHU_PAYLOAD_ADDR:
		add(t,
		    "index %u, flags 0x%x, desc 0x%" PRIx64 ", used 0x%" PRIx64 ", avail 0x%" PRIx64
		    ", log 0x%" PRIx64,
		    p->addr.index, p->addr.flags, p->addr.desc, p->addr.used, p->addr.avail,
		    p->addr.log);
		break;
	case RP_VHU_PAYLOAD_MEM:
		add_mem(t, &p->mem);
		break;
	case RP_VHU_PAYLOAD_REGION:
		add_region(t, &p->region.region);
		break;
	case RP_VHU_PAYLOAD_CONFIG:
		add(t, "offset %u, size %u, flags 0x%x", p->config.offset, p->config.size,
		    p->config.flags);
		break;
	case RP_VHU_PAYLOAD_INFLIGHT:
		add(t, "size 0x%" PRIx64 ", offset 0x%" PRIx64 ", %u queues of %u",
		    p->inflight.mmap_size, p->inflight.mmap_offset, p->inflight.num_queues,
		    p->inflight.queue_size);
		break;
	case RP_VHU_PAYLOAD_DEVICE_STATE:
		add(t, "direction %u, phase %u", p->device_state.direction, p->device_state.phase);
		break;
	default:
		add_bytes(t, msg);
	}
}

const char *rp_vhu_describe(const struct rp_vhu_msg *msg, enum rp_vhu_direction direction,
			    char *buf, size_t len)
{
	const struct rp_vhu_message_info *info = rp_vhu_message_by_id(direction, msg->request);
	bool reply = (msg->flags & RP_VHU_FLAG_REPLY) != 0;
	enum rp_vhu_payload_kind kind = RP_VHU_PAYLOAD_NONE;
	struct text t = {.buf = buf, .len = len};

	if (info != NULL) {
		add(&t, "%s", info->name);
		kind = reply ? info->reply : info->payload;
		// To a request that has a reply of its own an error comes as an ack.
		if (reply && msg->size == sizeof(uint64_t) && kind == RP_VHU_PAYLOAD_NONE)
			kind = RP_VHU_PAYLOAD_ACK;
	} else {
		add(&t, "message %u", msg->request);
	}
	if (reply)
		add(&t, " reply");
	if ((msg->flags & RP_VHU_FLAG_NEED_REPLY) != 0)
		add(&t, " need_reply");
	if (msg->size > 0) {
		add(&t, " {");
		if (info != NULL && rp_vhu_payload_size_ok(kind, &msg->payload, msg->size))
			add_payload(&t, msg, kind);
		else
			add_bytes(&t, msg);
		add(&t, "}");
	}
	if (msg->n_fds > 0)
		add(&t, " +%u fd%s", msg->n_fds, msg->n_fds > 1 ? "s" : "");
	return buf;
}
