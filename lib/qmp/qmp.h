/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A client of QMP, the JSON monitor of QEMU and qemu-storage-daemon.
 *
 * Theory of operation. A client (struct rp_qmp) is one connection, driven by a loop: one thread
 * that reads, parses, runs callbacks and keeps the deadlines of any number of clients. Commands are
 * written by the thread that issues them when the socket takes them at once, and by the loop when
 * it does not, so no call ever blocks in a write. Each command carries an id; the reply is matched
 * by it, and a reply whose command was cancelled or timed out is dropped and counted.
 *
 * A command that is abandoned before its last byte is written never runs: the rest is replaced by
 * the byte 0xFF, at which QEMU's parser throws away what it has and starts anew. One that is
 * abandoned later may still run; only its reply is dropped.
 *
 * Deadlines are separate for connect (with retries while the socket is missing or refuses),
 * greeting, each write and each reply. All are in milliseconds; 0 means none.
 *
 * Thread-safety: every function may be called from any thread at any time. Callbacks run on the
 * loop's thread and must not block; the functions that wait return RP_QMP_ARGUMENT there. A pointer
 * given to rp_qmp_close(), rp_qmp_call_free(), rp_qmp_queue_close() may not be used afterwards.
 *
 * JSON values belong to whoever receives them, except where "borrowed" is said. jansson holds
 * integers as signed 64-bit: larger unsigned values in a reply become reals.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "qmp/error.h"

struct rp_qmp;
struct rp_qmp_loop;
struct rp_qmp_call;
struct rp_qmp_queue;
struct rp_qmp_watch;

// ---- Loop ----

// A thread for any number of clients. NULL with errno set.
struct rp_qmp_loop *rp_qmp_loop_new(void);
// After all its clients are closed; not from a callback.
void rp_qmp_loop_free(struct rp_qmp_loop *loop);

// ---- Connection ----

enum rp_qmp_state {
	RP_QMP_CONNECTING,  // also between two attempts of the same deadline
	RP_QMP_GREETING,    // connected, waiting for {"QMP": ...}
	RP_QMP_NEGOTIATING, // qmp_capabilities is on its way
	RP_QMP_READY,
	RP_QMP_LOST,  // reconnects by itself after a pause
	RP_QMP_ENDED, // for good
};

const char *rp_qmp_state_name(enum rp_qmp_state state);

// Called on the loop's thread after each change to READY, LOST or ENDED. cause is borrowed, and
// NULL for READY.
typedef void (*rp_qmp_state_fn)(struct rp_qmp *c, enum rp_qmp_state state,
				const struct rp_qmp_error *cause, void *arg);

struct rp_qmp_opts {
	unsigned connect_ms;  // deadline of connect with its retries
	unsigned retry_ms;    // pause between attempts; 0: one attempt only
	unsigned greeting_ms; // from connect to greeting
	unsigned command_ms;  // from issuing a command to its reply, where it names no other
	unsigned write_ms;    // from the first byte of a command to its last
	unsigned
		reconnect_min_ms; // first pause after a loss, doubled up to max; 0: no reconnecting
	unsigned reconnect_max_ms;
	bool oob;	      // enable out-of-band execution where the server offers it
	size_t reply_limit;   // longest message accepted, bytes
	size_t send_limit;    // longest command sent, bytes, unless the request forces it
	unsigned depth_limit; // deepest nesting accepted, at most 1024
	size_t event_queue;   // events kept for rp_qmp_wait_event(); 0: none
	rp_log_sink_fn log;   // NULL: rp_log()
	void *log_arg;
	rp_qmp_state_fn on_state; // may be NULL
	void *state_arg;
};

// clang-format off
#define RP_QMP_OPTS_DEFAULT                                                                        \
	((struct rp_qmp_opts){                                                                     \
		.connect_ms = 5000, .retry_ms = 50, .greeting_ms = 3000, .command_ms = 10000,      \
		.write_ms = 5000, .reply_limit = 16u << 20, .send_limit = 1u << 20,                \
		.depth_limit = 64, .event_queue = 256,                                             \
	})
// clang-format on

