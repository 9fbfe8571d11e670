/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The command grammar: NOUN [VERB] [NAME] [KEY VALUE]...
 *
 * One file, schema.json, says which nouns, verbs and keys there are and what values they take; the
 * tables here, the parameters of the methods, ringctl's completion, the reference in doc/control.md
 * and the man page come from it (generate.py). The same words are spoken by the init
 * file, the console, ringctl and the control socket. Keys come in any order; one that takes several
 * values is repeated: "dns 1.1.1.1 dns 9.9.9.9".
 *
 * Nothing here is thread-safe: main lcore only. Errors fill *err (which may be NULL) and name the
 * word as its value; those of a file have its place in err->where.
 */

#include <stdio.h>

#include <jansson.h>

#include "control/grammar.h"
#include "control/value.h"
#include "control/words.h"

#define RP_CALL_VALUES_MAX (RP_WORDS_MAX / 2)

struct rp_call {
	const struct rp_command *command; // NULL: an empty line
	const char *name;		  // NULL where the command takes none
	uint16_t name_column;
	uint16_t error_column; // where a failed parse stopped
	uint16_t n_values;
	struct rp_value values[RP_CALL_VALUES_MAX]; // in the order given
	struct rp_words words;			    // owns the texts
};

struct rp_command {
	const char *noun;
	const char *verb;   // empty: the noun alone is the command
	const char *method; // "network.create"
	enum rp_method id;
	bool named;	// NAME follows
	bool needs_key; // without any key there is nothing to do
	bool changes;	// something, so that it is worth a line in the log
	size_t n_keys;
	const struct rp_key *keys;
	const char *const *columns; // of a result that is a list, shown as a table; ends with NULL
	const char *help;
};

struct rp_noun {
	const char *name;
	size_t n_commands;
	const struct rp_command *commands;
	const struct rp_command *bare; // what the noun alone means, NULL: it needs a verb
};

extern const struct rp_noun *const rp_nouns[]; // ends with NULL

// Parse one line; an empty one or a mere comment has no command. 0 or -EINVAL.
int rp_command_parse(const char *line, struct rp_call *call, struct rp_error *err);

// "network create NAME [ipv4 SUBNET] [dns ADDRESS]..." in buf; returns buf.
const char *rp_command_usage(const struct rp_command *command, char *buf, size_t len);

// The last value given for a key, NULL if none.
const struct rp_value *rp_call_value(const struct rp_call *call, int key_id);

/*
 * Calls as JSON: the parameters of a method. A number is an integer, yes and no are a boolean, keys
 * that may be repeated an array, "none" is null (an empty array where it may be repeated), all else
 * is a string.
 */

// The command of this method; NULL with *err.
const struct rp_command *rp_command_find(const char *method, struct rp_error *err);

// Fill *call, which points into params (an object, or NULL). Checks what parsing a line does.
int rp_call_from_json(const struct rp_command *command, const json_t *params, struct rp_call *call,
		      struct rp_error *err);

// A new reference; NULL: no memory.
json_t *rp_call_to_json(const struct rp_call *call);

// The column of the word that an error is about, else that of the command itself.
uint16_t rp_call_error_column(const struct rp_call *call, const struct rp_error *err);

/*
 * Words that may follow those of a line that is being typed (whose last word, maybe empty, is not
 * finished), one call of add each. kind, where not NULL, says that names of "network" or "nic" may
 * follow as well.
 */
void rp_command_complete(const struct rp_words *words, void (*add)(void *arg, const char *word),
			 void *arg, const char **kind);
