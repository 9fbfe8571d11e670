/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The command line: "ringplane [EAL options] -- [options]". EAL's words are left alone.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

#define RP_DEFAULT_SOCKET_DIR "/run/ringplane"
#define RP_DEFAULT_TAP	      "ringplane0"
#define RP_DEFAULT_HOST_IP4   "169.254.0.2"
#define RP_DEFAULT_HOST_IP6   "fd72:696e:67::1"

struct rp_options {
	const char *init;  // commands for an empty model; NULL: the built-in network
	const char *state; // SQLite file or ":memory:"; NULL: nothing is kept
	const char *socket_dir;
	const char *tap;      // name of the host's interface
	const char *host_ip4; // the host's own addresses on it
	const char *host_ip6;
	const char *control; // socket path, NULL: <socket_dir>/control.sock
	mode_t control_mode;
	gid_t control_group; // (gid_t)-1: the process's own
	const char *pidfile; // NULL: <socket_dir>/ringplane.pid
	bool no_host;
	bool interactive;
	unsigned int stats_period; // seconds, 0: none
	bool help;
	bool version;
};

/*
 * Take our options from argv, which is what stands behind "--" with argv[0] in front. Strings
 * point into argv.
 */
int rp_options_parse(struct rp_options *opt, int argc, char **argv, struct rp_error *err);

void rp_options_help(void);
