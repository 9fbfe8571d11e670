// SPDX-License-Identifier: BSD-3-Clause
#include "packet/dhcp6.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "hex.h"
#include "packet/nd.h"

#define VM_LL	  "fe80000000000000 505400fffe123401 "
#define CLIENT_ID "0001 000a 0003 0001 525400123401 "
#define SERVER_ID "0002 000a 0003 0001 020000000001 "
#define ADDR	  "fd000000000000000000000000000005 "

static const struct rp_dhcpv6_client client = {
	.mac = {{0x52, 0x54, 0x00, 0x12, 0x34, 0x01}},
	.xid = 0x0a0b0c,
	.iaid = 0x01020304,
};

static struct rp_addr addr(const char *text)
{
	struct rp_addr a;

	assert_int_equal(rp_addr_parse(text, &a), 0);
	return a;
}

static int parse(const char *text, struct rp_dhcp6 *m)
{
	uint8_t buf[2048];
	size_t len = hex_bytes(text, buf, sizeof(buf));

	return rp_dhcp6_parse(rp_reader(buf, len), m);
}

// What a server hands out: one IA_NA and all the configuration there is.
static struct rp_dhcp6 full_reply(void)
{
	struct rp_dhcp6 m = {
		.type = RP_DHCP6_REPLY,
		.xid = 0x0a0b0c,
		.rapid_commit = true,
		.n_ia = 1,
		.ia[0] = {.option = RP_DHCP6_OPT_IA_NA,
			  .iaid = 0x01020304,
			  .t1 = 43200,
			  .t2 = 69120,
			  .n = 1,
			  .lease[0] = {addr("fd00::5"), 0, 86400, 172800, {0}}},
		.dns = {2, {addr("2001:db8::53"), addr("fd00::53")}},
		.ntp = {2, {addr("fd00::123"), addr("fd00::124")}},
		.sntp = {1, {addr("fd00::123")}},
		.search = {2, {"example.org", "a.b"}},
	};

	rp_generate_duid_ll(&client.mac, &m.client_id);
	rp_generate_duid_ll(&rp_gateway_mac, &m.server_id);
	return m;
}

static const char full_reply_bytes[] =
	"07 0a0b0c " CLIENT_ID SERVER_ID "000e 0000 "
	"0003 0028 01020304 0000a8c0 00010e00 0005 0018 " ADDR "00015180 0002a300 "
	"0017 0020 20010db8000000000000000000000053 fd000000000000000000000000000053 "
	"0038 0014 0001 0010 fd000000000000000000000000000123 "
	"0038 0014 0001 0010 fd000000000000000000000000000124 "
	"001f 0010 fd000000000000000000000000000123 "
	"0018 0012 07 6578616d706c65 03 6f7267 00 01 61 01 62 00";

static void reply_bytes(void **)
{
	struct rp_dhcp6 m = full_reply();
	uint8_t buf[512];
	struct rp_writer w = rp_writer(buf, sizeof(buf));

	rp_dhcp6_write(&w, &m);
	assert_false(w.overflow);
	assert_hex(buf, rp_writer_len(&w), full_reply_bytes);
}

static void reply_is_parsed_to_the_same_values(void **)
{
	struct rp_dhcp6 want = full_reply(), m;

	assert_int_equal(parse(full_reply_bytes, &m), 0);
	assert_int_equal(m.type, want.type);
	assert_int_equal(m.xid, want.xid);
	assert_true(rp_dhcp6_duid_equal(&m.client_id, &want.client_id));
	assert_true(rp_dhcp6_duid_equal(&m.server_id, &want.server_id));
	assert_false(rp_dhcp6_duid_equal(&m.server_id, &want.client_id));
	assert_true(m.rapid_commit);
	assert_false(m.status.present);
	assert_int_equal(m.n_ia, 1);
	assert_int_equal(m.ia[0].option, RP_DHCP6_OPT_IA_NA);
	assert_int_equal(m.ia[0].iaid, 0x01020304);
	assert_int_equal(m.ia[0].t1, 43200);
	assert_int_equal(m.ia[0].t2, 69120);
	assert_int_equal(m.ia[0].n, 1);
	assert_true(rp_addr_equal(&m.ia[0].lease[0].addr, &want.ia[0].lease[0].addr));
	assert_int_equal(m.ia[0].lease[0].preferred, 86400);
	assert_int_equal(m.ia[0].lease[0].valid, 172800);
	assert_int_equal(m.dns.n, 2);
	assert_true(rp_addr_equal(&m.dns.addr[1], &want.dns.addr[1]));
	assert_int_equal(m.ntp.n, 2);
	assert_true(rp_addr_equal(&m.ntp.addr[1], &want.ntp.addr[1]));
	assert_int_equal(m.sntp.n, 1);
	assert_int_equal(m.search.n, 2);
	assert_string_equal(m.search.name[0], "example.org");
	assert_string_equal(m.search.name[1], "a.b");
}

