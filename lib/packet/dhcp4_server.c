// SPDX-License-Identifier: BSD-3-Clause
#include "packet/dhcp4.h"

/*
 * The server's answers. The options of a reply are tried one by one in the order of their
 * importance: each goes into the options field, or else into file or sname, or is left out.
 */

#define OVERLOAD_SIZE 3	   // option 52
#define ALWAYS_SIZE   64   // room for the options that always go out
#define IP_UDP_SIZE   28   // what option 57 counts beyond the message
#define VALUE_MAX     2048 // the longest option: a domain and its search list

enum { AREA_OPTIONS, AREA_FILE, AREA_SNAME, AREAS };

struct reply {
	const struct rp_dhcp4 *req;
	const struct rp_dhcp4_config *cfg;
	enum rp_dhcp4_type type;
	struct rp_writer area[AREAS];
};

static void put(struct reply *r, enum rp_dhcp4_code code, const void *data, size_t len)
{
	for (int i = 0; i < AREAS; i++) {
		if (rp_writer_left(&r->area[i]) >= rp_dhcp4_option_size(len)) {
			rp_dhcp4_option_write(&r->area[i], code, data, len);
			return;
		}
	}
}

static void encode_lease(struct rp_writer *w, const struct rp_dhcp4_config *c)
{
	rp_write_be32(w, c->lease);
}

static void encode_t1(struct rp_writer *w, const struct rp_dhcp4_config *c)
{
	rp_write_be32(w, c->t1);
}

static void encode_t2(struct rp_writer *w, const struct rp_dhcp4_config *c)
{
	rp_write_be32(w, c->t2);
}

static void encode_mask(struct rp_writer *w, const struct rp_dhcp4_config *c)
{
	uint8_t len = c->subnet.addr.family == RP_IP4 ? c->subnet.len : 32;

	rp_write_be32(w, len == 0 ? 0 : UINT32_MAX << (32 - len));
}

static void encode_router(struct rp_writer *w, const struct rp_dhcp4_config *c)
{
	rp_write_bytes(w, &c->server.ip4, sizeof(c->server.ip4));
}

// RFC 3442: prefix length, as many octets of the prefix as are significant, router.
static void encode_route(struct rp_writer *w, const struct rp_prefix *dst, rte_be32_t via)
{
	rp_write_u8(w, dst->len);
	rp_write_bytes(w, dst->addr.bytes, (dst->len + 7u) / 8u);
	rp_write_bytes(w, &via, sizeof(via));
}

/*
 * The gateway on link, and the default through it. With a real mask the guest takes its subnet for
 * on link too, where nobody answers its ARP: two routes more specific than the subnet send that
 * traffic to the gateway as well.
 */
static void encode_routes(struct rp_writer *w, const struct rp_dhcp4_config *c)
{
	struct rp_prefix gateway = {.addr = c->server, .len = 32};
	struct rp_prefix any = {.addr = {.family = RP_IP4}};
	struct rp_prefix half = c->subnet;

	encode_route(w, &gateway, 0);
	if (half.addr.family == RP_IP4 && half.len < 32) {
		half.len++;
		encode_route(w, &half, c->server.ip4);
		half.addr.bytes[(half.len - 1) / 8] |= (uint8_t)(0x80 >> ((half.len - 1) % 8));
		encode_route(w, &half, c->server.ip4);
	}
	encode_route(w, &any, c->server.ip4);
}

static void encode_addrs(struct rp_writer *w, const struct rp_addr *addrs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (addrs[i].family == RP_IP4)
			rp_write_bytes(w, &addrs[i].ip4, sizeof(addrs[i].ip4));
	}
}

static void encode_dns(struct rp_writer *w, const struct rp_dhcp4_config *c)
{
	encode_addrs(w, c->dns, c->n_dns);
}

static void encode_ntp(struct rp_writer *w, const struct rp_dhcp4_config *c)
{
	encode_addrs(w, c->ntp, c->n_ntp);
}

static void encode_mtu(struct rp_writer *w, const struct rp_dhcp4_config *c)
{
	rp_write_be16(w, c->mtu);
}

static void encode_text(struct rp_writer *w, const char *text)
{
	if (text != NULL && rp_dns_name_valid(text))
		rp_write_bytes(w, text, strlen(text));
}

static void encode_hostname(struct rp_writer *w, const struct rp_dhcp4_config *c)
{
	encode_text(w, c->hostname);
}

static void encode_domain(struct rp_writer *w, const struct rp_dhcp4_config *c)
{
	encode_text(w, c->domain);
}

static void encode_search(struct rp_writer *w, const struct rp_dhcp4_config *c)
{
	if (c->domain != NULL && c->domain[0] != '\0')
		rp_dns_name_write(w, c->domain);
	for (size_t i = 0; i < c->n_search; i++)
		rp_dns_name_write(w, c->search[i]);
}

