// SPDX-License-Identifier: BSD-3-Clause
#include "client.h"

#include "vhost_user/tapbridge.h"

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

// What a VM's kernel would ask for: offloads go through to the TAP.
#define FEATURES                                                                                   \
	(RP_FRONTEND_FEATURES | RP_VIRTIO_BIT(NET_CSUM) | RP_VIRTIO_BIT(NET_GUEST_CSUM) |          \
	 RP_VIRTIO_BIT(NET_HOST_TSO4) | RP_VIRTIO_BIT(NET_HOST_TSO6) |                             \
	 RP_VIRTIO_BIT(NET_GUEST_TSO4) | RP_VIRTIO_BIT(NET_GUEST_TSO6))

static void take_mac(struct rp_tapbridge_config *tap, const char *text)
{
	unsigned int m[6];
	char rest;

	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%c", &m[0], &m[1], &m[2], &m[3], &m[4], &m[5],
		   &rest) != 6)
		errx(2, "--mac '%s': expected an address such as 52:54:00:12:34:56", text);
	for (int i = 0; i < 6; i++)
		tap->mac[i] = (uint8_t)m[i];
}

static int serve(struct rp_tapbridge *br, int signals)
{
	for (;;) {
		struct pollfd p[2] = {{.fd = rp_tapbridge_fd(br), .events = POLLIN},
				      {.fd = signals, .events = POLLIN}};
		int rc = rp_tapbridge_step(br);

		if (rc < 0)
			return rc;
		if (poll(p, 2, rc == 0 ? -1 : 0) < 0 && errno != EINTR)
			return -errno;
		if ((p[1].revents & POLLIN) != 0)
			return 0;
	}
}

static int join(const struct client *cl, const struct rp_tapbridge_config *tap, int signals)
{
	const struct rp_frontend_config cfg = {.features = FEATURES, .timeout_ms = cl->timeout_ms};
	struct rp_error err;
	struct rp_frontend *fe = rp_frontend_connect(cl->socket, &err);
	struct rp_tapbridge *br = NULL;
	struct rp_tapbridge_stats stats;
	int rc;

	if (fe == NULL)
		return client_failed(&err);
	rc = rp_frontend_setup(fe, &cfg, &err);
	if (rc == 0) {
		br = rp_tapbridge_create(fe, tap, &err);
		rc = br != NULL ? 0 : -errno;
	}
	if (rc == 0) {
		fprintf(stderr, "%s is joined to %s\n", tap->name, cl->socket);
		rc = serve(br, signals);
		stats = rp_tapbridge_stats(br);
		printf("%" PRIu64 " frames to the TAP, %" PRIu64 " from it, %" PRIu64 " dropped\n",
		       stats.to_tap, stats.from_tap, stats.dropped);
		if (rc < 0)
			rp_error_set(&err, -rc, "back-end", cl->socket, "%s",
				     rc == -ECONNRESET ? "it hung up" : strerror(-rc));
	}
	rp_tapbridge_destroy(br);
	rp_frontend_disconnect(fe);
	rp_frontend_free(fe);
	return rc < 0 ? client_failed(&err) : 0;
}

int client_tap(const struct client *cl, int argc, char **argv)
{
	static const struct option options[] = {{"netns", required_argument, NULL, 'n'},
						{"mac", required_argument, NULL, 'm'},
						{0}};
	struct rp_tapbridge_config tap = {0};
	sigset_t set;
	int o, signals, rc;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (o == 'n')
			tap.netns = optarg;
		else if (o == 'm')
			take_mac(&tap, optarg);
		else
			return 2;
	}
	if (optind + 1 != argc)
		errx(2, "tap: expected the name of an interface");
	tap.name = argv[optind];
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	rc = join(cl, &tap, signals);
	close(signals);
	return rc;
}
