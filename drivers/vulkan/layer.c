// SPDX-License-Identifier: BSD-3-Clause
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <vulkan/vk_layer.h>

#include "vulkan/connect.h"

/*
 * An implicit layer that makes the application's own vkEnumerateInstanceVersion reach the server.
 *
 * The loader answers that call itself: it tells the loader's version, not the driver's. A layer may
 * stand in front of it. This one asks the server and returns the lower of the two answers; without
 * a server it returns the loader's. Of instances it passes everything on.
 */

#define LAYER_EXPORT __attribute__((visibility("default")))

LAYER_EXPORT VKAPI_ATTR VkResult VKAPI_CALL venus_layer_EnumerateInstanceVersion(
	const VkEnumerateInstanceVersionChain *chain, uint32_t *version);
LAYER_EXPORT VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL
venus_layer_GetInstanceProcAddr(VkInstance instance, const char *name);

// The next link of each instance. The loader's word in a handle is the same in every link.
struct link {
	void *key;
	PFN_vkGetInstanceProcAddr next;
	// Asked for while the instance is made: later the loader would answer with the whole chain.
	PFN_vkDestroyInstance destroy;
	LIST_ENTRY(link) entry;
};

static LIST_HEAD(, link) links = LIST_HEAD_INITIALIZER(links);
static pthread_mutex_t links_lock = PTHREAD_MUTEX_INITIALIZER;

VKAPI_ATTR VkResult VKAPI_CALL venus_layer_EnumerateInstanceVersion(
	const VkEnumerateInstanceVersionChain *chain, uint32_t *version)
{
	VkResult result = chain->pfnNextLayer(chain->pNextLink, version);
	uint32_t remote;

	if (result == VK_SUCCESS && icd_server_version(&remote) == VK_SUCCESS && remote < *version)
		*version = remote;
	return result;
}

static PFN_vkGetInstanceProcAddr link_find(VkInstance instance, struct link **unlinked)
{
	PFN_vkGetInstanceProcAddr next = NULL;
	struct link *l;

	pthread_mutex_lock(&links_lock);
	LIST_FOREACH (l, &links, entry) {
		if (l->key != *(void **)instance)
			continue;
		next = l->next;
		if (unlinked != NULL) {
			LIST_REMOVE(l, entry);
			*unlinked = l;
		}
		break;
	}
	pthread_mutex_unlock(&links_lock);
	return next;
}

static VkLayerInstanceCreateInfo *find_link_info(const VkInstanceCreateInfo *info)
{
	VkLayerInstanceCreateInfo *i = (VkLayerInstanceCreateInfo *)(uintptr_t)info->pNext;

	while (i != NULL && (i->sType != VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO ||
			     i->function != VK_LAYER_LINK_INFO))
		i = (VkLayerInstanceCreateInfo *)(uintptr_t)i->pNext;
	return i;
}

static VKAPI_ATTR VkResult VKAPI_CALL create_instance(const VkInstanceCreateInfo *info,
						      const VkAllocationCallbacks *alloc,
						      VkInstance *instance)
{
	VkLayerInstanceCreateInfo *chain = find_link_info(info);
	PFN_vkCreateInstance create = NULL;
	struct link *l = calloc(1, sizeof(*l));
	VkResult result;

	if (l == NULL)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	if (chain != NULL) {
		l->next = chain->u.pLayerInfo->pfnNextGetInstanceProcAddr;
		create = (PFN_vkCreateInstance)l->next(VK_NULL_HANDLE, "vkCreateInstance");
	}
	if (create == NULL) {
		free(l);
		return VK_ERROR_INITIALIZATION_FAILED;
	}
	chain->u.pLayerInfo = chain->u.pLayerInfo->pNext;
	result = create(info, alloc, instance);
	if (result != VK_SUCCESS) {
		free(l);
		return result;
	}
	l->key = *(void **)*instance;
	l->destroy = (PFN_vkDestroyInstance)l->next(*instance, "vkDestroyInstance");
	pthread_mutex_lock(&links_lock);
	LIST_INSERT_HEAD(&links, l, entry);
	pthread_mutex_unlock(&links_lock);
	return VK_SUCCESS;
}

static VKAPI_ATTR void VKAPI_CALL destroy_instance(VkInstance instance,
						   const VkAllocationCallbacks *alloc)
{
	struct link *l = NULL;

	if (instance == VK_NULL_HANDLE || link_find(instance, &l) == NULL)
		return;
	l->destroy(instance, alloc);
	free(l);
}

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL venus_layer_GetInstanceProcAddr(VkInstance instance,
									 const char *name)
{
	PFN_vkGetInstanceProcAddr next;

	if (strcmp(name, "vkGetInstanceProcAddr") == 0)
		return (PFN_vkVoidFunction)venus_layer_GetInstanceProcAddr;
	if (strcmp(name, "vkCreateInstance") == 0)
		return (PFN_vkVoidFunction)create_instance;
	if (strcmp(name, "vkDestroyInstance") == 0)
		return (PFN_vkVoidFunction)destroy_instance;
	next = instance != VK_NULL_HANDLE ? link_find(instance, NULL) : NULL;
	return next != NULL ? next(instance, name) : NULL;
}
