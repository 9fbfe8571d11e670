// SPDX-License-Identifier: BSD-3-Clause
#include "vulkan/cache.h"

#include <stdlib.h>

#define MAX_REQUEST 16384u
#define MAX_ANSWER  65536u
#define MAX_BYTES   (16u << 20)

struct icd_answer {
	struct icd_answer *next;
	uint64_t hash;
	size_t key_len;
	size_t len;
	uint8_t bytes[]; // the key, then the answer
};

void icd_cache_init(struct icd_cache *c)
{
	memset(c, 0, sizeof(*c));
	pthread_mutex_init(&c->lock, NULL);
}

void icd_cache_free(struct icd_cache *c)
{
	for (size_t i = 0; i < sizeof(c->buckets) / sizeof(c->buckets[0]); i++) {
		while (c->buckets[i] != NULL) {
			struct icd_answer *a = c->buckets[i];

			c->buckets[i] = a->next;
			free(a);
		}
	}
	pthread_mutex_destroy(&c->lock);
}

// FNV-1a.
static uint64_t hash_bytes(const uint8_t *p, size_t n)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 0x100000001b3u;
	return h;
}

// The request's bytes in buf; 0: it does not fit.
static size_t encode_key(const struct rp_vn_handles *handles, unsigned int command,
			 const void *args, uint8_t *buf)
{
	struct rp_vn_encoder e = {.w = rp_writer(buf, MAX_REQUEST), .handles = handles};

	rp_vn_encode_request(&e, &rp_vn_commands[command], args, 0);
	return e.w.overflow || e.bad_handle ? 0 : rp_writer_len(&e.w);
}

static struct icd_answer **bucket_of(struct icd_cache *c, uint64_t hash)
{
	return &c->buckets[hash % (sizeof(c->buckets) / sizeof(c->buckets[0]))];
}

bool icd_cache_get(struct icd_cache *c, const struct rp_vn_handles *handles, unsigned int command,
		   void *args)
{
	uint8_t key[MAX_REQUEST];
	size_t len = encode_key(handles, command, args, key);
	uint64_t hash = hash_bytes(key, len);
	struct icd_answer *a;
	bool found = false;

	pthread_mutex_lock(&c->lock);
	for (a = *bucket_of(c, hash); a != NULL && len > 0; a = a->next) {
		struct rp_vn_decoder d = {.handles = handles};

		if (a->hash != hash || a->key_len != len || memcmp(a->bytes, key, len) != 0)
			continue;
		d.r = rp_reader(a->bytes + len, a->len);
		found = rp_vn_decode_reply(&d, &rp_vn_commands[command], args);
		break;
	}
	pthread_mutex_unlock(&c->lock);
	return found;
}

struct icd_answer *icd_cache_key(const struct rp_vn_handles *handles, unsigned int command,
				 const void *args)
{
	uint8_t key[MAX_REQUEST];
	size_t len = encode_key(handles, command, args, key);
	struct icd_answer *a = len > 0 ? malloc(sizeof(*a) + len) : NULL;

	if (a == NULL)
		return NULL;
	*a = (struct icd_answer){.hash = hash_bytes(key, len), .key_len = len};
	memcpy(a->bytes, key, len);
	return a;
}

void icd_cache_put(struct icd_cache *c, struct icd_answer *key, unsigned int command,
		   const void *args)
{
	// What an answer brings is read back by the same tables; of handles it brings none.
	static const struct rp_vn_handles none = {0};
	uint8_t *answer = key != NULL ? malloc(MAX_ANSWER) : NULL;
	struct rp_vn_encoder e = {.w = rp_writer(answer, answer != NULL ? MAX_ANSWER : 0),
				  .handles = &none};
	struct icd_answer *a = NULL;

	if (answer != NULL)
		rp_vn_encode_reply(&e, &rp_vn_commands[command], args);
	if (answer != NULL && !e.w.overflow)
		a = realloc(key, sizeof(*a) + key->key_len + rp_writer_len(&e.w));
	if (a == NULL) {
		free(answer);
		free(key);
		return;
	}
	a->len = rp_writer_len(&e.w);
	memcpy(a->bytes + a->key_len, answer, a->len);
	free(answer);
	pthread_mutex_lock(&c->lock);
	if (c->bytes + sizeof(*a) + a->key_len + a->len <= MAX_BYTES) {
		struct icd_answer **bucket = bucket_of(c, a->hash);

		c->bytes += sizeof(*a) + a->key_len + a->len;
		a->next = *bucket;
		*bucket = a;
		a = NULL;
	}
	pthread_mutex_unlock(&c->lock);
	free(a);
}
