// SPDX-License-Identifier: BSD-3-Clause
#include "packet/nd.h"

#include <errno.h>
#include <netinet/in.h>

#include <rte_common.h>

#define OPT_UNIT  8u // options count their length in these
#define LLA_BYTES 8u // the option with an Ethernet address

const struct rp_addr rp_nd_all_nodes = {.family = RP_IP6, .bytes = {0xff, 0x02, [15] = 1}};
const struct rp_addr rp_nd_all_routers = {.family = RP_IP6, .bytes = {0xff, 0x02, [15] = 2}};

struct rp_addr rp_nd_solicited_node(const struct rp_addr *addr)
{
	const uint8_t *b = addr->bytes;

	return (struct rp_addr){
		.family = RP_IP6,
		.bytes = {0xff, 0x02, [11] = 1, 0xff, b[13], b[14], b[15]},
	};
}

struct rte_ether_addr rp_nd_multicast_mac(const struct rp_addr *addr)
{
	const uint8_t *b = addr->bytes;

	return (struct rte_ether_addr){{0x33, 0x33, b[12], b[13], b[14], b[15]}};
}

int rp_nd_option_next(struct rp_reader *r, struct rp_nd_option *opt)
{
	uint8_t units;

	if (rp_reader_left(r) == 0)
		return 0;
	// RFC 4861 section 4.6: a length of zero makes the whole packet invalid.
	if (!rp_read_u8(r, &opt->type) || !rp_read_u8(r, &units) || units == 0 ||
	    !rp_read_sub(r, units * OPT_UNIT - 2, &opt->body))
		return -EBADMSG;
	return 1;
}

static int parse_options(struct rp_nd *nd)
{
	struct rp_reader r = nd->options;
	struct rp_nd_option opt;
	int ret;

	while ((ret = rp_nd_option_next(&r, &opt)) > 0) {
		// Longer than an Ethernet address: of some other kind of link.
		if (rp_reader_left(&opt.body) != RTE_ETHER_ADDR_LEN)
			continue;
		if (opt.type == RP_ND_OPT_SLLA)
			nd->has_slla = rp_read_copy(&opt.body, &nd->slla, sizeof(nd->slla));
		else if (opt.type == RP_ND_OPT_TLLA)
			nd->has_tlla = rp_read_copy(&opt.body, &nd->tlla, sizeof(nd->tlla));
	}
	return ret;
}

static bool read_addr(struct rp_reader *r, struct rp_addr *addr)
{
	addr->family = RP_IP6;
	return rp_read_copy(r, addr->bytes, RP_IP6_LEN);
}

static bool read_ra(struct rp_reader *r, struct rp_nd *nd)
{
	return rp_read_u8(r, &nd->ra_hop_limit) && rp_read_u8(r, &nd->ra_flags) &&
	       rp_read_be16(r, &nd->ra_lifetime) && rp_read_be32(r, &nd->ra_reachable) &&
	       rp_read_be32(r, &nd->ra_retrans);
}

// NS and NA: a word whose first byte holds the flags of an NA, then the target.
static bool read_target(struct rp_reader *r, struct rp_nd *nd)
{
	return rp_read_u8(r, &nd->na_flags) && rp_read(r, 3) != NULL && read_addr(r, &nd->target) &&
	       !rp_addr_is_multicast(&nd->target);
}

static bool read_redirect(struct rp_reader *r, struct rp_nd *nd)
{
	struct rp_addr dst;

	return rp_read(r, 4) != NULL && read_addr(r, &nd->target) && read_addr(r, &dst) &&
	       !rp_addr_is_multicast(&dst);
}

static bool read_message(struct rp_reader *r, struct rp_nd *nd)
{
	switch (nd->type) {
	case RP_ND_RS:
		return rp_read(r, 4) != NULL;
	case RP_ND_RA:
		return read_ra(r, nd);
	case RP_ND_NS:
	case RP_ND_NA:
		return read_target(r, nd);
	case RP_ND_REDIRECT:
		return read_redirect(r, nd);
	default:
		return false;
	}
}

static bool addresses_valid(const struct rp_nd *nd, const struct rp_addr *src,
			    const struct rp_addr *dst)
{
	bool unspecified = rp_addr_is_unspecified(src);
	struct rp_addr group;

	switch (nd->type) {
	case RP_ND_RS:
		return !unspecified || !nd->has_slla;
	case RP_ND_NS:
		if (!unspecified)
			return true;
		group = rp_nd_solicited_node(&nd->target);
		return !nd->has_slla && rp_addr_equal(dst, &group);
	case RP_ND_NA:
		return !rp_addr_is_multicast(dst) || !(nd->na_flags & RP_ND_NA_SOLICITED);
	default: // RA, redirect
		return rp_addr_is_link_local(src);
	}
}

