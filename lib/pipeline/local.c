// SPDX-License-Identifier: BSD-3-Clause
#include "pipeline/local.h"

#include <rte_udp.h>

enum rp_drop rp_local_check(const struct rp_packet *p, size_t len, size_t header)
{
	if (p->fragment)
		return RP_DROP_local_fragment;
	if (len < header || len > p->l4_len)
		return RP_DROP_l4_malformed;
	return rp_packet_l4_checksum_ok(p, len) ? RP_DROP_COUNT : RP_DROP_l4_bad_checksum;
}

enum rp_drop rp_local_udp(const struct rp_packet *p, struct rp_reader *payload)
{
	struct rp_reader r = rp_packet_l4(p);
	const struct rte_udp_hdr *udp = rp_read(&r, sizeof(*udp));
	size_t len = udp != NULL ? rte_be_to_cpu_16(udp->dgram_len) : 0;
	enum rp_drop why = rp_local_check(p, len, sizeof(*udp));

	if (why == RP_DROP_COUNT)
		*payload = rp_reader(r.pos, len - sizeof(*udp));
	return why;
}
