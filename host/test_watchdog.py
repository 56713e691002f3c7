"""The watchdog: its judgement, on random sequences and in a simulated network. Run: cd host && python3 -m unittest"""
import heapq
import os
import random
import tempfile
import unittest
import unittest.mock
import watchdog
from watchdog_marks import ANSWERS, UNKNOWN, Marks
from watchdog_pace import MOST_AT_ONCE, MOST_MARKED, Pace
from watchdog_settings import Pacing, backends_of, pacing_of

PACING = Pacing(30.0, 20.0, 2, 180)
DOWN = "host unreachable"


class Judged:
    """Marks with a clock that goes in whole steps, and what they said."""

    def __init__(self, *names, pacing=PACING):
        self.said, self.now = [], 0
        self.marks = Marks(pacing, self.now, self.said.append)
        self.marks.set_backends({name: name.upper() for name in names}, self.now)

    def ok(self, name, took=1):
        self.marks.began(name, self.now)
        self.pass_by(took)
        self.marks.probe_ok(name, self.now, took)

    def fail(self, name, took=1):
        self.marks.began(name, self.now)
        self.pass_by(took)
        return self.marks.probe_failed(name, self.now, DOWN)

    def pass_by(self, seconds):
        for _ in range(seconds):
            self.now += 1
            self.marks.tick(self.now)

    @property
    def marked(self):
        return sorted(self.marks.marked())


