// SPDX-License-Identifier: BSD-3-Clause
#include "vm.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define REGION_SIZE (UINT64_C(2) << 20)

RULE(MT1, .severity = MUST, .section = "SET_MEM_TABLE",
     .statement = "one region and eight regions of one file, at different offsets, are mapped",
     .how = "Run rings in a memory of one region, then of eight, all of the same descriptor.",
     .needs = NEED_DATA)
{
	for (unsigned int regions = 1; regions <= 8; regions += 7) {
		struct vm_config cfg = {.regions = regions};
		struct vm *vm = vm_start(c, &cfg);

		vm_work(vm, 4);
		session_close(vm->s);
	}
}

RULE(MT2, .severity = MUST, .section = "Memory access",
     .statement = "ring addresses are resolved as user addresses, buffers as guest addresses",
     .how = "Use guest address, user address and file offset that are all different, the user "
	    "address one that exists nowhere.",
     .needs = NEED_DATA)
{
	struct vm *vm = vm_new(c, NULL);
	struct rp_vhu_msg msg = vm_mem_table(vm);
	uint64_t shift = UINT64_C(0x100000000000) - msg.payload.mem.regions[0].uva;

	msg.payload.mem.regions[0].uva += shift;
	must_take(vm->s, &msg);
	for (unsigned int q = 0; q < vm->n_rings; q++) {
		msg = vm_addr(vm, q);
		msg.payload.addr.desc += shift;
		msg.payload.addr.avail += shift;
		msg.payload.addr.used += shift;
		vm_set_num(vm, q);
		vm_set_base(vm, q);
		must_take(vm->s, &msg);
		vm_set_call(vm, q);
		vm_set_kick(vm, q);
	}
	vm_enable_all(vm, true);
	vm_driver_ok(vm);
	vm_work(vm, 4);
}

RULE(MT3, .severity = MUST, .section = "SET_MEM_TABLE",
     .statement = "the memory table can be sent again while rings run",
     .how = "Run a ring, send the same table again, run on; then with a region more, run on.",
     .needs = NEED_DATA)
{
	struct vm *vm = vm_start(c, NULL);
	struct rp_vhu_msg msg;

	vm_work(vm, 2);
	vm_share_memory(vm);
	vm_work(vm, 2);
	msg = vm_mem_table(vm);
	msg.payload.mem.regions[msg.payload.mem.n_regions++] =
		(struct rp_vhu_region){.gpa = UINT64_C(0x7000000000),
				       .size = REGION_SIZE,
				       .uva = UINT64_C(0x123400000000)};
	msg.fds[msg.n_fds++] = check_memfd(c, REGION_SIZE);
	msg.size += sizeof(struct rp_vhu_region);
	must_take(vm->s, &msg);
	vm_work(vm, 2);
}

static struct rp_vhu_msg one_region(struct check *c, struct rp_vhu_region region, size_t file_size)
{
	struct rp_vhu_msg msg = {
		.request = RP_VHU_SET_MEM_TABLE,
		.size = 40,
		.payload.mem = {.n_regions = 1},
		.n_fds = 1,
		.fds = {check_memfd(c, file_size)},
	};

	msg.payload.mem.regions[0] = region;
	return msg;
}

static const struct rp_vhu_region sound = {
	.gpa = 0x40000000, .size = REGION_SIZE, .uva = UINT64_C(0x7f0000000000)};

static void refuse_table(struct check *c, struct rp_vhu_msg *msg, const char *what)
{
	struct session *s = session_negotiated(c, RP_VIRTIO_BIT(VERSION_1));

	must_refuse(s, msg, what);
	session_close(s);
}

RULE(MT4, .severity = SHOULD, .section = "SET_MEM_TABLE",
     .statement = "a table that contradicts its payload or its descriptors is refused",
     .how = "Two regions with one descriptor; one region with two; nine regions; 0xffffffff.")
{
	struct rp_vhu_msg msg = one_region(c, sound, REGION_SIZE);

	msg.payload.mem.n_regions = 2;
	msg.size = 72;
	msg.payload.mem.regions[1] = sound;
	msg.payload.mem.regions[1].gpa += UINT64_C(1) << 32;
	msg.payload.mem.regions[1].uva += UINT64_C(1) << 32;
	refuse_table(c, &msg, "2 regions and 1 descriptor");
	msg = one_region(c, sound, REGION_SIZE);
	msg.fds[msg.n_fds++] = msg.fds[0];
	refuse_table(c, &msg, "1 region and 2 descriptors");
	msg = one_region(c, sound, REGION_SIZE);
	msg.payload.mem.n_regions = 9;
	msg.size = 8 + 9 * 32;
	refuse_table(c, &msg, "9 regions");
	msg = one_region(c, sound, REGION_SIZE);
	msg.payload.mem.n_regions = UINT32_MAX;
	refuse_table(c, &msg, "0xffffffff regions");
}

RULE(MT5, .severity = SHOULD, .section = "SET_MEM_TABLE",
     .statement = "regions that cannot be are refused",
     .how = "Size 0; guest address plus size past 2^64; user address too; offset too; a "
	    "descriptor that cannot be mapped.")
{
	struct rp_vhu_region r = sound;
	struct rp_vhu_msg msg;

	r.size = 0;
	msg = one_region(c, r, REGION_SIZE);
	refuse_table(c, &msg, "a region of size 0");
	r = sound;
	r.mmap_offset = UINT64_MAX - REGION_SIZE / 2 + 1;
	msg = one_region(c, r, REGION_SIZE);
	refuse_table(c, &msg, "offset plus size past 2^64");
	r = sound;
	r.gpa = UINT64_MAX - REGION_SIZE / 2 + 1;
	msg = one_region(c, r, REGION_SIZE);
	refuse_table(c, &msg, "guest address plus size past 2^64");
	r = sound;
	r.uva = UINT64_MAX - REGION_SIZE / 2 + 1;
	msg = one_region(c, r, REGION_SIZE);
	refuse_table(c, &msg, "user address plus size past 2^64");
	msg = one_region(c, sound, REGION_SIZE);
	msg.fds[0] = check_eventfd(c);
	refuse_table(c, &msg, "an eventfd for memory");
}

