// SPDX-License-Identifier: BSD-3-Clause
// A file of commands, brought line by line to a fabric whose ports are counted only.
#include <stdlib.h>
#include <string.h>

#include "control/command.h"
#include "control/control.h"
#include "unit/fabric/fake_ops.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run(struct rp_control *control, char *text, FILE *out)
{
	struct rp_error err;
	char message[600];
	static struct rp_call call;
	char *next;
	int rc;

	for (char *line = text; line != NULL; line = next) {
		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		err = (struct rp_error){0};
		rc = rp_command_parse(line, &call, &err);
		// The model alone: no files, no daemon.
		if (rc == 0 && call.command != NULL && call.command->id <= RP_METHOD_nic_get)
			rc = rp_control_run_line(control, line, out, &err);
		// An error without a text would leave the user alone.
		if (rc < 0 && (err.code <= 0 || err.expected[0] == '\0'))
			abort();
		rp_error_text(&err, message, sizeof(message));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fake_ops ops = {0};
	struct rp_fabric *fabric = rp_fabric_new(&fake_ops, &ops, "/run/ringplane", 8, NULL);
	struct rp_control control = {.fabric = fabric};
	char *text = malloc(size + 1);
	FILE *out = fopen("/dev/null", "w");

	if (fabric == NULL || text == NULL || out == NULL)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	run(&control, text, out);
	if (ops.added != (int)fabric->n_nics)
		abort();
	rp_fabric_free(fabric);
	if (ops.added != 0)
		abort();
	fclose(out);
	free(text);
	return 0;
}
