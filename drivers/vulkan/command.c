// SPDX-License-Identifier: BSD-3-Clause
#include <stdlib.h>

#include "vulkan/icd.h"

static struct icd_device *device_of(VkDevice device)
{
	return (struct icd_device *)device;
}

static void command_buffer_free(struct icd_command_buffer *cb)
{
	LIST_REMOVE(cb, entry);
	free(cb);
}

static void free_handles(struct icd_device *dev, uint32_t n, const VkCommandBuffer *buffers)
{
	pthread_mutex_lock(&dev->lock);
	for (uint32_t i = 0; i < n; i++) {
		if (buffers[i] != VK_NULL_HANDLE)
			command_buffer_free((struct icd_command_buffer *)buffers[i]);
	}
	pthread_mutex_unlock(&dev->lock);
}

static VkResult make_handles(struct icd_device *dev, const VkCommandBufferAllocateInfo *info,
			     VkCommandBuffer *buffers)
{
	uint32_t made = 0;

	pthread_mutex_lock(&dev->lock);
	for (; made < info->commandBufferCount; made++) {
		struct icd_command_buffer *cb = icd_object_new(sizeof(*cb), dev->obj.client);

		if (cb == NULL)
			break;
		cb->device = dev;
		cb->pool = (uint64_t)info->commandPool;
		cb->level = info->level;
		LIST_INSERT_HEAD(&dev->command_buffers, cb, entry);
		buffers[made] = (VkCommandBuffer)cb;
	}
	pthread_mutex_unlock(&dev->lock);
	if (made == info->commandBufferCount)
		return VK_SUCCESS;
	free_handles(dev, made, buffers);
	memset(buffers, 0, info->commandBufferCount * sizeof(*buffers));
	return VK_ERROR_OUT_OF_HOST_MEMORY;
}

VKAPI_ATTR VkResult VKAPI_CALL icd_vkAllocateCommandBuffers(VkDevice device,
							    const VkCommandBufferAllocateInfo *info,
							    VkCommandBuffer *buffers)
{
	const struct rp_vn_args_vkAllocateCommandBuffers a = {device, info, buffers, VK_SUCCESS};
	VkResult result = make_handles(device_of(device), info, buffers);

	if (result != VK_SUCCESS)
		return result;
	if (icd_queue(device, RP_VN_IDX_vkAllocateCommandBuffers, &a, false) == 0)
		return VK_SUCCESS;
	free_handles(device_of(device), info->commandBufferCount, buffers);
	memset(buffers, 0, info->commandBufferCount * sizeof(*buffers));
	return VK_ERROR_OUT_OF_DEVICE_MEMORY;
}

VKAPI_ATTR void VKAPI_CALL icd_vkFreeCommandBuffers(VkDevice device, VkCommandPool pool, uint32_t n,
						    const VkCommandBuffer *buffers)
{
	const struct rp_vn_args_vkFreeCommandBuffers a = {device, pool, n, buffers};

	icd_queue(device, RP_VN_IDX_vkFreeCommandBuffers, &a, false);
	free_handles(device_of(device), n, buffers);
}

static void free_pool(struct icd_device *dev, uint64_t pool, bool any)
{
	struct icd_command_buffer *cb, *next;

	pthread_mutex_lock(&dev->lock);
	for (cb = LIST_FIRST(&dev->command_buffers); cb != NULL; cb = next) {
		next = LIST_NEXT(cb, entry);
		if (any || cb->pool == pool)
			command_buffer_free(cb);
	}
	pthread_mutex_unlock(&dev->lock);
}

void icd_command_buffers_free_all(struct icd_device *dev)
{
	free_pool(dev, 0, true);
}

VKAPI_ATTR void VKAPI_CALL icd_vkDestroyCommandPool(VkDevice device, VkCommandPool pool,
						    const VkAllocationCallbacks *)
{
	const struct rp_vn_args_vkDestroyCommandPool a = {.device = device, .commandPool = pool};

	if (pool == VK_NULL_HANDLE)
		return;
	icd_queue(device, RP_VN_IDX_vkDestroyCommandPool, &a, false);
	free_pool(device_of(device), (uint64_t)pool, false);
}

// What a primary buffer inherits, and from where a secondary one does outside of a render pass, may
// be anything.
VKAPI_ATTR VkResult VKAPI_CALL icd_vkBeginCommandBuffer(VkCommandBuffer buffer,
							const VkCommandBufferBeginInfo *info)
{
	const struct icd_command_buffer *cb = (const struct icd_command_buffer *)buffer;
	VkCommandBufferInheritanceInfo inheritance;
	VkCommandBufferBeginInfo sent = *info;
	const struct rp_vn_args_vkBeginCommandBuffer a = {buffer, &sent, VK_SUCCESS};

	if (cb->level == VK_COMMAND_BUFFER_LEVEL_PRIMARY) {
		sent.pInheritanceInfo = NULL;
	} else if (!(info->flags & VK_COMMAND_BUFFER_USAGE_RENDER_PASS_CONTINUE_BIT) &&
		   info->pInheritanceInfo != NULL) {
		inheritance = *info->pInheritanceInfo;
		inheritance.renderPass = VK_NULL_HANDLE;
		inheritance.framebuffer = VK_NULL_HANDLE;
		sent.pInheritanceInfo = &inheritance;
	}
	if (icd_queue(buffer, RP_VN_IDX_vkBeginCommandBuffer, &a, false) < 0)
		return VK_ERROR_OUT_OF_DEVICE_MEMORY;
	return VK_SUCCESS;
}
