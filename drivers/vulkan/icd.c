// SPDX-License-Identifier: BSD-3-Clause
#include "vulkan/icd.h"

#include <errno.h>
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

// A function of a version that the device does not have is not to be had, either.
VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL icd_vkGetDeviceProcAddr(VkDevice device, const char *name)
{
	const struct icd_device *dev = (const struct icd_device *)device;
	const struct icd_entry *entry = find_entry(name);

	if (entry == NULL || entry->level != ICD_DEVICE ||
	    entry->minor > VK_API_VERSION_MINOR(dev->physical->properties.apiVersion))
		return NULL;
	return entry->fn;
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
		size_t size = rp_vn_elem_size(m), skip = 0;
		uint64_t n = m->shape == RP_VN_ARRAY ? m->len(args) : 1;
		uint8_t *p;

		memcpy(&p, (uint8_t *)args + m->offset, sizeof(p));
		if (m->dir != RP_VN_OUT || p == NULL)
			continue;
		if (m->kind == RP_VN_STRUCT && rp_vn_structs[m->type].has_stype)
			skip = sizeof(VkBaseOutStructure);
		for (uint64_t k = 0; k < n; k++)
			memset(p + k * size + skip, 0, size - skip);
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

int icd_queue(const void *object, unsigned int command, const void *args, bool flush)
{
	const struct icd_object *obj = object;

	return rp_vn_client_queue(obj->client, command, args, flush);
}

int icd_query(VkPhysicalDevice device, unsigned int command, void *args)
{
	struct icd_physical *p = (struct icd_physical *)device;
	struct icd_cache *cache = &p->instance->cache;
	const struct rp_vn_handles *handles = &p->instance->client.handles;
	struct icd_answer *key;
	int rc;

	if (icd_cache_get(cache, handles, command, args))
		return 0;
	key = icd_cache_key(handles, command, args);
	rc = icd_sync(device, command, args);
	if (rc < 0) {
		free(key);
		return rc;
	}
	icd_cache_put(cache, key, command, args);
	return 0;
}

int icd_prefetch(struct icd_physical *device, const struct rp_vn_call *calls, size_t n)
{
	struct icd_cache *cache = &device->instance->cache;
	struct icd_answer **keys = calloc(n, sizeof(struct icd_answer *));
	int rc;

	if (keys == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		keys[i] = icd_cache_key(&device->instance->client.handles, calls[i].command,
					calls[i].args);
	rc = rp_vn_client_call(device->obj.client, calls, n);
	for (size_t i = 0; i < n; i++) {
		if (rc == 0)
			icd_cache_put(cache, keys[i], calls[i].command, calls[i].args);
		else
			free(keys[i]);
	}
	free(keys);
	return rc;
}

void icd_new_ids(const void *object, uint64_t *ids, size_t n)
{
	const struct icd_object *obj = object;

	for (size_t i = 0; i < n; i++)
		ids[i] = rp_vn_client_id(obj->client);
}

VkResult icd_list(const void *all, uint32_t n, size_t size, uint32_t *count, void *out)
{
	uint32_t room = *count;

	if (out == NULL) {
		*count = n;
		return VK_SUCCESS;
	}
	*count = room < n ? room : n;
	if (*count > 0)
		memcpy(out, all, *count * size);
	return room < n ? VK_INCOMPLETE : VK_SUCCESS;
}
