/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Children of a test: start one, wait for a line it prints or a socket it makes, stop it.
 *
 * Every wait has a deadline. A child dies with the test program (PR_SET_PDEATHSIG) and is only
 * ever signalled by its pid. Its output (stdout and stderr) is collected; proc_stop() prints it
 * unless proc_passed() was called before, so a failing test shows what its peers said:
 *
 *	struct proc *p = proc_start("testpmd", argv);
 *
 *	assert_int_equal(proc_wait_line(p, "testpmd>", 10000), 0);
 *	...
 *	proc_passed(p);
 *	proc_stop(p); // in the teardown
 */

#include <stddef.h>
#include <sys/types.h>

struct proc;

// Start argv[0] (searched in PATH) with a pipe at its stdin. NULL with errno set.
struct proc *proc_start(const char *name, const char *const *argv);

// Wait until text appears in the output behind what the last call found. 0; -ETIMEDOUT; -ECHILD it
// ended without saying so.
int proc_wait_line(struct proc *p, const char *text, unsigned int timeout_ms);

// Wait until a socket exists at path. 0, -ETIMEDOUT, -ECHILD.
int proc_wait_socket(struct proc *p, const char *path, unsigned int timeout_ms);

// Wait for its end; *status as of waitpid. 0 or -ETIMEDOUT.
int proc_wait_exit(struct proc *p, unsigned int timeout_ms, int *status);

// Write to its stdin. 0 or -errno.
int proc_write(struct proc *p, const char *text);

// All output so far, in a string to free().
char *proc_output(struct proc *p);

pid_t proc_pid(const struct proc *p);

// The test passed: keep the output to ourselves.
void proc_passed(struct proc *p);

// SIGTERM, then SIGKILL after a while; free. NULL is fine.
void proc_stop(struct proc *p);

// Run to its end: the exit status, or -1 (with its output printed) when it took too long or died.
// Any other status than 0 prints the output too.
int proc_run(const char *const *argv, unsigned int timeout_ms);

// A directory of the test's own, and its removal with all that is in it.
int proc_make_dir(char *path, size_t len);
void proc_remove_dir(const char *path);
