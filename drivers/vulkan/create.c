// SPDX-License-Identifier: BSD-3-Clause
#include "vulkan/icd.h"

/*
 * Objects whose creation structs hold members that Vulkan ignores in some states: an application
 * may leave rubbish there, which must be neither followed nor sent.
 */

#define MAX_SCRATCH (64u << 20)

static void clean_buffer(VkBufferCreateInfo *info)
{
	if (info->sharingMode == VK_SHARING_MODE_CONCURRENT)
		return;
	info->queueFamilyIndexCount = 0;
	info->pQueueFamilyIndices = NULL;
}

static void clean_image(VkImageCreateInfo *info)
{
	if (info->sharingMode == VK_SHARING_MODE_CONCURRENT)
		return;
	info->queueFamilyIndexCount = 0;
	info->pQueueFamilyIndices = NULL;
}

VKAPI_ATTR VkResult VKAPI_CALL icd_vkCreateBuffer(VkDevice device, const VkBufferCreateInfo *info,
						  const VkAllocationCallbacks *, VkBuffer *buffer)
{
	VkBufferCreateInfo sent = *info;
	const struct rp_vn_args_vkCreateBuffer a = {device, &sent, NULL, buffer, VK_SUCCESS};

	clean_buffer(&sent);
	icd_new_ids(device, (uint64_t *)buffer, 1);
	if (icd_queue(device, RP_VN_IDX_vkCreateBuffer, &a, false) < 0)
		return VK_ERROR_OUT_OF_DEVICE_MEMORY;
	return VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL icd_vkCreateImage(VkDevice device, const VkImageCreateInfo *info,
						 const VkAllocationCallbacks *, VkImage *image)
{
	VkImageCreateInfo sent = *info;
	const struct rp_vn_args_vkCreateImage a = {device, &sent, NULL, image, VK_SUCCESS};

	clean_image(&sent);
	icd_new_ids(device, (uint64_t *)image, 1);
	if (icd_queue(device, RP_VN_IDX_vkCreateImage, &a, false) < 0)
		return VK_ERROR_OUT_OF_DEVICE_MEMORY;
	return VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL icd_vkGetDeviceBufferMemoryRequirements(
	VkDevice device, const VkDeviceBufferMemoryRequirements *info,
	VkMemoryRequirements2 *requirements)
{
	VkDeviceBufferMemoryRequirements sent = *info;
	VkBufferCreateInfo buffer = *info->pCreateInfo;
	struct rp_vn_args_vkGetDeviceBufferMemoryRequirements a = {device, &sent, requirements};

	clean_buffer(&buffer);
	sent.pCreateInfo = &buffer;
	icd_sync(device, RP_VN_IDX_vkGetDeviceBufferMemoryRequirements, &a);
}

VKAPI_ATTR void VKAPI_CALL
icd_vkGetDeviceImageMemoryRequirements(VkDevice device, const VkDeviceImageMemoryRequirements *info,
				       VkMemoryRequirements2 *requirements)
{
	VkDeviceImageMemoryRequirements sent = *info;
	VkImageCreateInfo image = *info->pCreateInfo;
	struct rp_vn_args_vkGetDeviceImageMemoryRequirements a = {device, &sent, requirements};

	clean_image(&image);
	sent.pCreateInfo = &image;
	icd_sync(device, RP_VN_IDX_vkGetDeviceImageMemoryRequirements, &a);
}

VKAPI_ATTR void VKAPI_CALL
icd_vkGetDeviceImageSparseMemoryRequirements(VkDevice, const VkDeviceImageMemoryRequirements *,
					     uint32_t *count, VkSparseImageMemoryRequirements2 *)
{
	// Sparse images are masked.
	*count = 0;
}

VKAPI_ATTR VkResult VKAPI_CALL icd_vkCreateFramebuffer(VkDevice device,
						       const VkFramebufferCreateInfo *info,
						       const VkAllocationCallbacks *,
						       VkFramebuffer *framebuffer)
{
	VkFramebufferCreateInfo sent = *info;
	const struct rp_vn_args_vkCreateFramebuffer a = {device, &sent, NULL, framebuffer,
							 VK_SUCCESS};

	if (info->flags & VK_FRAMEBUFFER_CREATE_IMAGELESS_BIT)
		sent.pAttachments = NULL;
	icd_new_ids(device, (uint64_t *)framebuffer, 1);
	if (icd_queue(device, RP_VN_IDX_vkCreateFramebuffer, &a, false) < 0)
		return VK_ERROR_OUT_OF_DEVICE_MEMORY;
	return VK_SUCCESS;
}

/* ---- pipelines ---- */

// Feedback is not carried; its flags say that there is none.
static void no_feedback(const void *next)
{
	for (const VkBaseInStructure *s = next; s != NULL; s = s->pNext) {
		const VkPipelineCreationFeedbackCreateInfo *f = (const void *)s;

		if (s->sType != VK_STRUCTURE_TYPE_PIPELINE_CREATION_FEEDBACK_CREATE_INFO)
			continue;
		f->pPipelineCreationFeedback->flags = 0;
		for (uint32_t i = 0; i < f->pipelineStageCreationFeedbackCount; i++)
			f->pPipelineStageCreationFeedbacks[i].flags = 0;
	}
}

VKAPI_ATTR VkResult VKAPI_CALL
icd_vkCreateComputePipelines(VkDevice device, VkPipelineCache cache, uint32_t n,
			     const VkComputePipelineCreateInfo *infos,
			     const VkAllocationCallbacks *, VkPipeline *pipelines)
{
	struct rp_arena scratch = {.cap = MAX_SCRATCH};
	VkComputePipelineCreateInfo *sent = rp_arena_array(&scratch, n, sizeof(*sent));
	struct rp_vn_args_vkCreateComputePipelines a = {
		device, cache, n, sent, NULL, pipelines, VK_ERROR_OUT_OF_HOST_MEMORY};

	for (uint32_t i = 0; i < n && sent != NULL; i++) {
		sent[i] = infos[i];
		no_feedback(infos[i].pNext);
		if (!(infos[i].flags & VK_PIPELINE_CREATE_DERIVATIVE_BIT))
			sent[i].basePipelineHandle = VK_NULL_HANDLE;
	}
	icd_new_ids(device, (uint64_t *)pipelines, n);
	if (sent != NULL && icd_sync(device, RP_VN_IDX_vkCreateComputePipelines, &a) < 0)
		a.ret = VK_ERROR_OUT_OF_DEVICE_MEMORY;
	rp_arena_free(&scratch);
	return a.ret;
}

static bool is_dynamic(const VkGraphicsPipelineCreateInfo *info, VkDynamicState state)
{
	const VkPipelineDynamicStateCreateInfo *d = info->pDynamicState;

	for (uint32_t i = 0; d != NULL && i < d->dynamicStateCount; i++) {
		if (d->pDynamicStates[i] == state)
			return true;
	}
	return false;
}

static bool has_tessellation(const VkGraphicsPipelineCreateInfo *info)
{
	VkShaderStageFlags stages = 0;

	for (uint32_t i = 0; i < info->stageCount; i++)
		stages |= info->pStages[i].stage;
	return (stages & VK_SHADER_STAGE_TESSELLATION_CONTROL_BIT) &&
	       (stages & VK_SHADER_STAGE_TESSELLATION_EVALUATION_BIT);
}

static bool clean_viewports(VkGraphicsPipelineCreateInfo *info, struct rp_arena *scratch)
{
	VkPipelineViewportStateCreateInfo *v;

	if (info->pViewportState == NULL)
		return true;
	v = rp_arena_alloc(scratch, sizeof(*v));
	if (v == NULL)
		return false;
	*v = *info->pViewportState;
	if (is_dynamic(info, VK_DYNAMIC_STATE_VIEWPORT) ||
	    is_dynamic(info, VK_DYNAMIC_STATE_VIEWPORT_WITH_COUNT))
		v->pViewports = NULL;
	if (is_dynamic(info, VK_DYNAMIC_STATE_SCISSOR) ||
	    is_dynamic(info, VK_DYNAMIC_STATE_SCISSOR_WITH_COUNT))
		v->pScissors = NULL;
	info->pViewportState = v;
	return true;
}

static bool clean_graphics(VkGraphicsPipelineCreateInfo *info, struct rp_arena *scratch)
{
	const VkPipelineRasterizationStateCreateInfo *r = info->pRasterizationState;

	no_feedback(info->pNext);
	if (!(info->flags & VK_PIPELINE_CREATE_DERIVATIVE_BIT))
		info->basePipelineHandle = VK_NULL_HANDLE;
	if (!has_tessellation(info))
		info->pTessellationState = NULL;
	if (r != NULL && r->rasterizerDiscardEnable &&
	    !is_dynamic(info, VK_DYNAMIC_STATE_RASTERIZER_DISCARD_ENABLE)) {
		info->pViewportState = NULL;
		info->pMultisampleState = NULL;
		info->pDepthStencilState = NULL;
		info->pColorBlendState = NULL;
	}
	return clean_viewports(info, scratch);
}

VKAPI_ATTR VkResult VKAPI_CALL
icd_vkCreateGraphicsPipelines(VkDevice device, VkPipelineCache cache, uint32_t n,
			      const VkGraphicsPipelineCreateInfo *infos,
			      const VkAllocationCallbacks *, VkPipeline *pipelines)
{
	struct rp_arena scratch = {.cap = MAX_SCRATCH};
	VkGraphicsPipelineCreateInfo *sent = rp_arena_array(&scratch, n, sizeof(*sent));
	struct rp_vn_args_vkCreateGraphicsPipelines a = {
		device, cache, n, sent, NULL, pipelines, VK_ERROR_OUT_OF_HOST_MEMORY};
	bool ok = sent != NULL;

	for (uint32_t i = 0; i < n && ok; i++) {
		sent[i] = infos[i];
		ok = clean_graphics(&sent[i], &scratch);
	}
	icd_new_ids(device, (uint64_t *)pipelines, n);
	if (ok && icd_sync(device, RP_VN_IDX_vkCreateGraphicsPipelines, &a) < 0)
		a.ret = VK_ERROR_OUT_OF_DEVICE_MEMORY;
	rp_arena_free(&scratch);
	return a.ret;
}
