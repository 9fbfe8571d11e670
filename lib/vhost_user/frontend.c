// SPDX-License-Identifier: BSD-3-Clause
#include "vhost_user/frontend.h"
#include "base/clock.h"
#include "base/unix.h"
#include "vhost_user/frontend_priv.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_TIMEOUT_MS 2000
#define RETRY_MS	   5 // between attempts while a back-end restarts

static struct rp_frontend *frontend_new(const char *path)
{
	struct rp_frontend *fe = calloc(1, sizeof(*fe));

	if (fe == NULL)
		return NULL;
	fe->listener = -1;
	fe->sock = -1;
	fe->mem.fd = -1;
	fe->timeout_ms = DEFAULT_TIMEOUT_MS;
	if (path != NULL) {
		fe->path = strdup(path);
		if (fe->path == NULL) {
			free(fe);
			return NULL;
		}
	}
	return fe;
}

// Free what could not be connected, keeping the reason in errno.
static struct rp_frontend *fail(struct rp_frontend *fe, int rc)
{
	rp_frontend_free(fe);
	errno = -rc;
	return NULL;
}

struct rp_frontend *rp_frontend_connect(const char *path, struct rp_error *err)
{
	struct rp_frontend *fe = frontend_new(path);

	if (fe == NULL)
		return fail(NULL, rp_error_set(err, ENOMEM, "front-end", NULL, "no memory"));
	fe->sock = rp_unix_connect(path, fe->timeout_ms, err);
	return fe->sock >= 0 ? fe : fail(fe, fe->sock);
}

struct rp_frontend *rp_frontend_listen(const char *path, struct rp_error *err)
{
	struct rp_frontend *fe = frontend_new(path);

	if (fe == NULL)
		return fail(NULL, rp_error_set(err, ENOMEM, "front-end", NULL, "no memory"));
	fe->listener = rp_unix_listen(path, err);
	return fe->listener >= 0 ? fe : fail(fe, fe->listener);
}

int rp_frontend_accept(struct rp_frontend *fe, unsigned int timeout_ms, struct rp_error *err)
{
	int sock;

	if (fe->listener < 0)
		return rp_error_set(err, EINVAL, "front-end", NULL, "does not listen");
	sock = rp_vhu_accept(fe->listener, timeout_ms, err);
	if (sock < 0)
		return sock;
	rp_frontend_abort(fe);
	fe->sock = sock;
	return 0;
}

struct rp_frontend *rp_frontend_from_socket(int sock)
{
	struct rp_frontend *fe = frontend_new(NULL);

	if (fe != NULL)
		fe->sock = sock;
	return fe;
}

// Everything after negotiation: memory, rings, enabling, device status.
static int bring_up(struct rp_frontend *fe, struct rp_error *err)
{
	int rc = rp_frontend_share_memory(fe, err);

	for (unsigned int q = 0; rc == 0 && q < fe->n_queues; q++)
		rc = rp_frontend_start_ring(fe, q, err);
	for (unsigned int pair = 0; rc == 0 && pair < fe->cfg.enabled_pairs; pair++)
		if (!fe->cfg.no_enable)
			rc = rp_frontend_enable_pair(fe, pair, true, err);
	if (rc == 0)
		rc = rp_frontend_driver_ok(fe, err);
	return rc;
}

static int fill_all(struct rp_frontend *fe)
{
	for (unsigned int pair = 0; !fe->cfg.manual_rx && pair < fe->n_queues / 2; pair++) {
		int rc = rp_frontend_fill_rx(fe, pair);

		if (rc < 0)
			return rc;
	}
	return 0;
}

int rp_frontend_setup(struct rp_frontend *fe, const struct rp_frontend_config *cfg,
		      struct rp_error *err)
{
	int rc;

	rp_frontend_free_queues(fe);
	fe->set_up = false;
	rc = rp_frontend_negotiate(fe, cfg, err);
	if (rc == 0)
		rc = rp_frontend_make_queues(fe, err);
	if (rc == 0)
		rc = fill_all(fe);
	if (rc == 0)
		rc = bring_up(fe, err);
	if (rc < 0) {
		rp_frontend_abort(fe);
		return rc;
	}
	fe->set_up = true;
	return 0;
}

static void mark_stopped(struct rp_frontend *fe)
{
	for (unsigned int q = 0; q < fe->n_queues; q++) {
		fe->queues[q].started = false;
		fe->queues[q].enabled = false;
	}
}

void rp_frontend_abort(struct rp_frontend *fe)
{
	if (fe->sock >= 0)
		close(fe->sock);
	fe->sock = -1;
	mark_stopped(fe);
}

