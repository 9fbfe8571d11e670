// SPDX-License-Identifier: BSD-3-Clause
#include "vhost_user/backend_priv.h"
#include "virtio/feature_bits.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * One handler a message. It is called with a request that the table and its gate allow, in
 * be->rx.msg, and returns 0 or -errno for the ack. Where the table says that the reply is more than
 * an ack, the handler leaves it in the same message (payload, size, descriptors). A descriptor that
 * it keeps it replaces by -1.
 */

typedef int (*handler_fn)(struct rp_backend *be, struct rp_vhu_msg *msg);

#define RING_SIZE_MAX 32768
#define MTU_MIN	      68
#define MTU_MAX	      65535
#define LOG_SIZE_MAX  (UINT64_C(1) << 40)

// Turn the message into its reply.
static int reply_u64(struct rp_vhu_msg *msg, uint64_t value)
{
	msg->size = sizeof(value);
	msg->payload.u64 = value;
	return 0;
}

// A copy of the descriptor that came, ours to keep; -1 when none came.
static int keep_fd(struct rp_vhu_msg *msg)
{
	int fd = msg->n_fds > 0 ? msg->fds[0] : -1;

	if (fd >= 0)
		msg->fds[0] = -1;
	return fd;
}

// --- features, owner, status ---

static int get_features(struct rp_backend *be, struct rp_vhu_msg *msg)
{
	return reply_u64(msg, be->dev->features);
}

static bool any_started(const struct rp_backend *be)
{
	for (unsigned int q = 0; q < be->dev->n_rings; q++)
		if (be->vrings[q].started)
			return true;
	return false;
}

static int set_features(struct rp_backend *be, struct rp_vhu_msg *msg)
{
	uint64_t wanted = msg->payload.u64, log = RP_VIRTIO_BIT(VHOST_LOG_ALL);
	bool fits = (wanted & ~be->dev->features) == 0;

	// While rings run only logging may change: migration begins.
	if (fits && any_started(be) && ((wanted ^ be->features) & ~log) != 0)
		fits = false;
	if (!fits) {
		be->features_refused = true;
		be->status &= ~(uint64_t)RP_VIRTIO_STATUS_FEATURES_OK;
		return -EINVAL;
	}
	be->features_refused = false;
	be->features = wanted;
	be->regions.logging = (wanted & log) != 0;
	// Without protocol features there is no message to enable rings: they just are.
	if ((wanted & RP_VIRTIO_BIT(VHOST_PROTOCOL_FEATURES)) == 0)
		for (unsigned int q = 0; q < be->dev->n_rings; q++)
			be->vrings[q].enabled = true;
	if (be->dev->ops->features_set != NULL)
		be->dev->ops->features_set(be, be->dev->arg);
	return 0;
}

static int set_owner(struct rp_backend *, struct rp_vhu_msg *)
{
	return 0;
}

static int get_protocol_features(struct rp_backend *be, struct rp_vhu_msg *msg)
{
	return reply_u64(msg, be->dev->protocol_features);
}

static int set_protocol_features(struct rp_backend *be, struct rp_vhu_msg *msg)
{
	uint64_t wanted = msg->payload.u64;
	uint64_t inband = RP_VHU_PROTOCOL_BIT(INBAND_NOTIFICATIONS);
	uint64_t needs = RP_VHU_PROTOCOL_BIT(BACKEND_REQ) | RP_VHU_PROTOCOL_BIT(REPLY_ACK);

	if ((wanted & ~be->dev->protocol_features) != 0)
		return -EINVAL;
	if ((wanted & inband) != 0 && (wanted & needs) != needs)
		return -ECONNABORTED; // "the back-end should close the connection"
	be->protocol_features = wanted;
	return 0;
}

static int get_queue_num(struct rp_backend *be, struct rp_vhu_msg *msg)
{
	return reply_u64(msg, be->dev->queue_num);
}

static void reset(struct rp_backend *be)
{
	bool has_enable = (be->features & RP_VIRTIO_BIT(VHOST_PROTOCOL_FEATURES)) != 0;

	rp_backend_stop_all(be);
	for (unsigned int q = 0; q < be->dev->n_rings; q++) {
		struct rp_backend_vring *v = &be->vrings[q];

		v->enabled = !has_enable;
		v->have_addr = false;
		v->num = 0;
		v->base = 0;
	}
	be->status = 0;
	if (be->dev->ops->reset != NULL)
		be->dev->ops->reset(be, be->dev->arg);
}

