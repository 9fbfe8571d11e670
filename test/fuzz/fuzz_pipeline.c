// SPDX-License-Identifier: BSD-3-Clause
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>

#include "packet/frame.h"

/*
 * Whole frames through the pipeline: byte 0 is the port it comes from, byte 1 says whether the
 * frame's MACs and checksums are put right first (else few inputs get past classify) and into what
 * pieces the mbufs cut it, the rest is the frame. Whatever the fast lane forwards, the stages must
 * forward alike; whatever is sent must be a frame with right checksums.
 */

static struct outcome out, fast;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *, char ***)
{
	if (harness_setup(NULL) < 0)
		abort();
	return 0;
}

static void check(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "fuzz_pipeline: %s\n", what);
	abort();
}

static void mend_ip(uint8_t *ip, size_t len)
{
	size_t header = (ip[0] & 0x0f) * 4u;
	uint16_t sum;

	if (len < 20 || ip[0] >> 4 != 4 || header < 20 || header > len)
		return;
	ip[10] = ip[11] = 0;
	sum = rp_checksum_ip4((const struct rte_ipv4_hdr *)ip);
	memcpy(ip + 10, &sum, sizeof(sum));
}

// The checksum of UDP and ICMP where the packet is whole.
static void mend_l4(uint8_t *frame, size_t len)
{
	struct rp_frame f;
	size_t at;
	uint16_t sum;

	if (rp_frame_parse(frame, len, &f) < 0 || rp_reader_left(&f.l4) < 8)
		return;
	switch (f.proto) {
	case IPPROTO_UDP:
		at = 6;
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		at = 2;
		break;
	default:
		return;
	}
	uint8_t *l4 = frame + (f.l4.pos - frame);

	l4[at] = l4[at + 1] = 0;
	sum = rp_checksum_l4(&f.src, &f.dst, f.proto, l4, rp_reader_left(&f.l4));
	memcpy(l4 + at, &sum, sizeof(sum));
}

static void mend(int from, uint8_t *frame, size_t len)
{
	const struct rte_ether_addr *mac =
		from == HOST_PORT ? &harness_host_mac : &harness_nic(from)->cfg.mac;

	if (len < 14)
		return;
	memcpy(frame, rp_gateway_mac.addr_bytes, 6);
	memcpy(frame + 6, mac, 6);
	if (frame[12] == 0x08 && frame[13] == 0x00)
		mend_ip(frame + 14, len - 14);
	mend_l4(frame, len);
}

// What the host or a VM gets must make sense to it, whatever came in.
static void check_sent(const uint8_t *in, bool forwarded)
{
	struct rp_frame f;

	check(out.port == HOST_PORT || out.port < N_NICS, "sent to a port that does not exist");
	check(out.len >= 14, "sent a runt");
	check(memcmp(out.data + 6, rp_gateway_mac.addr_bytes, 6) == 0, "wrong source MAC");
	if (forwarded) {
		check(memcmp(out.data + 12, in + 12, 2) == 0, "EtherType changed on the way");
		return;
	}
	if (out.data[12] == 0x08 && out.data[13] == 0x06)
		return;
	check(rp_frame_parse(out.data, out.len, &f) == 0, "an answer that cannot be parsed");
	check(f.ip_checksum_ok && f.l4_checksum_ok, "an answer with a wrong checksum");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t frame[RP_FRAME_MAX];
	int from = size > 0 ? data[0] % (HOST_PORT + 1) : 0;
	size_t seg;

	if (size < 3 || size > 10000 || from == N_NICS)
		return -1;
	seg = data[1] & 0x40 ? 64u + (data[1] & 0x3f) : 2048;
	size -= 2;
	memcpy(frame, data + 2, size);
	if (data[1] & 0x80)
		mend(from, frame, size);

	harness_refill();
	harness_send_chain(from, frame, size, seg, &out);
	if (out.sent)
		check_sent(frame, out.last == RP_STAGE_forward);
	else
		check(out.drop < RP_DROP_COUNT, "a packet vanished without a reason");
	if (from != HOST_PORT && harness_fast(from, frame, size, &fast)) {
		check(out.sent && out.last == RP_STAGE_forward && out.port == fast.port &&
			      out.len == fast.len && memcmp(out.data, fast.data, out.len) == 0,
		      "the fast lane decides otherwise than the stages");
	}
	return 0;
}
