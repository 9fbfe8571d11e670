// SPDX-License-Identifier: BSD-3-Clause
#include "ring.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct rp_vring_config split8 = {.size = 8};
static const struct rp_vring_config packed8 = {.size = 8, .packed = true, .base = 0x8000};

// Add one chain of n segments (the last n_in writable) and show it.
static void add(struct ring *r, unsigned int n, unsigned int n_in, uint32_t cookie)
{
	struct rp_vring_seg segs[8];

	for (unsigned int i = 0; i < n; i++)
		segs[i] = (struct rp_vring_seg){.gpa = 0x1000 * (i + 1), .len = 100};
	assert_int_equal(rp_vring_add(&r->vr, segs, n - n_in, n_in, cookie), 0);
	rp_vring_publish(&r->vr);
}

static void expect_done(struct ring *r, uint32_t cookie, uint32_t len)
{
	struct rp_vring_done done;

	assert_int_equal(rp_vring_get_burst(&r->vr, &done, 1), 1);
	assert_int_equal(done.cookie, cookie);
	assert_int_equal(done.len, len);
}

static void run_laps(struct rp_vring_config cfg, unsigned int laps)
{
	struct ring r;

	ring_open(&r, cfg, false);
	for (unsigned int i = 0; i < laps; i++) {
		unsigned int entries;
		int id;

		assert_int_equal(device_take(&r, NULL), -1);
		add(&r, 1 + i % 3, 1, i);
		id = device_take(&r, &entries);
		assert_true(id >= 0);
		assert_int_equal(rp_vring_get_burst(&r.vr, &(struct rp_vring_done){0}, 1), 0);
		device_use(&r, (uint32_t)id, 42, entries);
		expect_done(&r, i, 42);
		assert_int_equal(r.vr.num_free, cfg.size);
		assert_int_equal(r.vr.in_flight, 0);
	}
	ring_close(&r);
}

static void split_index_wraps_at_65536(void **)
{
	run_laps((struct rp_vring_config){.size = 8, .base = 65530}, 100);
	run_laps((struct rp_vring_config){.size = 4, .base = 65535}, 100);
}

static void packed_index_and_wrap_counter_turn_over(void **)
{
	run_laps(packed8, 100);
	run_laps((struct rp_vring_config){.size = 7, .packed = true, .base = 6}, 100);
	run_laps((struct rp_vring_config){.size = 200, .packed = true, .base = 0x8000 | 199}, 1000);
}

static void nothing_shows_before_publish(void **)
{
	const struct rp_vring_config *cfg[] = {&split8, &packed8};

	for (int i = 0; i < 2; i++) {
		struct rp_vring_buf bufs[3] = {{.gpa = 1, .len = 1}, {.gpa = 2, .len = 1}};
		struct ring r;

		ring_open(&r, *cfg[i], false);
		assert_int_equal(rp_vring_add_burst(&r.vr, bufs, 3, RP_VRING_READABLE), 3);
		assert_int_equal(device_take(&r, NULL), -1);
		assert_false(rp_vring_needs_kick(&r.vr));
		rp_vring_publish(&r.vr);
		assert_true(rp_vring_needs_kick(&r.vr));
		assert_false(rp_vring_needs_kick(&r.vr));
		for (int n = 0; n < 3; n++)
			assert_true(device_take(&r, NULL) >= 0);
		assert_int_equal(device_take(&r, NULL), -1);
		ring_close(&r);
	}
}

static void full_ring_refuses_and_recovers(void **)
{
	const struct rp_vring_config *cfg[] = {&split8, &packed8};

	for (int i = 0; i < 2; i++) {
		struct rp_vring_buf bufs[16] = {{0}};
		struct rp_vring_seg segs[2] = {{.len = 1}, {.len = 1}};
		struct rp_vring_done done[16];
		unsigned int entries;
		struct ring r;

		ring_open(&r, *cfg[i], false);
		assert_int_equal(rp_vring_add_burst(&r.vr, bufs, 7, RP_VRING_READABLE), 7);
		assert_int_equal(rp_vring_add(&r.vr, segs, 2, 0, 0), -ENOSPC);
		assert_int_equal(rp_vring_add_burst(&r.vr, bufs, 16, RP_VRING_READABLE), 1);
		assert_int_equal(rp_vring_add_burst(&r.vr, bufs, 1, RP_VRING_READABLE), 0);
		rp_vring_publish(&r.vr);
		for (int id; (id = device_take(&r, &entries)) >= 0;)
			device_use(&r, (uint32_t)id, 0, entries);
		assert_int_equal(rp_vring_get_burst(&r.vr, done, 16), 8);
		assert_int_equal(rp_vring_add_burst(&r.vr, bufs, 16, RP_VRING_READABLE), 8);
		ring_close(&r);
	}
}

