// SPDX-License-Identifier: BSD-3-Clause
#include "check.h"

#include <stdarg.h>
#include <stdio.h>

bool check(bool ok, const char *what, const char *fmt, ...)
{
	va_list ap;

	printf("  %s  %s: ", ok ? "ok  " : "FAIL", what);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	return ok;
}

const char *result_text(VkResult result)
{
	static char other[40];

	switch (result) {
	case VK_SUCCESS:
		return "VK_SUCCESS";
	case VK_ERROR_INITIALIZATION_FAILED:
		return "VK_ERROR_INITIALIZATION_FAILED (is venus-server running?)";
	case VK_ERROR_INCOMPATIBLE_DRIVER:
		return "VK_ERROR_INCOMPATIBLE_DRIVER (no driver works; is venus-server running?)";
	case VK_ERROR_DEVICE_LOST:
		return "VK_ERROR_DEVICE_LOST (the server is gone)";
	default:
		snprintf(other, sizeof(other), "VkResult %d", result);
		return other;
	}
}

VkInstance open_instance(bool direct, PFN_vkGetInstanceProcAddr *lookup)
{
	const VkApplicationInfo app = {
		.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
		.pApplicationName = "venus-test-app",
		.apiVersion = VK_API_VERSION_1_3,
	};
	const VkInstanceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
		.pApplicationInfo = &app,
	};
	struct entry e = direct ? entry_direct() : entry_loader();
	VkInstance instance = VK_NULL_HANDLE;
	PFN_vkCreateInstance create;
	VkResult result;

	if (e.lookup == NULL) {
		check(false, "driver", "%s", e.error);
		return VK_NULL_HANDLE;
	}
	*lookup = e.lookup;
	create = (PFN_vkCreateInstance)e.lookup(VK_NULL_HANDLE, "vkCreateInstance");
	result = create != NULL ? create(&info, NULL, &instance) : VK_ERROR_INITIALIZATION_FAILED;
	if (result != VK_SUCCESS)
		check(false, "vkCreateInstance", "%s", result_text(result));
	return instance;
}
