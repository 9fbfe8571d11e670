// SPDX-License-Identifier: BSD-3-Clause
#include "base/unix.h"
#include "count_fds.h"
#include "vhost_user/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define SHORT_MS 20

struct pair {
	int us;
	int peer;
	int fds_before;
};

static int open_pair(void **state)
{
	struct pair *p = calloc(1, sizeof(*p));
	int s[2];

	p->fds_before = count_fds();
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s) < 0)
		return -1;
	p->us = s[0];
	p->peer = s[1];
	*state = p;
	return 0;
}

// Whatever happened in a test: no descriptor is left over.
static int close_pair(void **state)
{
	struct pair *p = *state;
	int leaked;

	close(p->us);
	if (p->peer >= 0)
		close(p->peer);
	leaked = count_fds() - p->fds_before;
	free(p);
	return leaked == 0 ? 0 : -1;
}

static void peer_says(struct pair *p, uint32_t id, uint32_t flags, uint32_t size,
		      const void *payload, size_t len, unsigned int n_fds)
{
	uint8_t bytes[4200];
	struct rp_vhu_header h = {.request = id, .flags = flags, .size = size};
	int fds[253] = {0};

	memcpy(bytes, &h, sizeof(h));
	if (len > 0)
		memcpy(bytes + sizeof(h), payload, len);
	for (unsigned int i = 0; i < n_fds; i++)
		fds[i] = STDERR_FILENO;
	assert_int_equal(rp_vhu_send_raw(p->peer, bytes, sizeof(h) + len, fds, n_fds, 100, NULL),
			 0);
}

static void expect_error(int rc, int code, const struct rp_error *err, const char *text)
{
	char buf[600];

	rp_error_text(err, buf, sizeof(buf));
	if (rc != -code || strstr(buf, text) == NULL)
		fail_msg("%d '%s', expected %d '%s'", rc, buf, -code, text);
}

static const uint64_t value = 0x1122334455667788;

static void message_and_descriptors_arrive_together(void **state)
{
	struct pair *p = *state;
	struct rp_vhu_msg out = {.request = RP_VHU_SET_VRING_CALL,
				 .flags = RP_VHU_FLAG_NEED_REPLY,
				 .size = 8,
				 .payload.u64 = value,
				 .fds = {p->us, p->peer},
				 .n_fds = 2};
	struct rp_vhu_msg in;

	assert_int_equal(rp_vhu_send(p->us, &out, 100, NULL), 0);
	assert_int_equal(rp_vhu_recv(p->peer, &in, 100, NULL), 0);
	assert_int_equal(in.request, RP_VHU_SET_VRING_CALL);
	assert_int_equal(in.flags, RP_VHU_VERSION | RP_VHU_FLAG_NEED_REPLY);
	assert_int_equal(in.size, 8);
	assert_true(in.payload.u64 == value);
	assert_int_equal(in.n_fds, 2);
	assert_true((fcntl(in.fds[0], F_GETFD) & FD_CLOEXEC) != 0);
	rp_vhu_close_fds(&in);
}

static void message_in_single_bytes_is_put_together(void **state)
{
	struct pair *p = *state;
	struct rp_vhu_header h = {.request = 1, .flags = 5, .size = 8};
	struct rp_vhu_msg in;

	for (unsigned int i = 0; i < sizeof(h); i++)
		assert_int_equal(write(p->peer, (char *)&h + i, 1), 1);
	for (unsigned int i = 0; i < 8; i++)
		assert_int_equal(write(p->peer, (const char *)&value + i, 1), 1);
	assert_int_equal(rp_vhu_recv(p->us, &in, 100, NULL), 0);
	assert_true(in.payload.u64 == value);
}

static void silent_peer_is_late(void **state)
{
	struct pair *p = *state;
	struct rp_error err;
	struct rp_vhu_msg in;

	expect_error(rp_vhu_recv(p->us, &in, SHORT_MS, &err), ETIMEDOUT, &err,
		     "no answer within 20 ms");
}

static void peer_hangs_up(void **state)
{
	struct pair *p = *state;
	struct rp_error err;
	struct rp_vhu_msg in;

	close(p->peer);
	p->peer = -1;
	expect_error(rp_vhu_recv(p->us, &in, 100, &err), ECONNRESET, &err, "peer: hung up");
}

static void peer_hangs_up_in_the_header(void **state)
{
	struct pair *p = *state;
	struct rp_error err;
	struct rp_vhu_msg in;

	assert_int_equal(write(p->peer, "12345", 5), 5);
	close(p->peer);
	p->peer = -1;
	expect_error(rp_vhu_recv(p->us, &in, 100, &err), ECONNRESET, &err,
		     "5 of 12 bytes of the header");
}

