// SPDX-License-Identifier: BSD-3-Clause
#include <stdio.h>

#include "check.h"

#define VERSION_FMT "%u.%u.%u"
#define VERSION(v)  VK_API_VERSION_MAJOR(v), VK_API_VERSION_MINOR(v), VK_API_VERSION_PATCH(v)

static bool version_direct(uint32_t *version)
{
	struct entry e = entry_direct();
	PFN_vkEnumerateInstanceVersion fn = NULL;
	VkResult result;

	if (e.lookup == NULL)
		return check(false, "driver", "%s", e.error);
	fn = (PFN_vkEnumerateInstanceVersion)e.lookup(VK_NULL_HANDLE, "vkEnumerateInstanceVersion");
	if (fn == NULL)
		return check(false, "driver", "it has no vkEnumerateInstanceVersion");
	result = fn(version);
	if (result != VK_SUCCESS)
		return check(false, "vkEnumerateInstanceVersion by the driver", "%s",
			     result_text(result));
	return check(true, "vkEnumerateInstanceVersion by the driver", VERSION_FMT,
		     VERSION(*version));
}

static bool version_loader(const struct entry *e, uint32_t expected)
{
	PFN_vkEnumerateInstanceVersion fn = (PFN_vkEnumerateInstanceVersion)e->lookup(
		VK_NULL_HANDLE, "vkEnumerateInstanceVersion");
	uint32_t version = 0;
	VkResult result = fn != NULL ? fn(&version) : VK_ERROR_INITIALIZATION_FAILED;

	if (result != VK_SUCCESS)
		return check(false, "vkEnumerateInstanceVersion by the loader", "%s",
			     result_text(result));
	return check(version == expected, "vkEnumerateInstanceVersion by the loader and the layer",
		     VERSION_FMT ", the server's is " VERSION_FMT, VERSION(version),
		     VERSION(expected));
}

static bool make_instance(const struct entry *e, uint32_t version, const char *how)
{
	const VkApplicationInfo app = {
		.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
		.pApplicationName = "venus-test-app",
		.apiVersion = version,
	};
	const VkInstanceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
		.pApplicationInfo = &app,
	};
	PFN_vkCreateInstance create =
		(PFN_vkCreateInstance)e->lookup(VK_NULL_HANDLE, "vkCreateInstance");
	PFN_vkDestroyInstance destroy;
	VkInstance instance = VK_NULL_HANDLE;
	VkResult result =
		create != NULL ? create(&info, NULL, &instance) : VK_ERROR_INITIALIZATION_FAILED;

	if (result != VK_SUCCESS)
		return check(false, how, "%s", result_text(result));
	destroy = (PFN_vkDestroyInstance)e->lookup(instance, "vkDestroyInstance");
	if (destroy == NULL)
		return check(false, how, "no vkDestroyInstance");
	destroy(instance, NULL);
	return check(true, how, "made and destroyed");
}

bool phase1(bool direct)
{
	struct entry e;
	uint32_t version;

	puts("Phase 1: the server's Vulkan version reaches the application");
	if (!version_direct(&version))
		return false;
	e = entry_direct();
	if (!make_instance(&e, version, "vkCreateInstance by the driver"))
		return false;
	if (direct)
		return true;
	e = entry_loader();
	if (e.lookup == NULL)
		return check(false, "loader", "%s", e.error);
	return make_instance(&e, version, "vkCreateInstance by the loader") &&
	       version_loader(&e, version);
}
