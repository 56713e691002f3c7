"""Whole releases on a host of files and a pretended systemd: what is carried over, touched, put back. Run: cd host && python3 -m unittest"""
import base64
import getpass
import grp
import os
import tempfile
import time
import unittest
import unittest.mock

import health
import machine
import probe
import publish
import purge
import release
import report
import retire
import rollback
import services
import state
import tree
from test_parts import Lines

ME, MINE = getpass.getuser(), grp.getgrgid(os.getgid()).gr_name
NGINX, HEALTH = "softmap-nginx@news.service", "/run/softmap/nginx/news/health.sock"


class FakeHost:
    """
    A host for one test: folders for the release trees, units and state, and what answers systemctl. Its nginx takes over on a start or reload
    what `current` names, and answers that release's marker; it does not when it is in `broken`. A unit in `refused` does not pass its verification.
    """

    def __init__(self, test):
        folder = tempfile.TemporaryDirectory()
        test.addCleanup(folder.cleanup)
        self.base, self.units, self.state = (os.path.join(folder.name, name) for name in ("etc", "units", "state"))
        for path in (self.base, self.units, self.state):
            os.mkdir(path)
        self.running, self.enabled, self.asked, self.serving = set(), set(), [], {}
        self.broken, self.refused, self.facts = set(), set(), "resolver 10.0.0.2;\n"
        self.lines = Lines()
        lock = lambda report_, what, seconds, stack=None: machine.lock(report_, what, 1, stack, os.path.join(folder.name, "lock"))
        ours = {"run": self.run, "lock": lock, "nginx_facts": lambda: self.facts, "Tree": self.tree, "UNITS": self.units, "BASE": self.base, "CERTIFICATE_KEYS": os.path.join(self.state, "nginx/*/tls/*")}
        patches = [unittest.mock.patch.object(module, name, value) for module in MODULES for name, value in ours.items() if hasattr(module, name)]
        patches += [unittest.mock.patch("release." + name) for name in ("check_host", "install", "make_users")]
        patches += [unittest.mock.patch("health.answer_of", lambda path: self.serving.get(path, "")), unittest.mock.patch("health.STEADY_SECONDS", 0), unittest.mock.patch("os.fchown")]
        for patch in patches:
            patch.start()
            test.addCleanup(patch.stop)

    def tree(self, role):
        return REAL_TREE(role, self.base)

    def run(self, argv, **_):
        if argv[0] == "nginx":
            return answer(1 if NGINX in self.refused else 0, "nginx: [emerg] bad")
        if argv[0] != "systemctl":
            return answer(0, "")
        word, units = argv[1], [each for each in argv[2:] if each.startswith("softmap-")]
        if word not in ("show", "is-enabled", "reset-failed", "list-units"):
            self.asked.append(" ".join([word, *units]))
        if word == "show":
            state = lambda unit: "Id=%s\nActiveState=%s\nMainPID=1\nNRestarts=0\nInvocationID=1\n" % (unit, "active" if unit in self.running else "inactive")
            return answer(0, "\n".join(map(state, units)))
        if word == "is-enabled":
            return answer(0, "".join("enabled\n" if unit in self.enabled else "disabled\n" for unit in units))
        if word == "list-units":
            start, _, end = units[0].partition("*")
            return answer(0, "".join("%s loaded active running\n" % unit for unit in sorted(self.running) if unit.startswith(start) and unit.endswith(end)))
        for unit in units:
            self.change(word, unit, "--now" in argv)
        return answer(0, "")

    def change(self, word, unit, now):
        if word == "enable":
            self.enabled.add(unit)
        if word == "disable":
            self.enabled.discard(unit)
        if word in ("start", "restart") or (word == "enable" and now):
            self.running.add(unit)
        if word == "stop" or (word == "disable" and now):
            self.running.discard(unit)
        if unit == NGINX and word in ("start", "restart", "reload") and unit not in self.broken:
            own = self.tree("worker")
            self.serving = release.old_markers(own, own.current())

    def done(self):
        """What systemctl was told since the last call, without enable and daemon-reload."""
        told, self.asked = self.asked, []
        return [each for each in told if not each.startswith(("enable", "daemon-reload"))]

    def release(self, payload):
        self.done()
        release.Release(self.lines, payload).run()
        return self.done()

    def serves(self):
        """The files of the release that serves."""
        own = self.tree("worker")
        return own.contents(own.current())


REAL_TREE = tree.Tree
# Those that act on a host, by names that they import.
MODULES = (health, services, release, retire, purge, rollback, probe, publish, state)


def answer(returncode, text):
    return unittest.mock.Mock(returncode=returncode, text=text)


def tor(generation):
    return "softmap-tor@news-1-%s.service" % generation