void rp_frontend_disconnect(struct rp_frontend *fe)
{
	int rc = fe->sock >= 0 ? 0 : -ENOTCONN;

	for (unsigned int pair = 0; rc == 0 && pair < fe->n_queues / 2; pair++)
		if (fe->queues[2 * pair].enabled)
			rc = rp_frontend_enable_pair(fe, pair, false, NULL);
	for (unsigned int q = 0; rc == 0 && q < fe->n_queues; q++)
		if (fe->queues[q].started)
			rc = rp_frontend_stop_ring(fe, q, NULL, NULL);
	rp_frontend_abort(fe);
}

// A new connection to the same peer, however long it takes to come back.
static int connect_again(struct rp_frontend *fe, unsigned int timeout_ms, struct rp_error *err)
{
	uint64_t deadline = rp_clock_ms() + timeout_ms;

	rp_frontend_abort(fe);
	if (fe->listener >= 0)
		return rp_frontend_accept(fe, timeout_ms, err);
	if (fe->path == NULL)
		return rp_error_set(err, ENOTSUP, "front-end", NULL,
				    "was given a socket, not a path: cannot reconnect");
	for (;;) {
		int rc = rp_unix_connect(fe->path, timeout_ms, err);

		if (rc >= 0) {
			fe->sock = rc;
			return 0;
		}
		if ((rc != -ENOENT && rc != -ECONNREFUSED) || rp_clock_ms() >= deadline)
			return rc;
		poll(NULL, 0, RETRY_MS);
	}
}

static int start_over(struct rp_frontend *fe, unsigned int timeout_ms, bool keep,
		      struct rp_error *err)
{
	uint64_t features = fe->features;
	int rc = connect_again(fe, timeout_ms, err);

	if (rc < 0 || !fe->set_up)
		return rc;
	rc = rp_frontend_negotiate(fe, &fe->cfg, err);
	if (rc == 0 && keep && fe->features != features)
		rc = rp_error_set(err, EPROTO, "features", NULL,
				  "the back-end offers others than before; the guest cannot go on");
	for (unsigned int q = 0; rc == 0 && !keep && q < fe->n_queues; q++)
		rc = rp_frontend_reset_queue(fe, q);
	if (rc == 0 && !keep)
		rc = fill_all(fe);
	if (rc == 0)
		rc = bring_up(fe, err);
	if (rc < 0)
		rp_frontend_abort(fe);
	return rc;
}

int rp_frontend_reconnect(struct rp_frontend *fe, unsigned int timeout_ms, struct rp_error *err)
{
	return start_over(fe, timeout_ms, false, err);
}

int rp_frontend_resume(struct rp_frontend *fe, unsigned int timeout_ms, struct rp_error *err)
{
	return start_over(fe, timeout_ms, true, err);
}

void rp_frontend_free(struct rp_frontend *fe)
{
	if (fe == NULL)
		return;
	rp_frontend_abort(fe);
	rp_frontend_free_queues(fe);
	if (fe->listener >= 0) {
		close(fe->listener);
		unlink(fe->path);
	}
	free(fe->path);
	free(fe);
}

bool rp_frontend_connected(struct rp_frontend *fe)
{
	struct pollfd p = {.fd = fe->sock, .events = POLLRDHUP};

	return fe->sock >= 0 && poll(&p, 1, 0) == 0;
}

uint64_t rp_frontend_offered(const struct rp_frontend *fe)
{
	return fe->offered;
}

uint64_t rp_frontend_features(const struct rp_frontend *fe)
{
	return fe->features;
}

uint64_t rp_frontend_protocol_offered(const struct rp_frontend *fe)
{
	return fe->protocol_offered;
}

uint64_t rp_frontend_protocol_features(const struct rp_frontend *fe)
{
	return fe->protocol_features;
}

uint64_t rp_frontend_queue_num(const struct rp_frontend *fe)
{
	return fe->queue_num;
}

int rp_frontend_socket(const struct rp_frontend *fe)
{
	return fe->sock;
}

struct rp_vring *rp_frontend_vring(struct rp_frontend *fe, unsigned int q)
{
	return q < fe->n_queues ? &fe->queues[q].vr : NULL;
}

struct rp_guest_memory *rp_frontend_memory(struct rp_frontend *fe)
{
	return &fe->mem;
}

unsigned int rp_frontend_hdr_len(const struct rp_frontend *fe)
{
	return fe->hdr_len;
}

unsigned int rp_frontend_pairs(const struct rp_frontend *fe)
{
	return fe->n_queues / 2;
}

int rp_frontend_call_fd(const struct rp_frontend *fe, unsigned int q)
{
	return q < fe->n_queues ? fe->queues[q].call : -1;
}

const char *rp_frontend_ring_broken(const struct rp_frontend *fe, unsigned int q)
{
	return q < fe->n_queues ? fe->queues[q].vr.broken : NULL;
}

struct rp_frontend_stats rp_frontend_stats(const struct rp_frontend *fe, unsigned int q)
{
	return q < fe->n_queues ? fe->queues[q].stats : (struct rp_frontend_stats){0};
}
