// SPDX-License-Identifier: BSD-3-Clause
// The back-end device, message by message: what it answers, what it refuses, what it keeps.
#include "count_fds.h"
#include "vhost_user/guest_memory.h"
#include "vhost_user/netdev.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define SIZE 16 // of rings

struct fixture {
	struct rp_netdev netdev;
	struct rp_backend *be;
	int sock;
	uint64_t protocol; // negotiated
	int fds_before;
};

static int open_card(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int s[2];

	f->fds_before = count_fds();
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s) < 0)
		return -1;
	rp_netdev_init(&f->netdev, RP_NETDEV_SINK, 1);
	f->sock = s[0];
	f->be = rp_backend_new(s[1], &f->netdev.device);
	*state = f;
	return f->be != NULL ? 0 : -1;
}

// Whatever came over the socket: nothing of it stays open.
static int close_card(void **state)
{
	struct fixture *f = *state;
	int leaked;

	rp_backend_free(f->be);
	close(f->sock);
	leaked = count_fds() - f->fds_before;
	free(f);
	return leaked;
}

// Send a request, let the card work, take the reply. What step() said, or -EAGAIN for no reply.
static int ask(struct fixture *f, struct rp_vhu_msg *msg)
{
	int rc = rp_vhu_send(f->sock, msg, 100, NULL);

	if (rc == 0)
		rc = rp_backend_step(f->be);
	if (rc < 0)
		return rc;
	return rp_vhu_recv(f->sock, msg, 0, NULL) == 0 ? 0 : -EAGAIN;
}

// Ask for an ack: its value, or what ask() said.
static int64_t ack(struct fixture *f, struct rp_vhu_msg msg)
{
	int rc;

	msg.flags |= RP_VHU_FLAG_NEED_REPLY;
	rc = ask(f, &msg);
	if (rc < 0)
		return rc;
	assert_int_equal(msg.size, 8);
	assert_int_equal(msg.flags, RP_VHU_VERSION | RP_VHU_FLAG_REPLY);
	return (int64_t)msg.payload.u64;
}

#define U64(id, value) ((struct rp_vhu_msg){.request = (id), .size = 8, .payload.u64 = (value)})
#define STATE(id, index_, num_)                                                                    \
	((struct rp_vhu_msg){                                                                      \
		.request = (id), .size = 8, .payload.state = {.index = (index_), .num = (num_)}})
#define WITH_FD(id, value, fd)                                                                     \
	((struct rp_vhu_msg){                                                                      \
		.request = (id), .size = 8, .payload.u64 = (value), .fds = {fd}, .n_fds = 1})

static uint64_t get(struct fixture *f, uint32_t id)
{
	struct rp_vhu_msg msg = {.request = id};

	assert_int_equal(ask(f, &msg), 0);
	assert_int_equal(msg.request, id);
	return msg.payload.u64;
}

static void negotiate(struct fixture *f)
{
	uint64_t features = RP_VIRTIO_BIT(VERSION_1) | RP_VIRTIO_BIT(VHOST_PROTOCOL_FEATURES);

	f->protocol = get(f, RP_VHU_GET_PROTOCOL_FEATURES);
	assert_int_equal(ack(f, U64(RP_VHU_SET_PROTOCOL_FEATURES, f->protocol)), 0);
	assert_int_equal(ack(f, U64(RP_VHU_SET_FEATURES, features)), 0);
}

static void share(struct fixture *f, struct rp_guest_memory *m, unsigned int regions)
{
	struct rp_vhu_msg msg = {.request = RP_VHU_SET_MEM_TABLE,
				 .size = 8 + 32 * regions,
				 .n_fds = regions,
				 .payload.mem.n_regions = regions};

	assert_int_equal(rp_guest_memory_create(m, 1, regions, false, NULL), 0);
	for (unsigned int i = 0; i < regions; i++) {
		msg.payload.mem.regions[i] = m->regions[i];
		msg.fds[i] = m->fd;
	}
	assert_int_equal(ack(f, msg), 0);
}

static struct rp_vhu_msg addr_msg(uint32_t q, uint64_t uva)
{
	return (struct rp_vhu_msg){
		.request = RP_VHU_SET_VRING_ADDR,
		.size = 40,
		.payload.addr = {
			.index = q, .desc = uva, .used = uva + 0x1000, .avail = uva + 0x2000}};
}

