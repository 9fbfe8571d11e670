// SPDX-License-Identifier: BSD-3-Clause
#include "venus/session.h"

/*
 * A device made of constants. It has no features and no formats, so that tools which probe it stay
 * with what it answers; of objects it has memory alone. Every other handle is the address of
 * something static.
 */

#define CANNED_HEAP (16u << 20)

static struct canned {
	int instance, device, queue;
} canned, physical_device;

// Of the one client of this process.
static uint8_t heap[CANNED_HEAP];
static size_t heap_used;

static VKAPI_ATTR VkResult VKAPI_CALL enumerate_version(uint32_t *version)
{
	*version = VK_API_VERSION_1_3;
	return VK_SUCCESS;
}

static VKAPI_ATTR VkResult VKAPI_CALL enumerate_instance_extensions(const char *, uint32_t *count,
								    VkExtensionProperties *)
{
	*count = 0;
	return VK_SUCCESS;
}

static VKAPI_ATTR VkResult VKAPI_CALL enumerate_device_extensions(VkPhysicalDevice, const char *,
								  uint32_t *count,
								  VkExtensionProperties *)
{
	*count = 0;
	return VK_SUCCESS;
}

static VKAPI_ATTR VkResult VKAPI_CALL create_instance(const VkInstanceCreateInfo *,
						      const VkAllocationCallbacks *,
						      VkInstance *instance)
{
	*instance = (VkInstance)&canned.instance;
	heap_used = 0;
	return VK_SUCCESS;
}

static VKAPI_ATTR void VKAPI_CALL destroy_instance(VkInstance, const VkAllocationCallbacks *)
{
}

static VKAPI_ATTR VkResult VKAPI_CALL enumerate_physical_devices(VkInstance, uint32_t *count,
								 VkPhysicalDevice *devices)
{
	if (devices != NULL && *count > 0)
		devices[0] = (VkPhysicalDevice)&physical_device;
	if (devices != NULL && *count == 0)
		return VK_INCOMPLETE;
	*count = 1;
	return VK_SUCCESS;
}

static VKAPI_ATTR void VKAPI_CALL get_features(VkPhysicalDevice, VkPhysicalDeviceFeatures *f)
{
	*f = (VkPhysicalDeviceFeatures){0};
}

static VKAPI_ATTR void VKAPI_CALL get_features2(VkPhysicalDevice device,
						VkPhysicalDeviceFeatures2 *f)
{
	get_features(device, &f->features);
}

static VKAPI_ATTR void VKAPI_CALL get_properties(VkPhysicalDevice, VkPhysicalDeviceProperties *p)
{
	*p = (VkPhysicalDeviceProperties){
		.apiVersion = VK_API_VERSION_1_3,
		.driverVersion = 1,
		.vendorID = 0x10000,
		.deviceType = VK_PHYSICAL_DEVICE_TYPE_OTHER,
		.deviceName = "ringplane canned device",
		.limits = {.maxImageDimension2D = 4096, .maxMemoryAllocationCount = 4096},
	};
}

static VKAPI_ATTR void VKAPI_CALL get_properties2(VkPhysicalDevice device,
						  VkPhysicalDeviceProperties2 *p)
{
	get_properties(device, &p->properties);
}

static VKAPI_ATTR void VKAPI_CALL get_format_properties(VkPhysicalDevice, VkFormat,
							VkFormatProperties *p)
{
	*p = (VkFormatProperties){0};
}

static VKAPI_ATTR void VKAPI_CALL get_format_properties2(VkPhysicalDevice device, VkFormat format,
							 VkFormatProperties2 *p)
{
	get_format_properties(device, format, &p->formatProperties);
}

static VKAPI_ATTR VkResult VKAPI_CALL get_image_format_properties(VkPhysicalDevice, VkFormat,
								  VkImageType, VkImageTiling,
								  VkImageUsageFlags,
								  VkImageCreateFlags,
								  VkImageFormatProperties *)
{
	return VK_ERROR_FORMAT_NOT_SUPPORTED;
}

static VKAPI_ATTR VkResult VKAPI_CALL get_image_format_properties2(
	VkPhysicalDevice, const VkPhysicalDeviceImageFormatInfo2 *, VkImageFormatProperties2 *)
{
	return VK_ERROR_FORMAT_NOT_SUPPORTED;
}

static VKAPI_ATTR void VKAPI_CALL get_sparse_format_properties(VkPhysicalDevice, VkFormat,
							       VkImageType, VkSampleCountFlagBits,
							       VkImageUsageFlags, VkImageTiling,
							       uint32_t *count,
							       VkSparseImageFormatProperties *)
{
	*count = 0;
}

static const VkQueueFamilyProperties queue_family = {
	.queueFlags = VK_QUEUE_TRANSFER_BIT,
	.queueCount = 1,
	.minImageTransferGranularity = {1, 1, 1},
};

static VKAPI_ATTR void VKAPI_CALL get_queue_families(VkPhysicalDevice, uint32_t *count,
						     VkQueueFamilyProperties *p)
{
	if (p != NULL && *count > 0)
		p[0] = queue_family;
	*count = p != NULL && *count == 0 ? 0 : 1;
}

