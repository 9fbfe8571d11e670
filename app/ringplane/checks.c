// SPDX-License-Identifier: BSD-3-Clause
#include "checks.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_lcore.h>

static bool has_free_hugepages(void)
{
	static const char root[] = "/sys/kernel/mm/hugepages";
	DIR *dir = opendir(root);
	struct dirent *e;
	bool found = false;

	while (dir != NULL && !found && (e = readdir(dir)) != NULL) {
		char path[512];
		unsigned long n = 0;
		FILE *f;

		snprintf(path, sizeof(path), "%s/%s/free_hugepages", root, e->d_name);
		f = fopen(path, "r");
		if (f == NULL)
			continue;
		found = fscanf(f, "%lu", &n) == 1 && n > 0;
		fclose(f);
	}
	if (dir != NULL)
		closedir(dir);
	return found;
}

int rp_check_memory(int argc, char *const *argv, struct rp_error *err)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--no-huge") == 0 || strcmp(argv[i], "--help") == 0 ||
		    strcmp(argv[i], "-h") == 0)
			return 0;
	if (has_free_hugepages())
		return 0;
	return rp_error_set(
		err, ENOMEM, "hugepages", NULL,
		"none are free; reserve some (sysctl vm.nr_hugepages=512) or start with "
		"--no-huge -m 256 before the --");
}

int rp_check_lcores(struct rp_error *err)
{
	if (rte_lcore_count() >= 2)
		return 0;
	return rp_error_set(err, EINVAL, "lcores", NULL,
			    "only lcore %u is there, for the control plane; a worker needs one of "
			    "its own: start with -l 0-1 or more",
			    rte_get_main_lcore());
}

int rp_check_socket_dir(const char *dir, struct rp_error *err)
{
	struct stat st;

	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return rp_error_set(err, errno, "--socket-dir", dir,
				    "cannot be made: %s; name one that you may write",
				    strerror(errno));
	if (stat(dir, &st) < 0 || !S_ISDIR(st.st_mode))
		return rp_error_set(err, ENOTDIR, "--socket-dir", dir,
				    "is no directory; name another");
	if (access(dir, W_OK | X_OK) < 0)
		return rp_error_set(err, errno, "--socket-dir", dir,
				    "is not writable: %s; name one that you may write",
				    strerror(errno));
	return 0;
}
