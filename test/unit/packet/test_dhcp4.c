// SPDX-License-Identifier: BSD-3-Clause
#include "packet/dhcp4.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "hex.h"

// Parsing, and what a client sends. The server's answers are in test_dhcp4_server.c.

static struct rp_dhcp4 msg;
static uint8_t buf[4096];

// A BOOTREQUEST with these options, in hexadecimal, behind the cookie; returns its length.
static size_t message(const char *options)
{
	struct rp_dhcp4_hdr h = {
		.op = RP_DHCP4_BOOTREQUEST,
		.htype = 1,
		.hlen = 6,
		.xid = RTE_BE32(0x01020304),
		.cookie = RTE_BE32(RP_DHCP4_COOKIE),
	};

	memcpy(buf, &h, sizeof(h));
	return sizeof(h) + hex_bytes(options, buf + sizeof(h), sizeof(buf) - sizeof(h));
}

static int parse(size_t len)
{
	return rp_dhcp4_parse(rp_reader(buf, len), &msg);
}

static void assert_option(enum rp_dhcp4_code code, const char *want)
{
	struct rp_reader r;

	assert_true(rp_dhcp4_option(&msg, code, &r));
	assert_hex(r.pos, rp_reader_left(&r), want);
}

static void discover_is_the_known_bytes(void **)
{
	static const uint8_t asked[] = {1, 3, 6, 121};
	static const uint8_t id[] = {1, 0x52, 0x54, 0x00, 0x12, 0x34, 0x01};
	const struct rp_dhcp4_client c = {
		.mac = {{0x52, 0x54, 0x00, 0x12, 0x34, 0x01}},
		.xid = 0x3903f326,
		.secs = 5,
		.broadcast = true,
		.parameters = rp_reader(asked, sizeof(asked)),
		.client_id = rp_reader(id, sizeof(id)),
		.max_size = 1500,
		.rapid_commit = true,
	};
	struct rp_writer w = rp_writer(buf, sizeof(buf));
	struct rp_frame f;

	assert_true(rp_create_dhcp_discover(&w, &c));
	assert_int_equal(rp_writer_len(&w), 14 + 20 + 8 + 300);
	assert_hex(buf, 14 + 20 + 8,
		   "ffffffffffff 525400123401 0800"
		   "45 00 0148 0000 4000 40 11 39a6 00000000 ffffffff"
		   "0044 0043 0134 2ccb");
	assert_hex(buf + 42, 44,
		   "01 01 06 00 3903f326 0005 8000 00000000 00000000 00000000 00000000"
		   "525400123401 00000000000000000000");
	assert_hex(buf + 42 + 236, 33,
		   "63825363 350101 390205dc 5000 3d0701525400123401 370401030679 ff 00000000");
	assert_int_equal(rp_frame_parse(buf, rp_writer_len(&w), &f), 0);
	assert_true(f.ip_checksum_ok && f.l4_checksum_ok);
	for (size_t n = 0; n < 342; n++) {
		w = rp_writer(buf, n);
		assert_false(rp_create_dhcp_discover(&w, &c));
	}
}

// Each of the four states of RFC 2131 section 4.3.2, and the other messages, by what sets it apart.
static void each_message_of_a_client(void **)
{
	const struct rp_dhcp4_client c = {
		.mac = {{0x52, 0x54, 0x00, 0x12, 0x34, 0x01}},
		.address = rp_addr_ip4(RTE_BE32(0x0a000005)),
		.server = rp_gateway_ip4,
	};
	static const struct {
		enum rp_dhcp4_type type;
		int state; // of a REQUEST, else -1
		bool ciaddr, requested, server_id, unicast;
	} cases[] = {
		{RP_DHCP4_DISCOVER, -1, false, true, false, false},
		{RP_DHCP4_REQUEST, RP_DHCP4_SELECTING, false, true, true, false},
		{RP_DHCP4_REQUEST, RP_DHCP4_INIT_REBOOT, false, true, false, false},
		{RP_DHCP4_REQUEST, RP_DHCP4_RENEWING, true, false, false, true},
		{RP_DHCP4_REQUEST, RP_DHCP4_REBINDING, true, false, false, false},
		{RP_DHCP4_INFORM, -1, true, false, false, false},
		{RP_DHCP4_DECLINE, -1, false, true, true, false},
		{RP_DHCP4_RELEASE, -1, true, false, true, true},
	};

	for (size_t i = 0; i < RTE_DIM(cases); i++) {
		struct rp_writer w = rp_writer(buf, sizeof(buf));
		struct rp_frame f;
		rte_be32_t ip4;

		if (cases[i].type == RP_DHCP4_DISCOVER)
			assert_true(rp_create_dhcp_discover(&w, &c));
		else if (cases[i].type == RP_DHCP4_INFORM)
			assert_true(rp_create_dhcp_inform(&w, &c));
		else if (cases[i].type == RP_DHCP4_DECLINE)
			assert_true(rp_create_dhcp_decline(&w, &c));
		else if (cases[i].type == RP_DHCP4_RELEASE)
			assert_true(rp_create_dhcp_release(&w, &c));
		else
			assert_true(rp_create_dhcp_request(&w, &c,
							   (enum rp_dhcp4_state)cases[i].state));
		assert_int_equal(rp_frame_parse(buf, rp_writer_len(&w), &f), 0);
		assert_true(rp_addr_equal(&f.dst, &rp_gateway_ip4) == cases[i].unicast);
		assert_true(rte_is_broadcast_ether_addr(&f.eth_dst) == !cases[i].unicast);
		assert_int_equal(f.src.ip4, cases[i].ciaddr ? c.address.ip4 : 0);
		assert_int_equal(rp_dhcp4_parse(f.payload, &msg), 0);
		assert_int_equal(msg.type, cases[i].type);
		assert_int_equal(msg.hdr.ciaddr, cases[i].ciaddr ? c.address.ip4 : 0);
		assert_true(rp_dhcp4_option_ip4(&msg, RP_DHCP4_OPT_REQUESTED, &ip4) ==
			    cases[i].requested);
		assert_true(rp_dhcp4_option_ip4(&msg, RP_DHCP4_OPT_SERVER_ID, &ip4) ==
			    cases[i].server_id);
	}
}

