// SPDX-License-Identifier: BSD-3-Clause
#include "control/command.h"

#include <errno.h>
#include <string.h>

#include <bsd/string.h>

#include "fabric/fabric.h"

#define CANDIDATES_MAX 32
#define NEEDS_A_VERB   "needs a verb"

// The words that could have stood in a place of the line.
struct candidates {
	size_t n;
	const char *word[CANDIDATES_MAX];
};

static void candidate(struct candidates *c, const char *word)
{
	if (c->n < CANDIDATES_MAX)
		c->word[c->n++] = word;
}

static int refuse_word(const char *what, const char *word, const struct candidates *c,
		       struct rp_error *err)
{
	bool typed = strcmp(what, NEEDS_A_VERB) != 0;
	const char *near = typed ? rp_words_nearest(word, c->word, c->n) : NULL;
	char list[256] = "";

	for (size_t i = 0; i < c->n; i++) {
		strlcat(list, i == 0 ? "" : ", ", sizeof(list));
		strlcat(list, c->word[i], sizeof(list));
	}
	if (c->n == 0)
		return rp_error_set(err, EINVAL, NULL, word, "%s; nothing more is expected", what);
	if (near != NULL)
		return rp_error_set(err, EINVAL, NULL, word,
				    "%s; did you mean '%s'? expected one of: %s", what, near, list);
	return rp_error_set(err, EINVAL, NULL, word, "%s; expected one of: %s", what, list);
}

static int missing(const struct rp_command *command, const char *what, struct rp_error *err)
{
	char usage[320];

	return rp_error_set(err, EINVAL, what, NULL, "missing; expected: %s",
			    rp_command_usage(command, usage, sizeof(usage)));
}

static void method_unknown(const char *method, const char *const *names, size_t n,
			   struct rp_error *err)
{
	const char *near = rp_words_nearest(method, names, n);

	rp_error_set(err, ENOSYS, NULL, method, "is no method%s%s%s",
		     near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
		     near != NULL ? "'?" : "");
}

static const struct rp_noun *find_noun(const char *word, struct rp_error *err)
{
	struct candidates c = {0};

	for (size_t i = 0; rp_nouns[i] != NULL; i++) {
		if (strcmp(word, rp_nouns[i]->name) == 0)
			return rp_nouns[i];
		candidate(&c, rp_nouns[i]->name);
	}
	refuse_word("is no command", word, &c, err);
	return NULL;
}

// word NULL: the line ends behind the noun.
static const struct rp_command *find_verb(const struct rp_noun *noun, const char *word,
					  struct rp_error *err)
{
	struct candidates c = {0};
	char what[64];

	if (word == NULL && noun->bare != NULL)
		return noun->bare;
	for (size_t i = 0; i < noun->n_commands; i++) {
		if (noun->commands[i].verb[0] == '\0')
			continue;
		if (word != NULL && strcmp(word, noun->commands[i].verb) == 0)
			return &noun->commands[i];
		candidate(&c, noun->commands[i].verb);
	}
	if (word == NULL) {
		refuse_word(NEEDS_A_VERB, noun->name, &c, err);
	} else {
		snprintf(what, sizeof(what), "is no verb of '%s'", noun->name);
		refuse_word(what, word, &c, err);
	}
	return NULL;
}

static const struct rp_key *find_key(const struct rp_call *call, const char *word,
				     struct rp_error *err)
{
	const struct rp_command *command = call->command;
	struct candidates c = {0};
	char what[192];

	for (size_t i = 0; i < command->n_keys; i++) {
		const char *name = command->keys[i].name;

		if (strcmp(word, name) == 0)
			return &command->keys[i];
		candidate(&c, name);
	}
	snprintf(what, sizeof(what), "is no key of '%s %s'", command->noun, command->verb);
	for (size_t i = 0; i < c.n; i++) {
		if (call->name != NULL && strcmp(call->name, c.word[i]) == 0)
			snprintf(what, sizeof(what),
				 "is no key of '%s %s' ('%s' was taken for the name: is that "
				 "missing?)",
				 command->noun, command->verb, call->name);
	}
	refuse_word(what, word, &c, err);
	return NULL;
}