def nginx():
    return {"unit": NGINX, "verify": ["nginx", "-t"], "reloadOn": ["nginx/news.conf", "nginx/news.sites/"], "restartOn": [], "health": {"kind": "nginx", "socket": HEALTH}}


def worker(host, sites=("a", "b"), generation="aaaa", **more):
    """A worker's payload: one nginx with a file a site, and one tor with its key."""
    key = os.path.join(host.state, "news-1-" + generation, "key")
    torrc = "tor/news-1-%s/torrc" % generation
    texts = {"units/softmap-nginx@.service": "n", "units/softmap-tor@.service": "t", "nginx/news.conf": "include news.sites/*;", torrc: "torrc"}
    texts.update({"nginx/news.sites/%s.conf" % site: site for site in sites})
    daemon = {"unit": tor(generation), "reloadOn": [torrc], "restartOn": [key], "health": {"kind": "active"}}
    return {
        "stack": "dev", "role": "worker", "owner": "workers/worker1", "host": "worker1", "packages": [], "users": [], "dirs": [],
        "files": [{"path": path, "text": text} for path, text in texts.items()],
        "state": [{"path": key, "base64": base64.b64encode(generation.encode()).decode(), "owner": ME, "group": MINE, "mode": "0600"}],
        "services": [nginx(), daemon], "keepReleases": 3, "timeoutSeconds": 5, **more,
    }


def overwrite(path, text):
    with open(path, "w") as out:
        out.write(text)


