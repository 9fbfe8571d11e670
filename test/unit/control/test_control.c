// SPDX-License-Identifier: BSD-3-Clause
#include "control/control.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/string.h>

#include <cmocka.h>

#include "unit/fabric/fake_ops.h"

static struct fake_ops ops;
static struct rp_fabric *fabric;
static struct rp_control control;

static int setup(void **)
{
	ops = (struct fake_ops){0};
	fabric = rp_fabric_new(&fake_ops, &ops, "/run/ringplane", 31, NULL);
	control = (struct rp_control){.fabric = fabric};
	return fabric == NULL;
}

static int teardown(void **)
{
	rp_fabric_free(fabric);
	return 0;
}

static void run_ok(const char *line)
{
	struct rp_error err;
	char text[600];

	if (rp_control_run_line(&control, line, NULL, &err) != 0)
		fail_msg("%s: %s", line, rp_error_text(&err, text, sizeof(text)));
}

// What a command prints.
static char *run_print(const char *line)
{
	struct rp_error err;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	assert_int_equal(rp_control_run_line(&control, line, out, &err), 0);
	fclose(out);
	return text;
}

static void assert_refused(const char *line, const char *expected)
{
	struct rp_error err = {0};
	char text[600];

	assert_true(rp_control_run_line(&control, line, NULL, &err) < 0);
	assert_string_equal(rp_error_text(&err, text, sizeof(text)), expected);
}

static void built_in_configuration_makes_two_vms(void **)
{
	struct rp_error err;
	char text[600];

	if (rp_control_run_text(&control, "two-vms", rp_config_two_vms, NULL, &err) != 0)
		fail_msg("%s", rp_error_text(&err, text, sizeof(text)));
	assert_int_equal(fabric->n_networks, 1);
	assert_int_equal(fabric->n_nics, 2);
	assert_true(rp_network_find(fabric, "default")->cfg.is_public);
	assert_string_equal(rp_nic_find(fabric, "vm1")->cfg.socket, "/run/ringplane/vm1.sock");
	assert_int_equal(ops.added, 2);
}

static void issue_example_is_understood(void **)
{
	const struct rp_network_config *net;
	const struct rp_nic *nic;

	run_ok("network create prod ipv4 10.0.0.0/24 ipv6 fd00::/64 dns 1.1.1.1 mtu 1500 "
	       "public yes");
	run_ok("nic create vm1 network prod mac 52:54:00:12:34:01 ipv4 10.0.0.5");
	net = &rp_network_find(fabric, "prod")->cfg;
	assert_int_equal(net->dns.n, 1);
	assert_int_equal(net->mtu, 1500);
	assert_true(net->is_public);
	nic = rp_nic_find(fabric, "vm1");
	assert_int_equal(nic->cfg.ip4.bytes[3], 5);
	assert_int_equal(nic->cfg.ip6.bytes[15], 1);
	assert_int_equal(nic->cfg.queues, 1);
}