static void parts_of_an_option_are_joined(void **)
{
	// RFC 3396: parts may be apart from one another, and between pads.
	assert_int_equal(parse(message("35 01 03  3d 02 0102  00 00  37 01 06  3d 03 030405 ff")),
			 0);
	assert_int_equal(msg.type, RP_DHCP4_REQUEST);
	assert_option(RP_DHCP4_OPT_CLIENT_ID, "0102030405");
	assert_option(RP_DHCP4_OPT_PARAMETERS, "06");
}

static void an_option_of_more_than_255_bytes(void **)
{
	static uint8_t long_value[600];
	struct rp_writer w = rp_writer(buf, sizeof(buf));
	struct rp_reader r;
	size_t start = message("350101");

	for (size_t i = 0; i < sizeof(long_value); i++)
		long_value[i] = (uint8_t)(i * 3);
	rp_write(&w, start);
	assert_true(
		rp_dhcp4_option_write(&w, RP_DHCP4_OPT_RELAY_INFO, long_value, sizeof(long_value)));
	assert_int_equal(rp_writer_len(&w) - start, rp_dhcp4_option_size(sizeof(long_value)));
	assert_int_equal(rp_dhcp4_option_size(sizeof(long_value)), 606);
	rp_write_u8(&w, RP_DHCP4_OPT_END);
	assert_int_equal(parse(rp_writer_len(&w)), 0);
	assert_true(rp_dhcp4_option(&msg, RP_DHCP4_OPT_RELAY_INFO, &r));
	assert_int_equal(rp_reader_left(&r), sizeof(long_value));
	assert_memory_equal(r.pos, long_value, sizeof(long_value));
	assert_int_equal(rp_dhcp4_option_size(0), 2);
	assert_int_equal(rp_dhcp4_option_size(255), 257);
	assert_int_equal(rp_dhcp4_option_size(256), 260);
}

static void overloaded_file_and_sname(void **)
{
	static const struct {
		const char *options;
		const char *joined; // option 61: 01 in options, 02 in file, 03 in sname
	} cases[] = {
		{"350101 3d0101 340101 ff", "01 02"},
		{"350101 3d0101 340102 ff", "01 03"},
		{"340103 350101 3d0101 ff", "01 02 03"}, // options, file, sname: RFC 3396 section 5
		{"350101 3d0101 ff", "01"},
	};

	for (size_t i = 0; i < RTE_DIM(cases); i++) {
		size_t len = message(cases[i].options);

		hex_bytes("3d0102 ff", buf + 108, 128);
		hex_bytes("00 3d0103 340103", buf + 44, 64); // no end; its option 52 is void
		assert_int_equal(parse(len), 0);
		assert_option(RP_DHCP4_OPT_CLIENT_ID, cases[i].joined);
	}
	size_t len = message("340103 ff");
	// Even the type may be there; pads fill the rest.
	hex_bytes("350101", buf + 44, 64);
	assert_int_equal(parse(len), 0);
	assert_int_equal(msg.type, RP_DHCP4_DISCOVER);
}

