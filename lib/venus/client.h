/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The client's end of a connection: commands are encoded into a batch; a batch goes out when it is
 * large enough, when a command wants its answer, or on request. Thread-safe: one lock per client,
 * held while an answer is awaited.
 *
 * When the server dies, stalls longer than the timeout or says something malformed, the client is
 * lost for good: every call returns at once with -ENOTCONN.
 */

#include <pthread.h>

#include "base/error.h"
#include "venus/codec.h"
#include "venus/hello.h"

struct rp_vn_client_stats {
	uint64_t commands;    // encoded
	uint64_t frames;      // sent
	uint64_t round_trips; // waits for the server
};

struct rp_vn_client {
	pthread_mutex_t lock;
	struct rp_vn_wire wire;
	struct rp_vn_handles handles;
	struct rp_reader replies; // of the frame received last
	uint8_t *batch;
	size_t batch_len;
	size_t batch_cap;
	uint32_t max_frame; // that the server takes
	int timeout_ms;
	bool lost;
	bool verbose; // say on stderr why the connection was lost
	uint64_t next_id;
	struct rp_vn_client_stats stats;
};

struct rp_vn_client_options {
	const char *address;	// as in address.h
	const char *token_file; // or NULL
	int connect_timeout_ms; // also bounds the wait for the server's HELLO
	int timeout_ms;		// longest wait for an answer
	bool verbose;
};

// VENUS_SERVER, VENUS_TOKEN_FILE and VENUS_TIMEOUT_MS, or the defaults. Strings belong to the
// environment.
void rp_vn_client_options_env(struct rp_vn_client_options *o);

struct rp_vn_call {
	unsigned int command; // enum rp_vn_command_index
	void *args;	      // struct rp_vn_args_<name>
};

// Object id for what the first call may make.
#define RP_VN_FIRST_ID 1u

/*
 * Connect, greet and run a first command, all in one round trip. `handles` is copied. 0 or -errno
 * with *err filled: -ECONNREFUSED and the like from the socket, -ETIMEDOUT, -EPROTO (that is no
 * venus-server), -EACCES (token), -EBUSY.
 */
int rp_vn_client_open(struct rp_vn_client *c, const struct rp_vn_client_options *o,
		      const struct rp_vn_handles *handles, const struct rp_vn_call *first,
		      struct rp_error *err);

// Send what is pending and close. Safe on a client that was never opened or is lost.
void rp_vn_client_close(struct rp_vn_client *c);

// A fresh object id.
uint64_t rp_vn_client_id(struct rp_vn_client *c);

// Run `n` commands in one round trip and fill their outputs. 0 or -errno.
int rp_vn_client_call(struct rp_vn_client *c, const struct rp_vn_call *calls, size_t n);

// Queue a command whose answer nobody awaits; with `flush`, send all that is queued.
int rp_vn_client_queue(struct rp_vn_client *c, unsigned int command, const void *args, bool flush);

// A piece of a VkDeviceMemory by ids, at most RP_VN_MAX_TRANSFER bytes.
struct rp_vn_memory_range {
	uint64_t device;
	uint64_t memory;
	uint64_t offset;
	uint64_t len;
};

// Send bytes of mapped memory; see twin.h. Queued. 0 or -errno.
int rp_vn_client_write_memory(struct rp_vn_client *c, const struct rp_vn_memory_range *range,
			      const void *data);

// Ask for what the server changed and take it over into `now` and `twin`, which begin at the
// memory's offset 0. Waits for the answer. 0 or -errno.
int rp_vn_client_read_memory(struct rp_vn_client *c, const struct rp_vn_memory_range *range,
			     uint8_t *now, uint8_t *twin);
