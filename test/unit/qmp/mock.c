// SPDX-License-Identifier: BSD-3-Clause
#include "mock.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <bsd/string.h>

#include "base/clock.h"
#include "qmp/frame.h"

#define MAX_NAMES 64

struct mock {
	pthread_t thread;
	char path[108];
	char dir[64]; // temporary, or empty
	char *script;
	int listener, conn, control;

	pthread_mutex_t lock; // of what follows
	pthread_cond_t changed;
	bool stop;
	const char *todo;
	struct {
		char name[64];
		unsigned n;
	} counts[MAX_NAMES];
	unsigned n_counts, resyncs;
	int fd;

	// The server's thread only.
	struct rp_qmp_frame frame;
	char *out;
	size_t out_len, chunk, cut;
	bool held, deaf, pretty, exiting;
	const char *end;
	char *reply_id;
};

static void die(const char *what, const char *detail)
{
	fprintf(stderr, "mock: %s: %s\n", what, detail);
	abort();
}

// ---- Output ----

static bool stopping(struct mock *m)
{
	bool stop;

	pthread_mutex_lock(&m->lock);
	stop = m->stop;
	pthread_mutex_unlock(&m->lock);
	return stop;
}

static void hang_up(struct mock *m)
{
	if (m->conn >= 0)
		close(m->conn);
	m->conn = -1;
	free(m->out);
	m->out = NULL;
	m->out_len = 0;
	rp_qmp_frame_reset(&m->frame);
}

static void flush(struct mock *m)
{
	size_t off = 0;

	while (off < m->out_len && m->conn >= 0) {
		size_t left = m->out_len - off;
		size_t n = m->chunk != 0 && m->chunk < left ? m->chunk : left;
		struct pollfd p[2] = {{.fd = m->conn, .events = POLLOUT},
				      {.fd = m->control, .events = POLLIN}};
		ssize_t put = send(m->conn, m->out + off, n, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (put < 0 && errno == EAGAIN) {
			poll(p, 2, -1);
			if (stopping(m))
				break;
		} else if (put < 0) {
			break;
		} else {
			off += (size_t)put;
		}
	}
	m->out_len = 0;
}

static void put(struct mock *m, const char *data, size_t len)
{
	bool cut = m->cut != 0;

	if (cut && len > m->cut)
		len = m->cut;
	m->out = realloc(m->out, m->out_len + len + 1);
	memcpy(m->out + m->out_len, data, len);
	m->out_len += len;
	if (!m->held)
		flush(m);
	if (cut)
		hang_up(m);
	m->cut = 0;
}

static void put_message(struct mock *m, json_t *json)
{
	char *text = json_dumps(json, m->pretty ? JSON_INDENT(4) : 0);
	char *line;

	if (asprintf(&line, "%s%s", text, m->end) < 0)
		die("out of memory", "");
	put(m, line, strlen(line));
	free(line);
	free(text);
	json_decref(json);
}

// ---- Actions ----

static json_t *parse(const char *text)
{
	json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);

	if (json == NULL)
		die("not JSON", text);
	return json;
}

static void put_reply(struct mock *m, const char *key, json_t *value, json_t *id)
{
	json_t *reply = json_object();

	json_object_set_new(reply, key, value);
	if (m->reply_id != NULL)
		json_object_set_new(reply, "id", parse(m->reply_id));
	else if (id != NULL)
		json_object_set(reply, "id", id);
	free(m->reply_id);
	m->reply_id = NULL;
	put_message(m, reply);
}

static json_t *error_of(char *arg)
{
	char *desc = arg;
	char *class = strsep(&desc, " ");

	return json_pack("{s:s,s:s}", "class", class, "desc", desc != NULL ? desc : "");
}

static void put_event(struct mock *m, char *arg)
{
	char *data = arg;
	char *name = strsep(&data, " ");
	json_t *e = json_pack("{s:{s:i,s:i},s:s}", "timestamp", "seconds", 1700000000,
			      "microseconds", 5, "event", name);

	if (data != NULL)
		json_object_set_new(e, "data", parse(data));
	put_message(m, e);
}

static void put_pad(struct mock *m, size_t n, json_t *id)
{
	char *text = malloc(n + 1);

	memset(text, 'x', n);
	text[n] = '\0';
	put_reply(m, "return", json_pack("{s:s}", "pad", text), id);
	free(text);
}

