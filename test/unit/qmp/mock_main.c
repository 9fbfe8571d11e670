// SPDX-License-Identifier: BSD-3-Clause
// mock-qemu SOCKET [SCRIPT]: the scripted QEMU of the tests as a program (script format: mock.h).
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "mock.h"

static char *slurp(const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = calloc(1, 65536);

	if (f == NULL || text == NULL || fread(text, 1, 65535, f) == 0) {
		perror(path);
		exit(2);
	}
	fclose(f);
	return text;
}

int main(int argc, char **argv)
{
	char *script = NULL;
	struct mock *m;
	sigset_t set;
	int sig;

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: mock-qemu SOCKET [SCRIPT]\n");
		return 2;
	}
	if (argc == 3)
		script = slurp(argv[2]);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	m = mock_start(argv[1], script != NULL ? script : "");
	puts("listening");
	fflush(stdout);
	sigwait(&set, &sig);
	mock_stop(m);
	free(script);
	return 0;
}
