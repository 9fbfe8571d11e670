#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Usage: usertools/guest.sh build [--dir DIR] [--name NAME] [--add PROGRAM]...
#        usertools/guest.sh run   [--dir DIR] [--name NAME] [OPTION]... [-- PARAMETER...]
#
# Small Linux guests for QEMU without KVM: Debian's cloud kernel and an initramfs of busybox, ISC
# dhclient, ping, iproute2, ethtool, tcpdump and iperf3. They boot in about two seconds.
#
# "build" makes DIR/vmlinuz and DIR/NAME.cpio, or leaves them when nothing they are made of has
# changed. The kernel is downloaded once and unpacked in DIR, never installed. Default: build/guest
# and "guest". --add puts one more static program into /usr/bin of the guest.
#
# "run" becomes QEMU. PARAMETERs go to the kernel command line; usertools/guest/init tells which
# there are (rp.dhcp=, rp.ping=, ...). Options:
#   --socket PATH    vhost-user socket of eth0 (ringplane's); without it the guest has no eth0
#   --mac MAC        of eth0
#   --queues N       queue pairs of eth0 (default 1)
#   --no-offload     eth0 without checksum and segmentation offload
#   --console PATH   console on a Unix socket, logged to PATH.log (default: standard input, output)
#   --capture FILE   pcap of eth0, written by the guest itself
#   --memory MIB     (default 128)
#   --reboot         let the guest reboot (default: a reboot ends QEMU)
#   --qemu ARGUMENT  handed to QEMU as it is; may be repeated
#
# The guest's exit status reaches QEMU's through "guest-exit N": (N << 1) | 1.
set -euo pipefail
# shellcheck source=usertools/common.sh
. "$(dirname "$0")/common.sh"

source_dir=$top/usertools/guest
dir=$top/build/guest
name=guest

# In the order in which they must be loaded.
modules=(
	drivers/virtio/virtio_ring
	drivers/virtio/virtio
	drivers/virtio/virtio_pci_legacy_dev
	drivers/virtio/virtio_pci_modern_dev
	drivers/virtio/virtio_pci
	net/core/failover
	drivers/net/net_failover
	drivers/net/virtio_net
	net/vmw_vsock/vsock
	net/vmw_vsock/vmw_vsock_virtio_transport_common
	net/vmw_vsock/vmw_vsock_virtio_transport
)
# Loaded when a parameter asks for them.
more_modules=(drivers/acpi/button drivers/input/evdev)
programs=(dash dhclient ethtool ip iperf3 ping run-parts tcpdump)

fetch_kernel() {
	local package version
	[ -f "$dir/kernel/version" ] && return
	mkdir -p "$dir/kernel"
	find_kernel() {
		apt-cache depends linux-image-cloud-amd64 2>/dev/null |
			awk '$1 == "Depends:" && /linux-image-/ { print $2; exit }'
	}
	package=$(find_kernel)
	if [ -z "$package" ]; then
		apt-get -qq update || die "cannot read Debian's package lists: run usertools/setup.sh as root"
		package=$(find_kernel)
	fi
	[ -n "$package" ] || die "no linux-image-cloud-amd64 in the package lists: is this Debian 12?"
	version=${package#linux-image-}
	step "Downloading $package (27 MB), once"
	# root's apt would warn that its download user cannot write here.
	(cd "$dir/kernel" && apt-get -q -o APT::Sandbox::User=root download "$package" >/dev/null) ||
		die "download of $package failed: run 'apt-get update' and try again"
	dpkg-deb --fsys-tarfile "$dir/kernel/${package}"_*.deb |
		tar -x -C "$dir/kernel" "./boot/vmlinuz-$version" "./lib/modules/$version/kernel/drivers" \
		"./lib/modules/$version/kernel/net"
	rm -f "$dir/kernel/${package}"_*.deb
	cp "$dir/kernel/boot/vmlinuz-$version" "$dir/vmlinuz"
	echo "$version" >"$dir/kernel/version"
}

# Everything that the image is made of, so that a change of any is seen.
image_inputs() {
	local program
	cat "$dir/kernel/version"
	cksum "$source_dir"/* "$0"
	for program in busybox "${programs[@]}"; do
		cksum "$(command -v "$program")" || die "no program '$program': run usertools/setup.sh"
	done
	for program in "$@"; do
		cksum "$program"
	done
}

# A program and the libraries that it needs, at the places where they are here.
copy_program() { # ROOT PROGRAM
	local path file
	path=$(command -v "$2")
	for file in "$path" $(ldd "$path" | grep -o '/[^ ]*'); do
		[ -e "$1$file" ] || install -D "$file" "$1$file"
	done
}

copy_modules() { # ROOT
	local module base
	base=$dir/kernel/lib/modules/$(<"$dir/kernel/version")/kernel
	mkdir -p "$1/modules"
	for module in "${modules[@]}" "${more_modules[@]}"; do
		strip --strip-debug -o "$1/modules/${module##*/}.ko" "$base/$module.ko"
	done
	printf '%s\n' "${modules[@]##*/}" >"$1/modules/order"
}

