// SPDX-License-Identifier: BSD-3-Clause
#include "vm.h"

#include "base/clock.h"
#include "virtio/net.h"

#include <linux/virtio_blk.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void make_ring(struct vm *vm, unsigned int q)
{
	struct vm_ring *r = &vm->rings[q];

	r->mem_len = rp_vring_layout(vm->cfg.ring_size, false).total;
	r->mem = rp_guest_memory_alloc(&vm->mem, r->mem_len, &r->mem_gpa);
	r->bufs = rp_guest_memory_alloc(&vm->mem, (size_t)vm->cfg.ring_size * VM_BUFFER_SIZE,
					&r->bufs_gpa);
	if (r->mem == NULL || r->bufs == NULL)
		rule_skip(vm->c, "the tester has no memory left");
	r->kick = check_eventfd(vm->c);
	r->call = check_eventfd(vm->c);
	vm_clear_ring(vm, q, vm->cfg.base);
}

void vm_clear_ring(struct vm *vm, unsigned int q, uint16_t base)
{
	struct vm_ring *r = &vm->rings[q];
	struct rp_vring_config cfg = {
		.size = vm->cfg.ring_size,
		.base = base,
		.event_idx = (vm->s->features & RP_VIRTIO_BIT(EVENT_IDX)) != 0,
	};

	rp_vring_fini(&r->vr);
	if (rp_vring_init(&r->vr, &cfg, r->mem) < 0)
		rule_skip(vm->c, "the tester has no memory left");
	rp_vring_enable_call(&r->vr);
}

static void take_defaults(struct vm *vm, const struct vm_config *cfg)
{
	if (cfg != NULL)
		vm->cfg = *cfg;
	if (vm->cfg.ring_size == 0)
		vm->cfg.ring_size = VM_RING_SIZE;
	if (vm->cfg.regions == 0)
		vm->cfg.regions = 1;
	if (vm->cfg.rings == 0)
		vm->cfg.rings = vm->c->target->device == DEVICE_NET ? 2 : 1;
	vm->n_rings = vm->cfg.rings;
	vm->work = vm->c->target->device == DEVICE_NET ? 1 : 0;
}

struct vm *vm_new(struct check *c, const struct vm_config *cfg)
{
	struct vm *vm = calloc(1, sizeof(*vm));
	uint64_t size, features;
	struct rp_vhu_msg msg;

	if (vm == NULL)
		rule_skip(c, "the tester has no memory left");
	vm->c = c;
	vm->mem.fd = -1;
	vm->next = c->vms;
	c->vms = vm;
	take_defaults(vm, cfg);
	vm->s = session_hello(c, CHECK_PROTOCOL);
	features = vm->cfg.features | RP_VIRTIO_BIT(VERSION_1) | F30;
	if (vm->cfg.legacy)
		features &= ~RP_VIRTIO_BIT(VERSION_1);
	if (vm->cfg.no_f30)
		features &= ~F30;
	vm->s->features = features & vm->s->offered;
	msg = msg_u64(RP_VHU_SET_FEATURES, vm->s->features);
	must_take(vm->s, &msg);
	vm->hdr_len = c->target->device == DEVICE_NET ? rp_virtio_net_hdr_len(vm->s->features) : 0;
	size = (uint64_t)vm->n_rings * (rp_vring_layout(vm->cfg.ring_size, false).total +
					(uint64_t)vm->cfg.ring_size * VM_BUFFER_SIZE + 128);
	size = (size + RP_GUEST_MEMORY_ALIGN) * vm->cfg.regions;
	if (rp_guest_memory_create(&vm->mem, size, vm->cfg.regions, false, NULL) < 0)
		rule_skip(c, "the tester has no memory left");
	for (unsigned int q = 0; q < vm->n_rings; q++)
		make_ring(vm, q);
	return vm;
}

struct rp_vhu_msg vm_mem_table(const struct vm *vm)
{
	struct rp_vhu_msg msg = {.request = RP_VHU_SET_MEM_TABLE,
				 .payload.mem.n_regions = vm->mem.n_regions,
				 .n_fds = vm->mem.n_regions};

