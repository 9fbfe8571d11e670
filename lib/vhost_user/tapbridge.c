// SPDX-License-Identifier: BSD-3-Clause
#include "vhost_user/tapbridge.h"
#include "vhost_user/frontend_priv.h"

#include <bsd/string.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define BUDGET	  64 // frames of each direction in one step
#define FRAME_MAX 65536

struct rp_tapbridge {
	struct rp_frontend *fe;
	int tap;
	int epoll;
	int stop; // eventfd
	bool running;
	bool full; // the transmit ring: the TAP is not read
	int result;
	pthread_t thread;
	struct rp_tapbridge_stats stats;
	struct virtio_net_hdr_v1 hdr; // of the frame that waits for room in the ring
	ssize_t held;		      // its length, 0 when none waits
	uint8_t frame[FRAME_MAX];
	uint8_t received[FRAME_MAX];
};

// --- making the TAP ---

struct tap_job {
	const struct rp_tapbridge_config *cfg;
	uint64_t features;
	uint16_t mtu;
	int fd;
	struct rp_error *err;
};

static int enter_netns(const char *netns, struct rp_error *err)
{
	char path[256];
	int fd, rc;

	snprintf(path, sizeof(path), "%s%s", strchr(netns, '/') == NULL ? "/run/netns/" : "",
		 netns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	rc = fd >= 0 ? setns(fd, CLONE_NEWNET) : -1;
	if (rc < 0)
		rc = rp_error_set(err, errno, "netns", netns,
				  errno == ENOENT ? "no such namespace; make it with: ip netns add"
						  : "cannot enter it: %s",
				  strerror(errno));
	if (fd >= 0)
		close(fd);
	return rc;
}

// What the kernel may leave undone in frames for us: what the back-end does for its guests.
static unsigned int tap_offloads(uint64_t features)
{
	unsigned int flags = 0;

	if ((features & RP_VIRTIO_BIT(NET_CSUM)) == 0)
		return 0;
	flags = TUN_F_CSUM;
	if ((features & RP_VIRTIO_BIT(NET_HOST_TSO4)) != 0)
		flags |= TUN_F_TSO4;
	if ((features & RP_VIRTIO_BIT(NET_HOST_TSO6)) != 0)
		flags |= TUN_F_TSO6;
	if ((features & RP_VIRTIO_BIT(NET_HOST_ECN)) != 0)
		flags |= TUN_F_TSO_ECN;
	return flags;
}

static int configure_tap(const struct tap_job *job, struct ifreq *ifr)
{
	static const uint8_t no_mac[6];
	int hdr_len = RP_VIRTIO_NET_HDR_LEN, rc = 0;
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (sock < 0 || ioctl(job->fd, TUNSETVNETHDRSZ, &hdr_len) < 0 ||
	    ioctl(job->fd, TUNSETOFFLOAD, tap_offloads(job->features)) < 0)
		rc = -errno;
	if (rc == 0 && memcmp(job->cfg->mac, no_mac, sizeof(no_mac)) != 0) {
		ifr->ifr_hwaddr.sa_family = ARPHRD_ETHER;
		memcpy(ifr->ifr_hwaddr.sa_data, job->cfg->mac, sizeof(job->cfg->mac));
		rc = ioctl(sock, SIOCSIFHWADDR, ifr) < 0 ? -errno : 0;
	}
	ifr->ifr_mtu = job->mtu;
	if (rc == 0 && ioctl(sock, SIOCSIFMTU, ifr) < 0)
		rc = -errno;
	ifr->ifr_flags = IFF_UP | IFF_RUNNING;
	if (rc == 0 && ioctl(sock, SIOCSIFFLAGS, ifr) < 0)
		rc = -errno;
	if (sock >= 0)
		close(sock);
	return rc;
}

static int open_tap(struct tap_job *job)
{
	struct ifreq ifr = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
	int rc = 0;

	if (strlcpy(ifr.ifr_name, job->cfg->name, sizeof(ifr.ifr_name)) >= sizeof(ifr.ifr_name))
		return rp_error_set(job->err, EINVAL, "tap", job->cfg->name,
				    "an interface name has at most %d characters", IFNAMSIZ - 1);
	job->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (job->fd < 0 || ioctl(job->fd, TUNSETIFF, &ifr) < 0)
		rc = -errno;
	else
		rc = configure_tap(job, &ifr);
	if (rc == 0)
		return 0;
	if (job->fd >= 0)
		close(job->fd);
	job->fd = -1;
	return rp_error_set(job->err, -rc, "tap", job->cfg->name, "%s",
			    rc == -EPERM   ? "permission denied; needs CAP_NET_ADMIN (root)"
			    : rc == -EBUSY ? "an interface of this name is in use"
					   : strerror(-rc));
}

// In a thread of its own, because the namespace is the thread's and needs no way back then.
static void *tap_thread(void *arg)
{
	struct tap_job *job = arg;
	int rc = job->cfg->netns != NULL ? enter_netns(job->cfg->netns, job->err) : 0;

	if (rc == 0)
		rc = open_tap(job);
	return (void *)(intptr_t)rc;
}

static int make_tap(struct tap_job *job)
{
	pthread_t thread;
	void *result;
	int rc = pthread_create(&thread, NULL, tap_thread, job);

	if (rc != 0)
		return rp_error_set(job->err, rc, "tap", job->cfg->name, "no thread to make it");
	pthread_join(thread, &result);
	return (int)(intptr_t)result;
}

// --- life ---

static int watch(struct rp_tapbridge *br, int fd, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.fd = fd};

	return epoll_ctl(br->epoll, EPOLL_CTL_ADD, fd, &ev) < 0 ? -errno : 0;
}

