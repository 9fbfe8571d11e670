// SPDX-License-Identifier: BSD-3-Clause
#include "vhost_user/messages.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define FRONT RP_VHU_FROM_FRONTEND
#define BACK  RP_VHU_FROM_BACKEND

static void every_row_is_found_by_id_and_by_name(void **)
{
	const unsigned int counts[] = {44, 10};

	for (int direction = 0; direction < 2; direction++) {
		const struct rp_vhu_message_info *row;
		unsigned int n = 0;

		for (; (row = rp_vhu_message_at(direction, n)) != NULL; n++) {
			assert_int_equal(row->id, n + 1);
			assert_ptr_equal(rp_vhu_message_by_id(direction, row->id), row);
			assert_ptr_equal(rp_vhu_message_by_name(direction, row->name), row);
			assert_true(row->fds_min <= row->fds_max);
		}
		assert_int_equal(n, counts[direction]);
		assert_null(rp_vhu_message_by_id(direction, 0));
		assert_null(rp_vhu_message_by_id(direction, n + 1));
		assert_null(rp_vhu_message_by_id(direction, 0x80000001));
	}
	assert_null(rp_vhu_message_by_name(FRONT, "VRING_ERR"));
	assert_int_equal(rp_vhu_message_by_name(BACK, "vring_err")->id, 5);
}

static void ids_are_those_of_the_specification(void **)
{
	assert_int_equal(RP_VHU_SET_MEM_TABLE, 5);
	assert_int_equal(RP_VHU_GET_VRING_BASE, 11);
	assert_int_equal(RP_VHU_SET_VRING_ENABLE, 18);
	assert_int_equal(RP_VHU_GET_CONFIG, 24);
	assert_int_equal(RP_VHU_GET_INFLIGHT_FD, 31);
	assert_int_equal(RP_VHU_ADD_MEM_REG, 37);
	assert_int_equal(RP_VHU_SET_STATUS, 39);
	assert_int_equal(RP_VHU_BACKEND_CONFIG_CHANGE_MSG, 2);
	assert_int_equal(RP_VHU_P_STATUS, 16);
}

static void sizes_with_a_count_inside_must_agree_with_it(void **)
{
	struct rp_vhu_mem mem = {.n_regions = 2};
	struct rp_vhu_config config = {.size = 60};
	struct rp_vhu_shmem_config shmem = {.n_regions = 3};

	assert_true(rp_vhu_payload_size_ok(RP_VHU_PAYLOAD_MEM, &mem, 8 + 64));
	assert_false(rp_vhu_payload_size_ok(RP_VHU_PAYLOAD_MEM, &mem, 8 + 32));
	assert_false(rp_vhu_payload_size_ok(RP_VHU_PAYLOAD_MEM, &mem, 8 + 65));
	mem.n_regions = UINT32_MAX;
	assert_false(rp_vhu_payload_size_ok(RP_VHU_PAYLOAD_MEM, &mem, 8 + 64));
	assert_true(rp_vhu_payload_size_ok(RP_VHU_PAYLOAD_CONFIG, &config, 72));
	assert_false(rp_vhu_payload_size_ok(RP_VHU_PAYLOAD_CONFIG, &config, 71));
	assert_false(rp_vhu_payload_size_ok(RP_VHU_PAYLOAD_CONFIG, &config, 11));
	assert_true(rp_vhu_payload_size_ok(RP_VHU_PAYLOAD_SHMEM_CONFIG, &shmem, 8 + 24));
	assert_false(rp_vhu_payload_size_ok(RP_VHU_PAYLOAD_SHMEM_CONFIG, &shmem, 8 + 16));
}

