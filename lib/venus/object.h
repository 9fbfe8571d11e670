/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <sys/queue.h>

#include "venus/codec.h"

/*
 * The server's objects of one client, by the id that the client chose.
 *
 * An object that failed to be made without the client waiting for the answer stays in the table as
 * `failed`: commands that name it are not run. Sets and command buffers hang below their pool and
 * go with it. Not thread-safe.
 */
struct rp_vn_object {
	uint64_t id;
	uint64_t handle; // the driver's
	uint64_t device; // id of the VkDevice that it belongs to; 0 for instance-level objects
	void *data;	 // of the owner of the table, by type
	struct rp_vn_object *pool; // or NULL
	LIST_HEAD(, rp_vn_object) children;
	LIST_ENTRY(rp_vn_object) sibling;
	LIST_ENTRY(rp_vn_object) bucket;
	struct rp_vn_object *next_freed; // the command in hand destroys both
	uint8_t type;			 // enum rp_vn_type
	bool failed;
	bool freeing; // the command in hand destroys it
};

LIST_HEAD(rp_vn_bucket, rp_vn_object);

struct rp_vn_objects {
	struct rp_vn_bucket *buckets;
	size_t n_buckets; // a power of two
	size_t count;
	void (*on_remove)(struct rp_vn_object *obj); // or NULL
};

#define RP_VN_MAX_OBJECTS (1u << 20)

// A new object, or NULL with errno: EEXIST (the id is in use), EINVAL (id 0), ENOSPC, ENOMEM.
struct rp_vn_object *rp_vn_object_add(struct rp_vn_objects *t, uint64_t id, enum rp_vn_type type);

// The object of that id and type, or NULL.
struct rp_vn_object *rp_vn_object_find(const struct rp_vn_objects *t, uint64_t id,
				       enum rp_vn_type type);

// The object that stands for a driver's handle, or NULL. Linear: for the few physical devices.
struct rp_vn_object *rp_vn_object_find_handle(const struct rp_vn_objects *t, uint64_t handle,
					      enum rp_vn_type type);

// Remove an object with all that hangs below it.
void rp_vn_object_remove(struct rp_vn_objects *t, struct rp_vn_object *obj);

void rp_vn_object_remove_children(struct rp_vn_objects *t, struct rp_vn_object *obj);

// Remove all objects of a device, the device itself included.
void rp_vn_object_remove_device(struct rp_vn_objects *t, uint64_t device);

void rp_vn_objects_free(struct rp_vn_objects *t);
