"""The pure parts of the look at a machine, and units started and stopped by hand. Run: cd host && python3 -m unittest"""
import datetime
import fcntl
import json
import os
import tempfile
import time
import unittest
import unittest.mock

import act
import descriptors
import open as open_step
import report
import survey
import survey_publisher
import survey_sites
import survey_told
import survey_tor
import tail
from control import ControlError
from test_leave import descriptor, directory, site as told_site, status

ADDRESS = "a" * 56


class Tor(unittest.TestCase):
    def test_guards(self):
        text = "$AA~one up\n$BB~two never-connected\n$CC~three down 2026-01-01 00:00:00\n$DD~four up\n"
        self.assertEqual(survey_tor.parse_guards(text), {"up": 2, "all": 4})
        for none in (None, "", "rubbish"):
            self.assertIsNone(survey_tor.parse_guards(none))

    def test_introduction_circuits_that_stand(self):
        line = "%d %s $AA~x BUILD_FLAGS=IS_INTERNAL PURPOSE=%s HS_STATE=%s REND_QUERY=%s TIME_CREATED=2026-01-01T00:00:00"
        rows = [
            line % (1, "BUILT", "HS_SERVICE_INTRO", "HSSI_ESTABLISHED", ADDRESS),
            line % (2, "BUILT", "HS_SERVICE_INTRO", "HSSI_CONNECTING", ADDRESS),
            line % (3, "EXTENDED", "HS_SERVICE_INTRO", "HSSI_ESTABLISHED", ADDRESS),
            line % (4, "BUILT", "HS_SERVICE_REND", "HSSR_CONNECTING", ADDRESS),
            line % (5, "BUILT", "HS_SERVICE_INTRO", "HSSI_ESTABLISHED", "b" * 56),
            "6 LAUNCHED PURPOSE=GENERAL",
            "",
        ]
        self.assertEqual(survey_tor.introduction_circuits("\n".join(rows), ADDRESS), 1)
        self.assertEqual(survey_tor.introduction_circuits(None, ADDRESS), 0)

    def test_frontends_of_an_ob_config(self):
        self.assertEqual(survey_tor.masters("# x\nMasterOnionAddress a.onion\nMasterOnionAddress b.onion\n"), ["a.onion", "b.onion"])
        self.assertEqual(survey_tor.masters(""), [])

    def test_a_tor_that_does_not_answer(self):
        service = {"unit": "softmap-tor@news-1-00ff.service", "health": {"control": "/nowhere"}}
        projects = [{"backends": [{"name": "news-w-1", "address": ADDRESS, "unit": service["unit"]}]}]
        with unittest.mock.patch.object(survey_tor, "Control", side_effect=ControlError("/nowhere: No such file")):
            seen = survey_tor.tor_seen(service, projects)
        self.assertEqual((seen["error"], seen["bootstrapped"]), ("/nowhere: No such file", None))
        self.assertEqual(seen["backend"], {"name": "news-w-1", "address": ADDRESS + ".onion", "introductionPoints": 0, "plannedPoints": None, "obConfig": []})
        self.assertEqual(survey_tor.planned_points("# x\nHiddenServiceNumIntroductionPoints 5\n"), 5)


