// SPDX-License-Identifier: BSD-3-Clause
#include "base/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void read_within_bounds(void **)
{
	const uint8_t data[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07};
	struct rp_reader r = rp_reader(data, sizeof(data));
	uint32_t v32;
	uint16_t v16;
	uint8_t v8;

	assert_true(rp_read_u8(&r, &v8));
	assert_int_equal(v8, 1);
	assert_true(rp_read_be16(&r, &v16));
	assert_int_equal(v16, 0x0203);
	assert_true(rp_read_le32(&r, &v32));
	assert_int_equal(v32, 0x07060504);
	assert_int_equal(rp_reader_left(&r), 0);
}

static void read_past_end_changes_nothing(void **)
{
	const uint8_t data[] = {0xaa, 0xbb, 0xcc};
	struct rp_reader r = rp_reader(data, sizeof(data));
	struct rp_reader sub;
	uint32_t v32 = 7;

	assert_false(rp_read_be32(&r, &v32));
	assert_int_equal(v32, 7);
	assert_null(rp_read(&r, 4));
	assert_null(rp_read(&r, SIZE_MAX));
	assert_false(rp_read_sub(&r, 4, &sub));
	assert_int_equal(rp_reader_left(&r), 3);
	assert_ptr_equal(rp_read(&r, 3), data);
	assert_non_null(rp_read(&r, 0));
	assert_null(rp_read(&r, 1));
}

static void empty_reader_yields_nothing(void **)
{
	struct rp_reader r = rp_reader(NULL, 0);
	uint8_t v;

	assert_int_equal(rp_reader_left(&r), 0);
	assert_false(rp_read_u8(&r, &v));
}

static void sub_reader_stays_inside(void **)
{
	const uint8_t data[] = {1, 2, 3, 4};
	struct rp_reader r = rp_reader(data, sizeof(data));
	struct rp_reader sub;

	assert_true(rp_read_sub(&r, 2, &sub));
	assert_null(rp_read(&sub, 3));
	assert_ptr_equal(rp_read(&sub, 2), data);
	assert_ptr_equal(r.pos, data + 2);
}

static void write_overflow_is_sticky(void **)
{
	uint8_t buf[4] = {0};
	struct rp_writer w = rp_writer(buf, sizeof(buf));

	assert_true(rp_write_be16(&w, 0x0102));
	assert_false(rp_write_be32(&w, 0xffffffff));
	assert_true(w.overflow);
	assert_false(rp_write_u8(&w, 9));
	assert_int_equal(rp_writer_len(&w), 2);
	assert_int_equal(rp_writer_left(&w), 0);
	assert_memory_equal(buf, ((uint8_t[]){1, 2, 0, 0}), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(read_within_bounds),
		cmocka_unit_test(read_past_end_changes_nothing),
		cmocka_unit_test(empty_reader_yields_nothing),
		cmocka_unit_test(sub_reader_stays_inside),
		cmocka_unit_test(write_overflow_is_sticky),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
