/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * JSON-RPC 2.0 (https://www.jsonrpc.org/specification) without a transport: from a text to the
 * text that answers it.
 *
 * Parameters are by name: an object, or left out. Error codes: the specification's own (-32700 no
 * JSON, -32600 no request, -32601 no such method, -32602 a parameter is wrong, -32603 internal),
 * else the negative errno, which data.errno names. data has field, value and expected as in struct
 * rp_error, where they are known.
 */

#include <stddef.h>

#include <jansson.h>

#include "base/error.h"

#define RP_RPC_PARSE_ERROR	-32700
#define RP_RPC_INVALID_REQUEST	-32600
#define RP_RPC_METHOD_NOT_FOUND -32601
#define RP_RPC_INVALID_PARAMS	-32602
#define RP_RPC_INTERNAL_ERROR	-32603

#define RP_RPC_BATCH_MAX 256 // calls in one batch

/*
 * Do what the method says; params is an object, or NULL. 0, with *result a new reference or NULL
 * (answered as null); or -errno with *err: ENOSYS no such method, EINVAL a parameter is wrong.
 */
typedef int (*rp_rpc_call_fn)(void *arg, const char *method, const json_t *params, json_t **result,
			      struct rp_error *err);

/*
 * Run a request or a batch and return the answer, one line with its newline, to free(). NULL:
 * there is none to give (notifications only), or no memory.
 */
char *rp_rpc_answer(const char *text, size_t len, rp_rpc_call_fn call, void *arg);

// The answer to what is no request at all: an error without an id. NULL: no memory.
char *rp_rpc_refusal(int code, const char *message);

// A notification as a line to free(); takes the reference to params.
char *rp_rpc_notification(const char *method, json_t *params);

// Fill *err from the error object of an answer and return its -errno.
int rp_rpc_error_parse(const json_t *object, struct rp_error *err);
