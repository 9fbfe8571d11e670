// SPDX-License-Identifier: BSD-3-Clause
#include "virtio/net.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void names_depend_on_the_device_type(void **)
{
	assert_string_equal(rp_virtio_feature_name(RP_VIRTIO_NET, 15), "NET_MRG_RXBUF");
	assert_string_equal(rp_virtio_feature_name(RP_VIRTIO_BLK, 15), "BLK_LIFETIME");
	assert_string_equal(rp_virtio_feature_name(RP_VIRTIO_GPU, 0), "GPU_VIRGL");
	assert_string_equal(rp_virtio_feature_name(RP_VIRTIO_VSOCK, 1), "VSOCK_SEQPACKET");
	assert_string_equal(rp_virtio_feature_name(RP_VIRTIO_FS, 0), "FS_NOTIFICATION");
	assert_string_equal(rp_virtio_feature_name(RP_VIRTIO_FS, 34), "RING_PACKED");
	assert_null(rp_virtio_feature_name(RP_VIRTIO_NET, 4));
	assert_null(rp_virtio_feature_name(RP_VIRTIO_NET, 64));
	assert_null(rp_virtio_feature_name((enum rp_virtio_device)99, 0));
}

static void bits_agree_with_the_kernel(void **)
{
	assert_int_equal(RP_VIRTIO_F_NET_MRG_RXBUF, VIRTIO_NET_F_MRG_RXBUF);
	assert_int_equal(RP_VIRTIO_F_NET_CSUM, VIRTIO_NET_F_CSUM);
	assert_int_equal(RP_VIRTIO_F_NET_MQ, VIRTIO_NET_F_MQ);
	assert_int_equal(RP_VIRTIO_F_NET_GUEST_TSO6, VIRTIO_NET_F_GUEST_TSO6);
	assert_int_equal(RP_VIRTIO_F_VERSION_1, VIRTIO_F_VERSION_1);
	assert_int_equal(RP_VIRTIO_F_RING_PACKED, VIRTIO_F_RING_PACKED);
}

static void every_name_leads_back_to_its_bit(void **)
{
	for (unsigned int bit = 0; bit < 64; bit++) {
		const char *name = rp_virtio_feature_name(RP_VIRTIO_NET, bit);

		if (name != NULL)
			assert_int_equal(rp_virtio_feature_bit(RP_VIRTIO_NET, name), bit);
	}
	assert_int_equal(rp_virtio_feature_bit(RP_VIRTIO_NET, "event_idx"), 29);
	assert_int_equal(rp_virtio_feature_bit(RP_VIRTIO_NET, "nonsense"), -ENOENT);
}

static void header_length_follows_version_and_mergeable(void **)
{
	assert_int_equal(rp_virtio_net_hdr_len(0), 10);
	assert_int_equal(rp_virtio_net_hdr_len(RP_VIRTIO_BIT(NET_CSUM)), 10);
	assert_int_equal(rp_virtio_net_hdr_len(RP_VIRTIO_BIT(VERSION_1)), 12);
	assert_int_equal(rp_virtio_net_hdr_len(RP_VIRTIO_BIT(NET_MRG_RXBUF)), 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_depend_on_the_device_type),
		cmocka_unit_test(bits_agree_with_the_kernel),
		cmocka_unit_test(every_name_leads_back_to_its_bit),
		cmocka_unit_test(header_length_follows_version_and_mergeable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
