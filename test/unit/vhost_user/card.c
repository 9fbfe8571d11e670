// SPDX-License-Identifier: BSD-3-Clause
#include "card.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

static void *serve(void *arg)
{
	struct card *c = arg;
	struct pollfd p[] = {{.fd = rp_backend_fd(c->be), .events = POLLIN},
			     {.fd = c->stop, .events = POLLIN}};

	while (p[1].revents == 0) {
		c->result = rp_backend_step(c->be);
		if (c->result < 0)
			break;
		poll(p, 2, c->result > 0 ? 0 : rp_backend_timeout(c->be));
	}
	// The front-end sees the end at once, as from a back-end that exits.
	shutdown(rp_backend_socket(c->be), SHUT_RDWR);
	return NULL;
}

struct card *card_start(enum rp_netdev_mode mode, unsigned int pairs)
{
	struct card *c = calloc(1, sizeof(*c));
	int s[2];

	if (c == NULL || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s) < 0)
		abort();
	rp_netdev_init(&c->netdev, mode, pairs);
	c->sock = s[0];
	c->stop = eventfd(0, EFD_CLOEXEC);
	c->be = rp_backend_new(s[1], &c->netdev.device);
	if (c->be == NULL || pthread_create(&c->thread, NULL, serve, c) != 0)
		abort();
	return c;
}

int card_stop(struct card *c)
{
	int result;

	eventfd_write(c->stop, 1);
	pthread_join(c->thread, NULL);
	result = c->result < 0 ? c->result : 0;
	rp_backend_free(c->be);
	close(c->stop);
	if (c->sock >= 0)
		close(c->sock);
	free(c);
	return result;
}
