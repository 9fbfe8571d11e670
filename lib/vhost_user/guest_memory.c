// SPDX-License-Identifier: BSD-3-Clause
#include "vhost_user/guest_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define GPA_BASE UINT64_C(0x40000000)
#define GPA_STEP UINT64_C(0x100000000) // between regions: they are not adjacent

static uint64_t align_up(uint64_t n, uint64_t to)
{
	return (n + to - 1) / to * to;
}

static int map_regions(struct rp_guest_memory *m, uint64_t size, unsigned int n_regions)
{
	for (unsigned int i = 0; i < n_regions; i++) {
		uint64_t offset = RP_GUEST_MEMORY_ALIGN + i * size;
		void *va =
			mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, m->fd, (off_t)offset);

		if (va == MAP_FAILED)
			return -errno;
		m->regions[i] = (struct rp_vhu_region){.gpa = GPA_BASE + i * GPA_STEP,
						       .size = size,
						       .uva = (uintptr_t)va,
						       .mmap_offset = offset};
		m->n_regions = i + 1;
	}
	return 0;
}

int rp_guest_memory_create(struct rp_guest_memory *m, uint64_t size, unsigned int n_regions,
			   bool hugepages, struct rp_error *err)
{
	unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING | (hugepages ? MFD_HUGETLB : 0);
	int rc = 0;

	*m = (struct rp_guest_memory){.fd = -1};
	if (n_regions == 0 || n_regions > RP_VHU_MAX_REGIONS)
		return rp_error_set(err, EINVAL, "memory regions", NULL, "expected 1 to %d",
				    RP_VHU_MAX_REGIONS);
	size = align_up((size + n_regions - 1) / n_regions, RP_GUEST_MEMORY_ALIGN);
	m->fd = memfd_create("guest-memory", flags);
	// A back-end that maps a file which may shrink can be killed with SIGBUS: promise not to.
	if (m->fd < 0 || ftruncate(m->fd, (off_t)(RP_GUEST_MEMORY_ALIGN + n_regions * size)) < 0 ||
	    fcntl(m->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		rc = -errno;
	else
		rc = map_regions(m, size, n_regions);
	if (rc < 0) {
		rp_guest_memory_destroy(m);
		return rp_error_set(err, -rc, "guest memory", NULL, "cannot make it: %s",
				    strerror(-rc));
	}
	return 0;
}

void rp_guest_memory_destroy(struct rp_guest_memory *m)
{
	for (unsigned int i = 0; i < m->n_regions; i++)
		munmap((void *)(uintptr_t)m->regions[i].uva, m->regions[i].size);
	if (m->fd >= 0)
		close(m->fd);
	*m = (struct rp_guest_memory){.fd = -1};
}

void *rp_guest_memory_alloc(struct rp_guest_memory *m, size_t size, uint64_t *gpa)
{
	unsigned int best = 0;
	uint64_t at;

	for (unsigned int i = 1; i < m->n_regions; i++)
		if (m->used[i] < m->used[best])
			best = i;
	at = align_up(m->used[best], 64);
	if (m->n_regions == 0 || size > m->regions[best].size ||
	    at > m->regions[best].size - size) {
		errno = ENOMEM;
		return NULL;
	}
	m->used[best] = at + size;
	*gpa = m->regions[best].gpa + at;
	return (void *)(uintptr_t)(m->regions[best].uva + at);
}

void *rp_guest_memory_at(const struct rp_guest_memory *m, uint64_t gpa, uint64_t size)
{
	for (unsigned int i = 0; i < m->n_regions; i++) {
		const struct rp_vhu_region *r = &m->regions[i];

		if (gpa >= r->gpa && gpa - r->gpa < r->size && size <= r->size - (gpa - r->gpa))
			return (void *)(uintptr_t)(r->uva + (gpa - r->gpa));
	}
	return NULL;
}
