// SPDX-License-Identifier: BSD-3-Clause
// The device side, driven by our own driver side where the guest is honest and by hand where not.
#include "ring.h"
#include "virtio/split_device.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SIZE	 8
#define GPA	 0x10000 // of the buffers
#define GPA2	 0x20000 // a second region right behind the first
#define REGION	 0x10000
#define INDIRECT 0x1000000 // of the tables, see ring.h

struct fixture {
	struct ring ring;
	struct rp_device_ring dev;
	struct rp_device_memory memory;
	uint8_t *buffers[2];
	uint64_t logged; // bytes
};

static void *at(void *arg, uint64_t gpa, uint64_t *len)
{
	const struct fixture *f = arg;
	const struct {
		uint64_t gpa, size;
		uint8_t *va;
	} regions[] = {
		{GPA, REGION, f->buffers[0]},
		{GPA2, REGION, f->buffers[1]},
		{INDIRECT, rp_vring_indirect_size(SIZE), f->ring.indirect},
	};

	for (int i = 0; i < 3; i++) {
		uint64_t offset = gpa - regions[i].gpa;

		if (gpa < regions[i].gpa || offset >= regions[i].size)
			continue;
		if (*len > regions[i].size - offset)
			*len = regions[i].size - offset;
		return regions[i].va + offset;
	}
	return NULL;
}

static void wrote(void *arg, uint64_t, uint64_t len)
{
	((struct fixture *)arg)->logged += len;
}

static int open_rings(void **state, bool event_idx)
{
	struct fixture *f = calloc(1, sizeof(*f));

	ring_open(&f->ring,
		  (struct rp_vring_config){.size = SIZE, .base = 65534, .event_idx = event_idx},
		  true);
	f->buffers[0] = malloc(REGION); // two blocks, so that a step over an edge is seen
	f->buffers[1] = malloc(REGION);
	f->memory = (struct rp_device_memory){.at = at, .wrote = wrote, .arg = f};
	f->dev = (struct rp_device_ring){.size = SIZE,
					 .event_idx = event_idx,
					 .indirect = true,
					 .desc = f->ring.vr.desc,
					 .avail = f->ring.vr.avail,
					 .used = f->ring.vr.used,
					 .memory = &f->memory};
	rp_device_ring_start(&f->dev, 65534);
	*state = f;
	return 0;
}

static int open_plain(void **state)
{
	return open_rings(state, false);
}

static int open_event_idx(void **state)
{
	return open_rings(state, true);
}

static int close_rings(void **state)
{
	struct fixture *f = *state;

	ring_close(&f->ring);
	free(f->buffers[0]);
	free(f->buffers[1]);
	free(f);
	return 0;
}

static struct rp_device_chain chain;

static void add(struct fixture *f, const struct rp_vring_seg *segs, unsigned int n_out,
		unsigned int n_in, uint32_t cookie)
{
	assert_int_equal(rp_vring_add(&f->ring.vr, segs, n_out, n_in, cookie), 0);
	rp_vring_publish(&f->ring.vr);
}

// Both sides together over many laps: what the driver posts is what the device sees, and back.
static void chains_go_round(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 0; i < 1000; i++) {
		const struct rp_vring_seg segs[] = {
			{GPA + 100, 10}, {GPA + 200, 20}, {GPA2 + 5, 30}};
		struct rp_vring_done done;
		uint8_t got[40];

		memset(f->buffers[0] + 100, (int)i, 10);
		memset(f->buffers[0] + 200, (int)i + 1, 20);
		assert_int_equal(rp_device_ring_pop(&f->dev, &chain), 0);
		f->ring.vr.indirect_table = i % 2 == 0 ? f->ring.indirect : NULL;
		add(f, segs, 2, 1, i);
		assert_int_equal(rp_device_ring_pop(&f->dev, &chain), 1);
		assert_int_equal(chain.n_out, 2);
		assert_int_equal(chain.n_in, 1);
		assert_int_equal(chain.out_len, 30);
		assert_int_equal(chain.in_len, 30);
		assert_int_equal(rp_device_chain_read(&chain, 5, got, sizeof(got)), 25);
		assert_int_equal(got[4], (uint8_t)i);
		assert_int_equal(got[5], (uint8_t)(i + 1));
		assert_int_equal(rp_device_chain_write(&f->dev, &chain, 2, "abc", 3), 3);
		assert_memory_equal(f->buffers[1] + 7, "abc", 3);
		rp_device_ring_push(&f->dev, chain.head, 5);
		assert_int_equal(rp_vring_get_burst(&f->ring.vr, &done, 1), 0);
		rp_device_ring_publish(&f->dev);
		assert_int_equal(rp_vring_get_burst(&f->ring.vr, &done, 1), 1);
		assert_int_equal(done.cookie, i);
		assert_int_equal(done.len, 5);
	}
	assert_int_equal(f->logged, 3000);
}

