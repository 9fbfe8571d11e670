// SPDX-License-Identifier: BSD-3-Clause
// The memory that a front-end shares with the back-end device: regions, dirty log, chains in
// flight.
#include "session.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static void memory_tables_are_judged(void **state)
{
	const struct rp_vhu_region good = {0x1000, 0x2000, 0x100000, 0};
	const struct rp_vhu_region bad[] = {
		{0x1000, 0, 0x100000, 0},
		{0x1000, 0x4000, 0x100000, 0}, // longer than the file
		{0x1000, 0x2000, 0x100000, 0x2000},
		{0x1000, 0x2000, 0x100000, UINT64_MAX - 0x1000},
		{UINT64_MAX - 0x1000, 0x2000, 0x100000, 0},
		{0x1000, 0x2000, UINT64_MAX - 0x1000, 0},
		{0x1000, UINT64_MAX, 0x100000, 0},
	};
	struct rp_vhu_msg msg = {.request = RP_VHU_SET_MEM_TABLE,
				 .size = 40,
				 .n_fds = 1,
				 .payload.mem.n_regions = 1};
	struct session *f = *state;

	negotiate(f);
	msg.fds[0] = memfd_create("m", MFD_CLOEXEC);
	assert_int_equal(ftruncate(msg.fds[0], 0x3000), 0);
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		msg.payload.mem.regions[0] = bad[i];
		assert_int_equal(ack(f, msg), 1);
	}
	msg.payload.mem.regions[0] = good;
	assert_int_equal(ack(f, msg), 0);
	assert_int_equal(rp_backend_memory(f->be)->n, 1);
	msg.n_fds = 0;
	assert_int_equal(ack(f, msg), 1);
	msg.n_fds = 2;
	msg.fds[1] = msg.fds[0];
	assert_int_equal(ack(f, msg), 1);
	// Two that overlap by guest address, then by front-end address.
	msg.payload.mem.n_regions = 2;
	msg.size = 72;
	msg.payload.mem.regions[1] = (struct rp_vhu_region){0x2fff, 0x1000, 0x900000, 0};
	assert_int_equal(ack(f, msg), 1);
	msg.payload.mem.regions[1] = (struct rp_vhu_region){0x9000, 0x1000, 0xff001, 0};
	assert_int_equal(ack(f, msg), 1);
	assert_int_equal(rp_backend_memory(f->be)->n, 1); // the old one is still in force
	close(msg.fds[0]);
}

static void memory_slots_come_and_go(void **state)
{
	struct rp_vhu_msg msg = {.request = RP_VHU_ADD_MEM_REG, .size = 40, .n_fds = 1};
	struct session *f = *state;
	uint64_t slots;

	negotiate(f);
	msg.fds[0] = memfd_create("m", MFD_CLOEXEC);
	assert_int_equal(ftruncate(msg.fds[0], 0x3000), 0);
	slots = get(f, RP_VHU_GET_MAX_MEM_SLOTS);
	for (uint64_t i = 0; i <= slots; i++) {
		msg.payload.region.region =
			(struct rp_vhu_region){i << 20, 0x1000, (i << 20) + 0x7000, 0x1000};
		assert_int_equal(ack(f, msg), i < slots ? 0 : 1);
	}
	msg.request = RP_VHU_REM_MEM_REG;
	msg.payload.region.region = (struct rp_vhu_region){3 << 20, 0x2000, (3 << 20) + 0x7000, 0};
	assert_int_equal(ack(f, msg), 1); // of another size
	msg.payload.region.region.size = 0x1000;
	assert_int_equal(ack(f, msg), 0); // another offset does not matter
	assert_int_equal(ack(f, msg), 1); // gone
	msg.request = RP_VHU_ADD_MEM_REG;
	assert_int_equal(ack(f, msg), 0);
	msg.n_fds = 0;
	assert_int_equal(ack(f, msg), 1);
	msg.n_fds = 1;
	close(msg.fds[0]);
}

static void region_under_a_live_ring_takes_the_ring_along(void **state)
{
	const int kick = eventfd(0, EFD_NONBLOCK);
	struct rp_vhu_msg msg = {.request = RP_VHU_REM_MEM_REG, .size = 40};
	struct session *f = *state;
	struct rp_guest_memory m;

	negotiate(f);
	share(f, &m, 1);
	assert_int_equal(ack(f, STATE(RP_VHU_SET_VRING_NUM, 1, RING_SIZE)), 0);
	assert_int_equal(ack(f, addr_msg(1, m.regions[0].uva)), 0);
	assert_int_equal(ack(f, WITH_FD(RP_VHU_SET_VRING_KICK, 1, kick)), 0);
	eventfd_write(kick, 1);
	assert_int_equal(rp_backend_step(f->be), 1);
	assert_non_null(rp_backend_ring(f->be, 1));
	msg.payload.region.region = m.regions[0];
	assert_int_equal(ack(f, msg), 0);
	assert_null(rp_backend_ring(f->be, 1));
	eventfd_write(kick, 1);
	assert_int_equal(rp_backend_step(f->be), 0);
	rp_guest_memory_destroy(&m);
	close(kick);
}

