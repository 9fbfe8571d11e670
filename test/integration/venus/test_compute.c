// SPDX-License-Identifier: BSD-3-Clause
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "gpu.h"
#include "rig.h"

/*
 * Level 3: programs that compute and draw through the real loader on lavapipe on the other side,
 * and what becomes of them when that side dies.
 */
static struct rig rig;
static struct gpu gpu;

static int start(void **)
{
	static const char *const none[] = {NULL};

	rig_start(&rig, NULL, none);
	return 0;
}

static int stop(void **)
{
	unsetenv("VENUS_TIMEOUT_MS");
	rig_stop(&rig);
	return 0;
}

static int close_and_stop(void **)
{
	gpu_close(&gpu);
	return stop(NULL);
}

// The lines that report results, which must not depend on where the program ran.
static char *results(const char *phase, bool direct)
{
	char *out, *kept, *save = NULL;

	rig_environment(rig.address);
	if (direct)
		setenv("VK_DRIVER_FILES", RIG_LAVAPIPE, 1);
	assert_int_equal(rig_test_app("--phase", phase, &out), 0);
	kept = calloc(1, strlen(out) + 1);
	for (char *line = strtok_r(out, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		if (strstr(line, "results: ") != NULL)
			strcat(strcat(kept, line), "\n");
	}
	free(out);
	assert_true(strlen(kept) > 0);
	return kept;
}

static void assert_same_results(const char *phase)
{
	char *remote = results(phase, false), *direct = results(phase, true);

	assert_string_equal(remote, direct);
	free(remote);
	free(direct);
	proc_passed(rig.server);
}

static void computing_gives_the_same_bits_as_a_local_run(void **)
{
	assert_same_results("3");
}

static void drawing_gives_the_same_bits_as_a_local_run(void **)
{
	assert_same_results("4");
}

static void all_phases_pass(void **)
{
	assert_int_equal(rig_test_app("--all", NULL, NULL), 0);
	assert_int_equal(rig_test_app("--all", "--direct", NULL), 0);
	proc_passed(rig.server);
}

// The validation layer watches what the server calls.
static void what_the_server_calls_is_valid(void **)
{
	static const char *const none[] = {NULL};
	char *out;

	if (access("/usr/share/vulkan/explicit_layer.d/VkLayer_khronos_validation.json", R_OK) <
	    0) {
		print_message("needs vulkan-validationlayers\n");
		skip();
	}
	setenv("VK_INSTANCE_LAYERS", "VK_LAYER_KHRONOS_validation", 1);
	rig_start(&rig, NULL, none);
	unsetenv("VK_INSTANCE_LAYERS");
	assert_int_equal(rig_test_app("--all", NULL, NULL), 0);
	out = proc_output(rig.server);
	assert_null(strstr(out, "VUID"));
	free(out);
	proc_passed(rig.server);
}

// Submit again and again until that fails; the time from `killed` on, in ms.
static uint64_t run_until_lost(uint64_t (*hurt)(void))
{
	VkResult result = VK_SUCCESS;
	uint64_t hurt_at = 0;
	struct gpu_buffer b;

	assert_true(gpu_open(&gpu, false));
	assert_true(gpu_buffer_make(&gpu, &b, 1 << 20, VK_BUFFER_USAGE_TRANSFER_DST_BIT));
	for (int turn = 0; result == VK_SUCCESS && turn < 100000; turn++) {
		const VkSubmitInfo info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
					   .commandBufferCount = 1,
					   .pCommandBuffers = &gpu.commands};

		assert_true(gpu_begin(&gpu));
		gpu.CmdFillBuffer(gpu.commands, b.buffer, 0, VK_WHOLE_SIZE, (uint32_t)turn);
		gpu.EndCommandBuffer(gpu.commands);
		gpu.ResetFences(gpu.device, 1, &gpu.fence);
		if (turn == 20)
			hurt_at = hurt();
		result = gpu.QueueSubmit(gpu.queue, 1, &info, gpu.fence);
		if (result == VK_SUCCESS)
			result = gpu.WaitForFences(gpu.device, 1, &gpu.fence, VK_TRUE, UINT64_MAX);
	}
	assert_int_equal(result, VK_ERROR_DEVICE_LOST);
	// All further calls return at once, and nothing crashes while the program cleans up.
	assert_int_equal(gpu.DeviceWaitIdle(gpu.device), VK_ERROR_DEVICE_LOST);
	gpu_buffer_free(&gpu, &b);
	return rp_clock_ms() - hurt_at;
}

static uint64_t kill_server(void)
{
	kill(proc_pid(rig.server), SIGKILL);
	return rp_clock_ms();
}

static void a_killed_server_is_a_lost_device(void **)
{
	assert_true(run_until_lost(kill_server) < 2000);
	proc_passed(rig.server);
}

// The processes of the server's clients.
static void signal_clients(int sig)
{
	char path[64];
	FILE *f;
	int pid;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", proc_pid(rig.server),
		 proc_pid(rig.server));
	f = fopen(path, "r");
	assert_non_null(f);
	while (fscanf(f, "%d", &pid) == 1)
		kill(pid, sig);
	fclose(f);
}

