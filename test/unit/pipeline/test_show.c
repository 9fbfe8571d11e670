// SPDX-License-Identifier: BSD-3-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pipeline/show.h"

#define SECOND UINT64_C(1000000000)

// What was printed since the last call.
static FILE *out;
static char *text;
static size_t text_len;

static int setup(void **)
{
	out = open_memstream(&text, &text_len);
	return out == NULL;
}

static int teardown(void **)
{
	fclose(out);
	free(text);
	return 0;
}

static const char *printed(void)
{
	fflush(out);
	return text;
}

static void expect(const char *part)
{
	if (strstr(printed(), part) == NULL)
		fail_msg("no '%s' in:\n%s", part, printed());
}

static void expect_not(const char *part)
{
	if (strstr(printed(), part) != NULL)
		fail_msg("'%s' in:\n%s", part, printed());
}

static void port_stats_have_testpmds_layout(void **)
{
	struct rp_show_rate last = {0};
	struct rte_eth_stats s = {.ipackets = 12,
				  .opackets = 34,
				  .ibytes = 768,
				  .obytes = 2176,
				  .imissed = 1,
				  .ierrors = 2,
				  .oerrors = 3,
				  .rx_nombuf = 4};

	rp_show_port_stats(out, 0, &s, &last, SECOND);
	assert_string_equal(
		printed(),
		"\n"
		"  ######################## NIC statistics for port 0  ########################\n"
		"  RX-packets: 12         RX-missed: 1          RX-bytes:  768\n"
		"  RX-errors: 2\n"
		"  RX-nombuf:  4         \n"
		"  TX-packets: 34         TX-errors: 3          TX-bytes:  2176\n"
		"\n"
		"  Throughput (since last show)\n"
		"  Rx-pps:            0          Rx-bps:            0\n"
		"  Tx-pps:            0          Tx-bps:            0\n"
		"  ############################################################################\n");
}

static void rates_are_since_the_last_show(void **)
{
	struct rp_show_rate last = {0};
	struct rte_eth_stats s = {.ipackets = 1000, .ibytes = 64000};

	rp_show_port_stats(out, 3, &s, &last, 5 * SECOND);
	s.ipackets += 400;
	s.ibytes += 25600;
	s.opackets = 10;
	s.obytes = 1000;
	rp_show_port_stats(out, 3, &s, &last, 7 * SECOND);
	expect("  Rx-pps:          200          Rx-bps:       102400\n"
	       "  Tx-pps:            5          Tx-bps:         4000\n");
}

static void counters_that_went_back_give_no_rate(void **)
{
	struct rp_show_rate last = {0};
	struct rte_eth_stats s = {.ipackets = 1000};

	rp_show_port_stats(out, 3, &s, &last, 5 * SECOND);
	s.ipackets = 10;
	rp_show_port_stats(out, 3, &s, &last, 6 * SECOND);
	expect_not("Rx-pps: 18446");
}

static void since_subtracts_the_start(void **)
{
	struct rte_eth_stats start = {.ipackets = 10, .opackets = 20, .oerrors = 1};
	struct rte_eth_stats now = {.ipackets = 15, .opackets = 29, .oerrors = 3};
	struct rte_eth_stats d = rp_show_since(&now, &start);

	assert_int_equal(d.ipackets, 5);
	assert_int_equal(d.opackets, 9);
	assert_int_equal(d.oerrors, 2);
}

static void since_takes_all_of_a_port_made_anew(void **)
{
	struct rte_eth_stats start = {.ipackets = 10, .opackets = 20};
	struct rte_eth_stats now = {.ipackets = 30, .opackets = 5};
	struct rte_eth_stats d = rp_show_since(&now, &start);

	assert_int_equal(d.ipackets, 30);
	assert_int_equal(d.opackets, 5);
}

static void forward_stats_have_testpmds_layout(void **)
{
	struct rte_eth_stats s[] = {
		{.ipackets = 100, .opackets = 90, .imissed = 5, .oerrors = 7},
		{.ipackets = 1, .opackets = 2, .ierrors = 3, .rx_nombuf = 4},
	};

	rp_show_fwd_port(out, 0, &s[0]);
	rp_show_fwd_port(out, 12, &s[1]);
	rp_show_fwd_total(out, s, 2);
	assert_string_equal(
		printed(),
		"\n"
		"  ---------------------- Forward statistics for port 0  ----------------------\n"
		"  RX-packets: 100            RX-dropped: 5             RX-total: 105\n"
		"  TX-packets: 90             TX-dropped: 7             TX-total: 97\n"
		"  ----------------------------------------------------------------------------\n"
		"\n"
		"  ---------------------- Forward statistics for port 12 ----------------------\n"
		"  RX-packets: 1              RX-dropped: 0             RX-total: 1\n"
		"  RX-error: 3\n"
		"  RX-nombufs: 4             \n"
		"  TX-packets: 2              TX-dropped: 0             TX-total: 2\n"
		"  ----------------------------------------------------------------------------\n"
		"\n"
		"  +++++++++++++++ Accumulated forward statistics for all ports+++++++++++++++\n"
		"  RX-packets: 101            RX-dropped: 5             RX-total: 106\n"
		"  TX-packets: 92             TX-dropped: 7             TX-total: 99\n"
		"  RX-nombufs: 4             \n"
		"  ++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++\n");
}

