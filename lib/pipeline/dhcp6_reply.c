// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <netinet/in.h>

#include "packet/dhcp6.h"
#include "pipeline/local.h"

/*
 * dhcp6_reply: the DHCPv6 server of each NIC, RFC 8415 section 18.3. It keeps no leases: a NIC has
 * one address for good, so every answer follows from the view and the message alone.
 *
 * The address goes to one IA_NA of a message: the one that names it, or else the first. All other
 * IAs are answered with a status that says that there is nothing for them.
 */

static_assert(RP_DNS_MAX <= RP_DHCP6_LIST_MAX && RP_NTP_MAX <= RP_DHCP6_LIST_MAX &&
		      RP_SEARCH_MAX + 1 <= RP_DHCP6_LIST_MAX,
	      "a network's lists fit into a message");
static_assert(RP_DOMAIN_MAX == RP_DNS_NAME_STR, "one size for all names");

enum presence { NEVER, MAY, MUST };

// RFC 8415 sections 16.2 to 16.12: what a message must have to be taken up.
static const struct {
	bool known; // comes from clients
	enum presence client_id;
	enum presence server_id; // which is then to be ours
	enum presence ia;
	bool unicast; // is told to use multicast; others are discarded
} rules[] = {
	[RP_DHCP6_SOLICIT] = {true, MUST, NEVER, MAY, false},
	[RP_DHCP6_REQUEST] = {true, MUST, MUST, MAY, true},
	[RP_DHCP6_CONFIRM] = {true, MUST, NEVER, MAY, false},
	[RP_DHCP6_RENEW] = {true, MUST, MUST, MAY, true},
	[RP_DHCP6_REBIND] = {true, MUST, NEVER, MAY, false},
	[RP_DHCP6_RELEASE] = {true, MUST, MUST, MAY, true},
	[RP_DHCP6_DECLINE] = {true, MUST, MUST, MAY, true},
	[RP_DHCP6_INFORMATION_REQUEST] = {true, MAY, MAY, NEVER, false},
};

static bool allows(enum presence rule, bool present)
{
	return present ? rule != NEVER : rule != MUST;
}

// Read and judge the message: a reason to drop it, or RP_DROP_COUNT for none.
static enum rp_drop take_up(struct rp_packet *p, const struct rp_dhcp6_duid *server,
			    struct rp_dhcp6 *m)
{
	struct rp_reader payload;
	enum rp_drop why = rp_local_udp(p, &payload);
	int rc;

	if (why != RP_DROP_COUNT)
		return why;
	rc = rp_dhcp6_parse(payload, m);
	if (m->type == RP_DHCP6_RELAY_FORW || m->type == RP_DHCP6_RELAY_REPL)
		return RP_DROP_dhcp6_relay;
	if (rc == -ENOTSUP || (rc == 0 && !rules[m->type].known))
		return RP_DROP_dhcp6_ignored;
	if (rc < 0)
		return RP_DROP_dhcp6_malformed;
	if (!allows(rules[m->type].client_id, m->client_id.len > 0) ||
	    !allows(rules[m->type].server_id, m->server_id.len > 0) ||
	    !allows(rules[m->type].ia, m->n_ia > 0))
		return RP_DROP_dhcp6_invalid;
	if (m->server_id.len > 0 && !rp_dhcp6_duid_equal(&m->server_id, server))
		return RP_DROP_dhcp6_other_server;
	if (!rp_addr_is_multicast(&p->dst) && !rules[m->type].unicast)
		return RP_DROP_dhcp6_unicast;
	return RP_DROP_COUNT;
}

static bool names(const struct rp_dhcp6_ia *ia, const struct rp_addr *addr)
{
	for (uint8_t i = 0; i < ia->n; i++) {
		if (ia->option == RP_DHCP6_OPT_IA_NA && rp_addr_equal(&ia->lease[i].addr, addr))
			return true;
	}
	return false;
}

// The IA that the NIC's address belongs to; NULL where there is none, or no address.
static const struct rp_dhcp6_ia *holder(const struct rp_dhcp6 *m, const struct rp_addr *addr)
{
	const struct rp_dhcp6_ia *first = NULL;

	if (addr->family == RP_NONE)
		return NULL;
	for (uint8_t i = 0; i < m->n_ia; i++) {
		if (names(&m->ia[i], addr))
			return &m->ia[i];
		if (m->ia[i].option == RP_DHCP6_OPT_IA_NA && first == NULL)
			first = &m->ia[i];
	}
	return first;
}

static struct rp_dhcp6_ia *add_ia(struct rp_dhcp6 *out, const struct rp_dhcp6_ia *asked)
{
	struct rp_dhcp6_ia *ia = &out->ia[out->n_ia++];