static void memory_that_vanishes_is_replaced(void **state)
{
	const struct rp_vhu_region wire = {0x1000, 0x4000, 0x100000, 0};
	struct rp_vhu_msg msg = {.request = RP_VHU_SET_MEM_TABLE,
				 .size = 40,
				 .n_fds = 1,
				 .payload.mem.n_regions = 1};
	struct session *f = *state;
	uint64_t len = 0x4000;
	volatile uint8_t *p;

	negotiate(f);
	msg.fds[0] = memfd_create("m", MFD_CLOEXEC);
	assert_int_equal(ftruncate(msg.fds[0], 0x4000), 0);
	msg.payload.mem.regions[0] = wire;
	assert_int_equal(ack(f, msg), 0);
	p = rp_device_regions_at(rp_backend_memory(f->be), 0x1000, &len);
	p[0] = 42;
	assert_int_equal(ftruncate(msg.fds[0], 0x1000), 0);
	assert_int_equal(p[0], 42);
	assert_false(rp_mapping_damaged(&rp_backend_memory(f->be)->region[0].mapping));
	assert_int_equal(p[0x3fff], 0);
	p[0x3fff] = 1;
	assert_int_equal(p[0x3fff], 1);
	assert_true(rp_mapping_damaged(&rp_backend_memory(f->be)->region[0].mapping));
	close(msg.fds[0]);
}

static void writes_are_logged_while_asked(void **state)
{
	const uint64_t log_all = RP_VIRTIO_BIT(VHOST_LOG_ALL);
	struct rp_vhu_msg msg = {.request = RP_VHU_SET_LOG_BASE,
				 .size = 16,
				 .n_fds = 1,
				 .payload.log = {.mmap_size = 64, .mmap_offset = 100}};
	struct session *f = *state;
	const struct rp_device_regions *r = rp_backend_memory(f->be);
	uint8_t *log;

	negotiate(f);
	msg.fds[0] = memfd_create("log", MFD_CLOEXEC);
	assert_int_equal(ftruncate(msg.fds[0], 164), 0);
	log = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, msg.fds[0], 0);
	assert_int_equal(ask(f, &msg), 0); // answered though no ack was asked for
	assert_int_equal(msg.payload.u64, 0);
	rp_device_regions_wrote(r, 4096, 1);
	assert_int_equal(log[100], 0); // LOG_ALL is not negotiated
	assert_int_equal(ack(f, U64(RP_VHU_SET_FEATURES, rp_backend_features(f->be) | log_all)), 0);
	rp_device_regions_wrote(r, 4096 + 4095, 2);
	rp_device_regions_wrote(r, 4096 * 9, 0);
	rp_device_regions_wrote(r, 4096 * 511, 4096 * 10); // beyond the end
	assert_int_equal(log[100], 6);
	assert_int_equal(log[101], 0);
	assert_int_equal(log[163], 0x80);
	assert_int_equal(log[164], 0);
	assert_int_equal(ack(f, U64(RP_VHU_SET_FEATURES, rp_backend_features(f->be) & ~log_all)),
			 0);
	rp_device_regions_wrote(r, 0, 1);
	assert_int_equal(log[100], 6);
	munmap(log, 4096);
	close(msg.fds[0]);
	msg = (struct rp_vhu_msg){.request = RP_VHU_SET_LOG_BASE, .size = 16};
	assert_int_equal(ask(f, &msg), 0); // no descriptor
	assert_int_equal(msg.payload.u64, 1);
	msg = (struct rp_vhu_msg){.request = RP_VHU_GET_STATUS};
	assert_int_equal(ask(f, &msg), 0);
}

// Descriptor i of ring 1 as a frame of 60 + i bytes, made available.
static void post(struct rp_guest_memory *m, unsigned int first, unsigned int n)
{
	struct vring_desc *desc = (void *)(uintptr_t)m->regions[0].uva;
	struct vring_avail *avail = (void *)((char *)desc + 0x2000);

	for (unsigned int i = first; i < first + n; i++) {
		desc[i] = (struct vring_desc){.addr = m->regions[0].gpa + 0x4000, .len = 72 + i};
		avail->ring[i] = (uint16_t)i;
	}
	avail->idx = (uint16_t)(first + n);
}

static void start_ring_1(struct session *f, struct rp_guest_memory *m, int kick)
{
	assert_int_equal(ack(f, STATE(RP_VHU_SET_VRING_NUM, 1, RING_SIZE)), 0);
	assert_int_equal(ack(f, addr_msg(1, m->regions[0].uva)), 0);
	assert_int_equal(ack(f, WITH_FD(RP_VHU_SET_VRING_KICK, 1, kick)), 0);
}