static int watch_all(struct rp_tapbridge *br)
{
	int rc;

	br->epoll = epoll_create1(EPOLL_CLOEXEC);
	br->stop = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (br->epoll < 0 || br->stop < 0)
		return -errno;
	rc = watch(br, br->tap, EPOLLIN);
	if (rc == 0)
		rc = watch(br, br->stop, EPOLLIN);
	if (rc == 0)
		rc = watch(br, br->fe->sock, EPOLLRDHUP);
	for (unsigned int q = 0; rc == 0 && q < br->fe->n_queues; q += 2)
		rc = watch(br, br->fe->queues[q].call, EPOLLIN);
	return rc == 0 ? watch(br, br->fe->queues[1].call, EPOLLIN) : rc;
}

struct rp_tapbridge *rp_tapbridge_create(struct rp_frontend *fe,
					 const struct rp_tapbridge_config *cfg,
					 struct rp_error *err)
{
	struct rp_tapbridge *br = NULL;
	struct tap_job job = {.cfg = cfg,
			      .features = fe->features,
			      .mtu = cfg->mtu != 0 ? cfg->mtu : fe->cfg.mtu,
			      .fd = -1,
			      .err = err};
	int rc = 0;

	if (fe->n_queues == 0 || fe->sock < 0)
		rc = rp_error_set(err, ENOTCONN, "front-end", NULL,
				  "is not set up; the bridge needs its rings");
	if (rc == 0)
		rc = make_tap(&job);
	if (rc == 0) {
		br = calloc(1, sizeof(*br));
		rc = br != NULL ? 0 : rp_error_set(err, ENOMEM, "tap", cfg->name, "no memory");
	}
	if (br != NULL) {
		*br = (struct rp_tapbridge){.fe = fe, .tap = job.fd, .epoll = -1, .stop = -1};
		rc = watch_all(br);
		if (rc < 0)
			rp_error_set(err, -rc, "tap", cfg->name, "%s", strerror(-rc));
	} else if (job.fd >= 0) {
		close(job.fd);
	}
	if (rc < 0) {
		rp_tapbridge_destroy(br);
		errno = -rc;
		return NULL;
	}
	return br;
}

void rp_tapbridge_destroy(struct rp_tapbridge *br)
{
	if (br == NULL)
		return;
	rp_tapbridge_stop(br);
	if (br->epoll >= 0)
		close(br->epoll);
	if (br->stop >= 0)
		close(br->stop);
	close(br->tap);
	free(br);
}

// --- moving frames ---

