/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

// A word of a command, or a string of a JSON document, as the value that a key of the grammar has.

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "packet/addr.h"

enum rp_value_type {
	RP_VALUE_NAME,	  // of a network or NIC, or its UUID
	RP_VALUE_TEXT,	  // anything of at most max bytes
	RP_VALUE_SUBNET4, // a prefix with its host bits zero, one family or either
	RP_VALUE_SUBNET6,
	RP_VALUE_PREFIX,
	RP_VALUE_ADDR4, // an address, one family or either
	RP_VALUE_ADDR6,
	RP_VALUE_ADDR,
	RP_VALUE_MAC,
	RP_VALUE_NUMBER, // min..max
	RP_VALUE_BOOL,	 // yes or no
	RP_VALUE_CHOICE, // one of choices
};

struct rp_key {
	const char *name;
	int id; // the command's own, for its handler's switch
	enum rp_value_type type;
	bool required;
	bool repeat;	// takes several values, one at a time
	bool clearable; // "none" empties it
	uint32_t min;
	uint32_t max;
	const char *const *choices; // ends with NULL
	const char *names;	    // of what the value is the name: "network", "nic"; or NULL
	const char *help;
};

struct rp_value {
	const struct rp_key *key;
	const char *text;
	uint16_t column; // in the line of its command
	bool none;	 // "none" was given, nothing below is set
	union {
		struct rp_prefix prefix;
		struct rp_addr addr;
		struct rte_ether_addr mac;
		uint32_t number;
		bool yes;
		uint32_t choice; // index into key->choices
	};
};

// Fill *value from value->key and text; 0, or -EINVAL with *err.
int rp_value_parse(const char *text, struct rp_value *value, struct rp_error *err);

// What the key takes, for usage lines and completion: "SUBNET", "yes|no", "1280..9000".
const char *rp_value_usage(const struct rp_key *key, char *buf, size_t len);
