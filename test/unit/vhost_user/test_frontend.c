// SPDX-License-Identifier: BSD-3-Clause
// The front-end device against the back-end device, in one process.
#include "../../must.h"
#include "card.h"
#include "vhost_user/frontend.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define WAIT_MS 3000
#define FRAMES	1000

struct fixture {
	struct card *card;
	struct rp_frontend *vm;
};

static void open_vm(struct fixture *f, enum rp_netdev_mode mode,
		    const struct rp_frontend_config *cfg)
{
	struct rp_error err = {0};

	f->card = card_start(mode, cfg->queue_pairs > 0 ? cfg->queue_pairs : 1);
	f->vm = rp_frontend_from_socket(f->card->sock);
	assert_non_null(f->vm);
	f->card->sock = -1;
	must(rp_frontend_setup(f->vm, cfg, &err), &err);
}

static int new_fixture(void **state)
{
	static struct fixture f;

	f = (struct fixture){0};
	*state = &f;
	return 0;
}

static int close_all(void **state)
{
	struct fixture *f = *state;

	rp_frontend_free(f->vm);
	if (f->card != NULL)
		card_stop(f->card);
	return 0;
}

static void fill_frame(uint8_t *frame, size_t len, unsigned int seq)
{
	for (size_t i = 0; i < len; i++)
		frame[i] = (uint8_t)(i * 5 + seq);
}

static void expect_frame(struct rp_frontend *vm, unsigned int pair, size_t len, unsigned int seq)
{
	static uint8_t frame[65536], got[65536];
	struct rp_frontend_packet info;
	ssize_t n;

	while ((n = rp_frontend_recv_packet_on(vm, pair, got, sizeof(got), &info)) == -EAGAIN)
		assert_int_equal(rp_frontend_wait_for_rx(vm, WAIT_MS), 0);
	assert_int_equal(n, len);
	fill_frame(frame, len, seq);
	assert_memory_equal(got, frame, len);
	assert_int_equal(info.pair, pair);
}

// Frames of many lengths go out and come back whole and in order.
static void loop(struct rp_frontend *vm, unsigned int pair, size_t len_max)
{
	static uint8_t frame[65536];
	unsigned int window = 16;

	for (unsigned int i = 0; i < FRAMES + window; i++) {
		if (i < FRAMES) {
			size_t len = 1 + i * 37 % len_max;

			fill_frame(frame, len, i);
			assert_int_equal(rp_frontend_send_packet_on(vm, pair, NULL, frame, len), 0);
		}
		if (i >= window)
			expect_frame(vm, pair, 1 + (i - window) * 37 % len_max, i - window);
	}
	assert_int_equal(rp_frontend_wait_for_tx(vm, WAIT_MS), 0);
	assert_int_equal(rp_frontend_stats(vm, 2 * pair).packets, FRAMES);
}

#define PLAIN (RP_VIRTIO_BIT(VERSION_1) | RP_VIRTIO_BIT(VHOST_PROTOCOL_FEATURES))

// clang-format off
#define CASE(name, len, ...)                                                       \
	static void name(void **state)                                             \
	{                                                                          \
		const struct rp_frontend_config cfg = {__VA_ARGS__};               \
		struct fixture *f = *state;                                        \
                                                                                   \
		open_vm(f, RP_NETDEV_LOOPBACK, &cfg);                              \
		for (unsigned int p = 0; p < rp_frontend_pairs(f->vm); p++)        \
			loop(f->vm, p, len);                                       \
	}

CASE(default_features, 1514, .queue_pairs = 1)
CASE(nothing_negotiated, 1514, .features = PLAIN)
CASE(legacy_header, 1514, .features = RP_VIRTIO_BIT(VHOST_PROTOCOL_FEATURES))
CASE(event_idx, 1514, .features = PLAIN | RP_VIRTIO_BIT(EVENT_IDX))
CASE(mergeable_small_buffers, 1514, .features = PLAIN | RP_VIRTIO_BIT(NET_MRG_RXBUF),
     .rx_buffer_size = 100)
