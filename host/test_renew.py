"""What an update has replaced, and in which order it is restarted. Run: cd host && python3 -m unittest"""
import os
import subprocess
import tempfile
import threading
import time
import unittest
import unittest.mock

import renew
import takeover
from report import Failure
from test_parts import Lines

MAPS = """55d0a0000000-55d0a0200000 r-xp 00000000 08:01 123 /usr/bin/tor (deleted)
7f0000000000-7f0000100000 r-xp 00000000 08:01 124 /usr/lib/x86_64-linux-gnu/libssl.so.3 (deleted)
7f0000100000-7f0000200000 r--p 00000000 08:01 124 /usr/lib/x86_64-linux-gnu/libssl.so.3 (deleted)
7f0000200000-7f0000300000 r-xp 00000000 08:01 125 /usr/lib/x86_64-linux-gnu/libc.so.6
7f0000300000-7f0000400000 rw-s 00000000 00:01 126 /dev/zero (deleted)
7f0000400000-7f0000500000 rw-s 00000000 00:01 127 /memfd:x (deleted)
"""


def service(unit, kind="tor", standby=False):
    return {"unit": unit, "health": {"kind": kind}, "standby": standby}


def tor(name):
    return "softmap-tor@%s.service" % name


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as out:
        out.write(text)


