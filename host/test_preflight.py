import os
import tempfile
import time
import unittest
import unittest.mock
from report import Failure, Report
import machine
import preflight

UBUNTU = 'ID=ubuntu\nVERSION_ID="24.04"\nPRETTY_NAME="Ubuntu 24.04.1 LTS"'

# proc(5): sl, local_address, rem_address, st, ..., inode; the second is a program on 127.0.0.1, the third a connection.
TCP = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 100 1
   1: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 101 1
   2: 0A00000A:0016 0B00000A:C350 01 00000000:00000000 00:00000000 00000000     0        0 102 1
   3: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000    33        0 103 1
"""
TCP6 = """  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000001000000:0277 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 104 1
   1: 00000000000000000000000000000000:0019 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 105 1
   2: 0000000000000000FFFF00000100007F:0BB8 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 106 1
"""


class Preflight(unittest.TestCase):
    def test_ubuntu_is_a_worker_and_no_balancer(self):
        self.assertEqual(machine.check_system(UBUNTU, True, True, ["worker"]), [])
        for roles in (["worker", "balancer"], ["publisher"]):
            (problem,) = machine.check_system(UBUNTU, True, True, roles)
            self.assertIn("Python 3.12. Next: make it a worker", problem)
        self.assertEqual(len(machine.check_system(UBUNTU.replace("24.04", "22.04"), True, True, ["worker"])), 1)

    def test_clock(self):
        now = 1764000000
        self.assertEqual(machine.clock_problem(now, now + 299), [])
        self.assertEqual(machine.clock_problem(now, None), [])
        (problem,) = machine.clock_problem(now, now + 7200)
        self.assertIn("its clock says 2025-11-24 16:00:00 UTC, and that of the machine which runs pulumi 2025-11-24 18:00:00 UTC. Next: ", problem)
        self.assertEqual(machine.asked_time(["everything", "now=1764000000"]), now)
        self.assertIsNone(machine.asked_time([]))

    def test_architecture(self):
        self.assertEqual(preflight.machine_problem("aarch64"), [])
        self.assertIn("armv7l", preflight.machine_problem("armv7l")[0])

    def test_users_that_somebody_else_made(self):
        self.assertEqual(preflight.foreign_user("softmap-tor", "/nonexistent", 120), [])
        for home, number, odd in (("/home/softmap-tor", 120, "(its home is /home/softmap-tor)"), ("/nonexistent", 1001, "(its number is 1001)")):
            self.assertIn(odd + ". Next: rename", preflight.foreign_user("softmap-tor", home, number)[0])

    def test_files_that_somebody_else_made(self):
        with tempfile.TemporaryDirectory() as folder:
            base, state = folder + "/etc", folder + "/lib"
            find = lambda: [problem.split(" was ")[0] for problem in preflight.foreign_files(preflight.deployed(base), base, state)]
            self.assertEqual(find(), [])
            os.makedirs(base + "/worker/releases")
            os.makedirs(state + "/tor")
            open(base + "/masked", "w").close()
            self.assertEqual((preflight.deployed(base), find()), ({"worker"}, []))
            for path in (base + "/notes", base + "/balancer", state + "/balancer-tor"):
                os.makedirs(path)
            self.assertEqual(find(), [base + "/balancer", base + "/notes", state + "/balancer-tor"], "a role has releases, and its state comes after them")
            os.rename(state, folder + "/elsewhere")
            os.symlink("elsewhere", state)
            self.assertEqual(find()[2:], [state])

    def test_units_that_somebody_else_made(self):
        own = "/etc/systemd/system/"
        units = [own + "softmap-tor@.service", own + "softmap-nginx@.service"]
        self.assertEqual(preflight.foreign_units(units, {"worker"}), [])
        self.assertEqual(len(preflight.foreign_units(units, {"balancer"})), 2, "the role was never released")
        for odd in (own + "softmap-web.service", "/usr/lib/systemd/system/softmap-tor@.service"):
            self.assertEqual(preflight.foreign_units([*units, odd], {"worker"}), ["the unit %s was not made by softmap. Next: rename or remove it" % odd])

    def test_the_table(self):
        self.assertEqual([preflight.foreign_table({"base"}, True), preflight.foreign_table(set(), False)], [[], []])
        self.assertIn("nft delete table inet softmap", preflight.foreign_table({"worker"}, True)[0])

    def test_who_listens_beyond_loopback(self):
        self.assertEqual(preflight.parse_listening(TCP, "0A"), [(22, "100"), (80, "103")])
        self.assertEqual(preflight.parse_listening(TCP6, "0A"), [(25, "105")])
        self.assertEqual(list(preflight.client_ports("32768\t60999\n"))[::28231], [32768, 60999])

    def test_ports_that_a_firewall_would_shut(self):
        sockets = [("tcp", 22, {"sshd", "systemd"}), ("tcp", 25, {"exim4"}), ("tcp", 80, {"apache2"}), ("tcp", 9090, {"systemd"}), ("udp", 123, {"chronyd"}), ("udp", 5353, {"avahi-daemon"})]
        find = lambda *open_ports: preflight.port_problems(sockets, open_ports, {22}, {22: "ssh.socket", 9090: "cockpit.socket"}.get)
        ask = "which the firewall would shut. Next: name the port in openPorts, stop the program, or set firewall: false"
        udp = "avahi-daemon listens on udp port 5353, which the firewall would shut. Next: stop the program, or set firewall: false"
        self.assertEqual(find(80), ["exim4 listens on tcp port 25, " + ask, udp, "cockpit.socket listens on tcp port 9090, " + ask])
        self.assertEqual(find(80, 25, 9090, 5353), [udp], "openPorts are of TCP")
        (lost,) = preflight.port_problems([("tcp", 2222, {"sshd"})], [], {22})
        self.assertIn("sshd listens on tcp port 2222", lost, "sshd -T does not know of it: the firewall would lock us out")

    def test_the_unit_of_a_socket(self):
        shown = "/run/udev/control systemd-udevd-control.socket systemd-udevd.service\n[::]:22 ssh.socket ssh.service\n"
        self.assertEqual([preflight.socket_unit(22, shown), preflight.socket_unit(2, shown)], ["ssh.socket", "systemd"])

    def test_the_holders_of_sockets(self):
        with tempfile.TemporaryDirectory() as proc:
            for number, name in (("42", "exim4"), ("43", "sshd")):
                os.makedirs("%s/%s/fd" % (proc, number))
                os.symlink("socket:[7]", "%s/%s/fd/3" % (proc, number))
                with open("%s/%s/comm" % (proc, number), "w") as comm:
                    comm.write(name + "\n")
            self.assertEqual(preflight.holders(proc), {"7": {"exim4", "sshd"}})

    def test_everything_in_one_message(self):
        payload = {"roles": ["worker"], "firewall": True, "openPorts": []}
        firewall = {"has_table": lambda: False, "listening": lambda: [("tcp", 25, {"exim4"})], "ssh_ports": lambda: {22}}
        rest = {"check_system": lambda *_: ["it runs Fedora. Next: Debian"], "check_room": lambda: ["/ is full. Next: make room"], "deployed": set, "foreign_users": list}
        quiet = {"foreign_files": lambda _: [], "foreign_units": lambda *_: []}
        argv = unittest.mock.patch("sys.argv", ["-", "now=%d" % (time.time() - 7200)])
        with unittest.mock.patch.multiple(preflight, **firewall, **rest, **quiet), argv:
            with self.assertRaises(Failure) as caught:
                preflight.preflight_main(Report("preflight", "w"), payload)
        for words in ("nothing was changed:\n  - it runs Fedora", "\n  - its clock says", "\n  - / is full", "listens on tcp port 25"):
            self.assertIn(words, str(caught.exception))

    def test_what_our_own_firewall_shuts_is_shut_already(self):
        payload = {"roles": ["worker"], "firewall": True, "openPorts": []}
        quiet = {"check_system": lambda *_: [], "check_room": list, "foreign_users": list, "foreign_files": lambda _: [], "foreign_units": lambda *_: []}
        there = {"has_table": lambda: True, "deployed": lambda: {"base"}, "listening": lambda: [("tcp", 25, {"exim4"})]}
        with unittest.mock.patch.multiple(preflight, **quiet, **there), unittest.mock.patch("sys.argv", ["-"]):
            preflight.preflight_main(unittest.mock.Mock(seconds=lambda: 0), payload)
