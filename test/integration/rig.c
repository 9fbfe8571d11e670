// SPDX-License-Identifier: BSD-3-Clause
#include "rig.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "packet/arp.h"
#include "packet/nd.h"
#include "proc.h"

struct rig {
	struct proc *proc;
	char dir[64];
	unsigned int n_commands;
};

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

// Hugepages are used where there are enough, and not needed.
static bool has_hugepages(void)
{
	char line[128];
	size_t n = 0;
	FILE *f = fopen("/proc/meminfo", "r");

	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "HugePages_Free: %zu", &n) == 1)
			break;
	fclose(f);
	return n >= 160;
}

struct rig *rig_start(const char *init, const char *const *extra)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	const char *lcores = getenv("RINGPLANE_TEST_LCORES");
	char file[96], prefix[32];
	const char *argv[40] = {getenv("RINGPLANE"),
				"--lcores",
				lcores != NULL ? lcores : "0@0,1@1",
				"--no-pci",
				has_hugepages() ? "--in-memory" : "--no-huge",
				"-m",
				"256",
				"--no-telemetry",
				"--file-prefix",
				prefix,
				"--",
				"--init",
				file,
				"--socket-dir",
				rig->dir,
				"-i"};
	size_t n = 16;

	assert_non_null(rig);
	assert_non_null(argv[0]);
	assert_int_equal(proc_make_dir(rig->dir, sizeof(rig->dir)), 0);
	snprintf(file, sizeof(file), "%s/init", rig->dir);
	snprintf(prefix, sizeof(prefix), "rpit%d", getpid());
	write_file(file, init);
	while (extra != NULL && *extra != NULL)
		argv[n++] = *extra++;
	rig->proc = proc_start("ringplane", argv);
	assert_non_null(rig->proc);
	assert_int_equal(proc_wait_line(rig->proc, ": ready", 20000), 0);
	return rig;
}

// The console echoes each line of a pipe: a comment behind a command tells that it is done.
static int run_command(struct rig *rig, const char *command, unsigned int timeout_ms)
{
	char mark[32], line[512];

	snprintf(mark, sizeof(mark), "# command %u", rig->n_commands++);
	snprintf(line, sizeof(line), "%s\n%s\n", command, mark);
	if (proc_write(rig->proc, line) < 0)
		return -EPIPE;
	return proc_wait_line(rig->proc, mark, timeout_ms);
}

static void print_state(struct rig *rig)
{
	static const char *const commands[] = {"show port stats all", "show drops", "show nic"};

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		run_command(rig, commands[i], 2000);
}

void rig_stop(struct rig *rig, bool passed)
{
	int status = -1;

	if (!passed)
		print_state(rig);
	kill(proc_pid(rig->proc), SIGTERM);
	if (passed) {
		assert_int_equal(proc_wait_exit(rig->proc, 10000, &status), 0);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
		proc_passed(rig->proc);
	}
	proc_stop(rig->proc);
	proc_remove_dir(rig->dir);
	free(rig);
}

struct proc *rig_proc(struct rig *rig)
{
	return rig->proc;
}

const char *rig_dir(const struct rig *rig)
{
	return rig->dir;
}

char *rig_command(struct rig *rig, const char *command)
{
	char *before = proc_output(rig->proc);
	size_t skip = strlen(before);
	char *all, *result;

	free(before);
	assert_int_equal(run_command(rig, command, RIG_WAIT_MS), 0);
	all = proc_output(rig->proc);
	result = strdup(all + skip);
	free(all);
	return result;
}

uint64_t rig_drops(struct rig *rig, const char *nic, const char *reason)
{
	char command[128];
	char *out, *line;
	uint64_t n = 0;

	snprintf(command, sizeof(command), "show drops %s", nic);
	out = rig_command(rig, command);
	line = strstr(out, reason);
	if (line != NULL)
		n = strtoull(line + strlen(reason) + strspn(line + strlen(reason), ": \t"), NULL,
			     10);
	free(out);
	return n;
}

static struct rp_addr parse_addr(const char *text)
{
	struct rp_addr a = {0};

	if (text != NULL)
		assert_int_equal(rp_addr_parse(text, &a), 0);
	return a;
}

void rig_vm_init(struct rig *rig, struct rig_vm *vm, const char *nic, const char *mac,
		 const char *ip4, const char *ip6)
{
	*vm = (struct rig_vm){.rig = rig, .ip4 = parse_addr(ip4), .ip6 = parse_addr(ip6)};
	snprintf(vm->socket, sizeof(vm->socket), "%s/%s.sock", rig->dir, nic);
	assert_int_equal(rp_mac_parse(mac, &vm->mac), 0);
	vm->link_local = rp_addr_link_local(&vm->mac);
}

void rig_vm_connect(struct rig_vm *vm)
{
	struct rp_error err = {0};
	char text[512];

	vm->fe = rp_frontend_connect(vm->socket, &err);
	if (vm->fe == NULL || rp_frontend_setup(vm->fe, &vm->cfg, &err) < 0)
		fail_msg("%s", rp_error_text(&err, text, sizeof(text)));
	rig_vm_wait_ready(vm);
}

static bool is_answer(const uint8_t *frame, size_t len, void *)
{
	struct rp_neighbor_advertisement na;
	struct rp_arp arp;

	return rp_parse_arp_reply(frame, len, &arp) == 0 ||
	       rp_parse_neighbor_advertisement(frame, len, &na) == 0;
}

