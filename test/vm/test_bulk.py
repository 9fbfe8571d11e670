# SPDX-License-Identifier: BSD-3-Clause
"""TCP in bulk between guests that do and do not offload checksums and segmentation."""

import vm

MAC1 = "52:54:00:12:34:01"
MAC2 = "52:54:00:12:34:02"
MEGABYTES = 16


class Bulk(vm.VmTest):
    INIT = f"""
network create prod ipv4 10.0.0.0/24 ipv6 fd00::/64 public no
nic create vm1 network prod mac {MAC1} ipv4 10.0.0.5 ipv6 fd00::5
nic create vm2 network prod mac {MAC2} ipv4 10.0.0.6 ipv6 fd00::6
"""

    def fetch(self, receiver, sender, address):
        """A file over HTTP, compared by its checksum."""
        sent = sender.run("sha256sum </run/data")
        received = receiver.run(f"wget -q -O - http://{address}/data | sha256sum", timeout=120)
        self.assertEqual(received, sent)

    def exchange(self, *options):
        vm1 = self.boot("vm1", MAC1)
        vm2 = self.boot("vm2", MAC2, *options)
        for guest in (vm1, vm2):
            guest.ready()
            guest.run(f"dd if=/dev/urandom of=/run/data bs=1M count={MEGABYTES}")
            guest.run("httpd -h /run")
        self.fetch(vm1, vm2, "10.0.0.6")
        self.fetch(vm1, vm2, "[fd00::6]")
        self.fetch(vm2, vm1, "10.0.0.5")
        self.fetch(vm2, vm1, "[fd00::5]")
        vm1.stop()
        vm2.stop()

    def test_both_offload(self):
        self.exchange()

    def test_only_one_offloads(self):
        self.exchange("--no-offload")


if __name__ == "__main__":
    vm.run()
