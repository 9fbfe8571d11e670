// SPDX-License-Identifier: BSD-3-Clause
#include "packet/dhcp4.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "hex.h"

// What a server answers, byte by byte and as a client reads it.

static const struct rte_ether_addr mac = {{0x52, 0x54, 0x00, 0x12, 0x34, 0x01}};
static uint8_t buf[4096], frame[4096];
static size_t frame_len;
static struct rp_dhcp4 req;
static struct rp_dhcp4_response resp;

static struct rp_addr addr(const char *text)
{
	struct rp_addr a;

	assert_int_equal(rp_addr_parse(text, &a), 0);
	return a;
}

static struct rp_dhcp4_config plain(void)
{
	return (struct rp_dhcp4_config){
		.mac = mac,
		.address = addr("10.0.0.5"),
		.server = rp_gateway_ip4,
		.lease = 86400,
		.t1 = 43200,
		.t2 = 75600,
		.mtu = 1500,
	};
}

static struct rp_dhcp4_config full(void)
{
	static struct rp_addr dns[3], ntp[2];
	static const char search[1][RP_DNS_NAME_STR] = {"lab.example.org"};
	struct rp_dhcp4_config c = plain();

	dns[0] = addr("1.1.1.1");
	dns[1] = addr("2606:4700::1111");
	dns[2] = addr("9.9.9.9");
	ntp[0] = addr("fd00::123");
	ntp[1] = addr("10.0.0.123");
	c.dns = dns;
	c.n_dns = RTE_DIM(dns);
	c.ntp = ntp;
	c.n_ntp = RTE_DIM(ntp);
	c.hostname = "vm1";
	c.domain = "example.org";
	c.search = search;
	c.n_search = RTE_DIM(search);
	return c;
}

static struct rp_dhcp4_hdr *request(const char *options)
{
	struct rp_dhcp4_hdr h = {
		.op = RP_DHCP4_BOOTREQUEST,
		.htype = 1,
		.hlen = 6,
		.xid = RTE_BE32(0x3903f326),
		.chaddr = {0x52, 0x54, 0x00, 0x12, 0x34, 0x01},
		.cookie = RTE_BE32(RP_DHCP4_COOKIE),
	};

	memcpy(buf, &h, sizeof(h));
	assert_int_equal(
		rp_dhcp4_parse(rp_reader(buf, sizeof(h) + hex_bytes(options, buf + sizeof(h),
								    sizeof(buf) - sizeof(h))),
			       &req),
		0);
	return &req.hdr;
}

static void reply_with(enum rp_dhcp4_type type, const struct rp_dhcp4_config *cfg)
{
	struct rp_writer w = rp_writer(frame, sizeof(frame));

	assert_true(rp_dhcp4_write_reply(&w, &req, type, cfg));
	frame_len = rp_writer_len(&w);
	assert_int_equal(rp_parse_dhcp_response(frame, frame_len, &resp), 0);
	assert_true(resp.frame.ip_checksum_ok && resp.frame.l4_checksum_ok);
	assert_true(rte_is_same_ether_addr(&resp.frame.eth_src, &rp_gateway_mac));
	assert_true(rp_addr_equal(&resp.frame.src, &rp_gateway_ip4));
	assert_int_equal(resp.frame.ttl, 64);
	assert_int_equal(resp.type, type);
	assert_int_equal(resp.xid, 0x3903f326);
	assert_true(rp_addr_equal(&resp.server_id, &rp_gateway_ip4));
	assert_true(rte_is_same_ether_addr(&resp.chaddr, &mac));
}

static void assert_addr(const struct rp_addr *a, const char *want)
{
	char text[RP_ADDR_STR];

	assert_string_equal(rp_addr_format(a, text), want);
}

static void assert_sent_to(const char *ip, bool broadcast, uint16_t port)
{
	assert_addr(&resp.frame.dst, ip);
	assert_true(rte_is_broadcast_ether_addr(&resp.frame.eth_dst) == broadcast);
	assert_true(broadcast || rte_is_same_ether_addr(&resp.frame.eth_dst, &mac));
	assert_int_equal(resp.frame.dst_port, port);
}

static size_t options_field_len(void)
{
	return frame_len - 14 - 28 - sizeof(struct rp_dhcp4_hdr);
}