static void features_are_offered_and_settled(void **state)
{
	struct fixture *f = *state;

	assert_true(get(f, RP_VHU_GET_FEATURES) == f->netdev.device.features);
	assert_true(get(f, RP_VHU_GET_PROTOCOL_FEATURES) == RP_BACKEND_PROTOCOL_FEATURES);
	negotiate(f);
	assert_int_equal(ack(f, U64(RP_VHU_SET_FEATURES, RP_VIRTIO_BIT(RING_PACKED))), 1);
	assert_int_equal(ack(f, U64(RP_VHU_SET_FEATURES, 0)), 0);
	assert_int_equal(ack(f, U64(RP_VHU_SET_PROTOCOL_FEATURES, UINT64_MAX)), 1);
	assert_int_equal(get(f, RP_VHU_GET_QUEUE_NUM), 1);
}

static void acks_begin_with_the_feature(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ack(f, (struct rp_vhu_msg){.request = RP_VHU_SET_OWNER}), -EAGAIN);
	assert_int_equal(ack(f, U64(RP_VHU_SET_PROTOCOL_FEATURES, RP_VHU_PROTOCOL_BIT(REPLY_ACK))),
			 0);
	assert_int_equal(ack(f, (struct rp_vhu_msg){.request = RP_VHU_SET_OWNER}), 0);
	assert_int_equal(ask(f, &(struct rp_vhu_msg){.request = RP_VHU_SET_OWNER}), -EAGAIN);
}

static void inband_notifications_need_their_company(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ack(f, U64(RP_VHU_SET_PROTOCOL_FEATURES,
				    RP_VHU_PROTOCOL_BIT(INBAND_NOTIFICATIONS))),
			 -ECONNABORTED);
}

static void refused_without_an_ack_ends_the_connection(void **state)
{
	struct fixture *f = *state;
	struct rp_vhu_msg msg = U64(RP_VHU_SET_FEATURES, RP_VIRTIO_BIT(RING_PACKED));

	negotiate(f);
	assert_int_equal(ask(f, &msg), -EINVAL);
	assert_string_equal(rp_backend_error(f->be)->value, "SET_FEATURES");
}

static void gates_are_kept(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ack(f, U64(RP_VHU_SET_PROTOCOL_FEATURES, RP_VHU_PROTOCOL_BIT(REPLY_ACK))),
			 0);
	assert_int_equal(ack(f, U64(RP_VHU_NET_SET_MTU, 1500)), 1);
	assert_int_equal(ack(f, U64(RP_VHU_SET_STATUS, 1)), 1);
	assert_int_equal(ack(f, STATE(RP_VHU_SET_VRING_ENABLE, 0, 1)), 1);
	assert_int_equal(ask(f, &(struct rp_vhu_msg){.request = RP_VHU_GET_STATUS}), -EOPNOTSUPP);
}

static void malformed_messages_are_refused(void **state)
{
	struct fixture *f = *state;

	negotiate(f);
	assert_int_equal(ack(f, (struct rp_vhu_msg){.request = 99}), 1);
	assert_int_equal(ack(f, (struct rp_vhu_msg){.request = 0}), 1);
	assert_int_equal(ack(f, (struct rp_vhu_msg){.request = RP_VHU_SET_FEATURES, .size = 4}), 1);
	assert_int_equal(ack(f, (struct rp_vhu_msg){.request = RP_VHU_SET_OWNER, .size = 4096}), 1);
	assert_int_equal(ack(f, WITH_FD(RP_VHU_SET_FEATURES, 0, STDERR_FILENO)), 1);
	assert_int_equal(ack(f, (struct rp_vhu_msg){.request = RP_VHU_SET_OWNER, .flags = 0x100}),
			 1);
	assert_int_equal(ack(f, (struct rp_vhu_msg){.request = RP_VHU_SET_OWNER, .flags = 4}),
			 -ECONNABORTED);
}