int rp_nd_parse(struct rp_reader l4, const struct rp_addr *src, const struct rp_addr *dst,
		uint8_t hop_limit, struct rp_nd *nd)
{
	uint8_t code;

	memset(nd, 0, sizeof(*nd));
	if (hop_limit != RP_TTL_LINK_ONLY || !rp_read_u8(&l4, &nd->type) ||
	    !rp_read_u8(&l4, &code) || code != 0 || rp_read(&l4, 2) == NULL ||
	    !read_message(&l4, nd))
		return -EBADMSG;
	nd->options = l4;
	if (parse_options(nd) < 0 || !addresses_valid(nd, src, dst))
		return -EBADMSG;
	return 0;
}

// Type, code 0, checksum 0, and the four bytes that all ND messages have behind them.
static void write_header(struct rp_writer *w, uint8_t type, uint32_t word)
{
	rp_write_be32(w, (uint32_t)type << 24);
	rp_write_be32(w, word);
}

void rp_nd_write_rs(struct rp_writer *w)
{
	write_header(w, RP_ND_RS, 0);
}

void rp_nd_write_ra(struct rp_writer *w, uint8_t hop_limit, uint8_t flags, uint16_t lifetime)
{
	write_header(w, RP_ND_RA, (uint32_t)hop_limit << 24 | (uint32_t)flags << 16 | lifetime);
	// Reachable time and retransmission timer: left to the host.
	rp_write_zero(w, 8);
}

void rp_nd_write_ns(struct rp_writer *w, const struct rp_addr *target)
{
	write_header(w, RP_ND_NS, 0);
	rp_write_bytes(w, target->bytes, RP_IP6_LEN);
}

void rp_nd_write_na(struct rp_writer *w, const struct rp_addr *target, uint8_t flags)
{
	write_header(w, RP_ND_NA, (uint32_t)flags << 24);
	rp_write_bytes(w, target->bytes, RP_IP6_LEN);
}

static void write_option(struct rp_writer *w, uint8_t type, size_t len)
{
	rp_write_u8(w, type);
	rp_write_u8(w, (uint8_t)(len / OPT_UNIT));
}

void rp_nd_write_lladdr(struct rp_writer *w, uint8_t type, const struct rte_ether_addr *mac)
{
	write_option(w, type, LLA_BYTES);
	rp_write_bytes(w, mac->addr_bytes, RTE_ETHER_ADDR_LEN);
}

void rp_nd_write_mtu(struct rp_writer *w, uint32_t mtu)
{
	write_option(w, RP_ND_OPT_MTU, OPT_UNIT);
	rp_write_zero(w, 2);
	rp_write_be32(w, mtu);
}

// RDNSS and DNSSL begin alike: two reserved bytes and the lifetime.
static void write_dns_option(struct rp_writer *w, uint8_t type, size_t body, uint32_t lifetime)
{
	write_option(w, type, OPT_UNIT + body);
	rp_write_zero(w, 2);
	rp_write_be32(w, lifetime);
}

void rp_nd_write_rdnss(struct rp_writer *w, uint32_t lifetime, const struct rp_addr *servers,
		       size_t n)
{
	size_t n6 = 0;

	for (size_t i = 0; i < n; i++)
		n6 += servers[i].family == RP_IP6;
	if (n6 == 0)
		return;
	write_dns_option(w, RP_ND_OPT_RDNSS, n6 * RP_IP6_LEN, lifetime);
	for (size_t i = 0; i < n; i++) {
		if (servers[i].family == RP_IP6)
			rp_write_bytes(w, servers[i].bytes, RP_IP6_LEN);
	}
}

void rp_nd_write_dnssl(struct rp_writer *w, uint32_t lifetime, const char *const *names, size_t n)
{
	size_t room = RTE_MIN(rp_writer_left(w), UINT8_MAX * OPT_UNIT);
	size_t len = 0;

	// Names fill whole units, so what is left over behind the last one is of no use.
	room = RTE_ALIGN_FLOOR(room, OPT_UNIT);
	n = room > OPT_UNIT ? rp_dns_names_fit(names, n, room - OPT_UNIT) : 0;
	if (n == 0)
		return;
	for (size_t i = 0; i < n; i++)
		len += strlen(names[i]) + 2;
	write_dns_option(w, RP_ND_OPT_DNSSL, RTE_ALIGN_CEIL(len, OPT_UNIT), lifetime);
	for (size_t i = 0; i < n; i++)
		rp_dns_name_write(w, names[i]);
	// RFC 8106 section 5.2: padded with zeros, which read as empty names.
	rp_write_zero(w, RTE_ALIGN_CEIL(len, OPT_UNIT) - len);
}

static void frame_begin(struct rp_frame_builder *b, struct rp_writer *w,
			const struct rte_ether_addr *mac, const struct rp_addr *src,
			const struct rp_addr *group)
{
	struct rp_frame_head head = {
		.eth_src = *mac,
		.eth_dst = rp_nd_multicast_mac(group),
		.src = *src,
		.dst = *group,
		.ttl = RP_TTL_LINK_ONLY,
		.proto = IPPROTO_ICMPV6,
	};

	rp_frame_begin(b, w, &head);
}