static int reset_device(struct rp_backend *be, struct rp_vhu_msg *)
{
	reset(be);
	return 0;
}

static int set_status(struct rp_backend *be, struct rp_vhu_msg *msg)
{
	if (msg->payload.u64 > UINT8_MAX)
		return -EINVAL;
	if (msg->payload.u64 == 0)
		reset(be);
	be->status = msg->payload.u64;
	if (be->features_refused)
		be->status &= ~(uint64_t)RP_VIRTIO_STATUS_FEATURES_OK;
	return 0;
}

static int get_status(struct rp_backend *be, struct rp_vhu_msg *msg)
{
	return reply_u64(msg, be->status);
}

// --- memory ---

// Rings whose memory went away stop; the others go on where they are now.
static void resolve_all(struct rp_backend *be)
{
	for (unsigned int q = 0; q < be->dev->n_rings; q++)
		if (be->vrings[q].started && !rp_backend_resolve(be, q)) {
			// Not by the device's hand: it could not give chains back any more.
			be->vrings[q].base = be->vrings[q].ring.next_avail;
			be->vrings[q].started = false;
			rp_backend_stop_ring(be, q);
			rp_backend_ring_error(be, q);
		}
}

static int set_mem_table(struct rp_backend *be, struct rp_vhu_msg *msg)
{
	int rc;

	if (msg->n_fds != msg->payload.mem.n_regions)
		return -EINVAL;
	rc = rp_device_regions_set(&be->regions, &msg->payload.mem, msg->fds, &be->err);
	if (rc == 0)
		resolve_all(be);
	return rc;
}

static int get_max_mem_slots(struct rp_backend *, struct rp_vhu_msg *msg)
{
	return reply_u64(msg, RP_DEVICE_MEMORY_SLOTS);
}

static int add_mem_reg(struct rp_backend *be, struct rp_vhu_msg *msg)
{
	struct rp_vhu_region wire = msg->payload.region.region;

	return rp_device_regions_add(&be->regions, &wire, msg->fds[0], &be->err);
}

static int rem_mem_reg(struct rp_backend *be, struct rp_vhu_msg *msg)
{
	struct rp_vhu_region wire = msg->payload.region.region;
	int rc = rp_device_regions_remove(&be->regions, &wire, &be->err);

	if (rc == 0)
		resolve_all(be);
	return rc;
}

static int set_log_base(struct rp_backend *be, struct rp_vhu_msg *msg)
{
	uint64_t size = msg->payload.log.mmap_size, offset = msg->payload.log.mmap_offset;
	struct rp_mapping log;
	int rc = -EINVAL;

	if (rp_backend_has_protocol(be, RP_VHU_PROTOCOL_BIT(LOG_SHMFD)) && msg->n_fds == 1 &&
	    msg->size == sizeof(msg->payload.log) && size <= LOG_SIZE_MAX)
		rc = rp_mapping_open(&log, msg->fds[0], offset, size, &be->err);
	if (rc == 0) {
		rp_mapping_close(&be->regions.log);
		be->regions.log = log;
	}
	rp_vhu_close_fds(msg);
	// The reply is due whether or not an ack was asked for, so it carries the result.
	return reply_u64(msg, rc != 0);
}

// It is signalled when somebody waits for the log; nobody ever does.
static int set_log_fd(struct rp_backend *, struct rp_vhu_msg *)
{
	return 0;
}

// --- rings ---

static struct rp_backend_vring *vring(struct rp_backend *be, uint32_t index)
{
	return index < be->dev->n_rings ? &be->vrings[index] : NULL;
}

static int set_vring_num(struct rp_backend *be, struct rp_vhu_msg *msg)
{
	struct rp_backend_vring *v = vring(be, msg->payload.state.index);
	uint32_t num = msg->payload.state.num;

	if (v == NULL || num == 0 || num > RING_SIZE_MAX || (num & (num - 1)) != 0)
		return -EINVAL;
	if (v->started)
		return -EBUSY;
	v->num = (uint16_t)num;
	return 0;
}

