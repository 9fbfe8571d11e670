// SPDX-License-Identifier: BSD-3-Clause
// The interactive shell: lines are commands of QEMU, completed from the schema of the server.
// Events are shown between the lines as they come. Not at a terminal it reads lines and stops at
// the first that fails.
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "app.h"

#define MAX_WORDS 64

// readline's callbacks carry no argument.
static struct shell {
	struct app *a;
	struct rp_qmp *c;
	struct rp_qmp_schema *schema; // NULL: the server has none
	int wakeup;		      // an event came, or the connection ended
	bool show_events;
	bool done;
	int rc; // of the last line
	char **candidates;
	unsigned n_candidates;
} shell;

static const char help[] =
	"COMMAND [KEY=VALUE...|JSON]  execute a command of QEMU; quote with ' or \"\n"
	".hmp LINE                    a line of the human monitor\n"
	".events on|off               show events as they come\n"
	".args COMMAND                its arguments\n"
	".counters                    what was counted so far\n"
	".help, .quit                 Tab completes commands, arguments and values\n";

// ---- Words ----

// Split a line in place: blanks separate, ' and " keep together, a backslash outside of ' keeps the
// next character, and an argument that begins with '{' goes to the end. -1: a quote is open.
static int split(char *line, const char **words)
{
	char *in = line, *out;
	int n = 0;

	while (n < MAX_WORDS) {
		char quote = 0;

		in += strspn(in, " \t");
		if (*in == '\0')
			return n;
		words[n++] = out = in;
		if (*in == '{')
			return n;
		for (; *in != '\0' && (quote != 0 || strchr(" \t", *in) == NULL); in++) {
			if (quote == 0 && (*in == '\'' || *in == '"'))
				quote = *in;
			else if (*in == quote)
				quote = 0;
			else if (*in == '\\' && quote != '\'' && in[1] != '\0')
				*out++ = *++in;
			else
				*out++ = *in;
		}
		if (quote != 0)
			return -1;
		if (*in != '\0')
			in++;
		*out = '\0';
	}
	return -1;
}

// ---- Lines ----

static int dot_events(unsigned n, const char *const *args)
{
	if (n == 1 && strcmp(args[0], "on") == 0)
		shell.show_events = true;
	else if (n == 1 && strcmp(args[0], "off") == 0)
		shell.show_events = false;
	else
		return fprintf(stderr, "qmp: .events: expected on or off\n"), EXIT_USAGE;
	return 0;
}

static int run_verb(const char *name, unsigned n, const char *const *args)
{
	struct app a = *shell.a;

	a.n_args = n;
	a.args = args;
	return find_verb(name)->run(&a, shell.c);
}

static int run_dot(const char *word, unsigned n, const char *const *args)
{
	struct rp_qmp_counters counters;

	if (strcmp(word, ".quit") == 0 && n == 0) {
		shell.done = true;
	} else if (strcmp(word, ".help") == 0 && n == 0) {
		fputs(help, stdout);
	} else if (strcmp(word, ".counters") == 0 && n == 0) {
		rp_qmp_counters(shell.c, &counters);
		print_counters(&counters);
	} else if (strcmp(word, ".events") == 0) {
		return dot_events(n, args);
	} else if (strcmp(word, ".hmp") == 0 && n > 0) {
		return run_verb("hmp", n, args);
	} else if (strcmp(word, ".args") == 0 && n == 1) {
		return run_verb("commands", n, args);
	} else {
		fprintf(stderr, "qmp: '%s': not understood; .help lists what is\n", word);
		return EXIT_USAGE;
	}
	return 0;
}

static int run_command(unsigned n, const char *const *words)
{
	struct rp_qmp_request req = {
		.command = words[0], .oob = shell.a->oob, .force = shell.a->force_large};
	struct rp_qmp_error err;
	json_t *ret;
	int rc;

	rc = rp_qmp_arguments(shell.schema, words[0], n - 1, words + 1, &req.arguments, &err);
	if (rc == 0)
		rc = rp_qmp_exec_request(shell.c, &req, &ret, &err);
	json_decref(req.arguments);
	return rc < 0 ? report(shell.a, &err) : print_value(shell.a, ret);
}

static void run_line(char *line)
{
	const char *words[MAX_WORDS];
	int n = split(line, words);

	if (n < 0) {
		fprintf(stderr, "qmp: a quote is open, or there are more than %d words\n",
			MAX_WORDS);
		shell.rc = EXIT_USAGE;
	} else if (n > 0 && words[0][0] == '.') {
		shell.rc = run_dot(words[0], (unsigned)n - 1, words + 1);
	} else if (n > 0 && words[0][0] != '#') {
		shell.rc = run_command((unsigned)n, words);
	}
}

// ---- Completion ----

static void offer(const char *text, const char *before, const char *name, const char *after)
{
	char **more, *word;

	if (asprintf(&word, "%s%s%s", before, name, after) < 0)
		return;
	more = realloc(shell.candidates, (shell.n_candidates + 1) * sizeof(*more));
	if (more == NULL || strncmp(word, text, strlen(text)) != 0) {
		shell.candidates = more != NULL ? more : shell.candidates;
		free(word);
		return;
	}
	shell.candidates = more;
	shell.candidates[shell.n_candidates++] = word;
}

struct prefix {
	const char *text;
	const char *before;
};

static void offer_name(const char *name, void *arg)
{
	const struct prefix *p = arg;

	offer(p->text, p->before, name, "");
}

static void offer_member(const struct rp_qmp_schema_member *member, void *arg)
{
	const struct prefix *p = arg;

	offer(p->text, p->before, member->name, strcmp(member->type, "object") == 0 ? "." : "=");
}

