"""The operator's door to a publisher, with a status that changes as a publisher's does. Run: cd host && python3 -m unittest"""
import contextlib
import json
import os
import tempfile
import threading
import time
import unittest
import unittest.mock

import leave
import report

A, B, C = ("a" * 56, "b" * 56, "c" * 56)
SITE, SHOP = ("s" * 56, "t" * 56)
NAMES = {A: "news-w1-1", B: "news-w1-2", C: "news-w2-1"}


def directory(number, backends, asked=True, state="stored", reason=""):
    return {
        **{"fingerprint": "%040X" % number, "replica": 1, "asked": asked, "state": state, "reason": reason},
        **{"tries": 1, "seconds": 1.2, "bytes": 41000, "backends": list(backends)},
    }


def descriptor(directories, period=19000, readers=True, which="first"):
    return {"which": which, "period": period, "readers": readers, "at": time.time() - 5, "why": "first publication", "points": 6, "directories": directories}


def site(hands, backends=3, left=(), spared=(), by="operator", **more):
    """A site as the publisher tells of it: `hands` are the backends at each directory."""
    marks = {each: {"by": by, "why": "maintenance", "since": time.time() - 30} for each in left}
    rows = [directory(number, hand, **more) for number, hand in enumerate(hands)]
    return {"backends": backends, "listed": backends - len(left), "leftOut": marks, "spared": list(spared), "descriptors": [descriptor(rows)]}


def status(sites, written=None, **more):
    told = {"version": 1, "written": time.time() if written is None else written, "mode": "distinct", "onionbalance": "0.2.2", "problems": [], "sites": sites}
    return {**told, **more}


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.status_path, self.list_path = os.path.join(self.folder, "publisher.json"), os.path.join(self.folder, "list", "operator.json")
        os.mkdir(os.path.dirname(self.list_path))
        for patch in (
            unittest.mock.patch.object(leave, "ids", return_value=(os.getuid(), os.getgid())),
            unittest.mock.patch.object(leave, "LOOK_SECONDS", 0.02),
            unittest.mock.patch.object(leave, "run"),
            unittest.mock.patch.object(leave, "status_text", side_effect=lambda _: self.onionbalance),
        ):
            patch.start()
            self.addCleanup(patch.stop)
        self.onionbalance = ""
        self.tell(status({SITE: site([[A, B], [B, C]])}))

    def tell(self, told):
        with open(self.status_path + ".new", "w") as out:
            json.dump(told, out)
        os.rename(self.status_path + ".new", self.status_path)

    def door(self, standby=False, frontends=None):
        backends = [{"name": name, "address": address + ".onion"} for address, name in NAMES.items()]
        known = {"frontends": frontends or [{"domain": "www.daily.test", "address": SITE + ".onion", "backends": backends}], "statusSocket": "/s", "publisherStatus": self.status_path}
        return leave.Door(known, standby, self.list_path)

    def entries(self):
        with open(self.list_path) as file:
            return json.load(file)["backends"]

    def out(self, wanted, seconds=2.0, door=None, **more):
        payload = {"kind": "drain", "reason": "maintenance", "others": False, **more}
        return leave.leave_them(door or self.door(), payload, set(wanted), time.monotonic() + seconds)

    def back(self, wanted, seconds=2.0, door=None, kind="drain"):
        return leave.take_them_back(door or self.door(), {"kind": kind}, set(wanted), time.monotonic() + seconds)

    @contextlib.contextmanager
    def publisher(self, heeds):
        """Something that does what a publisher does when the list changes: `heeds(addresses in the list)` is its next status."""
        over = threading.Event()

        def watch():
            last = None
            while not over.wait(0.02):
                with contextlib.suppress(OSError):
                    now = set(self.entries())
                    if now != last:
                        last = now
                        self.tell(heeds(now))

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def received(self, ago, other_ago=None):
        stamp = lambda seconds: time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() - seconds))
        ones = [{"onionAddress": each + ".onion", "descriptorReceived": stamp(ago), "introSetModified": stamp(ago if other_ago is None else other_ago)} for each in NAMES]
        return json.dumps({"services": [{"onionAddress": SITE + ".onion.onion", "instances": ones}]})


