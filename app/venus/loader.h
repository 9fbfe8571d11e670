/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>
#include <vulkan/vulkan_core.h>

// The two ways to a Vulkan driver that the test program tries.
struct entry {
	PFN_vkGetInstanceProcAddr lookup;
	const char *error; // why lookup is NULL
};

// Through the system's loader, with the version layer switched on where it can be found.
struct entry entry_loader(void);

// The driver library itself, as named by the manifest in VK_DRIVER_FILES or by the installed one.
struct entry entry_direct(void);
