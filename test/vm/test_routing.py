# SPDX-License-Identifier: BSD-3-Clause
"""Routed prefixes, a network with its real mask, and what separates networks."""

import subprocess

import vm

MAC1 = "52:54:00:12:34:01"
MAC2 = "52:54:00:12:34:02"


class Routing(vm.VmTest):
    INIT = f"""
network create prod ipv4 10.0.0.0/24 ipv6 fd00::/64 public yes
network create other ipv4 10.8.0.0/24 ipv6 fd08::/64 real-mask yes public no
nic create vm1 network prod mac {MAC1} ipv4 10.0.0.5 ipv6 fd00::5 prefix 192.0.2.0/24 prefix 2001:db8:7::/48
nic create vm2 network other mac {MAC2} ipv4 10.8.0.6 ipv6 fd08::6
"""

    def assert_silent(self, guest, address):
        status, output = guest.attempt(f"/bin/ping -n -c 1 -W 1 {address}")
        self.assertNotEqual(status, 0, output)
        self.assertIn(" 0 received", output)

    def test_prefixes_and_borders(self):
        vm1 = self.boot("vm1", MAC1)
        vm2 = self.boot("vm2", MAC2)
        self.assertEqual(vm1.ready()["DHCP4"], "10.0.0.5/32")
        self.assertEqual(vm2.ready()["DHCP4"], "10.8.0.6/24")

        # The host reaches what stands behind vm1, and is answered from there.
        vm1.run("ip addr add 192.0.2.1/32 dev lo; ip addr add 2001:db8:7::1/128 dev lo")
        for address in ("192.0.2.1", "2001:db8:7::1"):
            subprocess.run(["ping", "-n", "-c", "3", "-i", "0.2", "-W", "5", address], check=True)
        vm1.ping(vm.HOST4, "-I 192.0.2.1")
        vm1.ping(vm.HOST6, "-I 2001:db8:7::1")
        # An address that is neither its own nor routed to it is no source for vm1.
        vm1.run("ip addr add 192.0.3.1/32 dev lo; ip addr add 2001:db8:8::1/128 dev lo")
        self.assert_silent(vm1, f"-I 192.0.3.1 {vm.HOST4}")
        self.assert_silent(vm1, f"-I 2001:db8:8::1 {vm.HOST6}")

        # The real mask changes nothing about the gateway; another network is out of reach, and so
        # is the host from a private one.
        vm2.ping(vm.GATEWAY4)
        vm2.ping(vm.GATEWAY6 + "%eth0")
        for guest, addresses in (
            (vm1, ("10.8.0.6", "fd08::6")),
            (vm2, ("10.0.0.5", "fd00::5", "192.0.2.1", vm.HOST4, vm.HOST6)),
        ):
            for address in addresses:
                self.assert_silent(guest, address)
        vm1.stop()
        vm2.stop()


if __name__ == "__main__":
    vm.run()
