// SPDX-License-Identifier: BSD-3-Clause
#include "control/command.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct rp_call call;
static struct rp_error err;

static void parse(const char *line)
{
	char text[600];

	if (rp_command_parse(line, &call, &err) != 0)
		fail_msg("%s: %s", line, rp_error_text(&err, text, sizeof(text)));
}

static void assert_refused(const char *line, uint16_t column, const char *text)
{
	char have[600];

	assert_int_equal(rp_command_parse(line, &call, &err), -EINVAL);
	assert_string_equal(rp_error_text(&err, have, sizeof(have)), text);
	assert_int_equal(call.error_column, column);
}

static void command_name_and_values(void **)
{
	parse("nic create vm1 network prod queues 2");
	assert_string_equal(call.command->noun, "nic");
	assert_string_equal(call.command->verb, "create");
	assert_string_equal(call.name, "vm1");
	assert_int_equal(call.name_column, 12);
	assert_int_equal(call.n_values, 2);
	assert_string_equal(call.values[0].key->name, "network");
	assert_string_equal(call.values[0].text, "prod");
	assert_int_equal(call.values[0].column, 24);
	assert_int_equal(call.values[1].number, 2);
}

static void keys_come_in_any_order_and_repeat(void **)
{
	parse("network create prod dns 9.9.9.9 ipv4 10.0.0.0/24 dns 2620:fe::fe");
	assert_int_equal(call.n_values, 3);
	assert_string_equal(call.values[0].key->name, "dns");
	assert_string_equal(call.values[2].key->name, "dns");
	assert_int_equal(call.values[2].addr.family, RP_IP6);
	assert_ptr_equal(rp_call_value(&call, call.values[0].key->id), &call.values[2]);
	assert_null(rp_call_value(&call, 1000));
}

static void empty_line_is_no_command(void **)
{
	parse("nic list");
	parse("  # nic list");
	assert_null(call.command);
}

#define NOUNS "network, nic, stats, drops, pipeline, events, state, version, shutdown"

static void noun_alone_may_be_a_command(void **)
{
	parse("stats");
	assert_string_equal(call.command->method, "stats.get");
	parse("shutdown");
	assert_string_equal(call.command->method, "shutdown");
	assert_refused("state", 1, "'state': needs a verb; expected one of: save, load");
}

static void unknown_words_are_named_with_the_nearest(void **)
{
	assert_refused("netwrk create prod", 1,
		       "'netwrk': is no command; did you mean 'network'? expected one of: " NOUNS);
	assert_refused("help", 1, "'help': is no command; expected one of: " NOUNS);
	assert_refused("shutdown now", 10,
		       "'now': is no verb of 'shutdown'; nothing more is expected");
	assert_refused("nic creat vm1", 5,
		       "'creat': is no verb of 'nic'; did you mean 'create'? expected one of: "
		       "create, update, delete, list, get");
	assert_refused(" nic", 2,
		       "'nic': needs a verb; expected one of: create, update, delete, list, get");
	assert_refused(
		"nic update vm1 add-prefx 10.0.0.0/24", 16,
		"'add-prefx': is no key of 'nic update'; did you mean 'add-prefix'? expected "
		"one of: add-prefix, remove-prefix");
	assert_refused("nic delete vm1 now", 16,
		       "'now': is no key of 'nic delete'; nothing more is expected");
}

static void missing_words_are_named(void **)
{
	assert_refused("nic delete", 5, "name: missing; expected: nic delete NAME");
	assert_refused("nic create vm1", 1,
		       "network: missing; expected: nic create NAME network NAME [mac MAC] [ipv4 "
		       "ADDRESS] [ipv6 ADDRESS] [prefix PREFIX]... [queues 1..16] [mode "
		       "server|client] [socket TEXT]");
	assert_refused("nic create vm1 network", 16,
		       "network: its value is missing; expected network NAME");
	assert_refused("nic update vm1", 1,
		       "key: missing; expected: nic update NAME [add-prefix PREFIX]... "
		       "[remove-prefix PREFIX]...");
}

static void forgotten_name_is_guessed(void **)
{
	assert_refused("network delete force yes", 22,
		       "'yes': is no key of 'network delete' ('force' was taken for the name: is "
		       "that missing?); expected one of: force");
}

static void value_is_named_with_its_key(void **)
{
	assert_refused("network create prod ipv4 10.0.0.1/24", 26,
		       "ipv4 '10.0.0.1/24': host bits are set; expected the prefix itself: "
		       "10.0.0.0/24");
	assert_refused("network create prod mtu 70", 25,
		       "mtu '70': out of range; expected 1280 to 9000");
}

static void single_keys_do_not_repeat(void **)
{
	assert_refused("network create prod mtu 1500 mtu 1400", 30,
		       "mtu '1400': given twice; expected it once");
}

static void name_length_is_limited(void **)
{
	char line[100] = "nic delete ";

	memset(line + 11, 'n', 64);
	assert_int_equal(rp_command_parse(line, &call, &err), -EINVAL);
	assert_string_equal(err.field, "name");
	assert_int_equal(call.error_column, 12);
	line[11 + 63] = '\0';
	parse(line);
	assert_refused("nic delete ''", 12, "name: expected 1 to 63 characters");
}

static void number_of_values_is_bounded_by_the_words(void **)
{
	char line[RP_LINE_MAX] = "nic update vm1";

	for (int i = 0; i < 126; i++)
		strcat(line, " add-prefix 10.0.0.0/8");
	parse(line);
	assert_int_equal(call.n_values, 126);
	strcat(line, " add-prefix 10.0.0.0/8");
	assert_int_equal(rp_command_parse(line, &call, &err), -EINVAL);
}

static void table_is_complete(void **)
{
	char usage[320];

	for (size_t n = 0; rp_nouns[n] != NULL; n++) {
		const struct rp_noun *noun = rp_nouns[n];

		for (size_t c = 0; c < noun->n_commands; c++) {
			const struct rp_command *command = &noun->commands[c];

			assert_string_equal(command->noun, noun->name);
			assert_non_null(command->method);
			assert_non_null(command->help);
			if (strcmp(command->verb, "list") == 0)
				assert_non_null(command->columns);
			// What an error can show in full.
			rp_command_usage(command, usage, sizeof(usage));
			assert_true(strlen(usage) < 290);
			for (size_t k = 0; k < command->n_keys; k++)
				assert_non_null(command->keys[k].help);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(command_name_and_values),
		cmocka_unit_test(keys_come_in_any_order_and_repeat),
		cmocka_unit_test(empty_line_is_no_command),
		cmocka_unit_test(noun_alone_may_be_a_command),
		cmocka_unit_test(unknown_words_are_named_with_the_nearest),
		cmocka_unit_test(missing_words_are_named),
		cmocka_unit_test(forgotten_name_is_guessed),
		cmocka_unit_test(value_is_named_with_its_key),
		cmocka_unit_test(single_keys_do_not_repeat),
		cmocka_unit_test(name_length_is_limited),
		cmocka_unit_test(number_of_values_is_bounded_by_the_words),
		cmocka_unit_test(table_is_complete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
