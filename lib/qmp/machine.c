// SPDX-License-Identifier: BSD-3-Clause
#include "qmp/machine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

// Run a command with arguments that were packed for it, and drop them.
static int run(struct rp_qmp *c, const char *command, json_t *arguments, json_t **ret,
	       struct rp_qmp_error *err)
{
	int rc = rp_qmp_exec(c, command, arguments, ret, err);

	json_decref(arguments);
	return rc;
}

static int bad_reply(struct rp_qmp_error *err, const char *command)
{
	return rp_qmp_error_set(err, RP_QMP_PROTOCOL, RP_QMP_PHASE_REPLY, command,
				"the reply does not have the documented shape");
}

int rp_qmp_status(struct rp_qmp *c, char *status, size_t len, struct rp_qmp_error *err)
{
	const char *text;
	json_t *ret;
	int rc = run(c, "query-status", NULL, &ret, err);

	if (rc < 0)
		return rc;
	text = json_string_value(json_object_get(ret, "status"));
	if (text == NULL)
		rc = bad_reply(err, "query-status");
	else
		strlcpy(status, text, len);
	json_decref(ret);
	return rc;
}

int rp_qmp_is_running(struct rp_qmp *c, struct rp_qmp_error *err)
{
	json_t *ret;
	int rc = run(c, "query-status", NULL, &ret, err);

	if (rc < 0)
		return rc;
	rc = json_is_true(json_object_get(ret, "running"));
	json_decref(ret);
	return rc;
}

int rp_qmp_stop(struct rp_qmp *c, struct rp_qmp_error *err)
{
	return run(c, "stop", NULL, NULL, err);
}

int rp_qmp_cont(struct rp_qmp *c, struct rp_qmp_error *err)
{
	return run(c, "cont", NULL, NULL, err);
}

int rp_qmp_system_reset(struct rp_qmp *c, struct rp_qmp_error *err)
{
	return run(c, "system_reset", NULL, NULL, err);
}

int rp_qmp_powerdown(struct rp_qmp *c, struct rp_qmp_error *err)
{
	return run(c, "system_powerdown", NULL, NULL, err);
}

int rp_qmp_quit(struct rp_qmp *c, struct rp_qmp_error *err)
{
	struct rp_qmp_error why = {0};
	int rc = run(c, "quit", NULL, NULL, &why);

	// Only where it was sent: on a connection that had ended before, the phase is that of the
	// end.
	if (rc < 0 && why.kind == RP_QMP_CLOSED && strcmp(why.subject, "quit") == 0)
		return 0;
	if (rc < 0 && err != NULL)
		*err = why;
	return rc;
}

int rp_qmp_device_add(struct rp_qmp *c, json_t *props, struct rp_qmp_error *err)
{
	return rp_qmp_exec(c, "device_add", props, NULL, err);
}

int rp_qmp_device_del(struct rp_qmp *c, const char *id, unsigned wait_ms, struct rp_qmp_error *err)
{
	struct rp_qmp_filter deleted = {.name = "DEVICE_DELETED"};
	struct rp_qmp_queue *q = rp_qmp_queue_open(c, 64);
	struct rp_qmp_event *e = NULL;
	int rc;

	deleted.data = json_pack("{s:s}", "device", id);
	if (q == NULL || deleted.data == NULL)
		rc = rp_qmp_error_set(err, RP_QMP_ARGUMENT, RP_QMP_PHASE_NONE, "device_del",
				      "out of memory, or the id is not UTF-8");
	else
		rc = run(c, "device_del", json_pack("{s:s}", "id", id), NULL, err);
	if (rc == 0 && wait_ms > 0)
		rc = rp_qmp_queue_wait(q, &deleted, wait_ms, &e, err);
	rp_qmp_event_unref(e);
	json_decref(deleted.data);
	rp_qmp_queue_close(q);
	return rc;
}

int rp_qmp_netdev_add(struct rp_qmp *c, json_t *props, struct rp_qmp_error *err)
{
	return rp_qmp_exec(c, "netdev_add", props, NULL, err);
}

int rp_qmp_netdev_del(struct rp_qmp *c, const char *id, struct rp_qmp_error *err)
{
	return run(c, "netdev_del", json_pack("{s:s}", "id", id), NULL, err);
}

int rp_qmp_chardev_add(struct rp_qmp *c, const char *id, json_t *backend, json_t **ret,
		       struct rp_qmp_error *err)
{
	return run(c, "chardev-add", json_pack("{s:s,s:O}", "id", id, "backend", backend), ret,
		   err);
}

int rp_qmp_chardev_remove(struct rp_qmp *c, const char *id, struct rp_qmp_error *err)
{
	return run(c, "chardev-remove", json_pack("{s:s}", "id", id), NULL, err);
}

