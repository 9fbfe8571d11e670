// SPDX-License-Identifier: BSD-3-Clause
#include "testpmd.h"

#include <stdio.h>
#include <string.h>

#define START_MS 20000

int testpmd_prepare(struct testpmd *t)
{
	if (proc_make_dir(t->dir, sizeof(t->dir)) < 0)
		return -1;
	for (int i = 0; i < 2; i++)
		snprintf(t->path[i], sizeof(t->path[i]), "%s/port%d.sock", t->dir, i);
	return 0;
}

int testpmd_start(struct testpmd *t, bool server)
{
	char vdev[2][160], prefix[64];

	for (int i = 0; i < 2; i++)
		snprintf(vdev[i], sizeof(vdev[i]), "net_vhost%d,iface=%s,queues=2,client=%d", i,
			 t->path[i], !server);
	snprintf(prefix, sizeof(prefix), "--file-prefix=%s", strrchr(t->dir, '.') + 1);
	// clang-format off
	const char *argv[] = {
		"dpdk-testpmd", "-l", "0,1", "--no-huge", "-m", "256", "--no-pci", "--no-shconf",
		prefix, "--vdev", vdev[0], "--vdev", vdev[1], "--", "-i", "--auto-start",
		"--forward-mode=io", "--rxq=2", "--txq=2", "--total-num-mbufs=8192", NULL,
	};
	// clang-format on

	t->proc = proc_start("testpmd", argv);
	return t->proc != NULL && proc_wait_line(t->proc, "testpmd>", START_MS) == 0 ? 0 : -1;
}

void testpmd_stop(struct testpmd *t, bool passed)
{
	if (passed && t->proc != NULL)
		proc_passed(t->proc);
	proc_stop(t->proc);
	t->proc = NULL;
	proc_remove_dir(t->dir);
}
