// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_log.h>
#include <rte_version.h>

#include <bsd/libutil.h>

#include "base/log.h"
#include "checks.h"
#include "console.h"
#include "control.h"
#include "daemon.h"
#include "net/tap/host.h"

/*
 * ringplane: brings the parts up in order, runs the event loop, takes them down in reverse.
 *
 *	options -> EAL -> checks -> dataplane -> fabric (ports, view) -> workers -> console ->
 *	control socket -> loop
 */

#define MBUFS_PER_NODE 16383 // at most; chains of five for the largest frames, and the TAP's ring

static void fail(const struct rp_error *err)
{
	char text[640];

	rp_err("%s", rp_error_text(err, text, sizeof(text)));
}

// Index of "--", or argc.
static int find_separator(int argc, char *const *argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--") == 0)
			return i;
	return argc;
}

/*
 * What stands behind "--". Without a "--", --version alone is ours too: nothing in EAL's words
 * would come of it.
 */
static int parse_options(struct rp_options *opt, int argc, char **argv, struct rp_error *err)
{
	int sep = find_separator(argc, argv);
	int rc;

	if (argc == 2 && sep == argc && strcmp(argv[1], "--version") == 0)
		sep = 0;
	if (sep == argc)
		return rp_options_parse(opt, 1, argv, err);
	if (sep == 0)
		return rp_options_parse(opt, argc, argv, err);
	argv[sep] = argv[0];
	rc = rp_options_parse(opt, argc - sep, argv + sep, err);
	argv[sep] = (char *)"--";
	return rc;
}

static void wake_cb(evutil_socket_t fd, short, void *arg)
{
	eventfd_t n;

	if (eventfd_read(fd, &n) == 0)
		rp_daemon_ports_changed(arg);
}

static void stop_cb(evutil_socket_t, short, void *arg)
{
	struct rp_daemon *d = arg;

	event_base_loopexit(d->base, NULL);
}

static void stats_cb(evutil_socket_t, short, void *arg)
{
	struct rp_daemon *d = arg;

	rp_console_print_stats(d->console, stdout);
}

static int make_events(struct rp_daemon *d, struct rp_error *err)
{
	struct timeval period = {.tv_sec = d->opt->stats_period};

	d->base = event_base_new();
	d->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (d->base == NULL || d->wake_fd < 0)
		return rp_error_set(err, ENOMEM, "event loop", NULL, "cannot be made: %s",
				    strerror(errno));
	d->wake = event_new(d->base, d->wake_fd, EV_READ | EV_PERSIST, wake_cb, d);
	d->sigint = evsignal_new(d->base, SIGINT, stop_cb, d);
	d->sigterm = evsignal_new(d->base, SIGTERM, stop_cb, d);
	d->stats_timer = event_new(d->base, -1, EV_PERSIST, stats_cb, d);
	if (d->wake == NULL || d->sigint == NULL || d->sigterm == NULL || d->stats_timer == NULL ||
	    event_add(d->wake, NULL) < 0 || event_add(d->sigint, NULL) < 0 ||
	    event_add(d->sigterm, NULL) < 0 ||
	    (d->opt->stats_period > 0 && event_add(d->stats_timer, &period) < 0))
		return rp_error_set(err, ENOMEM, "event loop", NULL, "out of memory");
	return 0;
}

static void free_events(struct rp_daemon *d)
{
	struct event *events[] = {d->wake, d->sigint, d->sigterm, d->stats_timer};

	for (size_t i = 0; i < RTE_DIM(events); i++)
		if (events[i] != NULL)
			event_free(events[i]);
	if (d->base != NULL)
		event_base_free(d->base);
	if (d->wake_fd >= 0)
		close(d->wake_fd);
}

// One that a VM can send to through its gateway: IPv6 link-local ones stay on a link.
static bool is_host_address(const struct rp_addr *a)
{
	return !rp_addr_is_multicast(a) && !rp_addr_is_unspecified(a) && !rp_addr_is_loopback(a) &&
	       !rp_addr_equal(a, &rp_gateway_ip4) &&
	       (a->family == RP_IP4 ? a->bytes[0] < 240 : !rp_addr_is_link_local(a));
}