static void offer_is_the_known_bytes(void **)
{
	struct rp_dhcp4_config c = plain();

	request("350101 ff");
	reply_with(RP_DHCP4_OFFER, &c);
	assert_int_equal(frame_len, 14 + 28 + 300);
	assert_hex(frame, 42,
		   "525400123401 020000000001 0800"
		   "45 00 0148 0000 4000 40 11 85a1 a9fe0001 0a000005"
		   "0043 0044 0134 a9c3");
	assert_hex(frame + 42, 44,
		   "02 01 06 00 3903f326 0000 0000 00000000 0a000005 a9fe0001 00000000"
		   "525400123401 00000000000000000000");
	assert_hex(frame + 42 + 236, 64,
		   "63825363 350102 3604a9fe0001 330400015180 0104ffffffff 0304a9fe0001"
		   "790e 20a9fe000100000000 00a9fe0001"
		   "3a040000a8c0 3b0400012750 1a0205dc ff");
	for (size_t i = 42 + 44; i < 42 + 236; i++)
		assert_int_equal(frame[i], 0);
}

static void every_option_as_a_client_reads_it(void **)
{
	struct rp_dhcp4_config c = full();

	request("350103 ff");
	reply_with(RP_DHCP4_ACK, &c);
	assert_addr(&resp.yiaddr, "10.0.0.5");
	assert_addr(&resp.siaddr, "169.254.0.1");
	assert_addr(&resp.mask, "255.255.255.255");
	assert_int_equal(resp.lease, 86400);
	assert_int_equal(resp.t1, 43200);
	assert_int_equal(resp.t2, 75600);
	assert_int_equal(resp.mtu, 1500);
	assert_int_equal(resp.routers.n, 1);
	assert_addr(&resp.routers.addr[0], "169.254.0.1");
	assert_int_equal(resp.dns.n, 2);
	assert_addr(&resp.dns.addr[0], "1.1.1.1");
	assert_addr(&resp.dns.addr[1], "9.9.9.9");
	assert_int_equal(resp.ntp.n, 1);
	assert_addr(&resp.ntp.addr[0], "10.0.0.123");
	assert_int_equal(resp.n_routes, 2);
	assert_int_equal(resp.routes[0].dst.len, 32);
	assert_addr(&resp.routes[0].dst.addr, "169.254.0.1");
	assert_addr(&resp.routes[0].via, "0.0.0.0");
	assert_int_equal(resp.routes[1].dst.len, 0);
	assert_addr(&resp.routes[1].dst.addr, "0.0.0.0");
	assert_addr(&resp.routes[1].via, "169.254.0.1");
	assert_string_equal(resp.hostname, "vm1");
	assert_string_equal(resp.domain, "example.org");
	assert_int_equal(resp.n_search, 2);
	assert_string_equal(resp.search[0], "example.org");
	assert_string_equal(resp.search[1], "lab.example.org");
	assert_false(resp.rapid_commit);
	assert_int_equal(rp_reader_left(&resp.client_id), 0);
	assert_int_equal(resp.msg.opt_start[RP_DHCP4_OPT_OVERLOAD], 0);
}

static void empty_settings_leave_their_options_out(void **)
{
	static const enum rp_dhcp4_code absent[] = {RP_DHCP4_OPT_DNS,	 RP_DHCP4_OPT_NTP,
						    RP_DHCP4_OPT_DOMAIN, RP_DHCP4_OPT_HOSTNAME,
						    RP_DHCP4_OPT_SEARCH, RP_DHCP4_OPT_OVERLOAD};
	struct rp_dhcp4_config c = plain();

	c.hostname = "not a host name";
	c.domain = "";
	request("350101 ff");
	reply_with(RP_DHCP4_OFFER, &c);
	for (size_t i = 0; i < RTE_DIM(absent); i++)
		assert_int_equal(resp.msg.opt_start[absent[i]], 0);
}

static void parameter_list_chooses_and_orders(void **)
{
	struct rp_dhcp4_config c = full();

	request("350101 3706 0f 06 0f 79 33 ea ff"); // 15, 6, 15 again, 121, 51, 234
	reply_with(RP_DHCP4_OFFER, &c);
	assert_hex(frame + 42 + 240, 3 + 6 + 6 + 6 + 6 + 16 + 13 + 10 + 1,
		   "350102 3604a9fe0001 330400015180 0104ffffffff 0304a9fe0001"
		   "790e 20a9fe000100000000 00a9fe0001"
		   "0f0b6578616d706c652e6f7267 060801010101 09090909 ff");
}

