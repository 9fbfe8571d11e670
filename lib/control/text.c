// SPDX-License-Identifier: BSD-3-Clause
#include "control/text.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void print_value(FILE *out, const json_t *json);

static void print_members(FILE *out, const json_t *json)
{
	const char *before = "";
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)json, key, value)
	{
		fprintf(out, "%s%s ", before, key);
		print_value(out, value);
		before = ", ";
	}
}

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
		fprintf(out, "%.1f", json_real_value(json));
		break;
	case JSON_ARRAY:
		json_array_foreach(json, i, item)
		{
			fputs(i > 0 ? ", " : "", out);
			print_value(out, item);
		}
		break;
	case JSON_OBJECT:
		print_members(out, json);
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

#define BOLD  "\033[1m"
#define RED   "\033[31m"
#define GREEN "\033[32m"
#define PLAIN "\033[0m"

static const char *color_of(const char *text)
{
	if (strcmp(text, "connected") == 0)
		return GREEN;
	return strcmp(text, "error") == 0 ? RED : "";
}

static void print_padded(FILE *out, const char *text, size_t width, const char *color)
{
	size_t len = strlen(text);

	fprintf(out, "%s%s%s", color, text, color[0] != '\0' ? PLAIN : "");
	// The last column is not filled up: no blanks at the end of a line.
	fprintf(out, "%*s", width > len ? (int)(width - len) : 0, "");
}

static void print_cell(FILE *out, const json_t *row, const char *column, size_t width, bool color)
{
	char *text = value_text(json_object_get(row, column));

	if (text != NULL)
		print_padded(out, text, width, color ? color_of(text) : "");
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

static void print_head(FILE *out, const char *const *columns, size_t n, const size_t *width,
		       bool color)
{
	for (size_t c = 0; c < n; c++) {
		char name[64];
		size_t k = 0;

		for (; columns[c][k] != '\0' && k + 1 < sizeof(name); k++)
			name[k] = (char)toupper((unsigned char)columns[c][k]);
		name[k] = '\0';
		fputs(c > 0 ? "  " : "", out);
		print_padded(out, name, width[c], color ? BOLD : "");
	}
	fputc('\n', out);
}

static void print_table(FILE *out, const json_t *rows, const char *const *columns, bool color)
{
	size_t width[COLUMNS_MAX] = {0};
	size_t n = 0, i;
	json_t *row;

	for (; n < COLUMNS_MAX && columns[n] != NULL; n++) {
		if (n > 0)
			width[n - 1] = column_width(rows, columns[n - 1]);
	}
	print_head(out, columns, n, width, color);
	json_array_foreach(rows, i, row)
	{
		for (size_t c = 0; c < n; c++) {
			fputs(c > 0 ? "  " : "", out);
			print_cell(out, row, columns[c], width[c], color);
		}
		fputc('\n', out);
	}
}

// What the rows are sorted by: by their names, equal ones as they came.
static const char *sort_key(const json_t *row, const char *column)
{
	const char *text = json_string_value(json_object_get(row, column));

	return text != NULL ? text : "";
}

static json_t *sorted(const json_t *rows, const char *column)
{
	json_t *array = json_array();
	json_t *row;
	size_t i, at;

	json_array_foreach(rows, i, row)
	{
		for (at = json_array_size(array); at > 0; at--)
			if (strcmp(sort_key(json_array_get(array, at - 1), column),
				   sort_key(row, column)) <= 0)
				break;
		json_array_insert(array, at, row);
	}
	return array;
}

static bool is_table(const json_t *json)
{
	return json_is_array(json) && json_is_object(json_array_get(json, 0));
}

// A table whose columns are those of its first row.
static void print_inner_table(FILE *out, const char *name, const json_t *rows, bool color)
{
	const char *columns[COLUMNS_MAX + 1] = {NULL};
	size_t n = 0;
	const char *key;
	json_t *value;

	json_object_foreach(json_array_get(rows, 0), key, value)
	{
		if (n < COLUMNS_MAX)
			columns[n++] = key;
	}
	fprintf(out, "\n%s:\n", name);
	print_table(out, rows, columns, color);
}

void rp_text_print(FILE *out, json_t *json, const char *const *columns, bool color)
{
	const char *key;
	json_t *value;

	if (json_is_array(json)) {
		json_t *rows = sorted(json, columns[0]);

		print_table(out, rows, columns, color);
		json_decref(rows);
		return;
	}
	json_object_foreach(json, key, value)
	{
		char *text = is_table(value) ? NULL : value_text(value);

		if (text != NULL) {
			fprintf(out, "%s: ", key);
			print_padded(out, text, 0, color ? color_of(text) : "");
			fputc('\n', out);
		}
		free(text);
	}
	json_object_foreach(json, key, value)
	{
		if (is_table(value))
			print_inner_table(out, key, value, color);
	}
}