	msg.size = 8 + vm->mem.n_regions * (uint32_t)sizeof(struct rp_vhu_region);
	for (unsigned int i = 0; i < vm->mem.n_regions; i++) {
		msg.payload.mem.regions[i] = vm->mem.regions[i];
		msg.fds[i] = vm->mem.fd;
	}
	return msg;
}

void vm_share_memory(struct vm *vm)
{
	struct rp_vhu_msg msg = vm_mem_table(vm);

	must_take(vm->s, &msg);
}

struct rp_vhu_msg vm_addr(const struct vm *vm, unsigned int q)
{
	const struct vm_ring *r = &vm->rings[q];
	uint64_t used = (uintptr_t)r->vr.used;

	return (struct rp_vhu_msg){
		.request = RP_VHU_SET_VRING_ADDR,
		.size = sizeof(struct rp_vhu_vring_addr),
		.payload.addr = {.index = q,
				 .flags = vm->cfg.addr_flags,
				 .desc = (uintptr_t)r->vr.desc,
				 .used = used,
				 .avail = (uintptr_t)r->vr.avail,
				 .log = r->mem_gpa + (used - (uintptr_t)r->mem)}};
}

void vm_set_num(struct vm *vm, unsigned int q)
{
	struct rp_vhu_msg msg = msg_state(RP_VHU_SET_VRING_NUM, q, vm->cfg.ring_size);

	must_take(vm->s, &msg);
}

void vm_set_base(struct vm *vm, unsigned int q)
{
	struct rp_vhu_msg msg = msg_state(RP_VHU_SET_VRING_BASE, q, vm->rings[q].vr.used_idx);

	must_take(vm->s, &msg);
}

void vm_set_addr(struct vm *vm, unsigned int q)
{
	struct rp_vhu_msg msg = vm_addr(vm, q);

	must_take(vm->s, &msg);
}

static void set_fd(struct vm *vm, uint32_t id, unsigned int q, int fd, bool none)
{
	struct rp_vhu_msg msg = none ? msg_u64(id, q | RP_VHU_VRING_NOFD) : msg_fd(id, q, fd);

	must_take(vm->s, &msg);
}

void vm_set_call(struct vm *vm, unsigned int q)
{
	set_fd(vm, RP_VHU_SET_VRING_CALL, q, vm->rings[q].call, vm->cfg.no_call_fd);
}

void vm_set_kick(struct vm *vm, unsigned int q)
{
	set_fd(vm, RP_VHU_SET_VRING_KICK, q, vm->rings[q].kick, vm->cfg.no_kick_fd);
}

void vm_setup_ring(struct vm *vm, unsigned int q)
{
	vm_set_num(vm, q);
	vm_set_base(vm, q);
	vm_set_addr(vm, q);
	vm_set_call(vm, q);
	vm_set_kick(vm, q);
}

void vm_enable(struct vm *vm, unsigned int q, bool on)
{
	struct rp_vhu_msg msg = msg_state(RP_VHU_SET_VRING_ENABLE, q, on);

	if ((vm->s->features & F30) != 0)
		must_take(vm->s, &msg);
}

void vm_enable_all(struct vm *vm, bool on)
{
	for (unsigned int q = 0; q < vm->n_rings; q++)
		vm_enable(vm, q, on);
}

void vm_driver_ok(struct vm *vm)
{
	static const uint8_t steps[] = {1, 3, 11, 15};

	for (unsigned int i = 0; i < 4 && (vm->s->protocol & P(STATUS)) != 0; i++) {
		struct rp_vhu_msg msg = msg_u64(RP_VHU_SET_STATUS, steps[i]);

		must_take(vm->s, &msg);
	}
}

void vm_bring_up(struct vm *vm)
{
	vm_share_memory(vm);
	for (unsigned int q = 0; q < vm->n_rings; q++)
		vm_setup_ring(vm, q);
	vm_enable_all(vm, true);
	vm_driver_ok(vm);
	for (unsigned int q = 0; q < vm->n_rings; q++)
		vm_kick(vm, q);
}

struct vm *vm_start(struct check *c, const struct vm_config *cfg)
{
	struct vm *vm = vm_new(c, cfg);

