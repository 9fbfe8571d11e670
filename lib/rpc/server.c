// SPDX-License-Identifier: BSD-3-Clause
#include "rpc/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bsd/string.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>

#include "base/log.h"
#include "base/unix.h"
#include "rpc/message.h"
#include "rpc/scan.h"

/*
 * Theory of operation. A peer is a bufferevent and a scanner. What comes in is cut into texts, each
 * is answered at once and in order: a handler never waits. While more than OUTPUT_PAUSE bytes of
 * answers wait, nothing more is read; the kernel's buffers then stop the sender.
 *
 * A peer is never freed where it is used: it is marked and freed by the reaper, an event of its own
 * on the same loop.
 */

#define DEFAULT_PEERS	   64
#define DEFAULT_TIMEOUT_MS 30000
#define CHUNK		   16384
#define OUTPUT_PAUSE	   (1024 * 1024)     // of answers: no more is read
#define OUTPUT_MAX	   (4 * 1024 * 1024) // with notifications: the peer is dropped
#define GROUPS_MAX	   256

struct rp_rpc_peer {
	TAILQ_ENTRY(rp_rpc_peer) entry;
	struct rp_rpc_server *server;
	struct bufferevent *bev;
	struct event *deadline; // for the rest of a message
	struct rp_rpc_scan scan;
	struct ucred cred;
	uint32_t topics;
	bool closing; // as soon as the answers are out
	bool dead;    // the reaper's
};

struct rp_rpc_server {
	struct rp_rpc_server_config cfg;
	char path[108];
	struct event_base *base;
	struct evconnlistener *listener;
	struct event *reaper;
	struct timeval timeout;
	gid_t group;
	unsigned int n_peers;
	TAILQ_HEAD(, rp_rpc_peer) peers;
};

static void bury(struct rp_rpc_peer *peer)
{
	peer->dead = true;
	event_active(peer->server->reaper, 0, 0);
}

static void peer_free(struct rp_rpc_peer *peer)
{
	TAILQ_REMOVE(&peer->server->peers, peer, entry);
	peer->server->n_peers--;
	if (peer->deadline != NULL)
		event_free(peer->deadline);
	bufferevent_free(peer->bev);
	rp_rpc_scan_free(&peer->scan);
	free(peer);
}

static void reap(evutil_socket_t, short, void *arg)
{
	struct rp_rpc_server *server = arg;
	struct rp_rpc_peer *peer = TAILQ_FIRST(&server->peers), *next;

	for (; peer != NULL; peer = next) {
		next = TAILQ_NEXT(peer, entry);
		if (peer->dead)
			peer_free(peer);
	}
}

static size_t pending(const struct rp_rpc_peer *peer)
{
	return evbuffer_get_length(bufferevent_get_output(peer->bev));
}

static void send_line(struct rp_rpc_peer *peer, const char *line)
{
	if (line == NULL || bufferevent_write(peer->bev, line, strlen(line)) < 0)
		bury(peer);
}

static void refuse(struct rp_rpc_peer *peer, int code, const char *why)
{
	char *line = rp_rpc_refusal(code, why);

	send_line(peer, line);
	free(line);
}

// Nothing more is read; the end comes when the answers are out.
static void hang_up(struct rp_rpc_peer *peer)
{
	peer->closing = true;
	bufferevent_disable(peer->bev, EV_READ);
	event_del(peer->deadline);
	if (pending(peer) == 0)
		bury(peer);
}

static int call(void *arg, const char *method, const json_t *params, json_t **result,
		struct rp_error *err)
{
	struct rp_rpc_peer *peer = arg;

	return peer->server->cfg.call(peer->server->cfg.arg, peer, method, params, result, err);
}

static void answer(struct rp_rpc_peer *peer)
{
	char *line = rp_rpc_answer(peer->scan.buf, peer->scan.len, call, peer);

	if (line != NULL)
		send_line(peer, line);
	free(line);
}

// Take what there is in a piece of the input; fewer bytes where the answers pile up.
static size_t take(struct rp_rpc_peer *peer, const void *data, size_t len)
{
	struct rp_reader r = rp_reader(data, len);

	while (!peer->dead && !peer->closing && pending(peer) <= OUTPUT_PAUSE) {
		enum rp_rpc_scan_result result = rp_rpc_scan(&peer->scan, &r);

		if (result == RP_RPC_SCAN_MORE)
			break;
		if (result == RP_RPC_SCAN_MESSAGE) {
			answer(peer);
		} else if (result == RP_RPC_SCAN_BROKEN) {
			refuse(peer, RP_RPC_PARSE_ERROR, peer->scan.why);
		} else {
			refuse(peer, RP_RPC_INVALID_REQUEST, "the message is larger than 1 MiB");
			hang_up(peer);
		}
	}
	return len - rp_reader_left(&r);
}

