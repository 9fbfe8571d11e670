/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stddef.h>

#include "proc.h"

/*
 * A venus-server of the test's own and programs that run against it. All functions fail the test
 * themselves.
 */
struct rig {
	struct proc *server;
	char address[160]; // "127.0.0.1:PORT" or "unix:PATH"
};

// Start a server on a free port (listen NULL) or the given address; `more` are further arguments,
// NULL at the end.
void rig_start(struct rig *r, const char *listen, const char *const *more);

// Stop it.
void rig_stop(struct rig *r);

// Environment for programs: our driver and this server.
void rig_environment(const char *address);

// The build folder's path to a file, in a static buffer.
const char *rig_build(const char *path);

// Run a program to its end and return its exit status; its output, if wanted, is to be freed.
int rig_run(const char *const *argv, char **output);

// Run venus-test-app with one or two arguments.
int rig_test_app(const char *arg1, const char *arg2, char **output);

// Connect to the server as a client that may say anything; the socket.
int rig_connect(const struct rig *r);

// Skip the test where the machine has no lavapipe or no vulkaninfo.
void rig_need_lavapipe(void);
#define RIG_LAVAPIPE "/usr/share/vulkan/icd.d/lvp_icd.x86_64.json"
