// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>

#include "base/clock.h"
#include "packet/dhcp4.h"
#include "packet/dhcp6.h"
#include "packet/nd.h"
#include "run.h"

/*
 * Getting an address as a VM does, from whatever serves addresses at the other end of the rings:
 * DHCPv4's DISCOVER and REQUEST, or a router solicitation and then DHCPv6's SOLICIT and REQUEST.
 */

#define WAIT_MS	 5000 // for each answer
#define AGAIN_MS 200  // a question is asked again after so long

struct dialogue {
	struct gen_vm *vm;
	struct gen_options *opt;
	struct rp_dhcp4_client client4;
	struct rp_dhcpv6_client client6;
	struct rp_dhcp6 answer6;
	struct rp_addr *out;
};

// A step: its question, and whether a frame answers it.
struct step {
	const char *asks;
	bool (*ask)(struct dialogue *d, struct rp_writer *w);
	bool (*answers)(struct dialogue *d, const void *frame, size_t len);
};

static bool ask_discover(struct dialogue *d, struct rp_writer *w)
{
	return rp_create_dhcp_discover(w, &d->client4);
}

static bool is_answer4(struct dialogue *d, const void *frame, size_t len, enum rp_dhcp4_type wanted)
{
	static struct rp_dhcp4_response resp;

	if (rp_parse_dhcp_response(frame, len, &resp) < 0 || resp.type != wanted ||
	    resp.xid != d->client4.xid)
		return false;
	d->client4.address = resp.yiaddr;
	d->client4.server = resp.server_id;
	*d->out = resp.yiaddr;
	return true;
}

static bool is_offer(struct dialogue *d, const void *frame, size_t len)
{
	return is_answer4(d, frame, len, RP_DHCP4_OFFER);
}

static bool ask_request(struct dialogue *d, struct rp_writer *w)
{
	return rp_create_dhcp_request(w, &d->client4, RP_DHCP4_SELECTING);
}

static bool is_ack(struct dialogue *d, const void *frame, size_t len)
{
	return is_answer4(d, frame, len, RP_DHCP4_ACK);
}

static bool ask_router(struct dialogue *d, struct rp_writer *w)
{
	struct rp_addr src = rp_addr_link_local(&d->client6.mac);

	return rp_create_router_solicitation(w, &d->client6.mac, &src);
}

static bool is_managed(struct dialogue *, const void *frame, size_t len)
{
	struct rp_router_advertisement ra;

	return rp_parse_router_advertisement(frame, len, &ra) == 0 &&
	       (ra.nd.ra_flags & RP_ND_RA_MANAGED) != 0;
}

static bool ask_solicit(struct dialogue *d, struct rp_writer *w)
{
	return rp_create_dhcpv6_solicit(w, &d->client6);
}

static bool is_answer6(struct dialogue *d, const void *frame, size_t len, enum rp_dhcp6_type wanted)
{
	static struct rp_dhcpv6_response res;

	if (rp_parse_dhcpv6_response(frame, len, &res) < 0 || res.msg.type != wanted ||
	    res.msg.xid != d->client6.xid || res.msg.n_ia == 0 || res.msg.ia[0].n == 0)
		return false;
	d->answer6 = res.msg;
	*d->out = res.msg.ia[0].lease[0].addr;
	return true;
}

static bool is_advertise(struct dialogue *d, const void *frame, size_t len)
{
	return is_answer6(d, frame, len, RP_DHCP6_ADVERTISE);
}

static bool ask_request6(struct dialogue *d, struct rp_writer *w)
{
	return rp_create_dhcpv6_request(w, &d->client6, RP_DHCP6_REQUEST, &d->answer6);
}

static bool is_reply(struct dialogue *d, const void *frame, size_t len)
{
	return is_answer6(d, frame, len, RP_DHCP6_REPLY);
}

static const struct step steps4[] = {
	{"DHCPDISCOVER", ask_discover, is_offer},
	{"DHCPREQUEST", ask_request, is_ack},
	{0},
};