class Judgement(unittest.TestCase):
    def test_failures_in_a_row_with_an_answer_of_somebody_else_between_and_after_them(self):
        it = Judged("a", "b")
        it.ok("a"), it.ok("b")
        it.marks.began("b", it.now + 1)
        self.assertFalse(it.fail("a", 2))
        self.assertFalse(it.fail("a"), "nobody has answered since")
        self.assertEqual((it.marks.backends["a"].failures, it.marks.to_try_again()), (1, set()))
        it.marks.probe_ok("b", it.now, 2)
        self.assertEqual(it.marks.to_try_again(), {"a"}, "somebody else was asked later and has answered")
        self.assertFalse(it.fail("a"), "two are enough")
        self.assertEqual((it.marked, it.marks.backends["a"].state), ([], UNKNOWN))
        it.ok("b")
        self.assertEqual(it.marked, ["a"])
        self.assertEqual(it.said[-1], "A: left out: no answer for 5 s (2 probes): host unreachable")
        self.assertEqual(it.marks.leave_out(it.now)["a"], ("A", "no answer for 5 s (2 probes): host unreachable", 2))
        it.fail("a")
        self.assertEqual(it.marks.leave_out(it.now)["a"][1], "no answer for 6 s (3 probes): host unreachable")
        it.ok("a")
        self.assertEqual((it.marked, it.marks.backends["a"].state), ([], ANSWERS))
        self.assertEqual(it.said[-1], "A: answers again after 7 s, within 1.0 s: not left out any more")

    def test_nobody_is_marked_before_somebody_has_answered(self):
        it = Judged("a", "b", pacing=PACING._replace(failures=1))
        for _ in range(5):
            it.fail("a")
        self.assertEqual(it.marks.broken, "no backend has answered yet")
        it.ok("b")
        self.assertEqual((it.marked, it.marks.broken, it.said), ([], "", ["judging: backends answer"]))
        it.fail("a"), it.ok("b")
        self.assertEqual(it.marked, ["a"])

    def test_when_nobody_answers_nobody_is_marked_and_old_marks_lapse(self):
        it = Judged("a", "b", "c", pacing=PACING._replace(failures=1))
        for name in "abc":
            it.ok(name)
        it.fail("a"), it.ok("b")
        self.assertEqual(it.marked, ["a"])
        for _ in range(20):
            it.fail("b"), it.fail("c"), it.fail("a")
        self.assertEqual(it.marked, ["a"], "not by silence of everybody, and not taken away by it")
        it.pass_by(1)
        self.assertIn("not judging: no backend has answered for 60 s: either all are dead, or the prober's tor reaches nobody", it.said)
        it.pass_by(120)
        self.assertEqual(it.marked, [])
        self.assertIn("the 1 marks are dropped", it.said[-1])
        it.ok("c"), it.fail("a"), it.ok("c")
        self.assertEqual((it.marked, it.marks.broken), (["a"], ""))

    def test_the_only_backend_is_never_marked(self):
        it = Judged("a")
        it.ok("a")
        for _ in range(100):
            it.fail("a")
        self.assertEqual(it.marked, [])
        self.assertIn("no backend has answered for 60 s", it.marks.broken)

    def test_after_a_standstill_what_was_under_way_does_not_count(self):
        it = Judged("a", "b", pacing=PACING._replace(failures=1))
        it.ok("a"), it.ok("b")
        it.marks.began("a", it.now), it.marks.began("b", it.now)
        it.now += 3600
        it.marks.tick(it.now)
        self.assertEqual(it.marks.broken, "the machine or the watchdog stood still for 3600 s")
        it.marks.probe_ok("b", it.now, 3600)
        self.assertNotEqual(it.marks.broken, "", "that answer is from before")
        it.marks.probe_failed("a", it.now, "timed out")
        it.ok("b")
        self.assertEqual((it.marks.broken, it.marked, it.marks.backends["a"].failures), ("", [], 0))

    def test_a_doubt_clears_what_was_held_against_the_unmarked_and_keeps_marks(self):
        it = Judged("a", "b", "c")
        for name in "abc":
            it.ok(name)
        it.fail("a"), it.ok("c"), it.fail("a"), it.ok("c"), it.fail("b")
        it.marks.doubt("its tor is gone", it.now)
        it.marks.doubt("its tor is gone", it.now)
        self.assertEqual(it.said.count("not judging: its tor is gone"), 1)
        self.assertEqual((it.marked, it.marks.backends["b"].failures), (["a"], 0))
        it.marks.set_backends({"b": "B", "c": "Other"}, it.now)
        self.assertEqual((it.marked, it.marks.backends["c"].name, it.marks.backends["c"].state), ([], "Other", ANSWERS))

    def test_random_sequences(self):
        for seed in range(300):
            self.one_sequence(random.Random(seed))

    def one_sequence(self, draw):
        """Whatever happens: the rules of a mark, told by a second book that only counts."""
        pacing = Pacing(draw.choice([5.0, 30.0]), draw.choice([5.0, 20.0]), draw.randint(1, 4), draw.choice([60, 180]))
        names = list("abcdef")[: draw.randint(1, 6)]
        now, said = 0.0, []
        marks = Marks(pacing, now, said.append)
        marks.set_backends(dict.fromkeys(names, "x"), now)
        row, running, trusted = dict.fromkeys("abcdef", 0), {}, False
        for _ in range(300):
            now += draw.choice([0.0, 0.1, 1.0, 1.0, 3.0, draw.choice([1.0, 8.0, 100.0])])
            before, broken = set(marks.marked()), marks.broken
            kind, name, may_mark = draw.choice(["began", "began", "ok", "fail", "fail", "tick", "tick", "tick", "doubt", "set"]), draw.choice(names), True
            if kind == "began" and name not in running:
                running[name] = now
                marks.began(name, now)
            elif kind == "ok" and name in running:
                del running[name]
                marks.probe_ok(name, now, 1.0)
                row[name], trusted = 0, trusted or not marks.broken
                self.assertNotIn(name, marks.marked())
            elif kind == "fail" and name in running:
                del running[name]
                row[name] += trusted
                marks.probe_failed(name, now, DOWN)
                self.assertLessEqual(before - {name}, marks.marked().keys())
            elif kind == "tick":
                marks.tick(now)
                may_mark = False
            elif kind == "doubt" and draw.random() < 0.1:
                marks.doubt("some reason", now)
                row, trusted = {each: n if each in before else 0 for each, n in row.items()}, False
                self.assertEqual(marks.marked().keys(), before, "a doubt neither makes nor takes marks")
            elif kind == "set" and draw.random() < 0.1:
                names = draw.sample(list("abcdef"), draw.randint(1, 6))
                marks.set_backends(dict.fromkeys(names, "x"), now)
                running = {each: since for each, since in running.items() if each in names}
                row = {each: n if each in names else 0 for each, n in row.items()}
                self.assertEqual(set(marks.backends), set(names))
            new = marks.marked().keys() - before
            self.assertTrue(not new or may_mark)
            self.assertFalse(new and (broken and marks.broken))
            for each in new:
                self.assertGreaterEqual(row[each], pacing.failures)
                self.assertGreater(len(names), 1)


