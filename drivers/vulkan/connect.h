/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "venus/client.h"

// What the tables describe; nothing newer is promised, whatever the server can do.
#define ICD_API_VERSION VK_API_VERSION_1_3

// Open a connection as the environment says and run a first command. 0 or -errno; where
// VENUS_SERVER is set, the reason of a failure goes to stderr.
int icd_connect(struct rp_vn_client *client, const struct rp_vn_handles *handles,
		const struct rp_vn_call *first);

// The instance version that the server offers, not above what this driver knows. A connection of
// its own, bounded in time.
VkResult icd_server_version(uint32_t *version);
