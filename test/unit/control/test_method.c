// SPDX-License-Identifier: BSD-3-Clause
// The methods by JSON-RPC, on a model whose ports are counted only and a dataplane that stands
// still.
#include "control/control.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "pipeline/worker.h"
#include "unit/fabric/fake_ops.h"

static struct fake_ops ops;
static struct rp_fabric *fabric;
static struct rp_control control;
static struct rp_dataplane dp;
static struct rp_worker worker;
static int n_cleared;
static bool was_shut_down;

static void nic_link(void *, const struct rp_nic *, struct rp_nic_link *link)
{
	*link = (struct rp_nic_link){
		.features = UINT64_C(1) << 32 | 1 << 15,
		.since = 1000000000,
		.queue_pairs = 1,
		.n_rings = 2,
		.ring_sizes = {256, 512},
	};
}

static bool nic_counters(void *, const struct rp_nic *nic, struct rp_nic_counters *counters)
{
	*counters = (struct rp_nic_counters){.rx_packets = 7, .tx_bytes = UINT64_C(1) << 40};
	counters->drops[RP_DROP_spoofed_mac] = 3;
	counters->answers[RP_ANSWER_arp_reply] = 2;
	return nic != NULL && strcmp(nic->cfg.name, "portless") != 0;
}

static bool nic_clear(void *, const struct rp_nic *)
{
	n_cleared++;
	return true;
}

static const struct rp_dataplane *dataplane(void *)
{
	return &dp;
}

static void shut_down(void *)
{
	was_shut_down = true;
}

static const struct rp_control_ops control_ops = {nic_link, nic_counters, nic_clear, dataplane,
						  shut_down};

static int setup(void **)
{
	ops = (struct fake_ops){0};
	fabric = rp_fabric_new(&fake_ops, &ops, "/run/ringplane", 31, NULL);
	control = (struct rp_control){.fabric = fabric, .ops = &control_ops, .version = "1.2.3"};
	dp = (struct rp_dataplane){.n_workers = 1, .workers = {&worker}, .forwarding = true};
	worker.lcore = 1;
	n_cleared = 0;
	was_shut_down = false;
	return fabric == NULL;
}

static int teardown(void **)
{
	rp_fabric_free(fabric);
	return 0;
}

static json_t *call_ok(const char *method, const char *text)
{
	json_t *params = json_loads(text, 0, NULL);
	struct rp_error err = {0};
	json_t *result = NULL;

	assert_non_null(params);
	if (rp_control_call(&control, NULL, method, params, &result, &err) != 0)
		fail_msg("%s: %s '%s' %s", method, err.field, err.value, err.expected);
	json_decref(params);
	return result;
}

static void assert_refused(const char *method, const char *text, int rc, const char *field)
{
	json_t *params = json_loads(text, 0, NULL);
	struct rp_error err = {0};
	json_t *result = NULL;

	assert_int_equal(rp_control_call(&control, NULL, method, params, &result, &err), rc);
	assert_string_equal(err.field, field);
	assert_int_equal(err.code, -rc);
	assert_null(result);
	json_decref(params);
}

static void make_two(void)
{
	json_decref(call_ok("network.create",
			    "{\"name\":\"prod\",\"ipv4\":\"10.0.0.0/24\",\"ipv6\":\"fd00::/64\","
			    "\"dns\":[\"1.1.1.1\"],\"domain\":\"a.example\",\"public\":true}"));
	json_decref(call_ok("nic.create",
			    "{\"name\":\"vm1\",\"network\":\"prod\",\"mac\":\"52:54:00:00:00:01\","
			    "\"prefix\":[\"10.9.0.0/24\"]}"));
	json_decref(call_ok("nic.create",
			    "{\"name\":\"vm2\",\"network\":\"prod\",\"mac\":\"52:54:00:00:00:02\","
			    "\"mode\":\"client\",\"socket\":\"/tmp/vm2.sock\",\"queues\":4}"));
}

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void things_are_made_changed_and_deleted(void **)
{
	json_t *result;

	make_two();
	result = call_ok("nic.list", "{\"network\":\"prod\"}");
	assert_int_equal(json_array_size(result), 2);
	assert_string_equal(text_of(json_array_get(result, 1), "ipv4"), "10.0.0.2");
	json_decref(result);
	result = call_ok("nic.update", "{\"name\":\"vm1\",\"remove-prefix\":[\"10.9.0.0/24\"]}");
	assert_int_equal(json_array_size(json_object_get(result, "prefix")), 0);
	json_decref(result);
	result = call_ok("network.update", "{\"name\":\"prod\",\"mtu\":9000,\"domain\":null}");
	assert_int_equal(json_integer_value(json_object_get(result, "mtu")), 9000);
	assert_null(json_object_get(result, "domain"));
	json_decref(result);
	assert_refused("network.delete", "{\"name\":\"prod\"}", -EBUSY, "name");
	result = call_ok("network.delete", "{\"name\":\"prod\",\"force\":true}");
	assert_int_equal(json_integer_value(json_object_get(result, "nics-deleted")), 2);
	json_decref(result);
}

