/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "vulkan/icd.h"

/*
 * What the application may see of the server's device: nothing that this driver does not carry.
 *
 * Taken away are Vulkan versions above ours, sparse resources and protected memory. Extensions and
 * external handles are never listed in the first place. The name says that the device is remote.
 */

// The properties, features, memory and queue families that were just received.
void icd_mask_device(struct icd_physical *p);

void icd_mask_features(VkPhysicalDeviceFeatures *f);

// Structs behind a VkPhysicalDeviceFeatures2 or VkPhysicalDeviceProperties2.
void icd_mask_chain(void *next);
