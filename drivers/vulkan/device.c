// SPDX-License-Identifier: BSD-3-Clause
#include <stdlib.h>

#include "vulkan/icd.h"

static void device_free(struct icd_device *dev)
{
	struct icd_queue *q;

	while ((q = LIST_FIRST(&dev->queues)) != NULL) {
		LIST_REMOVE(q, entry);
		free(q);
	}
	icd_command_buffers_free_all(dev);
	icd_memory_free_all(dev);
	pthread_mutex_destroy(&dev->memory_lock);
	pthread_mutex_destroy(&dev->lock);
	free(dev);
}

static bool is_listed(const struct icd_physical *p, const char *name)
{
	for (uint32_t i = 0; i < p->n_extensions; i++) {
		if (strcmp(p->extensions[i].extensionName, name) == 0)
			return true;
	}
	return false;
}

VKAPI_ATTR VkResult VKAPI_CALL icd_vkCreateDevice(VkPhysicalDevice physical,
						  const VkDeviceCreateInfo *info,
						  const VkAllocationCallbacks *, VkDevice *device)
{
	struct icd_physical *p = (struct icd_physical *)physical;
	VkDeviceCreateInfo sent = *info;
	struct icd_device *dev;
	struct rp_vn_args_vkCreateDevice a = {
		.physicalDevice = physical, .pCreateInfo = &sent, .pDevice = device};

	for (uint32_t i = 0; i < info->enabledExtensionCount; i++) {
		if (!is_listed(p, info->ppEnabledExtensionNames[i]))
			return VK_ERROR_EXTENSION_NOT_PRESENT;
	}
	dev = icd_object_new(sizeof(*dev), p->obj.client);
	if (dev == NULL)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	dev->physical = p;
	pthread_mutex_init(&dev->lock, NULL);
	pthread_mutex_init(&dev->memory_lock, NULL);
	*device = (VkDevice)dev;
	sent.enabledLayerCount = 0;
	if (icd_sync(physical, RP_VN_IDX_vkCreateDevice, &a) < 0)
		a.ret = VK_ERROR_DEVICE_LOST;
	if (a.ret < 0) {
		device_free(dev);
		*device = VK_NULL_HANDLE;
	}
	return a.ret;
}

VKAPI_ATTR void VKAPI_CALL icd_vkDestroyDevice(VkDevice device, const VkAllocationCallbacks *)
{
	struct rp_vn_args_vkDestroyDevice a = {.device = device};
	struct icd_device *dev = (struct icd_device *)device;

	if (dev == NULL)
		return;
	icd_queue(dev, RP_VN_IDX_vkDestroyDevice, &a, true);
	device_free(dev);
}

static struct icd_queue *queue_new(struct icd_device *dev, const VkDeviceQueueInfo2 *info)
{
	struct icd_queue *q = icd_object_new(sizeof(*q), dev->obj.client);
	VkQueue handle = (VkQueue)q;
	struct rp_vn_args_vkGetDeviceQueue plain = {(VkDevice)dev, info->queueFamilyIndex,
						    info->queueIndex, &handle};
	struct rp_vn_args_vkGetDeviceQueue2 flagged = {(VkDevice)dev, info, &handle};

	if (q == NULL)
		return NULL;
	q->device = dev;
	q->family = info->queueFamilyIndex;
	q->index = info->queueIndex;
	q->flags = info->flags;
	if (info->flags != 0)
		icd_queue(dev, RP_VN_IDX_vkGetDeviceQueue2, &flagged, false);
	else
		icd_queue(dev, RP_VN_IDX_vkGetDeviceQueue, &plain, false);
	LIST_INSERT_HEAD(&dev->queues, q, entry);
	return q;
}

// A queue is the same object however often it is asked for.
VKAPI_ATTR void VKAPI_CALL icd_vkGetDeviceQueue2(VkDevice device, const VkDeviceQueueInfo2 *info,
						 VkQueue *queue)
{
	struct icd_device *dev = (struct icd_device *)device;
	struct icd_queue *q;

	pthread_mutex_lock(&dev->lock);
	LIST_FOREACH (q, &dev->queues, entry) {
		if (q->family == info->queueFamilyIndex && q->index == info->queueIndex &&
		    q->flags == info->flags)
			break;
	}
	if (q == NULL)
		q = queue_new(dev, info);
	pthread_mutex_unlock(&dev->lock);
	*queue = (VkQueue)q;
}

VKAPI_ATTR void VKAPI_CALL icd_vkGetDeviceQueue(VkDevice device, uint32_t family, uint32_t index,
						VkQueue *queue)
{
	const VkDeviceQueueInfo2 info = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_INFO_2,
		.queueFamilyIndex = family,
		.queueIndex = index,
	};

	icd_vkGetDeviceQueue2(device, &info, queue);
}