CASE(indirect_chains, 1514, .features = PLAIN | RP_VIRTIO_BIT(INDIRECT_DESC), .tx_segment = 50)
CASE(direct_chains, 1514, .features = PLAIN, .tx_segment = 200)
CASE(index_wraps, 1514, .base = 65530)
CASE(smallest_ring, 1514, .ring_size = 32)
CASE(without_protocol_features, 1514, .no_protocol_features = true)
CASE(eight_regions, 1514, .memory_regions = 8, .ring_size = 1024)
CASE(jumbo, 9014, .mtu = 9000)
CASE(three_pairs, 1514, .queue_pairs = 3)
// clang-format on

static void rings_stop_and_go_on(void **state)
{
	const struct rp_frontend_config cfg = {.base = 65000};
	struct fixture *f = *state;
	struct rp_error err = {0};
	uint8_t frame[60];
	uint32_t base = 0;

	open_vm(f, RP_NETDEV_LOOPBACK, &cfg);
	for (unsigned int i = 0; i < 100; i++) {
		fill_frame(frame, sizeof(frame), i);
		assert_int_equal(rp_frontend_send_packet(f->vm, frame, sizeof(frame)), 0);
		expect_frame(f->vm, 0, sizeof(frame), i);
		assert_int_equal(rp_frontend_wait_for_tx(f->vm, WAIT_MS), 0);
		must(rp_frontend_stop_ring(f->vm, 1, &base, &err), &err);
		assert_int_equal(base, 65000 + i + 1);
		must(rp_frontend_stop_ring(f->vm, 1, &base, &err), &err);
		assert_int_equal(base, 65000 + i + 1);
		must(rp_frontend_start_ring(f->vm, 1, &err), &err);
	}
}

static void disabled_pair_takes_and_drops(void **state)
{
	const struct rp_frontend_config cfg = {.no_enable = true};
	struct fixture *f = *state;
	struct rp_error err = {0};
	uint8_t frame[60];

	open_vm(f, RP_NETDEV_LOOPBACK, &cfg);
	fill_frame(frame, sizeof(frame), 1);
	assert_int_equal(rp_frontend_send_packet(f->vm, frame, sizeof(frame)), 0);
	assert_int_equal(rp_frontend_wait_for_tx(f->vm, WAIT_MS), 0);
	assert_int_equal(rp_frontend_wait_for_rx(f->vm, 20), -ETIMEDOUT);
	must(rp_frontend_enable_pair(f->vm, 0, true, &err), &err);
	assert_int_equal(rp_frontend_send_packet(f->vm, frame, sizeof(frame)), 0);
	expect_frame(f->vm, 0, sizeof(frame), 1);
}

static void buffers_by_hand(void **state)
{
	const struct rp_frontend_config cfg = {.manual_rx = true, .features = PLAIN};
	struct fixture *f = *state;
	uint8_t frame[1000];

	open_vm(f, RP_NETDEV_LOOPBACK, &cfg);
	fill_frame(frame, sizeof(frame), 1);
	// No buffer, then one that is too small: the frame is lost, the buffer is not.
	assert_int_equal(rp_frontend_send_packet(f->vm, frame, 500), 0);
	assert_int_equal(rp_frontend_wait_for_tx(f->vm, WAIT_MS), 0);
	for (int i = 0; i < 6; i++) // together they would hold it, which is of no use
		assert_int_equal(rp_frontend_provide_rx_buffer(f->vm, 100), 0);
	assert_int_equal(rp_frontend_send_packet(f->vm, frame, 500), 0);
	assert_int_equal(rp_frontend_wait_for_tx(f->vm, WAIT_MS), 0);
	assert_int_equal(rp_frontend_wait_for_rx(f->vm, 20), -ETIMEDOUT);
	for (int i = 0; i < 6; i++) {
		assert_int_equal(rp_frontend_send_packet(f->vm, frame, 88), 0);
		expect_frame(f->vm, 0, 88, 1);
	}
	assert_int_equal(rp_frontend_provide_rx_buffer(f->vm, 0), -EINVAL);
}

