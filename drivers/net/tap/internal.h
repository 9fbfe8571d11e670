/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

// What the files of net/tap share.

#include "net/tap/host.h"
#include "net/tap/kernel.h"

struct rp_host {
	struct rp_kernel_if kernel;
	uint16_t port;
	uint16_t mtu; // as the port can send
	bool vdev;    // the vdev exists
};
