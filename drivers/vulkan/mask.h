/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "vulkan/icd.h"

/*
 * What the application may see of the server's device: nothing that this driver does not carry.
 *
 * Taken away are Vulkan versions above ours, sparse resources and protected memory. Of extensions
 * those remain that became core, of external handles none. The name says that the device is remote.
 */

// The properties, features, memory, queue families and extensions that were just received.
void icd_mask_device(struct icd_physical *p);

void icd_mask_features(VkPhysicalDeviceFeatures *f);

// Structs behind a VkPhysicalDeviceFeatures2 or VkPhysicalDeviceProperties2.
void icd_mask_chain(void *next);
