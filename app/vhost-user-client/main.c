// SPDX-License-Identifier: BSD-3-Clause
#include "client.h"

#include "base/clock.h"
#include "vhost_user/describe.h"

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
	"usage: vhost-user-client [options] SOCKET [COMMAND [arguments]]\n"
	"\n"
	"Connects to a vhost-user back-end as a VM would.\n"
	"\n"
	"commands:\n"
	"  info                        what it offers, in words (the default)\n"
	"  send REQUEST [VALUE...]     one message of the table by its name, and its reply;\n"
	"                              values are the numbers of its payload in order\n"
	"       --hex BYTES            the payload as it stands\n"
	"       --flags N --fds N      header flags; N descriptors (memory files) with it\n"
	"       --raw-size N           a size in the header that need not be true\n"
	"       --negotiate            features and owner first, need_reply where possible\n"
	"  ping [--count N]            round trips of GET_FEATURES\n"
	"  connect [--repeat N] [--parallel P]\n"
	"                              connect, GET_FEATURES, disconnect: rate and latency\n"
	"  net [--send FILE.pcap | --generate SIZE] [--count N] [--receive FILE.pcap]\n"
	"      [--seconds S] [--queues N] [--mtu N]\n"
	"                              send and receive frames; throughput\n"
	"  tap NAME [--netns NS] [--mac ADDRESS]\n"
	"                              join the port to a kernel TAP until interrupted\n"
	"\n"
	"options:\n"
	"  -j, --json                  results as JSON\n"
	"  -v, --verbose               every message, in words and bytes (standard error)\n"
	"  -t, --timeout MS            for each wait; default 2000\n"
	"  -d, --device TYPE           net, blk, gpu, vsock or fs; default: guessed\n";

int client_failed(const struct rp_error *err)
{
	char text[700];

	warnx("%s", rp_error_text(err, text, sizeof(text)));
	return 1;
}

uint64_t client_number(const char *name, const char *text, uint64_t max)
{
	char *end;
	uint64_t n;

	errno = 0;
	n = strtoull(text, &end, 0);
	if (errno != 0 || *text == '\0' || *text == '-' || *end != '\0' || n > max)
		errx(2, "%s '%s': expected a number up to %" PRIu64, name, text, max);
	return n;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

double client_share(double *values, unsigned int n, double share)
{
	unsigned int i = (unsigned int)(share * n);

	qsort(values, n, sizeof(*values), by_value);
	return values[i < n ? i : n - 1];
}

static void show_message(int, bool sent, const struct rp_vhu_msg *msg, void *arg)
{
	const uint64_t *start = arg;
	const struct rp_vhu_header header = {
		.request = msg->request, .flags = msg->flags | RP_VHU_VERSION, .size = msg->size};
	const uint8_t *bytes = (const uint8_t *)&header;
	char text[600];

	fprintf(stderr, "%9.3f ms %s %s\n", (double)(rp_clock_ns() - *start) / 1e6,
		sent ? "->" : "<-", rp_vhu_describe(msg, RP_VHU_FROM_FRONTEND, text, sizeof(text)));
	fputs("                ", stderr);
	for (size_t i = 0; i < sizeof(header); i++)
		fprintf(stderr, "%02x%s", bytes[i], i % 4 == 3 ? "  " : " ");
	for (uint32_t i = 0; i < msg->size; i++)
		fprintf(stderr, "%s%02x", i % 16 == 0 ? "\n                " : " ",
			msg->payload.bytes[i]);
	fputc('\n', stderr);
}

static const struct command {
	const char *name;
	int (*run)(const struct client *cl, int argc, char **argv);
} commands[] = {
	{"info", client_info},	     {"send", client_send}, {"ping", client_ping},
	{"connect", client_connect}, {"net", client_net},   {"tap", client_tap},
};

static int run_command(const struct client *cl, int argc, char **argv)
{
	static char info[] = "info";
	char *none[] = {info, NULL};

	if (argc == 0)
		return client_info(cl, 1, none);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(argv[0], commands[i].name) == 0) {
			optind = 0; // the command has options of its own
			return commands[i].run(cl, argc, argv);
		}
	warnx("no command '%s'; expected info, send, ping, connect, net or tap", argv[0]);
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},	   {"verbose", no_argument, NULL, 'v'},
		{"timeout", required_argument, NULL, 't'}, {"device", required_argument, NULL, 'd'},
		{"help", no_argument, NULL, 'h'},	   {0},
	};
	struct client cl = {.timeout_ms = 2000};
	uint64_t start = rp_clock_ns();
	int o;

	while ((o = getopt_long(argc, argv, "+jvt:d:h", options, NULL)) != -1) {
		switch (o) {
		case 'j':
			cl.json = true;
			break;
		case 'v':
			cl.verbose = true;
			break;
		case 't':
			cl.timeout_ms = (unsigned int)client_number("--timeout", optarg, 3600000);
			break;
		case 'd':
			cl.device = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind == argc) {
		fputs(usage, stderr);
		return 2;
	}
	cl.socket = argv[optind];
	if (cl.verbose)
		rp_vhu_set_trace(show_message, &start);
	return run_command(&cl, argc - optind - 1, argv + optind + 1);
}