class World(watchdog.Watchdog):
    """The watchdog with simulated backends, prober and network, and a clock that jumps from event to event."""

    def __init__(self, count, pacing, seed, latency=0.8):
        super().__init__("config.yaml", "publisher.yaml", "socks", "")
        self.draw, self.latency = random.Random(seed), latency
        self.now, self.said = 1000.0, []
        self.names = ["b%03d" % each for each in range(count)]
        self.marks, self.pace = Marks(pacing, self.now, self.log), Pace(pacing.every, self.draw.random)
        self.watch({each: each for each in self.names}, self.now)
        # name -> how it is dead: "refused" after a second, or "hangs". `cut`: the prober reaches nobody.
        self.dead, self.cut, self.pending, self.starts = {}, None, [], []
        self.marked_at, self.most, self.most_marked = {}, 0, 0

    def log(self, text):
        self.said.append((self.now, text))

    def probe(self, address, timeout):
        self.starts.append((self.now, address))
        how = self.cut or self.dead.get(address)
        took = {None: self.latency * (0.5 + self.draw.random()), "refused": 0.5 + self.draw.random(), "hangs": timeout}[how]
        heapq.heappush(self.pending, (self.now + took, address, *(("failed", DOWN) if how else ("ok", took))))

    def run(self, seconds):
        end = self.now + seconds
        while self.now < end:
            self.marks.tick(self.now)
            self.launch(self.now)
            self.most = max(self.most, len(self.pace.running))
            self.most_marked = max(self.most_marked, len(self.pace.running.keys() & self.marks.marked().keys()))
            self.now = min(self.now + self.pace.rest(self.now, 1.0), self.pending[0][0] if self.pending else end)
            while self.pending and self.pending[0][0] <= self.now:
                self.take(*heapq.heappop(self.pending)[1:], self.now)
            for name in self.marks.marked():
                self.marked_at.setdefault(name, self.now)

    def seconds_to(self, start):
        return max(at - start for at in self.marked_at.values())


LAB = Pacing(5.0, 10.0, 2, 60)


