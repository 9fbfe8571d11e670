// SPDX-License-Identifier: BSD-3-Clause
#include "venus/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

/*
 * A session on the canned device, fed with frames written by hand: what a client of ours would
 * never send.
 */
static struct rp_vn_session session;
static uint8_t request[4096], reply[4096];
static size_t reply_len;
static struct rp_writer w;

static int keep_reply(void *, const void *data, size_t len)
{
	assert_true(len <= sizeof(reply));
	memcpy(reply, data, len);
	reply_len = len;
	return 0;
}

static int start(void **)
{
	session = (struct rp_vn_session){
		.backend = rp_vn_backend_canned(), .token = "secret", .send = keep_reply};
	w = rp_writer(request, sizeof(request));
	reply_len = 0;
	return rp_vn_session_init(&session);
}

static int finish(void **)
{
	rp_vn_session_fini(&session);
	return 0;
}

// Send what was written to w.
static bool serve(void)
{
	bool ok = rp_vn_session_frame(&session, rp_reader(request, rp_writer_len(&w)));

	assert_false(w.overflow);
	w = rp_writer(request, sizeof(request));
	return ok;
}

static void command(uint32_t id)
{
	rp_write_le32(&w, id);
	rp_write_le32(&w, RP_VN_FLAG_REPLY);
}

static void hello(const char *token)
{
	struct rp_vn_hello_request h = {.protocol = RP_VN_PROTOCOL, .max_frame = RP_VN_MAX_FRAME};

	strcpy(h.token, token);
	rp_vn_hello_write_request(&w, &h);
}

static void create_instance(uint64_t id)
{
	command(RP_VN_CMD_vkCreateInstance);
	rp_write_le64(&w, 1);
	rp_write_le32(&w, VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO);
	rp_write_le64(&w, 0); // pNext
	rp_write_le32(&w, 0); // flags
	rp_write_le64(&w, 0); // pApplicationInfo
	rp_write_le32(&w, 0); // layers
	rp_write_le64(&w, 0);
	rp_write_le32(&w, 0); // extensions
	rp_write_le64(&w, 0);
	rp_write_le64(&w, 0); // pAllocator
	rp_write_le64(&w, 1);
	rp_write_le64(&w, id);
}

static void enumerate_devices(uint64_t instance, uint32_t room, uint64_t first_id)
{
	command(RP_VN_CMD_vkEnumeratePhysicalDevices);
	rp_write_le64(&w, instance);
	rp_write_le64(&w, 1);
	rp_write_le32(&w, room);
	rp_write_le64(&w, room);
	for (uint32_t i = 0; i < room; i++)
		rp_write_le64(&w, first_id + i);
}

static void begin(void)
{
	hello("secret");
	create_instance(1);
	enumerate_devices(1, 1, 2);
	assert_true(serve());
}

static void assert_refused(const char *why)
{
	assert_false(serve());
	assert_string_equal(session.error, why);
}

static void the_version_is_answered_after_hello(void **)
{
	static const uint8_t expected[] = {0x89, 0, 0, 0, 0, 0, 0, 0,	 1,    0,
					   0,	 0, 0, 0, 0, 0, 0, 0x30, 0x40, 0};

	hello("secret");
	assert_true(serve());
	assert_int_equal(reply_len, 20);
	command(137);
	rp_write_le64(&w, 1);
	assert_true(serve());
	assert_int_equal(reply_len, sizeof(expected));
	assert_memory_equal(reply, expected, sizeof(expected));
}

static void nothing_is_served_before_hello(void **)
{
	command(137);
	rp_write_le64(&w, 1);
	assert_refused("a command before HELLO");
	assert_int_equal(reply_len, 0);
}

static void a_wrong_token_is_told_and_refused(void **)
{
	struct rp_vn_hello_reply h;
	struct rp_reader r;

	hello("secreT");
	assert_false(serve());
	r = rp_reader(reply, reply_len);
	assert_true(rp_vn_hello_read_reply(&r, &h));
	assert_int_equal(h.result, RP_VN_HELLO_TOKEN);
}

