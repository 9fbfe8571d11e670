/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A file of commands, run line by line up to the first that fails. run is given each line and says
 * in *column where an error is; err->where gets "file:line:column".
 */

#include <stdint.h>
#include <stdio.h>

#include "base/error.h"

typedef int (*rp_line_fn)(void *arg, const char *line, uint16_t *column, struct rp_error *err);

// name stands for the file in errors.
int rp_lines_run(const char *name, FILE *in, rp_line_fn run, void *arg, struct rp_error *err);

// Open it first; "-" is the standard input.
int rp_lines_run_file(const char *path, rp_line_fn run, void *arg, struct rp_error *err);
