/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Answers that never change: what a physical device can do. The key is the request as it would go
 * over the wire, the value the reply; so one cache serves every query, whatever chains it carries.
 * Thread-safe. Lives as long as the instance.
 */

#include <pthread.h>

#include "venus/client.h"

struct icd_answer;

struct icd_cache {
	pthread_mutex_t lock;
	struct icd_answer *buckets[256];
	size_t bytes;
};

void icd_cache_init(struct icd_cache *c);
void icd_cache_free(struct icd_cache *c);

// Fill args from the cache. False: not there.
bool icd_cache_get(struct icd_cache *c, const struct rp_vn_handles *handles, unsigned int command,
		   void *args);

// A request as the key of its answer, taken before the call changes args; NULL: too large to keep.
struct icd_answer *icd_cache_key(const struct rp_vn_handles *handles, unsigned int command,
				 const void *args);

// Keep the answered args under a key, which is consumed; NULL is fine.
void icd_cache_put(struct icd_cache *c, struct icd_answer *key, unsigned int command,
		   const void *args);
