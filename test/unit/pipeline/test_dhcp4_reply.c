// SPDX-License-Identifier: BSD-3-Clause
#include "harness.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "packet/dhcp4.h"

static struct outcome out;
static uint8_t frame[4096];
static struct rp_dhcp4_response resp;

static struct rp_addr addr(const char *text)
{
	struct rp_addr a;

	assert_int_equal(rp_addr_parse(text, &a), 0);
	return a;
}

// What the NIC's own client says when it holds its address.
static struct rp_dhcp4_client client(int nic)
{
	return (struct rp_dhcp4_client){
		.mac = harness_nic(nic)->cfg.mac,
		.xid = 0x1000u + (uint32_t)nic,
		.address = harness_nic(nic)->cfg.ip4,
		.server = rp_gateway_ip4,
	};
}

static void send_written(int from, const struct rp_writer *w)
{
	harness_send(from, frame, rp_writer_len(w), &out);
	memset(&resp, 0, sizeof(resp));
	if (out.sent && out.port == from)
		assert_int_equal(rp_parse_dhcp_response(out.data, out.len, &resp), 0);
}

typedef bool create_fn(struct rp_writer *w, const struct rp_dhcp4_client *c);

static void send_message(int from, create_fn *create, const struct rp_dhcp4_client *c)
{
	struct rp_writer w = rp_writer(frame, sizeof(frame));

	assert_true(create(&w, c));
	send_written(from, &w);
}

static void send_request(int from, enum rp_dhcp4_state state, const struct rp_dhcp4_client *c)
{
	struct rp_writer w = rp_writer(frame, sizeof(frame));

	assert_true(rp_create_dhcp_request(&w, c, state));
	send_written(from, &w);
}

static void assert_answered(int from, enum rp_dhcp4_type type)
{
	const enum rp_answer counted = type == RP_DHCP4_OFFER ? RP_ANSWER_dhcp4_offer
				       : type == RP_DHCP4_ACK ? RP_ANSWER_dhcp4_ack
							      : RP_ANSWER_dhcp4_nak;

	assert_true(out.sent);
	assert_int_equal(out.last, RP_STAGE_dhcp4_reply);
	assert_int_equal(out.port, from);
	assert_true(resp.frame.ip_checksum_ok && resp.frame.l4_checksum_ok);
	assert_int_equal(resp.type, type);
	assert_int_equal(resp.xid, 0x1000 + from);
	assert_true(rp_addr_equal(&resp.server_id, &rp_gateway_ip4));
	assert_true(rte_is_same_ether_addr(&resp.frame.eth_src, &rp_gateway_mac));
	assert_in_range(out.len, 14 + 28 + 300, 14 + 576);
	for (int i = 0; i < RP_ANSWER_COUNT; i++)
		assert_int_equal(out.counters.answers[i], i == (int)counted);
}

static void assert_leased(int from, enum rp_dhcp4_type type)
{
	assert_answered(from, type);
	assert_true(rp_addr_equal(&resp.yiaddr, &harness_nic(from)->cfg.ip4));
	assert_int_equal(resp.lease, 86400);
	assert_int_equal(resp.t1, 43200);
	assert_int_equal(resp.t2, 75600);
}

static void assert_dropped(enum rp_drop why)
{
	assert_false(out.sent);
	assert_string_equal(rp_drop_name(out.drop), rp_drop_name(why));
	for (int i = 0; i < RP_ANSWER_COUNT; i++)
		assert_int_equal(out.counters.answers[i], 0);
}

static void assert_text(const struct rp_addr *a, const char *want)
{
	char text[RP_ADDR_STR];

	assert_string_equal(rp_addr_format(a, text), want);
}

static void discover_is_offered_what_the_nic_has(void **)
{
	struct rp_dhcp4_client c = client(BLUE1);

	c.address = (struct rp_addr){0};
	send_message(BLUE1, rp_create_dhcp_discover, &c);
	assert_leased(BLUE1, RP_DHCP4_OFFER);
	assert_text(&resp.frame.dst, "10.0.0.1");
	assert_text(&resp.mask, "255.255.255.255");
	assert_text(&resp.routers.addr[0], "169.254.0.1");
	assert_int_equal(resp.n_routes, 2);
	assert_int_equal(resp.dns.n, 1);
	assert_text(&resp.dns.addr[0], "1.1.1.1");
	assert_int_equal(resp.ntp.n, 1);
	assert_text(&resp.ntp.addr[0], "10.0.0.123");
	assert_int_equal(resp.mtu, 1500);
	assert_string_equal(resp.hostname, "blue1");
	assert_string_equal(resp.domain, "example.org");
	assert_int_equal(resp.n_search, 2);
	assert_string_equal(resp.search[1], "lab.example.org");
}

