// SPDX-License-Identifier: BSD-3-Clause
#include "fabric/fabric.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "fabric/change.h"
#include "fabric/check.h"

struct rp_fabric *rp_fabric_new(const struct rp_fabric_ops *ops, void *ops_arg,
				const char *socket_dir, uint32_t max_nics, struct rp_error *err)
{
	struct rp_fabric *fabric;
	int rc = rp_check_socket("socket-dir", socket_dir, err);

	if (rc == 0 && strlen(socket_dir) >= sizeof(fabric->socket_dir))
		rc = rp_error_set(err, ENAMETOOLONG, "socket-dir", socket_dir,
				  "longer than %zu bytes leaves no room for the sockets' names; "
				  "choose a shorter directory",
				  sizeof(fabric->socket_dir) - 1);
	if (rc < 0) {
		errno = -rc;
		return NULL;
	}
	fabric = calloc(1, sizeof(*fabric));
	if (fabric == NULL) {
		rp_error_set(err, ENOMEM, NULL, NULL, "out of memory");
		errno = ENOMEM;
		return NULL;
	}
	TAILQ_INIT(&fabric->networks);
	TAILQ_INIT(&fabric->nics);
	TAILQ_INIT(&fabric->retired);
	fabric->ops = ops;
	fabric->ops_arg = ops_arg;
	fabric->max_nics = max_nics;
	strlcpy(fabric->socket_dir, socket_dir, sizeof(fabric->socket_dir));
	return fabric;
}

// Forget the model; nobody polls what it names.
static void clear(struct rp_fabric *fabric)
{
	struct rp_network *network;
	struct rp_nic *nic;

	fabric->view_stale = false;
	while ((nic = TAILQ_FIRST(&fabric->retired)) != NULL) {
		TAILQ_REMOVE(&fabric->retired, nic, entry);
		rp_change_drop_nic(fabric, nic);
	}
	while ((nic = TAILQ_FIRST(&fabric->nics)) != NULL) {
		rp_change_unlist_nic(fabric, nic);
		rp_change_drop_nic(fabric, nic);
	}
	while ((network = TAILQ_FIRST(&fabric->networks)) != NULL) {
		rp_change_unlist_network(fabric, network);
		free(network);
	}
}

void rp_fabric_free(struct rp_fabric *fabric)
{
	if (fabric == NULL)
		return;
	clear(fabric);
	rp_store_close(fabric->store);
	free(fabric);
}

int rp_fabric_reserve(struct rp_fabric *fabric, const struct rp_addr *addr)
{
	if (fabric->n_reserved == RP_RESERVED_MAX)
		return -ENOSPC;
	fabric->reserved[fabric->n_reserved++] = *addr;
	return 0;
}

static int load_network(void *arg, const struct rp_network *row, struct rp_error *err)
{
	return rp_network_restore(arg, row, err);
}

static int load_nic(void *arg, const struct rp_nic *row, struct rp_error *err)
{
	return rp_nic_restore(arg, row, err);
}

int rp_fabric_open_store(struct rp_fabric *fabric, const char *path, struct rp_error *err)
{
	const struct rp_store_loader loader = {load_network, load_nic, fabric};
	struct rp_store *store;
	int rc;

	if (fabric->store != NULL || fabric->n_networks > 0)
		return rp_error_set(err, EBUSY, "state", path,
				    "the model is in use already; a store is opened first");
	store = rp_store_open(path, err);
	if (store == NULL)
		return -errno;
	rc = rp_store_load(store, &loader, err);
	if (rc == 0)
		rc = rp_change_finish(fabric, err);
	if (rc < 0) {
		clear(fabric);
		rp_store_close(store);
		return rc;
	}
	fabric->store = store;
	return 0;
}