static void peer_hangs_up_in_the_payload(void **state)
{
	struct pair *p = *state;
	struct rp_error err;
	struct rp_vhu_msg in;

	peer_says(p, 1, 5, 8, &value, 3, 2);
	close(p->peer);
	p->peer = -1;
	expect_error(rp_vhu_recv(p->us, &in, 100, &err), ECONNRESET, &err,
		     "3 of 8 bytes of the payload");
}

static void message_is_short(void **state)
{
	struct pair *p = *state;
	struct rp_error err;
	struct rp_vhu_msg in;

	peer_says(p, 1, 5, 8, &value, 3, 0);
	expect_error(rp_vhu_recv(p->us, &in, SHORT_MS, &err), ETIMEDOUT, &err,
		     "message is short: 3 of 8 bytes");
}

static void absurd_size_is_refused_unread(void **state)
{
	const uint32_t sizes[] = {4097, 0x7fffffff, 0xffffffff};
	struct pair *p = *state;
	struct rp_error err;
	struct rp_vhu_msg in;

	for (int i = 0; i < 3; i++) {
		peer_says(p, 1, 5, sizes[i], NULL, 0, 1);
		expect_error(rp_vhu_recv(p->us, &in, 100, &err), EBADMSG, &err, "message size");
	}
}

static void too_many_descriptors_are_closed(void **state)
{
	const unsigned int counts[] = {9, 16, 17, 253};
	struct pair *p = *state;
	struct rp_error err;
	struct rp_vhu_msg in;

	for (int i = 0; i < 4; i++) {
		int s[2];

		peer_says(p, 1, 5, 8, &value, 8, counts[i]);
		expect_error(rp_vhu_recv(p->us, &in, 100, &err), EBADMSG, &err,
			     "descriptors: more than 8");
		close(p->us);
		close(p->peer);
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
		p->us = s[0];
		p->peer = s[1];
	}
}

// A call whose answer is already under way.
static int call(struct pair *p, uint32_t id, struct rp_error *err)
{
	struct rp_vhu_msg msg = {.request = id};

	return rp_vhu_call(p->us, &msg, RP_VHU_PROTOCOL_BIT(REPLY_ACK), SHORT_MS, err);
}

static void call_gives_the_answer(void **state)
{
	struct pair *p = *state;
	struct rp_vhu_msg msg = {.request = RP_VHU_GET_FEATURES};

	peer_says(p, 1, 5, 8, &value, 8, 0);
	assert_int_equal(rp_vhu_call(p->us, &msg, 0, 100, NULL), 0);
	assert_true(msg.payload.u64 == value);
}

static void wrong_answers_are_named(void **state)
{
	static const struct {
		uint32_t id, flags, size;
		unsigned int n_fds;
		const char *text;
	} wrong[] = {
		{15, 5, 8, 0, "reply id '15': GET_FEATURES: the answer is to another request"},
		{1, 4, 8, 0, "reply version '0': GET_FEATURES"},
		{1, 1, 8, 0, "reply flags '1': GET_FEATURES: the reply bit"},
		{1, 5, 4, 0, "reply size '4': GET_FEATURES"},
		{1, 5, 0, 0, "reply size '0': GET_FEATURES"},
		{1, 5, 16, 0, "reply size '16': GET_FEATURES"},
		{1, 5, 8, 1, "reply descriptors '1': GET_FEATURES"},
	};
	const uint8_t zero[16] = {0};
	struct pair *p = *state;
	struct rp_error err;

	for (unsigned int i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		peer_says(p, wrong[i].id, wrong[i].flags, wrong[i].size, zero, wrong[i].size,
			  wrong[i].n_fds);
		expect_error(call(p, RP_VHU_GET_FEATURES, &err), EBADMSG, &err, wrong[i].text);
	}
}

static void refusal_names_the_request(void **state)
{
	struct pair *p = *state;
	struct rp_vhu_msg msg = {.request = RP_VHU_SET_OWNER, .flags = RP_VHU_FLAG_NEED_REPLY};
	const uint64_t nack = 1;
	struct rp_error err;

	peer_says(p, RP_VHU_SET_OWNER, 5, 8, &nack, 8, 0);
	expect_error(rp_vhu_call(p->us, &msg, RP_VHU_PROTOCOL_BIT(REPLY_ACK), 100, &err), EPROTO,
		     &err, "peer 'SET_OWNER': refused it");
}

static void request_without_reply_waits_for_none(void **state)
{
	struct pair *p = *state;
	struct rp_vhu_msg msg = {.request = RP_VHU_SET_OWNER};

	assert_int_equal(rp_vhu_call(p->us, &msg, UINT64_MAX, SHORT_MS, NULL), 0);
	assert_int_equal(msg.size, 0);
}