static void put_raw(struct mock *m, const char *arg)
{
	char buf[4096];
	size_t n = 0;

	while (*arg != '\0' && n < sizeof(buf)) {
		unsigned byte;

		if (arg[0] == '\\' && arg[1] == 'x' && sscanf(arg + 2, "%2x", &byte) == 1) {
			buf[n++] = (char)byte;
			arg += 4;
		} else if (arg[0] == '\\' && arg[1] != '\0') {
			buf[n++] = arg[1] == 'r' ? '\r' : arg[1] == 'n' ? '\n' : arg[1];
			arg += 2;
		} else {
			buf[n++] = *arg++;
		}
	}
	put(m, buf, n);
}

static void greet(struct mock *m, bool oob)
{
	json_t *caps = json_array();

	if (oob)
		json_array_append_new(caps, json_string("oob"));
	put_message(m, json_pack("{s:{s:{s:{s:i,s:i,s:i},s:s},s:o}}", "QMP", "version", "qemu",
				 "micro", 22, "minor", 2, "major", 7, "package", "mock",
				 "capabilities", caps));
}

static void pause_ms(struct mock *m, int ms)
{
	struct pollfd p = {.fd = m->control, .events = POLLIN};

	poll(&p, 1, ms);
}

static void act_plain(struct mock *m, const char *verb, const char *arg)
{
	if (strcmp(verb, "wait") == 0)
		pause_ms(m, atoi(arg));
	else if (strcmp(verb, "chunk") == 0)
		m->chunk = (size_t)atoi(arg);
	else if (strcmp(verb, "hold") == 0)
		m->held = true;
	else if (strcmp(verb, "flush") == 0)
		m->held = false, flush(m);
	else if (strcmp(verb, "end") == 0)
		m->end = strcmp(arg, "crlf") == 0 ? "\r\n" : strcmp(arg, "lf") == 0 ? "\n" : "";
	else if (strcmp(verb, "pretty") == 0)
		m->pretty = true;
	else if (strcmp(verb, "deaf") == 0)
		m->deaf = true;
	else if (strcmp(verb, "hear") == 0)
		m->deaf = false;
	else if (strcmp(verb, "cut") == 0)
		m->cut = (size_t)atoi(arg);
	else if (strcmp(verb, "close") == 0)
		hang_up(m);
	else if (strcmp(verb, "exit") == 0)
		m->exiting = true;
	else
		die("unknown action", verb);
}

static void act(struct mock *m, char *line, const json_t *command)
{
	char *arg = line + strspn(line, " \t");
	char *verb = strsep(&arg, " ");
	json_t *id = json_object_get(command, "id");

	if (arg == NULL)
		arg = verb + strlen(verb);
	if (verb[0] == '\0' || verb[0] == '#')
		return;
	if (strcmp(verb, "greet") == 0)
		greet(m, strcmp(arg, "oob") == 0);
	else if (strcmp(verb, "return") == 0)
		put_reply(m, "return", parse(arg), id);
	else if (strcmp(verb, "echo") == 0)
		put_reply(m, "return", json_deep_copy(json_object_get(command, "arguments")), id);
	else if (strcmp(verb, "error") == 0)
		put_reply(m, "error", error_of(arg), id);
	else if (strcmp(verb, "stray") == 0)
		put_message(m, json_pack("{s:o}", "error", error_of(arg)));
	else if (strcmp(verb, "event") == 0)
		put_event(m, arg);
	else if (strcmp(verb, "pad") == 0)
		put_pad(m, (size_t)atol(arg), id);
	else if (strcmp(verb, "raw") == 0)
		put_raw(m, arg);
	else if (strcmp(verb, "id") == 0)
		m->reply_id = strdup(arg);
	else
		act_plain(m, verb, arg);
}

static void act_all(struct mock *m, const char *actions, const json_t *command)
{
	char *copy = strdup(actions), *rest = copy, *line;

	while ((line = strsep(&rest, "\n")) != NULL && strncmp(line, "on ", 3) != 0)
		act(m, line, command);
	free(copy);
}

// The actions of the rule with that name, or NULL.
static const char *find_rule(const char *script, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = script; p != NULL; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (strncmp(p, "on ", 3) == 0 && strncmp(p + 3, name, len) == 0 &&
		    (p[3 + len] == '\n' || p[3 + len] == '\0'))
			return p + 3 + len;
	}
	return NULL;
}

// ---- Input ----

