// SPDX-License-Identifier: BSD-3-Clause
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "proc.h"
#include "rig.h"
#include "rpc/client.h"

/*
 * The control socket of the real daemon: methods, events, ringctl, and a store that outlives
 * kill -9.
 */

static char dir[64], control[96], store[96];
static struct proc *daemon_proc;
static struct rp_rpc_client *client;

static void start_daemon(void)
{
	char prefix[32];
	const char *argv[] = {getenv("RINGPLANE"), "-l",   "0-1",     "--no-pci",
			      "--no-huge",	   "-m",   "256",     "--no-telemetry",
			      "--file-prefix",	   prefix, "--",      "--no-host",
			      "--socket-dir",	   dir,	   "--state", store,
			      "--control-mode",	   "0600", NULL};
	struct rp_error err = {0};

	snprintf(prefix, sizeof(prefix), "rpctl%d", getpid());
	daemon_proc = proc_start("ringplane", argv);
	assert_non_null(daemon_proc);
	assert_int_equal(proc_wait_line(daemon_proc, ": ready", 20000), 0);
	client = rp_rpc_client_new(control, RIG_WAIT_MS, &err);
	if (client == NULL)
		fail_msg("%s", err.expected);
}

static void reap_daemon(int expected)
{
	int status;

	assert_int_equal(proc_wait_exit(daemon_proc, 10000, &status), 0);
	assert_int_equal(status, expected);
	proc_passed(daemon_proc);
	proc_stop(daemon_proc);
	daemon_proc = NULL;
	rp_rpc_client_free(client);
	client = NULL;
}

static void kill_daemon(void)
{
	kill(proc_pid(daemon_proc), SIGKILL);
	reap_daemon(SIGKILL);
}

static int setup(void **)
{
	assert_int_equal(proc_make_dir(dir, sizeof(dir)), 0);
	snprintf(control, sizeof(control), "%s/control.sock", dir);
	snprintf(store, sizeof(store), "%s/state.db", dir);
	start_daemon();
	return 0;
}

static int teardown(void **)
{
	rp_rpc_client_free(client);
	client = NULL;
	proc_stop(daemon_proc);
	daemon_proc = NULL;
	proc_remove_dir(dir);
	return 0;
}

static json_t *call_ok(const char *method, json_t *params)
{
	struct rp_error err = {0};
	json_t *result = NULL;

	if (rp_rpc_client_call(client, method, params, &result, &err) != 0)
		fail_msg("%s: %s '%s' %s", method, err.field, err.value, err.expected);
	return result;
}

static void make_network(void)
{
	json_decref(call_ok("network.create", json_pack("{s:s, s:s, s:s}", "name", "prod", "ipv4",
							"10.0.0.0/24", "ipv6", "fd00::/64")));
}

static void make_nic(const char *name)
{
	json_decref(
		call_ok("nic.create", json_pack("{s:s, s:s}", "name", name, "network", "prod")));
}

