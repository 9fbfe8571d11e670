/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What a server understands, by its own account (query-qmp-schema), and arguments written as
 * key=value made into JSON by it.
 *
 * A schema is constant once loaded: any thread may read it.
 */

#include "qmp/qmp.h"

struct rp_qmp_schema;

// Ask the server: about 200 kB of reply.
int rp_qmp_schema_load(struct rp_qmp *c, struct rp_qmp_schema **schema, struct rp_qmp_error *err);
// From the value that query-qmp-schema returned, borrowed. NULL: out of memory.
struct rp_qmp_schema *rp_qmp_schema_new(const json_t *entries);
void rp_qmp_schema_free(struct rp_qmp_schema *schema);

// Call fn with the name of each command, or of each event.
typedef void (*rp_qmp_schema_name_fn)(const char *name, void *arg);
void rp_qmp_schema_commands(const struct rp_qmp_schema *schema, rp_qmp_schema_name_fn fn,
			    void *arg);
void rp_qmp_schema_events(const struct rp_qmp_schema *schema, rp_qmp_schema_name_fn fn, void *arg);

struct rp_qmp_schema_member {
	const char *name;
	const char *type; // "string", "int", "number", "boolean", "enum", "object", "array", "any"
	bool optional;
};

// Call fn for each argument of a command below prefix: "" for its own, "file." for the members of
// its argument "file". False: no such command or argument. Members of all variants are included.
typedef void (*rp_qmp_schema_member_fn)(const struct rp_qmp_schema_member *member, void *arg);
bool rp_qmp_schema_members(const struct rp_qmp_schema *schema, const char *command,
			   const char *prefix, rp_qmp_schema_member_fn fn, void *arg);

// The type of an argument ("file.driver"), or NULL: not known.
const char *rp_qmp_schema_type(const struct rp_qmp_schema *schema, const char *command,
			       const char *path);

// Call fn with each value that an argument of the types enum and boolean may have.
void rp_qmp_schema_values(const struct rp_qmp_schema *schema, const char *command, const char *path,
			  rp_qmp_schema_name_fn fn, void *arg);

/*
 * Arguments from words: one JSON object, or any number of key=value; "a.b=1" makes an object in an
 * object. By the schema a value becomes what the argument is; where the schema is NULL or silent, a
 * value that reads as a JSON number, true, false, null, object or array is that, and any other is a
 * string ("\"5\"", with the quotes, is the string 5). *args is the caller's; NULL for no words.
 */
int rp_qmp_arguments(const struct rp_qmp_schema *schema, const char *command, unsigned n,
		     const char *const *words, json_t **args, struct rp_qmp_error *err);
// Would these words come out differently with a schema?
bool rp_qmp_arguments_want_schema(unsigned n, const char *const *words);
