// SPDX-License-Identifier: BSD-3-Clause
// The conformance tester against our own back-end, sound and with each of its faults, and against
// back-ends of others, where only the run itself is judged.
#include "proc.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

static char dir[64], report[96];

// Run the tester; its report, and its exit status in *status.
static json_t *check_rules(const char *spawn, const char *rules, const char *wait, int *status)
{
	const char *argv[] = {getenv("VHOST_USER_CHECK"),
			      "--spawn",
			      spawn,
			      "--rule",
			      rules,
			      "--wait",
			      wait,
			      "--json",
			      report,
			      NULL};
	struct proc *p = proc_start("vhost-user-check", argv);
	json_t *root;

	assert_non_null(p);
	unlink(report);
	assert_int_equal(proc_wait_exit(p, 150000, status), 0);
	proc_passed(p);
	proc_stop(p);
	*status = WIFEXITED(*status) ? WEXITSTATUS(*status) : -1;
	root = json_load_file(report, 0, NULL);
	assert_non_null(root);
	return root;
}

static const char *field(const json_t *rule, const char *name)
{
	return json_string_value(json_object_get(rule, name));
}

static const char *server(const char *options)
{
	static char command[256];

	snprintf(command, sizeof(command), "%s %s {socket}", getenv("SIMPLE_VHOST_SERVER"),
		 options);
	return command;
}

static void our_back_end_passes_every_rule(void **)
{
	unsigned int applied = 0;
	const json_t *rule;
	size_t i;
	int status;
	json_t *root = check_rules(server("--pairs 2"), "*", "1000", &status);

	json_array_foreach(json_object_get(root, "rules"), i, rule)
	{
		const char *verdict = field(rule, "verdict");

		applied += strcmp(verdict, "skip") != 0;
		if (strcmp(verdict, "pass") != 0 && strcmp(verdict, "skip") != 0 &&
		    strcmp(verdict, "warn") != 0)
			fail_msg("%s %s: %s", field(rule, "id"), verdict, field(rule, "reason"));
	}
	assert_int_equal(status, 0);
	assert_true(applied >= 125);
	json_decref(root);
}

// What each fault of simple-vhost-server must be caught by.
static const struct {
	const char *fault;
	const char *rules;
} faults[] = {
	{"lying-ack",
	 "@(FT2|PF2|RA2|MT4|MT5|MT6|AR1|AR3|AR5|AR6|VR7|VR15|VR16|VR19|KC6|IF5|CF4|ST3|"
	 "BR1|MQ3|ML1|ML4)"},
	{"no-ack", "@(HS5|FT1|FT3|PF1|RA1|RA5|RA7|AR2|AR4|KC1|CF1|ST1|RC1)"},
	{"always-nack", "@(FT1|PF1|RA1|RA5|MT9|IF1|IF2|LG1|CF1|CF2|ST1|RC1)"},
	{"double-reply", "@(HS2|HS4|HS5|HS6|HS8|FT1|RC4)"},
	{"no-reply", "@(HS1|HS2|HS7|FT5)"},
	{"wrong-size", "@(HS1|HS2)"},
	{"wrong-id", "@(HS1|HS2|HS7)"},
	{"no-reply-bit", "@(HS1|HS2)"},
	{"need-reply-bit", "HS2"},
	{"wrong-version", "@(HS1|HS2)"},
	{"short-reply", "@(HS1|HS2)"},
	{"hang-up-in-reply", "@(HS1|HS2|HS7)"},
	{"late-reply", "@(HS1|HS2)"},
	{"stray-fd", "@(HS1|HS2)"},
	{"garbage", "@(HS1|HS2|HS7)"},
	{"unstable-features", "FT3"},
	{"base-off-by-one", "@(VR8|VR10)"},
	{"base-zero", "@(VR8|VR10)"},
	{"wrong-config", "CF7"},
	{"queue-num-zero", "@(MQ1|MQ3)"},
	{"unsolicited", "@(HS3|HS6)"},
	{"close-after=3", "@(HS2|RA2)"},
	{"crash-after", "@(HS2|FT1)"},
	{"hang-after", "@(HS2|FT1)"},
	{"leak-fd", "@(MT9|AR4|KC10)"},
	{"no-version-1", "FT5"},
	{"unknown-bits", "PF4"},
	{"log-without-shmfd", "FT6"},
	{"deaf", "KC1"},
	{"mute", "@(KC2|KC4|KC7)"},
	{"wrong-used-id", "@(KC1|DP1)"},
	{"wrong-used-len", "@(DP1|DP4)"},
};

