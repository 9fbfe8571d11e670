// SPDX-License-Identifier: BSD-3-Clause
#include "fabric/change.h"

#include <stdlib.h>

#include "base/log.h"

int rp_change_begin(struct rp_fabric *fabric, struct rp_error *err)
{
	return fabric->store != NULL ? rp_store_begin(fabric->store, err) : 0;
}

static void take_down(struct rp_fabric *fabric, struct rp_nic *nic)
{
	if (nic->has_port)
		fabric->ops->nic_remove(fabric->ops_arg, nic);
	free(nic->cfg.prefixes);
	free(nic);
}

static int publish(struct rp_fabric *fabric, struct rp_error *err)
{
	struct rp_error own;
	struct rp_nic *nic;
	int rc;

	err = err != NULL ? err : &own;
	err->code = 0;
	rc = fabric->ops->publish(fabric->ops_arg, fabric, err);
	fabric->unpublished = rc < 0;
	if (rc < 0) {
		if (err->code == 0)
			rp_error_set(err, -rc, NULL, NULL, "the workers' view cannot be built");
		return rc;
	}
	fabric->view_stale = false;
	while ((nic = TAILQ_FIRST(&fabric->retired)) != NULL) {
		TAILQ_REMOVE(&fabric->retired, nic, entry);
		take_down(fabric, nic);
	}
	return 0;
}

int rp_change_finish(struct rp_fabric *fabric, struct rp_error *err)
{
	int rc = publish(fabric, err);

	if (rc < 0 || fabric->store == NULL)
		return rc;
	rc = rp_store_commit(fabric->store, err);
	fabric->view_stale = rc < 0;
	return rc;
}

void rp_change_undo(struct rp_fabric *fabric)
{
	struct rp_error err;
	char text[600];

	if (fabric->store != NULL)
		rp_store_rollback(fabric->store);
	if ((fabric->view_stale || fabric->unpublished) && publish(fabric, &err) < 0)
		rp_err("what was rolled back stays in effect in part until the next change "
		       "succeeds: %s",
		       rp_error_text(&err, text, sizeof(text)));
}

int rp_change_add_nic(struct rp_fabric *fabric, struct rp_nic *nic, struct rp_error *err)
{
	struct rp_error own;
	int rc;

	err = err != NULL ? err : &own;
	err->code = 0;
	rc = fabric->ops->nic_add(fabric->ops_arg, nic, err);
	if (rc < 0 && err->code == 0)
		rp_error_set(err, -rc, NULL, nic->cfg.name, "the NIC's port cannot be made");
	nic->has_port = rc == 0;
	return rc;
}

void rp_change_drop_nic(struct rp_fabric *fabric, struct rp_nic *nic)
{
	if (fabric->view_stale)
		TAILQ_INSERT_TAIL(&fabric->retired, nic, entry);
	else
		take_down(fabric, nic);
}

void rp_change_list_nic(struct rp_fabric *fabric, struct rp_nic *nic, struct rp_nic *before)
{
	if (before != NULL)
		TAILQ_INSERT_BEFORE(before, nic, entry);
	else
		TAILQ_INSERT_TAIL(&fabric->nics, nic, entry);
	fabric->n_nics++;
	nic->network->n_nics++;
}

void rp_change_unlist_nic(struct rp_fabric *fabric, struct rp_nic *nic)
{
	TAILQ_REMOVE(&fabric->nics, nic, entry);
	fabric->n_nics--;
	nic->network->n_nics--;
}

void rp_change_list_network(struct rp_fabric *fabric, struct rp_network *network,
			    struct rp_network *before)
{
	if (before != NULL)
		TAILQ_INSERT_BEFORE(before, network, entry);
	else
		TAILQ_INSERT_TAIL(&fabric->networks, network, entry);
	fabric->n_networks++;
}

void rp_change_unlist_network(struct rp_fabric *fabric, struct rp_network *network)
{
	TAILQ_REMOVE(&fabric->networks, network, entry);
	fabric->n_networks--;
}
