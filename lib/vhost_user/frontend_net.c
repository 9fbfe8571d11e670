// SPDX-License-Identifier: BSD-3-Clause
#include "base/clock.h"
#include "vhost_user/frontend_priv.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>

/*
 * Packets over the rings. A packet is the virtio-net header and the frame, laid end to end over as
 * many of the queue's fixed buffers as it takes; the chain's cookie is its first buffer.
 */

static uint8_t *buffer_at(const struct rp_frontend_queue *queue, uint16_t buf)
{
	return queue->bufs + (size_t)buf * queue->stride;
}

static void free_chain(struct rp_frontend_queue *queue, uint16_t buf)
{
	while (buf != RP_FRONTEND_NO_LINK) {
		queue->free[queue->n_free++] = buf;
		buf = queue->link[buf];
	}
}

// Take buffers for size bytes, linked. The first, or -ENOSPC.
static int take_chain(struct rp_frontend_queue *queue, uint32_t size)
{
	uint32_t n = (size + queue->buf_size - 1) / queue->buf_size;
	uint16_t next = RP_FRONTEND_NO_LINK, buf = 0;

	if (n > queue->n_free)
		return -ENOSPC;
	// From the last, which may be short, to the first.
	for (uint32_t i = n; i > 0; i--) {
		buf = queue->free[--queue->n_free];
		queue->link[buf] = next;
		queue->len[buf] = i == n ? size - (n - 1) * queue->buf_size : queue->buf_size;
		next = buf;
	}
	return buf;
}

// The descriptors of a chain of buffers, none longer than max. How many, or -EMSGSIZE.
static int chain_segs(const struct rp_frontend_queue *queue, uint16_t buf, uint32_t max,
		      struct rp_vring_seg *segs)
{
	int n = 0;

	for (; buf != RP_FRONTEND_NO_LINK; buf = queue->link[buf]) {
		uint64_t gpa = queue->bufs_gpa + (uint64_t)buf * queue->stride;
		uint32_t left = queue->len[buf];

		while (left > 0) {
			uint32_t len = left < max ? left : max;

			if (n == RP_VRING_CHAIN_MAX)
				return -EMSGSIZE;
			segs[n++] = (struct rp_vring_seg){.gpa = gpa, .len = len};
			gpa += len;
			left -= len;
		}
	}
	return n;
}

static int add_chain(struct rp_frontend_queue *queue, uint16_t buf, uint32_t max, bool writable)
{
	struct rp_vring_seg segs[RP_VRING_CHAIN_MAX];
	int n = chain_segs(queue, buf, max, segs);
	int rc = n;

	if (n > 0)
		rc = rp_vring_add(&queue->vr, segs, writable ? 0 : (unsigned int)n,
				  writable ? (unsigned int)n : 0, buf);
	if (rc < 0)
		free_chain(queue, buf);
	return rc;
}

void rp_frontend_kick(struct rp_frontend *fe, unsigned int q)
{
	eventfd_write(fe->queues[q].kick, 1);
	fe->queues[q].stats.kicks++;
}

static void publish(struct rp_frontend *fe, unsigned int q)
{
	rp_vring_publish(&fe->queues[q].vr);
	if (rp_vring_needs_kick(&fe->queues[q].vr) && fe->queues[q].started)
		rp_frontend_kick(fe, q);
}

// --- receive ring: posting ---

int rp_frontend_provide_rx_buffer_on(struct rp_frontend *fe, unsigned int pair, uint32_t size)
{
	unsigned int q = 2 * pair;
	int rc;

	if (q >= fe->n_queues || size == 0)
		return -EINVAL;
	rc = take_chain(&fe->queues[q], size);
	if (rc >= 0)
		rc = add_chain(&fe->queues[q], (uint16_t)rc, UINT32_MAX, true);
	if (rc < 0)
		return rc;
	publish(fe, q);
	return 0;
}

int rp_frontend_provide_rx_buffer(struct rp_frontend *fe, uint32_t size)
{
	return rp_frontend_provide_rx_buffer_on(fe, 0, size);
}

