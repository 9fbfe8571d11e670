# SPDX-License-Identifier: BSD-3-Clause
"""What the vm tests share: ringplane, QEMU guests and the host beside them.

A test file runs in namespaces of its own (see run()): its network has nothing but what ringplane
puts there, and whatever it started dies with it. Nothing waits for a fixed time: every wait is for
an event, with a deadline that only a failure reaches.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
GUEST = os.path.join(TOP, "usertools", "guest.sh")
BUILD = os.environ.get("RINGPLANE_BUILD", os.path.join(TOP, "build"))
RINGPLANE = os.path.join(BUILD, "app", "ringplane", "ringplane")
GUEST_DIR = os.path.join(BUILD, "guest")

SKIPPED = 77  # meson's exit status for it

GATEWAY4 = "169.254.0.1"
GATEWAY6 = "fe80::1"
HOST4 = "169.254.0.2"
HOST6 = "fd72:696e:67::1"
TAP = "rp-test"


class Process:
    """A child whose output is read line by line, as it comes."""

    def __init__(self, name, command):
        self.name = name
        self.lines = []
        self.position = 0  # the line from which expect() searches on
        self.ended = False
        self.changed = threading.Condition()
        self.child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.child.stdout:
            with self.changed:
                self.lines.append(line.rstrip("\r\n"))
                self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def write(self, line):
        self.child.stdin.write(line + "\n")
        self.child.stdin.flush()

    def expect(self, pattern, timeout):
        """The match of the first line not looked at yet that fits; AssertionError without one."""
        deadline = time.monotonic() + timeout
        with self.changed:
            while True:
                while self.position < len(self.lines):
                    match = re.search(pattern, self.lines[self.position])
                    self.position += 1
                    if match:
                        return match
                left = deadline - time.monotonic()
                if self.ended:
                    raise AssertionError(f"{self.name} ended ({self.status()}) before '{pattern}'")
                if left <= 0:
                    raise AssertionError(f"{self.name}: no '{pattern}' within {timeout} s")
                self.changed.wait(left)

    def status(self):
        status = self.child.wait()
        return f"killed by signal {-status}" if status < 0 else f"exit status {status}"

    def kill(self):
        self.child.kill()
        self.child.wait()
        self.reader.join()
        self.child.stdin.close()
        self.child.stdout.close()

    def tail(self, count):
        with self.changed:
            return "\n".join(f"  {self.name}| {line}" for line in self.lines[-count:])


class Ringplane(Process):
    """The daemon, on the first two CPUs that this process may use."""

    def __init__(self, directory, init):
        self.directory = directory
        init_file = os.path.join(directory, "init.rp")
        with open(init_file, "w", encoding="utf-8") as file:
            file.write(init)
        os.environ["RUNTIME_DIRECTORY"] = directory  # EAL's own files
        cpus = sorted(os.sched_getaffinity(0))
        super().__init__(
            "ringplane",
            [
                RINGPLANE,
                "--lcores", f"0@{cpus[0]},1@{cpus[1 % len(cpus)]}",
                "--no-pci", "--no-huge", "-m", "256",
                "--",
                "--init", init_file,
                "--socket-dir", directory,
                "--tap", TAP,
                "-i",
            ],
        )
        try:
            self.expect(r"\bready$", 30)
        except AssertionError:
            self.kill()
            print(self.tail(40), file=sys.stderr)
            raise

    def socket(self, nic):
        return os.path.join(self.directory, nic + ".sock")

    def quit(self, *commands):
        """Ends it by its console, after some last commands; it must leave in good order."""
        if self.child.poll() is None:
            for command in (*commands, "quit"):
                self.write(command)
        try:
            status = self.child.wait(30)
        except subprocess.TimeoutExpired:
            raise AssertionError("ringplane did not obey 'quit'") from None
        if status != 0:
            raise AssertionError(f"ringplane: {self.status()}")


class Guest(Process):
    """A booted guest; run() executes commands in it."""

    def __init__(self, ringplane, nic, mac, *options, **parameters):
        self.serial = 0
        super().__init__(
            nic,
            [GUEST, "run", "--dir", GUEST_DIR]
            + ["--socket", ringplane.socket(nic), "--mac", mac, *options]
            + ["--", f"rp.name={nic}"]
            + [f"rp.{key}={value}" for key, value in parameters.items()],
        )

    def ready(self):
        """Waits until the guest has configured itself; returns what it told, by the word."""
        begin = self.position
        self.expect(r"^GUEST-READY", 60)
        told = {}
        for line in self.lines[begin : self.position]:
            match = re.match(r"GUEST-(\w+) ?(.*)", line)
            if match:
                told[match[1]] = match[2]
        if "FAIL" in told:
            raise AssertionError(f"{self.name}: {told['FAIL']}")
        return told

    def start(self, command):
        """Begins a command in the background; see Background."""
        return Background(self, command)

    def attempt(self, command, timeout=60):
        """(status, output) of a command."""
        self.serial += 1
        begin = len(self.lines)
        self.write(f"{self.serial} {command}")
        status = int(self.expect(rf"^GUEST-DONE {self.serial} (\d+)", timeout)[1])
        return status, "\n".join(self.lines[begin : self.position - 1])

    def run(self, command, timeout=60):
        """The output of a command, which must succeed."""
        status, output = self.attempt(command, timeout)
        if status != 0:
            raise AssertionError(f"{self.name}: '{command}' ended with {status}:\n{output}")
        return output

    def ping(self, address, *options, cpus="f"):
        """Every one of three echo requests must be answered. cpus is taskset's mask."""
        words = " ".join(options)
        # One at a time: once it has had an answer, ping waits for the last one no longer than its
        # interval, whatever -W says.
        once = f"taskset {cpus} /bin/ping -n -c 1 -W 10 {words} {address}"
        output = self.run(f"for i in 1 2 3; do {once}; done")
        if output.count(" 1 received") != 3 or "DUP!" in output:
            raise AssertionError(f"{self.name}: lost echoes:\n{output}")

    def stop(self):
        """Ends the guest at once and checks that it was the guest who ended QEMU."""
        self.write("0 guest-exit 21")
        try:
            status = self.child.wait(30)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} did not stop") from None
        if status != 21 << 1 | 1:
            raise AssertionError(f"QEMU of {self.name}: {self.status()}")


