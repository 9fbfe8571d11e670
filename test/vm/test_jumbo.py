# SPDX-License-Identifier: BSD-3-Clause
"""A network with an MTU of 9000: told to the guests, and carried."""

import vm


class Jumbo(vm.VmTest):
    INIT = """
network create big ipv4 10.9.0.0/24 ipv6 fd09::/64 mtu 9000 public no
nic create vm1 network big mac 52:54:00:12:34:01 ipv4 10.9.0.5 ipv6 fd09::5
nic create vm2 network big mac 52:54:00:12:34:02 ipv4 10.9.0.6 ipv6 fd09::6
"""

    def test_full_frames_pass_between_guests_and_to_the_gateway(self):
        vm1 = self.boot("vm1", "52:54:00:12:34:01")
        vm2 = self.boot("vm2", "52:54:00:12:34:02")
        for guest in (vm1, vm2):
            guest.ready()
            self.assertIn("mtu 9000", guest.run("ip link show dev eth0"))
        for address in (vm.GATEWAY4, "10.9.0.6"):
            vm1.ping(address, "-M do -s 8972")
        for address in (vm.GATEWAY6 + "%eth0", "fd09::6"):
            vm1.ping(address, "-M do -s 8952")
        vm2.ping("10.9.0.5", "-M do -s 8972")
        vm1.stop()
        vm2.stop()


if __name__ == "__main__":
    vm.run()
