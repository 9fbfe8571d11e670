/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Unix stream sockets by path. Descriptors are non-blocking and close-on-exec; errors are negative
 * and in words in *err, which may be NULL: -ENOENT no such socket, -ECONNREFUSED nobody listens,
 * -EACCES permission, -EADDRINUSE somebody listens, -EEXIST no socket, -ENAMETOOLONG, -ETIMEDOUT.
 * Any thread.
 */

#include "base/error.h"

#define RP_UNIX_BACKLOG 64

// Connect to a socket path. Returns the descriptor.
int rp_unix_connect(const char *path, unsigned int timeout_ms, struct rp_error *err);

// Remove a socket file that a killed program has left; one with a listener, one that is another
// user's and what is no socket stay, with an error. Nothing there is no error.
int rp_unix_remove_dead(const char *path, struct rp_error *err);

// Take a socket path, replacing a dead socket file but never one where somebody listens. Returns
// the descriptor, on which nobody can connect before listen().
int rp_unix_bind(const char *path, struct rp_error *err);

// The same, listening.
int rp_unix_listen(const char *path, struct rp_error *err);
