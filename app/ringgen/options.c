// SPDX-License-Identifier: BSD-3-Clause
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "frames.h"

enum {
	OPT_MAC = 256,
	OPT_IP4,
	OPT_IP6,
	OPT_GATEWAY_MAC,
	OPT_FLOWS,
	OPT_DESTINATIONS,
	OPT_IDLE,
	OPT_WARMUP,
	OPT_RATE,
	OPT_PACKED,
	OPT_NO_MRG,
	OPT_ONE_WAY,
	OPT_VERIFY,
	OPT_HUGEPAGES,
	OPT_PROBE,
	OPT_VERSION,
};

static const struct option options[] = {
	{"burst", required_argument, NULL, 'b'},
	{"core", required_argument, NULL, 'c'},
	{"destinations", required_argument, NULL, OPT_DESTINATIONS},
	{"flows", required_argument, NULL, OPT_FLOWS},
	{"gateway-mac", required_argument, NULL, OPT_GATEWAY_MAC},
	{"help", no_argument, NULL, 'h'},
	{"hugepages", no_argument, NULL, OPT_HUGEPAGES},
	{"idle", required_argument, NULL, OPT_IDLE},
	{"ip4", required_argument, NULL, OPT_IP4},
	{"ip6", required_argument, NULL, OPT_IP6},
	{"ipv6", no_argument, NULL, '6'},
	{"json", no_argument, NULL, 'j'},
	{"latency", no_argument, NULL, 'l'},
	{"learn", no_argument, NULL, 'L'},
	{"mac", required_argument, NULL, OPT_MAC},
	{"no-mrg", no_argument, NULL, OPT_NO_MRG},
	{"one-way", no_argument, NULL, OPT_ONE_WAY},
	{"packed", no_argument, NULL, OPT_PACKED},
	{"probe", required_argument, NULL, OPT_PROBE},
	{"rate", required_argument, NULL, OPT_RATE},
	{"ring-size", required_argument, NULL, 'r'},
	{"size", required_argument, NULL, 's'},
	{"time", required_argument, NULL, 't'},
	{"verify", no_argument, NULL, OPT_VERIFY},
	{"version", no_argument, NULL, OPT_VERSION},
	{"warmup", required_argument, NULL, OPT_WARMUP},
	{0},
};

// How many fixed addresses of each kind were given so far.
struct given {
	unsigned int mac;
	unsigned int ip4;
	unsigned int ip6;
};

static int whole(const char *name, const char *text, unsigned int min, unsigned int max,
		 unsigned int *out, struct rp_error *err)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end != '\0' || v < min || v > max)
		return rp_error_set(err, EINVAL, name, text,
				    "expected a whole number from %u to %u", min, max);
	*out = (unsigned int)v;
	return 0;
}

static int real(const char *name, const char *text, double max, double *out, struct rp_error *err)
{
	char *end;
	double v = strtod(text, &end);

	if (end == text || *end != '\0' || !(v >= 0 && v <= max))
		return rp_error_set(err, EINVAL, name, text, "expected a number from 0 to %.0f",
				    max);
	*out = v;
	return 0;
}

static int address(const char *name, const char *text, enum rp_family family, struct rp_addr *list,
		   unsigned int *n, struct rp_error *err)
{
	struct rp_addr a;

	if (rp_addr_parse(text, &a) < 0 || a.family != family)
		return rp_error_set(err, EINVAL, name, text, "expected an IPv%d address", family);
	if (*n == GEN_MAX_VMS)
		return rp_error_set(err, EINVAL, name, text, "there are %d VMs at most",
				    GEN_MAX_VMS);
	list[(*n)++] = a;
	return 0;
}

static int mac(const char *name, const char *text, struct rte_ether_addr *out, struct rp_error *err)
{
	if (rp_mac_parse(text, out) < 0 || rte_is_multicast_ether_addr(out))
		return rp_error_set(err, EINVAL, name, text,
				    "expected a unicast MAC such as 52:54:00:12:34:01");
	return 0;
}

static int cores(const char *text, int pair[2], struct rp_error *err)
{
	int end = 0;

	if (sscanf(text, "%d,%d%n", &pair[0], &pair[1], &end) != 2 || text[end] != '\0' ||
	    pair[0] < 0 || pair[1] < 0 || pair[0] == pair[1])
		return rp_error_set(err, EINVAL, "--probe", text,
				    "expected two different cores such as 0,1");
	return 0;
}