const struct rp_value *rp_call_value(const struct rp_call *call, int key_id)
{
	for (uint16_t i = call->n_values; i-- > 0;) {
		if (call->values[i].key->id == key_id)
			return &call->values[i];
	}
	return NULL;
}

static int set_name(struct rp_call *call, const char *name, struct rp_error *err)
{
	if (name[0] == '\0' || strlen(name) >= RP_NAME_MAX)
		return rp_error_set(err, EINVAL, "name", name, "expected 1 to %d characters",
				    RP_NAME_MAX - 1);
	call->name = name;
	return 0;
}

static int parse_name(struct rp_call *call, const struct rp_word *word, struct rp_error *err)
{
	if (word == NULL)
		return missing(call->command, "name", err);
	call->error_column = word->column;
	call->name_column = word->column;
	return set_name(call, word->text, err);
}

// One key and its value; value is NULL where the line ends behind the key.
static int parse_pair(struct rp_call *call, const struct rp_word *key_word,
		      const struct rp_word *value_word, struct rp_error *err)
{
	struct rp_value *value = &call->values[call->n_values];
	const struct rp_key *key;
	char usage[128];

	call->error_column = key_word->column;
	key = find_key(call, key_word->text, err);
	if (key == NULL)
		return -EINVAL;
	if (!key->repeat && rp_call_value(call, key->id) != NULL)
		return rp_error_set(err, EINVAL, key->name,
				    value_word != NULL ? value_word->text : NULL,
				    "given twice; expected it once");
	if (value_word == NULL)
		return rp_error_set(err, EINVAL, key->name, NULL,
				    "its value is missing; expected %s %s", key->name,
				    rp_value_usage(key, usage, sizeof(usage)));
	call->error_column = value_word->column;
	*value = (struct rp_value){.key = key, .column = value_word->column};
	call->n_values++;
	return rp_value_parse(value_word->text, value, err);
}

static int check_required(struct rp_call *call, struct rp_error *err)
{
	const struct rp_command *command = call->command;

	call->error_column = call->words.n > 0 ? call->words.word[0].column : 0;
	if (command->needs_key && call->n_values == 0)
		return missing(command, "key", err);
	for (size_t i = 0; i < command->n_keys; i++) {
		if (command->keys[i].required && rp_call_value(call, command->keys[i].id) == NULL)
			return missing(command, command->keys[i].name, err);
	}
	return 0;
}

int rp_command_parse(const char *line, struct rp_call *call, struct rp_error *err)
{
	const struct rp_words *words = &call->words;
	const struct rp_noun *noun;
	uint16_t next = 2;
	int rc;

	call->command = NULL;
	call->name = NULL;
	call->name_column = 0;
	call->n_values = 0;
	rc = rp_words_split(line, &call->words, &call->error_column, err);
	if (rc < 0 || words->n == 0)
		return rc;
	call->error_column = words->word[0].column;
	noun = find_noun(words->word[0].text, err);
	if (noun == NULL)
		return -EINVAL;
	if (words->n > 1)
		call->error_column = words->word[1].column;
	call->command = find_verb(noun, words->n > 1 ? words->word[1].text : NULL, err);
	if (call->command == NULL)
		return -EINVAL;
	if (call->command->named) {
		rc = parse_name(call, words->n > 2 ? &words->word[2] : NULL, err);
		next = 3;
	}
	for (; rc == 0 && next < words->n; next += 2)
		rc = parse_pair(call, &words->word[next],
				next + 1 < words->n ? &words->word[next + 1] : NULL, err);
	return rc == 0 ? check_required(call, err) : rc;
}

