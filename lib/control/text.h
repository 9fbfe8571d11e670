/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

// Results for people: what the console and ringctl print of a method's JSON.

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

/*
 * An object as "key: value" lines; an array of objects as a table of the named columns (which end
 * with NULL), headed by their names and sorted by the first. Values of an array stand behind each
 * other, parted by commas; an array of objects inside of an object is a table of its own behind the
 * lines. color: for a terminal.
 */
void rp_text_print(FILE *out, json_t *json, const char *const *columns, bool color);