static void crash_with_chains_in_flight_is_made_good(void **state)
{
	const int kick = eventfd(0, EFD_NONBLOCK);
	struct rp_vhu_msg msg = {.request = RP_VHU_GET_INFLIGHT_FD,
				 .size = 24,
				 .payload.inflight = {.num_queues = 2, .queue_size = RING_SIZE}};
	static struct rp_device_chain chain;
	struct session *f = *state;
	struct rp_device_ring *ring;
	struct rp_guest_memory m;
	struct vring_used *used;
	int inflight;

	negotiate(f);
	assert_int_equal(ask(f, &msg), 0);
	assert_int_equal(msg.n_fds, 1);
	assert_int_equal(msg.payload.inflight.mmap_size, 2 * rp_inflight_size(RING_SIZE));
	inflight = msg.fds[0];
	msg.request = RP_VHU_SET_INFLIGHT_FD;
	msg.flags = 0;
	assert_int_equal(ack(f, msg), 0);
	share(f, &m, 1);
	used = (void *)(uintptr_t)(m.regions[0].uva + 0x1000);
	start_ring_1(f, &m, kick);
	post(&m, 0, 2);
	eventfd_write(kick, 1);
	assert_int_equal(rp_backend_step(f->be), 1); // the sink takes both and gives them back
	assert_int_equal(used->idx, 2);
	assert_int_equal(ack(f, msg), 1); // not while it is in use
	// Three more are taken; the last two are given back, the first is not; then we are gone.
	ring = rp_backend_ring(f->be, 1);
	post(&m, 2, 4);
	for (int i = 0; i < 3; i++)
		assert_int_equal(rp_device_ring_pop(ring, &chain), 1);
	rp_device_ring_push(ring, 3, 0);
	rp_device_ring_push(ring, 4, 0);
	rp_device_ring_publish(ring);
	rp_backend_free(f->be);
	close(f->sock);
	// The next one takes 2 again and goes on with 5, each exactly once.
	session_connect(f);
	negotiate(f);
	msg.fds[0] = inflight;
	assert_int_equal(ack(f, msg), 0);
	assert_int_equal(ack(f, f->table), 0);
	start_ring_1(f, &m, kick);
	eventfd_write(kick, 1);
	f->netdev.stats.rx = 0;
	assert_int_equal(rp_backend_step(f->be), 1);
	assert_int_equal(f->netdev.stats.rx, 2);
	assert_int_equal(used->idx, 6);
	assert_int_equal(used->ring[4].id, 2);
	assert_int_equal(used->ring[5].id, 5);
	rp_guest_memory_destroy(&m);
	close(inflight);
	close(kick);
}

static void absurd_records_are_refused(void **state)
{
	static const struct rp_vhu_inflight bad[] = {
		{.num_queues = 0, .queue_size = 16, .mmap_size = 1 << 20},
		{.num_queues = 3, .queue_size = 16, .mmap_size = 1 << 20},
		{.num_queues = 65535, .queue_size = 16, .mmap_size = 1 << 20},
		{.num_queues = 2, .queue_size = 0, .mmap_size = 1 << 20},
		{.num_queues = 2, .queue_size = 65535, .mmap_size = 1 << 30},
		{.num_queues = 2, .queue_size = 16, .mmap_size = 600},
		{.num_queues = 2, .queue_size = 16, .mmap_size = 1 << 21},
		{.num_queues = 2, .queue_size = 16, .mmap_size = 1 << 20, .mmap_offset = 8},
	};
	struct rp_vhu_msg msg = {.request = RP_VHU_SET_INFLIGHT_FD, .size = 24, .n_fds = 1};
	struct session *f = *state;

	negotiate(f);
	msg.fds[0] = memfd_create("inflight", MFD_CLOEXEC);
	assert_int_equal(ftruncate(msg.fds[0], (1 << 20) + 64), 0);
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		msg.payload.inflight = bad[i];
		assert_int_equal(ack(f, msg), 1);
	}
	msg.payload.inflight = (struct rp_vhu_inflight){
		.num_queues = 2, .queue_size = 16, .mmap_size = 1 << 20, .mmap_offset = 64};
	assert_int_equal(ack(f, msg), 0);
	close(msg.fds[0]);
	msg.request = RP_VHU_GET_INFLIGHT_FD;
	msg.n_fds = 0;
	msg.payload.inflight = bad[4];
	assert_int_equal(ask(f, &msg), -EINVAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, session_open, session_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(memory_tables_are_judged),
		TEST(memory_slots_come_and_go),
		TEST(region_under_a_live_ring_takes_the_ring_along),
		TEST(memory_that_vanishes_is_replaced),
		TEST(writes_are_logged_while_asked),
		TEST(crash_with_chains_in_flight_is_made_good),
		TEST(absurd_records_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
