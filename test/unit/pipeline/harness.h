/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A dataplane with one worker that never runs, and a view with a few NICs: tests feed it frames
 * and look at what would be sent, or at why it was dropped. Real EAL (no hugepages, no devices),
 * real mbufs.
 *
 *   network "blue" (id 1, public): 10.0.0.0/24, fd00:0:0:1::/64, MTU 1500, dns 1.1.1.1
 *     2606:4700::1111, ntp 10.0.0.123 fd00::123, domain example.org, search lab.example.org
 *       BLUE1 52:54:00:00:00:01 10.0.0.1 fd00:0:0:1::1, prefixes 192.168.7.0/24 fd00:7::/64
 *       BLUE2 52:54:00:00:00:02 10.0.0.2 fd00:0:0:1::2
 *       BLUE3 52:54:00:00:00:03 10.0.0.3 fd00:0:0:1::3, not connected
 *   network "red" (id 2, private, the same subnets, MTU 9000, real mask): no DNS, NTP, domain
 *       RED1 52:54:00:00:01:01 10.0.0.1 fd00:0:0:1::1
 *       RED2 52:54:00:00:01:02 10.0.0.2 fd00:0:0:1::2
 *   network "four" (id 3, private): 10.4.0.0/24 only
 *       FOUR1 52:54:00:00:02:01 10.4.0.1
 *   network "six" (id 4, private): fd00:6::/64 only
 *       SIX1 52:54:00:00:03:01 fd00:6::1
 *   host: 169.254.0.2, fd72:696e:67::1, kernel MAC 02:00:00:00:00:02, port HOST_PORT
 *
 * A NIC's port id is its number here.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pipeline/worker.h"

enum { BLUE1, BLUE2, BLUE3, RED1, RED2, FOUR1, SIX1, N_NICS, HOST_PORT };

extern const struct rte_ether_addr harness_host_mac;

// What became of a frame.
struct outcome {
	bool sent;
	uint16_t port; // where to
	uint32_t len;
	uint8_t data[RP_FRAME_MAX];
	enum rp_drop drop;		  // why not, RP_DROP_COUNT when sent
	enum rp_stage last;		  // the last stage that it visited before tx or the drop
	struct rp_port_counters counters; // what this frame added at the port it came from
};

// For cmocka_run_group_tests(): once per program.
int harness_setup(void **state);
int harness_teardown(void **state);

// The NIC as the view has it.
const struct rp_nic_view *harness_nic(int nic);
struct rp_worker *harness_worker(void);

// One frame from a NIC (or HOST_PORT) through the stages, without the fast lane.
void harness_send(int from, const void *frame, size_t len, struct outcome *out);

// The same with the frame spread over mbufs of seg bytes each, as vhost does with large frames.
void harness_send_chain(int from, const void *frame, size_t len, size_t seg, struct outcome *out);

// The same with offload flags in the mbuf, as vhost makes of the virtio header.
void harness_send_flags(int from, const void *frame, size_t len, uint64_t ol_flags,
			struct outcome *out);

// The same through the fast lane alone: false where it says "not mine".
bool harness_fast(int from, const void *frame, size_t len, struct outcome *out);

// Put back what is limited by time, such as ICMP error tokens.
void harness_refill(void);