class Publisher(unittest.TestCase):
    NOW = datetime.datetime(2026, 1, 1, 12, 0, 0)

    def status(self, **more):
        one = {"onionAddress": "b" * 56 + ".onion.onion", "descriptorReceived": "2026-01-01 11:59:00", "introPointsNum": 3}
        service = {"onionAddress": ADDRESS + ".onion", "publishAttemptFirstDescriptor": "2026-01-01 11:50:00", "publishAttemptSecondDescriptor": None, "instances": [one]}
        return json.dumps({"services": [{**service, **more}]})

    def test_services(self):
        found = survey_publisher.parse_services(self.status(), self.NOW)
        self.assertEqual(found, {ADDRESS: {"attempted": 600, "backends": {"b" * 56: (60, 3)}}})

    def test_never(self):
        found = survey_publisher.parse_services(self.status(publishAttemptFirstDescriptor=None, instances=[{"onionAddress": "c", "received": None}]), self.NOW)
        self.assertEqual(found, {ADDRESS: {"attempted": None, "backends": {"c": (None, None)}}})

    def test_rubbish(self):
        for text in ("", "{", "[]", '{"services": 3}', '{"services": [{}]}', "null"):
            with self.assertRaises(ValueError, msg=text):
                survey_publisher.parse_services(text, self.NOW)

    def site(self, asked=(None,), **lists):
        site = {"address": ADDRESS, "domain": "www.example.org", "backends": [{"name": "one", "address": "b"}, {"name": "two", "address": "c"}]}
        points = {(ADDRESS, None): {1, 2, 3, 9}, ("b", None): {1, 2}, ("c", None): {4}, ("d", None): {3}, **{(ADDRESS if key[0] == "x" else key, key if key[0] == "x" else None): its for key, its in lists.items()}}
        known = {"attempted": 5, "backends": {"b": (1, 3), "d": (2, 3)}}
        found = {each: (None, "nobody has it") if its is None else (its, None) for each, its in points.items()}
        with unittest.mock.patch.object(survey_publisher, "introduction_points", side_effect=lambda its, _: its):
            return survey_publisher.published_site(site, known, None, list(asked), found, 1.5)

    def test_whose_points_are_in_a_descriptor(self):
        seen = self.site()
        self.assertEqual([(each["name"], each["received"], each["listed"], each["directories"]) for each in seen["backends"]], [("one", 1, 2, 1), ("two", None, 0, 0), (None, 2, 1, 1)])
        self.assertEqual(seen["published"], {"error": None, "points": 4, "all": 4, "unknown": 1, "took": 1.5, "asked": 1, "silent": []})

    def test_descriptors_that_differ_are_judged_together(self):
        seen = self.site(asked=("x1", "x2", "x3"), x1={1, 2}, x2={2, 3}, x3=None)
        self.assertEqual([(each["listed"], each["directories"]) for each in seen["backends"]], [(3, 2), (0, 0), (1, 1)])
        self.assertEqual((seen["published"]["points"], seen["published"]["all"], seen["published"]["unknown"], seen["published"]["asked"]), (2, 3, 0, 3))
        self.assertEqual(seen["published"]["silent"], [{"fingerprint": "x3", "why": "nobody has it"}])
        self.assertEqual(self.site(asked=("x1",), x1=None)["published"]["error"], "nobody has it")

    def test_a_backend_whose_own_descriptor_is_not_there(self):
        seen = self.site(c=None)
        self.assertIsNone(seen["backends"][1]["listed"])

    def test_who_has_none_is_asked_for_again(self):
        a, b, asked = ("a", "F" * 40), ("b", None), []
        answers = [{a: ("text", None), b: (None, "NOT_FOUND")}, {b: (None, "NOT_FOUND")}, {b: ("text", None)}]

        def fetch(_control, wanted, _seconds):
            asked.append(wanted)
            return answers[len(asked) - 1]

        with unittest.mock.patch.object(survey_publisher, "fetch_from", fetch), unittest.mock.patch.object(survey_publisher, "Control"):
            found, _ = survey_publisher.fetched("control", [a, b])
        self.assertEqual((asked, found), ([[a, b], [b], [b]], {a: ("text", None), b: ("text", None)}))

    def test_a_tor_of_the_balancer_that_is_gone(self):
        with unittest.mock.patch.object(survey_publisher, "Control", side_effect=ControlError("no such file")):
            found, _ = survey_publisher.fetched("control", [("a", None)])
        self.assertEqual(found, {("a", None): (None, "the balancer's tor: no such file")})

    def test_no_descriptor(self):
        points = {(ADDRESS, None): (None, "nobody has it")}
        site = {"address": ADDRESS, "domain": "www.example.org", "backends": [{"name": "one", "address": "b"}]}
        seen = survey_publisher.published_site(site, {"attempted": None, "backends": {}}, None, [None], points, 1)
        self.assertEqual((seen["published"]["error"], seen["backends"][0]["listed"]), ("nobody has it", None))


