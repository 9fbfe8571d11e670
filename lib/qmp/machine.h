/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What a test bed does with a machine: its status, its end, and the commands used most. Each is one
 * or two commands of QMP; what is missing here is a call of rp_qmp_exec() away.
 *
 * Servers differ: qemu-storage-daemon has no machine. A command that is not there fails with
 * RP_QMP_COMMAND, class CommandNotFound; rp_qmp_has_command() asks beforehand.
 */

#include "qmp/qmp.h"

// "running", "paused", "prelaunch", "shutdown", ...
int rp_qmp_status(struct rp_qmp *c, char *status, size_t len, struct rp_qmp_error *err);
// 1: its processors run, 0: they do not, or -errno.
int rp_qmp_is_running(struct rp_qmp *c, struct rp_qmp_error *err);

int rp_qmp_stop(struct rp_qmp *c, struct rp_qmp_error *err);
int rp_qmp_cont(struct rp_qmp *c, struct rp_qmp_error *err);
int rp_qmp_system_reset(struct rp_qmp *c, struct rp_qmp_error *err);
// Press the power button. Success says nothing about the guest: see rp_qmp_shutdown().
int rp_qmp_powerdown(struct rp_qmp *c, struct rp_qmp_error *err);
// End QEMU at once. A connection that ends in place of a reply is success.
int rp_qmp_quit(struct rp_qmp *c, struct rp_qmp_error *err);

// props: the arguments as one object, borrowed: {"driver": "virtio-net-pci", "id": "n0", ...}
int rp_qmp_device_add(struct rp_qmp *c, json_t *props, struct rp_qmp_error *err);
// The guest has to agree: wait for DEVICE_DELETED up to wait_ms; 0: only ask.
int rp_qmp_device_del(struct rp_qmp *c, const char *id, unsigned wait_ms, struct rp_qmp_error *err);
int rp_qmp_netdev_add(struct rp_qmp *c, json_t *props, struct rp_qmp_error *err);
int rp_qmp_netdev_del(struct rp_qmp *c, const char *id, struct rp_qmp_error *err);
// backend: {"type": "socket", "data": {...}}, borrowed. ret may be NULL.
int rp_qmp_chardev_add(struct rp_qmp *c, const char *id, json_t *backend, json_t **ret,
		       struct rp_qmp_error *err);
int rp_qmp_chardev_remove(struct rp_qmp *c, const char *id, struct rp_qmp_error *err);
int rp_qmp_query_block(struct rp_qmp *c, json_t **ret, struct rp_qmp_error *err);
// QEMU writes the file, so path is seen from its working directory with its rights. A name that
// ends in ".png" makes a PNG (QEMU 7.1 or later), any other a PPM.
int rp_qmp_screendump(struct rp_qmp *c, const char *path, struct rp_qmp_error *err);
// A line of the human monitor; *text is its output, to be freed.
int rp_qmp_hmp(struct rp_qmp *c, const char *line, char **text, struct rp_qmp_error *err);
// Migrate to a URI ("unix:/path", "exec:cat > file") and wait until it is completed. When wait_ms
// (0: none) passes it goes on; a failed migration is RP_QMP_COMMAND.
int rp_qmp_migrate(struct rp_qmp *c, const char *uri, unsigned wait_ms, struct rp_qmp_error *err);

// The names of all commands, sorted, as an array of strings.
int rp_qmp_query_commands(struct rp_qmp *c, json_t **names, struct rp_qmp_error *err);
// 1: the server has the command, 0: not, or -errno.
int rp_qmp_has_command(struct rp_qmp *c, const char *command, struct rp_qmp_error *err);

// ---- The end of a machine ----

enum rp_qmp_step {
	RP_QMP_STEP_NONE,	  // nothing ended it
	RP_QMP_STEP_ALREADY_DOWN, // there was nothing to end
	RP_QMP_STEP_POWERDOWN,	  // the guest obeyed the power button
	RP_QMP_STEP_QUIT,
	RP_QMP_STEP_TERM, // SIGTERM
	RP_QMP_STEP_KILL, // SIGKILL
};

const char *rp_qmp_step_name(enum rp_qmp_step step);

struct rp_qmp_shutdown_opts {
	unsigned initial_ms; // from the first powerdown to the second
	unsigned retry_ms;   // between later ones; 0: no second one
	unsigned timeout_ms; // how long the guest may take; 0: no powerdown, quit at once
	bool force;	     // then quit; else give up and leave it running
	int pid;	     // then, if quit does not help, SIGTERM and SIGKILL; 0: never
	unsigned quit_ms;    // how long quit may take
	unsigned term_ms;    // how long SIGTERM may take
};

// clang-format off
#define RP_QMP_SHUTDOWN_DEFAULT                                                                    \
	((struct rp_qmp_shutdown_opts){                                                            \
		.initial_ms = 3000, .retry_ms = 3000, .timeout_ms = 30000, .force = true,          \
		.quit_ms = 500, .term_ms = 300,                                                    \
	})
// clang-format on

struct rp_qmp_shutdown_result {
	enum rp_qmp_step step;
	char reason[40]; // of the SHUTDOWN event: "guest-shutdown", "host-qmp-quit", ...; or empty
	bool guest;	 // the event says that the guest asked for it
	unsigned powerdowns;
	unsigned elapsed_ms;
	int left_pid; // the process behind the socket, where it outlived its monitor by quit_ms; or
		      // 0
};

/*
 * Power the machine down: powerdown, repeated, then quit, then its process where a pid is given.
 * The pid must be the process behind the socket. Success: the machine is gone, by whichever step,
 * or was so before. Else RP_QMP_TIMEOUT. opts NULL: RP_QMP_SHUTDOWN_DEFAULT. result is always
 * filled.
 */
int rp_qmp_shutdown(struct rp_qmp *c, const struct rp_qmp_shutdown_opts *opts,
		    struct rp_qmp_shutdown_result *result, struct rp_qmp_error *err);

// The same from an address: no socket, or nobody behind it, means that the machine is down.
int rp_qmp_shutdown_at(const char *address, const struct rp_qmp_opts *connect,
		       const struct rp_qmp_shutdown_opts *opts,
		       struct rp_qmp_shutdown_result *result, struct rp_qmp_error *err);
