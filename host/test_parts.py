"""The pure parts of a release. Run: cd host && python3 -m unittest"""
import os
import socket
import tempfile
import threading
import unittest
import unittest.mock

import control
import files
import health
import machine
import report
import services
import state
import tree
import watched


class Machine(unittest.TestCase):
    def test_resolvers_as_nginx_wants_them(self):
        text = "# x\nnameserver 10.0.0.2\nnameserver fd00::2\nnameserver fe80::1%eth0\nnameserver fe80::2\nnameserver 10.0.0.2\nsearch a\nnameserver\nnameserver x;y\n"
        self.assertEqual(machine.parse_resolvers(text), ["10.0.0.2", "[fd00::2]"])

    def test_systems(self):
        for version in ("12", "13"):
            self.assertEqual(machine.check_system('ID=debian\nVERSION_ID="%s"' % version, True, True), [])
        others = ('ID=debian\nVERSION_ID="11"', "ID=debian", 'ID=ubuntu\nID_LIKE=debian\nVERSION_ID="22.04"', 'ID=raspbian\nID_LIKE=debian\nVERSION_ID="12"')
        for other in others:
            (problem,) = machine.check_system(other + "\nPRETTY_NAME=What it is", True, True)
            self.assertIn("it runs What it is; softmap needs Debian 12 or 13, or Ubuntu 24.04 for a worker.", problem)
        problems = machine.check_system('ID=fedora\nPRETTY_NAME="Fedora 40"', False, False)
        self.assertEqual(len(problems), 2)
        self.assertIn("Fedora 40", problems[0])

    def test_clock(self):
        self.assertEqual(machine.check_clock(machine.WRITTEN + 5, 0), [])
        self.assertIn("clock", machine.check_clock(0, 0)[0])
        self.assertTrue(machine.check_clock(machine.WRITTEN, machine.WRITTEN + 10 * 86400))


class Lines:
    """A report that keeps its lines."""

    def __init__(self):
        self.said, self.listening = [], True

    def say(self, line):
        self.said.append(line)

    def raw(self, line):
        self.said.append(line)

    def quote(self, text, most=20):
        self.said.extend(report.last_lines(text, most))

    def seconds(self):
        return 0.0


SERVICE = {"unit": "softmap-nginx@news.service", "reloadOn": ["nginx/news.conf"], "restartOn": [], "health": {"kind": "nginx", "socket": "/run/softmap/nginx/news/health.sock"}}
FILES = [{"path": "nginx/news.conf", "text": "x"}, {"path": "units/softmap-nginx@.service", "text": "u"}, {"path": "tor/a/torrc", "text": "t"}]


def changed(path, text):
    return [{**each, "text": text} if each["path"] == path else each for each in FILES]


