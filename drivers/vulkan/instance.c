// SPDX-License-Identifier: BSD-3-Clause
#include <stdlib.h>

#include "vulkan/connect.h"
#include "vulkan/icd.h"

VKAPI_ATTR VkResult VKAPI_CALL icd_vkEnumerateInstanceVersion(uint32_t *version)
{
	return icd_server_version(version);
}

static VkResult list_extensions(const VkExtensionProperties *all, uint32_t n, const char *layer,
				uint32_t *count, VkExtensionProperties *properties)
{
	uint32_t room = *count;

	if (layer != NULL)
		return VK_ERROR_LAYER_NOT_PRESENT;
	if (properties == NULL) {
		*count = n;
		return VK_SUCCESS;
	}
	*count = room < n ? room : n;
	memcpy(properties, all, *count * sizeof(*all));
	return room < n ? VK_INCOMPLETE : VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL icd_vkEnumerateInstanceExtensionProperties(
	const char *layer, uint32_t *count, VkExtensionProperties *properties)
{
	static const VkExtensionProperties all[] = {
		{VK_KHR_GET_PHYSICAL_DEVICE_PROPERTIES_2_EXTENSION_NAME,
		 VK_KHR_GET_PHYSICAL_DEVICE_PROPERTIES_2_SPEC_VERSION},
	};

	return list_extensions(all, 1, layer, count, properties);
}

static void instance_free(struct icd_instance *inst)
{
	rp_vn_client_close(&inst->client);
	free(inst);
}

VKAPI_ATTR VkResult VKAPI_CALL icd_vkCreateInstance(const VkInstanceCreateInfo *info,
						    const VkAllocationCallbacks *,
						    VkInstance *instance)
{
	VkInstanceCreateInfo sent = *info;
	struct rp_vn_args_vkCreateInstance a = {.pCreateInfo = &sent, .pInstance = instance};
	struct icd_instance *inst = calloc(1, sizeof(*inst));

	if (inst == NULL)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	if (icd_connect(&inst->client) < 0) {
		free(inst);
		return VK_ERROR_INITIALIZATION_FAILED;
	}
	set_loader_magic_value(&inst->obj.loader);
	inst->obj.client = &inst->client;
	inst->obj.id = rp_vn_client_id(&inst->client);
	*instance = (VkInstance)inst;
	// Layers and extensions are matters of this machine; the loader has checked them.
	sent.enabledLayerCount = 0;
	sent.enabledExtensionCount = 0;
	if (icd_sync(inst, RP_VN_IDX_vkCreateInstance, &a) < 0)
		a.ret = VK_ERROR_INITIALIZATION_FAILED;
	if (a.ret < 0) {
		instance_free(inst);
		*instance = VK_NULL_HANDLE;
	}
	return a.ret;
}

VKAPI_ATTR void VKAPI_CALL icd_vkDestroyInstance(VkInstance instance, const VkAllocationCallbacks *)
{
	struct rp_vn_args_vkDestroyInstance a = {.instance = instance};
	struct icd_instance *inst = (struct icd_instance *)instance;

	if (inst == NULL)
		return;
	rp_vn_client_queue(&inst->client, RP_VN_IDX_vkDestroyInstance, &a, true);
	instance_free(inst);
}

VKAPI_ATTR VkResult VKAPI_CALL icd_vkEnumeratePhysicalDevices(VkInstance, uint32_t *count,
							      VkPhysicalDevice *)
{
	*count = 0;
	return VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL icd_vkEnumerateDeviceExtensionProperties(
	VkPhysicalDevice, const char *layer, uint32_t *count, VkExtensionProperties *properties)
{
	return list_extensions(NULL, 0, layer, count, properties);
}

VKAPI_ATTR VkResult VKAPI_CALL icd_vkCreateDevice(VkPhysicalDevice, const VkDeviceCreateInfo *,
						  const VkAllocationCallbacks *, VkDevice *)
{
	return VK_ERROR_INITIALIZATION_FAILED;
}
