// SPDX-License-Identifier: BSD-3-Clause
#include "rpc/message.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int n_calls;

// echo gives its parameters back, the others fail in one way each.
static int call(void *, const char *method, const json_t *params, json_t **result,
		struct rp_error *err)
{
	n_calls++;
	if (strcmp(method, "echo") == 0) {
		*result = params != NULL ? json_deep_copy(params) : NULL;
		return 0;
	}
	if (strcmp(method, "wrong") == 0)
		return rp_error_set(err, EINVAL, "mtu", "12",
				    "out of range; expected 1280 to 9000");
	if (strcmp(method, "taken") == 0)
		return rp_error_set(err, EEXIST, "name", "vm1", "is taken; choose another");
	if (strcmp(method, "cut") == 0)
		return rp_error_set(err, EINVAL, "name", "caf\xc3", "no such name");
	if (strcmp(method, "mute") == 0)
		return -EIO;
	return rp_error_set(err, ENOSYS, NULL, method, "there is no such method");
}

static void assert_answer(const char *request, const char *expected)
{
	char *answer = rp_rpc_answer(request, strlen(request), call, NULL);

	if (expected == NULL) {
		assert_null(answer);
		return;
	}
	assert_non_null(answer);
	assert_int_equal(answer[strlen(answer) - 1], '\n');
	answer[strlen(answer) - 1] = '\0';
	assert_string_equal(answer, expected);
	free(answer);
}

#define HEAD		  "{\"jsonrpc\":\"2.0\","
#define INVALID(text, id) HEAD "\"error\":{\"code\":-32600,\"message\":\"" text "\"},\"id\":" id "}"

static void requests_are_answered_with_their_id(void **)
{
	assert_answer(HEAD "\"method\":\"echo\",\"params\":{\"a\":1},\"id\":7}",
		      HEAD "\"result\":{\"a\":1},\"id\":7}");
	assert_answer(HEAD "\"method\":\"echo\",\"id\":\"x\"}",
		      HEAD "\"result\":null,\"id\":\"x\"}");
	assert_answer(HEAD "\"method\":\"echo\",\"id\":null}", HEAD "\"result\":null,\"id\":null}");
	assert_answer(HEAD "\"method\":\"echo\",\"id\":1.5}", HEAD "\"result\":null,\"id\":1.5}");
}

static void notifications_are_run_and_not_answered(void **)
{
	n_calls = 0;
	assert_answer(HEAD "\"method\":\"echo\",\"params\":{\"a\":1}}", NULL);
	assert_answer(HEAD "\"method\":\"wrong\"}", NULL);
	assert_answer("[" HEAD "\"method\":\"echo\"}," HEAD "\"method\":\"echo\"}]", NULL);
	assert_int_equal(n_calls, 4);
}

static void batches_are_answered_in_order(void **)
{
	assert_answer(
		"[" HEAD "\"method\":\"echo\",\"id\":1}," HEAD "\"method\":\"echo\"}," HEAD
		"\"method\":\"nope\",\"id\":2},5]",
		"[" HEAD "\"result\":null,\"id\":1}," HEAD
		"\"error\":{\"code\":-32601,\"message\":\"'nope': there is no such method\","
		"\"data\":{\"errno\":\"ENOSYS\",\"value\":\"nope\",\"expected\":\"there is no "
		"such method\"}},\"id\":2}," INVALID("a request is an object", "null") "]");
	assert_answer("[]", INVALID("the batch is empty", "null"));
}

static void batches_are_bounded(void **)
{
	json_t *batch = json_array();
	char *text;

	for (int i = 0; i < RP_RPC_BATCH_MAX + 1; i++)
		json_array_append_new(batch, json_integer(i));
	text = json_dumps(batch, 0);
	n_calls = 0;
	assert_answer(text, INVALID("the batch has more than 256 calls", "null"));
	free(text);
	json_decref(batch);
}