static void count(struct mock *m, const char *name)
{
	unsigned i = 0;

	pthread_mutex_lock(&m->lock);
	while (i < m->n_counts && strcmp(m->counts[i].name, name) != 0)
		i++;
	if (i == MAX_NAMES)
		die("too many different commands", name);
	if (i == m->n_counts)
		strlcpy(m->counts[m->n_counts++].name, name, sizeof(m->counts[i].name));
	m->counts[i].n++;
	pthread_cond_broadcast(&m->changed);
	pthread_mutex_unlock(&m->lock);
}

static void command(struct mock *m, const char *text, size_t len)
{
	json_t *json = json_loadb(text, len, 0, NULL);
	const char *name = json_string_value(json_object_get(json, "execute"));
	const char *rule;

	if (name == NULL)
		name = json_string_value(json_object_get(json, "exec-oob"));
	if (name == NULL) {
		act_all(m, "stray GenericError JSON parse error, expecting value", NULL);
		json_decref(json);
		return;
	}
	count(m, name);
	rule = find_rule(m->script, name);
	if (rule == NULL && strcmp(name, "qmp_capabilities") != 0)
		rule = find_rule(m->script, "*");
	act_all(m,
		rule != NULL && *rule != '\0' ? rule + 1
		: rule != NULL		      ? ""
					      : "return {}",
		json);
	json_decref(json);
}

static void parse_input(struct mock *m, const uint8_t *buf, size_t len)
{
	struct rp_reader r = rp_reader(buf, len);

	for (;;) {
		enum rp_qmp_frame_result result = rp_qmp_frame_feed(&m->frame, &r);

		if (result == RP_QMP_FRAME_MORE || m->conn < 0)
			return;
		if (result == RP_QMP_FRAME_OBJECT)
			command(m, m->frame.buf, m->frame.len);
	}
}

static void input(struct mock *m, const uint8_t *buf, size_t len)
{
	const uint8_t *end = buf + len, *stop;

	for (; (stop = memchr(buf, 0xff, (size_t)(end - buf))) != NULL; buf = stop + 1) {
		parse_input(m, buf, (size_t)(stop - buf));
		rp_qmp_frame_reset(&m->frame);
		pthread_mutex_lock(&m->lock);
		m->resyncs++;
		pthread_mutex_unlock(&m->lock);
		if (m->conn < 0)
			return;
		act_all(m, "stray GenericError JSON parse error, stray", NULL);
	}
	parse_input(m, buf, (size_t)(end - buf));
}

static void take_fds(struct mock *m, struct msghdr *msg)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_type != SCM_RIGHTS)
			continue;
		pthread_mutex_lock(&m->lock);
		if (m->fd >= 0)
			close(m->fd);
		memcpy(&m->fd, CMSG_DATA(c), sizeof(int));
		pthread_mutex_unlock(&m->lock);
	}
}

static void read_client(struct mock *m)
{
	static __thread uint8_t buf[65536];
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = {.iov_base = buf, .iov_len = sizeof(buf)};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control,
			     .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(m->conn, &msg, MSG_CMSG_CLOEXEC);

	if (n <= 0) {
		hang_up(m);
		return;
	}
	take_fds(m, &msg);
	input(m, buf, (size_t)n);
}

static void accept_client(struct mock *m)
{
	const char *rule = find_rule(m->script, "accept");

	m->conn = accept4(m->listener, NULL, NULL, SOCK_CLOEXEC);
	if (m->conn < 0)
		return;
	m->chunk = 0;
	m->held = false;
	m->deaf = false;
	m->pretty = false;
	m->end = "\r\n";
	act_all(m, rule != NULL && *rule != '\0' ? rule + 1 : rule != NULL ? "" : "greet", NULL);
}

static void control(struct mock *m)
{
	const char *todo;
	uint64_t n;

	if (read(m->control, &n, sizeof(n)) < 0)
		return;
	pthread_mutex_lock(&m->lock);
	todo = m->todo;
	pthread_mutex_unlock(&m->lock);
	if (todo == NULL)
		return;
	act_all(m, todo, NULL);
	pthread_mutex_lock(&m->lock);
	m->todo = NULL;
	pthread_cond_broadcast(&m->changed);
	pthread_mutex_unlock(&m->lock);
}

