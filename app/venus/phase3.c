// SPDX-License-Identifier: BSD-3-Clause
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpu.h"

#include "compute_comp_spirv.h"

#define COUNT	  100000u
#define ROUNDS	  5u
#define PASSES	  3u
#define N_BUFFERS 3

struct push {
	uint32_t seed, count;
};

struct compute {
	struct gpu gpu;
	struct gpu_buffer buffers[N_BUFFERS]; // input, output, floats: the bindings of the shader
	VkShaderModule shader;
	VkDescriptorSetLayout set_layout;
	VkDescriptorPool pool;
	VkDescriptorSet set;
	VkPipelineLayout layout;
	VkPipeline pipeline;
};

static bool make_sets(struct compute *c)
{
	struct gpu *g = &c->gpu;
	VkDescriptorSetLayoutBinding bindings[N_BUFFERS] = {0};
	const VkDescriptorPoolSize size = {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, N_BUFFERS};
	const VkDescriptorSetLayoutCreateInfo layout = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
		.bindingCount = N_BUFFERS,
		.pBindings = bindings,
	};
	const VkDescriptorPoolCreateInfo pool = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
		.maxSets = 1,
		.poolSizeCount = 1,
		.pPoolSizes = &size,
	};
	VkDescriptorSetAllocateInfo sets = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
		.descriptorSetCount = 1,
		.pSetLayouts = &c->set_layout,
	};

	for (uint32_t i = 0; i < N_BUFFERS; i++)
		bindings[i] = (VkDescriptorSetLayoutBinding){i, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
							     1, VK_SHADER_STAGE_COMPUTE_BIT, NULL};
	if (g->CreateDescriptorSetLayout(g->device, &layout, NULL, &c->set_layout) != VK_SUCCESS ||
	    g->CreateDescriptorPool(g->device, &pool, NULL, &c->pool) != VK_SUCCESS)
		return check(false, "descriptors", "no layout or pool");
	sets.descriptorPool = c->pool;
	if (g->AllocateDescriptorSets(g->device, &sets, &c->set) != VK_SUCCESS)
		return check(false, "vkAllocateDescriptorSets", "failed");
	for (uint32_t i = 0; i < N_BUFFERS; i++) {
		const VkDescriptorBufferInfo buffer = {c->buffers[i].buffer, 0, VK_WHOLE_SIZE};
		const VkWriteDescriptorSet write = {
			.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
			.dstSet = c->set,
			.dstBinding = i,
			.descriptorCount = 1,
			.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
			.pBufferInfo = &buffer,
		};

		g->UpdateDescriptorSets(g->device, 1, &write, 0, NULL);
	}
	return true;
}

static bool make_pipeline(struct compute *c)
{
	struct gpu *g = &c->gpu;
	const VkPushConstantRange range = {VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof(struct push)};
	const VkPipelineLayoutCreateInfo layout = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
		.setLayoutCount = 1,
		.pSetLayouts = &c->set_layout,
		.pushConstantRangeCount = 1,
		.pPushConstantRanges = &range,
	};
	const uint32_t rounds = ROUNDS;
	const VkSpecializationMapEntry entry = {0, 0, sizeof(rounds)};
	const VkSpecializationInfo constants = {1, &entry, sizeof(rounds), &rounds};
	VkComputePipelineCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
		.stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
			  .stage = VK_SHADER_STAGE_COMPUTE_BIT,
			  .pName = "main",
			  .pSpecializationInfo = &constants},
	};

	c->shader = gpu_shader(g, compute_comp_spirv, sizeof(compute_comp_spirv));
	if (g->CreatePipelineLayout(g->device, &layout, NULL, &c->layout) != VK_SUCCESS)
		return check(false, "vkCreatePipelineLayout", "failed");
	info.stage.module = c->shader;
	info.layout = c->layout;
	return g->CreateComputePipelines(g->device, VK_NULL_HANDLE, 1, &info, NULL, &c->pipeline) ==
		       VK_SUCCESS ||
	       check(false, "vkCreateComputePipelines", "failed");
}

static void barrier(struct compute *c, VkPipelineStageFlags from, VkAccessFlags written,
		    VkPipelineStageFlags to, VkAccessFlags used)
{
	const VkMemoryBarrier b = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
		.srcAccessMask = written,
		.dstAccessMask = used,
	};

	c->gpu.CmdPipelineBarrier(c->gpu.commands, from, to, 0, 1, &b, 0, NULL, 0, NULL);
}

