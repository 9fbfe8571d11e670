// SPDX-License-Identifier: BSD-3-Clause
#include "qmp/schema.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#define MAX_DEPTH 6

struct rp_qmp_schema {
	json_t *by_name; // name -> entry
};

int rp_qmp_schema_load(struct rp_qmp *c, struct rp_qmp_schema **schema, struct rp_qmp_error *err)
{
	json_t *ret;
	int rc = rp_qmp_exec(c, "query-qmp-schema", NULL, &ret, err);

	*schema = NULL;
	if (rc < 0)
		return rc;
	*schema = rp_qmp_schema_new(ret);
	json_decref(ret);
	if (*schema == NULL)
		return rp_qmp_error_set(err, RP_QMP_ARGUMENT, RP_QMP_PHASE_NONE, "query-qmp-schema",
					"out of memory");
	return 0;
}

static const char *text_of(const json_t *entry, const char *key)
{
	const char *text = json_string_value(json_object_get(entry, key));

	return text != NULL ? text : "";
}

struct rp_qmp_schema *rp_qmp_schema_new(const json_t *entries)
{
	struct rp_qmp_schema *schema = calloc(1, sizeof(*schema));
	json_t *entry;
	size_t i;

	if (schema == NULL)
		return NULL;
	schema->by_name = json_object();
	json_array_foreach(entries, i, entry)
		json_object_set(schema->by_name, text_of(entry, "name"), entry);
	if (schema->by_name == NULL) {
		free(schema);
		return NULL;
	}
	return schema;
}

void rp_qmp_schema_free(struct rp_qmp_schema *schema)
{
	if (schema == NULL)
		return;
	json_decref(schema->by_name);
	free(schema);
}

static void each_of(const struct rp_qmp_schema *schema, const char *meta, rp_qmp_schema_name_fn fn,
		    void *arg)
{
	const char *name;
	json_t *entry;

	json_object_foreach(schema->by_name, name, entry)
	{
		if (strcmp(text_of(entry, "meta-type"), meta) == 0)
			fn(name, arg);
	}
}

void rp_qmp_schema_commands(const struct rp_qmp_schema *schema, rp_qmp_schema_name_fn fn, void *arg)
{
	each_of(schema, "command", fn, arg);
}

void rp_qmp_schema_events(const struct rp_qmp_schema *schema, rp_qmp_schema_name_fn fn, void *arg)
{
	each_of(schema, "event", fn, arg);
}

// ---- Types ----

static const json_t *entry_of(const struct rp_qmp_schema *schema, const char *name)
{
	return json_object_get(schema->by_name, name);
}

static const char *type_name(const json_t *type)
{
	const char *meta = text_of(type, "meta-type");

	if (strcmp(meta, "builtin") == 0) {
		const char *name = text_of(type, "json-type");

		return strcmp(name, "value") == 0 ? "any" : name;
	}
	// An alternate takes a string or an object: only its writer knows.
	return strcmp(meta, "alternate") == 0 ? "any" : meta;
}

// depth: QEMU's variants hold a few more levels of variants; a hostile schema may hold itself.
static bool each_member(const struct rp_qmp_schema *schema, const json_t *type, unsigned depth,
			rp_qmp_schema_member_fn fn, void *arg)
{
	const json_t *members = json_object_get(type, "members");
	const json_t *variants = json_object_get(type, "variants");
	const json_t *item;
	size_t i;

	if (depth == MAX_DEPTH || strcmp(text_of(type, "meta-type"), "object") != 0)
		return false;
	json_array_foreach(members, i, item)
	{
		const struct rp_qmp_schema_member member = {
			.name = text_of(item, "name"),
			.type = type_name(entry_of(schema, text_of(item, "type"))),
			.optional = json_object_get(item, "default") != NULL,
		};

		fn(&member, arg);
	}
	json_array_foreach(variants, i, item)
		each_member(schema, entry_of(schema, text_of(item, "type")), depth + 1, fn, arg);
	return true;
}

// The type of one member of an object type, or of one of its variants.
static const json_t *member_type(const struct rp_qmp_schema *schema, const json_t *type,
				 const char *name, size_t len, unsigned depth)
{
	const json_t *members = json_object_get(type, "members");
	const json_t *variants = json_object_get(type, "variants");
	const json_t *item, *found = NULL;
	size_t i;

	if (depth == MAX_DEPTH)
		return NULL;
	json_array_foreach(members, i, item)
	{
		const char *there = text_of(item, "name");

		if (strlen(there) == len && memcmp(there, name, len) == 0)
			return entry_of(schema, text_of(item, "type"));
	}
	json_array_foreach(variants, i, item)
	{
		const json_t *variant = entry_of(schema, text_of(item, "type"));

		found = found != NULL ? found : member_type(schema, variant, name, len, depth + 1);
	}
	// An alternate (a name or an object): look into its object.
	members = strcmp(text_of(type, "meta-type"), "alternate") == 0 ? members : NULL;
	json_array_foreach(members, i, item)
	{
		const json_t *choice = entry_of(schema, text_of(item, "type"));

		found = found != NULL ? found : member_type(schema, choice, name, len, depth + 1);
	}
	return found;
}

// Follow "a.b" (or "a.b.", the prefix of its members) from the arguments of a command.
static const json_t *follow(const struct rp_qmp_schema *schema, const char *command,
			    const char *path)
{
	const json_t *entry = entry_of(schema, command);
	const json_t *type = NULL;

	if (strcmp(text_of(entry, "meta-type"), "command") == 0)
		type = entry_of(schema, text_of(entry, "arg-type"));
	while (type != NULL && *path != '\0') {
		size_t len = strcspn(path, ".");

		type = member_type(schema, type, path, len, 0);
		path += len + (path[len] == '.');
	}
	return type;
}

