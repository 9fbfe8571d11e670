#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Usage: sudo usertools/setup.sh
#
# Prepares a Debian 12 machine: installs the packages that building, testing and the demo need
# and that are not there yet, then sets up hugepages where the machine allows it. Run it as often
# as you like: what is in place is left alone.
set -euo pipefail
# shellcheck source=usertools/common.sh
. "$(dirname "$0")/common.sh"

build_packages=(
	build-essential
	glslang-tools
	libbsd-dev
	libcmocka-dev
	libdpdk-dev
	libevent-dev
	libjansson-dev
	libnl-3-dev
	libnl-route-3-dev
	libnuma-dev
	libpcap-dev
	libreadline-dev
	libsqlite3-dev
	libvulkan-dev
	meson
	ninja-build
	pkg-config
	uuid-dev
)
test_packages=(
	busybox-static
	clang
	clang-format
	cpio
	dpdk
	dpdk-dev
	ethtool
	git
	iperf3
	iproute2
	iputils-ping
	isc-dhcp-client
	kmod
	libclang-rt-14-dev
	llvm
	mesa-vulkan-drivers
	procps
	python3
	qemu-system-x86
	qemu-utils
	shellcheck
	socat
	tcpdump
	tshark
	vulkan-tools
)
hugepages_wanted=512 # of 2 MiB: the daemon's pools, and two small guests with room to spare

install_packages() {
	local missing=() installed name
	installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' 2>/dev/null |
		awk '$1 == "installed" { print $2 }')
	for name in "${build_packages[@]}" "${test_packages[@]}"; do
		grep -qxF "$name" <<<"$installed" || missing+=("$name")
	done
	if [ ${#missing[@]} = 0 ]; then
		info "all packages are installed"
		return
	fi
	info "missing: ${missing[*]}"
	[ "$(id -u)" = 0 ] || die "installing packages needs root: run 'sudo usertools/setup.sh'"
	command -v apt-get >/dev/null || die "no apt-get here: this script knows Debian 12 only"
	export DEBIAN_FRONTEND=noninteractive
	apt-get -qq update || die "apt-get update failed: check the network and /etc/apt/sources.list"
	apt-get -y -q install --no-install-recommends "${missing[@]}" </dev/null ||
		die "apt-get could not install all packages: see its message above"
}

# 2 MiB pages: at most a quarter of the memory that is free, never fewer than there are now.
setup_hugepages() {
	local file=/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
	local have want room got

	if [ ! -r $file ]; then
		info "hugepages: this kernel has none of 2 MiB; use --no-huge"
		return
	fi
	have=$(<$file)
	room=$(awk '/^MemAvailable/ { print int($2 / 4 / 2048) }' /proc/meminfo)
	want=$((room < hugepages_wanted ? room : hugepages_wanted))
	if [ "$have" -lt "$want" ]; then
		if ! { echo "$want" >$file; } 2>/dev/null; then
			info "hugepages: $have, may not be changed from here; use --no-huge"
			return
		fi
		got=$(<$file)
		info "hugepages: raised from $have to $got of 2 MiB (asked for $want) until the next boot"
	else
		info "hugepages: $have of 2 MiB are set up already"
	fi
	if [ "$(<$file)" != 0 ] && ! grep -q ' hugetlbfs ' /proc/mounts; then
		mkdir -p /dev/hugepages 2>/dev/null || true
		if mount -t hugetlbfs hugetlbfs /dev/hugepages 2>/dev/null; then
			info "hugepages: mounted hugetlbfs on /dev/hugepages"
		else
			info "hugepages: cannot mount hugetlbfs; use --no-huge"
		fi
	fi
}

case ${1:-} in
'') ;;
-h | --help) show_help && exit 0 ;;
*) die "unknown argument '$1': see --help" ;;
esac

step "Packages"
install_packages
step "Hugepages"
setup_hugepages
