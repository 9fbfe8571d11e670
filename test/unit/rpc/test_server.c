// SPDX-License-Identifier: BSD-3-Clause
#include "rpc/server.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/unix.h"
#include "rpc/client.h"
#include "rpc/scan.h"

/*
 * The server runs on a loop in a thread of its own; all that touches it happens in its handlers.
 */

#define WAIT_MS	   5000
#define TIMEOUT_MS 200 // of the server, for those that are slow
#define MAX_PEERS  8

static char dir[] = "/tmp/rp_rpc.XXXXXX";
static char path[64];
static struct event_base *base;
static struct rp_rpc_server *server;
static pthread_t thread;

static int call(void *, struct rp_rpc_peer *peer, const char *method, const json_t *params,
		json_t **result, struct rp_error *err)
{
	json_t *filler;

	if (strcmp(method, "echo") == 0) {
		*result = json_deep_copy(params);
	} else if (strcmp(method, "large") == 0) {
		filler = json_array();
		for (int i = 0; i < 10000; i++)
			json_array_append_new(filler, json_string("0123456789"));
		*result = filler;
	} else if (strcmp(method, "subscribe") == 0) {
		rp_rpc_peer_subscribe(peer, 1);
	} else if (strcmp(method, "poke") == 0) {
		filler = json_object_get(params, "text");
		rp_rpc_server_notify(server, 1, "event", json_pack("{s:O?}", "text", filler));
		rp_rpc_server_notify(server, 2, "other", json_object());
	} else if (strcmp(method, "who") == 0) {
		*result = json_integer(rp_rpc_peer_cred(peer)->pid);
	} else if (strcmp(method, "peers") == 0) {
		*result = json_integer(rp_rpc_server_peers(server));
	} else if (strcmp(method, "exit") == 0) {
		event_base_loopexit(base, NULL);
	} else {
		return rp_error_set(err, ENOSYS, NULL, method, "there is no such method");
	}
	return 0;
}

static void *run_loop(void *)
{
	event_base_dispatch(base);
	return NULL;
}

static int start(mode_t mode)
{
	struct rp_error err = {0};
	struct rp_rpc_server_config cfg = {
		.path = path,
		.mode = mode,
		.group = getgid(),
		.max_peers = MAX_PEERS,
		.timeout_ms = TIMEOUT_MS,
		.call = call,
	};

	base = event_base_new();
	server = rp_rpc_server_new(base, &cfg, &err);
	if (server == NULL) {
		print_error("%s\n", err.expected);
		return -1;
	}
	return pthread_create(&thread, NULL, run_loop, NULL);
}

static int setup(void **)
{
	snprintf(path, sizeof(path), "%s/control.sock", dir);
	return start(0600);
}

static struct rp_rpc_client *client_new(void)
{
	struct rp_error err = {0};
	struct rp_rpc_client *client = rp_rpc_client_new(path, WAIT_MS, &err);

	if (client == NULL)
		fail_msg("%s", err.expected);
	return client;
}

static void call_ok(struct rp_rpc_client *client, const char *method, json_t *params,
		    json_t **result)
{
	struct rp_error err = {0};

	if (rp_rpc_client_call(client, method, params, result, &err) != 0)
		fail_msg("%s: %s", method, err.expected);
}

// A peer that sends bytes as they are.
static int raw_connect(void)
{
	int fd = rp_unix_connect(path, WAIT_MS, NULL);

	assert_true(fd >= 0);
	return fd;
}

static void raw_send(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

// Everything until text is in it, or (NULL) until the server hangs up; in buf, as a string.
static void raw_receive(int fd, const char *text, char *buf, size_t size)
{
	uint64_t deadline = rp_clock_ms() + WAIT_MS;
	size_t len = 0;

	buf[0] = '\0';
	while (text == NULL || strstr(buf, text) == NULL) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t n;

		if (rp_clock_ms() > deadline || poll(&p, 1, WAIT_MS) != 1)
			fail_msg("no '%s' in: %s", text != NULL ? text : "end", buf);
		n = recv(fd, buf + len, size - 1 - len, 0);
		if (n <= 0 && text == NULL)
			return;
		assert_true(n > 0);
		len += (size_t)n;
		buf[len] = '\0';
	}
}

#define REQUEST(method, id) "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\",\"id\":" id "}"

// The answer to the last request goes out although the loop has ended.
static int teardown(void **)
{
	int fd = raw_connect();
	char buf[256];

	raw_send(fd, REQUEST("exit", "99"));
	pthread_join(thread, NULL);
	rp_rpc_server_free(server);
	event_base_free(base);
	raw_receive(fd, NULL, buf, sizeof(buf));
	assert_non_null(strstr(buf, "\"id\":99"));
	close(fd);
	assert_int_not_equal(access(path, F_OK), 0);
	return 0;
}

