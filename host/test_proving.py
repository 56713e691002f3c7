"""The proof of a release through its own backends' addresses. Run: cd host && python3 -m unittest"""
import os
import socket
import tempfile
import threading
import unittest
import unittest.mock

import proving
import report
import socks
from test_parts import Lines

BACKENDS = [{"name": "news-w1-%d" % n, "unit": "tor%d" % n, "socks": "/s%d" % n, "address": "x%d" % n} for n in (1, 2)]
NEWS = {"project": "news", "unit": "nginx", "socket": "/n", "sites": [{"address": "a.onion", "domain": "a.test"}, {"address": "b.onion", "domain": "b.test"}], "backends": BACKENDS}
OLD = {"project": "old", "unit": "nginx", "socket": "/n", "sites": ["a.onion", "b.onion"], "domains": ["a.test", "b.test"], "backends": BACKENDS}
SHOP = {"project": "shop", "unit": "nginx-shop", "socket": "/m", "sites": [{"address": "c.onion", "domain": "c.test"}], "backends": [{**BACKENDS[0], "unit": "tor3", "name": "shop-w1-1"}]}


class WhatIsAsked(unittest.TestCase):
    def asked(self, **actions):
        return [(each.backend["unit"], each.site["address"]) for each in proving.to_prove([NEWS, SHOP], {"nginx": None, "tor1": None, **actions}, {})]

    def test_every_site_through_each_daemon_that_was_touched(self):
        self.assertEqual(self.asked(tor2="start"), [("tor2", "a.onion"), ("tor2", "b.onion")])
        self.assertEqual(self.asked(tor1="reload", tor2="start", nginx="reload"), [(unit, site) for unit in ("tor1", "tor2") for site in ("a.onion", "b.onion")])

    def test_where_only_nginx_changed_one_daemon_is_asked(self):
        self.assertEqual(self.asked(nginx="reload"), [("tor1", "a.onion"), ("tor1", "b.onion")])

    def test_nothing_touched_is_nothing_asked_and_projects_do_not_mix(self):
        self.assertEqual(self.asked(), [])
        self.assertEqual(self.asked(**{"nginx-shop": "restart"}), [("tor3", "c.onion")])

    def test_what_was_before_is_of_the_same_project_and_site(self):
        questions = proving.to_prove([NEWS, SHOP], {"tor1": "start", "tor3": "start"}, {("news", "a.onion"): 200, ("shop", "c.onion"): 502})
        self.assertEqual([each.before for each in questions], [200, None, 502])


class Faults(unittest.TestCase):
    def test_what_is_wrong_with_an_answer(self):
        for status, before in ((200, 200), (404, 200), (302, None), (502, None), (502, 503), (500, 500), (502, 421)):
            self.assertIsNone(proving.fault_of(status, before), (status, before))
        self.assertRegex(proving.fault_of(421, 421), "421: the proxy does not know this site")
        self.assertEqual(proving.fault_of(502, 200), "502, and before this release it was 200")