class Releases(unittest.TestCase):
    def contents(self, each=FILES, facts="resolver 10.0.0.2;\n"):
        return tree.contents_of(each, [SERVICE], lambda: facts)

    def test_the_id_is_the_content(self):
        self.assertEqual(self.contents()[1], self.contents(list(reversed(FILES)))[1])
        self.assertNotEqual(self.contents()[1], self.contents(changed("tor/a/torrc", "t2"))[1])
        self.assertNotEqual(self.contents()[1], self.contents(facts="resolver 10.0.0.3;\n")[1])
        self.assertNotEqual(tree.release_id({"a": b"bc"}), tree.release_id({"ab": b"c"}))

    def test_a_marker_changes_with_its_own_nginx_alone(self):
        markers = [self.contents(each, facts)[2] for each, facts in ((FILES, "f"), (changed("tor/a/torrc", "t2"), "f"), (changed("nginx/news.conf", "y"), "f"), (FILES, "g"))]
        self.assertEqual(markers[0], markers[1])
        self.assertNotEqual(markers[0], markers[2])
        self.assertNotEqual(markers[0], markers[3])

    def test_a_folder_stands_for_all_below_it_and_a_file_for_itself_alone(self):
        service = {"reloadOn": ["nginx/news.sites/", "nginx/news"], "restartOn": ["/var/x"]}
        paths = ["nginx/news.sites/b", "nginx/news.sites/a", "nginx/news.conf", "nginx/news.sites", "/var/x", "/var/x/y"]
        self.assertEqual(watched.watched(service, paths), ["/var/x", "nginx/news.sites/a", "nginx/news.sites/b"])
        self.assertEqual(watched.watched(service, paths, ["restartOn"]), ["/var/x"])
        self.assertEqual(watched.watched({"reloadOn": [], "restartOn": []}, paths), [])

    def test_what_left_the_plan_is_carried_over_but_units_and_the_hosts_own_file_are_not(self):
        before = {"nginx/news.conf": b"old", "nginx/old.conf": b"o", "tor/b/torrc": b"t", "units/old@.service": b"u", "nginx/host.conf": b"h"}
        more = tree.carried(before, FILES)
        self.assertEqual(more, {"nginx/old.conf": b"o", "tor/b/torrc": b"t"})
        contents, found, _ = tree.contents_of(FILES, [SERVICE], lambda: "resolver 10.0.0.2;\n", more)
        self.assertEqual(contents["nginx/news.conf"], b"x", "the plan's own file wins")
        self.assertEqual(contents["nginx/old.conf"], b"o")
        self.assertNotEqual(found, self.contents()[1])
        self.assertEqual(more, {"nginx/old.conf": b"o", "tor/b/torrc": b"t"}, "what is handed in stays as it was")

    def test_carried_files_are_in_the_marker_of_the_nginx_that_reads_them_alone(self):
        service = {**SERVICE, "reloadOn": ["nginx/news.sites/"]}
        marker = lambda more: next(iter(tree.contents_of(FILES, [service], lambda: "f", more)[2].values()))
        self.assertNotEqual(marker({}), marker({"nginx/news.sites/a.conf": b"a"}))
        self.assertEqual(marker({}), marker({"nginx/other.sites/a.conf": b"a"}))

    def test_an_nginx_that_only_leaves_keeps_the_file_that_it_includes(self):
        contents, _, markers = tree.contents_of([], [], lambda: "resolver 10.0.0.2;\n", {"nginx/old.conf": b"include host.conf;"})
        self.assertIn(b"resolver 10.0.0.2;", contents["nginx/host.conf"])
        self.assertEqual(markers, {})
        self.assertEqual(tree.contents_of([], [], lambda: "f", {"tor/a/torrc": b""})[0], {"tor/a/torrc": b""})

    def test_paths_stay_inside(self):
        for path in ("/etc/passwd", "../x", "a/../../x", "a//b", "./a"):
            with self.assertRaises(report.Failure):
                tree.contents_of([{"path": path, "text": ""}], [])

    def test_stage_adopt_switch_prune(self):
        with tempfile.TemporaryDirectory() as folder:
            with unittest.mock.patch("os.fchown"):
                own = tree.Tree("worker", folder)
                own.prepare()
                self.assertIsNone(own.current())
                ids = []
                for n in range(4):
                    contents = {"a/b": b"%d" % n}
                    found = tree.release_id(contents)
                    own.stage(found, contents)
                    own.adopt(found)
                    own.switch(found)
                    os.utime(own.path(found), (n, n))
                    ids.append(found)
                    self.assertEqual(own.contents(found), contents)
                    own.describe(found, {"n": n})
                self.assertEqual(own.current(), ids[3])
                self.assertEqual(own.before(ids[3]), ids[2])
                own.switch(ids[0])
                self.assertEqual(own.before(ids[0]), ids[3])
                own.prune(2)
                self.assertEqual(sorted(os.listdir(own.releases)), sorted([ids[0], ids[3]]))
                self.assertEqual(sorted(os.listdir(own.about)), sorted(name + ".json" for name in (ids[0], ids[3])))
                self.assertEqual((own.description(ids[3]), own.description(ids[2])), ({"n": 3}, None))
                self.assertEqual(os.stat(os.path.join(own.about, ids[3] + ".json")).st_mode & 0o777, 0o600)
                own.own("workers/south")
                own.own("workers/worker1")
                self.assertEqual(files.read(os.path.join(own.root, "owner")), b"workers/worker1\n")
                os.mkdir(own.path("abc.staging"))
                own.prepare()
                self.assertNotIn("abc.staging", os.listdir(own.releases))