static void status_codes_have_text_without_a_zero(void **)
{
	struct rp_dhcp6 m = {
		.type = RP_DHCP6_ADVERTISE,
		.has_preference = true,
		.preference = 255,
		.status = {true, RP_DHCP6_SUCCESS},
		.n_ia = 3,
		.ia = {{.option = RP_DHCP6_OPT_IA_NA,
			.iaid = 1,
			.status = {true, RP_DHCP6_NO_ADDRS_AVAIL}},
		       {.option = RP_DHCP6_OPT_IA_TA,
			.iaid = 2,
			.status = {true, RP_DHCP6_NO_BINDING}},
		       {.option = RP_DHCP6_OPT_IA_PD,
			.iaid = 3,
			.status = {true, RP_DHCP6_NO_PREFIX_AVAIL}}},
	};
	uint8_t buf[256];
	struct rp_writer w = rp_writer(buf, sizeof(buf));

	rp_dhcp6_write(&w, &m);
	assert_hex(buf, rp_writer_len(&w),
		   "02 000000 0007 0001 ff 000d 0002 0000 "
		   "0003 0028 00000001 00000000 00000000 "
		   "000d 0018 0002 6e6f206164647265737320666f722074686973204941 "
		   "0004 0025 00000002 000d 001d 0003 "
		   "6e6f7468696e6720697320626f756e6420746f2074686973204941 "
		   "0019 002b 00000003 00000000 00000000 "
		   "000d 001b 0006 6e6f2070726566697865732061726520 64656c656761746564");
	assert_int_equal(rp_dhcp6_parse(rp_reader(buf, rp_writer_len(&w)), &m), 0);
	assert_true(m.has_preference);
	assert_int_equal(m.preference, 255);
	assert_true(m.status.present);
	assert_int_equal(m.status.code, RP_DHCP6_SUCCESS);
	assert_int_equal(m.n_ia, 3);
	assert_int_equal(m.ia[1].option, RP_DHCP6_OPT_IA_TA);
	assert_int_equal(m.ia[1].iaid, 2);
	assert_int_equal(m.ia[2].status.code, RP_DHCP6_NO_PREFIX_AVAIL);
}

static void delegated_prefix_is_read_and_written(void **)
{
	static const char text[] = "05 000001 0019 0029 00000007 00000001 00000002 "
				   "001a 0019 00000e10 00001c20 38 "
				   "20010db8000000000000000000000000";
	struct rp_addr want = addr("2001:db8::");
	struct rp_dhcp6 m;
	uint8_t buf[128];
	struct rp_writer w = rp_writer(buf, sizeof(buf));

	assert_int_equal(parse(text, &m), 0);
	assert_int_equal(m.ia[0].option, RP_DHCP6_OPT_IA_PD);
	assert_int_equal(m.ia[0].n, 1);
	assert_int_equal(m.ia[0].lease[0].prefix_len, 56);
	assert_int_equal(m.ia[0].lease[0].preferred, 3600);
	assert_int_equal(m.ia[0].lease[0].valid, 7200);
	assert_true(rp_addr_equal(&m.ia[0].lease[0].addr, &want));
	rp_dhcp6_write(&w, &m);
	assert_hex(buf, rp_writer_len(&w), text);
}

