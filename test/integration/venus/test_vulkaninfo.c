// SPDX-License-Identifier: BSD-3-Clause
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/clock.h"
#include "rig.h"

/*
 * Level 2: the real vulkaninfo through the real loader shows lavapipe on the other side as a direct
 * run shows it, but for the name and for what extensions bring.
 */
static struct rig rig;

static int start(void **)
{
	static const char *const none[] = {NULL};

	rig_start(&rig, NULL, none);
	return 0;
}

static int stop(void **)
{
	rig_stop(&rig);
	return 0;
}

static char *vulkaninfo(bool direct, const char *arg1, const char *arg2, const char *arg3)
{
	const char *const argv[] = {"vulkaninfo", arg1, arg2, arg3, NULL};
	char *out;

	rig_environment(rig.address);
	if (direct)
		setenv("VK_DRIVER_FILES", RIG_LAVAPIPE, 1);
	assert_int_equal(rig_run(argv, &out), 0);
	return out;
}

// Waits for the server in all: each answer but the one to HELLO, which comes with the next.
static unsigned int round_trips(void)
{
	char *log = proc_output(rig.server);
	unsigned int sum = 0;

	for (char *line = strstr(log, " frames, "); line != NULL;
	     line = strstr(line, " frames, ")) {
		line += strlen(" frames, ");
		sum += (unsigned int)atoi(line) - 1;
	}
	free(log);
	return sum;
}

static void assert_few_round_trips(void)
{
	// One client for the version, one for the instance.
	assert_int_equal(proc_wait_line(rig.server, "client 2 ended", 5000), 0);
	print_message("%u round trips\n", round_trips());
	assert_true(round_trips() <= 30);
}

// A place in a text that is read line by line.
struct lines {
	const char *next;
	char line[512];
	char section[512];
};

// Columns are as wide as the longest name in a list.
static void squeeze_spaces(char *line)
{
	char *to = line;

	for (const char *from = line; *from != '\0'; from++) {
		if (from[0] != ' ' || from[1] != ' ')
			*to++ = *from;
	}
	*to = '\0';
}

// The next line without what must differ. False at the end.
static bool next_line(struct lines *l)
{
	const char *end = strchr(l->next, '\n'), *venus;
	size_t n;

	if (end == NULL)
		return false;
	n = (size_t)(end - l->next);
	assert_true(n < sizeof(l->line));
	memcpy(l->line, l->next, n);
	l->line[n] = '\0';
	l->next = end + 1;
	venus = strstr(l->line, "Venus: ");
	if (venus != NULL)
		memmove(l->line + (venus - l->line), venus + 7, strlen(venus + 7) + 1);
	squeeze_spaces(l->line);
	if (isalpha((unsigned char)l->line[0]) && strncmp(l->line, "VK_", 3) != 0)
		strcpy(l->section, l->line);
	return true;
}

static bool is_ruler(const char *line)
{
	return line[0] != '\0' && strspn(line, "=-") == strlen(line);
}

// What extensions bring is not there.
static bool may_lack(const struct lines *l)
{
	const char *s = l->section;
	size_t n = strlen(s);

	return l->line[0] == '\0' || is_ruler(l->line) ||
	       (n > 4 && strcmp(s + n - 4, "EXT:") == 0) ||
	       (n > 4 && strcmp(s + n - 4, "KHR:") == 0) ||
	       strstr(s, "Extensions: count") != NULL || strncmp(s, "Device Groups", 13) == 0 ||
	       strncmp(s, "Group ", 6) == 0;
}

// What the loader prints while it looks around, and lengths of lists.
static bool may_differ(const char *line)
{
	return strstr(line, "Extensions: count") != NULL || is_ruler(line) || line[0] == '\0' ||
	       strstr(line, "XDG_RUNTIME_DIR") != NULL || strstr(line, "'DISPLAY'") != NULL;
}

// Every line of the remote run stands in the direct run in the same order, and nothing else is
// missing than what may.
static void assert_equal_texts(const char *remote, const char *direct)
{
	struct lines r = {.next = remote}, d = {.next = direct};
	unsigned int equal = 0;

	while (next_line(&r)) {
		if (may_differ(r.line))
			continue;
		do {
			if (!next_line(&d))
				fail_msg("only in the remote run: '%s'", r.line);
			if (strcmp(r.line, d.line) != 0 && !may_lack(&d) && !may_differ(d.line))
				fail_msg("direct run: '%s', remote run: '%s'", d.line, r.line);
		} while (strcmp(r.line, d.line) != 0);
		equal++;
	}
	while (next_line(&d)) {
		if (!may_lack(&d) && !may_differ(d.line))
			fail_msg("only in the direct run: '%s'", d.line);
	}
	print_message("%u equal lines\n", equal);
	assert_true(equal > 20);
}

