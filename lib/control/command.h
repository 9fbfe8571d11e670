/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The command grammar: NOUN VERB [NAME] [KEY VALUE]...
 *
 * One table says which nouns, verbs and keys there are and what values they take; the parser, the
 * usage texts and the suggestions in errors come from it. The same words are spoken by the init
 * file, the console, ringctl and the control socket. Keys come in any order; one that takes several
 * values is repeated: "dns 1.1.1.1 dns 9.9.9.9".
 *
 * Nothing here is thread-safe: main lcore only. Errors fill *err (which may be NULL) and name the
 * word as its value; those of a file have its place in err->where.
 */

#include <stdio.h>

#include <jansson.h>

#include "control/value.h"
#include "control/words.h"
#include "fabric/fabric.h"

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

// Do what the call says. *result is set to a new reference, or left NULL where there is none.
typedef int (*rp_command_fn)(struct rp_fabric *fabric, const struct rp_call *call, json_t **result,
			     struct rp_error *err);

struct rp_command {
	const char *noun;
	const char *verb;
	bool named;	// NAME follows
	bool needs_key; // without any key there is nothing to do
	size_t n_keys;
	const struct rp_key *keys;
	const char *const *columns; // of a result that is a list, shown as a table; ends with NULL
	rp_command_fn run;
	const char *help;
};

// A file of this folder a noun.
struct rp_noun {
	const char *name;
	size_t n_commands;
	const struct rp_command *commands;
};

extern const struct rp_noun rp_noun_network;
extern const struct rp_noun rp_noun_nic;

extern const struct rp_noun *const rp_nouns[]; // ends with NULL

// Parse one line; an empty one or a mere comment has no command. 0 or -EINVAL.
int rp_command_parse(const char *line, struct rp_call *call, struct rp_error *err);

// "network create NAME [ipv4 SUBNET] [dns ADDRESS]..." in buf; returns buf.
const char *rp_command_usage(const struct rp_command *command, char *buf, size_t len);

// The last value given for a key, NULL if none.
const struct rp_value *rp_call_value(const struct rp_call *call, int key_id);
