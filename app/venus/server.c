// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "venus/address.h"
#include "venus/server.h"
#include "venus/token.h"

static const char usage[] =
	"Usage: venus-server [OPTION]...\n"
	"Run the Vulkan commands of remote clients (libvenus_icd.so) on this machine.\n"
	"\n"
	"  --listen ADDR:PORT  where clients come in; also unix:PATH and vsock:CID:PORT\n"
	"                      (default " RP_VN_DEFAULT_ADDRESS ")\n"
	"  --token-file FILE   ask clients for the token in FILE's first line; needed to\n"
	"                      listen beyond loopback\n"
	"  --backend NAME      vulkan: this machine's Vulkan drivers (default)\n"
	"                      canned: a constant device that only answers queries\n"
	"  --verbose           log every command\n"
	"  --help              show this text\n";

static int fail(const struct rp_error *err)
{
	char text[600];

	fprintf(stderr, "venus-server: %s\n", rp_error_text(err, text, sizeof(text)));
	return 1;
}

static const struct rp_vn_backend *find_backend(const char *name, struct rp_error *err)
{
	if (strcmp(name, "canned") == 0)
		return rp_vn_backend_canned();
	if (strcmp(name, "vulkan") == 0)
		return rp_vn_backend_vulkan(err);
	rp_error_set(err, EINVAL, "backend", name, "expected vulkan or canned");
	return NULL;
}

int main(int argc, char **argv)
{
	enum { LISTEN = 1, TOKEN, BACKEND, VERBOSE, HELP };
	static const struct option options[] = {
		{"listen", required_argument, NULL, LISTEN},
		{"token-file", required_argument, NULL, TOKEN},
		{"backend", required_argument, NULL, BACKEND},
		{"verbose", no_argument, NULL, VERBOSE},
		{"help", no_argument, NULL, HELP},
		{0},
	};
	struct rp_vn_server_options o = {.listen = RP_VN_DEFAULT_ADDRESS};
	const char *backend = "vulkan", *token_file = NULL;
	char token[RP_VN_MAX_TOKEN + 1];
	struct rp_error err;
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case LISTEN:
			o.listen = optarg;
			break;
		case TOKEN:
			token_file = optarg;
			break;
		case BACKEND:
			backend = optarg;
			break;
		case VERBOSE:
			o.log_commands = true;
			break;
		case HELP:
			fputs(usage, stdout);
			return 0;
		default:
			fputs("Try: venus-server --help\n", stderr);
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "venus-server: '%s' is not an option; try --help\n", argv[optind]);
		return 2;
	}
	if (rp_vn_token_read(token, token_file, &err) < 0)
		return fail(&err);
	o.token = token;
	o.backend = find_backend(backend, &err);
	if (o.backend == NULL)
		return fail(&err);
	return rp_vn_server_run(&o, &err) < 0 ? fail(&err) : 0;
}
