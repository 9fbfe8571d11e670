/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What the files of lib/qmp share. Rules:
 * - c->lock guards everything in struct rp_qmp but what is marked otherwise; it is never held while
 *   a callback runs.
 * - Only the loop's thread touches the events (other threads wake it), reads the socket and closes
 *   it.
 */

#include <event2/event.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "qmp/frame.h"
#include "qmp/qmp.h"

#define MAX_FDS	      16
#define MAX_ADDRESSES 8
// With out-of-band execution QEMU stops reading at 8 queued commands, out-of-band ones included.
#define OOB_WINDOW 7

struct rp_qmp_loop {
	struct event_base *base;
	struct event *stop;
	pthread_t thread;
	uint8_t buf[65536]; // loop's thread only
};

struct address {
	char text[160];
	bool is_unix;
	unsigned n;
	struct {
		socklen_t len;
		struct sockaddr_storage sa;
	} list[MAX_ADDRESSES];
};

enum call_state { CALL_QUEUED, CALL_SENT, CALL_DONE };

struct rp_qmp_call {
	TAILQ_ENTRY(rp_qmp_call) link;
	struct rp_qmp *c;
	atomic_uint refs;
	enum call_state state;
	bool oob;
	bool negotiation;
	char *text; // the command up to its id; the id is added when it is first written
	size_t len;
	size_t off; // written
	int fds[MAX_FDS];
	unsigned n_fds;
	uint64_t seq; // 0: not yet written
	uint64_t started_ns;
	uint64_t deadline_ms;	    // 0: none
	uint64_t write_deadline_ms; // set when it is first tried; 0: none or not yet
	struct event *timer;	    // only with a callback
	pthread_cond_t finished;
	rp_qmp_done_fn done;
	void *done_arg;
	json_t *ret;
	struct rp_qmp_error err;
	char name[64];
};

TAILQ_HEAD(call_list, rp_qmp_call);

struct event_node {
	TAILQ_ENTRY(event_node) link;
	struct rp_qmp_event *e;
};

struct rp_qmp_queue {
	TAILQ_ENTRY(rp_qmp_queue) link;
	struct rp_qmp *c;
	TAILQ_HEAD(, event_node) events;
	size_t n;
	size_t capacity;
	uint64_t dropped;
	pthread_cond_t arrived;
};

struct rp_qmp_watch {
	TAILQ_ENTRY(rp_qmp_watch) link;
	char *name;
	struct rp_qmp_filter filter;
	rp_qmp_event_fn fn;
	void *arg;
	bool running; // its callback, right now
	bool gone;    // removed by its own callback
};

struct rp_qmp {
	atomic_uint refs;
	struct rp_qmp_loop *loop;
	bool own_loop;
	struct address address;	 // constant
	struct rp_qmp_opts opts; // constant

	pthread_mutex_t lock;
	pthread_cond_t changed; // state, closing, watches
	enum rp_qmp_state state;
	struct rp_qmp_error cause; // of LOST and ENDED
	bool begun;
	bool told_lost;
	bool closing;
	bool torn; // the loop has let go of it
	int fd;	   // -1: none
	int peer_pid;
	unsigned attempt; // index into address.list
	uint64_t phase_deadline_ms;
	unsigned backoff_ms;
	bool quit_sent; // a reset is then as good as an end
	struct rp_qmp_version version;

	struct event *ev_wake; // loop's thread only, but event_active()
	struct event *ev_timer;
	struct event *ev_read;
	struct event *ev_write;
	struct rp_qmp_frame frame;

	struct call_list sendq; // in the order of writing; only the first may be half written
	struct call_list sent;	// in the order of writing
	struct call_list done;	// finished, callback due on the loop's thread
	bool blocked;		// the socket takes no more; the loop shall write
	bool woken;
	uint64_t seq[2];  // last one written: in band, out of band
	uint64_t settled; // every in-band command up to this one is answered
	uint64_t fd_seq;  // last in-band command that carried descriptors
	bool resync;	  // 0xFF must be written before anything else
	uint64_t quiet;	  // errors without id are ours until a reply beyond this
	bool quiet_on;