class Told(unittest.TestCase):
    NAMES = {"a" * 56: "news-w1-1", "b" * 56: "news-w1-2"}

    def test_a_site_by_the_names_of_its_backends(self):
        its = told_site([["a" * 56], ["c" * 56]], left=["b" * 56], spared=["a" * 56])
        its["descriptors"] = [descriptor([directory(9, [])], 18999, False), *its["descriptors"], descriptor([directory(3, [])], 19001, False)]
        seen = survey_told.site_told(its, self.NAMES, time.time())
        self.assertEqual((seen["backends"], seen["listed"], seen["spared"]), (3, 2, ["news-w1-1"]))
        self.assertEqual(seen["leftOut"], [{"name": "news-w1-2", "address": "b" * 56 + ".onion", "by": "operator", "why": "maintenance", "age": 30}])
        self.assertEqual([each["period"] for each in seen["descriptors"]], [19000, 19001])
        row = seen["descriptors"][0]["directories"][0]
        self.assertEqual((row["state"], row["asked"], row["backends"], row["bytes"]), ("stored", True, ["news-w1-1"], 41000))

    def test_who_has_no_status_or_rubbish_in_it_says_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "status.json")
            self.assertIsNone(survey_told.told_in(path, time.time()))
            for text in ("", "{", "[]", "null", '{"version": 2, "written": 1}', '{"version": 1, "written": "now"}'):
                with open(path, "w") as file:
                    file.write(text)
                self.assertIsNone(survey_told.told_in(path, time.time()), text)
            with open(path, "w") as file:
                json.dump(status({}, written=time.time() - 40, problems=["x"]), file)
            self.assertEqual(survey_told.publisher_told(survey_told.told_in(path, time.time())), {"mode": "distinct", "age": 40, "problems": ["x"]})
        self.assertIsNone(survey_told.told_in(None, 0))
        for its in (None, {}, [], {**told_site([[]]), "descriptors": [{}]}):
            self.assertIsNone(survey_told.site_told(its, self.NAMES, 0))
        for rubbish in (None, {"age": 1}, {"age": 1, "every": "x", "broken": "", "backends": {}}):
            self.assertIsNone(survey_told.watchdog_told(rubbish, self.NAMES, 0))
        self.assertIsNone(survey_told.publisher_told({"age": 1}))

    def test_the_watchdogs_word_of_each_backend(self):
        one = {"name": "old name", "state": "silent", "since": 100.0, "last": None, "seconds": None, "failures": 3, "probes": 12, "why": "no answer"}
        told = survey_told.watchdog_told({"age": 2.4, "every": 5, "broken": "", "backends": {"a" * 56: one, "d" * 56: {**one, "state": "answers", "last": 130.0, "seconds": 0.8}}}, self.NAMES, 160.0)
        self.assertEqual((told["age"], told["every"], told["broken"]), (2, 5.0, ""))
        self.assertEqual([(each["name"], each["state"], each["age"], each["answered"], each["seconds"]) for each in told["backends"]], [("news-w1-1", "silent", 60, None, None), ("old name", "answers", 60, 30, 0.8)])


class Machine(unittest.TestCase):
    def test_memory(self):
        self.assertEqual(survey.memory("MemTotal: 2048 kB\nMemFree: 1 kB\nMemAvailable: 1024 kB\n"), {"total": 2, "free": 1})

    def test_units_and_their_projects(self):
        self.assertEqual(survey.kind_of("softmap-tor@client.service"), "client tor")
        self.assertEqual(survey.kind_of("softmap-tor@news-1-00ff.service"), "tor")
        self.assertEqual(survey.kind_of("softmap-renew.timer"), "base")
        self.assertEqual([survey.kind_of("softmap-%s.service" % each) for each in ("prober-tor", "watchdog", "balancer-tor")], ["prober tor", "watchdog", "balancer tor"])
        self.assertEqual(survey.project_in("softmap-tor@a-b-2-00ff.service"), "a-b")
        self.assertEqual(survey.project_in("softmap-nginx@a-b.service"), "a-b")
        self.assertIsNone(survey.project_in("softmap-tor@client.service"))

    def test_units_as_systemd_shows_them(self):
        shown = survey.parse_shown("Id=a.service\nActiveState=active\n\nActiveState=failed\nId=b.service\n\nrubbish\n")
        self.assertEqual(sorted(shown), ["a.service", "b.service"])
        seen = survey.unit_seen("a.service", "run", {"ActiveState": "active", "ActiveEnterTimestampMonotonic": "5000000", "MemoryCurrent": "[not set]", "MainPID": "0", "NRestarts": "2"}, True, 65.0)
        self.assertEqual((seen["age"], seen["memoryMb"], seen["pid"], seen["restarts"]), (60, None, None, 2))
        self.assertEqual(survey.unit_seen("c.service", "run", {}, False, 1.0)["state"], "unknown")

    def test_the_lock_is_seen_while_it_is_held(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "lock")
            self.assertIsNone(survey.lock_seen(path))
            with open(path, "w+") as held:
                held.write(json.dumps({"by": "ada", "from": "10.0.0.1", "what": "a release", "process": 7, "since": "now"}))
                held.flush()
                self.assertIsNone(survey.lock_seen(path), "a note that a dead process left")
                fcntl.flock(held, fcntl.LOCK_EX)
                self.assertEqual(survey.lock_seen(path), {"by": "ada", "from": "10.0.0.1", "what": "a release", "process": 7, "since": "now"})


