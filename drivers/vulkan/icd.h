/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The Vulkan driver that an application's loader loads: libvenus_icd.so.
 *
 * Theory of operation. Each VkInstance has a connection of its own to the server. Handles that the
 * loader looks into (instance, physical device, device, queue, command buffer) are structs that
 * begin with struct icd_object; all others are the object's id on the wire. Commands go out through
 * lib/venus/client.h, which is thread-safe. Nothing is written to stdout: tools print JSON there.
 *
 * The loader asks every installed driver for its instance extensions in every Vulkan program, so
 * that answer is local; the first contact with the server is vkEnumerateInstanceVersion or
 * vkCreateInstance, and both give up after a short time, so that other drivers still work.
 */

#include <sys/queue.h>
#include <vulkan/vk_icd.h>

#include "venus/client.h"
#include "vulkan/cache.h"

#define ICD_EXPORT __attribute__((visibility("default")))

struct icd_object {
	VK_LOADER_DATA loader; // the loader's word: must be first
	uint64_t id;
	struct rp_vn_client *client;
};

// The most physical devices that are listed.
#define ICD_MAX_DEVICES	 16
#define ICD_MAX_FAMILIES 16
// As the server has them; fewer remain.
#define ICD_MAX_EXTENSIONS 512

struct icd_physical {
	struct icd_object obj;
	struct icd_instance *instance;
	// As the application may see them: see mask.h.
	VkPhysicalDeviceProperties properties;
	VkPhysicalDeviceFeatures features;
	VkPhysicalDeviceMemoryProperties memory;
	VkQueueFamilyProperties families[ICD_MAX_FAMILIES];
	uint32_t n_families;
	VkExtensionProperties extensions[ICD_MAX_EXTENSIONS];
	uint32_t n_extensions;
};

struct icd_instance {
	struct icd_object obj;
	struct rp_vn_client client;
	struct icd_cache cache;
	pthread_mutex_t lock; // of the devices
	struct icd_physical *devices[ICD_MAX_DEVICES];
	uint32_t n_devices;
	bool enumerated;
};

struct icd_queue {
	struct icd_object obj;
	struct icd_device *device;
	uint32_t family, index;
	VkDeviceQueueCreateFlags flags;
	LIST_ENTRY(icd_queue) entry;
};

struct icd_command_buffer {
	struct icd_object obj;
	struct icd_device *device;
	uint64_t pool; // id
	VkCommandBufferLevel level;
	LIST_ENTRY(icd_command_buffer) entry;
};

// A VkDeviceMemory: not dispatchable, but an object of ours all the same, because of its mapping.
struct icd_memory {
	struct icd_object obj;
	uint64_t size;
	VkMemoryPropertyFlags flags;
	// While it has ever been mapped: what the application sees, and what both ends agree on.
	uint8_t *shadow, *twin;
	// What is mapped now; size 0: nothing.
	uint64_t map_offset, map_size;
	LIST_ENTRY(icd_memory) entry; // while it is mapped
};

struct icd_device {
	struct icd_object obj;
	struct icd_physical *physical;
	pthread_mutex_t lock; // of the lists
	LIST_HEAD(, icd_queue) queues;
	LIST_HEAD(, icd_command_buffer) command_buffers;
	pthread_mutex_t memory_lock; // of transfers
	LIST_HEAD(, icd_memory) mapped;
	bool submitted; // the GPU may have written to memory
};

enum icd_level { ICD_GLOBAL, ICD_INSTANCE, ICD_DEVICE };

struct icd_entry {
	const char *name;
	PFN_vkVoidFunction fn;
	enum icd_level level;
	uint32_t minor; // of the Vulkan version that brought it
};

// A device extension that is core since Vulkan 1.minor, with all it brings.
struct icd_extension {
	const char *name;
	uint32_t minor;
	uint32_t spec_version;
};

extern const struct icd_extension icd_extensions[];
extern const size_t icd_n_extensions;

// Sorted by name.
extern const struct icd_entry icd_entries[];
extern const size_t icd_n_entries;

// Send a command on the connection of the object that it is called on and wait for its answer.
// -errno: the server is gone and output parameters hold zeros.
int icd_sync(const void *object, unsigned int command, void *args);

// The same for a query of a physical device whose answer never changes: asked once.
int icd_query(VkPhysicalDevice device, unsigned int command, void *args);

// Several queries in one round trip; afterwards each is answered without another.
int icd_prefetch(struct icd_physical *device, const struct rp_vn_call *calls, size_t n);

// Send a command whose answer nobody awaits, sooner or later or (flush) now. -errno: the server is
// gone.
int icd_queue(const void *object, unsigned int command, const void *args, bool flush);

// Fresh ids for non-dispatchable objects.
void icd_new_ids(const void *object, uint64_t *ids, size_t n);

// A new dispatchable object of `size` bytes that begins with struct icd_object, or NULL.
void *icd_object_new(size_t size, struct rp_vn_client *client);

// Objects that an application holds by pointer; all other handles are ids.
static inline bool icd_is_pointer(enum rp_vn_type type)
{
	return rp_vn_handle_types[type].dispatchable || type == RP_VN_TYPE_VkDeviceMemory;
}

// The application's writes to mapped memory go out before the GPU or another thread may look...
int icd_memory_upload(struct icd_device *dev);

// ... and the GPU's come in after it was waited for. -errno: the server is gone.
int icd_memory_download(struct icd_device *dev);

void icd_memory_free_all(struct icd_device *dev);
void icd_command_buffers_free_all(struct icd_device *dev);

// Wait for fences in slices, so that other threads get their turn on the connection.
VkResult icd_wait_fences(struct icd_device *dev, uint32_t n, const VkFence *fences, VkBool32 all,
			 uint64_t timeout_ns);

// The two-call idiom of extension and group lists.
VkResult icd_list(const void *all, uint32_t n, size_t size, uint32_t *count, void *out);

// The entry points that are written by hand are declared in icd_gen.h.
#include "icd_gen.h"
