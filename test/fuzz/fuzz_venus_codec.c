// SPDX-License-Identifier: BSD-3-Clause
#include <stdlib.h>

#include "fill.h"

/*
 * The decoder on both sides. The input is a command's number and what follows it: first read as a
 * request by a server that knows every handle, and where that works, written again, then read as
 * the reply to a request of random shape.
 */
static uint8_t buffer[1u << 20];

static bool same(void *, enum rp_vn_type, uint64_t in, uint64_t *out)
{
	*out = in;
	return true;
}

static const struct rp_vn_handles handles = {.to_wire = same, .from_wire = same};

// Colours and clear values may arrive in several shapes but are written in one.
static bool has_union(const struct rp_vn_command *cmd)
{
	switch (cmd->id) {
	case RP_VN_CMD_vkCmdClearColorImage:
	case RP_VN_CMD_vkCmdClearAttachments:
	case RP_VN_CMD_vkCmdBeginRenderPass:
	case RP_VN_CMD_vkCmdBeginRenderPass2:
	case RP_VN_CMD_vkCmdBeginRendering:
		return true;
	default:
		return false;
	}
}

static void as_request(const struct rp_vn_command *cmd, struct rp_reader r, struct rp_arena *arena)
{
	struct rp_vn_decoder d = {.r = r, .arena = arena, .handles = &handles};
	struct rp_vn_encoder e = {.w = rp_writer(buffer, sizeof(buffer)), .handles = &handles};
	void *args = rp_arena_alloc(arena, cmd->args_size);
	size_t used;

	if (!rp_vn_decode_request(&d, cmd, args))
		return;
	used = (size_t)(d.r.pos - r.pos);
	// What was understood comes out again with the same length: nothing was lost or made up.
	rp_vn_encode_request(&e, cmd, args, 0);
	if (!e.w.overflow && !has_union(cmd) && rp_writer_len(&e.w) != used + 8)
		abort();
	e.w = rp_writer(buffer, sizeof(buffer));
	e.new_ids = &d.new_ids;
	rp_vn_encode_reply(&e, cmd, args);
}

static void as_reply(const struct rp_vn_command *cmd, struct rp_reader r, uint64_t seed)
{
	struct filler f = {.seed = seed | 1, .arena = {.cap = 64u << 20}};
	struct rp_vn_decoder d = {.r = r, .handles = &handles};
	void *args = rp_arena_alloc(&f.arena, cmd->args_size);

	fill_request(&f, cmd, args);
	rp_vn_decode_reply(&d, cmd, args);
	rp_arena_free(&f.arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rp_arena arena = {.cap = 1u << 20};
	struct rp_reader r = rp_reader(data, size);
	const struct rp_vn_command *cmd;
	uint32_t id;

	if (!rp_read_le32(&r, &id))
		return 0;
	cmd = rp_vn_command_find(id);
	if (cmd == NULL)
		return 0;
	as_request(cmd, r, &arena);
	as_reply(cmd, rp_reader(data, size), size * 0x9E3779B97F4A7C15u);
	rp_arena_free(&arena);
	return 0;
}
