// SPDX-License-Identifier: BSD-3-Clause
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	OPT_INIT = 256,
	OPT_STATE,
	OPT_SOCKET_DIR,
	OPT_TAP,
	OPT_HOST_IP4,
	OPT_HOST_IP6,
	OPT_PIDFILE,
	OPT_CONTROL,
	OPT_CONTROL_MODE,
	OPT_CONTROL_GROUP,
	OPT_NO_HOST,
	OPT_STATS_PERIOD,
	OPT_HELP,
	OPT_VERSION,
};

static const struct option options[] = {
	{"init", required_argument, NULL, OPT_INIT},
	{"state", required_argument, NULL, OPT_STATE},
	{"socket-dir", required_argument, NULL, OPT_SOCKET_DIR},
	{"tap", required_argument, NULL, OPT_TAP},
	{"host-ip4", required_argument, NULL, OPT_HOST_IP4},
	{"host-ip6", required_argument, NULL, OPT_HOST_IP6},
	{"control", required_argument, NULL, OPT_CONTROL},
	{"control-mode", required_argument, NULL, OPT_CONTROL_MODE},
	{"control-group", required_argument, NULL, OPT_CONTROL_GROUP},
	{"pidfile", required_argument, NULL, OPT_PIDFILE},
	{"no-host", no_argument, NULL, OPT_NO_HOST},
	{"interactive", no_argument, NULL, 'i'},
	{"stats-period", required_argument, NULL, OPT_STATS_PERIOD},
	{"help", no_argument, NULL, OPT_HELP},
	{"version", no_argument, NULL, OPT_VERSION},
	{0},
};

static int parse_period(const char *text, unsigned int *seconds, struct rp_error *err)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end != '\0' || v > 86400)
		return rp_error_set(err, EINVAL, "--stats-period", text,
				    "expected seconds from 0 (off) to 86400");
	*seconds = (unsigned int)v;
	return 0;
}

static int parse_mode(const char *text, mode_t *mode, struct rp_error *err)
{
	size_t n = strspn(text, "01234567");

	if (n == 0 || n > 4 || text[n] != '\0' || strtoul(text, NULL, 8) > 0777)
		return rp_error_set(err, EINVAL, "--control-mode", text,
				    "expected an octal mode such as 0660");
	*mode = (mode_t)strtoul(text, NULL, 8);
	return 0;
}

// By name or number.
static int parse_group(const char *text, gid_t *group, struct rp_error *err)
{
	const struct group *entry = getgrnam(text);
	size_t n = strspn(text, "0123456789");

	if (entry != NULL) {
		*group = entry->gr_gid;
		return 0;
	}
	if (n == 0 || n > 9 || text[n] != '\0')
		return rp_error_set(err, EINVAL, "--control-group", text,
				    "there is no such group; expected a name or a number");
	*group = (gid_t)strtoul(text, NULL, 10);
	return 0;
}

static int take(struct rp_options *opt, int c, char **argv, struct rp_error *err)
{
	switch (c) {
	case OPT_INIT:
		opt->init = optarg;
		return 0;
	case OPT_STATE:
		opt->state = optarg;
		return 0;
	case OPT_SOCKET_DIR:
		opt->socket_dir = optarg;
		return 0;
	case OPT_TAP:
		opt->tap = optarg;
		return 0;
	case OPT_HOST_IP4:
		opt->host_ip4 = optarg;
		return 0;
	case OPT_HOST_IP6:
		opt->host_ip6 = optarg;
		return 0;
	case OPT_CONTROL:
		opt->control = optarg;
		return 0;
	case OPT_CONTROL_MODE:
		return parse_mode(optarg, &opt->control_mode, err);
	case OPT_CONTROL_GROUP:
		return parse_group(optarg, &opt->control_group, err);
	case OPT_PIDFILE:
		opt->pidfile = optarg;
		return 0;
	case OPT_NO_HOST:
		opt->no_host = true;
		return 0;
	case 'i':
		opt->interactive = true;
		return 0;
	case OPT_STATS_PERIOD:
		return parse_period(optarg, &opt->stats_period, err);
	case OPT_HELP:
		opt->help = true;
		return 0;
	case OPT_VERSION:
		opt->version = true;
		return 0;
	case ':':
		return rp_error_set(err, EINVAL, "option", argv[optind - 1],
				    "needs a value; see ringplane -- --help");
	default:
		return rp_error_set(err, EINVAL, "option", argv[optind - 1],
				    "is unknown; see ringplane -- --help (EAL's options stand "
				    "before the --)");
	}
}

int rp_options_parse(struct rp_options *opt, int argc, char **argv, struct rp_error *err)
{
	int c;

	*opt = (struct rp_options){
		.socket_dir = RP_DEFAULT_SOCKET_DIR,
		.control_mode = 0660,
		.control_group = (gid_t)-1,
		.tap = RP_DEFAULT_TAP,
		.host_ip4 = RP_DEFAULT_HOST_IP4,
		.host_ip6 = RP_DEFAULT_HOST_IP6,
	};
	optind = 1;
	opterr = 0;
	while ((c = getopt_long(argc, argv, "+:i", options, NULL)) != -1)
		if (take(opt, c, argv, err) < 0)
			return -err->code;
	if (optind < argc)
		return rp_error_set(err, EINVAL, "argument", argv[optind],
				    "is no option; see ringplane -- --help");
	return 0;
}

void rp_options_help(void)
{
	printf("usage: ringplane [EAL options] -- [options]\n"
	       "\n"
	       "The first lcore runs the control plane, every other one polls: two are the least.\n"
	       "  ringplane -l 0-1 --no-pci -- -i                      with hugepages\n"
	       "  ringplane -l 0-1 --no-pci --no-huge -m 256 -- -i     without\n"
	       "\n"
	       "  --init FILE        run these commands, unless --state has networks already\n"
	       "                     (without --init and --state: a network of two VMs)\n"
	       "  --state FILE       keep the model in this SQLite file; :memory: keeps none\n"
	       "  --socket-dir DIR   a NIC's socket is DIR/<nic>.sock (%s)\n"
	       "  --tap NAME         the host's interface to public networks (%s)\n"
	       "  --host-ip4 ADDR    the host's addresses on it (%s,\n"
	       "  --host-ip6 ADDR    %s)\n"
	       "  --no-host          no TAP and no kernel routes: needs no privilege\n"
	       "  --control PATH     the control socket, for ringctl (DIR/control.sock)\n"
	       "  --control-mode M   who may use it: its mode (0660)\n"
	       "  --control-group G  and its group (that of this process)\n"
	       "  --pidfile FILE     where the process id goes (DIR/ringplane.pid)\n"
	       "  -i                 console on standard input\n"
	       "  --stats-period S   print port statistics every S seconds\n"
	       "  --help, --version\n"
	       "\n"
	       "EAL options, such as -l CORES, --no-huge, -m MB, --file-prefix: ringplane --help\n",
	       RP_DEFAULT_SOCKET_DIR, RP_DEFAULT_TAP, RP_DEFAULT_HOST_IP4, RP_DEFAULT_HOST_IP6);
}