static void buffer_across_regions_comes_in_pieces(void **state)
{
	struct fixture *f = *state;

	add(f, &(struct rp_vring_seg){GPA2 - 10, 30}, 0, 1, 0);
	assert_int_equal(rp_device_ring_pop(&f->dev, &chain), 1);
	assert_int_equal(chain.n_in, 2);
	assert_int_equal(chain.iov[0].iov_len, 10);
	assert_int_equal(chain.iov[1].iov_len, 20);
	assert_int_equal(chain.gpa[1], GPA2);
	assert_int_equal(
		rp_device_chain_write(&f->dev, &chain, 0, "123456789012345678901234567890", 40),
		30);
	assert_memory_equal(f->buffers[0] + REGION - 10, "1234567890", 10);
	assert_memory_equal(f->buffers[1], "12345678901234567890", 20);
}

static void unpop_gives_the_same_chain_again(void **state)
{
	struct fixture *f = *state;
	uint16_t head;

	add(f, &(struct rp_vring_seg){GPA, 30}, 0, 1, 0);
	add(f, &(struct rp_vring_seg){GPA, 31}, 0, 1, 0);
	assert_int_equal(rp_device_ring_pop(&f->dev, &chain), 1);
	head = chain.head;
	assert_int_equal(rp_device_ring_pop(&f->dev, &chain), 1);
	rp_device_ring_unpop(&f->dev, 2);
	assert_int_equal(rp_device_ring_pop(&f->dev, &chain), 1);
	assert_int_equal(chain.head, head);
	assert_int_equal(chain.in_len, 30);
}

static void used_ring_is_logged_when_asked(void **state)
{
	struct fixture *f = *state;

	f->dev.log_used = true;
	add(f, &(struct rp_vring_seg){GPA, 30}, 0, 1, 0);
	assert_int_equal(rp_device_ring_pop(&f->dev, &chain), 1);
	rp_device_ring_push(&f->dev, chain.head, 0);
	rp_device_ring_publish(&f->dev);
	assert_int_equal(f->logged, 8 + 2);
}

static void calls_follow_the_flag(void **state)
{
	struct fixture *f = *state;

	for (int quiet = 0; quiet < 2; quiet++) {
		if (quiet)
			rp_vring_disable_call(&f->ring.vr);
		add(f, &(struct rp_vring_seg){GPA, 30}, 0, 1, 0);
		assert_int_equal(rp_device_ring_pop(&f->dev, &chain), 1);
		rp_device_ring_push(&f->dev, chain.head, 0);
		assert_false(rp_device_ring_needs_call(&f->dev));
		rp_device_ring_publish(&f->dev);
		assert_int_equal(rp_device_ring_needs_call(&f->dev), !quiet);
		assert_false(rp_device_ring_needs_call(&f->dev));
	}
}