static void source_fills_the_ring(void **state)
{
	const struct rp_frontend_config cfg = {.queue_pairs = 1};
	struct fixture *f = *state;
	uint8_t frame[64];
	uint64_t seq;

	open_vm(f, RP_NETDEV_SOURCE, &cfg);
	for (uint64_t i = 0; i < 2000; i++) {
		ssize_t n;

		while ((n = rp_frontend_recv_packet(f->vm, frame, sizeof(frame))) == -EAGAIN)
			assert_int_equal(rp_frontend_wait_for_rx(f->vm, WAIT_MS), 0);
		assert_int_equal(n, 60);
		memcpy(&seq, frame + 14, sizeof(seq));
		assert_int_equal(seq, i);
	}
}

static void source_goes_on_without_further_kicks(void **state)
{
	const struct rp_frontend_config cfg = {.ring_size = 1024, .manual_rx = true};
	struct fixture *f = *state;
	uint8_t frame[64];

	open_vm(f, RP_NETDEV_SOURCE, &cfg);
	assert_int_equal(rp_frontend_fill_rx(f->vm, 0), 1024);
	for (int i = 0; i < 1024; i++) {
		ssize_t n;

		while ((n = rp_frontend_recv_packet(f->vm, frame, sizeof(frame))) == -EAGAIN)
			assert_int_equal(rp_frontend_wait_for_rx(f->vm, WAIT_MS), 0);
		assert_int_equal(n, 60);
	}
}

static void ring_is_served_when_it_is_enabled(void **state)
{
	const struct rp_frontend_config cfg = {.no_enable = true};
	struct rp_vhu_msg msg = {.request = RP_VHU_SET_VRING_ENABLE,
				 .flags = RP_VHU_FLAG_NEED_REPLY,
				 .size = 8,
				 .payload.state = {.index = 0, .num = 1}};
	struct fixture *f = *state;
	struct rp_error err = {0};

	open_vm(f, RP_NETDEV_SOURCE, &cfg);
	assert_int_equal(rp_frontend_wait_for_rx(f->vm, 20), -ETIMEDOUT);
	must(rp_frontend_request(f->vm, &msg, &err), &err); // and no kick behind it
	assert_int_equal(rp_frontend_wait_for_rx(f->vm, WAIT_MS), 0);
}

// Runs in the card's thread, before the buffer is given back.
static void claim_65_buffers(struct rp_netdev *card, unsigned int q, uint16_t *, uint32_t *)
{
	struct virtio_net_hdr_v1 *hdr = card->first.iov[0].iov_base;

	if (q == 0)
		hdr->num_buffers = 65;
}

static void claim_5_bytes(struct rp_netdev *, unsigned int q, uint16_t *, uint32_t *len)
{
	if (q == 0)
		*len = 5;
}

static void headers_that_make_no_sense_are_dropped(void **state)
{
	const struct rp_frontend_config cfg = {.queue_pairs = 1};
	struct fixture *f = *state;
	uint8_t frame[60] = {0};

	open_vm(f, RP_NETDEV_LOOPBACK, &cfg);
	f->card->netdev.hooks.push = claim_65_buffers;
	assert_int_equal(rp_frontend_send_packet(f->vm, frame, sizeof(frame)), 0);
	assert_int_equal(rp_frontend_wait_for_rx(f->vm, WAIT_MS), 0);
	assert_int_equal(rp_frontend_recv_packet(f->vm, frame, sizeof(frame)), -EBADMSG);
	f->card->netdev.hooks.push = claim_5_bytes;
	assert_int_equal(rp_frontend_send_packet(f->vm, frame, sizeof(frame)), 0);
	assert_int_equal(rp_frontend_wait_for_rx(f->vm, WAIT_MS), 0);
	assert_int_equal(rp_frontend_recv_packet(f->vm, frame, sizeof(frame)), -EBADMSG);
	assert_int_equal(rp_frontend_stats(f->vm, 0).errors, 2);
	f->card->netdev.hooks.push = NULL;
	fill_frame(frame, sizeof(frame), 1);
	assert_int_equal(rp_frontend_send_packet(f->vm, frame, sizeof(frame)), 0);
	expect_frame(f->vm, 0, sizeof(frame), 1);
}

