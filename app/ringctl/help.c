// SPDX-License-Identifier: BSD-3-Clause
#include <stdio.h>
#include <string.h>

#include "ringctl.h"

static void print_command(const struct rp_command *command, bool keys)
{
	char usage[1024], value[128];

	printf("  %s\n      %s\n", rp_command_usage(command, usage, sizeof(usage)), command->help);
	for (size_t i = 0; keys && i < command->n_keys; i++) {
		const struct rp_key *key = &command->keys[i];

		printf("        %-14s %-14s %s\n", key->name,
		       rp_value_usage(key, value, sizeof(value)), key->help);
	}
}

void ringctl_help(const char *noun)
{
	bool known = false;

	for (size_t i = 0; noun != NULL && rp_nouns[i] != NULL; i++)
		known |= strcmp(rp_nouns[i]->name, noun) == 0;
	if (!known)
		printf("usage: ringctl [OPTION]... NOUN [VERB] [NAME] [KEY VALUE]...\n"
		       "       ringctl [OPTION]... -f FILE\n"
		       "Tell ringplane what to do, show what it says.\n\n"
		       "  -s, --socket PATH  control socket ($RINGPLANE_CONTROL, else\n"
		       "                     " RINGCTL_DEFAULT_SOCKET ")\n"
		       "  -j, --json         results, events and errors as JSON, one value a line\n"
		       "  -f, --file FILE    run the commands of a file; - is the standard input\n"
		       "  -h, --help [NOUN]  this list, or one noun's with all keys\n"
		       "      --complete     words that may follow: for the shell's completion\n"
		       "      --version\n\n");
	for (size_t i = 0; rp_nouns[i] != NULL; i++) {
		if (known && strcmp(rp_nouns[i]->name, noun) != 0)
			continue;
		for (size_t j = 0; j < rp_nouns[i]->n_commands; j++)
			print_command(&rp_nouns[i]->commands[j], known);
	}
	if (!known)
		printf("\nExit status: 0 done, 1 ringplane refused or is not there, 2 wrong "
		       "usage.\n");
}
