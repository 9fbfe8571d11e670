// SPDX-License-Identifier: BSD-3-Clause
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "gpu.h"

/*
 * What a remote call costs. Nothing here passes or fails: the figures are for people, and depend on
 * what else the machine does.
 */
#define ROUNDS	    20000
#define RECORDED    200000
#define MEMORY_SIZE (64u << 20)

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

// Sorts the times; the median in microseconds.
static double show_latency(const char *what, uint64_t *ns)
{
	qsort(ns, ROUNDS, sizeof(*ns), compare);
	printf("  %-44s p50 %7.1f us   p99 %7.1f us\n", what, (double)ns[ROUNDS / 2] / 1e3,
	       (double)ns[ROUNDS * 99 / 100] / 1e3);
	return (double)ns[ROUNDS / 2] / 1e3;
}

// Bytes of a request with its frame, and of its reply: what vkGetFenceStatus takes.
enum { REQUEST = 32, REPLY = 16 };

static bool move_all(int fd, void *buf, size_t len, bool out)
{
	while (len > 0) {
		ssize_t n = out ? send(fd, buf, len, 0) : recv(fd, buf, len, 0);

		if (n <= 0)
			return false;
		buf = (uint8_t *)buf + n;
		len -= (size_t)n;
	}
	return true;
}

static void echo(int listener)
{
	const int on = 1;
	uint8_t buf[REQUEST];
	int fd = accept(listener, NULL, NULL);

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	while (move_all(fd, buf, REQUEST, false) && move_all(fd, buf, REPLY, true))
		;
	_exit(0);
}

static double bench_ping_pong(uint64_t *ns)
{
	struct sockaddr_in addr = {.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t len = sizeof(addr);
	uint8_t buf[REQUEST] = {0};
	const int on = 1;
	bool ok = bind(listener, (struct sockaddr *)&addr, len) == 0 && listen(listener, 1) == 0 &&
		  getsockname(listener, (struct sockaddr *)&addr, &len) == 0;
	pid_t child = fork();

	if (child == 0) {
		close(fd); // or its end would never come
		echo(listener);
	}
	ok = ok && connect(fd, (struct sockaddr *)&addr, len) == 0;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	for (int i = 0; i < ROUNDS && ok; i++) {
		uint64_t start = now_ns();

		ok = move_all(fd, buf, REQUEST, true) && move_all(fd, buf, REPLY, false);
		ns[i] = now_ns() - start;
	}
	close(fd);
	close(listener);
	waitpid(child, NULL, 0);
	return ok ? show_latency("raw ping-pong over TCP on loopback", ns) : 0;
}

static double bench_sync(struct gpu *g, uint64_t *ns)
{
	for (int i = 0; i < ROUNDS; i++) {
		uint64_t start = now_ns();

		if (g->GetFenceStatus(g->device, g->fence) != VK_NOT_READY)
			return 0;
		ns[i] = now_ns() - start;
	}
	return show_latency("vkGetFenceStatus", ns);
}

static void show_rate(const char *what, uint64_t calls, uint64_t ns)
{
	printf("  %-44s %10.0f calls/s   %6.3f us each\n", what, (double)calls * 1e9 / (double)ns,
	       (double)ns / 1e3 / (double)calls);
}

// Recording, and what it takes until the server has seen all of it.
static bool bench_recording(struct gpu *g, const struct gpu_buffer *b)
{
	uint64_t start = now_ns();

	if (!gpu_begin(g))
		return false;
	for (int i = 0; i < RECORDED; i++)
		g->CmdFillBuffer(g->commands, b->buffer, 0, 4, 0);
	if (g->EndCommandBuffer(g->commands) != VK_SUCCESS ||
	    g->GetFenceStatus(g->device, g->fence) != VK_NOT_READY)
		return check(false, "recording", "failed");
	show_rate("vkCmdFillBuffer recorded, until the server has it", RECORDED, now_ns() - start);
	return true;
}

static bool bench_creates(struct gpu *g)
{
	const VkPipelineLayoutCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO};
	uint64_t start = now_ns();

	for (int i = 0; i < ROUNDS; i++) {
		VkPipelineLayout layout;

		if (g->CreatePipelineLayout(g->device, &info, NULL, &layout) != VK_SUCCESS)
			return check(false, "vkCreatePipelineLayout", "failed");
		g->DestroyPipelineLayout(g->device, layout, NULL);
	}
	g->GetFenceStatus(g->device, g->fence);
	show_rate("vkCreate/DestroyPipelineLayout", 2 * ROUNDS, now_ns() - start);
	return true;
}

static void show_bandwidth(const char *what, uint64_t ns)
{
	printf("  %-44s %10.0f MiB/s\n", what, (double)(MEMORY_SIZE >> 20) * 1e9 / (double)ns);
}

static bool bench_memory(struct gpu *g, struct gpu_buffer *b)
{
	uint64_t start;

	memset(b->data, 0x5a, MEMORY_SIZE);
	start = now_ns();
	if (!gpu_begin(g) || !gpu_run(g))
		return false;
	show_bandwidth("mapped memory to the server", now_ns() - start);
	if (!gpu_begin(g))
		return false;
	g->CmdFillBuffer(g->commands, b->buffer, 0, VK_WHOLE_SIZE, 0x01020304);
	start = now_ns();
	if (!gpu_run(g))
		return false;
	show_bandwidth("filled by the server and read back", now_ns() - start);
	start = now_ns();
	if (!gpu_begin(g) || !gpu_run(g))
		return false;
	printf("  %-44s %10.2f ms\n", "empty submission with 64 MiB mapped, unchanged",
	       (double)(now_ns() - start) / 1e6);
	return true;
}

bool bench(bool direct)
{
	uint64_t *ns = calloc(ROUNDS, sizeof(*ns));
	struct gpu_buffer b = {0};
	double raw, sync;
	struct gpu g;
	bool ok;

	puts("Benchmark");
	ok = ns != NULL && gpu_open(&g, direct) &&
	     gpu_buffer_make(&g, &b, MEMORY_SIZE, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
	if (ok) {
		raw = bench_ping_pong(ns);
		sync = bench_sync(&g, ns);
		printf("  %-44s %.2f\n", "ratio of the medians", raw > 0 ? sync / raw : 0);
		ok = bench_recording(&g, &b) && bench_creates(&g) && bench_memory(&g, &b);
		gpu_buffer_free(&g, &b);
	}
	gpu_close(&g);
	free(ns);
	return ok;
}