static void real_mask_and_routes_around_it(void **)
{
	struct rp_dhcp4_config c = plain();

	assert_int_equal(rp_prefix_parse("10.0.0.0/22", &c.subnet), 0);
	request("350101 ff");
	reply_with(RP_DHCP4_OFFER, &c);
	assert_addr(&resp.mask, "255.255.252.0");
	assert_int_equal(resp.n_routes, 4);
	assert_addr(&resp.routes[0].dst.addr, "169.254.0.1");
	assert_addr(&resp.routes[1].dst.addr, "10.0.0.0");
	assert_addr(&resp.routes[2].dst.addr, "10.0.2.0");
	for (int i = 1; i <= 2; i++) {
		assert_int_equal(resp.routes[i].dst.len, 23);
		assert_addr(&resp.routes[i].via, "169.254.0.1");
	}
	assert_int_equal(resp.routes[3].dst.len, 0);
	assert_int_equal(rp_prefix_parse("10.0.0.4/31", &c.subnet), 0);
	reply_with(RP_DHCP4_OFFER, &c);
	assert_addr(&resp.mask, "255.255.255.254");
	assert_addr(&resp.routes[1].dst.addr, "10.0.0.4");
	assert_addr(&resp.routes[2].dst.addr, "10.0.0.5");
	assert_int_equal(rp_prefix_parse("10.0.0.5/32", &c.subnet), 0);
	reply_with(RP_DHCP4_OFFER, &c);
	assert_int_equal(resp.n_routes, 2);
}

static void client_id_and_relay_info_are_echoed(void **)
{
	static const enum rp_dhcp4_type types[] = {RP_DHCP4_OFFER, RP_DHCP4_ACK, RP_DHCP4_NAK};
	struct rp_dhcp4_config c = full();

	for (size_t i = 0; i < RTE_DIM(types); i++) {
		const uint8_t *end;

		request("350103 5206 010461626364 3d03 ffabcd ff");
		reply_with(types[i], &c);
		assert_hex(resp.client_id.pos, rp_reader_left(&resp.client_id), "ffabcd");
		assert_hex(resp.relay_info.pos, rp_reader_left(&resp.relay_info), "010461626364");
		// RFC 3046 section 2.2: the last option of the field.
		end = memmem(frame + 42 + 240, options_field_len(),
			     "\x52\x06\x01\x04"
			     "abcd\xff",
			     9);
		assert_non_null(end);
		while (end + 9 < frame + frame_len)
			assert_int_equal(*(end++ + 9), 0);
	}
}

static void rapid_commit_answers_a_discover(void **)
{
	struct rp_dhcp4_config c = plain();

	request("350101 5000 ff");
	reply_with(RP_DHCP4_ACK, &c);
	assert_true(resp.rapid_commit);
	assert_addr(&resp.yiaddr, "10.0.0.5");
}

static void inform_gets_no_address_and_no_lease(void **)
{
	struct rp_dhcp4_config c = full();

	request("350108 370533 3a 3b 06 0f ff")->ciaddr = addr("10.0.0.5").ip4;
	reply_with(RP_DHCP4_ACK, &c);
	assert_addr(&resp.yiaddr, "0.0.0.0");
	assert_addr(&resp.ciaddr, "10.0.0.5");
	assert_int_equal(resp.msg.opt_start[RP_DHCP4_OPT_LEASE], 0);
	assert_int_equal(resp.msg.opt_start[RP_DHCP4_OPT_T1], 0);
	assert_int_equal(resp.msg.opt_start[RP_DHCP4_OPT_T2], 0);
	assert_int_equal(resp.dns.n, 2);
	assert_int_equal(resp.n_routes, 2);
	assert_sent_to("10.0.0.5", false, 68);
	req.hdr.ciaddr = 0;
	reply_with(RP_DHCP4_ACK, &c);
	assert_sent_to("255.255.255.255", true, 68);
}

static void nak_says_no_and_no_more(void **)
{
	struct rp_dhcp4_config c = full();
	struct rp_dhcp4_hdr *h = request("350103 ff");

	h->ciaddr = addr("10.0.0.9").ip4;
	reply_with(RP_DHCP4_NAK, &c);
	assert_hex(frame + 42, 28,
		   "02 01 06 00 3903f326 0000 0000 00000000 00000000 00000000 00000000");
	assert_hex(frame + 42 + 240, 60,
		   "350106 3604a9fe0001 ff 00000000000000000000000000000000000000000000000000"
		   "00000000000000000000000000000000000000000000000000");
	assert_sent_to("255.255.255.255", true, 68);
}

