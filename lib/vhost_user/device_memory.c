// SPDX-License-Identifier: BSD-3-Clause
#include "vhost_user/device_memory.h"

#include <errno.h>
#include <string.h>

static bool overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a < b + b_size && b < a + a_size;
}

static int check_region(const struct rp_device_regions *m, const struct rp_vhu_region *r,
			struct rp_error *err)
{
	if (r->size == 0 || r->size > UINT64_MAX - r->gpa || r->size > UINT64_MAX - r->uva)
		return rp_error_set(err, EINVAL, "memory region", NULL,
				    "is empty or wraps around the address space");
	for (unsigned int i = 0; i < m->n; i++) {
		const struct rp_vhu_region *o = &m->region[i].wire;

		if (overlap(r->gpa, r->size, o->gpa, o->size) ||
		    overlap(r->uva, r->size, o->uva, o->size))
			return rp_error_set(err, EEXIST, "memory region", NULL,
					    "overlaps another one");
	}
	return 0;
}

int rp_device_regions_add(struct rp_device_regions *m, const struct rp_vhu_region *wire, int fd,
			  struct rp_error *err)
{
	struct rp_device_region *r = &m->region[m->n];
	int rc;

	if (m->n == RP_DEVICE_MEMORY_SLOTS)
		return rp_error_set(err, ENOSPC, "memory region", NULL, "all %d slots are taken",
				    RP_DEVICE_MEMORY_SLOTS);
	rc = check_region(m, wire, err);
	if (rc == 0)
		rc = rp_mapping_open(&r->mapping, fd, wire->mmap_offset, wire->size, err);
	if (rc < 0)
		return rc;
	r->wire = *wire;
	m->n++;
	return 0;
}

int rp_device_regions_remove(struct rp_device_regions *m, const struct rp_vhu_region *wire,
			     struct rp_error *err)
{
	for (unsigned int i = 0; i < m->n; i++) {
		struct rp_device_region *r = &m->region[i];

		if (r->wire.gpa != wire->gpa || r->wire.uva != wire->uva ||
		    r->wire.size != wire->size)
			continue;
		rp_mapping_close(&r->mapping);
		*r = m->region[--m->n];
		return 0;
	}
	return rp_error_set(err, ENOENT, "memory region", NULL, "no such region");
}

static void close_regions(struct rp_device_regions *m)
{
	for (unsigned int i = 0; i < m->n; i++)
		rp_mapping_close(&m->region[i].mapping);
	m->n = 0;
}

int rp_device_regions_set(struct rp_device_regions *m, const struct rp_vhu_mem *table,
			  const int *fds, struct rp_error *err)
{
	struct rp_device_regions fresh = {.n = 0};

	for (unsigned int i = 0; i < table->n_regions; i++) {
		// Out of the packed message: no pointer into it.
		struct rp_vhu_region wire = table->regions[i];
		int rc = rp_device_regions_add(&fresh, &wire, fds[i], err);

		if (rc < 0) {
			close_regions(&fresh);
			return rc;
		}
	}
	close_regions(m);
	memcpy(m->region, fresh.region, fresh.n * sizeof(fresh.region[0]));
	m->n = fresh.n;
	return 0;
}

void rp_device_regions_clear(struct rp_device_regions *m)
{
	close_regions(m);
	rp_mapping_close(&m->log);
	m->logging = false;
}

void *rp_device_regions_at(const struct rp_device_regions *m, uint64_t gpa, uint64_t *len)
{
	for (unsigned int i = 0; i < m->n; i++) {
		const struct rp_device_region *r = &m->region[i];
		uint64_t offset = gpa - r->wire.gpa;

		if (gpa < r->wire.gpa || offset >= r->wire.size)
			continue;
		if (*len > r->wire.size - offset)
			*len = r->wire.size - offset;
		return (char *)r->mapping.start + offset;
	}
	return NULL;
}

void *rp_device_regions_at_uva(const struct rp_device_regions *m, uint64_t uva, uint64_t len)
{
	for (unsigned int i = 0; i < m->n; i++) {
		const struct rp_device_region *r = &m->region[i];
		uint64_t offset = uva - r->wire.uva;

		if (uva >= r->wire.uva && offset < r->wire.size && len <= r->wire.size - offset)
			return (char *)r->mapping.start + offset;
	}
	return NULL;
}

void rp_device_regions_wrote(const struct rp_device_regions *m, uint64_t gpa, uint64_t len)
{
	uint64_t page, last;

	if (!m->logging || m->log.start == NULL || len == 0 || len > UINT64_MAX - gpa)
		return;
	last = (gpa + len - 1) / RP_DIRTY_PAGE;
	for (page = gpa / RP_DIRTY_PAGE; page <= last && page / 8 < m->log.size; page++)
		__atomic_fetch_or((uint8_t *)m->log.start + page / 8, (uint8_t)(1u << page % 8),
				  __ATOMIC_RELAXED);
}
