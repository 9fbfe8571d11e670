// SPDX-License-Identifier: BSD-3-Clause
#include "proc.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define STOP_MS 5000

struct proc {
	const char *name;
	pid_t pid;
	int pidfd;
	int in;	 // write end of its stdin
	int out; // read end of its output
	bool passed;
	bool reaped;
	int status;

	pthread_t reader;
	pthread_mutex_t lock;
	pthread_cond_t news;
	char *text; // all output, with a NUL behind
	size_t len;
	size_t seen; // proc_wait_line looks behind this
	bool ended;  // no more output
};

// Collect output in a thread of its own, so that a talkative child never blocks.
static void *collect(void *arg)
{
	struct proc *p = arg;
	char buf[4096];
	ssize_t n;

	while ((n = read(p->out, buf, sizeof(buf))) > 0) {
		pthread_mutex_lock(&p->lock);
		char *text = realloc(p->text, p->len + (size_t)n + 1);

		if (text != NULL) {
			memcpy(text + p->len, buf, (size_t)n);
			p->len += (size_t)n;
			text[p->len] = '\0';
			p->text = text;
		}
		pthread_cond_broadcast(&p->news);
		pthread_mutex_unlock(&p->lock);
	}
	pthread_mutex_lock(&p->lock);
	p->ended = true;
	pthread_cond_broadcast(&p->news);
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

static void become_child(int in, int out, pid_t parent, const char *const *argv)
{
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127); // the parent died before the request took effect
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	dprintf(STDERR_FILENO, "cannot start %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

struct proc *proc_start(const char *name, const char *const *argv)
{
	struct proc *p = calloc(1, sizeof(*p));
	pid_t parent = getpid();
	int in[2], out[2];

	if (p == NULL || pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0) {
		free(p);
		return NULL;
	}
	p->name = name;
	p->pid = fork();
	if (p->pid == 0)
		become_child(in[0], out[1], parent, argv);
	close(in[0]);
	close(out[1]);
	p->in = in[1];
	p->out = out[0];
	p->text = calloc(1, 1);
	p->pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->news, NULL);
	if (pthread_create(&p->reader, NULL, collect, p) != 0)
		abort();
	return p;
}

int proc_wait_line(struct proc *p, const char *text, unsigned int timeout_ms)
{
	struct timespec until;
	int rc = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += timeout_ms / 1000;
	until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	pthread_mutex_lock(&p->lock);
	for (;;) {
		char *at = strstr(p->text + p->seen, text);

		if (at != NULL) {
			p->seen = (size_t)(at - p->text) + strlen(text);
			break;
		}
		rc = p->ended ? -ECHILD : -pthread_cond_timedwait(&p->news, &p->lock, &until);
		if (rc < 0)
			break;
	}
	pthread_mutex_unlock(&p->lock);
	return rc;
}

static bool is_socket(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

int proc_wait_socket(struct proc *p, const char *path, unsigned int timeout_ms)
{
	uint64_t deadline = rp_clock_ms() + timeout_ms;
	char *dir = strdup(path);
	int ino = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	int rc = 0;

	// Watch first, look afterwards: whatever comes later wakes us.
	if (dir == NULL || ino < 0 || inotify_add_watch(ino, dirname(dir), IN_CREATE) < 0)
		rc = -errno;
	while (rc == 0 && !is_socket(path)) {
		struct pollfd w[] = {{.fd = ino, .events = POLLIN},
				     {.fd = p->pidfd, .events = POLLIN}};
		uint64_t now = rp_clock_ms();
		char events[4096];
		int n = poll(w, 2, now < deadline ? (int)(deadline - now) : 0);

		if (n == 0)
			rc = -ETIMEDOUT;
		else if (w[1].revents != 0)
			rc = -ECHILD;
		else if (read(ino, events, sizeof(events)) < 0 && errno != EAGAIN)
			rc = -errno;
	}
	free(dir);
	if (ino >= 0)
		close(ino);
	return rc;
}

int proc_wait_exit(struct proc *p, unsigned int timeout_ms, int *status)
{
	struct pollfd w = {.fd = p->pidfd, .events = POLLIN};

	if (!p->reaped) {
		if (poll(&w, 1, (int)timeout_ms) == 0)
			return -ETIMEDOUT;
		waitpid(p->pid, &p->status, 0);
		p->reaped = true;
	}
	if (status != NULL)
		*status = p->status;
	return 0;
}

int proc_write(struct proc *p, const char *text)
{
	size_t len = strlen(text);

	return write(p->in, text, len) == (ssize_t)len ? 0 : -EIO;
}

char *proc_output(struct proc *p)
{
	char *copy;

	pthread_mutex_lock(&p->lock);
	copy = strdup(p->text);
	pthread_mutex_unlock(&p->lock);
	return copy;
}

pid_t proc_pid(const struct proc *p)
{
	return p->pid;
}

void proc_passed(struct proc *p)
{
	p->passed = true;
}

void proc_stop(struct proc *p)
{
	if (p == NULL)
		return;
	if (!p->reaped) {
		kill(p->pid, SIGTERM);
		if (proc_wait_exit(p, STOP_MS, NULL) < 0) {
			kill(p->pid, SIGKILL);
			proc_wait_exit(p, STOP_MS, NULL);
		}
	}
	pthread_join(p->reader, NULL);
	if (!p->passed)
		fprintf(stderr, "--- output of %s (pid %d, status 0x%x) ---\n%s\n--- end ---\n",
			p->name, p->pid, p->status, p->text);
	close(p->in);
	close(p->out);
	close(p->pidfd);
	pthread_cond_destroy(&p->news);
	pthread_mutex_destroy(&p->lock);
	free(p->text);
	free(p);
}

int proc_run(const char *const *argv, unsigned int timeout_ms)
{
	struct proc *p = proc_start(argv[0], argv);
	int status, rc = -1;

	if (p == NULL)
		return -1;
	if (proc_wait_exit(p, timeout_ms, &status) == 0 && WIFEXITED(status))
		rc = WEXITSTATUS(status);
	if (rc == 0)
		proc_passed(p);
	proc_stop(p);
	return rc;
}

int proc_make_dir(char *path, size_t len)
{
	if (snprintf(path, len, "/tmp/ringplane-test.XXXXXX") >= (int)len)
		return -ENAMETOOLONG;
	return mkdtemp(path) != NULL ? 0 : -errno;
}

static int remove_one(const char *path, const struct stat *, int, struct FTW *)
{
	return remove(path);
}

void proc_remove_dir(const char *path)
{
	nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}