static void a_wish_for_another_address_changes_no_offer(void **)
{
	struct rp_dhcp4_client c = client(BLUE1);

	c.address = addr("10.0.0.77");
	c.broadcast = true;
	send_message(BLUE1, rp_create_dhcp_discover, &c);
	assert_leased(BLUE1, RP_DHCP4_OFFER);
	assert_text(&resp.frame.dst, "255.255.255.255");
	assert_true(rte_is_broadcast_ether_addr(&resp.frame.eth_dst));
}

static void real_mask_where_the_network_wants_it(void **)
{
	struct rp_dhcp4_client c = client(RED1);

	send_message(RED1, rp_create_dhcp_discover, &c);
	assert_leased(RED1, RP_DHCP4_OFFER);
	assert_text(&resp.mask, "255.255.255.0");
	assert_int_equal(resp.n_routes, 4);
	assert_int_equal(resp.mtu, 9000);
	assert_int_equal(resp.dns.n, 0);
	assert_string_equal(resp.domain, "");
}

static void rapid_commit(void **)
{
	struct rp_dhcp4_client c = client(BLUE1);

	c.rapid_commit = true;
	send_message(BLUE1, rp_create_dhcp_discover, &c);
	assert_leased(BLUE1, RP_DHCP4_ACK);
	assert_true(resp.rapid_commit);
}

static void request_in_all_four_states(void **)
{
	static const struct {
		enum rp_dhcp4_state state;
		const char *ack_to;
	} cases[] = {
		{RP_DHCP4_SELECTING, "10.0.0.2"},
		{RP_DHCP4_INIT_REBOOT, "10.0.0.2"},
		{RP_DHCP4_RENEWING, "10.0.0.2"},
		{RP_DHCP4_REBINDING, "10.0.0.2"},
	};

	for (size_t i = 0; i < RTE_DIM(cases); i++) {
		struct rp_dhcp4_client c = client(BLUE2);
		bool bound =
			cases[i].state == RP_DHCP4_RENEWING || cases[i].state == RP_DHCP4_REBINDING;

		send_request(BLUE2, cases[i].state, &c);
		assert_leased(BLUE2, RP_DHCP4_ACK);
		assert_text(&resp.frame.dst, cases[i].ack_to);
		assert_text(&resp.ciaddr, bound ? "10.0.0.2" : "0.0.0.0");
		assert_false(resp.rapid_commit);
		c.broadcast = true;
		send_request(BLUE2, cases[i].state, &c);
		assert_leased(BLUE2, RP_DHCP4_ACK);
		assert_text(&resp.frame.dst, bound ? "10.0.0.2" : "255.255.255.255");
		c.address = addr("10.0.0.3"); // another NIC's
		send_request(BLUE2, cases[i].state, &c);
		assert_answered(BLUE2, RP_DHCP4_NAK);
		assert_text(&resp.frame.dst, "255.255.255.255");
		assert_true(rte_is_broadcast_ether_addr(&resp.frame.eth_dst));
		assert_text(&resp.yiaddr, "0.0.0.0");
		assert_text(&resp.ciaddr, "0.0.0.0");
		assert_int_equal(resp.lease, 0);
	}
}

static void request_for_no_address_is_malformed(void **)
{
	struct rp_dhcp4_client c = client(BLUE1);

	c.address = (struct rp_addr){0};
	send_request(BLUE1, RP_DHCP4_INIT_REBOOT, &c);
	assert_dropped(RP_DROP_dhcp4_malformed);
}

static void another_server_is_left_to_answer(void **)
{
	struct rp_dhcp4_client c = client(BLUE1);

	c.server = addr("10.0.0.254");
	send_request(BLUE1, RP_DHCP4_SELECTING, &c);
	assert_dropped(RP_DROP_dhcp4_other_server);
	c.address = addr("10.0.0.9");
	send_request(BLUE1, RP_DHCP4_SELECTING, &c);
	assert_dropped(RP_DROP_dhcp4_other_server);
	send_message(BLUE1, rp_create_dhcp_decline, &c);
	assert_dropped(RP_DROP_dhcp4_other_server);
}

