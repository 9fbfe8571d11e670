// SPDX-License-Identifier: BSD-3-Clause
#include "faults.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/*
 * One row a fault: its name, what it does, and the functions by which it does it. The functions get
 * the fault's own number (of NAME=N, or the default) and may keep a count.
 */

struct fault {
	const char *name;
	const char *help;
	long number; // default; replaced by that of NAME=N
	bool takes_number;
	bool on;
	unsigned long count;
	void (*device)(struct rp_netdev *card);
	int (*request)(struct fault *f, struct rp_backend *be, const struct rp_vhu_msg *msg);
	int (*reply)(struct fault *f, struct rp_backend *be, struct rp_vhu_msg *reply);
};

static bool is_ack(const struct rp_vhu_msg *reply)
{
	const struct rp_vhu_message_info *info =
		rp_vhu_message_by_id(RP_VHU_FROM_FRONTEND, reply->request);

	return info == NULL || info->reply == RP_VHU_PAYLOAD_ACK;
}

// --- acks and replies ---

static int lying_ack(struct fault *, struct rp_backend *, struct rp_vhu_msg *reply)
{
	if (is_ack(reply))
		reply->payload.u64 = 0;
	return 0;
}

static int no_ack(struct fault *, struct rp_backend *, struct rp_vhu_msg *reply)
{
	return is_ack(reply);
}

static int always_nack(struct fault *, struct rp_backend *, struct rp_vhu_msg *reply)
{
	if (is_ack(reply))
		reply->payload.u64 = 1;
	return 0;
}

static int double_reply(struct fault *, struct rp_backend *be, struct rp_vhu_msg *reply)
{
	return rp_vhu_send(rp_backend_socket(be), reply, 0, NULL);
}

static int no_reply(struct fault *, struct rp_backend *, struct rp_vhu_msg *reply)
{
	return !is_ack(reply);
}

static int wrong_size(struct fault *f, struct rp_backend *, struct rp_vhu_msg *reply)
{
	memset(reply->payload.bytes + reply->size, 0, sizeof(reply->payload) - reply->size);
	reply->size = (uint32_t)f->number;
	return 0;
}

static int wrong_id(struct fault *, struct rp_backend *, struct rp_vhu_msg *reply)
{
	reply->request++;
	return 0;
}

static int no_reply_bit(struct fault *, struct rp_backend *, struct rp_vhu_msg *reply)
{
	reply->flags &= ~RP_VHU_FLAG_REPLY;
	return 0;
}

static int need_reply_bit(struct fault *, struct rp_backend *, struct rp_vhu_msg *reply)
{
	reply->flags |= RP_VHU_FLAG_NEED_REPLY;
	return 0;
}

static int send_part(struct rp_backend *be, const struct rp_vhu_msg *reply, uint32_t version,
		     size_t cut)
{
	struct {
		struct rp_vhu_header header;
		union rp_vhu_payload payload;
	} __attribute__((packed)) wire;

	wire.header = (struct rp_vhu_header){.request = reply->request,
					     .flags = RP_VHU_FLAG_REPLY | version,
					     .size = reply->size};
	memcpy(&wire.payload, &reply->payload, reply->size);
	rp_vhu_send_raw(rp_backend_socket(be), &wire, sizeof(wire.header) + reply->size - cut, NULL,
			0, 0, NULL);
	return 1;
}

static int wrong_version(struct fault *f, struct rp_backend *be, struct rp_vhu_msg *reply)
{
	return send_part(be, reply, (uint32_t)f->number & RP_VHU_VERSION_MASK, 0);
}

static int short_reply(struct fault *, struct rp_backend *be, struct rp_vhu_msg *reply)
{
	return reply->size > 0 ? send_part(be, reply, RP_VHU_VERSION, 1) : 0;
}

static int hang_up_in_reply(struct fault *, struct rp_backend *be, struct rp_vhu_msg *reply)
{
	send_part(be, reply, RP_VHU_VERSION, reply->size > 0 ? 1 : 0);
	return -ECONNABORTED;
}

static int late_reply(struct fault *f, struct rp_backend *, struct rp_vhu_msg *)
{
	const struct timespec delay = {.tv_sec = f->number / 1000,
				       .tv_nsec = f->number % 1000 * 1000000};

	nanosleep(&delay, NULL);
	return 0;
}

static int stray_fd(struct fault *, struct rp_backend *, struct rp_vhu_msg *reply)
{
	reply->fds[0] = STDERR_FILENO;
	reply->n_fds = 1;
	return 0;
}

static int garbage(struct fault *, struct rp_backend *be, struct rp_vhu_msg *)
{
	uint8_t bytes[64];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(0xa5 + 37 * i);
	rp_vhu_send_raw(rp_backend_socket(be), bytes, sizeof(bytes), NULL, 0, 0, NULL);
	return 1;
}

