import datetime
import http.client
import ipaddress
import json
import os
import tempfile
import threading
import time
import unittest
import unittest.mock
import metrics
import metrics_sources as sources
import metrics_told
from metrics_page import FAMILIES, Page, parse_exposition
from test_leave import descriptor, directory, site as told_site, status

TOR = """# HELP tor_hs_intro_established_count Total number of established introduction circuit
# TYPE tor_hs_intro_established_count gauge
tor_hs_intro_established_count{onion="aaaa",port="80"} 6
# HELP tor_hs_rdv_num_total Total number of rendezvous circuits created
# TYPE tor_hs_rdv_num_total counter
tor_hs_rdv_num_total{onion="aaaa"} 12
# HELP tor_hs_intro_circ_build_time The introduction circuit build time in milliseconds
# TYPE tor_hs_intro_circ_build_time histogram
tor_hs_intro_circ_build_time_bucket{onion="aaaa",le="1000.00"} 1
tor_hs_intro_circ_build_time_bucket{onion="aaaa",le="+Inf"} 2
tor_hs_intro_circ_build_time_sum{onion="aaaa"} 3001
tor_hs_intro_circ_build_time_count{onion="aaaa"} 2
# HELP tor_relay_connections Total number of opened connections
# TYPE tor_relay_connections gauge
tor_relay_connections{type="OR"} 3
"""
STUB = "Active connections: 5 \nserver accepts handled requests\n 101 100 250 \nReading: 1 Writing: 2 Waiting: 2 \n"
CIRCUITS = "\n".join(
    "%d %s $A,$B PURPOSE=%s HS_STATE=%s REND_QUERY=%s" % row
    for row in (
        (1, "BUILT", "HS_SERVICE_INTRO", "HSSI_ESTABLISHED", "aaaa"),
        (2, "BUILT", "HS_SERVICE_INTRO", "HSSI_ESTABLISHED", "aaaa"),
        (3, "BUILT", "HS_SERVICE_INTRO", "HSSI_CONNECTING", "aaaa"),
        (4, "EXTENDED", "HS_SERVICE_INTRO", "HSSI_ESTABLISHED", "aaaa"),
        (5, "BUILT", "HS_SERVICE_INTRO", "HSSI_ESTABLISHED", "bbbb"),
        (6, "BUILT", "HS_SERVICE_REND", "HSSR_JOINED", "aaaa"),
    )
)


class Text(unittest.TestCase):
    def test_families_come_sorted_each_with_its_type_and_values_are_quoted(self):
        page = Page()
        page.add("softmap_nginx_up", True, project='a"b\\c\nd')
        page.add("softmap_disk_free_bytes", 1.5e12, place="/")
        page.add("softmap_disk_free_bytes", None, place="/var")
        page.add("softmap_tor_up", 0, project="", daemon="balancer")
        self.assertEqual(page.text(), "\n".join([
            "# HELP softmap_disk_free_bytes What is free of a file system.",
            "# TYPE softmap_disk_free_bytes gauge",
            'softmap_disk_free_bytes{place="/"} 1500000000000',
            "# HELP softmap_nginx_up Whether a project's nginx answers on its status socket.",
            "# TYPE softmap_nginx_up gauge",
            'softmap_nginx_up{project="a\\"b\\\\c\\nd"} 1',
            "# HELP softmap_tor_up Whether a tor answers on its control socket.",
            "# TYPE softmap_tor_up gauge",
            'softmap_tor_up{daemon="balancer"} 0',
        ]) + "\n")

    def test_what_is_written_is_read_again(self):
        page = Page()
        page.add("softmap_site_publish_age_seconds", 12, site="www.daily.test", descriptor="first")
        self.assertEqual(
            [(family, kind, labels, value) for family, kind, _, _, labels, value in parse_exposition(page.text())],
            [("softmap_site_publish_age_seconds", "gauge", [("site", "www.daily.test"), ("descriptor", "first")], "12")],
        )

    def test_every_name_is_one_that_prometheus_takes(self):
        for name, (kind, text) in FAMILIES.items():
            self.assertRegex(name, r"^softmap_[a-z_]+$")
            self.assertEqual(kind == "counter", name.endswith("_total"), name)
            self.assertTrue(text.endswith(".") and "\n" not in text, name)