static void what_does_not_fit_is_left_out(void **)
{
	static const struct {
		size_t room;
		uint8_t names, sntp, ntp, dns;
	} cases[] = {{0, 2, 1, 2, 2},  {1, 1, 1, 2, 2},	 {6, 0, 1, 2, 2},  {22, 0, 1, 2, 2},
		     {28, 0, 0, 2, 2}, {43, 0, 1, 1, 2}, {67, 0, 1, 0, 2}, {87, 0, 0, 0, 2},
		     {91, 0, 0, 1, 0}, {126, 0, 0, 0, 0}};
	struct rp_dhcp6 m = full_reply(), got;
	uint8_t buf[512];
	struct rp_writer w = rp_writer(buf, sizeof(buf));
	size_t full;

	rp_dhcp6_write(&w, &m);
	full = rp_writer_len(&w);
	for (size_t i = 0; i < RTE_DIM(cases); i++) {
		w = rp_writer(buf, full - cases[i].room);
		rp_dhcp6_write(&w, &m);
		assert_false(w.overflow);
		assert_int_equal(rp_dhcp6_parse(rp_reader(buf, rp_writer_len(&w)), &got), 0);
		if (got.search.n != cases[i].names || got.sntp.n != cases[i].sntp ||
		    got.ntp.n != cases[i].ntp || got.dns.n != cases[i].dns)
			fail_msg("%zu bytes less: %d names, %d sntp, %d ntp, %d dns", cases[i].room,
				 got.search.n, got.sntp.n, got.ntp.n, got.dns.n);
		assert_int_equal(got.n_ia, 1);
	}
	w = rp_writer(buf, 75); // the IA does not fit
	rp_dhcp6_write(&w, &m);
	assert_true(w.overflow);
}

static void relay_and_unknown_messages_are_told_apart(void **)
{
	struct rp_dhcp6 m;

	assert_int_equal(parse("0c 00 fd00", &m), -ENOTSUP);
	assert_int_equal(m.type, RP_DHCP6_RELAY_FORW);
	assert_int_equal(parse("0d", &m), -ENOTSUP);
	assert_int_equal(m.type, RP_DHCP6_RELAY_REPL);
	assert_int_equal(parse("ff 000001", &m), -ENOTSUP);
	assert_int_equal(parse("00 000001", &m), -EBADMSG);
	assert_int_equal(parse("", &m), -EBADMSG);
}

static void malformed_messages_are_refused(void **)
{
	static const char *const bad[] = {
		"01",
		"01 0000",
		"01 000001 00",
		"01 000001 0001",
		"01 000001 0001 00",
		"01 000001 0001 000b 0003 0001 525400123401",	// lying length
		"01 000001 0001 0002 0003",			// DUID without an identifier
		"01 000001 0001 0000",				// empty
		"01 000001 " CLIENT_ID CLIENT_ID,		// twice
		"01 000001 " SERVER_ID SERVER_ID,		// twice
		"01 000001 0003 000b 01020304 00000000 000000", // IA_NA without T2
		"01 000001 0004 0003 010203",			// IA_TA without IAID
		"01 000001 0003 0010 01020304 00000000 00000000 0005 0018", // IAADDR leads out
		"01 000001 0003 0026 01020304 00000000 00000000 0005 0016 " ADDR
		"00000001 0000",					       // IAADDR of 22 bytes
		"01 000001 0003 000d 01020304 00000000 00000000 00",	       // half an option
		"01 000001 0003 0011 01020304 00000000 00000000 000d 0001 00", // status of 1 byte
		"01 000001 0006 0003 0017 00",				       // odd ORO
		"01 000001 0007 0000",					       // no preference
		"01 000001 0008 0001 00",				       // half a time
		"07 000001 0017 000f 000000000000000000000000000000",	       // half an address
		"07 000001 0018 0003 026100",				       // label past the end
		"07 000001 0038 0004 0001 0010", // server without address
		"07 000001 000d 0001 00",	 // half a status
	};
	struct rp_dhcp6 m;

	for (size_t i = 0; i < RTE_DIM(bad); i++) {
		if (parse(bad[i], &m) != -EBADMSG)
			fail_msg("accepted: %s", bad[i]);
	}
}

static void duid_length_is_bounded(void **)
{
	uint8_t buf[4 + 4 + RP_DHCP6_DUID_MAX + 1] = {1};
	struct rp_dhcp6 m;

	buf[5] = RP_DHCP6_OPT_CLIENTID;
	buf[7] = RP_DHCP6_DUID_MAX;
	assert_int_equal(rp_dhcp6_parse(rp_reader(buf, sizeof(buf) - 1), &m), 0);
	assert_int_equal(m.client_id.len, RP_DHCP6_DUID_MAX);
	buf[7]++;
	assert_int_equal(rp_dhcp6_parse(rp_reader(buf, sizeof(buf)), &m), -EBADMSG);
}

