/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

// Fail the test with the error's words where rc is one.
static inline void must(int rc, const struct rp_error *err)
{
	char text[600];

	if (rc < 0)
		fail_msg("%d: %s", rc, rp_error_text(err, text, sizeof(text)));
}