static void bad_receive_buffer_costs_one_frame(void **state)
{
	const struct rp_frontend_config cfg = {.manual_rx = true,
					       .features = PLAIN | RP_VIRTIO_BIT(NET_MRG_RXBUF)};
	const struct rp_vring_buf bad = {.gpa = 1, .len = 100, .cookie = RP_FRONTEND_RAW_COOKIE};
	struct fixture *f = *state;
	uint8_t frame[150];

	open_vm(f, RP_NETDEV_LOOPBACK, &cfg);
	fill_frame(frame, sizeof(frame), 1);
	assert_int_equal(rp_frontend_provide_rx_buffer(f->vm, 100), 0);
	assert_int_equal(
		rp_vring_add_burst(rp_frontend_vring(f->vm, 0), &bad, 1, RP_VRING_WRITABLE), 1);
	assert_int_equal(rp_frontend_provide_rx_buffer(f->vm, 100), 0);
	assert_int_equal(rp_frontend_send_packet(f->vm, frame, sizeof(frame)), 0);
	assert_int_equal(rp_frontend_wait_for_tx(f->vm, WAIT_MS), 0);
	assert_int_equal(rp_frontend_wait_for_rx(f->vm, 20), -ETIMEDOUT);
	// A short one takes the good buffer before the bad one, as if nothing had been.
	assert_int_equal(rp_frontend_send_packet(f->vm, frame, 50), 0);
	expect_frame(f->vm, 0, 50, 1);
	assert_int_equal(rp_frontend_send_packet(f->vm, frame, 50), 0);
	expect_frame(f->vm, 0, 50, 1);
	assert_int_equal(rp_frontend_vring(f->vm, 0)->in_flight, 0);
	assert_int_equal(f->card->netdev.stats.bad, 1);
}

static void sink_takes_everything(void **state)
{
	const struct rp_frontend_config cfg = {.queue_pairs = 1};
	struct iovec frames[32];
	struct fixture *f = *state;
	uint8_t frame[60] = {0};
	int sent = 0;

	for (int i = 0; i < 32; i++)
		frames[i] = (struct iovec){.iov_base = frame, .iov_len = sizeof(frame)};
	open_vm(f, RP_NETDEV_SINK, &cfg);
	while (sent < 5000) {
		int n = rp_frontend_send_burst(f->vm, 0, frames, 32);

		if (n == -ENOSPC)
			n = rp_frontend_wait_for_tx(f->vm, WAIT_MS);
		assert_true(n >= 0);
		sent += n;
	}
	assert_int_equal(rp_frontend_wait_for_tx(f->vm, WAIT_MS), 0);
	rp_frontend_disconnect(f->vm);
	assert_int_equal(f->card->netdev.stats.rx, sent);
}

static void open_checksum_is_finished_for_a_receiver_that_wants_it(void **state)
{
	const struct rp_frontend_config cfg = {.features = PLAIN | RP_VIRTIO_BIT(NET_CSUM)};
	const struct virtio_net_hdr_v1 hdr = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 14, .csum_offset = 2};
	struct fixture *f = *state;
	uint8_t frame[18] = {[14] = 0x12, [15] = 0x34}, got[18];

	open_vm(f, RP_NETDEV_LOOPBACK, &cfg);
	assert_int_equal(rp_frontend_send_packet_on(f->vm, 0, &hdr, frame, sizeof(frame)), 0);
	assert_int_equal(rp_frontend_wait_for_rx(f->vm, WAIT_MS), 0);
	assert_int_equal(rp_frontend_recv_packet(f->vm, got, sizeof(got)), sizeof(got));
	assert_int_equal(got[16], 0xed); // ~0x1234
	assert_int_equal(got[17], 0xcb);
}