static void *serve(void *arg)
{
	struct mock *m = arg;

	while (!stopping(m)) {
		struct pollfd p[3] = {{.fd = m->control, .events = POLLIN},
				      {.fd = m->conn < 0 ? m->listener : -1, .events = POLLIN},
				      {.fd = m->deaf ? -1 : m->conn, .events = POLLIN}};

		if (m->exiting) {
			hang_up(m);
			close(m->listener);
			m->listener = -1;
			m->exiting = false;
			continue;
		}
		poll(p, 3, -1);
		if (p[0].revents != 0)
			control(m);
		else if (p[2].revents != 0)
			read_client(m);
		else if (p[1].revents != 0)
			accept_client(m);
	}
	hang_up(m);
	return NULL;
}

// ---- For the tests ----

struct mock *mock_start(const char *path, const char *script)
{
	struct mock *m = calloc(1, sizeof(*m));
	struct sockaddr_un sun = {.sun_family = AF_UNIX};

	if (path == NULL) {
		strlcpy(m->dir, "/tmp/qmp.XXXXXX", sizeof(m->dir));
		if (mkdtemp(m->dir) == NULL)
			die("mkdtemp", strerror(errno));
		snprintf(m->path, sizeof(m->path), "%s/qmp", m->dir);
	} else {
		strlcpy(m->path, path, sizeof(m->path));
		unlink(path);
	}
	m->script = strdup(script);
	m->conn = -1;
	m->fd = -1;
	m->control = eventfd(0, EFD_CLOEXEC);
	m->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	memcpy(sun.sun_path, m->path, sizeof(sun.sun_path));
	if (bind(m->listener, (struct sockaddr *)&sun, sizeof(sun)) < 0 ||
	    listen(m->listener, 4) < 0)
		die(m->path, strerror(errno));
	rp_qmp_frame_init(&m->frame, 64u << 20, RP_QMP_DEPTH_MAX);
	pthread_mutex_init(&m->lock, NULL);
	pthread_cond_init(&m->changed, NULL);
	if (pthread_create(&m->thread, NULL, serve, m) != 0)
		die("cannot start", "thread");
	return m;
}

static void poke(struct mock *m)
{
	const uint64_t one = 1;

	if (write(m->control, &one, sizeof(one)) < 0)
		die("eventfd", strerror(errno));
}

void mock_stop(struct mock *m)
{
	pthread_mutex_lock(&m->lock);
	m->stop = true;
	pthread_mutex_unlock(&m->lock);
	poke(m);
	pthread_join(m->thread, NULL);
	if (m->listener >= 0)
		close(m->listener);
	if (m->fd >= 0)
		close(m->fd);
	close(m->control);
	if (m->dir[0] != '\0') {
		unlink(m->path);
		rmdir(m->dir);
	}
	rp_qmp_frame_free(&m->frame);
	pthread_mutex_destroy(&m->lock);
	pthread_cond_destroy(&m->changed);
	free(m->reply_id);
	free(m->script);
	free(m);
}

const char *mock_path(const struct mock *m)
{
	return m->path;
}

void mock_do(struct mock *m, const char *actions)
{
	pthread_mutex_lock(&m->lock);
	m->todo = actions;
	poke(m);
	while (m->todo != NULL)
		pthread_cond_wait(&m->changed, &m->lock);
	pthread_mutex_unlock(&m->lock);
}

static unsigned count_of(const struct mock *m, const char *command)
{
	unsigned n = 0;

	for (unsigned i = 0; i < m->n_counts; i++) {
		if (command != NULL ? strcmp(m->counts[i].name, command) == 0
				    : strcmp(m->counts[i].name, "qmp_capabilities") != 0)
			n += m->counts[i].n;
	}
	return n;
}

unsigned mock_count(struct mock *m, const char *command)
{
	unsigned n;

	pthread_mutex_lock(&m->lock);
	n = count_of(m, command);
	pthread_mutex_unlock(&m->lock);
	return n;
}

void mock_wait_count(struct mock *m, const char *command, unsigned n)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_sec += 10;
	pthread_mutex_lock(&m->lock);
	while (count_of(m, command) < n) {
		if (pthread_cond_timedwait(&m->changed, &m->lock, &ts) == ETIMEDOUT)
			die("never received", command != NULL ? command : "any command");
	}
	pthread_mutex_unlock(&m->lock);
}

unsigned mock_resyncs(struct mock *m)
{
	unsigned n;

	pthread_mutex_lock(&m->lock);
	n = m->resyncs;
	pthread_mutex_unlock(&m->lock);
	return n;
}

int mock_take_fd(struct mock *m)
{
	int fd;

	pthread_mutex_lock(&m->lock);
	fd = m->fd;
	m->fd = -1;
	pthread_mutex_unlock(&m->lock);
	return fd;
}
