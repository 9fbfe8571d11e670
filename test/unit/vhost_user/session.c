// SPDX-License-Identifier: BSD-3-Clause
#include "session.h"
#include "count_fds.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

void session_connect(struct session *f)
{
	int s[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s), 0);
	f->sock = s[0];
	f->be = rp_backend_new(s[1], &f->netdev.device);
	assert_non_null(f->be);
}

int session_open(void **state)
{
	struct session *f = calloc(1, sizeof(*f));

	f->fds_before = count_fds();
	rp_netdev_init(&f->netdev, RP_NETDEV_SINK, 1);
	session_connect(f);
	*state = f;
	return 0;
}

// Whatever came over the socket: nothing of it stays open.
int session_close(void **state)
{
	struct session *f = *state;
	int leaked;

	rp_backend_free(f->be);
	close(f->sock);
	leaked = count_fds() - f->fds_before;
	free(f);
	return leaked;
}

int ask(struct session *f, struct rp_vhu_msg *msg)
{
	int rc = rp_vhu_send(f->sock, msg, 100, NULL);

	if (rc == 0)
		rc = rp_backend_step(f->be);
	if (rc < 0)
		return rc;
	return rp_vhu_recv(f->sock, msg, 0, NULL) == 0 ? 0 : -EAGAIN;
}

int64_t ack(struct session *f, struct rp_vhu_msg msg)
{
	int rc;

	msg.flags |= RP_VHU_FLAG_NEED_REPLY;
	rc = ask(f, &msg);
	if (rc < 0)
		return rc;
	assert_int_equal(msg.size, 8);
	assert_int_equal(msg.flags, RP_VHU_VERSION | RP_VHU_FLAG_REPLY);
	return (int64_t)msg.payload.u64;
}

uint64_t get(struct session *f, uint32_t id)
{
	struct rp_vhu_msg msg = {.request = id};

	assert_int_equal(ask(f, &msg), 0);
	assert_int_equal(msg.request, id);
	return msg.payload.u64;
}

void negotiate(struct session *f)
{
	uint64_t features = RP_VIRTIO_BIT(VERSION_1) | RP_VIRTIO_BIT(VHOST_PROTOCOL_FEATURES);
	uint64_t protocol = get(f, RP_VHU_GET_PROTOCOL_FEATURES);

	assert_int_equal(ack(f, U64(RP_VHU_SET_PROTOCOL_FEATURES, protocol)), 0);
	assert_int_equal(ack(f, U64(RP_VHU_SET_FEATURES, features)), 0);
}

void share(struct session *f, struct rp_guest_memory *m, unsigned int regions)
{
	struct rp_vhu_msg msg = {.request = RP_VHU_SET_MEM_TABLE,
				 .size = 8 + 32 * regions,
				 .n_fds = regions,
				 .payload.mem.n_regions = regions};

	assert_int_equal(rp_guest_memory_create(m, 1, regions, false, NULL), 0);
	for (unsigned int i = 0; i < regions; i++) {
		msg.payload.mem.regions[i] = m->regions[i];
		msg.fds[i] = m->fd;
	}
	f->table = msg;
	assert_int_equal(ack(f, msg), 0);
}

struct rp_vhu_msg addr_msg(uint32_t q, uint64_t uva)
{
	return (struct rp_vhu_msg){
		.request = RP_VHU_SET_VRING_ADDR,
		.size = 40,
		.payload.addr = {
			.index = q, .desc = uva, .used = uva + 0x1000, .avail = uva + 0x2000}};
}
