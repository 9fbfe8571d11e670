/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

// What the files of ringctl share.

#include <stdbool.h>

#include "control/command.h"
#include "rpc/client.h"

#define RINGCTL_DEFAULT_SOCKET "/run/ringplane/control.sock"

struct ringctl {
	const char *socket;
	bool json;
	bool color;
	struct rp_rpc_client *client; // NULL: not connected yet
	bool misused;		      // what failed is the command, not ringplane
};

// Connected, or -errno.
int ringctl_connect(struct ringctl *ctl, unsigned int timeout_ms, struct rp_error *err);

// Print what comes, until the connection ends.
int ringctl_events(struct ringctl *ctl, struct rp_error *err);

// Print the words that may stand where the last of these is being typed, one a line.
void ringctl_complete(struct ringctl *ctl, char *const *words, int n);

// noun NULL: all commands in short.
void ringctl_help(const char *noun);