static void inform_is_told_everything_but_a_lease(void **)
{
	struct rp_dhcp4_client c = client(BLUE1);

	send_message(BLUE1, rp_create_dhcp_inform, &c);
	assert_answered(BLUE1, RP_DHCP4_ACK);
	assert_text(&resp.yiaddr, "0.0.0.0");
	assert_text(&resp.frame.dst, "10.0.0.1");
	assert_int_equal(resp.lease, 0);
	assert_int_equal(resp.t1, 0);
	assert_int_equal(resp.dns.n, 1);
	assert_string_equal(resp.domain, "example.org");
}

static void release_and_decline_are_counted(void **)
{
	struct rp_dhcp4_client c = client(BLUE1);

	send_message(BLUE1, rp_create_dhcp_release, &c);
	assert_dropped(RP_DROP_dhcp4_release);
	send_message(BLUE1, rp_create_dhcp_decline, &c);
	assert_dropped(RP_DROP_dhcp4_decline);
}

static void only_the_nics_own_hardware_address(void **)
{
	struct rp_dhcp4_client c = client(BLUE1);
	struct rp_writer w = rp_writer(frame, sizeof(frame));

	c.mac = harness_nic(BLUE2)->cfg.mac;
	assert_true(rp_create_dhcp_discover(&w, &c));
	// The frame comes from the NIC, the message inside speaks of another.
	memcpy(frame + 6, &harness_nic(BLUE1)->cfg.mac, RTE_ETHER_ADDR_LEN);
	send_written(BLUE1, &w);
	assert_dropped(RP_DROP_dhcp4_not_the_nic);
}

// Changed bytes of an otherwise good REQUEST, whose UDP checksum is taken away.
static void each_field_that_makes_it_no_request(void **)
{
	static const struct {
		size_t at; // in the BOOTP message
		uint8_t value;
		enum rp_drop why;
	} cases[] = {
		{0, 2, RP_DROP_dhcp4_not_the_nic},	   // op: a reply
		{1, 6, RP_DROP_dhcp4_not_the_nic},	   // htype
		{2, 16, RP_DROP_dhcp4_not_the_nic},	   // hlen
		{28 + 5, 0x77, RP_DROP_dhcp4_not_the_nic}, // chaddr
		{239, 0, RP_DROP_dhcp4_malformed},	   // cookie
		{241, 0, RP_DROP_dhcp4_malformed},	   // length of option 53
		{242, RP_DHCP4_OFFER, RP_DROP_dhcp4_ignored},
		{242, RP_DHCP4_ACK, RP_DROP_dhcp4_ignored},
		{242, RP_DHCP4_NAK, RP_DROP_dhcp4_ignored},
		{242, 9, RP_DROP_dhcp4_ignored},
		{240, 0xfe, RP_DROP_dhcp4_ignored},  // no option 53: BOOTP
		{244, 200, RP_DROP_dhcp4_malformed}, // length of option 50
	};
	struct rp_dhcp4_client c = client(BLUE1);

	for (size_t i = 0; i < RTE_DIM(cases); i++) {
		struct rp_writer w = rp_writer(frame, sizeof(frame));

		assert_true(rp_create_dhcp_request(&w, &c, RP_DHCP4_SELECTING));
		frame[42 + cases[i].at] = cases[i].value;
		memset(frame + 40, 0, 2);
		send_written(BLUE1, &w);
		assert_dropped(cases[i].why);
	}
}

static void wrong_checksum_and_lying_length(void **)
{
	struct rp_dhcp4_client c = client(BLUE1);
	struct rp_writer w = rp_writer(frame, sizeof(frame));

	assert_true(rp_create_dhcp_discover(&w, &c));
	frame[100] ^= 1;
	send_written(BLUE1, &w);
	assert_dropped(RP_DROP_l4_bad_checksum);
	frame[100] ^= 1;
	frame[39]++; // UDP length beyond the packet
	send_written(BLUE1, &w);
	assert_dropped(RP_DROP_l4_malformed);
	frame[38] = 0;
	frame[39] = 7; // and below its own header
	send_written(BLUE1, &w);
	assert_dropped(RP_DROP_l4_malformed);
}

static void a_chained_request_is_answered(void **)
{
	struct rp_dhcp4_client c = client(BLUE1);

	for (size_t seg = 43; seg < 342; seg += 50) {
		struct rp_writer w = rp_writer(frame, sizeof(frame));

		assert_true(rp_create_dhcp_discover(&w, &c));
		harness_send_chain(BLUE1, frame, rp_writer_len(&w), seg, &out);
		assert_int_equal(rp_parse_dhcp_response(out.data, out.len, &resp), 0);
		assert_leased(BLUE1, RP_DHCP4_OFFER);
	}
}

