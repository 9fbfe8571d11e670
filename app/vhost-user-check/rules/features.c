// SPDX-License-Identifier: BSD-3-Clause
#include "vm.h"

#include "virtio/net.h"

#define KNOWN (~UINT64_C(0) & ~(RP_VIRTIO_BIT(ACCESS_PLATFORM) | RP_VIRTIO_BIT(VHOST_LOG_ALL)))

RULE(FT1, .severity = MUST, .section = "SET_FEATURES",
     .statement = "SET_FEATURES with what is offered is taken",
     .how = "Set all offered bits but ACCESS_PLATFORM and LOG_ALL.")
{
	struct session *s = session_hello(c, CHECK_PROTOCOL);
	struct rp_vhu_msg msg = msg_u64(RP_VHU_SET_FEATURES, s->offered & KNOWN);

	must_take(s, &msg);
}

RULE(FT2, .severity = SHOULD, .section = "SET_FEATURES; virtio 2.2",
     .statement = "SET_FEATURES with a bit that is not offered is refused",
     .how = "Add one bit that is not offered.")
{
	struct session *s = session_hello(c, CHECK_PROTOCOL);
	uint64_t other = ~s->offered & (RP_VIRTIO_BIT(ADMIN_VQ) | RP_VIRTIO_BIT(RING_RESET) |
					RP_VIRTIO_BIT(NOTIFICATION_DATA));
	struct rp_vhu_msg msg;

	if (other == 0)
		rule_skip(c, "it offers every bit that could be tried");
	msg = msg_u64(RP_VHU_SET_FEATURES,
		      (s->offered & (F30 | RP_VIRTIO_BIT(VERSION_1))) | (other & -other));
	must_refuse(s, &msg, "a bit that is not offered");
}

RULE(FT3, .severity = SHOULD, .section = "GET_FEATURES",
     .statement = "GET_FEATURES gives the same before and after SET_FEATURES",
     .how = "Ask, set a subset, ask four times, reconnect and ask again.")
{
	struct session *s = session_negotiated(c, RP_VIRTIO_BIT(VERSION_1));
	uint64_t first = s->offered;

	for (int i = 0; i < 4; i++)
		if (get_u64(s, RP_VHU_GET_FEATURES) != first)
			rule_fail(c, "another value after SET_FEATURES");
	session_close(s);
	if (get_u64(session_open(c), RP_VHU_GET_FEATURES) != first)
		rule_fail(c, "another value on a new connection");
}

RULE(FT4, .severity = MUST, .section = "GET_PROTOCOL_FEATURES",
     .statement = "the protocol feature messages work before SET_FEATURES",
     .how = "Send GET_ and SET_PROTOCOL_FEATURES right after GET_FEATURES.", .features = F30)
{
	struct session *s = session_open(c);
	uint64_t offered;
	struct rp_vhu_msg msg;

	get_u64(s, RP_VHU_GET_FEATURES);
	offered = get_u64(s, RP_VHU_GET_PROTOCOL_FEATURES);
	msg = msg_u64(RP_VHU_SET_PROTOCOL_FEATURES, offered & P(REPLY_ACK));
	must_take(s, &msg);
}

RULE(FT5, .severity = SHOULD, .section = "virtio 6.1", .statement = "VERSION_1 is offered",
     .how = "Look at the answer to GET_FEATURES.")
{
	if ((c->target->offered & RP_VIRTIO_BIT(VERSION_1)) == 0)
		rule_warn(c, "not offered: only drivers from before virtio 1.0 can use it");
}

RULE(FT6, .severity = SHOULD, .section = "Migration",
     .statement = "LOG_ALL and the protocol feature LOG_SHMFD are offered together",
     .how = "Compare GET_FEATURES with GET_PROTOCOL_FEATURES.", .features = F30)
{
	bool log = (c->target->offered & RP_VIRTIO_BIT(VHOST_LOG_ALL)) != 0;
	bool shm = (c->target->protocol & P(LOG_SHMFD)) != 0;

	if (log && !shm)
		rule_fail(c, "LOG_ALL without LOG_SHMFD: a front-end cannot hand over its log");
	if (shm && !log)
		rule_warn(c, "LOG_SHMFD without LOG_ALL: logging can never be switched on");
}

RULE(FT7, .severity = MUST, .section = "Migration",
     .statement = "SET_FEATURES that only toggles LOG_ALL leaves running rings alone",
     .how = "Run a ring, set LOG_ALL (with a log), run on, clear it, run on.", .needs = NEED_DATA,
     .features = RP_VIRTIO_BIT(VHOST_LOG_ALL), .protocol = P(LOG_SHMFD))
{
	struct vm *vm = vm_start(c, NULL);
	struct rp_vhu_msg log = {.request = RP_VHU_SET_LOG_BASE,
				 .size = 16,
				 .payload.log = {.mmap_size = 1 << 20},
				 .n_fds = 1,
				 .fds = {check_memfd(c, 1 << 20)}};
	struct rp_vhu_msg msg;

	vm_work(vm, 2);
	must_take(vm->s, &log);
	for (int on = 1; on >= 0; on--) {
		msg = msg_u64(RP_VHU_SET_FEATURES,
			      vm->s->features | (on != 0 ? RP_VIRTIO_BIT(VHOST_LOG_ALL) : 0));
		must_take(vm->s, &msg);
		vm_work(vm, 2);
	}
}

RULE(FT8, .severity = ROBUST, .section = "SET_FEATURES",
     .statement = "other features changed on running rings are refused or do no harm",
     .how = "Run a ring, set other features, run on or reconnect.", .needs = NEED_DATA)
{
	struct vm *vm = vm_start(c, NULL);
	struct rp_vhu_msg msg =
		msg_u64(RP_VHU_SET_FEATURES, vm->s->features & ~RP_VIRTIO_BIT(VERSION_1));

	vm_work(vm, 1);
	must_survive(vm->s, &msg);
	if (vm->s->sock >= 0) {
		vm_post(vm);
		vm_kick(vm, vm->work);
		vm_wait(vm, vm->work, 1, 200);
	}
}

// Rings work under these features.
static void works_with(struct check *c, uint64_t features)
{
	struct vm_config cfg = {.features = features};
	struct vm *vm = vm_start(c, &cfg);

	vm_work(vm, 3);
	session_close(vm->s);
}

RULE(FT9, .severity = SHOULD, .section = "virtio 2.2",
     .statement = "rings work with each ring feature that is offered",
     .how = "Run a ring with EVENT_IDX, with INDIRECT_DESC, with both, with MRG_RXBUF.",
     .needs = NEED_DATA)
{
	static const uint64_t sets[] = {
		RP_VIRTIO_BIT(EVENT_IDX),
		RP_VIRTIO_BIT(INDIRECT_DESC),
		RP_VIRTIO_BIT(EVENT_IDX) | RP_VIRTIO_BIT(INDIRECT_DESC),
		RP_VIRTIO_BIT(NET_MRG_RXBUF),
	};

	for (unsigned int i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		if ((sets[i] & ~c->target->offered) == 0 &&
		    (sets[i] != RP_VIRTIO_BIT(NET_MRG_RXBUF) || c->target->device == DEVICE_NET))
			works_with(c, sets[i]);
}
