// SPDX-License-Identifier: BSD-3-Clause
#include "harness.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "hex.h"
#include "packet/dhcp6.h"
#include "packet/nd.h"

#define GW_LL	  "fe80000000000000 0000000000000001 "
#define BLUE1_LL  "fe80000000000000 505400fffe000001 "
#define UDP_REPLY "525400000001 020000000001 86dd "
#define CLIENT_ID "0001 000a 0003 0001 525400000001 "
#define SERVER_ID "0002 000a 0003 0001 020000000001 "
#define LEASE                                                                                      \
	"0003 0028 00000007 0000a8c0 00010e00 0005 0018 fd000000000000010000000000000001 "         \
	"00015180 0002a300 "
#define OPTIONS                                                                                    \
	"0017 0010 26064700000000000000000000001111 "                                              \
	"0038 0014 0001 0010 fd000000000000000000000000000123 "                                    \
	"001f 0010 fd000000000000000000000000000123 "                                              \
	"0018 001e 076578616d706c65036f726700 036c6162076578616d706c65036f726700 "

static struct outcome out;
static struct rp_dhcpv6_response res;

static struct rp_addr addr(const char *text)
{
	struct rp_addr a;

	assert_int_equal(rp_addr_parse(text, &a), 0);
	return a;
}

static struct rp_dhcpv6_client client_of(int nic)
{
	return (struct rp_dhcpv6_client){
		.mac = harness_nic(nic)->cfg.mac, .xid = 0x123456, .iaid = 7};
}

// A message with both identifiers and no more; tests take away what they do without.
static struct rp_dhcp6 message(int nic, enum rp_dhcp6_type type)
{
	struct rp_dhcp6 m = {.type = (uint8_t)type, .xid = 0x123456};

	rp_generate_duid_ll(&harness_nic(nic)->cfg.mac, &m.client_id);
	rp_generate_duid_ll(&rp_gateway_mac, &m.server_id);
	return m;
}

static struct rp_dhcp6 multicast_message(int nic, enum rp_dhcp6_type type)
{
	struct rp_dhcp6 m = message(nic, type);

	if (type == RP_DHCP6_SOLICIT || type == RP_DHCP6_CONFIRM || type == RP_DHCP6_REBIND)
		m.server_id.len = 0;
	return m;
}

static struct rp_dhcp6_ia *add_ia(struct rp_dhcp6 *m, uint16_t option, uint32_t iaid,
				  const char *lease)
{
	struct rp_dhcp6_ia *ia = &m->ia[m->n_ia++];

	*ia = (struct rp_dhcp6_ia){.option = option, .iaid = iaid};
	if (lease != NULL)
		ia->lease[ia->n++].addr = addr(lease);
	return ia;
}

static void send_to(int nic, const struct rp_dhcpv6_client *client, const struct rp_dhcp6 *m)
{
	uint8_t frame[2048];
	struct rp_writer w = rp_writer(frame, sizeof(frame));

	assert_true(rp_create_dhcpv6_message(&w, client, m));
	harness_send(nic, frame, rp_writer_len(&w), &out);
	memset(&res, 0, sizeof(res));
	if (out.sent)
		assert_int_equal(rp_parse_dhcpv6_response(out.data, out.len, &res), 0);
}

static void send_message(int nic, const struct rp_dhcp6 *m)
{
	struct rp_dhcpv6_client client = client_of(nic);

	send_to(nic, &client, m);
}

static void assert_answer(int nic, enum rp_dhcp6_type type, enum rp_answer answer)
{
	assert_true(out.sent);
	assert_int_equal(out.port, nic);
	assert_int_equal(out.last, RP_STAGE_dhcp6_reply);
	assert_int_equal(out.counters.answers[answer], 1);
	assert_int_equal(res.msg.type, type);
	assert_int_equal(res.msg.xid, 0x123456);
	assert_int_equal(res.msg.server_id.len, 10);
	assert_true(rp_addr_equal(&res.frame.src, &rp_gateway_ip6));
	assert_true(rp_addr_equal(&res.frame.dst, &harness_nic(nic)->link_local));
	assert_true(rte_is_same_ether_addr(&res.frame.eth_dst, &harness_nic(nic)->cfg.mac));
}

