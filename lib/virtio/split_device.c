// SPDX-License-Identifier: BSD-3-Clause
#include "virtio/split_device.h"

#include <errno.h>
#include <string.h>

static uint16_t *avail_event(struct rp_device_ring *ring)
{
	return (uint16_t *)&ring->used->ring[ring->size];
}

static void wrote(const struct rp_device_ring *ring, uint64_t gpa, uint64_t len)
{
	if (ring->memory->wrote != NULL)
		ring->memory->wrote(ring->memory->arg, gpa, len);
}

static void wrote_used(const struct rp_device_ring *ring, uint64_t offset, uint64_t len)
{
	if (ring->log_used)
		wrote(ring, ring->used_gpa + offset, len);
}

void rp_device_ring_start(struct rp_device_ring *ring, uint16_t base)
{
	ring->next_avail = base;
	// The driver's used index is where we left it, or where a new ring begins.
	ring->next_used = __atomic_load_n(&ring->used->idx, __ATOMIC_RELAXED);
	ring->shown_used = ring->next_used;
	ring->called = ring->next_used;
	ring->broken = NULL;
	if (ring->inflight.shared != NULL)
		ring->next_avail = ring->next_used +
				   rp_inflight_start(&ring->inflight, ring->size, ring->next_used);
}

// --- taking a chain ---

static int bad_chain(struct rp_device_chain *chain, const char *error)
{
	chain->error = error;
	return -EBADMSG;
}

// One descriptor, read once.
static struct vring_desc load_desc(const struct vring_desc *shared)
{
	return (struct vring_desc){
		.addr = __atomic_load_n(&shared->addr, __ATOMIC_RELAXED),
		.len = __atomic_load_n(&shared->len, __ATOMIC_RELAXED),
		.flags = __atomic_load_n(&shared->flags, __ATOMIC_RELAXED),
		.next = __atomic_load_n(&shared->next, __ATOMIC_RELAXED),
	};
}

// Add the memory of one descriptor, in as many pieces as the guest's regions make of it.
static int add_buffer(const struct rp_device_ring *ring, struct rp_device_chain *chain,
		      const struct vring_desc *d)
{
	bool writable = (d->flags & VRING_DESC_F_WRITE) != 0;
	uint64_t gpa = d->addr, left = d->len;

	if (!writable && chain->n_in > 0)
		return bad_chain(chain, "readable descriptor behind a writable one");
	if (left > UINT64_MAX - gpa)
		return bad_chain(chain, "buffer wraps around the address space");
	while (left > 0) {
		unsigned int n = chain->n_out + chain->n_in;
		uint64_t len = left;
		void *va = ring->memory->at(ring->memory->arg, gpa, &len);

		if (va == NULL || len == 0 || len > left)
			return bad_chain(chain, "buffer outside the guest's memory");
		if (n == RP_DEVICE_IOV_MAX)
			return bad_chain(chain, "chain has too many segments");
		chain->iov[n] = (struct iovec){.iov_base = va, .iov_len = len};
		chain->gpa[n] = gpa;
		if (writable) {
			chain->n_in++;
			chain->in_len += len;
		} else {
			chain->n_out++;
			chain->out_len += len;
		}
		gpa += len;
		left -= len;
	}
	return 0;
}

// Walk a table of count descriptors from entry i. An INDIRECT entry ends the walk with 1 and is
// left in *last for the caller, who knows whether it may stand there.
static int walk(const struct rp_device_ring *ring, struct rp_device_chain *chain,
		const struct vring_desc *table, unsigned int count, unsigned int i,
		struct vring_desc *last)
{
	// At most count steps: a longer chain visits some entry twice.
	for (unsigned int steps = 0; steps < count; steps++) {
		int rc;

		if (i >= count)
			return bad_chain(chain, "next descriptor out of range");
		*last = load_desc(&table[i]);
		if ((last->flags & VRING_DESC_F_INDIRECT) != 0)
			return 1;
		rc = add_buffer(ring, chain, last);
		if (rc < 0 || (last->flags & VRING_DESC_F_NEXT) == 0)
			return rc;
		i = last->next;
	}
	return bad_chain(chain, "descriptors form a loop");
}

static int walk_indirect(const struct rp_device_ring *ring, struct rp_device_chain *chain,
			 const struct vring_desc *d)
{
	uint64_t len = d->len;
	const struct vring_desc *table;
	struct vring_desc last;
	int rc;

	if (!ring->indirect)
		return bad_chain(chain, "indirect descriptor without the feature");
	if ((d->flags & VRING_DESC_F_NEXT) != 0)
		return bad_chain(chain, "indirect descriptor with a next one");
	if (len == 0 || len % sizeof(*table) != 0 || d->addr % 8 != 0)
		return bad_chain(chain, "indirect table of odd size or place");
	table = ring->memory->at(ring->memory->arg, d->addr, &len);
	if (table == NULL || len < d->len)
		return bad_chain(chain, "indirect table outside the guest's memory");
	rc = walk(ring, chain, table, d->len / (unsigned int)sizeof(*table), 0, &last);
	return rc == 1 ? bad_chain(chain, "indirect descriptor inside an indirect table") : rc;
}

static int broken(struct rp_device_ring *ring, const char *reason)
{
	ring->broken = reason;
	return -EIO;
}

// The head of the next chain: first those of a device before us. 1, 0 none there, -EIO.
static int next_head(struct rp_device_ring *ring, uint16_t *head)
{
	struct rp_inflight *f = &ring->inflight;
	uint16_t ready;

	if (f->shared != NULL && f->at < f->n_again) {
		*head = f->again[f->at++];
		return 1;
	}
	ready = __atomic_load_n(&ring->avail->idx, __ATOMIC_ACQUIRE) - ring->next_avail;
	if (ready == 0)
		return 0;
	if (ready > ring->size)
		return broken(ring, "available index is ahead by more than the ring");
	*head = __atomic_load_n(&ring->avail->ring[ring->next_avail & (ring->size - 1)],
				__ATOMIC_RELAXED);
	if (*head >= ring->size)
		return broken(ring, "head descriptor out of range");
	ring->next_avail++;
	if (f->shared != NULL) {
		f->taken++;
		rp_inflight_take(f, *head);
	}
	return 1;
}