class Tor(unittest.TestCase):
    def test_its_numbers_come_with_whose_they_are_and_without_the_backends_address(self):
        page = Page()
        sources.tor_numbers(page, TOR, (("project", "news"), ("daemon", "news-1-3fa9"), ("backend", "news-w1-1")))
        text, who = page.text(), 'project="news",daemon="news-1-3fa9",backend="news-w1-1"'
        self.assertIn('tor_hs_intro_established_count{%s,port="80"} 6\n' % who, text)
        self.assertIn('tor_hs_intro_circ_build_time_bucket{%s,le="+Inf"} 2\n' % who, text)
        self.assertIn("tor_hs_intro_circ_build_time_sum{%s} 3001\n" % who, text)
        self.assertEqual(text.count("# TYPE tor_hs_intro_circ_build_time histogram"), 1)
        self.assertNotIn("aaaa", text)
        self.assertNotIn("tor_relay_connections", text)

    def test_two_tors_share_a_family(self):
        page = Page()
        for daemon in ("news-2-3fa9", "news-1-3fa9"):
            sources.tor_numbers(page, TOR, (("daemon", daemon),))
        self.assertEqual(page.text().count("# TYPE tor_hs_rdv_num_total"), 1)
        self.assertEqual(page.text().count("\ntor_hs_rdv_num_total{"), 2)

    def test_introduction_points_are_circuits_that_stand_for_the_backend(self):
        self.assertEqual(sources.introduction_circuits(CIRCUITS, "aaaa"), 2)
        self.assertEqual(sources.introduction_circuits(None, "aaaa"), 0)

    def test_the_port_is_read_from_the_torrc(self):
        self.assertEqual(sources.metrics_port("# x\nMetricsPort 127.130.71.212:21319\nMetricsPortPolicy a\n"), ("127.130.71.212", 21319))
        self.assertIsNone(sources.metrics_port("SocksPort 0\n"))

    def test_one_that_does_not_answer_is_down_and_says_nothing_else(self):
        page = Page()
        service = {"unit": "softmap-tor@news-1-3fa9.service", "health": {"control": "/nonexistent/control"}}
        sources.tor_seen(page, service, "/nonexistent/torrc", "news-1-3fa9", {"project": "news", "name": "news-w1-1", "address": "aaaa.onion"})
        self.assertEqual(list(page.families), ["softmap_tor_up"])
        self.assertIn('softmap_tor_up{project="news",daemon="news-1-3fa9",backend="news-w1-1"} 0', page.text())


class Nginx(unittest.TestCase):
    def test_its_four_lines(self):
        self.assertEqual(sources.parse_stub_status(STUB), (5, 101, 100, 250, {"reading": 1, "writing": 2, "waiting": 2}))
        for text in ("", "abcdef012345", STUB[:40]):
            self.assertIsNone(sources.parse_stub_status(text))

    def test_one_that_does_not_answer_is_down(self):
        page = Page()
        sources.nginx_seen(page, "news", "/nonexistent")
        self.assertIn('softmap_nginx_up{project="news"} 0\n', page.text())
        self.assertNotIn("softmap_nginx_requests_total", page.text())


class Onionbalance(unittest.TestCase):
    now = datetime.datetime(2026, 1, 2, 3, 4, 5)
    known = {"frontends": [{"address": "ssss", "domain": "www.daily.test", "backends": [{"name": "news-w1-1", "address": "aaaa"}, {"name": "news-w2-1", "address": "bbbb"}]}]}

    def page(self, text):
        page = Page()
        sources.publisher_seen(page, self.known, text, self.now)
        return page.text()

    def test_sites_and_backends_by_name(self):
        instances = [
            {"onionAddress": "aaaa.onion.onion", "descriptorReceived": "2026-01-02 03:03:05", "introPointsNum": 3},
            {"onionAddress": "bbbb.onion", "descriptorReceived": None, "introPointsNum": 0},
            {"onionAddress": "cccc.onion", "descriptorReceived": "2026-01-02 03:03:05", "introPointsNum": 3},
        ]
        service = {"onionAddress": "ssss.onion", "publishAttemptFirstDescriptor": "2026-01-02 03:00:05", "publishAttemptSecondDescriptor": None, "instances": instances}
        text = self.page(json.dumps({"services": [service]}))
        for line in (
            "softmap_onionbalance_up 1",
            'softmap_site_publish_age_seconds{site="www.daily.test",descriptor="first"} 240',
            'softmap_site_backends_planned{site="www.daily.test"} 2',
            'softmap_site_backends_known{site="www.daily.test"} 1',
            'softmap_backend_descriptor_age_seconds{backend="news-w1-1"} 60',
            'softmap_backend_offered_points{backend="news-w1-1"} 3',
            'softmap_backend_offered_points{backend="news-w2-1"} 0',
        ):
            self.assertIn(line + "\n", text)
        self.assertNotIn('descriptor="second"', text)
        for address in ("aaaa", "bbbb", "cccc", "ssss"):
            self.assertNotIn(address, text)

    def test_one_that_does_not_answer_is_down_and_its_sites_are_not_said_to_be_well(self):
        for text in ("", "not JSON", "{}", "[]", "null"):
            told = self.page(text)
            self.assertIn("softmap_onionbalance_up 0\n", told)
            self.assertIn('softmap_site_backends_planned{site="www.daily.test"} 2\n', told)
            self.assertNotIn("softmap_site_backends_known", told)