class Decisions(unittest.TestCase):
    service = {"unit": "softmap-tor@a.service", "reloadOn": ["torrc"], "restartOn": ["ob_config"], "health": {"kind": "active"}}

    def test_all_of_them(self):
        now = {"torrc": "1", "ob_config": "1", "units/softmap-tor@.service": "1"}
        decide = lambda **change: services.decide(self.service, {**now, **change}, now, True)
        self.assertIsNone(decide())
        self.assertEqual(decide(torrc="2"), "reload")
        self.assertEqual(decide(ob_config="2"), "restart")
        self.assertEqual(decide(torrc="2", ob_config="2"), "restart")
        self.assertEqual(decide(**{"units/softmap-tor@.service": "2"}), "restart")
        self.assertEqual(services.decide(self.service, now, now, False), "start")
        self.assertEqual(services.decide(self.service, now, None, True), "restart")

    def test_folders_and_the_hosts_facts_are_reloaded(self):
        service = {"unit": "softmap-nginx@news.service", "reloadOn": ["nginx/news.sites/"], "restartOn": ["nginx/news.sites/module"], "health": {"kind": "nginx"}}
        now = {"nginx/news.sites/a": "1", "facts": "1"}
        self.assertEqual(services.decide(service, {**now, "nginx/news.sites/b": "1"}, now, True), "reload")
        self.assertEqual(services.decide(service, {"facts": "1"}, now, True), "reload", "a site that goes")
        self.assertEqual(services.decide(service, {**now, "facts": "2"}, now, True), "reload")
        self.assertEqual(services.decide(service, {**now, "nginx/news.sites/module": "1"}, now, True), "restart")
        self.assertEqual(services.decide(service, {**now, "elsewhere": "1"}, now, True), "restart", "what nobody says to be harmless is not")

    def test_a_standby_only_ever_stops(self):
        waiting = {**self.service, "standby": True}
        self.assertEqual(services.decide(waiting, {"torrc": "2"}, {"torrc": "1"}, True), "stop")
        for applied in (None, {"torrc": "1"}):
            self.assertIsNone(services.decide(waiting, {"torrc": "2"}, applied, False))

    def test_unit_files(self):
        self.assertEqual(services.unit_file("softmap-tor@news-1.service"), "softmap-tor@.service")
        self.assertEqual(services.unit_file("softmap-onionbalance.service"), "softmap-onionbalance.service")

    def test_a_path_that_nobody_has_is_a_mistake(self):
        with self.assertRaisesRegex(report.Failure, "watches torrc"):
            services.fingerprints(self.service, {}, {}, {})
        folder = {**self.service, "reloadOn": ["torrc.d/"], "restartOn": []}
        self.assertEqual(services.fingerprints(folder, {}, {}, {}), {}, "a folder may be empty")

    def test_what_a_service_runs_on(self):
        service = {**SERVICE, "reloadOn": ["nginx/"], "restartOn": ["/var/key"]}
        contents, _, markers = tree.contents_of(FILES, [service], lambda: "f")
        found = services.fingerprints(service, contents, {"/var/key": (b"k", "o", "g", "0600")}, markers)
        self.assertEqual(sorted(found), ["/var/key", "facts", "nginx/news.conf", "units/softmap-nginx@.service"])
        self.assertEqual(found["/var/key"], services.digest(b"k"))
        self.assertEqual([found["facts"]], list(markers.values()))


