// SPDX-License-Identifier: BSD-3-Clause
#include "vhost_user/mapping.h"

#include <errno.h>
#include <linux/magic.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

/*
 * The table is read by the signal handler while another thread may change it: a slot counts once
 * its length is set, which happens last, and stops counting before the memory is unmapped.
 */
static struct slot {
	uintptr_t start;
	size_t page; // of this file: huge pages are replaced whole
	size_t len;  // 0: free
	bool damaged;
} slots[RP_MAPPING_MAX];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct sigaction before;

static bool replace_page(uintptr_t fault)
{
	for (unsigned int i = 0; i < RP_MAPPING_MAX; i++) {
		struct slot *s = &slots[i];
		size_t len = __atomic_load_n(&s->len, __ATOMIC_ACQUIRE);

		if (len == 0 || fault < s->start || fault - s->start >= len)
			continue;
		__atomic_store_n(&s->damaged, true, __ATOMIC_RELAXED);
		fault -= (fault - s->start) % s->page;
		return mmap((void *)fault, s->page, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED;
	}
	return false;
}

static void handle_sigbus(int signal, siginfo_t *info, void *)
{
	int saved = errno;

	// Not ours: as it was before, and the instruction faults again.
	if (!replace_page((uintptr_t)info->si_addr))
		sigaction(signal, &before, NULL);
	errno = saved;
}

static void install_handler(void)
{
	struct sigaction sa = {.sa_sigaction = handle_sigbus, .sa_flags = SA_SIGINFO}, now;

	sigemptyset(&sa.sa_mask);
	sigaction(SIGBUS, NULL, &now);
	if (now.sa_sigaction == handle_sigbus)
		return;
	before = now;
	sigaction(SIGBUS, &sa, NULL);
}

static int take_slot(const struct rp_mapping *m, size_t page)
{
	int found = -ENFILE;

	pthread_mutex_lock(&lock);
	install_handler();
	for (int i = 0; i < RP_MAPPING_MAX; i++) {
		if (slots[i].len != 0)
			continue;
		slots[i].start = (uintptr_t)m->map;
		slots[i].page = page;
		slots[i].damaged = false;
		__atomic_store_n(&slots[i].len, m->map_len, __ATOMIC_RELEASE);
		found = i;
		break;
	}
	pthread_mutex_unlock(&lock);
	return found;
}

// The unit in which this file can be mapped.
static size_t page_size(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) == 0 && fs.f_type == HUGETLBFS_MAGIC)
		return (size_t)fs.f_bsize;
	return (size_t)sysconf(_SC_PAGESIZE);
}

static int check_file(int fd, uint64_t offset, uint64_t size, struct rp_error *err)
{
	struct stat st;

	if (size == 0 || size > INT64_MAX || offset > INT64_MAX - size)
		return rp_error_set(err, EINVAL, "mapping", NULL,
				    "size 0 or an end that no file has");
	if (fstat(fd, &st) < 0)
		return rp_error_set(err, errno, "mapping", NULL, "bad descriptor");
	if (S_ISREG(st.st_mode) && (uint64_t)st.st_size < offset + size)
		return rp_error_set(err, EINVAL, "mapping", NULL,
				    "the file has %lld bytes, not the %llu asked for",
				    (long long)st.st_size, (unsigned long long)(offset + size));
	return 0;
}

int rp_mapping_open(struct rp_mapping *m, int fd, uint64_t offset, uint64_t size,
		    struct rp_error *err)
{
	size_t page = page_size(fd), lead = offset % page;
	int rc = check_file(fd, offset, size, err);

	*m = (struct rp_mapping){.slot = -1};
	if (rc < 0)
		return rc;
	m->map_len = (lead + size + page - 1) / page * page;
	m->map = mmap(NULL, m->map_len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd,
		      (off_t)(offset - lead));
	if (m->map == MAP_FAILED) {
		rc = -errno;
		*m = (struct rp_mapping){.slot = -1};
		return rp_error_set(err, -rc, "mapping", NULL, "cannot map %llu bytes: %s",
				    (unsigned long long)size, strerror(-rc));
	}
	m->start = (char *)m->map + lead;
	m->size = size;
	m->slot = take_slot(m, page);
	if (m->slot < 0) {
		munmap(m->map, m->map_len);
		*m = (struct rp_mapping){.slot = -1};
		return rp_error_set(err, ENFILE, "mapping", NULL, "at most %d at a time",
				    RP_MAPPING_MAX);
	}
	return 0;
}

void rp_mapping_close(struct rp_mapping *m)
{
	if (m->map == NULL)
		return;
	pthread_mutex_lock(&lock);
	__atomic_store_n(&slots[m->slot].len, 0, __ATOMIC_RELEASE);
	munmap(m->map, m->map_len);
	pthread_mutex_unlock(&lock);
	*m = (struct rp_mapping){.slot = -1};
}

bool rp_mapping_damaged(const struct rp_mapping *m)
{
	return m->map != NULL && __atomic_load_n(&slots[m->slot].damaged, __ATOMIC_RELAXED);
}