static void assert_reply(int nic)
{
	assert_answer(nic, RP_DHCP6_REPLY, RP_ANSWER_dhcp6_reply);
}

static void assert_dropped(enum rp_drop why)
{
	assert_false(out.sent);
	if (out.drop != why)
		fail_msg("dropped as %s, not as %s",
			 out.drop == RP_DROP_COUNT ? "nothing" : rp_drop_name(out.drop),
			 rp_drop_name(why));
	assert_int_equal(out.last, RP_STAGE_dhcp6_reply);
}

static void assert_lease(const struct rp_dhcp6_ia *ia, uint32_t iaid, const char *text)
{
	struct rp_addr want = addr(text);

	assert_int_equal(ia->option, RP_DHCP6_OPT_IA_NA);
	assert_int_equal(ia->iaid, iaid);
	assert_false(ia->status.present);
	assert_int_equal(ia->t1, 43200);
	assert_int_equal(ia->t2, 69120);
	assert_in_range(ia->n, 1, RP_DHCP6_LEASE_MAX);
	assert_true(rp_addr_equal(&ia->lease[0].addr, &want));
	assert_int_equal(ia->lease[0].preferred, 86400);
	assert_int_equal(ia->lease[0].valid, 172800);
}

static void assert_refused(const struct rp_dhcp6_ia *ia, uint16_t option, uint32_t iaid,
			   uint16_t code)
{
	assert_int_equal(ia->option, option);
	assert_int_equal(ia->iaid, iaid);
	assert_int_equal(ia->n, 0);
	assert_int_equal(ia->t1, 0);
	assert_int_equal(ia->t2, 0);
	assert_true(ia->status.present);
	assert_int_equal(ia->status.code, code);
}

static void solicit_is_answered_by_an_advertise(void **)
{
	struct rp_dhcpv6_client client = client_of(BLUE1);
	uint8_t frame[256];
	struct rp_writer w = rp_writer(frame, sizeof(frame));

	assert_true(rp_create_dhcpv6_solicit(&w, &client));
	harness_send(BLUE1, frame, rp_writer_len(&w), &out);
	assert_int_equal(rp_parse_dhcpv6_response(out.data, out.len, &res), 0);
	assert_answer(BLUE1, RP_DHCP6_ADVERTISE, RP_ANSWER_dhcp6_advertise);
	assert_hex(out.data, out.len,
		   UDP_REPLY "60000000 00bb 11 40 " GW_LL BLUE1_LL "0223 0222 00bb 9cc0 "
			     "02 123456 " CLIENT_ID SERVER_ID "0007 0001 ff " LEASE OPTIONS);
}

static void request_is_answered_by_a_reply(void **)
{
	struct rp_dhcp6 m = multicast_message(BLUE1, RP_DHCP6_REQUEST);

	add_ia(&m, RP_DHCP6_OPT_IA_NA, 7, "fd00:0:0:1::1");
	rp_dhcp6_ask_for(&m, RP_DHCP6_OPT_DNS_SERVERS);
	send_message(BLUE1, &m);
	assert_reply(BLUE1);
	assert_hex(out.data, out.len,
		   UDP_REPLY "60000000 0068 11 40 " GW_LL BLUE1_LL "0223 0222 0068 f7cd "
			     "07 123456 " CLIENT_ID SERVER_ID LEASE
			     "0017 0010 26064700000000000000000000001111 ");
}

