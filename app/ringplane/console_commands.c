// SPDX-License-Identifier: BSD-3-Clause
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cmdline_parse.h>
#include <cmdline_parse_string.h>

#include <bsd/string.h>

#include "console_priv.h"
#include "control/command.h"

/*
 * The commands, as one table that librte_cmdline's structures, the completion and the help are made
 * from. Small letters are words to type; PORT, NIC and ON are values; what the control plane takes
 * goes to it as it is, whatever that grammar becomes.
 */

#define WORDS_MAX 4

struct command {
	const char *words;
	const char *help;
	void (*run)(struct rp_console *c, const char *word);
};

static void quit(struct rp_console *c, const char *)
{
	c->quit = true;
	cmdline_quit(c->cl);
}

static void help(struct rp_console *c, const char *word);

static const struct command commands[] = {
	{"show port stats PORT", "a port's counters and rates, or all ports'",
	 rp_console_show_port_stats},
	{"show port info PORT", "what a port is", rp_console_show_port_info},
	{"show fwd stats all", "forward statistics since start", rp_console_show_fwd_stats},
	{"clear port stats PORT", "set a port's counters to zero", rp_console_clear_port_stats},
	{"clear fwd stats all", "start forward statistics anew", rp_console_clear_fwd_stats},
	{"show nic", "all NICs and their ports", rp_console_show_nics},
	{"show nic NIC", "one NIC in full", rp_console_show_nic},
	{"show network", "all networks", rp_console_show_networks},
	{"show drops", "why packets were dropped, for each NIC", rp_console_show_drops},
	{"show drops NIC", "the same for one NIC", rp_console_show_drops},
	{"show pipeline", "workers: how busy, packets and cycles of each stage",
	 rp_console_show_pipeline},
	{"show pipeline dot", "the stages as a picture for Graphviz", rp_console_show_dot},
	{"set profiling ON", "count cycles per stage: on or off", rp_console_set_profiling},
	{"start", "forward packets", rp_console_start},
	{"stop", "stop forwarding, show forward statistics", rp_console_stop},
	{"help", "this list", help},
	{"quit", "end ringplane", quit},
};

static void help(struct rp_console *c, const char *)
{
	char usage[1024];

	fprintf(c->out, "\n");
	for (size_t i = 0; i < RTE_DIM(commands); i++)
		fprintf(c->out, "  %-22s %s\n", commands[i].words, commands[i].help);
	fprintf(c->out, "\n  PORT is a port's number or all; NIC a name.\n\n");
	for (size_t i = 0; rp_nouns[i] != NULL; i++)
		for (size_t j = 0; j < rp_nouns[i]->n_commands; j++)
			fprintf(c->out, "  %s\n      %s\n",
				rp_command_usage(&rp_nouns[i]->commands[j], usage, sizeof(usage)),
				rp_nouns[i]->commands[j].help);
	fprintf(c->out, "\n");
}

/*
 * A word that may be anything, with suggestions for the TAB key.
 */
struct open_token {
	struct cmdline_token_hdr hdr;
	const struct rp_console *console;
	const struct rp_noun *noun; // its verbs; NULL: the NICs' names
};

static const char *suggestion(const struct open_token *t, int index)
{
	const struct rp_nic *nic;

	if (t->noun != NULL)
		return (size_t)index < t->noun->n_commands ? t->noun->commands[index].verb : NULL;
	TAILQ_FOREACH (nic, &t->console->daemon->fabric->nics, entry)
		if (index-- == 0)
			return nic->cfg.name;
	return NULL;
}

static int open_parse(cmdline_parse_token_hdr_t *, const char *from, void *to, unsigned int room)
{
	unsigned int n = 0;

	while (!cmdline_isendoftoken(from[n]))
		n++;
	if (n == 0 || n >= STR_TOKEN_SIZE || (to != NULL && n >= room))
		return -1;
	if (to != NULL)
		strlcpy((char *)to, from, n + 1);
	return (int)n;
}

static int open_count(cmdline_parse_token_hdr_t *hdr)
{
	int n = 0;

	while (suggestion((struct open_token *)hdr, n) != NULL)
		n++;
	return n;
}

static int open_suggest(cmdline_parse_token_hdr_t *hdr, int index, char *to, unsigned int room)
{
	const char *text = suggestion((struct open_token *)hdr, index);

	return text == NULL || strlcpy(to, text, room) >= room ? -1 : 0;
}

static int open_help(cmdline_parse_token_hdr_t *hdr, char *to, unsigned int room)
{
	strlcpy(to, ((struct open_token *)hdr)->noun != NULL ? "VERB" : "NIC", room);
	return 0;
}

static struct cmdline_token_ops open_ops = {
	.parse = open_parse,
	.complete_get_nb = open_count,
	.complete_get_elt = open_suggest,
	.get_help = open_help,
};

/*
 * librte_cmdline's form of a command. What it parses: the words one by one, then the rest of the
 * line.
 */
struct parsed {
	cmdline_fixed_string_t words[WORDS_MAX];
	cmdline_multi_string_t rest;
};

union token {
	struct cmdline_token_hdr hdr;
	cmdline_parse_token_string_t string;
	struct open_token open;
};

struct entry {
	const struct command *command; // NULL: the control plane's
	struct rp_console *console;
	int n_words;
	char pattern[64]; // what the string tokens point into
	union token tokens[WORDS_MAX + 1];
};

