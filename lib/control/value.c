// SPDX-License-Identifier: BSD-3-Clause
#include "control/value.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "control/words.h"

// clang-format off
static const struct {
	const char *usage;
	const char *expected;
} types[] = {
	[RP_VALUE_NAME]    = {"NAME", "a name of 1 to 63 characters of A-Z a-z 0-9 . _ -"},
	[RP_VALUE_TEXT]    = {"TEXT", "a text"},
	[RP_VALUE_SUBNET4] = {"SUBNET", "an IPv4 subnet such as 10.0.0.0/24"},
	[RP_VALUE_SUBNET6] = {"PREFIX", "an IPv6 prefix such as fd00::/64"},
	[RP_VALUE_PREFIX]  = {"PREFIX", "a prefix such as 10.9.0.0/24 or fd00:9::/64"},
	[RP_VALUE_ADDR4]   = {"ADDRESS", "an IPv4 address such as 10.0.0.5"},
	[RP_VALUE_ADDR6]   = {"ADDRESS", "an IPv6 address such as fd00::5"},
	[RP_VALUE_ADDR]    = {"ADDRESS", "an address such as 10.0.0.5 or fd00::5"},
	[RP_VALUE_MAC]     = {"MAC", "six bytes such as 52:54:00:12:34:01"},
	[RP_VALUE_NUMBER]  = {"NUMBER", "a number"},
	[RP_VALUE_BOOL]    = {"yes|no", "yes or no"},
	[RP_VALUE_CHOICE]  = {NULL, NULL},
};
// clang-format on

static int refuse(const char *text, const struct rp_key *key, const char *what,
		  struct rp_error *err)
{
	return rp_error_set(err, EINVAL, key->name, text, "%s; expected %s", what,
			    types[key->type].expected);
}

static int check_family(const char *text, const struct rp_value *value, uint8_t family,
			struct rp_error *err)
{
	enum rp_value_type type = value->key->type;
	uint8_t wanted = RP_NONE;

	if (type == RP_VALUE_SUBNET4 || type == RP_VALUE_ADDR4)
		wanted = RP_IP4;
	else if (type == RP_VALUE_SUBNET6 || type == RP_VALUE_ADDR6)
		wanted = RP_IP6;
	if (wanted == RP_NONE || wanted == family)
		return 0;
	return refuse(text, value->key, family == RP_IP4 ? "is IPv4" : "is IPv6", err);
}

// The text has host bits: say which prefix was probably meant.
static int refuse_host_bits(const char *text, const struct rp_key *key, struct rp_error *err)
{
	const char *slash = strchr(text, '/');
	char buf[RP_ADDR_STR];
	struct rp_prefix p;

	strlcpy(buf, text, (size_t)(slash - text) + 1);
	if (rp_addr_parse(buf, &p.addr) < 0)
		return refuse(text, key, "host bits are set", err);
	p.len = (uint8_t)atoi(slash + 1);
	p.addr = rp_addr_mask(&p.addr, p.len);
	return rp_error_set(err, EINVAL, key->name, text,
			    "host bits are set; expected the prefix itself: %s",
			    rp_prefix_format(&p, buf));
}

static int parse_prefix(const char *text, struct rp_value *value, struct rp_error *err)
{
	struct rp_addr addr;
	int rc = rp_prefix_parse(text, &value->prefix);

	if (rc == -ERANGE)
		return refuse_host_bits(text, value->key, err);
	if (rc < 0 && rp_addr_parse(text, &addr) == 0)
		return refuse(text, value->key, "the prefix length is missing", err);
	if (rc < 0)
		return refuse(text, value->key, "is no prefix", err);
	return check_family(text, value, value->prefix.addr.family, err);
}

static int parse_addr(const char *text, struct rp_value *value, struct rp_error *err)
{
	if (rp_addr_parse(text, &value->addr) < 0)
		return refuse(text, value->key,
			      strchr(text, '/') != NULL ? "a prefix length does not belong here"
							: "is no address",
			      err);
	return check_family(text, value, value->addr.family, err);
}

