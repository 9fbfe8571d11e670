// SPDX-License-Identifier: BSD-3-Clause
// The front-end device against DPDK's vhost ports: testpmd forwards between two of them, so what
// one pretended VM sends, the other receives.
#include "../must.h"
#include "base/clock.h"
#include "testpmd.h"
#include "vhost_user/frontend.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define WAIT_MS 3000
#define FRAMES	600 // more than two rings full

struct fixture {
	struct testpmd testpmd;
	struct rp_frontend *vm[2];
};

static struct fixture fixture;

static int start_peers(void **state)
{
	*state = &fixture;
	if (testpmd_prepare(&fixture.testpmd) < 0)
		return -1;
	return testpmd_start(&fixture.testpmd, true);
}

static int close_vms(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 2; i++) {
		rp_frontend_free(f->vm[i]);
		f->vm[i] = NULL;
	}
	return 0;
}

static void connect_vms(struct fixture *f, const struct rp_frontend_config *cfg)
{
	struct rp_error err = {0};

	for (int i = 0; i < 2; i++) {
		f->vm[i] = rp_frontend_connect(f->testpmd.path[i], &err);
		must(f->vm[i] != NULL ? 0 : -errno, &err);
		must(rp_frontend_setup(f->vm[i], cfg, &err), &err);
	}
}

static void fill_frame(uint8_t *frame, size_t len, unsigned int seq)
{
	static const uint8_t header[] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xb5};

	for (size_t i = 0; i < len; i++)
		frame[i] = (uint8_t)(i * 7 + seq);
	memcpy(frame, header, sizeof(header));
}

// A port forwards only once DPDK has seen both of its rings, which it says to nobody: repeat a
// frame until one comes through, then take what else is under way.
static void wait_for_path(struct rp_frontend *from, struct rp_frontend *to, unsigned int pair)
{
	uint8_t frame[64], got[65536];
	uint64_t deadline = rp_clock_ms() + WAIT_MS;

	fill_frame(frame, sizeof(frame), 255);
	do {
		assert_int_equal(rp_frontend_send_packet_on(from, pair, NULL, frame, 64), 0);
		assert_true(rp_clock_ms() < deadline);
	} while (rp_frontend_wait_for_rx(to, 50) == -ETIMEDOUT);
	assert_int_equal(rp_frontend_wait_for_tx(from, WAIT_MS), 0);
	do {
		while (rp_frontend_recv_packet(to, got, sizeof(got)) > 0)
			;
	} while (rp_frontend_wait_for_rx(to, 50) == 0);
}

// Send frames of every length between the two given in turn, and find them whole, in order.
static void exchange(struct rp_frontend *from, struct rp_frontend *to, unsigned int pair,
		     size_t len_min, size_t len_max)
{
	static uint8_t frame[65536], got[65536];
	struct rp_frontend_packet info;
	unsigned int sent = 0, received = 0;
	size_t step = (len_max - len_min) / 40 + 1;

	while (received < FRAMES) {
		// At most so many under way that testpmd's mbufs and our ring hold them.
		while (sent < FRAMES && sent - received < 32) {
			size_t len = len_min + (sent * step) % (len_max - len_min + 1);

			fill_frame(frame, len, sent);
			assert_int_equal(rp_frontend_send_packet_on(from, pair, NULL, frame, len),
					 0);
			sent++;
		}
		size_t len = len_min + (received * step) % (len_max - len_min + 1);
		ssize_t n = rp_frontend_recv_packet_on(to, pair, got, sizeof(got), &info);

		if (n == -EAGAIN) {
			assert_int_equal(rp_frontend_wait_for_rx(to, WAIT_MS), 0);
			continue;
		}
		assert_int_equal(n, len);
		fill_frame(frame, len, received);
		assert_memory_equal(got, frame, len);
		assert_int_equal(info.pair, pair);
		received++;
	}
	assert_int_equal(rp_frontend_wait_for_tx(from, WAIT_MS), 0);
}

static void both_ways(struct fixture *f, const struct rp_frontend_config *cfg, size_t len_max)
{
	connect_vms(f, cfg);
	for (unsigned int pair = 0; pair < rp_frontend_pairs(f->vm[0]); pair++) {
		wait_for_path(f->vm[0], f->vm[1], pair);
		wait_for_path(f->vm[1], f->vm[0], pair);
		exchange(f->vm[0], f->vm[1], pair, 60, len_max);
		exchange(f->vm[1], f->vm[0], pair, 60, len_max);
	}
}

