/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

// A directory of the test's own with one store in it, and SQL from the side.

#include <sqlite3.h>

#include "unit/fabric/fixture.h"

struct scratch {
	char dir[32];
	char path[64];
};

static inline void scratch_open(struct scratch *s)
{
	strlcpy(s->dir, "/tmp/rp_fabric.XXXXXX", sizeof(s->dir));
	assert_non_null(mkdtemp(s->dir));
	snprintf(s->path, sizeof(s->path), "%s/state.db", s->dir);
}

static inline void scratch_clear(const struct scratch *s)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
	char path[96];

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", s->path, suffixes[i]);
		unlink(path);
	}
}

static inline void scratch_close(const struct scratch *s)
{
	scratch_clear(s);
	assert_int_equal(rmdir(s->dir), 0);
}

// While no fabric has it open.
static inline void scratch_sql(const struct scratch *s, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(s->path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	sqlite3_close(db);
}

static inline void fixture_open_store(struct fixture *f, const struct scratch *s)
{
	fixture_open(f);
	if (rp_fabric_open_store(f->fabric, s->path, &f->err) != 0)
		fail_msg("%s: %s", s->path, f->err.expected);
}

// A model with something of everything.
static inline void populate(struct fixture *f)
{
	struct rp_network_config net = net_config("prod", "10.0.0.0/24", "fd00::/64");
	struct rp_prefix routed[] = {prefix("10.9.0.0/24"), prefix("fd00:9::/64")};
	struct rp_nic_config nic = nic_config("vm2", "prod");

	net.is_public = true;
	net.real_mask = true;
	net.mtu = 9000;
	net.dns = (struct rp_addr_list){.n = 2, .addr = {addr("9.9.9.9"), addr("2620:fe::fe")}};
	net.ntp = (struct rp_addr_list){.n = 1, .addr = {addr("10.0.0.123")}};
	strlcpy(net.domain, "example.org", sizeof(net.domain));
	net.n_search = 2;
	strlcpy(net.search[0], "b.example.org", RP_DOMAIN_MAX);
	strlcpy(net.search[1], "a.example.org", RP_DOMAIN_MAX);
	nic.n_prefixes = 2;
	nic.prefixes = routed;
	nic.queues = 4;
	nic.mode = RP_VHOST_CLIENT;
	strlcpy(nic.socket, "/tmp/vm2.vmm", sizeof(nic.socket));
	assert_int_equal(net_create(f, "gone", "10.0.0.0/24", NULL), 0);
	assert_int_equal(net_create(f, "zz-first", NULL, "fd00::/64"), 0);
	assert_int_equal(rp_network_create(f->fabric, &net, NULL, &f->err), 0);
	assert_int_equal(net_create(f, "last", "10.0.0.0/24", NULL), 0);
	assert_int_equal(net_delete(f, "gone", false, NULL), 0);
	assert_int_equal(nic_create(f, "vm9", "prod"), 0);
	assert_int_equal(rp_nic_create(f->fabric, &nic, NULL, &f->err), 0);
	assert_int_equal(nic_create(f, "vm0", "zz-first"), 0);
}
