// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

/*
 * Theory of operation. One thread goes round all VMs: takes what was received, gives the buffers
 * back, and sends a burst where the ring has room for a whole one (a ring that is full is not
 * looked at again before the next round). warm-up, measurement and drain are phases of the same
 * loop; counters are copied when the phase changes. What goes on per frame is inline and compiled
 * once for each layout of the ring, with and without --verify.
 */

#define DRAIN_QUIET_S 0.03 // nothing came for so long: all is in
#define DRAIN_S	      2

struct load {
	struct gen_vm *vms;
	const struct gen_options *opt;
	struct gen_result *result;
	uint32_t *expected; // next number by flow of all VMs
	uint8_t pattern[GEN_MAX_SIZE + 1];
	uint32_t frame_len; // with the virtio header
	uint16_t ether_type;
	bool sending;
	uint64_t start;
	double ticks_per_frame; // of each sender; 0: no limit
	uint64_t allowed;	// frames that each sender may have sent by now
	uint64_t idle;
};

static inline void copy_head(uint8_t *to, const struct gen_template *t, bool tagged)
{
	memcpy(to, t->bytes, tagged ? GEN_HEAD_TAG : GEN_HEAD);
}

static inline unsigned int send_burst(struct load *l, struct gen_vm *vm, bool packed, bool verify)
{
	const struct gen_options *opt = l->opt;
	unsigned int n = opt->burst;
	struct gen_ring *r = &vm->tx;

	if (vm->count.tx >= l->allowed)
		return 0;
	if (n > l->allowed - vm->count.tx)
		n = (unsigned int)(l->allowed - vm->count.tx);
	vm->count.bursts++;
	if (r->n_free < n)
		gen_ring_reclaim(r, packed);
	if (r->n_free < n) {
		vm->count.full++;
		return 0;
	}
	// The other side has read these lines last: ask for all of them before writing to the
	// first.
	for (unsigned int i = 1; i <= n; i++) {
		uint8_t *buf = gen_ring_buf(r, r->free[r->n_free - i]);

		__builtin_prefetch(buf, 1);
		__builtin_prefetch(buf + 64, 1);
	}
	for (unsigned int i = 0; i < n; i++) {
		uint16_t id = r->free[--r->n_free];
		uint8_t *buf = gen_ring_buf(r, id);

		copy_head(buf, &vm->templates[vm->next_flow], verify);
		if (verify) {
			uint32_t number = vm->numbers[vm->next_flow]++;
			struct gen_tag *tag = (struct gen_tag *)(buf + RP_VIRTIO_NET_HDR_LEN +
								 gen_frame_tag(opt->ip6_frames));

			tag->number = number;
			tag->complement = ~number;
		}
		if (++vm->next_flow == opt->flows)
			vm->next_flow = 0;
		gen_ring_put(r, packed, id, l->frame_len);
	}
	gen_ring_publish(r, packed);
	vm->count.tx += n;
	return n;
}

// Number and order of a frame, from its tag.
static void check_tag(struct load *l, struct gen_vm *vm, const uint8_t *frame)
{
	struct gen_faults *faults = &l->result->faults;
	struct gen_tag tag;
	uint32_t ahead;

	memcpy(&tag, frame + gen_frame_tag(l->opt->ip6_frames), sizeof(tag));
	faults->checked++;
	if (tag.number != ~tag.complement || tag.flow >= gen_active(l->opt) * l->opt->flows) {
		faults->content++;
		return;
	}
	vm->rx_flow = tag.flow;
	ahead = tag.number - l->expected[tag.flow];
	if (ahead > INT32_MAX) {
		faults->reordered++;
		return;
	}
	faults->lost += ahead;
	l->expected[tag.flow] = tag.number + 1;
}

// One buffer of a frame of ours, from this offset of the frame on.
static void check_part(struct load *l, struct gen_vm *vm, const uint8_t *part, uint32_t offset,
		       uint32_t len)
{
	uint32_t skip = 0, head = gen_frame_tagged(l->opt->ip6_frames);

	if (offset == 0) {
		if (len < head)
			return;
		check_tag(l, vm, part);
		skip = head;
	}
	if (offset + len <= l->opt->size &&
	    memcmp(part + skip, l->pattern + offset + skip, len - skip) != 0)
		l->result->faults.content++;
}

