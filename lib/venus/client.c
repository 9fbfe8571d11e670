// SPDX-License-Identifier: BSD-3-Clause
#include "venus/client.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/log.h"
#include "venus/address.h"
#include "venus/token.h"
#include "venus/twin.h"

#define FIRST_BATCH	   65536u
#define FLUSH_AT	   65536u
#define CONNECT_TIMEOUT_MS 2000
#define ANSWER_TIMEOUT_MS  10000

void rp_vn_client_options_env(struct rp_vn_client_options *o)
{
	const char *server = secure_getenv("VENUS_SERVER");
	const char *timeout = secure_getenv("VENUS_TIMEOUT_MS");
	int ms = timeout != NULL ? atoi(timeout) : 0;

	*o = (struct rp_vn_client_options){
		.address = server != NULL ? server : RP_VN_DEFAULT_ADDRESS,
		.token_file = secure_getenv("VENUS_TOKEN_FILE"),
		.timeout_ms = ms > 0 ? ms : ANSWER_TIMEOUT_MS,
		// Where the driver is merely installed, a machine without a server is no news.
		.verbose = server != NULL,
	};
	o->connect_timeout_ms =
		o->timeout_ms < CONNECT_TIMEOUT_MS ? o->timeout_ms : CONNECT_TIMEOUT_MS;
}

static int lose(struct rp_vn_client *c, const char *why, int code)
{
	if (!c->lost && c->verbose)
		rp_err("venus: connection lost: %s", why);
	c->lost = true;
	c->batch_len = 0;
	// The descriptor stays until close, so that no other thread meets a reused number.
	shutdown(c->wire.fd, SHUT_RDWR);
	return code;
}

static int send_batch(struct rp_vn_client *c)
{
	int rc = 0;

	if (c->lost)
		return -ENOTCONN;
	if (c->batch_len == 0)
		return 0;
	rc = rp_vn_wire_send(&c->wire, c->batch, c->batch_len, c->timeout_ms);
	c->batch_len = 0;
	c->stats.frames++;
	return rc < 0 ? lose(c, strerror(-rc), rc) : 0;
}

static int recv_frame(struct rp_vn_client *c)
{
	int rc = rp_vn_wire_recv(&c->wire, &c->replies, c->timeout_ms);

	return rc < 0 ? lose(c, strerror(-rc), rc) : 0;
}

static int batch_grow(struct rp_vn_client *c)
{
	size_t cap = c->batch_cap * 2;
	uint8_t *p = cap <= c->max_frame ? realloc(c->batch, cap) : NULL;

	if (p == NULL)
		return -ENOMEM;
	c->batch = p;
	c->batch_cap = cap;
	return 0;
}

static int encode(struct rp_vn_client *c, unsigned int command, const void *args, uint32_t flags)
{
	int rc = 0;

	while (rc == 0) {
		struct rp_vn_encoder e = {.handles = &c->handles};

		e.w = rp_writer(c->batch + c->batch_len, c->batch_cap - c->batch_len);
		rp_vn_encode_request(&e, &rp_vn_commands[command], args, flags);
		if (e.bad_handle)
			return -EINVAL;
		if (!e.w.overflow) {
			c->batch_len += rp_writer_len(&e.w);
			c->stats.commands++;
			return 0;
		}
		// Make room: first by sending what waits, then by a larger buffer.
		rc = c->batch_len > 0 ? send_batch(c) : batch_grow(c);
	}
	return rc;
}

static int decode(struct rp_vn_client *c, const struct rp_vn_call *call)
{
	struct rp_vn_decoder d = {.handles = &c->handles};
	int rc = rp_reader_left(&c->replies) == 0 ? recv_frame(c) : 0;

	if (rc < 0)
		return rc;
	d.r = c->replies;
	if (!rp_vn_decode_reply(&d, &rp_vn_commands[call->command], call->args))
		return lose(c, d.error, -EPROTO);
	c->replies = d.r;
	return 0;
}

int rp_vn_client_call(struct rp_vn_client *c, const struct rp_vn_call *calls, size_t n)
{
	int rc;

	pthread_mutex_lock(&c->lock);
	rc = c->lost ? -ENOTCONN : 0;
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = encode(c, calls[i].command, calls[i].args, RP_VN_FLAG_REPLY);
	if (rc == 0)
		rc = send_batch(c);
	c->stats.round_trips++;
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = decode(c, &calls[i]);
	// Requests that went out before a later one could not be encoded would leave their answers
	// in the stream.
	if (rc == -EINVAL || rc == -ENOMEM)
		rc = n == 1 ? rc : lose(c, "a command could not be encoded", rc);
	pthread_mutex_unlock(&c->lock);
	return rc;
}

