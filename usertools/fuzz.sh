#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Usage: usertools/fuzz.sh [--list] [TARGET [SECONDS]]
#
# Runs one fuzz target under AddressSanitizer and UBSan for as long as wanted (an hour unless told
# otherwise) and keeps what it learns in build-asan/fuzz/TARGET for the next time. Inputs that make
# the target fail are left there as crash-*; to see one again:
#
#   build-asan/test/fuzz/fuzz_TARGET build-asan/fuzz/TARGET/crash-...
#
# Without a target it lists them.
set -euo pipefail
# shellcheck source=usertools/common.sh
. "$(dirname "$0")/common.sh"
cd "$top"

list() {
	local file
	for file in test/fuzz/fuzz_*.c; do
		file=${file##*/fuzz_}
		echo "${file%.c}"
	done
}

case ${1:---list} in
--list) list && exit 0 ;;
-h | --help) show_help && exit 0 ;;
esac

target=$1 seconds=${2:-3600}
[ -f "test/fuzz/fuzz_$target.c" ] || die "no target '$target'; there are: $(list | paste -sd' ')"
[[ $seconds =~ ^[1-9][0-9]*$ ]] || die "'$seconds' is no number of seconds"

how=()
[ -d build-asan/meson-private ] && how=(--reconfigure)
CC=clang meson setup "${how[@]}" build-asan -Db_sanitize=address,undefined -Db_lundef=false \
	-Dfuzzers=true >/dev/null
ninja -C build-asan "test/fuzz/fuzz_$target"
learned=build-asan/fuzz/$target
mkdir -p "$learned"
exec "build-asan/test/fuzz/fuzz_$target" -max_total_time="$seconds" -timeout=10 \
	-print_final_stats=1 -artifact_prefix="$learned/" "$learned" "test/fuzz/corpus/$target"