static void a_truncated_option_in_an_area_is_refused(void **)
{
	size_t len = message("350101 340101 ff");

	memset(buf + 108, 0, 128);
	buf[108 + 126] = 0x3d;
	buf[108 + 127] = 1;
	assert_int_equal(parse(len), -EBADMSG);
}

static void a_missing_end_is_no_error(void **)
{
	assert_int_equal(parse(message("350103 32040a000005")), 0);
	assert_option(RP_DHCP4_OPT_REQUESTED, "0a000005");
	assert_int_equal(parse(message("350103 000000")), 0);
	assert_int_equal(parse(message("")), 0);
	assert_int_equal(msg.type, RP_DHCP4_NONE);
}

static void nothing_behind_the_end_counts(void **)
{
	assert_int_equal(parse(message("350103 ff 32040a000005 35ff")), 0);
	assert_int_equal(msg.type, RP_DHCP4_REQUEST);
	assert_int_equal(msg.opt_start[RP_DHCP4_OPT_REQUESTED], 0);
}

static void malformed_options_are_refused(void **)
{
	static const char *const bad[] = {
		"35",		    // no length
		"3501",		    // no value
		"350101 3d05 0102", // less value than the length says
		"3500 ff",	    // a type of no bytes
		"35020101 ff",	    // of two
		"350101 350101 ff", // of two parts
		"350101 3400 ff",   // overload likewise
		"350101 34020101 ff",
	};

	for (size_t i = 0; i < RTE_DIM(bad); i++)
		assert_int_equal(parse(message(bad[i])), -EBADMSG);
}

static void what_is_no_dhcp_is_refused(void **)
{
	size_t len = message("350101 ff");

	for (size_t n = 0; n < sizeof(struct rp_dhcp4_hdr); n++)
		assert_int_equal(parse(n), -EBADMSG);
	buf[239] ^= 1; // the cookie
	assert_int_equal(parse(len), -EBADMSG);
}

static void more_options_than_are_held_are_refused(void **)
{
	size_t len = message("350101");

	memset(buf + len, 0, sizeof(buf) - len);
	assert_int_equal(parse(sizeof(struct rp_dhcp4_hdr) + RP_DHCP4_OPTIONS_MAX), 0);
	assert_int_equal(parse(sizeof(struct rp_dhcp4_hdr) + RP_DHCP4_OPTIONS_MAX + 1), -EBADMSG);
	// All areas together count, too.
	len = message("340103");
	for (; len + 257 <= sizeof(struct rp_dhcp4_hdr) + RP_DHCP4_OPTIONS_MAX; len += 257) {
		buf[len] = RP_DHCP4_OPT_CLIENT_ID;
		buf[len + 1] = 255;
	}
	assert_int_equal(parse(len), 0);
	buf[len] = RP_DHCP4_OPT_RELAY_INFO;
	buf[len + 1] = 244;
	buf[108] = RP_DHCP4_OPT_CLIENT_ID;
	buf[109] = 126;
	assert_int_equal(parse(len + 246), -EBADMSG);
}

static void numbers_need_their_exact_length(void **)
{
	rte_be32_t ip4;
	uint32_t v32;
	uint16_t v16;

	assert_int_equal(parse(message("390204d2 33040000000a 3605c0a8000100 3203c0a800 ff")), 0);
	assert_true(rp_dhcp4_option_be16(&msg, RP_DHCP4_OPT_MAX_SIZE, &v16));
	assert_int_equal(v16, 1234);
	assert_true(rp_dhcp4_option_be32(&msg, RP_DHCP4_OPT_LEASE, &v32));
	assert_int_equal(v32, 10);
	assert_false(rp_dhcp4_option_ip4(&msg, RP_DHCP4_OPT_SERVER_ID, &ip4));
	assert_false(rp_dhcp4_option_ip4(&msg, RP_DHCP4_OPT_REQUESTED, &ip4));
	assert_false(rp_dhcp4_option_be16(&msg, RP_DHCP4_OPT_MTU, &v16));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(discover_is_the_known_bytes),
		cmocka_unit_test(each_message_of_a_client),
		cmocka_unit_test(parts_of_an_option_are_joined),
		cmocka_unit_test(an_option_of_more_than_255_bytes),
		cmocka_unit_test(overloaded_file_and_sname),
		cmocka_unit_test(a_truncated_option_in_an_area_is_refused),
		cmocka_unit_test(a_missing_end_is_no_error),
		cmocka_unit_test(nothing_behind_the_end_counts),
		cmocka_unit_test(malformed_options_are_refused),
		cmocka_unit_test(what_is_no_dhcp_is_refused),
		cmocka_unit_test(more_options_than_are_held_are_refused),
		cmocka_unit_test(numbers_need_their_exact_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
