// SPDX-License-Identifier: BSD-3-Clause
#include "venus/memory.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "venus/session.h"
#include "venus/twin.h"

// What hangs at a VkDevice...
struct types {
	VkPhysicalDeviceMemoryProperties properties;
};

// ... and at a VkDeviceMemory. Mapped as a whole when the client first asks for it.
struct memory {
	uint64_t size;
	VkMemoryPropertyFlags flags;
	uint8_t *map;
	uint8_t *twin;
};

void rp_vn_memory_driver_load(struct rp_vn_memory_driver *d,
			      PFN_vkVoidFunction (*lookup)(void *ctx, const char *name), void *ctx)
{
	d->map = (PFN_vkMapMemory)lookup(ctx, "vkMapMemory");
	d->flush = (PFN_vkFlushMappedMemoryRanges)lookup(ctx, "vkFlushMappedMemoryRanges");
	d->invalidate =
		(PFN_vkInvalidateMappedMemoryRanges)lookup(ctx, "vkInvalidateMappedMemoryRanges");
}

bool rp_vn_memory_types(struct rp_vn_session *s, const struct rp_vn_args_vkCreateDevice *args)
{
	struct rp_vn_object *device;
	struct types *types;

	if (args->ret != VK_SUCCESS)
		return true;
	device = rp_vn_object_find_handle(&s->objects, (uint64_t)(uintptr_t)*args->pDevice,
					  RP_VN_TYPE_VkDevice);
	types = calloc(1, sizeof(*types));
	if (types == NULL)
		return rp_vn_session_stop(s, "out of memory");
	s->driver.GetPhysicalDeviceMemoryProperties(args->physicalDevice, &types->properties);
	free(device->data);
	device->data = types;
	return true;
}

bool rp_vn_memory_add(struct rp_vn_session *s, const struct rp_vn_args_vkAllocateMemory *args)
{
	const struct rp_vn_object *device =
		rp_vn_object_find(&s->objects, s->device, RP_VN_TYPE_VkDevice);
	const struct types *types = device->data;
	uint32_t type = args->pAllocateInfo->memoryTypeIndex;
	struct rp_vn_object *obj;
	struct memory *m;

	if (args->ret != VK_SUCCESS)
		return true;
	if (types == NULL || type >= types->properties.memoryTypeCount)
		return rp_vn_session_stop(s, "memory of a type that the device does not have");
	obj = rp_vn_object_find(&s->objects, s->made, RP_VN_TYPE_VkDeviceMemory);
	m = calloc(1, sizeof(*m));
	if (obj == NULL || m == NULL)
		return rp_vn_session_stop(s, "out of memory");
	m->size = args->pAllocateInfo->allocationSize;
	m->flags = types->properties.memoryTypes[type].propertyFlags;
	obj->data = m;
	return true;
}

void rp_vn_memory_remove(struct rp_vn_object *obj)
{
	struct memory *m = obj->data;

	if (obj->type == RP_VN_TYPE_VkDeviceMemory && m != NULL && m->twin != NULL)
		munmap(m->twin, m->size);
	free(obj->data);
}

