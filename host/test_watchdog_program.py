"""The whole watchdog in a process of its own, beside a SOCKS server. Run: cd host && python3 -m unittest"""
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from leaving import read_list
from watchdog_marks import ANSWERS, SILENT

HERE = os.path.dirname(os.path.abspath(__file__))


class FakeTor:
    """A SOCKS server on a unix socket. `how` says what becomes of a backend: "answers", "refuses", "hangs", "mute" (connects, then nothing) or "rubbish"."""

    def __init__(self, path, how):
        self.path, self.how, self.names, self.open = path, how, [], []
        self.listen()

    def listen(self):
        self.server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.server.bind(self.path)
        self.server.listen(64)
        threading.Thread(target=self.serve, args=(self.server,), daemon=True).start()

    def serve(self, server):
        while True:
            try:
                stream = server.accept()[0]
            except OSError:
                return
            self.open.append(stream)
            threading.Thread(target=self.speak, args=(stream,), daemon=True).start()

    def speak(self, stream):
        try:
            with stream, stream.makefile("rb") as lines:
                if lines.read(3) != b"\x05\x01\x02":
                    return
                stream.sendall(b"\x05\x02")
                self.names.append(lines.read(lines.read(2)[1]))
                lines.read(lines.read(1)[0])
                stream.sendall(b"\x01\x00")
                host = lines.read(lines.read(5)[4]).decode()
                lines.read(2)
                how = self.how[host.removesuffix(".onion")]
                if how == "refuses":
                    stream.sendall(b"\x05\xf2\x00\x01" + bytes(6))
                elif how != "hangs":
                    stream.sendall(b"\x05\x00\x00\x01" + bytes(6))
                    lines.readline()
                    stream.sendall({"answers": b"HTTP/1.1 421 Misdirected Request\r\n\r\n", "rubbish": b"SSH-2.0\r\n", "mute": b""}[how])
                while how in ("hangs", "mute") and stream.recv(4096):
                    pass
        except (OSError, IndexError):
            pass

    def stop(self):
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        for stream in self.open:
            with contextlib.suppress(OSError):
                stream.shutdown(socket.SHUT_RDWR)
        os.unlink(self.path)


