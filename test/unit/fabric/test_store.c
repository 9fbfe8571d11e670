// SPDX-License-Identifier: BSD-3-Clause
#include "unit/fabric/scratch.h"

#include <sys/stat.h>
#include <sys/wait.h>

static struct fixture f;
static struct scratch s;

static int setup(void **)
{
	scratch_open(&s);
	return 0;
}

static int teardown(void **)
{
	scratch_close(&s);
	return 0;
}

// Opening the store fails for this reason.
static void assert_refused(const char *path, int code, const char *says)
{
	fixture_open(&f);
	assert_int_equal(rp_fabric_open_store(f.fabric, path, &f.err), -code);
	assert_error(&f, code, "state", path, says);
	assert_null(f.fabric->store);
	assert_int_equal(f.fabric->n_networks, 0);
	assert_int_equal(f.fabric->n_nics, 0);
	fixture_close(&f);
}

static void populate_and_close(void)
{
	fixture_open_store(&f, &s);
	populate(&f);
	fixture_close(&f);
}

static void restart_gives_the_same_model(void **)
{
	char *before, *after;

	fixture_open_store(&f, &s);
	populate(&f);
	before = snapshot(f.fabric, true);
	fixture_close(&f);
	fixture_open_store(&f, &s);
	after = snapshot(f.fabric, true);
	assert_string_equal(before, after);
	assert_int_equal(f.ops.added, 3);
	assert_int_equal(f.ops.published, 1);
	assert_int_equal(f.ops.n_nics, 3);
	free(before);
	free(after);
	// What is restored can change and be restored again.
	assert_int_equal(nic_delete(&f, "vm9"), 0);
	assert_int_equal(nic_reroute(&f, "vm2", "10.8.0.0/24", "10.9.0.0/24"), 0);
	assert_int_equal(net_create(&f, "reuse", "10.0.0.0/24", NULL), 0);
	assert_int_equal(rp_network_find(f.fabric, "reuse")->id, 1);
	before = snapshot(f.fabric, true);
	fixture_close(&f);
	fixture_open_store(&f, &s);
	after = snapshot(f.fabric, true);
	assert_string_equal(before, after);
	free(before);
	free(after);
	fixture_close(&f);
}

static void names_are_free_again_after_a_forced_delete(void **)
{
	fixture_open_store(&f, &s);
	populate(&f);
	assert_int_equal(net_delete(&f, "prod", true, NULL), 0);
	assert_int_equal(net_create(&f, "prod", "10.0.0.0/24", NULL), 0);
	assert_int_equal(nic_create(&f, "vm9", "prod"), 0);
	fixture_close(&f);
	fixture_open_store(&f, &s);
	assert_int_equal(rp_network_find(f.fabric, "prod")->cfg.dns.n, 0);
	assert_int_equal(f.fabric->n_nics, 2);
	fixture_close(&f);
}

static void memory_store_forgets(void **)
{
	struct scratch memory = {.path = ":memory:"};

	fixture_open_store(&f, &memory);
	populate(&f);
	fixture_close(&f);
	fixture_open_store(&f, &memory);
	assert_int_equal(f.fabric->n_networks, 0);
	fixture_close(&f);
}

static void default_sockets_follow_the_directory(void **)
{
	populate_and_close();
	f = (struct fixture){0};
	f.fabric = rp_fabric_new(&fake_ops, &f.ops, "/elsewhere", MAX_NICS, &f.err);
	assert_non_null(f.fabric);
	assert_int_equal(rp_fabric_open_store(f.fabric, s.path, &f.err), 0);
	assert_string_equal(rp_nic_find(f.fabric, "vm9")->cfg.socket, "/elsewhere/vm9.sock");
	assert_string_equal(rp_nic_find(f.fabric, "vm2")->cfg.socket, "/tmp/vm2.vmm");
	fixture_close(&f);
}

static void port_that_fails_does_not_stop_the_others(void **)
{
	const struct rp_nic *nic;

	populate_and_close();
	fixture_open(&f);
	f.ops.fail_nic_add = 2;
	assert_int_equal(rp_fabric_open_store(f.fabric, s.path, &f.err), 0);
	nic = rp_nic_find(f.fabric, "vm2");
	assert_int_equal(nic->state, RP_NIC_ERROR);
	assert_false(nic->has_port);
	assert_non_null(strstr(nic->error, "port cannot be made"));
	assert_int_equal(f.ops.added, 2);
	assert_int_equal(f.ops.n_nics, 3);
	// It can be deleted, though there is no port to remove.
	assert_int_equal(nic_delete(&f, "vm2"), 0);
	assert_int_equal(f.ops.added, 2);
	fixture_close(&f);
}