static const struct option {
	enum rp_dhcp4_code code;
	bool always; // whether asked for in option 55 or not
	bool lease;  // says something about the lease: not for an INFORM
	void (*encode)(struct rp_writer *w, const struct rp_dhcp4_config *c);
} options[] = {
	{RP_DHCP4_OPT_LEASE, true, true, encode_lease},
	{RP_DHCP4_OPT_MASK, true, false, encode_mask},
	{RP_DHCP4_OPT_ROUTER, true, false, encode_router},
	{RP_DHCP4_OPT_ROUTES, true, false, encode_routes},
	{RP_DHCP4_OPT_T1, false, true, encode_t1},
	{RP_DHCP4_OPT_T2, false, true, encode_t2},
	{RP_DHCP4_OPT_DNS, false, false, encode_dns},
	{RP_DHCP4_OPT_MTU, false, false, encode_mtu},
	{RP_DHCP4_OPT_HOSTNAME, false, false, encode_hostname},
	{RP_DHCP4_OPT_DOMAIN, false, false, encode_domain},
	{RP_DHCP4_OPT_SEARCH, false, false, encode_search},
	{RP_DHCP4_OPT_NTP, false, false, encode_ntp},
};

static void put_configured(struct reply *r, const struct option *o)
{
	uint8_t value[VALUE_MAX];
	struct rp_writer w = rp_writer(value, sizeof(value));

	if (o->lease && r->req->type == RP_DHCP4_INFORM)
		return;
	o->encode(&w, r->cfg);
	if (!w.overflow && rp_writer_len(&w) > 0)
		put(r, o->code, value, rp_writer_len(&w));
}

static void put_all(struct reply *r, bool always)
{
	for (size_t i = 0; i < RTE_DIM(options); i++) {
		if (options[i].always == always)
			put_configured(r, &options[i]);
	}
}

// RFC 2132 section 9.8: as far as possible in the order in which the client asks, each once.
static void put_asked_for(struct reply *r, struct rp_reader asked)
{
	bool done[256] = {false};
	uint8_t code;

	while (rp_read_u8(&asked, &code)) {
		for (size_t i = 0; i < RTE_DIM(options) && !done[code]; i++) {
			if (options[i].code == code && !options[i].always)
				put_configured(r, &options[i]);
		}
		done[code] = true;
	}
}

static void put_options(struct reply *r)
{
	uint8_t type = (uint8_t)r->type;
	struct rp_reader data;

	put(r, RP_DHCP4_OPT_TYPE, &type, sizeof(type));
	put(r, RP_DHCP4_OPT_SERVER_ID, &r->cfg->server.ip4, sizeof(r->cfg->server.ip4));
	if (r->type != RP_DHCP4_NAK)
		put_all(r, true);
	if (r->type == RP_DHCP4_ACK && r->req->type == RP_DHCP4_DISCOVER)
		put(r, RP_DHCP4_OPT_RAPID_COMMIT, NULL, 0);
	// RFC 6842 section 3: copied into every answer, a NAK as well.
	if (rp_dhcp4_option(r->req, RP_DHCP4_OPT_CLIENT_ID, &data))
		put(r, RP_DHCP4_OPT_CLIENT_ID, data.pos, rp_reader_left(&data));
	if (r->type == RP_DHCP4_NAK)
		return;
	if (rp_dhcp4_option(r->req, RP_DHCP4_OPT_PARAMETERS, &data))
		put_asked_for(r, data);
	else
		put_all(r, false);
}

// RFC 2131 section 4.3.1, table 3.
static void fill_header(struct rp_dhcp4_hdr *h, const struct reply *r)
{
	const struct rp_dhcp4_hdr *req = &r->req->hdr;

	*h = (struct rp_dhcp4_hdr){
		.op = RP_DHCP4_BOOTREPLY,
		.htype = req->htype,
		.hlen = req->hlen,
		.xid = req->xid,
		.flags = req->flags,
		.giaddr = req->giaddr,
		.cookie = RTE_BE32(RP_DHCP4_COOKIE),
	};
	memcpy(h->chaddr, req->chaddr, sizeof(h->chaddr));
	if (r->type == RP_DHCP4_NAK) {
		// The relay shall broadcast it: the client may have no usable address.
		if (h->giaddr != 0)
			h->flags |= RTE_BE16(RP_DHCP4_BROADCAST);
		return;
	}
	h->siaddr = r->cfg->server.ip4;
	if (r->type == RP_DHCP4_ACK)
		h->ciaddr = req->ciaddr;
	if (r->req->type != RP_DHCP4_INFORM)
		h->yiaddr = r->cfg->address.ip4;
}

