/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The frames that ringgen sends, made ready once. Behind the UDP header, where there is room for
 * it, comes a tag: the flow, the number of the frame in its flow, and that number's complement, so
 * that the checksum is the same for every number. All that follows is a pattern, the same in every
 * frame. Sending copies the head of a template and, to verify, writes the number.
 */

#include <stdbool.h>
#include <stdint.h>

#include "options.h"
#include "virtio/net.h"

// Bytes copied for each frame, virtio header included: enough for the headers, and with the tag.
#define GEN_HEAD     80
#define GEN_HEAD_TAG 96

struct gen_template {
	_Alignas(64) uint8_t bytes[GEN_HEAD_TAG]; // virtio header (zero), then the frame
};

struct gen_tag {
	uint32_t flow; // of all VMs: sender * flows + flow of the sender
	uint32_t number;
	uint32_t complement;
} __attribute__((packed));

// Offset of the tag in a frame, and bytes of the shortest frame that has one.
static inline unsigned int gen_frame_tag(bool ip6)
{
	return ip6 ? 14 + 40 + 8 : 14 + 20 + 8;
}

static inline unsigned int gen_frame_tagged(bool ip6)
{
	return gen_frame_tag(ip6) + (unsigned int)sizeof(struct gen_tag);
}

static inline uint8_t gen_pattern(unsigned int offset)
{
	return (uint8_t)(offset * 7 + offset / 256);
}

// To which VM does this flow of this VM go?
unsigned int gen_destination(const struct gen_options *opt, unsigned int vm, unsigned int flow);

// Write a whole frame of opt->size bytes to buf, number 0. dst and src are of one family.
void gen_frame_build(const struct gen_options *opt, uint8_t *buf, unsigned int vm,
		     unsigned int flow);