int rp_device_ring_pop(struct rp_device_ring *ring, struct rp_device_chain *chain)
{
	struct vring_desc last;
	int rc;

	if (ring->broken != NULL)
		return -EIO;
	rc = next_head(ring, &chain->head);
	if (rc <= 0)
		return rc;
	chain->n_out = chain->n_in = 0;
	chain->out_len = chain->in_len = 0;
	chain->error = NULL;
	rc = walk(ring, chain, ring->desc, ring->size, chain->head, &last);
	if (rc == 1)
		rc = walk_indirect(ring, chain, &last);
	if (rc == 0 && chain->in_len > UINT32_MAX)
		rc = bad_chain(chain, "chain longer than a used length can say");
	return rc == 0 ? 1 : rc;
}

void rp_device_ring_unpop(struct rp_device_ring *ring, unsigned int n)
{
	struct rp_inflight *f = &ring->inflight;

	if (f->shared == NULL) {
		ring->next_avail -= (uint16_t)n;
		return;
	}
	for (; n > 0; n--) {
		uint16_t head;

		if (f->taken == 0) {
			f->at--;
			continue;
		}
		f->taken--;
		ring->next_avail--;
		head = ring->avail->ring[ring->next_avail & (ring->size - 1)];
		if (head < ring->size)
			rp_inflight_put_back(f, head);
	}
}

// --- giving it back ---

void rp_device_ring_push(struct rp_device_ring *ring, uint16_t head, uint32_t len)
{
	unsigned int at = ring->next_used++ & (ring->size - 1);
	struct vring_used_elem *elem = &ring->used->ring[at];

	if (ring->inflight.shared != NULL)
		rp_inflight_use(&ring->inflight, head);
	__atomic_store_n(&elem->id, head, __ATOMIC_RELAXED);
	__atomic_store_n(&elem->len, len, __ATOMIC_RELAXED);
	wrote_used(ring, offsetof(struct vring_used, ring) + at * sizeof(*elem), sizeof(*elem));
}

void rp_device_ring_publish(struct rp_device_ring *ring)
{
	uint16_t n = ring->next_used - ring->shown_used;

	if (n == 0)
		return;
	ring->shown_used = ring->next_used;
	__atomic_store_n(&ring->used->idx, ring->shown_used, __ATOMIC_RELEASE);
	if (ring->inflight.shared != NULL)
		rp_inflight_done(&ring->inflight, ring->size, n, ring->shown_used);
	wrote_used(ring, offsetof(struct vring_used, idx), sizeof(ring->used->idx));
}

bool rp_device_ring_needs_call(struct rp_device_ring *ring)
{
	uint16_t old = ring->called;

	if (old == ring->shown_used)
		return false;
	ring->called = ring->shown_used;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (ring->event_idx)
		return vring_need_event(
			       __atomic_load_n(&ring->avail->ring[ring->size], __ATOMIC_RELAXED),
			       ring->shown_used, old) != 0;
	return (__atomic_load_n(&ring->avail->flags, __ATOMIC_RELAXED) &
		VRING_AVAIL_F_NO_INTERRUPT) == 0;
}

bool rp_device_ring_enable_kick(struct rp_device_ring *ring)
{
	if (ring->event_idx)
		__atomic_store_n(avail_event(ring), ring->next_avail, __ATOMIC_RELAXED);
	else
		__atomic_store_n(&ring->used->flags, 0, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return __atomic_load_n(&ring->avail->idx, __ATOMIC_RELAXED) != ring->next_avail ||
	       ring->inflight.at < ring->inflight.n_again;
}

void rp_device_ring_disable_kick(struct rp_device_ring *ring)
{
	if (ring->event_idx)
		__atomic_store_n(avail_event(ring), ring->next_avail - 1, __ATOMIC_RELAXED);
	else
		__atomic_store_n(&ring->used->flags, VRING_USED_F_NO_NOTIFY, __ATOMIC_RELAXED);
}

// --- the bytes of a chain ---

size_t rp_device_chain_read(const struct rp_device_chain *chain, size_t offset, void *buf,
			    size_t len)
{
	size_t done = 0;

	for (unsigned int i = 0; i < chain->n_out && done < len; i++) {
		const struct iovec *v = &chain->iov[i];
		size_t n;

		if (offset >= v->iov_len) {
			offset -= v->iov_len;
			continue;
		}
		n = v->iov_len - offset < len - done ? v->iov_len - offset : len - done;
		memcpy((char *)buf + done, (char *)v->iov_base + offset, n);
		done += n;
		offset = 0;
	}
	return done;
}

size_t rp_device_chain_write(struct rp_device_ring *ring, const struct rp_device_chain *chain,
			     size_t offset, const void *buf, size_t len)
{
	size_t done = 0;

	for (unsigned int i = chain->n_out; i < chain->n_out + chain->n_in && done < len; i++) {
		const struct iovec *v = &chain->iov[i];
		size_t n;

		if (offset >= v->iov_len) {
			offset -= v->iov_len;
			continue;
		}
		n = v->iov_len - offset < len - done ? v->iov_len - offset : len - done;
		memcpy((char *)v->iov_base + offset, (const char *)buf + done, n);
		wrote(ring, chain->gpa[i] + offset, n);
		done += n;
		offset = 0;
	}
	return done;
}
