/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "venus/object.h"

// The server's side of mapped memory; see twin.h for the idea and wire.h for the messages.

struct rp_vn_session;

// Functions that are called on behalf of our own messages.
struct rp_vn_memory_driver {
	PFN_vkMapMemory map;
	PFN_vkFlushMappedMemoryRanges flush;
	PFN_vkInvalidateMappedMemoryRanges invalidate;
};

void rp_vn_memory_driver_load(struct rp_vn_memory_driver *d,
			      PFN_vkVoidFunction (*lookup)(void *ctx, const char *name), void *ctx);

// A device was made: remember which of its memory types can be mapped.
bool rp_vn_memory_types(struct rp_vn_session *s, const struct rp_vn_args_vkCreateDevice *args);

// Memory was allocated: remember its size and kind.
bool rp_vn_memory_add(struct rp_vn_session *s, const struct rp_vn_args_vkAllocateMemory *args);

// For struct rp_vn_objects: free what the two above keep.
void rp_vn_memory_remove(struct rp_vn_object *obj);

// The two messages, behind command and flags. False: the session is over.
bool rp_vn_memory_write(struct rp_vn_session *s, struct rp_reader *r);
bool rp_vn_memory_read(struct rp_vn_session *s, struct rp_reader *r);
