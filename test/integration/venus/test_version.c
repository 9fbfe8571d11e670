// SPDX-License-Identifier: BSD-3-Clause
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "rig.h"
#include "venus/address.h"
#include "venus/client.h"

/*
 * Level 1: the server's version reaches the application through the real loader, and nothing that
 * a server or a client may do wrong hangs or kills the other side.
 */
static struct rig rig;

static const char *const canned[] = {"--backend", "canned", "--verbose", NULL};

static int stop(void **)
{
	rig_stop(&rig);
	return 0;
}

static void assert_contains(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("'%s' is not in:\n%s", part, text);
}

static unsigned int count(const char *text, const char *part)
{
	unsigned int n = 0;

	while ((text = strstr(text, part)) != NULL) {
		text += strlen(part);
		n++;
	}
	return n;
}

static void the_version_reaches_the_application_in_all_ways(void **)
{
	char *out;

	rig_start(&rig, NULL, canned);
	assert_int_equal(rig_test_app("--phase", "1", &out), 0);
	assert_contains(out, "by the loader and the layer: 1.3.0");
	assert_contains(out, "PASSED");
	free(out);
	assert_int_equal(rig_test_app("--direct", "--phase=1", NULL), 0);
	// The loader itself asked the server while it made the instance, and unmade it afterwards.
	out = proc_output(rig.server);
	assert_int_equal(count(out, "vkCreateInstance"), 3);
	assert_int_equal(count(out, "vkDestroyInstance"), 3);
	assert_contains(out, "vkEnumerateInstanceVersion (137)");
	assert_contains(out, "vkCreateInstance (0)");
	free(out);
	proc_passed(rig.server);
}

static void a_unix_socket_serves_as_well(void **)
{
	char dir[64], listen[128];

	assert_int_equal(proc_make_dir(dir, sizeof(dir)), 0);
	snprintf(listen, sizeof(listen), "unix:%s/venus.sock", dir);
	rig_start(&rig, listen, canned);
	assert_int_equal(rig_test_app("--phase", "1", NULL), 0);
	proc_passed(rig.server);
	rig_stop(&rig);
	proc_remove_dir(dir);
}

static void assert_fails_within_bound(const char *address, const char *why)
{
	uint64_t start = rp_clock_ms();
	char *out;

	rig_environment(address);
	assert_int_equal(rig_test_app("--phase", "1", &out), 1);
	assert_contains(out, "FAIL");
	assert_contains(out, why);
	// One connection attempt of two seconds, with room for a busy machine.
	assert_true(rp_clock_ms() - start < 10000);
	free(out);
}

// A TCP listener on a free port; its address in text.
static int listener(char *text, size_t len)
{
	struct rp_vn_address addr;
	socklen_t n = sizeof(addr.un);
	int fd;

	assert_int_equal(rp_vn_address_parse(&addr, "127.0.0.1:0", NULL), 0);
	fd = rp_vn_address_listen(&addr, NULL);
	assert_true(fd >= 0);
	getsockname(fd, &addr.sa, &n);
	rp_vn_address_text(&addr, text, len);
	return fd;
}

static void no_server_is_an_error(void **)
{
	char address[64];
	int fd = listener(address, sizeof(address));

	close(fd);
	assert_fails_within_bound(address, "is venus-server running there?");
}

// The kernel accepts for it; nobody ever answers.
static void a_silent_server_is_an_error(void **)
{
	char address[64];
	int fd = listener(address, sizeof(address));

	assert_fails_within_bound(address, "no answer within 2000 ms");
	close(fd);
}

struct speaker {
	int listener;
	const void *data;
	size_t len;
};

static void *speak(void *arg)
{
	const struct speaker *s = arg;
	int fd;

	// accept() fails once the test shuts the listener down.
	while ((fd = accept(s->listener, NULL, NULL)) >= 0) {
		if (write(fd, s->data, s->len) < 0)
			abort();
		close(fd);
	}
	return NULL;
}

static void assert_speaker_is_an_error(const void *data, size_t len, const char *why)
{
	struct speaker s = {.data = data, .len = len};
	char address[64];
	pthread_t thread;

	s.listener = listener(address, sizeof(address));
	// Blocking, so that the thread waits in accept().
	fcntl(s.listener, F_SETFL, 0);
	pthread_create(&thread, NULL, speak, &s);
	assert_fails_within_bound(address, why);
	shutdown(s.listener, SHUT_RDWR);
	pthread_join(thread, NULL);
	close(s.listener);
}

