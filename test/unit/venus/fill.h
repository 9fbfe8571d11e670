/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "venus/codec.h"

/*
 * Random values for everything that the codec's tables describe, and a comparison that follows the
 * same tables. Both walk the tables on their own, so that a mistake in the codec cannot hide in
 * them.
 */
struct filler {
	uint64_t seed;
	struct rp_arena arena;
};

// Fill a zeroed struct, its chain and all that it points to.
void fill_struct(struct filler *f, enum rp_vn_struct_id id, void *s);

// Fill the zeroed arguments of a command: inputs with values, outputs with room.
void fill_request(struct filler *f, const struct rp_vn_command *cmd, void *args);

// Fill the outputs of decoded arguments, as a driver would.
void fill_outputs(struct filler *f, const struct rp_vn_command *cmd, void *args);

// NULL where both are the same, else the name of the first member that differs.
const char *differ_struct(enum rp_vn_struct_id id, const void *a, const void *b);

// The same for the parameters of these directions (bits 1 << enum rp_vn_dir).
const char *differ_params(const struct rp_vn_command *cmd, unsigned int dirs, const void *a,
			  const void *b);