static void read_cb(struct bufferevent *bev, void *arg)
{
	struct rp_rpc_peer *peer = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	size_t len;

	while (!peer->dead && !peer->closing && pending(peer) <= OUTPUT_PAUSE &&
	       (len = evbuffer_get_length(in)) > 0) {
		size_t n = len < CHUNK ? len : CHUNK;
		const unsigned char *data = evbuffer_pullup(in, (ev_ssize_t)n);

		if (data == NULL) {
			bury(peer);
			return;
		}
		evbuffer_drain(in, take(peer, data, n));
	}
	if (peer->dead || peer->closing)
		return;
	if (pending(peer) > OUTPUT_PAUSE)
		bufferevent_disable(bev, EV_READ);
	if (!rp_rpc_scan_unfinished(&peer->scan))
		event_del(peer->deadline);
	else if (!event_pending(peer->deadline, EV_TIMEOUT, NULL))
		event_add(peer->deadline, &peer->server->timeout);
}

// All answers are out.
static void write_cb(struct bufferevent *bev, void *arg)
{
	struct rp_rpc_peer *peer = arg;

	if (peer->closing) {
		bury(peer);
		return;
	}
	bufferevent_enable(bev, EV_READ);
	read_cb(bev, peer);
}

static void event_cb(struct bufferevent *, short what, void *arg)
{
	struct rp_rpc_peer *peer = arg;

	if (!(what & BEV_EVENT_EOF) || peer->closing) {
		bury(peer);
		return;
	}
	if (rp_rpc_scan_unfinished(&peer->scan))
		refuse(peer, RP_RPC_PARSE_ERROR, "the connection ends inside of a message");
	hang_up(peer);
}

static void deadline_cb(evutil_socket_t, short, void *arg)
{
	struct rp_rpc_peer *peer = arg;

	refuse(peer, RP_RPC_PARSE_ERROR, "the message was not complete in time");
	hang_up(peer);
}

static bool in_group(int fd, const struct ucred *cred, gid_t group)
{
	gid_t groups[GROUPS_MAX];
	socklen_t len = sizeof(groups);

	if (cred->gid == group)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) < 0)
		return false;
	for (size_t i = 0; i < len / sizeof(groups[0]); i++)
		if (groups[i] == group)
			return true;
	return false;
}

static bool may_connect(const struct rp_rpc_server *server, int fd, struct ucred *cred)
{
	socklen_t len = sizeof(*cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, cred, &len) < 0)
		return false;
	if (cred->uid == 0 || cred->uid == geteuid() || (server->cfg.mode & S_IWOTH) != 0)
		return true;
	return (server->cfg.mode & S_IWGRP) != 0 && in_group(fd, cred, server->group);
}

static struct rp_rpc_peer *peer_new(struct rp_rpc_server *server, evutil_socket_t fd)
{
	struct rp_rpc_peer *peer = calloc(1, sizeof(*peer));

