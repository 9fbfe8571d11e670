// SPDX-License-Identifier: BSD-3-Clause
#include <time.h>

#include "base/clock.h"
#include "vulkan/icd.h"

/*
 * Submitting and waiting. A wait on the server is cut into slices: the connection serves one
 * command at a time, and another thread's submission may be what the wait is for. The bound on
 * every single answer is what finds a dead server however long the application wants to wait.
 */
#define SLICE_NS 10000000u

static struct icd_device *device_of(VkDevice device)
{
	return (struct icd_device *)device;
}

// After a successful wait the application may look at what the GPU wrote.
static VkResult waited(struct icd_device *dev, VkResult result)
{
	if (result == VK_SUCCESS && icd_memory_download(dev) < 0)
		return VK_ERROR_DEVICE_LOST;
	return result;
}

// Before the GPU runs, it must see what the application wrote.
static VkResult submitting(struct icd_queue *q)
{
	__atomic_store_n(&q->device->submitted, true, __ATOMIC_RELAXED);
	return icd_memory_upload(q->device) < 0 ? VK_ERROR_DEVICE_LOST : VK_SUCCESS;
}

static VkResult submit(struct icd_queue *q, unsigned int command, const void *args)
{
	if (submitting(q) != VK_SUCCESS || icd_queue(q, command, args, true) < 0)
		return VK_ERROR_DEVICE_LOST;
	return VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL icd_vkQueueSubmit(VkQueue queue, uint32_t n,
						 const VkSubmitInfo *submits, VkFence fence)
{
	const struct rp_vn_args_vkQueueSubmit a = {queue, n, submits, fence, VK_SUCCESS};

	return submit((struct icd_queue *)queue, RP_VN_IDX_vkQueueSubmit, &a);
}

VKAPI_ATTR VkResult VKAPI_CALL icd_vkQueueSubmit2(VkQueue queue, uint32_t n,
						  const VkSubmitInfo2 *submits, VkFence fence)
{
	const struct rp_vn_args_vkQueueSubmit2 a = {queue, n, submits, fence, VK_SUCCESS};

	return submit((struct icd_queue *)queue, RP_VN_IDX_vkQueueSubmit2, &a);
}

// The host lets the GPU go on: what the host wrote before must be there.
VKAPI_ATTR VkResult VKAPI_CALL icd_vkSetEvent(VkDevice device, VkEvent event)
{
	const struct rp_vn_args_vkSetEvent a = {device, event, VK_SUCCESS};

	if (icd_memory_upload(device_of(device)) < 0 ||
	    icd_queue(device, RP_VN_IDX_vkSetEvent, &a, true) < 0)
		return VK_ERROR_DEVICE_LOST;
	return VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL icd_vkSignalSemaphore(VkDevice device,
						     const VkSemaphoreSignalInfo *info)
{
	const struct rp_vn_args_vkSignalSemaphore a = {device, info, VK_SUCCESS};

	if (icd_memory_upload(device_of(device)) < 0 ||
	    icd_queue(device, RP_VN_IDX_vkSignalSemaphore, &a, true) < 0)
		return VK_ERROR_DEVICE_LOST;
	return VK_SUCCESS;
}

// The next slice of a wait that began at `start`; 0 when the time is over.
static uint64_t next_slice(uint64_t start, uint64_t timeout_ns)
{
	uint64_t passed = rp_clock_ns() - start;

	if (passed >= timeout_ns)
		return 0;
	return timeout_ns - passed < SLICE_NS ? timeout_ns - passed : SLICE_NS;
}

VkResult icd_wait_fences(struct icd_device *dev, uint32_t n, const VkFence *fences, VkBool32 all,
			 uint64_t timeout_ns)
{
	uint64_t start = rp_clock_ns(), slice = timeout_ns < SLICE_NS ? timeout_ns : SLICE_NS;
	struct rp_vn_args_vkWaitForFences a;

	do {
		a = (struct rp_vn_args_vkWaitForFences){(VkDevice)dev, n,     fences,
							all,	       slice, VK_SUCCESS};
		if (icd_sync(dev, RP_VN_IDX_vkWaitForFences, &a) < 0)
			return VK_ERROR_DEVICE_LOST;
		slice = next_slice(start, timeout_ns);
	} while (a.ret == VK_TIMEOUT && slice > 0);
	return waited(dev, a.ret);
}

VKAPI_ATTR VkResult VKAPI_CALL icd_vkWaitForFences(VkDevice device, uint32_t n,
						   const VkFence *fences, VkBool32 all,
						   uint64_t timeout_ns)
{
	return icd_wait_fences(device_of(device), n, fences, all, timeout_ns);
}

VKAPI_ATTR VkResult VKAPI_CALL icd_vkWaitSemaphores(VkDevice device,
						    const VkSemaphoreWaitInfo *info,
						    uint64_t timeout_ns)
{
	uint64_t start = rp_clock_ns(), slice = timeout_ns < SLICE_NS ? timeout_ns : SLICE_NS;
	struct rp_vn_args_vkWaitSemaphores a;

	do {
		a = (struct rp_vn_args_vkWaitSemaphores){device, info, slice, VK_SUCCESS};
		if (icd_sync(device, RP_VN_IDX_vkWaitSemaphores, &a) < 0)
			return VK_ERROR_DEVICE_LOST;
		slice = next_slice(start, timeout_ns);
	} while (a.ret == VK_TIMEOUT && slice > 0);
	return waited(device_of(device), a.ret);
}

VKAPI_ATTR VkResult VKAPI_CALL icd_vkGetFenceStatus(VkDevice device, VkFence fence)
{
	struct rp_vn_args_vkGetFenceStatus a = {device, fence, VK_SUCCESS};

	if (icd_sync(device, RP_VN_IDX_vkGetFenceStatus, &a) < 0)
		return VK_ERROR_DEVICE_LOST;
	return waited(device_of(device), a.ret);
}

VKAPI_ATTR VkResult VKAPI_CALL icd_vkGetSemaphoreCounterValue(VkDevice device,
							      VkSemaphore semaphore,
							      uint64_t *value)
{
	struct rp_vn_args_vkGetSemaphoreCounterValue a = {device, semaphore, value, VK_SUCCESS};

	if (icd_sync(device, RP_VN_IDX_vkGetSemaphoreCounterValue, &a) < 0)
		return VK_ERROR_DEVICE_LOST;
	return waited(device_of(device), a.ret);
}

VKAPI_ATTR VkResult VKAPI_CALL icd_vkGetEventStatus(VkDevice device, VkEvent event)
{
	struct rp_vn_args_vkGetEventStatus a = {device, event, VK_SUCCESS};

	if (icd_sync(device, RP_VN_IDX_vkGetEventStatus, &a) < 0)
		return VK_ERROR_DEVICE_LOST;
	if (a.ret == VK_EVENT_SET && waited(device_of(device), VK_SUCCESS) != VK_SUCCESS)
		return VK_ERROR_DEVICE_LOST;
	return a.ret;
}

// A fence behind all that was submitted. An idle wait would block the server for as long as the GPU
// works.
static VkResult wait_queue(struct icd_queue *q)
{
	const VkFenceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
	VkDevice device = (VkDevice)q->device;
	VkFence fence;
	const struct rp_vn_args_vkCreateFence create = {device, &info, NULL, &fence, VK_SUCCESS};
	struct rp_vn_args_vkQueueSubmit submit_fence = {.queue = (VkQueue)q};
	struct rp_vn_args_vkDestroyFence destroy = {.device = device};
	VkResult result;

	icd_new_ids(q, (uint64_t *)&fence, 1);
	submit_fence.fence = fence;
	destroy.fence = fence;
	if (icd_queue(device, RP_VN_IDX_vkCreateFence, &create, false) < 0 ||
	    icd_queue(q, RP_VN_IDX_vkQueueSubmit, &submit_fence, false) < 0)
		return VK_ERROR_DEVICE_LOST;
	result = icd_wait_fences(q->device, 1, &fence, VK_TRUE, UINT64_MAX);
	icd_queue(device, RP_VN_IDX_vkDestroyFence, &destroy, false);
	return result;
}

VKAPI_ATTR VkResult VKAPI_CALL icd_vkQueueWaitIdle(VkQueue queue)
{
	return wait_queue((struct icd_queue *)queue);
}

VKAPI_ATTR VkResult VKAPI_CALL icd_vkDeviceWaitIdle(VkDevice device)
{
	struct icd_device *dev = device_of(device);
	VkResult result = VK_SUCCESS;
	struct icd_queue *q;

	// Queues live as long as their device and are only ever added in front.
	pthread_mutex_lock(&dev->lock);
	q = LIST_FIRST(&dev->queues);
	pthread_mutex_unlock(&dev->lock);
	for (; q != NULL && result == VK_SUCCESS; q = LIST_NEXT(q, entry))
		result = wait_queue(q);
	return result;
}

// The application's wait happens here, not on the server.
VKAPI_ATTR VkResult VKAPI_CALL icd_vkGetQueryPoolResults(VkDevice device, VkQueryPool pool,
							 uint32_t first, uint32_t n, size_t size,
							 void *data, VkDeviceSize stride,
							 VkQueryResultFlags flags)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	const bool wait = (flags & VK_QUERY_RESULT_WAIT_BIT) != 0;
	struct rp_vn_args_vkGetQueryPoolResults a = {device, pool,   first, n,	       size,
						     data,   stride, flags, VK_SUCCESS};

	if (wait)
		a.flags &= ~(VkFlags)(VK_QUERY_RESULT_WAIT_BIT | VK_QUERY_RESULT_PARTIAL_BIT);
	for (;;) {
		if (icd_sync(device, RP_VN_IDX_vkGetQueryPoolResults, &a) < 0)
			return VK_ERROR_DEVICE_LOST;
		if (!wait || a.ret != VK_NOT_READY)
			return a.ret;
		nanosleep(&pause, NULL);
	}
}
