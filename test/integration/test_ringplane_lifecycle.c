// SPDX-License-Identifier: BSD-3-Clause
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "proc.h"
#include "rig.h"

/*
 * VMs come, go, crash and misbehave; NICs are made and removed. Two well-behaved VMs talk to each
 * other through all of it, and nothing of the daemon grows.
 *
 * RINGPLANE_TEST_ROUNDS=1000 makes it a soak.
 */

static const char init[] =
	"network create blue ipv4 10.0.0.0/24 ipv6 fd00:1::/64\n"
	"nic create good1 network blue mac 52:54:00:00:00:01 ipv4 10.0.0.1 ipv6 fd00:1::1\n"
	"nic create good2 network blue mac 52:54:00:00:00:02 ipv4 10.0.0.2 ipv6 fd00:1::2\n"
	"nic create odd network blue mac 52:54:00:00:00:03 ipv4 10.0.0.3 ipv6 fd00:1::3 queues 2\n";

static struct rig *rig;
static struct rig_vm good1, good2, odd;
static uint8_t buf[2048];

static int setup(void **)
{
	rig = rig_start(init, NULL);
	rig_vm_init(rig, &good1, "good1", "52:54:00:00:00:01", "10.0.0.1", "fd00:1::1");
	rig_vm_init(rig, &good2, "good2", "52:54:00:00:00:02", "10.0.0.2", "fd00:1::2");
	rig_vm_init(rig, &odd, "odd", "52:54:00:00:00:03", "10.0.0.3", "fd00:1::3");
	rig_vm_connect(&good1);
	rig_vm_connect(&good2);
	return 0;
}

// How often to repeat: RINGPLANE_TEST_ROUNDS asks for more than the usual.
static int rounds(int usual)
{
	const char *more = getenv("RINGPLANE_TEST_ROUNDS");

	return more != NULL ? atoi(more) : usual;
}

// The two others, meanwhile, lose nothing.
static void others_talk(void)
{
	static uint8_t tag;

	for (int i = 0; i < 20; i++, tag++) {
		rig_send(&good1, buf,
			 rig_udp(buf, sizeof(buf), &good1, i % 2 ? &good2.ip4 : &good2.ip6, 64, 100,
				 tag));
		rig_assert_arrives(&good2, 100, tag, 63);
		rig_send(&good2, buf,
			 rig_udp(buf, sizeof(buf), &good2, i % 2 ? &good1.ip6 : &good1.ip4, 64, 100,
				 tag));
		rig_assert_arrives(&good1, 100, tag, 63);
	}
}

static void odd_talks(void)
{
	rig_send(&odd, buf, rig_udp(buf, sizeof(buf), &odd, &good1.ip4, 64, 60, 7));
	rig_assert_arrives(&good1, 60, 7, 63);
	rig_send(&good1, buf, rig_udp(buf, sizeof(buf), &good1, &odd.ip4, 64, 60, 8));
	rig_assert_arrives(&odd, 60, 8, 63);
}

static size_t count_fds(void)
{
	char path[64];
	size_t n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", proc_pid(rig_proc(rig)));
	dir = opendir(path);
	assert_non_null(dir);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

// A figure of /proc/PID/status: "VmRSS" for normal pages, "HugetlbPages" for huge ones.
static size_t status_kb(const char *field)
{
	char path[64], line[128];
	size_t kb = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", proc_pid(rig_proc(rig)));
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, field, strlen(field)) == 0)
			kb = strtoul(line + strlen(field) + 1, NULL, 10);
	fclose(f);
	return kb;
}

struct usage {
	size_t fds, kb, huge_kb;
};

static struct usage usage(void)
{
	return (struct usage){count_fds(), status_kb("VmRSS"), status_kb("HugetlbPages")};
}

// Flat, but for what allocators keep: a leak of one page a round would show.
static void assert_flat(const struct usage *before)
{
	struct usage now = usage();

	assert_int_equal(now.fds, before->fds);
	assert_in_range(now.kb, 0, before->kb + 2048);
	assert_int_equal(now.huge_kb, before->huge_kb);
}

static void reconnect(bool clean)
{
	struct rp_error err = {0};
	char text[512];

	if (clean)
		rp_frontend_disconnect(odd.fe);
	else
		rp_frontend_abort(odd.fe);
	if (rp_frontend_reconnect(odd.fe, RIG_WAIT_MS, &err) < 0)
		fail_msg("%s", rp_error_text(&err, text, sizeof(text)));
	rig_vm_wait_ready(&odd);
}

