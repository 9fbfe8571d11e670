// SPDX-License-Identifier: BSD-3-Clause
// Calls as JSON: what the parameters of a method may be, and what is said of wrong ones.
#include "control/command.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct rp_call call;
static struct rp_error err;

static int decode(const char *method, const char *text)
{
	const struct rp_command *command = rp_command_find(method, &err);
	static json_t *params; // what the call points into

	assert_non_null(command);
	json_decref(params);
	params = json_loads(text, 0, NULL);
	assert_non_null(params);
	err = (struct rp_error){0};
	return rp_call_from_json(command, params, &call, &err);
}

static void assert_refused(const char *method, const char *params, const char *text)
{
	char have[600];

	assert_int_equal(decode(method, params), -EINVAL);
	assert_string_equal(rp_error_text(&err, have, sizeof(have)), text);
}

// A line and its JSON are the same call, both ways.
static void assert_same(const char *line, const char *json)
{
	struct rp_call typed;
	json_t *params, *expected = json_loads(json, 0, NULL);

	assert_int_equal(rp_command_parse(line, &typed, &err), 0);
	params = rp_call_to_json(&typed);
	assert_true(json_equal(params, expected));
	assert_int_equal(rp_call_from_json(typed.command, params, &call, &err), 0);
	assert_int_equal(call.n_values, typed.n_values);
	for (uint16_t i = 0; i < call.n_values; i++) {
		assert_ptr_equal(call.values[i].key, typed.values[i].key);
		assert_string_equal(call.values[i].text, typed.values[i].text);
		assert_int_equal(call.values[i].none, typed.values[i].none);
	}
	json_decref(params);
	json_decref(expected);
}

static void lines_and_parameters_are_the_same(void **)
{
	assert_same("network create prod ipv4 10.0.0.0/24 public yes mtu 1500 dns 1.1.1.1 dns "
		    "2606::1 domain a.example",
		    "{\"name\":\"prod\",\"ipv4\":\"10.0.0.0/24\",\"public\":true,\"mtu\":1500,"
		    "\"dns\":[\"1.1.1.1\",\"2606::1\"],\"domain\":\"a.example\"}");
	assert_same("network update prod dns none domain none real-mask no",
		    "{\"name\":\"prod\",\"dns\":[],\"domain\":null,\"real-mask\":false}");
	assert_same("nic create vm1 network prod mode client socket /tmp/a queues 2",
		    "{\"name\":\"vm1\",\"network\":\"prod\",\"mode\":\"client\",\"socket\":"
		    "\"/tmp/a\",\"queues\":2}");
	assert_same("nic list", "{}");
	assert_same("shutdown", "{}");
}

static void parameters_may_be_left_out(void **)
{
	assert_int_equal(rp_call_from_json(rp_command_find("nic.list", NULL), NULL, &call, &err),
			 0);
	assert_int_equal(call.n_values, 0);
}

static void one_value_needs_no_array(void **)
{
	assert_int_equal(decode("network.update", "{\"name\":\"a\",\"dns\":\"1.1.1.1\"}"), 0);
	assert_int_equal(call.values[0].addr.bytes[0], 1);
}

static void numbers_outlive_decoding(void **)
{
	assert_int_equal(decode("nic.create", "{\"queues\":7,\"name\":\"a\",\"network\":\"b\"}"),
			 0);
	assert_string_equal(rp_call_value(&call, RP_KEY_NIC_QUEUES)->text, "7");
	assert_int_equal(rp_call_value(&call, RP_KEY_NIC_QUEUES)->number, 7);
}

static void wrong_types_are_refused(void **)
{
	assert_refused("nic.get", "{}", "name: missing; expected a name");
	assert_refused("nic.get", "{\"name\":5}", "name: has the wrong type; expected a string");
	assert_refused("nic.get", "{\"name\":null}", "name: has the wrong type; expected a string");
	assert_refused("nic.get", "{\"name\":\"\"}", "name: expected 1 to 63 characters");
	assert_refused("network.update", "{\"name\":\"a\",\"mtu\":\"1500\"}",
		       "mtu: has the wrong type; expected an integer");
	assert_refused("network.update", "{\"name\":\"a\",\"mtu\":1500.5}",
		       "mtu: has the wrong type; expected an integer");
	assert_refused("network.update", "{\"name\":\"a\",\"mtu\":null}",
		       "mtu: has the wrong type; expected an integer");
	assert_refused("network.update", "{\"name\":\"a\",\"real-mask\":\"yes\"}",
		       "real-mask: has the wrong type; expected true or false");
	assert_refused("network.update", "{\"name\":\"a\",\"dns\":5}",
		       "dns: has the wrong type; expected a string or an array of them");
	assert_refused("network.update", "{\"name\":\"a\",\"dns\":[\"1.1.1.1\",{}]}",
		       "dns: has the wrong type; expected a string or an array of them");
	assert_refused("network.update", "{\"name\":\"a\",\"domain\":[]}",
		       "domain: has the wrong type; expected a string");
}

