// SPDX-License-Identifier: BSD-3-Clause
#include "pipeline/reason.h"

static const char *const drop_names[] = {
#define X(id, text) [RP_DROP_##id] = #id,
	RP_DROP_REASONS(X)
#undef X
};

static const char *const drop_texts[] = {
#define X(id, text) [RP_DROP_##id] = text,
	RP_DROP_REASONS(X)
#undef X
};

static const char *const answer_names[] = {
#define X(id, text) [RP_ANSWER_##id] = #id,
	RP_ANSWERS(X)
#undef X
};

static const char *const answer_texts[] = {
#define X(id, text) [RP_ANSWER_##id] = text,
	RP_ANSWERS(X)
#undef X
};

const char *rp_drop_name(enum rp_drop reason)
{
	return drop_names[reason];
}

const char *rp_drop_text(enum rp_drop reason)
{
	return drop_texts[reason];
}

const char *rp_answer_name(enum rp_answer answer)
{
	return answer_names[answer];
}

const char *rp_answer_text(enum rp_answer answer)
{
	return answer_texts[answer];
}
