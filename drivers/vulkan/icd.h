/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The Vulkan driver that an application's loader loads: libvenus_icd.so.
 *
 * Theory of operation. Each VkInstance has a connection of its own to the server. Handles that the
 * loader looks into (instance, physical device, device, queue, command buffer) are structs that
 * begin with struct icd_object; all others are the object's id on the wire. Commands go out through
 * lib/venus/client.h, which is thread-safe. Nothing is written to stdout: tools print JSON there.
 *
 * The loader asks every installed driver for its instance extensions in every Vulkan program, so
 * that answer is local; the first contact with the server is vkEnumerateInstanceVersion or
 * vkCreateInstance, and both give up after a short time, so that other drivers still work.
 */

#include <vulkan/vk_icd.h>

#include "venus/client.h"

#define ICD_EXPORT __attribute__((visibility("default")))

struct icd_object {
	VK_LOADER_DATA loader; // the loader's word: must be first
	uint64_t id;
	struct rp_vn_client *client;
};

struct icd_instance {
	struct icd_object obj;
	struct rp_vn_client client;
};

enum icd_level { ICD_GLOBAL, ICD_INSTANCE, ICD_DEVICE };

struct icd_entry {
	const char *name;
	PFN_vkVoidFunction fn;
	enum icd_level level;
};

// Sorted by name.
extern const struct icd_entry icd_entries[];
extern const size_t icd_n_entries;

// Send a command on the connection of the object that it is called on and wait for its answer.
// -errno: the server is gone and output parameters hold zeros.
int icd_sync(const void *object, unsigned int command, void *args);

// A new dispatchable object of `size` bytes that begins with struct icd_object, or NULL.
void *icd_object_new(size_t size, struct rp_vn_client *client);

// Written by hand.
VKAPI_ATTR VkResult VKAPI_CALL icd_vkEnumerateInstanceVersion(uint32_t *version);
VKAPI_ATTR VkResult VKAPI_CALL icd_vkEnumerateInstanceExtensionProperties(
	const char *layer, uint32_t *count, VkExtensionProperties *properties);
VKAPI_ATTR VkResult VKAPI_CALL icd_vkCreateInstance(const VkInstanceCreateInfo *info,
						    const VkAllocationCallbacks *alloc,
						    VkInstance *instance);
VKAPI_ATTR void VKAPI_CALL icd_vkDestroyInstance(VkInstance instance,
						 const VkAllocationCallbacks *alloc);
VKAPI_ATTR VkResult VKAPI_CALL icd_vkEnumeratePhysicalDevices(VkInstance instance, uint32_t *count,
							      VkPhysicalDevice *devices);
VKAPI_ATTR VkResult VKAPI_CALL
icd_vkEnumerateDeviceExtensionProperties(VkPhysicalDevice device, const char *layer,
					 uint32_t *count, VkExtensionProperties *properties);
VKAPI_ATTR VkResult VKAPI_CALL icd_vkCreateDevice(VkPhysicalDevice physical,
						  const VkDeviceCreateInfo *info,
						  const VkAllocationCallbacks *alloc,
						  VkDevice *device);
VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL icd_vkGetInstanceProcAddr(VkInstance instance,
								   const char *name);
VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL icd_vkGetDeviceProcAddr(VkDevice device, const char *name);
