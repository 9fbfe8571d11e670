/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The kernel's end of the TAP, by netlink: the interface's settings and addresses. Internal to
 * net/tap.
 */

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "packet/addr.h"

struct nl_addr;
struct nl_sock;

extern const struct rte_ether_addr rp_host_kernel_mac; // of the kernel's end

struct rp_kernel_if {
	struct nl_sock *sk;
	int index;
	char name[IFNAMSIZ];
	struct rp_addr ip4; // of the kernel's end; family RP_NONE: none
	struct rp_addr ip6;
};

// Could a TAP of this name be made here, by us? *err says why not and what to do about it.
int rp_kernel_check(const char *ifname, struct rp_error *err);

// Open a netlink socket for the interface k->name, which exists. k->ip4 and k->ip6 are set.
int rp_kernel_open(struct rp_kernel_if *k, struct rp_error *err);
void rp_kernel_close(struct rp_kernel_if *k);

// MTU and the settings that the kernel looks at when the interface goes up.
int rp_kernel_prepare(struct rp_kernel_if *k, uint16_t mtu, struct rp_error *err);

// The addresses, once it is up. Clears k->ip6 where the kernel has IPv6 turned off.
int rp_kernel_address(struct rp_kernel_if *k, struct rp_error *err);

// Link and addresses again, which the kernel forgets when somebody takes the interface down.
int rp_kernel_restore(struct rp_kernel_if *k, struct rp_error *err);

// A libnl address of len bits, NULL where memory is short. Free with nl_addr_put().
struct nl_addr *rp_kernel_addr(const struct rp_addr *a, uint8_t len);

// The errno behind a libnl error (negative), as a positive number.
int rp_kernel_errno(int nle);