static VKAPI_ATTR void VKAPI_CALL get_queue_families2(VkPhysicalDevice, uint32_t *count,
						      VkQueueFamilyProperties2 *p)
{
	if (p != NULL && *count > 0)
		p[0].queueFamilyProperties = queue_family;
	*count = p != NULL && *count == 0 ? 0 : 1;
}

static VKAPI_ATTR void VKAPI_CALL get_memory(VkPhysicalDevice, VkPhysicalDeviceMemoryProperties *p)
{
	*p = (VkPhysicalDeviceMemoryProperties){
		.memoryTypeCount = 1,
		.memoryTypes = {{.propertyFlags = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
						  VK_MEMORY_PROPERTY_HOST_COHERENT_BIT}},
		.memoryHeapCount = 1,
		.memoryHeaps = {{.size = CANNED_HEAP, .flags = VK_MEMORY_HEAP_DEVICE_LOCAL_BIT}},
	};
}

static VKAPI_ATTR void VKAPI_CALL get_memory2(VkPhysicalDevice device,
					      VkPhysicalDeviceMemoryProperties2 *p)
{
	get_memory(device, &p->memoryProperties);
}

static VKAPI_ATTR VkResult VKAPI_CALL create_device(VkPhysicalDevice, const VkDeviceCreateInfo *,
						    const VkAllocationCallbacks *, VkDevice *device)
{
	*device = (VkDevice)&canned.device;
	return VK_SUCCESS;
}

static VKAPI_ATTR void VKAPI_CALL destroy_device(VkDevice, const VkAllocationCallbacks *)
{
}

static VKAPI_ATTR void VKAPI_CALL get_queue(VkDevice, uint32_t, uint32_t, VkQueue *queue)
{
	*queue = (VkQueue)&canned.queue;
}

static VKAPI_ATTR VkResult VKAPI_CALL device_wait_idle(VkDevice)
{
	return VK_SUCCESS;
}

// Handed out from front to back and taken back with the next instance: a session's memory must not
// outlive it even if the client never frees it.
static VKAPI_ATTR VkResult VKAPI_CALL allocate_memory(VkDevice, const VkMemoryAllocateInfo *info,
						      const VkAllocationCallbacks *,
						      VkDeviceMemory *memory)
{
	if (info->allocationSize > sizeof(heap) - heap_used)
		return VK_ERROR_OUT_OF_DEVICE_MEMORY;
	*memory = (VkDeviceMemory)(heap + heap_used);
	heap_used += info->allocationSize;
	return VK_SUCCESS;
}

static VKAPI_ATTR void VKAPI_CALL free_memory(VkDevice, VkDeviceMemory,
					      const VkAllocationCallbacks *)
{
}

static VKAPI_ATTR VkResult VKAPI_CALL map_memory(VkDevice, VkDeviceMemory memory,
						 VkDeviceSize offset, VkDeviceSize,
						 VkMemoryMapFlags, void **data)
{
	*data = (uint8_t *)memory + offset;
	return VK_SUCCESS;
}

static const struct {
	const char *name;
	PFN_vkVoidFunction fn;
} functions[] = {
#define FN(vk, fn)                                                                                 \
	{                                                                                          \
		"vk" #vk, (PFN_vkVoidFunction)fn                                                   \
	}
	FN(EnumerateInstanceVersion, enumerate_version),
	FN(EnumerateInstanceExtensionProperties, enumerate_instance_extensions),
	FN(CreateInstance, create_instance),
	FN(DestroyInstance, destroy_instance),
	FN(EnumeratePhysicalDevices, enumerate_physical_devices),
	FN(EnumerateDeviceExtensionProperties, enumerate_device_extensions),
	FN(GetPhysicalDeviceFeatures, get_features),
	FN(GetPhysicalDeviceFeatures2, get_features2),
	FN(GetPhysicalDeviceProperties, get_properties),
	FN(GetPhysicalDeviceProperties2, get_properties2),
	FN(GetPhysicalDeviceFormatProperties, get_format_properties),
	FN(GetPhysicalDeviceFormatProperties2, get_format_properties2),
	FN(GetPhysicalDeviceImageFormatProperties, get_image_format_properties),
	FN(GetPhysicalDeviceImageFormatProperties2, get_image_format_properties2),
	FN(GetPhysicalDeviceSparseImageFormatProperties, get_sparse_format_properties),
	FN(GetPhysicalDeviceQueueFamilyProperties, get_queue_families),
	FN(GetPhysicalDeviceQueueFamilyProperties2, get_queue_families2),
	FN(GetPhysicalDeviceMemoryProperties, get_memory),
	FN(GetPhysicalDeviceMemoryProperties2, get_memory2),
	FN(CreateDevice, create_device),
	FN(DestroyDevice, destroy_device),
	FN(GetDeviceQueue, get_queue),
	FN(DeviceWaitIdle, device_wait_idle),
	FN(AllocateMemory, allocate_memory),
	FN(FreeMemory, free_memory),
	FN(MapMemory, map_memory),
#undef FN
};

static VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL lookup(VkInstance, const char *name)
{
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		if (strcmp(functions[i].name, name) == 0)
			return functions[i].fn;
	}
	return NULL;
}

const struct rp_vn_backend *rp_vn_backend_canned(void)
{
	static const struct rp_vn_backend backend = {.name = "canned", .lookup = lookup};

	return &backend;
}
