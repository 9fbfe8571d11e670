# SPDX-License-Identifier: BSD-3-Clause
"""A NIC with four queue pairs: guests use as many as they like."""

import vm

MAC1 = "52:54:00:12:34:01"
MAC2 = "52:54:00:12:34:02"


class Queues(vm.VmTest):
    INIT = f"""
network create prod ipv4 10.0.0.0/24 ipv6 fd00::/64 public no
nic create vm1 network prod mac {MAC1} ipv4 10.0.0.5 ipv6 fd00::5 queues 4
nic create vm2 network prod mac {MAC2} ipv4 10.0.0.6 ipv6 fd00::6 queues 4
"""

    def test_fewer_queues_than_offered(self):
        # One CPU: Linux enables one pair of the four. Two CPUs: it enables two, later one.
        vm1 = self.boot("vm1", MAC1, "--queues", "4")
        vm2 = self.boot("vm2", MAC2, "--queues", "4", "--qemu", "-smp", "--qemu", "2")
        vm1.ready()
        vm2.ready()
        self.assertRegex(vm1.run("ethtool -l eth0"), r"(?s)Current.*Combined:\s+1\b")
        self.assertRegex(vm2.run("ethtool -l eth0"), r"(?s)Current.*Combined:\s+2\b")
        for cpus in ("1", "2", "3"):  # a mask: from either CPU, then from both
            vm2.ping("10.0.0.5", cpus=cpus)
            vm2.ping("fd00::5", cpus=cpus)
        vm2.run("ethtool -L eth0 combined 1")
        vm2.ping("10.0.0.5")
        vm1.ping("fd00::6")
        vm2.run("ethtool -L eth0 combined 2")
        vm1.ping("10.0.0.6")
        vm2.ping("fd00::5")
        vm1.stop()
        vm2.stop()


if __name__ == "__main__":
    vm.run()
