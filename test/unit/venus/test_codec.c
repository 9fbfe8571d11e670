// SPDX-License-Identifier: BSD-3-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fill.h"

#define BUFFER (1u << 20)

static uint8_t buffer[BUFFER];
static struct rp_arena arena = {.cap = 64u << 20};

// Handles are their own ids.
static bool same(void *, enum rp_vn_type, uint64_t in, uint64_t *out)
{
	*out = in;
	return true;
}

static const struct rp_vn_handles handles = {.to_wire = same, .from_wire = same};

static struct rp_vn_encoder encoder(void)
{
	return (struct rp_vn_encoder){.w = rp_writer(buffer, sizeof(buffer)), .handles = &handles};
}

static struct rp_vn_decoder decoder(const void *data, size_t len)
{
	rp_arena_reset(&arena);
	return (struct rp_vn_decoder){
		.r = rp_reader(data, len), .arena = &arena, .handles = &handles};
}

static const struct rp_vn_command *command(uint32_t id)
{
	const struct rp_vn_command *cmd = rp_vn_command_find(id);

	assert_non_null(cmd);
	return cmd;
}

static void assert_request(uint32_t id, const void *args, uint32_t flags, const void *bytes,
			   size_t len)
{
	struct rp_vn_encoder e = encoder();

	rp_vn_encode_request(&e, command(id), args, flags);
	assert_false(e.w.overflow);
	assert_int_equal(rp_writer_len(&e.w), len);
	assert_memory_equal(buffer, bytes, len);
}

// These bytes were accepted, and the reply given, by a Venus renderer.
static void enumerate_instance_version_has_the_bytes_of_venus(void **)
{
	static const uint8_t request[] = {0x89, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0};
	static const uint8_t reply[] = {0x89, 0, 0, 0, 0, 0, 0,	   0,	 1,    0,
					0,    0, 0, 0, 0, 0, 0x35, 0x31, 0x40, 0};
	uint32_t version = 0;
	struct rp_vn_args_vkEnumerateInstanceVersion args = {.pApiVersion = &version};
	struct rp_vn_decoder d = decoder(reply, sizeof(reply));

	assert_request(137, &args, RP_VN_FLAG_REPLY, request, sizeof(request));
	args.ret = VK_ERROR_UNKNOWN;
	assert_true(rp_vn_decode_reply(&d, command(137), &args));
	assert_int_equal(args.ret, VK_SUCCESS);
	assert_int_equal(version, VK_MAKE_API_VERSION(0, 1, 3, 309));
}

static void create_buffer_carries_the_new_id(void **)
{
	static const uint8_t bytes[] = {
		50, 0, 0, 0, 0, 0, 0, 0,			  // vkCreateBuffer, no reply
		7,  0, 0, 0, 0, 0, 0, 0,			  // device
		1,  0, 0, 0, 0, 0, 0, 0, 12, 0, 0, 0,		  // pCreateInfo, sType
		0,  0, 0, 0, 0, 0, 0, 0,			  // pNext
		0,  0, 0, 0, 0, 1, 0, 0, 0,  0, 0, 0,		  // flags, size 256
		32, 0, 0, 0, 0, 0, 0, 0,			  // usage, exclusive
		0,  0, 0, 0, 0, 0, 0, 0, 0,  0, 0, 0,		  // no queue families
		0,  0, 0, 0, 0, 0, 0, 0,			  // pAllocator
		1,  0, 0, 0, 0, 0, 0, 0, 9,  0, 0, 0, 0, 0, 0, 0, // pBuffer
	};
	const VkBufferCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.size = 256,
		.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT,
	};
	VkBuffer buf = (VkBuffer)9;
	const struct rp_vn_args_vkCreateBuffer args = {
		.device = (VkDevice)7, .pCreateInfo = &info, .pBuffer = &buf};

	assert_request(50, &args, 0, bytes, sizeof(bytes));
}

static void dispatch_is_five_words_after_its_header(void **)
{
	static const uint8_t bytes[] = {110, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0,
					0,   0, 4, 0, 0, 0, 5, 0, 0, 0, 6, 0, 0, 0};
	const struct rp_vn_args_vkCmdDispatch args = {(VkCommandBuffer)3, 4, 5, 6};

	assert_request(110, &args, 0, bytes, sizeof(bytes));
}

