// SPDX-License-Identifier: BSD-3-Clause
#include "rpc/client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bsd/string.h>

#include "base/clock.h"
#include "base/unix.h"
#include "rpc/message.h"
#include "rpc/scan.h"

#define NOTIFICATIONS_MAX 4096 // that wait to be asked for; more are forgotten

struct rp_rpc_client {
	int fd;
	unsigned int timeout_ms;
	json_int_t id;
	json_t *notifications;
	struct rp_rpc_scan scan;
	uint8_t in[16384];
	struct rp_reader unread;
	char path[108];
};

struct rp_rpc_client *rp_rpc_client_new(const char *path, unsigned int timeout_ms,
					struct rp_error *err)
{
	struct rp_rpc_client *client = calloc(1, sizeof(*client));

	if (client == NULL) {
		rp_error_set(err, ENOMEM, NULL, NULL, "out of memory");
		return NULL;
	}
	strlcpy(client->path, path, sizeof(client->path));
	client->timeout_ms = timeout_ms;
	client->unread = rp_reader(client->in, 0);
	client->notifications = json_array();
	client->fd = rp_unix_connect(path, timeout_ms, err);
	if (client->fd < 0) {
		rp_rpc_client_free(client);
		return NULL;
	}
	return client;
}

void rp_rpc_client_free(struct rp_rpc_client *client)
{
	if (client == NULL)
		return;
	if (client->fd >= 0)
		close(client->fd);
	json_decref(client->notifications);
	rp_rpc_scan_free(&client->scan);
	free(client);
}

// deadline UINT64_MAX: none.
static int wait_for(const struct rp_rpc_client *client, short events, uint64_t deadline,
		    struct rp_error *err)
{
	struct pollfd p = {.fd = client->fd, .events = events};
	uint64_t now;
	int n;

	do {
		now = rp_clock_ms();
		n = poll(&p, 1,
			 deadline == UINT64_MAX ? -1 : (int)(now < deadline ? deadline - now : 0));
	} while (n < 0 && errno == EINTR);
	if (n > 0)
		return 0;
	return rp_error_set(err, n == 0 ? ETIMEDOUT : errno, "control", client->path,
			    n == 0 ? "no answer in time; is ringplane stuck?" : "cannot wait");
}

static int lost(const struct rp_rpc_client *client, struct rp_error *err)
{
	return rp_error_set(err, ECONNRESET, "control", client->path,
			    "the connection was closed; has ringplane ended?");
}

static int send_all(struct rp_rpc_client *client, const char *text, struct rp_error *err)
{
	uint64_t deadline = rp_clock_ms() + client->timeout_ms;
	size_t len = strlen(text);

	while (len > 0) {
		ssize_t n = send(client->fd, text, len, MSG_NOSIGNAL);

		if (n >= 0) {
			text += n;
			len -= (size_t)n;
		} else if (errno != EAGAIN && errno != EINTR) {
			return lost(client, err);
		} else if (wait_for(client, POLLOUT, deadline, err) < 0) {
			return -ETIMEDOUT;
		}
	}
	return 0;
}

static int fill(struct rp_rpc_client *client, uint64_t deadline, struct rp_error *err)
{
	ssize_t n;
	int rc = wait_for(client, POLLIN, deadline, err);

	if (rc < 0)
		return rc;
	n = recv(client->fd, client->in, sizeof(client->in), 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return lost(client, err);
	client->unread = rp_reader(client->in, (size_t)n);
	return 0;
}

// The next message, whatever it is.
static int receive(struct rp_rpc_client *client, uint64_t deadline, json_t **message,
		   struct rp_error *err)
{
	enum rp_rpc_scan_result result;
	int rc;

	while ((result = rp_rpc_scan(&client->scan, &client->unread)) == RP_RPC_SCAN_MORE) {
		rc = fill(client, deadline, err);
		if (rc < 0)
			return rc;
	}
	*message = result == RP_RPC_SCAN_MESSAGE
			   ? json_loadb(client->scan.buf, client->scan.len, 0, NULL)
			   : NULL;
	if (*message != NULL)
		return 0;
	return rp_error_set(err, EBADMSG, "control", client->path,
			    "what it sends is no JSON; is that ringplane's control socket?");
}

static void keep(struct rp_rpc_client *client, json_t *notification)
{
	if (json_array_size(client->notifications) < NOTIFICATIONS_MAX)
		json_array_append(client->notifications, notification);
}

// The answer with this id, or one without any: the server has not understood us.
static int await(struct rp_rpc_client *client, json_int_t id, json_t **answer, struct rp_error *err)
{
	uint64_t deadline = rp_clock_ms() + client->timeout_ms;
	int rc;

	while ((rc = receive(client, deadline, answer, err)) == 0) {
		const json_t *got = json_object_get(*answer, "id");

		if (json_object_get(*answer, "method") != NULL)
			keep(client, *answer);
		else if (json_is_null(got) || json_integer_value(got) == id)
			return 0;
		json_decref(*answer);
	}
	return rc;
}

int rp_rpc_client_call(struct rp_rpc_client *client, const char *method, json_t *params,
		       json_t **result, struct rp_error *err)
{
	json_int_t id = ++client->id;
	json_t *request = json_pack("{s:s, s:s, s:o*, s:I}", "jsonrpc", "2.0", "method", method,
				    "params", params, "id", id);
	char *text = request != NULL ? json_dumps(request, JSON_COMPACT) : NULL;
	json_t *answer = NULL;
	json_t *error;
	int rc;

	json_decref(request);
	if (text == NULL)
		return rp_error_set(err, ENOMEM, NULL, NULL, "out of memory");
	rc = send_all(client, text, err);
	free(text);
	if (rc == 0)
		rc = await(client, id, &answer, err);
	if (rc < 0)
		return rc;
	error = json_object_get(answer, "error");
	if (error != NULL)
		rc = rp_rpc_error_parse(error, err);
	else if (result != NULL)
		*result = json_incref(json_object_get(answer, "result"));
	json_decref(answer);
	return rc;
}

int rp_rpc_client_notify(struct rp_rpc_client *client, const char *method, json_t *params,
			 struct rp_error *err)
{
	char *text = rp_rpc_notification(method, params != NULL ? params : json_object());
	int rc;

	if (text == NULL)
		return rp_error_set(err, ENOMEM, NULL, NULL, "out of memory");
	rc = send_all(client, text, err);
	free(text);
	return rc;
}

int rp_rpc_client_next(struct rp_rpc_client *client, int timeout_ms, json_t **message,
		       struct rp_error *err)
{
	uint64_t deadline = timeout_ms < 0 ? UINT64_MAX : rp_clock_ms() + (unsigned int)timeout_ms;
	int rc;

	if (json_array_size(client->notifications) > 0) {
		*message = json_incref(json_array_get(client->notifications, 0));
		json_array_remove(client->notifications, 0);
		return 0;
	}
	while ((rc = receive(client, deadline, message, err)) == 0) {
		if (json_object_get(*message, "method") != NULL)
			return 0;
		json_decref(*message);
	}
	return rc;
}
