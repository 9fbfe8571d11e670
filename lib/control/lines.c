// SPDX-License-Identifier: BSD-3-Clause
#include "control/lines.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int rp_lines_run(const char *name, FILE *in, rp_line_fn run, void *arg, struct rp_error *err)
{
	unsigned int number = 0;
	size_t room = 0;
	char *line = NULL;
	int rc = 0;

	while (rc == 0) {
		ssize_t n = getline(&line, &room, in);
		uint16_t column = 1;

		if (n < 0) {
			if (!feof(in))
				rc = rp_error_set(err, errno, NULL, name, "cannot be read: %s",
						  strerror(errno));
			break;
		}
		number++;
		if (strlen(line) != (size_t)n)
			rc = rp_error_set(err, EINVAL, NULL, NULL,
					  "the line has a zero byte; expected text");
		else
			rc = run(arg, line, &column, err);
		if (rc < 0)
			snprintf(err->where, sizeof(err->where), "%s:%u:%u", name, number, column);
	}
	free(line);
	return rc;
}

int rp_lines_run_file(const char *path, rp_line_fn run, void *arg, struct rp_error *err)
{
	bool is_stdin = strcmp(path, "-") == 0;
	FILE *in = is_stdin ? stdin : fopen(path, "re");
	int rc;

	if (in == NULL)
		return rp_error_set(err, errno, NULL, path,
				    "cannot be opened: %s; expected a file of commands",
				    strerror(errno));
	rc = rp_lines_run(is_stdin ? "(standard input)" : path, in, run, arg, err);
	if (!is_stdin)
		fclose(in);
	return rc;
}