class Out(Case):
    def test_it_is_written_as_the_publisher_reads_it_and_waited_for(self):
        with self.publisher(lambda left: status({SITE: site([set(hand) - left for hand in ([A, B], [B, C])], left=left)})):
            told = self.out([A])
        self.assertEqual((told["why"], told["stuck"], told["changed"]), (None, {}, [A]))
        with open(self.list_path) as file:
            marks, why = leave.read_list(file.read(), "operator", time.time())
        self.assertIsNone(why)
        self.assertEqual((list(marks), marks[A].name), ([A], "news-w1-1"))
        self.assertTrue(marks[A].why.endswith(": maintenance"), marks[A].why)
        with open(self.list_path) as file:
            self.assertIsNone(json.load(file)["valid"])
        self.assertEqual(os.stat(self.list_path).st_mode & 0o777, 0o640)

    def test_a_second_one_is_added_and_keeps_who_was_there_first(self):
        self.out([A], seconds=0)
        first = self.entries()[A]
        told = self.out([A, C], seconds=0, kind="restart")
        self.assertEqual((told["changed"], self.entries()[A], self.entries()[C]["kind"]), ([C], first, "restart"))

    def test_the_last_one_of_a_site_is_refused_and_nothing_is_written(self):
        with self.assertRaises(report.Failure) as caught:
            self.out([A, B, C])
        self.assertIn("news-w1-1, news-w1-2, news-w2-1 cannot be left out: of www.daily.test no other backend", str(caught.exception))
        self.assertFalse(os.path.exists(self.list_path))

    def test_nobody_who_is_silent_counts_as_one_who_stays(self):
        for its in (site([[A]], left=[B], spared=[C], by="watchdog"), site([[A]], left=[B, C], by="watchdog")):
            self.tell(status({SITE: its}))
            self.assertEqual(self.door().last_ones(self.door().told(), {}, {A}), {A: "www.daily.test"})

    def test_one_site_without_others_is_enough_to_refuse(self):
        ones = [{"name": "news-w1-1", "address": A}]
        both = [*ones, {"name": "news-w2-1", "address": C}]
        door = self.door(frontends=[{"domain": "a", "address": SITE, "backends": both}, {"domain": "b", "address": SHOP, "backends": ones}])
        self.assertEqual(door.last_ones({}, {}, {A}), {A: "b"})
        self.assertEqual(door.last_ones({}, {}, {C}), {})

    def test_what_keeps_it_from_being_so_is_said(self):
        for its, why in (
            (site([[A, B]]), "news-w1-1: still in the descriptor of www.daily.test"),
            (site([[B], [C]], left=[A], state="pending"), "www.daily.test: 2 of 2 directories have yet to store its descriptor"),
        ):
            self.tell(status({SITE: its}))
            self.assertEqual(self.out([A], seconds=0)["why"], why)
        self.tell(status({}, written=time.time() - 100))
        self.assertRegex(self.out([A], seconds=0)["why"], r"told nothing for \d+ s: does softmap-onionbalance.service run")
        os.remove(self.status_path)
        self.assertIn("tells nothing", self.out([A], seconds=0)["why"])

    def test_a_directory_that_refuses_is_left_to_the_desk_where_others_publish_and_else_waited_for(self):
        its = site([[B], [C]], left=[A])
        its["descriptors"][0]["directories"][1].update(state="refused", reason="not older")
        its["descriptors"][0]["directories"].append(directory(7, [B], asked=False, state="failed"))
        self.tell(status({SITE: its}))
        start = time.monotonic()
        told = self.out([A], seconds=20, others=True)
        self.assertLess(time.monotonic() - start, 5)
        self.assertEqual((told["why"], told["stuck"]), (None, {"%040X" % 1: "www.daily.test: refused not older"}))
        self.assertEqual(list(self.out([A], seconds=0.1)["stuck"]), ["%040X" % 1])

    def test_a_round_of_a_period_before_is_nobodys_any_more(self):
        its = site([[B]], left=[A])
        its["descriptors"] = [descriptor([directory(1, [A])], 18999, False), *its["descriptors"], descriptor([directory(2, [B])], 19001, False, "second")]
        self.tell(status({SITE: its}))
        self.assertIsNone(self.out([A], seconds=0.1)["why"])

    def test_a_balancer_that_stands_by_has_the_list_and_is_not_waited_for(self):
        os.remove(self.status_path)
        self.assertIsNone(self.out([A], seconds=20, door=self.door(standby=True))["why"])
        self.assertEqual(list(self.entries()), [A])

    def test_what_no_site_has_any_more_leaves_the_list_and_rubbish_is_begun_anew(self):
        self.door().write({A: {"name": "x", "why": "y", "since": 1.0}, "d" * 56: {"name": "gone", "why": "y", "since": 1.0}})
        self.assertEqual(list(self.entries()), [A])
        with open(self.list_path, "w") as file:
            file.write("{not JSON")
        self.assertEqual(self.door().listed(), {})

    def test_machines_of_before(self):
        for known, word in (({}, "published nothing yet"), ({"frontends": []}, "earlier release")):
            with self.assertRaisesRegex(report.Failure, word):
                leave.Door(known, False)


