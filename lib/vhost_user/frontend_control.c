// SPDX-License-Identifier: BSD-3-Clause
#include "vhost_user/frontend_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/*
 * What the front-end says on the control socket, in the order that every back-end at hand accepts:
 * GET_FEATURES, SET_OWNER, protocol features, SET_FEATURES, memory, per ring NUM, BASE, ADDR, CALL,
 * KICK, then ENABLE, then the device status. With REPLY_ACK each request asks for its ack, so an
 * error names the request that was refused.
 */

int rp_frontend_request(struct rp_frontend *fe, struct rp_vhu_msg *msg, struct rp_error *err)
{
	if (fe->sock < 0)
		return rp_error_set(err, ENOTCONN, "front-end", NULL, "is not connected");
	return rp_vhu_call(fe->sock, msg, fe->protocol_features, fe->timeout_ms, err);
}

// A request with whatever reply or ack is due.
static int request(struct rp_frontend *fe, struct rp_vhu_msg *msg, struct rp_error *err)
{
	if (rp_frontend_has_protocol(fe, RP_VHU_PROTOCOL_BIT(REPLY_ACK)))
		msg->flags |= RP_VHU_FLAG_NEED_REPLY;
	return rp_frontend_request(fe, msg, err);
}

static int request_u64(struct rp_frontend *fe, uint32_t id, uint64_t value, struct rp_error *err)
{
	struct rp_vhu_msg msg = {.request = id, .size = 8, .payload.u64 = value};

	return request(fe, &msg, err);
}

static int request_get(struct rp_frontend *fe, uint32_t id, uint64_t *value, struct rp_error *err)
{
	struct rp_vhu_msg msg = {.request = id};
	int rc = request(fe, &msg, err);

	if (rc == 0)
		*value = msg.payload.u64;
	return rc;
}

static int request_state(struct rp_frontend *fe, uint32_t id, uint32_t index, uint32_t num,
			 struct rp_error *err)
{
	struct rp_vhu_msg msg = {
		.request = id, .size = 8, .payload.state = {.index = index, .num = num}};

	return request(fe, &msg, err);
}

static int request_fd(struct rp_frontend *fe, uint32_t id, unsigned int q, int fd,
		      struct rp_error *err)
{
	struct rp_vhu_msg msg = {.request = id, .size = 8, .payload.u64 = q, .n_fds = 1};

	msg.fds[0] = fd;
	return request(fe, &msg, err);
}

static void features_text(uint64_t bits, char *buf, size_t len)
{
	size_t at = 0;

	buf[0] = '\0';
	for (unsigned int i = 0; i < 64 && at < len; i++) {
		const char *name = rp_virtio_feature_name(RP_VIRTIO_NET, i);

		if ((bits >> i & 1) == 0)
			continue;
		if (name != NULL)
			at += (size_t)snprintf(buf + at, len - at, "%s%s", at > 0 ? " " : "", name);
		else
			at += (size_t)snprintf(buf + at, len - at, "%sbit %u", at > 0 ? " " : "",
					       i);
	}
}

static int negotiate_protocol(struct rp_frontend *fe, struct rp_error *err)
{
	uint64_t wanted;
	int rc;

	rc = request_get(fe, RP_VHU_GET_PROTOCOL_FEATURES, &fe->protocol_offered, err);
	if (rc < 0)
		return rc;
	wanted = fe->cfg.protocol_features & fe->protocol_offered;
	rc = request_u64(fe, RP_VHU_SET_PROTOCOL_FEATURES, wanted, err);
	if (rc < 0)
		return rc;
	fe->protocol_features = wanted;
	if (rp_frontend_has_protocol(fe, RP_VHU_PROTOCOL_BIT(MQ)))
		rc = request_get(fe, RP_VHU_GET_QUEUE_NUM, &fe->queue_num, err);
	return rc;
}

static int check_offer(struct rp_frontend *fe, struct rp_error *err)
{
	uint64_t missing = fe->cfg.required_features & ~fe->offered;
	char text[128];

	if (missing != 0) {
		features_text(missing, text, sizeof(text));
		return rp_error_set(err, ENOTSUP, "features", text, "not offered by the back-end");
	}
	if (fe->cfg.queue_pairs > fe->queue_num) {
		snprintf(text, sizeof(text), "%u", fe->cfg.queue_pairs);
		return rp_error_set(err, ENOTSUP, "queue pairs", text,
				    "the back-end has %llu; ask for fewer",
				    (unsigned long long)fe->queue_num);
	}
	return 0;
}

