"""Packages, and the distribution's units that are masked for them. Run: cd host && python3 -m unittest"""
import os
import tempfile
import unittest
import unittest.mock

import masks
import packages
import report
from test_parts import Lines


def done(returncode, text):
    """What report.run gives back."""
    return unittest.mock.Mock(returncode=returncode, text=text)


class Packages(unittest.TestCase):
    def test_installed(self):
        self.assertEqual(packages.parse_installed("ii  tor\nrc  nginx\nun  foo\nii  libc6:amd64\n"), {"tor", "libc6"})

    def test_everything_that_would_start_is_masked(self):
        self.assertEqual(packages.units_to_mask(["nginx-light", "libnginx-mod-http-lua", "tor", "curl"]), ["nginx.service", "tor.service", "tor@default.service"])
        self.assertEqual(packages.units_to_mask(["torsocks", "python3-stem"]), [])

    def test_a_unit_that_is_there_is_masked_only_when_its_own_package_comes(self):
        there = lambda _: True
        self.assertEqual(packages.units_to_mask(["libnginx-mod-http-lua", "tor-geoipdb"], there), [])
        # nginx-common brings the unit, nginx the program that it would start
        self.assertEqual(packages.units_to_mask(["nginx", "libnginx-mod-http-lua"], there), ["nginx.service"])

    def test_a_locked_apt_is_waited_for_and_that_is_said_once(self):
        for said in (
            "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 41 (apt-get)\nE: Unable to lock directory /var/lib/apt/lists/",
            "dpkg: error: dpkg frontend lock was locked by another process with pid 41",
        ):
            answers, lines = [(100, said), (100, said), (0, "")], Lines()
            with unittest.mock.patch("packages.run", lambda *_, **__: done(*answers.pop(0))):
                self.assertEqual(packages.when_free(lines, ["apt-get"], 1, pause=0).returncode, 0)
            self.assertEqual((answers, len(lines.said)), ([], 1))
            self.assertIn("process 41", lines.said[0])

    def test_a_lock_that_nobody_lets_go_is_no_dead_mirror(self):
        locked = done(100, "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 41 (apt-get)")
        with unittest.mock.patch("packages.run", lambda *_, **__: locked), unittest.mock.patch("packages.PATIENCE", -1):
            with self.assertRaisesRegex(report.Failure, r"process 41 \(apt-get\), still holds apt's lock .* Next: wait"):
                packages.apt(Lines(), ["update"], "the mirror is down", 1)

    def test_a_dead_mirror_is_not_waited_for(self):
        with unittest.mock.patch("packages.run", lambda *_, **__: done(100, "E: Failed to fetch x")):
            with self.assertRaisesRegex(report.Failure, "the mirror is down apt-get said:\n    . E: Failed to fetch x"):
                packages.apt(Lines(), ["update"], "the mirror is down", 1)


class Systemd:
    """Answers systemctl from a table of states: unit -> [enabled, active]."""

    def __init__(self, **states):
        self.states, self.asked = {name + ".service": list(state) for name, state in states.items()}, []

    def __call__(self, argv, **_):
        word, *units = argv[1:]
        self.asked.append(" ".join([word, *units]))
        for unit in units:
            state = self.states[unit]
            if word == "mask":
                state[0] = "masked"
            if word == "unmask":
                state[0] = "enabled"
            if word == "disable":
                state[0] = "disabled"
            if word == "stop":
                state[1] = "inactive"
        return done(0, self.states[units[0]][word == "is-active"] + "\n")


class Masks(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "masked")
        for target in ("os.fchown", "masks.make_dir"):
            patch = unittest.mock.patch(target)
            patch.start()
            self.addCleanup(patch.stop)

    def test_ours_come_back_disabled_and_nothing_is_started(self):
        systemd, lines = Systemd(tor=("enabled", "inactive"), nginx=("enabled", "inactive"), theirs=("masked", "inactive")), Lines()
        folder = os.path.dirname(self.path)
        os.symlink("/dev/null", os.path.join(folder, "theirs.service"))
        with unittest.mock.patch("masks.run", systemd), unittest.mock.patch("masks.MASKS", folder):
            masks.mask(["tor.service", "theirs.service"], self.path)
            masks.mask(["nginx.service", "tor.service"], self.path)
            self.assertEqual(masks.masked_by_us(self.path), ["nginx.service", "tor.service"])
            self.assertEqual([state[0] for state in systemd.states.values()], ["masked"] * 3)
            masks.put_back(lines, self.path)
        self.assertEqual({unit: state[0] for unit, state in systemd.states.items()}, {"tor.service": "disabled", "nginx.service": "disabled", "theirs.service": "masked"})
        self.assertLess(systemd.asked.index("unmask nginx.service tor.service"), systemd.asked.index("disable tor.service"))
        self.assertFalse([asked for asked in systemd.asked if asked.startswith(("start", "restart", "enable "))])
        self.assertEqual(lines.said, ["nginx.service, tor.service: masked by softmap, now unmasked, disabled and not running"])
        self.assertFalse(os.path.exists(self.path))

    def test_one_that_runs_is_stopped(self):
        systemd, lines = Systemd(tor=("enabled", "inactive")), Lines()
        with unittest.mock.patch("masks.run", systemd):
            masks.mask(["tor.service"], self.path)
            systemd.states["tor.service"][1] = "active"
            masks.put_back(lines, self.path)
        self.assertEqual(systemd.states["tor.service"], ["disabled", "inactive"])
        self.assertIn("tor.service ran and was stopped", lines.said[0])

    def test_nothing_masked_is_nothing_said(self):
        lines = Lines()
        masks.put_back(lines, self.path)
        self.assertEqual(lines.said, [])


if __name__ == "__main__":
    unittest.main()
