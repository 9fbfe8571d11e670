# SPDX-License-Identifier: BSD-3-Clause
"""What happens to one guest is no other guest's trouble: reboot, kill -9, return."""

import re

import vm

MAC1 = "52:54:00:12:34:01"
MAC2 = "52:54:00:12:34:02"


class Lifecycle(vm.VmTest):
    INIT = f"""
network create prod ipv4 10.0.0.0/24 ipv6 fd00::/64 public yes
nic create vm1 network prod mac {MAC1} ipv4 10.0.0.5 ipv6 fd00::5
nic create vm2 network prod mac {MAC2} ipv4 10.0.0.6 ipv6 fd00::6
"""

    def undisturbed(self, guest):
        """Starts pings of the gateway and the host; returns a check that none was lost."""
        pings = [
            guest.start(f"ping -n -i 0.05 {address}")
            for address in (vm.GATEWAY4, vm.GATEWAY6 + "%eth0", vm.HOST4)
        ]
        for ping in pings:
            ping.await_lines(5)

        def check():
            for ping in pings:
                ping.await_lines(20)
            guest.run("killall -INT ping")
            for ping in pings:
                output = ping.finish()
                answered = set(map(int, re.findall(r"bytes from \S+: icmp_seq=(\d+)", output)))
                # Those under way when ping ends are no loss: a busy guest has several.
                lost = set(range(1, max(answered))) - answered
                self.assertEqual(lost, set(), output.splitlines()[0])

        return check

    def test_reboot_and_kill_leave_the_other_guest_alone(self):
        vm1 = self.boot("vm1", MAC1, "--reboot")
        vm2 = self.boot("vm2", MAC2)
        vm1.ready()
        vm2.ready()
        vm2.ping("10.0.0.5")

        check = self.undisturbed(vm2)
        vm1.write("0 reboot -f")
        vm1.expect("^GUEST-UP", 60)
        self.assertEqual(vm1.ready()["DHCP4"], "10.0.0.5/32")
        vm1.ping("10.0.0.6")
        check()

        check = self.undisturbed(vm2)
        vm1.kill()
        check()

        check = self.undisturbed(vm2)
        vm1 = self.boot("vm1", MAC1)
        self.assertEqual(vm1.ready()["DHCP6"], "fd00::5/128")
        vm1.ping("10.0.0.6")
        vm1.ping("fd00::6")
        check()
        vm1.stop()
        vm2.stop()


if __name__ == "__main__":
    vm.run()
