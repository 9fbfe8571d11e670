// SPDX-License-Identifier: BSD-3-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>
#include <jansson.h>

#include "proc.h"
#include "rig.h"

/*
 * The load generator against the daemon: what it says it sent has arrived, in order and unchanged,
 * through every kind of ring, with addresses that it asked for.
 */

static const char init[] =
	"network create net ipv4 10.9.0.0/24 ipv6 fd00:9::/64 mtu 9000\n"
	"nic create vm1 network net mac 52:54:00:12:34:01 ipv4 10.9.0.11 ipv6 fd00:9::11\n"
	"nic create vm2 network net mac 52:54:00:12:34:02 ipv4 10.9.0.22 ipv6 fd00:9::22\n"
	"nic create vm3 network net mac 52:54:00:12:34:03 ipv4 10.9.0.33 ipv6 fd00:9::33\n"
	"nic create vm4 network net mac 52:54:00:12:34:04 ipv4 10.9.0.44 ipv6 fd00:9::44\n";

static struct rig *rig;

static int setup(void **)
{
	rig = rig_start(init, NULL);
	return 0;
}

// Run it on the first n VMs with these options, NULL last; its JSON.
static json_t *ringgen(unsigned int n, const char *const *options)
{
	const char *argv[40] = {getenv("RINGGEN"), "--learn", "--json", "--warmup", "0"};
	char sockets[4][128], *out;
	struct proc *p;
	json_t *result;
	unsigned int argc = 5;
	int status = -1;

	assert_non_null(argv[0]);
	while (*options != NULL)
		argv[argc++] = *options++;
	for (unsigned int i = 0; i < n; i++) {
		snprintf(sockets[i], sizeof(sockets[i]), "%s/vm%u.sock", rig_dir(rig), i + 1);
		argv[argc++] = sockets[i];
	}
	p = proc_start("ringgen", argv);
	assert_non_null(p);
	// Its output is collected by another thread: see that all is in.
	proc_wait_line(p, "\n}\n", 30000);
	assert_int_equal(proc_wait_exit(p, 30000, &status), 0);
	out = proc_output(p);
	print_message("%s", out);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	proc_passed(p);
	proc_stop(p);
	result = json_loads(out, 0, NULL);
	free(out);
	assert_non_null(result);
	return result;
}

static json_int_t number(json_t *root, const char *object, const char *key)
{
	json_t *in = object != NULL ? json_object_get(root, object) : root;

	assert_true(json_is_integer(json_object_get(in, key)));
	return json_integer_value(json_object_get(in, key));
}

// Slow enough for a busy machine: then not one frame may be missing. Exit status 0 says that
// --verify found neither loss nor disorder nor other content.
#define SLOW "--verify", "--time", "0.3", "--rate"
#define RATE SLOW, "20000"

static void assert_all_arrives(unsigned int n_vms, const char *const *options, json_int_t about)
{
	json_t *res = ringgen(n_vms, options);
	json_int_t sent = number(res, NULL, "sent");

	assert_in_range(sent, about - about / 10, about + about / 10);
	assert_int_equal(number(res, NULL, "lost"), 0);
	assert_int_equal(number(res, "total", "rx_packets"), sent);
	assert_int_equal(number(res, "verify", "checked"), sent);
	json_decref(res);
}

// Sum over all ports of a counter, as the daemon's console shows it.
static uint64_t daemon_counts(const char *what)
{
	char *out = rig_command(rig, "show port stats all"), *at = out;
	uint64_t sum = 0;

	while ((at = strstr(at, what)) != NULL) {
		at += strlen(what);
		sum += strtoull(at, NULL, 10);
	}
	free(out);
	return sum;
}

