// SPDX-License-Identifier: BSD-3-Clause
#include "packet/dhcp6.h"

#include <errno.h>
#include <netinet/in.h>

#include <rte_common.h>

#include "packet/nd.h"

#define OPTION_HEAD 4 // code and length

#define NTP_SUBOPT_SRV_ADDR 1 // RFC 5908 section 4.1

#define DUID_LL	       3 // RFC 8415 section 11.4
#define HTYPE_ETHERNET 1

const struct rp_addr rp_dhcp6_all_servers = {
	.family = RP_IP6,
	.bytes = {0xff, 0x02, [13] = 1, [15] = 2},
};

void rp_generate_duid_ll(const struct rte_ether_addr *mac, struct rp_dhcp6_duid *duid)
{
	struct rp_writer w = rp_writer(duid->bytes, sizeof(duid->bytes));

	rp_write_be16(&w, DUID_LL);
	rp_write_be16(&w, HTYPE_ETHERNET);
	rp_write_bytes(&w, mac->addr_bytes, RTE_ETHER_ADDR_LEN);
	duid->len = (uint8_t)rp_writer_len(&w);
}

bool rp_dhcp6_duid_equal(const struct rp_dhcp6_duid *a, const struct rp_dhcp6_duid *b)
{
	return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

/*
 * Reading. Every option is handed to its reader as a reader over its body alone, so that no length
 * inside can lead out of it. Readers return false for a malformed body.
 */

static bool next_option(struct rp_reader *r, uint16_t *code, struct rp_reader *body)
{
	uint16_t len;

	return rp_read_be16(r, code) && rp_read_be16(r, &len) && rp_read_sub(r, len, body);
}

static bool read_duid(struct rp_reader r, struct rp_dhcp6_duid *duid)
{
	size_t len = rp_reader_left(&r);

	// A second one would leave open who the client, or the server it speaks to, is.
	if (duid->len != 0 || len < RP_DHCP6_DUID_MIN || len > RP_DHCP6_DUID_MAX)
		return false;
	duid->len = (uint8_t)len;
	return rp_read_copy(&r, duid->bytes, len);
}

static bool read_status(struct rp_reader r, struct rp_dhcp6_result *status)
{
	status->present = true;
	return rp_read_be16(&r, &status->code);
}

static bool read_addr(struct rp_reader *r, struct rp_addr *addr)
{
	addr->family = RP_IP6;
	return rp_read_copy(r, addr->bytes, RP_IP6_LEN);
}

static bool read_lease(struct rp_reader r, uint16_t option, struct rp_dhcp6_lease *lease)
{
	bool ok;

	if (option == RP_DHCP6_OPT_IAADDR)
		ok = read_addr(&r, &lease->addr) && rp_read_be32(&r, &lease->preferred) &&
		     rp_read_be32(&r, &lease->valid);
	else
		ok = rp_read_be32(&r, &lease->preferred) && rp_read_be32(&r, &lease->valid) &&
		     rp_read_u8(&r, &lease->prefix_len) && read_addr(&r, &lease->addr);
	while (ok && rp_reader_left(&r) > 0) {
		struct rp_reader body;
		uint16_t code;

		ok = next_option(&r, &code, &body);
		if (ok && code == RP_DHCP6_OPT_STATUS_CODE)
			ok = read_status(body, &lease->status);
	}
	return ok;
}

static uint16_t lease_option(uint16_t ia_option)
{
	return ia_option == RP_DHCP6_OPT_IA_PD ? RP_DHCP6_OPT_IAPREFIX : RP_DHCP6_OPT_IAADDR;
}

static bool read_ia(struct rp_reader r, uint16_t option, struct rp_dhcp6 *m)
{
	struct rp_dhcp6_ia *ia;
	bool ok;

	if (m->n_ia == RP_DHCP6_IA_MAX)
		return false;
	ia = &m->ia[m->n_ia++];
	ia->option = option;
	ok = rp_read_be32(&r, &ia->iaid);
	if (ok && option != RP_DHCP6_OPT_IA_TA)
		ok = rp_read_be32(&r, &ia->t1) && rp_read_be32(&r, &ia->t2);
	while (ok && rp_reader_left(&r) > 0) {
		struct rp_reader body;
		uint16_t code;

		ok = next_option(&r, &code, &body);
		if (ok && code == RP_DHCP6_OPT_STATUS_CODE)
			ok = read_status(body, &ia->status);
		else if (ok && code == lease_option(option))
			ok = ia->n < RP_DHCP6_LEASE_MAX &&
			     read_lease(body, code, &ia->lease[ia->n++]);
	}
	return ok;
}

static bool read_asked(struct rp_reader r, struct rp_dhcp6 *m)
{
	uint16_t option;

	while (rp_read_be16(&r, &option))
		rp_dhcp6_ask_for(m, option);
	return rp_reader_left(&r) == 0;
}

static bool read_addrs(struct rp_reader r, struct rp_dhcp6_addrs *list)
{
	while (rp_reader_left(&r) > 0) {
		if (list->n == RP_DHCP6_LIST_MAX || !read_addr(&r, &list->addr[list->n]))
			return false;
		list->n++;
	}
	return true;
}

static bool read_names(struct rp_reader r, struct rp_dhcp6_names *list)
{
	while (rp_reader_left(&r) > 0) {
		if (list->n == RP_DHCP6_LIST_MAX || !rp_dns_name_read(&r, list->name[list->n]))
			return false;
		list->n++;
	}
	return true;
}

static bool read_ntp(struct rp_reader r, struct rp_dhcp6_addrs *list)
{
	while (rp_reader_left(&r) > 0) {
		struct rp_reader body;
		uint16_t code;

		if (!next_option(&r, &code, &body) ||
		    (code == NTP_SUBOPT_SRV_ADDR && !read_addrs(body, list)))
			return false;
	}
	return true;
}

static bool read_option(struct rp_dhcp6 *m, uint16_t code, struct rp_reader body)
{
	switch (code) {
	case RP_DHCP6_OPT_CLIENTID:
		return read_duid(body, &m->client_id);
	case RP_DHCP6_OPT_SERVERID:
		return read_duid(body, &m->server_id);
	case RP_DHCP6_OPT_IA_NA:
	case RP_DHCP6_OPT_IA_TA:
	case RP_DHCP6_OPT_IA_PD:
		return read_ia(body, code, m);
	case RP_DHCP6_OPT_ORO:
		return read_asked(body, m);
	case RP_DHCP6_OPT_PREFERENCE:
		m->has_preference = true;
		return rp_read_u8(&body, &m->preference);
	case RP_DHCP6_OPT_ELAPSED_TIME:
		m->has_elapsed = true;
		return rp_read_be16(&body, &m->elapsed);
	case RP_DHCP6_OPT_STATUS_CODE:
		return read_status(body, &m->status);
	case RP_DHCP6_OPT_RAPID_COMMIT:
		m->rapid_commit = true;
		return true;
	case RP_DHCP6_OPT_DNS_SERVERS:
		return read_addrs(body, &m->dns);
	case RP_DHCP6_OPT_DOMAIN_LIST:
		return read_names(body, &m->search);
	case RP_DHCP6_OPT_SNTP_SERVERS:
		return read_addrs(body, &m->sntp);
	case RP_DHCP6_OPT_NTP_SERVER:
		return read_ntp(body, &m->ntp);
	default:
		return true;
	}
}

int rp_dhcp6_parse(struct rp_reader r, struct rp_dhcp6 *m)
{
	uint32_t head;

	memset(m, 0, sizeof(*m));
	// Relay messages have a header of their own behind the type, RFC 8415 section 9.
	if (rp_peek(&r, 1) != NULL)
		m->type = *r.pos;
	if (m->type > RP_DHCP6_INFORMATION_REQUEST)
		return -ENOTSUP;
	if (m->type == 0 || !rp_read_be32(&r, &head))
		return -EBADMSG;
	m->xid = head & 0xffffff;
	while (rp_reader_left(&r) > 0) {
		struct rp_reader body;
		uint16_t code;

		if (!next_option(&r, &code, &body) || !read_option(m, code, body))
			return -EBADMSG;
	}
	return 0;
}

/*
 * Writing.
 */

static void write_head(struct rp_writer *w, uint16_t code, size_t len)
{
	rp_write_be16(w, code);
	rp_write_be16(w, (uint16_t)len);
}

// For options with options inside: the length follows when they are written.
static uint8_t *begin_option(struct rp_writer *w, uint16_t code)
{
	rp_write_be16(w, code);
	return (uint8_t *)rp_write(w, 2);
}

static void end_option(struct rp_writer *w, uint8_t *len)
{
	uint16_t be;

	if (w->overflow)
		return;
	be = htobe16((uint16_t)(w->pos - len - 2));
	memcpy(len, &be, sizeof(be));
}

static void write_duid(struct rp_writer *w, uint16_t code, const struct rp_dhcp6_duid *duid)
{
	if (duid->len == 0)
		return;
	write_head(w, code, duid->len);
	rp_write_bytes(w, duid->bytes, duid->len);
}

// RFC 8415 section 21.13: for people to read, UTF-8, without a zero at its end.
static const char *status_text(uint16_t code)
{
	switch (code) {
	case RP_DHCP6_NO_ADDRS_AVAIL:
		return "no address for this IA";
	case RP_DHCP6_NO_BINDING:
		return "nothing is bound to this IA";
	case RP_DHCP6_NOT_ON_LINK:
		return "not an address of this link";
	case RP_DHCP6_USE_MULTICAST:
		return "send it to ff02::1:2";
	case RP_DHCP6_NO_PREFIX_AVAIL:
		return "no prefixes are delegated";
	default:
		return "";
	}
}

static void write_status(struct rp_writer *w, const struct rp_dhcp6_result *status)
{
	const char *text = status_text(status->code);

	if (!status->present)
		return;
	write_head(w, RP_DHCP6_OPT_STATUS_CODE, 2 + strlen(text));
	rp_write_be16(w, status->code);
	rp_write_bytes(w, text, strlen(text));
}

static void write_lease(struct rp_writer *w, uint16_t option, const struct rp_dhcp6_lease *lease)
{
	uint8_t *len = begin_option(w, option);

	if (option == RP_DHCP6_OPT_IAADDR)
		rp_write_bytes(w, lease->addr.bytes, RP_IP6_LEN);
	rp_write_be32(w, lease->preferred);
	rp_write_be32(w, lease->valid);
	if (option == RP_DHCP6_OPT_IAPREFIX) {
		rp_write_u8(w, lease->prefix_len);
		rp_write_bytes(w, lease->addr.bytes, RP_IP6_LEN);
	}
	write_status(w, &lease->status);
	end_option(w, len);
}

static void write_ia(struct rp_writer *w, const struct rp_dhcp6_ia *ia)
{
	uint8_t *len = begin_option(w, ia->option);

	rp_write_be32(w, ia->iaid);
	if (ia->option != RP_DHCP6_OPT_IA_TA) {
		rp_write_be32(w, ia->t1);
		rp_write_be32(w, ia->t2);
	}
	for (uint8_t i = 0; i < ia->n; i++)
		write_lease(w, lease_option(ia->option), &ia->lease[i]);
	write_status(w, &ia->status);
	end_option(w, len);
}

static void write_asked(struct rp_writer *w, const struct rp_dhcp6 *m)
{
	size_t n = 0;

	for (size_t i = 0; i < RTE_DIM(m->asked); i++)
		n += (size_t)__builtin_popcountll(m->asked[i]);
	if (n == 0)
		return;
	write_head(w, RP_DHCP6_OPT_ORO, 2 * n);
	for (uint16_t option = 0; option < RP_DHCP6_ASK_MAX; option++) {
		if (rp_dhcp6_asks_for(m, option))
			rp_write_be16(w, option);
	}
}

static void write_addrs(struct rp_writer *w, uint16_t code, const struct rp_dhcp6_addrs *list)
{
	size_t len = (size_t)list->n * RP_IP6_LEN;

	if (len == 0 || OPTION_HEAD + len > rp_writer_left(w))
		return;
	write_head(w, code, len);
	for (uint8_t i = 0; i < list->n; i++)
		rp_write_bytes(w, list->addr[i].bytes, RP_IP6_LEN);
}

// RFC 5908 section 4: one option a server.
static void write_ntp(struct rp_writer *w, const struct rp_dhcp6_addrs *list)
{
	for (uint8_t i = 0; i < list->n; i++) {
		if (2 * OPTION_HEAD + RP_IP6_LEN > rp_writer_left(w))
			return;
		write_head(w, RP_DHCP6_OPT_NTP_SERVER, OPTION_HEAD + RP_IP6_LEN);
		write_head(w, NTP_SUBOPT_SRV_ADDR, RP_IP6_LEN);
		rp_write_bytes(w, list->addr[i].bytes, RP_IP6_LEN);
	}
}

static void write_names(struct rp_writer *w, const struct rp_dhcp6_names *list)
{
	const char *names[RP_DHCP6_LIST_MAX];
	size_t room = rp_writer_left(w);
	uint8_t *len;
	size_t n;

	for (uint8_t i = 0; i < list->n; i++)
		names[i] = list->name[i];
	n = room > OPTION_HEAD ? rp_dns_names_fit(names, list->n, room - OPTION_HEAD) : 0;
	if (n == 0)
		return;
	len = begin_option(w, RP_DHCP6_OPT_DOMAIN_LIST);
	for (size_t i = 0; i < n; i++)
		rp_dns_name_write(w, names[i]);
	end_option(w, len);
}

void rp_dhcp6_write(struct rp_writer *w, const struct rp_dhcp6 *m)
{
	rp_write_be32(w, (uint32_t)m->type << 24 | (m->xid & 0xffffff));
	write_duid(w, RP_DHCP6_OPT_CLIENTID, &m->client_id);
	write_duid(w, RP_DHCP6_OPT_SERVERID, &m->server_id);
	if (m->has_preference) {
		write_head(w, RP_DHCP6_OPT_PREFERENCE, 1);
		rp_write_u8(w, m->preference);
	}
	if (m->has_elapsed) {
		write_head(w, RP_DHCP6_OPT_ELAPSED_TIME, 2);
		rp_write_be16(w, m->elapsed);
	}
	if (m->rapid_commit)
		write_head(w, RP_DHCP6_OPT_RAPID_COMMIT, 0);
	write_status(w, &m->status);
	for (uint8_t i = 0; i < m->n_ia; i++)
		write_ia(w, &m->ia[i]);
	write_asked(w, m);
	write_addrs(w, RP_DHCP6_OPT_DNS_SERVERS, &m->dns);
	write_ntp(w, &m->ntp);
	write_addrs(w, RP_DHCP6_OPT_SNTP_SERVERS, &m->sntp);
	write_names(w, &m->search);
}

/*
 * The VM's side.
 */

bool rp_create_dhcpv6_message(struct rp_writer *w, const struct rp_dhcpv6_client *client,
			      const struct rp_dhcp6 *m)
{
	bool unicast = client->dst.family != RP_NONE;
	struct rp_frame_head head = {
		.eth_src = client->mac,
		.eth_dst = unicast ? rp_gateway_mac : rp_nd_multicast_mac(&rp_dhcp6_all_servers),
		.src = rp_addr_link_local(&client->mac),
		.dst = unicast ? client->dst : rp_dhcp6_all_servers,
		.ttl = RP_TTL_DEFAULT,
		.proto = IPPROTO_UDP,
		.src_port = RP_DHCP6_CLIENT_PORT,
		.dst_port = RP_DHCP6_SERVER_PORT,
	};
	struct rp_frame_builder b;

	rp_frame_begin(&b, w, &head);
	rp_dhcp6_write(w, m);
	return rp_frame_end(&b);
}

static void client_message(const struct rp_dhcpv6_client *client, enum rp_dhcp6_type type,
			   struct rp_dhcp6 *m)
{
	*m = (struct rp_dhcp6){.type = (uint8_t)type, .xid = client->xid, .has_elapsed = true};
	rp_generate_duid_ll(&client->mac, &m->client_id);
	rp_dhcp6_ask_for(m, RP_DHCP6_OPT_DNS_SERVERS);
	rp_dhcp6_ask_for(m, RP_DHCP6_OPT_DOMAIN_LIST);
	rp_dhcp6_ask_for(m, RP_DHCP6_OPT_SNTP_SERVERS);
	rp_dhcp6_ask_for(m, RP_DHCP6_OPT_NTP_SERVER);
}

bool rp_create_dhcpv6_solicit(struct rp_writer *w, const struct rp_dhcpv6_client *client)
{
	struct rp_dhcp6 m;

	client_message(client, RP_DHCP6_SOLICIT, &m);
	m.rapid_commit = client->rapid_commit;
	m.n_ia = 1;
	m.ia[0] = (struct rp_dhcp6_ia){.option = RP_DHCP6_OPT_IA_NA, .iaid = client->iaid};
	return rp_create_dhcpv6_message(w, client, &m);
}

bool rp_create_dhcpv6_request(struct rp_writer *w, const struct rp_dhcpv6_client *client,
			      enum rp_dhcp6_type type, const struct rp_dhcp6 *answer)
{
	struct rp_dhcp6 m;

	client_message(client, type, &m);
	if (type == RP_DHCP6_RELEASE || type == RP_DHCP6_DECLINE)
		memset(m.asked, 0, sizeof(m.asked));
	if (answer == NULL || type == RP_DHCP6_INFORMATION_REQUEST)
		return rp_create_dhcpv6_message(w, client, &m);
	// RFC 8415 sections 16.5 and 16.7: these two are for any server.
	if (type != RP_DHCP6_CONFIRM && type != RP_DHCP6_REBIND)
		m.server_id = answer->server_id;
	m.n_ia = answer->n_ia;
	memcpy(m.ia, answer->ia, sizeof(m.ia));
	for (uint8_t i = 0; i < m.n_ia; i++)
		m.ia[i].status.present = false;
	return rp_create_dhcpv6_message(w, client, &m);
}

int rp_parse_dhcpv6_response(const void *data, size_t len, struct rp_dhcpv6_response *res)
{
	struct rp_frame *f = &res->frame;

	memset(res, 0, sizeof(*res));
	if (rp_frame_parse(data, len, f) < 0)
		return -EBADMSG;
	if (f->dst.family != RP_IP6 || f->proto != IPPROTO_UDP || f->more_fragments ||
	    f->frag_offset != 0 || f->src_port != RP_DHCP6_SERVER_PORT ||
	    f->dst_port != RP_DHCP6_CLIENT_PORT)
		return -ENOMSG;
	if (!f->l4_checksum_ok || rp_dhcp6_parse(f->payload, &res->msg) < 0)
		return -EBADMSG;
	return 0;
}
