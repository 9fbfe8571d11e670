// SPDX-License-Identifier: BSD-3-Clause
// A VM in 60 lines: connects to a vhost-user back-end, broadcasts one frame, prints what comes
// back.
//
//	cc -o vm vhost_user_frontend.c $(pkg-config --cflags --libs libringplane-vhost-user)
//	./vm /run/ringplane/vm1.sock
#include <vhost_user/frontend.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int fail(const struct rp_error *err)
{
	char text[600];

	fprintf(stderr, "vm: %s\n", rp_error_text(err, text, sizeof(text)));
	return 1;
}

static void print_features(uint64_t features)
{
	for (unsigned int bit = 0; bit < 64; bit++) {
		const char *name = rp_virtio_feature_name(RP_VIRTIO_NET, bit);

		if ((features >> bit & 1) != 0)
			printf(" %s", name != NULL ? name : "?");
	}
	putchar('\n');
}

int main(int argc, char **argv)
{
	// To broadcast, from a local address, of the type for experiments (IEEE 802).
	uint8_t frame[2048] = {255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 1, 0x88, 0xb5};
	const struct rp_frontend_config cfg = {.mtu = 1500};
	struct rp_error err = {0};
	struct rp_frontend *vm;
	ssize_t len;
	int rc;

	if (argc != 2) {
		fprintf(stderr, "usage: %s SOCKET\n", argv[0]);
		return 2;
	}
	vm = rp_frontend_connect(argv[1], &err);
	if (vm == NULL)
		return fail(&err);
	if (rp_frontend_setup(vm, &cfg, &err) < 0) {
		rp_frontend_free(vm);
		return fail(&err);
	}
	printf("negotiated:");
	print_features(rp_frontend_features(vm));
	rp_frontend_send_packet(vm, frame, 60);
	while ((rc = rp_frontend_wait_for_rx(vm, 1000)) == 0)
		while ((len = rp_frontend_recv_packet(vm, frame, sizeof(frame))) >= 0)
			printf("received %zd bytes from %02x:%02x:%02x:%02x:%02x:%02x\n", len,
			       frame[6], frame[7], frame[8], frame[9], frame[10], frame[11]);
	printf("%s\n", rc == -ETIMEDOUT ? "a second of silence" : strerror(-rc));
	rp_frontend_disconnect(vm);
	rp_frontend_free(vm);
	return 0;
}