static void a_garbage_server_is_an_error(void **)
{
	static const uint8_t huge[] = {'S', 'L', 'P', 'V', 0xff, 0xff, 0xff, 0xff};
	static const uint8_t empty[] = {'S', 'L', 'P', 'V', 0, 0, 0, 0};

	assert_speaker_is_an_error("SSH-2.0-OpenSSH_9.2p1\r\n", 23, "is that a venus-server?");
	assert_speaker_is_an_error(huge, sizeof(huge), "is that a venus-server?");
	assert_speaker_is_an_error(empty, sizeof(empty), "malformed HELLO");
	assert_speaker_is_an_error("", 0, "is that a venus-server?");
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void the_token_must_match(void **)
{
	char dir[64], good[128], bad[128];
	const char *const args[] = {"--backend", "canned", "--token-file", good, NULL};
	char *out;

	assert_int_equal(proc_make_dir(dir, sizeof(dir)), 0);
	snprintf(good, sizeof(good), "%s/good", dir);
	snprintf(bad, sizeof(bad), "%s/bad", dir);
	write_file(good, "open sesame\n");
	write_file(bad, "open barley\n");
	rig_start(&rig, NULL, args);
	setenv("VENUS_TOKEN_FILE", good, 1);
	assert_int_equal(rig_test_app("--phase", "1", NULL), 0);
	setenv("VENUS_TOKEN_FILE", bad, 1);
	assert_int_equal(rig_test_app("--phase", "1", &out), 1);
	assert_contains(out, "wants another token");
	free(out);
	unsetenv("VENUS_TOKEN_FILE");
	assert_int_equal(rig_test_app("--phase", "1", NULL), 1);
	proc_passed(rig.server);
	rig_stop(&rig);
	proc_remove_dir(dir);
}

static void the_world_is_not_served_without_a_token(void **)
{
	char server[512];
	const char *const argv[] = {server, "--listen", "0.0.0.0:0", "--backend", "canned", NULL};
	char *out;

	strcpy(server, rig_build("app/venus/venus-server"));
	assert_int_equal(rig_run(argv, &out), 1);
	assert_contains(out, "needs --token-file");
	free(out);
}

static void wrong_usage_is_explained(void **)
{
	char server[512];
	const char *const backend[] = {server, "--backend", "metal", NULL};
	const char *const option[] = {server, "extra", NULL};
	char *out;

	strcpy(server, rig_build("app/venus/venus-server"));
	assert_int_equal(rig_run(backend, &out), 1);
	assert_contains(out, "expected vulkan or canned");
	free(out);
	assert_int_equal(rig_run(option, NULL), 2);
	assert_int_equal(rig_test_app("--phase", "77", NULL), 2);
	assert_int_equal(rig_test_app("--help", NULL, NULL), 0);
}

static size_t count_fds(pid_t pid)
{
	char path[64];
	size_t n = 0;

	// Descriptors are handed out from the lowest free number on: a gap beyond means an end.
	for (int fd = 0; fd < 256; fd++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
		n += access(path, F_OK) == 0;
	}
	return n;
}

static bool same(void *, enum rp_vn_type, uint64_t in, uint64_t *out)
{
	*out = in;
	return true;
}

static VkResult ask_version(uint32_t *version)
{
	const struct rp_vn_handles handles = {.to_wire = same, .from_wire = same};
	struct rp_vn_args_vkEnumerateInstanceVersion a = {.pApiVersion = version};
	const struct rp_vn_call call = {RP_VN_IDX_vkEnumerateInstanceVersion, &a};
	struct rp_vn_client_options o;
	struct rp_vn_client c;
	struct rp_error err;

	rp_vn_client_options_env(&o);
	if (rp_vn_client_open(&c, &o, &handles, &call, &err) < 0) {
		print_message("%s %s\n", err.value, err.expected);
		return VK_ERROR_INITIALIZATION_FAILED;
	}
	rp_vn_client_close(&c);
	return a.ret;
}

static void a_thousand_connections_leave_nothing_behind(void **)
{
	static const char *const quiet[] = {"--backend", "canned", NULL};
	size_t before;
	uint32_t version = 0;

	rig_start(&rig, NULL, quiet);
	before = count_fds(proc_pid(rig.server));
	for (int i = 0; i < 1000; i++)
		assert_int_equal(ask_version(&version), VK_SUCCESS);
	assert_int_equal(version, VK_API_VERSION_1_3);
	assert_int_equal(proc_wait_line(rig.server, "client 1000 ended", 5000), 0);
	assert_int_equal(count_fds(proc_pid(rig.server)), before);
	proc_passed(rig.server);
}

static void the_number_of_clients_is_bounded(void **)
{
	int fds[64];
	uint32_t version;

	rig_start(&rig, NULL, canned);
	for (int i = 0; i < 64; i++)
		fds[i] = rig_connect(&rig);
	assert_int_equal(ask_version(&version), VK_ERROR_INITIALIZATION_FAILED);
	assert_int_equal(proc_wait_line(rig.server, "client refused: 64", 5000), 0);
	for (int i = 0; i < 64; i++)
		close(fds[i]);
	// The 64 processes end by themselves; until then the server is busy.
	for (uint64_t end = rp_clock_ms() + 10000; rp_clock_ms() < end;) {
		if (ask_version(&version) == VK_SUCCESS)
			break;
	}
	assert_int_equal(ask_version(&version), VK_SUCCESS);
	proc_passed(rig.server);
}

struct threaded {
	pthread_t thread;
	int failed;
};

static void *ask_often(void *arg)
{
	struct threaded *t = arg;
	uint32_t version;

	for (int i = 0; i < 100; i++)
		t->failed += ask_version(&version) != VK_SUCCESS;
	return NULL;
}

static void malformed_frames_end_their_own_client_alone(void **)
{
	static const struct {
		const char *name;
		uint8_t bytes[64];
		size_t len;
	} bad[] = {
		{"no frame", "GET / HTTP/1.1\r\n\r\n", 18},
		{"oversized", {'S', 'L', 'P', 'V', 0xff, 0xff, 0xff, 0x7f}, 8},
		{"cut short", {'S', 'L', 'P', 'V', 16, 0, 0, 0, 1, 2}, 10},
		{"half a command", {'S', 'L', 'P', 'V', 4, 0, 0, 0, 137, 0, 0, 0}, 12},
		{"before HELLO",
		 {'S', 'L', 'P', 'V', 16, 0, 0, 0, 137, 0, 0, 0, 1, 0, 0, 0, 1},
		 24},
		{"HELLO with an endless token",
		 {'S', 'L', 'P', 'V', 28, 0, 0, 0, 0, 0, 1, 0, 1,   0,	 0,   0,   1,
		  0,   0,   0,	 239, 0,  0, 0, 0, 0, 0, 0, 1, 255, 255, 255, 255, 255},
		 36},
	};
	struct threaded good = {0};

	rig_start(&rig, NULL, canned);
	pthread_create(&good.thread, NULL, ask_often, &good);
	for (int round = 0; round < 20; round++) {
		size_t i = (size_t)round % (sizeof(bad) / sizeof(bad[0]));
		int fd = rig_connect(&rig);
		char c;

		assert_int_equal(send(fd, bad[i].bytes, bad[i].len, MSG_NOSIGNAL), bad[i].len);
		shutdown(fd, SHUT_WR);
		// The server closes; a reply was not due.
		if (recv(fd, &c, 1, 0) > 0)
			fail_msg("%s was answered", bad[i].name);
		close(fd);
	}
	pthread_join(good.thread, NULL);
	assert_int_equal(good.failed, 0);
	proc_passed(rig.server);
}

// The other driver serves the application when our server is down.
static void other_drivers_still_work(void **)
{
	static const char *const argv[] = {"vulkaninfo", "--summary", NULL};
	char files[1024];
	char *out;

	rig_need_lavapipe();
	rig_environment("127.0.0.1:1");
	snprintf(files, sizeof(files), "%s:%s", rig_build("drivers/vulkan/venus_icd.x86_64.json"),
		 RIG_LAVAPIPE);
	setenv("VK_DRIVER_FILES", files, 1);
	assert_int_equal(rig_run(argv, &out), 0);
	assert_contains(out, "llvmpipe");
	free(out);
}

static void only_the_loaders_names_are_exported(void **)
{
	static const char *const vulkan[] = {"sh", "-c", "", NULL};
	const char *argv[] = {vulkan[0], vulkan[1], NULL, NULL};
	char command[1200], driver[512];
	char *out;

	strcpy(driver, rig_build("drivers/vulkan/libvenus_icd.so"));
	snprintf(command, sizeof(command), "nm -D --defined-only %s | grep -c ' [TDB] '", driver);
	argv[2] = command;
	assert_int_equal(rig_run(argv, &out), 0);
	assert_string_equal(out, "3\n");
	free(out);
	snprintf(command, sizeof(command), "ldd %s | grep -c libvulkan; true", driver);
	assert_int_equal(rig_run(argv, &out), 0);
	assert_string_equal(out, "0\n");
	free(out);
}

int main(void)
{
#define WITH_RIG(test) cmocka_unit_test_teardown(test, stop)
	const struct CMUnitTest tests[] = {
		WITH_RIG(the_version_reaches_the_application_in_all_ways),
		WITH_RIG(a_unix_socket_serves_as_well),
		WITH_RIG(no_server_is_an_error),
		WITH_RIG(a_silent_server_is_an_error),
		WITH_RIG(a_garbage_server_is_an_error),
		WITH_RIG(the_token_must_match),
		WITH_RIG(the_world_is_not_served_without_a_token),
		WITH_RIG(wrong_usage_is_explained),
		WITH_RIG(a_thousand_connections_leave_nothing_behind),
		WITH_RIG(the_number_of_clients_is_bounded),
		WITH_RIG(malformed_frames_end_their_own_client_alone),
		WITH_RIG(other_drivers_still_work),
		WITH_RIG(only_the_loaders_names_are_exported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
