// SPDX-License-Identifier: BSD-3-Clause
// The back-end device, message by message: what it answers, what it refuses, what it keeps.
#include "session.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static void features_are_offered_and_settled(void **state)
{
	struct session *f = *state;

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
	struct session *f = *state;

	assert_int_equal(ack(f, (struct rp_vhu_msg){.request = RP_VHU_SET_OWNER}), -EAGAIN);
	assert_int_equal(ack(f, U64(RP_VHU_SET_PROTOCOL_FEATURES, RP_VHU_PROTOCOL_BIT(REPLY_ACK))),
			 0);
	assert_int_equal(ack(f, (struct rp_vhu_msg){.request = RP_VHU_SET_OWNER}), 0);
	assert_int_equal(ask(f, &(struct rp_vhu_msg){.request = RP_VHU_SET_OWNER}), -EAGAIN);
}

static void inband_notifications_need_their_company(void **state)
{
	struct session *f = *state;

	assert_int_equal(ack(f, U64(RP_VHU_SET_PROTOCOL_FEATURES,
				    RP_VHU_PROTOCOL_BIT(INBAND_NOTIFICATIONS))),
			 -ECONNABORTED);
}

static void refused_without_an_ack_ends_the_connection(void **state)
{
	struct session *f = *state;
	struct rp_vhu_msg msg = U64(RP_VHU_SET_FEATURES, RP_VIRTIO_BIT(RING_PACKED));

	negotiate(f);
	assert_int_equal(ask(f, &msg), -EINVAL);
	assert_string_equal(rp_backend_error(f->be)->value, "SET_FEATURES");
}

static void gates_are_kept(void **state)
{
	struct session *f = *state;

	assert_int_equal(ack(f, U64(RP_VHU_SET_PROTOCOL_FEATURES, RP_VHU_PROTOCOL_BIT(REPLY_ACK))),
			 0);
	assert_int_equal(ack(f, U64(RP_VHU_NET_SET_MTU, 1500)), 1);
	assert_int_equal(ack(f, U64(RP_VHU_SET_STATUS, 1)), 1);
	assert_int_equal(ack(f, STATE(RP_VHU_SET_VRING_ENABLE, 0, 1)), 1);
	assert_int_equal(ask(f, &(struct rp_vhu_msg){.request = RP_VHU_GET_STATUS}), -EOPNOTSUPP);
}

static void malformed_messages_are_refused(void **state)
{
	struct session *f = *state;

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
	struct session *f = *state;
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
	struct session *f = *state;
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
	struct session *f = *state;
	struct rp_guest_memory m;
	uint64_t uva;

	negotiate(f);
	share(f, &m, 2);
	uva = m.regions[1].uva;
	for (uint32_t bad = 0; bad < 4; bad++) {
		const uint32_t index[] = {2, 255, 9999, UINT32_MAX};

		assert_int_equal(ack(f, STATE(RP_VHU_SET_VRING_NUM, index[bad], RING_SIZE)), 1);
		assert_int_equal(ack(f, STATE(RP_VHU_SET_VRING_BASE, index[bad], 0)), 1);
		assert_int_equal(ack(f, STATE(RP_VHU_SET_VRING_ENABLE, index[bad], 1)), 1);
		assert_int_equal(ack(f, STATE(RP_VHU_VRING_KICK, index[bad], 0)), 1);
		assert_int_equal(ack(f, addr_msg(index[bad], uva)), 1);
		assert_int_equal(ack(f, WITH_FD(RP_VHU_SET_VRING_KICK, index[bad], efd)), 1);
	}
	assert_int_equal(ack(f, STATE(RP_VHU_SET_VRING_NUM, 0, 0)), 1);
	assert_int_equal(ack(f, STATE(RP_VHU_SET_VRING_NUM, 0, 12)), 1);
	assert_int_equal(ack(f, STATE(RP_VHU_SET_VRING_NUM, 0, 65536)), 1);
	assert_int_equal(ack(f, STATE(RP_VHU_SET_VRING_NUM, 0, RING_SIZE)), 0);
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
	struct session *f = *state;
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
	assert_int_equal(ack(f, STATE(RP_VHU_SET_VRING_NUM, 1, RING_SIZE)), 0);
	assert_null(rp_backend_ring(f->be, 1));
	assert_int_equal(f->netdev.stats.rx, 0);
	eventfd_write(kick, 1);
	assert_int_equal(rp_backend_step(f->be), 1);
	assert_non_null(rp_backend_ring(f->be, 1));
	assert_int_equal(f->netdev.stats.rx, 1);
	assert_int_equal(eventfd_read(call, &value), 0);
	// While it runs its shape is fixed.
	assert_int_equal(ack(f, STATE(RP_VHU_SET_VRING_NUM, 1, RING_SIZE)), 1);
	assert_int_equal(ack(f, STATE(RP_VHU_SET_VRING_BASE, 1, 0)), 1);
	assert_int_equal(ack(f, U64(RP_VHU_SET_FEATURES, 0)), 1);
	// A bad address changes nothing.
	assert_int_equal(ack(f, addr_msg(1, 0x1000)), 1);
	eventfd_write(kick, 1);
	assert_int_equal(rp_backend_step(f->be), 1);
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
	struct session *f = *state;
	struct rp_guest_memory m;
	struct vring_avail *avail;

	assert_int_equal(ack(f, U64(RP_VHU_SET_PROTOCOL_FEATURES, RP_VHU_PROTOCOL_BIT(REPLY_ACK))),
			 0);
	share(f, &m, 1);
	avail = (void *)(uintptr_t)(m.regions[0].uva + 0x2000);
	assert_int_equal(ack(f, STATE(RP_VHU_SET_VRING_NUM, 1, RING_SIZE)), 0);
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
	struct session *f = *state;
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
	assert_int_equal(ack(f, STATE(RP_VHU_SET_VRING_NUM, 1, RING_SIZE)), 0);
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

static void configuration_is_read_in_parts(void **state)
{
	struct rp_vhu_msg msg = {.request = RP_VHU_GET_CONFIG,
				 .size = 16,
				 .payload.config = {.offset = 2, .size = 4}};
	struct session *f = *state;

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
	struct session *f = *state;
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, session_open, session_close)

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
		TEST(configuration_is_read_in_parts),
		TEST(status_and_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
