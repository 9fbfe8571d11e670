// SPDX-License-Identifier: BSD-3-Clause
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
// clang-format on
#include "vhost_user/describe.h"

#include <string.h>

static void must_read(const struct rp_vhu_msg *msg, const char *expected)
{
	char text[128];

	assert_string_equal(rp_vhu_describe(msg, RP_VHU_FROM_FRONTEND, text, sizeof(text)),
			    expected);
}

static void requests_and_replies_show_their_fields(void **)
{
	struct rp_vhu_msg msg = {.request = RP_VHU_SET_VRING_NUM,
				 .flags = RP_VHU_FLAG_NEED_REPLY,
				 .size = 8,
				 .payload.state = {.index = 3, .num = 256}};

	must_read(&msg, "SET_VRING_NUM need_reply {index 3, num 256}");
	msg = (struct rp_vhu_msg){.request = RP_VHU_SET_VRING_NUM,
				  .flags = RP_VHU_FLAG_REPLY,
				  .size = 8,
				  .payload.u64 = 1};
	must_read(&msg, "SET_VRING_NUM reply {0x1}");
	msg = (struct rp_vhu_msg){
		.request = RP_VHU_SET_VRING_KICK, .size = 8, .payload.u64 = 1, .n_fds = 1};
	must_read(&msg, "SET_VRING_KICK {0x1} +1 fd");
}

static void what_fits_no_row_is_shown_as_bytes(void **)
{
	struct rp_vhu_msg msg = {.request = 99, .size = 2, .payload.bytes = {0xab, 1}};

	must_read(&msg, "message 99 {2 bytes: ab 01}");
	msg.request = RP_VHU_SET_MEM_TABLE;
	must_read(&msg, "SET_MEM_TABLE {2 bytes: ab 01}");
}

static void a_region_count_that_lies_is_not_followed(void **)
{
	struct rp_vhu_msg msg = {
		.request = RP_VHU_SET_MEM_TABLE, .size = 40, .payload.mem.n_regions = UINT32_MAX};

	must_read(&msg, "SET_MEM_TABLE {40 bytes: ff ff ff ff 00 00 00 00 00 00 00 00 00 00 00 00 "
			"00 00 00 00 00 00 00 00 ...}");
}

static void text_is_cut_where_the_buffer_ends(void **)
{
	struct rp_vhu_msg msg = {.request = RP_VHU_GET_PROTOCOL_FEATURES};
	char text[8];

	rp_vhu_describe(&msg, RP_VHU_FROM_FRONTEND, text, sizeof(text));
	assert_string_equal(text, "GET_PRO");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_and_replies_show_their_fields),
		cmocka_unit_test(what_fits_no_row_is_shown_as_bytes),
		cmocka_unit_test(a_region_count_that_lies_is_not_followed),
		cmocka_unit_test(text_is_cut_where_the_buffer_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
