/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What the control plane asks of the daemon, and its socket. Main lcore only.
 */

#include "control/control.h"
#include "daemon.h"

// Ready for commands; the socket is not open yet.
void rp_daemon_control_init(struct rp_daemon *d);

// Open the control socket: the last thing at start, when all ports listen.
int rp_daemon_control_open(struct rp_daemon *d, struct rp_error *err);
void rp_daemon_control_close(struct rp_daemon *d);
