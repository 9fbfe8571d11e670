// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bsd/string.h>

#include "qmp/internal.h"

static int bad_address(struct rp_qmp_error *err, const char *text, const char *why)
{
	return rp_qmp_error_set(err, RP_QMP_ARGUMENT, RP_QMP_PHASE_CONNECT, text,
				"%s; expected PATH, unix:PATH or tcp:HOST:PORT", why);
}

static int parse_unix(struct address *a, const char *path, struct rp_qmp_error *err)
{
	struct sockaddr_un *sun = (struct sockaddr_un *)&a->list[0].sa;

	if (path[0] == '\0')
		return bad_address(err, a->text, "the path is empty");
	if (strlcpy(sun->sun_path, path, sizeof(sun->sun_path)) >= sizeof(sun->sun_path))
		return bad_address(err, a->text, "a socket's path has at most 107 bytes");
	sun->sun_family = AF_UNIX;
	a->list[0].len = sizeof(*sun);
	a->n = 1;
	a->is_unix = true;
	return 0;
}

static int parse_tcp(struct address *a, const char *text, struct rp_qmp_error *err)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	const char *colon = strrchr(text, ':');
	struct addrinfo *found, *i;
	char host[256];
	size_t len;
	int rc;

	len = colon != NULL ? (size_t)(colon - text) : 0;
	if (len == 0 || len >= sizeof(host) || colon[1] == '\0')
		return bad_address(err, a->text, "host or port is missing");
	if (text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	}
	memcpy(host, text, len);
	host[len] = '\0';
	rc = getaddrinfo(host, colon + 1, &hints, &found);
	if (rc != 0)
		return rp_qmp_error_set(err, RP_QMP_NOT_FOUND, RP_QMP_PHASE_CONNECT, a->text,
					"cannot look up the host or port: %s", gai_strerror(rc));
	for (i = found; i != NULL && a->n < MAX_ADDRESSES; i = i->ai_next) {
		memcpy(&a->list[a->n].sa, i->ai_addr, i->ai_addrlen);
		a->list[a->n++].len = i->ai_addrlen;
	}
	freeaddrinfo(found);
	return 0;
}

int rp_qmp_address_parse(struct address *a, const char *text, struct rp_qmp_error *err)
{
	memset(a, 0, sizeof(*a));
	if (text == NULL)
		return bad_address(err, "", "no address");
	strlcpy(a->text, text, sizeof(a->text));
	if (strncmp(text, "tcp:", 4) == 0)
		return parse_tcp(a, text + 4, err);
	if (strncmp(text, "unix:", 5) == 0)
		return parse_unix(a, text + 5, err);
	return parse_unix(a, text, err);
}

int rp_qmp_address_connect(const struct address *a, unsigned index, int *fd)
{
	const struct sockaddr *sa = (const struct sockaddr *)&a->list[index].sa;
	const int on = 1;
	int s, rc;

	s = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s < 0)
		return -errno;
	if (!a->is_unix)
		setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	rc = connect(s, sa, a->list[index].len) == 0 ? 0 : -errno;
	if (rc == 0 || rc == -EINPROGRESS)
		*fd = s;
	else
		close(s);
	return rc;
}

static const char *unix_path(const struct address *a)
{
	return ((const struct sockaddr_un *)&a->list[0].sa)->sun_path;
}

enum rp_qmp_kind rp_qmp_address_failure(const struct address *a, int code, char *why, size_t len)
{
	struct stat st;

