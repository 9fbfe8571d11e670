// SPDX-License-Identifier: BSD-3-Clause
#include "packet/dhcp4.h"

#include <errno.h>

// What the kinds of messages of a client differ in, RFC 2131 section 4.4.1, table 5.
struct message {
	enum rp_dhcp4_type type;
	bool requested; // the address in option 50
	bool ciaddr;	// the address in ciaddr
	bool server_id; // option 54
	bool unicast;	// to the server
};

static void write_options(struct rp_writer *w, const struct rp_dhcp4_client *c,
			  const struct message *m)
{
	const struct {
		enum rp_dhcp4_code code;
		struct rp_reader data;
	} strings[] = {
		{RP_DHCP4_OPT_CLIENT_ID, c->client_id},
		{RP_DHCP4_OPT_PARAMETERS, c->parameters},
		{RP_DHCP4_OPT_RELAY_INFO, c->relay_info},
	};
	const rte_be16_t max_size = rte_cpu_to_be_16(c->max_size);
	const uint8_t type = (uint8_t)m->type;

	rp_dhcp4_option_write(w, RP_DHCP4_OPT_TYPE, &type, sizeof(type));
	if (m->requested && c->address.family == RP_IP4)
		rp_dhcp4_option_write(w, RP_DHCP4_OPT_REQUESTED, &c->address.ip4,
				      sizeof(rte_be32_t));
	if (m->server_id)
		rp_dhcp4_option_write(w, RP_DHCP4_OPT_SERVER_ID, &c->server.ip4,
				      sizeof(rte_be32_t));
	if (c->max_size != 0)
		rp_dhcp4_option_write(w, RP_DHCP4_OPT_MAX_SIZE, &max_size, sizeof(max_size));
	if (c->rapid_commit && m->type == RP_DHCP4_DISCOVER)
		rp_dhcp4_option_write(w, RP_DHCP4_OPT_RAPID_COMMIT, NULL, 0);
	for (size_t i = 0; i < RTE_DIM(strings); i++) {
		if (rp_reader_left(&strings[i].data) > 0)
			rp_dhcp4_option_write(w, strings[i].code, strings[i].data.pos,
					      rp_reader_left(&strings[i].data));
	}
	rp_write_u8(w, RP_DHCP4_OPT_END);
}

static bool create_message(struct rp_writer *w, const struct rp_dhcp4_client *c,
			   const struct message *m)
{
	struct rp_frame_head head = {
		.eth_src = c->mac,
		.eth_dst = rp_gateway_mac,
		.src = rp_addr_ip4(m->ciaddr ? c->address.ip4 : 0),
		.dst = m->unicast ? c->server : rp_addr_ip4(UINT32_MAX),
		.ttl = RP_TTL_DEFAULT,
		.proto = IPPROTO_UDP,
		.src_port = RP_DHCP4_CLIENT_PORT,
		.dst_port = RP_DHCP4_SERVER_PORT,
	};
	struct rp_dhcp4_hdr h = {
		.op = RP_DHCP4_BOOTREQUEST,
		.htype = 1,
		.hlen = RTE_ETHER_ADDR_LEN,
		.xid = rte_cpu_to_be_32(c->xid),
		.secs = rte_cpu_to_be_16(c->secs),
		.flags = c->broadcast ? RTE_BE16(RP_DHCP4_BROADCAST) : 0,
		.ciaddr = m->ciaddr ? c->address.ip4 : 0,
		.giaddr = c->giaddr.ip4,
		.cookie = RTE_BE32(RP_DHCP4_COOKIE),
	};
	struct rp_frame_builder b;
	size_t start;

	if (!m->unicast)
		memset(&head.eth_dst, 0xff, sizeof(head.eth_dst));
	memcpy(h.chaddr, &c->mac, sizeof(c->mac));
	rp_frame_begin(&b, w, &head);
	start = rp_writer_len(w);
	rp_write_bytes(w, &h, sizeof(h));
	write_options(w, c, m);
	if (rp_writer_len(w) - start < RP_DHCP4_BOOTP_MIN)
		rp_write_zero(w, RP_DHCP4_BOOTP_MIN - (rp_writer_len(w) - start));
	return rp_frame_end(&b);
}