static void counts_agree_with_the_daemon(void **)
{
	static const char *const options[] = {RATE, NULL};
	uint64_t rx = daemon_counts("RX-packets:"), tx = daemon_counts("TX-packets:");
	json_t *res = ringgen(2, options);
	uint64_t sent = (uint64_t)number(res, NULL, "sent");

	// On top of the load: the DHCP dialogue and the frames that found out that all is ready.
	assert_in_range(daemon_counts("RX-packets:") - rx, sent + 6, sent + 60);
	assert_in_range(daemon_counts("TX-packets:") - tx, sent + 6, sent + 60);
	json_decref(res);
}

static void addresses_are_learned(void **)
{
	static const char *const four[] = {RATE, NULL}, *const six[] = {RATE, "-6", "-s", "80",
									NULL};
	json_t *res = ringgen(2, four), *vms = json_object_get(res, "vms");

	assert_int_equal(json_array_size(vms), 2);
	assert_string_equal(json_string_value(json_object_get(json_array_get(vms, 0), "ip")),
			    "10.9.0.11");
	assert_string_equal(json_string_value(json_object_get(json_array_get(vms, 1), "ip")),
			    "10.9.0.22");
	json_decref(res);
	res = ringgen(2, six);
	vms = json_object_get(res, "vms");
	assert_string_equal(json_string_value(json_object_get(json_array_get(vms, 1), "ip")),
			    "fd00:9::22");
	json_decref(res);
}

static void every_kind_of_ring(void **)
{
	static const char *const kinds[][8] = {
		{RATE},
		{RATE, "--packed"},
		{RATE, "--no-mrg"},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		assert_all_arrives(2, kinds[i], 6000);
}

static void jumbo_frames_over_several_buffers(void **)
{
	static const char *const merged[] = {SLOW, "2000", "-s", "9000", NULL};
	static const char *const whole[] = {SLOW,	"2000",	    "-s", "9000",
					    "--no-mrg", "--packed", NULL};

	// Fewer: a receive ring holds 200 of them.
	assert_all_arrives(2, merged, 600);
	assert_all_arrives(2, whole, 600);
}

static void many_flows_to_many_destinations(void **)
{
	static const char *const options[] = {RATE,  "--flows", "100", "--destinations", "3", "-s",
					      "256", "-6",	NULL};

	assert_all_arrives(4, options, 6000);
}

static void one_way_with_idle_vms(void **)
{
	static const char *const options[] = {RATE, "--one-way", "--idle", "2", NULL};
	json_t *res = ringgen(4, options), *vms = json_object_get(res, "vms");

	assert_int_equal(json_array_size(vms), 2);
	assert_int_equal(number(json_array_get(vms, 0), "total", "rx_packets"), 0);
	assert_int_equal(number(json_array_get(vms, 1), "total", "tx_packets"), 0);
	assert_int_equal(number(json_array_get(vms, 1), "total", "rx_packets"),
			 number(res, NULL, "sent"));
	json_decref(res);
}

static void latency_of_single_frames(void **)
{
	static const char *const options[] = {"--latency", "--time", "0.2", NULL};
	json_t *res = ringgen(2, options);
	json_int_t p50 = number(res, "latency", "p50_ns"), p99 = number(res, "latency", "p99_ns");

	assert_true(number(res, "latency", "frames") > 0);
	assert_int_equal(number(res, "latency", "timeouts"), 0);
	assert_true(number(res, "latency", "min_ns") > 0);
	assert_true(p50 >= number(res, "latency", "min_ns") && p99 >= p50);
	assert_true(number(res, "latency", "max_ns") >= p99);
	json_decref(res);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_agree_with_the_daemon),
		cmocka_unit_test(addresses_are_learned),
		cmocka_unit_test(every_kind_of_ring),
		cmocka_unit_test(jumbo_frames_over_several_buffers),
		cmocka_unit_test(many_flows_to_many_destinations),
		cmocka_unit_test(one_way_with_idle_vms),
		cmocka_unit_test(latency_of_single_frames),
	};
	int failed = cmocka_run_group_tests(tests, setup, NULL);

	if (rig != NULL)
		rig_stop(rig, failed == 0);
	return failed;
}