static uint64_t kill_client_process(void)
{
	signal_clients(SIGKILL);
	return rp_clock_ms();
}

static void a_crashed_driver_takes_its_own_client_along(void **)
{
	assert_true(run_until_lost(kill_client_process) < 2000);
	assert_int_equal(proc_wait_line(rig.server, "its driver died of signal 9", 5000), 0);
	// The server serves on.
	assert_int_equal(rig_test_app("--phase", "1", NULL), 0);
	proc_passed(rig.server);
}

static uint64_t freeze_client_process(void)
{
	signal_clients(SIGSTOP);
	return rp_clock_ms();
}

static void a_frozen_server_is_a_lost_device_within_the_timeout(void **)
{
	setenv("VENUS_TIMEOUT_MS", "700", 1);
	assert_true(run_until_lost(freeze_client_process) < 10000);
	signal_clients(SIGCONT);
	proc_passed(rig.server);
}

static PFN_vkGetInstanceProcAddr direct_lookup(void)
{
	struct entry e = entry_direct();

	assert_non_null(e.lookup);
	return e.lookup;
}

// What loaders of Debian 12's age call without looking, and what they must not find.
static void the_loader_finds_what_it_needs_and_no_more(void **)
{
	static const char *const needed[] = {
		"vkDestroyInstance",
		"vkEnumeratePhysicalDevices",
		"vkGetPhysicalDeviceFeatures",
		"vkGetPhysicalDeviceFormatProperties",
		"vkGetPhysicalDeviceImageFormatProperties",
		"vkGetPhysicalDeviceProperties",
		"vkGetPhysicalDeviceQueueFamilyProperties",
		"vkGetPhysicalDeviceMemoryProperties",
		"vkGetPhysicalDeviceSparseImageFormatProperties",
		"vkGetDeviceProcAddr",
		"vkCreateDevice",
		"vkEnumerateDeviceExtensionProperties",
		"vkGetPhysicalDeviceFeatures2KHR",
	};
	static const char *const absent[] = {"vkCreateSwapchainKHR", "vkGetMemoryFdKHR", "vk",
					     "vkCreateDevicf", ""};
	PFN_vkGetInstanceProcAddr lookup = direct_lookup();

	assert_true(gpu_open(&gpu, true));
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		assert_non_null(lookup(gpu.instance, needed[i]));
		assert_null(lookup(VK_NULL_HANDLE, needed[i]));
	}
	for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
		assert_null(lookup(gpu.instance, absent[i]));
	// The words that the loader looks into.
	assert_int_equal(*(const uint64_t *)gpu.instance, 0x01CDC0DE);
	assert_int_equal(*(const uint64_t *)gpu.physical, 0x01CDC0DE);
	assert_int_equal(*(const uint64_t *)gpu.device, 0x01CDC0DE);
	assert_int_equal(*(const uint64_t *)gpu.queue, 0x01CDC0DE);
	assert_int_equal(*(const uint64_t *)gpu.commands, 0x01CDC0DE);
	proc_passed(rig.server);
}

static VkResult make_device_with(const char *extension, VkDevice *device)
{
	const float priority = 1;
	const VkDeviceQueueCreateInfo queue = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
		.queueFamilyIndex = gpu.family,
		.queueCount = 1,
		.pQueuePriorities = &priority,
	};
	const VkDeviceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
		.queueCreateInfoCount = 1,
		.pQueueCreateInfos = &queue,
		.enabledExtensionCount = 1,
		.ppEnabledExtensionNames = &extension,
	};

	return gpu.CreateDevice(gpu.physical, &info, NULL, device);
}

static void only_listed_extensions_can_be_enabled(void **)
{
	PFN_vkGetDeviceProcAddr device_lookup;
	VkDevice device;

	assert_true(gpu_open(&gpu, true));
	device_lookup =
		(PFN_vkGetDeviceProcAddr)direct_lookup()(gpu.instance, "vkGetDeviceProcAddr");
	assert_int_equal(make_device_with("VK_KHR_swapchain", &device),
			 VK_ERROR_EXTENSION_NOT_PRESENT);
	assert_int_equal(make_device_with("VK_KHR_synchronization2", &device), VK_SUCCESS);
	assert_non_null(device_lookup(device, "vkQueueSubmit2KHR"));
	assert_non_null(device_lookup(device, "vkQueueSubmit2"));
	assert_null(device_lookup(device, "vkCreateSwapchainKHR"));
	assert_null(device_lookup(device, "vkCreateInstance"));
	gpu.DestroyDevice(device, NULL);
	proc_passed(rig.server);
}

struct worker {
	pthread_t thread;
	unsigned int wrong;
};

static void *make_and_ask(void *arg)
{
	struct worker *w = arg;

	for (uint32_t i = 1; i <= 1000; i++) {
		const VkBufferCreateInfo info = {
			.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
			.size = i * 4096,
			.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT,
		};
		VkMemoryRequirements r;
		VkBuffer b;

		w->wrong += gpu.CreateBuffer(gpu.device, &info, NULL, &b) != VK_SUCCESS;
		gpu.GetBufferMemoryRequirements(gpu.device, b, &r);
		w->wrong += r.size < info.size || r.size > info.size + 65536;
		gpu.DestroyBuffer(gpu.device, b, NULL);
	}
	return NULL;
}

