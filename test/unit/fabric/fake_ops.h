/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

// The port layer and the workers of a fabric under test: they count, and fail when told to.

#include <errno.h>

#include "fabric/fabric.h"

struct fake_ops {
	int fail_nic_add;    // fail the n-th call from now on, 0: none
	int fail_publish;    // likewise
	int added;	     // successful nic_add less nic_remove
	int published;	     // successful calls
	uint32_t n_networks; // of the model that publish saw last
	uint32_t n_nics;
	uint32_t n_prefixes;
};

static inline int fake_nic_add(void *arg, struct rp_nic *nic, struct rp_error *)
{
	struct fake_ops *ops = arg;

	if (ops->fail_nic_add > 0 && --ops->fail_nic_add == 0)
		return -ENODEV;
	nic->port = ops;
	ops->added++;
	return 0;
}

static inline void fake_nic_remove(void *arg, struct rp_nic *nic)
{
	struct fake_ops *ops = arg;

	nic->port = NULL;
	ops->added--;
}

static inline int fake_publish(void *arg, struct rp_fabric *fabric, struct rp_error *err)
{
	struct fake_ops *ops = arg;
	const struct rp_nic *nic;

	// Kernel routes and the like are changed before something fails.
	ops->n_networks = fabric->n_networks;
	ops->n_nics = fabric->n_nics;
	ops->n_prefixes = 0;
	TAILQ_FOREACH (nic, &fabric->nics, entry)
		ops->n_prefixes += nic->cfg.n_prefixes;
	if (ops->fail_publish > 0 && --ops->fail_publish == 0) {
		return rp_error_set(err, ENOMEM, NULL, NULL, "no view today");
	}
	ops->published++;
	return 0;
}

static const struct rp_fabric_ops fake_ops = {fake_nic_add, fake_nic_remove, fake_publish};
