// SPDX-License-Identifier: BSD-3-Clause
#include "venus/session.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "venus/token.h"

#define ARENA_CAP   (64u << 20)
#define FIRST_REPLY 65536u
// Replies are sent before they get larger than this, so that the client can start on them.
#define REPLY_BATCH (1u << 20)
#define MAX_ARGS    256

struct args {
	_Alignas(8) uint8_t bytes[MAX_ARGS];
};

bool rp_vn_session_stop(struct rp_vn_session *s, const char *why)
{
	if (s->error == NULL)
		s->error = why;
	return false;
}

/* ---- handles ---- */

static bool note_object(struct rp_vn_session *s, struct rp_vn_object *obj)
{
	// The first handle of every device-level command says which device all others belong to.
	if (s->device == 0)
		s->device = obj->device;
	else if (obj->device != 0 && obj->device != s->device)
		return false;
	if (obj->type == RP_VN_TYPE_VkCommandPool || obj->type == RP_VN_TYPE_VkDescriptorPool)
		s->pool = obj;
	if (obj->type == s->destroys) {
		if (obj->freeing || (obj->pool != NULL && obj->pool != s->pool))
			return false;
		obj->freeing = true;
		obj->next_freed = s->freed;
		s->freed = obj;
	}
	s->poisoned |= obj->failed;
	return true;
}

static bool from_wire(void *ctx, enum rp_vn_type type, uint64_t id, uint64_t *handle)
{
	struct rp_vn_session *s = ctx;
	struct rp_vn_object *obj = rp_vn_object_find(&s->objects, id, type);

	if (obj == NULL || !note_object(s, obj))
		return false;
	*handle = obj->handle;
	return true;
}

// Replies name no other objects than physical devices besides those that the command made.
static bool to_wire(void *ctx, enum rp_vn_type type, uint64_t handle, uint64_t *id)
{
	struct rp_vn_session *s = ctx;
	const struct rp_vn_object *obj = rp_vn_object_find_handle(&s->objects, handle, type);

	if (obj == NULL)
		return false;
	*id = obj->id;
	return true;
}

static PFN_vkVoidFunction lookup(void *ctx, const char *name)
{
	struct rp_vn_session *s = ctx;
	VkInstance instance = VK_NULL_HANDLE;

	if (s->instance != NULL)
		instance = (VkInstance)(uintptr_t)s->instance->handle;
	return s->backend->lookup(instance, name);
}

static void load_driver(struct rp_vn_session *s)
{
	rp_vn_driver_load(&s->driver, lookup, s);
	rp_vn_memory_driver_load(&s->memory_driver, lookup, s);
}

/* ---- before and after the driver's call ---- */

// The instance is made for what this server offers, not for what the application asked: physical
// device queries of 1.1 must work for applications that reach them through an extension.
static bool before_create_instance(struct rp_vn_session *s, void *args)
{
	struct rp_vn_args_vkCreateInstance *a = args;
	VkInstanceCreateInfo *info = (VkInstanceCreateInfo *)(uintptr_t)a->pCreateInfo;
	VkApplicationInfo *app = (VkApplicationInfo *)(uintptr_t)info->pApplicationInfo;
	uint32_t version = VK_API_VERSION_1_0;

	if (s->instance != NULL)
		return rp_vn_session_stop(s, "a second instance on one connection");
	if (app == NULL) {
		app = rp_arena_alloc(&s->arena, sizeof(*app));
		if (app == NULL)
			return rp_vn_session_stop(s, "out of memory");
		app->sType = VK_STRUCTURE_TYPE_APPLICATION_INFO;
		info->pApplicationInfo = app;
	}
	if (s->driver.EnumerateInstanceVersion != NULL)
		s->driver.EnumerateInstanceVersion(&version);
	app->apiVersion = version < VK_API_VERSION_1_3 ? version : VK_API_VERSION_1_3;
	// Layers are files of the client's machine.
	info->enabledLayerCount = 0;
	return true;
}