static void failing_publish_takes_all_down(void **)
{
	populate_and_close();
	fixture_open(&f);
	f.ops.fail_publish = 1;
	assert_int_equal(rp_fabric_open_store(f.fabric, s.path, &f.err), -ENOMEM);
	assert_int_equal(f.ops.added, 0);
	assert_int_equal(f.fabric->n_nics, 0);
	// The lock is gone with it.
	assert_int_equal(rp_fabric_open_store(f.fabric, s.path, &f.err), 0);
	fixture_close(&f);
}

static void store_is_opened_first_and_once(void **)
{
	fixture_open(&f);
	assert_int_equal(net_create(&f, "a", "10.0.0.0/24", NULL), 0);
	assert_int_equal(rp_fabric_open_store(f.fabric, s.path, &f.err), -EBUSY);
	fixture_close(&f);
	fixture_open_store(&f, &s);
	assert_int_equal(rp_fabric_open_store(f.fabric, s.path, &f.err), -EBUSY);
	fixture_close(&f);
}

static void smaller_limit_is_named(void **)
{
	populate_and_close();
	f = (struct fixture){0};
	f.fabric = rp_fabric_new(&fake_ops, &f.ops, "/run/ringplane", 2, &f.err);
	assert_int_equal(rp_fabric_open_store(f.fabric, s.path, &f.err), -ENOSPC);
	assert_error(&f, ENOSPC, "name", "vm0", "at most 2 NICs");
	fixture_close(&f);
}

static void missing_directory_is_refused(void **)
{
	assert_refused("/nonexistent/state.db", ENOENT, "check its directory");
	assert_refused(s.dir, ENOENT, "check its directory");
}

static void file_that_is_no_database_is_refused(void **)
{
	FILE *file = fopen(s.path, "w");

	assert_non_null(file);
	for (int i = 0; i < 200; i++)
		fputs("network create prod\n", file);
	fclose(file);
	assert_refused(s.path, EMEDIUMTYPE, "no SQLite database");
}

static void database_of_another_program_is_refused(void **)
{
	scratch_sql(&s, "CREATE TABLE song (title TEXT)");
	assert_refused(s.path, EMEDIUMTYPE, "another program");
	scratch_clear(&s);
	scratch_sql(&s, "PRAGMA application_id = 7");
	assert_refused(s.path, EMEDIUMTYPE, "another program");
}

static void newer_schema_is_refused(void **)
{
	populate_and_close();
	scratch_sql(&s, "PRAGMA user_version = 99");
	assert_refused(s.path, EPROTONOSUPPORT, "has schema version 99");
}

static void overwrite(long offset, int bytes)
{
	FILE *file = fopen(s.path, "r+");

	assert_non_null(file);
	assert_int_equal(fseek(file, offset, SEEK_SET), 0);
	for (int i = 0; i < bytes; i++)
		fputc(0xa5, file);
	fclose(file);
}

static void damaged_file_is_refused(void **)
{
	populate_and_close();
	// Past the first page, which only says that it is a database.
	overwrite(4096, 8192);
	assert_refused(s.path, EUCLEAN, "damaged");
}

static int root_page(void *page, int, char **text, char **)
{
	*(long *)page = atol(text[0]);
	return 0;
}

static void damage_where_nothing_is_read_is_found(void **)
{
	sqlite3 *db;
	long page = 0;

	populate_and_close();
	assert_int_equal(sqlite3_open(s.path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
				      "SELECT rootpage FROM sqlite_schema "
				      "WHERE name = 'nic_network'",
				      root_page, &page, NULL),
			 SQLITE_OK);
	sqlite3_close(db);
	assert_true(page > 1);
	overwrite((page - 1) * 4096, 4096);
	assert_refused(s.path, EUCLEAN, "damaged");
}