static void take_defaults(struct rp_frontend_config *cfg)
{
	if (cfg->features == 0)
		cfg->features = RP_FRONTEND_FEATURES;
	cfg->features |= cfg->required_features;
	if (cfg->protocol_features == 0)
		cfg->protocol_features = RP_FRONTEND_PROTOCOL_FEATURES;
	if (cfg->no_protocol_features)
		cfg->features &= ~RP_VIRTIO_BIT(VHOST_PROTOCOL_FEATURES);
	if (cfg->ring_size == 0)
		cfg->ring_size = 256;
	if (cfg->queue_pairs == 0)
		cfg->queue_pairs = 1;
	// A guest with one pair has no use for MQ; then the control queue has none either.
	if (cfg->queue_pairs == 1)
		cfg->features &= ~(RP_VIRTIO_BIT(NET_MQ) | RP_VIRTIO_BIT(NET_CTRL_VQ));
	if (cfg->enabled_pairs == 0)
		cfg->enabled_pairs = cfg->queue_pairs;
	if (cfg->mtu == 0)
		cfg->mtu = 1500;
	if (cfg->memory_regions == 0)
		cfg->memory_regions = 1;
	if (cfg->timeout_ms == 0)
		cfg->timeout_ms = 2000;
}

int rp_frontend_negotiate(struct rp_frontend *fe, const struct rp_frontend_config *cfg,
			  struct rp_error *err)
{
	struct rp_vhu_msg owner = {.request = RP_VHU_SET_OWNER};
	int rc;

	if (cfg != &fe->cfg)
		fe->cfg = *cfg;
	take_defaults(&fe->cfg);
	if (fe->cfg.queue_pairs > RP_FRONTEND_MAX_PAIRS)
		return rp_error_set(err, EINVAL, "queue pairs", NULL, "at most %d",
				    RP_FRONTEND_MAX_PAIRS);
	fe->timeout_ms = fe->cfg.timeout_ms;
	fe->protocol_features = 0;
	fe->protocol_offered = 0;
	fe->queue_num = 1;
	rc = request_get(fe, RP_VHU_GET_FEATURES, &fe->offered, err);
	if (rc == 0)
		rc = request(fe, &owner, err);
	fe->features = fe->offered & fe->cfg.features;
	if (rc == 0 && rp_frontend_has(fe, RP_VIRTIO_BIT(VHOST_PROTOCOL_FEATURES)))
		rc = negotiate_protocol(fe, err);
	if (rc == 0)
		rc = check_offer(fe, err);
	if (rc == 0)
		rc = request_u64(fe, RP_VHU_SET_FEATURES, fe->features, err);
	if (rc == 0 && rp_frontend_has(fe, RP_VIRTIO_BIT(NET_MTU)) &&
	    rp_frontend_has_protocol(fe, RP_VHU_PROTOCOL_BIT(MTU)))
		rc = request_u64(fe, RP_VHU_NET_SET_MTU, fe->cfg.mtu, err);
	fe->hdr_len = rp_virtio_net_hdr_len(fe->features);
	return rc;
}

int rp_frontend_share_memory(struct rp_frontend *fe, struct rp_error *err)
{
	struct rp_vhu_msg msg = {.request = RP_VHU_SET_MEM_TABLE,
				 .payload.mem.n_regions = fe->mem.n_regions,
				 .n_fds = fe->mem.n_regions};

	msg.size = 8 + fe->mem.n_regions * (uint32_t)sizeof(struct rp_vhu_region);
	for (unsigned int i = 0; i < fe->mem.n_regions; i++) {
		msg.payload.mem.regions[i] = fe->mem.regions[i];
		msg.fds[i] = fe->mem.fd;
	}
	return request(fe, &msg, err);
}

