/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A piece of a file that somebody else owns, mapped so that he cannot kill us.
 *
 * A file that is cut short behind our back makes access to its mapping end in SIGBUS. What is
 * mapped here is known to a handler of that signal, which puts zeroed pages of our own in the
 * place of those that vanished; the owner loses his data, we go on. A fault anywhere else ends the
 * process as ever. The handler is for the whole process; each mapping sees to it that it is in
 * place.
 *
 * Thread-safe. At most RP_MAPPING_MAX mappings at a time.
 */

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RP_MAPPING_MAX 1024

struct rp_mapping {
	void *start; // what was asked for
	uint64_t size;
	void *map; // what was mapped: whole pages around it
	size_t map_len;
	int slot; // in the handler's table
};

// Map size bytes of fd from offset, for reading and writing. The file must be that long; fd stays
// the caller's. 0, -EINVAL (size 0, overflow, file too short), -ENFILE, or what mmap says.
int rp_mapping_open(struct rp_mapping *m, int fd, uint64_t offset, uint64_t size,
		    struct rp_error *err);

// Unmap; a cleared struct is fine.
void rp_mapping_close(struct rp_mapping *m);

// Whether pages of it vanished and were replaced.
bool rp_mapping_damaged(const struct rp_mapping *m);