int rp_frontend_fill_rx(struct rp_frontend *fe, unsigned int pair)
{
	struct rp_frontend_queue *queue = &fe->queues[2 * pair];
	int added = 0;

	while (queue->n_free > 0 && queue->vr.num_free > 0) {
		struct rp_vring_buf bufs[32];
		unsigned int n = 0;

		while (n < 32 && n < queue->n_free && n < queue->vr.num_free) {
			uint16_t buf = queue->free[queue->n_free - 1 - n];

			queue->link[buf] = RP_FRONTEND_NO_LINK;
			queue->len[buf] = queue->buf_size;
			bufs[n++] = (struct rp_vring_buf){.gpa = queue->bufs_gpa +
								 (uint64_t)buf * queue->stride,
							  .len = queue->buf_size,
							  .cookie = buf};
		}
		n = rp_vring_add_burst(&queue->vr, bufs, n, RP_VRING_WRITABLE);
		if (n == 0)
			break;
		queue->n_free -= (uint16_t)n;
		added += (int)n;
	}
	if (queue->vr.broken != NULL)
		return -EIO;
	if (added > 0)
		publish(fe, 2 * pair);
	return added;
}

// --- transmit ---

// Take back the buffers of all that the back-end has used. 0 or -EIO.
static int reap_tx(struct rp_frontend_queue *queue)
{
	struct rp_vring_done done[32];
	int n;

	do {
		n = rp_vring_get_burst(&queue->vr, done, 32);
		for (int i = 0; i < n; i++)
			free_chain(queue, (uint16_t)done[i].cookie);
	} while (n == 32);
	return n < 0 ? n : 0;
}

static void copy_in(struct rp_frontend_queue *queue, uint16_t buf, const void *hdr,
		    uint32_t hdr_len, const uint8_t *frame)
{
	uint32_t at = 0; // place in the whole packet

	for (; buf != RP_FRONTEND_NO_LINK; buf = queue->link[buf]) {
		uint8_t *to = buffer_at(queue, buf);
		uint32_t len = queue->len[buf], from_hdr = 0;

		if (at < hdr_len) {
			from_hdr = len < hdr_len - at ? len : hdr_len - at;
			memcpy(to, (const uint8_t *)hdr + at, from_hdr);
			at += from_hdr;
		}
		if (len > from_hdr)
			memcpy(to + from_hdr, frame + (at - hdr_len), len - from_hdr);
		at += len - from_hdr;
	}
}

// Put one packet into the ring, unpublished.
static int send_one(struct rp_frontend *fe, unsigned int q, const struct virtio_net_hdr_v1 *hdr,
		    const void *frame, size_t len)
{
	static const struct virtio_net_hdr_v1 plain;
	struct rp_frontend_queue *queue = &fe->queues[q];
	uint32_t max = fe->cfg.tx_segment != 0 ? fe->cfg.tx_segment : UINT32_MAX;
	int rc;

	if (len > UINT16_MAX)
		return -EMSGSIZE;
	rc = take_chain(queue, fe->hdr_len + (uint32_t)len);
	if (rc < 0) {
		rc = reap_tx(queue);
		if (rc == 0)
			rc = take_chain(queue, fe->hdr_len + (uint32_t)len);
		if (rc < 0)
			return rc;
	}
	copy_in(queue, (uint16_t)rc, hdr != NULL ? hdr : &plain, fe->hdr_len, frame);
	rc = add_chain(queue, (uint16_t)rc, max, false);
	if (rc < 0)
		return rc;
	queue->stats.packets++;
	queue->stats.bytes += len;
	return 0;
}

int rp_frontend_send_packet_on(struct rp_frontend *fe, unsigned int pair,
			       const struct virtio_net_hdr_v1 *hdr, const void *frame, size_t len)
{
	unsigned int q = 2 * pair + 1;
	int rc;

	if (q >= fe->n_queues || fe->sock < 0)
		return -ENOTCONN;
	rc = reap_tx(&fe->queues[q]);
	if (rc == 0)
		rc = send_one(fe, q, hdr, frame, len);
	if (rc == 0)
		publish(fe, q);
	return rc;
}

int rp_frontend_send_packet(struct rp_frontend *fe, const void *frame, size_t len)
{
	return rp_frontend_send_packet_on(fe, 0, NULL, frame, len);
}

int rp_frontend_send_burst(struct rp_frontend *fe, unsigned int pair, const struct iovec *frames,
			   unsigned int n)
{
	unsigned int q = 2 * pair + 1, sent = 0;
	int rc;

	if (q >= fe->n_queues || fe->sock < 0)
		return -ENOTCONN;
	rc = reap_tx(&fe->queues[q]);
	while (rc == 0 && sent < n) {
		rc = send_one(fe, q, NULL, frames[sent].iov_base, frames[sent].iov_len);
		if (rc == 0)
			sent++;
	}
	if (sent == 0)
		return rc;
	publish(fe, q);
	return (int)sent;
}