static void calls_and_errors_reach_the_client(void **)
{
	struct rp_rpc_client *client = client_new();
	struct rp_error err = {0};
	json_t *result;

	call_ok(client, "echo", json_pack("{s:s}", "a", "b"), &result);
	assert_string_equal(json_string_value(json_object_get(result, "a")), "b");
	json_decref(result);
	call_ok(client, "who", NULL, &result);
	assert_int_equal(json_integer_value(result), getpid());
	json_decref(result);
	assert_int_equal(rp_rpc_client_call(client, "nope", NULL, NULL, &err), -ENOSYS);
	assert_string_equal(err.value, "nope");
	rp_rpc_client_free(client);
}

static void requests_in_flight_are_answered_in_order(void **)
{
	int fd = raw_connect();
	char buf[1024];

	raw_send(fd, REQUEST("who", "1") REQUEST("nope", "2") "\n" REQUEST("who", "3"));
	raw_receive(fd, "\"id\":3", buf, sizeof(buf));
	assert_true(strstr(buf, "\"id\":1") < strstr(buf, "\"id\":2"));
	assert_true(strstr(buf, "\"id\":2") < strstr(buf, "\"id\":3"));
	close(fd);
}

static void half_closed_peer_gets_its_answers(void **)
{
	int fd = raw_connect();
	char buf[1024];

	raw_send(fd, REQUEST("who", "1") REQUEST("who", "2"));
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	raw_receive(fd, NULL, buf, sizeof(buf));
	assert_non_null(strstr(buf, "\"id\":2"));
	close(fd);
}

static void end_inside_of_a_message_is_told(void **)
{
	int fd = raw_connect();
	char buf[1024];

	raw_send(fd, "{\"jsonrpc\":");
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	raw_receive(fd, NULL, buf, sizeof(buf));
	assert_non_null(strstr(buf, "-32700"));
	close(fd);
}

static void garbage_costs_a_line(void **)
{
	int fd = raw_connect();
	char buf[1024];

	raw_send(fd, "GET / HTTP/1.1\n{\"a\":}\n" REQUEST("who", "5") "\n");
	raw_receive(fd, "\"id\":5", buf, sizeof(buf));
	assert_non_null(strstr(buf, "expected a JSON object or array"));
	close(fd);
}

static void message_that_is_too_large_ends_the_connection(void **)
{
	static char text[RP_RPC_MESSAGE_MAX + 2];
	int fd = raw_connect();
	char buf[1024];
	size_t sent = 0;

	memset(text, ' ', sizeof(text));
	text[0] = '{';
	while (sent < sizeof(text)) {
		struct pollfd p = {.fd = fd, .events = POLLOUT};
		ssize_t n;

		assert_int_equal(poll(&p, 1, WAIT_MS), 1);
		n = send(fd, text + sent, sizeof(text) - sent, MSG_NOSIGNAL);
		if (n < 0)
			break;
		sent += (size_t)n;
	}
	raw_receive(fd, NULL, buf, sizeof(buf));
	assert_non_null(strstr(buf, "larger than 1 MiB"));
	close(fd);
}

static void message_that_is_never_complete_ends_the_connection(void **)
{
	int fd = raw_connect();
	char buf[1024];

	raw_send(fd, "{\"jsonrpc\":");
	raw_receive(fd, NULL, buf, sizeof(buf));
	assert_non_null(strstr(buf, "not complete in time"));
	close(fd);
}

static void idle_peer_is_left_alone(void **)
{
	int idle = raw_connect(), slow = raw_connect();
	char buf[1024];

	// When the server has lost patience with the one, the other is older.
	raw_send(slow, "{");
	raw_receive(slow, NULL, buf, sizeof(buf));
	raw_send(idle, REQUEST("who", "1"));
	raw_receive(idle, "\"id\":1", buf, sizeof(buf));
	close(idle);
	close(slow);
}

// Asks and asks and takes no answer: nothing more is read from it, others are served, and after a
// while it is dropped.
static void peer_that_takes_no_answers_is_dropped(void **)
{
	struct rp_rpc_client *other;
	int fd = raw_connect();
	size_t asked = 0;
	json_t *result;
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	while (asked < 100000 && poll(&p, 1, 50) == 1 && (p.revents & POLLOUT) != 0 &&
	       send(fd, REQUEST("large", "1"), strlen(REQUEST("large", "1")), MSG_NOSIGNAL) > 0)
		asked++;
	assert_in_range(asked, 10, 99999);
	other = client_new();
	call_ok(other, "who", NULL, &result);
	json_decref(result);
	p.events = 0;
	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
	assert_true(p.revents & POLLHUP);
	rp_rpc_client_free(other);
	close(fd);
}

static void peers_are_limited(void **)
{
	int fds[MAX_PEERS];
	char buf[256];
	int fd;

	for (int i = 0; i < MAX_PEERS; i++) {
		fds[i] = raw_connect();
		raw_send(fds[i], REQUEST("who", "1"));
		raw_receive(fds[i], "\"id\":1", buf, sizeof(buf));
	}
	fd = raw_connect();
	raw_receive(fd, NULL, buf, sizeof(buf));
	assert_non_null(strstr(buf, "too many connections"));
	close(fd);
	for (int i = 0; i < MAX_PEERS; i++) {
		shutdown(fds[i], SHUT_WR);
		raw_receive(fds[i], NULL, buf, sizeof(buf));
		close(fds[i]);
	}
}

