/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The conformance tester: what rules are made of.
 *
 * Theory of operation. A rule is one function; it plays the front-end against the back-end under
 * test and ends with a verdict. It passes by returning; rule_fail(), rule_warn(), rule_skip() and
 * rule_hang() end it at once (longjmp), and so do the helpers that need something to go well.
 * Everything a rule opens through its struct check (connections, guest memory, descriptors) is
 * closed by the engine, so a rule never cleans up. After each rule the engine connects afresh: a
 * back-end that is gone turns the verdict into crash, one that does not answer into hang.
 *
 * A rule registers itself; see RULE below. Everything sent and received is traced, and shown with a
 * failure. Single-threaded.
 */

#include "base/error.h"
#include "vhost_user/socket.h"
#include "virtio/feature_bits.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define F30	RP_VIRTIO_BIT(VHOST_PROTOCOL_FEATURES)
#define P(name) RP_VHU_PROTOCOL_BIT(name)

enum severity { MUST, SHOULD, ROBUST, N_SEVERITIES };
enum verdict { PASS, WARN, FAIL, CRASH, HANG, SKIP, N_VERDICTS };

// What kind of device the rule needs; 0: any.
#define DEVICE_NET   1u
#define DEVICE_BLK   2u
#define DEVICE_OTHER 4u

// What else it needs.
#define NEED_DATA 1u // rings that are seen to work: a network card or a disk
#define NEED_WRITE                                                                                 \
	2u	       // a device that can be made to write guest memory: a disk, or a card that
		       // answers our frame
#define NEED_PID   4u  // /proc of the back-end
#define NEED_SPAWN 8u  // a back-end that we start
#define NEED_MQ	   16u // more than one queue pair (net) or queue

struct check;

struct rule {
	const char *id;
	const char *statement; // what must hold, one line
	const char *section;   // of the vhost-user specification, unless "virtio ..." is said
	const char *how;       // how it is tested
	enum severity severity;
	unsigned int devices;
	unsigned int needs;
	uint64_t features; // virtio features that must be offered, else it does not apply
	uint64_t protocol; // and protocol features
	bool risky;	   // run after all others: back-ends are known to die of it
	void (*run)(struct check *c);
	struct rule *next;
};

/*
 *	RULE(HS1, .severity = MUST, .section = "Communication",
 *	     .statement = "GET_FEATURES is answered first on a fresh connection",
 *	     .how = "Connect, send GET_FEATURES, expect 8 bytes.")
 *	{
 *		get_u64(session_open(c), RP_VHU_GET_FEATURES);
 *	}
 */