static void another_protocol_is_told_and_refused(void **)
{
	const struct rp_vn_hello_request h = {.protocol = 2, .token = "secret"};
	struct rp_vn_hello_reply answer;
	struct rp_reader r;

	rp_vn_hello_write_request(&w, &h);
	assert_false(serve());
	r = rp_reader(reply, reply_len);
	assert_true(rp_vn_hello_read_reply(&r, &answer));
	assert_int_equal(answer.result, RP_VN_HELLO_PROTOCOL);
}

static void a_second_hello_is_refused(void **)
{
	hello("secret");
	hello("secret");
	assert_refused("a second HELLO");
}

static void a_malformed_hello_is_refused(void **)
{
	command(RP_VN_CMD_HELLO);
	for (int i = 0; i < 3; i++)
		rp_write_le32(&w, 1);
	rp_write_le64(&w, ~0ull);
	assert_refused("malformed HELLO");
}

static void an_unknown_command_is_refused(void **)
{
	begin();
	command(9999);
	assert_refused("unknown command");
}

static void half_a_command_is_refused(void **)
{
	begin();
	rp_write_le32(&w, 137);
	assert_refused("truncated");
}

static void an_id_in_use_is_refused(void **)
{
	hello("secret");
	create_instance(1);
	command(RP_VN_CMD_vkDestroyInstance);
	rp_write_le64(&w, 1);
	rp_write_le64(&w, 0);
	create_instance(1); // free again
	assert_true(serve());
	enumerate_devices(1, 1, 1);
	assert_refused("bad object id for a physical device");
}

static void a_second_instance_is_refused(void **)
{
	begin();
	create_instance(9);
	assert_refused("a second instance on one connection");
}

static void an_object_of_another_type_is_refused(void **)
{
	begin();
	command(RP_VN_CMD_vkGetPhysicalDeviceProperties);
	rp_write_le64(&w, 1); // the instance
	rp_write_le64(&w, 1);
	assert_refused("no object of that id and type");
}

static void an_object_is_gone_after_it_was_destroyed(void **)
{
	begin();
	command(RP_VN_CMD_vkDestroyInstance);
	rp_write_le64(&w, 1);
	rp_write_le64(&w, 0);
	assert_true(serve());
	enumerate_devices(1, 1, 5);
	assert_refused("no object of that id and type");
	assert_int_equal(session.objects.count, 0);
}

static void a_physical_device_keeps_its_first_id(void **)
{
	begin();
	enumerate_devices(1, 1, 77);
	assert_true(serve());
	assert_int_equal(reply[reply_len - 8], 2);
	assert_null(rp_vn_object_find(&session.objects, 77, RP_VN_TYPE_VkPhysicalDevice));
}

static void write_create_device(uint64_t id)
{
	command(RP_VN_CMD_vkCreateDevice);
	rp_write_le64(&w, 2);
	rp_write_le64(&w, 1);
	rp_write_le32(&w, VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO);
	rp_write_le64(&w, 0); // pNext
	for (int i = 0; i < 4; i++) {
		// flags, then queues, layers and extensions: each a count and an array
		rp_write_le32(&w, 0);
		if (i > 0)
			rp_write_le64(&w, 0);
	}
	rp_write_le64(&w, 0); // pEnabledFeatures
	rp_write_le64(&w, 0); // pAllocator
	rp_write_le64(&w, 1);
	rp_write_le64(&w, id);
}

static void write_get_queue(uint64_t device, uint64_t id)
{
	command(RP_VN_CMD_vkGetDeviceQueue);
	rp_write_le64(&w, device);
	rp_write_le32(&w, 0);
	rp_write_le32(&w, 0);
	rp_write_le64(&w, 1);
	rp_write_le64(&w, id);
}

