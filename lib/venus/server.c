// SPDX-License-Identifier: BSD-3-Clause
#include "venus/server.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "venus/address.h"

#define MAX_CLIENTS	 64
#define HELLO_TIMEOUT_MS 5000
#define SEND_TIMEOUT_MS	 30000

struct client {
	pid_t pid;
	unsigned int number;
};

struct server {
	const struct rp_vn_server_options *options;
	struct event_base *base;
	int listener;
	unsigned int accepted;
	unsigned int n_clients;
	struct client clients[MAX_CLIENTS];
};

/* ---- in the client's process ---- */

static int send_frame(void *ctx, const void *data, size_t len)
{
	return rp_vn_wire_send(ctx, data, len, SEND_TIMEOUT_MS);
}

static void log_end(const struct rp_vn_session *s, unsigned int number, int rc)
{
	const struct rp_vn_command *cmd = rp_vn_command_find(s->error_command);

	if (s->error != NULL)
		rp_warn("client %u closed: %s in command %u (%s)", number, s->error,
			s->error_command, cmd != NULL ? cmd->name : "not of Vulkan");
	else if (rc != -EPIPE)
		rp_warn("client %u closed: %s", number,
			rc == -EPROTO ? "that is no frame" : strerror(-rc));
	rp_info("client %u ended: %lu commands in %lu frames, %lu answers", number,
		(unsigned long)s->stats.commands, (unsigned long)s->stats.frames,
		(unsigned long)s->stats.answers);
}

static void serve(const struct rp_vn_server_options *o, int fd, unsigned int number)
{
	struct rp_vn_wire wire = {.fd = fd};
	struct rp_vn_session s = {
		.backend = o->backend,
		.token = o->token,
		.send = send_frame,
		.ctx = &wire,
		.log_commands = o->log_commands,
	};
	struct rp_reader frame;
	int rc = rp_vn_session_init(&s);

	rp_vn_wire_tune(fd);
	while (rc == 0) {
		rc = rp_vn_wire_recv(&wire, &frame, s.welcome ? 0 : HELLO_TIMEOUT_MS);
		if (rc == 0 && !rp_vn_session_frame(&s, frame))
			rc = -EPROTO;
	}
	log_end(&s, number, rc);
	rp_vn_session_fini(&s);
	rp_vn_wire_close(&wire);
}

__attribute__((noreturn)) static void child_main(const struct server *srv, int fd, pid_t parent)
{
	const struct rlimit no_core = {0, 0};

	// A client's process must not outlive the server, whatever kills that.
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
	setrlimit(RLIMIT_CORE, &no_core);
	close(srv->listener);
	serve(srv->options, fd, srv->accepted);
	// Drivers may have threads and exit handlers that wait for a hung GPU: leave without them.
	_exit(0);
}

/* ---- in the server's process ---- */

static void refuse_busy(int fd)
{
	const struct rp_vn_hello_reply busy = {.result = RP_VN_HELLO_BUSY};
	struct rp_vn_wire wire = {.fd = fd};
	uint8_t buf[64];
	struct rp_writer w = rp_writer(buf, sizeof(buf));

	rp_vn_hello_write_reply(&w, &busy);
	rp_vn_wire_send(&wire, buf, rp_writer_len(&w), 1);
	rp_vn_wire_close(&wire);
}

static void on_accept(evutil_socket_t listener, short, void *arg)
{
	struct server *srv = arg;
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	pid_t parent = getpid(), pid;

	if (fd < 0)
		return;
	if (srv->n_clients == MAX_CLIENTS) {
		rp_warn("client refused: %d are connected", MAX_CLIENTS);
		refuse_busy(fd);
		return;
	}
	srv->accepted++;
	pid = fork();
	if (pid == 0)
		child_main(srv, fd, parent);
	close(fd);
	if (pid < 0) {
		rp_err("client refused: cannot fork: %s", strerror(errno));
		return;
	}
	srv->clients[srv->n_clients++] = (struct client){pid, srv->accepted};
}

static void forget(struct server *srv, pid_t pid, int status)
{
	for (unsigned int i = 0; i < srv->n_clients; i++) {
		if (srv->clients[i].pid != pid)
			continue;
		if (WIFSIGNALED(status))
			rp_warn("client %u ended: its driver died of signal %d (%s)",
				srv->clients[i].number, WTERMSIG(status),
				strsignal(WTERMSIG(status)));
		srv->clients[i] = srv->clients[--srv->n_clients];
		return;
	}
}

static void on_child(evutil_socket_t, short, void *arg)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		forget(arg, pid, status);
}

static void on_stop(evutil_socket_t, short, void *arg)
{
	struct server *srv = arg;

	event_base_loopbreak(srv->base);
}

static void stop_clients(struct server *srv)
{
	for (unsigned int i = 0; i < srv->n_clients; i++)
		kill(srv->clients[i].pid, SIGKILL);
	for (unsigned int i = 0; i < srv->n_clients; i++)
		waitpid(srv->clients[i].pid, NULL, 0);
}

static bool is_local(const struct rp_vn_address *a)
{
	if (a->sa.sa_family == AF_INET)
		return ntohl(a->in.sin_addr.s_addr) >> 24 == 127;
	if (a->sa.sa_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&a->in6.sin6_addr);
	return true;
}

static int loop(struct server *srv, const char *where, struct rp_error *err)
{
	struct event *events[4];
	bool ok = true;

	srv->base = event_base_new();
	if (srv->base == NULL)
		return rp_error_set(err, ENOMEM, NULL, NULL, "no event loop");
	events[0] = event_new(srv->base, srv->listener, EV_READ | EV_PERSIST, on_accept, srv);
	events[1] = evsignal_new(srv->base, SIGCHLD, on_child, srv);
	events[2] = evsignal_new(srv->base, SIGINT, on_stop, srv);
	events[3] = evsignal_new(srv->base, SIGTERM, on_stop, srv);
	for (int i = 0; i < 4; i++)
		ok = ok && events[i] != NULL && event_add(events[i], NULL) == 0;
	if (ok) {
		rp_info("listening on %s, backend %s", where, srv->options->backend->name);
		event_base_dispatch(srv->base);
	}
	stop_clients(srv);
	for (int i = 0; i < 4; i++) {
		if (events[i] != NULL)
			event_free(events[i]);
	}
	event_base_free(srv->base);
	return ok ? 0 : rp_error_set(err, ENOMEM, NULL, NULL, "no events");
}

int rp_vn_server_run(const struct rp_vn_server_options *o, struct rp_error *err)
{
	struct server srv = {.options = o};
	struct rp_vn_address addr;
	socklen_t len = sizeof(addr.un);
	char where[160];
	int rc = rp_vn_address_parse(&addr, o->listen, err);

	if (rc < 0)
		return rc;
	if (!is_local(&addr) && o->token[0] == '\0')
		return rp_error_set(err, EACCES, "listen", o->listen,
				    "an address beyond loopback needs --token-file");
	srv.listener = rp_vn_address_listen(&addr, err);
	if (srv.listener < 0)
		return srv.listener;
	// Port 0 asks the kernel for a free one: say which.
	if (addr.sa.sa_family == AF_INET || addr.sa.sa_family == AF_INET6)
		getsockname(srv.listener, &addr.sa, &len);
	rc = loop(&srv, rp_vn_address_text(&addr, where, sizeof(where)), err);
	close(srv.listener);
	if (addr.sa.sa_family == AF_UNIX)
		unlink(addr.un.sun_path);
	return rc;
}