/*
 * Connect, greet and negotiate; wait until that is done or has failed.
 * address: "/path", "unix:/path", "tcp:HOST:PORT" ("tcp:[::1]:4444"). Names are looked up once.
 * opts: NULL for RP_QMP_OPTS_DEFAULT. Returns NULL with errno set and *err filled.
 */
struct rp_qmp *rp_qmp_connect(const char *address, const struct rp_qmp_opts *opts,
			      struct rp_qmp_error *err);

// The same on a shared loop and without waiting: the state goes on by itself.
struct rp_qmp *rp_qmp_open(struct rp_qmp_loop *loop, const char *address,
			   const struct rp_qmp_opts *opts, struct rp_qmp_error *err);

// Wait until the client is READY, or until it is LOST or ENDED (then the cause is the error).
int rp_qmp_wait_ready(struct rp_qmp *c, unsigned timeout_ms, struct rp_qmp_error *err);

// End the connection and drop the reference; commands in flight fail with RP_QMP_CLOSED. When it
// returns no callback is running or will run. Not from a callback. NULL is fine.
void rp_qmp_close(struct rp_qmp *c);

// References, for sharing a client: rp_qmp_unref() on the last one frees a closed client.
struct rp_qmp *rp_qmp_ref(struct rp_qmp *c);
void rp_qmp_unref(struct rp_qmp *c);

enum rp_qmp_state rp_qmp_state(struct rp_qmp *c);
// As it was given, borrowed.
const char *rp_qmp_address(const struct rp_qmp *c);
// The process behind a Unix socket, or 0: not connected, or TCP.
int rp_qmp_peer_pid(struct rp_qmp *c);

struct rp_qmp_version {
	int major, minor, micro;
	char package[128];
	bool oob; // out-of-band execution is enabled
};

// From the greeting of the current or last connection; all zero before the first.
void rp_qmp_version(struct rp_qmp *c, struct rp_qmp_version *version);

// ---- Commands ----

// Called on the loop's thread, exactly once. ret is NULL on failure, and borrowed: another thread
// gets a json_deep_copy() of it.
typedef void (*rp_qmp_done_fn)(struct rp_qmp_call *call, json_t *ret,
			       const struct rp_qmp_error *err, void *arg);

struct rp_qmp_request {
	const char *command;
	json_t *arguments;   // object, borrowed; NULL: none
	unsigned timeout_ms; // 0: the client's command_ms
	bool oob;	     // execute out of band; needs opts.oob
	bool force;	     // send even beyond send_limit
	const int *fds; // descriptors to pass along (SCM_RIGHTS): borrowed, may be closed after
	unsigned n_fds; // at most 16; Unix sockets only
	rp_qmp_done_fn done; // NULL: wait with rp_qmp_call_wait()
	void *done_arg;
};

// Run a command and wait for its reply. *ret (where ret is not NULL) is the value of "return".
int rp_qmp_exec(struct rp_qmp *c, const char *command, json_t *arguments, json_t **ret,
		struct rp_qmp_error *err);
int rp_qmp_exec_request(struct rp_qmp *c, const struct rp_qmp_request *req, json_t **ret,
			struct rp_qmp_error *err);

// Issue a command without waiting. Returns NULL with errno set and *err filled when it cannot be
// issued at all; the callback is not called then.
struct rp_qmp_call *rp_qmp_start(struct rp_qmp *c, const struct rp_qmp_request *req,
				 struct rp_qmp_error *err);
// Wait for the reply. Several threads may; the value goes to the first of them that asks for it,
// and to the callback where there is one: the others get NULL.
int rp_qmp_call_wait(struct rp_qmp_call *call, json_t **ret, struct rp_qmp_error *err);
// Abandon it; waiters and the callback get RP_QMP_CANCELLED. False: it was already finished.
bool rp_qmp_call_cancel(struct rp_qmp_call *call);
struct rp_qmp_call *rp_qmp_call_ref(struct rp_qmp_call *call);
// Drop the reference. A call goes on without one: free it at once to fire and forget.
void rp_qmp_call_free(struct rp_qmp_call *call);

// ---- Events ----

struct rp_qmp_event {
	const char *name;
	json_t *data; // object, borrowed, read only; never NULL
	int64_t seconds;
	int64_t microseconds; // since the epoch, by QEMU's clock; -1 where the host clock failed
};

