// SPDX-License-Identifier: BSD-3-Clause
#include "control/control.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "unit/fabric/fake_ops.h"

static struct fake_ops ops;
static struct rp_fabric *fabric;

static int setup(void **)
{
	ops = (struct fake_ops){0};
	fabric = rp_fabric_new(&fake_ops, &ops, "/run/ringplane", 31, NULL);
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

	if (rp_control_run_line(fabric, line, NULL, &err) != 0)
		fail_msg("%s: %s", line, rp_error_text(&err, text, sizeof(text)));
}

static void built_in_configuration_makes_two_vms(void **)
{
	struct rp_error err;
	char text[600];

	if (rp_control_run_text(fabric, "two-vms", rp_config_two_vms, NULL, &err) != 0)
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(built_in_configuration_makes_two_vms, setup,
						teardown),
		cmocka_unit_test_setup_teardown(issue_example_is_understood, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