static bool before(struct rp_vn_session *s, const struct rp_vn_command *cmd, void *args)
{
	switch (cmd->id) {
	case RP_VN_CMD_vkCreateInstance:
		return before_create_instance(s, args);
	case RP_VN_CMD_vkCreateDevice: {
		struct rp_vn_args_vkCreateDevice *a = args;

		((VkDeviceCreateInfo *)(uintptr_t)a->pCreateInfo)->enabledLayerCount = 0;
		return true;
	}
	default:
		return true;
	}
}

// Objects are entered before the driver is called, so that a bad id costs nothing.
static bool enter_objects(struct rp_vn_session *s, const struct rp_vn_command *cmd,
			  const struct rp_vn_new_ids *ids)
{
	enum rp_vn_type type = cmd->params[cmd->out_handle].type;

	for (uint64_t i = 0; i < ids->count; i++) {
		struct rp_vn_object *obj = rp_vn_object_add(&s->objects, ids->ids[i], type);

		if (obj == NULL)
			return rp_vn_session_stop(s, errno == EEXIST   ? "object id is in use"
						     : errno == EINVAL ? "object id 0"
								       : "too many objects");
		s->made = obj->id;
		obj->device = type == RP_VN_TYPE_VkDevice ? obj->id : s->device;
		if (s->pool != NULL &&
		    (type == RP_VN_TYPE_VkCommandBuffer || type == RP_VN_TYPE_VkDescriptorSet)) {
			obj->pool = s->pool;
			LIST_INSERT_HEAD(&s->pool->children, obj, sibling);
		}
	}
	return true;
}

// Give the entered objects their handles. What was not made is forgotten where the client waits for
// the answer, and kept as failed where it does not.
static void settle_objects(struct rp_vn_session *s, const struct rp_vn_command *cmd,
			   const struct rp_vn_new_ids *ids, VkResult result, bool replied)
{
	enum rp_vn_type type = cmd->params[cmd->out_handle].type;

	for (uint64_t i = 0; i < ids->count; i++) {
		struct rp_vn_object *obj = rp_vn_object_find(&s->objects, ids->ids[i], type);

		// Of a failed call only pipelines leave handles behind that are valid.
		if (result < 0 && type != RP_VN_TYPE_VkPipeline)
			ids->handles[i] = 0;
		obj->handle = ids->handles[i];
		if (obj->handle != 0)
			continue;
		if (replied)
			rp_vn_object_remove(&s->objects, obj);
		else
			obj->failed = true;
	}
}

// Physical devices are found, not made: each keeps the id under which it was first entered.
static bool settle_physical_devices(struct rp_vn_session *s, const void *args,
				    const struct rp_vn_new_ids *ids)
{
	const struct rp_vn_args_vkEnumeratePhysicalDevices *a = args;

	for (uint64_t i = 0; i < ids->count && i < *a->pPhysicalDeviceCount; i++) {
		struct rp_vn_object *obj = rp_vn_object_find_handle(&s->objects, ids->handles[i],
								    RP_VN_TYPE_VkPhysicalDevice);

		if (obj == NULL)
			obj = rp_vn_object_add(&s->objects, ids->ids[i],
					       RP_VN_TYPE_VkPhysicalDevice);
		if (obj == NULL)
			return rp_vn_session_stop(s, "bad object id for a physical device");
		obj->handle = ids->handles[i];
		ids->ids[i] = obj->id;
	}
	return true;
}

static void remove_freed(struct rp_vn_session *s)
{
	while (s->freed != NULL) {
		struct rp_vn_object *obj = s->freed;

		s->freed = obj->next_freed;
		if (obj->type == RP_VN_TYPE_VkDevice)
			rp_vn_object_remove_device(&s->objects, obj->id);
		else
			rp_vn_object_remove(&s->objects, obj);
	}
}

