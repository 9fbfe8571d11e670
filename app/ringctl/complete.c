// SPDX-License-Identifier: BSD-3-Clause
#include <stdio.h>
#include <string.h>

#include "ringctl.h"

#define TIMEOUT_MS 500 // somebody waits behind a TAB key

static void print_word(void *, const char *word)
{
	puts(word);
}

// Names that ringplane knows; none where it does not answer.
static void print_names(struct ringctl *ctl, const char *kind, const char *start)
{
	char method[32];
	struct rp_error err;
	json_t *list = NULL;
	json_t *thing;
	size_t i;

	snprintf(method, sizeof(method), "%s.list", kind);
	if (ringctl_connect(ctl, TIMEOUT_MS, &err) < 0 ||
	    rp_rpc_client_call(ctl->client, method, NULL, &list, &err) < 0)
		return;
	json_array_foreach(list, i, thing)
	{
		const char *name = json_string_value(json_object_get(thing, "name"));

		if (name != NULL && strncmp(name, start, strlen(start)) == 0)
			puts(name);
	}
	json_decref(list);
}

// Options that stand before the command; where --socket is among them it counts.
static int skip_options(struct ringctl *ctl, char *const *words, int n)
{
	int i = 0;

	while (i + 1 < n && words[i][0] == '-') {
		if (strcmp(words[i], "-s") == 0 || strcmp(words[i], "--socket") == 0)
			ctl->socket = words[++i];
		i++;
	}
	return i < n ? i : n;
}

void ringctl_complete(struct ringctl *ctl, char *const *words, int n)
{
	static struct rp_words typed;
	const char *kind;

	for (int i = skip_options(ctl, words, n); i < n && typed.n < RP_WORDS_MAX; i++)
		typed.word[typed.n++].text = words[i];
	rp_command_complete(&typed, print_word, NULL, &kind);
	if (kind != NULL)
		print_names(ctl, kind, typed.word[typed.n - 1].text);
	rp_rpc_client_free(ctl->client);
}
