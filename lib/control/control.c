// SPDX-License-Identifier: BSD-3-Clause
#include "control/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "control/command.h"
#include "control/text.h"

// The column of the word that an error of the fabric is about, else of the command itself.
static uint16_t column_of(const struct rp_call *call, const struct rp_error *err)
{
	if (call->name != NULL && strcmp(err->field, "name") == 0)
		return call->name_column;
	for (uint16_t i = 0; i < call->n_values; i++) {
		const struct rp_value *value = &call->values[i];

		// Of a repeated key it is the one whose value is named.
		if (strcmp(err->field, value->key->name) == 0 &&
		    (!value->key->repeat ||
		     strncmp(err->value, value->text, sizeof(err->value)) == 0))
			return value->column;
	}
	return call->words.word[0].column;
}

// Run one line; on failure *column is where in it.
static int run_line(struct rp_fabric *fabric, const char *line, FILE *out, uint16_t *column,
		    struct rp_error *err)
{
	struct rp_call call;
	json_t *result = NULL;
	int rc = rp_command_parse(line, &call, err);

	*column = call.error_column;
	if (rc < 0 || call.command == NULL)
		return rc;
	rc = call.command->run(fabric, &call, &result, err);
	if (rc < 0)
		*column = column_of(&call, err);
	else if (out != NULL && result != NULL)
		rp_text_print(out, result, call.command->columns);
	json_decref(result);
	return rc;
}

int rp_control_run_line(struct rp_fabric *fabric, const char *line, FILE *out, struct rp_error *err)
{
	struct rp_error own;
	uint16_t column;

	return run_line(fabric, line, out, &column, err != NULL ? err : &own);
}

static int run_stream(struct rp_fabric *fabric, const char *name, FILE *in, FILE *out,
		      struct rp_error *err)
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
			rc = run_line(fabric, line, out, &column, err);
		if (rc < 0)
			snprintf(err->where, sizeof(err->where), "%s:%u:%u", name, number, column);
	}
	free(line);
	return rc;
}

int rp_control_run_file(struct rp_fabric *fabric, const char *path, FILE *out, struct rp_error *err)
{
	bool is_stdin = strcmp(path, "-") == 0;
	FILE *in = is_stdin ? stdin : fopen(path, "re");
	struct rp_error own;
	int rc;

	if (in == NULL)
		return rp_error_set(err, errno, NULL, path,
				    "cannot be opened: %s; expected a file of commands",
				    strerror(errno));
	rc = run_stream(fabric, is_stdin ? "(standard input)" : path, in, out,
			err != NULL ? err : &own);
	if (!is_stdin)
		fclose(in);
	return rc;
}

int rp_control_run_text(struct rp_fabric *fabric, const char *name, const char *text, FILE *out,
			struct rp_error *err)
{
	FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	struct rp_error own;
	int rc;

	if (in == NULL)
		return rp_error_set(err, errno, NULL, name, "cannot be read: %s", strerror(errno));
	rc = run_stream(fabric, name, in, out, err != NULL ? err : &own);
	fclose(in);
	return rc;
}
