// SPDX-License-Identifier: BSD-3-Clause
#include "vhost_user/backend_priv.h"
#include "virtio/feature_bits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

// Only an eventfd can neither block us (once non-blocking) nor stay readable for ever.
static int check_eventfd(int fd)
{
	char path[40], target[40];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, target, sizeof(target) - 1);
	target[n > 0 ? n : 0] = '\0';
	if (strcmp(target, "anon_inode:[eventfd]") != 0)
		return -EINVAL;
	return fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK) < 0 ? -errno : 0;
}

static int replace_fd(int *at, int fd)
{
	int rc = fd >= 0 ? check_eventfd(fd) : 0;

	if (rc < 0)
		return rc;
	if (*at >= 0)
		close(*at);
	*at = fd;
	return 0;
}

int rp_backend_set_call(struct rp_backend *be, unsigned int q, int fd)
{
	return replace_fd(&be->vrings[q].call, fd);
}

int rp_backend_set_err(struct rp_backend *be, unsigned int q, int fd)
{
	return replace_fd(&be->vrings[q].err, fd);
}

int rp_backend_set_kick(struct rp_backend *be, unsigned int q, int fd)
{
	struct rp_backend_vring *v = &be->vrings[q];
	struct epoll_event ev = {.events = EPOLLIN, .data.u64 = q};
	int rc = fd >= 0 ? check_eventfd(fd) : 0;

	if (rc < 0)
		return rc;
	if (fd >= 0 && epoll_ctl(be->epoll, EPOLL_CTL_ADD, fd, &ev) < 0)
		return -errno;
	// By hand and before close: the front-end's copy would keep a closed one in the set.
	if (v->kick >= 0) {
		epoll_ctl(be->epoll, EPOLL_CTL_DEL, v->kick, NULL);
		close(v->kick);
	}
	v->kick = fd;
	v->armed = true;
	v->no_kick = fd < 0;
	return 0;
}

bool rp_backend_take_kick(struct rp_backend *be, unsigned int q)
{
	eventfd_t value;

	return be->vrings[q].kick >= 0 && eventfd_read(be->vrings[q].kick, &value) == 0;
}

bool rp_backend_resolve(struct rp_backend *be, unsigned int q)
{
	struct rp_backend_vring *v = &be->vrings[q];
	struct rp_device_ring *r = &v->ring;

	if (!v->have_addr || v->num == 0)
		return false;
	r->size = v->num;
	r->desc = rp_device_regions_at_uva(&be->regions, v->addr.desc,
					   rp_device_ring_desc_len(v->num));
	r->avail = rp_device_regions_at_uva(&be->regions, v->addr.avail,
					    rp_device_ring_avail_len(v->num));
	r->used = rp_device_regions_at_uva(&be->regions, v->addr.used,
					   rp_device_ring_used_len(v->num));
	r->log_used = (v->addr.flags & RP_VHU_VRING_F_LOG) != 0;
	r->used_gpa = v->addr.log;
	return r->desc != NULL && r->avail != NULL && r->used != NULL;
}

// The ring's record in the memory of SET_INFLIGHT_FD, if it has one there. False: no memory of
// ours.
static bool attach_inflight(struct rp_backend *be, unsigned int q)
{
	struct rp_inflight *f = &be->vrings[q].ring.inflight;

	free(f->again);
	*f = (struct rp_inflight){.shared = NULL};
	if (q >= be->inflight_rings || be->vrings[q].num > be->inflight_size)
		return true;
	f->again = calloc(be->vrings[q].num, sizeof(*f->again));
	f->shared = (void *)((char *)be->inflight.start + q * rp_inflight_size(be->inflight_size));
	return f->again != NULL;
}

static void start_ring(struct rp_backend *be, unsigned int q)
{
	struct rp_backend_vring *v = &be->vrings[q];

	if (!rp_backend_resolve(be, q) || !attach_inflight(be, q))
		return;
	v->ring.event_idx = (be->features & RP_VIRTIO_BIT(EVENT_IDX)) != 0;
	v->ring.indirect = (be->features & RP_VIRTIO_BIT(INDIRECT_DESC)) != 0;
	v->ring.memory = &be->memory;
	rp_device_ring_start(&v->ring, v->base);
	v->started = true;
	if (be->dev->ops->ring_started != NULL)
		be->dev->ops->ring_started(be, q, be->dev->arg);
}

void rp_backend_kick(struct rp_backend *be, unsigned int q)
{
	struct rp_backend_vring *v = &be->vrings[q];

	if (!v->started && v->armed)
		start_ring(be, q);
	if (v->started && be->dev->ops->kicked != NULL)
		be->dev->ops->kicked(be, q, be->dev->arg);
}

void rp_backend_stop_ring(struct rp_backend *be, unsigned int q)
{
	struct rp_backend_vring *v = &be->vrings[q];

	if (v->started) {
		if (be->dev->ops->ring_stopped != NULL)
			be->dev->ops->ring_stopped(be, q, be->dev->arg);
		v->base = v->ring.next_avail;
		v->started = false;
	}
	rp_backend_set_kick(be, q, -1);
	rp_backend_set_call(be, q, -1);
	v->armed = false;
	v->no_kick = false;
}

void rp_backend_stop_all(struct rp_backend *be)
{
	for (unsigned int q = 0; q < be->dev->n_rings; q++)
		rp_backend_stop_ring(be, q);
}

// Without a descriptor, but with in-band notifications: a message to the front-end.
static void notify(struct rp_backend *be, unsigned int q, int fd, uint32_t id)
{
	struct rp_vhu_msg msg = {.request = id, .size = 8, .payload.state = {.index = q}};

	if (fd >= 0)
		eventfd_write(fd, 1);
	else if (rp_backend_has_protocol(be, RP_VHU_PROTOCOL_BIT(INBAND_NOTIFICATIONS)) &&
		 be->channel >= 0)
		rp_vhu_send(be->channel, &msg, 0, NULL);
}

void rp_backend_call(struct rp_backend *be, unsigned int q)
{
	notify(be, q, be->vrings[q].call, RP_VHU_BACKEND_VRING_CALL);
}

void rp_backend_ring_error(struct rp_backend *be, unsigned int q)
{
	notify(be, q, be->vrings[q].err, RP_VHU_BACKEND_VRING_ERR);
}

struct rp_device_ring *rp_backend_ring(struct rp_backend *be, unsigned int q)
{
	return q < be->dev->n_rings && be->vrings[q].started ? &be->vrings[q].ring : NULL;
}

bool rp_backend_ring_enabled(const struct rp_backend *be, unsigned int q)
{
	return q < be->dev->n_rings && be->vrings[q].enabled;
}
