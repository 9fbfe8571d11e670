// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "venus/twin.h"
#include "vulkan/icd.h"

/*
 * Mapped memory. The application gets a shadow of its own; venus/twin.h says how it is kept equal
 * with the server's memory. Coherent memory is uploaded before every submission and downloaded
 * after every successful wait; other memory when the application flushes and invalidates.
 */

static struct icd_device *device_of(VkDevice device)
{
	return (struct icd_device *)device;
}

static struct icd_memory *memory_of(VkDeviceMemory memory)
{
	return (struct icd_memory *)memory;
}

static int upload(struct icd_device *dev, struct icd_memory *m, uint64_t offset, uint64_t size)
{
	size_t from = offset, start, len;
	int rc = 0;

	while (rc == 0 && rp_vn_twin_next(m->shadow, m->twin, &from, offset + size,
					  RP_VN_MAX_TRANSFER, &start, &len)) {
		const struct rp_vn_memory_range range = {dev->obj.id, m->obj.id, start, len};

		// By way of the twin, so that both ends agree even if the application writes on.
		memcpy(m->twin + start, m->shadow + start, len);
		rc = rp_vn_client_write_memory(dev->obj.client, &range, m->twin + start);
	}
	return rc;
}

static int download(struct icd_device *dev, struct icd_memory *m, uint64_t offset, uint64_t size)
{
	int rc = 0;

	for (uint64_t at = offset; at < offset + size && rc == 0; at += RP_VN_MAX_TRANSFER) {
		uint64_t left = offset + size - at;
		const struct rp_vn_memory_range range = {
			dev->obj.id, m->obj.id, at,
			left < RP_VN_MAX_TRANSFER ? left : RP_VN_MAX_TRANSFER};

		rc = rp_vn_client_read_memory(dev->obj.client, &range, m->shadow, m->twin);
	}
	return rc;
}

static int transfer_coherent(struct icd_device *dev,
			     int (*fn)(struct icd_device *, struct icd_memory *, uint64_t,
				       uint64_t))
{
	struct icd_memory *m;
	int rc = 0;

	pthread_mutex_lock(&dev->memory_lock);
	LIST_FOREACH (m, &dev->mapped, entry) {
		if (rc == 0 && (m->flags & VK_MEMORY_PROPERTY_HOST_COHERENT_BIT))
			rc = fn(dev, m, m->map_offset, m->map_size);
	}
	pthread_mutex_unlock(&dev->memory_lock);
	return rc;
}

int icd_memory_upload(struct icd_device *dev)
{
	return transfer_coherent(dev, upload);
}

int icd_memory_download(struct icd_device *dev)
{
	if (!__atomic_load_n(&dev->submitted, __ATOMIC_RELAXED))
		return 0;
	return transfer_coherent(dev, download);
}

VKAPI_ATTR VkResult VKAPI_CALL icd_vkAllocateMemory(VkDevice device,
						    const VkMemoryAllocateInfo *info,
						    const VkAllocationCallbacks *,
						    VkDeviceMemory *memory)
{
	struct icd_device *dev = device_of(device);
	const VkPhysicalDeviceMemoryProperties *types = &dev->physical->memory;
	struct icd_memory *m = icd_object_new(sizeof(*m), dev->obj.client);
	VkDeviceMemory handle = (VkDeviceMemory)m;
	struct rp_vn_args_vkAllocateMemory a = {
		.device = device, .pAllocateInfo = info, .pMemory = &handle};

	*memory = VK_NULL_HANDLE;
	if (m == NULL)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	m->size = info->allocationSize;
	if (info->memoryTypeIndex < types->memoryTypeCount)
		m->flags = types->memoryTypes[info->memoryTypeIndex].propertyFlags;
	if (icd_sync(device, RP_VN_IDX_vkAllocateMemory, &a) < 0)
		a.ret = VK_ERROR_OUT_OF_DEVICE_MEMORY;
	if (a.ret == VK_SUCCESS)
		*memory = (VkDeviceMemory)m;
	else
		free(m);
	return a.ret;
}

static void memory_unlist(struct icd_memory *m)
{
	if (m->map_size > 0)
		LIST_REMOVE(m, entry);
	m->map_size = 0;
}

static void memory_free(struct icd_memory *m)
{
	if (m->shadow != NULL)
		munmap(m->shadow, 2 * m->size);
	free(m);
}