static void values_that_break_a_type_are_refused(void **)
{
	static const char *const broken[] = {
		"UPDATE network SET ip4 = '10.0.0.0' WHERE name = 'prod'",
		"UPDATE network SET mtu = 70000 WHERE name = 'prod'",
		"UPDATE network SET id = 0 WHERE name = 'prod'",
		"UPDATE network SET name = printf('%64s', 'x') WHERE name = 'prod'",
		"UPDATE network_list SET value = 'x' WHERE kind = 'dns'",
		"UPDATE network_list SET kind = 'dnz' WHERE kind = 'dns'",
		"UPDATE nic SET mac = 'x' WHERE name = 'vm9'",
		"UPDATE nic SET ip6 = 'x' WHERE name = 'vm9'",
		"UPDATE nic SET queues = -1 WHERE name = 'vm9'",
		"UPDATE nic_prefix SET prefix = '10.9.0.1/24'",
	};

	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		populate_and_close();
		scratch_sql(&s, broken[i]);
		assert_refused(s.path, EUCLEAN, "with a value that is none");
		scratch_clear(&s);
	}
}

static void values_that_break_a_rule_are_refused(void **)
{
	static const struct {
		const char *sql, *field;
	} broken[] = {
		{"UPDATE network SET mtu = 70", "mtu"},
		{"UPDATE network SET ip4 = '10.0.0.0/31' WHERE name = 'prod'", "ipv4"},
		{"UPDATE nic SET mac = '01:00:00:00:00:00' WHERE name = 'vm9'", "mac"},
		{"UPDATE nic SET ip4 = '10.0.1.1' WHERE name = 'vm9'", "ipv4"},
		{"UPDATE nic SET queues = 17 WHERE name = 'vm9'", "queues"},
		{"UPDATE nic SET mode = 9 WHERE name = 'vm9'", "mode"},
		{"UPDATE nic SET name = 'a/b' WHERE name = 'vm9'", "name"},
	};

	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		populate_and_close();
		scratch_sql(&s, broken[i].sql);
		fixture_open(&f);
		assert_int_equal(rp_fabric_open_store(f.fabric, s.path, &f.err), -EINVAL);
		assert_string_equal(f.err.field, broken[i].field);
		fixture_close(&f);
		scratch_clear(&s);
	}
}

static void store_in_use_is_refused(void **)
{
	struct fixture other;

	fixture_open_store(&f, &s);
	fixture_open(&other);
	assert_int_equal(rp_fabric_open_store(other.fabric, s.path, &other.err), -EBUSY);
	assert_error(&other, EBUSY, "state", s.path, "in use by another ringplane");
	// The first is not disturbed.
	assert_int_equal(net_create(&f, "a", "10.0.0.0/24", NULL), 0);
	fixture_close(&f);
	assert_int_equal(rp_fabric_open_store(other.fabric, s.path, &other.err), 0);
	assert_non_null(rp_network_find(other.fabric, "a"));
	fixture_close(&other);
}

// In a process without root's rights, for which modes mean nothing.
static int open_as_nobody(void)
{
	int rc;

	if (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0)
		return 1;
	fixture_open(&f);
	rc = rp_fabric_open_store(f.fabric, s.path, &f.err);
	rp_fabric_free(f.fabric);
	return rc != -EROFS || strstr(f.err.expected, "cannot be written") == NULL;
}

static void file_that_cannot_be_written_is_refused(void **)
{
	int status;
	pid_t pid;

	populate_and_close();
	assert_int_equal(chmod(s.path, 0444), 0);
	assert_int_equal(chmod(s.dir, 0755), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(open_as_nobody());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void write_ahead_log_is_in_use(void **)
{
	char wal[96];

	fixture_open_store(&f, &s);
	snprintf(wal, sizeof(wal), "%s-wal", s.path);
	assert_int_equal(access(wal, F_OK), 0);
	fixture_close(&f);
	assert_int_equal(access(wal, F_OK), -1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(restart_gives_the_same_model),
		CASE(names_are_free_again_after_a_forced_delete),
		CASE(memory_store_forgets),
		CASE(default_sockets_follow_the_directory),
		CASE(port_that_fails_does_not_stop_the_others),
		CASE(failing_publish_takes_all_down),
		CASE(store_is_opened_first_and_once),
		CASE(smaller_limit_is_named),
		CASE(missing_directory_is_refused),
		CASE(file_that_is_no_database_is_refused),
		CASE(database_of_another_program_is_refused),
		CASE(newer_schema_is_refused),
		CASE(damaged_file_is_refused),
		CASE(damage_where_nothing_is_read_is_found),
		CASE(values_that_break_a_type_are_refused),
		CASE(values_that_break_a_rule_are_refused),
		CASE(store_in_use_is_refused),
		CASE(file_that_cannot_be_written_is_refused),
		CASE(write_ahead_log_is_in_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
