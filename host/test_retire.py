"""What leaves a host: drained, stopped, removed, and its files dropped from the release that serves. Run: cd host && python3 -m unittest"""
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import unittest.mock

import drain
import machine
import report
import retire
import services
import rollback
from test_changes import HEALTH, NGINX, FakeHost, answer, nginx, tor, worker
from test_parts import Lines


def plan(sites=("a",), generation="bbbb", proxies=(nginx(),), **more):
    """The retire step's payload after worker(host, sites, generation)."""
    files = ["nginx/news.conf", "tor/news-1-%s/torrc" % generation, *("nginx/news.sites/%s.conf" % site for site in sites)]
    return {
        "stack": "dev", "roles": ["worker"], "owner": "workers/worker1", "host": "worker1", "keepServices": [NGINX, tor(generation)], "keepStateDirs": [],
        "keepFiles": files, "proxies": list(proxies), "drainSeconds": 0, **more,
    }


class Leaving(unittest.TestCase):
    def test_which_units_go(self):
        self.assertEqual(retire.leaving(["a", "b"], ["b"], False), ["a"])
        self.assertEqual(retire.leaving(["a", "b"], ["b"], True), ["a", "b"])

    def test_which_directories_go(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("tor/news-1", "tor/news-2", "tor/old-1", "tor/kept-1"):
                os.makedirs(os.path.join(folder, name))
            role = {"worker": {"children": {folder + "/tor": "softmap-tor@%s.service", folder + "/nginx": "softmap-nginx@%s.service"}, "own": [folder + "/tor", folder + "/none"]}}
            with unittest.mock.patch("retire.ROLES", role):
                self.assertEqual(retire.leftover_dirs("worker", [folder + "/tor/kept-1/onion"], ["softmap-tor@news-1.service", "softmap-tor@news-2.service"], False), [folder + "/tor/old-1"])
                self.assertEqual(retire.leftover_dirs("worker", [], [], True), [folder + "/tor"])


class Everything(unittest.TestCase):
    def setUp(self):
        self.host = FakeHost(self)

    def everything(self, owner, mine):
        """Whether retiring everything as `mine` takes the worker that `owner` released, and what it says."""
        role, lines = os.path.join(self.host.base, "worker"), Lines()
        os.mkdir(role)
        if owner:
            with open(os.path.join(role, "owner"), "w") as out:
                out.write(owner + "\n")
        nothing = {"instances": lambda _: [], "leftover_dirs": lambda *_: [], "clear_role": lambda *_: shutil.rmtree(role)}
        with unittest.mock.patch.multiple("retire", **nothing):
            went = retire.retire_role(lines, "worker", plan(owner=mine), True)
        self.assertEqual(went, not os.path.isdir(role))
        shutil.rmtree(role, ignore_errors=True)
        return went, lines.said

    def test_a_balancer_goes_with_its_watchdog_and_its_list_of_who_is_left_out(self):
        roles = retire.ROLES
        self.assertIn("softmap-prober-tor.service", roles["balancer"]["units"])
        self.assertIn("softmap-watchdog.service", roles["publisher"]["units"])
        self.assertLessEqual({"/var/lib/softmap/prober-tor", "/run/softmap/prober-tor"}, set(roles["balancer"]["own"]))
        self.assertLessEqual({"/var/lib/softmap/leave-out", "/run/softmap/watchdog"}, set(roles["publisher"]["own"]))
        self.assertIn("softmap-watchdog", retire.USERS)

    def test_a_role_that_another_owner_released_since_is_left_alone(self):
        for owner in ("workers/worker1", "pool/south"):
            self.assertEqual(self.everything(owner, "workers/south"), (False, ["the worker here belongs to %s now: left alone" % owner]))

    def test_ones_own_role_goes_and_so_does_one_that_was_never_proved(self):
        for owner in ("workers/south", None):
            self.assertEqual(self.everything(owner, "workers/south"), (True, []))


class Retiring(unittest.TestCase):
    """After a release in which site b and generation aaaa left."""

    def setUp(self):
        self.host = FakeHost(self)
        self.host.release(worker(self.host))
        self.first = self.own().current()
        self.host.release(worker(self.host, ("a",), "bbbb"))
        self.host.done()
        self.drained = []
        children = {self.host.state: "softmap-tor@%s.service"}
        for target, value in (
            ("retire.ROLES", {"worker": {**retire.ROLES["worker"], "children": children}}),
            ("retire.instances", lambda _: sorted(self.host.running)),
            ("retire.drain", lambda _, units, seconds: self.drained.append((units, seconds))),
        ):
            patch = unittest.mock.patch(target, value)
            patch.start()
            self.addCleanup(patch.stop)

    def own(self):
        return self.host.tree("worker")

    def applied(self):
        return services.Applied(os.path.join(self.own().root, "applied.json"))

    def retire(self, **more):
        self.host.done()
        with unittest.mock.patch("sys.argv", ["-"]):
            retire.retire_main(self.host.lines, plan(**more))
        return self.host.done()

    def test_what_left_goes_and_only_nginx_is_told(self):
        self.assertEqual(self.retire(drainSeconds=7), ["disable " + tor("aaaa"), "reload " + NGINX])
        self.assertEqual(self.drained, [([tor("aaaa")], 7)])
        self.assertEqual(self.host.running, {NGINX, tor("bbbb")})
        paths = {"nginx/host.conf", "nginx/news.conf", "nginx/news.sites/a.conf", "tor/news-1-bbbb/torrc", "units/softmap-nginx@.service", "units/softmap-tor@.service"}
        self.assertEqual(set(self.host.serves()), paths)
        self.assertEqual(os.listdir(self.host.state), ["news-1-bbbb"])
        self.assertEqual(set(self.applied().units), {NGINX, tor("bbbb")})
        self.assertEqual(self.applied().release, self.own().current())
        self.assertIn("reloaded %s without nginx/news.sites/b.conf" % NGINX, self.host.lines.said)

    def test_neither_the_same_release_nor_retiring_again_has_anything_left_to_do(self):
        self.retire()
        self.assertEqual(self.host.release(worker(self.host, ("a",), "bbbb")), [])
        self.assertIn("was already live, nothing to do", self.host.lines.said[-1])
        self.assertEqual(self.retire(), [])
        self.assertRegex(self.host.lines.said[-1], "^nothing to retire")

    def test_a_daemons_files_alone_reload_nothing(self):
        self.host.release(worker(self.host, ("a", "b"), "bbbb"))
        self.assertEqual(self.retire(sites=("a", "b")), ["disable " + tor("aaaa")])
        self.assertNotIn("tor/news-1-aaaa/torrc", self.host.serves())

    def test_the_visitors_are_waited_for_before_others_are_kept_off_the_host(self):
        def free(*_):
            machine.unlock(retire.lock(Lines(), "a release beside it", 0))

        with unittest.mock.patch("retire.drain", free):
            self.retire()
        self.assertEqual(self.host.running, {NGINX, tor("bbbb")})

    def test_files_that_nginx_refuses_to_be_without_stay(self):
        before = self.host.serves()
        self.host.refused = {NGINX}
        with self.assertRaisesRegex(report.Failure, "nginx refuses its new configuration; nothing was switched"):
            self.retire()
        self.assertEqual((self.host.serves(), self.host.done()), (before, ["disable " + tor("aaaa")]))
        self.assertFalse([name for name in os.listdir(self.own().releases) if "staging" in name])

    def test_a_reload_that_fails_puts_the_files_back_and_nginx_is_known_to_run_on_them(self):
        before, serving, names = self.host.serves(), self.host.serving, sorted(os.listdir(self.own().releases))
        self.host.broken = {NGINX}
        with unittest.mock.patch("retire.wait_healthy", lambda lines, watches, _: retire_wait(lines, watches, 0)):
            with self.assertRaisesRegex(report.Failure, r"still runs its old configuration\. The release before is in place again \([0-9a-f]{12}\)\. Next: "):
                self.retire()
        self.assertEqual((self.host.serves(), self.host.serving, sorted(os.listdir(self.own().releases))), (before, serving, names))
        self.host.broken = set()
        self.assertEqual(self.host.release(worker(self.host, ("a",), "bbbb")), [], "a nginx that nobody knows would be restarted")
        self.assertEqual(self.retire(), ["reload " + NGINX])

    def test_the_release_with_files_too_many_is_no_way_back(self):
        self.retire()
        self.assertEqual(self.own().before(self.own().current()), self.first)
        with unittest.mock.patch("sys.argv", ["-"]), self.assertRaisesRegex(report.Failure, "release %s needs .*news-1-aaaa/key, retired since then" % self.first):
            rollback.rollback_main(self.host.lines, {"host": "worker1", "stack": "dev"})

    def test_after_a_site_left_the_way_back_is_to_the_site(self):
        self.retire()
        self.host.release(worker(self.host, ("a", "c"), "bbbb"))
        self.host.release(worker(self.host, ("a",), "bbbb"))
        self.assertEqual(self.retire(), ["reload " + NGINX])
        self.host.done()
        with unittest.mock.patch("sys.argv", ["-"]):
            rollback.rollback_main(self.host.lines, {"host": "worker1", "stack": "dev"})
        self.assertEqual((self.host.done(), self.host.serves()["nginx/news.sites/c.conf"]), (["reload " + NGINX], b"c"))

    def test_the_last_project_takes_its_files_along(self):
        empty = {**worker(self.host), "services": [], "state": [], "files": worker(self.host)["files"][:2]}
        self.host.release(empty)
        self.assertIn(b"resolver", self.host.serves()["nginx/host.conf"])
        self.retire(proxies=(), keepServices=[], keepFiles=[])
        self.assertEqual(self.host.running, set())
        self.assertEqual(set(self.host.serves()), {"units/softmap-nginx@.service", "units/softmap-tor@.service"})

    def test_a_release_that_was_never_proved_is_left_alone(self):
        self.own().switch(self.first)
        self.assertEqual(self.retire(), ["disable " + tor("aaaa")])
        self.assertEqual(self.own().current(), self.first)


retire_wait = retire.wait_healthy

VISITOR = """
import socket, sys
streams = []
for path in sys.argv[1:]:
    streams.append(socket.socket(socket.AF_UNIX))
    streams[-1].connect(path)
print("connected", flush=True)
for line in sys.stdin:
    streams.pop().close()
    print("closed", flush=True)
"""


class Draining(unittest.TestCase):
    """Real sockets: this process is nginx, a child is the tor that leaves."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.lines, self.accepted, self.pids = Lines(), [], {}
        os.makedirs(os.path.join(folder.name, "nginx/news"))
        self.proxy, self.other = os.path.join(folder.name, "nginx/news/1.sock"), os.path.join(folder.name, "other.sock")
        self.servers = {path: socket.socket(socket.AF_UNIX) for path in (self.proxy, self.other)}
        for path, server in self.servers.items():
            server.bind(path)
            server.listen(8)
            self.addCleanup(server.close)
        self.addCleanup(lambda: [stream.close() for stream in self.accepted])
        for target, value in (("drain.PROXY_SOCKETS", os.path.join(folder.name, "nginx/")), ("drain.unit_state", lambda unit: {"MainPID": str(self.pids[unit])}), ("drain.QUIET_SECONDS", 0.3), ("drain.CONTROL", os.path.join(folder.name, "%s.control"))):
            patch = unittest.mock.patch(target, value)
            patch.start()
            self.addCleanup(patch.stop)
        if shutil.which("ss") is None:
            patch = unittest.mock.patch("drain.run", lambda *_, **__: answer(0, self.as_ss_would()))
            patch.start()
            self.addCleanup(patch.stop)

    def as_ss_would(self):
        """Its lines for the accepted ends, on a machine without ss: the far inodes are in /proc of the children."""
        far = [inode for child in self.pids.values() for inode in sorted(drain.sockets_of(child))]
        return "".join("u_str 0      0      %s 1 * %s\n" % (self.proxy, inode) for inode in far)

    def visitor(self, unit, *paths):
        child = subprocess.Popen([sys.executable, "-c", VISITOR, *paths], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for cleanup in (child.wait, child.kill, child.stdin.close, child.stdout.close):
            self.addCleanup(cleanup)
        for path in paths:
            self.accepted.append(self.servers[path].accept()[0])
        self.assertEqual(child.stdout.readline(), b"connected\n")
        self.pids[unit] = child.pid
        return child

    def close_one(self, child):
        child.stdin.write(b"\n")
        child.stdin.flush()
        self.assertEqual(child.stdout.readline(), b"closed\n")

    def test_each_tors_own_connections_are_counted(self):
        leaving = self.visitor("leaving", self.proxy, self.proxy)
        self.visitor("staying", self.proxy)
        self.assertEqual(drain.connections(["leaving", "staying"]), {"leaving": 2, "staying": 1})
        self.close_one(leaving)
        self.assertEqual(drain.connections(["leaving", "staying"]), {"leaving": 1, "staying": 1})

    def test_connections_to_somebody_elses_socket_are_no_visitors(self):
        text = "u_str 0      0      %s 5 * 6\nu_str 0      0      %s 7 * 8\nu_str 0      0      * 8 * 7\n\n" % (self.proxy, self.other)
        self.assertEqual(drain.parse_connections(text), ["6"])

    def test_a_line_as_ss_writes_it(self):
        with unittest.mock.patch("drain.PROXY_SOCKETS", "/run/softmap/nginx/"):
            self.assertEqual(drain.parse_connections("u_str 0      0      /run/softmap/nginx/news/1.sock 74645 * 75471"), ["75471"])
            self.assertEqual(drain.parse_connections("u_str 0      0      * 75471 * 74645\nu_dgr 0 0\n"), [])

    def test_what_nginx_has_closed_counts_until_tor_has_read_it(self):
        self.assertEqual(drain.parse_connections("u_str 1000   0      * 782494 * 0"), ["782494"])

    def test_no_new_visitor_is_let_in_and_one_on_the_way_is_waited_for(self):
        commands, coming = [], [1, 1, 0]

        class Tor:
            def __init__(self, path, timeout):
                commands.append(os.path.basename(path))

            def __enter__(self):
                return self

            def __exit__(self, *_):
                pass

            def info(self, key):
                rendezvous = "9 BUILT $A PURPOSE=HS_SERVICE_REND HS_STATE=%s" % ("HSSR_CONNECTING" if (coming.pop(0) if coming else 0) else "HSSR_JOINED")
                return "\n7 BUILT $A PURPOSE=HS_SERVICE_INTRO HS_STATE=HSSI_ESTABLISHED\n8 BUILT $A PURPOSE=GENERAL\n" + rendezvous

            def command(self, text):
                commands.append(text)

        self.visitor("softmap-tor@news-1-aaaa.service")
        with unittest.mock.patch("drain.Control", Tor):
            drain.drain(self.lines, ["softmap-tor@news-1-aaaa.service"], 60)
        self.assertEqual(coming, [])
        self.assertEqual(self.lines.said, [])
        self.assertEqual(set(commands), {"news-1-aaaa.control", "CLOSECIRCUIT 7"})

    def test_a_process_that_is_gone_has_no_connections(self):
        child = self.visitor("leaving", self.proxy)
        child.kill()
        child.wait()
        self.assertEqual(drain.connections(["leaving"]), {"leaving": 0})

    def test_it_waits_until_the_last_has_ended(self):
        child = self.visitor("leaving", self.proxy, self.proxy)
        done = threading.Event()
        thread = threading.Thread(target=lambda: (drain.drain(self.lines, ["leaving"], 60), done.set()))
        thread.start()
        while not self.lines.said:
            time.sleep(0.01)
        self.assertRegex(self.lines.said[0], r"^2 connections still open on what leaves \(leaving\); waiting (59|60) s at most$")
        self.close_one(child)
        self.assertFalse(done.wait(0.8), "one is still open")
        self.close_one(child)
        thread.join(10)
        self.assertTrue(done.is_set())
        self.assertEqual(self.lines.said[1:], ["the last connection has ended"])

    def test_the_limit_ends_it_and_so_does_nobody_listening(self):
        self.visitor("leaving", self.proxy)
        drain.drain(self.lines, ["leaving"], 0)
        self.assertEqual(self.lines.said, ["1 connection still open after 0 s: ended now"])
        self.lines.listening = False
        start = time.monotonic()
        drain.drain(self.lines, ["leaving"], 60)
        self.assertLess(time.monotonic() - start, 30)

    def test_nobody_connected_is_nothing_to_say(self):
        self.visitor("leaving")
        drain.drain(self.lines, ["leaving"], 60)
        self.assertEqual(self.lines.said, [])


if __name__ == "__main__":
    unittest.main()