class Back(Case):
    def left(self, *addresses, kind="drain", since=None):
        self.door().write({each: {"name": NAMES[each], "why": "x", "since": time.time() if since is None else since, "kind": kind} for each in addresses})

    def heeds(self, left):
        return status({SITE: site([set(hand) - left for hand in ([A, B], [B, C])], left=left)})

    def test_its_descriptor_is_fetched_then_it_is_listed_then_waited_for(self):
        self.left(A, C)
        self.onionbalance = self.received(-1)
        with self.publisher(self.heeds):
            told = self.back([A])
        self.assertEqual((told["why"], told["changed"], list(self.entries())), (None, [A], [C]))

    def test_one_that_was_restarted_waits_for_other_introduction_points(self):
        self.left(A, kind="restart", since=time.time() - 20)
        self.onionbalance = self.received(0, other_ago=500)
        self.assertEqual(self.door().awaited([A], {A: (time.time() - 20, True)}), {A})
        self.assertEqual(self.door().awaited([A], {A: (time.time() - 20, False)}), set())
        seen = []
        leave.run.side_effect = lambda *_, **__: (seen.append(A in self.entries()), setattr(self, "onionbalance", self.received(0)))
        with self.publisher(self.heeds):
            told = self.back([A], kind="restart")
        self.assertEqual((told["why"], told["changed"], seen), (None, [A], [True]))

    def test_a_descriptor_that_does_not_come_is_no_reason_to_stay_out(self):
        self.left(A)
        with self.publisher(self.heeds):
            told = self.back([A], seconds=0.6)
        self.assertEqual((told["why"], self.entries()), (None, {}))

    def test_only_what_the_same_command_left_out(self):
        self.left(A, kind="drain")
        self.assertEqual(self.back([A], kind="start")["changed"], [])
        self.assertEqual(list(self.entries()), [A])

    def test_why_it_is_not_listed(self):
        self.onionbalance = self.received(-1)
        for its, why in ((site([[B], [C]]), "news-w1-1: in no stored descriptor of www.daily.test yet"), (site([[B]], left=[A], by="watchdog"), "news-w1-1: left out by the watchdog: maintenance")):
            self.left(A)
            self.tell(status({SITE: its}))
            self.assertEqual(self.back([A], seconds=0)["why"], why)


class Look(Case):
    def test_who_is_left_out_by_whom_and_for_how_long(self):
        self.door().write({A: {"name": NAMES[A], "why": "olga: maintenance", "since": time.time() - 60, "kind": "drain"}})
        its = site([[B]], left=[A])
        its["leftOut"][C] = {"by": "watchdog", "why": "no answer for 12 s", "since": time.time() - 12}
        self.tell(status({SITE: its}))
        told = leave.look(self.door(), {A, B, "d" * 56})
        self.assertEqual([(each["name"], each["by"], each["why"], each["kept"]) for each in told["marks"]], [("news-w1-1", "operator", "olga: maintenance", False), ("news-w2-1", "watchdog", "no answer for 12 s", False)])
        self.assertEqual([each["kind"] for each in told["marks"]], ["drain", None])
        self.assertEqual([each["age"] for each in told["marks"]], [60, 12])
        self.assertEqual((told["listed"], told["last"], told["quiet"], told["mode"]), ([A, B], {B: "www.daily.test"}, None, "distinct"))


if __name__ == "__main__":
    unittest.main()
