/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A JSON-RPC 2.0 server on a Unix socket, on the caller's libevent loop. Many peers, each with
 * requests in flight that are answered in their order; batches, notifications; see message.h.
 *
 * No peer can hurt another: a message has at most RP_RPC_MESSAGE_MAX bytes and must be complete
 * within the timeout; who does not take its answers is not read from any more, and is dropped when
 * it takes none for that long; so is a subscriber that lets too much pile up. A peer that shuts its
 * sending side down still gets its answers.
 *
 * Who may connect is said by the socket's mode and group; the credentials of each peer
 * (SO_PEERCRED) are held against the same again. One thread: the loop's. The process must ignore
 * SIGPIPE.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <event2/event.h>
#include <jansson.h>

#include "base/error.h"

struct rp_rpc_server;
struct rp_rpc_peer;

// As rp_rpc_call_fn in message.h, for a peer.
typedef int (*rp_rpc_peer_call_fn)(void *arg, struct rp_rpc_peer *peer, const char *method,
				   const json_t *params, json_t **result, struct rp_error *err);

struct rp_rpc_server_config {
	const char *path;
	mode_t mode;		 // of the socket, such as 0660
	gid_t group;		 // that it belongs to; (gid_t)-1: the process's own
	unsigned int max_peers;	 // 0: 64
	unsigned int timeout_ms; // 0: 30 s
	rp_rpc_peer_call_fn call;
	void *arg;
};

// Listen. NULL with *err.
struct rp_rpc_server *rp_rpc_server_new(struct event_base *base,
					const struct rp_rpc_server_config *cfg,
					struct rp_error *err);

// Hand out what the peers take at once of their answers, hang up, remove the socket. NULL is fine.
void rp_rpc_server_free(struct rp_rpc_server *server);

unsigned int rp_rpc_server_peers(const struct rp_rpc_server *server);

// Whose process connected.
const struct ucred *rp_rpc_peer_cred(const struct rp_rpc_peer *peer);

// From now on the peer gets the notifications of these topics (bits), besides those it gets.
void rp_rpc_peer_subscribe(struct rp_rpc_peer *peer, uint32_t topics);

// Tell all subscribers of any of these topics. Takes the reference to params.
void rp_rpc_server_notify(struct rp_rpc_server *server, uint32_t topics, const char *method,
			  json_t *params);