static void lists_are_bounded(void **)
{
	struct rp_dhcp6 m = {.type = RP_DHCP6_SOLICIT}, got;
	uint8_t buf[2048];
	struct rp_writer w = rp_writer(buf, sizeof(buf));

	m.n_ia = RP_DHCP6_IA_MAX;
	for (uint8_t i = 0; i < m.n_ia; i++)
		m.ia[i] = (struct rp_dhcp6_ia){.option = RP_DHCP6_OPT_IA_NA, .iaid = i};
	m.ia[3].n = RP_DHCP6_LEASE_MAX;
	rp_dhcp6_write(&w, &m);
	assert_int_equal(rp_dhcp6_parse(rp_reader(buf, rp_writer_len(&w)), &got), 0);
	assert_int_equal(got.n_ia, RP_DHCP6_IA_MAX);
	assert_int_equal(got.ia[15].iaid, 15);
	assert_int_equal(got.ia[3].n, RP_DHCP6_LEASE_MAX);
	rp_write_be64(&w, 0x0004000400000063); // one IA more
	assert_int_equal(rp_dhcp6_parse(rp_reader(buf, rp_writer_len(&w)), &got), -EBADMSG);
	assert_int_equal(parse("01 000001 0004 0090 00000001 "
			       "0005 0018 " ADDR "00000000 00000000 0005 0018 " ADDR
			       "00000000 00000000 0005 0018 " ADDR
			       "00000000 00000000 0005 0018 " ADDR
			       "00000000 00000000 0005 0018 " ADDR "00000000 00000000",
			       &got),
			 -EBADMSG);
}

static void unknown_and_empty_options_are_stepped_over(void **)
{
	struct rp_dhcp6 m;

	// Vendor class, client FQDN, an option number out of the asked-for range, an empty ORO.
	assert_int_equal(parse("01 000001 0010 0004 00000137 " CLIENT_ID "0027 0003 000161 "
			       "0006 0006 0017 03e8 0038 0006 0000 03e8 0000",
			       &m),
			 0);
	assert_int_equal(m.client_id.len, 10);
	assert_true(rp_dhcp6_asks_for(&m, RP_DHCP6_OPT_DNS_SERVERS));
	assert_true(rp_dhcp6_asks_for(&m, RP_DHCP6_OPT_NTP_SERVER));
	assert_false(rp_dhcp6_asks_for(&m, RP_DHCP6_OPT_SNTP_SERVERS));
	assert_false(rp_dhcp6_asks_for(&m, 1000));
}

static void solicit_frame_bytes(void **)
{
	uint8_t buf[256];
	struct rp_writer w = rp_writer(buf, sizeof(buf));

	assert_true(rp_create_dhcpv6_solicit(&w, &client));
	assert_hex(buf, rp_writer_len(&w),
		   "333300010002 525400123401 86dd 60000000 003c 11 40 " VM_LL
		   "ff02000000000000 0000000000010002 0222 0223 003c e303 "
		   "01 0a0b0c " CLIENT_ID "0008 0002 0000 "
		   "0003 000c 01020304 00000000 00000000 0006 0008 0017 0018 001f 0038");
	w = rp_writer(buf, 113);
	assert_false(rp_create_dhcpv6_solicit(&w, &client));
}

// The payload of a message that a client made.
static struct rp_dhcp6 client_sends(const struct rp_dhcpv6_client *c, enum rp_dhcp6_type type,
				    const struct rp_dhcp6 *answer)
{
	struct rp_dhcp6 m;
	struct rp_frame f;
	uint8_t buf[512];
	struct rp_writer w = rp_writer(buf, sizeof(buf));

	assert_true(rp_create_dhcpv6_request(&w, c, type, answer));
	assert_int_equal(rp_frame_parse(buf, rp_writer_len(&w), &f), 0);
	assert_true(f.l4_checksum_ok);
	assert_int_equal(f.dst_port, RP_DHCP6_SERVER_PORT);
	assert_true(rp_addr_equal(&f.dst, c->dst.family ? &c->dst : &rp_dhcp6_all_servers));
	assert_int_equal(rp_dhcp6_parse(f.payload, &m), 0);
	assert_int_equal(m.type, type);
	assert_int_equal(m.xid, c->xid);
	assert_int_equal(m.client_id.len, 10);
	return m;
}

