// SPDX-License-Identifier: BSD-3-Clause
#include <stdlib.h>

#include "vulkan/icd.h"
#include "vulkan/mask.h"

static struct icd_physical *physical(VkPhysicalDevice device)
{
	return (struct icd_physical *)device;
}

VKAPI_ATTR VkResult VKAPI_CALL
icd_vkEnumerateDeviceExtensionProperties(VkPhysicalDevice device, const char *layer,
					 uint32_t *count, VkExtensionProperties *properties)
{
	const struct icd_physical *p = physical(device);

	if (layer != NULL)
		return VK_ERROR_LAYER_NOT_PRESENT;
	return icd_list(p->extensions, p->n_extensions, sizeof(*properties), count, properties);
}

VKAPI_ATTR void VKAPI_CALL icd_vkGetPhysicalDeviceFeatures(VkPhysicalDevice device,
							   VkPhysicalDeviceFeatures *features)
{
	*features = physical(device)->features;
}

VKAPI_ATTR void VKAPI_CALL icd_vkGetPhysicalDeviceFeatures2(VkPhysicalDevice device,
							    VkPhysicalDeviceFeatures2 *features)
{
	struct rp_vn_args_vkGetPhysicalDeviceFeatures2 a = {device, features};

	if (features->pNext != NULL)
		icd_query(device, RP_VN_IDX_vkGetPhysicalDeviceFeatures2, &a);
	features->features = physical(device)->features;
	icd_mask_chain(features->pNext);
}

VKAPI_ATTR void VKAPI_CALL icd_vkGetPhysicalDeviceProperties(VkPhysicalDevice device,
							     VkPhysicalDeviceProperties *properties)
{
	*properties = physical(device)->properties;
}

VKAPI_ATTR void VKAPI_CALL
icd_vkGetPhysicalDeviceProperties2(VkPhysicalDevice device, VkPhysicalDeviceProperties2 *properties)
{
	struct rp_vn_args_vkGetPhysicalDeviceProperties2 a = {device, properties};

	if (properties->pNext != NULL)
		icd_query(device, RP_VN_IDX_vkGetPhysicalDeviceProperties2, &a);
	properties->properties = physical(device)->properties;
	icd_mask_chain(properties->pNext);
}

VKAPI_ATTR void VKAPI_CALL icd_vkGetPhysicalDeviceMemoryProperties(
	VkPhysicalDevice device, VkPhysicalDeviceMemoryProperties *memory)
{
	*memory = physical(device)->memory;
}

// Core Vulkan chains nothing to this.
VKAPI_ATTR void VKAPI_CALL icd_vkGetPhysicalDeviceMemoryProperties2(
	VkPhysicalDevice device, VkPhysicalDeviceMemoryProperties2 *memory)
{
	memory->memoryProperties = physical(device)->memory;
}

VKAPI_ATTR void VKAPI_CALL icd_vkGetPhysicalDeviceQueueFamilyProperties(
	VkPhysicalDevice device, uint32_t *count, VkQueueFamilyProperties *families)
{
	const struct icd_physical *p = physical(device);

	icd_list(p->families, p->n_families, sizeof(*families), count, families);
}

VKAPI_ATTR void VKAPI_CALL icd_vkGetPhysicalDeviceQueueFamilyProperties2(
	VkPhysicalDevice device, uint32_t *count, VkQueueFamilyProperties2 *families)
{
	const struct icd_physical *p = physical(device);

	if (families == NULL || p->n_families < *count)
		*count = p->n_families;
	for (uint32_t i = 0; i < *count && families != NULL; i++)
		families[i].queueFamilyProperties = p->families[i];
}

/* ---- formats: who asks for one asks for more, so one round trip brings all of them ---- */

// The formats of core Vulkan.
static const struct {
	VkFormat first, last;
} ranges[] = {
	{VK_FORMAT_R4G4_UNORM_PACK8, VK_FORMAT_ASTC_12x12_SRGB_BLOCK},
	{VK_FORMAT_ASTC_4x4_SFLOAT_BLOCK, VK_FORMAT_ASTC_12x12_SFLOAT_BLOCK},
	{VK_FORMAT_G8B8G8R8_422_UNORM, VK_FORMAT_G16_B16_R16_3PLANE_444_UNORM},
	{VK_FORMAT_G8_B8R8_2PLANE_444_UNORM, VK_FORMAT_G16_B16R16_2PLANE_444_UNORM},
	{VK_FORMAT_A4R4G4B4_UNORM_PACK16, VK_FORMAT_A4B4G4R4_UNORM_PACK16},
	// Of an extension, but tools that list formats ask for them.
	{VK_FORMAT_PVRTC1_2BPP_UNORM_BLOCK_IMG, VK_FORMAT_PVRTC2_4BPP_SRGB_BLOCK_IMG},
};