static void chains_come_back_in_any_order(void **)
{
	const struct rp_vring_config *cfg[] = {&split8, &packed8};

	for (int i = 0; i < 2; i++) {
		int id[3];
		unsigned int entries[3];
		struct ring r;

		ring_open(&r, *cfg[i], false);
		for (unsigned int n = 0; n < 3; n++)
			add(&r, n + 1, 1, 100 + n);
		for (int n = 0; n < 3; n++)
			id[n] = device_take(&r, &entries[n]);
		for (int n = 2; n >= 0; n--)
			device_use(&r, (uint32_t)id[n], 5, entries[n]);
		for (int n = 2; n >= 0; n--)
			expect_done(&r, 100 + (uint32_t)n, 5);
		assert_int_equal(r.vr.num_free, 8);
		ring_close(&r);
	}
}

static void bad_chains_are_refused(void **)
{
	struct rp_vring_seg segs[RP_VRING_CHAIN_MAX + 1] = {{0}};
	struct ring r;

	ring_open(&r, split8, true);
	assert_int_equal(rp_vring_add(&r.vr, segs, 0, 0, 0), -EINVAL);
	assert_int_equal(rp_vring_add(&r.vr, segs, RP_VRING_CHAIN_MAX, 1, 0), -EINVAL);
	ring_close(&r);
}

static void bad_sizes_are_refused(void **)
{
	struct rp_vring vr;
	uint64_t mem[1024];

	assert_int_equal(rp_vring_init(&vr, &(struct rp_vring_config){.size = 0}, mem), -EINVAL);
	assert_int_equal(rp_vring_init(&vr, &(struct rp_vring_config){.size = 12}, mem), -EINVAL);
	assert_int_equal(rp_vring_init(&vr, &(struct rp_vring_config){.size = 65535}, mem),
			 -EINVAL);
	assert_int_equal(
		rp_vring_init(&vr,
			      &(struct rp_vring_config){.size = 12, .packed = true, .base = 12},
			      mem),
		-EINVAL);
}

static void split_chain_links_its_descriptors(void **)
{
	struct ring r;
	int head;

	ring_open(&r, split8, false);
	add(&r, 3, 1, 0);
	head = device_take(&r, NULL);
	for (int n = 0; n < 3; n++) {
		const struct vring_desc *d = &r.vr.desc[head];

		assert_int_equal(d->addr, 0x1000 * (n + 1));
		assert_int_equal(d->len, 100);
		assert_int_equal(d->flags, (n < 2 ? VRING_DESC_F_NEXT : 0) |
						   (n == 2 ? VRING_DESC_F_WRITE : 0));
		head = d->next;
	}
	ring_close(&r);
}

static void split_indirect_takes_one_entry(void **)
{
	const struct vring_desc *table;
	struct ring r;
	int head;

	ring_open(&r, split8, true);
	add(&r, 1, 0, 0); // a single segment goes direct
	assert_int_equal(r.vr.desc[device_take(&r, NULL)].flags, 0);
	add(&r, 3, 2, 0);
	assert_int_equal(r.vr.num_free, 6);
	head = device_take(&r, NULL);
	assert_int_equal(r.vr.desc[head].flags, VRING_DESC_F_INDIRECT);
	assert_int_equal(r.vr.desc[head].len, 3 * 16);
	table = (void *)((char *)r.indirect + (r.vr.desc[head].addr - 0x1000000));
	assert_int_equal(table[0].flags, VRING_DESC_F_NEXT);
	assert_int_equal(table[0].next, 1);
	assert_int_equal(table[2].flags, VRING_DESC_F_WRITE);
	assert_int_equal(table[2].addr, 0x3000);
	device_use(&r, (uint32_t)head, 200, 1);
	expect_done(&r, 0, 200);
	ring_close(&r);
}

