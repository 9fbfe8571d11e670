// SPDX-License-Identifier: BSD-3-Clause
// A peer's bytes, cut into texts and answered; the first byte says in which pieces they come.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/command.h"
#include "rpc/message.h"
#include "rpc/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// The parameters of the real methods, there and back; nothing is done with them.
static int call(void *, const char *method, const json_t *params, json_t **result,
		struct rp_error *err)
{
	const struct rp_command *command = rp_command_find(method, err);
	static struct rp_call decoded;
	int rc;

	if (command == NULL)
		return -ENOSYS;
	rc = rp_call_from_json(command, params, &decoded, err);
	if (rc == 0)
		*result = rp_call_to_json(&decoded);
	return rc;
}

// Whatever we say must be one line of JSON.
static void check(char *line)
{
	json_t *json;

	if (line == NULL)
		return;
	if (line[strlen(line) - 1] != '\n')
		abort();
	json = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	if (json == NULL)
		abort();
	json_decref(json);
	free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rp_rpc_scan scan = {0};
	size_t step = size > 0 ? data[0] + 1u : 1;

	for (size_t at = 1; at < size; at += step) {
		struct rp_reader r = rp_reader(data + at, size - at < step ? size - at : step);
		enum rp_rpc_scan_result result;

		while ((result = rp_rpc_scan(&scan, &r)) != RP_RPC_SCAN_MORE) {
			if (result == RP_RPC_SCAN_MESSAGE)
				check(rp_rpc_answer(scan.buf, scan.len, call, NULL));
			else
				check(rp_rpc_refusal(RP_RPC_PARSE_ERROR, scan.why));
		}
	}
	rp_rpc_scan_free(&scan);
	return 0;
}
