/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Commands brought to the fabric: a line, a file, a text. Where out is not NULL the result of each
 * command is printed there for people to read. Each command is all or nothing; a file stops at the
 * first that fails, those before it stay. Main lcore only.
 */

#include <stdio.h>

#include "base/error.h"
#include "fabric/fabric.h"

int rp_control_run_line(struct rp_fabric *fabric, const char *line, FILE *out,
			struct rp_error *err);

// err->where says which line and column; "-" is the standard input.
int rp_control_run_file(struct rp_fabric *fabric, const char *path, FILE *out,
			struct rp_error *err);

// The same for a text of lines; name stands for the file's name in err->where.
int rp_control_run_text(struct rp_fabric *fabric, const char *name, const char *text, FILE *out,
			struct rp_error *err);

// config/two-vms.rp, what ringplane runs when it is told nothing.
extern const char rp_config_two_vms[];