int rp_qmp_query_block(struct rp_qmp *c, json_t **ret, struct rp_qmp_error *err)
{
	return run(c, "query-block", NULL, ret, err);
}

int rp_qmp_screendump(struct rp_qmp *c, const char *path, struct rp_qmp_error *err)
{
	size_t len = strlen(path);
	bool png = len > 4 && strcasecmp(path + len - 4, ".png") == 0;

	// Older servers do not know "format", so PPM goes without.
	return run(c, "screendump",
		   png ? json_pack("{s:s,s:s}", "filename", path, "format", "png")
		       : json_pack("{s:s}", "filename", path),
		   NULL, err);
}

int rp_qmp_hmp(struct rp_qmp *c, const char *line, char **text, struct rp_qmp_error *err)
{
	json_t *ret;
	int rc = run(c, "human-monitor-command", json_pack("{s:s}", "command-line", line), &ret,
		     err);

	if (rc < 0)
		return rc;
	*text = json_is_string(ret) ? strdup(json_string_value(ret)) : NULL;
	if (*text == NULL)
		rc = bad_reply(err, "human-monitor-command");
	json_decref(ret);
	return rc;
}

// ---- Migration ----

static int migration_failed(struct rp_qmp *c, const char *status, struct rp_qmp_error *err)
{
	const char *why;
	json_t *ret = NULL;

	run(c, "query-migrate", NULL, &ret, NULL);
	why = json_string_value(json_object_get(ret, "error-desc"));
	rp_qmp_error_set(err, RP_QMP_COMMAND, RP_QMP_PHASE_REPLY, "migrate", "%s%s%s", status,
			 why != NULL ? ": " : "", why != NULL ? why : "");
	if (err != NULL)
		strlcpy(err->class, "GenericError", sizeof(err->class));
	json_decref(ret);
	return -EREMOTEIO;
}

static int await_migration(struct rp_qmp *c, struct rp_qmp_queue *q, unsigned wait_ms,
			   struct rp_qmp_error *err)
{
	static const char *const ends[] = {"completed", "failed", "cancelled"};
	const struct rp_qmp_filter filter = {.name = "MIGRATION"};
	struct rp_qmp_event *e;
	char status[40] = "";
	int rc;

	do {
		rc = rp_qmp_queue_wait(q, &filter, wait_ms, &e, err);
		if (rc < 0)
			return rc;
		strlcpy(status, json_string_value(json_object_get(e->data, "status")) ?: "",
			sizeof(status));
		rp_qmp_event_unref(e);
		for (unsigned i = 0; i < 3; i++) {
			if (strcmp(status, ends[i]) == 0)
				return i == 0 ? 0 : migration_failed(c, status, err);
		}
	} while (true);
}

int rp_qmp_migrate(struct rp_qmp *c, const char *uri, unsigned wait_ms, struct rp_qmp_error *err)
{
	struct rp_qmp_queue *q = rp_qmp_queue_open(c, 64);
	int rc;

	if (q == NULL)
		return rp_qmp_error_set(err, RP_QMP_ARGUMENT, RP_QMP_PHASE_NONE, "migrate",
					"out of memory");
	// Without this capability QEMU does not tell how the migration goes.
	rc = run(c, "migrate-set-capabilities",
		 json_pack("{s:[{s:s,s:b}]}", "capabilities", "capability", "events", "state", 1),
		 NULL, err);
	if (rc == 0)
		rc = run(c, "migrate", json_pack("{s:s}", "uri", uri), NULL, err);
	if (rc == 0)
		rc = await_migration(c, q, wait_ms, err);
	rp_qmp_queue_close(q);
	return rc;
}

// ---- Features ----

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int rp_qmp_query_commands(struct rp_qmp *c, json_t **names, struct rp_qmp_error *err)
{
	const char **list, *name;
	json_t *ret, *item;
	size_t i, n = 0;
	int rc = run(c, "query-commands", NULL, &ret, err);

	*names = NULL;
	if (rc < 0)
		return rc;
	list = calloc(json_array_size(ret) + 1, sizeof(*list));
	*names = json_array();
	json_array_foreach(ret, i, item)
	{
		name = json_string_value(json_object_get(item, "name"));
		if (list != NULL && name != NULL)
			list[n++] = name;
	}
	qsort(list, n, sizeof(*list), by_name);
	for (i = 0; i < n; i++)
		json_array_append_new(*names, json_string(list[i]));
	free(list);
	json_decref(ret);
	return 0;
}

int rp_qmp_has_command(struct rp_qmp *c, const char *command, struct rp_qmp_error *err)
{
	json_t *names, *item;
	size_t i;
	int rc = rp_qmp_query_commands(c, &names, err);

	if (rc < 0)
		return rc;
	json_array_foreach(names, i, item)
	{
		if (strcmp(json_string_value(item), command) == 0)
			rc = 1;
	}
	json_decref(names);
	return rc;
}