static void options_are_sent_when_asked_for(void **)
{
	struct rp_dhcp6 m = multicast_message(BLUE1, RP_DHCP6_RENEW);

	add_ia(&m, RP_DHCP6_OPT_IA_NA, 7, "fd00:0:0:1::1");
	send_message(BLUE1, &m);
	assert_reply(BLUE1);
	assert_int_equal(res.msg.dns.n + res.msg.ntp.n + res.msg.sntp.n + res.msg.search.n, 0);
	rp_dhcp6_ask_for(&m, RP_DHCP6_OPT_NTP_SERVER);
	rp_dhcp6_ask_for(&m, 82); // SOL_MAX_RT: known to clients, not configured here
	send_message(BLUE1, &m);
	assert_int_equal(res.msg.dns.n + res.msg.sntp.n + res.msg.search.n, 0);
	assert_int_equal(res.msg.ntp.n, 1);
	// A network without any: nothing, however much is asked for.
	m = multicast_message(RED1, RP_DHCP6_RENEW);
	add_ia(&m, RP_DHCP6_OPT_IA_NA, 7, "fd00:0:0:1::1");
	m.asked[0] = UINT64_MAX;
	send_message(RED1, &m);
	assert_reply(RED1);
	assert_int_equal(res.msg.dns.n + res.msg.ntp.n + res.msg.sntp.n + res.msg.search.n, 0);
}

static void rapid_commit_is_a_reply_at_once(void **)
{
	struct rp_dhcp6 m = multicast_message(BLUE1, RP_DHCP6_SOLICIT);

	m.rapid_commit = true;
	add_ia(&m, RP_DHCP6_OPT_IA_NA, 7, NULL);
	send_message(BLUE1, &m);
	assert_reply(BLUE1);
	assert_true(res.msg.rapid_commit);
	assert_false(res.msg.has_preference);
	assert_int_equal(res.msg.n_ia, 1);
	assert_lease(&res.msg.ia[0], 7, "fd00:0:0:1::1");
	// With nothing to commit it stays an offer of nothing.
	m = multicast_message(FOUR1, RP_DHCP6_SOLICIT);
	m.rapid_commit = true;
	add_ia(&m, RP_DHCP6_OPT_IA_NA, 7, NULL);
	send_message(FOUR1, &m);
	assert_answer(FOUR1, RP_DHCP6_ADVERTISE, RP_ANSWER_dhcp6_advertise);
	assert_false(res.msg.rapid_commit);
}

static void every_ia_gets_an_answer(void **)
{
	static const enum rp_dhcp6_type types[] = {RP_DHCP6_SOLICIT, RP_DHCP6_REQUEST,
						   RP_DHCP6_RENEW, RP_DHCP6_REBIND};

	for (size_t i = 0; i < RTE_DIM(types); i++) {
		struct rp_dhcp6 m = multicast_message(BLUE1, types[i]);
		bool renew = types[i] == RP_DHCP6_RENEW || types[i] == RP_DHCP6_REBIND;
		uint16_t no_addr = renew ? RP_DHCP6_NO_BINDING : RP_DHCP6_NO_ADDRS_AVAIL;
		uint16_t no_prefix = renew ? RP_DHCP6_NO_BINDING : RP_DHCP6_NO_PREFIX_AVAIL;

		add_ia(&m, RP_DHCP6_OPT_IA_PD, 1, "2001:db8::");
		add_ia(&m, RP_DHCP6_OPT_IA_TA, 2, NULL);
		add_ia(&m, RP_DHCP6_OPT_IA_NA, 3, NULL);
		add_ia(&m, RP_DHCP6_OPT_IA_NA, 4, NULL);
		send_message(BLUE1, &m);
		assert_true(out.sent);
		assert_int_equal(res.msg.n_ia, 4);
		assert_refused(&res.msg.ia[0], RP_DHCP6_OPT_IA_PD, 1, no_prefix);
		assert_refused(&res.msg.ia[1], RP_DHCP6_OPT_IA_TA, 2, no_addr);
		assert_lease(&res.msg.ia[2], 3, "fd00:0:0:1::1");
		assert_refused(&res.msg.ia[3], RP_DHCP6_OPT_IA_NA, 4, no_addr);
		// The IA that holds the address keeps it, wherever it stands.
		m.ia[3].n = 1;
		m.ia[3].lease[0].addr = addr("fd00:0:0:1::1");
		send_message(BLUE1, &m);
		assert_refused(&res.msg.ia[2], RP_DHCP6_OPT_IA_NA, 3, no_addr);
		assert_lease(&res.msg.ia[3], 4, "fd00:0:0:1::1");
	}
}