class Releases(unittest.TestCase):
    def setUp(self):
        self.host = FakeHost(self)

    def path(self, *parts):
        own = self.host.tree("worker")
        return os.path.join(own.path(own.current()), *parts)

    def test_the_first_one_starts_all_and_the_same_again_touches_nothing(self):
        self.assertEqual(self.host.release(worker(self.host)), ["start %s %s" % (NGINX, tor("aaaa"))])
        self.assertEqual(self.host.enabled, {NGINX, tor("aaaa")})
        self.assertEqual(self.host.release(worker(self.host)), [])
        self.assertIn("was already live, nothing to do", self.host.lines.said[-1])

    def test_another_site_reloads_nginx_and_leaves_tor_alone(self):
        self.host.release(worker(self.host))
        self.assertEqual(self.host.release(worker(self.host, ("a", "b", "c"))), ["reload " + NGINX])

    def test_a_site_and_a_generation_that_leave_stay_until_they_are_retired(self):
        self.host.release(worker(self.host))
        self.assertEqual(self.host.release(worker(self.host, ("a",), "bbbb")), ["start " + tor("bbbb")])
        self.assertEqual(self.host.running, {NGINX, tor("aaaa"), tor("bbbb")})
        self.assertLessEqual({"nginx/news.sites/b.conf", "tor/news-1-aaaa/torrc", "tor/news-1-bbbb/torrc"}, set(self.host.serves()))
        # Not after the next release either: the run that retires may have failed.
        self.host.release(worker(self.host, ("a", "c"), "bbbb"))
        self.assertLessEqual({"nginx/news.sites/b.conf", "nginx/news.sites/c.conf", "tor/news-1-aaaa/torrc"}, set(self.host.serves()))

    def test_a_failed_reload_brings_everything_back(self):
        self.host.release(worker(self.host))
        before, marker = self.host.serves(), self.host.serving
        self.host.broken = {NGINX}
        with unittest.mock.patch("services.RELOAD_SECONDS", 0), self.assertRaisesRegex(report.Failure, r"still runs its old configuration.*\. Reverted to release [0-9a-f]{12}\. Next: "):
            self.host.release(worker(self.host, ("a", "c"), "bbbb"))
        self.assertEqual(self.host.serves(), before)
        self.assertEqual(self.host.running, {NGINX, tor("aaaa")})
        self.assertEqual(self.host.enabled, {NGINX, tor("aaaa")})
        self.assertFalse(os.path.exists(os.path.join(self.host.state, "news-1-bbbb", "key")))
        self.assertEqual(self.host.serving, marker)
        self.host.broken = set()
        self.assertEqual(self.host.release(worker(self.host)), [], "what runs is known again: nothing is restarted")

    def test_what_is_refused_is_not_switched_to(self):
        self.host.release(worker(self.host))
        before = self.host.serves()
        self.host.refused = {NGINX}
        with self.assertRaisesRegex(report.Failure, r"(?s)nginx refuses its new configuration; nothing was switched\. .*\[emerg\] bad"):
            self.host.release(worker(self.host, ("a", "b", "c"), "bbbb"))
        self.assertEqual((self.host.serves(), self.host.done()), (before, []))
        self.assertFalse(os.path.exists(os.path.join(self.host.state, "news-1-bbbb", "key")))

    def test_who_goes_on_with_the_same_is_not_asked_again(self):
        self.host.release(worker(self.host))
        self.host.refused = {NGINX}
        self.assertEqual(self.host.release(worker(self.host, generation="bbbb")), ["start " + tor("bbbb")])

    def test_a_file_changed_by_hand_is_mended_and_read_again_gently(self):
        self.host.release(worker(self.host))
        overwrite(self.path("nginx/news.sites/a.conf"), "by hand")
        self.assertEqual(self.host.release(worker(self.host)), ["reload " + NGINX])
        self.assertEqual(self.host.serves()["nginx/news.sites/a.conf"], b"a")

    def test_it_is_also_when_the_plan_changes_elsewhere_at_the_same_time(self):
        self.host.release(worker(self.host))
        overwrite(self.path("tor/news-1-aaaa/torrc"), "by hand")
        self.assertEqual(self.host.release(worker(self.host, ("a", "b", "c"))), ["reload " + NGINX, "reload " + tor("aaaa")])

    def test_and_when_the_run_that_mended_it_was_cut(self):
        self.host.release(worker(self.host))
        overwrite(self.path("nginx/news.sites/a.conf"), "by hand")
        cut = release.Release(self.host.lines, worker(self.host))
        cut.prepare()
        cut.stage()
        self.assertEqual(self.host.release(worker(self.host)), ["reload " + NGINX])

    def test_a_key_changed_by_hand_restarts_the_tor_that_has_read_it(self):
        self.host.release(worker(self.host))
        overwrite(os.path.join(self.host.state, "news-1-aaaa", "key"), "by hand")
        self.assertEqual(self.host.release(worker(self.host)), ["restart " + tor("aaaa")])
        self.assertIn("1 state file replaced", self.host.lines.said[-1])

    def test_a_service_that_stands_by_is_stopped_and_not_started_at_boot_and_starts_again(self):
        self.host.release(worker(self.host))
        waiting = worker(self.host, pauseSeconds=1)
        waiting["services"][1]["standby"] = True
        self.assertEqual(self.host.release(waiting), ["disable " + tor("aaaa"), "stop " + tor("aaaa")])
        self.assertEqual((self.host.running, self.host.enabled), ({NGINX}, {NGINX}))
        self.assertEqual(self.host.release(waiting), [])
        self.assertEqual(self.host.release(worker(self.host)), ["start " + tor("aaaa")])
        self.assertEqual(self.host.enabled, {NGINX, tor("aaaa")})

    def test_it_runs_again_when_the_release_that_stopped_it_fails(self):
        self.host.release(worker(self.host))
        waiting = worker(self.host, ("a", "c"))
        waiting["services"][1]["standby"], self.host.broken = True, {NGINX}
        with unittest.mock.patch("services.RELOAD_SECONDS", 0), self.assertRaises(report.Failure):
            self.host.release(waiting)
        self.assertEqual((self.host.running, self.host.enabled), ({NGINX, tor("aaaa")},) * 2)

    def test_the_pause_finds_what_dies_late_and_reverts(self):
        self.host.release(worker(self.host))
        before = self.host.serves()

        def dies(line):
            if "watching for" in line:
                self.host.serving = {}

        with unittest.mock.patch.object(self.host.lines, "say", dies), unittest.mock.patch("release.wait_healthy", lambda lines, watches, _: release_wait(lines, watches, 0)):
            with self.assertRaisesRegex(report.Failure, "nothing answers on .* Reverted to release"):
                self.host.release(worker(self.host, ("a",) + ("c",), pauseSeconds=60))
        self.assertEqual(self.host.serves(), before)

    def test_the_pause_is_for_changes_on_a_host_that_served(self):
        for sites, watched in ((("a",), False), (("a",), False), (("a", "b"), True)):
            self.host.lines.said.clear()
            start = time.monotonic()
            self.host.release(worker(self.host, sites, pauseSeconds=0.5))
            self.assertEqual(any("before the next wave" in line for line in self.host.lines.said), watched)
            self.assertEqual(time.monotonic() - start > 0.5, watched)

    def test_an_unproved_site_reverts(self):
        payload = worker(self.host, proof=[{"project": "news", "unit": NGINX, "socket": "/nonexistent", "sites": ["s.onion"], "backends": [{"name": "news-w1-1", "unit": tor("aaaa"), "socks": "/nonexistent", "address": "x"}]}])
        with unittest.mock.patch("proving.PROOF_SECONDS", 0), self.assertRaisesRegex(report.Failure, "own backend news-w1-1 .*There is no earlier release: the new services were stopped and disabled"):
            self.host.release(payload)
        self.assertEqual((self.host.running, self.host.enabled, self.host.tree("worker").current()), (set(), set(), None))

    def test_the_key_of_a_certificate_stays_as_long_as_a_release_names_it(self):
        folder = os.path.join(self.host.state, "nginx", "news", "tls")
        keys = lambda: sorted(os.listdir(folder))

        def release_with(version, names=None, sites=("a",)):
            path = os.path.join(folder, version + ".key")
            payload = worker(self.host, sites, keepReleases=2)
            payload["files"].append({"path": "nginx/news/a.test.crt", "text": version})
            payload["files"].append({"path": "nginx/news/a.test.conf", "text": "ssl_certificate_key %s;" % (names or path)})
            payload["state"].append({"path": path, "base64": "eA==", "owner": ME, "group": MINE, "mode": "0400"})
            self.host.release(payload)
            return path

        one = release_with("one")
        release_with("two")
        self.assertEqual(keys(), ["one.key", "two.key"], "the release before has it for a rollback")
        release_with("three")
        self.assertEqual(keys(), ["three.key", "two.key"])
        self.assertEqual(self.host.lines.said[-2], "removed %s: no release here has its certificate any more" % one)
        # The site leaves: no plan has its key any more, and its file is carried until it is retired.
        for more in ("b", "c", "d"):
            self.host.release(worker(self.host, ("a", more), keepReleases=2))
        self.assertEqual(keys(), ["three.key"])
        # Another role on the same machine knows nothing of them.
        self.host.release({**worker(self.host), "role": "balancer", "services": [], "files": [], "state": []})
        self.assertEqual(keys(), ["three.key"])

    def test_what_is_kept_of_a_release_has_neither_texts_nor_keys(self):
        payload = worker(self.host)
        self.host.release(payload)
        own = self.host.tree("worker")
        kept = own.description(own.current())
        self.assertEqual([each["path"] for each in kept["files"]], [each["path"] for each in payload["files"]])
        self.assertFalse([each for each in kept["files"] if "text" in each] + [each for each in kept["state"] if "base64" in each])
        self.assertEqual(kept["services"], payload["services"])


