// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/method.h"

/*
 * A file of commands from the model: of each thing what "create" takes and its result shows, key by
 * key. UUIDs are not kept: what is loaded is made anew.
 */

static const struct rp_command *find(const char *method)
{
	return rp_command_find(method, NULL);
}

static void print_pair(FILE *out, const char *key, const json_t *value)
{
	fprintf(out, " %s ", key);
	if (json_is_string(value))
		rp_word_print(out, json_string_value(value));
	else if (json_is_integer(value))
		fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else
		fputs(json_is_true(value) ? "yes" : "no", out);
}

static void print_create(FILE *out, const struct rp_command *create, const json_t *object)
{
	fprintf(out, "%s %s ", create->noun, create->verb);
	rp_word_print(out, json_string_value(json_object_get(object, "name")));
	for (size_t i = 0; i < create->n_keys; i++) {
		const char *key = create->keys[i].name;
		json_t *value = json_object_get(object, key);
		json_t *item;
		size_t n;

		if (json_is_array(value)) {
			json_array_foreach(value, n, item)
			{
				print_pair(out, key, item);
			}
		} else if (value != NULL) {
			print_pair(out, key, value);
		}
	}
	fputc('\n', out);
}

// The line would pass the limit of a line only with more prefixes than one command takes.
static void print_model(FILE *out, const struct rp_control *control)
{
	const struct rp_network *network;
	const struct rp_nic *nic;
	json_t *object;

	TAILQ_FOREACH (network, &control->fabric->networks, entry) {
		object = rp_json_network(network);
		print_create(out, find("network.create"), object);
		json_decref(object);
	}
	TAILQ_FOREACH (nic, &control->fabric->nics, entry) {
		object = rp_json_nic(control, nic);
		// A socket of our own follows the name and the socket directory.
		if (nic->cfg.mode == RP_VHOST_SERVER)
			json_object_del(object, "socket");
		print_create(out, find("nic.create"), object);
		json_decref(object);
	}
}

static int check_path(const char *path, struct rp_error *err)
{
	if (path[0] == '/')
		return 0;
	return rp_error_set(err, EINVAL, "file", path,
			    "is relative to ringplane's own directory; expected an absolute path");
}

static int cannot_write(const char *path, struct rp_error *err)
{
	return rp_error_set(err, errno, "file", path, "cannot be written: %s", strerror(errno));
}

// All or nothing: written beside it, then put in its place.
static int write_file(const char *path, const char *text, size_t len, struct rp_error *err)
{
	char beside[4096 + 8];
	int fd, rc = 0;

	snprintf(beside, sizeof(beside), "%s.XXXXXX", path);
	fd = mkostemp(beside, O_CLOEXEC);
	if (fd < 0)
		return cannot_write(path, err);
	if (write(fd, text, len) != (ssize_t)len || fsync(fd) < 0 || fchmod(fd, 0644) < 0 ||
	    rename(beside, path) < 0) {
		rc = cannot_write(path, err);
		unlink(beside);
	}
	close(fd);
	return rc;
}

static json_t *json_lines(char *text)
{
	json_t *lines = json_array();
	char *line;

	while ((line = strsep(&text, "\n")) != NULL)
		if (line[0] != '\0')
			json_array_append_new(lines, json_string(line));
	return lines;
}

int rp_method_state_save(struct rp_control *control, const struct rp_call *call, json_t **result,
			 struct rp_error *err)
{
	const struct rp_value *file = rp_call_value(call, RP_KEY_STATE_FILE);
	char *text = NULL;
	size_t len;
	FILE *out;
	int rc = file != NULL ? check_path(file->text, err) : 0;

	if (rc < 0)
		return rc;
	out = open_memstream(&text, &len);
	if (out == NULL)
		return rp_error_set(err, ENOMEM, NULL, NULL, "out of memory");
	print_model(out, control);
	fclose(out);
	if (file != NULL)
		rc = write_file(file->text, text, len, err);
	if (rc == 0)
		rc = rp_control_result(file != NULL
					       ? json_pack("{s:s}", "file", file->text)
					       : json_pack("{s:o}", "commands", json_lines(text)),
				       result, err);
	free(text);
	return rc;
}

int rp_method_state_load(struct rp_control *control, const struct rp_call *call, json_t **result,
			 struct rp_error *err)
{
	const char *path = rp_call_value(call, RP_KEY_STATE_FILE)->text;
	const struct rp_fabric *fabric = control->fabric;
	int rc = check_path(path, err);

	if (rc == 0 && fabric->n_networks > 0)
		rc = rp_error_set(
			err, EBUSY, "file", path,
			"is for an empty model, and there %s %u network%s: delete, or run "
			"the file with ringctl -f",
			fabric->n_networks == 1 ? "is" : "are", fabric->n_networks,
			fabric->n_networks == 1 ? "" : "s");
	if (rc == 0)
		rc = rp_control_load(control, path, NULL, NULL, err);
	if (rc < 0)
		return rc;
	return rp_control_result(json_pack("{s:i, s:i}", "networks", (int)fabric->n_networks,
					   "nics", (int)fabric->n_nics),
				 result, err);
}
