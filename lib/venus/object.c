// SPDX-License-Identifier: BSD-3-Clause
#include "venus/object.h"

#include <errno.h>
#include <stdlib.h>

#define FIRST_BUCKETS 256u

static struct rp_vn_bucket *bucket_of(const struct rp_vn_objects *t, uint64_t id)
{
	// Fibonacci hashing: ids are chosen by the peer and mostly consecutive.
	uint64_t h = id * 0x9E3779B97F4A7C15u;

	return &t->buckets[(h >> 32) & (t->n_buckets - 1)];
}

static int grow(struct rp_vn_objects *t)
{
	struct rp_vn_objects old = *t;
	size_t n = old.n_buckets == 0 ? FIRST_BUCKETS : old.n_buckets * 4;
	struct rp_vn_bucket *buckets = calloc(n, sizeof(*buckets));

	if (buckets == NULL)
		return -ENOMEM;
	t->buckets = buckets;
	t->n_buckets = n;
	for (size_t i = 0; i < old.n_buckets; i++) {
		struct rp_vn_object *obj;

		while ((obj = LIST_FIRST(&old.buckets[i])) != NULL) {
			LIST_REMOVE(obj, bucket);
			LIST_INSERT_HEAD(bucket_of(t, obj->id), obj, bucket);
		}
	}
	free(old.buckets);
	return 0;
}

static struct rp_vn_object *find_id(const struct rp_vn_objects *t, uint64_t id)
{
	struct rp_vn_object *obj;

	if (t->n_buckets == 0)
		return NULL;
	LIST_FOREACH (obj, bucket_of(t, id), bucket) {
		if (obj->id == id)
			return obj;
	}
	return NULL;
}

struct rp_vn_object *rp_vn_object_add(struct rp_vn_objects *t, uint64_t id, enum rp_vn_type type)
{
	struct rp_vn_object *obj = NULL;

	if (id == 0)
		errno = EINVAL;
	else if (find_id(t, id) != NULL)
		errno = EEXIST;
	else if (t->count >= RP_VN_MAX_OBJECTS)
		errno = ENOSPC;
	else if (t->count >= t->n_buckets && grow(t) < 0)
		errno = ENOMEM;
	else
		obj = calloc(1, sizeof(*obj));
	if (obj == NULL)
		return NULL;
	obj->id = id;
	obj->type = (uint8_t)type;
	LIST_INIT(&obj->children);
	LIST_INSERT_HEAD(bucket_of(t, id), obj, bucket);
	t->count++;
	return obj;
}

struct rp_vn_object *rp_vn_object_find(const struct rp_vn_objects *t, uint64_t id,
				       enum rp_vn_type type)
{
	struct rp_vn_object *obj = find_id(t, id);

	return obj != NULL && obj->type == type ? obj : NULL;
}

struct rp_vn_object *rp_vn_object_find_handle(const struct rp_vn_objects *t, uint64_t handle,
					      enum rp_vn_type type)
{
	struct rp_vn_object *obj;

	for (size_t i = 0; i < t->n_buckets; i++) {
		LIST_FOREACH (obj, &t->buckets[i], bucket) {
			if (obj->handle == handle && obj->type == type)
				return obj;
		}
	}
	return NULL;
}

void rp_vn_object_remove_children(struct rp_vn_objects *t, struct rp_vn_object *obj)
{
	struct rp_vn_object *child;

	while ((child = LIST_FIRST(&obj->children)) != NULL)
		rp_vn_object_remove(t, child);
}

void rp_vn_object_remove(struct rp_vn_objects *t, struct rp_vn_object *obj)
{
	rp_vn_object_remove_children(t, obj);
	if (t->on_remove != NULL)
		t->on_remove(obj);
	if (obj->pool != NULL)
		LIST_REMOVE(obj, sibling);
	LIST_REMOVE(obj, bucket);
	t->count--;
	free(obj);
}

void rp_vn_object_remove_device(struct rp_vn_objects *t, uint64_t device)
{
	for (size_t i = 0; i < t->n_buckets; i++) {
		struct rp_vn_object *obj = LIST_FIRST(&t->buckets[i]);

		while (obj != NULL) {
			if (obj->device != device) {
				obj = LIST_NEXT(obj, bucket);
				continue;
			}
			rp_vn_object_remove(t, obj);
			// Children may have stood anywhere in this bucket: start over.
			obj = LIST_FIRST(&t->buckets[i]);
		}
	}
}

void rp_vn_objects_free(struct rp_vn_objects *t)
{
	for (size_t i = 0; i < t->n_buckets; i++) {
		struct rp_vn_object *obj;

		while ((obj = LIST_FIRST(&t->buckets[i])) != NULL)
			rp_vn_object_remove(t, obj);
	}
	free(t->buckets);
	t->buckets = NULL;
	t->n_buckets = 0;
}