static int move_to_tap(struct rp_tapbridge *br, unsigned int pair)
{
	int n;

	for (n = 0; n < BUDGET; n++) {
		struct rp_frontend_packet info;
		ssize_t len = rp_frontend_recv_packet_on(br->fe, pair, br->received,
							 sizeof(br->received), &info);
		struct iovec iov[] = {
			{.iov_base = &info.hdr, .iov_len = sizeof(info.hdr)},
			{.iov_base = br->received, .iov_len = len > 0 ? (size_t)len : 0}};

		if (len == -EAGAIN)
			break;
		if (len == -EIO)
			return -EIO;
		if (len >= 0 && writev(br->tap, iov, 2) >= 0)
			br->stats.to_tap++;
		else
			br->stats.dropped++;
	}
	return n;
}

// Read from the TAP or do not, as the ring has room or not.
static void set_full(struct rp_tapbridge *br, bool full)
{
	struct epoll_event ev = {.events = full ? 0 : EPOLLIN, .data.fd = br->tap};

	if (br->full == full)
		return;
	br->full = full;
	epoll_ctl(br->epoll, EPOLL_CTL_MOD, br->tap, &ev);
}

// Send the held frame. 1 gone (sent or dropped), 0 no room, -EIO.
static int send_held(struct rp_tapbridge *br)
{
	int rc;

	do {
		rc = rp_frontend_send_packet_on(br->fe, 0, &br->hdr, br->frame, (size_t)br->held);
	} while (rc == -ENOSPC && rp_frontend_arm(br->fe, 1));
	set_full(br, rc == -ENOSPC);
	if (rc == -ENOSPC)
		return 0;
	br->held = 0;
	if (rc == -EIO)
		return rc;
	if (rc == 0)
		br->stats.from_tap++;
	else
		br->stats.dropped++;
	return 1;
}

static int move_from_tap(struct rp_tapbridge *br)
{
	int n;

	for (n = 0; n < BUDGET; n++) {
		struct iovec iov[] = {{.iov_base = &br->hdr, .iov_len = sizeof(br->hdr)},
				      {.iov_base = br->frame, .iov_len = sizeof(br->frame)}};
		int rc;

		if (br->held == 0) {
			ssize_t len = readv(br->tap, iov, 2);

			if (len < 0 && errno != EAGAIN && errno != EINTR)
				return -errno;
			if (len <= (ssize_t)sizeof(br->hdr))
				break;
			br->held = len - (ssize_t)sizeof(br->hdr);
		}
		rc = send_held(br);
		if (rc < 0)
			return rc;
		if (rc == 0)
			break;
	}
	return n;
}

int rp_tapbridge_step(struct rp_tapbridge *br)
{
	int moved = move_from_tap(br);
	eventfd_t value;

	for (unsigned int pair = 0; moved >= 0 && pair < br->fe->n_queues / 2; pair++) {
		int rc = move_to_tap(br, pair);

		moved = rc < 0 ? rc : moved + rc;
	}
	if (moved != 0)
		return moved;
	// A call that nobody asked for (or that is stale) must not keep the descriptor readable.
	if (!br->full)
		eventfd_read(br->fe->queues[1].call, &value);
	for (unsigned int q = 0; q < br->fe->n_queues; q += 2)
		if (rp_frontend_arm(br->fe, q))
			return 1;
	return rp_frontend_connected(br->fe) ? 0 : -ECONNRESET;
}

int rp_tapbridge_fd(const struct rp_tapbridge *br)
{
	return br->epoll;
}

struct rp_tapbridge_stats rp_tapbridge_stats(const struct rp_tapbridge *br)
{
	return br->stats;
}

static void *bridge_thread(void *arg)
{
	struct rp_tapbridge *br = arg;
	eventfd_t value;

	// A look at the stop eventfd each time round: a busy bridge must end too.
	while (eventfd_read(br->stop, &value) < 0) {
		struct epoll_event ev;

		br->result = rp_tapbridge_step(br);
		if (br->result < 0)
			break;
		if (br->result == 0)
			epoll_wait(br->epoll, &ev, 1, -1);
	}
	return NULL;
}

int rp_tapbridge_start(struct rp_tapbridge *br)
{
	int rc = pthread_create(&br->thread, NULL, bridge_thread, br);

	br->running = rc == 0;
	return -rc;
}

int rp_tapbridge_stop(struct rp_tapbridge *br)
{
	if (!br->running)
		return 0;
	eventfd_write(br->stop, 1);
	pthread_join(br->thread, NULL);
	br->running = false;
	return br->result < 0 ? br->result : 0;
}