static void bytes_one_by_one_and_requests_in_one_go(void **state)
{
	struct fixture *f = *state;
	struct rp_vhu_header two[] = {{.request = RP_VHU_GET_FEATURES, .flags = 1},
				      {.request = RP_VHU_GET_PROTOCOL_FEATURES, .flags = 1}};
	struct rp_vhu_msg msg;

	for (unsigned int i = 0; i < sizeof(two[0]); i++) {
		assert_int_equal(rp_vhu_recv(f->sock, &msg, 0, NULL), -ETIMEDOUT);
		assert_int_equal(write(f->sock, (char *)two + i, 1), 1);
		assert_true(rp_backend_step(f->be) >= 0);
	}
	assert_int_equal(rp_vhu_recv(f->sock, &msg, 0, NULL), 0);
	assert_int_equal(write(f->sock, two, sizeof(two)), sizeof(two));
	assert_true(rp_backend_step(f->be) >= 0);
	assert_int_equal(rp_vhu_recv(f->sock, &msg, 0, NULL), 0);
	assert_int_equal(msg.request, RP_VHU_GET_FEATURES);
	assert_int_equal(rp_vhu_recv(f->sock, &msg, 0, NULL), 0);
	assert_int_equal(msg.request, RP_VHU_GET_PROTOCOL_FEATURES);
}

static void front_end_that_reads_nothing_stops_only_itself(void **state)
{
	struct fixture *f = *state;
	const struct rp_vhu_header request = {.request = RP_VHU_GET_FEATURES, .flags = 1};
	struct rp_vhu_msg msg;
	int sent = 0, got = 0;

	while (send(f->sock, &request, sizeof(request), MSG_DONTWAIT) > 0) {
		assert_true(rp_backend_step(f->be) >= 0);
		sent++;
	}
	assert_true(sent > 100);
	for (; got < sent; got++) {
		assert_true(rp_backend_step(f->be) >= 0);
		assert_int_equal(rp_vhu_recv(f->sock, &msg, 0, NULL), 0);
	}
}

static void rings_are_judged(void **state)
{
	const int efd = eventfd(0, 0);
	struct fixture *f = *state;
	struct rp_guest_memory m;
	uint64_t uva;

	negotiate(f);
	share(f, &m, 2);
	uva = m.regions[1].uva;
	for (uint32_t bad = 0; bad < 4; bad++) {
		const uint32_t index[] = {2, 255, 9999, UINT32_MAX};

		assert_int_equal(ack(f, STATE(RP_VHU_SET_VRING_NUM, index[bad], SIZE)), 1);
		assert_int_equal(ack(f, STATE(RP_VHU_SET_VRING_BASE, index[bad], 0)), 1);
		assert_int_equal(ack(f, STATE(RP_VHU_SET_VRING_ENABLE, index[bad], 1)), 1);
		assert_int_equal(ack(f, STATE(RP_VHU_VRING_KICK, index[bad], 0)), 1);
		assert_int_equal(ack(f, addr_msg(index[bad], uva)), 1);
		assert_int_equal(ack(f, WITH_FD(RP_VHU_SET_VRING_KICK, index[bad], efd)), 1);
	}
	assert_int_equal(ack(f, STATE(RP_VHU_SET_VRING_NUM, 0, 0)), 1);
	assert_int_equal(ack(f, STATE(RP_VHU_SET_VRING_NUM, 0, 12)), 1);
	assert_int_equal(ack(f, STATE(RP_VHU_SET_VRING_NUM, 0, 65536)), 1);
	assert_int_equal(ack(f, STATE(RP_VHU_SET_VRING_NUM, 0, SIZE)), 0);
	assert_int_equal(ack(f, STATE(RP_VHU_SET_VRING_BASE, 0, 65536)), 1);
	assert_int_equal(ack(f, STATE(RP_VHU_SET_VRING_ENABLE, 0, 2)), 1);
	assert_int_equal(ack(f, addr_msg(0, uva + 8)), 1);		    // unaligned
	assert_int_equal(ack(f, addr_msg(0, m.regions[1].gpa)), 1);	    // not an uva
	assert_int_equal(ack(f, addr_msg(0, uva + (2 << 20) - 0x2010)), 1); // past the end
	assert_int_equal(ack(f, addr_msg(0, uva)), 0);
	assert_int_equal(ack(f, U64(RP_VHU_SET_VRING_KICK, 0)), 1);		 // none came
	assert_int_equal(ack(f, WITH_FD(RP_VHU_SET_VRING_CALL, 0x100, efd)), 1); // one too many
	assert_int_equal(ack(f, WITH_FD(RP_VHU_SET_VRING_ERR, 0, m.fd)), 1);	 // no eventfd
	rp_guest_memory_destroy(&m);
	close(efd);
}

