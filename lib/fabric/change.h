/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * How every change of the model runs, so that a failure at any step leaves all as it was:
 *
 *   validate                               nothing to undo
 *   rp_change_begin, rp_store_...          undone by the store's roll-back
 *   ops->nic_add, change of the lists      undone by the caller
 *   rp_change_finish: publish, commit
 *
 * After a failure the caller restores the lists, calls rp_change_undo and then drops what it had
 * added with rp_change_drop_nic. rp_change_undo publishes the old model where something of the new
 * one may be in effect: when publish failed half-way, and when only the commit failed, so that the
 * workers have the new view already. Should even that fail, the NICs that the view still shows stay
 * allocated until a later publish succeeds.
 */

#include "fabric/fabric.h"
#include "fabric/store.h"

int rp_change_begin(struct rp_fabric *fabric, struct rp_error *err);
int rp_change_finish(struct rp_fabric *fabric, struct rp_error *err);
void rp_change_undo(struct rp_fabric *fabric);

// ops->nic_add, with *err filled in whatever the operation does.
int rp_change_add_nic(struct rp_fabric *fabric, struct rp_nic *nic, struct rp_error *err);
// Take down (as soon as no worker can see it) and free a NIC that is in no list any more.
void rp_change_drop_nic(struct rp_fabric *fabric, struct rp_nic *nic);

// Into and out of the model's lists and counts; "before" NULL: at the end.
void rp_change_list_nic(struct rp_fabric *fabric, struct rp_nic *nic, struct rp_nic *before);
void rp_change_unlist_nic(struct rp_fabric *fabric, struct rp_nic *nic);
void rp_change_list_network(struct rp_fabric *fabric, struct rp_network *network,
			    struct rp_network *before);
void rp_change_unlist_network(struct rp_fabric *fabric, struct rp_network *network);

// What the store held, checked like a new one. They list it; nothing is published.
int rp_network_restore(struct rp_fabric *fabric, const struct rp_network *row,
		       struct rp_error *err);
int rp_nic_restore(struct rp_fabric *fabric, const struct rp_nic *row, struct rp_error *err);
