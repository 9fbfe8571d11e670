// SPDX-License-Identifier: BSD-3-Clause
#include "pipeline/stage.h"

// Each line goes when the stage's own file lands.
#define PENDING(id)                                                                                \
	enum rp_stage rp_stage_##id(struct rp_packet *)                                            \
	{                                                                                          \
		return rp_drop(RP_DROP_local_service);                                             \
	}
PENDING(dhcp4_reply)
