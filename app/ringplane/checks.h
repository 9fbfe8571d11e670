/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What can be wrong before anything runs, said in one line with what to do about it.
 */

#include <stdbool.h>

#include "base/error.h"
#include "options.h"

// Before rte_eal_init(): hugepages, unless EAL's own words say it needs none.
int rp_check_memory(int argc, char *const *argv, struct rp_error *err);

// After rte_eal_init(): a worker besides the main lcore.
int rp_check_lcores(struct rp_error *err);

// Make the sockets' directory where it is missing; it must be writable.
int rp_check_socket_dir(const char *dir, struct rp_error *err);