bool rp_create_dhcp_discover(struct rp_writer *w, const struct rp_dhcp4_client *c)
{
	return create_message(w, c,
			      &(struct message){.type = RP_DHCP4_DISCOVER, .requested = true});
}

bool rp_create_dhcp_request(struct rp_writer *w, const struct rp_dhcp4_client *c,
			    enum rp_dhcp4_state state)
{
	const struct message m = {
		.type = RP_DHCP4_REQUEST,
		.requested = state == RP_DHCP4_SELECTING || state == RP_DHCP4_INIT_REBOOT,
		.ciaddr = state == RP_DHCP4_RENEWING || state == RP_DHCP4_REBINDING,
		.server_id = state == RP_DHCP4_SELECTING,
		.unicast = state == RP_DHCP4_RENEWING,
	};

	return create_message(w, c, &m);
}

bool rp_create_dhcp_inform(struct rp_writer *w, const struct rp_dhcp4_client *c)
{
	return create_message(w, c, &(struct message){.type = RP_DHCP4_INFORM, .ciaddr = true});
}

bool rp_create_dhcp_decline(struct rp_writer *w, const struct rp_dhcp4_client *c)
{
	const struct message m = {.type = RP_DHCP4_DECLINE, .requested = true, .server_id = true};

	return create_message(w, c, &m);
}

bool rp_create_dhcp_release(struct rp_writer *w, const struct rp_dhcp4_client *c)
{
	const struct message m = {
		.type = RP_DHCP4_RELEASE,
		.ciaddr = true,
		.server_id = true,
		.unicast = true,
	};

	return create_message(w, c, &m);
}

static bool read_ip4(struct rp_reader *r, struct rp_addr *a)
{
	rte_be32_t ip4;

	if (!rp_read_copy(r, &ip4, sizeof(ip4)))
		return false;
	*a = rp_addr_ip4(ip4);
	return true;
}

// False for an option that is there with another length; the same for the functions below.
static bool get_addr(const struct rp_dhcp4 *m, enum rp_dhcp4_code code, struct rp_addr *a)
{
	struct rp_reader r;

	if (!rp_dhcp4_option(m, code, &r))
		return true;
	return read_ip4(&r, a) && rp_reader_left(&r) == 0;
}

static bool get_addrs(const struct rp_dhcp4 *m, enum rp_dhcp4_code code, struct rp_dhcp4_addrs *l)
{
	struct rp_reader r;

	if (!rp_dhcp4_option(m, code, &r))
		return true;
	do {
		if (l->n == RP_DHCP4_LIST_MAX || !read_ip4(&r, &l->addr[l->n++]))
			return false;
	} while (rp_reader_left(&r) > 0);
	return true;
}

static bool get_be32(const struct rp_dhcp4 *m, enum rp_dhcp4_code code, uint32_t *v)
{
	struct rp_reader r;

	return !rp_dhcp4_option(m, code, &r) || rp_dhcp4_option_be32(m, code, v);
}

static bool get_text(const struct rp_dhcp4 *m, enum rp_dhcp4_code code, char text[256])
{
	struct rp_reader r;
	size_t n;

	if (!rp_dhcp4_option(m, code, &r))
		return true;
	n = rp_reader_left(&r);
	return n > 0 && n < 256 && rp_read_copy(&r, text, n) && strlen(text) == n;
}

static bool get_routes(struct rp_dhcp4_response *resp)
{
	struct rp_reader r;

	if (!rp_dhcp4_option(&resp->msg, RP_DHCP4_OPT_ROUTES, &r))
		return true;
	do {
		struct rp_dhcp4_route *route = &resp->routes[resp->n_routes];

		if (resp->n_routes++ == RP_DHCP4_LIST_MAX || !rp_read_u8(&r, &route->dst.len) ||
		    route->dst.len > 32)
			return false;
		route->dst.addr.family = RP_IP4;
		if (!rp_read_copy(&r, route->dst.addr.bytes, (route->dst.len + 7u) / 8u) ||
		    !read_ip4(&r, &route->via))
			return false;
	} while (rp_reader_left(&r) > 0);
	return true;
}