	vm_bring_up(vm);
	return vm;
}

uint32_t vm_stop(struct vm *vm, unsigned int q)
{
	struct rp_vhu_msg msg = msg_state(RP_VHU_GET_VRING_BASE, q, 0);
	enum outcome o = session_send(vm->s, &msg);

	if (o == TIMED_OUT)
		rule_hang(vm->c, "GET_VRING_BASE gets no answer");
	if (o != REPLIED)
		rule_fail(vm->c, "GET_VRING_BASE: expected a reply, got %s", outcome_name(o));
	if (vm->s->reply.payload.state.index != q)
		rule_fail(vm->c, "GET_VRING_BASE of ring %u: the reply is about ring %u", q,
			  vm->s->reply.payload.state.index);
	return vm->s->reply.payload.state.num;
}

void vm_kick(struct vm *vm, unsigned int q)
{
	eventfd_write(vm->rings[q].kick, 1);
}

static const uint8_t default_frame[60] = {
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x52, 0x54, 0,   0x12, 0x34, 0x56,
	0x88, 0xb5, 'v',  'h',	'o',  's',  't',  '-',	'u', 's',  'e',	 'r',
};

static uint8_t *next_buffer(struct vm_ring *r, uint16_t ring_size, uint64_t *gpa)
{
	unsigned int i = r->next_buf++ % ring_size;

	*gpa = r->bufs_gpa + (uint64_t)i * VM_BUFFER_SIZE;
	return r->bufs + (size_t)i * VM_BUFFER_SIZE;
}

static void post_frame(struct vm *vm)
{
	struct vm_ring *r = &vm->rings[vm->work];
	const struct options *opt = vm->c->opt;
	const void *frame = opt->frame_len > 0 ? opt->frame : default_frame;
	size_t len = opt->frame_len > 0 ? opt->frame_len : sizeof(default_frame);
	struct rp_vring_seg seg;
	uint8_t *buf = next_buffer(r, vm->cfg.ring_size, &seg.gpa);

	memset(buf, 0, vm->hdr_len);
	memcpy(buf + vm->hdr_len, frame, len);
	seg.len = vm->hdr_len + (uint32_t)len;
	if (rp_vring_add(&r->vr, &seg, 1, 0, r->next_buf) < 0)
		rule_fail(vm->c, "ring %u takes no more chains", vm->work);
}

// Read sector 0: 16 bytes of request, 512 of data, one of status.
static void post_read(struct vm *vm)
{
	struct vm_ring *r = &vm->rings[vm->work];
	struct virtio_blk_outhdr hdr = {.type = VIRTIO_BLK_T_IN};
	struct rp_vring_seg segs[3];
	uint64_t gpa;
	uint8_t *buf = next_buffer(r, vm->cfg.ring_size, &gpa);

	memset(buf, 0xee, 600);
	memcpy(buf, &hdr, sizeof(hdr));
	segs[0] = (struct rp_vring_seg){.gpa = gpa, .len = sizeof(hdr)};
	segs[1] = (struct rp_vring_seg){.gpa = gpa + 64, .len = 512};
	segs[2] = (struct rp_vring_seg){.gpa = gpa + 599, .len = 1};
	if (rp_vring_add(&r->vr, segs, 1, 2, r->next_buf) < 0)
		rule_fail(vm->c, "ring %u takes no more chains", vm->work);
}

void vm_post(struct vm *vm)
{
	if (vm->c->target->device == DEVICE_NET)
		post_frame(vm);
	else
		post_read(vm);
	rp_vring_publish(&vm->rings[vm->work].vr);
}

uint16_t vm_used(struct vm *vm, unsigned int q)
{
	return __atomic_load_n(&vm->rings[q].vr.used->idx, __ATOMIC_ACQUIRE);
}

