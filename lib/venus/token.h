/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "base/error.h"
#include "venus/wire.h"

// The first line of a file as token, "" where path is NULL. 0 or -errno with *err filled.
int rp_vn_token_read(char token[RP_VN_MAX_TOKEN + 1], const char *path, struct rp_error *err);

// Compare in constant time, so that the time says nothing about how much of a guess was right.
bool rp_vn_token_equal(const char *a, const char *b);