static void reconnects_as_reboot_and_as_kill(void **)
{
	struct usage before;

	rig_vm_connect(&odd);
	reconnect(true);
	reconnect(false);
	before = usage();
	for (int i = 0; i < rounds(100); i++) {
		reconnect(i % 2 == 0);
		odd_talks();
		if (i % 10 == 0)
			others_talk();
	}
	assert_flat(&before);
	rig_vm_free(&odd);
}

static void negotiated_features_are_shown(void **)
{
	char *text = rig_command(rig, "show nic good1");

	assert_non_null(strstr(text, "state: connected"));
	assert_non_null(strstr(text, "VERSION_1"));
	free(text);
}

static void driver_that_never_comes_up(void **)
{
	struct rp_error err;

	odd.fe = rp_frontend_connect(odd.socket, &err);
	assert_non_null(odd.fe);
	odd.cfg = (struct rp_frontend_config){.withhold_driver_ok = true};
	assert_int_equal(rp_frontend_setup(odd.fe, &odd.cfg, &err), 0);
	others_talk();
	// For a VM that is not there yet: a drop with a name.
	rig_send(&good1, buf, rig_udp(buf, sizeof(buf), &good1, &odd.ip4, 64, 60, 9));
	others_talk();
	assert_true(rig_drops(rig, "good1", "dst_down") >= 1);
	rig_vm_free(&odd);

	odd.fe = rp_frontend_connect(odd.socket, &err);
	assert_non_null(odd.fe);
	odd.cfg = (struct rp_frontend_config){.no_enable = true};
	assert_int_equal(rp_frontend_setup(odd.fe, &odd.cfg, &err), 0);
	others_talk();
	rig_vm_free(&odd);
	odd.cfg = (struct rp_frontend_config){0};
}

static void front_end_that_stops_in_mid_message(void **)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	static const uint8_t half[] = {1, 0, 0, 0, 1, 0};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", odd.socket);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(write(fd, half, sizeof(half)), sizeof(half));
	others_talk();
	close(fd);
	others_talk();
}

// One descriptor chain as a hostile driver would write it, straight into a running split ring.
struct hostile {
	const char *what;
	uint16_t head;
	struct vring_desc desc[2];
	uint16_t avail_step; // how far the available index jumps
};

static void feed(struct rig_vm *vm, const struct hostile *h)
{
	struct rp_vring *ring = rp_frontend_vring(vm->fe, 1);
	uint16_t idx = ring->avail->idx;

	memcpy(ring->desc, h->desc, sizeof(h->desc));
	ring->avail->ring[idx % ring->size] = h->head;
	__atomic_store_n(&ring->avail->idx, (uint16_t)(idx + h->avail_step), __ATOMIC_RELEASE);
	rp_frontend_kick(vm->fe, 1);
}

static void hostile_rings_hurt_nobody_else(void **)
{
	static const uint64_t nowhere = UINT64_C(0xdead00000000);
	static const struct hostile cases[] = {
		{"head out of range", 0xffff, {{0}}, 1},
		{"address outside memory", 0, {{.addr = nowhere, .len = 64}}, 1},
		{"length of 4 GiB", 0, {{.addr = 0x1000, .len = UINT32_MAX}}, 1},
		{"length zero", 0, {{.addr = 0x1000, .len = 0}}, 1},
		{"chain that loops",
		 0,
		 {{.addr = 0x1000, .len = 64, .flags = VRING_DESC_F_NEXT, .next = 1},
		  {.addr = 0x1000, .len = 64, .flags = VRING_DESC_F_NEXT, .next = 0}},
		 1},
		{"next out of range",
		 0,
		 {{.addr = 0x1000, .len = 64, .flags = VRING_DESC_F_NEXT, .next = 0xfff0}},
		 1},
		{"indirect table outside memory",
		 0,
		 {{.addr = nowhere, .len = 32, .flags = VRING_DESC_F_INDIRECT}},
		 1},
		{"indirect table of odd size",
		 0,
		 {{.addr = 0x1000, .len = 17, .flags = VRING_DESC_F_INDIRECT}},
		 1},
		{"header only", 0, {{.addr = 0x1000, .len = 12}}, 1},
		{"device-writable buffer", 0, {{.addr = 0x1000, .len = 64, .flags = 2}}, 1},
		{"available index that jumps", 0, {{.addr = 0x1000, .len = 64}}, 40000},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		print_message("%s\n", cases[i].what);
		rig_vm_connect(&odd);
		feed(&odd, &cases[i]);
		others_talk();
		rig_vm_free(&odd);
	}
	rig_vm_connect(&odd);
	odd_talks();
	rig_vm_free(&odd);
}