static void as_many_ias_as_a_message_may_hold_fit_into_the_reply(void **)
{
	struct rp_dhcp6 m = multicast_message(BLUE1, RP_DHCP6_RENEW);

	m.client_id.len = RP_DHCP6_DUID_MAX;
	for (uint32_t i = 0; i < RP_DHCP6_IA_MAX; i++)
		add_ia(&m, RP_DHCP6_OPT_IA_PD, i, NULL);
	m.ia[5].option = RP_DHCP6_OPT_IA_NA;
	m.ia[5].n = RP_DHCP6_LEASE_MAX;
	for (uint8_t i = 0; i < RP_DHCP6_LEASE_MAX; i++)
		m.ia[5].lease[i].addr = addr("fd99::1");
	send_message(BLUE1, &m);
	assert_reply(BLUE1);
	assert_int_equal(res.msg.n_ia, RP_DHCP6_IA_MAX);
	assert_lease(&res.msg.ia[5], 5, "fd00:0:0:1::1");
	assert_in_range(out.len, 0, RTE_ETHER_HDR_LEN + RP_MTU_MIN);
}

static void nic_without_ip6_is_told_so_in_each_ia(void **)
{
	static const struct {
		enum rp_dhcp6_type type;
		uint16_t code;
	} cases[] = {{RP_DHCP6_SOLICIT, RP_DHCP6_NO_ADDRS_AVAIL},
		     {RP_DHCP6_REQUEST, RP_DHCP6_NO_ADDRS_AVAIL},
		     {RP_DHCP6_RENEW, RP_DHCP6_NO_BINDING},
		     {RP_DHCP6_REBIND, RP_DHCP6_NO_BINDING}};

	for (size_t i = 0; i < RTE_DIM(cases); i++) {
		struct rp_dhcp6 m = multicast_message(FOUR1, cases[i].type);

		add_ia(&m, RP_DHCP6_OPT_IA_NA, 9, "fd00:0:0:1::1");
		send_message(FOUR1, &m);
		assert_true(out.sent);
		assert_int_equal(res.msg.n_ia, 1);
		assert_refused(&res.msg.ia[0], RP_DHCP6_OPT_IA_NA, 9, cases[i].code);
		assert_false(res.msg.has_preference);
		assert_false(res.msg.status.present);
	}
}

static void request_for_an_address_of_another_link_is_refused(void **)
{
	struct rp_dhcp6 m = multicast_message(BLUE1, RP_DHCP6_REQUEST);

	add_ia(&m, RP_DHCP6_OPT_IA_NA, 7, "fd99::1");
	send_message(BLUE1, &m);
	assert_reply(BLUE1);
	assert_refused(&res.msg.ia[0], RP_DHCP6_OPT_IA_NA, 7, RP_DHCP6_NOT_ON_LINK);
	// In a SOLICIT it is a wish.
	m = multicast_message(BLUE1, RP_DHCP6_SOLICIT);
	add_ia(&m, RP_DHCP6_OPT_IA_NA, 7, "fd99::1");
	send_message(BLUE1, &m);
	assert_int_equal(res.msg.ia[0].n, 1);
	assert_lease(&res.msg.ia[0], 7, "fd00:0:0:1::1");
}

static void renewed_old_address_is_sent_back_without_lifetime(void **)
{
	struct rp_addr old = addr("fd99::1");
	struct rp_dhcp6 m = multicast_message(BLUE1, RP_DHCP6_REBIND);

	add_ia(&m, RP_DHCP6_OPT_IA_NA, 7, "fd99::1");
	send_message(BLUE1, &m);
	assert_reply(BLUE1);
	assert_lease(&res.msg.ia[0], 7, "fd00:0:0:1::1");
	assert_int_equal(res.msg.ia[0].n, 2);
	assert_true(rp_addr_equal(&res.msg.ia[0].lease[1].addr, &old));
	assert_int_equal(res.msg.ia[0].lease[1].preferred, 0);
	assert_int_equal(res.msg.ia[0].lease[1].valid, 0);
}