static void packed_indirect_takes_one_entry(void **)
{
	struct rp_vring_config cfg = packed8;
	const struct vring_packed_desc *table;
	unsigned int entries;
	struct ring r;
	int id;

	cfg.always_indirect = true;
	ring_open(&r, cfg, true);
	add(&r, 2, 1, 9);
	id = device_take(&r, &entries);
	assert_int_equal(entries, 1);
	assert_true((r.vr.packed_desc[0].flags & VRING_DESC_F_INDIRECT) != 0);
	assert_int_equal(r.vr.packed_desc[0].len, 2 * 16);
	table = (void *)((char *)r.indirect + (r.vr.packed_desc[0].addr - 0x1000000));
	assert_int_equal(table[0].flags, 0);
	assert_int_equal(table[1].flags, VRING_DESC_F_WRITE);
	assert_int_equal(
		rp_vring_add_burst(&r.vr, &(struct rp_vring_buf){.len = 1}, 1, RP_VRING_WRITABLE),
		1);
	assert_true((r.vr.pending_flags & VRING_DESC_F_INDIRECT) != 0);
	device_use(&r, (uint32_t)id, 100, 1);
	expect_done(&r, 9, 100);
	ring_close(&r);
}

static void split_kick_follows_the_flag(void **)
{
	struct ring r;

	ring_open(&r, split8, false);
	r.vr.used->flags = VRING_USED_F_NO_NOTIFY;
	add(&r, 1, 0, 0);
	assert_false(rp_vring_needs_kick(&r.vr));
	r.vr.used->flags = 0;
	add(&r, 1, 0, 0);
	assert_true(rp_vring_needs_kick(&r.vr));
	ring_close(&r);
}

// With EVENT_IDX a kick is due when the index steps over the event: for each event around the
// wrap, exactly one of three steps kicks.
static void split_kick_follows_the_event_index(void **)
{
	for (int event = -3; event < 6; event++) {
		struct rp_vring_config cfg = {.size = 8, .base = 65534, .event_idx = true};
		uint16_t first = (uint16_t)(65534 + event);
		struct ring r;

		ring_open(&r, cfg, false);
		memcpy(&r.vr.used->ring[8], &first, sizeof(first));
		r.vr.used->flags = VRING_USED_F_NO_NOTIFY; // has no meaning now
		for (int n = 0; n < 3; n++) {
			add(&r, 1, 0, 0);
			assert_int_equal(rp_vring_needs_kick(&r.vr), n == event);
		}
		ring_close(&r);
	}
}

static void packed_kick_follows_the_device_event(void **)
{
	struct rp_vring_config cfg = packed8;
	struct ring r;

	cfg.event_idx = true;
	ring_open(&r, cfg, false);
	r.vr.device_event->flags = VRING_PACKED_EVENT_FLAG_DISABLE;
	add(&r, 1, 0, 0);
	assert_false(rp_vring_needs_kick(&r.vr));
	r.vr.device_event->flags = VRING_PACKED_EVENT_FLAG_ENABLE;
	add(&r, 1, 0, 0);
	assert_true(rp_vring_needs_kick(&r.vr));
	// Entry 3 of this lap: the third step of the next ones crosses it.
	r.vr.device_event->flags = VRING_PACKED_EVENT_FLAG_DESC;
	r.vr.device_event->off_wrap = 0x8000 | 3;
	add(&r, 1, 0, 0);
	assert_false(rp_vring_needs_kick(&r.vr));
	add(&r, 1, 0, 0);
	assert_true(rp_vring_needs_kick(&r.vr));
	add(&r, 1, 0, 0);
	assert_false(rp_vring_needs_kick(&r.vr));
	// The last entry of this lap, crossed by a chain that goes on in the next lap.
	for (int n = 0; n < 5; n++) {
		unsigned int entries;
		int id = device_take(&r, &entries);

		device_use(&r, (uint32_t)id, 0, entries);
		expect_done(&r, 0, 0);
	}
	r.vr.device_event->off_wrap = 0x8000 | 7;
	add(&r, 4, 0, 0);
	assert_true(rp_vring_needs_kick(&r.vr));
	ring_close(&r);
}