class Act(unittest.TestCase):
    PLAN = {
        "services": [{"unit": "t1", "health": {"kind": "tor"}}, {"unit": "n1", "health": {"kind": "nginx", "socket": "s"}}, {"unit": "t2", "health": {"kind": "tor"}}],
        "proof": [{"project": "one", "unit": "n1", "backends": [{"unit": "t1", "name": "b1"}]}, {"project": "two", "unit": "n2", "backends": [{"unit": "t2", "name": "b2"}]}],
    }
    PUBLISHER = {"services": [{"unit": "ob", "health": {"kind": "active"}, "standby": True}]}

    def units(self, projects, *parts):
        class Plans:
            def __init__(self, role):
                self.role = role

            def plan(self):
                return {"worker": Act.PLAN, "publisher": Act.PUBLISHER}.get(self.role)

            def current(self):
                return None

        with unittest.mock.patch.object(act, "Tree", Plans):
            return [service["unit"] for service, _ in act.acted_on(projects, *parts)]

    def test_proxies_first_and_nothing_that_stands_by(self):
        self.assertEqual(self.units([]), ["n1", "t1", "t2"])

    def test_of_a_project_alone(self):
        self.assertEqual(self.units(["two"]), ["t2"])
        self.assertEqual(self.units(["nobody"]), [])

    def test_backends_apart_from_the_rest(self):
        self.assertEqual(self.units([], ["b2"]), ["t2"])
        self.assertEqual(self.units([], (), ["b2"]), ["n1", "t1"])
        self.assertEqual(self.units(["one"], ["b2"]), [])


class Others(unittest.TestCase):
    def test_journal_patterns(self):
        self.assertEqual(tail.units_of([]), ["softmap-*"])
        self.assertEqual(tail.units_of(["news"]), ["softmap-nginx@news.service", "softmap-tor@news-*.service"])

    def test_a_descriptor_that_was_not_found_is_asked_for_again(self):
        asked, answers = [], [{"a": ("text", None), "b": (None, "NOT_FOUND")}, {"b": (None, "NOT_FOUND")}, {"b": ("text", None)}]

        def fetch(_control, addresses, _seconds):
            asked.append(addresses)
            return answers[len(asked) - 1]

        with unittest.mock.patch.object(descriptors, "fetch", fetch):
            found = descriptors.fetch_patiently("control", ["a", "b"], 20)
        self.assertEqual((asked, found), ([["a", "b"], ["b"], ["b"]], {"a": ("text", None), "b": ("text", None)}))

    def test_a_site_that_was_never_published(self):
        with unittest.mock.patch.object(open_step, "PUBLISHED", "/nowhere/at/all"), self.assertRaises(report.Failure) as caught:
            open_step.open_main(report.Report("open", "b"), {"address": ADDRESS})
        self.assertIn("has published nothing under", str(caught.exception))

    def test_what_a_proxy_said_of_its_upstream(self):
        lines = [
            '2026/01/01 00:00:00 [error] 7#7: *1 upstream SSL certificate verify error: (10:certificate has expired), client: unix:, server: x, host: "www.example.org"',
            "2026/01/01 00:00:00 [error] 7#7: *2 connect() failed, client: unix:, host: \"other.example.org\"",
        ]
        with unittest.mock.patch.object(survey_sites, "journal", return_value="\n".join(lines)):
            self.assertIn("certificate has expired", survey_sites.reason_of("u", ("www.example.org", ADDRESS)))
            self.assertIsNone(survey_sites.reason_of("u", ("third.example.org",)))


if __name__ == "__main__":
    unittest.main()