class Background:
    """A command that runs in a guest while the test goes on."""

    def __init__(self, guest, command):
        self.guest = guest
        self.files = f"/run/background.{guest.serial}"
        guest.run(f"({command}) >{self.files}.out 2>&1 & echo $! >{self.files}.pid")

    def await_lines(self, count):
        """Waits for so many lines of output more than there are now."""
        lines = f"$(wc -l <{self.files}.out)"
        self.guest.run(
            f"end=$(({lines} + {count})); until [ {lines} -ge $end ]; do usleep 20000; done"
        )

    def finish(self):
        """Waits for the end of the command; returns its output."""
        return self.guest.run(
            f"while [ -d /proc/$(cat {self.files}.pid) ]; do usleep 20000; done;"
            f" cat {self.files}.out"
        )


class VmTest(unittest.TestCase):
    """A test with a ringplane of its own, configured by INIT, and the guests that it boots."""

    INIT = ""

    def setUp(self):
        self.guests = []
        self.directory = tempfile.mkdtemp(prefix="ringplane-vm-")
        self.addCleanup(shutil.rmtree, self.directory)
        self.ringplane = Ringplane(self.directory, self.INIT)
        self.addCleanup(self._end)

    def boot(self, nic, mac, *options, **parameters):
        guest = Guest(self.ringplane, nic, mac, *options, **parameters)
        self.guests.append(guest)
        return guest

    def _end(self):
        failed = self._outcome.result.failures or self._outcome.result.errors
        try:
            self.ringplane.quit("show nic", "show port stats all", "show drops")
        finally:
            for process in (*self.guests, self.ringplane):
                process.kill()
                if failed:
                    print(process.tail(80), file=sys.stderr)

    def capture(self, name):
        return os.path.join(self.directory, name + ".pcap")

    def assert_capture_clean(self, path, at_least):
        """tshark finds no malformed packet and no wrong checksum."""
        checks = ["ip", "tcp", "udp"]
        options = [word for name in checks for word in ("-o", f"{name}.check_checksum:TRUE")]
        bad = " || ".join(
            ["_ws.malformed", "_ws.expert.severity == error"]
            + [f"{name}.checksum.status == 0" for name in checks + ["icmp", "icmpv6"]]
        )
        tshark = ["tshark", "-n", "-r", path]
        found = subprocess.run(
            tshark + options + ["-Y", bad], check=True, capture_output=True, text=True
        ).stdout
        self.assertEqual(found, "", f"bad packets in {path}")
        total = subprocess.run(tshark, check=True, capture_output=True, text=True).stdout
        self.assertGreaterEqual(len(total.splitlines()), at_least, total)


def missing():
    """Why the tests cannot run here, or None."""
    if os.geteuid() != 0:
        return "booting guests on ringplane needs root (TAP, network namespace)"
    if not os.path.exists("/dev/net/tun"):
        return "no /dev/net/tun on this machine"
    for program in ("qemu-system-x86_64", "tshark", "dhclient", "unshare"):
        if not shutil.which(program):
            return f"no program '{program}': run usertools/setup.sh"
    return None


def run():
    """The main program of a test file: into the namespaces, then unittest."""
    if os.environ.get("RINGPLANE_VM_INSIDE") != "1":
        reason = missing()
        if reason:
            print(("FAILED: " if os.environ.get("CI") else "skipped: ") + reason)
            sys.exit(1 if os.environ.get("CI") else SKIPPED)
        subprocess.run([GUEST, "build", "--dir", GUEST_DIR], check=True)
        os.environ["RINGPLANE_VM_INSIDE"] = "1"
        inside = ["unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
        os.execvp("unshare", inside + [sys.executable, *sys.argv])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    unittest.main(verbosity=2)
