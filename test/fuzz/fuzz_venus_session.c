// SPDX-License-Identifier: BSD-3-Clause
#include "venus/session.h"

/*
 * Frames of a client that has greeted and made an instance and a device, served on the canned
 * device. The input is one payload: commands one after the other.
 */

static int drop_reply(void *, const void *, size_t)
{
	return 0;
}

static void put_object(struct rp_vn_session *s, uint64_t id, enum rp_vn_type type, uint64_t device,
		       uint64_t handle)
{
	struct rp_vn_object *obj = rp_vn_object_add(&s->objects, id, type);

	obj->device = device;
	obj->handle = handle;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rp_vn_session s = {
		.backend = rp_vn_backend_canned(), .token = "", .send = drop_reply};

	VkInstance instance;

	if (rp_vn_session_init(&s) < 0)
		return 0;
	s.welcome = true;
	s.driver.CreateInstance(NULL, NULL, &instance); // takes back the last round's memory
	put_object(&s, 1, RP_VN_TYPE_VkInstance, 0, 1);
	put_object(&s, 2, RP_VN_TYPE_VkPhysicalDevice, 0, 2);
	put_object(&s, 3, RP_VN_TYPE_VkDevice, 3, 3);
	put_object(&s, 4, RP_VN_TYPE_VkQueue, 3, 4);
	rp_vn_session_frame(&s, rp_reader(data, size));
	rp_vn_session_fini(&s);
	return 0;
}
