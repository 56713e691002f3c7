"""The host's lock: who has it, who waits, who does not. Run: cd host && python3 -m unittest"""
import os
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import unittest.mock

import machine
import report
from test_parts import Lines

HERE = os.path.dirname(os.path.abspath(__file__))
HOLDER = """
import os, sys
sys.path.insert(0, %r)
os.fchown = lambda *_: None
import machine
from test_parts import Lines
machine.lock(Lines(), "the worker release", 1, "prod", %r)
print("held", flush=True)
sys.stdin.read()
"""


class Lock(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path, self.lines = os.path.join(folder.name, "run", "lock"), Lines()
        for patch in (unittest.mock.patch("os.fchown"), unittest.mock.patch("machine.FOREIGN_SECONDS", 0.2)):
            patch.start()
            self.addCleanup(patch.stop)

    def as_operator(self, by, address):
        return unittest.mock.patch.dict(os.environ, {"SOFTMAP_BY": by, "SOFTMAP_FROM": address})

    def other_process(self, **env):
        """A process that holds the lock until its stdin is closed."""
        child = subprocess.Popen(
            [sys.executable, "-B", "-c", HOLDER % (HERE, self.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **env}
        )
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        self.addCleanup(child.stdin.close)
        self.addCleanup(child.stdout.close)
        self.assertEqual(child.stdout.readline(), b"held\n")
        return child

    def test_another_operator_is_refused_soon_and_told_who_since_when_and_what_next(self):
        child = self.other_process(SOFTMAP_BY="olga", SOFTMAP_FROM="192.0.2.7")
        start = time.monotonic()
        with self.as_operator("ivan", "192.0.2.8"), self.assertRaises(report.Failure) as caught:
            machine.lock(self.lines, "retiring", 60, "prod", self.path)
        self.assertLess(time.monotonic() - start, 10)
        self.assertRegex(
            str(caught.exception),
            r"^olga from 192\.0\.2\.7 \(the worker release, process %d, since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\) holds this host for stack prod; nothing was changed\. Next: .*sudo kill %d$"
            % (child.pid, child.pid),
        )

    def test_the_same_person_elsewhere_or_for_another_stack_is_another_operator(self):
        self.other_process(SOFTMAP_BY="olga", SOFTMAP_FROM="192.0.2.7")
        for address, stack in (("192.0.2.9", "prod"), ("192.0.2.7", "dev")):
            with self.as_operator("olga", address), self.assertRaisesRegex(report.Failure, "holds this host for stack prod"):
                machine.lock(self.lines, "retiring", 60, stack, self.path)

    def test_ones_own_other_step_is_waited_for(self):
        with self.as_operator("olga", "192.0.2.7"):
            held, got = machine.lock(self.lines, "the balancer release", 1, "prod", self.path), []
            waiting = threading.Thread(target=lambda: got.append(machine.lock(self.lines, "the publisher release", 60, "prod", self.path)))
            waiting.start()
            while not self.lines.said:
                time.sleep(0.01)
            waiting.join(2 * machine.FOREIGN_SECONDS)
            self.assertEqual(got, [], "longer than a stranger would have waited")
            machine.unlock(held)
            waiting.join(10)
        self.assertEqual(len(got), 1)
        self.assertEqual(machine.holder_of(got[0])["what"], "the publisher release")
        machine.unlock(got[0])
        self.assertRegex(self.lines.said[0], r"^waiting for olga from 192\.0\.2\.7 \(the balancer release, process %d, since " % os.getpid())

    def test_not_even_ones_own_step_is_waited_for_without_end(self):
        held = machine.lock(self.lines, "the balancer release", 1, "prod", self.path)
        with self.assertRaisesRegex(report.Failure, r"root from this machine \(the balancer release, .*nothing was changed"):
            machine.lock(self.lines, "retiring", 0.3, "prod", self.path)
        machine.unlock(held)

    def test_the_machines_own_renewal_is_waited_for_and_waits_for_everybody(self):
        held, got = machine.lock(self.lines, "the renewal after updates", 1, "prod", self.path, plan=False), []
        with self.as_operator("olga", "192.0.2.7"):
            waiting = threading.Thread(target=lambda: got.append(machine.lock(self.lines, "the worker release", 60, "prod", self.path)))
            waiting.start()
            waiting.join(3 * machine.FOREIGN_SECONDS)
            self.assertEqual(got, [], "a stranger would have been refused by now")
            machine.unlock(held)
            waiting.join(10)
        self.assertEqual(len(got), 1)
        start = time.monotonic()
        with self.assertRaisesRegex(report.Failure, "olga from 192.0.2.7"):
            machine.lock(self.lines, "the renewal after updates", 4 * machine.FOREIGN_SECONDS, "prod", self.path, plan=False)
        self.assertGreater(time.monotonic() - start, 3 * machine.FOREIGN_SECONDS)
        machine.unlock(got[0])

    def test_a_killed_holder_leaves_the_host_free(self):
        child = self.other_process(SOFTMAP_BY="olga", SOFTMAP_FROM="192.0.2.7")
        child.kill()
        child.wait()
        with self.as_operator("ivan", "192.0.2.8"):
            machine.unlock(machine.lock(self.lines, "retiring", 0.3, "prod", self.path))
        self.assertEqual(self.lines.said, [])

    def test_a_holder_that_has_not_yet_written_is_waited_for(self):
        held = machine.lock(self.lines, "x", 1, None, self.path)
        os.ftruncate(held, 0)
        with self.assertRaisesRegex(report.Failure, "unknown from unknown"):
            machine.lock(self.lines, "retiring", 0.5, "prod", self.path)
        machine.unlock(held)

    def test_the_file_is_roots_alone_and_its_folder_is_made(self):
        machine.unlock(machine.lock(self.lines, "x", 1, None, self.path))
        self.assertEqual(os.stat(self.path).st_mode & 0o777, 0o600)


if __name__ == "__main__":
    unittest.main()
