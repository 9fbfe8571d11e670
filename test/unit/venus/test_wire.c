// SPDX-License-Identifier: BSD-3-Clause
#include "venus/wire.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct pair {
	struct rp_vn_wire a, b;
};

static int open_pair(void **state)
{
	struct pair *p = calloc(1, sizeof(*p));
	int fds[2];

	if (p == NULL || socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)
		return -1;
	p->a.fd = fds[0];
	p->b.fd = fds[1];
	*state = p;
	return 0;
}

static int close_pair(void **state)
{
	struct pair *p = *state;

	rp_vn_wire_close(&p->a);
	rp_vn_wire_close(&p->b);
	free(p);
	return 0;
}

static void a_frame_arrives_whole(void **state)
{
	static const uint8_t bytes[] = {'S', 'L', 'P', 'V', 4, 0, 0, 0, 1, 2, 3, 4};
	struct pair *p = *state;
	struct rp_reader frame;
	uint8_t raw[12];

	assert_int_equal(rp_vn_wire_send(&p->a, bytes + 8, 4, 1000), 0);
	assert_int_equal(recv(p->b.fd, raw, sizeof(raw), MSG_PEEK), 12);
	assert_memory_equal(raw, bytes, 12);
	assert_int_equal(rp_vn_wire_recv(&p->b, &frame, 1000), 0);
	assert_int_equal(rp_reader_left(&frame), 4);
	assert_memory_equal(frame.pos, bytes + 8, 4);
}

static void frames_that_arrive_together_are_told_apart(void **state)
{
	struct pair *p = *state;
	struct rp_reader frame;

	for (uint8_t i = 0; i < 100; i++)
		assert_int_equal(rp_vn_wire_send(&p->a, &i, 1, 1000), 0);
	for (uint8_t i = 0; i < 100; i++) {
		uint8_t v;

		assert_int_equal(rp_vn_wire_recv(&p->b, &frame, 1000), 0);
		assert_true(rp_read_u8(&frame, &v));
		assert_int_equal(v, i);
	}
}

static void *send_bytewise(void *arg)
{
	static const uint8_t bytes[] = {'S', 'L', 'P', 'V', 3, 0, 0, 0, 7, 8, 9};
	struct pair *p = arg;

	for (size_t i = 0; i < sizeof(bytes); i++) {
		if (write(p->a.fd, bytes + i, 1) != 1)
			abort();
		sched_yield();
	}
	return NULL;
}

static void short_reads_are_put_together(void **state)
{
	struct pair *p = *state;
	struct rp_reader frame;
	pthread_t thread;

	pthread_create(&thread, NULL, send_bytewise, p);
	assert_int_equal(rp_vn_wire_recv(&p->b, &frame, 5000), 0);
	pthread_join(thread, NULL);
	assert_int_equal(rp_reader_left(&frame), 3);
	assert_memory_equal(frame.pos, "\x07\x08\x09", 3);
}

static void *send_large(void *arg)
{
	struct pair *p = arg;
	uint8_t *data = malloc(RP_VN_MAX_FRAME);

	memset(data, 0x5a, RP_VN_MAX_FRAME);
	if (rp_vn_wire_send(&p->a, data, RP_VN_MAX_FRAME, 20000) != 0)
		abort();
	free(data);
	return NULL;
}

static void on_alarm(int)
{
}

// The largest frame does not fit into the socket, so both ends see short counts; signals keep
// interrupting them meanwhile.
static void the_largest_frame_survives_short_counts_and_signals(void **state)
{
	const struct sigaction act = {.sa_handler = on_alarm};
	struct pair *p = *state;
	struct rp_reader frame;
	pthread_t thread;

	sigaction(SIGUSR1, &act, NULL);
	pthread_create(&thread, NULL, send_large, p);
	for (int i = 0; i < 50; i++)
		pthread_kill(thread, SIGUSR1);
	assert_int_equal(rp_vn_wire_recv(&p->b, &frame, 20000), 0);
	pthread_join(thread, NULL);
	assert_int_equal(rp_reader_left(&frame), RP_VN_MAX_FRAME);
	assert_int_equal(frame.pos[RP_VN_MAX_FRAME - 1], 0x5a);
}

static void garbage_is_no_frame(void **state)
{
	struct pair *p = *state;
	struct rp_reader frame;

	assert_int_equal(write(p->a.fd, "HTTP/1.1 400 Bad", 16), 16);
	assert_int_equal(rp_vn_wire_recv(&p->b, &frame, 1000), -EPROTO);
}

static void an_oversized_frame_is_refused_before_it_is_read(void **state)
{
	static const uint8_t header[] = {'S', 'L', 'P', 'V', 1, 0, 0, 1};
	struct pair *p = *state;
	struct rp_reader frame;

	assert_int_equal(write(p->a.fd, header, 8), 8);
	assert_int_equal(rp_vn_wire_recv(&p->b, &frame, 1000), -EMSGSIZE);
	assert_true(p->b.cap < RP_VN_MAX_FRAME);
	assert_int_equal(rp_vn_wire_send(&p->a, header, RP_VN_MAX_FRAME + 1, 1000), -EMSGSIZE);
}

static void a_silent_peer_runs_into_the_timeout(void **state)
{
	struct pair *p = *state;
	struct rp_reader frame;

	assert_int_equal(rp_vn_wire_recv(&p->b, &frame, 20), -ETIMEDOUT);
}

static void a_peer_that_does_not_read_runs_into_the_timeout(void **state)
{
	struct pair *p = *state;
	uint8_t *data = calloc(1, RP_VN_MAX_FRAME);

	assert_int_equal(rp_vn_wire_send(&p->a, data, RP_VN_MAX_FRAME, 20), -ETIMEDOUT);
	free(data);
}

static void a_dead_peer_is_an_error_and_no_signal(void **state)
{
	struct pair *p = *state;
	struct rp_reader frame;

	assert_int_equal(write(p->a.fd, "SLPV", 4), 4);
	rp_vn_wire_close(&p->a);
	assert_int_equal(rp_vn_wire_recv(&p->b, &frame, 1000), -EPIPE);
	assert_int_equal(rp_vn_wire_send(&p->b, "x", 1, 1000), -EPIPE);
}

int main(void)
{
#define WITH_PAIR(test) cmocka_unit_test_setup_teardown(test, open_pair, close_pair)
	const struct CMUnitTest tests[] = {
		WITH_PAIR(a_frame_arrives_whole),
		WITH_PAIR(frames_that_arrive_together_are_told_apart),
		WITH_PAIR(short_reads_are_put_together),
		WITH_PAIR(the_largest_frame_survives_short_counts_and_signals),
		WITH_PAIR(garbage_is_no_frame),
		WITH_PAIR(an_oversized_frame_is_refused_before_it_is_read),
		WITH_PAIR(a_silent_peer_runs_into_the_timeout),
		WITH_PAIR(a_peer_that_does_not_read_runs_into_the_timeout),
		WITH_PAIR(a_dead_peer_is_an_error_and_no_signal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