class Replaced(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def test_replaced_programs_and_libraries(self):
        self.assertEqual(renew.replaced_maps(MAPS), ["/usr/bin/tor", "/usr/lib/x86_64-linux-gnu/libssl.so.3"])
        self.assertEqual(renew.replaced_maps(""), [])

    def test_the_start_of_a_process(self):
        with subprocess.Popen(["sleep", "60"]) as child:
            self.assertLess(abs(renew.started(child.pid) - time.time()), 5)
            child.kill()

    def test_modules_newer_than_the_process(self):
        proc, modules = self.folder + "/proc", self.folder + "/modules"
        since = int((time.clock_gettime(time.CLOCK_BOOTTIME) - 1) * os.sysconf("SC_CLK_TCK"))
        write(proc + "/7/stat", "7 (python3 -I) x) S %s %d 0" % (" ".join(["0"] * 18), since))
        self.assertFalse(renew.newer_than("7", [modules], proc))
        write(modules + "/a.txt", "")
        self.assertFalse(renew.newer_than("7", [modules], proc))
        write(modules + "/sub/a.py", "")
        self.assertTrue(renew.newer_than("7", [self.folder + "/none", modules], proc))
        self.assertFalse(renew.newer_than("8", [modules], proc), "it has ended")

    def test_all_processes_of_a_unit(self):
        group = "/system.slice/softmap-nginx@news.service"
        write(self.folder + "/unified" + group + "/cgroup.procs", "12\n30\n")
        roots = (self.folder, self.folder + "/unified")
        self.assertEqual(renew.processes({"MainPID": "12", "ControlGroup": group}, roots), ["12", "30"])
        self.assertEqual(renew.processes({"MainPID": "12"}, roots), ["12"])
        self.assertEqual(renew.processes({"MainPID": "0", "ControlGroup": ""}, roots), [])

    def test_one_worker_of_a_unit_is_enough(self):
        with unittest.mock.patch.multiple(
            renew, unit_state=lambda _: {}, processes=lambda _: ["12", "30"], replaced_in=lambda pid: ["/usr/lib/b.so", "/usr/lib/a.so"] if pid == "30" else []
        ):
            self.assertEqual(renew.why_renew(service("softmap-nginx@news.service", "nginx")), "/usr/lib/a.so, /usr/lib/b.so")


class Rounds(unittest.TestCase):
    def setUp(self):
        self.done, self.lines, self.replaced, self.sick = [], Lines(), set(), None
        self.inherits = True

    def healthy(self, _report, watches, _seconds):
        if watches[0].unit == self.sick:
            raise Failure("%s is not healthy" % watches[0].unit)
        self.done.append("healthy " + watches[0].unit)

    def restart(self, argv, **_):
        self.done.append(" ".join(argv[1:]))
        self.replaced.discard(argv[-1])

    def renew(self, *units, replaced=None, kind="tor"):
        self.replaced = set(units if replaced is None else replaced)
        ours = {
            "planned": lambda: [(service(unit, kind), None, {"timeoutSeconds": 60}) for unit in units],
            "why_renew": lambda each: "/usr/bin/tor" if each["unit"] in self.replaced else None,
            "run": self.restart,
            "wait_healthy": self.healthy,
            "take_over": lambda service: self.done.append("take over " + service["unit"]) or self.inherits,
            "lock": lambda *_, plan: self.done.append("lock") if not plan else self.fail("it has no plan"),
            "unlock": lambda _: self.done.append("unlock"),
        }
        sleep = unittest.mock.patch("time.sleep", lambda seconds: self.done.append("wait %d" % seconds))
        with unittest.mock.patch.multiple(renew, **ours), sleep:
            renew.renew(self.lines, "prod", 180)
        return self.done

    def test_one_at_a_time_each_healthy_before_the_next(self):
        nginx, other = "softmap-nginx@news.service", "softmap-balancer-tor.service"
        self.assertEqual(
            self.renew(tor("news-1-3fa9"), nginx, other, replaced=[tor("news-1-3fa9"), other]),
            ["lock", "restart " + tor("news-1-3fa9"), "healthy " + tor("news-1-3fa9"), "restart " + other, "healthy " + other, "unlock"],
        )
        self.assertEqual(self.lines.said[-1], "units renewed: 2")

    def test_of_each_projects_tors_one_a_round_and_the_host_is_free_between_them(self):
        units = [tor("news-1-3fa9"), tor("news-2-3fa9"), tor("a-b-1-77aa"), tor("client")]
        acts = self.renew(*units)
        self.assertEqual([act for act in acts if not act.startswith("healthy")], [
            "lock", "restart " + units[0], "restart " + units[2], "restart " + units[3], "unlock", "wait 180", "lock", "restart " + units[1], "unlock",
        ])

    def test_one_that_does_not_come_back_is_the_last_and_the_host_is_free(self):
        self.sick = tor("news-1-3fa9")
        with self.assertRaises(Failure):
            self.renew(self.sick, tor("desk-1-3fa9"))
        self.assertEqual(self.done, ["lock", "restart " + self.sick, "unlock"])

    def test_what_a_restart_does_not_mend_is_restarted_once(self):
        units = [tor("news-1-3fa9"), tor("news-2-3fa9")]
        with unittest.mock.patch.object(self, "restart", lambda argv, **_: self.done.append(" ".join(argv[1:]))):
            acts = self.renew(*units)
        self.assertEqual([act for act in acts if act.startswith("restart")], ["restart " + unit for unit in units])

    def test_an_nginx_hands_its_sockets_on_and_is_restarted_where_it_cannot(self):
        nginx = "softmap-nginx@news.service"
        for self.inherits, restart in ((True, []), (False, ["restart " + nginx])):
            self.done = []
            self.assertEqual(self.renew(nginx, kind="nginx"), ["lock", "take over " + nginx, *restart, "healthy " + nginx, "unlock"])

    def test_nothing_to_do(self):
        self.assertEqual(self.renew(tor("news-1-3fa9"), replaced=[]), ["lock", "unlock"])
        self.assertEqual(self.lines.said, ["nothing to restart: every unit runs what is installed"])

    def test_the_time_between_rounds(self):
        self.assertEqual(renew.settle_seconds(["settle=40"]), 40)
        self.assertEqual(renew.settle_seconds([]), 180)


class TakingOver(unittest.TestCase):
    """A master that is a process of this test, and one that comes after it."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder, self.old = folder.name, None
        self.service = {"unit": "softmap-nginx@news.service", "health": {"kind": "nginx", "socket": folder.name + "/health.sock"}}
        patch = unittest.mock.patch.multiple(takeover, main_pid=self.main_pid, START_SECONDS=5, STOP_SECONDS=0.3)
        patch.start()
        self.addCleanup(patch.stop)

    def main_pid(self, _unit):
        """As systemd does it: the PID file counts when the main process has ended."""
        if self.old is None or self.old.poll() is None:
            return self.old.pid if self.old else 0
        with open(self.folder + "/nginx.pid") as out:
            return int(out.read())

    def master(self, on_upgrade, on_quit="exit"):
        script = 'trap "%s" USR2; trap "%s" QUIT; echo ready; while :; do sleep 0.05; done' % (on_upgrade, on_quit)
        child = self.old = subprocess.Popen(["bash", "-c", script], stdout=subprocess.PIPE)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        self.addCleanup(child.stdout.close)
        child.stdout.readline()
        # Nobody else waits for it here, and a process that nobody waited for is still there.
        threading.Thread(target=child.wait, daemon=True).start()
        write(self.folder + "/nginx.pid", "%d\n" % child.pid)
        return child

    def test_the_old_one_ends_when_the_new_one_has_its_sockets(self):
        old = self.master("echo 4711 > %s/nginx.pid" % self.folder)
        self.assertTrue(takeover.take_over(self.service))
        self.assertEqual(old.wait(5), 0)

    def test_one_that_does_not_end_is_ended(self):
        old = self.master("echo 4711 > %s/nginx.pid" % self.folder, ":")
        self.assertTrue(takeover.take_over(self.service))
        self.assertEqual(old.wait(5), -15)

    def test_where_nobody_comes_or_nothing_runs_it_is_a_restart(self):
        with unittest.mock.patch.object(takeover, "START_SECONDS", 0.3):
            old = self.master(":")
            self.assertFalse(takeover.take_over(self.service))
            self.assertIsNone(old.poll(), "it goes on until then")
        self.old = None
        self.assertFalse(takeover.take_over(self.service))


if __name__ == "__main__":
    unittest.main()
