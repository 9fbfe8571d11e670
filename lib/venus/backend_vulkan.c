// SPDX-License-Identifier: BSD-3-Clause
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>

#include "venus/session.h"

const struct rp_vn_backend *rp_vn_backend_vulkan(struct rp_error *err)
{
	static struct rp_vn_backend backend = {.name = "vulkan"};
	void *lib = dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL);

	if (lib != NULL)
		backend.lookup = (PFN_vkGetInstanceProcAddr)dlsym(lib, "vkGetInstanceProcAddr");
	if (backend.lookup != NULL)
		return &backend;
	rp_error_set(err, ENOENT, "backend", "vulkan",
		     "cannot load the Vulkan loader (%s); install libvulkan1 and a driver such as "
		     "mesa-vulkan-drivers, or use --backend canned",
		     dlerror());
	errno = ENOENT;
	return NULL;
}