#define RULE(rule_id, ...)                                                                         \
	static void rule_id##_run(struct check *c);                                                \
	__attribute__((constructor)) static void rule_id##_register(void)                          \
	{                                                                                          \
		static struct rule rule = {.id = #rule_id, .run = rule_id##_run, __VA_ARGS__};     \
		rule_register(&rule);                                                              \
	}                                                                                          \
	static void rule_id##_run(struct check *c)

void rule_register(struct rule *rule);
const struct rule *rule_first(void); // in the order of the families
const char *severity_name(enum severity s);
const char *verdict_name(enum verdict v);

struct options {
	const char *socket;
	const char *spawn;
	const char *device;
	const char *glob;
	const char *json;
	const char *junit;
	pid_t pid;
	uint64_t seed;
	unsigned int wait_ms; // for each answer
	unsigned int mutations;
	uint8_t frame[1514]; // what makes a network card send something
	size_t frame_len;
	bool color;
	bool verbose;
};

// The back-end under test, as far as known.
struct target {
	const struct options *opt;
	char socket[108];
	char dir[64]; // ours, when we start it
	pid_t pid;    // 0: unknown
	bool one_shot;
	bool single;	   // serves one connection at a time
	unsigned int ends; // how often it ended without our doing
	unsigned int starts;
	char end[96]; // how it ended last

	bool probed;
	unsigned int device;
	uint64_t offered;
	uint64_t protocol;
	uint64_t queue_num;
	uint64_t slots;
	bool data;  // its rings work
	bool write; // it can be made to write
};

// How the back-end took a message.
enum outcome {
	REPLIED,	 // with the reply of the table, in session->reply
	ACK_OK,		 // 0
	ACK_REFUSED,	 // not 0
	ACK_THEN_CLOSED, // 0, and then it hung up
	SILENT,		 // nothing, and it goes on
	CLOSED,		 // it hung up
	TIMED_OUT,	 // neither an answer nor the end of the connection
	GARBAGE,	 // an answer that is none: see session->defect
};

struct session {
	struct check *c;
	struct session *next;
	int sock; // -1 once closed
	unsigned int number;
	uint64_t offered;
	uint64_t features;
	uint64_t protocol_offered;
	uint64_t protocol;  // negotiated
	unsigned int extra; // messages that nobody asked for
	struct rp_vhu_msg reply;
	struct rp_error defect;
};

#define TRACE_LINES 120

struct trace {
	char *line[TRACE_LINES];
	unsigned int next;
	unsigned int count;
	uint64_t start_ms;
};

struct vm;

#define CHECK_FDS 64

struct check {
	const struct options *opt;
	struct target *target;
	const struct rule *rule;
	enum verdict verdict;
	char reason[640];
	char note[256]; // told with a pass
	jmp_buf out;
	struct trace trace;
	struct session *sessions;
	unsigned int n_sessions;
	struct vm *vms;
	int fds[CHECK_FDS];
	unsigned int n_fds;
	uint64_t random;
};

// --- verdicts: these do not return ---

#define NORETURN_PRINTF __attribute__((noreturn, format(printf, 2, 3)))
NORETURN_PRINTF void rule_fail(struct check *c, const char *format, ...);
NORETURN_PRINTF void rule_warn(struct check *c, const char *format, ...);
NORETURN_PRINTF void rule_skip(struct check *c, const char *format, ...);
NORETURN_PRINTF void rule_hang(struct check *c, const char *format, ...);

// Something worth telling although the rule passes.
__attribute__((format(printf, 2, 3))) void rule_note(struct check *c, const char *format, ...);

// --- connections ---

struct session *session_open(struct check *c);
struct session *session_try_open(struct check *c); // NULL: refused
void session_close(struct session *s);

// GET_FEATURES, SET_OWNER, protocol features (those wanted that are offered), and nothing more.
struct session *session_hello(struct check *c, uint64_t protocol_wanted);

// The same with all protocol features that the tester speaks, and SET_FEATURES of what is offered
// among `features` (F30 is added).
struct session *session_negotiated(struct check *c, uint64_t features);

// What the tester itself speaks; others are never negotiated.
#define CHECK_PROTOCOL                                                                             \
	(P(MQ) | P(LOG_SHMFD) | P(REPLY_ACK) | P(MTU) | P(BACKEND_REQ) | P(CONFIG) |               \
	 P(INFLIGHT_SHMFD) | P(RESET_DEVICE) | P(CONFIGURE_MEM_SLOTS) | P(STATUS))

// Send msg as it is and say how it was taken.
enum outcome session_send(struct session *s, struct rp_vhu_msg *msg);

// The same with need_reply where REPLY_ACK was negotiated.
enum outcome session_ask(struct session *s, struct rp_vhu_msg *msg);
const char *outcome_name(enum outcome o);

// A request that must be taken, else the rule fails. A reply is left in session->reply.
void must_take(struct session *s, struct rp_vhu_msg *msg);

// A request that must not be taken: nack or the end of the connection, else the rule fails (or,
// where no ack can tell, warns). True: the session lives on.
bool must_refuse(struct session *s, struct rp_vhu_msg *msg, const char *what);

// A request that may be taken or refused, but must be answered for: hang or garbage end the rule.
enum outcome must_survive(struct session *s, struct rp_vhu_msg *msg);

// Bytes that need not be a message, and their record in the trace.
int session_raw(struct session *s, const void *bytes, size_t len, const int *fds,
		unsigned int n_fds, const char *what);

// Receive one message within ms. 0 or -errno (-ETIMEDOUT, -ECONNRESET, -EBADMSG).
int session_recv(struct session *s, unsigned int ms);

// GET_FEATURES and its answer. 0 or -errno; messages before it count as s->extra.
int session_sync(struct session *s);

// Wait until the peer closes: true; or the time is over: false.
bool session_closed_within(struct session *s, unsigned int ms);

// The u64 that the request returns; the rule fails where it does not.
uint64_t get_u64(struct session *s, uint32_t id);

struct rp_vhu_msg msg_plain(uint32_t id);
struct rp_vhu_msg msg_u64(uint32_t id, uint64_t value);
struct rp_vhu_msg msg_state(uint32_t id, uint32_t index, uint32_t num);
struct rp_vhu_msg msg_fd(uint32_t id, uint64_t value, int fd); // u64 payload and one descriptor

// --- descriptors, closed by the engine ---

int check_eventfd(struct check *c);
int check_memfd(struct check *c, size_t size); // size may be 0
int check_own_fd(struct check *c, int fd);     // hand one over; fails the rule when it is negative

// --- the process under test ---

int target_fds(struct check *c);  // open descriptors of it and its children; -1 unknown
int target_maps(struct check *c); // mappings of memfds of our name; -1 unknown
double target_cpu(struct check *c, unsigned int ms); // share of one core over that time

// The open descriptors come down to `most` within a second, else the rule fails.
void must_come_down(struct check *c, int most, const char *what);

// --- engine ---

void target_init(struct target *t, const struct options *opt);
int target_start(struct target *t, struct rp_error *err); // where we start it and it is not there
bool target_alive(struct target *t);			  // notes how it ended in t->end
void target_stop(struct target *t);
void target_probe(struct check *c);

void trace_add(struct trace *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void trace_clear(struct trace *t);
void trace_hook(int sock, bool sent, const struct rp_vhu_msg *msg, void *arg);
const char *trace_line(const struct trace *t, unsigned int i); // NULL behind the last

void check_begin(struct check *c, const struct rule *rule);
void check_clean_up(struct check *c);

// Run one rule: the verdict is in c.
void check_run(struct check *c, const struct rule *rule);

uint64_t check_random(struct check *c);

// --- reports ---

struct result {
	const struct rule *rule;
	enum verdict verdict;
	char *reason;
	char **trace; // with failures
	unsigned int n_trace;
	double seconds;
};

void report_line(const struct options *opt, const struct result *r);
void report_progress(const struct options *opt, const struct rule *rule);
void report_summary(const struct options *opt, const struct target *t, const struct result *r,
		    unsigned int n, double seconds);
int report_json(const char *path, const struct target *t, const struct result *r, unsigned int n);
int report_junit(const char *path, const struct target *t, const struct result *r, unsigned int n,
		 double seconds);
