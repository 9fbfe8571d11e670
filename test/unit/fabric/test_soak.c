// SPDX-License-Identifier: BSD-3-Clause
/*
 * Random creates and deletes, some of which are made to fail, against a model as simple as can be:
 * which name is in which network at which address. Then a restart.
 */
#include "unit/fabric/scratch.h"

#include "base/clock.h"
#include "unit/fabric/walk.h"

#define NETWORKS  3
#define NAMES	  40
#define ADDRESSES 14 // of a /28
#define BUDGET_MS 3000
#define STEPS	  20000

struct plain {
	bool network[NETWORKS];
	int nic_network[NAMES]; // -1: there is no such NIC
	int nic_addr[NAMES];	// the last byte
	int n_nics;
};

static struct fixture f;
static struct scratch s;
static struct plain m;

static int lowest_free(int network)
{
	for (int a = 1; a <= ADDRESSES; a++) {
		bool used = false;

		for (int i = 0; i < NAMES; i++)
			used |= m.nic_network[i] == network && m.nic_addr[i] == a;
		if (!used)
			return a;
	}
	return 0;
}

static void step_nic(int i, int network, bool fails)
{
	char name[16], net[16];
	int a = lowest_free(network);

	snprintf(name, sizeof(name), "nic%d", i);
	snprintf(net, sizeof(net), "net%d", network);
	if (m.nic_network[i] >= 0) {
		f.ops.fail_publish = fails;
		assert_int_equal(nic_delete(&f, name), fails ? -ENOMEM : 0);
		if (!fails) {
			m.nic_network[i] = -1;
			m.n_nics--;
		}
	} else if (m.n_nics == MAX_NICS || (m.network[network] && a == 0)) {
		assert_int_equal(nic_create(&f, name, net), -ENOSPC);
	} else if (!m.network[network]) {
		assert_int_equal(nic_create(&f, name, net), -ENOENT);
	} else {
		f.ops.fail_nic_add = fails;
		assert_int_equal(nic_create(&f, name, net), fails ? -ENODEV : 0);
		if (!fails) {
			m.nic_network[i] = network;
			m.nic_addr[i] = a;
			m.n_nics++;
		}
	}
}

static void step_network(int network, bool fails)
{
	uint32_t n_nics, expected = 0;
	char net[16];

	snprintf(net, sizeof(net), "net%d", network);
	f.ops.fail_publish = fails;
	if (!m.network[network]) {
		assert_int_equal(net_create(&f, net, "10.0.0.0/28", NULL), fails ? -ENOMEM : 0);
		m.network[network] = !fails;
		return;
	}
	assert_int_equal(net_delete(&f, net, true, &n_nics), fails ? -ENOMEM : 0);
	for (int i = 0; !fails && i < NAMES; i++) {
		if (m.nic_network[i] == network) {
			m.nic_network[i] = -1;
			m.n_nics--;
			expected++;
		}
	}
	if (!fails) {
		m.network[network] = false;
		assert_int_equal(n_nics, expected);
	}
}

static void compare(void)
{
	int networks = 0;
	char name[16];

	for (int i = 0; i < NETWORKS; i++) {
		snprintf(name, sizeof(name), "net%d", i);
		assert_int_equal(rp_network_find(f.fabric, name) != NULL, m.network[i]);
		networks += m.network[i];
	}
	for (int i = 0; i < NAMES; i++) {
		const struct rp_nic *nic;

		snprintf(name, sizeof(name), "nic%d", i);
		nic = rp_nic_find(f.fabric, name);
		assert_int_equal(nic != NULL, m.nic_network[i] >= 0);
		if (nic == NULL)
			continue;
		assert_int_equal(nic->cfg.network[3] - '0', m.nic_network[i]);
		assert_int_equal(nic->cfg.ip4.bytes[3], m.nic_addr[i]);
	}
	assert_int_equal(f.fabric->n_networks, networks);
	assert_int_equal(f.fabric->n_nics, m.n_nics);
	assert_int_equal(f.ops.added, m.n_nics);
	assert_int_equal(f.ops.n_nics, m.n_nics);
}

static void random_changes_keep_to_a_simple_model(void **)
{
	uint64_t deadline = rp_clock_ms() + BUDGET_MS;
	uint64_t state = 7;
	int steps = 0, changed = 0;

	scratch_open(&s);
	fixture_open_store(&f, &s);
	memset(m.nic_network, -1, sizeof(m.nic_network));
	for (; steps < STEPS && rp_clock_ms() < deadline; steps++) {
		int network = (int)(walk_random(&state) % NETWORKS);
		bool fails = walk_random(&state) % 5 == 0;
		int before = m.n_nics;

		if (walk_random(&state) % 16 == 0)
			step_network(network, fails);
		else
			step_nic((int)(walk_random(&state) % NAMES), network, fails);
		changed += before != m.n_nics;
		compare();
	}
	assert_true(changed > 100);
	fixture_close(&f);
	fixture_open_store(&f, &s);
	compare();
	fixture_close(&f);
	scratch_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_changes_keep_to_a_simple_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
