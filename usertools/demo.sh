#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Usage: sudo usertools/demo.sh [--keep] [--host-network]
#
# Two virtual machines on ringplane, from nothing: installs what is missing, builds, starts
# ringplane with the network of config/two-vms.rp, boots two small Linux guests in QEMU and shows
# how each gets its link, its addresses and its routes and reaches the gateway, the other guest and
# the host, over IPv4 and IPv6. Then ringplane's console shows its counters. Everything is gone
# afterwards; the host's own network is never touched.
#
#   --keep           leave it running, with ringplane's console here, until "quit"
#   --host-network   run in the host's own network instead of a namespace of the demo's own
set -euo pipefail
# shellcheck source=usertools/common.sh
. "$(dirname "$0")/common.sh"

config=$top/config/two-vms.rp
host4=169.254.0.2 host6=fd72:696e:67::1 # what ringplane gives its TAP
boot_seconds=90                         # only a failure takes that long
keep='' namespace=(--net)

for word in "$@"; do
	case $word in
	--keep) keep=1 ;;
	--host-network) namespace=() ;;
	-h | --help) show_help && exit 0 ;;
	*) die "unknown argument '$word': see --help" ;;
	esac
done

prepare() {
	local log how=()
	"$top/usertools/setup.sh"
	step "Build"
	cd "$top"
	[ -d build/meson-private ] && how=(--reconfigure)
	log=$(mktemp)
	if ! meson setup "${how[@]}" build >"$log" 2>&1; then
		cat "$log" && die "meson setup failed"
	fi
	rm "$log"
	ninja -C build
	step "Guest image"
	usertools/guest.sh build
	info "build/guest/guest.cpio is up to date"
}

[ "$(id -u)" = 0 ] || die "needs root for packages and a TAP: sudo usertools/demo.sh"
if [ -z "${RINGPLANE_DEMO_INSIDE:-}" ]; then
	prepare
	[ -e /dev/net/tun ] || die "no /dev/net/tun on this machine: 'modprobe tun' may bring it"
	# Whatever is started from here on ends with this script, even when it is killed.
	export RINGPLANE_DEMO_INSIDE=1
	exec unshare "${namespace[@]}" --pid --fork --kill-child --mount-proc "$0" "$@"
fi

begin=$SECONDS
dir=$(mktemp -d /tmp/ringplane-demo.XXXX)
export RUNTIME_DIRECTORY=$dir # for the files of DPDK
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM

# The first two CPUs that this process may use: main lcore and worker.
lcores() {
	local cpus
	cpus=$(awk '/^Cpus_allowed_list:/ {
		n = split($2, ranges, ",")
		for (i = 1; i <= n; i++) {
			split(ranges[i], ends, "-")
			for (cpu = ends[1]; cpu <= (ends[2] == "" ? ends[1] : ends[2]); cpu++)
				print cpu
		}
	}' /proc/self/status | head -n 2 | paste -sd' ')
	echo "0@${cpus% *},1@${cpus#* }"
}

memory_options() {
	local free
	free=$(awk '/^HugePages_Free/ { print $2 }' /proc/meminfo)
	if [ "${free:-0}" -ge 160 ]; then
		echo "--in-memory -m 256"
	else
		echo "--no-huge -m 256"
	fi
}

start_ringplane() {
	local vm command
	step "ringplane"
	# shellcheck disable=SC2207
	command=(build/app/ringplane/ringplane --lcores "$(lcores)" --no-pci $(memory_options) --
		--init "${config#"$top"/}" --socket-dir "$dir" -i)
	info "${command[*]}"
	mkfifo "$dir/console"
	(cd "$top" && exec "${command[@]}") <"$dir/console" >"$dir/ringplane.log" 2>&1 &
	ringplane=$!
	exec 3>"$dir/console"
	until grep -q ': ready$' "$dir/ringplane.log"; do
		kill -0 $ringplane 2>/dev/null || die "ringplane ended: $(tail "$dir/ringplane.log")"
		sleep 0.02
	done
	for vm in "${vms[@]}"; do
		info "$vm: listens on $dir/$vm.sock"
	done
}

# The word after KEY in the line of config/two-vms.rp that creates this VM's NIC.
nic_value() { # VM KEY
	awk -v vm="$1" -v key="$2" '$1 == "nic" && $3 == vm {
		for (i = 4; i < NF; i++) if ($i == key) print $(i + 1)
	}' "$config"
}