bool rp_create_router_solicitation(struct rp_writer *w, const struct rte_ether_addr *mac,
				   const struct rp_addr *src)
{
	struct rp_frame_builder b;

	frame_begin(&b, w, mac, src, &rp_nd_all_routers);
	rp_nd_write_rs(w);
	if (!rp_addr_is_unspecified(src))
		rp_nd_write_lladdr(w, RP_ND_OPT_SLLA, mac);
	return rp_frame_end(&b);
}

bool rp_create_neighbor_solicitation(struct rp_writer *w, const struct rte_ether_addr *mac,
				     const struct rp_addr *src, const struct rp_addr *target)
{
	struct rp_addr group = rp_nd_solicited_node(target);
	struct rp_frame_builder b;

	frame_begin(&b, w, mac, src, &group);
	rp_nd_write_ns(w, target);
	if (!rp_addr_is_unspecified(src))
		rp_nd_write_lladdr(w, RP_ND_OPT_SLLA, mac);
	return rp_frame_end(&b);
}

static int parse_frame(const void *data, size_t len, uint8_t type, struct rp_frame *f,
		       struct rp_nd *nd)
{
	const uint8_t *l4;

	if (rp_frame_parse(data, len, f) < 0)
		return -EBADMSG;
	l4 = rp_peek(&f->l4, 1);
	if (f->dst.family != RP_IP6 || f->proto != IPPROTO_ICMPV6 || f->more_fragments ||
	    f->frag_offset != 0 || l4 == NULL || *l4 != type)
		return -ENOMSG;
	if (!f->l4_checksum_ok)
		return -EBADMSG;
	return rp_nd_parse(f->l4, &f->src, &f->dst, f->ttl, nd);
}

static bool parse_rdnss(struct rp_reader r, struct rp_router_advertisement *ra)
{
	if (rp_read(&r, 2) == NULL || !rp_read_be32(&r, &ra->dns_lifetime))
		return false;
	while (rp_reader_left(&r) > 0) {
		if (ra->n_dns == RP_ND_DNS_MAX || !read_addr(&r, &ra->dns[ra->n_dns]))
			return false;
		ra->n_dns++;
	}
	return true;
}

static bool parse_dnssl(struct rp_reader r, struct rp_router_advertisement *ra)
{
	if (rp_read(&r, 2) == NULL || !rp_read_be32(&r, &ra->search_lifetime))
		return false;
	while (rp_reader_left(&r) > 0) {
		char name[RP_DNS_NAME_STR];

		if (!rp_dns_name_read(&r, name))
			return false;
		if (name[0] == '\0') // padding
			continue;
		if (ra->n_search == RP_ND_SEARCH_MAX)
			return false;
		memcpy(ra->search[ra->n_search++], name, sizeof(name));
	}
	return true;
}

static bool parse_ra_option(struct rp_nd_option *opt, struct rp_router_advertisement *ra)
{
	switch (opt->type) {
	case RP_ND_OPT_SLLA:
		return true;
	case RP_ND_OPT_PREFIX:
		ra->n_prefixes++;
		return true;
	case RP_ND_OPT_MTU:
		return rp_read(&opt->body, 2) != NULL && rp_read_be32(&opt->body, &ra->mtu);
	case RP_ND_OPT_RDNSS:
		return parse_rdnss(opt->body, ra);
	case RP_ND_OPT_DNSSL:
		return parse_dnssl(opt->body, ra);
	default:
		ra->n_unknown++;
		return true;
	}
}

int rp_parse_router_advertisement(const void *data, size_t len, struct rp_router_advertisement *ra)
{
	struct rp_nd_option opt;
	struct rp_reader r;
	int ret;

	memset(ra, 0, sizeof(*ra));
	ret = parse_frame(data, len, RP_ND_RA, &ra->frame, &ra->nd);
	if (ret < 0)
		return ret;
	r = ra->nd.options;
	while (rp_nd_option_next(&r, &opt) > 0) {
		if (!parse_ra_option(&opt, ra))
			return -EBADMSG;
	}
	return 0;
}

int rp_parse_neighbor_advertisement(const void *data, size_t len,
				    struct rp_neighbor_advertisement *na)
{
	int ret;

	memset(na, 0, sizeof(*na));
	ret = parse_frame(data, len, RP_ND_NA, &na->frame, &na->nd);
	if (ret < 0)
		return ret;
	na->router = na->nd.na_flags & RP_ND_NA_ROUTER;
	na->solicited = na->nd.na_flags & RP_ND_NA_SOLICITED;
	na->override = na->nd.na_flags & RP_ND_NA_OVERRIDE;
	return 0;
}