static void threads_share_a_device(void **)
{
	struct worker workers[4] = {0};

	assert_true(gpu_open(&gpu, false));
	for (int i = 0; i < 4; i++)
		pthread_create(&workers[i].thread, NULL, make_and_ask, &workers[i]);
	for (int i = 0; i < 4; i++) {
		pthread_join(workers[i].thread, NULL);
		assert_int_equal(workers[i].wrong, 0);
	}
	proc_passed(rig.server);
}

static void *wait_for_fence(void *arg)
{
	VkResult *result = arg;

	*result = gpu.WaitForFences(gpu.device, 1, &gpu.fence, VK_TRUE, UINT64_MAX);
	return NULL;
}

// One thread waits for what another submits only later: the wait must not hold the connection.
static void a_wait_lets_other_threads_through(void **)
{
	const VkSubmitInfo info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO};
	VkResult result = VK_ERROR_UNKNOWN;
	pthread_t thread;

	assert_true(gpu_open(&gpu, false));
	pthread_create(&thread, NULL, wait_for_fence, &result);
	for (int i = 0; i < 20; i++)
		assert_int_equal(gpu.GetFenceStatus(gpu.device, gpu.fence), VK_NOT_READY);
	assert_int_equal(gpu.QueueSubmit(gpu.queue, 1, &info, gpu.fence), VK_SUCCESS);
	pthread_join(thread, NULL);
	assert_int_equal(result, VK_SUCCESS);
	proc_passed(rig.server);
}

// A buffer that cannot be made is only found out when it is used, and no earlier call hangs.
static void a_failed_create_is_an_error_later(void **)
{
	const VkBufferCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.size = 1ull << 62,
		.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT,
	};
	VkMemoryRequirements r;
	VkBuffer b;

	assert_true(gpu_open(&gpu, false));
	if (gpu.CreateBuffer(gpu.device, &info, NULL, &b) == VK_SUCCESS) {
		gpu.GetBufferMemoryRequirements(gpu.device, b, &r);
		gpu.DestroyBuffer(gpu.device, b, NULL);
	}
	// The connection lives.
	assert_int_equal(gpu.DeviceWaitIdle(gpu.device), VK_SUCCESS);
	proc_passed(rig.server);
}

static void mapped_memory_survives_unmapping(void **)
{
	struct gpu_buffer b;
	void *again;

	assert_true(gpu_open(&gpu, false));
	assert_true(gpu_buffer_make(&gpu, &b, 12 << 20, VK_BUFFER_USAGE_TRANSFER_DST_BIT));
	for (size_t i = 0; i < b.size; i++)
		((uint8_t *)b.data)[i] = (uint8_t)(i * 7 + i / 5000);
	gpu.UnmapMemory(gpu.device, b.memory);
	assert_true(gpu_begin(&gpu));
	gpu.CmdFillBuffer(gpu.commands, b.buffer, 4096, 16, 0x01020304);
	assert_true(gpu_run(&gpu));
	// A part of it, beyond what the GPU wrote and with it.
	assert_int_equal(gpu.MapMemory(gpu.device, b.memory, 4000, 200, 0, &again), VK_SUCCESS);
	for (size_t i = 4000; i < 4200; i++) {
		uint8_t expected =
			i >= 4096 && i < 4112 ? (uint8_t)(4 - i % 4) : (uint8_t)(i * 7 + i / 5000);

		assert_int_equal(((uint8_t *)again)[i - 4000], expected);
	}
	gpu_buffer_free(&gpu, &b);
	proc_passed(rig.server);
}

int main(void)
{
#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, start, stop)
#define WITH_GPU(test) cmocka_unit_test_setup_teardown(test, start, close_and_stop)
	const struct CMUnitTest tests[] = {
		WITH_RIG(computing_gives_the_same_bits_as_a_local_run),
		WITH_RIG(drawing_gives_the_same_bits_as_a_local_run),
		WITH_RIG(all_phases_pass),
		cmocka_unit_test_teardown(what_the_server_calls_is_valid, stop),
		WITH_GPU(a_killed_server_is_a_lost_device),
		WITH_GPU(a_crashed_driver_takes_its_own_client_along),
		WITH_GPU(a_frozen_server_is_a_lost_device_within_the_timeout),
		WITH_GPU(the_loader_finds_what_it_needs_and_no_more),
		WITH_GPU(only_listed_extensions_can_be_enabled),
		WITH_GPU(threads_share_a_device),
		WITH_GPU(a_wait_lets_other_threads_through),
		WITH_GPU(a_failed_create_is_an_error_later),
		WITH_GPU(mapped_memory_survives_unmapping),
	};

	if (access(RIG_LAVAPIPE, R_OK) < 0) {
		puts("needs mesa-vulkan-drivers");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