static int set_vring_addr(struct rp_backend *be, struct rp_vhu_msg *msg)
{
	const struct rp_vhu_vring_addr addr = msg->payload.addr;
	struct rp_backend_vring *v = vring(be, addr.index), old;

	// Alignment: virtio 1.2, section 2.7.
	if (v == NULL || (addr.flags & ~RP_VHU_VRING_F_LOG) != 0 || addr.desc % 16 != 0 ||
	    addr.avail % 2 != 0 || addr.used % 4 != 0)
		return -EINVAL;
	old = *v;
	v->addr = addr;
	v->have_addr = true;
	// Before memory or size are known the address is taken as it is, and judged at the start.
	if (be->regions.n > 0 && v->num > 0 && !rp_backend_resolve(be, addr.index)) {
		*v = old;
		return -EFAULT;
	}
	return 0;
}

static int set_vring_base(struct rp_backend *be, struct rp_vhu_msg *msg)
{
	struct rp_backend_vring *v = vring(be, msg->payload.state.index);

	if (v == NULL || msg->payload.state.num > UINT16_MAX)
		return -EINVAL;
	if (v->started)
		return -EBUSY;
	v->base = (uint16_t)msg->payload.state.num;
	return 0;
}

static int get_vring_base(struct rp_backend *be, struct rp_vhu_msg *msg)
{
	struct rp_backend_vring *v = vring(be, msg->payload.state.index);

	if (v == NULL)
		return -EINVAL;
	rp_backend_stop_ring(be, msg->payload.state.index);
	msg->payload.state.num = v->base;
	return 0;
}

// The ring and descriptor of SET_VRING_KICK, CALL and ERR.
static int set_vring_fd(struct rp_backend *be, struct rp_vhu_msg *msg,
			int (*set)(struct rp_backend *be, unsigned int q, int fd))
{
	uint64_t value = msg->payload.u64;
	unsigned int q = value & RP_VHU_VRING_IDX_MASK;
	bool no_fd = (value & RP_VHU_VRING_NOFD) != 0;
	int rc;

	if (q >= be->dev->n_rings || no_fd != (msg->n_fds == 0) ||
	    (value & ~(uint64_t)(RP_VHU_VRING_IDX_MASK | RP_VHU_VRING_NOFD)) != 0)
		return -EINVAL;
	rc = set(be, q, no_fd ? -1 : msg->fds[0]);
	if (rc == 0)
		keep_fd(msg);
	return rc;
}

static int set_vring_kick(struct rp_backend *be, struct rp_vhu_msg *msg)
{
	return set_vring_fd(be, msg, rp_backend_set_kick);
}

static int set_vring_call(struct rp_backend *be, struct rp_vhu_msg *msg)
{
	return set_vring_fd(be, msg, rp_backend_set_call);
}

static int set_vring_err(struct rp_backend *be, struct rp_vhu_msg *msg)
{
	return set_vring_fd(be, msg, rp_backend_set_err);
}

static int set_vring_enable(struct rp_backend *be, struct rp_vhu_msg *msg)
{
	struct rp_backend_vring *v = vring(be, msg->payload.state.index);
	uint32_t enable = msg->payload.state.num;

	if (v == NULL || enable > 1)
		return -EINVAL;
	if (v->enabled == (enable == 1))
		return 0;
	v->enabled = enable == 1;
	// What was not done while it was disabled is due now, and nobody kicks for it again.
	if (v->enabled && v->started)
		rp_backend_kick(be, msg->payload.state.index);
	return 0;
}

static int vring_kick(struct rp_backend *be, struct rp_vhu_msg *msg)
{
	if (vring(be, msg->payload.state.index) == NULL || msg->payload.state.num != 0)
		return -EINVAL;
	rp_backend_kick(be, msg->payload.state.index);
	return 0;
}

// --- chains in flight ---

static bool inflight_fits(const struct rp_backend *be, const struct rp_vhu_inflight *in)
{
	return in->num_queues > 0 && in->num_queues <= be->dev->n_rings && in->queue_size > 0 &&
	       in->queue_size <= RING_SIZE_MAX;
}

