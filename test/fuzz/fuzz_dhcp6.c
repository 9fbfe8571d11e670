// SPDX-License-Identifier: BSD-3-Clause
#include <stdio.h>
#include <stdlib.h>

#include "packet/dhcp6.h"

/*
 * DHCPv6 messages: what is read and can be written must read again to the same message, whatever
 * order, unknown options and padding the input had.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "fuzz_dhcp6: %s\n", what);
	abort();
}

static void check_bounds(const struct rp_dhcp6 *m)
{
	check(m->client_id.len <= RP_DHCP6_DUID_MAX && m->server_id.len <= RP_DHCP6_DUID_MAX &&
		      m->n_ia <= RP_DHCP6_IA_MAX && m->dns.n <= RP_DHCP6_LIST_MAX &&
		      m->sntp.n <= RP_DHCP6_LIST_MAX && m->ntp.n <= RP_DHCP6_LIST_MAX &&
		      m->search.n <= RP_DHCP6_LIST_MAX,
	      "a list is longer than its array");
	for (uint8_t i = 0; i < m->n_ia; i++)
		check(m->ia[i].n <= RP_DHCP6_LEASE_MAX, "an IA holds too much");
	for (uint8_t i = 0; i < m->search.n; i++)
		check(strnlen(m->search.name[i], RP_DNS_NAME_STR) < RP_DNS_NAME_STR,
		      "endless name");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t once[16384], twice[16384];
	static struct rp_dhcp6 m, again;
	struct rp_writer w1 = rp_writer(once, sizeof(once));
	struct rp_writer w2 = rp_writer(twice, sizeof(twice));

	if (rp_dhcp6_parse(rp_reader(data, size), &m) < 0)
		return 0;
	check_bounds(&m);
	rp_dhcp6_write(&w1, &m);
	// Names may be read that are none to write: with signs in them, or the root alone.
	if (w1.overflow)
		return 0;
	check(rp_dhcp6_parse(rp_reader(once, rp_writer_len(&w1)), &again) == 0,
	      "a message of ours is not read");
	check_bounds(&again);
	rp_dhcp6_write(&w2, &again);
	check(!w2.overflow && rp_writer_len(&w1) == rp_writer_len(&w2) &&
		      memcmp(once, twice, rp_writer_len(&w1)) == 0,
	      "a message of ours reads otherwise than it was written");
	return 0;
}
