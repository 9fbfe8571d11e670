// SPDX-License-Identifier: BSD-3-Clause
#include "util.h"

#include <stdlib.h>

#include "qmp/schema.h"

// A piece of a real schema, with the parts of every kind.
static const char schema_text[] =
	"[{'name':'add','meta-type':'command','arg-type':'1','ret-type':'0'},"
	"{'name':'stop','meta-type':'command','arg-type':'0','ret-type':'0'},"
	"{'name':'STOP','meta-type':'event','arg-type':'0'},"
	"{'name':'0','meta-type':'object','members':[]},"
	"{'name':'1','meta-type':'object','members':[{'name':'id','type':'str'},"
	"{'name':'size','type':'int','default':null},{'name':'on','type':'bool','default':null},"
	"{'name':'driver','type':'2'},{'name':'any','type':'any','default':null}],"
	"'tag':'driver','variants':[{'case':'file','type':'3'},{'case':'raw','type':'4'}]},"
	"{'name':'2','meta-type':'enum','values':['file','raw']},"
	"{'name':'3','meta-type':'object','members':[{'name':'filename','type':'str'}]},"
	"{'name':'4','meta-type':'object','members':[{'name':'file','type':'5'}]},"
	"{'name':'5','meta-type':'alternate','members':[{'type':'1'},{'type':'str'}]},"
	"{'name':'str','meta-type':'builtin','json-type':'string'},"
	"{'name':'int','meta-type':'builtin','json-type':'int'},"
	"{'name':'any','meta-type':'builtin','json-type':'value'},"
	"{'name':'bool','meta-type':'builtin','json-type':'boolean'}]";

static struct rp_qmp_schema *load(void)
{
	char text[sizeof(schema_text)];
	struct rp_qmp_schema *schema;
	json_t *json;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = schema_text[i] == '\'' ? '"' : schema_text[i];
	json = json_loads(text, 0, NULL);
	assert_non_null(json);
	schema = rp_qmp_schema_new(json);
	json_decref(json);
	return schema;
}

static void collect(const char *name, void *arg)
{
	strcat(arg, name);
	strcat(arg, " ");
}

static void collect_member(const struct rp_qmp_schema_member *member, void *arg)
{
	sprintf((char *)arg + strlen(arg), "%s:%s%s ", member->name, member->type,
		member->optional ? "?" : "");
}

static void names_of_commands_and_events(void **)
{
	struct rp_qmp_schema *schema = load();
	char commands[64] = "", events[64] = "";

	rp_qmp_schema_commands(schema, collect, commands);
	rp_qmp_schema_events(schema, collect, events);
	assert_string_equal(commands, "add stop ");
	assert_string_equal(events, "STOP ");
	rp_qmp_schema_free(schema);
}

static void members_with_variants_and_nesting(void **)
{
	struct rp_qmp_schema *schema = load();
	char own[256] = "", nested[256] = "";

	assert_true(rp_qmp_schema_members(schema, "add", "", collect_member, own));
	assert_string_equal(own, "id:string size:int? on:boolean? driver:enum any:any? "
				 "filename:string file:any ");
	assert_true(rp_qmp_schema_members(schema, "add", "file.", collect_member, nested));
	assert_string_equal(nested, own);
	assert_false(rp_qmp_schema_members(schema, "add", "nosuch.", collect_member, own));
	assert_false(rp_qmp_schema_members(schema, "nosuch", "", collect_member, own));
	assert_string_equal(rp_qmp_schema_type(schema, "add", "file.file.size"), "int");
	assert_null(rp_qmp_schema_type(schema, "add", "file.nosuch"));
	assert_null(rp_qmp_schema_type(schema, "STOP", "x"));
	rp_qmp_schema_free(schema);
}

