# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Completion for bash: ringctl itself knows what may follow, names of networks and NICs included.
_ringctl() {
	mapfile -t COMPREPLY < <(ringctl --complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _ringctl ringctl
