/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "venus/client.h"

// Open a connection as the environment says. 0 or -errno; where VENUS_SERVER is set, the reason of
// a failure goes to stderr.
int icd_connect(struct rp_vn_client *client);

// The instance version that the server offers, not above what this driver knows. A connection of
// its own, bounded in time.
VkResult icd_server_version(uint32_t *version);