static void run_file_text(const char *text, char *path)
{
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void update_replaces_lists_that_are_given(void **)
{
	const struct rp_network_config *net;

	run_ok("network create prod ipv4 10.0.0.0/24 dns 1.1.1.1 dns 9.9.9.9 ntp 10.0.0.9 "
	       "search a.example search b.example domain example.org");
	net = &rp_network_find(fabric, "prod")->cfg;
	assert_int_equal(net->n_search, 2);
	run_ok("network update prod dns 8.8.8.8 mtu 9000 real-mask yes");
	assert_int_equal(net->dns.n, 1);
	assert_int_equal(net->ntp.n, 1);
	assert_int_equal(net->n_search, 2);
	assert_int_equal(net->mtu, 9000);
	assert_true(net->real_mask);
	run_ok("network update prod dns none search none domain none");
	assert_int_equal(net->dns.n, 0);
	assert_int_equal(net->n_search, 0);
	assert_string_equal(net->domain, "");
	assert_int_equal(net->ntp.n, 1);
}

static void lists_are_limited(void **)
{
	run_ok("network create prod ipv4 10.0.0.0/24 dns 10.0.0.1 dns 10.0.0.2 dns 10.0.0.3 dns "
	       "10.0.0.4 dns 10.0.0.5 dns 10.0.0.6 dns 10.0.0.7 dns 10.0.0.8");
	assert_refused("network update prod dns 10.0.0.1 dns 10.0.0.2 dns 10.0.0.3 dns 10.0.0.4 "
		       "dns 10.0.0.5 dns 10.0.0.6 dns 10.0.0.7 dns 10.0.0.8 dns 10.0.0.9",
		       "dns '10.0.0.9': one too many; expected at most 8");
	assert_refused("network update prod search a search b search c search d search e search f "
		       "search g",
		       "search 'g': one too many; expected at most 6");
}

static void nic_with_every_key(void **)
{
	const struct rp_nic_config *nic;

	run_ok("network create prod ipv4 10.0.0.0/24 ipv6 fd00::/64");
	run_ok("nic create vm1 network prod mac 52:54:00:12:34:01 ipv4 10.0.0.5 ipv6 fd00::5 "
	       "prefix 10.9.0.0/24 prefix fd00:9::/64 queues 2 mode client socket /tmp/vm1.vmm");
	nic = &rp_nic_find(fabric, "vm1")->cfg;
	assert_int_equal(nic->n_prefixes, 2);
	assert_int_equal(nic->queues, 2);
	assert_int_equal(nic->mode, RP_VHOST_CLIENT);
	assert_string_equal(nic->socket, "/tmp/vm1.vmm");
	assert_int_equal(nic->ip6.bytes[15], 5);
	run_ok("nic update vm1 add-prefix 10.9.0.0/16 remove-prefix 10.9.0.0/24");
	assert_int_equal(nic->n_prefixes, 2);
	assert_int_equal(nic->prefixes[1].len, 16);
	run_ok("nic delete vm1");
	assert_int_equal(fabric->n_nics, 0);
}

static void things_are_found_by_uuid(void **)
{
	char line[128];

	run_ok("network create prod ipv4 10.0.0.0/24");
	snprintf(line, sizeof(line), "nic create vm1 network %s",
		 rp_network_find(fabric, "prod")->uuid);
	run_ok(line);
	snprintf(line, sizeof(line), "nic delete %s", rp_nic_find(fabric, "vm1")->uuid);
	run_ok(line);
	assert_int_equal(fabric->n_nics, 0);
}

static void things_that_are_not_there_are_refused(void **)
{
	run_ok("network create prod ipv4 10.0.0.0/24");
	run_ok("nic create vm1 network prod");
	assert_refused("network get prud",
		       "name 'prud': there is no such network; did you mean 'prod'?");
	assert_refused("network update other mtu 1500",
		       "name 'other': there is no such network; 'list' shows those there are");
	assert_refused("network delete x",
		       "name 'x': there is no such network; 'list' shows those there are");
	assert_refused("nic create vm2 network prd",
		       "network 'prd': there is no such network; did you mean 'prod'?");
	assert_refused("nic list network prd",
		       "network 'prd': there is no such network; did you mean 'prod'?");
	assert_refused("nic get wm1", "name 'wm1': there is no such NIC; did you mean 'vm1'?");
	assert_refused("nic update vm2 add-prefix 10.9.0.0/24",
		       "name 'vm2': there is no such NIC; did you mean 'vm1'?");
	assert_refused("nic delete vm2", "name 'vm2': there is no such NIC; did you mean 'vm1'?");
}

static void delete_says_how_many_nics_went(void **)
{
	char *text;

	run_ok("network create prod ipv4 10.0.0.0/24");
	run_ok("nic create vm1 network prod");
	run_ok("nic create vm2 network prod");
	assert_refused("network delete prod force no",
		       "name 'prod': the network has 2 NICs; delete them first, or say 'force yes' "
		       "to have them deleted with it");
	text = run_print("network delete prod force yes");
	assert_string_equal(text, "nics-deleted: 2\n");
	free(text);
}

static void list_is_a_table(void **)
{
	char *text;

	run_ok("network create prod ipv4 10.0.0.0/24 ipv6 fd00::/64 dns 1.1.1.1 dns 2606::");
	run_ok("network create other-one ipv4 10.0.0.0/8 public yes mtu 9000");
	run_ok("nic create vm1 network prod mac 52:54:00:12:34:01");
	run_ok("nic create vm2 network other-one mac 52:54:00:12:34:02 prefix 192.168.0.0/16");
	text = run_print("network list");
	assert_string_equal(
		text, "NAME       IPV4         IPV6       PUBLIC  MTU   DNS              NICS\n"
		      "other-one  10.0.0.0/8   -          yes     9000  -                1\n"
		      "prod       10.0.0.0/24  fd00::/64  no      1500  1.1.1.1, 2606::  1\n");
	free(text);
	text = run_print("nic list network other-one");
	assert_string_equal(text,
			    "NAME  NETWORK    MAC                IPV4      IPV6  PREFIX"
			    "          QUEUES  MODE    STATE\n"
			    "vm2   other-one  52:54:00:12:34:02  10.0.0.1  -     192.168.0.0/16"
			    "  1       server  created\n");
	free(text);
}

static void list_of_nothing_is_a_header(void **)
{
	char *text = run_print("network list");

	assert_string_equal(text, "NAME  IPV4  IPV6  PUBLIC  MTU  DNS  NICS\n");
	free(text);
}

static void show_is_a_line_a_key(void **)
{
	char expected[512];
	char *text;

	run_ok("network create prod ipv4 10.0.0.0/24");
	run_ok("nic create vm1 network prod mac 52:54:00:12:34:01 queues 4 mode client");
	snprintf(expected, sizeof(expected),
		 "name: vm1\nuuid: %s\nnetwork: prod\nmac: 52:54:00:12:34:01\nipv4: 10.0.0.1\n"
		 "prefix: -\nqueues: 4\nmode: client\nsocket: /run/ringplane/vm1.sock\n"
		 "state: created\n",
		 rp_nic_find(fabric, "vm1")->uuid);
	text = run_print("nic get vm1");
	assert_string_equal(text, expected);
	free(text);
}

static void file_is_run_line_by_line(void **)
{
	char path[] = "/tmp/rp_control.XXXXXX";
	struct rp_error err;

	run_file_text("# two\n\nnetwork create prod ipv4 10.0.0.0/24\r\n"
		      "  nic create 'vm1' network \"prod\" # first\nnic create vm2 network prod",
		      path);
	assert_int_equal(rp_control_run_file(&control, path, NULL, &err), 0);
	assert_int_equal(fabric->n_nics, 2);
	unlink(path);
}

static void dash_is_the_standard_input(void **)
{
	char path[] = "/tmp/rp_control.XXXXXX";
	struct rp_error err;

	run_file_text("network create prod ipv4 10.0.0.0/24\nnic lst\n", path);
	assert_non_null(freopen(path, "r", stdin));
	assert_int_equal(rp_control_run_file(&control, "-", NULL, &err), -EINVAL);
	assert_string_equal(err.where, "(standard input):2:5");
	assert_int_equal(fabric->n_networks, 1);
	unlink(path);
}

static void error_in_a_file_names_line_column_and_word(void **)
{
	static const struct {
		const char *line, *error;
	} cases[] = {
		{"nic create vm2 network prod queues 99",
		 ":3:36: queues '99': out of range; expected 1 to 16"},
		{"nic create vm1 network prod", ":3:12: name 'vm1': there is a NIC of this name "
						"already; choose another"},
		{"nic create vm2 network prod prefix 10.9.0.0/24 prefix 10.9.0.0/25",
		 ":3:55: prefix '10.9.0.0/25': overlaps 10.9.0.0/24, which is routed to NIC 'vm2' "
		 "of network 'prod'"},
		{"  network create b", ":3:3: ipv4: missing; expected ipv4 SUBNET, ipv6 PREFIX or "
				       "both for network 'b'"},
		{"nic delete \x02", ":3:12: byte 0x02 is a control character; expected text"},
	};
	char path[] = "/tmp/rp_control.XXXXXX", file[512], expected[512], text[600];
	struct rp_error err;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		strlcpy(path, "/tmp/rp_control.XXXXXX", sizeof(path));
		snprintf(file, sizeof(file),
			 "network create prod ipv4 10.0.0.0/24\nnic create vm1 network prod\n%s\n"
			 "nic create vm9 network prod\n",
			 cases[i].line);
		run_file_text(file, path);
		assert_true(rp_control_run_file(&control, path, NULL, &err) < 0);
		snprintf(expected, sizeof(expected), "%s%s", path, cases[i].error);
		assert_string_equal(rp_error_text(&err, text, sizeof(text)), expected);
		// What came before stays, nothing of the line itself or behind it is there.
		assert_int_equal(fabric->n_networks, 1);
		assert_int_equal(fabric->n_nics, 1);
		assert_int_equal(ops.added, 1);
		unlink(path);
		run_ok("network delete prod force yes");
	}
}

