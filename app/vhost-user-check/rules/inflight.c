// SPDX-License-Identifier: BSD-3-Clause
#include "vm.h"

#include <sys/mman.h>

#define INFLIGHT P(INFLIGHT_SHMFD)

static struct rp_vhu_msg get_inflight(uint16_t queues, uint16_t size)
{
	return (struct rp_vhu_msg){.request = RP_VHU_GET_INFLIGHT_FD,
				   .size = sizeof(struct rp_vhu_inflight),
				   .payload.inflight = {.num_queues = queues, .queue_size = size}};
}

static struct session *ready(struct check *c)
{
	return session_negotiated(c, RP_VIRTIO_BIT(VERSION_1));
}

// GET_INFLIGHT_FD of one queue of 64; the reply stays in the session.
static void must_get(struct session *s)
{
	struct rp_vhu_msg msg = get_inflight(1, 64);

	must_take(s, &msg);
	if (s->reply.n_fds != 1)
		rule_fail(s->c, "the reply to GET_INFLIGHT_FD carries %u descriptors, not 1",
			  s->reply.n_fds);
}

RULE(IF1, .severity = MUST, .section = "GET_INFLIGHT_FD",
     .statement = "GET_INFLIGHT_FD gives a zeroed area that is large enough",
     .how = "Ask for one queue of 64: 24 bytes, one descriptor, room for 16 + 64 * 16 bytes, "
	    "all zero but for what the layout fills in.",
     .protocol = INFLIGHT)
{
	struct session *s = ready(c);
	const struct rp_vhu_inflight *i = &s->reply.payload.inflight;
	const uint64_t *area;

	must_get(s);
	if (i->num_queues != 1 || i->queue_size != 64)
		rule_fail(c, "%u queues of %u come back for 1 of 64", i->num_queues, i->queue_size);
	if (i->mmap_size < 16 + 64 * 16)
		rule_fail(c, "%llu bytes are too few", (unsigned long long)i->mmap_size);
	area = mmap(NULL, i->mmap_size, PROT_READ, MAP_SHARED, s->reply.fds[0],
		    (off_t)i->mmap_offset);
	if (area == MAP_FAILED)
		rule_fail(c, "what it gave cannot be mapped");
	if (area[0] != 0)
		rule_fail(c, "the features field of the area is not 0");
	munmap((void *)(uintptr_t)area, i->mmap_size);
}

RULE(IF2, .severity = MUST, .section = "SET_INFLIGHT_FD",
     .statement = "SET_INFLIGHT_FD takes what GET_INFLIGHT_FD gave",
     .how = "Get it and set it on a new connection.", .protocol = INFLIGHT)
{
	struct session *s = ready(c);
	struct rp_vhu_msg msg;

	must_get(s);
	msg = s->reply;
	msg.request = RP_VHU_SET_INFLIGHT_FD;
	msg.flags = 0;
	session_close(s);
	must_take(ready(c), &msg);
}

RULE(IF3, .severity = MUST, .section = "Inflight I/O tracking",
     .statement = "requests in flight at an abrupt end complete once after SET_INFLIGHT_FD",
     .how = "Set the area, post reads, close at once, come back with the area and the rings as "
	    "they are: every read completes.",
     .protocol = INFLIGHT, .devices = DEVICE_BLK, .needs = NEED_DATA)
{
	struct vm *vm = vm_new(c, NULL);
	struct rp_vhu_msg area;
	struct session *s;

	must_get(vm->s);
	area = vm->s->reply;
	area.request = RP_VHU_SET_INFLIGHT_FD;
	area.flags = 0;
	must_take(vm->s, &area);
	vm_bring_up(vm);
	for (int i = 0; i < 20; i++)
		vm_post(vm);
	vm_kick(vm, vm->work);
	session_close(vm->s);
	s = session_negotiated(c, vm->s->features);
	vm->s = s;
	area.flags = 0;
	must_take(s, &area);
	vm_bring_up(vm);
	if (!vm_wait(vm, vm->work, 20, c->opt->wait_ms))
		rule_fail(c, "%u of 20 reads completed", vm->rings[vm->work].n_done);
}

RULE(IF4, .severity = SHOULD, .section = "GET_INFLIGHT_FD",
     .statement = "absurd numbers of queues and entries are refused",
     .how = "Ask for 65535 queues of 65535.", .protocol = INFLIGHT)
{
	struct rp_vhu_msg msg = get_inflight(65535, 65535);
	struct session *s = ready(c);
	enum outcome o = must_survive(s, &msg);

	if (o == REPLIED && s->reply.n_fds > 0)
		rule_fail(c, "it gave an area for 65535 queues of 65535");
}

RULE(IF5, .severity = SHOULD, .section = "SET_INFLIGHT_FD",
     .statement = "an area that cannot be is refused",
     .how = "A size larger than the file; no descriptor; two.", .protocol = INFLIGHT)
{
	static const char *const what[] = {"more bytes than the file has", "no descriptor",
					   "two descriptors"};

	for (unsigned int variant = 0; variant < 3; variant++) {
		struct rp_vhu_msg msg = get_inflight(1, 64);
		struct session *s = ready(c);

		msg.request = RP_VHU_SET_INFLIGHT_FD;
		msg.payload.inflight.mmap_size = variant == 0 ? UINT64_C(1) << 30 : 4096;
		msg.fds[0] = msg.fds[1] = check_memfd(c, 4096);
		msg.n_fds = variant == 0 ? 1 : variant == 1 ? 0 : 2;
		must_refuse(s, &msg, what[variant]);
		session_close(s);
	}
}