// --- receive ---

// Have at least want used buffers read ahead. 0, -EAGAIN, -EIO.
static int read_ahead(struct rp_frontend_queue *queue, unsigned int want)
{
	while (queue->n_done < want) {
		struct rp_vring_done *done = queue->done + queue->n_done;
		int n = rp_vring_get_burst(&queue->vr, done, RP_FRONTEND_DONE_MAX - queue->n_done);

		if (n <= 0)
			return n < 0 ? n : -EAGAIN;
		for (int i = 0; i < n; i++)
			if (done[i].cookie != RP_FRONTEND_RAW_COOKIE)
				queue->done[queue->n_done++] = done[i];
	}
	return 0;
}

static void drop_done(struct rp_frontend_queue *queue, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		free_chain(queue, (uint16_t)queue->done[i].cookie);
	queue->n_done -= n;
	memmove(queue->done, queue->done + n, queue->n_done * sizeof(queue->done[0]));
}

// Copy len used bytes of a chain, without the first skip, to out. The place behind what was copied.
static uint8_t *copy_out(const struct rp_frontend_queue *queue, struct rp_vring_done done,
			 uint32_t skip, uint8_t *out)
{
	uint16_t buf = (uint16_t)done.cookie;

	for (uint32_t left = done.len; left > 0 && buf != RP_FRONTEND_NO_LINK;
	     buf = queue->link[buf]) {
		uint32_t len = left < queue->len[buf] ? left : queue->len[buf];
		uint32_t from = skip < len ? skip : len;

		memcpy(out, buffer_at(queue, buf) + from, len - from);
		out += len - from;
		skip -= from;
		left -= len;
	}
	return out;
}

// How many buffers the packet at the head of the ring fills; 0: its header makes no sense.
static unsigned int packet_buffers(const struct rp_frontend *fe, struct rp_frontend_queue *queue,
				   struct virtio_net_hdr_v1 *hdr)
{
	struct rp_vring_done first = queue->done[0];
	unsigned int n = 1;

	memset(hdr, 0, sizeof(*hdr));
	if (first.len < fe->hdr_len)
		return 0;
	first.len = fe->hdr_len;
	copy_out(queue, first, 0, (uint8_t *)hdr);
	// Without MRG_RXBUF the field may hold anything (virtio 1.2, 5.1.6.4.1).
	if (rp_frontend_has(fe, RP_VIRTIO_BIT(NET_MRG_RXBUF)))
		n = hdr->num_buffers;
	return n <= RP_FRONTEND_DONE_MAX ? n : 0;
}

static ssize_t take_packet(struct rp_frontend *fe, struct rp_frontend_queue *queue, void *buf,
			   size_t size, struct rp_frontend_packet *info)
{
	unsigned int n = packet_buffers(fe, queue, &info->hdr);
	size_t len = 0;
	uint8_t *out = buf;
	int rc;

	if (n == 0) {
		queue->stats.errors++;
		drop_done(queue, 1);
		return -EBADMSG;
	}
	rc = read_ahead(queue, n);
	if (rc < 0)
		return rc;
	for (unsigned int i = 0; i < n; i++)
		len += queue->done[i].len;
	len -= fe->hdr_len;
	if (len > size) {
		queue->stats.errors++;
		drop_done(queue, n);
		return -EMSGSIZE;
	}
	for (unsigned int i = 0; i < n; i++)
		out = copy_out(queue, queue->done[i], i == 0 ? fe->hdr_len : 0, out);
	drop_done(queue, n);
	info->buffers = (uint16_t)n;
	queue->stats.packets++;
	queue->stats.bytes += len;
	return (ssize_t)len;
}

