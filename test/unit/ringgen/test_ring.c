// SPDX-License-Identifier: BSD-3-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ring.h"

/*
 * The ring against a device that the test plays by hand: it takes what is available in order and
 * gives it back in an order of its own.
 */

#define SIZE 8

struct fixture {
	bool packed;
	struct rp_vring vr;
	struct gen_ring ring;
	_Alignas(64) uint8_t mem[4096];
	uint16_t free[SIZE];
	// The device's place: split: free-running; packed: place and wrap counter.
	uint16_t seen;
	uint16_t given;
	bool seen_wrap;
	bool given_wrap;
};

static struct fixture f;

static void start(bool packed, uint16_t size)
{
	struct rp_vring_config cfg = {
		.size = size, .packed = packed, .base = packed ? 0x8000 : 65530};

	memset(&f, 0, sizeof(f));
	f.packed = packed;
	assert_int_equal(rp_vring_init(&f.vr, &cfg, f.mem), 0);
	f.ring = (struct gen_ring){
		.size = size,
		.avail = f.vr.avail_idx,
		.used = f.vr.used_idx,
		.avail_bits = 1u << VRING_PACKED_DESC_F_AVAIL,
		.used_bits = GEN_PACKED_BITS,
		.stride = 128,
		.gpa = 0x1000,
		.vr = &f.vr,
		.free = f.free,
	};
	f.seen = f.given = f.vr.avail_idx;
	f.seen_wrap = f.given_wrap = true;
	// No kicks: there is no front-end behind this.
	if (packed)
		f.vr.device_event->flags = VRING_PACKED_EVENT_FLAG_DISABLE;
	else
		f.vr.used->flags = VRING_USED_F_NO_NOTIFY;
}

static int finish(void **)
{
	rp_vring_fini(&f.vr);
	return 0;
}

// What the device sees next: its id, or -1.
static int device_sees(uint32_t *len)
{
	uint64_t gpa;
	int id;

	if (f.packed) {
		const struct vring_packed_desc *d = &f.vr.packed_desc[f.seen];
		bool avail = (d->flags >> VRING_PACKED_DESC_F_AVAIL & 1) != 0;
		bool used = (d->flags >> VRING_PACKED_DESC_F_USED & 1) != 0;

		if (avail != f.seen_wrap || used == f.seen_wrap)
			return -1;
		id = d->id;
		gpa = d->addr;
		*len = d->len;
		if (++f.seen == f.ring.size) {
			f.seen = 0;
			f.seen_wrap = !f.seen_wrap;
		}
	} else {
		if (f.seen == f.vr.avail->idx)
			return -1;
		id = f.vr.avail->ring[f.seen++ & (f.ring.size - 1)];
		gpa = f.vr.desc[id].addr;
		*len = f.vr.desc[id].len;
	}
	assert_int_equal(gpa, 0x1000 + 128 * id);
	return id;
}

static void device_gives(uint16_t id, uint32_t len)
{
	if (f.packed) {
		struct vring_packed_desc *d = &f.vr.packed_desc[f.given];

		d->id = id;
		d->len = len;
		d->flags = f.given_wrap ? GEN_PACKED_BITS : 0;
		if (++f.given == f.ring.size) {
			f.given = 0;
			f.given_wrap = !f.given_wrap;
		}
		return;
	}
	f.vr.used->ring[f.given & (f.ring.size - 1)] =
		(struct vring_used_elem){.id = id, .len = len};
	f.vr.used->idx = ++f.given;
}

// Many laps of three buffers, given back in reverse.
static void laps(bool packed, uint16_t size)
{
	uint16_t ids[SIZE];
	uint32_t lens[SIZE], len;

	start(packed, size);
	for (uint32_t lap = 0; lap < 100; lap++) {
		for (uint16_t id = 2; id < 5; id++)
			gen_ring_put(&f.ring, packed, id, lap + id);
		gen_ring_publish(&f.ring, packed);
		assert_int_equal(gen_ring_take(&f.ring, packed, ids, lens, SIZE), 0);
		for (uint16_t id = 2; id < 5; id++) {
			assert_int_equal(device_sees(&len), id);
			assert_int_equal(len, lap + id);
		}
		assert_int_equal(device_sees(&len), -1);
		for (uint16_t id = 4; id >= 2; id--)
			device_gives(id, 100u + id);
		assert_int_equal(gen_ring_take(&f.ring, packed, ids, lens, 2), 2);
		assert_int_equal(gen_ring_take(&f.ring, packed, ids + 2, lens + 2, SIZE), 1);
		for (uint16_t i = 0; i < 3; i++) {
			assert_int_equal(ids[i], 4 - i);
			assert_int_equal(lens[i], 104 - i);
		}
	}
	assert_null(f.ring.broken);
}

static void split_goes_round(void **)
{
	laps(false, SIZE);
}

static void packed_goes_round(void **)
{
	laps(true, SIZE);
	finish(NULL);
	laps(true, 7);
}

static void split_shows_nothing_before_publish(void **)
{
	uint32_t len;

	start(false, SIZE);
	gen_ring_put(&f.ring, false, 1, 10);
	assert_int_equal(device_sees(&len), -1);
	gen_ring_publish(&f.ring, false);
	assert_int_equal(device_sees(&len), 1);
}

static void reclaim_collects_ids(void **)
{
	for (int packed = 0; packed < 2; packed++) {
		start(packed, SIZE);
		for (uint16_t id = 0; id < SIZE; id++)
			gen_ring_put(&f.ring, packed, id, 10);
		gen_ring_publish(&f.ring, packed);
		device_gives(5, 0);
		device_gives(0, 0);
		gen_ring_reclaim(&f.ring, packed);
		assert_int_equal(f.ring.n_free, 2);
		assert_int_equal(f.ring.free[0], 5);
		assert_int_equal(f.ring.free[1], 0);
		finish(NULL);
	}
	start(false, SIZE);
}

static void a_device_that_lies_is_caught(void **)
{
	uint16_t ids[SIZE];

	for (int packed = 0; packed < 2; packed++) {
		start(packed, SIZE);
		device_gives(SIZE, 0);
		assert_int_equal(gen_ring_take(&f.ring, packed, ids, NULL, SIZE), 0);
		assert_non_null(f.ring.broken);
		finish(NULL);
	}
	start(false, SIZE);
	f.vr.used->idx = (uint16_t)(f.given + SIZE + 1);
	assert_int_equal(gen_ring_take(&f.ring, false, ids, NULL, SIZE), 0);
	assert_non_null(f.ring.broken);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(split_goes_round, finish),
		cmocka_unit_test_teardown(packed_goes_round, finish),
		cmocka_unit_test_teardown(split_shows_nothing_before_publish, finish),
		cmocka_unit_test_teardown(reclaim_collects_ids, finish),
		cmocka_unit_test_teardown(a_device_that_lies_is_caught, finish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