static int take_address(struct gen_options *opt, struct given *given, int c, struct rp_error *err)
{
	switch (c) {
	case OPT_MAC:
		if (given->mac == GEN_MAX_VMS)
			return rp_error_set(err, EINVAL, "--mac", optarg,
					    "there are %d VMs at most", GEN_MAX_VMS);
		return mac("--mac", optarg, &opt->mac[given->mac++], err);
	case OPT_IP4:
		return address("--ip4", optarg, RP_IP4, opt->ip4, &given->ip4, err);
	case OPT_IP6:
		return address("--ip6", optarg, RP_IP6, opt->ip6, &given->ip6, err);
	default:
		return mac("--gateway-mac", optarg, &opt->gateway_mac, err);
	}
}

static int take_number(struct gen_options *opt, int c, struct rp_error *err)
{
	unsigned int core = 0;
	int rc;

	switch (c) {
	case 'b':
		return whole("--burst", optarg, 1, GEN_MAX_BURST, &opt->burst, err);
	case 'c':
		rc = whole("--core", optarg, 0, 1023, &core, err);
		opt->core = (int)core;
		return rc;
	case 'r':
		return whole("--ring-size", optarg, 4, 32768, &opt->ring_size, err);
	case 's':
		return whole("--size", optarg, GEN_MIN_SIZE, GEN_MAX_SIZE, &opt->size, err);
	case 't':
		return real("--time", optarg, 86400, &opt->time_s, err);
	case OPT_WARMUP:
		return real("--warmup", optarg, 3600, &opt->warmup_s, err);
	case OPT_RATE:
		return real("--rate", optarg, 1e9, &opt->rate, err);
	case OPT_FLOWS:
		return whole("--flows", optarg, 1, GEN_MAX_FLOWS, &opt->flows, err);
	case OPT_DESTINATIONS:
		return whole("--destinations", optarg, 1, GEN_MAX_VMS - 1, &opt->destinations, err);
	default:
		return whole("--idle", optarg, 0, GEN_MAX_VMS - 2, &opt->idle, err);
	}
}

static bool *flag(struct gen_options *opt, int c)
{
	switch (c) {
	case '6':
		return &opt->ip6_frames;
	case 'h':
		return &opt->help;
	case 'j':
		return &opt->json;
	case 'l':
		return &opt->latency;
	case 'L':
		return &opt->learn;
	case OPT_HUGEPAGES:
		return &opt->hugepages;
	case OPT_NO_MRG:
		return &opt->no_mrg;
	case OPT_ONE_WAY:
		return &opt->one_way;
	case OPT_PACKED:
		return &opt->packed;
	case OPT_VERIFY:
		return &opt->verify;
	case OPT_VERSION:
		return &opt->version;
	default:
		return NULL;
	}
}

static int take(struct gen_options *opt, struct given *given, int c, char **argv,
		struct rp_error *err)
{
	bool *set = flag(opt, c);

	if (set != NULL) {
		*set = true;
		return 0;
	}
	switch (c) {
	case OPT_MAC:
	case OPT_IP4:
	case OPT_IP6:
	case OPT_GATEWAY_MAC:
		return take_address(opt, given, c, err);
	case OPT_PROBE:
		opt->probe = true;
		return cores(optarg, opt->probe_cores, err);
	case ':':
		return rp_error_set(err, EINVAL, "option", argv[optind - 1],
				    "needs a value; see ringgen --help");
	case '?':
		return rp_error_set(err, EINVAL, "option", argv[optind - 1],
				    "is unknown; see ringgen --help");
	default:
		return take_number(opt, c, err);
	}
}

// Addresses that nobody gave: those of the network that ringplane has without a configuration.
static void fill_addresses(struct gen_options *opt, const struct given *given)
{
	for (unsigned int i = given->mac; i < GEN_MAX_VMS; i++)
		opt->mac[i] =
			(struct rte_ether_addr){{0x52, 0x54, 0x00, 0x12, 0x34, (uint8_t)(i + 1)}};
	for (unsigned int i = given->ip4; i < GEN_MAX_VMS; i++)
		opt->ip4[i] = rp_addr_ip4(rte_cpu_to_be_32(0x0a000001 + i));
	for (unsigned int i = given->ip6; i < GEN_MAX_VMS; i++)
		opt->ip6[i] = rp_addr_ip6((const uint8_t[RP_IP6_LEN]){
			0xfd, 0, 0, 1, [RP_IP6_LEN - 1] = (uint8_t)(i + 1)});
}