static void subscribers_are_told_their_topics(void **)
{
	struct rp_rpc_client *subscriber = client_new(), *other = client_new();
	struct rp_error err;
	json_t *message;

	call_ok(subscriber, "subscribe", NULL, NULL);
	call_ok(other, "poke", json_pack("{s:s}", "text", "one"), NULL);
	// Its own call, too, and the answer is told apart from what comes before it.
	call_ok(subscriber, "poke", json_pack("{s:s}", "text", "two"), NULL);
	assert_int_equal(rp_rpc_client_next(subscriber, WAIT_MS, &message, &err), 0);
	assert_string_equal(json_string_value(json_object_get(message, "method")), "event");
	json_decref(message);
	assert_int_equal(rp_rpc_client_next(subscriber, WAIT_MS, &message, &err), 0);
	json_decref(message);
	assert_int_equal(rp_rpc_client_next(subscriber, 0, &message, &err), -ETIMEDOUT);
	assert_int_equal(rp_rpc_client_next(other, 0, &message, &err), -ETIMEDOUT);
	rp_rpc_client_free(subscriber);
	rp_rpc_client_free(other);
}

static void subscriber_that_takes_nothing_is_dropped(void **)
{
	struct rp_rpc_client *other = client_new();
	static char text[500000];
	int fd = raw_connect();
	struct pollfd p = {.fd = fd};

	raw_send(fd, REQUEST("subscribe", "1"));
	memset(text, 'x', sizeof(text) - 1);
	for (int i = 0; i < 20; i++)
		call_ok(other, "poke", json_pack("{s:s}", "text", text), NULL);
	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
	assert_true(p.revents & POLLHUP);
	close(fd);
	rp_rpc_client_free(other);
}

static void many_connections_leave_nothing_behind(void **)
{
	struct rp_rpc_client *client;
	json_t *result;

	for (int i = 0; i < 200; i++) {
		int fd = raw_connect();

		if (i % 3 != 0)
			raw_send(fd, i % 3 == 1 ? "{\"a" : REQUEST("large", "1"));
		close(fd);
		client = client_new();
		call_ok(client, "who", NULL, &result);
		json_decref(result);
		rp_rpc_client_free(client);
	}
	client = client_new();
	call_ok(client, "peers", NULL, &result);
	assert_in_range(json_integer_value(result), 1, 3);
	json_decref(result);
	rp_rpc_client_free(client);
}

static void socket_has_its_mode(void **)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_gid, getgid());
}

// Somebody whom the file's mode lets through by accident is still refused.
static void strangers_are_refused(void **)
{
	int status;
	pid_t pid;

	if (geteuid() != 0)
		skip();
	assert_int_equal(chmod(dir, 0755), 0);
	assert_int_equal(chmod(path, 0666), 0);
	pid = fork();
	if (pid == 0) {
		char byte;
		int fd = -1;
		struct pollfd p = {.events = POLLIN};

		if (setgid(65534) == 0 && setuid(65534) == 0)
			fd = rp_unix_connect(path, WAIT_MS, NULL);
		p.fd = fd;
		_exit(fd >= 0 && poll(&p, 1, WAIT_MS) == 1 && recv(fd, &byte, 1, 0) == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void second_server_is_refused_and_a_dead_socket_replaced(void **)
{
	struct rp_rpc_server_config cfg = {.path = path, .mode = 0600, .group = (gid_t)-1};
	struct event_base *own = event_base_new();
	char dead[80];
	struct rp_rpc_server *second;
	struct rp_error err;

	cfg.call = call;
	assert_null(rp_rpc_server_new(own, &cfg, &err));
	assert_int_equal(err.code, EADDRINUSE);
	snprintf(dead, sizeof(dead), "%s/dead.sock", dir);
	close(rp_unix_bind(dead, NULL));
	cfg.path = dead;
	second = rp_rpc_server_new(own, &cfg, &err);
	assert_non_null(second);
	rp_rpc_server_free(second);
	assert_int_not_equal(access(dead, F_OK), 0);
	event_base_free(own);
}

static int make_dir(void **)
{
	signal(SIGPIPE, SIG_IGN);
	rp_log_set_level(RP_LOG_ERR);
	return mkdtemp(dir) == NULL;
}

static int remove_dir(void **)
{
	return rmdir(dir);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(calls_and_errors_reach_the_client),
		CASE(requests_in_flight_are_answered_in_order),
		CASE(half_closed_peer_gets_its_answers),
		CASE(end_inside_of_a_message_is_told),
		CASE(garbage_costs_a_line),
		CASE(message_that_is_too_large_ends_the_connection),
		CASE(message_that_is_never_complete_ends_the_connection),
		CASE(idle_peer_is_left_alone),
		CASE(peer_that_takes_no_answers_is_dropped),
		CASE(peers_are_limited),
		CASE(subscribers_are_told_their_topics),
		CASE(subscriber_that_takes_nothing_is_dropped),
		CASE(many_connections_leave_nothing_behind),
		CASE(socket_has_its_mode),
		CASE(strangers_are_refused),
		CASE(second_server_is_refused_and_a_dead_socket_replaced),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