static void silent_without_an_address(void **)
{
	struct rp_dhcp4_client c = client(SIX1);

	c.address = (struct rp_addr){0};
	send_message(SIX1, rp_create_dhcp_discover, &c);
	assert_dropped(RP_DROP_ip_no_family);
}

static void spoofed_sources_ask_in_vain(void **)
{
	struct rp_dhcp4_client c = client(BLUE1);
	struct rp_frame_head head = {
		.eth_src = c.mac,
		.eth_dst = rp_gateway_mac,
		.src = addr("10.0.0.2"),
		.dst = rp_gateway_ip4,
		.ttl = 64,
		.proto = IPPROTO_UDP,
		.src_port = 68,
		.dst_port = 67,
	};
	uint8_t discover[300];
	struct rp_writer w = rp_writer(frame, sizeof(frame));
	struct rp_frame_builder b;

	assert_true(rp_create_dhcp_discover(&w, &c));
	memcpy(discover, frame + 42, sizeof(discover));
	w = rp_writer(frame, sizeof(frame));
	rp_frame_begin(&b, &w, &head);
	rp_write_bytes(&w, discover, sizeof(discover));
	assert_true(rp_frame_end(&b));
	send_written(BLUE1, &w);
	assert_dropped(RP_DROP_spoofed_ip);
	// INFORM from a foreign address as well; a REQUEST to renew one is told that it is wrong.
	c.address = addr("10.0.0.2");
	send_message(BLUE1, rp_create_dhcp_inform, &c);
	assert_dropped(RP_DROP_spoofed_ip);
	send_request(BLUE1, RP_DHCP4_RENEWING, &c);
	assert_answered(BLUE1, RP_DHCP4_NAK);
}

static void client_id_and_relay_info_come_back(void **)
{
	static const uint8_t id[] = {0xff, 1, 2, 3}, relay[] = {1, 2, 'a', 'b'};
	struct rp_dhcp4_client c = client(BLUE1);

	c.client_id = rp_reader(id, sizeof(id));
	c.relay_info = rp_reader(relay, sizeof(relay));
	c.giaddr = addr("10.0.0.1");
	send_message(BLUE1, rp_create_dhcp_discover, &c);
	assert_leased(BLUE1, RP_DHCP4_OFFER);
	assert_int_equal(rp_reader_left(&resp.client_id), sizeof(id));
	assert_memory_equal(resp.client_id.pos, id, sizeof(id));
	assert_int_equal(rp_reader_left(&resp.relay_info), sizeof(relay));
	assert_memory_equal(resp.relay_info.pos, relay, sizeof(relay));
	assert_text(&resp.frame.dst, "10.0.0.1");
	assert_int_equal(resp.frame.dst_port, 67);
}

static void unicast_to_another_address_is_routed(void **)
{
	struct rp_dhcp4_client c = client(BLUE1);

	c.server = addr("10.0.0.2");
	send_request(BLUE1, RP_DHCP4_RENEWING, &c);
	assert_true(out.last == RP_STAGE_forward);
	assert_int_equal(out.port, BLUE2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(discover_is_offered_what_the_nic_has),
		cmocka_unit_test(a_wish_for_another_address_changes_no_offer),
		cmocka_unit_test(real_mask_where_the_network_wants_it),
		cmocka_unit_test(rapid_commit),
		cmocka_unit_test(request_in_all_four_states),
		cmocka_unit_test(request_for_no_address_is_malformed),
		cmocka_unit_test(another_server_is_left_to_answer),
		cmocka_unit_test(inform_is_told_everything_but_a_lease),
		cmocka_unit_test(release_and_decline_are_counted),
		cmocka_unit_test(only_the_nics_own_hardware_address),
		cmocka_unit_test(each_field_that_makes_it_no_request),
		cmocka_unit_test(wrong_checksum_and_lying_length),
		cmocka_unit_test(a_chained_request_is_answered),
		cmocka_unit_test(silent_without_an_address),
		cmocka_unit_test(spoofed_sources_ask_in_vain),
		cmocka_unit_test(client_id_and_relay_info_come_back),
		cmocka_unit_test(unicast_to_another_address_is_routed),
	};

	return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
