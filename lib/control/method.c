// SPDX-License-Identifier: BSD-3-Clause
#include "control/method.h"

#include <errno.h>
#include <stdlib.h>

static int no_such(const char *kind, const char *field, const char *name, const char *const *names,
		   size_t n, struct rp_error *err)
{
	const char *near = rp_words_nearest(name, names, n);

	if (near != NULL)
		return rp_error_set(err, ENOENT, field, name,
				    "there is no such %s; did you mean '%s'?", kind, near);
	return rp_error_set(err, ENOENT, field, name,
			    "there is no such %s; 'list' shows those there are", kind);
}

struct rp_network *rp_control_network(const struct rp_fabric *fabric, const char *field,
				      const char *name, struct rp_error *err)
{
	struct rp_network *network = rp_network_find(fabric, name);
	const char **names;
	size_t n = 0;

	if (network != NULL)
		return network;
	names = calloc(fabric->n_networks + 1u, sizeof(*names));
	if (names != NULL) {
		TAILQ_FOREACH (network, &fabric->networks, entry)
			names[n++] = network->cfg.name;
	}
	no_such("network", field, name, names, n, err);
	free(names);
	return NULL;
}

struct rp_nic *rp_control_nic(const struct rp_fabric *fabric, const char *field, const char *name,
			      struct rp_error *err)
{
	struct rp_nic *nic = rp_nic_find(fabric, name);
	const char **names;
	size_t n = 0;

	if (nic != NULL)
		return nic;
	names = calloc(fabric->n_nics + 1u, sizeof(*names));
	if (names != NULL) {
		TAILQ_FOREACH (nic, &fabric->nics, entry)
			names[n++] = nic->cfg.name;
	}
	no_such("NIC", field, name, names, n, err);
	free(names);
	return NULL;
}

json_t *rp_json_prefix(const struct rp_prefix *p)
{
	char text[RP_ADDR_STR];

	return p->addr.family == RP_NONE ? NULL : json_string(rp_prefix_format(p, text));
}

json_t *rp_json_addr(const struct rp_addr *a)
{
	char text[RP_ADDR_STR];

	return a->family == RP_NONE ? NULL : json_string(rp_addr_format(a, text));
}

json_t *rp_json_text(const char *text)
{
	return text[0] == '\0' ? NULL : json_string(text);
}

int rp_control_result(json_t *json, json_t **result, struct rp_error *err)
{
	if (json == NULL)
		return rp_error_set(err, ENOMEM, NULL, NULL,
				    "done, but there is no memory to show the result");
	*result = json;
	return 0;
}
