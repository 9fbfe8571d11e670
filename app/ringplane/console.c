// SPDX-License-Identifier: BSD-3-Clause
#include "console.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmdline_socket.h>

#include "base/log.h"
#include "console_priv.h"

/*
 * Standard input, without ever blocking the event loop. A terminal gets librte_cmdline's line
 * editing. Anything else (a pipe, a file) is read line by line, each echoed behind the prompt so
 * that the output reads like a session; a prompt says that all before it is done. As in testpmd,
 * the end of the input ends the program.
 */

#define PROMPT	   "ringplane> "
#define CLEAR_LINE "\r\033[K"
#define REDISPLAY  "\f" // Ctrl-L

static void leave(struct rp_console *c)
{
	c->quit = true;
	event_del(c->input);
	event_base_loopexit(c->daemon->base, NULL);
}

static void run_echoed(struct rp_console *c, char *line)
{
	line[strcspn(line, "\r\n")] = '\0';
	fprintf(c->out, "%s\n", line);
	rp_console_run_line(c, line);
	fprintf(c->out, c->quit ? "" : PROMPT);
	fflush(c->out);
}

// Run the whole lines of what has come, keep the rest for later. A line that is longer than the
// buffer is cut into several, which are no commands.
static void take_lines(struct rp_console *c)
{
	char line[RP_LINE_MAX];
	char *end;

	while (!c->quit && c->len > 0) {
		size_t n;

		end = (char *)memchr(c->line, '\n', c->len);
		if (end == NULL && c->len < sizeof(c->line) - 1)
			return;
		n = end != NULL ? (size_t)(end - c->line) + 1 : c->len;
		memcpy(line, c->line, n);
		line[n] = '\0';
		c->len -= n;
		memmove(c->line, c->line + n, c->len);
		run_echoed(c, line);
	}
}

static void end_of_input(struct rp_console *c)
{
	if (c->len > 0) {
		c->line[c->len] = '\0';
		c->len = 0;
		run_echoed(c, c->line);
	}
	fprintf(c->out, "\n");
	leave(c);
}

// A line of the log goes above the one that is being typed.
static void log_above_prompt(enum rp_log_level level, const char *line, void *arg)
{
	struct rp_console *c = (struct rp_console *)arg;

	if (!c->busy)
		(void)!write(STDOUT_FILENO, CLEAR_LINE, strlen(CLEAR_LINE));
	rp_log_to_stderr(level, line, NULL);
	if (!c->busy)
		cmdline_in(c->cl, REDISPLAY, 1);
}

static void read_terminal(struct rp_console *c)
{
	char keys[256];
	ssize_t n = read(STDIN_FILENO, keys, sizeof(keys));

	c->busy = true;
	// Ctrl-D, a hang-up, or the command quit.
	if (n <= 0 || cmdline_in(c->cl, keys, (int)n) < 0 || c->quit)
		leave(c);
	c->busy = c->quit;
}

static void read_stream(struct rp_console *c)
{
	ssize_t n = read(STDIN_FILENO, c->line + c->len, sizeof(c->line) - 1 - c->len);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		end_of_input(c);
		return;
	}
	c->len += (size_t)n;
	take_lines(c);
	if (c->quit)
		leave(c);
	else if (event_get_fd(c->input) < 0)
		event_active(c->input, EV_READ, 0);
}

static void input_cb(evutil_socket_t, short, void *arg)
{
	struct rp_console *c = (struct rp_console *)arg;

	if (c->tty)
		read_terminal(c);
	else
		read_stream(c);
}

// epoll takes neither files nor /dev/null; these never block, so they are read turn by turn.
static bool can_poll(void)
{
	struct stat st;

	if (fstat(STDIN_FILENO, &st) < 0)
		return false;
	return isatty(STDIN_FILENO) || S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode);
}

static int start_input(struct rp_console *c)
{
	bool poll = can_poll();

	c->input = event_new(c->daemon->base, poll ? STDIN_FILENO : -1,
			     poll ? EV_READ | EV_PERSIST : 0, input_cb, c);
	if (c->input == NULL || (poll && event_add(c->input, NULL) < 0))
		return -ENOMEM;
	if (!poll)
		event_active(c->input, EV_READ, 0);
	return 0;
}

struct rp_console *rp_console_new(struct rp_daemon *d, bool interactive, struct rp_error *err)
{
	struct rp_console *c = (struct rp_console *)calloc(1, sizeof(*c));

	if (c == NULL)
		goto no_memory;
	c->daemon = d;
	c->out = stdout;
	if (!interactive)
		return c;
	c->tty = isatty(STDIN_FILENO);
	c->commands = rp_console_commands(c);
	if (c->commands == NULL || start_input(c) < 0)
		goto no_memory;
	c->cl = c->tty ? cmdline_stdin_new(c->commands, PROMPT)
		       : cmdline_new(c->commands, "", -1, -1);
	if (c->cl == NULL)
		goto no_memory;
	if (c->tty)
		rp_log_set_sink(log_above_prompt, c);
	else
		fprintf(c->out, PROMPT);
	fflush(c->out);
	return c;
no_memory:
	rp_console_free(c);
	rp_error_set(err, ENOMEM, "memory", NULL, "out of memory for the console");
	return NULL;
}

void rp_console_free(struct rp_console *c)
{
	if (c == NULL)
		return;
	rp_log_set_sink(NULL, NULL);
	if (c->input != NULL)
		event_free(c->input);
	if (c->tty)
		cmdline_stdin_exit(c->cl);
	else
		cmdline_free(c->cl);
	rp_console_commands_free(c->commands);
	free(c);
}

void rp_console_print_stats(struct rp_console *c, FILE *out)
{
	FILE *saved = c->out;

	c->out = out;
	if (isatty(fileno(out)))
		fprintf(out, "\033[2J\033[1;1H");
	fprintf(out, "\nPort statistics ====================================");
	rp_console_show_port_stats(c, "all");
	fflush(out);
	c->out = saved;
}

void rp_console_print_exit(struct rp_console *c, FILE *out)
{
	FILE *saved = c->out;

	c->out = out;
	rp_console_show_fwd_stats(c, NULL);
	fflush(out);
	c->out = saved;
}
