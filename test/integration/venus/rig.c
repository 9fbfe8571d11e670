// SPDX-License-Identifier: BSD-3-Clause
#include "rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "venus/address.h"

#define MAX_ARGS 16

const char *rig_build(const char *path)
{
	static char buf[512];

	snprintf(buf, sizeof(buf), "%s/%s", BUILD_ROOT, path);
	return buf;
}

void rig_environment(const char *address)
{
	setenv("VK_DRIVER_FILES", rig_build("drivers/vulkan/venus_icd.x86_64.json"), 1);
	setenv("VENUS_SERVER", address, 1);
	// A Mesa layer that would ask our driver a second time for everything.
	setenv("NODEVICE_SELECT", "1", 1);
	// The driver is instrumented in a sanitized build; the programs that load it are not ours.
	setenv("LSAN_OPTIONS", "detect_leaks=0", 1);
}

void rig_start(struct rig *r, const char *listen, const char *const *more)
{
	const char *argv[MAX_ARGS] = {"", "--listen", listen != NULL ? listen : "127.0.0.1:0"};
	char server[512];
	const char *at;
	char *output;
	size_t n = 3;

	*r = (struct rig){0};
	strcpy(server, rig_build("app/venus/venus-server"));
	argv[0] = server;
	while (*more != NULL && n < MAX_ARGS - 1)
		argv[n++] = *more++;
	// The server's own Vulkan must not lead back to our driver.
	setenv("VK_DRIVER_FILES", RIG_LAVAPIPE, 1);
	r->server = proc_start("venus-server", argv);
	assert_non_null(r->server);
	assert_int_equal(proc_wait_line(r->server, ", backend", 20000), 0);
	output = proc_output(r->server);
	at = strstr(output, "listening on ");
	assert_non_null(at);
	sscanf(at, "listening on %159[^,]", r->address);
	free(output);
	rig_environment(r->address);
}

void rig_stop(struct rig *r)
{
	proc_stop(r->server);
	r->server = NULL;
}

int rig_run(const char *const *argv, char **output)
{
	struct proc *p = proc_start(argv[0], argv);
	int status = 0;

	assert_non_null(p);
	// No program says this: it ends the wait when the output has ended.
	assert_int_equal(proc_wait_line(p, "\001", 60000), -ECHILD);
	assert_int_equal(proc_wait_exit(p, 60000, &status), 0);
	if (output != NULL)
		*output = proc_output(p);
	proc_passed(p);
	proc_stop(p);
	if (!WIFEXITED(status))
		fail_msg("%s died of signal %d", argv[0], WTERMSIG(status));
	return WEXITSTATUS(status);
}

int rig_test_app(const char *arg1, const char *arg2, char **output)
{
	const char *argv[] = {NULL, arg1, arg2, NULL};
	char app[512];

	strcpy(app, rig_build("app/venus/venus-test-app"));
	argv[0] = app;
	return rig_run(argv, output);
}

int rig_connect(const struct rig *r)
{
	struct rp_vn_address addr;
	int fd;

	assert_int_equal(rp_vn_address_parse(&addr, r->address, NULL), 0);
	fd = rp_vn_address_connect(&addr, 5000, NULL);
	assert_true(fd >= 0);
	return fd;
}

void rig_need_lavapipe(void)
{
	if (access(RIG_LAVAPIPE, R_OK) < 0 || access("/usr/bin/vulkaninfo", X_OK) < 0) {
		print_message("needs mesa-vulkan-drivers and vulkan-tools\n");
		skip();
	}
}