class Told(unittest.TestCase):
    A, B, S = ("a" * 56, "b" * 56, "s" * 56)
    KNOWN = {"frontends": [{"address": "s" * 56 + ".onion", "domain": "www.daily.test", "backends": [{"name": "news-w1-1", "address": "a" * 56}, {"name": "news-w2-1", "address": "b" * 56 + ".onion"}]}]}

    def lines(self, work, text):
        page = Page()
        work(page, self.KNOWN, text, time.time())
        return page.text().splitlines()

    def publisher(self, **more):
        its = told_site([[self.A], [self.A]], backends=2, left=[self.B], by="watchdog", spared=[self.A])
        rows = [directory(1, [self.A]), directory(2, [self.A], state="failed"), directory(3, [], asked=False, state="refused")]
        its["descriptors"] = [descriptor([directory(9, [])], 1, False), descriptor(rows, 2), descriptor([directory(4, [self.A])], 3, False, "second")]
        return json.dumps(status({self.S: its}, problems=["x"], **more))

    def test_sites_directories_and_backends(self):
        lines = self.lines(metrics_told.descriptors_seen, self.publisher())
        for line in (
            'softmap_publisher_info{mode="distinct",onionbalance="0.2.2"} 1',
            "softmap_publisher_problems 1",
            'softmap_site_backends_listed{site="www.daily.test"} 1',
            'softmap_site_backends_left_out{site="www.daily.test",by="watchdog"} 1',
            'softmap_site_backends_left_out{site="www.daily.test",by="operator"} 0',
            'softmap_site_backends_spared{site="www.daily.test"} 1',
            'softmap_backend_left_out{backend="news-w1-1"} 0',
            'softmap_backend_left_out{backend="news-w2-1",by="watchdog"} 1',
            'softmap_descriptor_directories{site="www.daily.test",descriptor="first",asked="yes",state="stored"} 1',
            'softmap_descriptor_directories{site="www.daily.test",descriptor="first",asked="yes",state="failed"} 1',
            'softmap_descriptor_directories{site="www.daily.test",descriptor="first",asked="no",state="refused"} 1',
            'softmap_descriptor_directories{site="www.daily.test",descriptor="second",asked="yes",state="stored"} 1',
        ):
            self.assertIn(line, lines)
        ages = [line for line in lines if line.startswith("softmap_descriptor_stored_age_seconds{")]
        self.assertEqual(len(ages), 2)
        self.assertTrue(all(3 < float(line.split()[-1]) < 5 for line in ages), ages)
        self.assertFalse([line for line in lines if "aaaa" in line or "bbbb" in line or "ssss" in line])

    def test_the_watchdog(self):
        one = {"name": "x", "state": "answers", "since": 1.0, "last": 2.0, "seconds": 0.8, "failures": 0, "probes": 1, "why": ""}
        told = lambda **more: json.dumps({"version": 1, "written": time.time() - 2, "every": 5, "broken": "", "backends": {self.A: one, self.B: {**one, "state": "unknown", "seconds": None}, "d" * 56: one}, **more})
        lines = self.lines(metrics_told.watchdog_seen, told())
        values = [line for line in lines if not line.startswith("#") and "age" not in line]
        self.assertEqual(values, ['softmap_backend_answers{backend="news-w1-1"} 1', 'softmap_backend_probe_seconds{backend="news-w1-1"} 0.800', "softmap_watchdog_broken 0"])
        self.assertIn("softmap_watchdog_broken 1", self.lines(metrics_told.watchdog_seen, told(broken="the prober's tor went away")))
        for text in ("", "rubbish", "[]"):
            self.assertIn("softmap_watchdog_broken 1", self.lines(metrics_told.watchdog_seen, text))
        old = self.lines(metrics_told.watchdog_seen, told(written=time.time() - 90))
        self.assertIn("softmap_watchdog_broken 1", old)
        self.assertFalse([line for line in old if line.startswith("softmap_backend_answers")])

    def test_a_machine_of_before_tells_nothing_of_it(self):
        for text in ("", "{}", "null"):
            self.assertEqual(self.lines(metrics_told.descriptors_seen, text), [""])