	switch (code) {
	case ENOENT:
	case ENOTDIR:
		snprintf(why, len, "no such socket: the VM is not running, or not started yet");
		return RP_QMP_NOT_FOUND;
	case EHOSTUNREACH:
	case ENETUNREACH:
		snprintf(why, len, "%s", strerror(code));
		return RP_QMP_NOT_FOUND;
	case EACCES:
	case EPERM:
		snprintf(why, len, "not allowed to open the socket: see its owner and mode");
		return RP_QMP_PERMISSION;
	case EAGAIN: // Unix sockets only: the backlog is full
		snprintf(why, len, "others are already waiting for this monitor");
		return RP_QMP_BUSY;
	case ETIMEDOUT:
		snprintf(why, len, "the host does not answer");
		return RP_QMP_TIMEOUT;
	case ECONNRESET:
		snprintf(why, len, "the connection was reset");
		return RP_QMP_RESET;
	case EPROTOTYPE:
		snprintf(why, len, "the socket is not of the stream type");
		return RP_QMP_ARGUMENT;
	case ECONNREFUSED:
		if (a->is_unix && stat(unix_path(a), &st) == 0 && !S_ISSOCK(st.st_mode)) {
			snprintf(why, len, "is not a socket; expected the path of -qmp unix:PATH");
			return RP_QMP_ARGUMENT;
		}
		snprintf(why, len, "no QEMU behind the socket: the VM has ended%s",
			 a->is_unix ? " and left the file" : ", or listens elsewhere");
		return RP_QMP_REFUSED;
	default:
		snprintf(why, len, "cannot connect: %s", strerror(code));
		return RP_QMP_PROTOCOL;
	}
}

int rp_qmp_address_peer_pid(int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return 0;
	return cred.pid;
}

// The state letter of a process ("T": stopped), or 0.
static char process_state(int pid)
{
	char path[64], line[512];
	const char *p;
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (f == NULL)
		return 0;
	n = fread(line, 1, sizeof(line) - 1, f);
	fclose(f);
	line[n] = '\0';
	p = strrchr(line, ')'); // the name in front of it may hold anything
	return p != NULL && p[1] == ' ' ? p[2] : 0;
}

/*
 * Does the server talk to another client while we wait to be accepted? The kernel lists every end
 * of a Unix socket with the path it is bound to: 03 is a connection that was accepted, 02 one that
 * was not yet. A monitor accepts one at a time.
 */
static bool held_by_another(int fd)
{
	struct sockaddr_un peer = {0};
	socklen_t len = sizeof(peer);
	bool accepted = false, waiting = false;
	char line[512];
	FILE *f;

	if (getpeername(fd, (struct sockaddr *)&peer, &len) < 0 || peer.sun_path[0] == '\0')
		return false;
	f = fopen("/proc/net/unix", "re");
	if (f == NULL)
		return false;
	while (fgets(line, sizeof(line), f) != NULL) {
		unsigned state;
		int at = 0;

		line[strcspn(line, "\n")] = '\0';
		if (sscanf(line, "%*s %*s %*s %*s %*s %x %*s %n", &state, &at) != 1 || at == 0 ||
		    strncmp(line + at, peer.sun_path, sizeof(peer.sun_path)) != 0)
			continue;
		accepted |= state == 3;
		waiting |= state == 2;
	}
	fclose(f);
	return accepted && waiting;
}

enum rp_qmp_kind rp_qmp_address_silence(const struct address *a, int fd, char *why, size_t len)
{
	int pid = a->is_unix ? rp_qmp_address_peer_pid(fd) : 0;
	char state = pid > 0 ? process_state(pid) : 0;

	if (state == 'T' || state == 't') {
		snprintf(why, len,
			 "process %d behind the socket is stopped (SIGSTOP or a debugger)", pid);
		return RP_QMP_TIMEOUT;
	}
	if (a->is_unix && held_by_another(fd)) {
		snprintf(why, len,
			 "another client holds this monitor (QEMU serves one at a time); give "
			 "QEMU a second -qmp socket");
		return RP_QMP_BUSY;
	}
	snprintf(why, len,
		 a->is_unix ? "connected, but no greeting: QEMU hangs, or this is no QMP monitor"
			    : "connected, but no greeting: another client holds the monitor, QEMU "
			      "hangs, or this is no QMP monitor");
	return RP_QMP_TIMEOUT;
}