static json_t *get_nic(const char *name)
{
	return call_ok("nic.get", json_pack("{s:s}", "name", name));
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

static json_int_t number_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static void expect_event(const char *event, json_t **object)
{
	struct rp_error err = {0};
	json_t *message, *params;

	assert_int_equal(rp_rpc_client_next(client, RIG_WAIT_MS, &message, &err), 0);
	params = json_object_get(message, "params");
	assert_string_equal(text_of(params, "event"), event);
	*object = json_object_get(params, "nic");
	if (*object == NULL)
		*object = json_object_get(params, "network");
	json_incref(*object);
	json_decref(message);
}

// The VM's side of a NIC, as ringplane describes it.
static void vm_of(struct rig_vm *vm, const json_t *nic)
{
	*vm = (struct rig_vm){0};
	snprintf(vm->socket, sizeof(vm->socket), "%s", text_of(nic, "socket"));
	assert_int_equal(rp_mac_parse(text_of(nic, "mac"), &vm->mac), 0);
	assert_int_equal(rp_addr_parse(text_of(nic, "ipv4"), &vm->ip4), 0);
	assert_int_equal(rp_addr_parse(text_of(nic, "ipv6"), &vm->ip6), 0);
	vm->link_local = rp_addr_link_local(&vm->mac);
}

static void connect_vm(struct rig_vm *vm, const char *name)
{
	json_t *nic = get_nic(name);

	vm_of(vm, nic);
	json_decref(nic);
	rig_vm_connect(vm);
}

static void socket_has_its_mode_and_goes_with_the_daemon(void **)
{
	uint64_t begin;
	struct stat st;
	json_t *version = call_ok("version.get", NULL);

	assert_int_equal(number_of(version, "pid"), proc_pid(daemon_proc));
	json_decref(version);
	assert_int_equal(stat(control, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	make_network();
	make_nic("vm1");
	begin = rp_clock_ms();
	json_decref(call_ok("shutdown", NULL));
	reap_daemon(0);
	print_message("shutdown took %lu ms\n", (unsigned long)(rp_clock_ms() - begin));
	assert_int_not_equal(access(control, F_OK), 0);
}

static void connection_is_told_and_counted(void **)
{
	struct rig_vm vm;
	json_t *object, *stats, *row;

	json_decref(call_ok("events.subscribe", NULL));
	make_network();
	make_nic("vm1");
	expect_event("network.created", &object);
	assert_string_equal(text_of(object, "ipv4"), "10.0.0.0/24");
	json_decref(object);
	expect_event("nic.created", &object);
	assert_string_equal(text_of(object, "state"), "created");
	json_decref(object);

	connect_vm(&vm, "vm1");
	expect_event("nic.connected", &object);
	assert_string_equal(text_of(object, "name"), "vm1");
	assert_string_equal(text_of(object, "state"), "connected");
	json_decref(object);
	object = get_nic("vm1");
	assert_int_equal(number_of(object, "queue-pairs"), 1);
	assert_int_equal(json_array_size(json_object_get(object, "ring-sizes")), 2);
	assert_true(json_integer_value(json_array_get(json_object_get(object, "ring-sizes"), 0)) >
		    0);
	assert_true(json_array_size(json_object_get(object, "features")) > 1);
	assert_int_equal(strlen(text_of(object, "since")), strlen("2001-09-09T01:46:40Z"));
	json_decref(object);

	stats = call_ok("stats.get", json_pack("{s:s}", "nic", "vm1"));
	row = json_array_get(stats, 0);
	assert_true(number_of(row, "rx-packets") > 0);
	assert_true(number_of(json_object_get(row, "answers"), "arp_reply") > 0);
	json_decref(stats);
	json_decref(call_ok("stats.clear", NULL));
	stats = call_ok("stats.get", json_pack("{s:s}", "nic", "vm1"));
	row = json_array_get(stats, 0);
	assert_int_equal(number_of(row, "rx-packets"), 0);
	assert_int_equal(json_object_size(json_object_get(row, "answers")), 0);
	json_decref(stats);

	rig_vm_free(&vm);
	expect_event("nic.disconnected", &object);
	json_decref(object);
	json_decref(call_ok("network.delete", json_pack("{s:s, s:b}", "name", "prod", "force", 1)));
	expect_event("nic.deleted", &object);
	assert_int_equal(json_object_size(object), 1);
	assert_int_equal(strlen(text_of(object, "uuid")), 36);
	json_decref(object);
	expect_event("network.deleted", &object);
	json_decref(object);
}

static void drops_are_told_by_reason(void **)
{
	uint64_t deadline = rp_clock_ms() + RIG_WAIT_MS;
	struct rp_addr nobody;
	struct rig_vm vm;
	uint8_t buf[256];
	json_t *drops;

	make_network();
	make_nic("vm1");
	connect_vm(&vm, "vm1");
	assert_int_equal(rp_addr_parse("10.0.0.77", &nobody), 0);
	rig_send(&vm, buf, rig_udp(buf, sizeof(buf), &vm, &nobody, 64, 32, 1));
	do {
		drops = call_ok("drops.get", json_pack("{s:s}", "nic", "vm1"));
		if (json_array_size(drops) > 0)
			break;
		json_decref(drops);
	} while (rp_clock_ms() < deadline);
	assert_string_equal(text_of(json_array_get(drops, 0), "reason"), "no_route");
	json_decref(drops);
	rig_vm_free(&vm);
}

static void killed_daemon_comes_back_with_all_it_had(void **)
{
	json_t *networks, *nics, *again;
	struct rig_vm vm;

	make_network();
	for (int i = 0; i < 5; i++) {
		char name[16];

		snprintf(name, sizeof(name), "vm%d", i);
		make_nic(name);
	}
	json_decref(call_ok("nic.update",
			    json_pack("{s:s, s:[s]}", "name", "vm3", "add-prefix", "10.9.0.0/24")));
	networks = call_ok("network.list", NULL);
	nics = call_ok("nic.list", NULL);
	kill_daemon();
	start_daemon();
	again = call_ok("network.list", NULL);
	assert_true(json_equal(networks, again));
	json_decref(again);
	// The same UUIDs, MACs, addresses, sockets; and VMs can connect at once.
	again = call_ok("nic.list", NULL);
	assert_true(json_equal(nics, again));
	json_decref(again);
	connect_vm(&vm, "vm3");
	rig_vm_free(&vm);
	json_decref(networks);
	json_decref(nics);
}

// Is after the same as before, the thing of this name aside?
static bool same_but(const json_t *before, const json_t *after, const char *name)
{
	size_t i = 0, j = 0;

	for (;;) {
		const json_t *a = json_array_get(before, i), *b = json_array_get(after, j);

		if (a != NULL && strcmp(text_of(a, "name"), name) == 0) {
			i++;
		} else if (b != NULL && strcmp(text_of(b, "name"), name) == 0) {
			j++;
		} else {
			if (a == NULL || b == NULL)
				return a == b;
			if (!json_equal(a, b))
				return false;
			i++;
			j++;
		}
	}
}

// A hundred NICs made and deleted in random order; now and then the daemon is killed in the middle
// of a call, and has then the state before or after it.
static void kills_between_random_changes_lose_nothing(void **)
{
	char name[16];
	json_t *before, *after;

	srand(4);
	make_network();
	for (int i = 0; i < 100; i++) {
		json_t *nic;
		struct rp_error err;
		bool exists;

		snprintf(name, sizeof(name), "vm%d", rand() % 20);
		exists = rp_rpc_client_call(client, "nic.get", json_pack("{s:s}", "name", name),
					    &nic, &err) == 0;
		if (exists)
			json_decref(nic);
		if (i % 20 != 19) {
			if (exists)
				json_decref(
					call_ok("nic.delete", json_pack("{s:s}", "name", name)));
			else
				make_nic(name);
			continue;
		}
		before = call_ok("nic.list", NULL);
		// A notification is not waited for: the kill comes while it is being done.
		assert_int_equal(rp_rpc_client_notify(client, exists ? "nic.delete" : "nic.create",
						      exists ? json_pack("{s:s}", "name", name)
							     : json_pack("{s:s, s:s}", "name", name,
									 "network", "prod"),
						      &err),
				 0);
		usleep((unsigned int)(rand() % 5000));
		kill_daemon();
		start_daemon();
		after = call_ok("nic.list", NULL);
		if (!same_but(before, after, name))
			fail_msg("after %d changes and a kill during one of %s the NICs differ", i,
				 name);
		json_decref(before);
		json_decref(after);
	}
}

static size_t count_fds(void)
{
	char path[64];
	size_t n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/fd", proc_pid(daemon_proc));
	d = opendir(path);
	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

static size_t resident_kb(void)
{
	char path[64], line[128];
	size_t kb = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", proc_pid(daemon_proc));
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "VmRSS: %zu", &kb) == 1)
			break;
	fclose(f);
	return kb;
}

static void churn(int rounds)
{
	for (int i = 0; i < rounds; i++) {
		struct rp_rpc_client *other = rp_rpc_client_new(control, RIG_WAIT_MS, NULL);

		assert_non_null(other);
		make_nic("churn");
		json_decref(call_ok("nic.list", NULL));
		json_decref(call_ok("stats.get", NULL));
		json_decref(call_ok("nic.delete", json_pack("{s:s}", "name", "churn")));
		rp_rpc_client_free(other);
	}
}

static void many_calls_leave_nothing_behind(void **)
{
	struct rp_error err = {0};
	struct rig_vm vm;
	size_t fds, kb;

	make_network();
	make_nic("vm1");
	connect_vm(&vm, "vm1");
	churn(50);
	fds = count_fds();
	kb = resident_kb();
	for (int i = 0; i < 10; i++) {
		churn(50);
		rp_frontend_abort(vm.fe);
		assert_int_equal(rp_frontend_reconnect(vm.fe, RIG_WAIT_MS, &err), 0);
		rig_vm_wait_ready(&vm);
	}
	assert_in_range(count_fds(), 0, fds + 1);
	assert_in_range(resident_kb(), 0, kb + 2048);
	rig_vm_free(&vm);
}

// ringctl with these words; what it printed, to free().
static char *ringctl(int expected, const char *const *words)
{
	const char *argv[32] = {getenv("RINGCTL"), "-s", control};
	struct proc *p;
	int status, n = 3;
	char *out;

	while (*words != NULL)
		argv[n++] = *words++;
	p = proc_start("ringctl", argv);
	assert_non_null(p);
	// All it prints, up to the end.
	assert_int_equal(proc_wait_line(p, "\x01", RIG_WAIT_MS), -ECHILD);
	assert_int_equal(proc_wait_exit(p, RIG_WAIT_MS, &status), 0);
	out = proc_output(p);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) != expected)
		fail_msg("ringctl ended with %d: %s", WEXITSTATUS(status), out);
	proc_passed(p);
	proc_stop(p);
	return out;
}

