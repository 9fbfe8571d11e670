/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* The little network card behind one end of a socket pair, served by a thread. */

#include "vhost_user/netdev.h"

#include <pthread.h>

struct card {
	struct rp_netdev netdev;
	struct rp_backend *be;
	int sock; // the front-end's end: whoever takes it over sets it to -1
	int stop; // eventfd
	int result;
	pthread_t thread;
};

// The front-end's end is in the struct.
struct card *card_start(enum rp_netdev_mode mode, unsigned int pairs);

// End the thread, free; what step() returned at the end (0: told to stop).
int card_stop(struct card *c);
