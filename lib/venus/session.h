/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * One client's view of a server: decode each command, run it on a driver, write the reply.
 *
 * A session never trusts its input: whatever is malformed ends it with a named reason. It cannot
 * make a driver safe against wrong use of Vulkan that is well-formed on the wire, so a server gives
 * each session a process of its own. Not thread-safe.
 */

#include "base/error.h"
#include "exec_gen.h"
#include "venus/hello.h"
#include "venus/memory.h"
#include "venus/object.h"

// Where the driver's functions come from: a vkGetInstanceProcAddr and what to call it.
struct rp_vn_backend {
	const char *name;
	PFN_vkGetInstanceProcAddr lookup;
};

// A device of a few constants for tests: answers queries, makes instances and devices, nothing
// else.
const struct rp_vn_backend *rp_vn_backend_canned(void);

// The host's Vulkan loader, opened at run time; NULL with *err where there is none. Lives as long
// as the process.
const struct rp_vn_backend *rp_vn_backend_vulkan(struct rp_error *err);

struct rp_vn_session_stats {
	uint64_t frames;
	uint64_t commands;
	uint64_t answers; // frames sent back
};

struct rp_vn_session {
	const struct rp_vn_backend *backend;
	const char *token;				      // what HELLO must bring; "" for none
	int (*send)(void *ctx, const void *data, size_t len); // one frame; 0 or -errno
	void *ctx;

	struct rp_vn_driver driver;
	struct rp_vn_memory_driver memory_driver;
	struct rp_vn_objects objects;
	struct rp_vn_handles handles;
	struct rp_vn_session_stats stats;
	struct rp_arena arena;
	uint8_t *reply; // replies of the frame in hand
	size_t reply_cap;
	size_t reply_len;
	const char *error; // why the session ended
	uint32_t error_command;

	// Of the command in hand, set while its handles are decoded.
	struct rp_vn_object *instance; // the one VkInstance of this session
	uint64_t made;		       // id of the last object that it makes
	uint64_t device;	       // id of the device that it works on
	struct rp_vn_object *pool;     // the pool that it names
	struct rp_vn_object *freed;    // what it destroys, linked by next_freed
	uint8_t destroys;	       // enum rp_vn_type
	bool poisoned;		       // it names an object that failed to be made
	bool welcome;		       // HELLO went well
	bool log_commands;
};

// Make the session end with a reason; the first one counts. Returns false.
bool rp_vn_session_stop(struct rp_vn_session *s, const char *why);

// Room for `len` more bytes of replies, or NULL where they would get too large.
uint8_t *rp_vn_session_reply(struct rp_vn_session *s, size_t len);

// backend, token, send and ctx are set by the caller, the rest is zero.
int rp_vn_session_init(struct rp_vn_session *s);

// Serve one frame. False: the session is over, s->error says why.
bool rp_vn_session_frame(struct rp_vn_session *s, struct rp_reader frame);

// Free everything of ours; what the driver still holds dies with the process.
void rp_vn_session_fini(struct rp_vn_session *s);
