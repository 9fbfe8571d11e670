// SPDX-License-Identifier: BSD-3-Clause
#include "check.h"

#include "base/clock.h"

#include <bsd/string.h>

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_MS 15000
#define STOP_MS	 3000

// The back-end as a process: started by us (--spawn), or known by its pid, or not known at all.

void target_init(struct target *t, const struct options *opt)
{
	t->opt = opt;
	t->pid = opt->pid;
	if (opt->spawn == NULL) {
		strlcpy(t->socket, opt->socket, sizeof(t->socket));
		return;
	}
	strlcpy(t->dir, "/tmp/vhost-user-check.XXXXXX", sizeof(t->dir));
	if (mkdtemp(t->dir) == NULL)
		t->dir[0] = '\0';
	snprintf(t->socket, sizeof(t->socket), "%s/socket", t->dir);
}

// The command with {socket} replaced; to be freed.
static char *command_of(const struct target *t)
{
	const char *mark = strstr(t->opt->spawn, "{socket}");
	char *text;

	if (asprintf(&text, "exec %.*s%s%s", (int)(mark - t->opt->spawn), t->opt->spawn, t->socket,
		     mark + strlen("{socket}")) < 0)
		return NULL;
	return text;
}

static void note_end(struct target *t, int status)
{
	if (WIFSIGNALED(status))
		snprintf(t->end, sizeof(t->end), "was killed by signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else
		snprintf(t->end, sizeof(t->end), "ended with status %d", WEXITSTATUS(status));
}

bool target_alive(struct target *t)
{
	int status;

	if (t->pid == 0)
		return t->opt->spawn == NULL; // not known: connecting will tell
	if (t->opt->spawn == NULL) {
		if (kill(t->pid, 0) == 0)
			return true;
		strlcpy(t->end, "is gone", sizeof(t->end));
		t->ends++;
		return false;
	}
	if (waitpid(t->pid, &status, WNOHANG) != t->pid)
		return true;
	note_end(t, status);
	t->ends++;
	t->pid = 0;
	return false;
}

// The child's side of fork().
__attribute__((noreturn)) static void run_child(const char *command)
{
	int null = open("/dev/null", O_RDWR);

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (null >= 0) {
		dup2(null, 1);
		if (getenv("VHOST_USER_CHECK_STDERR") == NULL)
			dup2(null, 2);
	}
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

// Keep the child's stdin open: some programs end with it.
static void start_child(struct target *t)
{
	static int in[2] = {-1, -1};
	char *command = command_of(t);

	if (command == NULL || (in[0] < 0 && pipe2(in, O_CLOEXEC) < 0))
		return;
	unlink(t->socket);
	t->pid = fork();
	if (t->pid == 0) {
		dup2(in[0], 0);
		run_child(command);
	}
	free(command);
	t->starts++;
}

int target_start(struct target *t, struct rp_error *err)
{
	uint64_t deadline = rp_clock_ms() + START_MS;
	char socket[sizeof(t->socket)];

	if (t->opt->spawn == NULL || target_alive(t))
		return 0;
	start_child(t);
	strlcpy(socket, t->socket, sizeof(socket));
	while (rp_clock_ms() < deadline) {
		int sock;

		if (!target_alive(t))
			return rp_error_set(err, ECHILD, "--spawn", t->opt->spawn,
					    "it %s before it listened on %s", t->end, socket);
		// A connection would be the only one that some back-ends ever take: look at the
		// file instead, and trust the first real one to tell.
		sock = access(t->socket, F_OK);
		if (sock == 0)
			return 0;
		poll(NULL, 0, 5);
	}
	return rp_error_set(err, ETIMEDOUT, "--spawn", t->opt->spawn,
			    "it made no socket %s within %d s", socket, START_MS / 1000);
}

void target_stop(struct target *t)
{
	uint64_t deadline = rp_clock_ms() + STOP_MS;

	if (t->opt->spawn == NULL)
		return;
	if (t->pid > 0)
		kill(t->pid, SIGTERM);
	while (target_alive(t) && t->pid > 0 && rp_clock_ms() < deadline)
		poll(NULL, 0, 5);
	if (t->pid > 0) {
		kill(t->pid, SIGKILL);
		waitpid(t->pid, NULL, 0);
		t->pid = 0;
	}
	unlink(t->socket);
}

static pid_t parent_of(pid_t pid)
{
	char path[40], line[512], *end;
	FILE *f;
	int parent = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (f == NULL)
		return 0;
	if (fgets(line, sizeof(line), f) != NULL && (end = strrchr(line, ')')) != NULL &&
	    sscanf(end + 1, " %*c %d", &parent) != 1)
		parent = 0;
	fclose(f);
	return parent;
}

// Sum something over the process and its children, as some serve each connection in one.
static int sum_over_processes(pid_t pid, int (*count)(pid_t pid))
{
	DIR *dir = opendir("/proc");
	struct dirent *e;
	int sum = 0;

	if (dir == NULL)
		return -1;
	while ((e = readdir(dir)) != NULL) {
		pid_t other = isdigit((unsigned char)e->d_name[0])
				      ? (pid_t)strtol(e->d_name, NULL, 10)
				      : 0;

		if (other > 0 && (other == pid || parent_of(other) == pid))
			sum += count(other);
	}
	closedir(dir);
	return sum;
}

static int count_fds(pid_t pid)
{
	char path[40];
	DIR *dir;
	int n = 0;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	if (dir == NULL)
		return 0;
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n - 2;
}

static int count_maps(pid_t pid)
{
	char path[40], line[512];
	FILE *f;
	int n = 0;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	f = fopen(path, "re");
	if (f == NULL)
		return 0;
	while (fgets(line, sizeof(line), f) != NULL)
		n += strstr(line, "memfd:guest-memory") != NULL;
	fclose(f);
	return n;
}

int target_fds(struct check *c)
{
	return c->target->pid > 0 ? sum_over_processes(c->target->pid, count_fds) : -1;
}

int target_maps(struct check *c)
{
	return c->target->pid > 0 ? sum_over_processes(c->target->pid, count_maps) : -1;
}

static int count_ticks(pid_t pid)
{
	char path[40], line[512], *end;
	unsigned long user = 0, sys = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (f == NULL)
		return 0;
	if (fgets(line, sizeof(line), f) != NULL && (end = strrchr(line, ')')) != NULL &&
	    sscanf(end + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &sys) !=
		    2)
		user = sys = 0;
	fclose(f);
	return (int)(user + sys);
}

double target_cpu(struct check *c, unsigned int ms)
{
	int before = sum_over_processes(c->target->pid, count_ticks);

	poll(NULL, 0, (int)ms);
	return (double)(sum_over_processes(c->target->pid, count_ticks) - before) * 1000 /
	       (double)sysconf(_SC_CLK_TCK) / ms;
}

void must_come_down(struct check *c, int most, const char *what)
{
	uint64_t deadline = rp_clock_ms() + c->opt->wait_ms;
	int now;

	while ((now = target_fds(c)) > most) {
		if (rp_clock_ms() >= deadline)
			rule_fail(c, "%s: %d descriptors open in the back-end, %d before", what,
				  now, most);
		poll(NULL, 0, 5);
	}
}