const char *rp_command_usage(const struct rp_command *command, char *buf, size_t len)
{
	char value[128];

	snprintf(buf, len, "%s%s%s%s", command->noun, command->verb[0] != '\0' ? " " : "",
		 command->verb, command->named ? " NAME" : "");
	for (size_t i = 0; i < command->n_keys; i++) {
		const struct rp_key *key = &command->keys[i];

		strlcat(buf, key->required ? " " : " [", len);
		strlcat(buf, key->name, len);
		strlcat(buf, " ", len);
		strlcat(buf, rp_value_usage(key, value, sizeof(value)), len);
		strlcat(buf, key->clearable ? "|none" : "", len);
		strlcat(buf, key->required ? "" : "]", len);
		strlcat(buf, key->repeat ? "..." : "", len);
	}
	return buf;
}

uint16_t rp_call_error_column(const struct rp_call *call, const struct rp_error *err)
{
	if (call->name != NULL && strcmp(err->field, "name") == 0)
		return call->name_column;
	for (uint16_t i = 0; i < call->n_values; i++) {
		const struct rp_value *value = &call->values[i];

		// Of a repeated key it is the one whose value is named.
		if (strcmp(err->field, value->key->name) == 0 &&
		    (!value->key->repeat ||
		     strncmp(err->value, value->text, sizeof(err->value)) == 0))
			return value->column;
	}
	return call->words.word[0].column;
}

const struct rp_command *rp_command_find(const char *method, struct rp_error *err)
{
	const char *names[RP_METHOD_COUNT];
	size_t n = 0;

	for (size_t i = 0; rp_nouns[i] != NULL; i++) {
		for (size_t j = 0; j < rp_nouns[i]->n_commands; j++) {
			const struct rp_command *command = &rp_nouns[i]->commands[j];

			if (strcmp(command->method, method) == 0)
				return command;
			names[n++] = command->method;
		}
	}
	method_unknown(method, names, n, err);
	return NULL;
}

static int wrong_type(const struct rp_key *key, const char *type, struct rp_error *err)
{
	return rp_error_set(err, EINVAL, key->name, NULL, "has the wrong type; expected %s%s", type,
			    key->repeat ? " or an array of them" : "");
}

// A JSON value as the text that stands for it in a line. Strings stay where they are.
static const char *json_word(const struct rp_key *key, const json_t *json, char buf[24],
			     struct rp_error *err)
{
	if (key->type == RP_VALUE_BOOL) {
		if (json_is_boolean(json))
			return json_is_true(json) ? "yes" : "no";
		wrong_type(key, "true or false", err);
		return NULL;
	}
	if (key->type == RP_VALUE_NUMBER) {
		if (json_is_integer(json)) {
			snprintf(buf, 24, "%" JSON_INTEGER_FORMAT, json_integer_value(json));
			return buf;
		}
		wrong_type(key, "an integer", err);
		return NULL;
	}
	if (json_is_string(json))
		return json_string_value(json);
	wrong_type(key, "a string", err);
	return NULL;
}

