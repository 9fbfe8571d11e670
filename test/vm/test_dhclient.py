# SPDX-License-Identifier: BSD-3-Clause
"""ISC dhclient in both families, with Debian's scripts as they are."""

import vm

MAC = "52:54:00:12:34:01"


class Dhclient(vm.VmTest):
    INIT = f"""
network create prod ipv4 10.0.0.0/24 ipv6 fd00::/64 dns 1.1.1.1 dns 2606:4700:4700::1111 domain example.net mtu 1400 public no
nic create vm1 network prod mac {MAC} ipv4 10.0.0.5 ipv6 fd00::5
"""

    def assert_configured(self, vm1):
        self.assertIn(" 10.0.0.5/32 ", vm1.run("ip -4 addr show dev eth0"))
        self.assertIn(" fd00::5/128 ", vm1.run("ip -6 addr show dev eth0"))
        self.assertIn(f"default via {vm.GATEWAY4} dev eth0", vm1.run("ip -4 route"))
        self.assertIn(f"default via {vm.GATEWAY6} dev eth0", vm1.run("ip -6 route"))
        vm1.ping(vm.GATEWAY4)
        vm1.ping(vm.GATEWAY6 + "%eth0")

    def test_dhclient_configures_releases_and_configures_again(self):
        vm1 = self.boot("vm1", MAC, dhcp="dhclient")
        vm1.ready()
        self.assert_configured(vm1)
        self.assertIn("mtu 1400", vm1.run("ip link show dev eth0"))
        leases4 = vm1.run("cat /run/dhclient4.leases")
        for words in (
            "fixed-address 10.0.0.5;",
            "option subnet-mask 255.255.255.255;",
            "option routers 169.254.0.1;",
            "option dhcp-lease-time 86400;",
            "option dhcp-server-identifier 169.254.0.1;",
            "option domain-name-servers 1.1.1.1;",
            'option domain-name "example.net";',
            "option interface-mtu 1400;",
            "option rfc3442-classless-static-routes 32,169,254,0,1,0,0,0,0,0,169,254,0,1;",
        ):
            self.assertIn(words, leases4)
        leases6 = vm1.run("cat /run/dhclient6.leases")
        for words in (
            "iaaddr fd00::5 {",
            "preferred-life 86400;",
            "max-life 172800;",
            "renew 43200;",
            "rebind 69120;",
            "option dhcp6.name-servers 2606:4700:4700::1111;",
        ):
            self.assertIn(words, leases6)

        vm1.run("dhclient -4 -r -pf /run/dhclient4.pid -lf /run/dhclient4.leases eth0")
        vm1.run("dhclient -6 -r -pf /run/dhclient6.pid -lf /run/dhclient6.leases eth0")
        self.assertNotIn("10.0.0.5", vm1.run("ip addr show dev eth0"))
        self.assertNotIn("fd00::5", vm1.run("ip addr show dev eth0"))
        vm1.run("dhclient -4 -1 -pf /run/dhclient4.pid -lf /run/dhclient4.leases eth0")
        vm1.run("dhclient -6 -1 -pf /run/dhclient6.pid -lf /run/dhclient6.leases eth0")
        self.assert_configured(vm1)
        vm1.stop()


if __name__ == "__main__":
    vm.run()
