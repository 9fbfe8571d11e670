// SPDX-License-Identifier: BSD-3-Clause
#include "vm.h"

#define SLOTS	    P(CONFIGURE_MEM_SLOTS)
#define REGION_SIZE (UINT64_C(2) << 20)

// Region i of a row of regions, none of which touches another.
static struct rp_vhu_msg region(struct check *c, uint32_t id, unsigned int i)
{
	struct rp_vhu_msg msg = {.request = id,
				 .size = sizeof(struct rp_vhu_single_region),
				 .payload.region.region = {
					 .gpa = UINT64_C(0x1000000000) + i * 2 * REGION_SIZE,
					 .size = REGION_SIZE,
					 .uva = UINT64_C(0x500000000000) + i * 2 * REGION_SIZE,
				 }};

	if (id == RP_VHU_ADD_MEM_REG)
		msg.fds[msg.n_fds++] = check_memfd(c, REGION_SIZE);
	return msg;
}

static struct session *ready(struct check *c)
{
	return session_negotiated(c, RP_VIRTIO_BIT(VERSION_1));
}

RULE(AR1, .severity = MUST, .section = "GET_MAX_MEM_SLOTS",
     .statement = "as many regions can be added as GET_MAX_MEM_SLOTS says, and no more",
     .how = "Add that many (at most 600), then one more.", .protocol = SLOTS)
{
	struct session *s = ready(c);
	uint64_t slots = get_u64(s, RP_VHU_GET_MAX_MEM_SLOTS);
	struct rp_vhu_msg msg;

	if (slots == 0)
		rule_fail(c, "GET_MAX_MEM_SLOTS says 0");
	for (unsigned int i = 0; i < slots && i < 600; i++) {
		msg = region(c, RP_VHU_ADD_MEM_REG, i);
		must_take(s, &msg);
	}
	if (slots > 600)
		rule_skip(c, "%llu slots are more than are tried", (unsigned long long)slots);
	msg = region(c, RP_VHU_ADD_MEM_REG, (unsigned int)slots);
	must_refuse(s, &msg, "one region more than there are slots");
}

RULE(AR2, .severity = MUST, .section = "REM_MEM_REG",
     .statement = "REM_MEM_REG goes by addresses and size, whatever the offset says",
     .how = "Add a region, remove it with another offset, add it again.", .protocol = SLOTS)
{
	struct session *s = ready(c);
	struct rp_vhu_msg add = region(c, RP_VHU_ADD_MEM_REG, 0);
	struct rp_vhu_msg rem = region(c, RP_VHU_REM_MEM_REG, 0);

	must_take(s, &add);
	rem.payload.region.region.mmap_offset = 4096;
	must_take(s, &rem);
	add = region(c, RP_VHU_ADD_MEM_REG, 0);
	must_take(s, &add);
}

RULE(AR3, .severity = MUST, .section = "ADD_MEM_REG",
     .statement = "ADD_MEM_REG with no descriptor, or two, is refused", .how = "Send both.",
     .protocol = SLOTS)
{
	struct rp_vhu_msg msg = region(c, RP_VHU_ADD_MEM_REG, 0);

	msg.n_fds = 0;
	must_refuse(ready(c), &msg, "no descriptor");
	msg = region(c, RP_VHU_ADD_MEM_REG, 0);
	msg.fds[msg.n_fds++] = msg.fds[0];
	must_refuse(ready(c), &msg, "two descriptors");
}

RULE(AR4, .severity = MUST, .section = "REM_MEM_REG",
     .statement = "REM_MEM_REG with one descriptor is taken and the descriptor closed",
     .how = "Add and remove a region twenty times, with a descriptor.", .protocol = SLOTS)
{
	struct session *s = ready(c);
	int before = -1;

	for (int i = 0; i < 20; i++) {
		struct rp_vhu_msg add = region(c, RP_VHU_ADD_MEM_REG, 0);
		struct rp_vhu_msg rem = region(c, RP_VHU_REM_MEM_REG, 0);

		must_take(s, &add);
		rem.fds[rem.n_fds++] = add.fds[0];
		must_take(s, &rem);
		if (i == 0)
			before = target_fds(c);
	}
	if (before >= 0)
		must_come_down(c, before, "after REM_MEM_REG with a descriptor");
}

RULE(AR5, .severity = SHOULD, .section = "REM_MEM_REG",
     .statement = "REM_MEM_REG of a region that is not there is refused",
     .how = "Remove a region that was never added, then one of another size.", .protocol = SLOTS)
{
	struct rp_vhu_msg msg = region(c, RP_VHU_REM_MEM_REG, 0);
	struct session *s = ready(c);

	must_refuse(s, &msg, "a region that is not there");
	s = ready(c);
	msg = region(c, RP_VHU_ADD_MEM_REG, 0);
	must_take(s, &msg);
	msg = region(c, RP_VHU_REM_MEM_REG, 0);
	msg.payload.region.region.size /= 2;
	must_refuse(s, &msg, "another size");
}

RULE(AR6, .severity = SHOULD, .section = "ADD_MEM_REG",
     .statement = "adding a region twice is refused", .how = "Send the same ADD_MEM_REG twice.",
     .protocol = SLOTS)
{
	struct session *s = ready(c);
	struct rp_vhu_msg msg = region(c, RP_VHU_ADD_MEM_REG, 0);

	must_take(s, &msg);
	msg = region(c, RP_VHU_ADD_MEM_REG, 0);
	must_refuse(s, &msg, "a region that is there already");
}

// Rings in memory that comes by ADD_MEM_REG alone.
static struct vm *start_in_slots(struct check *c)
{
	struct vm *vm = vm_new(c, NULL);
	struct rp_vhu_msg msg = {.request = RP_VHU_ADD_MEM_REG,
				 .size = sizeof(struct rp_vhu_single_region),
				 .payload.region.region = vm->mem.regions[0],
				 .n_fds = 1,
				 .fds = {vm->mem.fd}};

	must_take(vm->s, &msg);
	for (unsigned int q = 0; q < vm->n_rings; q++)
		vm_setup_ring(vm, q);
	vm_enable_all(vm, true);
	vm_driver_ok(vm);
	return vm;
}

RULE(AR7, .severity = MUST, .section = "ADD_MEM_REG",
     .statement = "rings work in added regions, also while others come and go",
     .how = "Run rings in an added region; add and remove another; run on.", .protocol = SLOTS,
     .needs = NEED_DATA)
{
	struct vm *vm = start_in_slots(c);
	struct rp_vhu_msg msg = region(c, RP_VHU_ADD_MEM_REG, 7);

	vm_work(vm, 2);
	must_take(vm->s, &msg);
	vm_work(vm, 2);
	msg = region(c, RP_VHU_REM_MEM_REG, 7);
	must_take(vm->s, &msg);
	vm_work(vm, 2);
}

RULE(AR8, .severity = SHOULD, .section = "REM_MEM_REG",
     .statement = "removing the region of a running ring does no harm",
     .how = "Remove it and kick.", .protocol = SLOTS, .needs = NEED_DATA, .risky = true)
{
	struct vm *vm = start_in_slots(c);
	struct rp_vhu_msg msg = {.request = RP_VHU_REM_MEM_REG,
				 .size = sizeof(struct rp_vhu_single_region),
				 .payload.region.region = vm->mem.regions[0]};

	vm_work(vm, 1);
	must_survive(vm->s, &msg);
	vm_post(vm);
	vm_kick(vm, vm->work);
	session_closed_within(vm->s, 100);
}