// --- single answers ---

static int unstable_features(struct fault *f, struct rp_backend *, struct rp_vhu_msg *reply)
{
	if (reply->request == RP_VHU_GET_FEATURES && f->count++ % 2 == 1)
		reply->payload.u64 ^= RP_VIRTIO_BIT(NET_MRG_RXBUF);
	return 0;
}

static int base_off_by_one(struct fault *, struct rp_backend *, struct rp_vhu_msg *reply)
{
	if (reply->request == RP_VHU_GET_VRING_BASE)
		reply->payload.state.num++;
	return 0;
}

static int base_zero(struct fault *, struct rp_backend *, struct rp_vhu_msg *reply)
{
	if (reply->request == RP_VHU_GET_VRING_BASE)
		reply->payload.state.num = 0;
	return 0;
}

static int config_offset(struct fault *, struct rp_backend *, struct rp_vhu_msg *reply)
{
	if (reply->request == RP_VHU_GET_CONFIG && reply->size > 12)
		memset(reply->payload.config.data, 0xee, reply->payload.config.size);
	return 0;
}

static int queue_num_zero(struct fault *, struct rp_backend *, struct rp_vhu_msg *reply)
{
	if (reply->request == RP_VHU_GET_QUEUE_NUM)
		reply->payload.u64 = 0;
	return 0;
}

// --- the connection and the process ---

static int unsolicited(struct fault *, struct rp_backend *be, const struct rp_vhu_msg *msg)
{
	struct rp_vhu_msg news = {.request = RP_VHU_GET_FEATURES, .flags = RP_VHU_FLAG_REPLY};

	if (msg->request == RP_VHU_SET_OWNER)
		rp_vhu_send(rp_backend_socket(be), &news, 0, NULL);
	return 0;
}

static int close_after(struct fault *f, struct rp_backend *, const struct rp_vhu_msg *)
{
	return f->count++ < (unsigned long)f->number ? 0 : -ECONNABORTED;
}

static int crash_after(struct fault *f, struct rp_backend *, const struct rp_vhu_msg *)
{
	if (f->count++ >= (unsigned long)f->number)
		abort();
	return 0;
}

static int hang_after(struct fault *f, struct rp_backend *, const struct rp_vhu_msg *)
{
	while (f->count >= (unsigned long)f->number)
		pause();
	f->count++;
	return 0;
}

static int leak_fd(struct fault *, struct rp_backend *, const struct rp_vhu_msg *msg)
{
	for (unsigned int i = 0; i < msg->n_fds; i++)
		(void)!fcntl(msg->fds[i], F_DUPFD_CLOEXEC, 0);
	return 0;
}

// --- offers and the data path ---

static void no_version_1(struct rp_netdev *card)
{
	card->device.features &= ~RP_VIRTIO_BIT(VERSION_1);
}

static void unknown_bits(struct rp_netdev *card)
{
	card->device.protocol_features |= UINT64_C(1) << 50;
}

static void log_without_shmfd(struct rp_netdev *card)
{
	card->device.protocol_features &= ~RP_VHU_PROTOCOL_BIT(LOG_SHMFD);
}

static void deaf(struct rp_netdev *card)
{
	card->ops.kicked = NULL;
}

static bool never_call(struct rp_netdev *, unsigned int)
{
	return false;
}

static void mute(struct rp_netdev *card)
{
	card->hooks.call = never_call;
}

static void spoil_id(struct rp_netdev *, unsigned int, uint16_t *head, uint32_t *)
{
	*head ^= 1;
}

static void wrong_used_id(struct rp_netdev *card)
{
	card->hooks.push = spoil_id;
}

static void spoil_len(struct rp_netdev *, unsigned int, uint16_t *, uint32_t *len)
{
	*len += 4096;
}

static void wrong_used_len(struct rp_netdev *card)
{
	card->hooks.push = spoil_len;
}

static void spoil_frame(struct rp_netdev *, uint8_t *frame, size_t len)
{
	frame[len - 1] ^= 0x80;
}

static void corrupt_frame(struct rp_netdev *card)
{
	card->hooks.frame = spoil_frame;
}

