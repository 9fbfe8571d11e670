// SPDX-License-Identifier: BSD-3-Clause
#include "fabric/store.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "fabric/store_db.h"

// "RPLN": tells our files from other programs' databases.
#define APPLICATION_ID 0x52504c4e

// migrations[v] brings a file of schema version v to v + 1. Never changed once released.
static const char *const migrations[] = {
	"CREATE TABLE network ("
	"  seq INTEGER PRIMARY KEY AUTOINCREMENT,"
	"  uuid TEXT NOT NULL UNIQUE,"
	"  id INTEGER NOT NULL UNIQUE,"
	"  name TEXT NOT NULL UNIQUE,"
	"  ip4 TEXT,"
	"  ip6 TEXT,"
	"  domain TEXT,"
	"  mtu INTEGER NOT NULL,"
	"  public INTEGER NOT NULL,"
	"  real_mask INTEGER NOT NULL"
	") STRICT;"
	"CREATE TABLE network_list ("
	"  network TEXT NOT NULL REFERENCES network (uuid) ON DELETE CASCADE,"
	"  kind TEXT NOT NULL,"
	"  pos INTEGER NOT NULL,"
	"  value TEXT NOT NULL,"
	"  PRIMARY KEY (network, kind, pos)"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE nic ("
	"  seq INTEGER PRIMARY KEY AUTOINCREMENT,"
	"  uuid TEXT NOT NULL UNIQUE,"
	"  network TEXT NOT NULL REFERENCES network (uuid) ON DELETE CASCADE,"
	"  name TEXT NOT NULL UNIQUE,"
	"  mac TEXT NOT NULL UNIQUE,"
	"  ip4 TEXT,"
	"  ip6 TEXT,"
	"  queues INTEGER NOT NULL,"
	"  mode INTEGER NOT NULL,"
	"  socket TEXT"
	") STRICT;"
	"CREATE INDEX nic_network ON nic (network);"
	"CREATE TABLE nic_prefix ("
	"  nic TEXT NOT NULL REFERENCES nic (uuid) ON DELETE CASCADE,"
	"  pos INTEGER NOT NULL,"
	"  prefix TEXT NOT NULL,"
	"  PRIMARY KEY (nic, pos)"
	") STRICT, WITHOUT ROWID;",
};

#define SCHEMA_VERSION ((int)(sizeof(migrations) / sizeof(migrations[0])))

static const struct {
	int sqlite;
	int code;
	const char *text;
} failures[] = {
	{SQLITE_BUSY, EBUSY, "is in use by another ringplane; stop it or name another file"},
	{SQLITE_LOCKED, EBUSY, "is in use; stop its other user or name another file"},
	{SQLITE_NOTADB, EMEDIUMTYPE, "is no SQLite database; name another file or move it away"},
	{SQLITE_CORRUPT, EUCLEAN, "is a damaged database; restore it from a backup"},
	{SQLITE_CANTOPEN, ENOENT, "cannot be opened or made; check its directory and its mode"},
	{SQLITE_READONLY, EROFS, "cannot be written; check its mode, its owner and its directory"},
	{SQLITE_FULL, ENOSPC, "cannot grow: the disk is full"},
	{SQLITE_IOERR, EIO, "cannot be read or written"},
	{SQLITE_NOMEM, ENOMEM, "needs more memory than there is"},
};

int rp_store_fail(struct rp_store *store, int sqlite, struct rp_error *err)
{
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		if (failures[i].sqlite == (sqlite & 0xff))
			return rp_error_set(err, failures[i].code, "state", store->path, "%s (%s)",
					    failures[i].text, sqlite3_errmsg(store->db));
	}
	return rp_error_set(err, EIO, "state", store->path, "refused the change: %s",
			    sqlite3_errmsg(store->db));
}

