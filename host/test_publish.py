"""The proof's judgement, and publishing. Run: cd host && python3 -m unittest"""
import datetime
import json
import os
import socket
import tempfile
import threading
import unittest
import unittest.mock

import descriptors
import grace
import proof
import publication
import publish
import report
import socks
from test_parts import Lines

NOW = datetime.datetime(2026, 1, 2, 12, 0, 0)
LATELY = "2026-01-02 11:59:00"


def judged(listed, seen, status=None, others=None, reasons=None, excused=()):
    return proof.judge({"a": "news-w1-1", "b": "news-w2-1"}, others or {}, listed, seen, reasons or {}, status if status is not None else {"a": LATELY, "b": LATELY}, NOW, excused)


class Judgement(unittest.TestCase):
    seen = {"a": {"1", "2", "3"}, "b": {"4", "5", "6"}}

    def test_exactly_the_planned_backends(self):
        self.assertTrue(judged({"1", "4"}, self.seen).good)

    def test_one_missing(self):
        verdict = judged({"1"}, self.seen)
        self.assertFalse(verdict.good)
        self.assertEqual(list(verdict.missing), ["news-w2-1"])
        self.assertIn("1 of 2 backends", verdict.text(2))

    def test_one_reason_for_all_is_said_once(self):
        said = judged(None, self.seen).text(2)
        self.assertEqual(said.count("frontend's descriptor"), 1)
        self.assertTrue(said.startswith("0 of 2 backends, all: "), said)

    def test_why_one_is_missing(self):
        self.assertIn("NOT_FOUND", judged({"1"}, {"a": {"1"}}, reasons={"b": "NOT_FOUND"}).missing["news-w2-1"])
        self.assertIn("not fetched", judged({"1"}, self.seen, status={"a": LATELY, "b": None}).missing["news-w2-1"])
        self.assertIn("no fresh", judged({"1", "4"}, self.seen, status={"a": LATELY, "b": "2026-01-02 09:00:00"}).missing["news-w2-1"])
        self.assertIn("frontend's descriptor", judged(None, self.seen).missing["news-w1-1"])

    def test_one_too_many(self):
        verdict = judged({"1", "4", "7"}, {**self.seen, "c": {"7"}}, others={"c": "news-w3-1"})
        self.assertEqual((verdict.good, verdict.foreign, verdict.unknown), (False, ["news-w3-1"], 0))

    def test_a_point_of_nobody(self):
        verdict = judged({"1", "4", "9"}, self.seen)
        self.assertEqual((verdict.good, verdict.unknown), (False, 1))

    def test_a_backend_of_a_dead_host_is_not_waited_for(self):
        dead = {"a": {"1", "2", "3"}}
        self.assertFalse(judged({"1"}, dead).good)
        verdict = judged({"1"}, dead, excused={"b"})
        self.assertEqual((verdict.good, verdict.present, list(verdict.missing), verdict.excused), (True, ["news-w1-1"], ["news-w2-1"], ["news-w2-1"]))
        self.assertFalse(judged(set(), dead, excused={"b"}).good, "the others are waited for as ever")
        self.assertFalse(judged(None, dead, excused={"b"}).good)
        self.assertTrue(judged({"1", "4"}, self.seen, excused={"b"}).good, "it is back")

    def test_the_last_points_of_a_dead_host_may_still_be_listed_but_no_more_than_it_had(self):
        dead = {"a": {"1", "2", "3"}}
        self.assertTrue(judged({"1", "8", "9"}, dead, excused={"b"}).good)
        self.assertFalse(judged({"1", "7", "8", "9"}, dead, excused={"b"}).good)
        self.assertFalse(judged({"1", "5"}, {**dead, "c": {"5"}}, others={"c": "news-w3-1"}, excused={"b"}).good)

    def test_status_of_onionbalance(self):
        text = json.dumps({"services": [{"onionAddress": "f.onion", "instances": [{"onionAddress": "a.onion.onion", "descriptorReceived": LATELY}, {"onionAddress": "b.onion", "received": None}]}]})
        self.assertEqual(proof.parse_status(text), {"f": {"a": LATELY, "b": None}})
        self.assertEqual(proof.parse_status("not json"), {})


