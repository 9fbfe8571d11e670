// SPDX-License-Identifier: BSD-3-Clause
#include <stdlib.h>

#include "vulkan/icd.h"

/*
 * Descriptor writes carry three arrays of which one counts, and handles of which some do not: what
 * does not count may be anything and is not sent. Update templates never leave this process.
 */

#define MAX_SCRATCH (64u << 20)

struct template
{
	uint32_t n;
	VkDescriptorUpdateTemplateEntry entries[];
};

enum array { IMAGES, BUFFERS, TEXELS, INLINE, NOTHING };

static enum array array_of(VkDescriptorType type)
{
	switch (type) {
	case VK_DESCRIPTOR_TYPE_SAMPLER:
	case VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER:
	case VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE:
	case VK_DESCRIPTOR_TYPE_STORAGE_IMAGE:
	case VK_DESCRIPTOR_TYPE_INPUT_ATTACHMENT:
		return IMAGES;
	case VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER:
	case VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER:
		return TEXELS;
	case VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER:
	case VK_DESCRIPTOR_TYPE_STORAGE_BUFFER:
	case VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC:
	case VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC:
		return BUFFERS;
	case VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK:
		return INLINE;
	default:
		return NOTHING;
	}
}

static bool copy_images(VkWriteDescriptorSet *w, struct rp_arena *scratch)
{
	VkDescriptorImageInfo *images =
		rp_arena_array(scratch, w->descriptorCount, sizeof(*images));

	if (images == NULL)
		return false;
	memcpy(images, w->pImageInfo, w->descriptorCount * sizeof(*images));
	for (uint32_t i = 0; i < w->descriptorCount; i++) {
		if (w->descriptorType == VK_DESCRIPTOR_TYPE_SAMPLER)
			images[i].imageView = VK_NULL_HANDLE;
		else if (w->descriptorType != VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER)
			images[i].sampler = VK_NULL_HANDLE;
	}
	w->pImageInfo = images;
	return true;
}

static bool clean_write(VkWriteDescriptorSet *w, struct rp_arena *scratch)
{
	enum array kind = array_of(w->descriptorType);

	if (kind != IMAGES)
		w->pImageInfo = NULL;
	if (kind != BUFFERS)
		w->pBufferInfo = NULL;
	if (kind != TEXELS)
		w->pTexelBufferView = NULL;
	return kind != IMAGES || w->descriptorCount == 0 || copy_images(w, scratch);
}

VKAPI_ATTR void VKAPI_CALL icd_vkUpdateDescriptorSets(VkDevice device, uint32_t n_writes,
						      const VkWriteDescriptorSet *writes,
						      uint32_t n_copies,
						      const VkCopyDescriptorSet *copies)
{
	struct rp_arena scratch = {.cap = MAX_SCRATCH};
	VkWriteDescriptorSet *sent = rp_arena_array(&scratch, n_writes, sizeof(*sent));
	const struct rp_vn_args_vkUpdateDescriptorSets a = {device, n_writes, sent, n_copies,
							    copies};
	bool ok = sent != NULL;

	for (uint32_t i = 0; i < n_writes && ok; i++) {
		sent[i] = writes[i];
		ok = clean_write(&sent[i], &scratch);
	}
	if (ok)
		icd_queue(device, RP_VN_IDX_vkUpdateDescriptorSets, &a, false);
	rp_arena_free(&scratch);
}