	TAILQ_HEAD(, rp_qmp_queue) queues;
	TAILQ_HEAD(, rp_qmp_watch) watches;
	struct rp_qmp_queue *events; // its own queue, or NULL
	struct rp_qmp_counters counters;
};

// address.c
int rp_qmp_address_parse(struct address *a, const char *text, struct rp_qmp_error *err);
// Start to connect. 0: connected; -EINPROGRESS; another -errno.
int rp_qmp_address_connect(const struct address *a, unsigned index, int *fd);
enum rp_qmp_kind rp_qmp_address_failure(const struct address *a, int code, char *why, size_t len);
int rp_qmp_address_peer_pid(int fd);
// Why does the server say nothing? BUSY or TIMEOUT, with the reason.
enum rp_qmp_kind rp_qmp_address_silence(const struct address *a, int fd, char *why, size_t len);

// client.c
void rp_qmp_cond_init(pthread_cond_t *cond);
// Wait until deadline_ms (0: for ever). False: it has passed.
bool rp_qmp_cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t deadline_ms);
uint64_t rp_qmp_deadline_in(unsigned ms);
__attribute__((format(printf, 3, 4))) void
rp_qmp_client_log(const struct rp_qmp *c, enum rp_log_level level, const char *fmt, ...);
void rp_qmp_wake(struct rp_qmp *c); // lock held

// loop.c
bool rp_qmp_on_loop(const struct rp_qmp_loop *loop);

// connect.c
void rp_qmp_client_on_timer(evutil_socket_t, short, void *c);
enum rp_qmp_phase rp_qmp_client_phase(enum rp_qmp_state state);
void rp_qmp_client_begin(struct rp_qmp *c);	// loop's thread, lock not held
void rp_qmp_client_arm_write(struct rp_qmp *c); // loop's thread, lock held
// Loop's thread, lock not held: the connection is over.
__attribute__((format(printf, 4, 5))) void rp_qmp_client_lost(struct rp_qmp *c,
							      enum rp_qmp_kind kind,
							      enum rp_qmp_phase phase,
							      const char *desc, ...);
void rp_qmp_client_greeted(struct rp_qmp *c, const json_t *greeting);

// call.c; lock held unless said otherwise
int rp_qmp_call_start(struct rp_qmp *c, const struct rp_qmp_request *req, bool negotiation,
		      struct rp_qmp_call **call, struct rp_qmp_error *err); // not held
void rp_qmp_calls_pump(struct rp_qmp *c);
void rp_qmp_calls_expire_write(struct rp_qmp *c);
uint64_t rp_qmp_calls_write_deadline(const struct rp_qmp *c);
void rp_qmp_call_finish(struct rp_qmp_call *call, json_t *ret, const struct rp_qmp_error *err);
void rp_qmp_calls_fail_all(struct rp_qmp *c, const struct rp_qmp_error *cause);
void rp_qmp_calls_run_callbacks(struct rp_qmp *c); // loop's thread, not held
struct rp_qmp_call *rp_qmp_calls_find(struct rp_qmp *c, uint64_t id);
struct rp_qmp_call *rp_qmp_calls_oldest(struct rp_qmp *c);

// receive.c; loop's thread, lock not held
void rp_qmp_receive(struct rp_qmp *c);

// event.c
void rp_qmp_event_arrived(struct rp_qmp *c, const json_t *message); // loop's thread, not held
struct rp_qmp_queue *rp_qmp_queue_new(struct rp_qmp *c, size_t capacity);
void rp_qmp_queue_free(struct rp_qmp_queue *q);
// rp_qmp_queue_wait() up to a point in time (0: for ever), ending as soon as the connection was
// lost more often than that.
int rp_qmp_queue_wait_until(struct rp_qmp_queue *q, const struct rp_qmp_filter *filter,
			    uint64_t deadline_ms, uint64_t losses, struct rp_qmp_event **e,
			    struct rp_qmp_error *err);
void rp_qmp_queues_wake(struct rp_qmp *c);
void rp_qmp_watch_free(struct rp_qmp_watch *w);

// counters.c; lock held
void rp_qmp_count_reply(struct rp_qmp *c, const struct rp_qmp_call *call);
enum rp_qmp_class rp_qmp_error_class(const char *name);