static void loader_structs_in_a_chain_are_left_out(void **)
{
	struct {
		VkStructureType stype;
		const void *next;
		void (*function)(void);
	} private = {VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO, NULL, abort};
	const VkPhysicalDeviceFeatures2 known = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, .pNext = &private};
	VkDeviceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO, .pNext = &known};
	VkDeviceCreateInfo out = {0};
	struct rp_vn_encoder e = encoder();
	struct rp_vn_decoder d;

	rp_vn_encode_struct(&e, RP_VN_STRUCT_VkDeviceCreateInfo, &info);
	d = decoder(buffer, rp_writer_len(&e.w));
	assert_true(rp_vn_decode_struct(&d, RP_VN_STRUCT_VkDeviceCreateInfo, &out));
	assert_int_equal(((const VkBaseInStructure *)out.pNext)->sType, known.sType);
	assert_null(((const VkBaseInStructure *)out.pNext)->pNext);
}

static void every_struct_survives_the_round_trip(void **)
{
	struct filler f = {.seed = 88172645463325252u, .arena = {.cap = 256u << 20}};

	for (int round = 0; round < 4 * RP_VN_N_STRUCTS; round++) {
		enum rp_vn_struct_id id = round % RP_VN_N_STRUCTS;
		uint8_t *in, *out;
		struct rp_vn_encoder e = encoder();
		struct rp_vn_decoder d;
		const char *diff;

		rp_arena_reset(&f.arena);
		in = rp_arena_alloc(&f.arena, rp_vn_structs[id].size);
		out = rp_arena_alloc(&f.arena, rp_vn_structs[id].size);
		fill_struct(&f, id, in);
		rp_vn_encode_struct(&e, id, in);
		assert_false(e.w.overflow);
		assert_int_equal(rp_writer_len(&e.w) % 4, 0);
		d = decoder(buffer, rp_writer_len(&e.w));
		if (!rp_vn_decode_struct(&d, id, out))
			fail_msg("%s: %s", rp_vn_structs[id].name, d.error);
		assert_int_equal(rp_reader_left(&d.r), 0);
		diff = differ_struct(id, in, out);
		if (diff != NULL)
			fail_msg("%s: %s differs", rp_vn_structs[id].name, diff);
	}
	rp_arena_free(&f.arena);
}

static void round_trip_reply(struct filler *f, const struct rp_vn_command *cmd, void *client,
			     void *server, const struct rp_vn_new_ids *ids)
{
	struct rp_vn_encoder e = encoder();
	struct rp_vn_decoder d;
	const char *diff;

	fill_outputs(f, cmd, server);
	// The driver's handles are not the client's; here they become so to be comparable.
	for (uint64_t i = 0; i < ids->count; i++)
		ids->handles[i] = ids->ids[i];
	e.new_ids = ids;
	rp_vn_encode_reply(&e, cmd, server);
	assert_false(e.w.overflow);
	d = (struct rp_vn_decoder){.r = rp_reader(buffer, rp_writer_len(&e.w)),
				   .handles = &handles};
	if (!rp_vn_decode_reply(&d, cmd, client))
		fail_msg("%s: %s", cmd->name, d.error);
	assert_int_equal(rp_reader_left(&d.r), 0);
	diff = differ_params(cmd, 1u << RP_VN_OUT | 1u << RP_VN_INOUT, client, server);
	if (diff != NULL)
		fail_msg("reply to %s: %s differs", cmd->name, diff);
}

