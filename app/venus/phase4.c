// SPDX-License-Identifier: BSD-3-Clause
#include <stdio.h>
#include <string.h>

#include "gpu.h"

#include "triangle_frag_spirv.h"
#include "triangle_vert_spirv.h"

#define SIDE 256u

struct drawing {
	struct gpu gpu;
	struct gpu_buffer pixels;
	VkImage image;
	VkDeviceMemory memory;
	VkImageView view;
	VkRenderPass pass;
	VkFramebuffer framebuffer;
	VkShaderModule vert, frag;
	VkPipelineLayout layout;
	VkPipeline pipeline;
};

static bool make_image(struct drawing *d)
{
	struct gpu *g = &d->gpu;
	const VkImageCreateInfo image = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
		.imageType = VK_IMAGE_TYPE_2D,
		.format = VK_FORMAT_R8G8B8A8_UNORM,
		.extent = {SIDE, SIDE, 1},
		.mipLevels = 1,
		.arrayLayers = 1,
		.samples = VK_SAMPLE_COUNT_1_BIT,
		.usage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | VK_IMAGE_USAGE_TRANSFER_SRC_BIT,
	};
	VkImageViewCreateInfo view = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO,
		.viewType = VK_IMAGE_VIEW_TYPE_2D,
		.format = VK_FORMAT_R8G8B8A8_UNORM,
		.subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1},
	};
	VkMemoryRequirements r;

	if (g->CreateImage(g->device, &image, NULL, &d->image) != VK_SUCCESS)
		return check(false, "vkCreateImage", "failed");
	g->GetImageMemoryRequirements(g->device, d->image, &r);
	d->memory = gpu_allocate(g, &r, 0);
	view.image = d->image;
	if (d->memory == VK_NULL_HANDLE)
		return false;
	if (g->BindImageMemory(g->device, d->image, d->memory, 0) != VK_SUCCESS ||
	    g->CreateImageView(g->device, &view, NULL, &d->view) != VK_SUCCESS)
		return check(false, "vkCreateImageView", "failed");
	return true;
}

static bool make_pass(struct drawing *d)
{
	struct gpu *g = &d->gpu;
	const VkAttachmentDescription attachment = {
		.format = VK_FORMAT_R8G8B8A8_UNORM,
		.samples = VK_SAMPLE_COUNT_1_BIT,
		.loadOp = VK_ATTACHMENT_LOAD_OP_CLEAR,
		.storeOp = VK_ATTACHMENT_STORE_OP_STORE,
		.stencilLoadOp = VK_ATTACHMENT_LOAD_OP_DONT_CARE,
		.stencilStoreOp = VK_ATTACHMENT_STORE_OP_DONT_CARE,
		.finalLayout = VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL,
	};
	const VkAttachmentReference colour = {0, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL};
	const VkSubpassDescription subpass = {.colorAttachmentCount = 1,
					      .pColorAttachments = &colour};
	const VkSubpassDependency to_copy = {
		.srcSubpass = 0,
		.dstSubpass = VK_SUBPASS_EXTERNAL,
		.srcStageMask = VK_PIPELINE_STAGE_COLOR_ATTACHMENT_OUTPUT_BIT,
		.dstStageMask = VK_PIPELINE_STAGE_TRANSFER_BIT,
		.srcAccessMask = VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT,
		.dstAccessMask = VK_ACCESS_TRANSFER_READ_BIT,
	};
	const VkRenderPassCreateInfo pass = {
		.sType = VK_STRUCTURE_TYPE_RENDER_PASS_CREATE_INFO,
		.attachmentCount = 1,
		.pAttachments = &attachment,
		.subpassCount = 1,
		.pSubpasses = &subpass,
		.dependencyCount = 1,
		.pDependencies = &to_copy,
	};
	VkFramebufferCreateInfo framebuffer = {
		.sType = VK_STRUCTURE_TYPE_FRAMEBUFFER_CREATE_INFO,
		.attachmentCount = 1,
		.pAttachments = &d->view,
		.width = SIDE,
		.height = SIDE,
		.layers = 1,
	};

	if (g->CreateRenderPass(g->device, &pass, NULL, &d->pass) != VK_SUCCESS)
		return check(false, "vkCreateRenderPass", "failed");
	framebuffer.renderPass = d->pass;
	return g->CreateFramebuffer(g->device, &framebuffer, NULL, &d->framebuffer) == VK_SUCCESS ||
	       check(false, "vkCreateFramebuffer", "failed");
}