static void back_end_that_leaves_is_noticed(void **state)
{
	const struct rp_frontend_config cfg = {.queue_pairs = 1};
	struct fixture *f = *state;

	open_vm(f, RP_NETDEV_LOOPBACK, &cfg);
	assert_true(rp_frontend_connected(f->vm));
	assert_int_equal(card_stop(f->card), 0);
	f->card = NULL;
	assert_int_equal(rp_frontend_wait_for_rx(f->vm, WAIT_MS), -ECONNRESET);
	assert_false(rp_frontend_connected(f->vm));
	rp_frontend_disconnect(f->vm);
	assert_int_equal(rp_frontend_wait_for_rx(f->vm, WAIT_MS), -ENOTCONN);
	assert_int_equal(rp_frontend_send_packet(f->vm, "", 1), -ENOTCONN);
	assert_int_equal(rp_frontend_reconnect(f->vm, 10, NULL), -ENOTSUP);
}

static void mtu_and_configuration_reach_each_other(void **state)
{
	const struct rp_frontend_config cfg = {.mtu = 4000, .queue_pairs = 2};
	struct fixture *f = *state;
	struct virtio_net_config config;
	struct rp_error err = {0};

	open_vm(f, RP_NETDEV_LOOPBACK, &cfg);
	assert_int_equal(rp_frontend_queue_num(f->vm), 2);
	must(rp_frontend_get_config(f->vm, 0, &config, sizeof(config), &err), &err);
	assert_int_equal(config.max_virtqueue_pairs, 2);
	assert_int_equal(rp_frontend_get_config(f->vm, 250, &config, 6, &err), -EPROTO);
}

static void bad_settings_are_refused(void **state)
{
	const struct rp_frontend_config bad[] = {
		{.ring_size = 100},
		{.ring_size = 65535},
		{.queue_pairs = 128},
		{.queue_pairs = 2}, // the card has one
		{.rx_buffer_size = 5},
		{.memory_regions = 9},
		{.required_features = RP_VIRTIO_BIT(RING_PACKED)},
	};
	struct fixture *f = *state;

	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct rp_error err = {0};

		f->card = card_start(RP_NETDEV_LOOPBACK, 1);
		f->vm = rp_frontend_from_socket(f->card->sock);
		f->card->sock = -1;
		assert_true(rp_frontend_setup(f->vm, &bad[i], &err) < 0);
		assert_true(err.expected[0] != '\0');
		close_all(state);
		f->card = NULL;
		f->vm = NULL;
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, new_fixture, close_all)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(default_features),
		TEST(nothing_negotiated),
		TEST(legacy_header),
		TEST(event_idx),
		TEST(mergeable_small_buffers),
		TEST(indirect_chains),
		TEST(direct_chains),
		TEST(index_wraps),
		TEST(smallest_ring),
		TEST(without_protocol_features),
		TEST(eight_regions),
		TEST(jumbo),
		TEST(three_pairs),
		TEST(rings_stop_and_go_on),
		TEST(disabled_pair_takes_and_drops),
		TEST(buffers_by_hand),
		TEST(source_fills_the_ring),
		TEST(source_goes_on_without_further_kicks),
		TEST(ring_is_served_when_it_is_enabled),
		TEST(headers_that_make_no_sense_are_dropped),
		TEST(bad_receive_buffer_costs_one_frame),
		TEST(sink_takes_everything),
		TEST(open_checksum_is_finished_for_a_receiver_that_wants_it),
		TEST(back_end_that_leaves_is_noticed),
		TEST(mtu_and_configuration_reach_each_other),
		TEST(bad_settings_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
