"""What moves between publications: dead, warm and leaving backends, balancers that stand by, their keys' timer. Run: cd host && python3 -m unittest"""
import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
import unittest
import unittest.mock

import control
import grace
import publication
import publish
import purge
import report
import socks
from test_changes import ME, MINE, FakeHost
from test_parts import Lines

UNIT = "softmap-onionbalance.service"
NAMES = {"a": "news-w1-1", "b": "news-w2-1"}


def payload(**more):
    backends = [{"name": name, "address": address + ".onion"} for address, name in NAMES.items()]
    return {
        "frontends": [{"domain": "a.test", "address": "f.onion", "backends": backends}], "statusSocket": "/nonexistent", "publisherStatus": "/nonexistent", "control": "/c", "socks": "/s",
        "graceSeconds": 300, "excused": [], "warm": [], "publishTimeoutSeconds": 0, "host": "balancer1", **more,
    }


def answering(*addresses):
    """A tor for which these alone answer."""
    def first_answer(_socks, address, *_):
        if address not in addresses:
            raise socks.FetchError("descriptor not found")
        return 421, 0.1

    return unittest.mock.patch.multiple("grace", first_answer=first_answer, GONE_SECONDS=1)


class NoTor:
    """In place of a control connection."""

    def __init__(self, _path):
        self.said = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def command(self, text):
        self.said.append(text)


class LettingGo(unittest.TestCase):
    def let_go(self, removed, there, **more):
        lines, waited = Lines(), []
        with answering(*there), unittest.mock.patch("grace.wait_grace", lambda _, names, seconds: waited.append((sorted(names), seconds))):
            grace.let_go(lines, payload(**more), removed)
        return waited, lines.said

    def test_who_still_answers_is_waited_for(self):
        self.assertEqual(self.let_go({"y": "news-w3-1", "z": "news-w4-1"}, ["y", "z"]), ([(["news-w3-1", "news-w4-1"], 300)], []))

    def test_the_dead_are_said_and_not_waited_for(self):
        waited, said = self.let_go({"y": "news-w3-1", "z": "news-w4-1"}, ["z"])
        self.assertEqual((waited, said), ([(["news-w4-1"], 300)], ["news-w3-1 did not answer within 1 s: there is nobody to wait for"]))
        self.assertEqual(self.let_go({"y": "news-w3-1"}, [])[0], [])

    def test_warm_ones_stay_up_and_nothing_is_waited_for(self):
        self.assertEqual(self.let_go({"y": "news-w3-1"}, ["y"], warm=["y.onion"]), ([], []))
        self.assertEqual(self.let_go({"y": "news-w3-1", "z": "news-w4-1"}, ["y", "z"], warm=["y"]), ([(["news-w4-1"], 300)], []))

    def test_nothing_left_asks_nobody(self):
        self.assertEqual(self.let_go({}, []), ([], []))


class Proofs(unittest.TestCase):
    """publication.Publication with a pretended network: descriptors, their points and Onionbalance's status."""

    def prove(self, descriptors, listed, **more):
        lines = Lines()
        known = publication.Publication(lines, payload(**more), {}, True)
        now = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
        texts = {**{address: (address + "1 " + address + "2", None) for address in descriptors}, "f": (" ".join(listed), None)}
        replaced = {
            "Control": NoTor,
            "fetch_from": lambda _, wanted, __: {key: texts.get(key[0], (None, "NOT_FOUND")) for key in wanted},
            "introduction_points": lambda text, _: set(text.split()),
            "journal": lambda _: "",
        }
        replaced.update(site_answer=lambda *_: (200, 0.1), judge_answer=lambda _: (True, "200"))
        with unittest.mock.patch.multiple("publication", **replaced):
            with unittest.mock.patch.object(known, "status", lambda: {"f": {address: now for address in descriptors}}):
                known.prove()
        return lines.said

    def test_all_of_them(self):
        (said,) = self.prove("ab", ["a1", "b1"])
        self.assertRegex(said, r"^a\.test f\.onion published with 2 of 2 backends after ")

    def test_without_a_dead_hosts_and_that_is_said(self):
        (said,) = self.prove("a", ["a1"], excused=["b.onion"])
        self.assertRegex(said, r"^a\.test f\.onion published with 1 of 2 backends \(not waited for: news-w2-1\) after ")

    def test_who_is_drained_by_hand_is_not_waited_for_and_who_is_silent_is(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "publisher.json")
            for by, excused in (("operator", True), ("watchdog", False)):
                with open(path, "w") as handle:
                    json.dump({"sites": {"f": {"descriptors": [], "leftOut": {"b": {"by": by, "why": "a new disk"}}}}}, handle)
                if excused:
                    (said,) = self.prove("ab", ["a1"], publisherStatus=path)
                    self.assertIn("(not waited for: news-w2-1)", said)
                else:
                    with self.assertRaisesRegex(report.Failure, "a.test not published as planned"):
                        self.prove("ab", ["a1"], publisherStatus=path)

    def test_nobody_is_excused_by_being_absent(self):
        with self.assertRaisesRegex(report.Failure, "a.test not published as planned"):
            self.prove("a", ["a1"])