// The viewport is dynamic and what is ignored because of that is rubbish, as it may be.
static bool make_pipeline(struct drawing *d)
{
	struct gpu *g = &d->gpu;
	const VkPipelineShaderStageCreateInfo stages[] = {
		{.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
		 .stage = VK_SHADER_STAGE_VERTEX_BIT,
		 .module = d->vert,
		 .pName = "main"},
		{.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
		 .stage = VK_SHADER_STAGE_FRAGMENT_BIT,
		 .module = d->frag,
		 .pName = "main"},
	};
	const VkPipelineVertexInputStateCreateInfo vertices = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_VERTEX_INPUT_STATE_CREATE_INFO};
	const VkPipelineInputAssemblyStateCreateInfo assembly = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_INPUT_ASSEMBLY_STATE_CREATE_INFO,
		.topology = VK_PRIMITIVE_TOPOLOGY_TRIANGLE_LIST};
	const VkPipelineViewportStateCreateInfo viewport = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_VIEWPORT_STATE_CREATE_INFO,
		.viewportCount = 1,
		.pViewports = (const VkViewport *)8,
		.scissorCount = 1,
		.pScissors = (const VkRect2D *)8};
	const VkPipelineRasterizationStateCreateInfo raster = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_RASTERIZATION_STATE_CREATE_INFO,
		.lineWidth = 1};
	const VkPipelineMultisampleStateCreateInfo samples = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_MULTISAMPLE_STATE_CREATE_INFO,
		.rasterizationSamples = VK_SAMPLE_COUNT_1_BIT};
	const VkPipelineColorBlendAttachmentState all = {.colorWriteMask = 0xf};
	const VkPipelineColorBlendStateCreateInfo blend = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_COLOR_BLEND_STATE_CREATE_INFO,
		.attachmentCount = 1,
		.pAttachments = &all};
	const VkDynamicState states[] = {VK_DYNAMIC_STATE_VIEWPORT, VK_DYNAMIC_STATE_SCISSOR};
	const VkPipelineDynamicStateCreateInfo dynamic = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_DYNAMIC_STATE_CREATE_INFO,
		.dynamicStateCount = 2,
		.pDynamicStates = states};
	const VkPipelineLayoutCreateInfo layout = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO};
	VkGraphicsPipelineCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_GRAPHICS_PIPELINE_CREATE_INFO,
		.stageCount = 2,
		.pStages = stages,
		.pVertexInputState = &vertices,
		.pInputAssemblyState = &assembly,
		.pTessellationState = (const VkPipelineTessellationStateCreateInfo *)8,
		.pViewportState = &viewport,
		.pRasterizationState = &raster,
		.pMultisampleState = &samples,
		.pColorBlendState = &blend,
		.pDynamicState = &dynamic,
		.renderPass = d->pass,
	};

	if (g->CreatePipelineLayout(g->device, &layout, NULL, &d->layout) != VK_SUCCESS)
		return check(false, "vkCreatePipelineLayout", "failed");
	info.layout = d->layout;
	return g->CreateGraphicsPipelines(g->device, VK_NULL_HANDLE, 1, &info, NULL,
					  &d->pipeline) == VK_SUCCESS ||
	       check(false, "vkCreateGraphicsPipelines", "failed");
}

static bool draw(struct drawing *d)
{
	struct gpu *g = &d->gpu;
	const VkClearValue clear = {.color.float32 = {0.25f, 0.5f, 0.75f, 1}};
	const VkRect2D area = {{0, 0}, {SIDE, SIDE}};
	const VkViewport viewport = {0, 0, SIDE, SIDE, 0, 1};
	const VkRenderPassBeginInfo pass = {
		.sType = VK_STRUCTURE_TYPE_RENDER_PASS_BEGIN_INFO,
		.renderPass = d->pass,
		.framebuffer = d->framebuffer,
		.renderArea = area,
		.clearValueCount = 1,
		.pClearValues = &clear,
	};
	const VkBufferImageCopy region = {
		.imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1},
		.imageExtent = {SIDE, SIDE, 1},
	};

	if (!gpu_begin(g))
		return false;
	g->CmdBeginRenderPass(g->commands, &pass, VK_SUBPASS_CONTENTS_INLINE);
	g->CmdBindPipeline(g->commands, VK_PIPELINE_BIND_POINT_GRAPHICS, d->pipeline);
	g->CmdSetViewport(g->commands, 0, 1, &viewport);
	g->CmdSetScissor(g->commands, 0, 1, &area);
	g->CmdDraw(g->commands, 3, 1, 0, 0);
	g->CmdEndRenderPass(g->commands);
	g->CmdCopyImageToBuffer(g->commands, d->image, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL,
				d->pixels.buffer, 1, &region);
	return gpu_run(g);
}

static bool look(const struct drawing *d)
{
	const uint32_t *pixels = d->pixels.data;
	const uint32_t background = 0xffbf8040; // R 0x40, G 0x80, B 0xbf, opaque

	if (!check(pixels[0] == background, "corner", "%08x, cleared to %08x", pixels[0],
		   background) ||
	    !check(pixels[SIDE * SIDE / 2 + SIDE / 2] != background, "centre", "%08x is drawn",
		   pixels[SIDE * SIDE / 2 + SIDE / 2]))
		return false;
	return check(true, "results", "%016llx",
		     (unsigned long long)gpu_checksum(pixels, SIDE * SIDE * 4));
}

static void close_drawing(struct drawing *d)
{
	struct gpu *g = &d->gpu;

	g->DeviceWaitIdle(g->device);
	g->DestroyPipeline(g->device, d->pipeline, NULL);
	g->DestroyPipelineLayout(g->device, d->layout, NULL);
	g->DestroyShaderModule(g->device, d->vert, NULL);
	g->DestroyShaderModule(g->device, d->frag, NULL);
	g->DestroyFramebuffer(g->device, d->framebuffer, NULL);
	g->DestroyRenderPass(g->device, d->pass, NULL);
	g->DestroyImageView(g->device, d->view, NULL);
	g->DestroyImage(g->device, d->image, NULL);
	g->FreeMemory(g->device, d->memory, NULL);
	gpu_buffer_free(g, &d->pixels);
}

bool phase4(bool direct)
{
	struct drawing d = {0};
	struct gpu *g = &d.gpu;
	bool ok;

	puts("Phase 4: the server draws");
	ok = gpu_open(g, direct) &&
	     gpu_buffer_make(g, &d.pixels, SIDE * SIDE * 4, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
	if (ok) {
		d.vert = gpu_shader(g, triangle_vert_spirv, sizeof(triangle_vert_spirv));
		d.frag = gpu_shader(g, triangle_frag_spirv, sizeof(triangle_frag_spirv));
		ok = make_image(&d) && make_pass(&d) && make_pipeline(&d) && draw(&d) && look(&d);
	}
	if (g->device != VK_NULL_HANDLE)
		close_drawing(&d);
	gpu_close(g);
	return ok;
}
