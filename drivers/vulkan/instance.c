// SPDX-License-Identifier: BSD-3-Clause
#include <stdlib.h>

#include "vulkan/connect.h"
#include "vulkan/icd.h"
#include "vulkan/mask.h"

static bool to_wire(void *, enum rp_vn_type type, uint64_t handle, uint64_t *id)
{
	*id = icd_is_pointer(type) ? ((const struct icd_object *)(uintptr_t)handle)->id : handle;
	return true;
}

// The client chose all ids, so a reply brings the handles that the caller has already. Only
// physical devices are looked for.
static bool from_wire(void *ctx, enum rp_vn_type type, uint64_t id, uint64_t *handle)
{
	const struct icd_instance *inst = ctx;

	if (type != RP_VN_TYPE_VkPhysicalDevice)
		return true;
	for (int i = 0; i < ICD_MAX_DEVICES; i++) {
		if (inst->devices[i] != NULL && inst->devices[i]->obj.id == id) {
			*handle = (uint64_t)(uintptr_t)inst->devices[i];
			return true;
		}
	}
	return false;
}

VKAPI_ATTR VkResult VKAPI_CALL icd_vkEnumerateInstanceVersion(uint32_t *version)
{
	return icd_server_version(version);
}

VKAPI_ATTR VkResult VKAPI_CALL icd_vkEnumerateInstanceExtensionProperties(
	const char *layer, uint32_t *count, VkExtensionProperties *properties)
{
	// Not VK_KHR_device_group_creation: who finds it wants to present to a group.
#define EXTENSION(name)                                                                            \
	{                                                                                          \
		name##_EXTENSION_NAME, name##_SPEC_VERSION                                         \
	}
	static const VkExtensionProperties all[] = {
		EXTENSION(VK_KHR_EXTERNAL_FENCE_CAPABILITIES),
		EXTENSION(VK_KHR_EXTERNAL_MEMORY_CAPABILITIES),
		EXTENSION(VK_KHR_EXTERNAL_SEMAPHORE_CAPABILITIES),
		EXTENSION(VK_KHR_GET_PHYSICAL_DEVICE_PROPERTIES_2),
	};
#undef EXTENSION

	if (layer != NULL)
		return VK_ERROR_LAYER_NOT_PRESENT;
	return icd_list(all, sizeof(all) / sizeof(all[0]), sizeof(all[0]), count, properties);
}

static void instance_free(struct icd_instance *inst)
{
	rp_vn_client_close(&inst->client);
	for (int i = 0; i < ICD_MAX_DEVICES; i++)
		free(inst->devices[i]);
	icd_cache_free(&inst->cache);
	pthread_mutex_destroy(&inst->lock);
	free(inst);
}

VKAPI_ATTR VkResult VKAPI_CALL icd_vkCreateInstance(const VkInstanceCreateInfo *info,
						    const VkAllocationCallbacks *,
						    VkInstance *instance)
{
	VkInstanceCreateInfo sent = *info;
	struct rp_vn_args_vkCreateInstance a = {.pCreateInfo = &sent, .pInstance = instance};
	const struct rp_vn_call call = {RP_VN_IDX_vkCreateInstance, &a};
	struct icd_instance *inst = calloc(1, sizeof(*inst));
	const struct rp_vn_handles handles = {
		.to_wire = to_wire, .from_wire = from_wire, .ctx = inst};

	if (inst == NULL)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	set_loader_magic_value(&inst->obj.loader);
	inst->obj.client = &inst->client;
	inst->obj.id = RP_VN_FIRST_ID;
	*instance = (VkInstance)inst;
	// Layers and extensions are matters of this machine; the loader has checked them.
	sent.enabledLayerCount = 0;
	sent.enabledExtensionCount = 0;
	if (icd_connect(&inst->client, &handles, &call) < 0) {
		free(inst);
		*instance = VK_NULL_HANDLE;
		return VK_ERROR_INITIALIZATION_FAILED;
	}
	icd_cache_init(&inst->cache);
	pthread_mutex_init(&inst->lock, NULL);
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
	icd_queue(inst, RP_VN_IDX_vkDestroyInstance, &a, true);
	instance_free(inst);
}