static void drops_leave_out_zero_lines(void **)
{
	struct rp_port_counters c = {.drops = {[RP_DROP_spoofed_mac] = 7, [RP_DROP_tx_full] = 35}};

	rp_show_drops(out, "nic vm1 (port 0)", &c);
	expect("Drops of nic vm1 (port 0)");
	expect("  spoofed_mac                     7   source MAC is not the NIC's\n"
	       "  tx_full                        35   ");
	expect("  Total                          42\n");
	expect_not("runt");
}

static void answers_leave_out_zero_lines(void **)
{
	struct rp_port_counters c = {.answers = {[RP_ANSWER_arp_reply] = 3}};

	rp_show_answers(out, &c);
	assert_string_equal(printed(),
			    "answers:\n  arp_reply                       3   ARP replies\n");
}

static void no_answers_are_a_dash(void **)
{
	rp_show_answers(out, &(struct rp_port_counters){0});
	assert_string_equal(printed(), "answers: -\n");
}

static void worker_shows_shares_since_the_last_show(void **)
{
	static struct rp_worker w;
	struct rp_worker_counters last = {0};

	w.index = 1;
	w.lcore = 3;
	w.counters = (struct rp_worker_counters){.rounds = 10,
						 .cycles = 1000,
						 .cycles_busy = 1000,
						 .bursts = 5,
						 .packets = 5,
						 .fast.packets = 5};
	rp_show_worker(out, &w, &last);
	expect("Worker 1  on lcore 3 ");
	expect("Busy: 100.0 %   Packets per burst: 1.0 ");
	w.counters.cycles += 1000;
	w.counters.cycles_busy += 250;
	w.counters.bursts += 2;
	w.counters.packets += 64;
	rp_show_worker(out, &w, &last);
	expect("Busy: 25.0 %   Packets per burst: 32.0 ");
	expect("RX-packets: 69             RX-bursts: 7             Rounds: 10\n");
}

static void worker_shows_cycles_only_while_profiling(void **)
{
	static struct rp_worker w;
	struct rp_worker_counters last = {0};

	w.counters = (struct rp_worker_counters){.fast.packets = 5};
	rp_show_worker(out, &w, &last);
	expect("  fast lane                       5              -\n");
	w.counters.fast.packets += 10;
	w.counters.fast.cycles += 155;
	rp_show_worker(out, &w, &last);
	expect("  fast lane                      15           15.5\n");
	expect("  arp_reply                       0              -\n");
}

static void dot_has_every_stage_and_its_edges(void **)
{
	rp_show_pipeline_dot(out);
	assert_memory_equal(printed(), "digraph ringplane {\n", 20);
	assert_string_equal(printed() + text_len - 2, "}\n");
	for (int i = 0; i < RP_STAGE_COUNT; i++) {
		char line[64];

		snprintf(line, sizeof(line), "\t%s -> drop", rp_stage_name((enum rp_stage)i));
		expect(line);
	}
	expect("\tfast_lane -> classify");
	expect("\tclassify -> arp_reply;\n\tclassify -> ip4_input;\n\tclassify -> ip6_input;\n");
	expect("\troute -> icmp_error;\n");
}

// doc/pipeline.dot, and the picture made of it, are what the table says today. Where they are not:
// put what `show pipeline dot` prints there and run "dot -Tsvg doc/pipeline.dot -o
// doc/pipeline.svg".
static void dot_is_the_picture_in_the_documentation(void **)
{
	char doc[8192];
	FILE *f = fopen(RP_DOC_DIR "/pipeline.dot", "r");
	size_t n;

	assert_non_null(f);
	n = fread(doc, 1, sizeof(doc) - 1, f);
	fclose(f);
	doc[n] = '\0';
	rp_show_pipeline_dot(out);
	assert_string_equal(doc, printed());
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(port_stats_have_testpmds_layout),
		TEST(rates_are_since_the_last_show),
		TEST(counters_that_went_back_give_no_rate),
		TEST(since_subtracts_the_start),
		TEST(since_takes_all_of_a_port_made_anew),
		TEST(forward_stats_have_testpmds_layout),
		TEST(drops_leave_out_zero_lines),
		TEST(answers_leave_out_zero_lines),
		TEST(no_answers_are_a_dash),
		TEST(worker_shows_shares_since_the_last_show),
		TEST(worker_shows_cycles_only_while_profiling),
		TEST(dot_has_every_stage_and_its_edges),
		TEST(dot_is_the_picture_in_the_documentation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