// The life of a ring: nothing before the first kick, then what is available, then no more.
static void ring_starts_with_the_first_kick_and_stops_at_get_base(void **state)
{
	const int kick = eventfd(0, EFD_NONBLOCK), call = eventfd(0, EFD_NONBLOCK);
	struct rp_vhu_msg base = STATE(RP_VHU_GET_VRING_BASE, 1, 0);
	struct fixture *f = *state;
	struct vring_avail *avail;
	struct vring_desc *desc;
	struct rp_guest_memory m;
	eventfd_t value;

	negotiate(f);
	share(f, &m, 1);
	desc = (void *)(uintptr_t)m.regions[0].uva;
	avail = (void *)((char *)desc + 0x2000);
	desc[0] = (struct vring_desc){.addr = m.regions[0].gpa + 0x4000, .len = 72};
	avail->idx = 1;
	assert_int_equal(ack(f, addr_msg(1, m.regions[0].uva)), 0); // before its size: fine
	assert_int_equal(ack(f, WITH_FD(RP_VHU_SET_VRING_KICK, 1, kick)), 0);
	assert_int_equal(ack(f, WITH_FD(RP_VHU_SET_VRING_CALL, 1, call)), 0);
	assert_int_equal(ack(f, STATE(RP_VHU_SET_VRING_NUM, 1, SIZE)), 0);
	assert_null(rp_backend_ring(f->be, 1));
	assert_int_equal(f->netdev.stats.rx, 0);
	eventfd_write(kick, 1);
	assert_int_equal(rp_backend_step(f->be), 1);
	assert_non_null(rp_backend_ring(f->be, 1));
	assert_int_equal(f->netdev.stats.rx, 1);
	assert_int_equal(eventfd_read(call, &value), 0);
	// While it runs its shape is fixed.
	assert_int_equal(ack(f, STATE(RP_VHU_SET_VRING_NUM, 1, SIZE)), 1);
	assert_int_equal(ack(f, STATE(RP_VHU_SET_VRING_BASE, 1, 0)), 1);
	assert_int_equal(ack(f, U64(RP_VHU_SET_FEATURES, 0)), 1);
	assert_int_equal(ask(f, &base), 0);
	assert_int_equal(base.payload.state.num, 1);
	avail->idx = 2;
	eventfd_write(kick, 1);
	assert_int_equal(rp_backend_step(f->be), 0);
	assert_int_equal(f->netdev.stats.rx, 1);
	rp_guest_memory_destroy(&m);
	close(kick);
	close(call);
}

static void ring_without_descriptors_is_polled(void **state)
{
	struct fixture *f = *state;
	struct rp_guest_memory m;
	struct vring_avail *avail;

	assert_int_equal(ack(f, U64(RP_VHU_SET_PROTOCOL_FEATURES, RP_VHU_PROTOCOL_BIT(REPLY_ACK))),
			 0);
	share(f, &m, 1);
	avail = (void *)(uintptr_t)(m.regions[0].uva + 0x2000);
	assert_int_equal(ack(f, STATE(RP_VHU_SET_VRING_NUM, 1, SIZE)), 0);
	assert_int_equal(ack(f, addr_msg(1, m.regions[0].uva)), 0);
	assert_int_equal(rp_backend_timeout(f->be), -1);
	assert_int_equal(ack(f, U64(RP_VHU_SET_VRING_CALL, 0x101)), 0);
	assert_int_equal(ack(f, U64(RP_VHU_SET_VRING_KICK, 0x101)), 0);
	assert_int_equal(rp_backend_timeout(f->be), 1);
	avail->idx = 1; // of an empty descriptor: bad, but seen
	rp_backend_step(f->be);
	assert_int_equal(f->netdev.stats.bad, 1);
	rp_guest_memory_destroy(&m);
}

