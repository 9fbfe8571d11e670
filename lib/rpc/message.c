// SPDX-License-Identifier: BSD-3-Clause
#include "rpc/message.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

// A text that may have been cut inside of a character, which JSON does not take.
static json_t *json_text(const char *text)
{
	json_t *json = json_string(text);
	char ascii[640];

	if (json != NULL)
		return json;
	strlcpy(ascii, text, sizeof(ascii));
	for (char *c = ascii; *c != '\0'; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	return json_string(ascii);
}

static json_t *json_if_any(const char *text)
{
	return text[0] != '\0' ? json_text(text) : NULL;
}

static char *line(json_t *json)
{
	char *text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
	size_t len = text != NULL ? strlen(text) : 0;
	char *longer = text != NULL ? realloc(text, len + 2) : NULL;

	json_decref(json);
	if (longer == NULL) {
		free(text);
		return NULL;
	}
	strlcpy(longer + len, "\n", 2);
	return longer;
}

// Takes the reference to id.
static json_t *refuse(json_t *id, int code, const char *message)
{
	return json_pack("{s:s, s:{s:i, s:s}, s:o}", "jsonrpc", "2.0", "error", "code", code,
			 "message", message, "id", id);
}

static int code_of(int error)
{
	if (error == ENOSYS)
		return RP_RPC_METHOD_NOT_FOUND;
	return error == EINVAL ? RP_RPC_INVALID_PARAMS : -error;
}

static json_t *failure(json_t *id, const struct rp_error *err)
{
	const char *name = strerrorname_np(err->code);
	char text[700];

	rp_error_text(err, text, sizeof(text));
	return json_pack("{s:s, s:{s:i, s:o, s:{s:s*, s:o*, s:o*, s:o*, s:o*}}, s:o}", "jsonrpc",
			 "2.0", "error", "code", code_of(err->code), "message", json_text(text),
			 "data", "errno", name, "field", json_if_any(err->field), "value",
			 json_if_any(err->value), "expected", json_if_any(err->expected), "where",
			 json_if_any(err->where), "id", id);
}

static bool is_id(const json_t *id)
{
	return id == NULL || json_is_string(id) || json_is_number(id) || json_is_null(id);
}

// What is wrong with a request, NULL if nothing is.
static const char *check(const json_t *request)
{
	const char *version = json_string_value(json_object_get(request, "jsonrpc"));

	if (!json_is_object(request))
		return "a request is an object";
	if (version == NULL || strcmp(version, "2.0") != 0)
		return "\"jsonrpc\" must be \"2.0\"";
	if (!json_is_string(json_object_get(request, "method")))
		return "\"method\" must be a string";
	if (!is_id(json_object_get(request, "id")))
		return "\"id\" must be a string, a number or null";
	return NULL;
}

static json_t *run(const json_t *request, rp_rpc_call_fn call, void *arg)
{
	const char *wrong = check(request);
	json_t *id = json_object_get(request, "id");
	const json_t *params = json_object_get(request, "params");
	struct rp_error err = {0};
	json_t *result = NULL;
	int rc;

	if (wrong != NULL)
		return refuse(is_id(id) && id != NULL ? json_incref(id) : json_null(),
			      RP_RPC_INVALID_REQUEST, wrong);
	if (params != NULL && !json_is_object(params))
		rc = rp_error_set(&err, EINVAL, "params", NULL,
				  "parameters are by name; expected an object");
	else
		rc = call(arg, json_string_value(json_object_get(request, "method")), params,
			  &result, &err);
	if (id == NULL) {
		json_decref(result);
		return NULL;
	}
	json_incref(id);
	if (rc == 0)
		return json_pack("{s:s, s:o, s:o}", "jsonrpc", "2.0", "result",
				 result != NULL ? result : json_null(), "id", id);
	if (err.code == 0)
		rp_error_set(&err, -rc, NULL, NULL, "%s", strerror(-rc));
	return failure(id, &err);
}

static json_t *run_batch(const json_t *batch, rp_rpc_call_fn call, void *arg)
{
	json_t *answers;
	json_t *request;
	size_t i;

	if (json_array_size(batch) == 0)
		return refuse(json_null(), RP_RPC_INVALID_REQUEST, "the batch is empty");
	if (json_array_size(batch) > RP_RPC_BATCH_MAX)
		return refuse(json_null(), RP_RPC_INVALID_REQUEST,
			      "the batch has more than 256 calls");
	answers = json_array();
	json_array_foreach(batch, i, request)
	{
		json_t *answer = run(request, call, arg);

		if (answer != NULL)
			json_array_append_new(answers, answer);
	}
	if (json_array_size(answers) > 0)
		return answers;
	json_decref(answers);
	return NULL;
}

char *rp_rpc_answer(const char *text, size_t len, rp_rpc_call_fn call, void *arg)
{
	json_error_t where;
	json_t *json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &where);
	json_t *answer;

	if (json == NULL)
		return rp_rpc_refusal(RP_RPC_PARSE_ERROR, where.text);
	answer = json_is_array(json) ? run_batch(json, call, arg) : run(json, call, arg);
	json_decref(json);
	return answer != NULL ? line(answer) : NULL;
}

char *rp_rpc_refusal(int code, const char *message)
{
	// What the JSON library quotes of a broken text need not be UTF-8.
	json_t *text = json_text(message);
	json_t *answer = text != NULL ? refuse(json_null(), code, json_string_value(text)) : NULL;

	json_decref(text);
	return line(answer);
}

char *rp_rpc_notification(const char *method, json_t *params)
{
	return line(
		json_pack("{s:s, s:s, s:o}", "jsonrpc", "2.0", "method", method, "params", params));
}

static void take(const json_t *data, const char *key, char *to, size_t len)
{
	const char *text = json_string_value(json_object_get(data, key));

	if (text != NULL)
		strlcpy(to, text, len);
}

int rp_rpc_error_parse(const json_t *object, struct rp_error *err)
{
	const json_t *data = json_object_get(object, "data");
	const char *message = json_string_value(json_object_get(object, "message"));
	json_int_t code = json_integer_value(json_object_get(object, "code"));
	int error = code < 0 && code > -4096 ? (int)-code : EINVAL;
	int rc;

	if (code == RP_RPC_METHOD_NOT_FOUND)
		error = ENOSYS;
	rc = rp_error_set(err, error, NULL, NULL, "%s", message != NULL ? message : "refused");
	if (err == NULL || json_object_get(data, "expected") == NULL)
		return rc;
	take(data, "field", err->field, sizeof(err->field));
	take(data, "value", err->value, sizeof(err->value));
	take(data, "expected", err->expected, sizeof(err->expected));
	take(data, "where", err->where, sizeof(err->where));
	return rc;
}