release_wait = release.wait_healthy


class RollingBack(unittest.TestCase):
    def setUp(self):
        self.host = FakeHost(self)
        self.note = os.path.join(self.host.base, "worker", "rolled-back")

    def roll(self, *words):
        self.host.done()
        with unittest.mock.patch("sys.argv", ["-", *words]):
            rollback.rollback_main(self.host.lines, {"host": "worker1", "stack": "dev"})
        return self.host.done()

    def test_back_and_not_forth_again(self):
        self.host.release(worker(self.host))
        one = self.host.tree("worker").current()
        changed = worker(self.host)
        changed["files"][2] = {**changed["files"][2], "text": "# two"}
        self.host.release(changed)
        two = self.host.tree("worker").current()
        self.assertEqual(self.roll("look"), [])
        self.assertEqual(self.host.lines.said[-1], "release %s serves, back to %s" % (two, one))
        self.assertFalse(os.path.exists(self.note))
        self.assertEqual(self.roll(), ["reload " + NGINX])
        self.assertEqual((self.host.tree("worker").current(), self.host.serves()["nginx/news.conf"]), (one, b"include news.sites/*;"))
        with open(self.note) as text:
            self.assertEqual(text.read(), "rolled back by hand from release %s\n" % two)
        with self.assertRaisesRegex(report.Failure, "rolled back by hand from release %s; release %s serves. Next: " % (two, one)):
            self.roll()  # the release before is the one that was left
        self.assertEqual(self.host.tree("worker").current(), one)
        self.host.release(changed)
        self.assertEqual(self.host.tree("worker").current(), two)
        self.assertFalse(os.path.exists(self.note), "a release of the plan is no drift any more")

    def test_to_where_a_key_is_gone_there_is_no_way(self):
        self.host.release(worker(self.host))
        self.host.release(worker(self.host, generation="bbbb"))
        os.unlink(os.path.join(self.host.state, "news-1-aaaa", "key"))
        before = self.host.serves()
        with self.assertRaisesRegex(report.Failure, "needs .*news-1-aaaa/key, retired since then. Next: "):
            self.roll()
        self.assertEqual((self.host.serves(), self.host.done()), (before, []))

    def test_nothing_to_go_back_to(self):
        with self.assertRaisesRegex(report.Failure, "no worker on this host"):
            self.roll()
        self.host.release(worker(self.host))
        with self.assertRaisesRegex(report.Failure, "no earlier release"):
            self.roll()

    def test_the_payload_is_the_one_that_made_the_release(self):
        payload = worker(self.host, pauseSeconds=0)
        self.host.release(payload)
        own = self.host.tree("worker")
        self.assertEqual(rollback.payload_of(own, own.current(), own.description(own.current())), payload)


if __name__ == "__main__":
    unittest.main()