static inline void count_frame(struct load *l, struct gen_vm *vm, uint32_t len, bool ours)
{
	if (__builtin_expect(ours && len == l->frame_len, 1))
		vm->count.rx++;
	else
		vm->count.rx_other++;
}

static inline void receive_one(struct load *l, struct gen_vm *vm, const uint8_t *buf, uint32_t len,
			       bool verify)
{
	uint16_t buffers = 1, type;
	bool ours;

	if (__builtin_expect(len > vm->rx.stride, 0)) {
		vm->rx.broken = "more was written than the buffer holds";
		return;
	}
	if (__builtin_expect(vm->rest > 0, 0)) {
		if (verify && vm->rest_ours)
			check_part(l, vm, buf, vm->rest_len - RP_VIRTIO_NET_HDR_LEN, len);
		vm->rest_len += len;
		if (--vm->rest == 0)
			count_frame(l, vm, vm->rest_len, vm->rest_ours);
		return;
	}
	if (!l->opt->no_mrg)
		memcpy(&buffers, buf + offsetof(struct virtio_net_hdr_v1, num_buffers),
		       sizeof(buffers));
	memcpy(&type, buf + RP_VIRTIO_NET_HDR_LEN + 12, sizeof(type));
	ours = type == l->ether_type && (buffers > 1 || len == l->frame_len);
	if (verify && ours)
		check_part(l, vm, buf + RP_VIRTIO_NET_HDR_LEN, 0, len - RP_VIRTIO_NET_HDR_LEN);
	if (__builtin_expect(buffers <= 1, 1)) {
		count_frame(l, vm, len, ours);
		return;
	}
	vm->rest = buffers - 1;
	vm->rest_len = len;
	vm->rest_ours = ours;
}

static inline unsigned int receive_burst(struct load *l, struct gen_vm *vm, bool packed,
					 bool verify)
{
	uint16_t ids[GEN_MAX_BURST];
	uint32_t lens[GEN_MAX_BURST];
	struct gen_ring *r = &vm->rx;
	unsigned int n = gen_ring_take(r, packed, ids, lens, l->opt->burst);

	if (n == 0)
		return 0;
	for (unsigned int i = 0; i < n; i++)
		__builtin_prefetch(gen_ring_buf(r, ids[i]));
	for (unsigned int i = 0; i < n; i++)
		receive_one(l, vm, gen_ring_buf(r, ids[i]), lens[i], verify);
	for (unsigned int i = 0; i < n; i++)
		gen_ring_put(r, packed, ids[i], r->stride);
	gen_ring_publish(r, packed);
	return n;
}

// Frames that each sender may have sent by now.
static uint64_t allowance(const struct load *l, uint64_t now)
{
	if (l->ticks_per_frame == 0)
		return UINT64_MAX;
	return (uint64_t)((double)(now - l->start) / l->ticks_per_frame) + 1;
}

// Go round until a time, or until nothing has come for quiet ticks.
static inline __attribute__((always_inline)) void loop(struct load *l, uint64_t until,
						       uint64_t quiet, bool packed, bool verify)
{
	unsigned int active = gen_active(l->opt);
	uint64_t last = gen_tsc(), busy = last;

	while (last < until && last - busy < quiet && !gen_stop) {
		unsigned int moved = 0;
		uint64_t now;

		l->allowed = l->sending ? allowance(l, last) : 0;
		for (unsigned int i = 0; i < active; i++) {
			struct gen_vm *vm = &l->vms[i];

			moved += receive_burst(l, vm, packed, verify);
			if (vm->sends)
				moved += send_burst(l, vm, packed, verify);
		}
		now = gen_tsc();
		if (moved == 0)
			l->idle += now - last;
		else
			busy = now;
		last = now;
	}
}