static void files_that_cannot_be_read_are_refused(void **)
{
	struct rp_error err;

	assert_int_equal(rp_control_run_file(&control, "/nonexistent.rp", NULL, &err), -ENOENT);
	assert_string_equal(err.value, "/nonexistent.rp");
	assert_int_equal(rp_control_run_file(&control, "/tmp", NULL, &err), -EISDIR);
	assert_int_equal(rp_control_run_file(&control, "/nonexistent.rp", NULL, NULL), -ENOENT);
}

static void zero_bytes_are_refused(void **)
{
	char path[] = "/tmp/rp_control.XXXXXX";
	struct rp_error err;
	int fd = mkstemp(path);

	assert_int_equal(write(fd, "#\nnic\0 list\n", 12), 12);
	close(fd);
	assert_int_equal(rp_control_run_file(&control, path, NULL, &err), -EINVAL);
	assert_non_null(strstr(err.where, ":2:1"));
	assert_non_null(strstr(err.expected, "zero byte"));
	unlink(path);
}

static void text_is_run_under_its_name(void **)
{
	struct rp_error err;

	assert_int_equal(
		rp_control_run_text(&control, "built-in", "nic list\nnic lst\n", NULL, &err),
		-EINVAL);
	assert_string_equal(err.where, "built-in:2:5");
	assert_int_equal(rp_control_run_text(&control, "built-in", "", NULL, &err), 0);
	assert_int_equal(rp_control_run_text(&control, "built-in", "nic lst", NULL, NULL), -EINVAL);
}