static bool get_search(struct rp_dhcp4_response *resp)
{
	struct rp_reader r;

	if (!rp_dhcp4_option(&resp->msg, RP_DHCP4_OPT_SEARCH, &r))
		return true;
	do {
		if (resp->n_search == RP_DHCP4_LIST_MAX ||
		    !rp_dns_name_read(&r, resp->search[resp->n_search++]))
			return false;
	} while (rp_reader_left(&r) > 0);
	return true;
}

static bool get_options(struct rp_dhcp4_response *resp)
{
	const struct rp_dhcp4 *m = &resp->msg;
	struct rp_reader r;

	resp->rapid_commit = rp_dhcp4_option(m, RP_DHCP4_OPT_RAPID_COMMIT, &r);
	rp_dhcp4_option(m, RP_DHCP4_OPT_CLIENT_ID, &resp->client_id);
	rp_dhcp4_option(m, RP_DHCP4_OPT_RELAY_INFO, &resp->relay_info);
	if (rp_dhcp4_option(m, RP_DHCP4_OPT_MTU, &r) &&
	    !rp_dhcp4_option_be16(m, RP_DHCP4_OPT_MTU, &resp->mtu))
		return false;
	return get_addr(m, RP_DHCP4_OPT_SERVER_ID, &resp->server_id) &&
	       get_addr(m, RP_DHCP4_OPT_MASK, &resp->mask) &&
	       get_be32(m, RP_DHCP4_OPT_LEASE, &resp->lease) &&
	       get_be32(m, RP_DHCP4_OPT_T1, &resp->t1) && get_be32(m, RP_DHCP4_OPT_T2, &resp->t2) &&
	       get_addrs(m, RP_DHCP4_OPT_ROUTER, &resp->routers) &&
	       get_addrs(m, RP_DHCP4_OPT_DNS, &resp->dns) &&
	       get_addrs(m, RP_DHCP4_OPT_NTP, &resp->ntp) &&
	       get_text(m, RP_DHCP4_OPT_HOSTNAME, resp->hostname) &&
	       get_text(m, RP_DHCP4_OPT_DOMAIN, resp->domain) && get_routes(resp) &&
	       get_search(resp);
}

int rp_parse_dhcp_response(const void *frame, size_t len, struct rp_dhcp4_response *resp)
{
	const struct rp_dhcp4_hdr *h = &resp->msg.hdr;
	int ret;

	memset(resp, 0, sizeof(*resp));
	ret = rp_frame_parse(frame, len, &resp->frame);
	if (ret < 0)
		return ret;
	if (resp->frame.src.family != RP_IP4 || resp->frame.proto != IPPROTO_UDP ||
	    resp->frame.src_port != RP_DHCP4_SERVER_PORT)
		return -ENOMSG;
	ret = rp_dhcp4_parse(resp->frame.payload, &resp->msg);
	if (ret < 0)
		return ret;
	resp->type = resp->msg.type;
	if (h->op != RP_DHCP4_BOOTREPLY ||
	    (resp->type != RP_DHCP4_OFFER && resp->type != RP_DHCP4_ACK &&
	     resp->type != RP_DHCP4_NAK))
		return -ENOMSG;
	resp->xid = rte_be_to_cpu_32(h->xid);
	resp->broadcast = h->flags & RTE_BE16(RP_DHCP4_BROADCAST);
	resp->ciaddr = rp_addr_ip4(h->ciaddr);
	resp->yiaddr = rp_addr_ip4(h->yiaddr);
	resp->siaddr = rp_addr_ip4(h->siaddr);
	resp->giaddr = rp_addr_ip4(h->giaddr);
	memcpy(&resp->chaddr, h->chaddr, sizeof(resp->chaddr));
	return get_options(resp) ? 0 : -EBADMSG;
}