static void values_of_enum_and_boolean(void **)
{
	struct rp_qmp_schema *schema = load();
	char values[64] = "";

	rp_qmp_schema_values(schema, "add", "driver", collect, values);
	rp_qmp_schema_values(schema, "add", "on", collect, values);
	rp_qmp_schema_values(schema, "add", "id", collect, values);
	rp_qmp_schema_values(schema, "add", "nosuch", collect, values);
	assert_string_equal(values, "file raw true false ");
	rp_qmp_schema_free(schema);
}

static void endless_schema_is_no_endless_loop(void **)
{
	json_t *json = json_loads("[{\"name\":\"c\",\"meta-type\":\"command\",\"arg-type\":\"a\"},"
				  "{\"name\":\"a\",\"meta-type\":\"object\",\"members\":[],"
				  "\"variants\":[{\"case\":\"x\",\"type\":\"a\"}]}]",
				  0, NULL);
	struct rp_qmp_schema *schema = rp_qmp_schema_new(json);
	char own[16] = "";

	json_decref(json);
	assert_true(rp_qmp_schema_members(schema, "c", "", collect_member, own));
	assert_null(rp_qmp_schema_type(schema, "c", "x"));
	rp_qmp_schema_free(schema);
}

static void check_args(const struct rp_qmp_schema *schema, unsigned n, const char *const *words,
		       const char *expected)
{
	struct rp_qmp_error err;
	json_t *args;
	char *text;

	if (rp_qmp_arguments(schema, "add", n, words, &args, &err) != 0)
		fail_msg("%s: %s", err.subject, err.desc);
	text = args != NULL ? json_dumps(args, JSON_COMPACT) : NULL;
	assert_string_equal(text != NULL ? text : "none", expected);
	free(text);
	json_decref(args);
}

static void arguments_by_schema(void **)
{
	struct rp_qmp_schema *schema = load();
	const char *const words[] = {"id=5",	    "size=5",	 "on=on",
				     "driver=true", "file.id=7", "any=[1]"};

	check_args(schema, 6, words,
		   "{\"id\":\"5\",\"size\":5,\"on\":true,\"driver\":\"true\","
		   "\"file\":{\"id\":\"7\"},\"any\":[1]}");
	check_args(schema, 0, NULL, "none");
	rp_qmp_schema_free(schema);
}

static void arguments_by_looks(void **)
{
	const char *const words[] = {"a=5",	    "b=true", "c=x y", "d=\"5\"",
				     "e={\"f\":1}", "g=",     "h=a=b"};
	const char *const json[] = {"{\"a\": 1}"};

	check_args(NULL, 7, words,
		   "{\"a\":5,\"b\":true,\"c\":\"x y\",\"d\":\"5\",\"e\":{\"f\":1},\"g\":\"\","
		   "\"h\":\"a=b\"}");
	check_args(NULL, 1, json, "{\"a\":1}");
	assert_true(rp_qmp_arguments_want_schema(7, words));
	assert_false(rp_qmp_arguments_want_schema(1, json));
	assert_false(rp_qmp_arguments_want_schema(1, &words[2]));
}

static void wrong_arguments_are_named(void **)
{
	const char *const bad[][2] = {
		{"a", "a"},	{"=5", "=5"},	    {"a=1", "a=2"}, {"a=1", "a.b=2"},
		{"a..b=1", ""}, {"{\"a\":}", NULL}, {"{}", "a=1"},  {"a=\xff", NULL},
	};

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct rp_qmp_error err = {0};
		json_t *args;

		assert_int_equal(rp_qmp_arguments(NULL, "add", bad[i][1] != NULL ? 2 : 1, bad[i],
						  &args, &err),
				 -EINVAL);
		assert_kind(&err, RP_QMP_ARGUMENT);
		assert_null(args);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_commands_and_events),
		cmocka_unit_test(members_with_variants_and_nesting),
		cmocka_unit_test(values_of_enum_and_boolean),
		cmocka_unit_test(endless_schema_is_no_endless_loop),
		cmocka_unit_test(arguments_by_schema),
		cmocka_unit_test(arguments_by_looks),
		cmocka_unit_test(wrong_arguments_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