#define PLAIN (RP_VIRTIO_BIT(VERSION_1) | RP_VIRTIO_BIT(VHOST_PROTOCOL_FEATURES))

// clang-format off
#define CASE(name, len, ...)                                                       \
	static void name(void **state)                                             \
	{                                                                          \
		const struct rp_frontend_config cfg = {__VA_ARGS__};               \
                                                                                   \
		both_ways(*state, &cfg, len);                                      \
	}

CASE(split_default_features, 1514, .queue_pairs = 1)
CASE(split_nothing_negotiated, 1514, .features = PLAIN)
CASE(split_legacy_header_of_10_bytes, 1514,
     .features = RP_VIRTIO_BIT(VHOST_PROTOCOL_FEATURES))
CASE(split_event_idx, 1514, .features = PLAIN | RP_VIRTIO_BIT(EVENT_IDX))
CASE(split_mergeable, 1514, .features = PLAIN | RP_VIRTIO_BIT(NET_MRG_RXBUF))
CASE(split_mergeable_small_buffers, 1514, .features = PLAIN | RP_VIRTIO_BIT(NET_MRG_RXBUF),
     .rx_buffer_size = 256)
CASE(split_indirect_chains, 1514, .features = PLAIN | RP_VIRTIO_BIT(INDIRECT_DESC),
     .tx_segment = 100)
CASE(split_indirect_always, 1514, .features = RP_FRONTEND_FEATURES, .always_indirect = true)
CASE(split_direct_chains, 1514, .features = PLAIN, .tx_segment = 400)
CASE(split_index_wraps, 1514, .base = 65530)
CASE(split_without_protocol_features, 1514, .no_protocol_features = true)
CASE(split_ring_of_1024_in_8_regions, 1514, .ring_size = 1024, .memory_regions = 8)
CASE(split_jumbo_mergeable, 9014, .mtu = 9000)
CASE(split_jumbo_one_buffer, 9014, .mtu = 9000, .features = PLAIN)
CASE(split_two_queue_pairs, 1514, .queue_pairs = 2)

#define PACKED .required_features = RP_VIRTIO_BIT(RING_PACKED)
CASE(packed_default_features, 1514, PACKED)
CASE(packed_nothing_else_negotiated, 1514, PACKED, .features = PLAIN)
CASE(packed_event_idx, 1514, PACKED, .features = PLAIN | RP_VIRTIO_BIT(EVENT_IDX))
CASE(packed_mergeable_small_buffers, 1514, PACKED,
     .features = PLAIN | RP_VIRTIO_BIT(NET_MRG_RXBUF), .rx_buffer_size = 256)
CASE(packed_indirect_chains, 1514, PACKED, .features = PLAIN | RP_VIRTIO_BIT(INDIRECT_DESC),
     .tx_segment = 100)
CASE(packed_direct_chains, 1514, PACKED, .features = PLAIN, .tx_segment = 400)
CASE(packed_base_with_wrap_clear, 1514, PACKED, .base = 250)
CASE(packed_ring_of_any_size, 1514, PACKED, .ring_size = 200)
CASE(packed_jumbo, 9014, PACKED, .mtu = 9000)
CASE(packed_two_queue_pairs, 1514, PACKED, .queue_pairs = 2)
// clang-format on

static void reconnects_100_times(void **state)
{
	struct fixture *f = *state;
	struct rp_frontend_config cfg = {.queue_pairs = 1};
	struct rp_error err = {0};

	connect_vms(f, &cfg);
	for (int i = 0; i < 100; i++) {
		struct rp_frontend *vm = f->vm[i % 2];

		if (i % 3 == 0)
			rp_frontend_disconnect(vm);
		else
			rp_frontend_abort(vm);
		assert_int_equal(rp_frontend_send_packet(vm, "", 1), -ENOTCONN);
		must(rp_frontend_reconnect(vm, WAIT_MS, &err), &err);
	}
	wait_for_path(f->vm[0], f->vm[1], 0);
	exchange(f->vm[0], f->vm[1], 0, 60, 1514);
}