static void inband_kick_and_call(void **state)
{
	struct fixture *f = *state;
	struct rp_guest_memory m;
	struct rp_vhu_msg msg = {.request = RP_VHU_SET_BACKEND_REQ_FD, .n_fds = 1};
	int channel[2];

	negotiate(f);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, channel), 0);
	msg.fds[0] = channel[1];
	assert_int_equal(ack(f, msg), 0);
	close(channel[1]);
	share(f, &m, 1);
	((struct vring_avail *)(uintptr_t)(m.regions[0].uva + 0x2000))->idx = 1;
	assert_int_equal(ack(f, STATE(RP_VHU_SET_VRING_NUM, 1, SIZE)), 0);
	assert_int_equal(ack(f, addr_msg(1, m.regions[0].uva)), 0);
	assert_int_equal(ack(f, U64(RP_VHU_SET_VRING_CALL, 0x101)), 0);
	assert_int_equal(ack(f, U64(RP_VHU_SET_VRING_KICK, 0x101)), 0);
	assert_int_equal(rp_backend_timeout(f->be), -1);
	assert_int_equal(ack(f, STATE(RP_VHU_VRING_KICK, 1, 0)), 0);
	assert_int_equal(rp_vhu_recv(channel[0], &msg, 0, NULL), 0);
	assert_int_equal(rp_vhu_check_request(&msg, RP_VHU_FROM_BACKEND, NULL), 0);
	assert_int_equal(msg.request, RP_VHU_BACKEND_VRING_CALL);
	assert_int_equal(msg.payload.state.index, 1);
	assert_int_equal(rp_backend_config_changed(f->be), 0);
	assert_int_equal(rp_vhu_recv(channel[0], &msg, 0, NULL), 0);
	assert_int_equal(msg.request, RP_VHU_BACKEND_CONFIG_CHANGE_MSG);
	rp_guest_memory_destroy(&m);
	close(channel[0]);
}

static void memory_tables_are_judged(void **state)
{
	const struct rp_vhu_region good = {0x1000, 0x2000, 0x100000, 0};
	const struct rp_vhu_region bad[] = {
		{0x1000, 0, 0x100000, 0},
		{0x1000, 0x4000, 0x100000, 0}, // longer than the file
		{0x1000, 0x2000, 0x100000, 0x2000},
		{0x1000, 0x2000, 0x100000, UINT64_MAX - 0x1000},
		{UINT64_MAX - 0x1000, 0x2000, 0x100000, 0},
		{0x1000, 0x2000, UINT64_MAX - 0x1000, 0},
		{0x1000, UINT64_MAX, 0x100000, 0},
	};
	struct rp_vhu_msg msg = {.request = RP_VHU_SET_MEM_TABLE,
				 .size = 40,
				 .n_fds = 1,
				 .payload.mem.n_regions = 1};
	struct fixture *f = *state;

	negotiate(f);
	msg.fds[0] = memfd_create("m", MFD_CLOEXEC);
	assert_int_equal(ftruncate(msg.fds[0], 0x3000), 0);
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		msg.payload.mem.regions[0] = bad[i];
		assert_int_equal(ack(f, msg), 1);
	}
	msg.payload.mem.regions[0] = good;
	assert_int_equal(ack(f, msg), 0);
	assert_int_equal(rp_backend_memory(f->be)->n, 1);
	msg.n_fds = 0;
	assert_int_equal(ack(f, msg), 1);
	msg.n_fds = 2;
	msg.fds[1] = msg.fds[0];
	assert_int_equal(ack(f, msg), 1);
	// Two that overlap by guest address, then by front-end address.
	msg.payload.mem.n_regions = 2;
	msg.size = 72;
	msg.payload.mem.regions[1] = (struct rp_vhu_region){0x2fff, 0x1000, 0x900000, 0};
	assert_int_equal(ack(f, msg), 1);
	msg.payload.mem.regions[1] = (struct rp_vhu_region){0x9000, 0x1000, 0xff001, 0};
	assert_int_equal(ack(f, msg), 1);
	assert_int_equal(rp_backend_memory(f->be)->n, 1); // the old one is still in force
	close(msg.fds[0]);
}

static void memory_slots_come_and_go(void **state)
{
	struct rp_vhu_msg msg = {.request = RP_VHU_ADD_MEM_REG, .size = 40, .n_fds = 1};
	struct fixture *f = *state;
	uint64_t slots;

	negotiate(f);
	msg.fds[0] = memfd_create("m", MFD_CLOEXEC);
	assert_int_equal(ftruncate(msg.fds[0], 0x3000), 0);
	slots = get(f, RP_VHU_GET_MAX_MEM_SLOTS);
	for (uint64_t i = 0; i <= slots; i++) {
		msg.payload.region.region =
			(struct rp_vhu_region){i << 20, 0x1000, (i << 20) + 0x7000, 0x1000};
		assert_int_equal(ack(f, msg), i < slots ? 0 : 1);
	}
	msg.request = RP_VHU_REM_MEM_REG;
	msg.payload.region.region = (struct rp_vhu_region){3 << 20, 0x2000, (3 << 20) + 0x7000, 0};
	assert_int_equal(ack(f, msg), 1); // of another size
	msg.payload.region.region.size = 0x1000;
	assert_int_equal(ack(f, msg), 0); // another offset does not matter
	assert_int_equal(ack(f, msg), 1); // gone
	msg.request = RP_VHU_ADD_MEM_REG;
	assert_int_equal(ack(f, msg), 0);
	msg.n_fds = 0;
	assert_int_equal(ack(f, msg), 1);
	msg.n_fds = 1;
	close(msg.fds[0]);
}