// Fresh memory for the record; the front-end keeps it and hands it back with SET_INFLIGHT_FD.
static int get_inflight_fd(struct rp_backend *be, struct rp_vhu_msg *msg)
{
	struct rp_vhu_inflight *in = &msg->payload.inflight;
	int fd;

	if (!inflight_fits(be, in))
		return -EINVAL;
	in->mmap_size = in->num_queues * rp_inflight_size(in->queue_size);
	in->mmap_offset = 0;
	fd = memfd_create("inflight", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	msg->fds[0] = fd;
	msg->n_fds = 1;
	if (ftruncate(fd, (off_t)in->mmap_size) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		return -errno;
	return 0;
}

static int set_inflight_fd(struct rp_backend *be, struct rp_vhu_msg *msg)
{
	const struct rp_vhu_inflight in = msg->payload.inflight;
	struct rp_mapping mapping;
	int rc;

	if (any_started(be))
		return -EBUSY;
	if (!inflight_fits(be, &in) || in.mmap_offset % 64 != 0 ||
	    in.mmap_size < in.num_queues * rp_inflight_size(in.queue_size))
		return -EINVAL;
	rc = rp_mapping_open(&mapping, msg->fds[0], in.mmap_offset, in.mmap_size, &be->err);
	if (rc < 0)
		return rc;
	rp_mapping_close(&be->inflight);
	be->inflight = mapping;
	be->inflight_rings = in.num_queues;
	be->inflight_size = in.queue_size;
	return 0;
}

// --- the rest ---

static int set_backend_req_fd(struct rp_backend *be, struct rp_vhu_msg *msg)
{
	if (be->channel >= 0)
		close(be->channel);
	be->channel = keep_fd(msg);
	return 0;
}

static int send_rarp(struct rp_backend *, struct rp_vhu_msg *)
{
	return 0;
}

static int net_set_mtu(struct rp_backend *be, struct rp_vhu_msg *msg)
{
	if (msg->payload.u64 < MTU_MIN || msg->payload.u64 > MTU_MAX)
		return -EINVAL;
	if (be->dev->ops->set_mtu == NULL)
		return 0;
	return be->dev->ops->set_mtu(be, msg->payload.u64, be->dev->arg);
}

static bool config_range(const struct rp_backend *be, const struct rp_vhu_config *c)
{
	return c->size <= be->dev->config_size && c->offset <= be->dev->config_size - c->size;
}

static int get_config(struct rp_backend *be, struct rp_vhu_msg *msg)
{
	struct rp_vhu_config *c = &msg->payload.config;

	// An empty reply is the protocol's word for an error here.
	if (!config_range(be, c))
		msg->size = 0;
	else
		memcpy(c->data, (const char *)be->dev->config + c->offset, c->size);
	return 0;
}

static int set_config(struct rp_backend *be, struct rp_vhu_msg *msg)
{
	const struct rp_vhu_config *c = &msg->payload.config;

	if (!config_range(be, c) || c->flags > 1)
		return -EINVAL;
	if (be->dev->ops->set_config == NULL)
		return -EPERM; // all of it is read-only
	return be->dev->ops->set_config(be, c->offset, c->data, c->size, be->dev->arg);
}

static const handler_fn handlers[] = {
	[RP_VHU_GET_FEATURES] = get_features,
	[RP_VHU_SET_FEATURES] = set_features,
	[RP_VHU_SET_OWNER] = set_owner,
	[RP_VHU_RESET_OWNER] = set_owner, // deprecated: the specification says to ignore it
	[RP_VHU_SET_MEM_TABLE] = set_mem_table,
	[RP_VHU_SET_LOG_BASE] = set_log_base,
	[RP_VHU_SET_LOG_FD] = set_log_fd,
	[RP_VHU_SET_VRING_NUM] = set_vring_num,
	[RP_VHU_SET_VRING_ADDR] = set_vring_addr,
	[RP_VHU_SET_VRING_BASE] = set_vring_base,
	[RP_VHU_GET_VRING_BASE] = get_vring_base,
	[RP_VHU_SET_VRING_KICK] = set_vring_kick,
	[RP_VHU_SET_VRING_CALL] = set_vring_call,
	[RP_VHU_SET_VRING_ERR] = set_vring_err,
	[RP_VHU_GET_PROTOCOL_FEATURES] = get_protocol_features,
	[RP_VHU_SET_PROTOCOL_FEATURES] = set_protocol_features,
	[RP_VHU_GET_QUEUE_NUM] = get_queue_num,
	[RP_VHU_SET_VRING_ENABLE] = set_vring_enable,
	[RP_VHU_SEND_RARP] = send_rarp,
	[RP_VHU_NET_SET_MTU] = net_set_mtu,
	[RP_VHU_SET_BACKEND_REQ_FD] = set_backend_req_fd,
	[RP_VHU_GET_CONFIG] = get_config,
	[RP_VHU_SET_CONFIG] = set_config,
	[RP_VHU_GET_INFLIGHT_FD] = get_inflight_fd,
	[RP_VHU_SET_INFLIGHT_FD] = set_inflight_fd,
	[RP_VHU_RESET_DEVICE] = reset_device,
	[RP_VHU_VRING_KICK] = vring_kick,
	[RP_VHU_GET_MAX_MEM_SLOTS] = get_max_mem_slots,
	[RP_VHU_ADD_MEM_REG] = add_mem_reg,
	[RP_VHU_REM_MEM_REG] = rem_mem_reg,
	[RP_VHU_SET_STATUS] = set_status,
	[RP_VHU_GET_STATUS] = get_status,
};

// --- dispatch ---

// Send the message as a reply, and close the descriptors that the handler put into it.
static int send_reply(struct rp_backend *be, struct rp_vhu_msg *msg)
{
	unsigned int n_fds = msg->n_fds;
	int fds[RP_VHU_MAX_FDS], rc = 0;

	memcpy(fds, msg->fds, sizeof(fds));
	msg->flags = RP_VHU_FLAG_REPLY;
	if (be->dev->ops->reply != NULL)
		rc = be->dev->ops->reply(be, msg, be->dev->arg);
	if (rc == 0)
		rc = rp_vhu_send(be->sock, msg, 0, &be->err);
	memcpy(msg->fds, fds, sizeof(fds));
	msg->n_fds = n_fds;
	rp_vhu_close_fds(msg);
	return rc < 0 ? rc : 0;
}

static handler_fn find_handler(struct rp_backend *be, const struct rp_vhu_message_info *info)
{
	// The two messages about protocol features come before SET_FEATURES: offered is enough.
	bool early = info->id == RP_VHU_GET_PROTOCOL_FEATURES ||
		     info->id == RP_VHU_SET_PROTOCOL_FEATURES;
	uint64_t features = early ? be->dev->features : be->features;

	if (info->id >= sizeof(handlers) / sizeof(handlers[0]) ||
	    !rp_vhu_message_allowed(info, features, be->protocol_features))
		return NULL;
	return handlers[info->id];
}

static int refuse(struct rp_backend *be, const char *name, int code)
{
	if (be->err.code == 0)
		rp_error_set(&be->err, code, "request", name, "refused: %s", strerror(code));
	return -code;
}

// Let the table, the gate and the handler judge the request. 0 or -errno; -ECONNABORTED: no ack.
static int judge(struct rp_backend *be, struct rp_vhu_msg *msg,
		 const struct rp_vhu_message_info *info)
{
	handler_fn handler;
	int rc;

	be->err.code = 0;
	rc = rp_vhu_check_request(msg, RP_VHU_FROM_FRONTEND, &be->err);
	// Of another version or a reply: whoever speaks so would not understand an ack either.
	if (rc < 0 && ((msg->flags & RP_VHU_VERSION_MASK) != RP_VHU_VERSION ||
		       (msg->flags & RP_VHU_FLAG_REPLY) != 0))
		return -ECONNABORTED;
	if (rc < 0)
		return rc;
	handler = find_handler(be, info);
	rc = handler != NULL ? handler(be, msg) : -EOPNOTSUPP;
	return rc < 0 ? refuse(be, info->name, -rc) : 0;
}

int rp_backend_handle(struct rp_backend *be)
{
	struct rp_vhu_msg *msg = &be->rx.msg;
	const struct rp_vhu_message_info *info =
		rp_vhu_message_by_id(RP_VHU_FROM_FRONTEND, msg->request);
	bool need_reply = (msg->flags & RP_VHU_FLAG_NEED_REPLY) != 0;
	int rc = 0, result;

	if (be->dev->ops->request != NULL)
		rc = be->dev->ops->request(be, msg, be->dev->arg);
	if (rc != 0) {
		rp_vhu_close_fds(msg);
		return rc < 0 ? rc : 0;
	}
	result = judge(be, msg, info);
	if (result == 0 && rp_vhu_reply_expected(info, 0, be->protocol_features))
		return send_reply(be, msg);
	rp_vhu_close_fds(msg);
	if (result == -ECONNABORTED)
		return result;
	// A reply that is no ack has no room to say no: there only the end of the connection is
	// left.
	if (need_reply && (info == NULL || info->reply == RP_VHU_PAYLOAD_ACK) &&
	    rp_backend_has_protocol(be, RP_VHU_PROTOCOL_BIT(REPLY_ACK))) {
		reply_u64(msg, result != 0);
		return send_reply(be, msg);
	}
	return result;
}