ssize_t rp_frontend_recv_packet_on(struct rp_frontend *fe, unsigned int pair, void *buf,
				   size_t size, struct rp_frontend_packet *info)
{
	struct rp_frontend_packet unused;
	struct rp_frontend_queue *queue;
	unsigned int enough;
	ssize_t len;

	if (2 * pair >= fe->n_queues)
		return -EINVAL;
	queue = &fe->queues[2 * pair];
	if (info == NULL)
		info = &unused;
	len = read_ahead(queue, 1);
	if (len < 0)
		return len;
	info->pair = (uint16_t)pair;
	len = take_packet(fe, queue, buf, size, info);
	// Post buffers again in groups, so that a notification pays for several.
	enough = queue->vr.size / 4u < 16 ? queue->vr.size / 4u + 1 : 16;
	if (!fe->cfg.manual_rx && queue->n_free >= enough)
		rp_frontend_fill_rx(fe, pair);
	return len;
}

ssize_t rp_frontend_recv_packet(struct rp_frontend *fe, void *buf, size_t size)
{
	ssize_t len = -EAGAIN;

	for (unsigned int pair = 0; pair < fe->n_queues / 2 && len == -EAGAIN; pair++)
		len = rp_frontend_recv_packet_on(fe, pair, buf, size, NULL);
	return len;
}

// --- waiting ---

bool rp_frontend_arm(struct rp_frontend *fe, unsigned int q)
{
	struct rp_frontend_queue *queue = &fe->queues[q];
	eventfd_t value;

	eventfd_read(queue->call, &value);
	return rp_vring_enable_call(&queue->vr) || queue->n_done > 0;
}

// Sleep until one of these rings may have news. 0, -ETIMEDOUT, -ECONNRESET.
static int wait_for_call(struct rp_frontend *fe, unsigned int first, unsigned int last,
			 uint64_t deadline)
{
	struct pollfd p[RP_FRONTEND_MAX_PAIRS + 1] = {{.fd = fe->sock, .events = POLLRDHUP}};
	uint64_t now = rp_clock_ms();
	unsigned int n = 1;
	int rc;

	for (unsigned int q = first; q <= last; q += 2)
		p[n++] = (struct pollfd){.fd = fe->queues[q].call, .events = POLLIN};
	rc = poll(p, n, now < deadline ? (int)(deadline - now) : 0);
	if (rc == 0)
		return -ETIMEDOUT;
	if (rc < 0)
		return errno == EINTR ? 0 : -errno;
	return p[0].revents != 0 ? -ECONNRESET : 0;
}

// Wait until check() says 1 (done) or less than 0 for the rings first, first + 2, ... last.
static int wait_until(struct rp_frontend *fe, unsigned int first, unsigned int last,
		      unsigned int timeout_ms,
		      int (*check)(struct rp_frontend *fe, unsigned int first, unsigned int last))
{
	uint64_t deadline = rp_clock_ms() + timeout_ms;
	int rc, woken = 0;

	if (fe->sock < 0 || last >= fe->n_queues)
		return -ENOTCONN;
	while ((rc = check(fe, first, last)) == 0 && woken == 0)
		woken = wait_for_call(fe, first, last, deadline);
	for (unsigned int q = first; q <= last; q += 2)
		rp_vring_disable_call(&fe->queues[q].vr);
	// What the back-end had done before it left, or before time was up, still counts.
	return rc > 0 ? 0 : (rc < 0 ? rc : woken);
}

static int rx_ready(struct rp_frontend *fe, unsigned int first, unsigned int last)
{
	for (unsigned int q = first; q <= last; q += 2) {
		if (fe->queues[q].vr.broken != NULL)
			return -EIO;
		if (rp_frontend_arm(fe, q))
			return 1;
	}
	return 0;
}

int rp_frontend_wait_for_rx(struct rp_frontend *fe, unsigned int timeout_ms)
{
	return wait_until(fe, 0, fe->n_queues - 2, timeout_ms, rx_ready);
}

static int tx_empty(struct rp_frontend *fe, unsigned int first, unsigned int last)
{
	bool empty = true;

	for (unsigned int q = first; q <= last; q += 2) {
		rp_frontend_arm(fe, q);
		if (reap_tx(&fe->queues[q]) < 0)
			return -EIO;
		if (fe->queues[q].vr.in_flight > 0)
			empty = false;
	}
	return empty;
}

int rp_frontend_wait_for_tx(struct rp_frontend *fe, unsigned int timeout_ms)
{
	return wait_until(fe, 1, fe->n_queues - 1, timeout_ms, tx_empty);
}

int rp_frontend_wait_for_tx_on(struct rp_frontend *fe, unsigned int pair, unsigned int timeout_ms)
{
	return wait_until(fe, 2 * pair + 1, 2 * pair + 1, timeout_ms, tx_empty);
}