VKAPI_ATTR VkResult VKAPI_CALL icd_vkCreateDescriptorUpdateTemplate(
	VkDevice, const VkDescriptorUpdateTemplateCreateInfo *info, const VkAllocationCallbacks *,
	VkDescriptorUpdateTemplate *template)
{
	const uint32_t n = info->descriptorUpdateEntryCount;
	struct template *t = malloc(sizeof(*t) + n * sizeof(t->entries[0]));

	*template = (VkDescriptorUpdateTemplate)t;
	if (t == NULL)
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	t->n = n;
	memcpy(t->entries, info->pDescriptorUpdateEntries, n * sizeof(t->entries[0]));
	return VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL icd_vkDestroyDescriptorUpdateTemplate(
	VkDevice, VkDescriptorUpdateTemplate template, const VkAllocationCallbacks *)
{
	free((struct template *)template);
}

// The strided elements of an entry as an array.
static void *gather(const VkDescriptorUpdateTemplateEntry *e, const uint8_t *data, size_t size,
		    struct rp_arena *scratch)
{
	uint8_t *all = rp_arena_array(scratch, e->descriptorCount, size);

	for (uint32_t i = 0; i < e->descriptorCount && all != NULL; i++)
		memcpy(all + i * size, data + e->offset + i * e->stride, size);
	return all;
}

static bool write_from_entry(VkWriteDescriptorSet *w, const VkDescriptorUpdateTemplateEntry *e,
			     const uint8_t *data, struct rp_arena *scratch)
{
	VkWriteDescriptorSetInlineUniformBlock *block;

	switch (array_of(e->descriptorType)) {
	case IMAGES:
		w->pImageInfo = gather(e, data, sizeof(VkDescriptorImageInfo), scratch);
		return w->pImageInfo != NULL;
	case BUFFERS:
		w->pBufferInfo = gather(e, data, sizeof(VkDescriptorBufferInfo), scratch);
		return w->pBufferInfo != NULL;
	case TEXELS:
		w->pTexelBufferView = gather(e, data, sizeof(VkBufferView), scratch);
		return w->pTexelBufferView != NULL;
	case INLINE:
		block = rp_arena_alloc(scratch, sizeof(*block));
		if (block == NULL)
			return false;
		block->sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET_INLINE_UNIFORM_BLOCK;
		block->dataSize = e->descriptorCount;
		block->pData = data + e->offset;
		w->pNext = block;
		return true;
	default:
		return false;
	}
}

VKAPI_ATTR void VKAPI_CALL icd_vkUpdateDescriptorSetWithTemplate(
	VkDevice device, VkDescriptorSet set, VkDescriptorUpdateTemplate template, const void *data)
{
	const struct template *t = (const struct template *)template;
	struct rp_arena scratch = {.cap = MAX_SCRATCH};
	VkWriteDescriptorSet *writes = rp_arena_array(&scratch, t->n, sizeof(*writes));
	bool ok = writes != NULL;

	for (uint32_t i = 0; i < t->n && ok; i++) {
		const VkDescriptorUpdateTemplateEntry *e = &t->entries[i];

		writes[i].sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET;
		writes[i].dstSet = set;
		writes[i].dstBinding = e->dstBinding;
		writes[i].dstArrayElement = e->dstArrayElement;
		writes[i].descriptorCount = e->descriptorCount;
		writes[i].descriptorType = e->descriptorType;
		ok = e->descriptorCount == 0 || write_from_entry(&writes[i], e, data, &scratch);
	}
	if (ok)
		icd_vkUpdateDescriptorSets(device, t->n, writes, 0, NULL);
	rp_arena_free(&scratch);
}

static bool takes_samplers(VkDescriptorType type)
{
	return type == VK_DESCRIPTOR_TYPE_SAMPLER ||
	       type == VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER;
}

// A layout without the immutable samplers that its bindings have no use for. NULL: out of memory.
static const VkDescriptorSetLayoutBinding *
clean_bindings(const VkDescriptorSetLayoutCreateInfo *info, struct rp_arena *scratch)
{
	VkDescriptorSetLayoutBinding *b = rp_arena_array(scratch, info->bindingCount, sizeof(*b));

	for (uint32_t i = 0; i < info->bindingCount && b != NULL; i++) {
		b[i] = info->pBindings[i];
		if (!takes_samplers(b[i].descriptorType) || b[i].descriptorCount == 0)
			b[i].pImmutableSamplers = NULL;
	}
	return b;
}

VKAPI_ATTR VkResult VKAPI_CALL
icd_vkCreateDescriptorSetLayout(VkDevice device, const VkDescriptorSetLayoutCreateInfo *info,
				const VkAllocationCallbacks *, VkDescriptorSetLayout *layout)
{
	struct rp_arena scratch = {.cap = MAX_SCRATCH};
	VkDescriptorSetLayoutCreateInfo sent = *info;
	const struct rp_vn_args_vkCreateDescriptorSetLayout a = {device, &sent, NULL, layout,
								 VK_SUCCESS};
	int rc = -1;

	sent.pBindings = clean_bindings(info, &scratch);
	icd_new_ids(device, (uint64_t *)layout, 1);
	if (sent.pBindings != NULL)
		rc = icd_queue(device, RP_VN_IDX_vkCreateDescriptorSetLayout, &a, false);
	rp_arena_free(&scratch);
	return rc < 0 ? VK_ERROR_OUT_OF_HOST_MEMORY : VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL
icd_vkGetDescriptorSetLayoutSupport(VkDevice device, const VkDescriptorSetLayoutCreateInfo *info,
				    VkDescriptorSetLayoutSupport *support)
{
	struct rp_arena scratch = {.cap = MAX_SCRATCH};
	VkDescriptorSetLayoutCreateInfo sent = *info;
	struct rp_vn_args_vkGetDescriptorSetLayoutSupport a = {device, &sent, support};

	support->supported = VK_FALSE;
	sent.pBindings = clean_bindings(info, &scratch);
	if (sent.pBindings != NULL)
		icd_sync(device, RP_VN_IDX_vkGetDescriptorSetLayoutSupport, &a);
	rp_arena_free(&scratch);
}