bool vm_wait(struct vm *vm, unsigned int q, unsigned int n, unsigned int ms)
{
	struct vm_ring *r = &vm->rings[q];
	uint64_t deadline = rp_clock_ms() + ms;

	for (;;) {
		struct pollfd p = {.fd = r->call, .events = POLLIN};
		eventfd_t count;
		int rc = rp_vring_get_burst(&r->vr, &r->done, 1);

		if (rc < 0)
			rule_fail(vm->c, "ring %u: %s", q, r->vr.broken);
		r->n_done += (unsigned int)rc;
		n -= (unsigned int)rc;
		if (n == 0)
			return true;
		if (rc > 0)
			continue;
		if (rp_clock_ms() >= deadline)
			return false;
		if (rp_vring_enable_call(&r->vr))
			continue;
		// Some do not signal, or not this descriptor: a look every millisecond as well.
		if (poll(&p, 1, 1) == 1 && eventfd_read(r->call, &count) < 0)
			continue;
	}
}

void vm_work(struct vm *vm, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		vm_post(vm);
	vm_kick(vm, vm->work);
	trace_add(&vm->c->trace, "ring %u: %u made available, kicked", vm->work, n);
	if (!vm_wait(vm, vm->work, n, vm->c->opt->wait_ms))
		rule_fail(vm->c,
			  "ring %u: not all of %u buffers were used within %u ms (used "
			  "index %u)",
			  vm->work, n, vm->c->opt->wait_ms, vm_used(vm, vm->work));
}

uint64_t vm_post_rx(struct vm *vm, uint32_t len)
{
	struct vm_ring *r = &vm->rings[0];
	struct rp_vring_buf buf = {.len = len};
	uint8_t *bytes = next_buffer(r, vm->cfg.ring_size, &buf.gpa);

	memset(bytes, 0xee, VM_BUFFER_SIZE);
	buf.cookie = r->next_buf;
	if (rp_vring_add_burst(&r->vr, &buf, 1, RP_VRING_WRITABLE) != 1)
		rule_fail(vm->c, "ring 0 takes no more chains");
	rp_vring_publish(&r->vr);
	return buf.gpa;
}

void vm_send_frame(struct vm *vm)
{
	vm_post(vm);
	vm_kick(vm, vm->work);
}

struct vm_written vm_receive(struct vm *vm)
{
	struct vm_written w = {0};

	if (vm->c->target->device == DEVICE_BLK) {
		uint64_t gpa = vm->rings[vm->work].bufs_gpa +
			       (uint64_t)(vm->rings[vm->work].next_buf % vm->cfg.ring_size) *
				       VM_BUFFER_SIZE;

		vm_work(vm, 1);
		w = (struct vm_written){.gpa = gpa + 64, .len = vm->rings[vm->work].done.len};
	} else {
		w.gpa = vm_post_rx(vm, VM_BUFFER_SIZE);
		vm_kick(vm, 0);
		vm_work(vm, 1);
		if (!vm_wait(vm, 0, 1, vm->c->opt->wait_ms))
			rule_fail(vm->c, "ring 0: no frame came back within %u ms",
				  vm->c->opt->wait_ms);
		w.len = vm->rings[0].done.len;
	}
	w.bytes = rp_guest_memory_at(&vm->mem, w.gpa, 1);
	return w;
}

void vm_close_memory_fd(struct vm *vm)
{
	close(vm->mem.fd);
	vm->mem.fd = -1;
}

uint64_t vm_sum(const struct vm *vm)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < vm->mem.n_regions; i++) {
		const volatile uint64_t *p = (const void *)(uintptr_t)vm->mem.regions[i].uva;

		for (uint64_t n = vm->mem.regions[i].size / 8; n > 0; n--)
			sum = (sum ^ *p++) * UINT64_C(0x9e3779b97f4a7c15);
	}
	return sum;
}

bool vm_signalled(int fd, unsigned int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	eventfd_t count;

	return poll(&p, 1, (int)ms) == 1 && eventfd_read(fd, &count) == 0;
}

void vm_free_all(struct check *c)
{
	struct vm *vm;

	while ((vm = c->vms) != NULL) {
		c->vms = vm->next;
		for (unsigned int q = 0; q < vm->n_rings; q++)
			rp_vring_fini(&vm->rings[q].vr);
		rp_guest_memory_destroy(&vm->mem);
		free(vm);
	}
}
