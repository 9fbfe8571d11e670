// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "options.h"

static struct gen_options opt;
static struct rp_error err;

// Words of one command line, separated by blanks.
static int parse(const char *line)
{
	static char buf[4096];
	char *argv[200] = {buf};
	int argc = 1;

	strcpy(buf, "ringgen ");
	strncat(buf, line, sizeof(buf) - 16);
	strtok(buf, " ");
	while ((argv[argc] = strtok(NULL, " ")) != NULL)
		argc++;
	memset(&err, 0, sizeof(err));
	return gen_options_parse(&opt, argc, argv, &err);
}

static void assert_refused(const char *line, const char *field)
{
	assert_int_equal(parse(line), -EINVAL);
	assert_string_equal(err.field, field);
	assert_true(err.expected[0] != '\0');
}

static void two_sockets_are_enough(void **)
{
	char text[RP_ADDR_STR];

	assert_int_equal(parse("a.sock b.sock"), 0);
	assert_int_equal(opt.n_vms, 2);
	assert_string_equal(opt.sockets[1], "b.sock");
	assert_int_equal(opt.size, 64);
	assert_int_equal(opt.ring_size, 1024);
	assert_int_equal(opt.flows, 1);
	assert_string_equal(rp_mac_format(&opt.mac[1], text), "52:54:00:12:34:02");
	assert_string_equal(rp_addr_format(&opt.ip4[1], text), "10.0.0.2");
	assert_string_equal(rp_addr_format(&opt.ip6[0], text), "fd00:1::1");
	assert_string_equal(rp_mac_format(&opt.gateway_mac, text), "02:00:00:00:00:01");
}

static void addresses_go_to_vms_in_their_order(void **)
{
	char text[RP_ADDR_STR];

	assert_int_equal(parse("--mac 52:54:00:00:00:0a --ip4 192.0.2.1 a --ip4 192.0.2.2 "
			       "--ip6 2001:db8::5 b --gateway-mac 02:aa:00:00:00:01"),
			 0);
	assert_string_equal(rp_mac_format(&opt.mac[0], text), "52:54:00:00:00:0a");
	assert_string_equal(rp_mac_format(&opt.mac[1], text), "52:54:00:12:34:02");
	assert_string_equal(rp_addr_format(&opt.ip4[0], text), "192.0.2.1");
	assert_string_equal(rp_addr_format(&opt.ip4[1], text), "192.0.2.2");
	assert_string_equal(rp_addr_format(&opt.ip6[0], text), "2001:db8::5");
	assert_string_equal(rp_mac_format(&opt.gateway_mac, text), "02:aa:00:00:00:01");
}

static void every_option_arrives(void **)
{
	assert_int_equal(parse("-s 1500 -6 --flows 1000 -r 512 -b 64 --packed --no-mrg --hugepages "
			       "-t 2.5 --warmup 0 --rate 1e6 --verify -l -L -j -c 3 --one-way a b "
			       "c --idle 1"),
			 0);
	assert_int_equal(opt.size, 1500);
	assert_int_equal(opt.flows, 1000);
	assert_int_equal(opt.ring_size, 512);
	assert_int_equal(opt.burst, 64);
	assert_true(opt.ip6_frames && opt.packed && opt.no_mrg && opt.hugepages && opt.verify);
	assert_true(opt.latency && opt.learn && opt.json && opt.one_way);
	assert_true(opt.time_s == 2.5 && opt.warmup_s == 0 && opt.rate == 1e6);
	assert_int_equal(opt.core, 3);
	assert_int_equal(gen_active(&opt), 2);
}

static void flows_are_at_least_the_destinations(void **)
{
	assert_int_equal(parse("--destinations 3 a b c d e"), 0);
	assert_int_equal(opt.flows, 3);
}

static void probe_takes_two_cores_and_no_socket(void **)
{
	assert_int_equal(parse("--probe 2,5"), 0);
	assert_true(opt.probe);
	assert_int_equal(opt.probe_cores[0], 2);
	assert_int_equal(opt.probe_cores[1], 5);
	assert_refused("--probe 1,1", "--probe");
	assert_refused("--probe 1,2x", "--probe");
	assert_refused("--probe 1", "--probe");
}

static void nonsense_is_refused_by_name(void **)
{
	assert_refused("a", "SOCKET");
	assert_refused("a b c", "SOCKET");
	assert_refused("--size 63 a b", "--size");
	assert_refused("--size 9217 a b", "--size");
	assert_refused("--size 64x a b", "--size");
	assert_refused("--burst 0 a b", "--burst");
	assert_refused("--burst -1 a b", "--burst");
	assert_refused("--burst 64 --ring-size 32 a b", "--burst");
	assert_refused("--ring-size 1000 a b", "--ring-size");
	assert_refused("--time x a b", "--time");
	assert_refused("--time nan a b", "--time");
	assert_refused("--rate -1 a b", "--rate");
	assert_refused("--ip4 fd00::1 a b", "--ip4");
	assert_refused("--ip6 10.0.0.1 a b", "--ip6");
	assert_refused("--mac 01:00:5e:00:00:01 a b", "--mac");
	assert_refused("--gateway-mac x a b", "--gateway-mac");
	assert_refused("--idle 1 a b", "--idle");
	assert_refused("--destinations 2 a b", "--destinations");
	assert_refused("--verify -6 --size 64 a b", "--verify");
	assert_refused("--nothing a b", "option");
	assert_refused("a b --size", "option");
	assert_int_equal(parse("--ring-size 1000 --packed a b"), 0);
	assert_int_equal(parse("--verify --size 64 a b"), 0);
}

static void more_vms_than_there_can_be(void **)
{
	char line[2048] = "";

	for (int i = 0; i < GEN_MAX_VMS + 2; i++)
		strcat(line, "s ");
	assert_refused(line, "SOCKET");
	line[0] = '\0';
	for (int i = 0; i < GEN_MAX_VMS + 1; i++)
		strcat(line, "--ip4 1.2.3.4 ");
	assert_refused(line, "--ip4");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_sockets_are_enough),
		cmocka_unit_test(addresses_go_to_vms_in_their_order),
		cmocka_unit_test(every_option_arrives),
		cmocka_unit_test(flows_are_at_least_the_destinations),
		cmocka_unit_test(probe_takes_two_cores_and_no_socket),
		cmocka_unit_test(nonsense_is_refused_by_name),
		cmocka_unit_test(more_vms_than_there_can_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