static void every_command_survives_the_round_trip(void **)
{
	struct filler f = {.seed = 362436069521288629u, .arena = {.cap = 256u << 20}};

	for (int round = 0; round < 4 * RP_VN_N_COMMANDS; round++) {
		const struct rp_vn_command *cmd = &rp_vn_commands[round % RP_VN_N_COMMANDS];
		struct rp_vn_encoder e = encoder();
		struct rp_vn_decoder d;
		uint32_t id = 0, flags = 0;
		void *client, *server;
		const char *diff;

		rp_arena_reset(&f.arena);
		client = rp_arena_alloc(&f.arena, cmd->args_size);
		server = rp_arena_alloc(&f.arena, cmd->args_size);
		fill_request(&f, cmd, client);
		rp_vn_encode_request(&e, cmd, client, RP_VN_FLAG_REPLY);
		assert_false(e.w.overflow);
		d = decoder(buffer, rp_writer_len(&e.w));
		assert_true(rp_read_le32(&d.r, &id) && rp_read_le32(&d.r, &flags));
		assert_int_equal(id, cmd->id);
		assert_int_equal(flags, RP_VN_FLAG_REPLY);
		if (!rp_vn_decode_request(&d, cmd, server))
			fail_msg("%s: %s", cmd->name, d.error);
		assert_int_equal(rp_reader_left(&d.r), 0);
		diff = differ_params(cmd, 1u << RP_VN_IN | 1u << RP_VN_INOUT, client, server);
		if (diff != NULL)
			fail_msg("%s: %s differs", cmd->name, diff);
		round_trip_reply(&f, cmd, client, server, &d.new_ids);
	}
	rp_arena_free(&f.arena);
}

static void numbers_are_those_of_venus(void **)
{
	assert_string_equal(command(0)->name, "vkCreateInstance");
	assert_string_equal(command(110)->name, "vkCmdDispatch");
	assert_string_equal(command(136)->name, "vkCmdExecuteCommands");
	assert_string_equal(command(148)->name, "vkGetPhysicalDeviceProperties2");
	assert_string_equal(command(177)->name, "vkGetDeviceMemoryOpaqueCaptureAddress");
	assert_string_equal(command(206)->name, "vkQueueSubmit2");
	assert_string_equal(command(232)->name, "vkGetDeviceImageSparseMemoryRequirements");
	// Venus's own commands lie between those of 1.2 and 1.3.
	assert_null(rp_vn_command_find(178));
	assert_null(rp_vn_command_find(190));
	assert_null(rp_vn_command_find(233));
}

// What is wrong with a request to create a buffer after one 32-bit word is replaced.
static const char *error_with(size_t offset, uint32_t word)
{
	static const uint32_t family = 3;
	const VkBufferCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.queueFamilyIndexCount = 1,
		.pQueueFamilyIndices = &family,
	};
	VkBuffer buf = (VkBuffer)9;
	struct rp_vn_args_vkCreateBuffer in = {
		.device = (VkDevice)7, .pCreateInfo = &info, .pBuffer = &buf};
	struct rp_vn_args_vkCreateBuffer out = {0};
	struct rp_vn_encoder e = encoder();
	struct rp_vn_decoder d;

	rp_vn_encode_request(&e, command(50), &in, 0);
	memcpy(buffer + offset, &word, sizeof(word));
	d = decoder(buffer + 8, rp_writer_len(&e.w) - 8);
	return rp_vn_decode_request(&d, command(50), &out) ? NULL : d.error;
}

static void malformed_requests_are_named(void **)
{
	assert_null(error_with(8, 7));
	assert_string_equal(error_with(8, 0), "null handle");
	assert_string_equal(error_with(16, 2), "pointer marker is neither 0 nor 1");
	assert_string_equal(error_with(16, 0), "missing pointer");
	assert_string_equal(error_with(24, 13), "wrong sType");
	assert_string_equal(error_with(28, 1), "struct not allowed in this chain");
	assert_string_equal(error_with(56, 2), "array length differs from its count");
	assert_string_equal(error_with(60, 0xffffffff), "array length differs from its count");
	assert_string_equal(error_with(72, 1), "allocation callbacks on the wire");
	assert_string_equal(error_with(80, 0), "missing array");
}

static void a_count_beyond_the_bytes_allocates_nothing(void **)
{
	uint8_t bytes[64] = {0};
	struct rp_writer w = rp_writer(bytes, sizeof(bytes));
	struct rp_vn_args_vkResetFences args = {0};
	struct rp_vn_decoder d;

	rp_write_le64(&w, 7);	       // device
	rp_write_le32(&w, 0xffffffff); // fenceCount
	rp_write_le64(&w, 0xffffffff); // array
	d = decoder(bytes, rp_writer_len(&w));
	assert_false(rp_vn_decode_request(&d, command(RP_VN_CMD_vkResetFences), &args));
	assert_string_equal(d.error, "truncated");
	assert_int_equal(arena.used, 0);
}