static void errors_say_field_value_and_expectation(void **)
{
	assert_answer(HEAD "\"method\":\"wrong\",\"id\":1}",
		      HEAD "\"error\":{\"code\":-32602,\"message\":\"mtu '12': out of range; "
			   "expected 1280 to 9000\",\"data\":{\"errno\":\"EINVAL\",\"field\":"
			   "\"mtu\",\"value\":\"12\",\"expected\":\"out of range; expected 1280 to "
			   "9000\"}},\"id\":1}");
	assert_answer(HEAD "\"method\":\"taken\",\"id\":1}",
		      HEAD "\"error\":{\"code\":-17,\"message\":\"name 'vm1': is taken; choose "
			   "another\",\"data\":{\"errno\":\"EEXIST\",\"field\":\"name\",\"value\":"
			   "\"vm1\",\"expected\":\"is taken; choose another\"}},\"id\":1}");
	assert_answer(HEAD "\"method\":\"cut\",\"id\":1}",
		      HEAD "\"error\":{\"code\":-32602,\"message\":\"name 'caf?': no such name\","
			   "\"data\":{\"errno\":\"EINVAL\",\"field\":\"name\",\"value\":\"caf?\","
			   "\"expected\":\"no such name\"}},\"id\":1}");
	assert_answer(HEAD "\"method\":\"mute\",\"id\":1}",
		      HEAD "\"error\":{\"code\":-5,\"message\":\"Input/output error\",\"data\":"
			   "{\"errno\":\"EIO\",\"expected\":\"Input/output error\"}},\"id\":1}");
}

static void what_is_no_request_is_refused(void **)
{
	n_calls = 0;
	assert_answer("{}", INVALID("\\\"jsonrpc\\\" must be \\\"2.0\\\"", "null"));
	assert_answer("{\"jsonrpc\":\"1.0\",\"method\":\"echo\",\"id\":3}",
		      INVALID("\\\"jsonrpc\\\" must be \\\"2.0\\\"", "3"));
	assert_answer(HEAD "\"method\":5,\"id\":3}",
		      INVALID("\\\"method\\\" must be a string", "3"));
	assert_answer(HEAD "\"method\":\"echo\",\"id\":[]}",
		      INVALID("\\\"id\\\" must be a string, a number or null", "null"));
	assert_answer(HEAD "\"method\":\"echo\",\"params\":[1],\"id\":3}", HEAD
		      "\"error\":{\"code\":-32602,\"message\":\"params: parameters are by name; "
		      "expected an object\",\"data\":{\"errno\":\"EINVAL\",\"field\":\"params\","
		      "\"expected\":\"parameters are by name; expected an object\"}},\"id\":3}");
	assert_int_equal(n_calls, 0);
}

static void what_is_no_json_is_refused(void **)
{
	static const char *const texts[] = {
		"{", "{]",	   "{\"a\":}",	    "{\"a\":1,\"a\":2}", "[1", "{\"a\":\"\xff\"}",
		"",  "{\"a\":1}x", "{\"a\":1e999}",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char *answer = rp_rpc_answer(texts[i], strlen(texts[i]), call, NULL);

		assert_non_null(answer);
		assert_non_null(strstr(answer, "\"code\":-32700"));
		assert_non_null(strstr(answer, "\"id\":null"));
		free(answer);
	}
}

static void error_objects_are_read_back(void **)
{
	json_t *error = json_pack("{s:i, s:s, s:{s:s, s:s, s:s}}", "code", -17, "message", "m",
				  "data", "field", "name", "value", "vm1", "expected", "is taken");
	struct rp_error err;

	assert_int_equal(rp_rpc_error_parse(error, &err), -EEXIST);
	assert_string_equal(err.field, "name");
	assert_string_equal(err.value, "vm1");
	assert_string_equal(err.expected, "is taken");
	json_object_set_new(error, "code", json_integer(RP_RPC_INVALID_PARAMS));
	assert_int_equal(rp_rpc_error_parse(error, &err), -EINVAL);
	json_object_del(error, "data");
	json_object_set_new(error, "code", json_integer(RP_RPC_METHOD_NOT_FOUND));
	assert_int_equal(rp_rpc_error_parse(error, &err), -ENOSYS);
	assert_string_equal(err.expected, "m");
	assert_int_equal(rp_rpc_error_parse(error, NULL), -ENOSYS);
	json_decref(error);
}

static void notification_is_a_line(void **)
{
	char *line = rp_rpc_notification("event", json_pack("{s:i}", "n", 1));

	assert_string_equal(line, HEAD "\"method\":\"event\",\"params\":{\"n\":1}}\n");
	free(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_answered_with_their_id),
		cmocka_unit_test(notifications_are_run_and_not_answered),
		cmocka_unit_test(batches_are_answered_in_order),
		cmocka_unit_test(batches_are_bounded),
		cmocka_unit_test(errors_say_field_value_and_expectation),
		cmocka_unit_test(what_is_no_request_is_refused),
		cmocka_unit_test(what_is_no_json_is_refused),
		cmocka_unit_test(error_objects_are_read_back),
		cmocka_unit_test(notification_is_a_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
