/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What went wrong with a monitor: a kind that a program branches on, and one line for a person.
 *
 * Every function of lib/qmp that can fail returns 0 or -errno and fills a struct rp_qmp_error where
 * the caller gave one. Kind and errno stand for each other one to one.
 */

#include <stddef.h>

enum rp_qmp_kind {
	RP_QMP_OK,
	RP_QMP_COMMAND,	   // QEMU answered with an error: see class and desc (EREMOTEIO)
	RP_QMP_ARGUMENT,   // the caller's input is wrong; nothing was sent (EINVAL)
	RP_QMP_NOT_FOUND,  // no such socket, or no such host (ENOENT)
	RP_QMP_PERMISSION, // the socket may not be opened (EACCES)
	RP_QMP_REFUSED,	   // a socket file, but no QEMU behind it (ECONNREFUSED)
	RP_QMP_BUSY,	   // another client holds the monitor (EBUSY)
	RP_QMP_TIMEOUT,	   // a deadline passed: see phase (ETIMEDOUT)
	RP_QMP_CLOSED,	   // QEMU closed the connection, or the client was closed (ENOTCONN)
	RP_QMP_RESET,	   // the connection was cut: QEMU died (ECONNRESET)
	RP_QMP_PROTOCOL,   // what arrived is not QMP, or breaks a limit (EPROTO)
	RP_QMP_CANCELLED,  // the caller cancelled (ECANCELED)
	RP_QMP_KINDS
};

// The step that was going on.
enum rp_qmp_phase {
	RP_QMP_PHASE_NONE,
	RP_QMP_PHASE_CONNECT,
	RP_QMP_PHASE_GREETING,
	RP_QMP_PHASE_NEGOTIATE,
	RP_QMP_PHASE_WRITE,
	RP_QMP_PHASE_REPLY,
	RP_QMP_PHASE_EVENT,
	RP_QMP_PHASE_SHUTDOWN,
};

struct rp_qmp_error {
	enum rp_qmp_kind kind;
	enum rp_qmp_phase phase;
	char subject[128]; // the socket or the command that it is about; cut where longer
	char class[32];	   // RP_QMP_COMMAND: QEMU's error class, the only part to branch on
	char desc[1024];   // QEMU's description, or ours: prose; cut where longer
};

// "not-found", "command", ...: the names that the qmp command and the counters use.
const char *rp_qmp_kind_name(enum rp_qmp_kind kind);

// "connect", "greeting", ...
const char *rp_qmp_phase_name(enum rp_qmp_phase phase);

// The errno (positive) that stands for the kind.
int rp_qmp_kind_errno(enum rp_qmp_kind kind);

// Fill *err (which may be NULL) and return the kind's -errno.
__attribute__((format(printf, 5, 6))) int
rp_qmp_error_set(struct rp_qmp_error *err, enum rp_qmp_kind kind, enum rp_qmp_phase phase,
		 const char *subject, const char *desc, ...);

// The whole error as one line without a newline, in buf; returns buf.
const char *rp_qmp_error_text(const struct rp_qmp_error *err, char *buf, size_t len);
