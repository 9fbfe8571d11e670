// SPDX-License-Identifier: BSD-3-Clause
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "app.h"

int exit_code(enum rp_qmp_kind kind)
{
	static const int codes[RP_QMP_KINDS] = {
		[RP_QMP_OK] = 0,	[RP_QMP_COMMAND] = 1,	 [RP_QMP_ARGUMENT] = 2,
		[RP_QMP_NOT_FOUND] = 3, [RP_QMP_PERMISSION] = 4, [RP_QMP_REFUSED] = 5,
		[RP_QMP_BUSY] = 6,	[RP_QMP_TIMEOUT] = 7,	 [RP_QMP_CLOSED] = 8,
		[RP_QMP_RESET] = 9,	[RP_QMP_PROTOCOL] = 10,	 [RP_QMP_CANCELLED] = 11,
	};

	return codes[kind];
}

json_t *error_json(const struct rp_qmp_error *err)
{
	json_t *json = json_pack("{s:s,s:s,s:s,s:s}", "kind", rp_qmp_kind_name(err->kind), "phase",
				 rp_qmp_phase_name(err->phase), "subject", err->subject, "desc",
				 err->desc);

	if (err->class[0] != '\0')
		json_object_set_new(json, "class", json_string(err->class));
	return json;
}

int report(const struct app *a, const struct rp_qmp_error *err)
{
	char text[1280];

	if (a->json)
		print_json(a, json_pack("{s:o}", "error", error_json(err)));
	else
		fprintf(stderr, "qmp: %s\n", rp_qmp_error_text(err, text, sizeof(text)));
	return exit_code(err->kind);
}

int print_json(const struct app *a, json_t *value)
{
	json_dumpf(value, stdout, JSON_ENCODE_ANY | (a->pretty ? JSON_INDENT(2) : 0));
	putchar('\n');
	json_decref(value);
	return 0;
}

int print_value(const struct app *a, json_t *value)
{
	const struct app pretty = {.pretty = true};

	if (a->json)
		return print_json(a, value);
	if (json_is_string(value))
		printf("%s\n", json_string_value(value));
	else if (!json_is_object(value) || json_object_size(value) > 0)
		return print_json(&pretty, value);
	json_decref(value);
	return 0;
}

void print_event(const struct app *a, const struct rp_qmp_event *e)
{
	time_t seconds = (time_t)e->seconds;
	char when[32], *data;
	struct tm tm;

	if (a->json) {
		print_json(a, json_pack("{s:s,s:o,s:{s:I,s:I}}", "event", e->name, "data",
					json_deep_copy(e->data), "timestamp", "seconds",
					(json_int_t)e->seconds, "microseconds",
					(json_int_t)e->microseconds));
		return;
	}
	gmtime_r(&seconds, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	data = json_dumps(e->data, 0);
	printf("%s.%06dZ %s %s\n", when, (int)e->microseconds, e->name, data);
	free(data);
}

void print_counters(const struct rp_qmp_counters *counters)
{
	json_t *json = rp_qmp_counters_json(counters);

	json_dumpf(json, stderr, JSON_INDENT(2));
	fputc('\n', stderr);
	json_decref(json);
}