#define RINGCTL(expected, ...) ringctl(expected, (const char *const[]){__VA_ARGS__, NULL})

static void assert_prints(char *out, const char *text)
{
	if (strstr(out, text) == NULL)
		fail_msg("no '%s' in: %s", text, out);
	free(out);
}

static void ringctl_speaks_the_same_words(void **)
{
	free(RINGCTL(0, "network", "create", "prod", "ipv4", "10.0.0.0/24", "dns", "1.1.1.1"));
	free(RINGCTL(0, "nic", "create", "vm2", "network", "prod"));
	free(RINGCTL(0, "nic", "create", "vm1", "network", "prod", "mac", "52:54:00:00:00:01"));
	assert_prints(RINGCTL(0, "nic", "list"), "\nvm1   prod     52:54:00:00:00:01  10.0.0.2");
	assert_prints(RINGCTL(0, "-j", "nic", "get", "vm1"), "\"mac\":\"52:54:00:00:00:01\"");
	assert_prints(RINGCTL(0, "network", "get", "prod"), "dns: 1.1.1.1\n");
	assert_prints(RINGCTL(0, "version"), "ringplane: ");
	assert_prints(RINGCTL(0, "pipeline"), "arp_reply");
	assert_prints(RINGCTL(0, "stats"), "RX-PACKETS");
	assert_prints(RINGCTL(0, "state", "save"), "nic create vm1 network prod");
	assert_prints(RINGCTL(0, "--complete", "nic", "delete", "vm"), "vm2\nvm1\n");
	assert_prints(RINGCTL(2, "nic", "lst"), "did you mean 'list'?");
	assert_prints(RINGCTL(1, "nic", "get", "wm1"), "did you mean 'vm1'?");
	assert_prints(RINGCTL(1, "-j", "nic", "get", "wm1"), "\"errno\":\"ENOENT\"");
	assert_prints(RINGCTL(1, "-s", "/nonexistent", "nic", "list"), "no such socket");
	free(RINGCTL(0, "nic", "delete", "vm2"));
}