static void a_device_takes_its_queues_along(void **)
{
	begin();
	write_create_device(10);
	write_get_queue(10, 11);
	assert_true(serve());
	assert_int_equal(session.objects.count, 4);
	command(RP_VN_CMD_vkDestroyDevice);
	rp_write_le64(&w, 10);
	rp_write_le64(&w, 0);
	assert_true(serve());
	assert_int_equal(session.objects.count, 2);
}

static void a_command_that_the_driver_lacks_is_refused(void **)
{
	begin();
	write_create_device(10);
	write_get_queue(10, 11);
	command(RP_VN_CMD_vkQueueWaitIdle);
	rp_write_le64(&w, 11);
	assert_refused("the driver has no such command");
}

// A failed create that nobody waits for must not end the session: the application only learns of it
// when it uses the object.
static void a_failed_object_poisons_its_users(void **)
{
	struct rp_vn_object *obj;
	int32_t result;

	begin();
	write_create_device(10);
	assert_true(serve());
	obj = rp_vn_object_find(&session.objects, 10, RP_VN_TYPE_VkDevice);
	obj->failed = true;
	command(RP_VN_CMD_vkDeviceWaitIdle);
	rp_write_le64(&w, 10);
	assert_true(serve());
	memcpy(&result, reply + 4, 4);
	assert_int_equal(result, VK_ERROR_OUT_OF_DEVICE_MEMORY);
}

static void write_allocate(uint64_t id, uint64_t size, uint32_t type)
{
	command(RP_VN_CMD_vkAllocateMemory);
	rp_write_le64(&w, 10);
	rp_write_le64(&w, 1);
	rp_write_le32(&w, VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO);
	rp_write_le64(&w, 0);
	rp_write_le64(&w, size);
	rp_write_le32(&w, type);
	rp_write_le64(&w, 0);
	rp_write_le64(&w, 1);
	rp_write_le64(&w, id);
}

static void begin_memory(void)
{
	begin();
	write_create_device(10);
	write_allocate(11, 10000, 0);
	assert_true(serve());
}

static void memory_message(uint32_t id, uint64_t device, uint64_t memory, uint64_t offset,
			   uint64_t size)
{
	command(id);
	rp_write_le64(&w, device);
	rp_write_le64(&w, memory);
	rp_write_le64(&w, offset);
	rp_write_le64(&w, size);
}

static void written_memory_is_not_news_to_its_writer(void **)
{
	static const uint8_t none[] = {2, 0, 1, 0, 0, 0, 0, 0};

	begin_memory();
	memset((void *)rp_vn_object_find(&session.objects, 11, RP_VN_TYPE_VkDeviceMemory)->handle,
	       0, 10000);
	memory_message(RP_VN_CMD_WRITE_MEMORY, 10, 11, 5000, 3);
	rp_write_bytes(&w, "abc", 4);
	memory_message(RP_VN_CMD_READ_MEMORY, 10, 11, 0, 10000);
	assert_true(serve());
	assert_int_equal(reply_len, sizeof(none));
	assert_memory_equal(reply, none, sizeof(none));
}

static void what_the_device_wrote_is_read(void **)
{
	uint8_t *memory;

	begin_memory();
	memory = (uint8_t *)rp_vn_object_find(&session.objects, 11, RP_VN_TYPE_VkDeviceMemory)
			 ->handle;
	memset(memory, 0, 10000);
	memory[5000] = 'x';
	memory_message(RP_VN_CMD_READ_MEMORY, 10, 11, 4999, 2);
	assert_true(serve());
	// One piece of two bytes at 4999.
	assert_int_equal(reply_len, 8 + 16 + 4);
	assert_int_equal(reply[4], 1);
	assert_int_equal(reply[8] | reply[9] << 8, 4999);
	assert_int_equal(reply[16], 2);
	assert_int_equal(reply[25], 'x');
	// Told once.
	memory_message(RP_VN_CMD_READ_MEMORY, 10, 11, 0, 10000);
	assert_true(serve());
	assert_int_equal(reply_len, 8);
}

