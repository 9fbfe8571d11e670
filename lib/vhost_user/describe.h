/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A vhost-user message in words, for traces and reports:
 *
 *	SET_VRING_NUM need_reply {index 0, num 256}
 *	GET_FEATURES reply {0x140000000}
 *
 * The message need not be valid: what does not fit the table is shown as bytes.
 */

#include "vhost_user/socket.h"

// Its line in buf, without a newline, cut where it does not fit; returns buf.
const char *rp_vhu_describe(const struct rp_vhu_msg *msg, enum rp_vhu_direction direction,
			    char *buf, size_t len);
