// SPDX-License-Identifier: BSD-3-Clause
#include "vm.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE	 4096
#define LOG_SIZE (UINT64_C(1) << 20) // one bit a page: 32 GiB of guest addresses

#define NEEDS .features = RP_VIRTIO_BIT(VHOST_LOG_ALL), .protocol = P(LOG_SHMFD)

struct dirty_log {
	uint8_t *bits;
	int fd;
};

// A log of LOG_SIZE bytes behind `offset` bytes that nobody may touch, and as many after it.
static struct dirty_log make_log(struct check *c, uint64_t offset)
{
	struct dirty_log log = {.fd = check_memfd(c, offset + LOG_SIZE + PAGE)};
	void *map =
		mmap(NULL, offset + LOG_SIZE + PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, log.fd, 0);

	if (map == MAP_FAILED)
		rule_skip(c, "no memory for the test");
	log.bits = (uint8_t *)map + offset;
	return log;
}

static void free_log(struct dirty_log log, uint64_t offset)
{
	munmap(log.bits - offset, offset + LOG_SIZE + PAGE);
}

static struct rp_vhu_msg log_base(int fd, uint64_t size, uint64_t offset)
{
	struct rp_vhu_msg msg = {.request = RP_VHU_SET_LOG_BASE,
				 .size = 16,
				 .payload.log = {.mmap_size = size, .mmap_offset = offset}};

	if (fd >= 0)
		msg.fds[msg.n_fds++] = fd;
	return msg;
}

static void set_logging(struct vm *vm, bool on)
{
	struct rp_vhu_msg msg = msg_u64(RP_VHU_SET_FEATURES,
					vm->s->features | (on ? RP_VIRTIO_BIT(VHOST_LOG_ALL) : 0));

	must_take(vm->s, &msg);
}

// A running VM with a log of its writes.
static struct vm *start_logged(struct check *c, const struct dirty_log *log, uint64_t offset,
			       uint32_t addr_flags)
{
	struct vm_config cfg = {.addr_flags = addr_flags};
	struct vm *vm = vm_start(c, &cfg);
	struct rp_vhu_msg msg = log_base(log->fd, LOG_SIZE, offset);

	vm_work(vm, 1);
	must_take(vm->s, &msg);
	set_logging(vm, true);
	return vm;
}

static bool logged(const struct dirty_log *log, uint64_t gpa)
{
	return (log->bits[gpa / PAGE / 8] >> (gpa / PAGE % 8) & 1) != 0;
}

// Bits of the pages may be set a moment after the used index moved.
static bool logged_soon(const struct dirty_log *log, uint64_t gpa)
{
	for (int i = 0; i < 100; i++) {
		if (logged(log, gpa))
			return true;
		usleep(1000);
	}
	return false;
}

RULE(LG1, .severity = MUST, .section = "SET_LOG_BASE",
     .statement = "SET_LOG_BASE with a descriptor is answered", NEEDS,
     .how = "Send it; an empty answer, a u64 and a log description are all in use.")
{
	struct session *s = session_negotiated(c, RP_VIRTIO_BIT(VERSION_1));
	struct rp_vhu_msg msg = log_base(check_memfd(c, LOG_SIZE), LOG_SIZE, 0);

	must_take(s, &msg);
	rule_note(c, "the answer is %s",
		  s->reply.size == 0   ? "empty"
		  : s->reply.size == 8 ? "a u64"
				       : "a log description");
}

RULE(LG2, .severity = MUST, .section = "Migration",
     .statement = "with LOG_ALL every page that the device writes is marked", NEEDS,
     .how = "Let it write a buffer and look at the bit of its page.", .needs = NEED_WRITE)
{
	struct dirty_log log = make_log(c, 0);
	struct vm *vm = start_logged(c, &log, 0, 0);
	struct vm_written w = vm_receive(vm);
	bool ok = logged_soon(&log, w.gpa);

	free_log(log, 0);
	if (!ok)
		rule_fail(c, "0x%llx was written, its page is not marked",
			  (unsigned long long)w.gpa);
}

RULE(LG3, .severity = MUST, .section = "SET_VRING_ADDR",
     .statement = "with the log flag in SET_VRING_ADDR the used ring's page is marked", NEEDS,
     .how = "Set the flag and the log address, run a buffer.", .needs = NEED_DATA)
{
	struct dirty_log log = make_log(c, 0);
	struct vm *vm = start_logged(c, &log, 0, RP_VHU_VRING_F_LOG);
	uint64_t used = vm_addr(vm, vm->work).payload.addr.log;
	bool ok;

	vm_work(vm, 2);
	ok = logged_soon(&log, used);
	free_log(log, 0);
	if (!ok)
		rule_fail(c, "the used ring at 0x%llx was written, its page is not marked",
			  (unsigned long long)used);
}

RULE(LG4, .severity = MUST, .section = "Migration",
     .statement = "pages that the device only reads are not marked", NEEDS,
     .how = "net: send a frame; its page must stay clean. blk: the same for the request.",
     .needs = NEED_DATA, .devices = DEVICE_NET)
{
	struct dirty_log log = make_log(c, 0);
	struct vm *vm = start_logged(c, &log, 0, 0);
	struct vm_ring *r = &vm->rings[vm->work];
	bool marked = false;

	vm_work(vm, 4);
	usleep(10000);
	for (unsigned int i = 2; i < 5; i++)
		marked |= logged(&log, r->bufs_gpa + i * VM_BUFFER_SIZE);
	free_log(log, 0);
	if (marked)
		rule_fail(c, "the page of a frame that was only sent is marked");
}

