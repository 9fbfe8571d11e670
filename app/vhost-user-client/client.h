/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* vhost-user-client: the VM's side of a vhost-user socket from the command line. */

#include "base/error.h"
#include "vhost_user/frontend.h"

#include <jansson.h>
#include <stdbool.h>

struct client {
	const char *socket;
	const char *device; // net, blk ...; NULL: guess
	unsigned int timeout_ms;
	bool json;
	bool verbose;
};

// Sub-commands get what stands behind their name. The exit status: 0, 1 failed, 2 wrong usage.
int client_info(const struct client *cl, int argc, char **argv);
int client_send(const struct client *cl, int argc, char **argv);
int client_ping(const struct client *cl, int argc, char **argv);
int client_connect(const struct client *cl, int argc, char **argv);
int client_net(const struct client *cl, int argc, char **argv);
int client_tap(const struct client *cl, int argc, char **argv);

// Tell an error; returns 1.
int client_failed(const struct rp_error *err);

// A number of an option; ends the program (2) where it is none or larger than max.
uint64_t client_number(const char *name, const char *text, uint64_t max);

// Names of bits, as "NAME (bit)".
json_t *client_virtio_names(const struct client *cl, uint64_t bits);
json_t *client_protocol_names(uint64_t bits);

// The type of device by its features, or as --device says.
enum rp_virtio_device client_device(const struct client *cl, uint64_t features);
const char *client_device_name(enum rp_virtio_device device);

// Configuration space in words.
json_t *client_config(enum rp_virtio_device device, uint64_t features, const uint8_t *data,
		      size_t len);

// Order statistics of n values (sorted here): the value at this share of them.
double client_share(double *values, unsigned int n, double share);
