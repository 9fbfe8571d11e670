// SPDX-License-Identifier: BSD-3-Clause
// The client's commands against our back-end, sound and with faults, and where nobody listens.
#include "proc.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#define WAIT_MS 20000

static char dir[64], path[96];
static struct proc *server;

static void start_server(const char *fault)
{
	const char *argv[] = {getenv("SIMPLE_VHOST_SERVER"), path, fault != NULL ? "--fault" : NULL,
			      fault, NULL};

	server = proc_start("simple-vhost-server", argv);
	assert_non_null(server);
	assert_int_equal(proc_wait_line(server, "listening on", WAIT_MS), 0);
}

static int stop_server(void **)
{
	if (server != NULL)
		proc_passed(server);
	proc_stop(server);
	server = NULL;
	return 0;
}

// Run the client with these words behind the socket: what it printed, to be freed.
static char *client(int expected, const char *const *words)
{
	const char *argv[16] = {getenv("VHOST_USER_CLIENT"), "--json", "--timeout", "500", path};
	struct proc *p;
	char *text;
	int status;

	for (size_t i = 0; words[i] != NULL; i++)
		argv[5 + i] = words[i];
	p = proc_start("vhost-user-client", argv);
	assert_non_null(p);
	// To the end of its output, which comes after its own end.
	assert_int_equal(proc_wait_line(p, "\x01", WAIT_MS), -ECHILD);
	assert_int_equal(proc_wait_exit(p, WAIT_MS, &status), 0);
	text = proc_output(p);
	proc_passed(p);
	proc_stop(p);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), expected);
	return text;
}

#define CLIENT(expected, ...) client(expected, (const char *const[]){__VA_ARGS__, NULL})

static void must_say(char *text, const char *what)
{
	if (strstr(text, what) == NULL)
		fail_msg("'%s' is not in: %s", what, text);
	free(text);
}

static void info_tells_what_is_offered(void **)
{
	char *text;
	json_t *root;

	start_server(NULL);
	text = CLIENT(0, "info");
	root = json_loads(text, 0, NULL);
	assert_non_null(root);
	assert_string_equal(json_string_value(json_object_get(root, "device")), "net");
	assert_int_equal(json_integer_value(json_object_get(root, "queue_num")), 1);
	assert_int_equal(json_integer_value(json_object_get(root, "memory_slots")), 32);
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(root, "config"), "mac")),
		"02:00:00:00:00:01");
	json_decref(root);
	must_say(text, "NET_MRG_RXBUF");
}

static void one_message_is_sent_and_its_reply_decoded(void **)
{
	start_server(NULL);
	must_say(CLIENT(0, "send", "GET_QUEUE_NUM", "--negotiate"), "GET_QUEUE_NUM reply {0x1}");
	must_say(CLIENT(0, "send", "--negotiate", "SET_VRING_NUM", "0", "3"), "{0x1}");
	must_say(CLIENT(0, "send", "--negotiate", "SET_VRING_NUM", "0", "64"), "{0x0}");
	must_say(CLIENT(1, "send", "--flags", "2", "GET_FEATURES"), "hung up");
	must_say(CLIENT(2, "send", "NO_SUCH_REQUEST"), "no request 'NO_SUCH_REQUEST'");
	must_say(CLIENT(2, "send", "SET_VRING_NUM", "0", "4294967296"), "expected a number");
}

static void frames_come_back_as_they_were_sent(void **)
{
	char capture[96];
	json_t *root;
	char *text;

	snprintf(capture, sizeof(capture), "%s/back.pcap", dir);
	start_server(NULL);
	for (int round = 0; round < 2; round++) {
		text = round == 0 ? CLIENT(0, "net", "--generate", "100", "--count", "50",
					   "--seconds", "10", "--receive", capture)
				  : CLIENT(0, "net", "--send", capture, "--seconds", "10");
		root = json_loads(text, 0, NULL);
		assert_int_equal(json_integer_value(json_object_get(root, "received")), 50);
		assert_int_equal(json_integer_value(json_object_get(root, "received_bytes")), 5000);
		json_decref(root);
		free(text);
	}
}

static void pings_and_connections_are_counted(void **)
{
	start_server(NULL);
	must_say(CLIENT(0, "ping", "--count", "50"), "\"count\": 50, \"failed\": 0");
	must_say(CLIENT(0, "connect", "--repeat", "20", "--parallel", "3"),
		 "\"count\": 60, \"failed\": 0");
}

static void errors_say_what_is_wrong(void **)
{
	static const char *const said[][2] = {
		{"late-reply", "no answer within 500 ms"}, {"short-reply", "message is short"},
		{"wrong-id", "the answer is to another"},  {"wrong-size", "reply size"},
		{"hang-up-in-reply", "in the midst of"},   {"close-after=0", "hung up"},
	};
	FILE *plain;

	must_say(CLIENT(1, "info"), "no such socket");
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		start_server(said[i][0]);
		must_say(CLIENT(1, "ping", "--count", "1"), said[i][1]);
		stop_server(NULL);
	}
	plain = fopen(path, "we");
	assert_non_null(plain);
	fclose(plain);
	must_say(CLIENT(1, "info"), "nobody listens");
	unlink(path);
}

static int set_up(void **)
{
	if (proc_make_dir(dir, sizeof(dir)) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/card.sock", dir);
	return 0;
}

static int tear_down(void **)
{
	proc_remove_dir(dir);
	return 0;
}

#define TEST(name) cmocka_unit_test_teardown(name, stop_server)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(info_tells_what_is_offered),
		TEST(one_message_is_sent_and_its_reply_decoded),
		TEST(frames_come_back_as_they_were_sent),
		TEST(pings_and_connections_are_counted),
		TEST(errors_say_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