int rp_vn_client_queue(struct rp_vn_client *c, unsigned int command, const void *args, bool flush)
{
	int rc;

	pthread_mutex_lock(&c->lock);
	rc = c->lost ? -ENOTCONN : encode(c, command, args, 0);
	if (rc == 0 && (flush || c->batch_len >= FLUSH_AT))
		rc = send_batch(c);
	pthread_mutex_unlock(&c->lock);
	return rc;
}

// The fields that both memory messages begin with, and room for what follows.
static int begin_memory(struct rp_vn_client *c, struct rp_writer *w, uint32_t command,
			const struct rp_vn_memory_range *range, size_t extra)
{
	const size_t need = 40 + extra;
	int rc = c->lost ? -ENOTCONN : 0;

	while (rc == 0 && c->batch_cap - c->batch_len < need)
		rc = c->batch_len > 0 ? send_batch(c) : batch_grow(c);
	if (rc < 0)
		return rc;
	*w = rp_writer(c->batch + c->batch_len, need);
	rp_write_le32(w, command);
	rp_write_le32(w, command == RP_VN_CMD_READ_MEMORY ? RP_VN_FLAG_REPLY : 0);
	rp_write_le64(w, range->device);
	rp_write_le64(w, range->memory);
	rp_write_le64(w, range->offset);
	rp_write_le64(w, range->len);
	c->batch_len += need;
	c->stats.commands++;
	return 0;
}

int rp_vn_client_write_memory(struct rp_vn_client *c, const struct rp_vn_memory_range *range,
			      const void *data)
{
	const size_t pad = -range->len & 3;
	struct rp_writer w;
	int rc;

	pthread_mutex_lock(&c->lock);
	rc = begin_memory(c, &w, RP_VN_CMD_WRITE_MEMORY, range, range->len + pad);
	if (rc == 0) {
		rp_write_bytes(&w, data, range->len);
		rp_write_zero(&w, pad);
	}
	if (rc == 0 && c->batch_len >= FLUSH_AT)
		rc = send_batch(c);
	pthread_mutex_unlock(&c->lock);
	return rc;
}

// One piece of changed memory, which must lie in what was asked for.
static bool merge_piece(struct rp_reader *r, const struct rp_vn_memory_range *range, uint8_t *now,
			uint8_t *twin)
{
	uint64_t start, len;
	const void *bytes;

	if (!rp_read_le64(r, &start) || !rp_read_le64(r, &len) || start < range->offset ||
	    len > range->len || start - range->offset > range->len - len)
		return false;
	bytes = rp_read(r, len);
	if (bytes == NULL || rp_read(r, -len & 3) == NULL)
		return false;
	rp_vn_twin_merge(now + start, twin + start, bytes, len);
	return true;
}

static int merge_reply(struct rp_vn_client *c, const struct rp_vn_memory_range *range, uint8_t *now,
		       uint8_t *twin)
{
	int rc = rp_reader_left(&c->replies) == 0 ? recv_frame(c) : 0;
	struct rp_reader *r = &c->replies;
	uint32_t id, pieces;
	bool ok;

	if (rc < 0)
		return rc;
	ok = rp_read_le32(r, &id) && id == RP_VN_CMD_READ_MEMORY && rp_read_le32(r, &pieces);
	for (uint32_t i = 0; ok && i < pieces; i++)
		ok = merge_piece(r, range, now, twin);
	return ok ? 0 : lose(c, "malformed memory from the server", -EPROTO);
}

int rp_vn_client_read_memory(struct rp_vn_client *c, const struct rp_vn_memory_range *range,
			     uint8_t *now, uint8_t *twin)
{
	struct rp_writer w;
	int rc;

	pthread_mutex_lock(&c->lock);
	rc = begin_memory(c, &w, RP_VN_CMD_READ_MEMORY, range, 0);
	if (rc == 0)
		rc = send_batch(c);
	c->stats.round_trips++;
	if (rc == 0)
		rc = merge_reply(c, range, now, twin);
	pthread_mutex_unlock(&c->lock);
	return rc;
}

uint64_t rp_vn_client_id(struct rp_vn_client *c)
{
	return __atomic_add_fetch(&c->next_id, 1, __ATOMIC_RELAXED);
}

static int hello_error(struct rp_error *err, const char *address, const struct rp_vn_hello_reply *h)
{
	int code = h->result == RP_VN_HELLO_TOKEN  ? EACCES
		   : h->result == RP_VN_HELLO_BUSY ? EBUSY
						   : EPROTO;

	return rp_error_set(err, code, "server", address, "%s", rp_vn_hello_text(h->result));
}

