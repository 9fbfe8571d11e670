/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "loader.h"

// One line of the report: "  ok    what: detail" or "  FAIL  ...". Returns ok.
__attribute__((format(printf, 3, 4))) bool check(bool ok, const char *what, const char *fmt, ...);

const char *result_text(VkResult result);

// The phases. True: everything held. With `direct` the driver library is called without the loader.
bool phase1(bool direct);