static int check(const struct gen_options *opt, struct rp_error *err)
{
	unsigned int least = gen_frame_tagged(opt->ip6_frames);

	if (opt->n_vms < 2)
		return rp_error_set(err, EINVAL, "SOCKET", NULL,
				    "at least two are needed; see ringgen --help");
	if (opt->idle + 2 > opt->n_vms)
		return rp_error_set(err, EINVAL, "--idle", NULL,
				    "leaves less than two of %u VMs to send and receive",
				    opt->n_vms);
	if (opt->destinations > 1 && opt->destinations >= gen_active(opt))
		return rp_error_set(err, EINVAL, "--destinations", NULL,
				    "there are only %u other VMs", gen_active(opt) - 1);
	if (opt->destinations == 1 && gen_active(opt) % 2 != 0)
		return rp_error_set(err, EINVAL, "SOCKET", NULL,
				    "VMs are paired and %u is odd: give one more, --idle 1 or "
				    "--destinations 2",
				    gen_active(opt));
	if (!opt->packed && (opt->ring_size & (opt->ring_size - 1)) != 0)
		return rp_error_set(err, EINVAL, "--ring-size", NULL,
				    "expected a power of two; only --packed takes others");
	if (opt->burst > opt->ring_size)
		return rp_error_set(err, EINVAL, "--burst", NULL, "is larger than the ring");
	if (opt->verify && opt->size < least)
		return rp_error_set(err, EINVAL, "--verify", NULL,
				    "frames of less than %u bytes have no room for a number",
				    least);
	return 0;
}

int gen_options_parse(struct gen_options *opt, int argc, char **argv, struct rp_error *err)
{
	struct given given = {0};
	int c;

	*opt = (struct gen_options){
		.gateway_mac = {{RP_GATEWAY_MAC_BYTES}},
		.size = 64,
		.burst = 32,
		.ring_size = 1024,
		.destinations = 1,
		.time_s = 1,
		.warmup_s = 0.2,
	};
	optind = 1;
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":6b:c:hjlLr:s:t:", options, NULL)) != -1)
		if (take(opt, &given, c, argv, err) < 0)
			return -EINVAL;
	if (opt->help || opt->version || opt->probe)
		return 0;
	for (; optind < argc; optind++) {
		if (opt->n_vms == GEN_MAX_VMS)
			return rp_error_set(err, EINVAL, "SOCKET", argv[optind],
					    "there are %d VMs at most", GEN_MAX_VMS);
		opt->sockets[opt->n_vms++] = argv[optind];
	}
	if (opt->flows < opt->destinations)
		opt->flows = opt->destinations;
	fill_addresses(opt, &given);
	return check(opt, err);
}

void gen_options_help(void)
{
	printf("usage: ringgen [options] SOCKET SOCKET...\n"
	       "Play VMs on vhost-user sockets and send UDP between them: 1st and 2nd, 3rd and "
	       "4th\n"
	       "and so on, both ways, as fast as the rings take it.\n"
	       "\n"
	       "Frames\n"
	       "  -s, --size BYTES       of a frame without FCS (64)\n"
	       "  -6, --ipv6             IPv6 instead of IPv4\n"
	       "      --flows N          flows of each sender, by UDP source port (1)\n"
	       "      --destinations N   each VM sends to the next N others, not to its partner\n"
	       "      --one-way          the 1st, 3rd, ... VM sends, the others only receive\n"
	       "      --idle N           the last N VMs attach and do nothing\n"
	       "Addresses of VM n (from 1), each option once a VM in the order of the sockets\n"
	       "      --mac MAC          (52:54:00:12:34:n)\n"
	       "      --ip4 ADDR         (10.0.0.n)\n"
	       "      --ip6 ADDR         (fd00:1::n)\n"
	       "  -L, --learn            ask for the IP address: DHCPv4, or RS and DHCPv6\n"
	       "      --gateway-mac MAC  where frames go (02:00:00:00:00:01)\n"
	       "Rings\n"
	       "  -r, --ring-size N      (1024)\n"
	       "  -b, --burst N          frames shown to the ring at once (32)\n"
	       "      --packed           packed rings\n"
	       "      --no-mrg           no mergeable receive buffers\n"
	       "      --hugepages        guest memory in huge pages\n"
	       "Run\n"
	       "  -t, --time S           measure so long (1)\n"
	       "      --warmup S         after so long (0.2)\n"
	       "      --rate PPS         frames a second of all senders together (no limit)\n"
	       "      --verify           check number, order and content of every frame\n"
	       "  -l, --latency          one frame in flight between the first two VMs, timed\n"
	       "  -c, --core N           run on this core (0)\n"
	       "  -j, --json             results as JSON\n"
	       "      --probe A,B        no VMs: time a cache line's way from core A to B and "
	       "back\n"
	       "  -h, --help\n"
	       "      --version\n"
	       "\n"
	       "Exit status: 0 done, 1 it could not run or --verify found faults, 2 wrong "
	       "usage.\n");
}
