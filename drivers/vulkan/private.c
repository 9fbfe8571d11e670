// SPDX-License-Identifier: BSD-3-Clause
#include <stdlib.h>

#include "vulkan/icd.h"

/*
 * Private data: numbers that an application hangs on objects. They mean nothing to a driver, so
 * they stay here.
 */
struct datum {
	uint64_t object;
	uint64_t value;
	LIST_ENTRY(datum) entry;
};

struct slot {
	pthread_mutex_t lock;
	LIST_HEAD(, datum) data;
};

VKAPI_ATTR VkResult VKAPI_CALL icd_vkCreatePrivateDataSlot(VkDevice,
							   const VkPrivateDataSlotCreateInfo *,
							   const VkAllocationCallbacks *,
							   VkPrivateDataSlot *handle)
{
	struct slot *slot = calloc(1, sizeof(*slot));

	*handle = (VkPrivateDataSlot)slot;
	if (slot == NULL)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	pthread_mutex_init(&slot->lock, NULL);
	return VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL icd_vkDestroyPrivateDataSlot(VkDevice, VkPrivateDataSlot handle,
							const VkAllocationCallbacks *)
{
	struct slot *slot = (struct slot *)handle;
	struct datum *d;

	if (slot == NULL)
		return;
	while ((d = LIST_FIRST(&slot->data)) != NULL) {
		LIST_REMOVE(d, entry);
		free(d);
	}
	pthread_mutex_destroy(&slot->lock);
	free(slot);
}

// Ids are never used twice, pointers are: a new object must not find an old one's data.
static uint64_t key_of(VkObjectType type, uint64_t handle)
{
	switch (type) {
	case VK_OBJECT_TYPE_INSTANCE:
	case VK_OBJECT_TYPE_PHYSICAL_DEVICE:
	case VK_OBJECT_TYPE_DEVICE:
	case VK_OBJECT_TYPE_QUEUE:
	case VK_OBJECT_TYPE_COMMAND_BUFFER:
	case VK_OBJECT_TYPE_DEVICE_MEMORY:
		return ((const struct icd_object *)(uintptr_t)handle)->id;
	default:
		return handle;
	}
}

static struct datum *find(struct slot *slot, uint64_t object)
{
	struct datum *d;

	LIST_FOREACH (d, &slot->data, entry) {
		if (d->object == object)
			break;
	}
	return d;
}

VKAPI_ATTR VkResult VKAPI_CALL icd_vkSetPrivateData(VkDevice, VkObjectType type, uint64_t handle,
						    VkPrivateDataSlot slot_handle, uint64_t value)
{
	struct slot *slot = (struct slot *)slot_handle;
	struct datum *d;

	pthread_mutex_lock(&slot->lock);
	d = find(slot, key_of(type, handle));
	if (d == NULL) {
		d = calloc(1, sizeof(*d));
		if (d != NULL) {
			d->object = key_of(type, handle);
			LIST_INSERT_HEAD(&slot->data, d, entry);
		}
	}
	if (d != NULL)
		d->value = value;
	pthread_mutex_unlock(&slot->lock);
	return d != NULL ? VK_SUCCESS : VK_ERROR_OUT_OF_HOST_MEMORY;
}

VKAPI_ATTR void VKAPI_CALL icd_vkGetPrivateData(VkDevice, VkObjectType type, uint64_t handle,
						VkPrivateDataSlot slot_handle, uint64_t *value)
{
	struct slot *slot = (struct slot *)slot_handle;
	const struct datum *d;

	pthread_mutex_lock(&slot->lock);
	d = find(slot, key_of(type, handle));
	*value = d != NULL ? d->value : 0;
	pthread_mutex_unlock(&slot->lock);
}