// What every application asks of every device, in one round trip for all devices.
static VkResult describe_devices(struct icd_instance *inst)
{
	struct {
		struct rp_vn_args_vkGetPhysicalDeviceProperties properties;
		struct rp_vn_args_vkGetPhysicalDeviceFeatures features;
		struct rp_vn_args_vkGetPhysicalDeviceMemoryProperties memory;
		struct rp_vn_args_vkGetPhysicalDeviceQueueFamilyProperties families;
		struct rp_vn_args_vkEnumerateDeviceExtensionProperties extensions;
	} args[ICD_MAX_DEVICES];
	struct rp_vn_call calls[5 * ICD_MAX_DEVICES], *call = calls;

	for (uint32_t i = 0; i < inst->n_devices; i++) {
		struct icd_physical *p = inst->devices[i];
		VkPhysicalDevice h = (VkPhysicalDevice)p;

		p->n_families = ICD_MAX_FAMILIES;
		p->n_extensions = ICD_MAX_EXTENSIONS;
		args[i].properties.physicalDevice = h;
		args[i].properties.pProperties = &p->properties;
		args[i].features.physicalDevice = h;
		args[i].features.pFeatures = &p->features;
		args[i].memory.physicalDevice = h;
		args[i].memory.pMemoryProperties = &p->memory;
		args[i].families.physicalDevice = h;
		args[i].families.pQueueFamilyPropertyCount = &p->n_families;
		args[i].families.pQueueFamilyProperties = p->families;
		*call++ = (struct rp_vn_call){RP_VN_IDX_vkGetPhysicalDeviceProperties,
					      &args[i].properties};
		*call++ = (struct rp_vn_call){RP_VN_IDX_vkGetPhysicalDeviceFeatures,
					      &args[i].features};
		*call++ = (struct rp_vn_call){RP_VN_IDX_vkGetPhysicalDeviceMemoryProperties,
					      &args[i].memory};
		*call++ = (struct rp_vn_call){RP_VN_IDX_vkGetPhysicalDeviceQueueFamilyProperties,
					      &args[i].families};
		args[i].extensions = (struct rp_vn_args_vkEnumerateDeviceExtensionProperties){
			h, NULL, &p->n_extensions, p->extensions, VK_SUCCESS};
		*call++ = (struct rp_vn_call){RP_VN_IDX_vkEnumerateDeviceExtensionProperties,
					      &args[i].extensions};
	}
	if (rp_vn_client_call(&inst->client, calls, (size_t)(call - calls)) < 0)
		return VK_ERROR_INITIALIZATION_FAILED;
	for (uint32_t i = 0; i < inst->n_devices; i++)
		icd_mask_device(inst->devices[i]);
	return VK_SUCCESS;
}

static VkResult find_devices(struct icd_instance *inst)
{
	VkPhysicalDevice handles[ICD_MAX_DEVICES];
	uint32_t n = ICD_MAX_DEVICES;
	struct rp_vn_args_vkEnumeratePhysicalDevices a = {
		.instance = (VkInstance)inst,
		.pPhysicalDeviceCount = &n,
		.pPhysicalDevices = handles,
	};

	for (int i = 0; i < ICD_MAX_DEVICES; i++) {
		if (inst->devices[i] == NULL)
			inst->devices[i] =
				icd_object_new(sizeof(struct icd_physical), &inst->client);
		if (inst->devices[i] == NULL)
			return VK_ERROR_OUT_OF_HOST_MEMORY;
		inst->devices[i]->instance = inst;
		handles[i] = (VkPhysicalDevice)inst->devices[i];
	}
	if (icd_sync(inst, RP_VN_IDX_vkEnumeratePhysicalDevices, &a) < 0)
		return VK_ERROR_INITIALIZATION_FAILED;
	if (a.ret < 0)
		return a.ret;
	inst->n_devices = n;
	return n > 0 ? describe_devices(inst) : VK_SUCCESS;
}

// The devices of an instance never change: found once.
static VkResult enumerate(struct icd_instance *inst)
{
	VkResult result = VK_SUCCESS;

	pthread_mutex_lock(&inst->lock);
	if (!inst->enumerated)
		result = find_devices(inst);
	inst->enumerated |= result == VK_SUCCESS;
	pthread_mutex_unlock(&inst->lock);
	return result;
}

VKAPI_ATTR VkResult VKAPI_CALL icd_vkEnumeratePhysicalDevices(VkInstance instance, uint32_t *count,
							      VkPhysicalDevice *devices)
{
	struct icd_instance *inst = (struct icd_instance *)instance;
	VkResult result = enumerate(inst);

	if (result != VK_SUCCESS)
		return result;
	return icd_list(inst->devices, inst->n_devices, sizeof(*devices), count, devices);
}

// Each device is a group of its own: device groups would need peer memory that we do not test.
VKAPI_ATTR VkResult VKAPI_CALL icd_vkEnumeratePhysicalDeviceGroups(
	VkInstance instance, uint32_t *count, VkPhysicalDeviceGroupProperties *groups)
{
	struct icd_instance *inst = (struct icd_instance *)instance;
	VkResult result = enumerate(inst);
	uint32_t room = *count;

	if (result != VK_SUCCESS)
		return result;
	*count = groups == NULL || inst->n_devices < room ? inst->n_devices : room;
	for (uint32_t i = 0; i < *count && groups != NULL; i++) {
		groups[i].physicalDeviceCount = 1;
		groups[i].physicalDevices[0] = (VkPhysicalDevice)inst->devices[i];
		groups[i].subsetAllocation = VK_FALSE;
	}
	return groups != NULL && room < inst->n_devices ? VK_INCOMPLETE : VK_SUCCESS;
}
