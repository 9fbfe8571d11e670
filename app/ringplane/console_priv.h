/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

// What the files of the console share.

#include <event2/event.h>

#include <cmdline.h>

#include "console.h"
#include "control/words.h"
#include "daemon.h"
#include "pipeline/show.h"

// What was last shown of a port, and where its forward statistics start.
struct console_port {
	char owner[RP_UUID_STR]; // of its NIC: another one starts from zero
	struct rp_show_rate rate;
	struct rte_eth_stats start;
};

struct rp_console {
	struct rp_daemon *daemon;
	FILE *out;
	struct console_port ports[RTE_MAX_ETHPORTS];
	struct rp_worker_counters workers[RTE_MAX_LCORE]; // at the last show

	// With -i only.
	cmdline_parse_ctx_t *commands;
	struct cmdline *cl;
	struct event *input;
	bool tty;
	bool quit;
	bool busy;  // in a command, or done: no prompt is waiting
	size_t len; // of an unfinished line that did not come from a terminal
	char line[RP_LINE_MAX];
};

// The table of commands as librte_cmdline wants it, NULL where memory is short.
cmdline_parse_ctx_t *rp_console_commands(struct rp_console *c);
void rp_console_commands_free(cmdline_parse_ctx_t *commands);

// One line, as typed; says on c->out what is wrong with it.
void rp_console_run_line(struct rp_console *c, const char *line);

// A command of the control plane's grammar; its result or what is wrong goes to c->out.
void rp_console_control(struct rp_console *c, const char *line);

/*
 * What the commands do (console_show.c). word is the command's value: a port's number or "all", a
 * NIC's name, on or off; NULL where it takes none.
 */
void rp_console_show_port_stats(struct rp_console *c, const char *word);
void rp_console_clear_port_stats(struct rp_console *c, const char *word);
void rp_console_show_port_info(struct rp_console *c, const char *word);
void rp_console_show_fwd_stats(struct rp_console *c, const char *word);
void rp_console_clear_fwd_stats(struct rp_console *c, const char *word);
void rp_console_show_nics(struct rp_console *c, const char *word);
void rp_console_show_nic(struct rp_console *c, const char *word);
void rp_console_show_networks(struct rp_console *c, const char *word);
void rp_console_show_drops(struct rp_console *c, const char *word);
void rp_console_show_pipeline(struct rp_console *c, const char *word);
void rp_console_show_dot(struct rp_console *c, const char *word);
void rp_console_set_profiling(struct rp_console *c, const char *word);
void rp_console_start(struct rp_console *c, const char *word);
void rp_console_stop(struct rp_console *c, const char *word);