#define N_RANGES    (sizeof(ranges) / sizeof(ranges[0]))
#define MAX_FORMATS 256

// All of them in formats; their number, or 0 where `one` is not among them.
static size_t list_formats(VkFormat one, VkFormat *formats)
{
	bool found = false;
	size_t n = 0;

	for (size_t i = 0; i < N_RANGES; i++) {
		found |= one >= ranges[i].first && one <= ranges[i].last;
		for (VkFormat f = ranges[i].first; f <= ranges[i].last && n < MAX_FORMATS; f++)
			formats[n++] = f;
	}
	return found ? n : 0;
}

static bool is_cached(VkPhysicalDevice device, unsigned int command, void *args)
{
	struct icd_instance *inst = physical(device)->instance;

	return icd_cache_get(&inst->cache, &inst->client.handles, command, args);
}

struct format_query {
	struct rp_vn_args_vkGetPhysicalDeviceFormatProperties2 args;
	VkFormatProperties2 properties;
	VkFormatProperties3 properties3;
};

// Always asked in the same form, whichever the application uses.
static void format_query_init(struct format_query *q, VkPhysicalDevice device, VkFormat format)
{
	q->properties3.sType = VK_STRUCTURE_TYPE_FORMAT_PROPERTIES_3;
	q->properties.sType = VK_STRUCTURE_TYPE_FORMAT_PROPERTIES_2;
	q->properties.pNext = &q->properties3;
	q->args.physicalDevice = device;
	q->args.format = format;
	q->args.pFormatProperties = &q->properties;
}

static void prefetch_formats(VkPhysicalDevice device, const VkFormat *formats, size_t n)
{
	struct format_query *all = calloc(n, sizeof(*all));
	struct rp_vn_call *calls = calloc(n, sizeof(*calls));

	for (size_t i = 0; i < n && all != NULL && calls != NULL; i++) {
		format_query_init(&all[i], device, formats[i]);
		calls[i] = (struct rp_vn_call){RP_VN_IDX_vkGetPhysicalDeviceFormatProperties2,
					       &all[i].args};
	}
	if (all != NULL && calls != NULL)
		icd_prefetch(physical(device), calls, n);
	free(all);
	free(calls);
}

static void format_query_run(struct format_query *q, VkPhysicalDevice device, VkFormat format)
{
	const unsigned int command = RP_VN_IDX_vkGetPhysicalDeviceFormatProperties2;
	VkFormat formats[MAX_FORMATS];
	size_t n;

	memset(q, 0, sizeof(*q));
	format_query_init(q, device, format);
	if (is_cached(device, command, &q->args))
		return;
	n = list_formats(format, formats);
	if (n > 0)
		prefetch_formats(device, formats, n);
	icd_query(device, command, &q->args);
}

VKAPI_ATTR void VKAPI_CALL icd_vkGetPhysicalDeviceFormatProperties(VkPhysicalDevice device,
								   VkFormat format,
								   VkFormatProperties *properties)
{
	struct format_query q;

	format_query_run(&q, device, format);
	*properties = q.properties.formatProperties;
}

// Of core Vulkan only VkFormatProperties3 can be in the chain.
VKAPI_ATTR void VKAPI_CALL icd_vkGetPhysicalDeviceFormatProperties2(VkPhysicalDevice device,
								    VkFormat format,
								    VkFormatProperties2 *properties)
{
	struct format_query q;

	format_query_run(&q, device, format);
	properties->formatProperties = q.properties.formatProperties;
	for (VkBaseOutStructure *s = properties->pNext; s != NULL; s = s->pNext) {
		VkFormatProperties3 *p3 = (VkFormatProperties3 *)s;

		if (s->sType != VK_STRUCTURE_TYPE_FORMAT_PROPERTIES_3)
			continue;
		p3->linearTilingFeatures = q.properties3.linearTilingFeatures;
		p3->optimalTilingFeatures = q.properties3.optimalTilingFeatures;
		p3->bufferFeatures = q.properties3.bufferFeatures;
	}
}