static void region_under_a_live_ring_takes_the_ring_along(void **state)
{
	const int kick = eventfd(0, EFD_NONBLOCK);
	struct rp_vhu_msg msg = {.request = RP_VHU_REM_MEM_REG, .size = 40};
	struct fixture *f = *state;
	struct rp_guest_memory m;

	negotiate(f);
	share(f, &m, 1);
	assert_int_equal(ack(f, STATE(RP_VHU_SET_VRING_NUM, 1, SIZE)), 0);
	assert_int_equal(ack(f, addr_msg(1, m.regions[0].uva)), 0);
	assert_int_equal(ack(f, WITH_FD(RP_VHU_SET_VRING_KICK, 1, kick)), 0);
	eventfd_write(kick, 1);
	assert_int_equal(rp_backend_step(f->be), 1);
	assert_non_null(rp_backend_ring(f->be, 1));
	msg.payload.region.region = m.regions[0];
	assert_int_equal(ack(f, msg), 0);
	assert_null(rp_backend_ring(f->be, 1));
	eventfd_write(kick, 1);
	assert_int_equal(rp_backend_step(f->be), 0);
	rp_guest_memory_destroy(&m);
	close(kick);
}

static void memory_that_vanishes_is_replaced(void **state)
{
	const struct rp_vhu_region wire = {0x1000, 0x4000, 0x100000, 0};
	struct rp_vhu_msg msg = {.request = RP_VHU_SET_MEM_TABLE,
				 .size = 40,
				 .n_fds = 1,
				 .payload.mem.n_regions = 1};
	struct fixture *f = *state;
	uint64_t len = 0x4000;
	volatile uint8_t *p;

	negotiate(f);
	msg.fds[0] = memfd_create("m", MFD_CLOEXEC);
	assert_int_equal(ftruncate(msg.fds[0], 0x4000), 0);
	msg.payload.mem.regions[0] = wire;
	assert_int_equal(ack(f, msg), 0);
	p = rp_device_regions_at(rp_backend_memory(f->be), 0x1000, &len);
	p[0] = 42;
	assert_int_equal(ftruncate(msg.fds[0], 0x1000), 0);
	assert_int_equal(p[0], 42);
	assert_false(rp_mapping_damaged(&rp_backend_memory(f->be)->region[0].mapping));
	assert_int_equal(p[0x3fff], 0);
	p[0x3fff] = 1;
	assert_int_equal(p[0x3fff], 1);
	assert_true(rp_mapping_damaged(&rp_backend_memory(f->be)->region[0].mapping));
	close(msg.fds[0]);
}