static void memory_is_not_touched_beyond_its_end(void **)
{
	static const uint64_t bad[][2] = {{10000, 1}, {9999, 2}, {~0ull, 1}, {0, 1ull << 40}};

	for (size_t i = 0; i < 4; i++) {
		begin_memory();
		memory_message(RP_VN_CMD_READ_MEMORY, 10, 11, bad[i][0], bad[i][1]);
		assert_refused("range beyond the memory's end");
		finish(NULL);
		start(NULL);
	}
}

static void memory_of_another_device_is_refused(void **)
{
	begin_memory();
	write_create_device(20);
	assert_true(serve());
	memory_message(RP_VN_CMD_READ_MEMORY, 20, 11, 0, 1);
	assert_refused("no object of that id and type");
}

static void memory_that_ends_early_is_refused(void **)
{
	begin_memory();
	memory_message(RP_VN_CMD_WRITE_MEMORY, 10, 11, 0, 100);
	assert_refused("truncated");
}

static void memory_of_an_unknown_type_is_refused(void **)
{
	begin_memory();
	write_allocate(12, 100, 1);
	assert_refused("memory of a type that the device does not have");
}

static void freed_memory_is_gone(void **)
{
	begin_memory();
	command(RP_VN_CMD_vkFreeMemory);
	rp_write_le64(&w, 10);
	rp_write_le64(&w, 11);
	rp_write_le64(&w, 0);
	assert_true(serve());
	memory_message(RP_VN_CMD_READ_MEMORY, 10, 11, 0, 1);
	assert_refused("no object of that id and type");
}

static void a_failed_allocation_is_told_and_forgotten(void **)
{
	int32_t result;

	begin_memory();
	write_allocate(12, 1ull << 40, 0);
	assert_true(serve());
	memcpy(&result, reply + 4, 4);
	assert_int_equal(result, VK_ERROR_OUT_OF_DEVICE_MEMORY);
	assert_null(rp_vn_object_find(&session.objects, 12, RP_VN_TYPE_VkDeviceMemory));
}

int main(void)
{
#define IN_SESSION(test) cmocka_unit_test_setup_teardown(test, start, finish)
	const struct CMUnitTest tests[] = {
		IN_SESSION(the_version_is_answered_after_hello),
		IN_SESSION(nothing_is_served_before_hello),
		IN_SESSION(a_wrong_token_is_told_and_refused),
		IN_SESSION(another_protocol_is_told_and_refused),
		IN_SESSION(a_second_hello_is_refused),
		IN_SESSION(a_malformed_hello_is_refused),
		IN_SESSION(an_unknown_command_is_refused),
		IN_SESSION(half_a_command_is_refused),
		IN_SESSION(an_id_in_use_is_refused),
		IN_SESSION(a_second_instance_is_refused),
		IN_SESSION(an_object_of_another_type_is_refused),
		IN_SESSION(an_object_is_gone_after_it_was_destroyed),
		IN_SESSION(a_physical_device_keeps_its_first_id),
		IN_SESSION(a_device_takes_its_queues_along),
		IN_SESSION(a_command_that_the_driver_lacks_is_refused),
		IN_SESSION(a_failed_object_poisons_its_users),
		IN_SESSION(written_memory_is_not_news_to_its_writer),
		IN_SESSION(what_the_device_wrote_is_read),
		IN_SESSION(memory_is_not_touched_beyond_its_end),
		IN_SESSION(memory_of_another_device_is_refused),
		IN_SESSION(memory_that_ends_early_is_refused),
		IN_SESSION(memory_of_an_unknown_type_is_refused),
		IN_SESSION(freed_memory_is_gone),
		IN_SESSION(a_failed_allocation_is_told_and_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