static void assert_equal_runs(const char *arg)
{
	char *remote = vulkaninfo(false, arg, NULL, NULL);
	char *direct = vulkaninfo(true, arg, NULL, NULL);

	assert_non_null(strstr(remote, "Venus: llvmpipe"));
	assert_equal_texts(remote, direct);
	free(remote);
	free(direct);
	assert_few_round_trips();
	proc_passed(rig.server);
}

static void the_summary_equals_a_direct_run(void **)
{
	assert_equal_runs("--summary");
}

static void the_full_text_equals_a_direct_run(void **)
{
	assert_equal_runs("--text");
}

static void the_formats_equal_a_direct_run(void **)
{
	assert_equal_runs("--show-formats");
}

static json_t *device_json(bool direct)
{
	char dir[64], path[128];
	json_t *root, *device;
	json_error_t error;

	assert_int_equal(proc_make_dir(dir, sizeof(dir)), 0);
	snprintf(path, sizeof(path), "%s/info.json", dir);
	free(vulkaninfo(direct, "--json", "-o", path));
	root = json_load_file(path, JSON_DECODE_INT_AS_REAL, &error);
	if (root == NULL)
		fail_msg("invalid JSON: %s", error.text);
	device = json_object_get(json_object_get(root, "capabilities"), "device");
	assert_non_null(device);
	json_incref(device);
	json_decref(root);
	proc_remove_dir(dir);
	return device;
}

static void assert_equal_members(json_t *remote, json_t *direct)
{
	const char *key;
	json_t *value;

	json_object_foreach(remote, key, value)
	{
		if (!json_equal(value, json_object_get(direct, key)))
			fail_msg("%s differs", key);
	}
}

static void the_json_is_valid_and_equals_a_direct_run(void **)
{
	json_t *remote = device_json(false), *direct = device_json(true), *value;
	const char *key;

	assert_few_round_trips();
	assert_equal_members(json_object_get(remote, "features"),
			     json_object_get(direct, "features"));
	json_object_set(json_object_get(json_object_get(remote, "properties"),
					"VkPhysicalDeviceProperties"),
			"deviceName",
			json_object_get(json_object_get(json_object_get(direct, "properties"),
							"VkPhysicalDeviceProperties"),
					"deviceName"));
	assert_equal_members(json_object_get(remote, "properties"),
			     json_object_get(direct, "properties"));
	assert_true(json_object_size(json_object_get(remote, "formats")) > 100);
	json_object_foreach(json_object_get(remote, "formats"), key, value) assert_equal_members(
		value, json_object_get(json_object_get(direct, "formats"), key));
	json_decref(remote);
	json_decref(direct);
	proc_passed(rig.server);
}

static void the_canned_device_is_shown_without_a_gpu(void **)
{
	static const char *const canned[] = {"--backend", "canned", NULL};
	char *out;

	rig_start(&rig, NULL, canned);
	out = vulkaninfo(false, "--summary", NULL, NULL);
	assert_non_null(strstr(out, "Venus: ringplane canned device"));
	free(out);
	free(vulkaninfo(false, "--text", NULL, NULL));
	proc_passed(rig.server);
}

static void the_second_phase_passes(void **)
{
	assert_int_equal(rig_test_app("--phase", "2", NULL), 0);
	assert_int_equal(rig_test_app("--direct", "--phase=2", NULL), 0);
	proc_passed(rig.server);
}

static void a_dead_server_is_no_crash(void **)
{
	const char *const argv[] = {"vulkaninfo", "--summary", NULL};
	uint64_t begin = rp_clock_ms();
	char *out;

	proc_passed(rig.server);
	rig_stop(&rig);
	rig_environment(rig.address);
	assert_int_equal(rig_run(argv, &out), 1);
	assert_non_null(strstr(out, "ERROR_INCOMPATIBLE_DRIVER"));
	assert_true(rp_clock_ms() - begin < 10000);
	free(out);
}

int main(void)
{
#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, start, stop)
	const struct CMUnitTest tests[] = {
		WITH_RIG(the_summary_equals_a_direct_run),
		WITH_RIG(the_full_text_equals_a_direct_run),
		WITH_RIG(the_formats_equal_a_direct_run),
		WITH_RIG(the_json_is_valid_and_equals_a_direct_run),
		cmocka_unit_test_teardown(the_canned_device_is_shown_without_a_gpu, stop),
		WITH_RIG(the_second_phase_passes),
		WITH_RIG(a_dead_server_is_no_crash),
	};

	if (access("/usr/bin/vulkaninfo", X_OK) < 0 || access(RIG_LAVAPIPE, R_OK) < 0) {
		puts("needs vulkan-tools and mesa-vulkan-drivers");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