static void fixed_sizes_are_exact(void **)
{
	const uint8_t zero[300] = {0};

	assert_true(rp_vhu_payload_size_ok(RP_VHU_PAYLOAD_NONE, zero, 0));
	assert_false(rp_vhu_payload_size_ok(RP_VHU_PAYLOAD_NONE, zero, 1));
	assert_true(rp_vhu_payload_size_ok(RP_VHU_PAYLOAD_INFLIGHT, zero, 24));
	assert_false(rp_vhu_payload_size_ok(RP_VHU_PAYLOAD_INFLIGHT, zero, 20));
	assert_true(rp_vhu_payload_size_ok(RP_VHU_PAYLOAD_LOG, zero, 8));
	assert_true(rp_vhu_payload_size_ok(RP_VHU_PAYLOAD_LOG, zero, 16));
	assert_false(rp_vhu_payload_size_ok(RP_VHU_PAYLOAD_LOG, zero, 12));
	assert_true(rp_vhu_payload_size_ok(RP_VHU_PAYLOAD_LOG_ANSWER, zero, 0));
}

static void gates_decide_what_may_be_sent(void **)
{
	const struct rp_vhu_message_info *mtu = rp_vhu_message_by_name(FRONT, "NET_SET_MTU");
	const struct rp_vhu_message_info *get = rp_vhu_message_by_name(FRONT, "GET_FEATURES");
	const struct rp_vhu_message_info *enable =
		rp_vhu_message_by_name(FRONT, "SET_VRING_ENABLE");

	assert_true(rp_vhu_message_allowed(get, 0, 0));
	assert_false(rp_vhu_message_allowed(mtu, UINT64_MAX, ~RP_VHU_PROTOCOL_BIT(MTU)));
	assert_true(rp_vhu_message_allowed(mtu, 0, RP_VHU_PROTOCOL_BIT(MTU)));
	assert_false(rp_vhu_message_allowed(enable, 0, UINT64_MAX));
	assert_true(rp_vhu_message_allowed(enable, 1u << 30, 0));
}

static void acks_come_only_when_asked_for(void **)
{
	const struct rp_vhu_message_info *set = rp_vhu_message_by_name(FRONT, "SET_FEATURES");
	const struct rp_vhu_message_info *get = rp_vhu_message_by_name(FRONT, "GET_FEATURES");
	const struct rp_vhu_message_info *log = rp_vhu_message_by_name(FRONT, "SET_LOG_BASE");
	uint64_t ack = RP_VHU_PROTOCOL_BIT(REPLY_ACK);

	assert_true(rp_vhu_reply_expected(get, 0, 0));
	assert_false(rp_vhu_reply_expected(set, 0, ack));
	assert_false(rp_vhu_reply_expected(set, RP_VHU_FLAG_NEED_REPLY, 0));
	assert_true(rp_vhu_reply_expected(set, RP_VHU_FLAG_NEED_REPLY, ack));
	assert_false(rp_vhu_reply_expected(log, RP_VHU_FLAG_NEED_REPLY, ack));
	assert_true(rp_vhu_reply_expected(log, 0, RP_VHU_PROTOCOL_BIT(LOG_SHMFD)));
}

static void protocol_features_have_names(void **)
{
	assert_string_equal(rp_vhu_protocol_feature_name(3), "REPLY_ACK");
	assert_null(rp_vhu_protocol_feature_name(23));
	assert_null(rp_vhu_protocol_feature_name(64));
	assert_int_equal(rp_vhu_protocol_feature_bit("status"), 16);
	assert_int_equal(rp_vhu_protocol_feature_bit("none"), -ENOENT);
	assert_string_equal(rp_vhu_payload_name(RP_VHU_PAYLOAD_STATE), "STATE");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_found_by_id_and_by_name),
		cmocka_unit_test(ids_are_those_of_the_specification),
		cmocka_unit_test(sizes_with_a_count_inside_must_agree_with_it),
		cmocka_unit_test(fixed_sizes_are_exact),
		cmocka_unit_test(gates_decide_what_may_be_sent),
		cmocka_unit_test(acks_come_only_when_asked_for),
		cmocka_unit_test(protocol_features_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
