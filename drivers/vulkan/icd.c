// SPDX-License-Identifier: BSD-3-Clause
#include "vulkan/icd.h"

#include <stdlib.h>

// Interface 5: the loader leaves the check of the application's version to the driver. Later
// versions bring nothing that this driver needs.
#define MIN_INTERFACE 2u
#define OUR_INTERFACE 5u

ICD_EXPORT VKAPI_ATTR VkResult VKAPI_CALL
vk_icdNegotiateLoaderICDInterfaceVersion(uint32_t *version);
ICD_EXPORT VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL vk_icdGetInstanceProcAddr(VkInstance instance,
									      const char *name);
ICD_EXPORT VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL
vk_icdGetPhysicalDeviceProcAddr(VkInstance instance, const char *name);

static int compare_entry(const void *name, const void *entry)
{
	return strcmp(name, ((const struct icd_entry *)entry)->name);
}

static const struct icd_entry *find_entry(const char *name)
{
	return bsearch(name, icd_entries, icd_n_entries, sizeof(icd_entries[0]), compare_entry);
}

VKAPI_ATTR VkResult VKAPI_CALL vk_icdNegotiateLoaderICDInterfaceVersion(uint32_t *version)
{
	if (*version < MIN_INTERFACE)
		return VK_ERROR_INCOMPATIBLE_DRIVER;
	if (*version > OUR_INTERFACE)
		*version = OUR_INTERFACE;
	return VK_SUCCESS;
}

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL icd_vkGetInstanceProcAddr(VkInstance instance,
								   const char *name)
{
	const struct icd_entry *entry = find_entry(name);

	// Without an instance only the functions that make one may be had.
	if (entry != NULL && (instance != VK_NULL_HANDLE || entry->level == ICD_GLOBAL))
		return entry->fn;
	if (strcmp(name, "vk_icdNegotiateLoaderICDInterfaceVersion") == 0)
		return (PFN_vkVoidFunction)vk_icdNegotiateLoaderICDInterfaceVersion;
	if (strcmp(name, "vk_icdGetPhysicalDeviceProcAddr") == 0)
		return (PFN_vkVoidFunction)vk_icdGetPhysicalDeviceProcAddr;
	return NULL;
}

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL vk_icdGetInstanceProcAddr(VkInstance instance,
								   const char *name)
{
	return icd_vkGetInstanceProcAddr(instance, name);
}

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL icd_vkGetDeviceProcAddr(VkDevice, const char *name)
{
	const struct icd_entry *entry = find_entry(name);

	return entry != NULL && entry->level == ICD_DEVICE ? entry->fn : NULL;
}

// Physical-device functions of extensions that the loader does not know: there are none.
VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL vk_icdGetPhysicalDeviceProcAddr(VkInstance, const char *)
{
	return NULL;
}

void *icd_object_new(size_t size, struct rp_vn_client *client)
{
	struct icd_object *obj = calloc(1, size);

	if (obj == NULL)
		return NULL;
	set_loader_magic_value(&obj->loader);
	obj->client = client;
	obj->id = rp_vn_client_id(client);
	return obj;
}

// What an application reads after a call on a dead connection must not be what lay on its stack.
static void zero_outputs(const struct rp_vn_command *cmd, void *args)
{
	for (int i = 0; i < cmd->n_params; i++) {
		const struct rp_vn_member *m = &cmd->params[i];
		size_t skip = m->kind == RP_VN_STRUCT && rp_vn_structs[m->type].has_stype
				      ? sizeof(VkBaseOutStructure)
				      : 0;
		uint8_t *p;

		memcpy(&p, (uint8_t *)args + m->offset, sizeof(p));
		if (m->dir != RP_VN_IN && m->shape == RP_VN_POINTER && p != NULL)
			memset(p + skip, 0, rp_vn_elem_size(m) - skip);
	}
}

int icd_sync(const void *object, unsigned int command, void *args)
{
	const struct icd_object *obj = object;
	const struct rp_vn_call call = {command, args};
	int rc = rp_vn_client_call(obj->client, &call, 1);

	if (rc < 0)
		zero_outputs(&rp_vn_commands[command], args);
	return rc;
}
