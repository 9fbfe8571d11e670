// SPDX-License-Identifier: BSD-3-Clause
#include "venus/token.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int rp_vn_token_read(char token[RP_VN_MAX_TOKEN + 1], const char *path, struct rp_error *err)
{
	ssize_t n;
	int fd;

	token[0] = '\0';
	if (path == NULL)
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd >= 0 ? read(fd, token, RP_VN_MAX_TOKEN + 1) : -1;
	if (n < 0)
		rp_error_set(err, errno, "token file", path, "%s", strerror(errno));
	if (fd >= 0)
		close(fd);
	if (n < 0)
		return -err->code;
	if (n > (ssize_t)RP_VN_MAX_TOKEN)
		return rp_error_set(err, EINVAL, "token file", path, "longer than %u bytes",
				    RP_VN_MAX_TOKEN);
	token[n] = '\0';
	token[strcspn(token, "\r\n")] = '\0';
	if (token[0] == '\0')
		return rp_error_set(err, EINVAL, "token file", path, "its first line is empty");
	return 0;
}

bool rp_vn_token_equal(const char *a, const char *b)
{
	size_t na = strlen(a), nb = strlen(b);
	unsigned char diff = na != nb;

	for (size_t i = 0; i < na; i++)
		diff |= (unsigned char)(a[i] ^ b[i < nb ? i : 0]);
	return diff == 0;
}
