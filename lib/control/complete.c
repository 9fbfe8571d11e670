// SPDX-License-Identifier: BSD-3-Clause
#include <string.h>

#include "control/command.h"

struct completion {
	const char *start; // of the word that is being typed
	void (*add)(void *arg, const char *word);
	void *arg;
};

static void offer(const struct completion *c, const char *word)
{
	if (word[0] != '\0' && strncmp(word, c->start, strlen(c->start)) == 0)
		c->add(c->arg, word);
}

static void offer_value(const struct completion *c, const struct rp_key *key, const char **kind)
{
	for (size_t i = 0; key->choices != NULL && key->choices[i] != NULL; i++)
		offer(c, key->choices[i]);
	if (key->type == RP_VALUE_BOOL) {
		offer(c, "yes");
		offer(c, "no");
	}
	if (key->clearable)
		offer(c, "none");
	*kind = key->names;
}

static const struct rp_key *key_of(const struct rp_command *command, const char *name)
{
	for (size_t i = 0; i < command->n_keys; i++)
		if (strcmp(command->keys[i].name, name) == 0)
			return &command->keys[i];
	return NULL;
}

static bool given(const struct rp_words *words, uint16_t first, const char *name)
{
	for (uint16_t i = first; i + 1 < words->n; i += 2)
		if (strcmp(words->word[i].text, name) == 0)
			return true;
	return false;
}

static void offer_argument(const struct completion *c, const struct rp_command *command,
			   const struct rp_words *words, uint16_t first, const char **kind)
{
	const struct rp_key *key;
	uint16_t last = words->n - 1;

	if (command->named && last == first) {
		if (strcmp(command->verb, "create") != 0)
			*kind = command->noun;
		return;
	}
	first += command->named;
	if ((last - first) % 2 == 1) {
		key = key_of(command, words->word[last - 1].text);
		if (key != NULL)
			offer_value(c, key, kind);
		return;
	}
	for (size_t i = 0; i < command->n_keys; i++) {
		key = &command->keys[i];
		if (key->repeat || !given(words, first, key->name))
			offer(c, key->name);
	}
}

void rp_command_complete(const struct rp_words *words, void (*add)(void *arg, const char *word),
			 void *arg, const char **kind)
{
	struct completion c = {.add = add, .arg = arg};

	*kind = NULL;
	if (words->n == 0)
		return;
	c.start = words->word[words->n - 1].text;
	for (size_t i = 0; rp_nouns[i] != NULL; i++) {
		const struct rp_noun *noun = rp_nouns[i];

		if (words->n == 1) {
			offer(&c, noun->name);
			continue;
		}
		if (strcmp(words->word[0].text, noun->name) != 0)
			continue;
		for (size_t j = 0; j < noun->n_commands; j++) {
			if (words->n == 2)
				offer(&c, noun->commands[j].verb);
			else if (strcmp(words->word[1].text, noun->commands[j].verb) == 0)
				offer_argument(&c, &noun->commands[j], words, 2, kind);
		}
	}
}