RULE(LG5, .severity = MUST, .section = "SET_LOG_BASE",
     .statement = "the offset of the log in its file is honoured", NEEDS,
     .how = "A log that begins at 8192: bits there, nothing before it.", .needs = NEED_WRITE)
{
	struct dirty_log log = make_log(c, 8192);
	struct vm *vm = start_logged(c, &log, 8192, 0);
	struct vm_written w = vm_receive(vm);
	bool ok = logged_soon(&log, w.gpa), before = false;

	for (int i = -8192; i < 0; i++)
		before |= log.bits[i] != 0;
	free_log(log, 8192);
	if (before)
		rule_fail(c, "bits were set in front of the log");
	if (!ok)
		rule_fail(c, "the page of a buffer that was written is not marked");
}

RULE(LG6, .severity = SHOULD, .section = "Migration",
     .statement = "nothing is written behind the end of the log", NEEDS,
     .how = "A log too short for the addresses in use: the bytes behind it stay 0.",
     .needs = NEED_WRITE, .risky = true)
{
	struct dirty_log log = make_log(c, 0);
	struct vm *vm = vm_start(c, NULL);
	uint64_t need = vm->mem.regions[0].gpa / PAGE / 8;
	struct rp_vhu_msg msg = log_base(log.fd, need / 2, 0);
	bool spilt = false;

	vm_work(vm, 1);
	if (must_survive(vm->s, &msg) == REPLIED) {
		msg = msg_u64(RP_VHU_SET_FEATURES, vm->s->features | RP_VIRTIO_BIT(VHOST_LOG_ALL));
		must_survive(vm->s, &msg);
	}
	if (vm->s->sock >= 0) {
		vm_post(vm);
		vm_kick(vm, vm->work);
		vm_wait(vm, vm->work, 1, 100);
	}
	for (uint64_t i = need / 2; i < LOG_SIZE; i++)
		spilt |= log.bits[i] != 0;
	free_log(log, 0);
	if (spilt)
		rule_fail(c, "bits were set behind the end of the log");
}

RULE(LG7, .severity = SHOULD, .section = "SET_LOG_BASE",
     .statement = "a log that cannot be is refused", NEEDS,
     .how = "No descriptor; size 0; offset plus size past 2^64; more than the file has.")
{
	struct {
		uint64_t size, offset;
		bool fd;
		const char *what;
	} const bad[] = {
		{LOG_SIZE, 0, false, "no descriptor"},
		{0, 0, true, "size 0"},
		{LOG_SIZE, UINT64_MAX - 4095, true, "offset plus size past 2^64"},
	};

	for (unsigned int i = 0; i < 3; i++) {
		struct session *s = session_negotiated(c, RP_VIRTIO_BIT(VERSION_1));
		struct rp_vhu_msg msg = log_base(bad[i].fd ? check_memfd(c, LOG_SIZE) : -1,
						 bad[i].size, bad[i].offset);
		enum outcome o = must_survive(s, &msg);

		// The answer is due in any case; only one that has a u64 can say no.
		if (o == REPLIED && (s->reply.size != 8 || s->reply.payload.u64 == 0))
			rule_fail(c, "SET_LOG_BASE with %s is answered as if all were well",
				  bad[i].what);
		session_close(s);
	}
}

RULE(LG8, .severity = MUST, .section = "Migration",
     .statement = "without LOG_ALL nothing is marked any more", NEEDS,
     .how = "Log, switch it off, clear the bits, let it write.", .needs = NEED_WRITE)
{
	struct dirty_log log = make_log(c, 0);
	struct vm *vm = start_logged(c, &log, 0, 0);
	bool marked = false;

	vm_receive(vm);
	set_logging(vm, false);
	vm_work(vm, 1);
	usleep(5000);
	memset(log.bits, 0, LOG_SIZE);
	vm_receive(vm);
	usleep(10000);
	for (uint64_t i = 0; i < LOG_SIZE; i++)
		marked |= log.bits[i] != 0;
	free_log(log, 0);
	if (marked)
		rule_fail(c, "pages are marked though logging is off");
}

RULE(LG9, .severity = ROBUST, .section = "SET_LOG_BASE",
     .statement = "a log file that is cut short is survived", NEEDS,
     .how = "Log, cut the file to nothing, let it write.", .needs = NEED_WRITE, .risky = true)
{
	struct dirty_log log = make_log(c, 0);
	struct vm *vm = start_logged(c, &log, 0, 0);
	int rc = ftruncate(log.fd, 0);

	free_log(log, 0);
	if (rc < 0)
		rule_skip(c, "cannot cut the file");
	if (c->target->device == DEVICE_NET) {
		vm_post_rx(vm, VM_BUFFER_SIZE);
		vm_kick(vm, 0);
	}
	vm_post(vm);
	vm_kick(vm, vm->work);
	vm_wait(vm, vm->work, 1, 100);
}
