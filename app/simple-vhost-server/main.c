// SPDX-License-Identifier: BSD-3-Clause
// simple-vhost-server: a vhost-user network card without DPDK, for tests of front-ends.
//
// The main process listens; each connection is served by a process of its own, so that a crash of
// one touches no other.
#include "base/log.h"
#include "base/unix.h"
#include "faults.h"

#include <bsd/libutil.h>
#include <bsd/string.h>

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define CLIENTS_MAX 256

static const char usage[] =
	"usage: simple-vhost-server [options] SOCKET\n"
	"\n"
	"Serves a vhost-user network card on SOCKET to any number of front-ends at a time.\n"
	"\n"
	"  -m, --mode MODE     loopback: frames come back (default); sink: they vanish;\n"
	"                      source: frames come without end\n"
	"  -q, --pairs N       queue pairs (1 to 128, default 1)\n"
	"  -d, --daemon        run in the background once SOCKET is there\n"
	"  -p, --pidfile FILE  write the process id to FILE and hold it locked\n"
	"  -f, --fault NAME    misbehave on purpose; may be repeated; `list' lists\n"
	"  -v, --verbose       log every request\n"
	"  -V, --version\n"
	"  -h, --help\n"
	"\n"
	"SIGTERM and SIGINT end it: clients are disconnected, SOCKET and FILE removed.\n"
	"Exit status: 0 stopped; 1 cannot serve; 2 wrong usage.\n";

static const struct option long_options[] = {
	{"mode", required_argument, NULL, 'm'},
	{"pairs", required_argument, NULL, 'q'},
	{"daemon", no_argument, NULL, 'd'},
	{"pidfile", required_argument, NULL, 'p'},
	{"fault", required_argument, NULL, 'f'},
	{"verbose", no_argument, NULL, 'v'},
	{"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static struct options {
	const char *socket;
	const char *pidfile;
	enum rp_netdev_mode mode;
	unsigned int pairs;
	bool background;
	bool verbose;
} options = {.pairs = 1};

static struct server {
	int listener;
	int signals;
	struct pidfh *pidfile;
	pid_t clients[CLIENTS_MAX]; // 0: free
} server = {.listener = -1, .signals = -1};

static void complain(const struct rp_error *err)
{
	char text[600];

	fprintf(stderr, "simple-vhost-server: %s\n", rp_error_text(err, text, sizeof(text)));
}

// --- one connection, in a process of its own ---

static int log_request(struct rp_backend *, const struct rp_vhu_msg *msg, void *)
{
	const struct rp_vhu_message_info *info =
		rp_vhu_message_by_id(RP_VHU_FROM_FRONTEND, msg->request);

	rp_info("[%d] %s (%" PRIu32 "), flags 0x%" PRIx32 ", %" PRIu32 " bytes, %u descriptors",
		getpid(), info != NULL ? info->name : "unknown", msg->request, msg->flags,
		msg->size, msg->n_fds);
	return 0;
}

static int serve(struct rp_backend *be)
{
	int rc;

	while ((rc = rp_backend_step(be)) >= 0) {
		struct pollfd p = {.fd = rp_backend_fd(be), .events = POLLIN};

		if (rc == 0 && poll(&p, 1, rp_backend_timeout(be)) < 0 && errno != EINTR)
			return -errno;
	}
	return rc;
}

static void serve_client(int sock)
{
	static struct rp_netdev card;
	struct rp_backend *be;
	char text[600];
	int rc;

	rp_netdev_init(&card, options.mode, options.pairs);
	if (options.verbose)
		card.ops.request = log_request;
	fault_apply(&card);
	be = rp_backend_new(sock, &card.device);
	if (be == NULL)
		_exit(1);
	rc = serve(be);
	if (rc != -ECONNRESET)
		rp_warn("[%d] %s", getpid(),
			rp_error_text(rp_backend_error(be), text, sizeof(text)));
	rp_info("[%d] client left: %" PRIu64 " frames in, %" PRIu64 " out, %" PRIu64
		" dropped, %" PRIu64 " bad",
		getpid(), card.stats.rx, card.stats.tx, card.stats.dropped, card.stats.bad);
	rp_backend_free(be);
	_exit(0);
}

static void start_client(int sock)
{
	pid_t parent = getpid(), *slot = NULL;
	sigset_t none;

	for (unsigned int i = 0; i < CLIENTS_MAX && slot == NULL; i++)
		if (server.clients[i] == 0)
			slot = &server.clients[i];
	if (slot == NULL) {
		rp_warn("a client was turned away: %d are connected", CLIENTS_MAX);
		close(sock);
		return;
	}
	*slot = fork();
	if (*slot == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() != parent)
			_exit(1);
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		close(server.listener);
		close(server.signals);
		if (server.pidfile != NULL)
			pidfile_close(server.pidfile); // the lock is the parent's
		serve_client(sock);
	}
	if (*slot < 0) {
		rp_err("cannot start a process for a client: %s", strerror(errno));
		*slot = 0;
	}
	close(sock);
}

// --- the listening process ---

static void forget_clients(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (unsigned int i = 0; i < CLIENTS_MAX; i++)
			if (server.clients[i] == pid)
				server.clients[i] = 0;
		if (WIFSIGNALED(status))
			rp_warn("[%d] died of signal %d", pid, WTERMSIG(status));
	}
}