static void rules_of_the_model_reach_the_caller(void **)
{
	make_two();
	assert_refused("nic.create", "{\"name\":\"vm1\",\"network\":\"prod\"}", -EEXIST, "name");
	assert_refused("nic.create", "{\"name\":\"vm3\",\"network\":\"nope\"}", -ENOENT, "network");
	assert_refused("nic.create",
		       "{\"name\":\"vm3\",\"network\":\"prod\",\"ipv4\":\"10.0.0.1\"}", -EEXIST,
		       "ipv4");
	assert_refused("nic.create",
		       "{\"name\":\"vm3\",\"network\":\"prod\",\"mac\":\"52:54:00:00:00:01\"}",
		       -EEXIST, "mac");
	assert_refused("nic.create", "{\"name\":\"control\",\"network\":\"prod\"}", -EEXIST,
		       "name");
	assert_refused("nic.get", "{\"name\":\"vm9\"}", -ENOENT, "name");
	assert_refused("stats.get", "{\"nic\":\"vm9\"}", -ENOENT, "nic");
	assert_refused("nope", "{}", -ENOSYS, "");
}

static void connected_nic_tells_of_its_link(void **)
{
	json_t *nic;

	make_two();
	nic = call_ok("nic.get", "{\"name\":\"vm1\"}");
	assert_string_equal(text_of(nic, "state"), "created");
	assert_null(json_object_get(nic, "since"));
	json_decref(nic);
	rp_nic_find(fabric, "vm1")->state = RP_NIC_CONNECTED;
	nic = call_ok("nic.get", "{\"name\":\"vm1\"}");
	assert_string_equal(text_of(nic, "state"), "connected");
	assert_string_equal(text_of(nic, "since"), "2001-09-09T01:46:40Z");
	assert_int_equal(json_integer_value(json_object_get(nic, "queue-pairs")), 1);
	assert_int_equal(json_integer_value(json_array_get(json_object_get(nic, "ring-sizes"), 1)),
			 512);
	assert_int_equal(json_array_size(json_object_get(nic, "features")), 2);
	json_decref(nic);
}

static void stats_and_drops_are_told(void **)
{
	json_t *result, *row;

	make_two();
	result = call_ok("stats.get", "{}");
	assert_int_equal(json_array_size(result), 2);
	row = json_array_get(result, 0);
	assert_string_equal(text_of(row, "nic"), "vm1");
	assert_int_equal(json_integer_value(json_object_get(row, "rx-packets")), 7);
	assert_int_equal(json_integer_value(json_object_get(row, "tx-bytes")), INT64_C(1) << 40);
	assert_int_equal(json_integer_value(json_object_get(row, "drops")), 3);
	row = json_object_get(row, "answers");
	assert_int_equal(json_integer_value(json_object_get(row, "arp_reply")), 2);
	json_decref(result);
	result = call_ok("drops.get", "{\"nic\":\"vm2\"}");
	assert_int_equal(json_array_size(result), 1);
	assert_string_equal(text_of(json_array_get(result, 0), "reason"), "spoofed_mac");
	json_decref(result);
	assert_null(call_ok("stats.clear", "{\"nic\":\"vm2\"}"));
	assert_int_equal(n_cleared, 1);
}