static void ringctl_runs_files(void **)
{
	char file[96];
	FILE *f;

	snprintf(file, sizeof(file), "%s/commands", dir);
	f = fopen(file, "w");
	assert_non_null(f);
	fputs("# two\nnetwork create prod ipv4 10.0.0.0/24\n\nnic create vm1 network prod\n"
	      "nic create vm1 network prod\n",
	      f);
	fclose(f);
	assert_prints(RINGCTL(1, "-f", file), "commands:5:12: name 'vm1'");
	f = fopen(file, "w");
	assert_non_null(f);
	fputs("nic list\nnic create vm2 netwrk prod\n", f);
	fclose(f);
	assert_prints(RINGCTL(2, "-f", file), "commands:2:16: 'netwrk'");
}

static void ringctl_shows_events(void **)
{
	const char *argv[] = {getenv("RINGCTL"), "-s", control, "events", NULL};
	struct proc *p = proc_start("ringctl", argv);
	int status;

	assert_non_null(p);
	make_network();
	// Events start when it has subscribed: until then more of them are made.
	for (int i = 0; i < 1000; i++) {
		make_nic("vm1");
		if (proc_wait_line(p, "nic.created      vm1  network prod", 10) == 0)
			break;
		json_decref(call_ok("nic.delete", json_pack("{s:s}", "name", "vm1")));
	}
	json_decref(call_ok("shutdown", NULL));
	assert_int_equal(proc_wait_exit(p, RIG_WAIT_MS, &status), 0);
	assert_int_equal(WEXITSTATUS(status), 1);
	proc_passed(p);
	proc_stop(p);
	reap_daemon(0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(socket_has_its_mode_and_goes_with_the_daemon),
		CASE(connection_is_told_and_counted),
		CASE(drops_are_told_by_reason),
		CASE(killed_daemon_comes_back_with_all_it_had),
		CASE(kills_between_random_changes_lose_nothing),
		CASE(many_calls_leave_nothing_behind),
		CASE(ringctl_speaks_the_same_words),
		CASE(ringctl_runs_files),
		CASE(ringctl_shows_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
