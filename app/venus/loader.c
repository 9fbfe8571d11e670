// SPDX-License-Identifier: BSD-3-Clause
#include "loader.h"

#include <bsd/string.h>
#include <dlfcn.h>
#include <jansson.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vulkan/vk_icd.h>

static const char *manifest_path(void)
{
	const char *files = getenv("VK_DRIVER_FILES");

	if (files == NULL)
		files = getenv("VK_ICD_FILENAMES");
	return files != NULL ? files : VENUS_MANIFEST;
}

// The library of a driver's manifest; relative names count from the manifest's folder.
static bool manifest_library(const char *manifest, char *path, size_t len)
{
	json_t *root = json_load_file(manifest, 0, NULL);
	const char *lib =
		json_string_value(json_object_get(json_object_get(root, "ICD"), "library_path"));
	char dir[PATH_MAX];
	bool ok = lib != NULL;

	strlcpy(dir, manifest, sizeof(dir));
	if (ok && lib[0] == '.')
		snprintf(path, len, "%s/%s", dirname(dir), lib);
	else if (ok)
		strlcpy(path, lib, len);
	json_decref(root);
	return ok;
}

struct entry entry_direct(void)
{
	PFN_vkNegotiateLoaderICDInterfaceVersion negotiate;
	char path[PATH_MAX];
	struct entry e = {0};
	uint32_t version = 5;
	void *lib;

	if (!manifest_library(manifest_path(), path, sizeof(path))) {
		e.error = "no driver manifest; set VK_DRIVER_FILES to venus_icd.x86_64.json";
		return e;
	}
	lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (lib == NULL) {
		e.error = dlerror();
		return e;
	}
	negotiate = (PFN_vkNegotiateLoaderICDInterfaceVersion)dlsym(
		lib, "vk_icdNegotiateLoaderICDInterfaceVersion");
	if (negotiate == NULL || negotiate(&version) != VK_SUCCESS)
		e.error = "the library does not negotiate an interface version";
	else
		e.lookup = (PFN_vkGetInstanceProcAddr)dlsym(lib, "vk_icdGetInstanceProcAddr");
	return e;
}

// Make a data folder that holds nothing but a link to the layer's manifest, which lies beside the
// driver's in a build folder. An installed layer is found without it.
static void offer_layer(void)
{
	static char dir[] = "/tmp/venus-test-app.XXXXXX";
	char folder[PATH_MAX], layer[PATH_MAX], link[PATH_MAX];

	setenv("VENUS_VERSION_LAYER", "1", 1);
	strlcpy(folder, manifest_path(), sizeof(folder));
	snprintf(layer, sizeof(layer), "%s/venus_version_layer.json", dirname(folder));
	if (access(layer, R_OK) < 0 || realpath(layer, folder) == NULL || mkdtemp(dir) == NULL)
		return;
	snprintf(link, sizeof(link), "%s/vulkan", dir);
	mkdir(link, 0700);
	strlcat(link, "/implicit_layer.d", sizeof(link));
	mkdir(link, 0700);
	strlcat(link, "/venus_version_layer.json", sizeof(link));
	if (symlink(folder, link) == 0)
		setenv("XDG_DATA_HOME", dir, 1);
}

static void remove_offer(void)
{
	const char *dir = getenv("XDG_DATA_HOME");
	char path[PATH_MAX];

	if (dir == NULL || strncmp(dir, "/tmp/venus-test-app.", 20) != 0)
		return;
	snprintf(path, sizeof(path), "%s/vulkan/implicit_layer.d/venus_version_layer.json", dir);
	unlink(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
	rmdir(dir);
}

struct entry entry_loader(void)
{
	static struct entry e;
	void *lib;

	if (e.lookup != NULL)
		return e;
	lib = dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL);
	if (lib == NULL) {
		e.error = "no libvulkan.so.1; install libvulkan1";
		return e;
	}
	offer_layer();
	atexit(remove_offer);
	e.lookup = (PFN_vkGetInstanceProcAddr)dlsym(lib, "vkGetInstanceProcAddr");
	if (e.lookup == NULL)
		e.error = "libvulkan.so.1 has no vkGetInstanceProcAddr";
	return e;
}
