// SPDX-License-Identifier: BSD-3-Clause
// guest-exit STATUS: ends QEMU at once through its isa-debug-exit device, with (STATUS << 1) | 1.
#include <stdio.h>
#include <stdlib.h>
#include <sys/io.h>

#define DEBUG_EXIT_PORT 0x501

int main(int argc, char **argv)
{
	if (argc != 2 || ioperm(DEBUG_EXIT_PORT, 1, 1) != 0) {
		fprintf(stderr, "usage: guest-exit STATUS (as root, with QEMU's isa-debug-exit)\n");
		return 1;
	}
	outb((unsigned char)atoi(argv[1]), DEBUG_EXIT_PORT);
	return 1;
}
