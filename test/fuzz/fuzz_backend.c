// SPDX-License-Identifier: BSD-3-Clause
// A hostile front-end against the back-end device with a network card on it: any sequence of
// messages, descriptors, kicks and changes of guest memory, from a fresh or a running connection.
#include "base/bytes.h"
#include "vhost_user/netdev.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define MEMORY 0x10000
#define GPA    0x10000
#define UVA    0x7f0000000000
#define SIZE   16 // of the rings that setup() makes
#define STEPS  8  // of the back-end at a time

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct rp_netdev card;

struct front {
	struct rp_backend *be;
	int sock;
	int memory;
	int event[4]; // kick and call of two rings
	uint8_t *guest;
	bool over;
};

static void work(struct front *f)
{
	static uint8_t replies[4096];

	for (int i = 0; i < STEPS && !f->over; i++) {
		int rc = rp_backend_step(f->be);

		if (rc == 0)
			break;
		f->over = rc < 0;
	}
	while (recv(f->sock, replies, sizeof(replies), MSG_DONTWAIT) > 0)
		;
}

static void say(struct front *f, const struct rp_vhu_msg *msg)
{
	if (rp_vhu_send(f->sock, msg, 0, NULL) < 0)
		f->over = true;
	work(f);
}

static void say_u64(struct front *f, uint32_t id, uint64_t value, int fd)
{
	struct rp_vhu_msg msg = {.request = id, .size = 8, .payload.u64 = value, .n_fds = fd >= 0};

	msg.fds[0] = fd;
	say(f, &msg);
}

// A whole handshake, to where rings run: what random bytes would seldom find.
static void setup(struct front *f, uint8_t choice)
{
	struct rp_vhu_msg mem = {
		.request = RP_VHU_SET_MEM_TABLE,
		.size = 40,
		.n_fds = 1,
		.fds = {f->memory},
		.payload.mem = {.n_regions = 1, .regions = {{GPA, MEMORY, UVA, 0}}}};
	uint64_t features = card.device.features;

	features &= (choice & 1) != 0 ? UINT64_MAX : ~RP_VIRTIO_BIT(EVENT_IDX);
	features &= (choice & 2) != 0 ? UINT64_MAX : ~RP_VIRTIO_BIT(NET_MRG_RXBUF);
	features &= (choice & 4) != 0 ? UINT64_MAX : ~RP_VIRTIO_BIT(VHOST_PROTOCOL_FEATURES);
	features &= (choice & 8) != 0 ? UINT64_MAX : ~RP_VIRTIO_BIT(NET_GUEST_CSUM);
	say_u64(f, RP_VHU_SET_PROTOCOL_FEATURES, card.device.protocol_features, -1);
	say_u64(f, RP_VHU_SET_FEATURES, features, -1);
	say(f, &mem);
	for (unsigned int q = 0; q < 2; q++) {
		uint64_t at = UVA + q * 0x1000;
		struct rp_vhu_msg addr = {
			.request = RP_VHU_SET_VRING_ADDR,
			.size = 40,
			.payload.addr = {
				.index = q, .desc = at, .avail = at + 0x400, .used = at + 0x800}};

		say_u64(f, RP_VHU_SET_VRING_NUM, q | (uint64_t)SIZE << 32, -1);
		say(f, &addr);
		say_u64(f, RP_VHU_SET_VRING_CALL, q, f->event[2 * q]);
		say_u64(f, RP_VHU_SET_VRING_KICK, q, f->event[2 * q + 1]);
		say_u64(f, RP_VHU_SET_VRING_ENABLE, q | UINT64_C(1) << 32, -1);
		eventfd_write(f->event[2 * q + 1], 1);
	}
	work(f);
}

// Any message: id, flags, descriptors and payload as the input has them.
static bool message(struct front *f, struct rp_reader *r)
{
	const int fds[] = {f->memory, f->event[0], f->event[1], STDERR_FILENO};
	struct rp_vhu_msg msg = {0};
	uint8_t id, flags, which, len;

	if (!rp_read_u8(r, &id) || !rp_read_u8(r, &flags) || !rp_read_u8(r, &which) ||
	    !rp_read_u8(r, &len) || !rp_read_copy(r, &msg.payload, len))
		return false;
	msg.request = id;
	msg.flags = flags;
	msg.size = len;
	msg.n_fds = which >> 4 & 3;
	for (unsigned int i = 0; i < msg.n_fds; i++)
		msg.fds[i] = fds[(which + i) & 3];
	say(f, &msg);
	return true;
}

// Write bytes into guest memory.
static bool poke(struct front *f, struct rp_reader *r)
{
	uint16_t at;
	uint8_t len;

	if (!rp_read_le16(r, &at) || !rp_read_u8(r, &len) || len > MEMORY - at)
		return false;
	return rp_read_copy(r, f->guest + at, len);
}

static bool play(struct front *f, struct rp_reader *r)
{
	uint8_t what, arg;

	if (!rp_read_u8(r, &what))
		return false;
	switch (what % 4) {
	case 0:
		return message(f, r);
	case 1:
		return poke(f, r);
	case 2:
		if (!rp_read_u8(r, &arg))
			return false;
		setup(f, arg);
		return true;
	default:
		eventfd_write(f->event[1], 1);
		eventfd_write(f->event[3], 1);
		work(f);
		return true;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rp_reader r = rp_reader(data, size);
	struct front f = {.memory = memfd_create("guest", MFD_CLOEXEC)};
	uint8_t mode;
	int s[2];

	if (!rp_read_u8(&r, &mode) || f.memory < 0 || ftruncate(f.memory, MEMORY) < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, s) < 0) {
		close(f.memory);
		return 0;
	}
	f.guest = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED, f.memory, 0);
	for (int i = 0; i < 4; i++)
		f.event[i] = eventfd(0, EFD_NONBLOCK);
	rp_netdev_init(&card, mode % 3, 1);
	f.sock = s[0];
	f.be = rp_backend_new(s[1], &card.device);
	if (f.guest == MAP_FAILED || f.be == NULL)
		abort();
	while (!f.over && play(&f, &r))
		;
	rp_backend_free(f.be);
	for (int i = 0; i < 4; i++)
		close(f.event[i]);
	munmap(f.guest, MEMORY);
	close(f.memory);
	close(f.sock);
	return 0;
}