static void confirm_judges_the_addresses(void **)
{
	struct rp_dhcp6 m = multicast_message(BLUE1, RP_DHCP6_CONFIRM);

	add_ia(&m, RP_DHCP6_OPT_IA_NA, 7, "fd00:0:0:1::1");
	rp_dhcp6_ask_for(&m, RP_DHCP6_OPT_DNS_SERVERS);
	send_message(BLUE1, &m);
	assert_reply(BLUE1);
	assert_hex(out.data, out.len,
		   UDP_REPLY "60000000 002e 11 40 " GW_LL BLUE1_LL "0223 0222 002e 1f09 "
			     "07 123456 " CLIENT_ID SERVER_ID "000d 0002 0000");
	add_ia(&m, RP_DHCP6_OPT_IA_TA, 8, "fd00:0:0:1::2");
	send_message(BLUE1, &m);
	assert_reply(BLUE1);
	assert_true(res.msg.status.present);
	assert_int_equal(res.msg.status.code, RP_DHCP6_NOT_ON_LINK);
	assert_int_equal(res.msg.n_ia, 0);
	// RFC 8415 section 18.3.3: without an address no reply.
	m = multicast_message(BLUE1, RP_DHCP6_CONFIRM);
	add_ia(&m, RP_DHCP6_OPT_IA_NA, 7, NULL);
	add_ia(&m, RP_DHCP6_OPT_IA_PD, 7, "2001:db8::");
	send_message(BLUE1, &m);
	assert_dropped(RP_DROP_dhcp6_ignored);
	m = multicast_message(FOUR1, RP_DHCP6_CONFIRM);
	add_ia(&m, RP_DHCP6_OPT_IA_NA, 7, "fd00:0:0:1::1");
	send_message(FOUR1, &m);
	assert_int_equal(res.msg.status.code, RP_DHCP6_NOT_ON_LINK);
}

static void release_and_decline_are_acknowledged(void **)
{
	static const struct {
		enum rp_dhcp6_type type;
		enum rp_answer answer;
	} cases[] = {{RP_DHCP6_RELEASE, RP_ANSWER_dhcp6_release},
		     {RP_DHCP6_DECLINE, RP_ANSWER_dhcp6_decline}};

	for (size_t i = 0; i < RTE_DIM(cases); i++) {
		struct rp_dhcp6 m = multicast_message(BLUE1, cases[i].type);

		add_ia(&m, RP_DHCP6_OPT_IA_NA, 7, "fd00:0:0:1::1");
		send_message(BLUE1, &m);
		assert_answer(BLUE1, RP_DHCP6_REPLY, cases[i].answer);
		assert_true(res.msg.status.present);
		assert_int_equal(res.msg.status.code, RP_DHCP6_SUCCESS);
		assert_int_equal(res.msg.n_ia, 0);
		add_ia(&m, RP_DHCP6_OPT_IA_NA, 8, "fd99::1");
		add_ia(&m, RP_DHCP6_OPT_IA_PD, 9, NULL);
		send_message(BLUE1, &m);
		assert_int_equal(res.msg.status.code, RP_DHCP6_SUCCESS);
		assert_int_equal(res.msg.n_ia, 2);
		assert_refused(&res.msg.ia[0], RP_DHCP6_OPT_IA_NA, 8, RP_DHCP6_NO_BINDING);
		assert_refused(&res.msg.ia[1], RP_DHCP6_OPT_IA_PD, 9, RP_DHCP6_NO_BINDING);
	}
}

static void information_request_needs_no_identifier(void **)
{
	struct rp_dhcp6 m = message(BLUE1, RP_DHCP6_INFORMATION_REQUEST);

	m.asked[0] = UINT64_MAX;
	send_message(BLUE1, &m);
	assert_reply(BLUE1);
	assert_int_equal(res.msg.client_id.len, 10);
	m.client_id.len = 0;
	m.server_id.len = 0;
	send_message(BLUE1, &m);
	assert_reply(BLUE1);
	assert_hex(out.data, out.len,
		   UDP_REPLY "60000000 007c 11 40 " GW_LL BLUE1_LL "0223 0222 007c e4f0 "
			     "07 123456 " SERVER_ID OPTIONS);
}