// Random bytes all over descriptors and indices, seeded so that a failure can be repeated.
static void random_rings_hurt_nobody_else(void **)
{
	for (unsigned int seed = 1; seed <= 30; seed++) {
		struct rp_vring *ring;

		srand(seed);
		rig_vm_connect(&odd);
		ring = rp_frontend_vring(odd.fe, seed % 2);
		for (int i = 0; i < 200; i++) {
			uint8_t *at = (uint8_t *)ring->desc + rand() % (ring->size * 16);

			*at = (uint8_t)rand();
			ring->avail->ring[rand() % ring->size] = (uint16_t)(rand() % 300);
			if (i % 20 == 0)
				__atomic_fetch_add(&ring->avail->idx, rand() % 3, __ATOMIC_RELEASE);
		}
		others_talk();
		rig_vm_free(&odd);
	}
}

static void client_mode_reconnects(void **)
{
	struct rp_error err = {0};
	struct rig_vm vm;
	char line[256], text[512];
	char *said;

	rig_vm_init(rig, &vm, "client", "52:54:00:00:00:09", "10.0.0.9", "fd00:1::9");
	snprintf(vm.socket, sizeof(vm.socket), "%s/vmm.sock", rig_dir(rig));
	snprintf(line, sizeof(line),
		 "nic create client network blue mac 52:54:00:00:00:09 ipv4 10.0.0.9 ipv6 "
		 "fd00:1::9 mode client socket %s",
		 vm.socket);
	free(rig_command(rig, line));
	vm.fe = rp_frontend_listen(vm.socket, &err);
	assert_non_null(vm.fe);
	for (int i = 0; i < 3; i++) {
		int rc = i == 0 ? rp_frontend_accept(vm.fe, RIG_WAIT_MS, &err)
				: rp_frontend_reconnect(vm.fe, RIG_WAIT_MS, &err);

		if (rc == 0 && i == 0)
			rc = rp_frontend_setup(vm.fe, &vm.cfg, &err);
		if (rc < 0)
			fail_msg("%s", rp_error_text(&err, text, sizeof(text)));
		rig_vm_wait_ready(&vm);
		rig_send(&vm, buf, rig_udp(buf, sizeof(buf), &vm, &good1.ip4, 64, 60, 3));
		rig_assert_arrives(&good1, 60, 3, 63);
		rp_frontend_abort(vm.fe);
	}
	said = rig_command(rig, "nic delete client");
	free(said);
	rig_vm_free(&vm);
	others_talk();
}

// The vhost library's thread, asleep in poll(), keeps the closed socket open until its second is
// over.
static void assert_hung_up(struct rig_vm *vm)
{
	int rc;

	while ((rc = rp_frontend_wait_for_rx(vm->fe, RIG_WAIT_MS)) == 0)
		rp_frontend_recv_packet(vm->fe, vm->rx, sizeof(vm->rx));
	assert_int_equal(rc, -ECONNRESET);
}

static void nics_come_and_go_under_traffic(void **)
{
	struct usage before = {0};

	for (int i = 0; i < rounds(30); i++) {
		struct rig_vm vm;

		free(rig_command(rig, "nic create hot network blue mac 52:54:00:00:00:0a ipv4 "
				      "10.0.0.10 ipv6 fd00:1::10"));
		rig_vm_init(rig, &vm, "hot", "52:54:00:00:00:0a", "10.0.0.10", "fd00:1::10");
		if (i % 5 == 0) {
			rig_vm_connect(&vm);
			rig_send(&vm, buf, rig_udp(buf, sizeof(buf), &vm, &good1.ip4, 64, 60, 3));
			rig_assert_arrives(&good1, 60, 3, 63);
		}
		others_talk();
		free(rig_command(rig, "nic delete hot"));
		assert_int_not_equal(access(vm.socket, F_OK), 0);
		others_talk();
		if (i % 5 == 0) {
			assert_hung_up(&vm);
			rig_vm_free(&vm);
		}
		if (i == 9)
			before = usage();
	}
	assert_flat(&before);
}

static void a_stopped_and_restarted_dataplane_forwards(void **)
{
	free(rig_command(rig, "stop"));
	free(rig_command(rig, "start"));
	others_talk();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reconnects_as_reboot_and_as_kill),
		cmocka_unit_test(negotiated_features_are_shown),
		cmocka_unit_test(driver_that_never_comes_up),
		cmocka_unit_test(front_end_that_stops_in_mid_message),
		cmocka_unit_test(hostile_rings_hurt_nobody_else),
		cmocka_unit_test(random_rings_hurt_nobody_else),
		cmocka_unit_test(client_mode_reconnects),
		cmocka_unit_test(nics_come_and_go_under_traffic),
		cmocka_unit_test(a_stopped_and_restarted_dataplane_forwards),
	};
	int failed = cmocka_run_group_tests(tests, setup, NULL);

	rig_vm_free(&good1);
	rig_vm_free(&good2);
	rig_stop(rig, failed == 0);
	return failed;
}