static void wrong_values_are_refused_as_in_a_line(void **)
{
	assert_refused("network.update", "{\"name\":\"a\",\"mtu\":12}",
		       "mtu '12': out of range; expected 1280 to 9000");
	assert_refused("network.update", "{\"name\":\"a\",\"mtu\":-9223372036854775808}",
		       "mtu '-9223372036854775808': is no number; expected 1280 to 9000");
	assert_refused("network.create", "{\"name\":\"a\",\"ipv4\":\"10.0.0.1/24\"}",
		       "ipv4 '10.0.0.1/24': host bits are set; expected the prefix itself: "
		       "10.0.0.0/24");
	assert_refused("network.update", "{\"name\":\"a\",\"dns\":\"none\"}",
		       "dns 'none': expected an empty array to clear it");
	assert_refused("network.update", "{\"name\":\"a\",\"domain\":\"a\\nshutdown\"}",
		       "domain: byte 0x0a is a control character; expected text");
	assert_refused("nic.get", "{\"name\":\"a\\u0007\"}",
		       "name: byte 0x07 is a control character; expected text");
}

static void unknown_and_missing_keys_are_named(void **)
{
	assert_refused("network.update", "{\"name\":\"a\",\"mtuu\":5}",
		       "'mtuu': is no key of 'network update'; did you mean 'mtu'? expected one "
		       "of: dns, ntp, domain, search, mtu, real-mask");
	assert_refused("network.update", "{\"name\":\"a\"}",
		       "key: missing; expected: network update NAME [dns ADDRESS|none]... [ntp "
		       "ADDRESS|none]... [domain TEXT|none] [search TEXT|none]... [mtu "
		       "1280..9000] [real-mask yes|no]");
	assert_refused("state.load", "{}", "file: missing; expected: state load file TEXT");
	assert_null(rp_command_find("nic.gett", &err));
	assert_int_equal(err.code, ENOSYS);
	assert_string_equal(err.expected, "is no method; did you mean 'nic.get'?");
}

static void values_are_bounded(void **)
{
	json_t *params = json_pack("{s:s, s:[]}", "name", "a", "add-prefix");
	json_t *array = json_object_get(params, "add-prefix");

	for (int i = 0; i < RP_CALL_VALUES_MAX + 1; i++)
		json_array_append_new(array, json_string("10.0.0.0/8"));
	assert_int_equal(
		rp_call_from_json(rp_command_find("nic.update", NULL), params, &call, &err),
		-EINVAL);
	assert_string_equal(err.field, "add-prefix");
	json_decref(params);
}

static char offered[512];

static void add(void *, const char *word)
{
	strcat(offered, word);
	strcat(offered, " ");
}

static void assert_completes(const char *typed, const char *words, const char *kind)
{
	static struct rp_words w;
	const char *have;
	uint16_t column;

	assert_int_equal(rp_words_split(typed, &w, &column, &err), 0);
	offered[0] = '\0';
	rp_command_complete(&w, add, NULL, &have);
	assert_string_equal(offered, words);
	if (kind == NULL)
		assert_null(have);
	else
		assert_string_equal(have, kind);
}

static void words_are_completed(void **)
{
	assert_completes("n", "network nic ", NULL);
	assert_completes("nic ''", "create update delete list get ", NULL);
	assert_completes("nic d", "delete ", NULL);
	assert_completes("nic delete ''", "", "nic");
	assert_completes("nic create ''", "", NULL);
	assert_completes("nic create vm1 m", "mac mode ", NULL);
	assert_completes("nic create vm1 mode c", "client ", NULL);
	assert_completes("nic create vm1 network ''", "", "network");
	assert_completes("nic create vm1 mode client m", "mac ", NULL);
	assert_completes("network update a dns ''", "none ", NULL);
	assert_completes("network update a dns 1.1.1.1 d", "dns domain ", NULL);
	assert_completes("network create a public ''", "yes no ", NULL);
	assert_completes("stats get nic ''", "", "nic");
	assert_completes("shutdown ''", "", NULL);
	assert_completes("nope ''", "", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_and_parameters_are_the_same),
		cmocka_unit_test(parameters_may_be_left_out),
		cmocka_unit_test(one_value_needs_no_array),
		cmocka_unit_test(numbers_outlive_decoding),
		cmocka_unit_test(wrong_types_are_refused),
		cmocka_unit_test(wrong_values_are_refused_as_in_a_line),
		cmocka_unit_test(unknown_and_missing_keys_are_named),
		cmocka_unit_test(values_are_bounded),
		cmocka_unit_test(words_are_completed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
