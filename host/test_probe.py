"""What the drift probe finds, and that it finds nothing on a host as it was released. Run: cd host && python3 -m unittest"""
import json
import os
import time
import unittest
import unittest.mock

import probe
from test_changes import ME, MINE, NGINX, FakeHost, overwrite, tor, worker
from test_parts import Lines


class Drift(unittest.TestCase):
    def setUp(self):
        self.host = FakeHost(self)
        self.host.release(worker(self.host))
        self.own = self.host.tree("worker")
        self.key = os.path.join(self.host.state, "news-1-aaaa", "key")
        self.host.done()

    def found(self, owner="workers/worker1", roles=("worker",)):
        lines = Lines()
        probe.probe_main(lines, {"host": "worker1", "roles": list(roles), "owner": owner})
        self.assertEqual(self.host.done(), [], "it changes nothing")
        (said,) = lines.said
        return json.loads(said)["drift"]

    def inside(self, *parts):
        return os.path.join(self.own.path(self.own.current()), *parts)

    def test_nothing_on_a_host_as_it_was_released(self):
        self.assertEqual(self.found(), [])

    def test_what_was_never_retired(self):
        self.host.release(worker(self.host, ("a", "c"), "bbbb"))
        self.assertEqual(self.found(), ["%s runs, and is not planned any more" % tor("aaaa")], "its carried files are no drift")

    def test_files_of_the_release(self):
        text = ["the files of release %s were changed by hand" % self.own.current()]
        overwrite(self.inside("nginx/news.conf"), "by hand")
        self.assertEqual(self.found(), text)
        self.host.release(worker(self.host))
        self.assertEqual(self.found(), [], "the next release mends it")
        overwrite(self.inside("nginx/news.sites/more.conf"), "by hand")
        self.assertEqual(self.found(), text)
        os.unlink(self.inside("nginx/news.sites/more.conf"))
        os.unlink(self.inside("tor/news-1-aaaa/torrc"))
        self.assertEqual(self.found(), text)

    def test_unit_files(self):
        unit = os.path.join(self.host.units, "softmap-tor@.service")
        for change in (lambda: overwrite(unit, "by hand"), lambda: os.unlink(unit)):
            change()
            self.assertEqual(self.found(), ["%s was changed by hand" % unit])

    def test_keys(self):
        os.chmod(self.key, 0o644)
        self.assertEqual(self.found(), ["owner or mode of %s was changed by hand" % self.key])
        overwrite(self.key, "by hand")
        self.assertEqual(self.found(), ["%s was changed by hand" % self.key])
        os.unlink(self.key)
        self.assertEqual(self.found(), ["%s is missing" % self.key])
        self.host.release(worker(self.host))
        self.assertEqual(self.found(), [])

    def test_another_owner(self):
        for names in (("nobody", MINE), (ME, "nogroup")):
            with unittest.mock.patch("probe.name_of", unittest.mock.Mock(side_effect=names)):
                self.assertEqual(self.found(), ["owner or mode of %s was changed by hand" % self.key])
        self.assertEqual(probe.name_of(lambda _: {}["none"], 4711), "4711")

    def test_a_key_that_the_timer_removed_is_not_missing(self):
        site, purged = os.path.join(self.host.state, "a.key"), os.path.join(self.host.base, "purged")
        payload = worker(self.host)
        payload["state"].append({**payload["state"][0], "path": site})
        self.host.release(payload)
        os.unlink(site)
        with unittest.mock.patch("probe.PURGED", purged):
            self.assertEqual(self.found(), ["%s is missing" % site])
            overwrite(purged, "")
            self.assertEqual(self.found(), [])
            os.unlink(self.key)
            self.assertEqual(self.found(), ["%s is missing" % self.key], "a backend's key was never the timer's")

    def test_units(self):
        self.host.enabled.discard(NGINX)
        self.host.running.discard(tor("aaaa"))
        self.assertEqual(self.found(), ["%s is not started at boot" % NGINX, "%s does not run" % tor("aaaa")])

    def test_a_standby_that_runs(self):
        waiting = worker(self.host)
        waiting["services"][1]["standby"] = True
        self.host.release(waiting)
        self.assertEqual(self.found(), [])
        self.host.running.add(tor("aaaa"))
        self.assertEqual(self.found(), ["%s runs, but should stand by" % tor("aaaa")])

    def test_a_rollback_by_hand(self):
        overwrite(os.path.join(self.own.root, "rolled-back"), "rolled back by hand from release 0123456789ab\n")
        self.assertEqual(self.found(), ["rolled back by hand from release 0123456789ab"])

    def test_another_release_than_the_proved_one(self):
        first = self.own.current()
        self.host.release(worker(self.host, ("a", "c")))
        second = self.own.current()
        self.own.switch(first)
        self.assertIn("release %s serves, and %s was proved" % (first, second), self.found())
        self.own.switch(None)
        self.assertEqual(self.found(), ["no release of the worker serves here"])

    def test_nothing_was_ever_released(self):
        self.assertEqual(self.found(roles=("balancer", "publisher")), ["no release of the balancer is proved here", "no release of the publisher is proved here"])

    def test_a_clock_that_is_off(self):
        with unittest.mock.patch("sys.argv", ["-", "now=%d" % (time.time() - 301)]):
            (clock,) = self.found()
        self.assertRegex(clock, "its clock says .* UTC, and that of the machine which runs pulumi .* UTC. Next: set the wrong one")
        with unittest.mock.patch("sys.argv", ["-", "now=%d" % time.time()]):
            self.assertEqual(self.found(), [])

    def test_what_belongs_to_another_owner_is_not_looked_at(self):
        overwrite(self.inside("nginx/news.conf"), "by hand")
        self.assertEqual(self.found(owner="workers/south"), [])
        self.assertEqual(len(self.found()), 1)


if __name__ == "__main__":
    unittest.main()
