"""What is found of another installation, and what of it is stopped. Run: cd host && python3 -m unittest"""
import datetime
import json
import os
import signal
import subprocess
import tempfile
import time
import unittest
import unittest.mock

import adopt
import adopt_boot
import adopt_found
import report
from descriptors import bare

A, B, C = ("%s.onion" % (letter * 56) for letter in "abc")
HARD = """# a comment
DataDirectory /home/s/onionspray/projects/desk
ControlPort unix:/home/s/onionspray/projects/desk/tor-control.sock
HiddenServiceDir /home/s/onionspray/projects/desk/%s-v3
HiddenServicePort 80 unix:/x/port-80.sock
""" % ("c" * 20)


def put(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as handle:
        handle.write(text)


def silent():
    return report.Report("test", "here")


class Home(unittest.TestCase):
    """An installation in a folder of its own, with processes that only sleep."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.home = os.path.realpath(folder.name) + "/onionspray"
        self.kept = os.path.realpath(folder.name) + "/kept"
        for name, value in (("KEPT", self.kept), ("put_off", lambda *_: []), ("put_on", lambda *_: None)):
            patch = unittest.mock.patch.object(adopt, name, value)
            patch.start()
            self.addCleanup(patch.stop)
        for path, text in (
            ("projects/news/hs-1/tor.conf", "HiddenServiceDir %s/projects/news/hs-1\nHiddenServiceOnionBalanceInstance 1\n" % self.home),
            ("projects/news/hs-1/hostname", A + "\n"),
            ("projects/news/nginx.conf", ""),
            ("projects/desk/tor.conf", "HiddenServiceDir %s/projects/desk/cccc-v3\n" % self.home),
            ("projects/desk/cccc-v3/hostname", C + "\n"),
            ("onionbalance/config.yaml", "services:\n- key: secrets/%s.v3sec.key\n  instances:\n  - address: %s\n" % (bare(B), bare(A))),
            ("onionbalance/tor.conf", ""),
        ):
            put(os.path.join(self.home, path), text)

    def process(self, name, config, option="-f"):
        """A process that looks like a tor: the words are what is looked at, its program is faked."""
        argv = ["python3", "-c", "import signal; signal.pause()", name, option, os.path.join(self.home, config)]
        child = subprocess.Popen(argv, cwd="/")
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        return child

    def found(self):
        kinds = lambda exe, words: (words[3], words) if len(words) > 5 and words[1] == "-c" and words[3] in adopt_found.PID_FILES else (None, words)
        with unittest.mock.patch.object(adopt_found, "kind_of", kinds):
            return adopt_found.programs_below(self.home)

    def appeared(self, count):
        end = time.monotonic() + 20
        while len(self.found()) < count and time.monotonic() < end:
            time.sleep(0.05)
        return self.found()


class Found(Home):
    def setUp(self):
        super().setUp()
        # `-c` of python itself comes first: these stand-ins name their file with -f.
        patch = unittest.mock.patch.dict(adopt_found.CONFIG_OPTIONS, {kind: ("-f",) for kind in adopt_found.PID_FILES})
        patch.start()
        self.addCleanup(patch.stop)

    def test_whose_processes_they_are(self):
        mine = self.process("tor", "projects/news/hs-1/tor.conf")
        self.process("tor", "../elsewhere/tor.conf")
        self.process("tor", "../onionspray2/projects/news/hs-1/tor.conf")
        (one,) = self.appeared(1)
        self.assertEqual((one["pid"], one["kind"], one["uid"]), (mine.pid, "tor", os.getuid()))
        self.assertEqual(adopt_found.pid_file_of(one)[1], "missing")
        for text, state in (("%d\n" % mine.pid, "right"), ("1\n", "stale")):
            put(os.path.join(self.home, "projects/news/hs-1/tor.pid"), text)
            self.assertEqual(adopt_found.pid_file_of(one)[1], state)

    def test_everything_that_is_laid_out(self):
        self.process("tor", "projects/news/hs-1/tor.conf")
        seen = adopt_found.installation(self.home, self.appeared(1))
        self.assertEqual((seen["tool"], len(seen["daemons"])), ("Onionspray", 5))
        self.assertEqual([(each["address"], each["project"], each["name"], each["runs"]) for each in seen["backends"]], [(A, "news", "hs-1", True)])
        self.assertEqual([(each["address"], each["by"], each["runs"]) for each in seen["frontends"]], [(B, "onionbalance", False), (C, "tor", False)])
        self.assertNotIn("environment", json.dumps(seen), "what starts a process stays on the machine")

    def test_only_that_process_is_stopped(self):
        child = self.process("tor", "projects/news/hs-1/tor.conf")
        (one,) = self.appeared(1)
        # The number is another process's by now: it is left alone, and ours counts as gone.
        self.assertTrue(adopt.end({**one, "start": "1"}, signal.SIGKILL, 0.2))
        self.assertIsNone(child.poll())
        self.assertTrue(adopt.end(one, signal.SIGTERM, 10))
        self.assertEqual(child.wait(), -signal.SIGTERM)
        self.assertTrue(adopt.end(one, signal.SIGTERM, 1), "gone already")

    def test_quiet_stops_onionbalance_alone_and_writes_down_how_it_was_started(self):
        balancer = self.process("onionbalance", "onionbalance/config.yaml")
        backend = self.process("tor", "projects/news/hs-1/tor.conf")
        programs = self.appeared(2)
        put(os.path.join(self.home, "onionbalance/ob.pid"), "%d\n" % balancer.pid)
        with unittest.mock.patch.object(adopt, "programs_below", lambda _: programs):
            adopt.quiet(silent(), self.home)
        self.assertEqual(balancer.wait(), -signal.SIGTERM)
        self.assertIsNone(backend.poll())
        self.assertFalse(os.path.exists(os.path.join(self.home, "onionbalance/ob.pid")), "their start refuses where one is left")
        record = adopt.records()[self.home]
        self.assertEqual(sorted(os.path.basename(each) for each in record["programs"]), ["config.yaml", "tor.conf"])
        self.assertTrue(record["publisherOff"] > 0)
        self.assertEqual(os.stat(adopt.record_file()).st_mode & 0o777, 0o600)
        # Again, with nothing left to stop: what was written down stays.
        with unittest.mock.patch.object(adopt, "programs_below", lambda _: [each for each in programs if each["kind"] == "tor"]):
            adopt.quiet(silent(), self.home)
        self.assertEqual(adopt.records()[self.home]["programs"], record["programs"])
        self.assertEqual(adopt.records()[self.home]["publisherOff"], record["publisherOff"])

    def test_backends_stay_while_something_publishes_them(self):
        balancer = self.process("onionbalance", "onionbalance/config.yaml")
        programs = self.appeared(1)
        with unittest.mock.patch.object(adopt, "programs_below", lambda _: programs):
            with self.assertRaisesRegex(report.Failure, "their Onionbalance runs on this host: its backends stay"):
                adopt.backends_off(silent(), self.home, 0)
        self.assertIsNone(balancer.poll())
        hard = self.process("tor", "projects/desk/tor.conf")
        programs = [each for each in self.appeared(2) if each["kind"] == "tor"]
        with unittest.mock.patch.object(adopt, "programs_below", lambda _: programs):
            with self.assertRaisesRegex(report.Failure, "still publishes sites: it stays"):
                adopt.backends_off(silent(), self.home, 0)
        self.assertIsNone(hard.poll())

    def test_back_without_a_take_over_and_without_its_files(self):
        adopt.back(silent(), self.home)
        adopt.keep(self.home, {"programs": {self.home + "/gone/tor.conf": {}}})
        with self.assertRaisesRegex(report.Failure, "is not there any more"):
            adopt.back(silent(), self.home)


class Titled(Home):
    """Onionbalance calls setproctitle: its words and environment are gone."""

    def proc(self, number, descriptor=None, title="onionbalance"):
        folder = os.path.join(os.path.dirname(self.home), "proc", str(number))
        put(folder + "/cmdline", title + "\0" * 40)
        put(folder + "/stat", "%d (onionbalance) S %s" % (number, " ".join(str(each) for each in range(2, 40))))
        put(folder + "/environ", "\0" * 40)
        os.symlink("/usr/bin/python3.11", folder + "/exe")
        os.symlink("/", folder + "/cwd")
        os.makedirs(folder + "/fd")
        if descriptor:
            os.symlink(descriptor, folder + "/fd/1")
        return os.path.dirname(folder)

    def test_by_their_pid_file_their_log_or_their_status_socket(self):
        proc = self.proc(11)
        self.proc(12, os.path.join(self.home, "onionbalance/onionbalance.log"))
        self.proc(13, "socket:[77]")
        self.proc(14, "socket:[78]")
        self.proc(15, os.path.join(self.home, "onionbalance/onionbalance.log"), "python3 other")
        put(proc + "/net/unix", "Num\n0: 2 0 1 1 1 77 %s/onionbalance/ob-status.sock\n0: 2 0 1 1 1 78 /elsewhere\n" % self.home)
        put(os.path.join(self.home, "onionbalance/ob.pid"), "11\n")
        found = adopt_found.programs_below(self.home, proc)
        self.assertEqual([each["pid"] for each in found], [11, 12, 13])
        self.assertEqual(adopt_found.strangers(self.home, proc), [14])
        with unittest.mock.patch.object(adopt, "strangers", lambda _: [14]):
            for step in (lambda: adopt.quiet(silent(), self.home), lambda: adopt.backends_off(silent(), self.home, 0)):
                self.assertRaisesRegex(report.Failure, r"an Onionbalance of their user runs \(process 14\)", step)
        config, control = (os.path.join(self.home, "onionbalance", name) for name in ("config.yaml", "tor-control.sock"))
        self.assertEqual(found[0]["words"][1:], ["-s", control, "-c", config])
        put(os.path.join(self.home, "opt/bin/onionbalance"), "")
        self.assertEqual(adopt_found.programs_below(self.home, proc)[0]["exe"], os.path.join(self.home, "opt/bin/onionbalance"))


class Parts(unittest.TestCase):
    def test_kinds(self):
        title = "nginx: master process nginx -c /h/projects/p/nginx.conf"
        self.assertEqual(adopt_found.kind_of("/usr/sbin/nginx (deleted)", [title]), ("nginx", ["nginx", "-c", "/h/projects/p/nginx.conf"]))
        self.assertEqual(adopt_found.kind_of("/usr/sbin/nginx", ["nginx: worker process"])[0], None)
        self.assertEqual(adopt_found.kind_of("/usr/bin/tor", ["tor", "-f", "x"])[0], "tor")
        self.assertEqual(adopt_found.kind_of("/usr/bin/python3.11", ["/usr/bin/python3", "/usr/bin/onionbalance", "-c", "x"])[0], "onionbalance")
        self.assertEqual(adopt_found.kind_of("/usr/bin/vim", ["vim", "tor.conf"])[0], None)
        self.assertEqual(adopt_found.after_option(["ob", "--config=/x"], ("-c", "--config")), "/x")
        self.assertIsNone(adopt_found.after_option(["ob", "-c"], ("-c",)))

    def test_torrc(self):
        services, control = adopt_found.torrc_facts(HARD)
        self.assertEqual(services, [("/home/s/onionspray/projects/desk/%s-v3" % ("c" * 20), False)])
        self.assertEqual(control, "/home/s/onionspray/projects/desk/tor-control.sock")
        self.assertEqual(adopt_found.torrc_facts("HiddenServiceDir /x/hs-2.d\n")[0], [("/x/hs-2.d", True)])
        self.assertEqual(adopt_found.torrc_facts("HiddenServiceDir /x/y\nHiddenServiceOnionBalanceInstance 1\n")[0], [("/x/y", True)])

    def test_projects_of_both_layouts(self):
        spray, eotk = adopt_found.TOOLS
        self.assertEqual(adopt_found.place_of("/h/projects/news/hs-1/tor.conf", "/h", spray), ("news", "hs-1"))
        self.assertEqual(adopt_found.place_of("/h/projects.d/news.d/nginx.conf", "/h", eotk), ("news", "news"))
        self.assertEqual(adopt_found.place_of("/h/onionbalance.d/tor.conf", "/h", eotk), (None, "balancer"))

    def test_address_of_a_public_key_file(self):
        # rend-spec-v3's own check: the address ends in the version, and its key is the file's.
        address = adopt_found.address_of_public(b"\0" * 32 + bytes(range(32)))
        self.assertEqual(len(address), 56)
        self.assertTrue(address.endswith("d"))

    def test_uploads_since(self):
        since = datetime.datetime(2026, 1, 1, 12, 0, 0)
        text = lambda first, second: json.dumps({"services": [{"onionAddress": A + ".onion", "publishAttemptFirstDescriptor": first, "publishAttemptSecondDescriptor": second}]})
        late, early = "2026-01-01 12:00:05", "2026-01-01 11:59:59"
        self.assertTrue(adopt.tried_since(text(late, late), since, [A]))
        for first, second in ((late, early), (early, late), (late, None)):
            self.assertFalse(adopt.tried_since(text(first, second), since, [A]))
        self.assertFalse(adopt.tried_since(text(late, late), since, [A, B]), "a site that it does not have")
        self.assertFalse(adopt.tried_since("", since, [A]))

    def test_streams_of_visitors(self):
        rows = [
            "u_str ESTAB 0 0 /h/onionspray/projects/news/hs-1/port-80.sock 100 * 101",
            "u_str ESTAB 0 0 /h/onionspray/projects/news/hs-1/tor-control.sock 102 * 103",
            "u_str ESTAB 0 0 /run/softmap/nginx/news/1.sock 104 * 105",
            "u_str ESTAB 0 0 * 101 * 100",
        ]
        self.assertEqual(adopt.open_streams("\n".join(rows), "/h/onionspray"), 1)

    def test_memory(self):
        self.assertEqual(adopt.memory_mb("MemTotal: 9 kB\nMemAvailable:  204800 kB\n"), 200)


class Boot(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root, self.home = os.path.realpath(folder.name), "/home/s/onionspray"
        patch = unittest.mock.patch.object(adopt_boot, "unit_enabled", lambda _: True)
        patch.start()
        self.addCleanup(patch.stop)

    def put(self, path, text):
        put(self.root + path, text)

    def entries(self):
        return [(each["kind"], each["path"][len(self.root):], each["when"], each["on"]) for each in adopt_boot.boot_entries(self.home, self.root)]

    def test_all_that_starts_theirs(self):
        self.put("/etc/init.d/onionspray-init.sh", "exec %s/onionspray --boot start -a\n" % self.home)
        self.put("/etc/rc2.d/S01onionspray-init.sh", "")
        self.put("/etc/init.d/cron", "# other\n")
        self.put("/etc/systemd/system/spray.service", "[Service]\nExecStart=%s/etc/init.d/onionspray-init.sh start\n" % self.root)
        self.put("/etc/systemd/system/spray2.service", "[Service]\nExecStart=%s2/onionspray start\n" % self.home)
        self.put("/etc/cron.d/spray", "@reboot s %s/onionspray start -a\n0 3 * * 0 s %s/onionspray logrotate\n" % (self.home, self.home))
        self.put("/etc/crontab", "# %s/onionspray\n" % self.home)
        self.put("/etc/logrotate.d/spray", "postrotate\n%s/onionspray ob-reload -a\n" % self.home)
        self.put("/etc/cron.weekly/spray.disabled", "%s/onionspray logrotate\n" % self.home)
        self.assertEqual(
            self.entries(),
            [
                ("init", "/etc/init.d/onionspray-init.sh", "boot", True),
                ("unit", "/etc/systemd/system/spray.service", "boot", True),
                ("table", "/etc/cron.d/spray", "boot", True),
                ("table", "/etc/cron.d/spray", "clock", True),
                ("script", "/etc/cron.weekly/spray.disabled", "clock", False),
                ("script", "/etc/logrotate.d/spray", "clock", True),
            ],
        )

    def test_lines_off_and_on_again(self):
        text = "MAILTO=x\n@reboot s /h/o/onionspray start\n0 3 * * 0 s /h/o/onionspray logrotate\n1 1 * * * root other"
        clock = adopt_boot.lines_off(text, ["/h/o"], False)
        self.assertEqual([line.startswith(adopt_boot.OFF) for line in clock.splitlines()], [False, False, True, False])
        both = adopt_boot.lines_off(clock, ["/h/o"], True)
        self.assertEqual([line.startswith(adopt_boot.OFF) for line in both.splitlines()], [False, True, True, False])
        self.assertEqual(adopt_boot.lines_off(both, ["/h/o"], True), both)
        self.assertEqual(adopt_boot.lines_on(both), text)

    def test_a_table_keeps_its_owner_and_mode(self):
        path = self.root + "/table"
        put(path, "a\n")
        os.chmod(path, 0o640)
        adopt_boot.rewritten(path, lambda text: text + "b\n")
        with open(path) as handle:
            self.assertEqual(handle.read(), "a\nb\n")
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o640)
