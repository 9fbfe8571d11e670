/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A JSON-RPC 2.0 client that waits: for command lines and tests. Notifications that come between
 * are kept for rp_rpc_client_next(). Not thread-safe. Errors fill *err; those of the server carry
 * its field, value and expectation. After -ECONNRESET, -ETIMEDOUT and -EBADMSG the connection is of
 * no more use.
 */

#include <jansson.h>

#include "base/error.h"

struct rp_rpc_client;

// timeout_ms: to connect, and for each answer.
struct rp_rpc_client *rp_rpc_client_new(const char *path, unsigned int timeout_ms,
					struct rp_error *err);
void rp_rpc_client_free(struct rp_rpc_client *client);

// Takes the reference to params, which may be NULL. *result (where result is not NULL) is a new
// reference.
int rp_rpc_client_call(struct rp_rpc_client *client, const char *method, json_t *params,
		       json_t **result, struct rp_error *err);

// Send a notification: nothing comes back. Takes the reference to params.
int rp_rpc_client_notify(struct rp_rpc_client *client, const char *method, json_t *params,
			 struct rp_error *err);

// Wait for a notification, timeout_ms < 0 for as long as it takes; *message is a new reference to
// all of it. -ETIMEDOUT does no harm here.
int rp_rpc_client_next(struct rp_rpc_client *client, int timeout_ms, json_t **message,
		       struct rp_error *err);