static bool map_memory(struct rp_vn_session *s, const struct rp_vn_object *device,
		       const struct rp_vn_object *obj)
{
	struct memory *m = obj->data;
	void *map = NULL;

	if (m->map != NULL)
		return true;
	if (!(m->flags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT))
		return rp_vn_session_stop(s, "memory that cannot be mapped");
	if (s->memory_driver.map == NULL ||
	    s->memory_driver.map((VkDevice)(uintptr_t)device->handle, (VkDeviceMemory)obj->handle,
				 0, VK_WHOLE_SIZE, 0, &map) != VK_SUCCESS)
		return rp_vn_session_stop(s, "the driver cannot map memory");
	m->twin = mmap(NULL, m->size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (m->twin == MAP_FAILED) {
		m->twin = NULL;
		return rp_vn_session_stop(s, "out of memory");
	}
	m->map = map;
	return true;
}

struct range {
	const struct rp_vn_object *device, *obj;
	struct memory *memory;
	uint64_t offset, size;
};

// The fields that both messages begin with.
static bool read_range(struct rp_vn_session *s, struct rp_reader *r, struct range *range)
{
	uint64_t device, memory;

	if (!rp_read_le64(r, &device) || !rp_read_le64(r, &memory) ||
	    !rp_read_le64(r, &range->offset) || !rp_read_le64(r, &range->size))
		return rp_vn_session_stop(s, "truncated");
	range->device = rp_vn_object_find(&s->objects, device, RP_VN_TYPE_VkDevice);
	range->obj = rp_vn_object_find(&s->objects, memory, RP_VN_TYPE_VkDeviceMemory);
	if (range->device == NULL || range->obj == NULL || range->obj->device != device ||
	    range->obj->data == NULL)
		return rp_vn_session_stop(s, "no object of that id and type");
	range->memory = range->obj->data;
	if (range->size > RP_VN_MAX_TRANSFER || range->offset > range->memory->size ||
	    range->size > range->memory->size - range->offset)
		return rp_vn_session_stop(s, "range beyond the memory's end");
	return map_memory(s, range->device, range->obj);
}

// Non-coherent memory is made so around every transfer; whole, because of its alignment rules.
static void make_coherent(const struct range *range,
			  VkResult (*fn)(VkDevice, uint32_t, const VkMappedMemoryRange *))
{
	const VkMappedMemoryRange whole = {
		.sType = VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE,
		.memory = (VkDeviceMemory)range->obj->handle,
		.size = VK_WHOLE_SIZE,
	};

	if (fn != NULL && !(range->memory->flags & VK_MEMORY_PROPERTY_HOST_COHERENT_BIT))
		fn((VkDevice)(uintptr_t)range->device->handle, 1, &whole);
}

bool rp_vn_memory_write(struct rp_vn_session *s, struct rp_reader *r)
{
	struct range range = {0};
	const uint8_t *bytes;

	if (!read_range(s, r, &range))
		return false;
	bytes = rp_read(r, range.size);
	if (bytes == NULL || rp_read(r, -range.size & 3) == NULL)
		return rp_vn_session_stop(s, "truncated");
	rp_vn_twin_merge(range.memory->map + range.offset, range.memory->twin + range.offset, bytes,
			 range.size);
	make_coherent(&range, s->memory_driver.flush);
	return true;
}

static bool reply_piece(struct rp_vn_session *s, struct memory *m, size_t start, size_t len)
{
	size_t need = 16 + len + (-len & 3);
	uint8_t *p = rp_vn_session_reply(s, need);
	struct rp_writer w = rp_writer(p, p != NULL ? need : 0);

	if (p == NULL)
		return false;
	// By way of the twin: the GPU may be writing, and both ends must agree on what was sent.
	memcpy(m->twin + start, m->map + start, len);
	rp_write_le64(&w, start);
	rp_write_le64(&w, len);
	rp_write_bytes(&w, m->twin + start, len);
	rp_write_zero(&w, -len & 3);
	return true;
}

bool rp_vn_memory_read(struct rp_vn_session *s, struct rp_reader *r)
{
	const size_t header = s->reply_len;
	struct range range = {0};
	struct rp_writer w;
	size_t from, end, start, len;
	uint32_t pieces = 0;

	if (!read_range(s, r, &range) || rp_vn_session_reply(s, 8) == NULL)
		return false;
	make_coherent(&range, s->memory_driver.invalidate);
	from = range.offset;
	end = range.offset + range.size;
	while (rp_vn_twin_next(range.memory->map, range.memory->twin, &from, end,
			       RP_VN_MAX_TRANSFER, &start, &len)) {
		if (!reply_piece(s, range.memory, start, len))
			return false;
		pieces++;
	}
	w = rp_writer(s->reply + header, 8);
	rp_write_le32(&w, RP_VN_CMD_READ_MEMORY);
	rp_write_le32(&w, pieces);
	return true;
}