class Balancer(unittest.TestCase):
    """publish_main on a pretended host."""

    def setUp(self):
        self.host = FakeHost(self)
        self.root = os.path.join(self.host.base, "publisher")
        self.keys = os.path.join(self.host.state, "keys")
        self.timer, self.purged = os.path.join(self.host.units, purge.TIMER), os.path.join(self.root, "purged")
        self.found = dict.fromkeys("ab", ("text", None))
        replaced = {"check_onionbalance": lambda *_: None, "Control": NoTor, "fetch": lambda _, addresses, __: {each: self.found[each] for each in addresses}}
        self.proofs = []
        for patch in (
            unittest.mock.patch.multiple("publish", **replaced),
            unittest.mock.patch("publish.Publication.prove", lambda publication: self.proofs.append((publication.payload, publication.removed))),
            unittest.mock.patch("purge.PURGED", self.purged),
            unittest.mock.patch("publish.time.sleep"),
            answering(),
        ):
            patch.start()
            self.addCleanup(patch.stop)

    def publish(self, standby=False, rollbackSeconds=3600, **more):
        self.host.done()
        state = [{"path": os.path.join(self.keys, "f.key"), "base64": base64.b64encode(b"key").decode(), "owner": ME, "group": MINE, "mode": "0600"}]
        service = {"unit": UNIT, "reloadOn": [], "restartOn": ["onionbalance/config.yaml"], "health": {"kind": "active"}, "standby": standby}
        files = [{"path": "onionbalance/config.yaml", "text": "services: []"}]
        own = {"stack": "dev", "role": "publisher", "owner": "balancer/balancer1", "packages": [], "users": [], "dirs": [], "files": files, "state": state, "services": [service]}
        publish.publish_main(self.host.lines, payload(**own, keepReleases=3, timeoutSeconds=5, keysDir=self.keys, rollbackSeconds=rollbackSeconds, **more))
        return self.host.done()

    def removed(self):
        """The timer's work, as systemd would do it."""
        shutil.rmtree(self.keys)
        os.mkdir(self.keys)
        with open(self.purged, "w"):
            pass

    def test_one_that_publishes(self):
        self.assertEqual(self.publish(), ["start " + UNIT])
        self.assertEqual([removed for _, removed in self.proofs], [{}])
        self.assertEqual(publish.read_json(os.path.join(self.root, "published.json")), NAMES)
        self.assertFalse(os.path.exists(self.timer))

    def test_one_that_stood_by_from_the_start_has_its_keys_and_no_timer(self):
        self.assertEqual(self.publish(standby=True), [])
        self.assertEqual((self.proofs, self.host.running, self.host.enabled), ([], set(), set()))
        self.assertEqual(os.listdir(self.keys), ["f.key"])
        self.assertFalse(os.path.exists(self.timer))
        self.assertEqual(self.host.lines.said[-1], "stands by: 2 backends found, 1 sites' keys read; it does not publish")

    def test_one_that_stops_publishing_gets_a_timer_and_takes_it_back_when_it_publishes_again(self):
        self.publish()
        self.assertEqual(self.publish(standby=True), ["disable " + UNIT, "stop " + UNIT])
        with open(self.timer) as text:
            self.assertIn("OnCalendar=", text.read())
        self.assertRegex(self.host.lines.said[-1], "its site keys stay until .* UTC: until then one edit of `publishing` moves back to it")
        self.assertIn(purge.TIMER, self.host.enabled)
        self.removed()
        self.assertEqual(self.publish(), ["disable " + purge.TIMER, "start " + UNIT])
        self.assertEqual((os.listdir(self.keys), os.path.exists(self.timer), os.path.exists(self.purged), self.host.enabled), (["f.key"], False, False, {UNIT}))

    def test_a_run_in_between_does_not_leave_it_its_keys_for_good(self):
        self.publish()
        self.publish(standby=True)
        for gone in (False, True):
            if gone:
                self.removed()
            self.publish(standby=True)
            self.assertTrue(os.path.exists(self.timer))
            self.assertIn(purge.TIMER, self.host.enabled)
            self.assertFalse(os.path.exists(self.purged))

    def test_no_window_is_now(self):
        self.publish()
        self.assertEqual(self.publish(standby=True, rollbackSeconds=0)[-1], "start " + purge.SERVICE)
        self.assertEqual(self.host.lines.said[-1], "its site keys are removed: rollbackWindow is 0")
        self.assertNotIn(purge.TIMER, self.host.enabled)

    def test_a_standby_that_does_not_find_a_backend_says_which_and_why(self):
        self.found["b"] = (None, "NOT_FOUND")
        with self.assertRaisesRegex(report.Failure, r"this balancer's tor does not find the descriptor of news-w2-1 \(NOT_FOUND\)\. Next: "):
            self.publish(standby=True)
        self.publish(standby=True, excused=["b.onion"])

    def test_a_standby_whose_tor_is_away_says_so(self):
        broken = unittest.mock.Mock(side_effect=control.ControlError("/c: No such file or directory"))
        with unittest.mock.patch("publish.Control", broken), self.assertRaisesRegex(report.Failure, "news-w1-1, news-w2-1 .*/c: No such file"):
            self.publish(standby=True)

    def test_confirm_proves_what_was_published_last(self):
        with self.assertRaisesRegex(report.Failure, "has published nothing yet"):
            publish.confirm_main(self.host.lines, {"host": "balancer1", "stack": "dev"})
        self.publish(excused=["b.onion"])
        self.proofs.clear()
        publish.confirm_main(self.host.lines, {"host": "balancer1", "stack": "dev"})
        ((known, removed),) = self.proofs
        self.assertEqual((removed, known["frontends"], known["excused"]), ({}, payload()["frontends"], ["b.onion"]))
        with open(os.path.join(self.root, publish.PUBLICATION)) as text:
            self.assertNotIn(base64.b64encode(b"key").decode(), text.read())

    def test_nothing_to_take_back_is_nothing_done(self):
        purge.cancel_purge(self.host.lines)
        self.assertEqual((self.host.done(), self.host.lines.said), ([], []))