class Program(unittest.TestCase):
    """The whole program, in a process of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.config, self.settings, self.socks = (os.path.join(self.folder, name) for name in ("config.yaml", "publisher.yaml", "socks"))
        self.names = {"b" * 55 + letter: "news-worker%d-1" % at for at, letter in enumerate("abcde", 1)}
        self.write_config(self.names)
        self.write(self.settings, "mode: distinct\nwatchdog: {every: 0.5, timeout: 1, failures: 2, floor: 50}\n")
        self.tor = FakeTor(self.socks, dict.fromkeys(self.names, "answers"))
        self.addCleanup(lambda: os.path.exists(self.socks) and self.tor.stop())

    def write(self, path, text):
        with open(path + ".new", "w", encoding="utf-8") as handle:
            handle.write(text)
        os.replace(path + ".new", path)

    def write_config(self, names):
        sites = "".join("- key: %s\n  instances:\n%s" % (site, "".join("  - {address: %s.onion, name: %s}\n" % each for each in names.items())) for site in "xy")
        self.write(self.config, "services:\n" + sites)

    def command(self, *more):
        argv = [sys.executable, "-u", "-B", "-c", "import watchdog; watchdog.watchdog_main()", "-c", self.config, "-s", self.settings]
        return [*argv, "--socks", self.socks, "--folder", self.folder, *more]

    def start(self):
        self.log = open(os.path.join(self.folder, "log"), "w+", encoding="utf-8")
        self.addCleanup(self.log.close)
        self.process = subprocess.Popen(self.command(), cwd=HERE, stdout=self.log, stderr=subprocess.STDOUT)
        self.addCleanup(self.process.wait)
        self.addCleanup(self.process.kill)

    def said(self):
        self.log.flush()
        with open(self.log.name, encoding="utf-8") as handle:
            return handle.read()

    def told(self, name):
        try:
            with open(os.path.join(self.folder, name), encoding="utf-8") as handle:
                return json.load(handle)
        except FileNotFoundError:
            return {"backends": {}, "broken": None}

    def marked(self):
        told = self.told("leave-out.json")
        if "version" in told:
            self.assertIsNone(read_list(json.dumps(told), "watchdog", time.time())[1])
        return sorted(each["name"] for each in told["backends"].values())

    def within(self, seconds, what, done):
        end = time.monotonic() + seconds
        while not done():
            if time.monotonic() > end:
                self.fail("%s did not come within %s s:\n%s\n%s" % (what, seconds, self.said(), json.dumps(self.told("status.json"), indent=1)))
            time.sleep(0.05)

    def state(self, at):
        return self.told("status.json")["backends"].get(list(self.names)[at], {}).get("state")

    def test_it_marks_who_is_silent_and_takes_it_back(self):
        self.start()
        one, two, three, *_ = self.names
        self.within(10, "everybody's answer", lambda: all(self.state(at) == ANSWERS for at in range(5)))
        self.assertEqual((self.marked(), self.told("status.json")["broken"]), ([], ""))
        self.tor.how.update({one: "refuses", two: "hangs", three: "rubbish"})
        self.within(10, "the first mark", lambda: "news-worker1-1" in self.marked())
        self.within(10, "all marks", lambda: self.marked() == ["news-worker1-1", "news-worker2-1", "news-worker3-1"])
        marks = self.told("leave-out.json")["backends"]
        self.assertRegex(marks[one]["why"], r"^no answer for \d+ s \(\d+ probes\): tor says introduction failed$")
        self.assertRegex(marks[two]["why"], r"^no answer for \d+ s \(\d+ probes\): timed out after 1 s$")
        self.assertRegex(marks[three]["why"], r"^no answer for \d+ s \(\d+ probes\): the answer is not HTTP$")
        self.assertLess(abs(time.time() - marks[one]["since"]), 15)
        status = self.told("status.json")
        self.assertEqual((status["version"], status["every"], status["backends"][one]["state"]), (1, 0.5, SILENT))
        self.assertEqual(os.stat(os.path.join(self.folder, "leave-out.json")).st_mode & 0o777, 0o640)
        self.assertEqual(len(self.tor.names), len(set(self.tor.names)), "each probe has a circuit of its own")

        self.tor.how[two] = "answers"
        self.within(10, "an end of the mark", lambda: self.marked() == ["news-worker1-1", "news-worker3-1"])
        self.write(self.settings, "mode: distinct\nwatchdog: {every: fast}\n")
        self.write_config({name: its for name, its in self.names.items() if name != three} | {"d" * 56: "shop-worker1-1"})
        self.tor.how["d" * 56] = "mute"
        self.within(10, "the new config", lambda: self.marked() == ["news-worker1-1"])
        self.within(10, "the mark of the new one", lambda: self.marked() == ["news-worker1-1", "shop-worker1-1"])
        self.write(self.config, "services: none\n")
        self.within(10, "a word on the config", lambda: "services is 'none' and not a list of sites" in self.said())
        self.assertEqual(self.marked(), ["news-worker1-1", "shop-worker1-1"])

        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.process.wait(5), 0)
        self.assertLess(time.monotonic() - started, 3)
        self.assertFalse(os.path.exists(os.path.join(self.folder, "leave-out.json")))
        said = self.said()
        for line in (
            "watching 5 backends, each every 0.5 s; time-out 1 s, 2 failures in a row",
            "judging: backends answer",
            "news-worker2-1: answers again after",
            "watching 5 backends: 1 more, 1 fewer than before",
            self.settings + " cannot be used: watchdog.every is 'fast' and not a number of seconds above 0 and up to 3600; going on with what it said before. Next: ",
        ):
            self.assertIn(line, said)
        self.assertNotIn("b" * 55, said, "names, no addresses")

    def test_a_prober_that_is_gone_marks_nobody(self):
        self.start()
        self.within(10, "everybody's answer", lambda: all(self.state(at) == ANSWERS for at in range(5)))
        self.tor.how[list(self.names)[4]] = "refuses"
        self.within(10, "a mark", lambda: self.marked() == ["news-worker5-1"])
        self.tor.stop()
        self.within(10, "a word", lambda: "the prober's tor cannot be reached" in self.told("status.json")["broken"])
        self.tor.how.update(dict.fromkeys(list(self.names)[1:], "refuses"))
        time.sleep(0.6)
        self.assertEqual(self.marked(), ["news-worker5-1"], "what was marked stays")
        self.assertIn("cannot be reached", self.told("leave-out.json")["broken"])
        self.tor.listen()
        self.within(10, "trust", lambda: self.told("status.json")["broken"] == "")
        self.assertIn("not judging: the prober's tor was started anew, and no backend has answered since", self.said())
        self.within(10, "the marks of who did not come back", lambda: len(self.marked()) == 4)

    def test_when_all_are_silent_nobody_is_marked(self):
        self.start()
        self.within(10, "everybody's answer", lambda: all(self.state(at) == ANSWERS for at in range(5)))
        self.tor.how.update(dict.fromkeys(self.names, "refuses"))
        self.within(10, "a word", lambda: self.told("status.json")["broken"].startswith("no backend has answered for 2 s"))
        self.assertEqual(self.marked(), [])
        self.assertEqual(self.told("status.json")["backends"][list(self.names)[0]]["why"], "tor says introduction failed")

    def test_rubbish_ends_it_with_one_line(self):
        check = lambda: subprocess.run(self.command("--check"), cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual((check().returncode, check().stdout), (0, "5 backends\n"))
        self.write(self.settings, "mode: distinct\n")
        for more in ("--check",), ():
            found = subprocess.run(self.command(*more), cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            self.assertEqual(found.returncode, 1)
            self.assertEqual(
                found.stdout,
                "%s cannot be used: watchdog is None and not a group of settings; the watchdog was not started. Next: run `pulumi up`, which writes it.\n" % self.settings,
            )
        os.unlink(self.settings)
        self.assertIn("publisher.yaml cannot be used: it is not there", check().stdout)


if __name__ == "__main__":
    unittest.main()