static void calls_are_asked_for_where_we_stand(void **)
{
	struct rp_vring_config cfg = {.size = 8, .base = 65535, .event_idx = true};
	struct ring r;

	ring_open(&r, cfg, false);
	add(&r, 1, 0, 0);
	assert_false(rp_vring_enable_call(&r.vr));
	assert_int_equal(r.vr.avail->ring[8], 65535);
	device_use(&r, (uint32_t)device_take(&r, NULL), 0, 1);
	assert_true(rp_vring_enable_call(&r.vr));
	rp_vring_disable_call(&r.vr);
	assert_int_equal(r.vr.avail->ring[8], 65534);
	ring_close(&r);

	ring_open(&r, split8, false);
	rp_vring_disable_call(&r.vr);
	assert_int_equal(r.vr.avail->flags, VRING_AVAIL_F_NO_INTERRUPT);
	assert_false(rp_vring_enable_call(&r.vr));
	assert_int_equal(r.vr.avail->flags, 0);
	ring_close(&r);
}

static void packed_calls_are_asked_for_where_we_stand(void **)
{
	struct rp_vring_config cfg = {.size = 8, .packed = true, .base = 5, .event_idx = true};
	unsigned int entries;
	struct ring r;

	ring_open(&r, cfg, false);
	assert_false(rp_vring_enable_call(&r.vr));
	assert_int_equal(r.vr.driver_event->flags, VRING_PACKED_EVENT_FLAG_DESC);
	assert_int_equal(r.vr.driver_event->off_wrap, 5);
	add(&r, 1, 0, 0);
	device_use(&r, (uint32_t)device_take(&r, &entries), 0, 1);
	assert_true(rp_vring_enable_call(&r.vr));
	rp_vring_disable_call(&r.vr);
	assert_int_equal(r.vr.driver_event->flags, VRING_PACKED_EVENT_FLAG_DISABLE);
	ring_close(&r);
}

static void resume_base_counts_what_was_used_but_not_taken(void **)
{
	const struct rp_vring_config *cfg[] = {&split8, &packed8};

	for (int i = 0; i < 2; i++) {
		uint16_t start = cfg[i]->base;
		unsigned int entries;
		struct ring r;

		ring_open(&r, *cfg[i], false);
		assert_int_equal(rp_vring_resume_base(&r.vr), start);
		for (int n = 0; n < 3; n++)
			add(&r, 1, 0, 0);
		for (int n = 0; n < 2; n++) {
			int id = device_take(&r, &entries);

			device_use(&r, (uint32_t)id, 0, entries);
		}
		assert_int_equal(rp_vring_resume_base(&r.vr), start + 2);
		expect_done(&r, 0, 0);
		assert_int_equal(rp_vring_resume_base(&r.vr), start + 2);
		ring_close(&r);
	}
}

static void layout_leaves_room_for_the_event_indices(void **)
{
	struct rp_vring_layout l = rp_vring_layout(256, false);

	assert_int_equal(l.desc, 0);
	assert_true(l.driver >= 256 * 16);
	assert_true(l.device >= l.driver + 4 + 2 * 256 + 2);
	assert_true(l.total >= l.device + 4 + 8 * 256 + 2);
	l = rp_vring_layout(200, true);
	assert_true(l.driver >= 200 * 16 && l.device >= l.driver + 4 && l.total >= l.device + 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(split_index_wraps_at_65536),
		cmocka_unit_test(packed_index_and_wrap_counter_turn_over),
		cmocka_unit_test(nothing_shows_before_publish),
		cmocka_unit_test(full_ring_refuses_and_recovers),
		cmocka_unit_test(chains_come_back_in_any_order),
		cmocka_unit_test(bad_chains_are_refused),
		cmocka_unit_test(bad_sizes_are_refused),
		cmocka_unit_test(split_chain_links_its_descriptors),
		cmocka_unit_test(split_indirect_takes_one_entry),
		cmocka_unit_test(packed_indirect_takes_one_entry),
		cmocka_unit_test(split_kick_follows_the_flag),
		cmocka_unit_test(split_kick_follows_the_event_index),
		cmocka_unit_test(packed_kick_follows_the_device_event),
		cmocka_unit_test(calls_are_asked_for_where_we_stand),
		cmocka_unit_test(packed_calls_are_asked_for_where_we_stand),
		cmocka_unit_test(resume_base_counts_what_was_used_but_not_taken),
		cmocka_unit_test(layout_leaves_room_for_the_event_indices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
