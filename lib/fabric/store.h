/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The model on disk: one SQLite file, locked for this process as long as it is open. Every change
 * is one transaction; once rp_store_commit() has returned 0 it outlasts a crash and a power cut
 * (write-ahead log, full sync). What is stored is the model alone: configuration, UUIDs, network
 * ids, the order of creation. Default socket paths are not: they follow the socket directory.
 *
 * Not thread-safe. Functions return 0 or -errno with *err (which may be NULL).
 */

#include "fabric/fabric.h"

struct rp_store;

/*
 * Open or make the file and bring its schema up to date. NULL with errno: EBUSY in use by another
 * process, EMEDIUMTYPE no database or not ours, EPROTONOSUPPORT made by a newer version, EROFS
 * cannot be written, ENOENT cannot be made, EIO.
 */
struct rp_store *rp_store_open(const char *path, struct rp_error *err);
void rp_store_close(struct rp_store *store);

int rp_store_begin(struct rp_store *store, struct rp_error *err);
// On failure nothing of the transaction is kept.
int rp_store_commit(struct rp_store *store, struct rp_error *err);
// Without a transaction it does nothing.
void rp_store_rollback(struct rp_store *store);

int rp_store_add_network(struct rp_store *store, const struct rp_network *network,
			 struct rp_error *err);
int rp_store_update_network(struct rp_store *store, const struct rp_network *network,
			    struct rp_error *err);
// Its NICs go with it.
int rp_store_remove_network(struct rp_store *store, const struct rp_network *network,
			    struct rp_error *err);
// default_socket: the NIC's path is what its name and the socket directory make of it.
int rp_store_add_nic(struct rp_store *store, const struct rp_nic *nic, bool default_socket,
		     struct rp_error *err);
// The routed prefixes, all else is fixed.
int rp_store_update_nic(struct rp_store *store, const struct rp_nic *nic, struct rp_error *err);
int rp_store_remove_nic(struct rp_store *store, const struct rp_nic *nic, struct rp_error *err);

/*
 * All networks, then all NICs, each kind in the order of creation. Of a row the UUID, the id and
 * the configuration are filled in (a NIC's network by name, a default socket path empty); it is
 * valid during the call only. The first call that fails ends the loading with its value.
 */
struct rp_store_loader {
	int (*network)(void *arg, const struct rp_network *row, struct rp_error *err);
	int (*nic)(void *arg, const struct rp_nic *row, struct rp_error *err);
	void *arg;
};

int rp_store_load(struct rp_store *store, const struct rp_store_loader *loader,
		  struct rp_error *err);
