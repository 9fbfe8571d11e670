// SPDX-License-Identifier: BSD-3-Clause
#include "control/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "control/lines.h"
#include "control/method.h"
#include "control/text.h"
#include "rpc/server.h"

struct run {
	struct rp_control *control;
	FILE *out;
};

// Run one line; on failure *column is where in it.
static int run_line(void *arg, const char *line, uint16_t *column, struct rp_error *err)
{
	const struct run *run = arg;
	struct rp_call call;
	json_t *result = NULL;
	int rc = rp_command_parse(line, &call, err);

	*column = call.error_column;
	if (rc < 0 || call.command == NULL)
		return rc;
	rc = rp_methods[call.command->id](run->control, &call, &result, err);
	if (rc < 0)
		*column = rp_call_error_column(&call, err);
	else if (run->out != NULL && result != NULL)
		rp_text_print(run->out, result, call.command->columns, false);
	json_decref(result);
	return rc;
}

int rp_control_run_line(struct rp_control *control, const char *line, FILE *out,
			struct rp_error *err)
{
	struct run run = {control, out};
	struct rp_error own;
	uint16_t column;

	return run_line(&run, line, &column, err != NULL ? err : &own);
}

int rp_control_run_file(struct rp_control *control, const char *path, FILE *out,
			struct rp_error *err)
{
	struct run run = {control, out};
	struct rp_error own;

	return rp_lines_run_file(path, run_line, &run, err != NULL ? err : &own);
}

int rp_control_run_text(struct rp_control *control, const char *name, const char *text, FILE *out,
			struct rp_error *err)
{
	FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	struct run run = {control, out};
	struct rp_error own;
	int rc;

	if (in == NULL)
		return rp_error_set(err, errno, NULL, name, "cannot be read: %s", strerror(errno));
	rc = rp_lines_run(name, in, run_line, &run, err != NULL ? err : &own);
	fclose(in);
	return rc;
}

// What a failing file has made goes again, so that the next one finds the model as empty.
int rp_control_load(struct rp_control *control, const char *path, const char *name,
		    const char *text, struct rp_error *err)
{
	struct rp_network *network;
	int rc;

	if (path != NULL)
		rc = rp_control_run_file(control, path, NULL, err);
	else
		rc = rp_control_run_text(control, name, text, NULL, err);
	while (rc < 0 && (network = TAILQ_FIRST(&control->fabric->networks)) != NULL)
		if (rp_network_delete(control->fabric, network, true, NULL, NULL) < 0)
			break;
	return rc;
}

static void log_change(const struct rp_call *call, const struct ucred *cred)
{
	rp_info("%s%s%s by process %d of user %u", call->command->method,
		call->name != NULL ? " " : "", call->name != NULL ? call->name : "", (int)cred->pid,
		cred->uid);
}

int rp_control_call(void *arg, struct rp_rpc_peer *peer, const char *method, const json_t *params,
		    json_t **result, struct rp_error *err)
{
	const struct rp_command *command = rp_command_find(method, err);
	struct rp_control *control = arg;
	struct rp_call call;
	int rc;

	if (command == NULL)
		return -ENOSYS;
	rc = rp_call_from_json(command, params, &call, err);
	if (rc < 0)
		return rc;
	control->peer = peer;
	rc = rp_methods[command->id](control, &call, result, err);
	control->peer = NULL;
	if (rc == 0 && command->changes && peer != NULL)
		log_change(&call, rp_rpc_peer_cred(peer));
	return rc;
}
