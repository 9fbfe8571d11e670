// SPDX-License-Identifier: BSD-3-Clause
// Each change fails at each of its steps, and all is as before: model, store, ports, view.
#include "unit/fabric/scratch.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

static struct fixture f;
static struct scratch s;

static int do_net_create(void)
{
	return net_create(&f, "new", "10.7.0.0/24", NULL);
}

static int do_net_update(void)
{
	struct rp_network *net = rp_network_find(f.fabric, "prod");
	struct rp_network_config cfg = net->cfg;

	cfg.mtu = 1400;
	cfg.dns.n = 1;
	cfg.n_search = 0;
	return rp_network_update(f.fabric, net, &cfg, &f.err);
}

static int do_net_delete(void)
{
	return net_delete(&f, "prod", true, NULL);
}

static int do_nic_create(void)
{
	return nic_create_with(&f, "new", "prod", "10.8.0.0/24");
}

static int do_nic_update(void)
{
	struct rp_prefix add[] = {prefix("10.6.0.0/24"), prefix("10.5.0.0/24")};
	struct rp_prefix remove = prefix("10.9.0.0/24");
	struct rp_nic_update update = {add, 2, &remove, 1};

	return rp_nic_update(f.fabric, rp_nic_find(f.fabric, "vm2"), &update, &f.err);
}

static int do_nic_delete(void)
{
	return nic_delete(&f, "vm9");
}

static const struct change {
	const char *name;
	int (*run)(void);
	bool adds_port;
	const char *refuse; // SQL: from now on the store refuses the change
} changes[] = {
	{"network create", do_net_create, false,
	 "CREATE TRIGGER no BEFORE INSERT ON network BEGIN SELECT RAISE(ABORT, 'no'); END"},
	{"network update", do_net_update, false,
	 "CREATE TRIGGER no BEFORE UPDATE ON network BEGIN SELECT RAISE(ABORT, 'no'); END"},
	{"network delete", do_net_delete, false,
	 "CREATE TRIGGER no BEFORE DELETE ON network BEGIN SELECT RAISE(ABORT, 'no'); END"},
	{"nic create", do_nic_create, true,
	 "CREATE TRIGGER no BEFORE INSERT ON nic_prefix BEGIN SELECT RAISE(ABORT, 'no'); END"},
	{"nic update", do_nic_update, false,
	 "CREATE TRIGGER no BEFORE INSERT ON nic_prefix BEGIN SELECT RAISE(ABORT, 'no'); END"},
	{"nic delete", do_nic_delete, false,
	 "CREATE TRIGGER no BEFORE DELETE ON nic BEGIN SELECT RAISE(ABORT, 'no'); END"},
};

#define N_CHANGES (sizeof(changes) / sizeof(changes[0]))

static int setup(void **)
{
	scratch_open(&s);
	fixture_open_store(&f, &s);
	populate(&f);
	return 0;
}

static int teardown(void **)
{
	fixture_close(&f);
	scratch_close(&s);
	return 0;
}

static void reopen(void)
{
	fixture_close(&f);
	fixture_open_store(&f, &s);
}

// The change fails and leaves nothing behind, in memory and on disk; then it succeeds.
static void fails_without_a_trace(const struct change *c, int expected)
{
	char *before = snapshot(f.fabric, true);
	uint32_t published_prefixes = f.ops.n_prefixes;
	int added = f.ops.added;
	char *after;
	int rc;

	f.err = (struct rp_error){0};
	rc = c->run();
	if (rc != expected)
		fail_msg("%s: %d, not %d (%s)", c->name, rc, expected, f.err.expected);
	assert_int_equal(f.err.code, -expected);
	assert_true(f.err.expected[0] != '\0');
	after = snapshot(f.fabric, true);
	assert_string_equal(after, before);
	free(after);
	assert_int_equal(f.ops.added, added);
	assert_int_equal(f.ops.n_networks, f.fabric->n_networks);
	assert_int_equal(f.ops.n_nics, f.fabric->n_nics);
	assert_int_equal(f.ops.n_prefixes, published_prefixes);
	assert_false(f.fabric->view_stale);
	assert_false(f.fabric->unpublished);

	reopen();
	after = snapshot(f.fabric, true);
	assert_string_equal(after, before);
	free(after);
	free(before);
}

static void succeeds(const struct change *c)
{
	char *model, *stored;

	if (c->run() != 0)
		fail_msg("%s: %s", c->name, f.err.expected);
	model = snapshot(f.fabric, true);
	reopen();
	stored = snapshot(f.fabric, true);
	assert_string_equal(stored, model);
	free(model);
	free(stored);
}

static void failing_publish(void **)
{
	for (size_t i = 0; i < N_CHANGES; i++) {
		f.ops.fail_publish = 1;
		fails_without_a_trace(&changes[i], -ENOMEM);
	}
	// Those of NICs first: one of the others deletes their network.
	for (size_t i = 0; i < N_CHANGES; i++)
		succeeds(&changes[(i + 3) % N_CHANGES]);
}