RULE(MT6, .severity = ROBUST, .section = "SET_MEM_TABLE",
     .statement = "regions that overlap are refused",
     .how = "Two regions with the same guest address, then with the same user address.")
{
	for (int variant = 0; variant < 2; variant++) {
		struct rp_vhu_msg msg = one_region(c, sound, REGION_SIZE);
		struct rp_vhu_region *r = &msg.payload.mem.regions[1];

		*r = sound;
		if (variant == 0)
			r->uva += UINT64_C(1) << 32;
		else
			r->gpa += UINT64_C(1) << 32;
		msg.payload.mem.n_regions = 2;
		msg.size = 72;
		msg.fds[msg.n_fds++] = check_memfd(c, REGION_SIZE);
		refuse_table(c, &msg,
			     variant == 0 ? "overlapping guest addresses"
					  : "overlapping user addresses");
	}
}

RULE(MT7, .severity = ROBUST, .section = "SET_MEM_TABLE",
     .statement = "a region larger than its file is refused, or access to it survived",
     .how = "Set up rings in a region whose file ends before the buffers, and kick.",
     .needs = NEED_DATA, .risky = true)
{
	struct vm *vm = vm_new(c, NULL);
	struct rp_vhu_msg msg = vm_mem_table(vm);
	int fd = check_memfd(c, 4096);

	msg.fds[0] = fd;
	msg.payload.mem.regions[0].mmap_offset = 0;
	if (must_survive(vm->s, &msg) == ACK_REFUSED || vm->s->sock < 0)
		return;
	for (unsigned int q = 0; q < vm->n_rings && vm->s->sock >= 0; q++) {
		struct rp_vhu_msg steps[] = {
			msg_state(RP_VHU_SET_VRING_NUM, q, vm->cfg.ring_size),
			vm_addr(vm, q),
			msg_fd(RP_VHU_SET_VRING_CALL, q, vm->rings[q].call),
			msg_fd(RP_VHU_SET_VRING_KICK, q, vm->rings[q].kick),
			msg_state(RP_VHU_SET_VRING_ENABLE, q, 1),
		};

		for (unsigned int i = 0; i < 5 && vm->s->sock >= 0; i++)
			must_survive(vm->s, &steps[i]);
		vm_kick(vm, q);
	}
	session_closed_within(vm->s, 100);
}

RULE(MT8, .severity = ROBUST, .section = "SET_MEM_TABLE",
     .statement = "a file that is cut short under running rings is survived",
     .how = "Run rings in a file without seals, cut it to nothing, kick.", .needs = NEED_DATA,
     .risky = true)
{
	struct vm *vm = vm_new(c, NULL);
	struct rp_vhu_msg msg = vm_mem_table(vm);
	uint64_t size = msg.payload.mem.regions[0].size;
	int fd = check_memfd(c, size);
	void *copy = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (copy == MAP_FAILED)
		rule_skip(c, "no memory for the test");
	memcpy(copy, (void *)(uintptr_t)vm->mem.regions[0].uva, size);
	munmap(copy, size);
	msg.fds[0] = fd;
	msg.payload.mem.regions[0].mmap_offset = 0;
	must_take(vm->s, &msg);
	for (unsigned int q = 0; q < vm->n_rings; q++)
		vm_setup_ring(vm, q);
	vm_enable_all(vm, true);
	vm_driver_ok(vm);
	if (ftruncate(fd, 0) < 0)
		rule_skip(c, "cannot cut the file");
	for (unsigned int q = 0; q < vm->n_rings; q++)
		vm_kick(vm, q);
	session_closed_within(vm->s, 100);
}

RULE(MT9, .severity = SHOULD, .section = "Communication",
     .statement = "descriptors of refused messages are closed",
     .how = "Twenty memory tables that must be refused: the back-end's open descriptors do not "
	    "grow.",
     .needs = NEED_PID)
{
	struct session *s = NULL;
	int before = -1;

	for (int i = 0; i < 21; i++) {
		struct rp_vhu_msg msg = one_region(c, sound, REGION_SIZE);

		if (s == NULL || s->sock < 0)
			s = session_negotiated(c, RP_VIRTIO_BIT(VERSION_1));
		msg.payload.mem.n_regions = 3;
		msg.size = 8 + 3 * 32;
		msg.fds[msg.n_fds++] = msg.fds[0];
		must_survive(s, &msg);
		if (s->sock < 0)
			s = session_negotiated(c, RP_VIRTIO_BIT(VERSION_1));
		if (i == 0)
			before = target_fds(c);
	}
	must_come_down(c, before, "after 20 refused memory tables");
}

RULE(MT10, .severity = SHOULD, .section = "Communication",
     .statement = "guest memory is unmapped when the connection ends",
     .how = "Share memory, disconnect, look at the mappings of the process.", .needs = NEED_PID)
{
	struct vm *vm = vm_new(c, NULL);
	int before = target_maps(c);

	vm_share_memory(vm);
	if (target_maps(c) <= before)
		rule_skip(c, "its mappings cannot be seen");
	session_close(vm->s);
	for (unsigned int i = 0; target_maps(c) > before; i++) {
		if (i * 5 > c->opt->wait_ms)
			rule_fail(c, "%d mappings of guest memory are left", target_maps(c));
		usleep(5000);
	}
}
