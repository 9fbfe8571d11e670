// SPDX-License-Identifier: BSD-3-Clause
#include "gpu.h"

#include <stdio.h>
#include <string.h>

static bool pick_device(struct gpu *g)
{
	VkQueueFamilyProperties families[16];
	uint32_t n = 1, n_families = 16;
	VkResult result = g->EnumeratePhysicalDevices(g->instance, &n, &g->physical);

	if ((result != VK_SUCCESS && result != VK_INCOMPLETE) || n == 0)
		return check(false, "vkEnumeratePhysicalDevices", "%s, %u devices",
			     result_text(result), n);
	g->GetPhysicalDeviceQueueFamilyProperties(g->physical, &n_families, families);
	for (g->family = 0; g->family < n_families; g->family++) {
		if ((families[g->family].queueFlags & VK_QUEUE_GRAPHICS_BIT) &&
		    (families[g->family].queueFlags & VK_QUEUE_COMPUTE_BIT))
			return true;
	}
	return check(false, "queues", "no family computes and draws");
}

static bool make_device(struct gpu *g)
{
	const float priority = 1;
	const VkDeviceQueueCreateInfo queue = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
		.queueFamilyIndex = g->family,
		.queueCount = 1,
		.pQueuePriorities = &priority,
	};
	const VkDeviceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
		.queueCreateInfoCount = 1,
		.pQueueCreateInfos = &queue,
	};
	VkResult result = g->CreateDevice(g->physical, &info, NULL, &g->device);

	if (result != VK_SUCCESS)
		return check(false, "vkCreateDevice", "%s", result_text(result));
	g->GetDeviceQueue(g->device, g->family, 0, &g->queue);
	return true;
}

static bool make_commands(struct gpu *g)
{
	const VkCommandPoolCreateInfo pool = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
		.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
		.queueFamilyIndex = g->family,
	};
	const VkFenceCreateInfo fence = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
	VkCommandBufferAllocateInfo buffers = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
		.commandBufferCount = 1,
	};

	if (g->CreateCommandPool(g->device, &pool, NULL, &g->pool) != VK_SUCCESS)
		return check(false, "vkCreateCommandPool", "failed");
	buffers.commandPool = g->pool;
	if (g->AllocateCommandBuffers(g->device, &buffers, &g->commands) != VK_SUCCESS)
		return check(false, "vkAllocateCommandBuffers", "failed");
	return g->CreateFence(g->device, &fence, NULL, &g->fence) == VK_SUCCESS ||
	       check(false, "vkCreateFence", "failed");
}

bool gpu_open(struct gpu *g, bool direct)
{
	PFN_vkGetInstanceProcAddr lookup;

	memset(g, 0, sizeof(*g));
	g->instance = open_instance(direct, &lookup);
	if (g->instance == VK_NULL_HANDLE)
		return false;
#define X(name)                                                                                    \
	g->name = (PFN_vk##name)lookup(g->instance, "vk" #name);                                   \
	if (g->name == NULL)                                                                       \
		return check(false, "vk" #name, "not found");
	GPU_FUNCTIONS(X)
#undef X
	return pick_device(g) && make_device(g) && make_commands(g);
}

void gpu_close(struct gpu *g)
{
	if (g->device != VK_NULL_HANDLE) {
		g->DestroyFence(g->device, g->fence, NULL);
		g->DestroyCommandPool(g->device, g->pool, NULL);
		g->DestroyDevice(g->device, NULL);
	}
	if (g->instance != VK_NULL_HANDLE)
		g->DestroyInstance(g->instance, NULL);
}

VkDeviceMemory gpu_allocate(struct gpu *g, const VkMemoryRequirements *r,
			    VkMemoryPropertyFlags flags)
{
	VkPhysicalDeviceMemoryProperties types;
	VkMemoryAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
		.allocationSize = r->size,
	};
	VkDeviceMemory memory = VK_NULL_HANDLE;

	g->GetPhysicalDeviceMemoryProperties(g->physical, &types);
	while (info.memoryTypeIndex < types.memoryTypeCount &&
	       (!(r->memoryTypeBits >> info.memoryTypeIndex & 1) ||
		(types.memoryTypes[info.memoryTypeIndex].propertyFlags & flags) != flags))
		info.memoryTypeIndex++;
	if (info.memoryTypeIndex == types.memoryTypeCount ||
	    g->AllocateMemory(g->device, &info, NULL, &memory) != VK_SUCCESS)
		check(false, "vkAllocateMemory", "no %llu bytes of a type with flags %#x",
		      (unsigned long long)r->size, flags);
	return memory;
}

bool gpu_buffer_make(struct gpu *g, struct gpu_buffer *b, VkDeviceSize size,
		     VkBufferUsageFlags usage)
{
	const VkBufferCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.size = size,
		.usage = usage,
	};
	VkMemoryRequirements r;

	b->size = size;
	if (g->CreateBuffer(g->device, &info, NULL, &b->buffer) != VK_SUCCESS)
		return check(false, "vkCreateBuffer", "failed");
	g->GetBufferMemoryRequirements(g->device, b->buffer, &r);
	b->memory = gpu_allocate(
		g, &r, VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT);
	if (b->memory == VK_NULL_HANDLE)
		return false;
	if (g->BindBufferMemory(g->device, b->buffer, b->memory, 0) != VK_SUCCESS ||
	    g->MapMemory(g->device, b->memory, 0, VK_WHOLE_SIZE, 0, &b->data) != VK_SUCCESS)
		return check(false, "vkMapMemory", "failed");
	return true;
}

void gpu_buffer_free(struct gpu *g, struct gpu_buffer *b)
{
	g->DestroyBuffer(g->device, b->buffer, NULL);
	g->FreeMemory(g->device, b->memory, NULL);
}

VkShaderModule gpu_shader(struct gpu *g, const uint32_t *words, size_t bytes)
{
	const VkShaderModuleCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
		.codeSize = bytes,
		.pCode = words,
	};
	VkShaderModule module = VK_NULL_HANDLE;

	if (g->CreateShaderModule(g->device, &info, NULL, &module) != VK_SUCCESS)
		check(false, "vkCreateShaderModule", "failed");
	return module;
}

bool gpu_begin(struct gpu *g)
{
	const VkCommandBufferBeginInfo info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
		.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT,
	};

	return g->BeginCommandBuffer(g->commands, &info) == VK_SUCCESS ||
	       check(false, "vkBeginCommandBuffer", "failed");
}

bool gpu_run(struct gpu *g)
{
	const VkSubmitInfo info = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.commandBufferCount = 1,
		.pCommandBuffers = &g->commands,
	};
	VkResult result = g->EndCommandBuffer(g->commands);

	if (result == VK_SUCCESS)
		result = g->ResetFences(g->device, 1, &g->fence);
	if (result == VK_SUCCESS)
		result = g->QueueSubmit(g->queue, 1, &info, g->fence);
	if (result == VK_SUCCESS)
		result = g->WaitForFences(g->device, 1, &g->fence, VK_TRUE, UINT64_MAX);
	return result == VK_SUCCESS || check(false, "submission", "%s", result_text(result));
}

uint64_t gpu_checksum(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * 0x100000001b3u;
	return h;
}