class Purging(unittest.TestCase):
    def test_the_timers_time_is_utc_and_survives_a_machine_that_is_off(self):
        timer, service = purge.purge_units(1767355200, "/var/lib/softmap/onionbalance/keys")
        self.assertIn("\nOnCalendar=2026-01-02 12:00:00 UTC\nPersistent=yes\n", timer)
        self.assertIn("\n[Install]\nWantedBy=timers.target\n", timer)
        self.assertIn("\nType=oneshot\n", service)

    def test_what_it_runs_removes_the_keys_and_nothing_else(self):
        with tempfile.TemporaryDirectory() as folder:
            keys, purged = os.path.join(folder, "keys"), os.path.join(folder, "purged")
            os.makedirs(os.path.join(keys, "not.key"))
            for path in ("keys/a.key", "keys/b.key", "keys/a.key.softmap-new", "keys/note", "c.key"):
                with open(os.path.join(folder, path), "w"):
                    pass
            with unittest.mock.patch("purge.PURGED", purged):
                _, service = purge.purge_units(0, keys)
            commands = [line[len("ExecStart="):].split() for line in service.splitlines() if line.startswith("ExecStart=")]
            for command in commands:
                subprocess.run(command, check=True)
            self.assertEqual(sorted(os.listdir(keys)), ["not.key", "note"])
            self.assertEqual(sorted(os.listdir(folder)), ["c.key", "keys", "purged"])


if __name__ == "__main__":
    unittest.main()