static void offer_arguments(const char *command, const char *text)
{
	const char *equals = strchr(text, '=');
	const char *dot = strrchr(text, '.');
	char path[256], before[264];
	struct prefix p = {text, before};

	rl_completion_append_character = equals != NULL ? ' ' : '\0';
	if (equals != NULL) {
		snprintf(path, sizeof(path), "%.*s", (int)(equals - text), text);
		snprintf(before, sizeof(before), "%s=", path);
		rp_qmp_schema_values(shell.schema, command, path, offer_name, &p);
		return;
	}
	snprintf(before, sizeof(before), "%.*s", dot != NULL ? (int)(dot + 1 - text) : 0, text);
	rp_qmp_schema_members(shell.schema, command, before, offer_member, &p);
}

static char *next_candidate(const char *, int state)
{
	static unsigned i;

	i = state == 0 ? 0 : i;
	return i < shell.n_candidates ? shell.candidates[i++] : NULL;
}

static char **complete(const char *text, int start, int)
{
	static const char *const dots[] = {".hmp ",	".events on", ".events off", ".args ",
					   ".counters", ".help",      ".quit"};
	struct prefix p = {text, ""};
	char command[128] = "";
	char **matches;

	rl_attempted_completion_over = 1;
	rl_completion_append_character = ' ';
	free(shell.candidates);
	shell.candidates = NULL;
	shell.n_candidates = 0;
	sscanf(rl_line_buffer, "%127s", command);
	if (start == 0 && text[0] == '.') {
		rl_completion_append_character = '\0';
		for (unsigned i = 0; i < sizeof(dots) / sizeof(dots[0]); i++)
			offer(text, "", dots[i], "");
	} else if (shell.schema != NULL && (start == 0 || strcmp(command, ".args") == 0)) {
		rp_qmp_schema_commands(shell.schema, offer_name, &p);
	} else if (shell.schema != NULL) {
		offer_arguments(command, text);
	}
	// Members of several variants come more than once: readline drops doubles.
	matches = rl_completion_matches(text, next_candidate);
	return matches;
}

// ---- Events and the terminal ----

static void wake_up(struct rp_qmp *, const struct rp_qmp_event *, void *)
{
	const uint64_t one = 1;

	if (write(shell.wakeup, &one, sizeof(one)) < 0)
		return; // the counter is full: it is awake
}

static bool show_next_event(void)
{
	struct rp_qmp_error err;
	struct rp_qmp_event *e;

	// What is there is taken at once; one tick is the shortest wait there is.
	if (rp_qmp_wait_event(shell.c, NULL, 1, &e, &err) < 0)
		return false;
	if (shell.show_events)
		print_event(shell.a, e);
	rp_qmp_event_unref(e);
	return true;
}

static void show_events(void)
{
	bool prompt = rl_readline_state & RL_STATE_CALLBACK;
	uint64_t n;

	if (read(shell.wakeup, &n, sizeof(n)) < 0)
		return;
	if (prompt)
		fputs("\r\033[K", stdout);
	while (show_next_event())
		;
	if (prompt) {
		rl_on_new_line();
		rl_redisplay();
	}
}

static void on_line(char *line)
{
	if (line == NULL) {
		putchar('\n');
		shell.done = true;
		return;
	}
	if (*line != '\0')
		add_history(line);
	run_line(line);
	free(line);
}

static int ended(void)
{
	struct rp_qmp_error err = {0};

	rp_qmp_wait_ready(shell.c, 1, &err);
	fputs("\r\033[K", stdout);
	fflush(stdout);
	return report(shell.a, &err);
}

static int at_terminal(void)
{
	struct pollfd p[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
			      {.fd = shell.wakeup, .events = POLLIN}};

	rl_readline_name = "qmp";
	rl_attempted_completion_function = complete;
	rl_completer_word_break_characters = (char *)(uintptr_t) " \t";
	rl_basic_word_break_characters = " \t";
	rl_callback_handler_install("(qmp) ", on_line);
	while (!shell.done && rp_qmp_state(shell.c) == RP_QMP_READY) {
		if (poll(p, 2, 1000) < 0 && errno != EINTR)
			break;
		if (p[1].revents != 0)
			show_events();
		if (p[0].revents != 0)
			rl_callback_read_char();
	}
	rl_callback_handler_remove();
	return shell.done ? 0 : ended();
}

static int from_file(void)
{
	char *line = NULL;
	size_t size = 0;

	while (shell.rc == 0 && !shell.done && getline(&line, &size, stdin) >= 0) {
		line[strcspn(line, "\r\n")] = '\0';
		run_line(line);
	}
	free(line);
	return shell.rc;
}

int run_shell(struct app *a, struct rp_qmp *c)
{
	struct rp_qmp_version v;
	int rc;

	shell.a = a;
	shell.c = c;
	shell.wakeup = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	rp_qmp_schema_load(c, &shell.schema, NULL);
	if (isatty(STDIN_FILENO)) {
		rp_qmp_version(c, &v);
		printf("QEMU %d.%d.%d (%s). Tab completes, .help helps, .quit or Ctrl-D leaves.\n",
		       v.major, v.minor, v.micro, v.package);
		shell.show_events = true;
		rp_qmp_watch(c, NULL, wake_up, NULL);
		rc = at_terminal();
	} else {
		rc = from_file();
	}
	// The candidates themselves belong to readline.
	free(shell.candidates);
	rp_qmp_schema_free(shell.schema);
	return rc;
}