class Enabled(unittest.TestCase):
    def test_one_question_for_all_and_one_by_one_where_systemd_stops_at_a_unit_without_a_file(self):
        words, asked = {"a": "enabled", "b": "disabled", "c": "enabled"}, []

        def systemctl(argv, **_):
            asked.append(argv[2:])
            missing = [unit for unit in argv[2:] if unit not in words]
            lines = ["Failed to get unit file state for %s: No such file or directory" % unit for unit in missing[:1]]
            for unit in argv[2:]:
                if unit in missing:
                    break
                lines.append(words[unit])
            return unittest.mock.Mock(text="".join(line + "\n" for line in lines))

        with unittest.mock.patch("services.run", systemctl):
            self.assertEqual(services.enabled_of(["a", "b", "c"]), {"a", "c"})
            self.assertEqual(asked, [["a", "b", "c"]])
            self.assertEqual(services.enabled_of(["b", "a", "gone"]), {"a"})
            self.assertEqual(services.enabled_of(["gone", "a"]), {"a"})
            self.assertFalse(services.is_enabled("gone"))
            self.assertEqual(services.enabled_of([]), set())


class AppliedUnits(unittest.TestCase):
    def test_it_is_kept_over_runs_and_a_doubt_too(self):
        with tempfile.TemporaryDirectory() as folder, unittest.mock.patch("os.fchown"):
            path = os.path.join(folder, "applied.json")
            known = services.Applied(path)
            self.assertEqual((known.release, known.units, known.state, known.services), (None, {}, {}, {}))
            known.learn({"a": {"torrc": "1", "ob_config": "1"}, "b": {"torrc": "1"}})
            known.proved("0123456789ab", {"/k": ["hash", "o", "g", "0600"]}, [{"unit": "a"}, {"unit": "b", "standby": True}])
            known.doubt({"ob_config", "elsewhere"})
            again = services.Applied(path)
            self.assertEqual(again.get("a"), {"torrc": "1", "ob_config": "changed by hand"})
            self.assertEqual(again.get("b"), {"torrc": "1"})
            self.assertEqual((again.release, again.state, again.services), ("0123456789ab", {"/k": ["hash", "o", "g", "0600"]}, {"a": True, "b": False}))
            again.forget("a")
            self.assertIsNone(services.Applied(path).get("a"))
            self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)

    def test_half_a_file_is_no_knowledge(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "applied.json")
            with open(path, "w") as out:
                out.write('{"release": "0123')
            self.assertEqual(services.Applied(path).units, {})


class Files(unittest.TestCase):
    def test_replaced_files_come_back(self):
        with tempfile.TemporaryDirectory() as folder:
            path, new = os.path.join(folder, "key"), os.path.join(folder, "new")
            own = (os.getuid(), os.getgid(), 0o600)
            files.write(path, b"old", *own)
            replaced = state.Replaced()
            self.assertFalse(replaced.put(path, b"old", *own))
            self.assertTrue(replaced.put(path, b"new", *own))
            self.assertTrue(replaced.put(new, b"x", *own))
            self.assertEqual(files.read(path), b"new")
            self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
            replaced.undo()
            self.assertEqual((files.read(path), files.read(new)), (b"old", None))
            self.assertEqual(os.listdir(folder), ["key"])

    def test_only_new(self):
        with tempfile.TemporaryDirectory() as folder:
            a, b = os.path.join(folder, "a"), os.path.join(folder, "b")
            files.write(a, b"old", os.getuid(), os.getgid())
            with unittest.mock.patch("state.ids", lambda *_: (os.getuid(), os.getgid())):
                wanted = {path: (b"new", "o", "g", "0644") for path in (a, b)}
                self.assertEqual(state.install_state(state.Replaced(), wanted, only_new=True), [b])
                self.assertEqual(state.install_state(state.Replaced(), wanted), [a])