// clang-format off
#define NUMBER(n) .number = (n), .takes_number = true
static struct fault faults[] = {
	{"lying-ack", "ack 0 for what was refused", .reply = lying_ack},
	{"no-ack", "no ack though one was asked for", .reply = no_ack},
	{"always-nack", "ack 1 for everything", .reply = always_nack},
	{"double-reply", "every reply twice", .reply = double_reply},
	{"no-reply", "no answer to GET requests", .reply = no_reply},
	{"wrong-size", "replies of N bytes", NUMBER(4), .reply = wrong_size},
	{"wrong-id", "replies under the id of another request", .reply = wrong_id},
	{"no-reply-bit", "replies without the reply flag", .reply = no_reply_bit},
	{"need-reply-bit", "replies that ask for a reply", .reply = need_reply_bit},
	{"wrong-version", "replies of version N", NUMBER(2), .reply = wrong_version},
	{"short-reply", "the last byte of a reply is missing", .reply = short_reply},
	{"hang-up-in-reply", "hangs up before the last byte of a reply", .reply = hang_up_in_reply},
	{"late-reply", "replies N milliseconds late", NUMBER(3000), .reply = late_reply},
	{"stray-fd", "a descriptor comes with every reply", .reply = stray_fd},
	{"garbage", "bytes without meaning for replies", .reply = garbage},
	{"unstable-features", "every other GET_FEATURES differs", .reply = unstable_features},
	{"base-off-by-one", "GET_VRING_BASE is one too far", .reply = base_off_by_one},
	{"base-zero", "GET_VRING_BASE is always 0", .reply = base_zero},
	{"wrong-config", "GET_CONFIG gives other bytes", .reply = config_offset},
	{"queue-num-zero", "GET_QUEUE_NUM is 0", .reply = queue_num_zero},
	{"unsolicited", "a reply that nobody asked for, behind SET_OWNER", .request = unsolicited},
	{"close-after", "hangs up after N requests", NUMBER(3), .request = close_after},
	{"crash-after", "aborts after N requests", NUMBER(3), .request = crash_after},
	{"hang-after", "stops for ever after N requests", NUMBER(3), .request = hang_after},
	{"leak-fd", "keeps a copy of every descriptor", .request = leak_fd},
	{"no-version-1", "does not offer VERSION_1", .device = no_version_1},
	{"unknown-bits", "offers a protocol feature that does not exist", .device = unknown_bits},
	{"log-without-shmfd", "offers LOG_ALL without LOG_SHMFD", .device = log_without_shmfd},
	{"deaf", "ignores kicks", .device = deaf},
	{"mute", "never calls", .device = mute},
	{"wrong-used-id", "gives back other chains than it took", .device = wrong_used_id},
	{"wrong-used-len", "says it wrote 4096 bytes more", .device = wrong_used_len},
	{"corrupt-frame", "changes the last byte of a frame", .device = corrupt_frame},
};
// clang-format on

#define COUNT (sizeof(faults) / sizeof(faults[0]))

int fault_add(const char *word, struct rp_error *err)
{
	size_t len = strcspn(word, "=");

	for (size_t i = 0; i < COUNT; i++) {
		struct fault *f = &faults[i];
		char *end;

		if (strlen(f->name) != len || strncmp(f->name, word, len) != 0)
			continue;
		if (word[len] == '=') {
			f->number = strtol(word + len + 1, &end, 10);
			if (!f->takes_number || end == word + len + 1 || *end != '\0' ||
			    f->number < 0 || f->number > RP_VHU_PAYLOAD_MAX)
				return rp_error_set(err, EINVAL, "fault", word, "expected %s%s",
						    f->name,
						    f->takes_number ? "=0 to 4096" : " alone");
		}
		f->on = true;
		return 0;
	}
	return rp_error_set(err, EINVAL, "fault", word, "unknown; --fault list shows them");
}

void fault_list(void)
{
	for (size_t i = 0; i < COUNT; i++) {
		char name[64];

		snprintf(name, sizeof(name), "%s%s", faults[i].name,
			 faults[i].takes_number ? "[=N]" : "");
		printf("%-22s %s", name, faults[i].help);
		if (faults[i].takes_number)
			printf(" (%ld)", faults[i].number);
		putchar('\n');
	}
}

// What the card had there before: faults come on top of it.
static int (*request_before)(struct rp_backend *be, const struct rp_vhu_msg *msg, void *arg);

static int on_request(struct rp_backend *be, const struct rp_vhu_msg *msg, void *arg)
{
	int rc = request_before != NULL ? request_before(be, msg, arg) : 0;

	for (size_t i = 0; i < COUNT && rc == 0; i++)
		if (faults[i].on && faults[i].request != NULL)
			rc = faults[i].request(&faults[i], be, msg);
	return rc;
}

static int on_reply(struct rp_backend *be, struct rp_vhu_msg *reply, void *)
{
	int rc = 0;

	for (size_t i = 0; i < COUNT && rc == 0; i++)
		if (faults[i].on && faults[i].reply != NULL)
			rc = faults[i].reply(&faults[i], be, reply);
	return rc;
}

void fault_apply(struct rp_netdev *card)
{
	request_before = card->ops.request;
	for (size_t i = 0; i < COUNT; i++) {
		if (!faults[i].on)
			continue;
		if (faults[i].request != NULL)
			card->ops.request = on_request;
		if (faults[i].reply != NULL)
			card->ops.reply = on_reply;
		if (faults[i].device != NULL)
			faults[i].device(card);
	}
}