// For images: the two tilings of every format, otherwise as asked.
static void
prefetch_image_formats(const struct rp_vn_args_vkGetPhysicalDeviceImageFormatProperties *like,
		       const VkFormat *formats, size_t n)
{
	struct {
		struct rp_vn_args_vkGetPhysicalDeviceImageFormatProperties args;
		VkImageFormatProperties properties;
	} *all = calloc(2 * n, sizeof(*all));
	struct rp_vn_call *calls = calloc(2 * n, sizeof(*calls));

	for (size_t i = 0; i < 2 * n && all != NULL && calls != NULL; i++) {
		all[i].args = *like;
		all[i].args.format = formats[i / 2];
		all[i].args.tiling = i % 2 == 0 ? VK_IMAGE_TILING_OPTIMAL : VK_IMAGE_TILING_LINEAR;
		all[i].args.pImageFormatProperties = &all[i].properties;
		calls[i] = (struct rp_vn_call){RP_VN_IDX_vkGetPhysicalDeviceImageFormatProperties,
					       &all[i].args};
	}
	if (all != NULL && calls != NULL)
		icd_prefetch(physical(like->physicalDevice), calls, 2 * n);
	free(all);
	free(calls);
}

VKAPI_ATTR VkResult VKAPI_CALL icd_vkGetPhysicalDeviceImageFormatProperties(
	VkPhysicalDevice device, VkFormat format, VkImageType type, VkImageTiling tiling,
	VkImageUsageFlags usage, VkImageCreateFlags flags, VkImageFormatProperties *properties)
{
	struct rp_vn_args_vkGetPhysicalDeviceImageFormatProperties a = {
		device, format, type, tiling, usage, flags, properties};
	const unsigned int command = RP_VN_IDX_vkGetPhysicalDeviceImageFormatProperties;
	VkFormat formats[MAX_FORMATS];
	size_t n;

	if (is_cached(device, command, &a))
		return a.ret;
	n = list_formats(format, formats);
	if (n > 0)
		prefetch_image_formats(&a, formats, n);
	return icd_query(device, command, &a) < 0 ? VK_ERROR_OUT_OF_HOST_MEMORY : a.ret;
}

VKAPI_ATTR VkResult VKAPI_CALL icd_vkGetPhysicalDeviceImageFormatProperties2(
	VkPhysicalDevice device, const VkPhysicalDeviceImageFormatInfo2 *info,
	VkImageFormatProperties2 *properties)
{
	struct rp_vn_args_vkGetPhysicalDeviceImageFormatProperties2 a = {device, info, properties};

	for (const VkBaseInStructure *s = info->pNext; s != NULL; s = s->pNext) {
		const VkPhysicalDeviceExternalImageFormatInfo *external = (const void *)s;

		// Memory cannot be shared with another process through a network.
		if (s->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_IMAGE_FORMAT_INFO &&
		    external->handleType != 0)
			return VK_ERROR_FORMAT_NOT_SUPPORTED;
	}
	if (icd_query(device, RP_VN_IDX_vkGetPhysicalDeviceImageFormatProperties2, &a) < 0)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	return a.ret;
}

VKAPI_ATTR void VKAPI_CALL icd_vkGetPhysicalDeviceExternalBufferProperties(
	VkPhysicalDevice, const VkPhysicalDeviceExternalBufferInfo *info,
	VkExternalBufferProperties *properties)
{
	properties->externalMemoryProperties =
		(VkExternalMemoryProperties){.compatibleHandleTypes = info->handleType};
}

VKAPI_ATTR void VKAPI_CALL icd_vkGetPhysicalDeviceExternalFenceProperties(
	VkPhysicalDevice, const VkPhysicalDeviceExternalFenceInfo *,
	VkExternalFenceProperties *properties)
{
	properties->exportFromImportedHandleTypes = 0;
	properties->compatibleHandleTypes = 0;
	properties->externalFenceFeatures = 0;
}

VKAPI_ATTR void VKAPI_CALL icd_vkGetPhysicalDeviceExternalSemaphoreProperties(
	VkPhysicalDevice, const VkPhysicalDeviceExternalSemaphoreInfo *,
	VkExternalSemaphoreProperties *properties)
{
	properties->exportFromImportedHandleTypes = 0;
	properties->compatibleHandleTypes = 0;
	properties->externalSemaphoreFeatures = 0;
}

VKAPI_ATTR VkResult VKAPI_CALL icd_vkGetPhysicalDeviceToolProperties(
	VkPhysicalDevice, uint32_t *count, VkPhysicalDeviceToolProperties *)
{
	*count = 0;
	return VK_SUCCESS;
}