bool rp_qmp_schema_members(const struct rp_qmp_schema *schema, const char *command,
			   const char *prefix, rp_qmp_schema_member_fn fn, void *arg)
{
	const json_t *type = follow(schema, command, prefix);
	const json_t *item;
	bool found = false;
	size_t i;

	if (strcmp(text_of(type, "meta-type"), "alternate") != 0)
		return type != NULL && each_member(schema, type, 0, fn, arg);
	json_array_foreach(json_object_get(type, "members"), i, item)
	{
		found |= each_member(schema, entry_of(schema, text_of(item, "type")), 0, fn, arg);
	}
	return found;
}

const char *rp_qmp_schema_type(const struct rp_qmp_schema *schema, const char *command,
			       const char *path)
{
	const json_t *type = follow(schema, command, path);

	return type != NULL ? type_name(type) : NULL;
}

void rp_qmp_schema_values(const struct rp_qmp_schema *schema, const char *command, const char *path,
			  rp_qmp_schema_name_fn fn, void *arg)
{
	const json_t *type = follow(schema, command, path);
	const json_t *item;
	size_t i;

	if (type == NULL)
		return;
	if (strcmp(type_name(type), "boolean") == 0) {
		fn("true", arg);
		fn("false", arg);
	}
	json_array_foreach(json_object_get(type, "values"), i, item)
		fn(json_string_value(item), arg);
}

// ---- Arguments ----

static bool is_plain_string(const char *value)
{
	json_t *json = json_loads(value, JSON_DECODE_ANY, NULL);
	bool plain = json == NULL;

	json_decref(json);
	return plain;
}

static json_t *value_of(const char *type, const char *text)
{
	bool string = type != NULL && (strcmp(type, "string") == 0 || strcmp(type, "enum") == 0);
	json_t *json = string ? NULL : json_loads(text, JSON_DECODE_ANY, NULL);

	if (json == NULL && type != NULL && strcmp(type, "boolean") == 0 &&
	    (strcmp(text, "on") == 0 || strcmp(text, "off") == 0))
		return json_boolean(text[1] == 'n');
	return json != NULL ? json : json_string(text);
}

static int bad_word(struct rp_qmp_error *err, const char *word, const char *why)
{
	return rp_qmp_error_set(err, RP_QMP_ARGUMENT, RP_QMP_PHASE_NONE, word,
				"%s; expected key=value or one JSON object", why);
}

// Set "a.b.c" in args, making the objects on the way.
static int set_path(json_t *args, const char *path, size_t len, json_t *value, const char *word,
		    struct rp_qmp_error *err)
{
	const char *end = path + len;

	while (true) {
		const char *dot = memchr(path, '.', (size_t)(end - path));
		char key[128];
		size_t n = (size_t)((dot != NULL ? dot : end) - path);
		json_t *next;

		if (n == 0 || n >= sizeof(key))
			break;
		memcpy(key, path, n);
		key[n] = '\0';
		next = json_object_get(args, key);
		if (dot == NULL) {
			if (next != NULL)
				break;
			return json_object_set_new(args, key, value) == 0
				       ? 0
				       : bad_word(err, word, "the key is not UTF-8");
		}
		if (next == NULL) {
			next = json_object();
			json_object_set_new(args, key, next);
		}
		if (!json_is_object(next))
			break;
		args = next;
		path = dot + 1;
	}
	json_decref(value);
	return bad_word(err, word, "the key is empty, too long, or given twice");
}

static int add_word(const struct rp_qmp_schema *schema, const char *command, json_t *args,
		    const char *word, struct rp_qmp_error *err)
{
	const char *equals = strchr(word, '=');
	const char *type = NULL;
	char path[256];
	json_t *value;

	if (equals == NULL || equals == word)
		return bad_word(err, word, "is no argument");
	if (schema != NULL && (size_t)(equals - word) < sizeof(path)) {
		strlcpy(path, word, (size_t)(equals - word) + 1);
		type = rp_qmp_schema_type(schema, command, path);
	}
	value = value_of(type, equals + 1);
	if (value == NULL)
		return bad_word(err, word, "the value is not UTF-8");
	return set_path(args, word, (size_t)(equals - word), value, word, err);
}

int rp_qmp_arguments(const struct rp_qmp_schema *schema, const char *command, unsigned n,
		     const char *const *words, json_t **args, struct rp_qmp_error *err)
{
	json_error_t why;
	int rc = 0;

	*args = NULL;
	if (n == 0)
		return 0;
	if (words[0][0] == '{' && n > 1)
		return bad_word(err, words[1], "follows a JSON object");
	if (words[0][0] == '{') {
		*args = json_loads(words[0], 0, &why);
		if (*args != NULL)
			return 0;
		return rp_qmp_error_set(err, RP_QMP_ARGUMENT, RP_QMP_PHASE_NONE, words[0],
					"not JSON: %s at column %d", why.text, why.column);
	}
	*args = json_object();
	for (unsigned i = 0; i < n && rc == 0; i++)
		rc = add_word(schema, command, *args, words[i], err);
	if (rc < 0) {
		json_decref(*args);
		*args = NULL;
	}
	return rc;
}

bool rp_qmp_arguments_want_schema(unsigned n, const char *const *words)
{
	if (n > 0 && words[0][0] == '{')
		return false;
	for (unsigned i = 0; i < n; i++) {
		const char *equals = strchr(words[i], '=');

		if (equals != NULL && (!is_plain_string(equals + 1) || strcmp(equals, "=on") == 0 ||
				       strcmp(equals, "=off") == 0))
			return true;
	}
	return false;
}
