# SPDX-License-Identifier: BSD-3-Clause
"""qmp shutdown: of a guest that obeys the power button, and of one that does not."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest

import vm

QMP = os.path.join(vm.BUILD, "app", "qmp", "qmp")


class Powerdown(unittest.TestCase):
    def setUp(self):
        directory = tempfile.mkdtemp(prefix="ringplane-qmp-")
        self.addCleanup(shutil.rmtree, directory)
        self.socket = os.path.join(directory, "qmp")

    def boot(self, *parameters, options=()):
        qemu = ["-qmp", f"unix:{self.socket},server=on,wait=off", *options]
        guest = vm.Process(
            "guest",
            [vm.GUEST, "run", "--dir", vm.GUEST_DIR]
            + [word for argument in qemu for word in ("--qemu", argument)]
            + ["--", "rp.name=guest", *parameters],
        )
        self.addCleanup(guest.kill)
        guest.expect(r"^GUEST-READY", 60)
        return guest

    def shutdown(self, guest, timeout):
        done = subprocess.run(
            [QMP, "--json", "--timeout", str(timeout), "--initial-wait", "1", "--retry", "1"]
            + ["--pid", str(guest.child.pid), self.socket, "shutdown"],
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def test_guest_that_obeys_powers_off(self):
        guest = self.boot("rp.powerdown=1")
        result = self.shutdown(guest, 30)
        self.assertEqual(result["step"], "powerdown")
        self.assertEqual(result["reason"], "guest-shutdown")
        self.assertTrue(result["guest"])
        self.assertEqual(guest.child.wait(10), 0)

    def test_qemu_that_stays_after_its_guest_is_told_to_quit(self):
        guest = self.boot("rp.powerdown=1", options=["-no-shutdown"])
        result = self.shutdown(guest, 30)
        self.assertEqual(result["step"], "powerdown")
        self.assertEqual(result["reason"], "guest-shutdown")
        self.assertEqual(guest.child.wait(10), 0)

    def test_guest_that_ignores_it_takes_the_timeout_and_at_most_a_second(self):
        guest = self.boot()
        result = self.shutdown(guest, 2.5)
        self.assertEqual(result["step"], "quit")
        self.assertEqual(result["reason"], "host-qmp-quit")
        self.assertEqual(result["powerdowns"], 3)
        self.assertGreaterEqual(result["elapsed_ms"], 2500)
        self.assertLessEqual(result["elapsed_ms"], 3500)
        self.assertEqual(guest.child.wait(10), 0)


if __name__ == "__main__":
    vm.run()