	ia->option = asked->option;
	ia->iaid = asked->iaid;
	return ia;
}

static void refuse(struct rp_dhcp6_ia *ia, enum rp_dhcp6_status code)
{
	ia->status = (struct rp_dhcp6_result){.present = true, .code = (uint16_t)code};
}

static bool renewing(const struct rp_dhcp6 *in)
{
	return in->type == RP_DHCP6_RENEW || in->type == RP_DHCP6_REBIND;
}

static void grant(struct rp_dhcp6_ia *ia, const struct rp_dhcp6_ia *asked,
		  const struct rp_dhcp6 *in, const struct rp_addr *addr)
{
	ia->t1 = RP_DHCP6_T1;
	ia->t2 = RP_DHCP6_T2;
	ia->n = 1;
	ia->lease[0] = (struct rp_dhcp6_lease){
		.addr = *addr,
		.preferred = RP_DHCP6_PREFERRED,
		.valid = RP_DHCP6_VALID,
	};
	// Sections 18.3.4 and 18.3.5: addresses that are wrong here are sent back without lifetime.
	for (uint8_t i = 0; renewing(in) && i < asked->n && ia->n < RP_DHCP6_LEASE_MAX; i++) {
		if (!rp_addr_equal(&asked->lease[i].addr, addr))
			ia->lease[ia->n++].addr = asked->lease[i].addr;
	}
}

// Section 18.3.2: a REQUEST for an address of some other link is sent back to where it began.
static bool off_link(const struct rp_dhcp6 *in, const struct rp_dhcp6_ia *ia,
		     const struct rp_addr *addr)
{
	for (uint8_t i = 0; in->type == RP_DHCP6_REQUEST && i < ia->n; i++) {
		if (!rp_addr_equal(&ia->lease[i].addr, addr))
			return true;
	}
	return false;
}

static enum rp_dhcp6_status nothing(const struct rp_dhcp6 *in, const struct rp_dhcp6_ia *ia)
{
	if (renewing(in))
		return RP_DHCP6_NO_BINDING;
	return ia->option == RP_DHCP6_OPT_IA_PD ? RP_DHCP6_NO_PREFIX_AVAIL
						: RP_DHCP6_NO_ADDRS_AVAIL;
}

// Every IA that the client sent gets an answer; true where one of them gets the address.
static bool answer_ias(const struct rp_dhcp6 *in, const struct rp_addr *addr, struct rp_dhcp6 *out)
{
	const struct rp_dhcp6_ia *mine = holder(in, addr);

	for (uint8_t i = 0; i < in->n_ia; i++) {
		const struct rp_dhcp6_ia *asked = &in->ia[i];
		struct rp_dhcp6_ia *ia = add_ia(out, asked);

		if (asked != mine)
			refuse(ia, nothing(in, asked));
		else if (off_link(in, asked, addr))
			refuse(ia, RP_DHCP6_NOT_ON_LINK);
		else
			grant(ia, asked, in, addr);
	}
	return mine != NULL;
}

static void fill_addrs(struct rp_dhcp6_addrs *to, const struct rp_addr_list *from)
{
	for (uint8_t i = 0; i < from->n; i++) {
		if (from->addr[i].family == RP_IP6)
			to->addr[to->n++] = from->addr[i];
	}
}

// Configuration goes out only when asked for, section 18.3.9.
static void fill_options(const struct rp_dhcp6 *in, const struct rp_network_config *net,
			 struct rp_dhcp6 *out)
{
	const char *search[RP_SEARCH_MAX + 1];

	if (rp_dhcp6_asks_for(in, RP_DHCP6_OPT_DNS_SERVERS))
		fill_addrs(&out->dns, &net->dns);
	if (rp_dhcp6_asks_for(in, RP_DHCP6_OPT_NTP_SERVER))
		fill_addrs(&out->ntp, &net->ntp);
	if (rp_dhcp6_asks_for(in, RP_DHCP6_OPT_SNTP_SERVERS))
		fill_addrs(&out->sntp, &net->ntp);
	if (!rp_dhcp6_asks_for(in, RP_DHCP6_OPT_DOMAIN_LIST))
		return;
	out->search.n = (uint8_t)rp_network_search(net, search);
	for (uint8_t i = 0; i < out->search.n; i++)
		memcpy(out->search.name[i], search[i], RP_DOMAIN_MAX);
}