// The two sides agree on when to notify, each asking for the next entry every other time.
static void both_sides_agree_on_event_indices(void **state)
{
	struct fixture *f = *state;
	struct rp_vring_done done;

	for (int i = 0; i < 100; i++) {
		bool want = i % 2 == 0;

		if (want) {
			rp_device_ring_enable_kick(&f->dev);
			rp_vring_enable_call(&f->ring.vr);
		} else {
			rp_device_ring_disable_kick(&f->dev);
			rp_vring_disable_call(&f->ring.vr);
		}
		add(f, &(struct rp_vring_seg){GPA, 30}, 0, 1, 0);
		assert_int_equal(rp_vring_needs_kick(&f->ring.vr), want);
		assert_true(rp_device_ring_enable_kick(&f->dev));
		assert_int_equal(rp_device_ring_pop(&f->dev, &chain), 1);
		assert_false(rp_device_ring_enable_kick(&f->dev));
		rp_device_ring_push(&f->dev, chain.head, 0);
		rp_device_ring_publish(&f->dev);
		assert_int_equal(rp_device_ring_needs_call(&f->dev), want);
		assert_int_equal(rp_vring_get_burst(&f->ring.vr, &done, 1), 1);
	}
}

// --- hostile guests ---

// Show descriptor 0 as a chain.
static void show(struct fixture *f)
{
	f->ring.vr.avail->ring[f->ring.vr.avail->idx & (SIZE - 1)] = 0;
	f->ring.vr.avail->idx++;
}

// The chain is refused for this reason; the ring goes on with the next.
static void expect_bad(struct fixture *f, const char *reason)
{
	show(f);
	assert_int_equal(rp_device_ring_pop(&f->dev, &chain), -EBADMSG);
	assert_string_equal(chain.error, reason);
	assert_int_equal(chain.head, 0);
	rp_device_ring_push(&f->dev, chain.head, 0);
	rp_device_ring_publish(&f->dev);
	f->ring.vr.desc[0] = (struct vring_desc){.addr = GPA, .len = 1};
	show(f);
	assert_int_equal(rp_device_ring_pop(&f->dev, &chain), 1);
}

static void expect_broken(struct fixture *f, const char *reason)
{
	assert_int_equal(rp_device_ring_pop(&f->dev, &chain), -EIO);
	assert_string_equal(f->dev.broken, reason);
	assert_int_equal(rp_device_ring_pop(&f->dev, &chain), -EIO);
}

static void avail_index_jumps(void **state)
{
	struct fixture *f = *state;

	f->ring.vr.avail->idx += SIZE + 1;
	expect_broken(f, "available index is ahead by more than the ring");
}

static void head_out_of_range(void **state)
{
	struct fixture *f = *state;

	f->ring.vr.avail->ring[65534 & (SIZE - 1)] = SIZE;
	f->ring.vr.avail->idx++;
	expect_broken(f, "head descriptor out of range");
}

static void next_out_of_range(void **state)
{
	struct fixture *f = *state;

	f->ring.vr.desc[0] = (struct vring_desc){
		.addr = GPA, .len = 1, .flags = VRING_DESC_F_NEXT, .next = SIZE};
	expect_bad(f, "next descriptor out of range");
}

static void descriptors_in_a_loop(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 0; i < SIZE; i++)
		f->ring.vr.desc[i] = (struct vring_desc){.addr = GPA,
							 .len = 1,
							 .flags = VRING_DESC_F_NEXT,
							 .next = (uint16_t)((i + 1) % SIZE)};
	expect_bad(f, "descriptors form a loop");
}

static void buffers_outside_memory(void **state)
{
	const struct vring_desc bad[] = {
		{.addr = 0, .len = 1},
		{.addr = GPA - 1, .len = 2},
		{.addr = GPA2 + REGION - 1, .len = 2},
		{.addr = GPA, .len = UINT32_MAX},
	};
	struct fixture *f = *state;

	for (int i = 0; i < 4; i++) {
		f->ring.vr.desc[0] = bad[i];
		expect_bad(f, "buffer outside the guest's memory");
	}
	f->ring.vr.desc[0] = (struct vring_desc){.addr = UINT64_MAX - 1, .len = 3};
	expect_bad(f, "buffer wraps around the address space");
}

static void readable_behind_writable(void **state)
{
	struct fixture *f = *state;

	f->ring.vr.desc[0] = (struct vring_desc){
		.addr = GPA, .len = 1, .flags = VRING_DESC_F_WRITE | VRING_DESC_F_NEXT, .next = 1};
	f->ring.vr.desc[1] = (struct vring_desc){.addr = GPA, .len = 1};
	expect_bad(f, "readable descriptor behind a writable one");
}

