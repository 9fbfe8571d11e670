/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "check.h"

/*
 * A device with one queue, and what the phases that compute and draw share. Every function reports
 * what fails by check() and returns false.
 */
#define GPU_FUNCTIONS(X)                                                                           \
	X(DestroyInstance)                                                                         \
	X(EnumeratePhysicalDevices)                                                                \
	X(GetPhysicalDeviceProperties)                                                             \
	X(GetPhysicalDeviceMemoryProperties)                                                       \
	X(GetPhysicalDeviceQueueFamilyProperties)                                                  \
	X(CreateDevice)                                                                            \
	X(DestroyDevice)                                                                           \
	X(GetDeviceQueue)                                                                          \
	X(DeviceWaitIdle)                                                                          \
	X(CreateBuffer)                                                                            \
	X(DestroyBuffer)                                                                           \
	X(GetBufferMemoryRequirements)                                                             \
	X(AllocateMemory)                                                                          \
	X(FreeMemory)                                                                              \
	X(MapMemory)                                                                               \
	X(UnmapMemory)                                                                             \
	X(BindBufferMemory)                                                                        \
	X(CreateShaderModule)                                                                      \
	X(DestroyShaderModule)                                                                     \
	X(CreateDescriptorSetLayout)                                                               \
	X(DestroyDescriptorSetLayout)                                                              \
	X(CreateDescriptorPool)                                                                    \
	X(DestroyDescriptorPool)                                                                   \
	X(AllocateDescriptorSets)                                                                  \
	X(UpdateDescriptorSets)                                                                    \
	X(CreatePipelineLayout)                                                                    \
	X(DestroyPipelineLayout)                                                                   \
	X(CreateComputePipelines)                                                                  \
	X(DestroyPipeline)                                                                         \
	X(CreateCommandPool)                                                                       \
	X(DestroyCommandPool)                                                                      \
	X(AllocateCommandBuffers)                                                                  \
	X(BeginCommandBuffer)                                                                      \
	X(EndCommandBuffer)                                                                        \
	X(CmdBindPipeline)                                                                         \
	X(CmdBindDescriptorSets)                                                                   \
	X(CmdPushConstants)                                                                        \
	X(CmdDispatch)                                                                             \
	X(CmdPipelineBarrier)                                                                      \
	X(CmdFillBuffer)                                                                           \
	X(CmdCopyBuffer)                                                                           \
	X(CreateFence)                                                                             \
	X(DestroyFence)                                                                            \
	X(ResetFences)                                                                             \
	X(GetFenceStatus)                                                                          \
	X(WaitForFences)                                                                           \
	X(QueueSubmit)                                                                             \
	X(QueueWaitIdle)                                                                           \
	X(CreateImage)                                                                             \
	X(DestroyImage)                                                                            \
	X(GetImageMemoryRequirements)                                                              \
	X(BindImageMemory)                                                                         \
	X(CreateImageView)                                                                         \
	X(DestroyImageView)                                                                        \
	X(CreateRenderPass)                                                                        \
	X(DestroyRenderPass)                                                                       \
	X(CreateFramebuffer)                                                                       \
	X(DestroyFramebuffer)                                                                      \
	X(CreateGraphicsPipelines)                                                                 \
	X(CmdBeginRenderPass)                                                                      \
	X(CmdEndRenderPass)                                                                        \
	X(CmdSetViewport)                                                                          \
	X(CmdSetScissor)                                                                           \
	X(CmdDraw)                                                                                 \
	X(CmdCopyImageToBuffer)

struct gpu {
	VkInstance instance;
	VkPhysicalDevice physical;
	VkDevice device;
	VkQueue queue;
	uint32_t family;
	VkCommandPool pool;
	VkCommandBuffer commands;
	VkFence fence;
#define X(name) PFN_vk##name name;
	GPU_FUNCTIONS(X)
#undef X
};

struct gpu_buffer {
	VkBuffer buffer;
	VkDeviceMemory memory;
	VkDeviceSize size;
	void *data; // mapped
};

bool gpu_open(struct gpu *g, bool direct);
void gpu_close(struct gpu *g);

// A buffer in host-visible memory, mapped.
bool gpu_buffer_make(struct gpu *g, struct gpu_buffer *b, VkDeviceSize size,
		     VkBufferUsageFlags usage);
void gpu_buffer_free(struct gpu *g, struct gpu_buffer *b);

// Memory of a type that has all of `flags`, or VK_NULL_HANDLE.
VkDeviceMemory gpu_allocate(struct gpu *g, const VkMemoryRequirements *r,
			    VkMemoryPropertyFlags flags);

VkShaderModule gpu_shader(struct gpu *g, const uint32_t *words, size_t bytes);

// The one command buffer: begin, then submit and wait for the end.
bool gpu_begin(struct gpu *g);
bool gpu_run(struct gpu *g);

// A checksum to compare runs by: FNV-1a.
uint64_t gpu_checksum(const void *data, size_t len);