class Machine(unittest.TestCase):
    def test_units_that_are_planned_and_not_there_are_down(self):
        page = Page()
        shown = "Id=softmap-tor@a.service\nActiveState=active\nNRestarts=2\n\nId=softmap-nginx@n.service\nActiveState=failed\nNRestarts=7\n"
        sources.units_seen(page, ["softmap-nginx@n.service", "softmap-tor@a.service", "softmap-tor@b.service"], shown)
        told = dict(line.rsplit(" ", 1) for line in page.text().splitlines() if line.startswith("softmap"))
        self.assertEqual(told, {
            'softmap_unit_active{unit="softmap-tor@a.service"}': "1",
            'softmap_unit_active{unit="softmap-nginx@n.service"}': "0",
            'softmap_unit_active{unit="softmap-tor@b.service"}': "0",
            'softmap_unit_restarts_total{unit="softmap-tor@a.service"}': "2",
            'softmap_unit_restarts_total{unit="softmap-nginx@n.service"}': "7",
        })

    def test_a_clock_that_nobody_knows_of_is_not_told_and_is_asked_for_once_a_minute(self):
        with unittest.mock.patch("metrics_sources.told_by", side_effect=["none\n", "no\n", "yes\n"]) as asked:
            clock = sources.Clock()
            self.assertEqual([clock.synchronised(), clock.synchronised()], [0, 0])
            clock.asked -= sources.CLOCK_EVERY
            self.assertEqual(clock.synchronised(), 1)
            self.assertEqual(asked.call_count, 3)
        with unittest.mock.patch("metrics_sources.told_by", return_value="podman\n"):
            self.assertIsNone(sources.Clock().synchronised())

    def test_a_machine_without_anything_still_tells_of_itself(self):
        with tempfile.TemporaryDirectory() as etc, unittest.mock.patch("metrics_sources.told_by", return_value=""):
            text = metrics.collected(etc, sources.Clock())
        self.assertIn('softmap_disk_free_bytes{place="/"} ', text)
        self.assertIn("softmap_collected_timestamp_seconds ", text)
        self.assertIn("softmap_collection_failures 0\n", text)

    def test_a_source_that_fails_keeps_none_of_the_others(self):
        with tempfile.TemporaryDirectory() as etc, unittest.mock.patch("metrics_sources.told_by", return_value=""):
            with unittest.mock.patch("metrics.certificates_seen", side_effect=ValueError("odd")), unittest.mock.patch("sys.stderr"):
                text = metrics.collected(etc, sources.Clock())
        self.assertIn("softmap_collection_failures 1\n", text)
        self.assertIn("softmap_disk_free_bytes", text)


class Exporter(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.folder.name, "metrics.prom")
        self.server = metrics.Exporter(0, [], self.path)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def tearDown(self):
        self.server.shutdown()
        self.server.server_close()
        self.folder.cleanup()

    def get(self, path="/metrics"):
        link = http.client.HTTPConnection("127.0.0.1", self.server.server_port, timeout=5)
        try:
            link.request("GET", path)
            answer = link.getresponse()
            return answer.status, answer.getheader("Content-Type"), answer.read().decode()
        finally:
            link.close()

    def test_it_hands_out_what_was_collected_lately_and_nothing_else(self):
        self.assertEqual(self.get()[0], 503)
        metrics.put(self.path, "softmap_tor_up 1\n")
        self.assertEqual(self.get(), (200, "text/plain; version=0.0.4; charset=utf-8", "softmap_tor_up 1\n"))
        self.assertEqual(self.get("/")[0], 404)
        self.assertEqual(self.get("/../../etc/passwd")[0], 404)
        old = time.time() - metrics.STALE - 1
        os.utime(self.path, (old, old))
        self.assertEqual(self.get()[0], 503)

    def test_without_networks_it_listens_on_loopback_alone(self):
        self.assertEqual(self.server.socket.getsockname()[0], "127.0.0.1")

    def test_who_may_ask(self):
        networks = [ipaddress.ip_network(each) for each in ("10.0.0.0/8", "2001:db8:7::/48")]
        for address in ("127.0.0.1", "::1", "10.1.2.3", "::ffff:10.1.2.3", "2001:db8:7::1", "::ffff:127.0.0.1"):
            self.assertTrue(metrics.may_ask(address, networks), address)
        for address in ("192.0.2.1", "::ffff:192.0.2.1", "2001:db8:8::1", "fe80::1%eth0"):
            self.assertFalse(metrics.may_ask(address, networks), address)

    def test_whoever_may_not_ask_gets_no_answer(self):
        metrics.put(self.path, "softmap_tor_up 1\n")
        with unittest.mock.patch("metrics.may_ask", return_value=False):
            with self.assertRaises((http.client.HTTPException, ConnectionError)):
                self.get()


if __name__ == "__main__":
    unittest.main()
