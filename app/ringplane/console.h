/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The console: testpmd's words and layout, and ringplane's own. Main lcore only.
 */

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"

struct rp_console;
struct rp_daemon;

// With interactive, commands are read from standard input by the daemon's event loop; without, the
// console only prints.
struct rp_console *rp_console_new(struct rp_daemon *d, bool interactive, struct rp_error *err);
void rp_console_free(struct rp_console *c);

// `show port stats all`: what --stats-period prints.
void rp_console_print_stats(struct rp_console *c, FILE *out);

// Forward statistics per port and accumulated: what goes out at exit.
void rp_console_print_exit(struct rp_console *c, FILE *out);
