// SPDX-License-Identifier: BSD-3-Clause
#include "vulkan/connect.h"

#include "base/log.h"
#include "vulkan/icd.h"

// What the tables describe; a newer server is not used beyond it.
#define OUR_VERSION VK_API_VERSION_1_3

static bool to_wire(void *, enum rp_vn_type type, uint64_t handle, uint64_t *id)
{
	*id = rp_vn_handle_types[type].dispatchable
		      ? ((const struct icd_object *)(uintptr_t)handle)->id
		      : handle;
	return true;
}

// The client chose all ids, so the handles that a reply brings are those that the caller has.
static bool from_wire(void *, enum rp_vn_type, uint64_t, uint64_t *)
{
	return true;
}

int icd_connect(struct rp_vn_client *client)
{
	static const struct rp_vn_handles handles = {.to_wire = to_wire, .from_wire = from_wire};
	struct rp_vn_client_options o;
	struct rp_error err;
	char text[600];
	int rc;

	rp_vn_client_options_env(&o);
	rc = rp_vn_client_open(client, &o, &handles, &err);
	if (rc < 0 && o.verbose)
		rp_err("venus: %s", rp_error_text(&err, text, sizeof(text)));
	return rc;
}

VkResult icd_server_version(uint32_t *version)
{
	struct rp_vn_args_vkEnumerateInstanceVersion a = {.pApiVersion = version};
	const struct rp_vn_call call = {RP_VN_IDX_vkEnumerateInstanceVersion, &a};
	struct rp_vn_client client;
	int rc;

	if (icd_connect(&client) < 0)
		return VK_ERROR_INITIALIZATION_FAILED;
	rc = rp_vn_client_call(&client, &call, 1);
	rp_vn_client_close(&client);
	if (rc < 0)
		return VK_ERROR_INITIALIZATION_FAILED;
	if (a.ret == VK_SUCCESS && *version > OUR_VERSION)
		*version = OUR_VERSION;
	return a.ret;
}