static void answer_to_a_config_request_may_be_empty(void **state)
{
	struct pair *p = *state;
	struct rp_vhu_msg msg = {
		.request = RP_VHU_GET_CONFIG, .size = 12 + 4, .payload.config.size = 4};

	peer_says(p, RP_VHU_GET_CONFIG, 5, 0, NULL, 0, 0);
	assert_int_equal(rp_vhu_call(p->us, &msg, 0, 100, NULL), 0);
	assert_int_equal(msg.size, 0);
}

static void requests_are_checked_against_the_table(void **)
{
	static const struct {
		struct rp_vhu_msg msg;
		const char *text;
	} wrong[] = {
		{{.request = 99, .flags = 1}, "request id '99'"},
		{{.request = 0, .flags = 1}, "request id '0'"},
		{{.request = 1, .flags = 2}, "version '2'"},
		{{.request = 1, .flags = 5}, "marked as a reply"},
		{{.request = 1, .flags = 0x11}, "reserved bits are set"},
		{{.request = 1, .flags = 1, .size = 8}, "message size '8': GET_FEATURES"},
		{{.request = 2, .flags = 1, .size = 4}, "message size '4': SET_FEATURES"},
		{{.request = 7, .flags = 1}, "descriptors '0': SET_LOG_FD"},
		{{.request = 1, .flags = 1, .n_fds = 1}, "descriptors '1': GET_FEATURES"},
	};
	struct rp_vhu_msg good = {.request = 2, .flags = 9, .size = 8};
	struct rp_error err;

	for (unsigned int i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		expect_error(rp_vhu_check_request(&wrong[i].msg, RP_VHU_FROM_FRONTEND, &err),
			     EBADMSG, &err, wrong[i].text);
	assert_int_equal(rp_vhu_check_request(&good, RP_VHU_FROM_FRONTEND, NULL), 0);
}

static void send_to_a_closed_peer_raises_no_signal(void **state)
{
	struct pair *p = *state;
	struct rp_vhu_msg msg = {.request = RP_VHU_SET_OWNER};
	struct rp_error err;

	close(p->peer);
	p->peer = -1;
	expect_error(rp_vhu_send(p->us, &msg, 100, &err), ECONNRESET, &err, "hung up before");
}

static void send_to_a_peer_that_does_not_read_ends(void **state)
{
	static const uint8_t much[1 << 16];
	struct pair *p = *state;
	struct rp_error err;
	int rc = 0;

	for (int i = 0; i < 1000 && rc == 0; i++)
		rc = rp_vhu_send_raw(p->us, much, sizeof(much), NULL, 0, SHORT_MS, &err);
	expect_error(rc, ETIMEDOUT, &err, "it does not read");
}

static void connect_says_what_is_wrong(void **)
{
	char dir[] = "/tmp/ringplane-test.XXXXXX", path[64], longer[200];
	struct rp_error err;
	int listener;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	expect_error(rp_unix_connect(path, 100, &err), ENOENT, &err, "no such socket");
	listener = rp_unix_listen(path, &err);
	assert_true(listener >= 0);
	expect_error(rp_unix_listen(path, &err), EADDRINUSE, &err, "another program listens there");
	close(listener);
	expect_error(rp_unix_connect(path, 100, &err), ECONNREFUSED, &err, "nobody listens there");
	listener = rp_unix_listen(path, &err); // takes the dead file's place
	assert_true(listener >= 0);
	// The probe of the refused listen() above is gone with its listener: nobody connects here.
	expect_error(rp_vhu_accept(listener, SHORT_MS, &err), ETIMEDOUT, &err,
		     "nobody connected within 20 ms");
	close(listener);
	unlink(path);
	close(open(path, O_CREAT | O_CLOEXEC, 0600));
	expect_error(rp_unix_listen(path, &err), EEXIST, &err, "is not a socket");
	unlink(path);
	rmdir(dir);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	expect_error(rp_unix_connect(longer, 100, &err), ENAMETOOLONG, &err, "path is too long");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_pair, close_pair)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(message_and_descriptors_arrive_together),
		TEST(message_in_single_bytes_is_put_together),
		TEST(silent_peer_is_late),
		TEST(peer_hangs_up),
		TEST(peer_hangs_up_in_the_header),
		TEST(peer_hangs_up_in_the_payload),
		TEST(message_is_short),
		TEST(absurd_size_is_refused_unread),
		TEST(too_many_descriptors_are_closed),
		TEST(call_gives_the_answer),
		TEST(wrong_answers_are_named),
		TEST(refusal_names_the_request),
		TEST(request_without_reply_waits_for_none),
		TEST(answer_to_a_config_request_may_be_empty),
		cmocka_unit_test(requests_are_checked_against_the_table),
		TEST(send_to_a_closed_peer_raises_no_signal),
		TEST(send_to_a_peer_that_does_not_read_ends),
		cmocka_unit_test(connect_says_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