	if (peer == NULL)
		return NULL;
	peer->server = server;
	peer->deadline = evtimer_new(server->base, deadline_cb, peer);
	peer->bev = bufferevent_socket_new(server->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (peer->deadline == NULL || peer->bev == NULL) {
		if (peer->deadline != NULL)
			event_free(peer->deadline);
		if (peer->bev != NULL)
			bufferevent_free(peer->bev);
		else
			close(fd);
		free(peer);
		return NULL;
	}
	bufferevent_setcb(peer->bev, read_cb, write_cb, event_cb, peer);
	bufferevent_set_timeouts(peer->bev, NULL, &server->timeout);
	bufferevent_setwatermark(peer->bev, EV_READ, 0, RP_RPC_MESSAGE_MAX);
	TAILQ_INSERT_TAIL(&server->peers, peer, entry);
	server->n_peers++;
	return peer;
}

static void accept_cb(struct evconnlistener *, evutil_socket_t fd, struct sockaddr *, int,
		      void *arg)
{
	struct rp_rpc_server *server = arg;
	struct rp_rpc_peer *peer;
	struct ucred cred;

	if (!may_connect(server, fd, &cred)) {
		rp_warn("%s: process %d of user %u may not connect", server->path, (int)cred.pid,
			cred.uid);
		close(fd);
		return;
	}
	peer = peer_new(server, fd);
	if (peer == NULL) {
		rp_err("%s: out of memory for a connection", server->path);
		return;
	}
	peer->cred = cred;
	rp_debug("%s: process %d of user %u connects", server->path, (int)cred.pid, cred.uid);
	if (server->n_peers > server->cfg.max_peers) {
		refuse(peer, -EBUSY, "too many connections; close one");
		hang_up(peer);
		return;
	}
	bufferevent_enable(peer->bev, EV_READ | EV_WRITE);
}

// The socket's mode and group stand before anybody can connect.
static int open_socket(struct rp_rpc_server *server, struct rp_error *err)
{
	struct stat st;
	int fd = rp_unix_bind(server->path, err);
	int rc;

	if (fd < 0)
		return fd;
	if ((server->cfg.group != (gid_t)-1 &&
	     chown(server->path, (uid_t)-1, server->cfg.group) < 0) ||
	    chmod(server->path, server->cfg.mode) < 0 || stat(server->path, &st) < 0) {
		rc = rp_error_set(err, errno, "control", server->path,
				  "its group and mode cannot be set: %s", strerror(errno));
		close(fd);
		unlink(server->path);
		return rc;
	}
	server->group = st.st_gid;
	return fd;
}

struct rp_rpc_server *rp_rpc_server_new(struct event_base *base,
					const struct rp_rpc_server_config *cfg,
					struct rp_error *err)
{
	struct rp_rpc_server *server = calloc(1, sizeof(*server));
	unsigned int ms = cfg->timeout_ms != 0 ? cfg->timeout_ms : DEFAULT_TIMEOUT_MS;
	int fd;

	if (server == NULL)
		goto no_memory;
	server->cfg = *cfg;
	if (cfg->max_peers == 0)
		server->cfg.max_peers = DEFAULT_PEERS;
	server->timeout = (struct timeval){ms / 1000, (ms % 1000) * 1000};
	server->base = base;
	strlcpy(server->path, cfg->path, sizeof(server->path));
	TAILQ_INIT(&server->peers);
	server->reaper = event_new(base, -1, 0, reap, server);
	if (server->reaper == NULL)
		goto no_memory;
	fd = open_socket(server, err);
	if (fd < 0)
		goto fail;
	server->listener = evconnlistener_new(base, accept_cb, server,
					      LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC,
					      RP_UNIX_BACKLOG, fd);
	if (server->listener != NULL)
		return server;
	close(fd);
	unlink(server->path);
no_memory:
	rp_error_set(err, ENOMEM, "control", cfg->path, "out of memory");
fail:
	if (server != NULL && server->reaper != NULL)
		event_free(server->reaper);
	free(server);
	return NULL;
}

void rp_rpc_server_free(struct rp_rpc_server *server)
{
	struct rp_rpc_peer *peer;

	if (server == NULL)
		return;
	evconnlistener_free(server->listener);
	unlink(server->path);
	while ((peer = TAILQ_FIRST(&server->peers)) != NULL) {
		struct evbuffer *out = bufferevent_get_output(peer->bev);

		// A bufferevent keeps the front of its output to itself.
		evbuffer_unfreeze(out, 1);
		evbuffer_write(out, bufferevent_getfd(peer->bev));
		peer_free(peer);
	}
	event_free(server->reaper);
	free(server);
}

unsigned int rp_rpc_server_peers(const struct rp_rpc_server *server)
{
	return server->n_peers;
}

const struct ucred *rp_rpc_peer_cred(const struct rp_rpc_peer *peer)
{
	return &peer->cred;
}

void rp_rpc_peer_subscribe(struct rp_rpc_peer *peer, uint32_t topics)
{
	peer->topics |= topics;
}

void rp_rpc_server_notify(struct rp_rpc_server *server, uint32_t topics, const char *method,
			  json_t *params)
{
	char *line = rp_rpc_notification(method, params);
	struct rp_rpc_peer *peer;

	TAILQ_FOREACH (peer, &server->peers, entry) {
		if ((peer->topics & topics) == 0 || peer->dead || peer->closing)
			continue;
		if (pending(peer) > OUTPUT_MAX) {
			rp_warn("%s: process %d does not take its events: dropped", server->path,
				(int)peer->cred.pid);
			bury(peer);
		} else {
			send_line(peer, line);
		}
	}
	free(line);
}
