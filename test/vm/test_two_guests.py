# SPDX-License-Identifier: BSD-3-Clause
"""Two guests and the host: what every guest of a public network gets, on the wire and behind it."""

import subprocess

import vm


class TwoGuests(vm.VmTest):
    INIT = """
network create prod ipv4 10.0.0.0/24 ipv6 fd00::/64 dns 1.1.1.1 dns 2606:4700:4700::1111 domain example.net mtu 1500 public yes
nic create vm1 network prod mac 52:54:00:12:34:01 ipv4 10.0.0.5 ipv6 fd00::5
nic create vm2 network prod mac 52:54:00:12:34:02 ipv4 10.0.0.6 ipv6 fd00::6
"""

    def assert_configured(self, guest, told, mac, ip4, ip6):
        self.assertEqual(told["LINK"], f"up {mac}")
        self.assertEqual(told["DHCP4"], f"{ip4}/32")
        self.assertEqual(told["DHCP6"], f"{ip6}/128")
        self.assertRegex(told["ROUTE4"], f"^default via {vm.GATEWAY4} dev eth0")
        self.assertRegex(told["ROUTE6"], f"^default via {vm.GATEWAY6} dev eth0 proto ra")
        lease = guest.run("cat /run/dhcp4.lease").splitlines()
        for words in ("dns=1.1.1.1", "domain=example.net", "mtu=1500", "lease=86400"):
            self.assertIn(words, lease)
        self.assertIn("nameserver 2606:4700:4700::1111", guest.run("cat /etc/resolv.conf"))

    def host_pings(self, address):
        """From the host, over the TAP."""
        subprocess.run(["ping", "-n", "-c", "3", "-i", "0.2", "-W", "5", address], check=True)

    def test_two_guests_and_the_host(self):
        # Without offloads, so that the capture in a guest sees the checksums that cross the wire.
        vm1 = self.boot(
            "vm1", "52:54:00:12:34:01", "--no-offload", "--capture", self.capture("vm1")
        )
        vm2 = self.boot(
            "vm2", "52:54:00:12:34:02", "--no-offload", "--capture", self.capture("vm2")
        )
        self.assert_configured(vm1, vm1.ready(), "52:54:00:12:34:01", "10.0.0.5", "fd00::5")
        self.assert_configured(vm2, vm2.ready(), "52:54:00:12:34:02", "10.0.0.6", "fd00::6")

        for guest, peer4, peer6 in ((vm1, "10.0.0.6", "fd00::6"), (vm2, "10.0.0.5", "fd00::5")):
            for address in (
                vm.GATEWAY4,
                vm.GATEWAY6 + "%eth0",
                peer4,
                peer6,
                vm.HOST4,
                vm.HOST6,
            ):
                with self.subTest(guest=guest.name, address=address):
                    guest.ping(address)
            for address in (vm.GATEWAY4, peer4):
                guest.ping(address, "-M do -s 1472")
            for address in (vm.GATEWAY6 + "%eth0", peer6):
                guest.ping(address, "-M do -s 1452")
        for address in ("10.0.0.5", "fd00::5", "10.0.0.6", "fd00::6"):
            self.host_pings(address)

        # Errors that ringplane itself sends.
        self.assertIn("exceeded", vm1.attempt("ping -n -c 1 -W 5 -t 1 10.0.0.6")[1])
        self.assertIn("exceeded", vm1.attempt("ping -n -c 1 -W 5 -t 1 fd00::6")[1])
        self.assertIn("nreachable", vm1.attempt("ping -n -c 1 -W 5 10.0.0.99")[1])
        self.assertIn("nreachable", vm1.attempt("ping -n -c 1 -W 5 fd00::99")[1])

        for guest in (vm1, vm2):
            guest.run("end_capture")
            self.assert_capture_clean(self.capture(guest.name), at_least=60)
            guest.stop()


if __name__ == "__main__":
    vm.run()
