// SPDX-License-Identifier: BSD-3-Clause
#include "control/command.h"

#include <errno.h>
#include <string.h>

#include <bsd/string.h>

const struct rp_noun *const rp_nouns[] = {&rp_noun_network, &rp_noun_nic, NULL};

#define CANDIDATES_MAX 32

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
	const char *near = rp_words_nearest(word, c->word, c->n);
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

	for (size_t i = 0; i < noun->n_commands; i++) {
		if (word != NULL && strcmp(word, noun->commands[i].verb) == 0)
			return &noun->commands[i];
		candidate(&c, noun->commands[i].verb);
	}
	if (word == NULL) {
		refuse_word("needs a verb", noun->name, &c, err);
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

static int parse_name(struct rp_call *call, const struct rp_word *word, struct rp_error *err)
{
	if (word == NULL)
		return missing(call->command, "name", err);
	call->error_column = word->column;
	if (word->text[0] == '\0' || strlen(word->text) >= RP_NAME_MAX)
		return rp_error_set(err, EINVAL, "name", word->text, "expected 1 to %d characters",
				    RP_NAME_MAX - 1);
	call->name = word->text;
	call->name_column = word->column;
	return 0;
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

	call->error_column = call->words.word[0].column;
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

	snprintf(buf, len, "%s %s%s", command->noun, command->verb, command->named ? " NAME" : "");
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