static int parse_mac(const char *text, struct rp_value *value, struct rp_error *err)
{
	if (rp_mac_parse(text, &value->mac) < 0)
		return refuse(text, value->key, "is no MAC address", err);
	// In the model zero means "generate one", which nobody asks for by typing zeros.
	if (rte_is_zero_ether_addr(&value->mac))
		return refuse(text, value->key, "is all zero", err);
	return 0;
}

static int parse_number(const char *text, struct rp_value *value, struct rp_error *err)
{
	const struct rp_key *key = value->key;
	size_t n = strspn(text, "0123456789");
	unsigned long v = strtoul(text, NULL, 10);

	// Ten digits may pass 32 bits, never 64.
	if (n == 0 || n > 10 || text[n] != '\0' || v < key->min || v > key->max)
		return rp_error_set(err, EINVAL, key->name, text, "%s; expected %u to %u",
				    n > 0 && text[n] == '\0' ? "out of range" : "is no number",
				    key->min, key->max);
	value->number = (uint32_t)v;
	return 0;
}

static int parse_bool(const char *text, struct rp_value *value, struct rp_error *err)
{
	value->yes = strcmp(text, "yes") == 0;
	if (!value->yes && strcmp(text, "no") != 0)
		return refuse(text, value->key, "is neither", err);
	return 0;
}

static int parse_choice(const char *text, struct rp_value *value, struct rp_error *err)
{
	const struct rp_key *key = value->key;
	const char *near;
	char usage[128];
	uint32_t n = 0;

	for (; key->choices[n] != NULL; n++) {
		if (strcmp(text, key->choices[n]) == 0) {
			value->choice = n;
			return 0;
		}
	}
	near = rp_words_nearest(text, key->choices, n);
	return rp_error_set(err, EINVAL, key->name, text, "%s%s%sexpected %s",
			    near != NULL ? "did you mean '" : "", near != NULL ? near : "",
			    near != NULL ? "'? " : "", rp_value_usage(key, usage, sizeof(usage)));
}

static int parse_text(const char *text, const struct rp_key *key, struct rp_error *err)
{
	if (text[0] == '\0')
		return refuse(text, key, "is empty", err);
	if (strlen(text) > key->max)
		return rp_error_set(err, EINVAL, key->name, text, "longer than %u bytes", key->max);
	return 0;
}

int rp_value_parse(const char *text, struct rp_value *value, struct rp_error *err)
{
	const struct rp_key *key = value->key;

	value->text = text;
	value->none = key->clearable && strcmp(text, "none") == 0;
	if (value->none)
		return 0;
	switch (key->type) {
	case RP_VALUE_NAME:
	case RP_VALUE_TEXT:
		return parse_text(text, key, err);
	case RP_VALUE_SUBNET4:
	case RP_VALUE_SUBNET6:
	case RP_VALUE_PREFIX:
		return parse_prefix(text, value, err);
	case RP_VALUE_ADDR4:
	case RP_VALUE_ADDR6:
	case RP_VALUE_ADDR:
		return parse_addr(text, value, err);
	case RP_VALUE_MAC:
		return parse_mac(text, value, err);
	case RP_VALUE_NUMBER:
		return parse_number(text, value, err);
	case RP_VALUE_BOOL:
		return parse_bool(text, value, err);
	case RP_VALUE_CHOICE:
		return parse_choice(text, value, err);
	}
	return -EINVAL;
}

const char *rp_value_usage(const struct rp_key *key, char *buf, size_t len)
{
	if (key->type == RP_VALUE_NUMBER) {
		snprintf(buf, len, "%u..%u", key->min, key->max);
		return buf;
	}
	if (key->type != RP_VALUE_CHOICE) {
		strlcpy(buf, types[key->type].usage, len);
		return buf;
	}
	buf[0] = '\0';
	for (size_t i = 0; key->choices[i] != NULL; i++) {
		strlcat(buf, i > 0 ? "|" : "", len);
		strlcat(buf, key->choices[i], len);
	}
	return buf;
}
