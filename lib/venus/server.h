/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "venus/session.h"

struct rp_vn_server_options {
	const char *listen; // as in address.h
	const char *token;  // "" for none
	const struct rp_vn_backend *backend;
	bool log_commands;
};

/*
 * Serve until SIGINT or SIGTERM, then end all clients. One process per client: a driver that
 * crashes, hangs or leaks takes down that client alone. Logs through base/log.h.
 *
 * A TCP address beyond loopback needs a token. 0 or -errno with *err filled.
 */
int rp_vn_server_run(const struct rp_vn_server_options *o, struct rp_error *err);