// RFC 2131 section 4.1.
static void destination(void **)
{
	struct rp_dhcp4_config c = plain();
	struct rp_dhcp4_hdr *h = request("350103 ff");

	reply_with(RP_DHCP4_ACK, &c);
	assert_sent_to("10.0.0.5", false, 68);
	h->flags = RTE_BE16(RP_DHCP4_BROADCAST);
	reply_with(RP_DHCP4_ACK, &c);
	assert_sent_to("255.255.255.255", true, 68);
	assert_true(resp.broadcast);
	h->ciaddr = addr("10.0.0.5").ip4;
	reply_with(RP_DHCP4_ACK, &c);
	assert_sent_to("10.0.0.5", false, 68);
	assert_addr(&resp.ciaddr, "10.0.0.5");
	h->flags = 0;
	h->giaddr = addr("10.0.0.5").ip4;
	reply_with(RP_DHCP4_ACK, &c);
	assert_sent_to("10.0.0.5", false, 67);
	assert_false(resp.broadcast);
	assert_addr(&resp.giaddr, "10.0.0.5");
	reply_with(RP_DHCP4_NAK, &c);
	assert_sent_to("10.0.0.5", false, 67);
	assert_true(resp.broadcast);
}

// A configuration whose options are longer than 576 bytes of packet can hold.
static struct rp_dhcp4_config huge(void)
{
	static char search[6][RP_DNS_NAME_STR], domain[RP_DNS_NAME_STR];
	struct rp_dhcp4_config c = full();

	for (int i = 0; i < 6; i++)
		snprintf(search[i], sizeof(search[i]), "%c%060d.%060d.%060d.example.net", 'a' + i,
			 1, 2, 3);
	snprintf(domain, sizeof(domain), "%060d.%030d.example.org", 4, 5);
	c.domain = domain;
	c.search = (const char(*)[RP_DNS_NAME_STR])search;
	c.n_search = 6;
	c.mtu = 9000;
	return c;
}

static void a_small_client_loses_the_least_important_options(void **)
{
	struct rp_dhcp4_config c = huge();

	request("350101 ff");
	reply_with(RP_DHCP4_OFFER, &c);
	assert_true(frame_len <= 14 + 576);
	assert_int_equal(resp.n_search, 0);
	assert_string_equal(resp.domain, c.domain);
	assert_int_equal(resp.ntp.n, 1);
	assert_int_equal(resp.n_routes, 2);
}

static void a_large_client_gets_them_all_split(void **)
{
	struct rp_dhcp4_config c = huge();

	request("350101 390205dc ff");
	reply_with(RP_DHCP4_OFFER, &c);
	assert_true(frame_len <= 14 + 1500);
	assert_int_equal(resp.n_search, 0); // 1325 bytes of names in 7 parts do not fit beside
	request("350101 39022328 ff");
	reply_with(RP_DHCP4_OFFER, &c);
	assert_int_equal(resp.n_search, 7);
	assert_string_equal(resp.search[6], c.search[5]);
	c.mtu = 1500; // which the link does not carry
	reply_with(RP_DHCP4_OFFER, &c);
	assert_int_equal(resp.n_search, 0);
}

static void options_spill_into_file_and_sname(void **)
{
	struct rp_dhcp4_config c = full();
	char options[600] = "350101 3dff";

	// A client identifier of 255 bytes fills the options field of 308.
	for (int i = 0; i < 255; i++)
		strcat(options, "61");
	strcat(options, "ff");
	request(options);
	reply_with(RP_DHCP4_OFFER, &c);
	assert_true(frame_len <= 14 + 576);
	assert_int_equal(rp_reader_left(&resp.client_id), 255);
	assert_int_not_equal(resp.msg.opt_start[RP_DHCP4_OPT_OVERLOAD], 0);
	assert_int_equal(resp.dns.n, 2);
	// Beside longer routes there is no room for it, and file is too small.
	assert_int_equal(rp_prefix_parse("10.0.0.0/8", &c.subnet), 0);
	reply_with(RP_DHCP4_OFFER, &c);
	assert_int_equal(rp_reader_left(&resp.client_id), 0);
	assert_int_equal(resp.n_routes, 4);
	c.subnet = (struct rp_prefix){0};

	snprintf(options, sizeof(options), "350101 3dc8%0400d ff", 0);
	request(options);
	reply_with(RP_DHCP4_OFFER, &c);
	assert_true(frame_len <= 14 + 576);
	assert_int_equal(rp_reader_left(&resp.client_id), 200);
	assert_int_not_equal(resp.msg.opt_start[RP_DHCP4_OPT_OVERLOAD], 0);
	assert_int_equal(resp.dns.n, 2);
	assert_string_equal(resp.domain, "example.org");
	assert_int_equal(resp.n_search, 2);
	assert_int_equal(resp.ntp.n, 1);
	assert_int_equal(resp.mtu, 1500);
}

