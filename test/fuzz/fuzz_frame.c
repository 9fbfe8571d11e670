// SPDX-License-Identifier: BSD-3-Clause
#include <stdlib.h>

#include "packet/arp.h"
#include "packet/icmp.h"

/*
 * Any bytes as a frame: the parsers of frames, ARP and echo. What they hand out lies inside the
 * frame; what they accepted is written as they read it.
 */

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void inside(const struct rp_reader *r, const uint8_t *data, size_t size)
{
	check(r->pos == r->end || (r->pos >= data && r->pos < r->end && r->end <= data + size));
	// Every byte can be read.
	for (const uint8_t *p = r->pos; p < r->end; p++)
		*(volatile const uint8_t *)p;
}

static void fuzz_frame(const uint8_t *data, size_t size)
{
	struct rp_frame f;

	if (rp_frame_parse(data, size, &f) < 0)
		return;
	inside(&f.l3, data, size);
	inside(&f.l4, f.l3.pos, rp_reader_left(&f.l3));
	inside(&f.payload, f.l4.pos, rp_reader_left(&f.l4));
	check(f.src.family == f.dst.family);
}

static void fuzz_arp(const uint8_t *data, size_t size)
{
	uint8_t buf[42];
	struct rp_writer w = rp_writer(buf, sizeof(buf));
	struct rp_arp arp;

	if (rp_arp_parse(data, size, &arp) < 0)
		return;
	check(rp_arp_write(&w, &arp));
	check(memcmp(buf, data, sizeof(buf)) == 0);
}

typedef int parse_fn(const void *, size_t, struct rp_echo *);
typedef bool create_fn(struct rp_writer *, const struct rp_echo *);

// A reply that was read, asked for anew and answered in place, reads the same.
static void fuzz_echo(const uint8_t *data, size_t size, parse_fn *parse, create_fn *create,
		      size_t l4)
{
	static uint8_t buf[65536 + 64];
	struct rp_writer w = rp_writer(buf, sizeof(buf));
	struct rp_echo e, again;

	if (parse(data, size, &e) < 0)
		return;
	inside(&e.data, data, size);
	if (!create(&w, &e))
		return;
	rp_icmp_echo_to_reply((struct rp_icmp_echo_hdr *)(buf + l4), e.src.family);
	check(parse(buf, rp_writer_len(&w), &again) == 0);
	check(again.ip_checksum_ok && again.checksum_ok);
	check(again.ident == e.ident && again.seq == e.seq);
	check(rp_reader_left(&again.data) == rp_reader_left(&e.data));
	check(memcmp(again.data.pos, e.data.pos, rp_reader_left(&e.data)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_frame(data, size);
	fuzz_arp(data, size);
	fuzz_echo(data, size, rp_parse_icmp_echo_reply, rp_create_icmp_echo_request, 34);
	fuzz_echo(data, size, rp_parse_icmpv6_echo_reply, rp_create_icmpv6_echo_request, 54);
	return 0;
}