// False when it is time to go.
static bool handle_signal(void)
{
	struct signalfd_siginfo info;

	if (read(server.signals, &info, sizeof(info)) != sizeof(info))
		return true;
	if (info.ssi_signo != SIGCHLD)
		return false;
	forget_clients();
	return true;
}

static void run(void)
{
	struct pollfd p[] = {{.fd = server.listener, .events = POLLIN},
			     {.fd = server.signals, .events = POLLIN}};

	for (;;) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return;
		if (p[1].revents != 0 && !handle_signal())
			return;
		if (p[0].revents != 0) {
			int sock = rp_vhu_accept(server.listener, 0, NULL);

			if (sock >= 0)
				start_client(sock);
		}
	}
}

static int take_pidfile(struct rp_error *err)
{
	pid_t other = 0;

	if (options.pidfile == NULL)
		return 0;
	server.pidfile = pidfile_open(options.pidfile, 0644, &other);
	if (server.pidfile != NULL)
		return 0;
	if (errno == EEXIST)
		return rp_error_set(err, EEXIST, "pidfile", options.pidfile,
				    "process %d holds it: it runs already", other);
	return rp_error_set(err, errno, "pidfile", options.pidfile, "%s", strerror(errno));
}

static int take_signals(struct rp_error *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	server.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return server.signals >= 0
		       ? 0
		       : rp_error_set(err, errno, "signals", NULL, "%s", strerror(errno));
}

static int open_server(struct rp_error *err)
{
	int rc = take_pidfile(err);

	if (rc == 0)
		rc = take_signals(err);
	if (rc == 0) {
		server.listener = rp_unix_listen(options.socket, err);
		rc = server.listener < 0 ? server.listener : 0;
	}
	// Not to /: the paths may be relative.
	if (rc == 0 && options.background && daemon(1, 0) < 0)
		rc = rp_error_set(err, errno, "daemon", NULL, "%s", strerror(errno));
	if (rc == 0 && server.pidfile != NULL)
		pidfile_write(server.pidfile);
	return rc;
}

static void close_server(void)
{
	for (unsigned int i = 0; i < CLIENTS_MAX; i++)
		if (server.clients[i] > 0)
			kill(server.clients[i], SIGTERM);
	if (server.listener >= 0) {
		close(server.listener);
		unlink(options.socket);
	}
	while (waitpid(-1, NULL, 0) > 0)
		;
	if (server.pidfile != NULL)
		pidfile_remove(server.pidfile);
}

// --- arguments ---

static int parse_mode(const char *word, struct rp_error *err)
{
	static const char *const modes[] = {"loopback", "sink", "source"};

	for (unsigned int i = 0; i < 3; i++)
		if (strcmp(word, modes[i]) == 0) {
			options.mode = i;
			return 0;
		}
	return rp_error_set(err, EINVAL, "mode", word, "expected loopback, sink or source");
}

static int parse_pairs(const char *word, struct rp_error *err)
{
	char *end;
	unsigned long n = strtoul(word, &end, 10);

	if (end == word || *end != '\0' || n < 1 || n > RP_NETDEV_PAIRS_MAX)
		return rp_error_set(err, EINVAL, "pairs", word, "expected 1 to %d",
				    RP_NETDEV_PAIRS_MAX);
	options.pairs = (unsigned int)n;
	return 0;
}

// 0; 1: all is done; negative: wrong usage.
static int parse_option(int option, struct rp_error *err)
{
	switch (option) {
	case 'm':
		return parse_mode(optarg, err);
	case 'q':
		return parse_pairs(optarg, err);
	case 'd':
		options.background = true;
		return 0;
	case 'p':
		options.pidfile = optarg;
		return 0;
	case 'f':
		if (strcmp(optarg, "list") != 0)
			return fault_add(optarg, err);
		fault_list();
		return 1;
	case 'v':
		options.verbose = true;
		return 0;
	case 'V':
		puts("simple-vhost-server " RP_VERSION);
		return 1;
	case 'h':
		fputs(usage, stdout);
		return 1;
	default:
		// getopt has said what is wrong.
		return rp_error_set(err, EINVAL, NULL, NULL, "try --help");
	}
}

static int parse(int argc, char **argv, struct rp_error *err)
{
	int option, rc = 0;

	while (rc == 0 &&
	       (option = getopt_long(argc, argv, "m:q:dp:f:vVh", long_options, NULL)) != -1)
		rc = parse_option(option, err);
	if (rc != 0)
		return rc;
	if (argc - optind != 1)
		return rp_error_set(err, EINVAL, NULL, NULL, "expected one SOCKET; try --help");
	options.socket = argv[optind];
	return 0;
}

int main(int argc, char **argv)
{
	struct rp_error err = {0};
	int rc = parse(argc, argv, &err);

	if (rc > 0)
		return 0;
	if (rc < 0) {
		complain(&err);
		return 2;
	}
	rc = open_server(&err);
	if (rc < 0) {
		complain(&err);
		close_server();
		return 1;
	}
	rp_info("listening on %s", options.socket);
	run();
	close_server();
	rp_info("stopped");
	return 0;
}
