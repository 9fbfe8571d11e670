/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Ways to misbehave on demand, so that a tester can show that it notices. Any number at a time.
 */

#include "vhost_user/netdev.h"

// Add a fault "NAME" or "NAME=N". 0 or -EINVAL.
int fault_add(const char *word, struct rp_error *err);

// All faults with their meaning, on stdout.
void fault_list(void);

// Put the faults that were added into a card, before its connection begins.
void fault_apply(struct rp_netdev *card);
