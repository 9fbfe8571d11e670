// SPDX-License-Identifier: BSD-3-Clause
#include "control/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static void print_value(FILE *out, const json_t *json)
{
	size_t i;
	json_t *item;

	switch (json_typeof(json)) {
	case JSON_STRING:
		fputs(json_string_value(json), out);
		break;
	case JSON_INTEGER:
		fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(json));
		break;
	case JSON_REAL:
		fprintf(out, "%g", json_real_value(json));
		break;
	case JSON_ARRAY:
		json_array_foreach(json, i, item)
		{
			fputs(i > 0 ? ", " : "", out);
			print_value(out, item);
		}
		break;
	default:
		fputs(json_is_true(json) ? "yes" : json_is_false(json) ? "no" : "", out);
		break;
	}
}

// The value as a new text, "-" where there is none; NULL: no memory.
static char *value_text(const json_t *json)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (out == NULL)
		return NULL;
	if (json != NULL)
		print_value(out, json);
	if (fflush(out) == 0 && len == 0)
		fputc('-', out);
	fclose(out);
	return text;
}

static void print_cell(FILE *out, const json_t *row, const char *column, size_t width)
{
	char *text = value_text(json_object_get(row, column));

	// The last column is not filled up: no blanks at the end of a line.
	fprintf(out, "%-*s", (int)width, text != NULL ? text : "?");
	free(text);
}

static size_t column_width(const json_t *rows, const char *column)
{
	size_t width = strlen(column);
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		char *text = value_text(json_object_get(row, column));

		if (text != NULL && strlen(text) > width)
			width = strlen(text);
		free(text);
	}
	return width;
}

#define COLUMNS_MAX 16

static void print_table(FILE *out, const json_t *rows, const char *const *columns)
{
	size_t width[COLUMNS_MAX] = {0};
	size_t n = 0, i;
	json_t *row;

	for (; n < COLUMNS_MAX && columns[n] != NULL; n++) {
		if (n > 0)
			width[n - 1] = column_width(rows, columns[n - 1]);
	}
	for (size_t c = 0; c < n; c++) {
		fputs(c > 0 ? "  " : "", out);
		for (size_t k = 0; columns[c][k] != '\0'; k++)
			fputc(toupper((unsigned char)columns[c][k]), out);
		fprintf(out, "%*s", width[c] > 0 ? (int)(width[c] - strlen(columns[c])) : 0, "");
	}
	fputc('\n', out);
	json_array_foreach(rows, i, row)
	{
		for (size_t c = 0; c < n; c++) {
			fputs(c > 0 ? "  " : "", out);
			print_cell(out, row, columns[c], width[c]);
		}
		fputc('\n', out);
	}
}

void rp_text_print(FILE *out, json_t *json, const char *const *columns)
{
	const char *key;
	json_t *value;

	if (json_is_array(json)) {
		print_table(out, json, columns);
		return;
	}
	json_object_foreach(json, key, value)
	{
		char *text = value_text(value);

		fprintf(out, "%s: %s\n", key, text != NULL ? text : "?");
		free(text);
	}
}
