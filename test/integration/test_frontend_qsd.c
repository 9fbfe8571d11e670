// SPDX-License-Identifier: BSD-3-Clause
// The front-end device against QEMU's storage daemon, an independent back-end of another kind: the
// handshake only, as its rings carry disk requests.
#include "../must.h"
#include "proc.h"
#include "vhost_user/frontend.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/virtio_blk.h>

#define WAIT_MS	   10000
#define DISK_BYTES (1 << 20)

static struct fixture {
	char dir[64];
	char path[96];
	struct proc *qsd;
	struct rp_frontend *fe; // one at a time: it serves one connection
} fixture;

static const struct rp_frontend_config blk = {
	.features = RP_VIRTIO_BIT(VERSION_1) | RP_VIRTIO_BIT(EVENT_IDX) | RP_VIRTIO_BIT(BLK_MQ) |
		    RP_VIRTIO_BIT(VHOST_PROTOCOL_FEATURES),
};

static int start_qsd(void **state)
{
	char disk[96], blockdev[192], export[256];
	int fd;

	*state = &fixture;
	if (proc_make_dir(fixture.dir, sizeof(fixture.dir)) < 0)
		return -1;
	snprintf(fixture.path, sizeof(fixture.path), "%s/disk.sock", fixture.dir);
	snprintf(disk, sizeof(disk), "%s/disk.img", fixture.dir);
	snprintf(blockdev, sizeof(blockdev), "driver=file,node-name=d0,filename=%s", disk);
	snprintf(export, sizeof(export),
		 "type=vhost-user-blk,id=e0,addr.type=unix,addr.path=%s,node-name=d0,writable=on,"
		 "num-queues=2",
		 fixture.path);
	fd = open(disk, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, DISK_BYTES) < 0)
		return -1;
	close(fd);

	const char *argv[] = {
		"qemu-storage-daemon", "--blockdev", blockdev, "--export", export, NULL};

	fixture.qsd = proc_start("qemu-storage-daemon", argv);
	return fixture.qsd != NULL && proc_wait_socket(fixture.qsd, fixture.path, WAIT_MS) == 0
		       ? 0
		       : -1;
}

static struct rp_frontend *connected(struct fixture *f)
{
	f->fe = rp_frontend_connect(f->path, NULL);
	assert_non_null(f->fe);
	return f->fe;
}

static int close_frontend(void **state)
{
	struct fixture *f = *state;

	rp_frontend_free(f->fe);
	f->fe = NULL;
	return 0;
}

static void negotiation_shows_a_block_device(void **state)
{
	struct rp_frontend *fe = connected(*state);
	struct virtio_blk_config config = {0};
	// As far as every version has it: the kernel's struct grows.
	const uint32_t known = offsetof(struct virtio_blk_config, max_discard_sectors);
	struct rp_error err = {0};

	must(rp_frontend_negotiate(fe, &blk, &err), &err);
	assert_true((rp_frontend_offered(fe) & RP_VIRTIO_BIT(BLK_MQ)) != 0);
	assert_true((rp_frontend_protocol_offered(fe) & RP_VHU_PROTOCOL_BIT(CONFIG)) != 0);
	assert_int_equal(rp_frontend_queue_num(fe), 2);
	must(rp_frontend_get_config(fe, 0, &config, known, &err), &err);
	assert_int_equal(config.capacity, DISK_BYTES / 512);
}

static void rings_start_and_stop(void **state)
{
	struct rp_frontend *fe = connected(*state);
	struct rp_frontend_config cfg = blk;
	struct rp_error err = {0};
	uint32_t base = 99;

	cfg.manual_rx = true;
	cfg.base = 17;
	must(rp_frontend_setup(fe, &cfg, &err), &err);
	assert_true(rp_frontend_connected(fe));
	must(rp_frontend_stop_ring(fe, 0, &base, &err), &err);
	assert_int_equal(base, 17);
	must(rp_frontend_start_ring(fe, 0, &err), &err);
	rp_frontend_disconnect(fe);
	must(rp_frontend_reconnect(fe, WAIT_MS, &err), &err);
}

static void missing_features_are_named(void **state)
{
	struct rp_frontend *fe = connected(*state);
	struct rp_frontend_config cfg = blk;
	struct rp_error err;

	cfg.required_features = RP_VIRTIO_BIT(RING_PACKED) | RP_VIRTIO_BIT(NET_MRG_RXBUF);
	assert_int_equal(rp_frontend_setup(fe, &cfg, &err), -ENOTSUP);
	assert_string_equal(err.value, "NET_MRG_RXBUF RING_PACKED");
	assert_int_equal(rp_frontend_socket(fe), -1);
}

#define TEST(name) cmocka_unit_test_teardown(name, close_frontend)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(negotiation_shows_a_block_device),
		TEST(rings_start_and_stop),
		TEST(missing_features_are_named),
	};
	int failed = cmocka_run_group_tests(tests, start_qsd, NULL);

	if (failed == 0)
		proc_passed(fixture.qsd);
	proc_stop(fixture.qsd);
	proc_remove_dir(fixture.dir);
	return failed;
}
