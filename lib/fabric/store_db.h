/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

// What the store's two halves share: the file (store.c) and its rows (store_rows.c).

#include <sqlite3.h>

#include "fabric/store.h"

struct rp_store {
	sqlite3 *db;
	char *path;
};

// Turn an SQLite result into *err; returns -errno.
int rp_store_fail(struct rp_store *store, int sqlite, struct rp_error *err);

/*
 * Prepare one statement and bind its values in order; types has a letter for each: 'i' an int,
 * 's' a string, of which NULL binds NULL. The caller finalizes *stmt, which is NULL on failure.
 */
int rp_store_prepare(struct rp_store *store, sqlite3_stmt **stmt, struct rp_error *err,
		     const char *sql, const char *types, ...);

// 1: there is a row, 0: done, -errno with *err.
int rp_store_step(struct rp_store *store, sqlite3_stmt *stmt, struct rp_error *err);

// Prepare, bind and run one statement that returns no rows.
int rp_store_run(struct rp_store *store, struct rp_error *err, const char *sql, const char *types,
		 ...);
