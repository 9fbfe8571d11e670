// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ringctl.h"

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

static void print_pair(const char *key, const char *text)
{
	if (text[0] != '\0')
		printf("  %s %s", key, text);
}

// "12:00:00 nic.connected  vm1  network prod ...": when, what, and of a NIC what tells it apart.
static void print_event(const json_t *params)
{
	static const char *const keys[] = {"network", "mac", "ipv4", "ipv6", "state", "error"};
	const char *event = text_of(params, "event");
	const json_t *object = json_object_get(params, "nic");
	time_t now = time(NULL);
	struct tm tm;
	char when[16];

	if (object == NULL)
		object = json_object_get(params, "network");
	localtime_r(&now, &tm);
	strftime(when, sizeof(when), "%H:%M:%S", &tm);
	printf("%s %-16s %s", when, event,
	       text_of(object, json_object_get(object, "name") != NULL ? "name" : "uuid"));
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		print_pair(keys[i], text_of(object, keys[i]));
	putchar('\n');
}

int ringctl_events(struct ringctl *ctl, struct rp_error *err)
{
	json_t *message, *params;
	int rc;

	while ((rc = rp_rpc_client_next(ctl->client, -1, &message, err)) == 0) {
		params = json_object_get(message, "params");
		if (ctl->json) {
			json_dumpf(params, stdout, JSON_COMPACT);
			putchar('\n');
		} else {
			print_event(params);
		}
		json_decref(message);
		// Whoever reads has gone.
		if (fflush(stdout) == EOF)
			return 0;
	}
	return rc;
}