static void identifiers_are_required_as_the_message_wants(void **)
{
	static const struct {
		enum rp_dhcp6_type type;
		bool client, server;
		enum rp_drop why; // RP_DROP_COUNT: answered
	} cases[] = {
		{RP_DHCP6_SOLICIT, true, false, RP_DROP_COUNT},
		{RP_DHCP6_SOLICIT, false, false, RP_DROP_dhcp6_invalid},
		{RP_DHCP6_SOLICIT, true, true, RP_DROP_dhcp6_invalid},
		{RP_DHCP6_REQUEST, true, true, RP_DROP_COUNT},
		{RP_DHCP6_REQUEST, true, false, RP_DROP_dhcp6_invalid},
		{RP_DHCP6_REQUEST, false, true, RP_DROP_dhcp6_invalid},
		{RP_DHCP6_CONFIRM, false, false, RP_DROP_dhcp6_invalid},
		{RP_DHCP6_CONFIRM, true, true, RP_DROP_dhcp6_invalid},
		{RP_DHCP6_RENEW, true, true, RP_DROP_COUNT},
		{RP_DHCP6_RENEW, true, false, RP_DROP_dhcp6_invalid},
		{RP_DHCP6_RENEW, false, true, RP_DROP_dhcp6_invalid},
		{RP_DHCP6_REBIND, true, false, RP_DROP_COUNT},
		{RP_DHCP6_REBIND, false, false, RP_DROP_dhcp6_invalid},
		{RP_DHCP6_REBIND, true, true, RP_DROP_dhcp6_invalid},
		{RP_DHCP6_RELEASE, true, true, RP_DROP_COUNT},
		{RP_DHCP6_RELEASE, true, false, RP_DROP_dhcp6_invalid},
		{RP_DHCP6_RELEASE, false, true, RP_DROP_dhcp6_invalid},
		{RP_DHCP6_DECLINE, true, true, RP_DROP_COUNT},
		{RP_DHCP6_DECLINE, true, false, RP_DROP_dhcp6_invalid},
		{RP_DHCP6_DECLINE, false, true, RP_DROP_dhcp6_invalid},
		{RP_DHCP6_ADVERTISE, true, true, RP_DROP_dhcp6_ignored},
		{RP_DHCP6_REPLY, true, true, RP_DROP_dhcp6_ignored},
		{RP_DHCP6_RECONFIGURE, true, true, RP_DROP_dhcp6_ignored},
	};

	for (size_t i = 0; i < RTE_DIM(cases); i++) {
		struct rp_dhcp6 m = message(BLUE1, cases[i].type);

		if (!cases[i].client)
			m.client_id.len = 0;
		if (!cases[i].server)
			m.server_id.len = 0;
		add_ia(&m, RP_DHCP6_OPT_IA_NA, 7, "fd00:0:0:1::1");
		send_message(BLUE1, &m);
		if (out.drop != cases[i].why)
			fail_msg("case %zu: %s", i, out.sent ? "answered" : rp_drop_name(out.drop));
	}
}

static void information_request_with_an_ia_is_invalid(void **)
{
	struct rp_dhcp6 m = message(BLUE1, RP_DHCP6_INFORMATION_REQUEST);

	add_ia(&m, RP_DHCP6_OPT_IA_NA, 7, NULL);
	send_message(BLUE1, &m);
	assert_dropped(RP_DROP_dhcp6_invalid);
}

static void message_for_another_server_is_ignored(void **)
{
	static const enum rp_dhcp6_type types[] = {RP_DHCP6_REQUEST, RP_DHCP6_RENEW,
						   RP_DHCP6_RELEASE, RP_DHCP6_DECLINE,
						   RP_DHCP6_INFORMATION_REQUEST};

	for (size_t i = 0; i < RTE_DIM(types); i++) {
		struct rp_dhcp6 m = message(BLUE1, types[i]);

		m.server_id.bytes[9]++;
		send_message(BLUE1, &m);
		assert_dropped(RP_DROP_dhcp6_other_server);
	}
}