class FakeTor:
    """Answers a control connection from a script: what comes after each command."""

    def __init__(self, folder, answers):
        self.path = os.path.join(folder, "control")
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(self.path)
        self.server.listen(1)
        self.answers, self.asked = answers, []
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        stream, _ = self.server.accept()
        reader = stream.makefile("r", newline="\r\n")
        for line in reader:
            self.asked.append(line.strip())
            word = line.split()[0]
            stream.sendall(self.answers.get(word, "250 OK\r\n").encode())
        stream.close()
        self.server.close()


class ControlPort(unittest.TestCase):
    def test_replies_events_and_cookie(self):
        with tempfile.TemporaryDirectory() as folder:
            cookie = os.path.join(folder, "cookie")
            with open(cookie, "wb") as handle:
                handle.write(b"\x01" * 32)
            tor = FakeTor(
                folder,
                {
                    "PROTOCOLINFO": '250-PROTOCOLINFO 1\r\n250-AUTH METHODS=COOKIE,SAFECOOKIE COOKIEFILE="%s"\r\n250 OK\r\n' % cookie,
                    "GETINFO": "650 HS_DESC UPLOADED a UNKNOWN b c\r\n250-status/bootstrap-phase=NOTICE BOOTSTRAP PROGRESS=100 TAG=done SUMMARY=\"Done\"\r\n250 OK\r\n",
                    "HSFETCH": "250 OK\r\n650+HS_DESC_CONTENT a d $h\r\nline one\r\n..dot\r\n.\r\n650 OK\r\n",
                },
            )
            with control.Control(tor.path) as link:
                self.assertEqual(tor.asked[1], "AUTHENTICATE " + "01" * 32)
                self.assertEqual(control.bootstrap_state(link.info("status/bootstrap-phase")), (100, "Done"))
                self.assertEqual(link.event(1), ["HS_DESC UPLOADED a UNKNOWN b c"])
                link.command("HSFETCH a")
                self.assertEqual(link.event(1)[0], "HS_DESC_CONTENT a d $h\nline one\n.dot")
                self.assertIsNone(link.event(0.05))
            tor.thread.join(2)

    def test_half_an_event_is_read_whole_later(self):
        left, right = socket.socketpair()
        link = control.Control.__new__(control.Control)
        link.events, link.buffer, link.socket = [], b"", left
        right.sendall(b"650+HS_DESC_CONTENT a\r\none\r\n")
        self.assertIsNone(link.event(0.05))
        right.sendall(b"two\r\n.\r\n650 OK\r\n")
        self.assertEqual(link.event(1)[0], "HS_DESC_CONTENT a\none\ntwo")
        left.close()
        right.close()

    def test_no_socket(self):
        with self.assertRaises(control.ControlError):
            control.Control("/nonexistent/control")


class Reports(unittest.TestCase):
    def test_no_values_in_the_place_of_a_bug(self):
        try:
            {}["SECRET"]
        except KeyError as error:
            self.assertNotIn("SECRET", report.where(error))
            self.assertIn("test_no_values", report.where(error))

    def test_a_failing_tool_is_quoted(self):
        with self.assertRaisesRegex(report.Failure, r"(?s)sh -c .* ended with 3\. It said:\n    \| oh no"):
            report.run(["sh", "-c", "echo oh no; exit 3"])

    def test_systemds_own_lines_are_left_out(self):
        text = "x.service: Scheduled restart job, restart counter is at 2.\nnginx: [emerg] bad\nStopped x.service.\nx.service: Failed with result 'exit-code'.\n"
        with unittest.mock.patch("health.run", lambda *_, **__: type("Done", (), {"text": text})):
            self.assertEqual(health.journal("x.service"), "nginx: [emerg] bad")


if __name__ == "__main__":
    unittest.main()