static void writes_are_logged_while_asked(void **state)
{
	const uint64_t log_all = RP_VIRTIO_BIT(VHOST_LOG_ALL);
	struct rp_vhu_msg msg = {.request = RP_VHU_SET_LOG_BASE,
				 .size = 16,
				 .n_fds = 1,
				 .payload.log = {.mmap_size = 64, .mmap_offset = 100}};
	struct fixture *f = *state;
	const struct rp_device_regions *r = rp_backend_memory(f->be);
	uint8_t *log;

	negotiate(f);
	msg.fds[0] = memfd_create("log", MFD_CLOEXEC);
	assert_int_equal(ftruncate(msg.fds[0], 164), 0);
	log = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, msg.fds[0], 0);
	assert_int_equal(ask(f, &msg), 0); // answered though no ack was asked for
	assert_int_equal(msg.payload.u64, 0);
	rp_device_regions_wrote(r, 4096, 1);
	assert_int_equal(log[100], 0); // LOG_ALL is not negotiated
	assert_int_equal(ack(f, U64(RP_VHU_SET_FEATURES, rp_backend_features(f->be) | log_all)), 0);
	rp_device_regions_wrote(r, 4096 + 4095, 2);
	rp_device_regions_wrote(r, 4096 * 9, 0);
	rp_device_regions_wrote(r, 4096 * 511, 4096 * 10); // beyond the end
	assert_int_equal(log[100], 6);
	assert_int_equal(log[101], 0);
	assert_int_equal(log[163], 0x80);
	assert_int_equal(log[164], 0);
	assert_int_equal(ack(f, U64(RP_VHU_SET_FEATURES, rp_backend_features(f->be) & ~log_all)),
			 0);
	rp_device_regions_wrote(r, 0, 1);
	assert_int_equal(log[100], 6);
	munmap(log, 4096);
	close(msg.fds[0]);
	msg = (struct rp_vhu_msg){.request = RP_VHU_SET_LOG_BASE, .size = 16};
	assert_int_equal(ask(f, &msg), 0); // no descriptor
	assert_int_equal(msg.payload.u64, 1);
	msg = (struct rp_vhu_msg){.request = RP_VHU_GET_STATUS};
	assert_int_equal(ask(f, &msg), 0);
}

static void configuration_is_read_in_parts(void **state)
{
	struct rp_vhu_msg msg = {.request = RP_VHU_GET_CONFIG,
				 .size = 16,
				 .payload.config = {.offset = 2, .size = 4}};
	struct fixture *f = *state;

	negotiate(f);
	assert_int_equal(ask(f, &msg), 0);
	assert_int_equal(msg.size, 16);
	assert_memory_equal(msg.payload.config.data, f->netdev.config.mac + 2, 4);
	msg.flags = 0;
	msg.payload.config.offset = UINT32_MAX;
	assert_int_equal(ask(f, &msg), 0);
	assert_int_equal(msg.size, 0);
	msg = (struct rp_vhu_msg){
		.request = RP_VHU_SET_CONFIG, .size = 16, .payload.config = {.size = 4}};
	assert_int_equal(ack(f, msg), 1); // read-only
}

static void status_and_reset(void **state)
{
	struct fixture *f = *state;
	const uint64_t steps[] = {1, 3, 11, 15, 0};

	negotiate(f);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(ack(f, U64(RP_VHU_SET_STATUS, steps[i])), 0);
		assert_int_equal(get(f, RP_VHU_GET_STATUS), steps[i]);
	}
	assert_int_equal(ack(f, U64(RP_VHU_SET_STATUS, 256)), 1);
	assert_int_equal(ack(f, U64(RP_VHU_SET_FEATURES, UINT64_MAX)), 1);
	assert_int_equal(ack(f, U64(RP_VHU_SET_STATUS, 11)), 0);
	assert_int_equal(get(f, RP_VHU_GET_STATUS), 3); // FEATURES_OK is not
	assert_int_equal(ack(f, STATE(RP_VHU_SET_VRING_ENABLE, 0, 1)), 0);
	assert_true(rp_backend_ring_enabled(f->be, 0));
	assert_int_equal(ack(f, (struct rp_vhu_msg){.request = RP_VHU_RESET_DEVICE}), 0);
	assert_false(rp_backend_ring_enabled(f->be, 0));
	assert_int_equal(ack(f, U64(RP_VHU_NET_SET_MTU, 67)), 1);
	assert_int_equal(ack(f, U64(RP_VHU_NET_SET_MTU, 9000)), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_card, close_card)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(features_are_offered_and_settled),
		TEST(acks_begin_with_the_feature),
		TEST(inband_notifications_need_their_company),
		TEST(refused_without_an_ack_ends_the_connection),
		TEST(gates_are_kept),
		TEST(malformed_messages_are_refused),
		TEST(bytes_one_by_one_and_requests_in_one_go),
		TEST(front_end_that_reads_nothing_stops_only_itself),
		TEST(rings_are_judged),
		TEST(ring_starts_with_the_first_kick_and_stops_at_get_base),
		TEST(ring_without_descriptors_is_polled),
		TEST(inband_kick_and_call),
		TEST(memory_tables_are_judged),
		TEST(memory_slots_come_and_go),
		TEST(region_under_a_live_ring_takes_the_ring_along),
		TEST(memory_that_vanishes_is_replaced),
		TEST(writes_are_logged_while_asked),
		TEST(configuration_is_read_in_parts),
		TEST(status_and_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