// The passes add up in the output buffer: each must see what the one before wrote.
static bool record(struct compute *c)
{
	const VkPipelineStageFlags shader = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT;
	const VkAccessFlags both = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT;
	struct gpu *g = &c->gpu;

	if (!gpu_begin(g))
		return false;
	g->CmdFillBuffer(g->commands, c->buffers[1].buffer, 0, VK_WHOLE_SIZE, 0);
	barrier(c, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_WRITE_BIT, shader, both);
	g->CmdBindPipeline(g->commands, VK_PIPELINE_BIND_POINT_COMPUTE, c->pipeline);
	g->CmdBindDescriptorSets(g->commands, VK_PIPELINE_BIND_POINT_COMPUTE, c->layout, 0, 1,
				 &c->set, 0, NULL);
	for (uint32_t pass = 0; pass < PASSES; pass++) {
		const struct push push = {pass * 0x9E3779B9u, COUNT};

		g->CmdPushConstants(g->commands, c->layout, VK_SHADER_STAGE_COMPUTE_BIT, 0,
				    sizeof(push), &push);
		g->CmdDispatch(g->commands, (COUNT + 63) / 64, 1, 1);
		barrier(c, shader, VK_ACCESS_SHADER_WRITE_BIT, shader, both);
	}
	barrier(c, shader, VK_ACCESS_SHADER_WRITE_BIT, VK_PIPELINE_STAGE_HOST_BIT,
		VK_ACCESS_HOST_READ_BIT);
	return true;
}

static uint32_t expected(uint32_t in)
{
	uint32_t sum = 0;

	for (uint32_t pass = 0; pass < PASSES; pass++) {
		uint32_t v = in ^ pass * 0x9E3779B9u;

		for (uint32_t r = 0; r < ROUNDS; r++) {
			v ^= v << 13;
			v ^= v >> 17;
			v ^= v << 5;
		}
		sum += v;
	}
	return sum;
}

// Twice with other input, so that stale memory on either side would show.
static bool compute(struct compute *c)
{
	for (uint32_t turn = 1; turn <= 2; turn++) {
		uint32_t *in = c->buffers[0].data;
		const uint32_t *out = c->buffers[1].data;
		uint32_t wrong = 0;

		for (uint32_t i = 0; i < COUNT; i++)
			in[i] = i * 2654435761u + turn;
		if (!record(c) || !gpu_run(&c->gpu))
			return false;
		for (uint32_t i = 0; i < COUNT; i++)
			wrong += out[i] != expected(in[i]);
		if (!check(wrong == 0, "integers", "%u of %u differ from the host's", wrong, COUNT))
			return false;
		check(true, "results", "%016llx %016llx",
		      (unsigned long long)gpu_checksum(out, COUNT * 4),
		      (unsigned long long)gpu_checksum(c->buffers[2].data, COUNT * 4));
	}
	return true;
}

// Memory that nobody maps: in by a copy, and out by another.
static bool copy_chain(struct compute *c)
{
	const VkBufferCopy region = {0, 0, COUNT * 4};
	struct gpu *g = &c->gpu;

	if (!gpu_begin(g))
		return false;
	g->CmdCopyBuffer(g->commands, c->buffers[0].buffer, c->buffers[2].buffer, 1, &region);
	if (!gpu_run(g))
		return false;
	return check(memcmp(c->buffers[0].data, c->buffers[2].data, COUNT * 4) == 0,
		     "vkCmdCopyBuffer", "%u bytes are equal", COUNT * 4);
}

static void close_compute(struct compute *c)
{
	struct gpu *g = &c->gpu;

	g->DeviceWaitIdle(g->device);
	g->DestroyPipeline(g->device, c->pipeline, NULL);
	g->DestroyPipelineLayout(g->device, c->layout, NULL);
	g->DestroyShaderModule(g->device, c->shader, NULL);
	g->DestroyDescriptorPool(g->device, c->pool, NULL);
	g->DestroyDescriptorSetLayout(g->device, c->set_layout, NULL);
	for (int i = 0; i < N_BUFFERS; i++)
		gpu_buffer_free(g, &c->buffers[i]);
}

bool phase3(bool direct)
{
	struct compute c = {0};
	bool ok;

	puts("Phase 3: the server computes");
	ok = gpu_open(&c.gpu, direct);
	for (int i = 0; i < N_BUFFERS && ok; i++)
		ok = gpu_buffer_make(&c.gpu, &c.buffers[i], COUNT * 4,
				     VK_BUFFER_USAGE_STORAGE_BUFFER_BIT |
					     VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
					     VK_BUFFER_USAGE_TRANSFER_DST_BIT);
	ok = ok && make_sets(&c) && make_pipeline(&c) && compute(&c) && copy_chain(&c);
	if (c.gpu.device != VK_NULL_HANDLE)
		close_compute(&c);
	gpu_close(&c.gpu);
	return ok;
}