start_guest() { # VM OTHER-VM
	local ping=169.254.0.1,fe80::1%eth0 parameters
	ping+=,$(nic_value "$2" ipv4),$(nic_value "$2" ipv6),$host4,$host6
	parameters=("rp.name=$1" "rp.ping=$ping")
	[ -z "$keep" ] || parameters+=(rp.shell=1)
	"$top/usertools/guest.sh" run --socket "$dir/$1.sock" --mac "$(nic_value "$1" mac)" \
		--console "$dir/$1.console" -- "${parameters[@]}" </dev/null >"$dir/$1.qemu" 2>&1 &
	qemu[$1]=$!
}

what_is() { # ADDRESS
	case $1 in
	169.254.0.1 | fe80::1*) echo "the gateway" ;;
	"$host4" | "$host6") echo "the host" ;;
	*) echo "the other VM" ;;
	esac
}

# Retells what one guest tells, until it is ready; fails when it told of a failure or ended.
follow() { # VM
	local word rest ok=1 path=$dir/$1.console.log
	until [ -e "$path" ]; do
		kill -0 "${qemu[$1]}" 2>/dev/null || break
		sleep 0.02
	done
	while read -r word rest; do
		rest=${rest%$'\r'}
		case $word in
		GUEST-UP) info "$1  booted in     $rest s" ;;
		GUEST-LINK) info "$1  link          $rest" ;;
		GUEST-DHCP4) info "$1  DHCPv4 lease  $rest" ;;
		GUEST-DHCP6) info "$1  DHCPv6 lease  $rest" ;;
		GUEST-ROUTE4 | GUEST-ROUTE6) info "$1  route         ${rest%% proto *}" ;;
		GUEST-PING) info "$1  ping ${green}ok${plain}       $(what_is "${rest%% *}") ${rest/ / in }" ;;
		GUEST-FAIL) info "$1  ${red}FAILED${plain}        $rest" && ok=0 ;;
		GUEST-READY*) [ $ok = 1 ] && return 0 || return 1 ;;
		esac
	done < <(timeout $boot_seconds tail -n +1 -f --pid="${qemu[$1]}" "$path" 2>/dev/null)
	info "$1  ${red}FAILED${plain}        nothing more from the guest"
	tail -n 3 "$dir/$1.qemu"
	return 1
}

# Commands to ringplane's console; shown with what it answers.
console() { # COMMAND...
	local word
	for word in "$@"; do
		echo "$word" >&3
	done
}

declare -A qemu
mapfile -t vms < <(awk '$1 == "nic" { print $3 }' "$config")
failed=0
start_ringplane

step "Two guests"
start_guest "${vms[0]}" "${vms[1]}"
start_guest "${vms[1]}" "${vms[0]}"
followers=()
for vm in "${vms[@]}"; do
	follow "$vm" &
	followers+=($!)
done
for follower in "${followers[@]}"; do
	wait "$follower" || failed=1
done

step "ringplane's console"
seen=$(wc -c <"$dir/ringplane.log")
if [ -n "$keep" ] && [ $failed = 0 ]; then
	info "Type its commands here: show port stats all, show nic, show drops, help, quit."
	info "A guest's shell, from another terminal, left with Ctrl-]:"
	for vm in "${vms[@]}"; do
		info "  sudo socat -,raw,echo=0,escape=0x1d unix-connect:$dir/$vm.console"
	done
	tail -c "+$((seen + 1))" -f --pid=$ringplane "$dir/ringplane.log" &
	console "show nic"
	# Ends with ringplane, that is with "quit", and at the end of the input.
	while kill -0 $ringplane 2>/dev/null && read -r line; do
		console "$line"
		[ "$line" != quit ] || break
	done
else
	console "show port stats all" "show nic" "show drops" "show pipeline"
fi
console quit 2>/dev/null || true
exec 3>&-
wait $ringplane || failed=1
[ -n "$keep" ] || tail -c "+$((seen + 1))" "$dir/ringplane.log"

for vm in "${vms[@]}"; do
	kill "${qemu[$vm]}" 2>/dev/null || true
done
if [ $failed = 0 ]; then
	step "${green}Done${plain} in $((SECONDS - begin)) s; nothing is left behind"
else
	die "something failed: see above"
fi
