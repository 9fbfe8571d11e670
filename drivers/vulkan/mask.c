// SPDX-License-Identifier: BSD-3-Clause
#include "vulkan/mask.h"

#include <bsd/string.h>
#include <stdio.h>

#include "vulkan/connect.h"

void icd_mask_features(VkPhysicalDeviceFeatures *f)
{
	f->sparseBinding = VK_FALSE;
	f->sparseResidencyBuffer = VK_FALSE;
	f->sparseResidencyImage2D = VK_FALSE;
	f->sparseResidencyImage3D = VK_FALSE;
	f->sparseResidency2Samples = VK_FALSE;
	f->sparseResidency4Samples = VK_FALSE;
	f->sparseResidency8Samples = VK_FALSE;
	f->sparseResidency16Samples = VK_FALSE;
	f->sparseResidencyAliased = VK_FALSE;
}

static void mask_properties(VkPhysicalDeviceProperties *p)
{
	char name[VK_MAX_PHYSICAL_DEVICE_NAME_SIZE];

	// The patch number is the server's business.
	if (VK_API_VERSION_MINOR(p->apiVersion) > VK_API_VERSION_MINOR(ICD_API_VERSION) ||
	    VK_API_VERSION_MAJOR(p->apiVersion) > VK_API_VERSION_MAJOR(ICD_API_VERSION))
		p->apiVersion = ICD_API_VERSION;
	p->deviceName[sizeof(p->deviceName) - 1] = '\0';
	strlcpy(name, p->deviceName, sizeof(name));
	strlcpy(p->deviceName, "Venus: ", sizeof(p->deviceName));
	strlcat(p->deviceName, name, sizeof(p->deviceName));
	p->sparseProperties = (VkPhysicalDeviceSparseProperties){0};
}

static const struct icd_extension *find_extension(const char *name)
{
	for (size_t i = 0; i < icd_n_extensions; i++) {
		if (strcmp(icd_extensions[i].name, name) == 0)
			return &icd_extensions[i];
	}
	return NULL;
}

// What the server has, as far as it is core in the version of the device.
static void mask_extensions(struct icd_physical *p)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < p->n_extensions; i++) {
		VkExtensionProperties e = p->extensions[i];
		const struct icd_extension *ours;

		e.extensionName[sizeof(e.extensionName) - 1] = '\0';
		ours = find_extension(e.extensionName);
		if (ours == NULL || ours->minor > VK_API_VERSION_MINOR(p->properties.apiVersion))
			continue;
		if (e.specVersion > ours->spec_version)
			e.specVersion = ours->spec_version;
		p->extensions[kept++] = e;
	}
	p->n_extensions = kept;
}

void icd_mask_device(struct icd_physical *p)
{
	mask_properties(&p->properties);
	icd_mask_features(&p->features);
	mask_extensions(p);
	for (uint32_t i = 0; i < p->n_families; i++)
		p->families[i].queueFlags &=
			~(VkQueueFlags)(VK_QUEUE_SPARSE_BINDING_BIT | VK_QUEUE_PROTECTED_BIT);
}

void icd_mask_chain(void *next)
{
	for (VkBaseOutStructure *s = next; s != NULL; s = s->pNext) {
		switch (s->sType) {
		case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES:
			((VkPhysicalDeviceVulkan11Features *)s)->protectedMemory = VK_FALSE;
			break;
		case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROTECTED_MEMORY_FEATURES:
			((VkPhysicalDeviceProtectedMemoryFeatures *)s)->protectedMemory = VK_FALSE;
			break;
		case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_PROPERTIES:
			((VkPhysicalDeviceVulkan11Properties *)s)->deviceLUIDValid = VK_FALSE;
			break;
		case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES:
			((VkPhysicalDeviceIDProperties *)s)->deviceLUIDValid = VK_FALSE;
			break;
		default:
			break;
		}
	}
}
