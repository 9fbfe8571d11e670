// SPDX-License-Identifier: BSD-3-Clause
#include "vhost_user/guest_memory.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static void three_addresses_of_a_byte_differ(void **)
{
	struct rp_guest_memory m;

	assert_int_equal(rp_guest_memory_create(&m, 1, 3, false, NULL), 0);
	assert_int_equal(m.n_regions, 3);
	for (unsigned int i = 0; i < 3; i++) {
		const struct rp_vhu_region *r = &m.regions[i];
		char in_file[6];

		assert_int_equal(r->size, RP_GUEST_MEMORY_ALIGN);
		assert_true(r->gpa != r->uva && r->gpa != r->mmap_offset && r->mmap_offset > 0);
		memcpy(rp_guest_memory_at(&m, r->gpa + 100, 6), "hello", 6);
		assert_int_equal(pread(m.fd, in_file, 6, (off_t)r->mmap_offset + 100), 6);
		assert_string_equal(in_file, "hello");
	}
	rp_guest_memory_destroy(&m);
	assert_int_equal(m.fd, -1);
}

static void file_cannot_shrink_under_the_back_end(void **)
{
	struct rp_guest_memory m;

	assert_int_equal(rp_guest_memory_create(&m, 1, 1, false, NULL), 0);
	assert_int_equal(ftruncate(m.fd, 0), -1);
	assert_int_equal(ftruncate(m.fd, 1 << 30), -1);
	rp_guest_memory_destroy(&m);
}

static void blocks_lie_in_the_emptiest_region_until_none_has_room(void **)
{
	struct rp_guest_memory m;
	uint64_t a, b, c;
	void *block;

	assert_int_equal(rp_guest_memory_create(&m, 2 * RP_GUEST_MEMORY_ALIGN, 2, false, NULL), 0);
	assert_non_null(rp_guest_memory_alloc(&m, 1000, &a));
	assert_non_null(rp_guest_memory_alloc(&m, 1000, &b));
	assert_int_equal(a, m.regions[0].gpa);
	assert_int_equal(b, m.regions[1].gpa);
	block = rp_guest_memory_alloc(&m, 8, &c);
	assert_ptr_equal(block, rp_guest_memory_at(&m, c, 8));
	assert_int_equal(c % 64, 0);
	assert_null(rp_guest_memory_alloc(&m, RP_GUEST_MEMORY_ALIGN, &c));
	assert_null(rp_guest_memory_alloc(&m, SIZE_MAX, &c));
	rp_guest_memory_destroy(&m);
}

static void addresses_outside_give_nothing(void **)
{
	struct rp_guest_memory m;
	uint64_t gpa, size;

	assert_int_equal(rp_guest_memory_create(&m, 1, 1, false, NULL), 0);
	gpa = m.regions[0].gpa;
	size = m.regions[0].size;
	assert_non_null(rp_guest_memory_at(&m, gpa, size));
	assert_null(rp_guest_memory_at(&m, gpa, size + 1));
	assert_null(rp_guest_memory_at(&m, gpa + 1, size));
	assert_null(rp_guest_memory_at(&m, gpa - 1, 1));
	assert_null(rp_guest_memory_at(&m, gpa + size, 0));
	assert_null(rp_guest_memory_at(&m, gpa + 1, UINT64_MAX));
	rp_guest_memory_destroy(&m);
}

static void region_counts_have_limits(void **)
{
	struct rp_guest_memory m;
	struct rp_error err;

	assert_int_equal(rp_guest_memory_create(&m, 1, 0, false, &err), -EINVAL);
	assert_int_equal(rp_guest_memory_create(&m, 1, 9, false, &err), -EINVAL);
	assert_string_equal(err.expected, "expected 1 to 8");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_addresses_of_a_byte_differ),
		cmocka_unit_test(file_cannot_shrink_under_the_back_end),
		cmocka_unit_test(blocks_lie_in_the_emptiest_region_until_none_has_room),
		cmocka_unit_test(addresses_outside_give_nothing),
		cmocka_unit_test(region_counts_have_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
