// SPDX-License-Identifier: BSD-3-Clause
#include "check.h"

#include "vm.h"

#include "base/clock.h"

#include <poll.h>
#include <string.h>

// What the back-end is, asked once before the rules.

static unsigned int guess_device(const struct check *c, uint64_t offered)
{
	uint64_t net =
		RP_VIRTIO_BIT(NET_MRG_RXBUF) | RP_VIRTIO_BIT(NET_CTRL_VQ) | RP_VIRTIO_BIT(NET_CSUM);
	uint64_t blk = RP_VIRTIO_BIT(BLK_SEG_MAX) | RP_VIRTIO_BIT(BLK_BLK_SIZE);
	const char *name = c->opt->device;

	if (name != NULL && strcmp(name, "net") == 0)
		return DEVICE_NET;
	if (name != NULL && strcmp(name, "blk") == 0)
		return DEVICE_BLK;
	if (name != NULL)
		return DEVICE_OTHER;
	if ((offered & net) != 0)
		return DEVICE_NET;
	return (offered & blk) == blk ? DEVICE_BLK : DEVICE_OTHER;
}

static void probe_control(struct check *c)
{
	struct target *t = c->target;
	struct session *s = session_open(c);

	// One that answers nonsense is judged as well.
	t->probed = true;
	t->queue_num = 1;
	t->device = guess_device(c, 0);
	session_close(s);
	s = session_hello(c, CHECK_PROTOCOL);
	t->offered = s->offered;
	t->protocol = s->protocol_offered;
	t->device = guess_device(c, s->offered);
	if ((s->protocol & P(MQ)) != 0)
		t->queue_num = get_u64(s, RP_VHU_GET_QUEUE_NUM);
	if ((s->protocol & P(CONFIGURE_MEM_SLOTS)) != 0)
		t->slots = get_u64(s, RP_VHU_GET_MAX_MEM_SLOTS);
	session_close(s);
}

static void probe_single(struct check *c)
{
	struct session *first = session_open(c), *second;

	if (session_sync(first) < 0)
		return;
	second = session_try_open(c);
	c->target->single = second == NULL || session_sync(second) < 0;
}

// Those that serve one connection and end by design.
static void probe_one_shot(struct check *c)
{
	struct target *t = c->target;
	uint64_t deadline = rp_clock_ms() + 300;

	if (c->opt->spawn == NULL)
		return;
	while (rp_clock_ms() < deadline && target_alive(t))
		poll(NULL, 0, 5);
	t->one_shot = t->pid == 0;
}

// Ring q moves at all, be it right or wrong: to judge how is for the rules.
static bool moves(struct vm *vm, unsigned int q)
{
	uint64_t deadline = rp_clock_ms() + vm->c->opt->wait_ms;

	while (vm_used(vm, q) == 0) {
		if (rp_clock_ms() >= deadline)
			return false;
		poll(NULL, 0, 1);
	}
	return true;
}

static void probe_data(struct check *c)
{
	struct target *t = c->target;
	struct vm *vm;

	if (t->device == DEVICE_OTHER)
		return;
	vm = vm_start(c, NULL);
	if (t->device == DEVICE_NET) {
		vm_post_rx(vm, VM_BUFFER_SIZE);
		vm_kick(vm, 0);
	}
	vm_post(vm);
	vm_kick(vm, vm->work);
	t->data = moves(vm, vm->work);
	t->write = t->data && (t->device == DEVICE_BLK || moves(vm, 0));
}

void target_probe(struct check *c)
{
	check_begin(c, NULL);
	if (setjmp(c->out) == 0)
		probe_control(c);
	check_clean_up(c);
	if (!c->target->probed)
		return;
	probe_one_shot(c);
	check_begin(c, NULL);
	if (setjmp(c->out) == 0)
		probe_single(c);
	check_clean_up(c);
	check_begin(c, NULL);
	if (setjmp(c->out) == 0)
		probe_data(c);
	check_clean_up(c);
}
