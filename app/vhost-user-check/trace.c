// SPDX-License-Identifier: BSD-3-Clause
#include "check.h"

#include "base/clock.h"
#include "vhost_user/describe.h"

#include <stdarg.h>
#include <stdlib.h>

// The last lines of what was said: older ones give way.

void trace_add(struct trace *t, const char *format, ...)
{
	char text[400], *line;
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (asprintf(&line, "%6.3f s  %s", (double)(rp_clock_ms() - t->start_ms) / 1000, text) < 0)
		return;
	free(t->line[t->next]);
	t->line[t->next] = line;
	t->next = (t->next + 1) % TRACE_LINES;
	if (t->count < TRACE_LINES)
		t->count++;
}

void trace_clear(struct trace *t)
{
	for (unsigned int i = 0; i < TRACE_LINES; i++) {
		free(t->line[i]);
		t->line[i] = NULL;
	}
	t->next = t->count = 0;
	t->start_ms = rp_clock_ms();
}

const char *trace_line(const struct trace *t, unsigned int i)
{
	return i < t->count ? t->line[(t->next + TRACE_LINES - t->count + i) % TRACE_LINES] : NULL;
}

void trace_hook(int sock, bool sent, const struct rp_vhu_msg *msg, void *arg)
{
	struct check *c = arg;
	unsigned int number = 0;
	char text[320];

	for (struct session *s = c->sessions; s != NULL; s = s->next)
		if (s->sock == sock)
			number = s->number;
	trace_add(&c->trace, "#%u %s %s", number, sent ? "->" : "<-",
		  rp_vhu_describe(msg, RP_VHU_FROM_FRONTEND, text, sizeof(text)));
}
