// SPDX-License-Identifier: BSD-3-Clause
#include "check.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static struct rule *rules;

// The order in which a connection lives.
static const char families[][3] = {"HS", "FT", "PF", "RA", "MT", "AR", "VR", "KC", "IF",
				   "LG", "CF", "ST", "RS", "BR", "MQ", "DP", "RC", "ML"};

static unsigned int place(const struct rule *r)
{
	unsigned int family = 0;

	while (family < sizeof(families) / sizeof(families[0]) &&
	       strncmp(families[family], r->id, 2) != 0)
		family++;
	return (r->risky ? 100000u : 0) + family * 1000 +
	       (unsigned int)strtoul(r->id + 2, NULL, 10);
}

void rule_register(struct rule *rule)
{
	struct rule **at = &rules;

	while (*at != NULL && place(*at) < place(rule))
		at = &(*at)->next;
	rule->next = *at;
	*at = rule;
}

const struct rule *rule_first(void)
{
	return rules;
}

const char *severity_name(enum severity s)
{
	static const char *const names[] = {"MUST", "SHOULD", "ROBUST"};

	return names[s];
}

const char *verdict_name(enum verdict v)
{
	static const char *const names[] = {"pass", "warn", "fail", "crash", "hang", "skip"};

	return names[v];
}

__attribute__((noreturn)) static void end(struct check *c, enum verdict verdict, const char *format,
					  va_list ap)
{
	c->verdict = verdict;
	vsnprintf(c->reason, sizeof(c->reason), format, ap);
	longjmp(c->out, 1);
}

#define VERDICT(name, value)                                                                       \
	void name(struct check *c, const char *format, ...)                                        \
	{                                                                                          \
		va_list ap;                                                                        \
                                                                                                   \
		va_start(ap, format);                                                              \
		end(c, value, format, ap);                                                         \
	}
VERDICT(rule_fail, FAIL)
VERDICT(rule_warn, WARN)
VERDICT(rule_skip, SKIP)
VERDICT(rule_hang, HANG)

void rule_note(struct check *c, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(c->note, sizeof(c->note), format, ap);
	va_end(ap);
}