class Simulated(unittest.TestCase):
    def test_the_pace_is_kept_and_spread(self):
        world = World(60, PACING, 1)
        world.run(600)
        per_backend = [sum(1 for _, one in world.starts if one == name) for name in world.names]
        self.assertTrue(all(19 <= each <= 21 for each in per_backend), per_backend)
        busiest = max(sum(1 for at, _ in world.starts if second <= at < second + 3) for second in range(1030, 1590))
        self.assertLessEqual(busiest, 14, "60 in 30 s are 6 in 3 s")
        self.assertLess(world.most, 8)
        self.assertEqual(world.marked_at, {})

    def test_dead_ones_are_marked_in_time_and_nobody_else(self):
        few = (12, 5, "hangs", 28), (2, 1, "refused", 12), (2, 1, "hangs", 30)
        many = (60, 1, "refused", 10), (60, 15, "refused", 12), (60, 1, "hangs", 28), (60, 15, "hangs", 40), (30, 29, "refused", 20)
        for count, dead, how, most in (*few, *many):
            for seed in range(3):
                with self.subTest(count=count, dead=dead, how=how, seed=seed):
                    world = World(count, LAB, seed)
                    world.run(20)
                    gone, start = world.draw.sample(world.names, dead), world.now
                    world.dead = dict.fromkeys(gone, how)
                    world.run(60)
                    self.assertEqual(sorted(world.marked_at), sorted(gone))
                    self.assertLess(world.seconds_to(start), most)
                    self.assertLessEqual(world.most, MOST_AT_ONCE)
                    self.assertLessEqual(world.most_marked, MOST_MARKED + MOST_AT_ONCE // 2, "those that were under way when they were marked besides")
                    world.dead, back = {}, world.now
                    world.run(60)
                    self.assertEqual(world.marks.marked(), {})
                    self.assertLess(max(at for at, text in world.said if "answers again" in text) - back, 30)

    def test_marked_ones_that_hang_do_not_slow_the_others(self):
        world = World(60, LAB, 1)
        world.run(20)
        gone = world.names[:15]
        world.dead = dict.fromkeys(gone, "hangs")
        world.run(60)
        since = world.now
        world.run(60)
        for name in world.names[15:]:
            self.assertGreaterEqual(sum(1 for at, one in world.starts if one == name and at > since), 9, "12 in 60 s is its pace")

    def test_a_prober_that_reaches_nobody_for_a_while_marks_nobody(self):
        for how in ("refused", "hangs"):
            for seconds in (0.5, 2, 5, 20, 45, 100, 400):
                for count, seed in ((60, 1), (12, 2), (2, 3)):
                    with self.subTest(how=how, seconds=seconds, count=count):
                        world = World(count, PACING, seed)
                        world.run(60)
                        world.cut = how
                        world.run(seconds)
                        world.cut = None
                        world.run(120)
                        self.assertEqual(world.marked_at, {}, world.said)
                        self.assertEqual(world.marks.broken, "")
                        self.assertEqual(any("no backend has answered for 60 s" in text for _, text in world.said), seconds >= 100)

    def test_dead_ones_that_were_dead_at_the_start_are_marked_too(self):
        world = World(10, LAB, 4)
        world.dead = {world.names[3]: "refused"}
        world.run(30)
        self.assertEqual(list(world.marked_at), [world.names[3]])


class Probes(unittest.TestCase):
    def test_a_fault_of_ours_is_nobodys_silence(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(watchdog.probed(os.path.join(folder, "socks"), "b" * 56, 1), ("doubt", "the prober's tor went away"))
            with unittest.mock.patch("watchdog.first_answer", side_effect=KeyError("x")):
                self.assertEqual(watchdog.probed(os.path.join(folder, "socks"), "b" * 56, 1), ("doubt", "a bug in the watchdog: KeyError: 'x'"))


class Settings(unittest.TestCase):
    def test_what_it_is_told(self):
        self.assertEqual(pacing_of("mode: distinct\nwatchdog: {every: 30, timeout: 20, failures: 2, floor: 50}"), Pacing(30.0, 20.0, 2, 180))
        self.assertEqual(pacing_of("watchdog: {every: 5, timeout: 10, failures: 2}").valid, 60)
        config = "services:\n- key: k\n  instances:\n  - {address: %s.onion, name: one}\n  - {address: %s}\n- key: l\n  instances: [{address: %s.onion, name: one}]\n"
        self.assertEqual(backends_of(config % ("b" * 56, "c" * 56, "b" * 56)), {"b" * 56: "one", "c" * 56: "c" * 16})

    def test_rubbish_names_key_and_value(self):
        for text, told in (
            ("", "watchdog is None and not a group"),
            ("[]", "watchdog is None"),
            ("watchdog: [", "not YAML"),
            ("watchdog: {every: fast, timeout: 1, failures: 1}", "watchdog.every is 'fast' and not a number of seconds above 0 and up to 3600"),
            ("watchdog: {every: 0, timeout: 1, failures: 1}", "watchdog.every is 0 "),
            ("watchdog: {every: .nan, timeout: 1, failures: 1}", "watchdog.every is nan "),
            ("watchdog: {every: 1, timeout: true, failures: 1}", "watchdog.timeout is True "),
            ("watchdog: {every: 1, timeout: 1, failures: 1.5}", "watchdog.failures is 1.5 and not a whole number"),
            ("watchdog: {every: 1, timeout: 1}", "watchdog.failures is None "),
        ):
            with self.assertRaises(ValueError, msg=text) as raised:
                pacing_of(text)
            self.assertIn(told, str(raised.exception))
        for text, told in (
            ("", "services is None and not a list of sites"),
            ("services: 3", "services is 3 "),
            ("services: [{key: k}]", "services[0].instances is None "),
            ("services: [{instances: [{address: b.onion}]}]", "services[0].instances has the address 'b.onion', which is no onion address"),
            ("services: [{instances: [5]}]", "has the address '5'"),
        ):
            with self.assertRaises(ValueError, msg=text) as raised:
                backends_of(text)
            self.assertIn(told, str(raised.exception))


if __name__ == "__main__":
    unittest.main()