// Control characters have no place in a line, so what is told by JSON has none either.
static int check_text(const char *field, const char *text, struct rp_error *err)
{
	for (const char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return rp_error_set(err, EINVAL, field, NULL,
					    "byte 0x%02x is a control character; expected text",
					    (unsigned char)*c);
	return 0;
}

static int add_word(struct rp_call *call, const struct rp_key *key, const char *text,
		    struct rp_error *err)
{
	struct rp_value *value = &call->values[call->n_values];

	if (call->n_values == RP_CALL_VALUES_MAX)
		return rp_error_set(err, EINVAL, key->name, NULL, "more than %d values in one call",
				    RP_CALL_VALUES_MAX);
	if (check_text(key->name, text, err) < 0)
		return -EINVAL;
	*value = (struct rp_value){.key = key};
	call->n_values++;
	return rp_value_parse(text, value, err);
}

static int add_json(struct rp_call *call, const struct rp_key *key, const json_t *json,
		    struct rp_error *err)
{
	char buf[24];
	const char *text;

	text = json_word(key, json, buf, err);
	if (text == NULL)
		return -EINVAL;
	// The name of nothing: to ask for it in JSON there is null.
	if (key->clearable && strcmp(text, "none") == 0)
		return rp_error_set(err, EINVAL, key->name, text, "expected %s to clear it",
				    key->repeat ? "an empty array" : "null");
	if (text == buf) {
		// What the value points at must outlive this call.
		size_t used = call->words.n * sizeof(buf);

		if (used + sizeof(buf) > sizeof(call->words.text))
			return rp_error_set(err, EINVAL, key->name, NULL, "too many numbers");
		text = strcpy(call->words.text + used, buf);
		call->words.n++;
	}
	return add_word(call, key, text, err);
}

static int take_json(struct rp_call *call, const struct rp_key *key, const json_t *json,
		     struct rp_error *err)
{
	json_t *item;
	size_t i;
	int rc = 0;

	if (key->clearable && (json_is_null(json) ||
			       (key->repeat && json_is_array(json) && json_array_size(json) == 0)))
		return add_word(call, key, "none", err);
	if (!key->repeat || !json_is_array(json))
		return add_json(call, key, json, err);
	json_array_foreach(json, i, item)
	{
		rc = add_json(call, key, item, err);
		if (rc < 0)
			break;
	}
	return rc;
}

static int take_json_name(struct rp_call *call, const json_t *params, struct rp_error *err)
{
	const json_t *name = json_object_get(params, "name");

	if (name == NULL)
		return rp_error_set(err, EINVAL, "name", NULL, "missing; expected a name");
	if (!json_is_string(name))
		return rp_error_set(err, EINVAL, "name", NULL,
				    "has the wrong type; expected a string");
	if (check_text("name", json_string_value(name), err) < 0)
		return -EINVAL;
	return set_name(call, json_string_value(name), err);
}

int rp_call_from_json(const struct rp_command *command, const json_t *params, struct rp_call *call,
		      struct rp_error *err)
{
	const char *name;
	json_t *json;
	int rc;

	call->command = command;
	call->name = NULL;
	call->name_column = 0;
	call->error_column = 0;
	call->n_values = 0;
	call->words.n = 0;
	if (command->named) {
		rc = take_json_name(call, params, err);
		if (rc < 0)
			return rc;
	}
	json_object_foreach((json_t *)(uintptr_t)params, name, json)
	{
		const struct rp_key *key;

		if (command->named && strcmp(name, "name") == 0)
			continue;
		key = find_key(call, name, err);
		if (key == NULL)
			return -EINVAL;
		rc = take_json(call, key, json, err);
		if (rc < 0)
			return rc;
	}
	call->words.n = 0;
	return check_required(call, err);
}

static json_t *value_to_json(const struct rp_value *value)
{
	if (value->none)
		return json_null();
	if (value->key->type == RP_VALUE_BOOL)
		return json_boolean(value->yes);
	if (value->key->type == RP_VALUE_NUMBER)
		return json_integer(value->number);
	return json_string(value->text);
}

static int add_param(json_t *params, const struct rp_value *value)
{
	const char *name = value->key->name;
	json_t *array = json_object_get(params, name);

	if (!value->key->repeat)
		return json_object_set_new(params, name, value_to_json(value));
	if (array == NULL) {
		array = json_array();
		if (json_object_set_new(params, name, array) < 0)
			return -1;
	}
	return value->none ? 0 : json_array_append_new(array, value_to_json(value));
}

json_t *rp_call_to_json(const struct rp_call *call)
{
	json_t *params = json_object();
	int rc = params != NULL ? 0 : -1;

	if (rc == 0 && call->name != NULL)
		rc = json_object_set_new(params, "name", json_string(call->name));
	for (uint16_t i = 0; rc == 0 && i < call->n_values; i++)
		rc = add_param(params, &call->values[i]);
	if (rc == 0)
		return params;
	json_decref(params);
	return NULL;
}