static void pipeline_tells_of_each_stage(void **)
{
	json_t *result, *row;

	worker.counters.cycles = 1000;
	worker.counters.cycles_busy = 250;
	worker.counters.stages[RP_STAGE_arp_reply].packets = 5;
	result = call_ok("pipeline.get", "{}");
	assert_true(json_is_true(json_object_get(result, "forwarding")));
	row = json_array_get(json_object_get(result, "workers"), 0);
	assert_int_equal(json_integer_value(json_object_get(row, "lcore")), 1);
	assert_true(json_real_value(json_object_get(row, "busy")) == 25.0);
	row = json_array_get(json_object_get(result, "stages"), 1 + RP_STAGE_arp_reply);
	assert_string_equal(text_of(row, "stage"), "arp_reply");
	assert_int_equal(json_integer_value(json_object_get(row, "packets")), 5);
	json_decref(result);
}

// What a NIC or network is, but for what is made anew.
static json_t *model(void)
{
	json_t *all = json_pack("[o, o]", call_ok("network.list", "{}"), call_ok("nic.list", "{}"));
	json_t *list, *thing;
	size_t i, j;

	json_array_foreach(all, i, list)
	{
		json_array_foreach(list, j, thing)
		{
			json_object_del(thing, "uuid");
			json_object_del(thing, "id");
		}
	}
	return all;
}

static void saved_state_is_loaded_again(void **)
{
	char path[] = "/tmp/rp_state.XXXXXX", params[128];
	json_t *before, *after;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	snprintf(params, sizeof(params), "{\"file\":\"%s\"}", path);
	make_two();
	json_decref(call_ok("network.create",
			    "{\"name\":\"other\",\"ipv6\":\"fd01::/64\",\"search\":[\"b.example\","
			    "\"c.example\"],\"real-mask\":true,\"mtu\":1280}"));
	before = model();
	json_decref(call_ok("state.save", params));
	assert_refused("state.load", params, -EBUSY, "file");
	json_decref(call_ok("network.delete", "{\"name\":\"prod\",\"force\":true}"));
	json_decref(call_ok("network.delete", "{\"name\":\"other\"}"));
	json_decref(call_ok("state.load", params));
	after = model();
	assert_true(json_equal(before, after));
	json_decref(before);
	json_decref(after);
	unlink(path);
}

static void state_without_a_file_is_the_result(void **)
{
	json_t *result;

	make_two();
	result = call_ok("state.save", "{}");
	assert_int_equal(json_array_size(json_object_get(result, "commands")), 3);
	json_decref(result);
	assert_refused("state.save", "{\"file\":\"relative\"}", -EINVAL, "file");
	assert_refused("state.save", "{\"file\":\"/nonexistent/x\"}", -ENOENT, "file");
}

static void state_that_fails_to_load_leaves_nothing(void **)
{
	char path[] = "/tmp/rp_state.XXXXXX", params[128];
	static const char text[] = "network create a ipv4 10.0.0.0/24\nnic create b network c\n";
	struct rp_error err = {0};
	json_t *json, *result;
	int fd = mkstemp(path);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	snprintf(params, sizeof(params), "{\"file\":\"%s\"}", path);
	json = json_loads(params, 0, NULL);
	assert_int_equal(rp_control_call(&control, NULL, "state.load", json, &result, &err),
			 -ENOENT);
	assert_non_null(strstr(err.where, ":2:22"));
	assert_int_equal(fabric->n_networks, 0);
	json_decref(json);
	unlink(path);
}

static void version_and_shutdown(void **)
{
	json_t *result = call_ok("version.get", "{}");

	assert_string_equal(text_of(result, "ringplane"), "1.2.3");
	assert_non_null(strstr(text_of(result, "dpdk"), "DPDK"));
	json_decref(result);
	assert_null(call_ok("shutdown", "{}"));
	assert_true(was_shut_down);
}

static void events_need_a_connection(void **)
{
	assert_refused("events.subscribe", "{}", -EOPNOTSUPP, "events");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(things_are_made_changed_and_deleted),
		CASE(rules_of_the_model_reach_the_caller),
		CASE(connected_nic_tells_of_its_link),
		CASE(stats_and_drops_are_told),
		CASE(pipeline_tells_of_each_stage),
		CASE(saved_state_is_loaded_again),
		CASE(state_without_a_file_is_the_result),
		CASE(state_that_fails_to_load_leaves_nothing),
		CASE(version_and_shutdown),
		CASE(events_need_a_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
