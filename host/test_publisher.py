"""When the publisher publishes, who is left out, what it makes of the directories' answers. Run: cd host && python3 -m unittest"""
import json
import os
import random
import tempfile
import types
import unittest
import unittest.mock

import leaving
import publisher_settings
import publishing
import rounds
import seams
import uploads

TIMERS = {"fetch": 120.0, "publishCheck": 30.0, "firstPublish": 15.0, "republish": 300.0, "lifetime": 3600.0, "tooOld": 3600.0}
DIRECTORIES = [("d%d" % at, at // 4 + 1, at % 4 < 3) for at in range(8)]
NOW = 1_800_000_000.0


def address(letter):
    return letter * 56


def points(number, version=0):
    return {"b%d" % at: [("b%d.%d.%d" % (at, version, each), "r%d.%d" % (at, each)) for each in range(3)] for at in range(number)}


def published(its, mode="distinct", at=0.0, states=()):
    hands = rounds.hands_for(mode, DIRECTORIES, its, None, "seed")
    sent = {name: types.SimpleNamespace(state="stored", reason="", tries=1, seconds=1.0, bytes=1) for name, _, _ in DIRECTORIES}
    for name, state in states:
        sent[name].state = state
    return rounds.Round("first", 7, "", DIRECTORIES, its, hands, sent, at, NOW, TIMERS["lifetime"])


class Due(unittest.TestCase):
    def due(self, last, its, now, checking=True, settled=True, directories=DIRECTORIES, timers=TIMERS):
        return rounds.due(last, directories, its, timers, now, checking, settled)

    def test_the_first_when_everybody_has_been_heard_of(self):
        self.assertEqual(self.due(None, points(3), 0.0), "it was not published before")
        self.assertIsNone(self.due(None, points(3), 0.0, settled=False))

    def test_never_an_empty_one(self):
        self.assertIsNone(self.due(None, {}, 0.0))
        self.assertIsNone(self.due(published(points(3)), {}, 10_000.0))

    def test_nothing_new_nothing_to_do(self):
        its = points(30)
        self.assertIsNone(self.due(published(its), its, 1000.0))

    def test_who_falls_out_waits_for_no_check_but_for_a_few_seconds(self):
        last = published(points(12))
        self.assertEqual(self.due(last, points(11), 6.0, checking=False), "1 of 12 backends left")
        self.assertIsNone(self.due(last, points(11), 4.0, checking=False))

    def test_who_comes_back_waits_for_the_check(self):
        last = published(points(11))
        self.assertIsNone(self.due(last, points(12), 100.0, checking=False))
        self.assertEqual(self.due(last, points(12), 100.0), "1 more backend")
        self.assertIsNone(self.due(last, points(12), 100.0, settled=False))

    def test_who_shares_all_relays_with_others_is_no_news(self):
        its = {"b%d" % at: [("b%d" % at, "r")] for at in range(12)}
        last = published(its)
        self.assertLess(len(last.backends()), 12)
        self.assertIsNone(self.due(last, its, 1000.0))

    def test_other_directories(self):
        last = published(points(3))
        self.assertIn("other directories", self.due(last, points(3), 10.0, directories=[*DIRECTORIES[:7], ("new", 2, False)]))

    def test_points_that_changed_wait_so_that_directories_are_not_flooded(self):
        last = published(points(12))
        its = {**points(12), "b3": [("new", "r9"), last_point(last, "b3")]}
        self.assertIsNone(self.due(last, its, 100.0))
        self.assertIn("introduction points have changed", self.due(last, its, 301.0))

    def test_but_not_when_a_backend_has_none_left(self):
        last = published(points(12))
        self.assertIn("introduction points have changed", self.due(last, {**points(12), "b3": [("new", "r9")]}, 31.0))

    def test_new_points_beside_the_listed_ones_change_nothing(self):
        last = published(points(12))
        self.assertIsNone(self.due(last, {each: [*its, (each + "new", "x")] for each, its in points(12).items()}, 1000.0))

    def test_age_and_chance(self):
        its = points(3)
        for _ in range(50):
            last = published(its)
            self.assertIsNone(self.due(last, its, 3239.0))
            self.assertIn("s old", self.due(last, its, 3601.0))

    def test_directories_that_did_not_take_theirs(self):
        its = points(30)
        last = published(its, states=[("d1", "refused"), ("d2", "failed")])
        self.assertIsNone(self.due(last, its, 59.0))
        self.assertEqual(self.due(last, its, 61.0), "2 of 8 directories did not take it")

    def test_up_to_ten_all_directories_get_the_same_and_above_each_its_own(self):
        for mode, number, subsets in (("distinct", 10, 1), ("onionbalance", 4, 1), ("distinct", 21, 8)):
            hands = rounds.hands_for(mode, DIRECTORIES, points(number), None, "x")
            self.assertEqual(len({str(sorted(hand.items())) for hand in hands.values()}), subsets, (mode, number))
        together = rounds.hands_for("distinct", DIRECTORIES, points(10), None, "x")["d0"]
        self.assertEqual({len(keys) for keys in together.values()}, {2}, "two points a backend, as Onionbalance has it")

    def test_a_change_keeps_what_was_dealt(self):
        last = published(points(60))
        its = points(60)
        del its["b7"]
        hands = rounds.hands_for("distinct", DIRECTORIES, its, last, "other")
        for name, hand in last.hands.items():
            self.assertEqual({each: hands[name].get(each) for each in hand if each != "b7"}, {each: key for each, key in hand.items() if each != "b7"})

    def test_what_is_told(self):
        told = published(points(12), states=[("d1", "refused")]).told(True)
        self.assertEqual((told["points"], len(told["directories"]), told["readers"], told["directories"][1]["state"]), (96, 8, True, "refused"))
        json.dumps(told)


def last_point(last, backend):
    """One that is listed: (key, relay)."""
    return next((keys[0], "r") for hand in last.hands.values() for each, keys in hand.items() if each == backend)


class Leaving(unittest.TestCase):
    def text(self, backends, **more):
        return json.dumps({"version": 1, "written": NOW, "valid": 60, "backends": backends, **more})

    def mark(self, since=NOW):
        return {"name": "news-w1-1", "why": "no answer", "since": since}

    def test_a_list(self):
        marks, why = leaving.read_list(self.text({address("a"): self.mark()}), "watchdog", NOW + 59)
        self.assertIsNone(why)
        self.assertEqual(marks[address("a")].told(), {"by": "watchdog", "name": "news-w1-1", "why": "no answer", "since": NOW})

    def test_no_list_is_nobody(self):
        self.assertEqual(leaving.read_list(None, "operator", NOW), ({}, None))

    def test_one_that_nobody_renews_lapses_and_an_operators_never(self):
        for late in (NOW + 61, NOW - 61):
            self.assertRegex(leaving.read_list(self.text({address("a"): self.mark()}), "watchdog", late)[1], "not heeded")
        self.assertIsNone(leaving.read_list(self.text({address("a"): self.mark()}, valid=None), "operator", NOW + 1e7)[1])

    def test_rubbish_is_ignored_as_a_whole_and_said(self):
        good = {address("a"): self.mark()}
        broken = ["", "{", "[]", "null", "7", '"x"', "\0", "[" * 100_000, " " * 2_000_000, self.text(good, version=2), self.text([]), self.text({"x": {}})]
        broken += [self.text({**good, address("b"): self.mark(since)}) for since in (None, "soon", True, float("nan"))]
        broken += [self.text(good, written="now"), self.text(good, valid="long"), self.text({**good, address("b"): []}), self.text(good)[:-9]]
        for text in broken:
            marks, why = leaving.read_list(text, "watchdog", NOW)
            self.assertEqual(marks, {}, text[:60])
            self.assertRegex(why, "^the list of the watchdog ", text[:60])

    def test_anything_at_all_is_read_or_said(self):
        chance, alphabet = random.Random(5), '{}[]":,0 1eE.-versionbackends\\u"' + "a" * 5
        base = self.text({address("a"): self.mark()})
        for _ in range(2000):
            at = chance.randrange(len(base))
            text = base[:at] + "".join(chance.choice(alphabet) for _ in range(chance.randrange(4))) + base[at + chance.randrange(4):]
            marks, why = leaving.read_list(text, "watchdog", NOW)
            self.assertTrue(why is None or marks == {})

    def left(self, number, operator=(), watchdog=(), floor=50):
        marks = lambda by, who: {each: leaving.Mark(by, each, "", since) for each, since in who}
        out, spared = leaving.leave_out(["b%d" % at for at in range(number)], marks("operator", operator), marks("watchdog", watchdog), floor)
        return sorted(out), spared

    def test_the_longest_silent_go_first_and_the_floor_holds(self):
        silent = [("b0", 5), ("b1", 3), ("b2", 9)]
        self.assertEqual(self.left(4, watchdog=silent), (["b0", "b1"], ["b2"]))
        self.assertEqual(self.left(4, watchdog=silent, floor=0), (["b0", "b1", "b2"], []))
        self.assertEqual(self.left(4, watchdog=silent, floor=100), ([], ["b1", "b0", "b2"]))

    def test_the_operator_is_believed_but_for_the_last_one(self):
        everybody = [("b0", 1), ("b1", 2), ("b2", 3)]
        self.assertEqual(self.left(3, operator=everybody), (["b0", "b1"], ["b2"]))
        self.assertEqual(self.left(3, operator=everybody[:2], watchdog=[("b2", 1)]), (["b0", "b1"], ["b2"]))

    def test_one_backend_always_stays(self):
        chance = random.Random(6)
        for _ in range(500):
            number = chance.randint(1, 60)
            some = lambda: [("b%d" % at, chance.random()) for at in range(number + 5) if chance.random() < 0.8]
            out, _ = self.left(number, operator=some(), watchdog=some(), floor=chance.randint(0, 100))
            self.assertLess(len(out), number)
            self.assertEqual(len(out), len(set(out)))


class Sent(unittest.TestCase):
    def setUp(self):
        self.now, self.posted, self.answer = 100.0, [], None
        self.uploads = uploads.Uploads(self.post, lambda: self.now)

    def post(self, service, directory, text):
        self.posted.append((service, directory, text))
        return self.answer

    def send(self, *names, blinded="k", text="t"):
        found = [uploads.Upload("site", name, blinded, text) for name in names]
        self.uploads.send(found)
        return found

    def states(self, found):
        return [each.state for each in found]

    def test_each_directory_says_that_it_stored_its_own(self):
        found = self.send("d1", "d2")
        self.uploads.heard("UPLOADED", "site", "d2")
        self.uploads.heard("UPLOADED", "other", "d1")
        self.assertEqual(self.states(found), ["pending", "stored"])
        self.uploads.heard("UPLOADED", "site", "d1")
        self.assertEqual((self.states(found), self.uploads.waiting), (["stored", "stored"], []))

    def test_a_refusal_is_final(self):
        found = self.send("d1")
        self.uploads.heard("FAILED", "site", "d1", "k", "UPLOAD_REJECTED")
        self.now += 1000
        self.uploads.tend()
        self.assertEqual((self.states(found), len(self.posted)), (["refused"], 1))

    def test_a_directory_that_hangs_is_tried_four_times(self):
        (found,) = self.send("d1")
        for _ in range(400):
            self.now += 1
            self.uploads.tend()
        self.assertEqual((found.state, found.tries, len(self.posted), found.reason), ("failed", 4, 4, "no answer in 60 s"))

    def test_one_that_fails_once_is_tried_again_and_stored(self):
        (found,) = self.send("d1")
        self.uploads.heard("FAILED", "site", "d1", "k", "UNEXPECTED")
        self.assertEqual(found.state, "pending")
        self.now += 4
        self.uploads.tend()
        self.assertEqual(len(self.posted), 1)
        self.now += 1
        self.uploads.tend()
        self.uploads.heard("UPLOADED", "site", "d1")
        self.assertEqual((found.state, len(self.posted)), ("stored", 2))

    def test_tor_that_refuses_the_command(self):
        self.answer = "no such relay"
        (found,) = self.send("d1")
        self.assertEqual((found.state, found.reason), ("pending", "no such relay"))

    def test_a_newer_one_takes_the_place_of_what_is_under_way(self):
        old = self.send("d1", "d2", text="old")
        new = self.send("d1", text="new")
        self.uploads.heard("UPLOADED", "site", "d1")
        self.assertEqual((self.states(old), self.states(new), self.uploads.waiting), (["pending", "pending"], ["stored"], []))

    def test_both_descriptors_of_a_site_may_go_to_one_directory(self):
        first, second = self.send("d1", blinded="one") + self.send("d1", blinded="two")
        self.uploads.heard("FAILED", "site", "d1", "two", "UPLOAD_REJECTED")
        self.uploads.heard("UPLOADED", "site", "d1")
        self.assertEqual((first.state, second.state), ("stored", "refused"))


class Seams(unittest.TestCase):
    def test_the_counter_is_the_sum_of_the_words(self):
        stream = random.Random(7).randbytes(2000)
        # rend-spec-v3, F.2, word by word
        slow = sum(stream[at] + 256 * stream[at + 1] + 1 for at in range(0, len(stream), 2))
        self.assertEqual(seams.sum_of_words(stream), slow)

    def test_padding_is_to_a_multiple_of_ten_thousand(self):
        for length in (1, 9_999, 10_000, 10_001, 28_800):
            layer = types.SimpleNamespace(get_bytes=lambda: b"x" * length)
            content = seams.padded_encrypt(lambda plaintext, *_: plaintext)(layer, 1, b"", b"")
            self.assertEqual((len(content) % 10_000, content.rstrip(b"\0")), (0, b"x" * length))
            self.assertLess(len(content) - length, 10_000)

    def test_an_older_descriptor_of_the_same_period_is_not_taken(self):
        class Instance:
            def __init__(self):
                self.descriptor, self.intro_set_modified_timestamp = None, None

            def register_descriptor(self, descriptor_text, onion_address):
                self.descriptor, self.intro_set_modified_timestamp = descriptor_text, "changed"

        def received(blinded, number, came):
            return types.SimpleNamespace(get_blinded_key=lambda: blinded, v3_desc=types.SimpleNamespace(revision_counter=number), came=came)

        seams.keep_newest(Instance)
        one = Instance()
        one.register_descriptor(received("k", 9, 1), "a")
        one.register_descriptor(received("k", 5, 2), "a")
        self.assertEqual((one.descriptor.v3_desc.revision_counter, one.descriptor.came), (9, 2))
        one.register_descriptor(received("next", 1, 3), "a")
        self.assertEqual(one.descriptor.v3_desc.revision_counter, 1, "another period counts from its own start")


class Clock(unittest.TestCase):
    """A clock that is set while it runs: counters only ever grow, and nobody counts as dead or expired for it."""

    def revisions(self, *times):
        """The seconds that each publication's counter stands for, at these times of the wall clock."""
        start = NOW - 1000
        consensus = types.SimpleNamespace(get_start_time_of_previous_srv_run=lambda: start, get_start_time_of_current_srv_run=lambda: start + 500)
        settings = types.SimpleNamespace(timers=TIMERS, mode="distinct", floor=50)
        one = publishing.Publishing("0.2.2", settings, {})
        one.balance = types.SimpleNamespace(consensus=consensus)
        with unittest.mock.patch("publishing.revision_of", lambda _, seconds: seconds):
            found = []
            for at in times:
                with unittest.mock.patch("publishing.time.time", lambda: at):
                    found.append(one.revision(None, "site", True, 7))
        return found

    def test_a_clock_that_goes_on(self):
        self.assertEqual(self.revisions(NOW, NOW + 30, NOW + 60), [1001, 1031, 1061])

    def test_set_back_by_an_hour_the_counter_still_grows(self):
        self.assertEqual(self.revisions(NOW, NOW - 3600, NOW - 3570), [1001, 1002, 1003])

    def test_ahead_and_right_again(self):
        self.assertEqual(self.revisions(NOW, NOW + 7200, NOW + 30), [1001, 8201, 8202])

    def test_before_the_period_there_is_a_first_one(self):
        self.assertEqual(self.revisions(NOW - 5000, NOW - 5000), [1, 2])

    def test_a_descriptors_age_does_not_jump(self):
        class Received:
            def __init__(self, desc_text, onion_address):
                pass

        seams.stamp_received(Received, lambda: 60.0)
        one = Received("", "")
        with unittest.mock.patch("time.time", lambda: NOW + 1e6):
            self.assertFalse(one.is_old())
        one.came -= 61
        self.assertTrue(one.is_old())


class Files(unittest.TestCase):
    def test_a_file_is_read_when_it_is_another(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "list")
            file = publisher_settings.Watched(path)
            self.assertFalse(file.changed())
            publisher_settings.write_status(path, {"a": 1})
            self.assertTrue(file.changed())
            self.assertFalse(file.changed())
            publisher_settings.write_status(path, {"a": 1})
            self.assertFalse(file.changed(), "another file with the same content")
            os.remove(path)
            self.assertTrue(file.changed())
            self.assertIsNone(file.text)


if __name__ == "__main__":
    unittest.main()
