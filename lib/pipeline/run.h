/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

// The worker's main function, for rte_eal_remote_launch(). Internal to the pipeline.
int rp_worker_run(void *worker);
