/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "loader.h"

// One line of the report: "  ok    what: detail" or "  FAIL  ...". Returns ok.
__attribute__((format(printf, 3, 4))) bool check(bool ok, const char *what, const char *fmt, ...);

const char *result_text(VkResult result);

// An instance by the loader or the driver, reported; VK_NULL_HANDLE when that failed.
VkInstance open_instance(bool direct, PFN_vkGetInstanceProcAddr *lookup);

// Fetch an entry point into a variable of the same name.
#define INSTANCE_FN(lookup, instance, name)                                                        \
	PFN_vk##name vk##name = (PFN_vk##name)(lookup)(instance, "vk" #name)

// The phases. True: everything held. With `direct` the driver library is called without the loader.
bool phase1(bool direct);
bool phase2(bool direct);
bool phase3(bool direct);
bool phase4(bool direct);

// Measure and print; false where something failed.
bool bench(bool direct);
