/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The real daemon and real VMs' sides for a test: ringplane started on its own sockets (with
 * hugepages where there are enough, its worker on lcore 1), and front-end devices connected to its
 * NICs. A failing test prints what the daemon said, drop counters and statistics included.
 *
 * RINGPLANE_TEST_LCORES replaces its "0@0,1@1", for more workers than one.
 *
 * cmocka's asserts are used inside: call from tests and their fixtures only.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packet/addr.h"
#include "packet/frame.h"
#include "vhost_user/frontend.h"

#define RIG_WAIT_MS 5000 // for everything that must come; nothing waits that long when it works

struct rig;

struct rig_vm {
	struct rig *rig; // NULL: the test starts its daemon itself, with one worker
	struct rp_frontend *fe;
	struct rp_frontend_config cfg;
	char socket[108];
	struct rte_ether_addr mac;
	struct rp_addr ip4;
	struct rp_addr ip6;
	struct rp_addr link_local;
	uint8_t rx[65600]; // the frame that rig_recv() took last
	size_t rx_len;
};

// Start ringplane with these commands as its init file; extra options end with NULL, or is NULL.
struct rig *rig_start(const char *init, const char *const *extra);

// Stop it: SIGTERM, and it must end well. For main(), which knows whether its tests passed.
void rig_stop(struct rig *rig, bool passed);

struct proc *rig_proc(struct rig *rig);
const char *rig_dir(const struct rig *rig);

// Run a console command and return what it printed, to free(). The daemon has -i.
char *rig_command(struct rig *rig, const char *command);

// A NIC's drop counter by its reason's name, 0 where it is not listed.
uint64_t rig_drops(struct rig *rig, const char *nic, const char *reason);

// What the test believes about a NIC; connects nothing.
void rig_vm_init(struct rig *rig, struct rig_vm *vm, const char *nic, const char *mac,
		 const char *ip4, const char *ip6);

// Connect and set up with vm->cfg, and wait until the daemon forwards to it.
void rig_vm_connect(struct rig_vm *vm);

// Wait until the daemon answers, and all its workers know the VM: ARP for the gateway is the first
// thing a NIC can do. NICs without IPv4 are asked by neighbor solicitation.
void rig_vm_wait_ready(struct rig_vm *vm);

void rig_vm_free(struct rig_vm *vm);

void rig_send(struct rig_vm *vm, const void *frame, size_t len);

// Whether the wanted frame came: match(frame, len, arg) is true for it. Others are skipped.
typedef bool (*rig_match_fn)(const uint8_t *frame, size_t len, void *arg);
bool rig_wait(struct rig_vm *vm, rig_match_fn match, void *arg, unsigned int timeout_ms);

// A UDP frame from one VM to an address, payload_len bytes counting up from tag.
size_t rig_udp(uint8_t *buf, size_t size, const struct rig_vm *from, const struct rp_addr *dst,
	       uint8_t ttl, size_t payload_len, uint8_t tag);

// Did that frame arrive at to, with MACs and TTL rewritten and right checksums? Waits for it.
void rig_assert_arrives(struct rig_vm *to, size_t payload_len, uint8_t tag, uint8_t ttl);

// UDP with this tag must not arrive at to: a second one, from from and allowed, overtakes nothing,
// so when it is there the first would have been.
void rig_assert_blocked(struct rig_vm *to, struct rig_vm *from, uint8_t tag);