static void relay_info_that_does_not_fit_is_left_out_whole(void **)
{
	struct rp_dhcp4_config c = full();
	char options[900];

	snprintf(options, sizeof(options), "350101 52c8%0400d ff", 0);
	request(options);
	reply_with(RP_DHCP4_OFFER, &c);
	assert_true(frame_len <= 14 + 576);
	assert_int_equal(rp_reader_left(&resp.relay_info), 200);
	assert_int_equal(resp.n_routes, 2);
	assert_int_equal(resp.ntp.n, 1); // by way of file and sname
	snprintf(options, sizeof(options), "350101 52ff%0510d ff", 0);
	request(options);
	reply_with(RP_DHCP4_OFFER, &c);
	assert_int_equal(rp_reader_left(&resp.relay_info), 0);
	assert_int_equal(resp.n_routes, 2);
}

static void a_maximum_below_the_minimum_is_the_minimum(void **)
{
	struct rp_dhcp4_config c = full();

	request("350101 39020128 ff");
	reply_with(RP_DHCP4_OFFER, &c);
	assert_int_equal(resp.n_routes, 2);
	assert_int_equal(resp.n_search, 2);
	assert_int_equal(resp.msg.opt_start[RP_DHCP4_OPT_OVERLOAD], 0);
}

static void no_reply_where_it_does_not_fit(void **)
{
	struct rp_dhcp4_config c = full();

	request("350101 ff");
	for (size_t n = 0; n < 14 + 28 + 300; n++) {
		struct rp_writer w = rp_writer(frame, n);

		assert_false(rp_dhcp4_write_reply(&w, &req, RP_DHCP4_OFFER, &c));
	}
	for (size_t n = 14 + 28 + 300; n < 700; n++) {
		struct rp_writer w = rp_writer(frame, n);

		assert_true(rp_dhcp4_write_reply(&w, &req, RP_DHCP4_OFFER, &c));
		assert_int_equal(rp_parse_dhcp_response(frame, rp_writer_len(&w), &resp), 0);
		assert_int_equal(resp.n_routes, 2);
	}
}

static void client_refuses_what_is_no_answer(void **)
{
	struct rp_dhcp4_config c = full();
	struct rp_dhcp4_client client = {.mac = mac};
	struct rp_writer w = rp_writer(buf, sizeof(buf));

	assert_true(rp_create_dhcp_discover(&w, &client));
	assert_int_equal(rp_parse_dhcp_response(buf, rp_writer_len(&w), &resp), -ENOMSG);
	request("350101 ff");
	reply_with(RP_DHCP4_OFFER, &c);
	for (size_t n = 0; n < frame_len; n++)
		assert_int_equal(rp_parse_dhcp_response(frame, n, &resp), -EBADMSG);
	frame[42 + 240 + 2] = RP_DHCP4_DISCOVER; // a request type in a reply
	assert_int_equal(rp_parse_dhcp_response(frame, frame_len, &resp), -ENOMSG);
	frame[42 + 240 + 2] = RP_DHCP4_OFFER;
	frame[42 + 240 + 3 + 1] = 3; // a server identifier of 3 bytes
	assert_int_equal(rp_parse_dhcp_response(frame, frame_len, &resp), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(offer_is_the_known_bytes),
		cmocka_unit_test(every_option_as_a_client_reads_it),
		cmocka_unit_test(empty_settings_leave_their_options_out),
		cmocka_unit_test(parameter_list_chooses_and_orders),
		cmocka_unit_test(real_mask_and_routes_around_it),
		cmocka_unit_test(client_id_and_relay_info_are_echoed),
		cmocka_unit_test(rapid_commit_answers_a_discover),
		cmocka_unit_test(inform_gets_no_address_and_no_lease),
		cmocka_unit_test(nak_says_no_and_no_more),
		cmocka_unit_test(destination),
		cmocka_unit_test(a_small_client_loses_the_least_important_options),
		cmocka_unit_test(a_large_client_gets_them_all_split),
		cmocka_unit_test(options_spill_into_file_and_sname),
		cmocka_unit_test(relay_info_that_does_not_fit_is_left_out_whole),
		cmocka_unit_test(a_maximum_below_the_minimum_is_the_minimum),
		cmocka_unit_test(no_reply_where_it_does_not_fit),
		cmocka_unit_test(client_refuses_what_is_no_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