make_root() { # ROOT PROGRAM...
	local root=$1 program applet
	shift
	# As Debian does since 12: /bin and the like are links into /usr.
	mkdir -p "$root"/{proc,sys,dev,run,root,tmp,etc/dhcp,usr/{bin,sbin,lib,lib64},var/{lib/dhcp,run}}
	for program in bin sbin lib lib64; do
		ln -s "usr/$program" "$root/$program"
	done
	install "$source_dir/init" "$root/init"
	install "$source_dir/udhcpc.script" "$root/etc/udhcpc.script"
	echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
	echo 'root:x:0:' >"$root/etc/group"
	echo '127.0.0.1 localhost' >"$root/etc/hosts"
	touch "$root/etc/fstab" "$root/etc/resolv.conf"
	# busybox's shell can edit lines, but runs its own applets unless told otherwise.
	echo 'alias ip=/sbin/ip ping=/bin/ping' >"$root/etc/shellrc"
	mkdir -p "$root/etc/acpi/PWRF"
	printf '#!/bin/sh\npoweroff -f\n' | install -m 755 /dev/stdin "$root/etc/acpi/PWRF/00000080"

	for program in "${programs[@]}"; do
		copy_program "$root" "$program"
	done
	install "$(PATH=/sbin:/usr/sbin:$PATH command -v dhclient-script)" "$root/sbin/dhclient-script"
	cp -r /etc/dhcp/dhclient.conf /etc/dhcp/dhclient-exit-hooks.d "$root/etc/dhcp/"
	gcc -static -O2 -o "$root/usr/bin/guest-exit" "$source_dir/exit.c"
	[ $# = 0 ] || install "$@" "$root/usr/bin/"
	copy_modules "$root"

	# The shell is dash: busybox's own would take its applets before iproute2, ping and the like.
	ln -s dash "$root/bin/sh"
	install "$(command -v busybox)" "$root/bin/busybox"
	for applet in $(busybox --list); do
		[ -e "$root/bin/$applet" ] || [ -e "$root/sbin/$applet" ] ||
			ln -s busybox "$root/bin/$applet"
	done
}

build_image() {
	local add=() root
	while [ $# -gt 0 ]; do
		case $1 in
		--dir) dir=$2 && shift 2 ;;
		--name) name=$2 && shift 2 ;;
		--add) add+=("$2") && shift 2 ;;
		*) die "build: unknown argument '$1': see --help" ;;
		esac
	done
	mkdir -p "$dir"
	exec 9>"$dir/lock"
	flock 9
	fetch_kernel
	image_inputs "${add[@]}" >"$dir/$name.inputs.new"
	if [ -f "$dir/$name.cpio" ] && cmp -s "$dir/$name.inputs.new" "$dir/$name.inputs"; then
		rm "$dir/$name.inputs.new"
		return
	fi
	root=$(mktemp -d)
	# shellcheck disable=SC2064
	trap "rm -rf '$root'" EXIT
	make_root "$root" "${add[@]}"
	# Not compressed: unpacking would cost an emulated CPU more than reading does.
	(cd "$root" && find . | cpio --quiet -o -H newc -R 0:0) >"$dir/$name.cpio.new"
	mv "$dir/$name.cpio.new" "$dir/$name.cpio"
	mv "$dir/$name.inputs.new" "$dir/$name.inputs"
	info "built $dir/$name.cpio, kernel $(<"$dir/kernel/version")"
}

run_guest() {
	local socket='' mac=52:54:00:00:00:01 queues=1 offload='' console='' memory=128 more=()
	local reboot=(-no-reboot) capture=() parameters=() extra=()
	while [ $# -gt 0 ]; do
		case $1 in
		--dir) dir=$2 && shift 2 ;;
		--name) name=$2 && shift 2 ;;
		--socket) socket=$2 && shift 2 ;;
		--mac) mac=$2 && shift 2 ;;
		--queues) queues=$2 && shift 2 ;;
		--no-offload)
			offload=,csum=off,gso=off,host_tso4=off,host_tso6=off,host_ecn=off,host_ufo=off
			offload+=,guest_csum=off,guest_tso4=off,guest_tso6=off,guest_ecn=off,guest_ufo=off
			shift
			;;
		--console) console=$2 && shift 2 ;;
		--capture) capture=(-serial "file:$2") && parameters+=(rp.capture=1) && shift 2 ;;
		--memory) memory=$2 && shift 2 ;;
		--reboot) reboot=() && shift ;;
		--qemu) extra+=("$2") && shift 2 ;;
		--) shift && parameters+=("$@") && break ;;
		*) die "run: unknown argument '$1': see --help" ;;
		esac
	done
	[ -f "$dir/$name.cpio" ] || die "no $dir/$name.cpio: run 'usertools/guest.sh build' first"
	if [ -n "$console" ]; then
		more+=(-chardev "socket,id=console,path=$console,server=on,wait=off,logfile=$console.log")
	else
		more+=(-chardev "stdio,id=console,signal=off")
	fi
	if [ -n "$socket" ]; then
		# vectors=0: QEMU 7.2 without KVM dies when it unmasks the MSI-X vectors of a vhost device.
		more+=(
			-chardev "socket,id=eth0,path=$socket"
			-netdev "vhost-user,id=eth0,chardev=eth0,queues=$queues"
			-device "virtio-net-pci,netdev=eth0,mac=$mac,vectors=0,romfile=,mq=on$offload"
		)
	fi
	# tsc=unstable: on a busy host the kernel would measure its speed wrongly, and time with it.
	exec qemu-system-x86_64 -M q35 -accel tcg -cpu max -m "$memory" -nodefaults -no-user-config \
		-display none "${reboot[@]}" \
		-object "memory-backend-memfd,id=memory,size=${memory}M,share=on" \
		-machine memory-backend=memory -device isa-debug-exit,iobase=0x501,iosize=2 \
		-kernel "$dir/vmlinuz" -initrd "$dir/$name.cpio" \
		-append "console=ttyS0 quiet panic=-1 cryptomgr.notests tsc=unstable ${parameters[*]}" \
		"${more[@]}" -serial chardev:console "${capture[@]}" "${extra[@]}"
}

case ${1:-} in
build) shift && build_image "$@" ;;
run) shift && run_guest "$@" ;;
-h | --help) show_help ;;
*) die "say 'build' or 'run': see --help" ;;
esac
