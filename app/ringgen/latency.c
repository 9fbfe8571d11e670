// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>

#include "run.h"

/*
 * One frame in flight: from the first VM to the second, then back, each way timed by itself, from
 * before the descriptor is written until the used entry is seen.
 */

#define TIMEOUT_S 0.1

// The way of one frame, in ticks; 0: it did not come.
static uint64_t one_way(struct gen_vm *from, struct gen_vm *to, const struct gen_options *opt,
			const uint8_t *frame)
{
	uint64_t start = gen_tsc(), limit = start + (uint64_t)(TIMEOUT_S * gen_tsc_hz());
	uint16_t id;
	uint32_t len;

	gen_vm_send(from, opt, frame, opt->size);
	from->count.tx++;
	while (gen_tsc() < limit && !gen_stop) {
		unsigned int n = gen_ring_take(&to->rx, opt->packed, &id, &len, 1);
		uint64_t now = gen_tsc();

		if (n == 0)
			continue;
		gen_ring_put(&to->rx, opt->packed, id, to->rx.stride);
		gen_ring_publish(&to->rx, opt->packed);
		if (len == RP_VIRTIO_NET_HDR_LEN + opt->size) {
			to->count.rx++;
			return now - start;
		}
		to->count.rx_other++;
	}
	return 0;
}

int gen_run_latency(struct gen_vm *vms, const struct gen_options *opt, struct gen_result *result,
		    struct rp_error *err)
{
	static uint8_t frame[2][GEN_MAX_SIZE];
	double cpu = gen_cpu_time();
	uint64_t start = gen_tsc();
	uint64_t warm = start + (uint64_t)(opt->warmup_s * gen_tsc_hz());
	uint64_t end = warm + (uint64_t)(opt->time_s * gen_tsc_hz());
	unsigned int way = 0;

	if (opt->size + RP_VIRTIO_NET_HDR_LEN > vms[0].rx.stride)
		return rp_error_set(err, EINVAL, "--latency", NULL,
				    "frames have to fit into one receive buffer: give a smaller "
				    "--size or --no-mrg");
	for (unsigned int i = 0; i < 2; i++)
		gen_frame_build(opt, frame[i], i, 0);
	while (gen_tsc() < end && !gen_stop) {
		uint64_t ticks = one_way(&vms[way], &vms[way ^ 1], opt, frame[way]);

		if (ticks == 0)
			result->timeouts++;
		else if (gen_tsc() >= warm)
			gen_hist_add(&result->latency,
				     (uint64_t)((double)ticks * 1e9 / gen_tsc_hz()));
		way ^= 1;
	}
	result->seconds = (double)(gen_tsc() - start) / gen_tsc_hz();
	result->cpu_share = (gen_cpu_time() - cpu) / result->seconds;
	for (unsigned int i = 0; i < 2; i++)
		result->total[i] = result->measured[i] = vms[i].count;
	return 0;
}
