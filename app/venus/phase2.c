// SPDX-License-Identifier: BSD-3-Clause
#include <stdio.h>
#include <string.h>

#include "check.h"

#define MAX_DEVICES 16

static bool show_properties(PFN_vkGetInstanceProcAddr lookup, VkInstance instance,
			    VkPhysicalDevice device)
{
	INSTANCE_FN(lookup, instance, GetPhysicalDeviceProperties);
	INSTANCE_FN(lookup, instance, GetPhysicalDeviceProperties2);
	VkPhysicalDeviceProperties plain;
	VkPhysicalDeviceDriverProperties driver = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES};
	VkPhysicalDeviceProperties2 chained = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &driver};

	vkGetPhysicalDeviceProperties(device, &plain);
	vkGetPhysicalDeviceProperties2(device, &chained);
	return check(memcmp(&plain, &chained.properties, sizeof(plain)) == 0, "properties",
		     "%s, Vulkan %u.%u.%u, driver %s %s", plain.deviceName,
		     VK_API_VERSION_MAJOR(plain.apiVersion), VK_API_VERSION_MINOR(plain.apiVersion),
		     VK_API_VERSION_PATCH(plain.apiVersion), driver.driverName, driver.driverInfo);
}

static bool show_memory(PFN_vkGetInstanceProcAddr lookup, VkInstance instance,
			VkPhysicalDevice device)
{
	INSTANCE_FN(lookup, instance, GetPhysicalDeviceMemoryProperties);
	const VkFlags wanted =
		VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
	VkPhysicalDeviceMemoryProperties memory;
	bool coherent = false;

	vkGetPhysicalDeviceMemoryProperties(device, &memory);
	for (uint32_t i = 0; i < memory.memoryTypeCount; i++)
		coherent |= (memory.memoryTypes[i].propertyFlags & wanted) == wanted;
	return check(coherent && memory.memoryHeapCount > 0, "memory",
		     "%u types, %u heaps, the first of %llu MiB", memory.memoryTypeCount,
		     memory.memoryHeapCount,
		     (unsigned long long)memory.memoryHeaps[0].size / (1u << 20));
}

static bool show_queues(PFN_vkGetInstanceProcAddr lookup, VkInstance instance,
			VkPhysicalDevice device)
{
	INSTANCE_FN(lookup, instance, GetPhysicalDeviceQueueFamilyProperties);
	VkQueueFamilyProperties families[16];
	uint32_t n = 0, again = 16;

	vkGetPhysicalDeviceQueueFamilyProperties(device, &n, NULL);
	vkGetPhysicalDeviceQueueFamilyProperties(device, &again, families);
	return check(n > 0 && n == again, "queues", "%u families, the first has %u with flags %#x",
		     n, families[0].queueCount, families[0].queueFlags);
}

static bool show_device(PFN_vkGetInstanceProcAddr lookup, VkInstance instance,
			VkPhysicalDevice device)
{
	INSTANCE_FN(lookup, instance, GetPhysicalDeviceFeatures);
	INSTANCE_FN(lookup, instance, EnumerateDeviceExtensionProperties);
	VkPhysicalDeviceFeatures features;
	uint32_t n = 0;

	vkGetPhysicalDeviceFeatures(device, &features);
	return show_properties(lookup, instance, device) && show_memory(lookup, instance, device) &&
	       show_queues(lookup, instance, device) &&
	       check(!features.sparseBinding, "features", "sparse binding is masked") &&
	       check(vkEnumerateDeviceExtensionProperties(device, NULL, &n, NULL) == VK_SUCCESS,
		     "extensions", "%u are listed", n);
}

bool phase2(bool direct)
{
	VkPhysicalDevice devices[MAX_DEVICES];
	uint32_t n = MAX_DEVICES;
	PFN_vkGetInstanceProcAddr lookup;
	VkInstance instance;
	VkResult result;
	bool ok;

	puts("Phase 2: the server's devices can be queried");
	instance = open_instance(direct, &lookup);
	if (instance == VK_NULL_HANDLE)
		return false;
	INSTANCE_FN(lookup, instance, EnumeratePhysicalDevices);
	INSTANCE_FN(lookup, instance, DestroyInstance);
	result = vkEnumeratePhysicalDevices(instance, &n, devices);
	ok = check(result == VK_SUCCESS && n > 0, "vkEnumeratePhysicalDevices", "%s, %u devices",
		   result_text(result), n);
	for (uint32_t i = 0; i < n && ok; i++)
		ok = show_device(lookup, instance, devices[i]);
	vkDestroyInstance(instance, NULL);
	return ok;
}