class Events(unittest.TestCase):
    def test_what_they_say(self):
        self.assertEqual(descriptors.parse_event(["HS_DESC_CONTENT abc id $dir~nick\nhs-descriptor 3\n...", "OK"]), ("abc", "hs-descriptor 3\n...", None, "dir"))
        self.assertIsNone(descriptors.parse_event(["HS_DESC_CONTENT abc id $dir\n"]))
        self.assertEqual(descriptors.parse_event(["HS_DESC FAILED abc NO_AUTH $dir id REASON=NOT_FOUND"]), ("abc", None, "NOT_FOUND", "dir"))
        self.assertIsNone(descriptors.parse_event(["HS_DESC REQUESTED abc NO_AUTH $dir id"]))


class Answers(unittest.TestCase):
    def test_only_an_unknown_host_is_no_answer(self):
        self.assertEqual([socks.judge_answer(status)[0] for status in (200, 302, 404, 502, 421)], [True, True, True, True, False])

    def serve(self, folder, replies):
        server = socket.socket(socket.AF_UNIX)
        path = os.path.join(folder, "socks")
        server.bind(path)
        server.listen(1)

        def talk():
            stream, _ = server.accept()
            for reply in replies:
                stream.recv(4096)
                stream.sendall(reply)
            stream.close()
            server.close()

        thread = threading.Thread(target=talk, daemon=True)
        thread.start()
        return path, thread

    def test_a_page(self):
        with tempfile.TemporaryDirectory() as folder:
            path, thread = self.serve(folder, [b"\x05\x02", b"\x01\x00", b"\x05\x00\x00\x01\0\0\0\0\0\0", b"HTTP/1.1 302 Found\r\n\r\n"])
            self.assertEqual(socks.first_answer(path, "abc", 2)[0], 302)
            thread.join(2)

    def test_a_refusal(self):
        with tempfile.TemporaryDirectory() as folder:
            path, thread = self.serve(folder, [b"\x05\x02", b"\x01\x00", b"\x05\xf0\x00\x01"])
            with self.assertRaisesRegex(socks.FetchError, "descriptor not found"):
                socks.first_answer(path, "abc", 2)
            thread.join(2)


PAYLOAD = {"frontends": [{"domain": "a.test", "address": "f.onion", "backends": [{"name": "news-w1-1", "address": "a"}]}], "statusSocket": "/nonexistent", "publisherStatus": "/nonexistent", "control": "/nonexistent", "socks": "/nonexistent", "publishTimeoutSeconds": 0}


class Publishing(unittest.TestCase):
    def test_what_left_since_the_last_proof(self):
        known = publication.Publication(Lines(), PAYLOAD, {"a": "news-w1-1", "z": "news-w9-1"}, True)
        self.assertEqual(known.removed, {"z": "news-w9-1"})

    def test_giving_up_names_everything(self):
        lines = Lines()
        known = publication.Publication(lines, PAYLOAD, {}, True)
        known.verdicts["f"] = proof.judge({"a": "news-w1-1"}, {}, None, {}, {"a": "NOT_FOUND"}, {}, NOW)
        with unittest.mock.patch("publication.journal", lambda _: "its last line"):
            with self.assertRaisesRegex(report.Failure, "a.test not published"):
                known.give_up({})
        text = "\n".join(lines.said)
        for part in ("NOT_FOUND", "backend news-w1-1", "does not answer", "its last line"):
            self.assertIn(part, text)

    def test_nobody_listens(self):
        lines = Lines()
        lines.listening = False
        with self.assertRaisesRegex(report.Failure, "nobody listens"):
            grace.wait_grace(lines, ["x"], 100)

    def test_keys_of_sites_that_are_gone(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("a.key", "b.key", "note"):
                with open(os.path.join(folder, name), "w"):
                    pass
            publish.forget_keys(Lines(), {"keysDir": folder, "state": [{"path": os.path.join(folder, "a.key")}]})
            self.assertEqual(sorted(os.listdir(folder)), ["a.key", "note"])


if __name__ == "__main__":
    unittest.main()
