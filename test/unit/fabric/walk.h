/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * An endless walk through models: step k changes one thing that follows from k and the model alone,
 * so that two fabrics that took the same steps hold the same, UUIDs aside. A step may fail (the
 * network is full), and then fails for all.
 */

#include "unit/fabric/fixture.h"

static inline uint32_t walk_random(uint64_t *state)
{
	// splitmix64
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (uint32_t)((z ^ (z >> 31)) >> 32);
}

static inline int walk_network(struct fixture *f, uint64_t *state)
{
	struct rp_network_config cfg;
	struct rp_network *net;
	char name[16];

	snprintf(name, sizeof(name), "net%u", walk_random(state) % 4);
	net = rp_network_find(f->fabric, name);
	if (net == NULL)
		return net_create(f, name, "10.0.0.0/28", "fd00::/64");
	if (walk_random(state) % 8 == 0)
		return rp_network_delete(f->fabric, net, true, NULL, &f->err);
	cfg = net->cfg;
	cfg.mtu = (uint16_t)(RP_MTU_MIN + walk_random(state) % 1000);
	cfg.dns = (struct rp_addr_list){.n = 1, .addr = {addr("9.9.9.9")}};
	return rp_network_update(f->fabric, net, &cfg, &f->err);
}

static inline int walk_step(struct fixture *f, uint64_t k)
{
	uint64_t state = k * 1000003u;
	unsigned int number;
	struct rp_nic_config cfg;
	char name[16], net[16];

	if (walk_random(&state) % 6 == 0)
		return walk_network(f, &state);
	number = walk_random(&state) % 100;
	snprintf(name, sizeof(name), "nic%u", number);
	if (rp_nic_find(f->fabric, name) != NULL) {
		char routed[32];

		if (walk_random(&state) % 2 == 0)
			return nic_delete(f, name);
		snprintf(routed, sizeof(routed), "10.%u.0.0/16", walk_random(&state) % 200 + 1);
		return nic_reroute(f, name, routed, NULL);
	}
	snprintf(net, sizeof(net), "net%u", walk_random(&state) % 4);
	cfg = nic_config(name, net);
	cfg.mac = (struct rte_ether_addr){{0x52, 0x54, 0, 0, 0, (uint8_t)number}};
	return rp_nic_create(f->fabric, &cfg, NULL, &f->err);
}
