// SPDX-License-Identifier: BSD-3-Clause
#include "qmp/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <bsd/string.h>

static const struct {
	const char *name;
	int code;
} kinds[RP_QMP_KINDS] = {
	[RP_QMP_OK] = {"ok", 0},
	[RP_QMP_COMMAND] = {"command", EREMOTEIO},
	[RP_QMP_ARGUMENT] = {"argument", EINVAL},
	[RP_QMP_NOT_FOUND] = {"not-found", ENOENT},
	[RP_QMP_PERMISSION] = {"permission", EACCES},
	[RP_QMP_REFUSED] = {"refused", ECONNREFUSED},
	[RP_QMP_BUSY] = {"busy", EBUSY},
	[RP_QMP_TIMEOUT] = {"timeout", ETIMEDOUT},
	[RP_QMP_CLOSED] = {"closed", ENOTCONN},
	[RP_QMP_RESET] = {"reset", ECONNRESET},
	[RP_QMP_PROTOCOL] = {"protocol", EPROTO},
	[RP_QMP_CANCELLED] = {"cancelled", ECANCELED},
};

static const char *const phases[] = {
	[RP_QMP_PHASE_NONE] = "none",	      [RP_QMP_PHASE_CONNECT] = "connect",
	[RP_QMP_PHASE_GREETING] = "greeting", [RP_QMP_PHASE_NEGOTIATE] = "negotiate",
	[RP_QMP_PHASE_WRITE] = "write",	      [RP_QMP_PHASE_REPLY] = "reply",
	[RP_QMP_PHASE_EVENT] = "event",	      [RP_QMP_PHASE_SHUTDOWN] = "shutdown",
};

const char *rp_qmp_kind_name(enum rp_qmp_kind kind)
{
	return kinds[kind].name;
}

const char *rp_qmp_phase_name(enum rp_qmp_phase phase)
{
	return phases[phase];
}

int rp_qmp_kind_errno(enum rp_qmp_kind kind)
{
	return kinds[kind].code;
}

int rp_qmp_error_set(struct rp_qmp_error *err, enum rp_qmp_kind kind, enum rp_qmp_phase phase,
		     const char *subject, const char *desc, ...)
{
	va_list ap;

	if (err != NULL) {
		err->kind = kind;
		err->phase = phase;
		err->class[0] = '\0';
		strlcpy(err->subject, subject != NULL ? subject : "", sizeof(err->subject));
		va_start(ap, desc);
		vsnprintf(err->desc, sizeof(err->desc), desc, ap);
		va_end(ap);
	}
	return -kinds[kind].code;
}

const char *rp_qmp_error_text(const struct rp_qmp_error *err, char *buf, size_t len)
{
	const char *sep = err->subject[0] != '\0' ? ": " : "";

	if (err->class[0] != '\0')
		snprintf(buf, len, "%s%s%s (%s)", err->subject, sep, err->desc, err->class);
	else
		snprintf(buf, len, "%s%s%s", err->subject, sep, err->desc);
	return buf;
}
