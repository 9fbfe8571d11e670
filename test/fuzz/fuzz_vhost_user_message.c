// SPDX-License-Identifier: BSD-3-Clause
// Whatever a peer sends on the control socket, in either direction: received through a real socket
// and checked as a request and as a reply to every request.
#include "vhost_user/socket.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct rp_vhu_msg *msg)
{
	const struct rp_vhu_message_info *info;
	struct rp_error err;
	char text[600];

	for (int direction = 0; direction < 2; direction++) {
		if (rp_vhu_check_request(msg, direction, &err) < 0)
			rp_error_text(&err, text, sizeof(text));
		for (unsigned int i = 0; (info = rp_vhu_message_at(direction, i)) != NULL; i++)
			rp_vhu_check_reply(msg, info, &err);
	}
}

// The first byte says how many descriptors go along; the rest goes as it is.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rp_vhu_msg msg;
	int s[2], fds[16];

	if (size < 2)
		return 0;
	for (int i = 0; i < 16; i++)
		fds[i] = STDERR_FILENO;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, s) < 0)
		abort();
	if (rp_vhu_send_raw(s[0], data + 1, size - 1, fds, data[0] & 15, 100, NULL) < 0)
		abort();
	close(s[0]);
	while (rp_vhu_recv(s[1], &msg, 0, NULL) == 0) {
		check(&msg);
		rp_vhu_close_fds(&msg);
	}
	close(s[1]);
	return 0;
}