void rig_vm_wait_ready(struct rig_vm *vm)
{
	uint64_t deadline = rp_clock_ms() + RIG_WAIT_MS;
	uint8_t buf[128];
	struct rp_writer w;

	// The daemon polls the queues as soon as its main loop has heard of them.
	do {
		w = rp_writer(buf, sizeof(buf));
		if (vm->ip4.family == RP_IP4)
			assert_true(rp_create_arp_request(&w, &vm->mac, &vm->ip4, &rp_gateway_ip4));
		else
			assert_true(rp_create_neighbor_solicitation(&w, &vm->mac, &vm->link_local,
								    &rp_gateway_ip6));
		rig_send(vm, buf, rp_writer_len(&w));
		if (rig_wait(vm, is_answer, NULL, 50)) {
			// One worker has the new view when it answers; the main loop listens again
			// when all have.
			if (vm->rig != NULL)
				assert_int_equal(run_command(vm->rig, "show nic", RIG_WAIT_MS), 0);
			return;
		}
	} while (rp_clock_ms() < deadline);
	fail_msg("%s: the gateway does not answer", vm->socket);
}

void rig_vm_free(struct rig_vm *vm)
{
	rp_frontend_free(vm->fe);
	vm->fe = NULL;
}

void rig_send(struct rig_vm *vm, const void *frame, size_t len)
{
	int rc = rp_frontend_send_packet(vm->fe, frame, len);

	if (rc == -ENOSPC) {
		assert_int_equal(rp_frontend_wait_for_tx(vm->fe, RIG_WAIT_MS), 0);
		rc = rp_frontend_send_packet(vm->fe, frame, len);
	}
	assert_int_equal(rc, 0);
}

bool rig_wait(struct rig_vm *vm, rig_match_fn match, void *arg, unsigned int timeout_ms)
{
	uint64_t deadline = rp_clock_ms() + timeout_ms;

	for (;;) {
		uint64_t now = rp_clock_ms();
		ssize_t n = rp_frontend_recv_packet(vm->fe, vm->rx, sizeof(vm->rx));

		if (n >= 0) {
			vm->rx_len = (size_t)n;
			if (match(vm->rx, vm->rx_len, arg))
				return true;
			continue;
		}
		assert_int_equal(n, -EAGAIN);
		if (now >= deadline)
			return false;
		if (rp_frontend_wait_for_rx(vm->fe, (unsigned int)(deadline - now)) == -ETIMEDOUT)
			return false;
	}
}

size_t rig_udp(uint8_t *buf, size_t size, const struct rig_vm *from, const struct rp_addr *dst,
	       uint8_t ttl, size_t payload_len, uint8_t tag)
{
	struct rp_writer w = rp_writer(buf, size);
	struct rp_frame_head head = {
		.eth_src = from->mac,
		.eth_dst = rp_gateway_mac,
		.src = dst->family == RP_IP4 ? from->ip4 : from->ip6,
		.dst = *dst,
		.ttl = ttl,
		.proto = IPPROTO_UDP,
		.src_port = 4000,
		.dst_port = 5000,
	};
	struct rp_frame_builder b;

	rp_frame_begin(&b, &w, &head);
	for (size_t i = 0; i < payload_len; i++)
		rp_write_u8(&w, (uint8_t)(tag + i));
	assert_true(rp_frame_end(&b));
	return rp_writer_len(&w);
}

struct wanted {
	size_t payload_len;
	uint8_t tag;
	struct rp_frame frame;
};

static bool is_tagged(const uint8_t *frame, size_t len, void *arg)
{
	struct wanted *w = arg;

	return rp_frame_parse(frame, len, &w->frame) == 0 && w->frame.proto == IPPROTO_UDP &&
	       w->frame.dst_port == 5000 && rp_reader_left(&w->frame.payload) == w->payload_len &&
	       w->frame.payload.pos[0] == w->tag;
}

void rig_assert_arrives(struct rig_vm *to, size_t payload_len, uint8_t tag, uint8_t ttl)
{
	struct wanted w = {.payload_len = payload_len, .tag = tag};

	assert_true(rig_wait(to, is_tagged, &w, RIG_WAIT_MS));
	assert_true(rte_is_same_ether_addr(&w.frame.eth_dst, &to->mac));
	assert_true(rte_is_same_ether_addr(&w.frame.eth_src, &rp_gateway_mac));
	assert_int_equal(w.frame.ttl, ttl);
	assert_true(w.frame.ip_checksum_ok);
	assert_true(w.frame.l4_checksum_ok);
	for (size_t i = 0; i < payload_len; i++)
		assert_int_equal(w.frame.payload.pos[i], (uint8_t)(tag + i));
}

struct marker {
	uint8_t blocked, marker;
	bool got_blocked;
};

static bool is_marker(const uint8_t *frame, size_t len, void *arg)
{
	struct marker *m = arg;
	struct wanted w = {.payload_len = 32, .tag = m->blocked};

	if (is_tagged(frame, len, &w))
		m->got_blocked = true;
	w.tag = m->marker;
	return is_tagged(frame, len, &w);
}

void rig_assert_blocked(struct rig_vm *to, struct rig_vm *from, uint8_t tag)
{
	struct marker m = {.blocked = tag, .marker = (uint8_t)~tag};
	uint8_t buf[256];

	rig_send(from, buf, rig_udp(buf, sizeof(buf), from, &to->ip4, 64, 32, m.marker));
	assert_true(rig_wait(to, is_marker, &m, RIG_WAIT_MS));
	assert_false(m.got_blocked);
}