int rp_frontend_start_ring(struct rp_frontend *fe, unsigned int q, struct rp_error *err)
{
	struct rp_frontend_queue *queue = &fe->queues[q];
	struct rp_vring *vr = &queue->vr;
	uint32_t base = rp_vring_resume_base(vr);
	struct rp_vhu_msg addr = {.request = RP_VHU_SET_VRING_ADDR,
				  .size = sizeof(addr.payload.addr),
				  .payload.addr = {.index = q,
						   .desc = (uintptr_t)vr->desc,
						   .used = (uintptr_t)vr->used,
						   .avail = (uintptr_t)vr->avail}};
	int rc;

	// Packed: the place of available entries in the low half, of used ones in the high half.
	if (vr->packed)
		base |= base << 16;
	rc = request_state(fe, RP_VHU_SET_VRING_NUM, q, vr->size, err);
	if (rc == 0)
		rc = request_state(fe, RP_VHU_SET_VRING_BASE, q, base, err);
	if (rc == 0)
		rc = request(fe, &addr, err);
	if (rc == 0)
		rc = request_fd(fe, RP_VHU_SET_VRING_CALL, q, queue->call, err);
	if (rc == 0)
		rc = request_fd(fe, RP_VHU_SET_VRING_KICK, q, queue->kick, err);
	if (rc < 0)
		return rc;
	queue->started = true;
	// What is in the ring already was announced to nobody, or to a back-end that is gone.
	rp_frontend_kick(fe, q);
	return 0;
}

int rp_frontend_stop_ring(struct rp_frontend *fe, unsigned int q, uint32_t *base,
			  struct rp_error *err)
{
	struct rp_vhu_msg msg = {
		.request = RP_VHU_GET_VRING_BASE, .size = 8, .payload.state = {.index = q}};
	int rc = request(fe, &msg, err);

	if (rc < 0)
		return rc;
	fe->queues[q].started = false;
	if (base != NULL)
		*base = msg.payload.state.num;
	return 0;
}

int rp_frontend_enable_pair(struct rp_frontend *fe, unsigned int pair, bool enable,
			    struct rp_error *err)
{
	for (unsigned int q = 2 * pair; q < 2 * pair + 2; q++) {
		int rc = 0;

		// Without protocol features the message does not exist and rings just run.
		if (rp_frontend_has(fe, RP_VIRTIO_BIT(VHOST_PROTOCOL_FEATURES)))
			rc = request_state(fe, RP_VHU_SET_VRING_ENABLE, q, enable, err);
		if (rc < 0)
			return rc;
		fe->queues[q].enabled = enable;
		if (enable && fe->queues[q].started)
			rp_frontend_kick(fe, q);
	}
	return 0;
}

int rp_frontend_driver_ok(struct rp_frontend *fe, struct rp_error *err)
{
	const unsigned int steps[] = {RP_VIRTIO_STATUS_ACKNOWLEDGE, RP_VIRTIO_STATUS_DRIVER,
				      RP_VIRTIO_STATUS_FEATURES_OK, RP_VIRTIO_STATUS_DRIVER_OK};
	uint64_t status = 0;

	if (!rp_frontend_has_protocol(fe, RP_VHU_PROTOCOL_BIT(STATUS)))
		return 0;
	for (unsigned int i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		int rc;

		if (fe->cfg.withhold_driver_ok && steps[i] == RP_VIRTIO_STATUS_DRIVER_OK)
			break;
		status |= steps[i];
		rc = request_u64(fe, RP_VHU_SET_STATUS, status, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int rp_frontend_get_config(struct rp_frontend *fe, uint32_t offset, void *buf, uint32_t size,
			   struct rp_error *err)
{
	struct rp_vhu_msg msg = {.request = RP_VHU_GET_CONFIG,
				 .payload.config = {.offset = offset, .size = size}};
	int rc;

	if (!rp_frontend_has_protocol(fe, RP_VHU_PROTOCOL_BIT(CONFIG)))
		return rp_error_set(err, ENOTSUP, "configuration", NULL,
				    "the back-end does not offer protocol feature CONFIG");
	if (size > RP_VHU_CONFIG_MAX)
		return rp_error_set(err, EINVAL, "configuration", NULL, "at most %d bytes",
				    RP_VHU_CONFIG_MAX);
	msg.size = 12 + size;
	rc = request(fe, &msg, err);
	if (rc < 0)
		return rc;
	if (msg.size != 12 + size || msg.payload.config.size != size)
		return rp_error_set(err, EPROTO, "configuration", NULL,
				    "the back-end refused to read %u bytes at %u", size, offset);
	memcpy(buf, msg.payload.config.data, size);
	return 0;
}