static bool after(struct rp_vn_session *s, const struct rp_vn_command *cmd, const void *args)
{
	const struct rp_vn_args_vkCreateInstance *a = args;

	switch (cmd->id) {
	case RP_VN_CMD_vkCreateInstance:
		if (a->ret != VK_SUCCESS)
			break;
		s->instance = rp_vn_object_find_handle(
			&s->objects, (uint64_t)(uintptr_t)*a->pInstance, RP_VN_TYPE_VkInstance);
		load_driver(s);
		break;
	case RP_VN_CMD_vkDestroyInstance:
		rp_vn_objects_free(&s->objects);
		s->instance = NULL;
		load_driver(s);
		break;
	case RP_VN_CMD_vkResetDescriptorPool:
		rp_vn_object_remove_children(&s->objects, s->pool);
		break;
	case RP_VN_CMD_vkCreateDevice:
		return rp_vn_memory_types(s, args);
	case RP_VN_CMD_vkAllocateMemory:
		return rp_vn_memory_add(s, args);
	}
	return true;
}

/* ---- one command ---- */

static int32_t result_of(const struct rp_vn_command *cmd, const void *args)
{
	int32_t result = 0;

	if (cmd->ret == RP_VN_RET_RESULT)
		memcpy(&result, (const uint8_t *)args + cmd->ret_offset, sizeof(result));
	return result;
}

static bool reply_grow(struct rp_vn_session *s)
{
	size_t cap = s->reply_cap == 0 ? FIRST_REPLY : s->reply_cap * 2;
	uint8_t *p = cap <= RP_VN_MAX_FRAME ? realloc(s->reply, cap) : NULL;

	if (p == NULL)
		return rp_vn_session_stop(s, "reply too large");
	s->reply = p;
	s->reply_cap = cap;
	return true;
}

uint8_t *rp_vn_session_reply(struct rp_vn_session *s, size_t len)
{
	uint8_t *p;

	while (s->reply_cap - s->reply_len < len) {
		if (!reply_grow(s))
			return NULL;
	}
	p = s->reply + s->reply_len;
	s->reply_len += len;
	return p;
}

static bool send_replies(struct rp_vn_session *s)
{
	if (s->reply_len == 0)
		return true;
	if (s->send(s->ctx, s->reply, s->reply_len) < 0)
		return rp_vn_session_stop(s, "client does not take replies");
	s->reply_len = 0;
	s->stats.answers++;
	return true;
}

static bool add_reply(struct rp_vn_session *s, const struct rp_vn_command *cmd, const void *args,
		      const struct rp_vn_new_ids *ids)
{
	struct rp_vn_encoder e;

	do {
		e = (struct rp_vn_encoder){.handles = &s->handles, .new_ids = ids};
		e.w = rp_writer(s->reply + s->reply_len, s->reply_cap - s->reply_len);
		rp_vn_encode_reply(&e, cmd, args);
		if (e.bad_handle)
			return rp_vn_session_stop(
				s, "reply would name an object that the client does not know");
	} while (e.w.overflow && reply_grow(s));
	if (e.w.overflow)
		return false;
	s->reply_len += rp_writer_len(&e.w);
	return true;
}

static bool run(struct rp_vn_session *s, const struct rp_vn_command *cmd, void *args,
		const struct rp_vn_new_ids *ids, bool replied)
{
	bool finds = cmd->id == RP_VN_CMD_vkEnumeratePhysicalDevices;
	const int32_t poisoned = VK_ERROR_OUT_OF_DEVICE_MEMORY;

	if (cmd->out_handle >= 0 && !finds && !enter_objects(s, cmd, ids))
		return false;
	if (!before(s, cmd, args))
		return false;
	if (!s->poisoned) {
		if (!rp_vn_exec(&s->driver, (unsigned int)(cmd - rp_vn_commands), args))
			return rp_vn_session_stop(s, "the driver has no such command");
	} else if (cmd->ret == RP_VN_RET_RESULT) {
		memcpy((uint8_t *)args + cmd->ret_offset, &poisoned, sizeof(poisoned));
	}
	if (finds && !settle_physical_devices(s, args, ids))
		return false;
	if (cmd->out_handle >= 0 && !finds)
		settle_objects(s, cmd, ids, result_of(cmd, args), replied);
	remove_freed(s);
	if (!s->poisoned && !after(s, cmd, args))
		return false;
	// Nobody would ever learn of it otherwise, and a fence might be waited for in vain.
	if (!replied && cmd->out_handle < 0 && !s->poisoned && result_of(cmd, args) < 0)
		return rp_vn_session_stop(s, "the driver failed a command that nobody waits for");
	return !replied || add_reply(s, cmd, args, ids);
}