static void error_of_a_line_has_no_place(void **)
{
	assert_refused("nic lst", "'lst': is no verb of 'nic'; did you mean 'list'? expected one "
				  "of: create, update, delete, list, get");
	assert_int_equal(rp_control_run_line(&control, "nic lst", NULL, NULL), -EINVAL);
}

static void nic_in_error_says_why(void **)
{
	struct rp_nic *nic;
	char *text;

	run_ok("network create prod ipv4 10.0.0.0/24");
	run_ok("nic create vm1 network prod");
	nic = rp_nic_find(fabric, "vm1");
	nic->state = RP_NIC_ERROR;
	strlcpy(nic->error, "no socket", sizeof(nic->error));
	text = run_print("nic get vm1");
	assert_non_null(strstr(text, "state: error\nerror: no socket\n"));
	free(text);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(built_in_configuration_makes_two_vms),
		CASE(issue_example_is_understood),
		CASE(update_replaces_lists_that_are_given),
		CASE(lists_are_limited),
		CASE(nic_with_every_key),
		CASE(things_are_found_by_uuid),
		CASE(things_that_are_not_there_are_refused),
		CASE(delete_says_how_many_nics_went),
		CASE(list_is_a_table),
		CASE(list_of_nothing_is_a_header),
		CASE(show_is_a_line_a_key),
		CASE(file_is_run_line_by_line),
		CASE(dash_is_the_standard_input),
		CASE(error_in_a_file_names_line_column_and_word),
		CASE(files_that_cannot_be_read_are_refused),
		CASE(zero_bytes_are_refused),
		CASE(text_is_run_under_its_name),
		CASE(error_of_a_line_has_no_place),
		CASE(nic_in_error_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