static int parse_host_address(const char *option, const char *text, enum rp_family family,
			      const char *sample, struct rp_addr *addr, struct rp_error *err)
{
	if (rp_addr_parse(text, addr) == 0 && addr->family == family && is_host_address(addr))
		return 0;
	return rp_error_set(err, EINVAL, option, text,
			    "expected a unicast IPv%d address such as %s, not the gateway's%s",
			    family, sample, family == RP_IP6 ? ", not a link-local one" : "");
}

static int parse_host_addresses(struct rp_daemon *d, struct rp_error *err)
{
	int rc = parse_host_address("--host-ip4", d->opt->host_ip4, RP_IP4, RP_DEFAULT_HOST_IP4,
				    &d->host_ip4, err);

	return rc < 0 ? rc
		      : parse_host_address("--host-ip6", d->opt->host_ip6, RP_IP6,
					   RP_DEFAULT_HOST_IP6, &d->host_ip6, err);
}

static int make_dataplane(struct rp_daemon *d, struct rp_error *err)
{
	unsigned int lcores[RTE_MAX_LCORE];
	unsigned int lcore;
	uint16_t n = 0;

	RTE_LCORE_FOREACH_WORKER (lcore) {
		lcores[n++] = lcore;
	}
	d->dp = rp_dataplane_new(lcores, n, MBUFS_PER_NODE, err);
	return d->dp == NULL ? -err->code : 0;
}

// Commands that are to make the first model.
static int run_init(struct rp_daemon *d, struct rp_error *err)
{
	return rp_control_load(&d->control, d->opt->init, "two-vms.rp", rp_config_two_vms, err);
}

// The model: what the store has; where it has nothing, from the init file; with neither file, the
// built-in network of two VMs.
static int make_fabric(struct rp_daemon *d, struct rp_error *err)
{
	// One port is the TAP's; ports that EAL was given are not ours.
	uint32_t max_nics = RTE_MAX_ETHPORTS - 1u - rte_eth_dev_count_total();

	d->fabric = rp_fabric_new(&rp_daemon_ops, d, d->opt->socket_dir, max_nics, err);
	if (d->fabric == NULL)
		return -err->code;
	rp_daemon_control_init(d);
	rp_fabric_reserve(d->fabric, &d->host_ip4);
	rp_fabric_reserve(d->fabric, &d->host_ip6);
	if (d->opt->state != NULL && rp_fabric_open_store(d->fabric, d->opt->state, err) < 0)
		return -err->code;
	if (d->fabric->n_networks > 0) {
		if (d->opt->init != NULL)
			rp_info("'%s' has networks: '%s' is not run", d->opt->state, d->opt->init);
		return 0;
	}
	return d->opt->init != NULL || d->opt->state == NULL ? run_init(d, err) : 0;
}

static void print_start(const struct rp_daemon *d)
{
	const struct rp_nic *nic;

	rp_info("%s: %u worker%s, %u network%s, %u NIC%s; sockets in %s", rte_version(),
		d->dp->n_workers, d->dp->n_workers == 1 ? "" : "s", d->fabric->n_networks,
		d->fabric->n_networks == 1 ? "" : "s", d->fabric->n_nics,
		d->fabric->n_nics == 1 ? "" : "s", d->opt->socket_dir);
	TAILQ_FOREACH (nic, &d->fabric->nics, entry)
		rp_info("nic '%s': %s %s", nic->cfg.name,
			nic->cfg.mode == RP_VHOST_CLIENT ? "connects to" : "listens on",
			nic->cfg.socket);
	rp_info("ready");
}

static int run(struct rp_daemon *d, struct rp_error *err)
{
	int rc = rp_dataplane_start(d->dp, err);

	if (rc < 0)
		return rc;
	d->console = rp_console_new(d, d->opt->interactive, err);
	if (d->console == NULL)
		return -err->code;
	rc = rp_daemon_control_open(d, err);
	if (rc < 0)
		return rc;
	print_start(d);
	event_base_dispatch(d->base);
	return 0;
}