static bool vulkan_command(struct rp_vn_session *s, uint32_t id, uint32_t flags,
			   struct rp_reader *r)
{
	const struct rp_vn_command *cmd = rp_vn_command_find(id);
	struct rp_vn_decoder d = {.r = *r, .arena = &s->arena, .handles = &s->handles};
	struct args args = {0};
	bool ok;

	if (cmd == NULL)
		return rp_vn_session_stop(s, "unknown command");
	assert(cmd->args_size <= sizeof(args));
	s->device = 0;
	s->made = 0;
	s->pool = NULL;
	s->freed = NULL;
	s->poisoned = false;
	s->destroys = cmd->destroys;
	ok = rp_vn_decode_request(&d, cmd, &args) || rp_vn_session_stop(s, d.error);
	*r = d.r;
	if (ok && s->log_commands)
		rp_info("%s (%u)", cmd->name, id);
	ok = ok && run(s, cmd, &args, &d.new_ids, (flags & RP_VN_FLAG_REPLY) != 0);
	rp_arena_reset(&s->arena);
	return ok;
}

/* ---- our own commands ---- */

static bool hello(struct rp_vn_session *s, struct rp_reader *r)
{
	struct rp_vn_hello_request in;
	struct rp_vn_hello_reply out = {
		.protocol = RP_VN_PROTOCOL,
		.header_version = VK_HEADER_VERSION,
		.max_frame = RP_VN_MAX_FRAME,
	};
	struct rp_writer w;
	uint8_t *room;

	if (s->welcome)
		return rp_vn_session_stop(s, "a second HELLO");
	if (!rp_vn_hello_read_request(r, &in))
		return rp_vn_session_stop(s, "malformed HELLO");
	if (in.protocol != RP_VN_PROTOCOL)
		out.result = RP_VN_HELLO_PROTOCOL;
	else if (!rp_vn_token_equal(in.token, s->token))
		out.result = RP_VN_HELLO_TOKEN;
	room = rp_vn_session_reply(s, RP_VN_HELLO_REPLY);
	if (room == NULL)
		return false;
	w = rp_writer(room, RP_VN_HELLO_REPLY);
	rp_vn_hello_write_reply(&w, &out);
	if (out.result != RP_VN_HELLO_OK) {
		send_replies(s);
		return rp_vn_session_stop(s, rp_vn_hello_text(out.result));
	}
	s->welcome = true;
	return true;
}

bool rp_vn_session_frame(struct rp_vn_session *s, struct rp_reader frame)
{
	s->stats.frames++;
	while (rp_reader_left(&frame) > 0) {
		uint32_t id, flags;
		bool ok;

		if (!rp_read_le32(&frame, &id) || !rp_read_le32(&frame, &flags))
			return rp_vn_session_stop(s, "truncated");
		s->error_command = id;
		s->stats.commands++;
		if (id == RP_VN_CMD_HELLO)
			ok = hello(s, &frame);
		else if (!s->welcome)
			ok = rp_vn_session_stop(s, "a command before HELLO");
		else if (id == RP_VN_CMD_WRITE_MEMORY)
			ok = rp_vn_memory_write(s, &frame);
		else if (id == RP_VN_CMD_READ_MEMORY)
			ok = rp_vn_memory_read(s, &frame);
		else
			ok = vulkan_command(s, id, flags, &frame);
		if (!ok || (s->reply_len >= REPLY_BATCH && !send_replies(s)))
			return false;
	}
	return send_replies(s);
}

int rp_vn_session_init(struct rp_vn_session *s)
{
	s->handles = (struct rp_vn_handles){.to_wire = to_wire, .from_wire = from_wire, .ctx = s};
	s->arena.cap = ARENA_CAP;
	s->objects.on_remove = rp_vn_memory_remove;
	load_driver(s);
	return s->driver.CreateInstance != NULL ? 0 : -ENOSYS;
}

void rp_vn_session_fini(struct rp_vn_session *s)
{
	rp_vn_objects_free(&s->objects);
	rp_arena_free(&s->arena);
	free(s->reply);
	s->reply = NULL;
}