static void client_messages_name_server_and_leases_where_they_should(void **)
{
	struct rp_dhcp6 answer = full_reply(), m;
	struct rp_dhcpv6_client unicast = client;

	m = client_sends(&client, RP_DHCP6_REQUEST, &answer);
	assert_true(rp_dhcp6_duid_equal(&m.server_id, &answer.server_id));
	assert_int_equal(m.n_ia, 1);
	assert_int_equal(m.ia[0].n, 1);
	assert_true(rp_addr_equal(&m.ia[0].lease[0].addr, &answer.ia[0].lease[0].addr));
	assert_true(rp_dhcp6_asks_for(&m, RP_DHCP6_OPT_DOMAIN_LIST));
	m = client_sends(&client, RP_DHCP6_REBIND, &answer);
	assert_int_equal(m.server_id.len, 0);
	assert_int_equal(m.n_ia, 1);
	m = client_sends(&client, RP_DHCP6_CONFIRM, &answer);
	assert_int_equal(m.server_id.len, 0);
	m = client_sends(&client, RP_DHCP6_RELEASE, &answer);
	assert_true(rp_dhcp6_duid_equal(&m.server_id, &answer.server_id));
	assert_false(rp_dhcp6_asks_for(&m, RP_DHCP6_OPT_DNS_SERVERS));
	m = client_sends(&client, RP_DHCP6_INFORMATION_REQUEST, &answer);
	assert_int_equal(m.server_id.len, 0);
	assert_int_equal(m.n_ia, 0);
	unicast.dst = rp_gateway_ip6;
	m = client_sends(&unicast, RP_DHCP6_RENEW, &answer);
	assert_int_equal(m.n_ia, 1);
}

static void response_frame_is_parsed(void **)
{
	struct rp_dhcp6 m = full_reply();
	struct rp_frame_head head = {
		.eth_src = rp_gateway_mac,
		.eth_dst = client.mac,
		.src = rp_gateway_ip6,
		.dst = rp_addr_link_local(&client.mac),
		.ttl = RP_TTL_DEFAULT,
		.proto = IPPROTO_UDP,
		.src_port = RP_DHCP6_SERVER_PORT,
		.dst_port = RP_DHCP6_CLIENT_PORT,
	};
	struct rp_dhcpv6_response res;
	struct rp_frame_builder b;
	uint8_t buf[512];
	struct rp_writer w = rp_writer(buf, sizeof(buf));

	rp_frame_begin(&b, &w, &head);
	rp_dhcp6_write(&w, &m);
	assert_true(rp_frame_end(&b));
	assert_int_equal(rp_parse_dhcpv6_response(buf, rp_writer_len(&w), &res), 0);
	assert_int_equal(res.msg.type, RP_DHCP6_REPLY);
	assert_true(rp_addr_equal(&res.frame.src, &rp_gateway_ip6));
	buf[rp_writer_len(&w) - 2] ^= 1;
	assert_int_equal(rp_parse_dhcpv6_response(buf, rp_writer_len(&w), &res), -EBADMSG);
	w = rp_writer(buf, sizeof(buf));
	assert_true(rp_create_dhcpv6_solicit(&w, &client));
	assert_int_equal(rp_parse_dhcpv6_response(buf, rp_writer_len(&w), &res), -ENOMSG);
	assert_int_equal(rp_parse_dhcpv6_response(buf, 10, &res), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reply_bytes),
		cmocka_unit_test(reply_is_parsed_to_the_same_values),
		cmocka_unit_test(status_codes_have_text_without_a_zero),
		cmocka_unit_test(delegated_prefix_is_read_and_written),
		cmocka_unit_test(what_does_not_fit_is_left_out),
		cmocka_unit_test(relay_and_unknown_messages_are_told_apart),
		cmocka_unit_test(malformed_messages_are_refused),
		cmocka_unit_test(duid_length_is_bounded),
		cmocka_unit_test(lists_are_bounded),
		cmocka_unit_test(unknown_and_empty_options_are_stepped_over),
		cmocka_unit_test(solicit_frame_bytes),
		cmocka_unit_test(client_messages_name_server_and_leases_where_they_should),
		cmocka_unit_test(response_frame_is_parsed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