static void an_output_beyond_the_cap_is_refused(void **)
{
	uint8_t bytes[64] = {0};
	struct rp_writer w = rp_writer(bytes, sizeof(bytes));
	struct rp_vn_args_vkGetPipelineCacheData args = {0};
	struct rp_vn_decoder d;

	rp_write_le64(&w, 7);	       // device
	rp_write_le64(&w, 8);	       // cache
	rp_write_le64(&w, 1);	       // pDataSize
	rp_write_le64(&w, 1ull << 40); // its value
	rp_write_le64(&w, 1ull << 40); // pData
	d = decoder(bytes, rp_writer_len(&w));
	assert_false(rp_vn_decode_request(&d, command(RP_VN_CMD_vkGetPipelineCacheData), &args));
	assert_string_equal(d.error, "command needs more memory than allowed");
}

static void an_endless_chain_is_refused(void **)
{
	struct rp_writer w = rp_writer(buffer, sizeof(buffer));
	VkDeviceCreateInfo out = {0};
	struct rp_vn_decoder d;

	rp_write_le32(&w, VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO);
	for (int i = 0; i < 1000; i++) {
		rp_write_le64(&w, 1);
		rp_write_le32(&w, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2);
	}
	d = decoder(buffer, rp_writer_len(&w));
	assert_false(rp_vn_decode_struct(&d, RP_VN_STRUCT_VkDeviceCreateInfo, &out));
	assert_string_equal(d.error, "chain too long");
}

static void a_reply_never_writes_beyond_the_callers_room(void **)
{
	VkQueueFamilyProperties room[2];
	uint32_t count = 2;
	struct rp_vn_args_vkGetPhysicalDeviceQueueFamilyProperties args = {
		.pQueueFamilyPropertyCount = &count, .pQueueFamilyProperties = room};
	uint8_t bytes[512] = {0};
	struct rp_writer w = rp_writer(bytes, sizeof(bytes));
	struct rp_vn_decoder d;

	rp_write_le32(&w, 7);
	rp_write_le64(&w, 1);
	rp_write_le32(&w, 3); // more than there is room for
	rp_write_le64(&w, 3);
	d = decoder(bytes, sizeof(bytes));
	assert_false(rp_vn_decode_reply(&d, command(7), &args));
	assert_string_equal(d.error, "more elements than there is room for");
}

static void strings_must_end(void **)
{
	const VkApplicationInfo info = {.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
					.pApplicationName = "abc"};
	VkApplicationInfo out = {0};
	struct rp_vn_encoder e = encoder();
	struct rp_vn_decoder d;

	rp_vn_encode_struct(&e, RP_VN_STRUCT_VkApplicationInfo, &info);
	assert_memory_equal(buffer + 20, "abc", 4);
	buffer[23] = 'd';
	d = decoder(buffer, rp_writer_len(&e.w));
	assert_false(rp_vn_decode_struct(&d, RP_VN_STRUCT_VkApplicationInfo, &out));
	assert_string_equal(d.error, "string does not end where its length says");
	buffer[22] = '\0';
	buffer[23] = '\0';
	d = decoder(buffer, rp_writer_len(&e.w));
	assert_false(rp_vn_decode_struct(&d, RP_VN_STRUCT_VkApplicationInfo, &out));
}

static int free_arena(void **)
{
	rp_arena_free(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(enumerate_instance_version_has_the_bytes_of_venus),
		cmocka_unit_test(create_buffer_carries_the_new_id),
		cmocka_unit_test(dispatch_is_five_words_after_its_header),
		cmocka_unit_test(loader_structs_in_a_chain_are_left_out),
		cmocka_unit_test(every_struct_survives_the_round_trip),
		cmocka_unit_test(every_command_survives_the_round_trip),
		cmocka_unit_test(numbers_are_those_of_venus),
		cmocka_unit_test(malformed_requests_are_named),
		cmocka_unit_test(a_count_beyond_the_bytes_allocates_nothing),
		cmocka_unit_test(an_output_beyond_the_cap_is_refused),
		cmocka_unit_test(an_endless_chain_is_refused),
		cmocka_unit_test(a_reply_never_writes_beyond_the_callers_room),
		cmocka_unit_test(strings_must_end),
	};

	return cmocka_run_group_tests(tests, NULL, free_arena);
}