static const struct step steps6[] = {
	{"a router solicitation", ask_router, is_managed},
	{"DHCPv6 SOLICIT", ask_solicit, is_advertise},
	{"DHCPv6 REQUEST", ask_request6, is_reply},
	{0},
};

static bool take_step(struct dialogue *d, const struct step *step)
{
	uint64_t now = rp_clock_ms(), deadline = now + WAIT_MS, ask_at = now;
	uint8_t frame[2048];

	while (now < deadline && !gen_stop) {
		size_t len;

		if (now >= ask_at) {
			struct rp_writer w = rp_writer(frame, sizeof(frame));

			if (step->ask(d, &w))
				gen_vm_send(d->vm, d->opt, frame, rp_writer_len(&w));
			ask_at = now + AGAIN_MS;
		}
		while ((len = gen_vm_recv(d->vm, d->opt, frame, sizeof(frame))) > 0)
			if (step->answers(d, frame, len))
				return true;
		now = rp_clock_ms();
	}
	return false;
}

int gen_learn(struct gen_vm *vms, struct gen_options *opt, struct rp_error *err)
{
	for (unsigned int i = 0; i < gen_active(opt); i++) {
		struct dialogue d = {
			.vm = &vms[i],
			.opt = opt,
			.client4 = {.mac = opt->mac[i], .xid = 0x72670000 + i},
			.client6 = {.mac = opt->mac[i], .xid = 0x670000 + i, .iaid = i},
			.out = opt->ip6_frames ? &opt->ip6[i] : &opt->ip4[i],
		};

		for (const struct step *s = opt->ip6_frames ? steps6 : steps4; s->asks; s++)
			if (!take_step(&d, s))
				return rp_error_set(err, ETIMEDOUT, "--learn", opt->sockets[i],
						    "nobody answers %s; is the VM's MAC right "
						    "(--mac)? Without a server, give --ip4 or "
						    "--ip6",
						    s->asks);
	}
	return 0;
}

// Is this the frame that VM i sent, but for what is rewritten on its way?
static bool is_probe(const uint8_t *frame, size_t len, const struct gen_options *opt,
		     unsigned int from)
{
	const struct rp_addr *src = opt->ip6_frames ? &opt->ip6[from] : &opt->ip4[from];
	struct rp_frame f;

	return len == opt->size && rp_frame_parse(frame, len, &f) == 0 &&
	       rp_addr_equal(&f.src, src);
}

static bool reaches(struct gen_vm *vms, const struct gen_options *opt, unsigned int from)
{
	static uint8_t frame[GEN_MAX_SIZE], got[GEN_MAX_SIZE];
	struct gen_vm *to = &vms[gen_destination(opt, from, 0)];
	uint64_t now = rp_clock_ms(), deadline = now + WAIT_MS, send_at = now;

	gen_frame_build(opt, frame, from, 0);
	while (now < deadline && !gen_stop) {
		size_t len;

		if (now >= send_at) {
			gen_vm_send(&vms[from], opt, frame, opt->size);
			send_at = now + 10;
		}
		while ((len = gen_vm_recv(to, opt, got, sizeof(got))) > 0)
			if (is_probe(got, len, opt, from))
				return true;
		now = rp_clock_ms();
	}
	return false;
}

int gen_wait_ready(struct gen_vm *vms, const struct gen_options *opt, struct rp_error *err)
{
	uint8_t frame[2048];
	uint64_t quiet;

	for (unsigned int i = 0; i < gen_active(opt); i++)
		if (vms[i].sends && !reaches(vms, opt, i))
			return rp_error_set(err, ETIMEDOUT, "SOCKET", opt->sockets[i],
					    "what its VM sends does not arrive at VM %u; do MAC, "
					    "IP address and --gateway-mac fit the system?",
					    gen_destination(opt, i, 0) + 1);
	// Frames that were sent twice because the first was late.
	quiet = rp_clock_ms() + 20;
	while (rp_clock_ms() < quiet)
		for (unsigned int i = 0; i < opt->n_vms; i++)
			if (gen_vm_recv(&vms[i], opt, frame, sizeof(frame)) > 0)
				quiet = rp_clock_ms() + 20;
	return 0;
}