class Proving(unittest.TestCase):
    """With a pretended tor: (SOCKS socket, site) -> what comes, call after call; the last again and again."""

    def prove(self, answers, before=None, **limits):
        self.lines, self.asked = Lines(), []

        def site_answer(path, address, seconds, site):
            host = site["address"]
            self.asked.append((path, address, host))
            known = answers.get((path, host), [200])
            said = known.pop(0) if len(known) > 1 else known[0]
            if isinstance(said, socks.FetchError):
                raise said
            if isinstance(said, str):
                raise socks.FetchError(said)
            return said, 0.1

        questions = proving.to_prove([NEWS], {"tor1": "start", "tor2": "start"}, before or {})
        with unittest.mock.patch.multiple("proving", site_answer=site_answer, **limits), unittest.mock.patch("proving.time.sleep"):
            proving.prove(self.lines, questions)
        return self.lines.said

    def test_all_answer(self):
        (said,) = self.prove({})
        self.assertRegex(said, r"^2 sites answered through Tor at the own address of 2 backends \(0\.\d s\)$")
        self.assertEqual(sorted(self.asked), [("/s%d" % n, "x%d" % n, site) for n in (1, 2) for site in ("a.onion", "b.onion")])

    def test_only_what_did_not_answer_is_asked_again(self):
        self.prove({("/s2", "b.onion"): ["descriptor not found", "timed out", 200]})
        self.assertEqual(len(self.asked), 6)
        self.assertEqual(self.asked[4:], [("/s2", "x2", "b.onion")] * 2)

    def test_no_answer_in_time_names_the_site_the_backend_and_why(self):
        with self.assertRaisesRegex(report.Failure, r"^b\.test does not answer as it should through this host's own backend news-w1-2 \(no answer: introduction failed\)\.$"):
            self.prove({("/s2", "b.onion"): ["introduction failed"]}, PROOF_SECONDS=0)
        self.assertEqual(self.lines.said, ["b.test through backend news-w1-2 at x2: no answer: introduction failed"])

    def test_an_origin_that_the_change_broke_fails_long_before_the_limit(self):
        with self.assertRaisesRegex(report.Failure, r"a\.test .* news-w1-1 \(502, and before this release it was 200\)"):
            self.prove({("/s1", "a.onion"): [502]}, {("news", "a.onion"): 200}, ORIGIN_SECONDS=0)

    def test_an_origin_may_stumble(self):
        self.prove({("/s1", "a.onion"): [502, 502, 200]}, {("news", "a.onion"): 200})
        self.assertEqual(len(self.asked), 6)

    def test_between_two_stumbles_without_an_answer_the_time_starts_anew(self):
        question = proving.Question(NEWS, BACKENDS[0], NEWS["sites"][0], {("news", "a.onion"): 200})
        replies = [(502, 0.1), socks.FetchError("timed out"), (502, 0.1), (200, 0.1)]
        with unittest.mock.patch("proving.site_answer", unittest.mock.Mock(side_effect=replies)), unittest.mock.patch("proving.time.monotonic", unittest.mock.Mock(side_effect=[1, 2])):
            self.assertFalse(question.ask())
            self.assertEqual(question.broken_since, 1)
            self.assertFalse(question.ask())
            self.assertEqual((question.broken_since, question.why), (None, "no answer: timed out"))
            self.assertFalse(question.ask())
            self.assertEqual(question.broken_since, 2)
            self.assertTrue(question.ask())

    def test_an_origin_that_was_down_already_stops_nothing_and_is_said(self):
        said = self.prove({("/s1", "a.onion"): [503], ("/s2", "a.onion"): [503]}, {("news", "a.onion"): 502})
        self.assertEqual(said[0], "a.test answers 503: the proxy works, the origin behind it does not")
        self.assertEqual(len(said), 2)

    def test_a_site_that_the_proxy_does_not_know_is_a_fault_whatever_was_before(self):
        with self.assertRaisesRegex(report.Failure, "421"):
            self.prove({("/s1", "b.onion"): [421]}, ORIGIN_SECONDS=0)

    def test_a_wrong_answer_fails_long_before_the_limit_and_no_answer_in_between_starts_the_time_anew(self):
        wrong = socks.WrongAnswer("another certificate than planned: aa instead of bb")
        with self.assertRaisesRegex(report.Failure, r"b\.test .* news-w1-1 \(another certificate than planned: aa instead of bb\)"):
            self.prove({("/s1", "b.onion"): [wrong]}, ORIGIN_SECONDS=0)
        self.assertEqual(self.prove({("/s1", "b.onion"): [wrong, "timed out", wrong, 200]})[-1][:7], "2 sites")

    def test_a_plan_of_an_older_version_has_plain_addresses_and_domains_or_not_even_these(self):
        without = {key: value for key, value in OLD.items() if key != "domains"}
        for project, names in ((OLD, ["a.test", "b.test"]), (without, ["a.onion", "b.onion"])):
            questions = proving.to_prove([project], {"tor1": "start"}, {("old", "b.onion"): 200})
            self.assertEqual([(each.name, each.site["address"], each.before) for each in questions], [(names[0], "a.onion", None), (names[1], "b.onion", 200)])
            with unittest.mock.patch("socks.first_answer", return_value=(200, 0.1)) as asked:
                proving.prove(Lines(), questions)
            self.assertEqual(sorted(call.args for call in asked.call_args_list), [("/s1", "x1", 25, host, None) for host in ("a.onion", "b.onion")])

    def test_nobody_listens(self):
        lines = Lines()
        lines.listening = False
        with unittest.mock.patch("proving.site_answer", unittest.mock.Mock(side_effect=socks.FetchError("x"))):
            with self.assertRaisesRegex(report.Failure, "nobody listens"):
                proving.prove(lines, proving.to_prove([NEWS], {"tor1": "start"}, {}))

    def test_nothing_to_prove_says_nothing(self):
        lines = Lines()
        proving.prove(lines, [])
        self.assertEqual(lines.said, [])


class Before(unittest.TestCase):
    def test_what_nginx_answers_on_its_own_socket(self):
        replies = {"a.onion": b"HTTP/1.1 200 OK\r\n\r\n", "b.onion": b"HTTP/1.1 502 Bad Gateway\r\n\r\n", "c.onion": b"what?"}
        with tempfile.TemporaryDirectory() as folder:
            path, asked = os.path.join(folder, "1.sock"), []
            server = socket.socket(socket.AF_UNIX)
            server.bind(path)
            server.listen(4)

            def talk():
                for _ in replies:
                    stream, _ = server.accept()
                    host = stream.recv(4096).decode().split("\r\nHost: ")[1].split("\r\n")[0]
                    asked.append(host)
                    stream.sendall(replies[host])
                    stream.close()

            thread = threading.Thread(target=talk, daemon=True)
            thread.start()
            found = proving.statuses([{"project": "news", "socket": path, "sites": list(replies)}, {"project": "gone", "socket": path + "x", "sites": ["d.onion"]}])
            thread.join(5)
            server.close()
        self.assertEqual(found, {("news", "a.onion"): 200, ("news", "b.onion"): 502, ("news", "c.onion"): None, ("gone", "d.onion"): None})
        self.assertEqual(sorted(asked), sorted(replies))


if __name__ == "__main__":
    unittest.main()
