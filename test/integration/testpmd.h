/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* DPDK's testpmd with two vhost-user ports, each with two queue pairs, and io forwarding between.
 */

#include "proc.h"

#include <stdbool.h>

struct testpmd {
	char dir[64];
	char path[2][96]; // sockets of the ports
	struct proc *proc;
};

// Name the sockets. 0 or -1; call stop in either case.
int testpmd_prepare(struct testpmd *t);

// Start it and wait until it forwards. As server it listens on the sockets, else it connects to
// them, again and again. 0 or -1.
int testpmd_start(struct testpmd *t, bool server);

void testpmd_stop(struct testpmd *t, bool passed);