static int send_hello(struct rp_vn_client *c, const struct rp_vn_client_options *o,
		      struct rp_error *err)
{
	struct rp_vn_hello_request hello = {
		.protocol = RP_VN_PROTOCOL,
		.header_version = VK_HEADER_VERSION,
		.max_frame = RP_VN_MAX_FRAME,
	};
	struct rp_writer w = rp_writer(c->batch, c->batch_cap);
	int rc = rp_vn_token_read(hello.token, o->token_file, err);

	if (rc < 0)
		return rc;
	rp_vn_hello_write_request(&w, &hello);
	rc = rp_vn_wire_send(&c->wire, c->batch, rp_writer_len(&w), o->connect_timeout_ms);
	if (rc < 0)
		return rp_error_set(err, -rc, "server", o->address, "%s", strerror(-rc));
	return 0;
}

static int recv_hello(struct rp_vn_client *c, const struct rp_vn_client_options *o,
		      struct rp_error *err)
{
	struct rp_vn_hello_reply reply;
	int rc = rp_vn_wire_recv(&c->wire, &c->replies, o->connect_timeout_ms);

	if (rc == -ETIMEDOUT)
		return rp_error_set(err, ETIMEDOUT, "server", o->address,
				    "no answer within %d ms; is that a venus-server?",
				    o->connect_timeout_ms);
	if (rc < 0)
		return rp_error_set(err, -rc, "server", o->address, "%s; is that a venus-server?",
				    strerror(-rc));
	if (!rp_vn_hello_read_reply(&c->replies, &reply))
		return rp_error_set(err, EPROTO, "server", o->address,
				    "malformed HELLO; is that a venus-server?");
	if (reply.result != RP_VN_HELLO_OK)
		return hello_error(err, o->address, &reply);
	if (reply.max_frame < FIRST_BATCH)
		return rp_error_set(err, EPROTO, "server", o->address,
				    "it takes frames of %u bytes only, expected %u or more",
				    reply.max_frame, FIRST_BATCH);
	c->max_frame = reply.max_frame < RP_VN_MAX_FRAME ? reply.max_frame : RP_VN_MAX_FRAME;
	return 0;
}

// The first command follows HELLO without waiting; a server that does not welcome us drops it.
static int greet(struct rp_vn_client *c, const struct rp_vn_client_options *o,
		 const struct rp_vn_call *first, struct rp_error *err)
{
	int rc = send_hello(c, o, err);

	if (rc < 0)
		return rc;
	c->stats.round_trips++;
	rc = encode(c, first->command, first->args, RP_VN_FLAG_REPLY);
	if (rc == 0)
		rc = send_batch(c);
	// A failed send is explained by what the server said before it closed.
	if (recv_hello(c, o, err) < 0)
		return -err->code;
	if (rc == 0)
		rc = decode(c, first);
	if (rc < 0)
		return rp_error_set(err, -rc, "server", o->address, "no answer: %s", strerror(-rc));
	return 0;
}

int rp_vn_client_open(struct rp_vn_client *c, const struct rp_vn_client_options *o,
		      const struct rp_vn_handles *handles, const struct rp_vn_call *first,
		      struct rp_error *err)
{
	struct rp_vn_address addr;
	int rc;

	*c = (struct rp_vn_client){
		.handles = *handles,
		.timeout_ms = o->timeout_ms,
		.max_frame = FIRST_BATCH, // until the server says otherwise
		.next_id = RP_VN_FIRST_ID,
	};
	c->wire.fd = -1;
	pthread_mutex_init(&c->lock, NULL);
	rc = rp_vn_address_parse(&addr, o->address, err);
	if (rc == 0)
		rc = rp_vn_address_connect(&addr, o->connect_timeout_ms, err);
	if (rc < 0)
		goto fail;
	c->wire.fd = rc;
	rp_vn_wire_tune(rc);
	c->batch = malloc(FIRST_BATCH);
	c->batch_cap = FIRST_BATCH;
	rc = c->batch != NULL ? greet(c, o, first, err)
			      : rp_error_set(err, ENOMEM, NULL, NULL, "out of memory");
	if (rc < 0)
		goto fail;
	c->verbose = o->verbose;
	return 0;
fail:
	c->lost = true;
	rp_vn_client_close(c);
	return rc;
}

void rp_vn_client_close(struct rp_vn_client *c)
{
	if (!c->lost)
		send_batch(c);
	c->lost = true;
	rp_vn_wire_close(&c->wire);
	free(c->batch);
	c->batch = NULL;
	c->replies = rp_reader(NULL, 0);
	pthread_mutex_destroy(&c->lock);
}
