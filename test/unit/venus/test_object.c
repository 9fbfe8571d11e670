// SPDX-License-Identifier: BSD-3-Clause
#include "venus/object.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static struct rp_vn_objects table;

static int empty_table(void **)
{
	rp_vn_objects_free(&table);
	return 0;
}

static struct rp_vn_object *add(uint64_t id, enum rp_vn_type type, uint64_t device)
{
	struct rp_vn_object *obj = rp_vn_object_add(&table, id, type);

	assert_non_null(obj);
	obj->device = device;
	return obj;
}

static void an_object_is_found_by_id_and_type(void **)
{
	struct rp_vn_object *obj = add(5, RP_VN_TYPE_VkBuffer, 1);

	assert_ptr_equal(rp_vn_object_find(&table, 5, RP_VN_TYPE_VkBuffer), obj);
	assert_null(rp_vn_object_find(&table, 5, RP_VN_TYPE_VkImage));
	assert_null(rp_vn_object_find(&table, 6, RP_VN_TYPE_VkBuffer));
}

static void ids_are_unique_and_not_zero(void **)
{
	add(5, RP_VN_TYPE_VkBuffer, 1);
	assert_null(rp_vn_object_add(&table, 5, RP_VN_TYPE_VkImage));
	assert_int_equal(errno, EEXIST);
	assert_null(rp_vn_object_add(&table, 0, RP_VN_TYPE_VkImage));
	assert_int_equal(errno, EINVAL);
}

static void many_objects_are_all_found_again(void **)
{
	for (uint64_t id = 1; id <= 5000; id++)
		add(id << 12, RP_VN_TYPE_VkFence, 1);
	for (uint64_t id = 1; id <= 5000; id++)
		assert_non_null(rp_vn_object_find(&table, id << 12, RP_VN_TYPE_VkFence));
	assert_int_equal(table.count, 5000);
}

static void the_number_of_objects_is_bounded(void **)
{
	table.count = RP_VN_MAX_OBJECTS;
	assert_null(rp_vn_object_add(&table, 1, RP_VN_TYPE_VkFence));
	assert_int_equal(errno, ENOSPC);
	table.count = 0;
}

static void sets_go_with_their_pool(void **)
{
	struct rp_vn_object *pool = add(1, RP_VN_TYPE_VkDescriptorPool, 9);

	for (uint64_t id = 2; id < 12; id++) {
		struct rp_vn_object *set = add(id, RP_VN_TYPE_VkDescriptorSet, 9);

		set->pool = pool;
		LIST_INSERT_HEAD(&pool->children, set, sibling);
	}
	rp_vn_object_remove(&table, rp_vn_object_find(&table, 5, RP_VN_TYPE_VkDescriptorSet));
	assert_int_equal(table.count, 10);
	rp_vn_object_remove(&table, pool);
	assert_int_equal(table.count, 0);
}

static void a_device_takes_only_its_own_objects_along(void **)
{
	struct rp_vn_object *pool = add(3, RP_VN_TYPE_VkCommandPool, 1);

	add(1, RP_VN_TYPE_VkDevice, 1);
	add(2, RP_VN_TYPE_VkDevice, 2);
	for (uint64_t id = 10; id < 1000; id++) {
		struct rp_vn_object *obj = add(id, RP_VN_TYPE_VkCommandBuffer, 1 + id % 2);

		if (id % 2 == 0) {
			obj->pool = pool;
			LIST_INSERT_HEAD(&pool->children, obj, sibling);
		}
	}
	rp_vn_object_remove_device(&table, 1);
	assert_int_equal(table.count, 1 + 495);
	assert_non_null(rp_vn_object_find(&table, 2, RP_VN_TYPE_VkDevice));
	assert_null(rp_vn_object_find(&table, 10, RP_VN_TYPE_VkCommandBuffer));
	assert_non_null(rp_vn_object_find(&table, 11, RP_VN_TYPE_VkCommandBuffer));
}

int main(void)
{
#define WITH_TABLE(test) cmocka_unit_test_teardown(test, empty_table)
	const struct CMUnitTest tests[] = {
		WITH_TABLE(an_object_is_found_by_id_and_type),
		WITH_TABLE(ids_are_unique_and_not_zero),
		WITH_TABLE(many_objects_are_all_found_again),
		WITH_TABLE(the_number_of_objects_is_bounded),
		WITH_TABLE(sets_go_with_their_pool),
		WITH_TABLE(a_device_takes_only_its_own_objects_along),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