static void failing_port(void **)
{
	for (size_t i = 0; i < N_CHANGES; i++) {
		if (!changes[i].adds_port)
			continue;
		f.ops.fail_nic_add = 1;
		fails_without_a_trace(&changes[i], -ENODEV);
		succeeds(&changes[i]);
	}
}

static void failing_store(void **)
{
	for (size_t i = 0; i < N_CHANGES; i++) {
		fixture_close(&f);
		scratch_sql(&s, changes[i].refuse);
		fixture_open_store(&f, &s);
		fails_without_a_trace(&changes[i], -EIO);
		fixture_close(&f);
		scratch_sql(&s, "DROP TRIGGER no");
		fixture_open_store(&f, &s);
	}
}

// From now on no file of this process can grow: the write-ahead log neither.
static void limit_files(bool on)
{
	struct rlimit limit;
	struct stat st;
	char wal[96];

	snprintf(wal, sizeof(wal), "%s-wal", s.path);
	assert_int_equal(stat(wal, &st), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = on ? (rlim_t)st.st_size : limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static int change_on_a_full_disk(const struct change *c)
{
	int rc;

	limit_files(true);
	rc = c->run();
	limit_files(false);
	return rc;
}

static void failing_commit(void **)
{
	signal(SIGXFSZ, SIG_IGN);
	for (size_t i = 0; i < N_CHANGES; i++) {
		char *before = snapshot(f.fabric, true);
		int published = f.ops.published;
		int added = f.ops.added;
		char *after;

		assert_true(change_on_a_full_disk(&changes[i]) < 0);
		assert_string_equal(f.err.field, "state");
		// The workers had the new view for a moment and got the old model's again.
		assert_int_equal(f.ops.published, published + 2);
		assert_int_equal(f.ops.added, added);
		assert_int_equal(f.ops.n_networks, f.fabric->n_networks);
		assert_int_equal(f.ops.n_nics, f.fabric->n_nics);
		after = snapshot(f.fabric, true);
		assert_string_equal(after, before);
		free(after);
		reopen();
		after = snapshot(f.fabric, true);
		assert_string_equal(after, before);
		free(after);
		free(before);
	}
}

static void nic_stays_while_a_stale_view_shows_it(void **)
{
	int added = f.ops.added;

	signal(SIGXFSZ, SIG_IGN);
	// The second publish is the one that takes the first back.
	f.ops.fail_publish = 2;
	assert_true(change_on_a_full_disk(&changes[3]) < 0);
	assert_null(rp_nic_find(f.fabric, "new"));
	assert_true(f.fabric->view_stale);
	assert_int_equal(f.ops.added, added + 1);
	// A refused change mends the view as well.
	f.ops.fail_nic_add = 1;
	assert_int_equal(nic_create(&f, "other", "prod"), -ENODEV);
	assert_false(f.fabric->view_stale);
	assert_int_equal(f.ops.added, added);
	assert_int_equal(f.ops.n_nics, f.fabric->n_nics);
}

static void stale_view_is_mended_by_the_next_change(void **)
{
	int added = f.ops.added;

	signal(SIGXFSZ, SIG_IGN);
	f.ops.fail_publish = 2;
	assert_true(change_on_a_full_disk(&changes[3]) < 0);
	assert_int_equal(f.ops.added, added + 1);
	assert_int_equal(nic_create(&f, "other", "prod"), 0);
	assert_int_equal(f.ops.added, added + 1);
	assert_int_equal(f.ops.n_nics, f.fabric->n_nics);
}

static void stale_view_does_not_outlive_the_fabric(void **)
{
	signal(SIGXFSZ, SIG_IGN);
	f.ops.fail_publish = 2;
	assert_true(change_on_a_full_disk(&changes[3]) < 0);
	assert_true(f.fabric->view_stale);
	// teardown: every port is taken down
}

static void errors_may_be_ignored(void **)
{
	struct rp_nic_config cfg = nic_config("new", "prod");

	f.ops.fail_publish = 1;
	assert_int_equal(rp_nic_create(f.fabric, &cfg, NULL, NULL), -ENOMEM);
	f.ops.fail_nic_add = 1;
	assert_int_equal(rp_nic_create(f.fabric, &cfg, NULL, NULL), -ENODEV);
	strlcpy(cfg.network, "none", sizeof(cfg.network));
	assert_int_equal(rp_nic_create(f.fabric, &cfg, NULL, NULL), -ENOENT);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(failing_publish),
		CASE(failing_port),
		CASE(failing_store),
		CASE(failing_commit),
		CASE(nic_stays_while_a_stale_view_shows_it),
		CASE(stale_view_is_mended_by_the_next_change),
		CASE(stale_view_does_not_outlive_the_fabric),
		CASE(errors_may_be_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