// RFC 2131 section 4.1: giaddr, ciaddr, the broadcast flag and then yiaddr decide.
static struct rp_frame_head address_frame(const struct reply *r)
{
	const struct rp_dhcp4_hdr *req = &r->req->hdr;
	struct rp_frame_head head = {
		.eth_src = rp_gateway_mac,
		.eth_dst = r->cfg->mac,
		.src = r->cfg->server,
		.ttl = RP_TTL_DEFAULT,
		.proto = IPPROTO_UDP,
		.src_port = RP_DHCP4_SERVER_PORT,
		.dst_port = RP_DHCP4_CLIENT_PORT,
	};

	if (req->giaddr != 0) {
		head.dst = rp_addr_ip4(req->giaddr);
		head.dst_port = RP_DHCP4_SERVER_PORT;
	} else if (r->type != RP_DHCP4_NAK && req->ciaddr != 0) {
		head.dst = rp_addr_ip4(req->ciaddr);
	} else if (r->type != RP_DHCP4_NAK && r->req->type != RP_DHCP4_INFORM &&
		   !(req->flags & RTE_BE16(RP_DHCP4_BROADCAST))) {
		head.dst = r->cfg->address;
	} else {
		head.dst = rp_addr_ip4(UINT32_MAX);
		memset(&head.eth_dst, 0xff, sizeof(head.eth_dst));
	}
	return head;
}

// The longest message that the client takes and that the link carries in one piece.
static size_t message_max(const struct reply *r)
{
	uint16_t size;

	if (!rp_dhcp4_option_be16(r->req, RP_DHCP4_OPT_MAX_SIZE, &size) || size < RP_DHCP4_SIZE_MIN)
		size = RP_DHCP4_SIZE_MIN;
	return RTE_MIN(size, RTE_MAX(r->cfg->mtu, RP_DHCP4_SIZE_MIN)) - IP_UDP_SIZE;
}

/*
 * RFC 3046 section 2.2: copied whole, as the last option of the options field and not into file or
 * sname, or not at all. It gives way to the options that always go out.
 */
static bool relay_info(const struct reply *r, size_t room, struct rp_reader *data)
{
	return rp_dhcp4_option(r->req, RP_DHCP4_OPT_RELAY_INFO, data) &&
	       rp_dhcp4_option_size(rp_reader_left(data)) + ALWAYS_SIZE + OVERLOAD_SIZE <= room;
}

static bool write_message(struct rp_writer *w, struct reply *r)
{
	size_t start = rp_writer_len(w);
	struct rp_dhcp4_hdr *h = rp_write(w, sizeof(*h));
	struct rp_reader relay = {0};
	uint8_t overload = 0;
	size_t room, relay_size = 0;

	if (h == NULL || rp_writer_left(w) < RP_DHCP4_BOOTP_MIN - sizeof(*h))
		return false;
	fill_header(h, r);
	room = RTE_MIN(message_max(r) - sizeof(*h), rp_writer_left(w)) - 1; // the end option
	if (relay_info(r, room, &relay))
		relay_size = rp_dhcp4_option_size(rp_reader_left(&relay));
	r->area[AREA_OPTIONS] = rp_writer(w->pos, room - relay_size - OVERLOAD_SIZE);
	r->area[AREA_FILE] = rp_writer(h->file, sizeof(h->file) - 1);
	r->area[AREA_SNAME] = rp_writer(h->sname, sizeof(h->sname) - 1);
	put_options(r);
	rp_write(w, rp_writer_len(&r->area[AREA_OPTIONS]));
	for (uint8_t i = AREA_FILE; i < AREAS; i++) {
		if (rp_writer_len(&r->area[i]) == 0)
			continue;
		*r->area[i].pos = RP_DHCP4_OPT_END;
		overload |= i; // 1: file, 2: sname
	}
	if (overload != 0)
		rp_dhcp4_option_write(w, RP_DHCP4_OPT_OVERLOAD, &overload, sizeof(overload));
	if (relay_size != 0)
		rp_dhcp4_option_write(w, RP_DHCP4_OPT_RELAY_INFO, relay.pos,
				      rp_reader_left(&relay));
	rp_write_u8(w, RP_DHCP4_OPT_END);
	if (rp_writer_len(w) - start < RP_DHCP4_BOOTP_MIN)
		rp_write_zero(w, RP_DHCP4_BOOTP_MIN - (rp_writer_len(w) - start));
	return !w->overflow;
}

bool rp_dhcp4_write_reply(struct rp_writer *w, const struct rp_dhcp4 *req, enum rp_dhcp4_type type,
			  const struct rp_dhcp4_config *cfg)
{
	struct reply r = {.req = req, .cfg = cfg, .type = type};
	struct rp_frame_head head = address_frame(&r);
	struct rp_frame_builder b;

	rp_frame_begin(&b, w, &head);
	return write_message(w, &r) && rp_frame_end(&b);
}