VKAPI_ATTR void VKAPI_CALL icd_vkFreeMemory(VkDevice device, VkDeviceMemory memory,
					    const VkAllocationCallbacks *)
{
	struct rp_vn_args_vkFreeMemory a = {.device = device, .memory = memory};
	struct icd_device *dev = device_of(device);

	if (memory == VK_NULL_HANDLE)
		return;
	pthread_mutex_lock(&dev->memory_lock);
	memory_unlist(memory_of(memory));
	icd_queue(device, RP_VN_IDX_vkFreeMemory, &a, false);
	pthread_mutex_unlock(&dev->memory_lock);
	memory_free(memory_of(memory));
}

// What is still mapped when the device goes; memory that is not mapped belongs to the application.
void icd_memory_free_all(struct icd_device *dev)
{
	struct icd_memory *m;

	while ((m = LIST_FIRST(&dev->mapped)) != NULL) {
		memory_unlist(m);
		memory_free(m);
	}
}

// Shadow and twin side by side. Both begin as zeros, as the server's twin does.
static int make_shadow(struct icd_memory *m)
{
	void *p;

	if (m->shadow != NULL)
		return 0;
	p = mmap(NULL, 2 * m->size, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return -ENOMEM;
	m->shadow = p;
	m->twin = m->shadow + m->size;
	return 0;
}

VKAPI_ATTR VkResult VKAPI_CALL icd_vkMapMemory(VkDevice device, VkDeviceMemory memory,
					       VkDeviceSize offset, VkDeviceSize size,
					       VkMemoryMapFlags, void **data)
{
	struct icd_device *dev = device_of(device);
	struct icd_memory *m = memory_of(memory);
	int rc;

	if (!(m->flags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT) || offset >= m->size)
		return VK_ERROR_MEMORY_MAP_FAILED;
	if (size > m->size - offset)
		size = m->size - offset; // VK_WHOLE_SIZE
	pthread_mutex_lock(&dev->memory_lock);
	rc = make_shadow(m);
	// Whatever the GPU or an earlier owner left there is what the application must see.
	if (rc == 0)
		rc = download(dev, m, offset, size);
	if (rc == 0 && m->map_size == 0) {
		m->map_offset = offset;
		m->map_size = size;
		LIST_INSERT_HEAD(&dev->mapped, m, entry);
	}
	pthread_mutex_unlock(&dev->memory_lock);
	if (rc < 0)
		return VK_ERROR_MEMORY_MAP_FAILED;
	*data = m->shadow + offset;
	return VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL icd_vkUnmapMemory(VkDevice device, VkDeviceMemory memory)
{
	struct icd_device *dev = device_of(device);
	struct icd_memory *m = memory_of(memory);

	pthread_mutex_lock(&dev->memory_lock);
	if (m->map_size > 0 && (m->flags & VK_MEMORY_PROPERTY_HOST_COHERENT_BIT))
		upload(dev, m, m->map_offset, m->map_size);
	memory_unlist(m);
	pthread_mutex_unlock(&dev->memory_lock);
}

static VkResult transfer_ranges(VkDevice device, uint32_t n, const VkMappedMemoryRange *ranges,
				int (*fn)(struct icd_device *, struct icd_memory *, uint64_t,
					  uint64_t))
{
	struct icd_device *dev = device_of(device);
	int rc = 0;

	pthread_mutex_lock(&dev->memory_lock);
	for (uint32_t i = 0; i < n && rc == 0; i++) {
		struct icd_memory *m = memory_of(ranges[i].memory);
		uint64_t end = m->map_offset + m->map_size, size = ranges[i].size;

		if (ranges[i].offset < m->map_offset || ranges[i].offset >= end)
			continue;
		if (size > end - ranges[i].offset)
			size = end - ranges[i].offset; // VK_WHOLE_SIZE
		rc = fn(dev, m, ranges[i].offset, size);
	}
	pthread_mutex_unlock(&dev->memory_lock);
	return rc < 0 ? VK_ERROR_OUT_OF_HOST_MEMORY : VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL icd_vkFlushMappedMemoryRanges(VkDevice device, uint32_t n,
							     const VkMappedMemoryRange *ranges)
{
	return transfer_ranges(device, n, ranges, upload);
}

VKAPI_ATTR VkResult VKAPI_CALL icd_vkInvalidateMappedMemoryRanges(VkDevice device, uint32_t n,
								  const VkMappedMemoryRange *ranges)
{
	return transfer_ranges(device, n, ranges, download);
}