static void run_own(void *arg, struct cmdline *, void *data)
{
	struct parsed *p = (struct parsed *)arg;
	const struct entry *e = (const struct entry *)data;
	const char *last = strrchr(e->command->words, ' ');
	bool has_value = last != NULL && isupper((unsigned char)last[1]);

	e->command->run(e->console, has_value ? p->words[e->n_words - 1] : NULL);
	fflush(e->console->out);
}

static void run_control(void *arg, struct cmdline *, void *data)
{
	struct parsed *p = (struct parsed *)arg;
	const struct entry *e = (const struct entry *)data;
	char line[sizeof(*p) + WORDS_MAX];

	snprintf(line, sizeof(line), "%s %s %s", p->words[0], e->n_words > 1 ? p->words[1] : "",
		 e->n_words > 2 ? p->rest : "");
	rp_console_control(e->console, line);
	fflush(e->console->out);
}

static void set_string(union token *t, unsigned int offset, const char *choices)
{
	t->string.hdr.ops = &cmdline_token_string_ops;
	t->string.hdr.offset = offset;
	t->string.string_data.str = choices;
}

static void set_open(struct entry *e, union token *t, unsigned int offset,
		     const struct rp_noun *noun)
{
	t->open.hdr.ops = &open_ops;
	t->open.hdr.offset = offset;
	t->open.console = e->console;
	t->open.noun = noun;
}

// Turn a pattern's words into tokens.
static void set_tokens(struct entry *e, const struct rp_noun *noun)
{
	char *rest = e->pattern, *word;

	while ((word = strsep(&rest, " ")) != NULL) {
		union token *t = &e->tokens[e->n_words];
		unsigned int offset =
			(unsigned int)(offsetof(struct parsed, words) +
				       sizeof(cmdline_fixed_string_t) * (unsigned int)e->n_words);

		if (strcmp(word, "PORT") == 0)
			set_string(t, offset, NULL); // any word
		else if (strcmp(word, "ON") == 0)
			set_string(t, offset, "on#off");
		else if (strcmp(word, "NIC") == 0 || strcmp(word, "VERB") == 0)
			set_open(e, t, offset, noun);
		else if (strcmp(word, "...") == 0)
			set_string(t, offsetof(struct parsed, rest), TOKEN_STRING_MULTI);
		else
			set_string(t, offset, word);
		e->n_words++;
	}
}

static cmdline_parse_inst_t *new_inst(struct rp_console *c, const char *pattern,
				      const struct command *command, const struct rp_noun *noun)
{
	struct entry *e = (struct entry *)calloc(1, sizeof(*e));
	cmdline_parse_inst_t *inst = (cmdline_parse_inst_t *)calloc(
		1, sizeof(*inst) + (WORDS_MAX + 1) * sizeof(inst->tokens[0]));

	if (e == NULL || inst == NULL) {
		free(e);
		free(inst);
		return NULL;
	}
	e->command = command;
	e->console = c;
	strlcpy(e->pattern, pattern, sizeof(e->pattern));
	set_tokens(e, noun);
	inst->f = command != NULL ? run_own : run_control;
	inst->data = e;
	inst->help_str = command != NULL ? command->help : "to the control plane: see help";
	for (int i = 0; i < e->n_words; i++)
		inst->tokens[i] = &e->tokens[i].hdr;
	return inst;
}

cmdline_parse_ctx_t *rp_console_commands(struct rp_console *c)
{
	static const char *const endings[] = {"", " VERB", " VERB ..."};
	size_t n = 0, room = RTE_DIM(commands) + 1;
	cmdline_parse_ctx_t *ctx;
	char pattern[64];

	for (size_t i = 0; rp_nouns[i] != NULL; i++)
		room += RTE_DIM(endings);
	ctx = (cmdline_parse_ctx_t *)calloc(room, sizeof(*ctx));
	if (ctx == NULL)
		return NULL;
	for (size_t i = 0; i < RTE_DIM(commands); i++) {
		ctx[n] = new_inst(c, commands[i].words, &commands[i], NULL);
		if (ctx[n++] == NULL)
			goto no_memory;
	}
	for (size_t i = 0; rp_nouns[i] != NULL; i++)
		for (size_t j = 0; j < RTE_DIM(endings); j++) {
			snprintf(pattern, sizeof(pattern), "%s%s", rp_nouns[i]->name, endings[j]);
			ctx[n] = new_inst(c, pattern, NULL, rp_nouns[i]);
			if (ctx[n++] == NULL)
				goto no_memory;
		}
	return ctx;
no_memory:
	rp_console_commands_free(ctx);
	return NULL;
}

void rp_console_commands_free(cmdline_parse_ctx_t *ctx)
{
	for (size_t i = 0; ctx != NULL && ctx[i] != NULL; i++) {
		free(ctx[i]->data);
		free(ctx[i]);
	}
	free(ctx);
}

void rp_console_run_line(struct rp_console *c, const char *line)
{
	char ended[RP_LINE_MAX + 2];

	snprintf(ended, sizeof(ended), "%s\n", line);
	switch (cmdline_parse(c->cl, ended)) {
	case CMDLINE_PARSE_AMBIGUOUS:
		fprintf(c->out, "Ambiguous command\n");
		break;
	case CMDLINE_PARSE_NOMATCH:
		fprintf(c->out, "Command not found\n");
		break;
	case CMDLINE_PARSE_BAD_ARGS:
		fprintf(c->out, "Bad arguments\n");
		break;
	}
}
