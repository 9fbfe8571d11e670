// SPDX-License-Identifier: BSD-3-Clause
// A hostile guest against the device side of a split ring: its memory, rings included, is the
// input; what the device writes lands there too, and now and then the guest changes a word.
#include "base/bytes.h"
#include "virtio/split_device.h"

#include <errno.h>
#include <stdlib.h>

#define GPA    0x1000
#define MEMORY 4096
#define ROUNDS 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t writes;

static void *at(void *arg, uint64_t gpa, uint64_t *len)
{
	uint64_t offset = gpa - GPA;

	if (gpa < GPA || offset >= MEMORY)
		return NULL;
	if (*len > MEMORY - offset)
		*len = MEMORY - offset;
	return (uint8_t *)arg + offset;
}

static void wrote(void *, uint64_t gpa, uint64_t len)
{
	if (gpa < GPA || len > MEMORY || gpa - GPA > MEMORY - len)
		abort();
	writes += len;
}

// The next change that the guest makes: place and value of a 16-bit word.
static void change(uint8_t *memory, struct rp_reader *r)
{
	uint16_t place, value;

	if (rp_read_le16(r, &place) && rp_read_le16(r, &value))
		memcpy(memory + place % (MEMORY - 1), &value, sizeof(value));
}

static void serve(struct rp_device_ring *ring, uint8_t *memory, struct rp_reader *r)
{
	static struct rp_device_chain chain;
	static uint8_t bytes[MEMORY];

	for (int i = 0; i < ROUNDS; i++) {
		int rc = rp_device_ring_pop(ring, &chain);
		size_t len = 0;

		if (rc == -EIO || (rc == 0 && rp_reader_left(r) == 0))
			break;
		if (rc == 1) {
			rp_device_chain_read(&chain, i % 7u, bytes, sizeof(bytes));
			len = rp_device_chain_write(ring, &chain, i % 3u, bytes, sizeof(bytes));
		}
		if (rc == 0)
			rp_device_ring_enable_kick(ring);
		else if (i % 8 == 7)
			rp_device_ring_unpop(ring, 1);
		else
			rp_device_ring_push(ring, chain.head, (uint32_t)len);
		rp_device_ring_publish(ring);
		rp_device_ring_needs_call(ring);
		change(memory, r);
	}
}

// Two bytes of settings, then as much of the memory as there is, the ring at its start.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rp_reader r = rp_reader(data, size);
	uint8_t *memory = calloc(1, MEMORY); // on the heap: the sanitizer guards its edges
	struct rp_device_memory guest = {.at = at, .wrote = wrote, .arg = memory};
	struct rp_device_ring ring = {.memory = &guest, .used_gpa = GPA + 1024, .log_used = true};
	uint8_t settings, base;
	size_t filled;

	if (memory == NULL || !rp_read_u8(&r, &settings) || !rp_read_u8(&r, &base)) {
		free(memory);
		return 0;
	}
	ring.size = (uint16_t)(1u << (settings & 3)); // 1 to 8
	ring.event_idx = (settings & 4) != 0;
	ring.indirect = (settings & 8) != 0;
	ring.desc = (void *)memory;
	ring.avail = (void *)(memory + 512);
	ring.used = (void *)(memory + 1024);
	filled = rp_reader_left(&r) < MEMORY ? rp_reader_left(&r) : MEMORY;
	rp_read_copy(&r, memory, filled);
	rp_device_ring_start(&ring, base);
	serve(&ring, memory, &r);
	free(memory);
	return 0;
}
