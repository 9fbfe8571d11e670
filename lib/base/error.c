// SPDX-License-Identifier: BSD-3-Clause
#include "base/error.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <bsd/string.h>

int rp_error_set(struct rp_error *err, int code, const char *field, const char *value,
		 const char *expected, ...)
{
	va_list ap;

	if (err == NULL)
		return -code;
	err->code = code;
	err->where[0] = '\0';
	strlcpy(err->field, field != NULL ? field : "", sizeof(err->field));
	strlcpy(err->value, value != NULL ? value : "", sizeof(err->value));
	va_start(ap, expected);
	vsnprintf(err->expected, sizeof(err->expected), expected, ap);
	va_end(ap);
	return -code;
}

const char *rp_error_text(const struct rp_error *err, char *buf, size_t len)
{
	bool value = err->value[0] != '\0';

	snprintf(buf, len, "%s%s%s%s%s%s%s%s%s", err->where, err->where[0] != '\0' ? ": " : "",
		 err->field, err->field[0] != '\0' && value ? " " : "", value ? "'" : "",
		 err->value, value ? "'" : "", err->field[0] != '\0' || value ? ": " : "",
		 err->expected);
	return buf;
}