// Section 18.3.3: false where there is no address to judge, and so nothing to say.
static bool confirm(const struct rp_dhcp6 *in, const struct rp_addr *addr, struct rp_dhcp6 *out)
{
	unsigned int seen = 0;

	out->status = (struct rp_dhcp6_result){.present = true, .code = RP_DHCP6_SUCCESS};
	for (uint8_t i = 0; i < in->n_ia; i++) {
		if (in->ia[i].option == RP_DHCP6_OPT_IA_PD)
			continue;
		for (uint8_t j = 0; j < in->ia[i].n; j++) {
			seen++;
			if (!rp_addr_equal(&in->ia[i].lease[j].addr, addr))
				out->status.code = RP_DHCP6_NOT_ON_LINK;
		}
	}
	return seen > 0;
}

// Sections 18.3.7 and 18.3.8: acknowledged; the address stays the NIC's whatever its guest does.
static void give_back(const struct rp_dhcp6 *in, const struct rp_addr *addr, struct rp_dhcp6 *out)
{
	out->status = (struct rp_dhcp6_result){.present = true, .code = RP_DHCP6_SUCCESS};
	for (uint8_t i = 0; i < in->n_ia; i++) {
		if (!names(&in->ia[i], addr))
			refuse(add_ia(out, &in->ia[i]), RP_DHCP6_NO_BINDING);
	}
}

static void solicit(const struct rp_dhcp6 *in, const struct rp_nic_view *nic, struct rp_dhcp6 *out)
{
	bool given = answer_ias(in, &nic->cfg.ip6, out);

	fill_options(in, &nic->net->cfg, out);
	// Section 18.3.1. Without an address nothing is committed.
	out->rapid_commit = in->rapid_commit && given;
	if (out->rapid_commit)
		return;
	out->type = RP_DHCP6_ADVERTISE;
	// There is no other server: the client need not wait a second for one (section 18.2.1).
	out->has_preference = given;
	out->preference = UINT8_MAX;
}

// Fill in the answer to a message that was taken up; false where there is none.
static bool answer(const struct rp_packet *p, const struct rp_dhcp6 *in, struct rp_dhcp6 *out)
{
	const struct rp_addr *addr = &p->nic->cfg.ip6;

	// Section 18.4: nobody was sent a Server Unicast option.
	if (!rp_addr_is_multicast(&p->dst)) {
		out->status = (struct rp_dhcp6_result){true, RP_DHCP6_USE_MULTICAST};
		return true;
	}
	switch (in->type) {
	case RP_DHCP6_SOLICIT:
		solicit(in, p->nic, out);
		return true;
	case RP_DHCP6_CONFIRM:
		return confirm(in, addr, out);
	case RP_DHCP6_RELEASE:
	case RP_DHCP6_DECLINE:
		give_back(in, addr, out);
		return true;
	default: // REQUEST, RENEW, REBIND; INFORMATION-REQUEST has no IAs
		answer_ias(in, addr, out);
		fill_options(in, &p->nic->net->cfg, out);
		return true;
	}
}

static enum rp_answer counted_as(const struct rp_dhcp6 *in, const struct rp_dhcp6 *out)
{
	if (in->type == RP_DHCP6_RELEASE)
		return RP_ANSWER_dhcp6_release;
	if (in->type == RP_DHCP6_DECLINE)
		return RP_ANSWER_dhcp6_decline;
	return out->type == RP_DHCP6_ADVERTISE ? RP_ANSWER_dhcp6_advertise : RP_ANSWER_dhcp6_reply;
}

enum rp_stage rp_stage_dhcp6_reply(struct rp_packet *p)
{
	struct rp_frame_head head = {
		.eth_src = rp_gateway_mac,
		.eth_dst = *rp_packet_peer_mac(p),
		.src = rp_gateway_ip6,
		.dst = p->src,
		.ttl = RP_TTL_DEFAULT,
		.proto = IPPROTO_UDP,
		.src_port = RP_DHCP6_SERVER_PORT,
		.dst_port = RP_DHCP6_CLIENT_PORT,
	};
	struct rp_dhcp6 in, out = {.type = RP_DHCP6_REPLY};
	struct rp_writer w = rp_packet_writer(p);
	struct rp_frame_builder b;
	enum rp_drop why;

	rp_generate_duid_ll(&rp_gateway_mac, &out.server_id);
	why = take_up(p, &out.server_id, &in);
	if (why != RP_DROP_COUNT)
		return rp_drop(why);
	out.xid = in.xid;
	out.client_id = in.client_id;
	if (!answer(p, &in, &out))
		return rp_drop(RP_DROP_dhcp6_ignored);
	rp_frame_begin(&b, &w, &head);
	rp_dhcp6_write(&w, &out);
	rp_frame_end(&b);
	rp_packet_answered(p, counted_as(&in, &out));
	return rp_packet_reply(p, &w);
}
