// SPDX-License-Identifier: BSD-3-Clause
#include "vulkan/connect.h"

#include "base/log.h"

int icd_connect(struct rp_vn_client *client, const struct rp_vn_handles *handles,
		const struct rp_vn_call *first)
{
	struct rp_vn_client_options o;
	struct rp_error err;
	char text[600];
	int rc;

	rp_vn_client_options_env(&o);
	rc = rp_vn_client_open(client, &o, handles, first, &err);
	if (rc < 0 && o.verbose)
		rp_err("venus: %s", rp_error_text(&err, text, sizeof(text)));
	return rc;
}

// The layer and the version query name no objects.
static bool no_object(void *, enum rp_vn_type, uint64_t, uint64_t *)
{
	return false;
}

VkResult icd_server_version(uint32_t *version)
{
	static const struct rp_vn_handles none = {.to_wire = no_object, .from_wire = no_object};
	struct rp_vn_args_vkEnumerateInstanceVersion a = {.pApiVersion = version};
	const struct rp_vn_call call = {RP_VN_IDX_vkEnumerateInstanceVersion, &a};
	struct rp_vn_client client;

	if (icd_connect(&client, &none, &call) < 0)
		return VK_ERROR_INITIALIZATION_FAILED;
	rp_vn_client_close(&client);
	if (a.ret == VK_SUCCESS && *version > ICD_API_VERSION)
		*version = ICD_API_VERSION;
	return a.ret;
}