struct rp_qmp_filter {
	const char *name; // shell pattern ("BLOCK_*"); NULL: any
	json_t *data;	  // members that the event's data must have; borrowed; NULL: any
};

bool rp_qmp_event_match(const struct rp_qmp_event *e, const struct rp_qmp_filter *filter);

struct rp_qmp_event *rp_qmp_event_ref(const struct rp_qmp_event *e);
void rp_qmp_event_unref(struct rp_qmp_event *e);

// Called on the loop's thread for each matching event; e is borrowed: keep it with a reference.
typedef void (*rp_qmp_event_fn)(struct rp_qmp *c, const struct rp_qmp_event *e, void *arg);

// Filter: NULL for all; it is copied. NULL with errno set when out of memory. Lasts over
// reconnects.
struct rp_qmp_watch *rp_qmp_watch(struct rp_qmp *c, const struct rp_qmp_filter *filter,
				  rp_qmp_event_fn fn, void *arg);
// When it returns the callback is not running and will not run again, unless called from it.
void rp_qmp_unwatch(struct rp_qmp *c, struct rp_qmp_watch *watch);

// A queue of events from now on. When it is full the oldest is dropped and counted.
struct rp_qmp_queue *rp_qmp_queue_open(struct rp_qmp *c, size_t capacity);
void rp_qmp_queue_close(struct rp_qmp_queue *q);
// Take the first event that matches; others stay. On a connection that ended: what is queued first,
// then the cause. e is the caller's reference. timeout_ms 0: no deadline.
int rp_qmp_queue_wait(struct rp_qmp_queue *q, const struct rp_qmp_filter *filter,
		      unsigned timeout_ms, struct rp_qmp_event **e, struct rp_qmp_error *err);
uint64_t rp_qmp_queue_dropped(struct rp_qmp_queue *q);

// The same on the client's own queue, which is there from before the greeting.
int rp_qmp_wait_event(struct rp_qmp *c, const struct rp_qmp_filter *filter, unsigned timeout_ms,
		      struct rp_qmp_event **e, struct rp_qmp_error *err);

// ---- Counters ----

enum rp_qmp_class {
	RP_QMP_CLASS_GENERIC,
	RP_QMP_CLASS_COMMAND_NOT_FOUND,
	RP_QMP_CLASS_DEVICE_NOT_FOUND,
	RP_QMP_CLASS_DEVICE_NOT_ACTIVE,
	RP_QMP_CLASS_KVM_MISSING_CAP,
	RP_QMP_CLASS_OTHER,
	RP_QMP_CLASSES
};

#define RP_QMP_LATENCY_BUCKETS 28

struct rp_qmp_counters {
	uint64_t connects;		  // connections that became READY
	uint64_t losses;		  // connections that ended, or never came about
	uint64_t commands;		  // issued, capability negotiation included
	uint64_t replies;		  // matched, errors included
	uint64_t errors[RP_QMP_KINDS];	  // failed commands by kind
	uint64_t classes[RP_QMP_CLASSES]; // error replies by class
	uint64_t late_replies;		  // to a command that was cancelled or timed out
	uint64_t unknown_replies;	  // with an id that was never sent
	uint64_t stray_errors;		  // errors without an id
	uint64_t events;
	uint64_t events_dropped; // by full queues
	uint64_t broken;	 // messages that were not JSON, too long, too deep, or no QMP
	uint64_t junk;		 // bytes skipped between messages
	uint64_t resyncs;	 // times that QEMU's parser was told to start anew
	uint64_t bytes_in;
	uint64_t bytes_out;
	// Time from the first byte of a command to its reply: bucket i counts those below 2^i us
	// and not below 2^(i-1); the last also counts all longer.
	uint64_t latency[RP_QMP_LATENCY_BUCKETS];
	uint64_t latency_us; // sum
	uint64_t latency_max_us;
	uint64_t in_flight; // now: issued and not finished
};

void rp_qmp_counters(struct rp_qmp *c, struct rp_qmp_counters *counters);
// Add b to a, for totals.
void rp_qmp_counters_add(struct rp_qmp_counters *a, const struct rp_qmp_counters *b);
// As one JSON object, or NULL when out of memory.
json_t *rp_qmp_counters_json(const struct rp_qmp_counters *counters);
