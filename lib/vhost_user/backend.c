// SPDX-License-Identifier: BSD-3-Clause
#include "vhost_user/backend.h"
#include "vhost_user/backend_priv.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define CONTROL_SOCKET UINT64_MAX // among the rings' numbers in the epoll set
#define MESSAGES_MAX   16	  // in one step, so that rings get their turn
#define POLL_MS	       1	  // for rings that are never kicked

static void *memory_at(void *arg, uint64_t gpa, uint64_t *len)
{
	return rp_device_regions_at(arg, gpa, len);
}

static void memory_wrote(void *arg, uint64_t gpa, uint64_t len)
{
	rp_device_regions_wrote(arg, gpa, len);
}

struct rp_backend *rp_backend_new(int sock, const struct rp_backend_device *dev)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.u64 = CONTROL_SOCKET};
	struct rp_backend *be = calloc(1, sizeof(*be));
	int saved;

	if (be == NULL || dev->n_rings > RP_BACKEND_RINGS_MAX) {
		saved = be == NULL ? ENOMEM : EINVAL;
		free(be);
		close(sock);
		errno = saved;
		return NULL;
	}
	be->sock = sock;
	be->channel = -1;
	be->dev = dev;
	be->memory = (struct rp_device_memory){
		.at = memory_at, .wrote = memory_wrote, .arg = &be->regions};
	be->epoll = epoll_create1(EPOLL_CLOEXEC);
	be->vrings = calloc(dev->n_rings, sizeof(*be->vrings));
	if (be->vrings == NULL || be->epoll < 0 ||
	    epoll_ctl(be->epoll, EPOLL_CTL_ADD, sock, &ev) < 0) {
		saved = be->vrings == NULL ? ENOMEM : errno;
		free(be->vrings);
		be->vrings = NULL;
		rp_backend_free(be);
		errno = saved;
		return NULL;
	}
	for (unsigned int q = 0; q < dev->n_rings; q++)
		be->vrings[q].kick = be->vrings[q].call = be->vrings[q].err = -1;
	return be;
}

void rp_backend_free(struct rp_backend *be)
{
	if (be == NULL)
		return;
	if (be->vrings != NULL) {
		rp_backend_stop_all(be);
		for (unsigned int q = 0; q < be->dev->n_rings; q++) {
			free(be->vrings[q].ring.inflight.again);
			rp_backend_set_err(be, q, -1);
		}
	}
	rp_mapping_close(&be->inflight);
	rp_device_regions_clear(&be->regions);
	if (be->rx.got > 0)
		rp_vhu_close_fds(&be->rx.msg);
	if (be->channel >= 0)
		close(be->channel);
	if (be->epoll >= 0)
		close(be->epoll);
	close(be->sock);
	free(be->vrings);
	free(be);
}

// A front-end that does not read our replies gets no further request handled, so that a send never
// has to wait.
static bool may_reply(struct rp_backend *be)
{
	struct pollfd p = {.fd = be->sock, .events = POLLOUT};
	bool writable = poll(&p, 1, 0) == 1 && (p.revents & POLLOUT) != 0;
	struct epoll_event ev = {.events = writable ? EPOLLIN : EPOLLOUT,
				 .data.u64 = CONTROL_SOCKET};

	if (writable == be->congested) {
		be->congested = !writable;
		epoll_ctl(be->epoll, EPOLL_CTL_MOD, be->sock, &ev);
	}
	return writable;
}

static int read_messages(struct rp_backend *be)
{
	for (int n = 0; n < MESSAGES_MAX && may_reply(be); n++) {
		int rc = rp_vhu_receive(be->sock, &be->rx, &be->err);

		if (rc == 0)
			return 0;
		if (rc > 0)
			rc = rp_backend_handle(be);
		if (rc < 0) {
			be->rx.got = 0;
			return rc;
		}
	}
	return 0;
}

// Whether a ring is to be served without a kick: it goes on, or its driver never kicks.
static bool due_unasked(const struct rp_backend *be, unsigned int q)
{
	const struct rp_backend_vring *v = &be->vrings[q];

	return v->again || (v->no_kick && !rp_backend_has_protocol(
						  be, RP_VHU_PROTOCOL_BIT(INBAND_NOTIFICATIONS)));
}

int rp_backend_step(struct rp_backend *be)
{
	struct epoll_event ev[32];
	int n = epoll_wait(be->epoll, ev, 32, 0);

	for (int i = 0; i < n; i++) {
		unsigned int q = (unsigned int)ev[i].data.u64;
		int rc;

		if (ev[i].data.u64 != CONTROL_SOCKET) {
			// A message before it in this step may have closed it.
			if (rp_backend_take_kick(be, q))
				rp_backend_kick(be, q);
			continue;
		}
		rc = read_messages(be);
		if (rc < 0)
			return rc;
	}
	for (unsigned int q = 0; n >= 0 && q < be->dev->n_rings; q++)
		if (due_unasked(be, q)) {
			n += be->vrings[q].again;
			be->vrings[q].again = false;
			rp_backend_kick(be, q);
		}
	return n < 0 ? (errno == EINTR ? 0 : -errno) : n;
}

int rp_backend_fd(const struct rp_backend *be)
{
	return be->epoll;
}

int rp_backend_timeout(const struct rp_backend *be)
{
	int timeout = -1;

	for (unsigned int q = 0; q < be->dev->n_rings; q++) {
		if (be->vrings[q].again)
			return 0;
		if (due_unasked(be, q))
			timeout = POLL_MS;
	}
	return timeout;
}

void rp_backend_again(struct rp_backend *be, unsigned int q)
{
	be->vrings[q].again = true;
}

const struct rp_error *rp_backend_error(const struct rp_backend *be)
{
	return &be->err;
}

uint64_t rp_backend_features(const struct rp_backend *be)
{
	return be->features;
}

uint64_t rp_backend_protocol_features(const struct rp_backend *be)
{
	return be->protocol_features;
}

uint64_t rp_backend_status(const struct rp_backend *be)
{
	return be->status;
}

const struct rp_device_regions *rp_backend_memory(const struct rp_backend *be)
{
	return &be->regions;
}

int rp_backend_socket(const struct rp_backend *be)
{
	return be->sock;
}

int rp_backend_config_changed(struct rp_backend *be)
{
	struct rp_vhu_msg msg = {.request = RP_VHU_BACKEND_CONFIG_CHANGE_MSG};

	if (be->channel < 0 || !rp_backend_has_protocol(be, RP_VHU_PROTOCOL_BIT(CONFIG)))
		return -ENOTSUP;
	return rp_vhu_send(be->channel, &msg, 0, NULL);
}