static void each_fault_is_caught(void **)
{
	for (size_t f = 0; f < sizeof(faults) / sizeof(faults[0]); f++) {
		char options[64];
		const json_t *rule;
		size_t i;
		int status;
		json_t *root;

		snprintf(options, sizeof(options), "--fault %s", faults[f].fault);
		root = check_rules(server(options), faults[f].rules, "250", &status);
		assert_true(json_array_size(json_object_get(root, "rules")) > 0);
		json_array_foreach(json_object_get(root, "rules"), i, rule)
		{
			const char *verdict = field(rule, "verdict");

			if (strcmp(verdict, "pass") == 0 ||
			    (strcmp(verdict, "skip") == 0 &&
			     strcmp(faults[f].fault, "close-after=3") != 0))
				fail_msg("fault %s: %s says %s %s", faults[f].fault,
					 field(rule, "id"), verdict, field(rule, "reason"));
			if (strcmp(verdict, "fail") == 0)
				assert_true(json_array_size(json_object_get(rule, "exchange")) > 0);
		}
		json_decref(root);
	}
}

// How many rules had another verdict in the second run.
static unsigned int differences(const json_t *first, const json_t *second)
{
	const json_t *a = json_object_get(first, "rules"), *b = json_object_get(second, "rules");
	unsigned int n = 0;

	assert_int_equal(json_array_size(a), json_array_size(b));
	for (size_t i = 0; i < json_array_size(a); i++)
		if (strcmp(field(json_array_get(a, i), "verdict"),
			   field(json_array_get(b, i), "verdict")) != 0) {
			print_message("%s differs\n", field(json_array_get(a, i), "id"));
			n++;
		}
	return n;
}

static void twice_the_same(const char *spawn, unsigned int most)
{
	int status;
	json_t *first = check_rules(spawn, "*", "1000", &status), *second;

	assert_true(status == 0 || status == 1);
	second = check_rules(spawn, "*", "1000", &status);
	assert_true(status == 0 || status == 1);
	assert_in_range(differences(first, second), 0, most);
	json_decref(first);
	json_decref(second);
}

static void a_disk_of_others_is_judged_to_the_end(void **)
{
	char disk[96], command[512];
	int fd;

	snprintf(disk, sizeof(disk), "%s/disk.img", dir);
	fd = open(disk, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 1 << 20), 0);
	close(fd);
	snprintf(command, sizeof(command),
		 "qemu-storage-daemon --blockdev driver=file,node-name=d0,filename=%s --export "
		 "type=vhost-user-blk,id=e0,addr.type=unix,addr.path={socket},node-name=d0,"
		 "writable=on,num-queues=2",
		 disk);
	// Where it falls over is in part decided by races among its own threads.
	twice_the_same(command, 4);
}

static void a_card_of_others_is_judged_twice_the_same(void **)
{
	twice_the_same("dpdk-testpmd -l 0,1 --no-huge -m 256 --no-pci --no-shconf --file-prefix "
		       "vhost-user-check-$$ --vdev net_vhost0,iface={socket},queues=2 -- -i "
		       "--auto-start --port-topology=loop --total-num-mbufs=4096 --rxq=2 --txq=2",
		       0);
}

static int set_up(void **)
{
	if (proc_make_dir(dir, sizeof(dir)) < 0)
		return -1;
	snprintf(report, sizeof(report), "%s/report.json", dir);
	return 0;
}

static int tear_down(void **)
{
	proc_remove_dir(dir);
	return 0;
}

// An argument is a pattern: only tests whose names match it are run.
int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_back_end_passes_every_rule),
		cmocka_unit_test(each_fault_is_caught),
		cmocka_unit_test(a_disk_of_others_is_judged_to_the_end),
		cmocka_unit_test(a_card_of_others_is_judged_twice_the_same),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
