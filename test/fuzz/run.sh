#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# run.sh TARGET SEEDS: a short run of a fuzz target; what it learns is thrown away.
set -eu
new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT
"$1" -seed=1 -runs=200000 -max_total_time=5 -timeout=10 -print_final_stats=1 \
  -artifact_prefix="$new/" "$new" "$2" || {
  for f in "$new"/crash-* "$new"/leak-* "$new"/timeout-* "$new"/oom-*; do
    [ -e "$f" ] || continue
    echo "the input that fails, in base64:"
    base64 "$f"
  done
  # libFuzzer's own status for a crash is 77, which the test runner takes for "skipped".
  exit 1
}
