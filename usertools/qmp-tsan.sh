#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Usage: usertools/qmp-tsan.sh [BUILD-DIR]
#
# Builds the unit tests of lib/qmp with ThreadSanitizer and runs them. Default: build-tsan.
set -euo pipefail

top=$(cd "$(dirname "$0")/.." && pwd)
build=${1:-$top/build-tsan}

[[ -d $build ]] || meson setup "$build" "$top" -Db_sanitize=thread
names=()
for file in "$top"/test/unit/qmp/test_*.c; do
	name=${file##*/test_}
	names+=("qmp_${name%.c}")
done
ninja -C "$build" "${names[@]/#/test/unit/qmp/test_}"
TSAN_OPTIONS=halt_on_error=1 meson test -C "$build" --no-rebuild --timeout-multiplier 5 "${names[@]}"
