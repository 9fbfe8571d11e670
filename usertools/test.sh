#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Usage: sudo usertools/test.sh
#
# Installs what is missing, builds ringplane twice (build/: gcc, optimized; build-asan/: clang with
# AddressSanitizer, UBSan and the fuzzers) and runs every test: formatting and scripts, unit and
# fuzz under the sanitizers, unit, integration and vm in the optimized build. The vm suite boots
# QEMU guests and needs root. The last line counts the tests: "N passed, N failed".
set -uo pipefail
# shellcheck source=usertools/common.sh
. "$(dirname "$0")/common.sh"
cd "$top" || exit 1

passed=0 failed=0 skipped=0
failures=() # "name<TAB>file with its log"

case ${1:-} in
'') ;;
-h | --help) show_help && exit 0 ;;
*) die "unknown argument '$1': see --help" ;;
esac

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

record() { # STATUS NAME LOG
	if [ "$1" = 0 ]; then
		passed=$((passed + 1))
		info "${green}ok${plain} $2"
	else
		failed=$((failed + 1))
		failures+=("$2"$'\t'"$3")
		info "${red}FAILED${plain} $2"
	fi
}

# One check that is not a meson test: counted like one.
check() { # NAME COMMAND...
	local name=$1 log
	shift
	log=$logs/$(tr -c 'a-z0-9\n' - <<<"$name")
	"$@" >"$log" 2>&1 </dev/null
	record $? "$name" "$log"
}

# A build is shown as it goes; only a broken one is counted, since nothing else would tell of it.
build() { # DIRECTORY MESON-OPTIONS...
	local dir=$1 log=$logs/build-$1 how=()
	shift
	[ -d "$dir/meson-private" ] && how=(--reconfigure)
	if meson setup "${how[@]}" "$dir" "$@" >"$log" 2>&1 </dev/null &&
		ninja -C "$dir" 2>&1 </dev/null | tee -a "$log"; then
		return 0
	fi
	record 1 "build of $dir" "$log"
	return 1
}

# Splits meson's log into one file a test and prints "result<TAB>name<TAB>file" lines.
split_testlog() { # TESTLOG PREFIX
	python3 - "$1" "$2" <<-'PY'
		import json, sys
		with open(sys.argv[1]) as log:
		    for i, line in enumerate(log):
		        test = json.loads(line)
		        path = f"{sys.argv[2]}.{i}"
		        with open(path, "w") as out:
		            out.write((test.get("stdout") or "") + (test.get("stderr") or ""))
		        print(test["result"], test["name"], path, sep="\t")
	PY
}

run_suites() { # DIRECTORY SUITE...
	local dir=$1 suites=() before=$failed runner=() log=$1/meson-logs/testsh.json
	local result name file suite status
	shift
	for suite in "$@"; do
		suites+=(--suite "$suite")
	done
	# Old AddressSanitizers cannot place their shadow memory under strong address randomization.
	[ "$dir" = build-asan ] && setarch "$(uname -m)" -R true 2>/dev/null &&
		runner=(setarch "$(uname -m)" -R)
	rm -f "$log"
	"${runner[@]}" meson test -C "$dir" --no-rebuild --logbase testsh "${suites[@]}" </dev/null
	status=$?
	if [ -f "$log" ]; then
		split_testlog "$log" "$logs/$dir-$1" >"$logs/results"
		while IFS=$'\t' read -r result name file; do
			case $result in
			OK | EXPECTEDFAIL) passed=$((passed + 1)) ;;
			SKIP) skipped=$((skipped + 1)) && info "skipped: $name" ;;
			*) failed=$((failed + 1)) && failures+=("$dir: $name"$'\t'"$file") ;;
			esac
		done <"$logs/results"
	fi
	if [ $status != 0 ] && [ "$failed" = "$before" ]; then
		echo "meson test ended with status $status and no log of a failed test" >"$logs/status"
		record 1 "$dir: suites $*" "$logs/status"
	fi
}

summary() {
	local failure log
	for failure in "${failures[@]}"; do
		log=${failure#*$'\t'}
		printf '\n%s--- failed: %s%s\n' "$red" "${failure%%$'\t'*}" "$plain"
		# What fails first may stand far above the end: programs say more while they go down.
		if [ "$(wc -l <"$log")" -gt 40 ]; then
			grep -nEi -m 12 'fail|error|assert|warning' "$log" | cut -c1-200 | sed 's/^/    line /'
			info "... and its end:"
		fi
		tail -n 40 "$log" | sed 's/^/    /'
	done
	echo
	info "took $((SECONDS / 60)) min $((SECONDS % 60)) s; $skipped skipped"
	echo "$passed passed, $failed failed"
	[ "$failed" = 0 ]
}

check_format() {
	git ls-files '*.c' '*.h' | xargs clang-format --dry-run --Werror
}

check_scripts() {
	git ls-files '*.sh' .ci/run | xargs shellcheck -x
}

usertools/setup.sh || die "the machine is not ready: see above"

step "Style"
# A source tree that another user owns is still ours to read.
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0="$top"
check "clang-format of all C files" check_format
check "shellcheck of all scripts" check_scripts

step "Sanitized build (clang, ASan, UBSan, fuzzers)"
if CC=clang build build-asan -Dwerror=true -Db_sanitize=address,undefined -Db_lundef=false \
	-Dfuzzers=true; then
	step "Unit and fuzz tests under the sanitizers"
	run_suites build-asan unit fuzz
fi

step "Optimized build (gcc)"
if CC=gcc build build -Dwerror=true; then
	step "Unit, integration and vm tests"
	run_suites build unit integration vm
fi

summary
