#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# test_pkgconfig.sh BUILD EXAMPLE: a program outside this tree builds with nothing but what is
# installed and its pkg-config file, and runs.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
DESTDIR=$dir meson install -C "$1" --no-rebuild --tags devel >"$dir/log" || {
	cat "$dir/log"
	exit 1
}
pc=$(find "$dir" -name libringplane-vhost-user.pc)
export PKG_CONFIG_PATH="${pc%/*}" PKG_CONFIG_SYSROOT_DIR="$dir"
# shellcheck disable=SC2046
cc -Wall -Wextra -Werror -o "$dir/vm" "$2" \
	$(pkg-config --cflags --libs --static libringplane-vhost-user)
if "$dir/vm" "$dir/none" 2>"$dir/err"; then
	echo "expected a failure without a back-end"
	exit 1
fi
grep -q "no such socket" "$dir/err"