static void unicast_is_told_to_use_multicast_or_discarded(void **)
{
	static const enum rp_dhcp6_type told[] = {RP_DHCP6_REQUEST, RP_DHCP6_RENEW,
						  RP_DHCP6_RELEASE, RP_DHCP6_DECLINE};
	static const enum rp_dhcp6_type never[] = {RP_DHCP6_SOLICIT, RP_DHCP6_CONFIRM,
						   RP_DHCP6_REBIND};
	struct rp_dhcpv6_client client = client_of(BLUE1);
	struct rp_dhcp6 m;

	client.dst = rp_gateway_ip6;
	for (size_t i = 0; i < RTE_DIM(told); i++) {
		m = message(BLUE1, told[i]);
		m.asked[0] = UINT64_MAX;
		add_ia(&m, RP_DHCP6_OPT_IA_NA, 7, "fd00:0:0:1::1");
		send_to(BLUE1, &client, &m);
		assert_true(out.sent);
		assert_int_equal(res.msg.type, RP_DHCP6_REPLY);
		assert_int_equal(res.msg.client_id.len, 10);
		assert_int_equal(res.msg.server_id.len, 10);
		assert_true(res.msg.status.present);
		assert_int_equal(res.msg.status.code, RP_DHCP6_USE_MULTICAST);
		assert_int_equal(res.msg.n_ia, 0);
		assert_int_equal(res.msg.dns.n, 0);
	}
	for (size_t i = 0; i < RTE_DIM(never); i++) {
		m = multicast_message(BLUE1, never[i]);
		send_to(BLUE1, &client, &m);
		assert_dropped(RP_DROP_dhcp6_unicast);
	}
	m = message(BLUE1, RP_DHCP6_INFORMATION_REQUEST);
	send_to(BLUE1, &client, &m);
	assert_dropped(RP_DROP_dhcp6_unicast);
}

// A UDP payload given as text, or any lie about its length.
static void send_bytes(const char *text, int udp_len)
{
	uint8_t frame[256], body[128];
	struct rp_writer w = rp_writer(frame, sizeof(frame));
	size_t len = hex_bytes(text, body, sizeof(body));
	struct rp_frame_head head = {
		.eth_src = harness_nic(BLUE1)->cfg.mac,
		.eth_dst = rp_nd_multicast_mac(&rp_dhcp6_all_servers),
		.src = harness_nic(BLUE1)->link_local,
		.dst = rp_dhcp6_all_servers,
		.ttl = 1,
		.proto = IPPROTO_UDP,
		.src_port = RP_DHCP6_CLIENT_PORT,
		.dst_port = RP_DHCP6_SERVER_PORT,
	};
	struct rp_frame_builder b;

	rp_frame_begin(&b, &w, &head);
	rp_write_bytes(&w, body, len);
	assert_true(rp_frame_end(&b));
	if (udp_len >= 0)
		frame[14 + 40 + 5] = (uint8_t)udp_len;
	harness_send(BLUE1, frame, rp_writer_len(&w), &out);
}

static void malformed_messages_are_dropped_by_name(void **)
{
	send_bytes("", -1);
	assert_dropped(RP_DROP_dhcp6_malformed);
	send_bytes("01 0000", -1);
	assert_dropped(RP_DROP_dhcp6_malformed);
	send_bytes("01 000001 0001 000b 0003", -1);
	assert_dropped(RP_DROP_dhcp6_malformed);
	send_bytes("00 000001", -1);
	assert_dropped(RP_DROP_dhcp6_malformed);
	send_bytes("0c 00 20010db8000000000000000000000001" BLUE1_LL "0009 0004 01000001", -1);
	assert_dropped(RP_DROP_dhcp6_relay);
	send_bytes("0d", -1);
	assert_dropped(RP_DROP_dhcp6_relay);
	send_bytes("24 000001", -1);
	assert_dropped(RP_DROP_dhcp6_ignored);
	send_bytes("01 000001", 7); // shorter than its header
	assert_dropped(RP_DROP_l4_malformed);
	send_bytes("01 000001", 13); // longer than the packet
	assert_dropped(RP_DROP_l4_malformed);
	send_bytes("01 000001", 11); // fits, but then the checksum does not
	assert_dropped(RP_DROP_l4_bad_checksum);
}