static void indirect_tables_that_make_no_sense(void **state)
{
	struct fixture *f = *state;
	struct vring_desc *table = f->ring.indirect;
	const struct {
		struct vring_desc d;
		const char *reason;
	} bad[] = {
		{{INDIRECT, 16, VRING_DESC_F_INDIRECT | VRING_DESC_F_NEXT, 1},
		 "indirect descriptor with a next one"},
		{{INDIRECT, 0, VRING_DESC_F_INDIRECT, 0}, "indirect table of odd size or place"},
		{{INDIRECT, 17, VRING_DESC_F_INDIRECT, 0}, "indirect table of odd size or place"},
		{{INDIRECT + 4, 16, VRING_DESC_F_INDIRECT, 0},
		 "indirect table of odd size or place"},
		{{INDIRECT, 0xfffffff0, VRING_DESC_F_INDIRECT, 0},
		 "indirect table outside the guest's memory"},
		{{INDIRECT, 16, VRING_DESC_F_INDIRECT, 0},
		 "indirect descriptor inside an indirect table"},
		{{INDIRECT + 16, 16, VRING_DESC_F_INDIRECT, 0}, "descriptors form a loop"},
		{{INDIRECT + 16, 32, VRING_DESC_F_INDIRECT, 0}, "next descriptor out of range"},
		{{INDIRECT + 32, 32, VRING_DESC_F_INDIRECT, 0}, "descriptors form a loop"},
	};

	table[0] = (struct vring_desc){INDIRECT, 16, VRING_DESC_F_INDIRECT, 0};
	// Steps allowed: as many as the table has entries, so a table of one never gets to its
	// next.
	table[1] = (struct vring_desc){GPA, 1, VRING_DESC_F_NEXT, 7};
	table[2] = (struct vring_desc){GPA, 1, VRING_DESC_F_NEXT, 1};
	table[3] = (struct vring_desc){GPA, 1, VRING_DESC_F_NEXT, 0};
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		f->ring.vr.desc[0] = bad[i].d;
		expect_bad(f, bad[i].reason);
	}
	f->dev.indirect = false;
	f->ring.vr.desc[0] = bad[0].d;
	expect_bad(f, "indirect descriptor without the feature");
}

static void chain_of_too_many_segments(void **state)
{
	struct fixture *f = *state;
	const unsigned int n = RP_DEVICE_IOV_MAX + 1;
	struct vring_desc *table = (void *)f->buffers[1];

	for (unsigned int i = 0; i < n; i++)
		table[i] = (struct vring_desc){.addr = GPA,
					       .len = 1,
					       .flags = VRING_DESC_F_NEXT,
					       .next = (uint16_t)(i + 1)};
	f->ring.vr.desc[0] =
		(struct vring_desc){.addr = GPA2, .len = n * 16, .flags = VRING_DESC_F_INDIRECT};
	expect_bad(f, "chain has too many segments");
}

static void empty_descriptors_are_no_segments(void **state)
{
	struct fixture *f = *state;

	f->ring.vr.desc[0] = (struct vring_desc){.addr = 1, .len = 0};
	show(f);
	assert_int_equal(rp_device_ring_pop(&f->dev, &chain), 1);
	assert_int_equal(chain.n_out, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_plain, close_rings)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(chains_go_round),
		TEST(buffer_across_regions_comes_in_pieces),
		TEST(unpop_gives_the_same_chain_again),
		TEST(used_ring_is_logged_when_asked),
		TEST(calls_follow_the_flag),
		cmocka_unit_test_setup_teardown(both_sides_agree_on_event_indices, open_event_idx,
						close_rings),
		TEST(avail_index_jumps),
		TEST(head_out_of_range),
		TEST(next_out_of_range),
		TEST(descriptors_in_a_loop),
		TEST(buffers_outside_memory),
		TEST(readable_behind_writable),
		TEST(indirect_tables_that_make_no_sense),
		TEST(chain_of_too_many_segments),
		TEST(empty_descriptors_are_no_segments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
