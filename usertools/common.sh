# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# What the scripts of this folder share: where things are, how they speak. Sourced, never run.

# Used by the scripts that source this file.
# shellcheck disable=SC2034
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export PATH="$PATH:/usr/sbin:/sbin"

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
	bold=$'\e[1m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'
else
	bold='' red='' green='' plain=''
fi

step() {
	printf '%s==> %s%s\n' "$bold" "$*" "$plain"
}

info() {
	printf '    %s\n' "$*"
}

die() {
	printf '%s%s: %s%s\n' "$red" "${0##*/}" "$*" "$plain" >&2
	exit 1
}

# The comment block at the top of a script, without its SPDX line, is the script's help.
show_help() {
	sed -n '3,/^[^#]/{s/^# \{0,1\}//p}' "$0"
}