static void checksum_left_to_the_device_is_no_error(void **)
{
	struct rp_dhcpv6_client client = client_of(BLUE1);
	uint8_t frame[256];
	struct rp_writer w = rp_writer(frame, sizeof(frame));

	assert_true(rp_create_dhcpv6_solicit(&w, &client));
	frame[14 + 40 + 6] ^= 1;
	harness_send(BLUE1, frame, rp_writer_len(&w), &out);
	assert_dropped(RP_DROP_l4_bad_checksum);
	harness_send_flags(BLUE1, frame, rp_writer_len(&w), RTE_MBUF_F_RX_L4_CKSUM_NONE, &out);
	assert_true(out.sent);
	// RFC 8200 section 8.1: no checksum at all is one over IPv6.
	frame[14 + 40 + 6] = frame[14 + 40 + 7] = 0;
	harness_send(BLUE1, frame, rp_writer_len(&w), &out);
	assert_dropped(RP_DROP_l4_bad_checksum);
}

static void any_cut_of_a_message_is_survived(void **)
{
	struct rp_dhcp6 m = multicast_message(BLUE1, RP_DHCP6_REQUEST);
	uint8_t payload[256];
	struct rp_writer w = rp_writer(payload, sizeof(payload));
	char text[2 * sizeof(payload) + 1];

	add_ia(&m, RP_DHCP6_OPT_IA_NA, 7, "fd00:0:0:1::1");
	rp_dhcp6_ask_for(&m, RP_DHCP6_OPT_DNS_SERVERS);
	rp_dhcp6_write(&w, &m);
	for (size_t i = 0; i < rp_writer_len(&w); i++)
		snprintf(text + 2 * i, 3, "%02x", payload[i]);
	for (size_t len = rp_writer_len(&w) - 1; len > 0; len--) {
		text[2 * len] = '\0';
		send_bytes(text, -1);
		// A cut between two options leaves a message that is short of something, or whole.
		if (!out.sent)
			assert_true(out.drop == RP_DROP_dhcp6_malformed ||
				    out.drop == RP_DROP_dhcp6_invalid);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(solicit_is_answered_by_an_advertise),
		cmocka_unit_test(request_is_answered_by_a_reply),
		cmocka_unit_test(options_are_sent_when_asked_for),
		cmocka_unit_test(rapid_commit_is_a_reply_at_once),
		cmocka_unit_test(every_ia_gets_an_answer),
		cmocka_unit_test(as_many_ias_as_a_message_may_hold_fit_into_the_reply),
		cmocka_unit_test(nic_without_ip6_is_told_so_in_each_ia),
		cmocka_unit_test(request_for_an_address_of_another_link_is_refused),
		cmocka_unit_test(renewed_old_address_is_sent_back_without_lifetime),
		cmocka_unit_test(confirm_judges_the_addresses),
		cmocka_unit_test(release_and_decline_are_acknowledged),
		cmocka_unit_test(information_request_needs_no_identifier),
		cmocka_unit_test(identifiers_are_required_as_the_message_wants),
		cmocka_unit_test(information_request_with_an_ia_is_invalid),
		cmocka_unit_test(message_for_another_server_is_ignored),
		cmocka_unit_test(unicast_is_told_to_use_multicast_or_discarded),
		cmocka_unit_test(malformed_messages_are_dropped_by_name),
		cmocka_unit_test(checksum_left_to_the_device_is_no_error),
		cmocka_unit_test(any_cut_of_a_message_is_survived),
	};

	return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