static int exec(struct rp_store *store, const char *sql, struct rp_error *err)
{
	int rc = sqlite3_exec(store->db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : rp_store_fail(store, rc, err);
}

static int prepare(struct rp_store *store, sqlite3_stmt **stmt, struct rp_error *err,
		   const char *sql, const char *types, va_list ap)
{
	int rc = sqlite3_prepare_v2(store->db, sql, -1, stmt, NULL);

	for (int i = 1; rc == SQLITE_OK && *types != '\0'; i++, types++) {
		if (*types == 'i')
			rc = sqlite3_bind_int64(*stmt, i, va_arg(ap, int));
		else
			rc = sqlite3_bind_text(*stmt, i, va_arg(ap, const char *), -1,
					       SQLITE_TRANSIENT);
	}
	if (rc == SQLITE_OK)
		return 0;
	rc = rp_store_fail(store, rc, err);
	sqlite3_finalize(*stmt);
	*stmt = NULL;
	return rc;
}

int rp_store_prepare(struct rp_store *store, sqlite3_stmt **stmt, struct rp_error *err,
		     const char *sql, const char *types, ...)
{
	va_list ap;
	int rc;

	va_start(ap, types);
	rc = prepare(store, stmt, err, sql, types, ap);
	va_end(ap);
	return rc;
}

int rp_store_step(struct rp_store *store, sqlite3_stmt *stmt, struct rp_error *err)
{
	int rc = sqlite3_step(stmt);

	if (rc == SQLITE_ROW)
		return 1;
	return rc == SQLITE_DONE ? 0 : rp_store_fail(store, rc, err);
}

int rp_store_run(struct rp_store *store, struct rp_error *err, const char *sql, const char *types,
		 ...)
{
	sqlite3_stmt *stmt;
	va_list ap;
	int rc;

	va_start(ap, types);
	rc = prepare(store, &stmt, err, sql, types, ap);
	va_end(ap);
	if (rc == 0)
		rc = rp_store_step(store, stmt, err);
	sqlite3_finalize(stmt);
	return rc;
}

// The first column of the first row, an integer.
static int query_int(struct rp_store *store, const char *sql, int *value, struct rp_error *err)
{
	sqlite3_stmt *stmt;
	int rc = rp_store_prepare(store, &stmt, err, sql, "");

	if (rc < 0)
		return rc;
	rc = rp_store_step(store, stmt, err);
	if (rc == 1)
		*value = sqlite3_column_int(stmt, 0);
	sqlite3_finalize(stmt);
	return rc < 0 ? rc : 0;
}

static int check_intact(struct rp_store *store, struct rp_error *err)
{
	sqlite3_stmt *stmt;
	int rc = rp_store_prepare(store, &stmt, err, "PRAGMA quick_check(1)", "");
	const char *text;

	if (rc < 0)
		return rc;
	rc = rp_store_step(store, stmt, err);
	text = rc == 1 ? (const char *)sqlite3_column_text(stmt, 0) : NULL;
	if (text != NULL && strcmp(text, "ok") != 0)
		rc = rp_error_set(err, EUCLEAN, "state", store->path,
				  "is a damaged database; restore it from a backup (%s)", text);
	sqlite3_finalize(stmt);
	return rc < 0 ? rc : 0;
}

// Ours or empty, and of a version that we know: *version is what it has.
static int check_owner(struct rp_store *store, int *version, struct rp_error *err)
{
	int tables = 0, id = 0;
	int rc = query_int(store, "SELECT count(*) FROM sqlite_schema", &tables, err);

	if (rc == 0)
		rc = query_int(store, "PRAGMA application_id", &id, err);
	if (rc == 0)
		rc = query_int(store, "PRAGMA user_version", version, err);
	if (rc < 0)
		return rc;
	if (id != APPLICATION_ID && (id != 0 || tables > 0))
		return rp_error_set(err, EMEDIUMTYPE, "state", store->path,
				    "is a database of another program; name another file");
	if (*version < 0 || *version > SCHEMA_VERSION)
		return rp_error_set(err, EPROTONOSUPPORT, "state", store->path,
				    "has schema version %d, this ringplane knows up to %d; start "
				    "the newer ringplane that made it or name another file",
				    *version, SCHEMA_VERSION);
	return 0;
}

static int migrate(struct rp_store *store, int version, struct rp_error *err)
{
	char pragma[96];
	int rc = rp_store_begin(store, err);

	// Written even when nothing changes: a full disk shows at the start, not at the first
	// change.
	for (; rc == 0 && version < SCHEMA_VERSION; version++)
		rc = exec(store, migrations[version], err);
	snprintf(pragma, sizeof(pragma), "PRAGMA application_id = %d; PRAGMA user_version = %d",
		 APPLICATION_ID, SCHEMA_VERSION);
	if (rc == 0)
		rc = exec(store, pragma, err);
	if (rc == 0)
		return rp_store_commit(store, err);
	rp_store_rollback(store);
	return rc;
}

static int open_db(struct rp_store *store, struct rp_error *err)
{
	int version = 0;
	int rc = sqlite3_open_v2(store->path, &store->db,
				 SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
				 NULL);

	if (store->db == NULL)
		return rp_error_set(err, ENOMEM, "state", store->path, "out of memory");
	if (rc != SQLITE_OK)
		return rp_store_fail(store, rc, err);
	// A file that may only be read opens all the same, and fails later with worse words.
	if (sqlite3_db_readonly(store->db, "main") == 1)
		return rp_error_set(err, EROFS, "state", store->path,
				    "cannot be written; check its mode, its owner and its "
				    "directory");
	// Before the first access: from that on the file is locked until it is closed.
	rc = exec(store, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA foreign_keys = ON", err);
	if (rc == 0)
		rc = check_owner(store, &version, err);
	if (rc == 0)
		rc = exec(store, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL", err);
	if (rc == 0)
		rc = check_intact(store, err);
	return rc == 0 ? migrate(store, version, err) : rc;
}

struct rp_store *rp_store_open(const char *path, struct rp_error *err)
{
	struct rp_store *store = calloc(1, sizeof(*store));
	int rc = -ENOMEM;

	if (store != NULL)
		store->path = strdup(path);
	if (store == NULL || store->path == NULL)
		rp_error_set(err, ENOMEM, "state", path, "out of memory");
	else
		rc = open_db(store, err);
	if (rc == 0)
		return store;
	rp_store_close(store);
	errno = -rc;
	return NULL;
}

void rp_store_close(struct rp_store *store)
{
	if (store == NULL)
		return;
	sqlite3_close(store->db);
	free(store->path);
	free(store);
}

int rp_store_begin(struct rp_store *store, struct rp_error *err)
{
	return exec(store, "BEGIN IMMEDIATE", err);
}

int rp_store_commit(struct rp_store *store, struct rp_error *err)
{
	int rc = exec(store, "COMMIT", err);

	if (rc < 0)
		rp_store_rollback(store);
	return rc;
}

void rp_store_rollback(struct rp_store *store)
{
	if (!sqlite3_get_autocommit(store->db))
		sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
}
