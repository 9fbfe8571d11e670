/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

// cmocka wants its includes in this order.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "mock.h"
#include "qmp/qmp.h"

// The tests provoke what the library warns about.
static inline void no_log(enum rp_log_level, const char *, void *)
{
}

static inline struct rp_qmp_opts test_opts(void)
{
	struct rp_qmp_opts opts = RP_QMP_OPTS_DEFAULT;

	opts.log = no_log;
	return opts;
}

static inline struct rp_qmp *connect_opts(struct mock *m, const struct rp_qmp_opts *opts)
{
	struct rp_qmp_error err;
	struct rp_qmp *c = rp_qmp_connect(mock_path(m), opts, &err);

	if (c == NULL)
		fail_msg("cannot connect: %s", err.desc);
	return c;
}

static inline struct rp_qmp *connect_to(struct mock *m)
{
	struct rp_qmp_opts opts = test_opts();

	return connect_opts(m, &opts);
}

static inline void assert_kind(const struct rp_qmp_error *err, enum rp_qmp_kind kind)
{
	if (err->kind != kind)
		fail_msg("kind %s, expected %s: %s", rp_qmp_kind_name(err->kind),
			 rp_qmp_kind_name(kind), err->desc);
}

// Run a command that must succeed and forget its result.
static inline void exec_ok(struct rp_qmp *c, const char *command)
{
	struct rp_qmp_error err;

	if (rp_qmp_exec(c, command, NULL, NULL, &err) != 0)
		fail_msg("%s: %s", command, err.desc);
}

static inline void exec_fails(struct rp_qmp *c, const char *command, enum rp_qmp_kind kind)
{
	struct rp_qmp_error err = {0};

	assert_int_equal(rp_qmp_exec(c, command, NULL, NULL, &err), -rp_qmp_kind_errno(kind));
	assert_kind(&err, kind);
}
