// SPDX-License-Identifier: BSD-3-Clause
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "frames.h"
#include "packet/frame.h"

static struct gen_options opt;
static uint8_t frame[GEN_MAX_SIZE];

static void parse(const char *first, ...)
{
	char *argv[24] = {(char *)"ringgen", (char *)first};
	struct rp_error err;
	int argc = 2;
	va_list ap;

	va_start(ap, first);
	while ((argv[argc] = va_arg(ap, char *)) != NULL)
		argc++;
	va_end(ap);
	assert_int_equal(gen_options_parse(&opt, argc, argv, &err), 0);
}

static void assert_good(unsigned int vm, unsigned int flow)
{
	struct rp_frame f;

	gen_frame_build(&opt, frame, vm, flow);
	assert_int_equal(rp_frame_parse(frame, opt.size, &f), 0);
	assert_true(f.ip_checksum_ok && f.l4_checksum_ok);
	assert_int_equal(f.proto, IPPROTO_UDP);
	assert_true(rte_is_same_ether_addr(&f.eth_src, &opt.mac[vm]));
	assert_true(rte_is_same_ether_addr(&f.eth_dst, &opt.gateway_mac));
	assert_int_equal(rp_reader_left(&f.payload), opt.size - gen_frame_tag(opt.ip6_frames));
}

static void every_size_of_both_families(void **)
{
	static const char *const sizes[] = {"64", "65", "73", "74", "75", "255", "1500", "9216"};

	for (unsigned int i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		parse("--size", sizes[i], "a", "b", NULL);
		assert_good(0, 0);
		parse("-6", "--size", sizes[i], "a", "b", NULL);
		assert_good(1, 0);
	}
}

static void the_number_leaves_the_checksum_alone(void **)
{
	static const uint32_t numbers[] = {1, 0xffff, 0x10000, 0xdeadbeef, UINT32_MAX};

	for (int six = 0; six < 2; six++) {
		parse("--size", "128", "a", "b", six ? "-6" : NULL, NULL);
		gen_frame_build(&opt, frame, 0, 0);
		for (unsigned int i = 0; i < 5; i++) {
			struct gen_tag tag = {0, numbers[i], ~numbers[i]};
			struct rp_frame f;

			memcpy(frame + gen_frame_tag(six), &tag, sizeof(tag));
			assert_int_equal(rp_frame_parse(frame, 128, &f), 0);
			assert_true(f.l4_checksum_ok);
		}
	}
}

static void flows_differ_in_port_and_tag(void **)
{
	struct rp_frame a, b;
	struct gen_tag tag;

	parse("--flows", "10", "a", "b", NULL);
	gen_frame_build(&opt, frame, 1, 3);
	assert_int_equal(rp_frame_parse(frame, 64, &a), 0);
	memcpy(&tag, frame + gen_frame_tag(false), sizeof(tag));
	assert_int_equal(tag.flow, 13);
	assert_int_equal(tag.number, 0);
	gen_frame_build(&opt, frame, 1, 4);
	assert_int_equal(rp_frame_parse(frame, 64, &b), 0);
	assert_int_equal(b.src_port, a.src_port + 1);
	assert_int_equal(b.dst_port, a.dst_port);
}

static void partners_are_pairs(void **)
{
	parse("a", "b", "c", "d", NULL);
	assert_int_equal(gen_destination(&opt, 0, 0), 1);
	assert_int_equal(gen_destination(&opt, 1, 0), 0);
	assert_int_equal(gen_destination(&opt, 2, 5), 3);
	assert_int_equal(gen_destination(&opt, 3, 5), 2);
}

static void destinations_are_the_next_ones_but_never_the_idle(void **)
{
	parse("--destinations", "2", "--idle", "1", "a", "b", "c", "d", NULL);
	assert_int_equal(gen_destination(&opt, 0, 0), 1);
	assert_int_equal(gen_destination(&opt, 0, 1), 2);
	assert_int_equal(gen_destination(&opt, 2, 0), 0);
	assert_int_equal(gen_destination(&opt, 2, 1), 1);
	assert_int_equal(gen_destination(&opt, 2, 2), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_size_of_both_families),
		cmocka_unit_test(the_number_leaves_the_checksum_alone),
		cmocka_unit_test(flows_differ_in_port_and_tag),
		cmocka_unit_test(partners_are_pairs),
		cmocka_unit_test(destinations_are_the_next_ones_but_never_the_idle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
