// SPDX-License-Identifier: BSD-3-Clause
#include "console.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include <rte_ethdev.h>

#include "daemon.h"

struct rp_console {
	struct rp_daemon *daemon;
};

struct rp_console *rp_console_new(struct rp_daemon *d, bool, struct rp_error *err)
{
	struct rp_console *c = calloc(1, sizeof(*c));

	if (c == NULL)
		rp_error_set(err, ENOMEM, "memory", NULL, "out of memory");
	else
		c->daemon = d;
	return c;
}

void rp_console_free(struct rp_console *c)
{
	free(c);
}

void rp_console_print_stats(struct rp_console *, FILE *out)
{
	uint16_t port;

	RTE_ETH_FOREACH_DEV (port) {
		struct rte_eth_stats st = {0};

		rte_eth_stats_get(port, &st);
		fprintf(out, "port %u: RX-packets %" PRIu64 " TX-packets %" PRIu64 "\n", port,
			st.ipackets, st.opackets);
	}
	fflush(out);
}

void rp_console_print_exit(struct rp_console *c, FILE *out)
{
	rp_console_print_stats(c, out);
}