static void resumes_with_what_is_in_the_rings(struct fixture *f, uint64_t required)
{
	struct rp_frontend_config cfg = {.required_features = required};
	struct rp_error err = {0};

	connect_vms(f, &cfg);
	wait_for_path(f->vm[0], f->vm[1], 0);
	for (int i = 0; i < 10; i++) {
		exchange(f->vm[0], f->vm[1], 0, 60, 1514);
		rp_frontend_abort(f->vm[i % 2]);
		must(rp_frontend_resume(f->vm[i % 2], WAIT_MS, &err), &err);
		wait_for_path(f->vm[0], f->vm[1], 0);
		assert_null(rp_frontend_ring_broken(f->vm[0], 1));
		assert_null(rp_frontend_ring_broken(f->vm[1], 0));
	}
	exchange(f->vm[0], f->vm[1], 0, 60, 1514);
}

static void split_rings_survive_the_connection(void **state)
{
	resumes_with_what_is_in_the_rings(*state, 0);
}

static void packed_rings_survive_the_connection(void **state)
{
	resumes_with_what_is_in_the_rings(*state, RP_VIRTIO_BIT(RING_PACKED));
}

static void pair_is_enabled_and_disabled_at_run_time(void **state)
{
	struct fixture *f = *state;
	struct rp_frontend_config cfg = {.queue_pairs = 2, .enabled_pairs = 1};
	struct rp_error err = {0};

	connect_vms(f, &cfg);
	wait_for_path(f->vm[0], f->vm[1], 0);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 2; i++)
			must(rp_frontend_enable_pair(f->vm[i], 1, true, &err), &err);
		wait_for_path(f->vm[0], f->vm[1], 1);
		exchange(f->vm[0], f->vm[1], 1, 60, 1514);
		for (int i = 0; i < 2; i++)
			must(rp_frontend_enable_pair(f->vm[i], 1, false, &err), &err);
		exchange(f->vm[0], f->vm[1], 0, 60, 1514);
	}
}

static void a_broken_descriptor_does_not_stop_the_other_port(void **state)
{
	struct fixture *f = *state;
	struct rp_frontend_config cfg = {.queue_pairs = 1};
	struct rp_vring_buf bad = {
		.gpa = 0xdead0000, .len = 1514, .cookie = RP_FRONTEND_RAW_COOKIE};
	struct rp_error err = {0};

	connect_vms(f, &cfg);
	wait_for_path(f->vm[0], f->vm[1], 0);
	assert_int_equal(
		rp_vring_add_burst(rp_frontend_vring(f->vm[0], 1), &bad, 1, RP_VRING_READABLE), 1);
	rp_vring_publish(rp_frontend_vring(f->vm[0], 1));
	rp_frontend_kick(f->vm[0], 1);
	exchange(f->vm[1], f->vm[0], 0, 60, 1514);
	must(rp_frontend_reconnect(f->vm[0], WAIT_MS, &err), &err);
	wait_for_path(f->vm[0], f->vm[1], 0);
	exchange(f->vm[0], f->vm[1], 0, 60, 1514);
}

#define TEST(name) cmocka_unit_test_teardown(name, close_vms)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(split_default_features),
		TEST(split_nothing_negotiated),
		TEST(split_legacy_header_of_10_bytes),
		TEST(split_event_idx),
		TEST(split_mergeable),
		TEST(split_mergeable_small_buffers),
		TEST(split_indirect_chains),
		TEST(split_indirect_always),
		TEST(split_direct_chains),
		TEST(split_index_wraps),
		TEST(split_without_protocol_features),
		TEST(split_ring_of_1024_in_8_regions),
		TEST(split_jumbo_mergeable),
		TEST(split_jumbo_one_buffer),
		TEST(split_two_queue_pairs),
		TEST(packed_default_features),
		TEST(packed_nothing_else_negotiated),
		TEST(packed_event_idx),
		TEST(packed_mergeable_small_buffers),
		TEST(packed_indirect_chains),
		TEST(packed_direct_chains),
		TEST(packed_base_with_wrap_clear),
		TEST(packed_ring_of_any_size),
		TEST(packed_jumbo),
		TEST(packed_two_queue_pairs),
		TEST(reconnects_100_times),
		TEST(split_rings_survive_the_connection),
		TEST(packed_rings_survive_the_connection),
		TEST(pair_is_enabled_and_disabled_at_run_time),
		TEST(a_broken_descriptor_does_not_stop_the_other_port),
	};

	int failed = cmocka_run_group_tests(tests, start_peers, NULL);

	testpmd_stop(&fixture.testpmd, failed == 0);
	return failed;
}