static void run(struct load *l, double seconds, double quiet_s)
{
	uint64_t until = gen_tsc() + (uint64_t)(seconds * gen_tsc_hz());
	uint64_t quiet = quiet_s > 0 ? (uint64_t)(quiet_s * gen_tsc_hz()) : UINT64_MAX;

	if (l->opt->packed && l->opt->verify)
		loop(l, until, quiet, true, true);
	else if (l->opt->packed)
		loop(l, until, quiet, true, false);
	else if (l->opt->verify)
		loop(l, until, quiet, false, true);
	else
		loop(l, until, quiet, false, false);
}

static void copy_counters(const struct load *l, struct gen_counters *to)
{
	for (unsigned int i = 0; i < l->opt->n_vms; i++) {
		to[i] = l->vms[i].count;
		to[i].rx_bytes = to[i].rx * l->opt->size;
		to[i].tx_bytes = to[i].tx * l->opt->size;
	}
}

static void subtract(struct gen_counters *from, const struct gen_counters *what)
{
	from->rx -= what->rx;
	from->rx_bytes -= what->rx_bytes;
	from->rx_other -= what->rx_other;
	from->tx -= what->tx;
	from->tx_bytes -= what->tx_bytes;
	from->bursts -= what->bursts;
	from->full -= what->full;
}

static void measure(struct load *l)
{
	struct gen_counters before[GEN_MAX_VMS];
	struct gen_result *res = l->result;
	double cpu = gen_cpu_time();
	uint64_t from;

	copy_counters(l, before);
	l->idle = 0;
	from = gen_tsc();
	run(l, l->opt->time_s, 0);
	res->seconds = (double)(gen_tsc() - from) / gen_tsc_hz();
	res->cpu_share = (gen_cpu_time() - cpu) / res->seconds;
	res->idle = (double)l->idle / gen_tsc_hz() / res->seconds;
	copy_counters(l, res->measured);
	for (unsigned int i = 0; i < l->opt->n_vms; i++)
		subtract(&res->measured[i], &before[i]);
}

static int check_rings(const struct load *l, struct rp_error *err)
{
	for (unsigned int i = 0; i < gen_active(l->opt); i++) {
		const struct gen_vm *vm = &l->vms[i];
		const char *why = vm->rx.broken != NULL ? vm->rx.broken : vm->tx.broken;

		if (why != NULL)
			return rp_error_set(err, EIO, "SOCKET", l->opt->sockets[i],
					    "the other side broke the ring: %s", why);
		if (!rp_frontend_connected(vm->fe))
			return rp_error_set(err, ECONNRESET, "SOCKET", l->opt->sockets[i],
					    "the other side closed the connection");
	}
	return 0;
}

static void set_rate(struct load *l)
{
	unsigned int senders = 0;

	for (unsigned int i = 0; i < gen_active(l->opt); i++)
		senders += l->vms[i].sends;
	if (l->opt->rate > 0)
		l->ticks_per_frame = gen_tsc_hz() * senders / l->opt->rate;
	l->start = gen_tsc();
}

int gen_run_rate(struct gen_vm *vms, const struct gen_options *opt, struct gen_result *result,
		 struct rp_error *err)
{
	static struct load l;
	uint16_t type = opt->ip6_frames ? RTE_ETHER_TYPE_IPV6 : RTE_ETHER_TYPE_IPV4;

	l = (struct load){
		.vms = vms,
		.opt = opt,
		.result = result,
		.expected = calloc((size_t)gen_active(opt) * opt->flows, sizeof(uint32_t)),
		.frame_len = RP_VIRTIO_NET_HDR_LEN + opt->size,
		.ether_type = rte_cpu_to_be_16(type),
		.sending = true,
	};
	if (l.expected == NULL)
		return rp_error_set(err, ENOMEM, "--flows", NULL, "no memory for so many");
	for (unsigned int i = 0; i < sizeof(l.pattern); i++)
		l.pattern[i] = gen_pattern(i);
	set_rate(&l);
	run(&l, opt->warmup_s, 0);
	measure(&l);
	l.sending = false;
	run(&l, DRAIN_S, DRAIN_QUIET_S);
	copy_counters(&l, result->total);
	free(l.expected);
	return check_rings(&l, err);
}