static void take_down(struct rp_daemon *d)
{
	if (d->console != NULL) {
		rp_console_print_exit(d->console, stdout);
		rp_console_free(d->console);
	}
	rp_daemon_control_close(d);
	if (d->dp != NULL)
		rp_dataplane_stop(d->dp);
	if (d->fabric != NULL)
		rp_fabric_free(d->fabric);
	if (d->host != NULL)
		rp_host_close(d->host);
	rp_dataplane_free(d->dp);
	free_events(d);
}

static int run_daemon(const struct rp_options *opt, struct rp_error *err)
{
	struct rp_daemon d = {.opt = opt, .wake_fd = -1};
	int rc = rp_check_lcores(err);

	if (rc == 0)
		rc = rp_check_socket_dir(opt->socket_dir, err);
	if (rc == 0)
		rc = parse_host_addresses(&d, err);
	if (rc == 0)
		rc = make_events(&d, err);
	if (rc == 0)
		rc = make_dataplane(&d, err);
	if (rc == 0)
		rc = make_fabric(&d, err);
	if (rc == 0)
		rc = run(&d, err);
	take_down(&d);
	return rc;
}

// libbsd's pidfile: locked while we live, so a second ringplane on the same sockets is refused.
static int take_pidfile(const struct rp_options *opt, struct pidfh **pidfile, struct rp_error *err)
{
	char path[160];
	pid_t other;

	if (rp_check_socket_dir(opt->socket_dir, err) < 0)
		return -err->code;
	if (opt->pidfile != NULL)
		snprintf(path, sizeof(path), "%s", opt->pidfile);
	else
		snprintf(path, sizeof(path), "%s/ringplane.pid", opt->socket_dir);
	*pidfile = pidfile_open(path, 0644, &other);
	if (*pidfile != NULL)
		return pidfile_write(*pidfile);
	if (errno == EEXIST)
		return rp_error_set(err, EEXIST, "pidfile", path,
				    "ringplane runs already, as process %d; stop it, or give this "
				    "one its own --socket-dir",
				    (int)other);
	return rp_error_set(err, errno, "pidfile", path, "%s; name another with --pidfile",
			    strerror(errno));
}

/*
 * DPDK's vhost library tells of each message of a front-end, and of each malformed descriptor: a
 * guest could fill the log. Its connections and drops are told by ringplane itself. EAL's
 * --log-level still sets what the user wants.
 */
static void quiet_vhost(int argc, char *const *argv)
{
	for (int i = 1; i < argc; i++)
		if (strncmp(argv[i], "--log-level", 11) == 0)
			return;
	rte_log_set_level_pattern("lib.vhost.config", RTE_LOG_ERR);
	rte_log_set_level_pattern("lib.vhost.data", RTE_LOG_CRIT);
}

static int start(const struct rp_options *opt, int argc, char **argv, struct rp_error *err)
{
	struct pidfh *pidfile = NULL;
	int rc = rp_check_memory(argc, argv, err);

	if (rc == 0)
		rc = take_pidfile(opt, &pidfile, err);
	if (rc < 0)
		return rc;
	if (rte_eal_init(argc, argv) < 0) {
		pidfile_remove(pidfile);
		return rp_error_set(err, rte_errno, "EAL", NULL,
				    "does not start: %s; its options stand before the --, see "
				    "ringplane --help",
				    rte_strerror(rte_errno));
	}
	quiet_vhost(argc, argv);
	rc = run_daemon(opt, err);
	rte_eal_cleanup();
	pidfile_remove(pidfile);
	return rc;
}

int main(int argc, char **argv)
{
	struct rp_options opt;
	struct rp_error err = {0};

	if (parse_options(&opt, argc, argv, &err) < 0) {
		fail(&err);
		return 2;
	}
	if (opt.help) {
		rp_options_help();
		return 0;
	}
	if (opt.version) {
		printf("ringplane %s, %s\n", RP_VERSION, rte_version());
		return 0;
	}
	// A console or statistics reader that goes away is no reason to die.
	signal(SIGPIPE, SIG_IGN);
	if (start(&opt, argc, argv, &err) < 0) {
		fail(&err);
		return 1;
	}
	return 0;
}
