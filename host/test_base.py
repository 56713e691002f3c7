"""The base of a machine: units that work once, at their start, and what goes with them. Run: cd host && python3 -m unittest"""
import json
import os
import unittest
import unittest.mock

import probe
import report
import retire
from test_changes import FakeHost, answer, overwrite
from test_parts import Lines

FIREWALL, BASE = "softmap-firewall.service", "softmap-base.service"
NFT = ["/usr/sbin/nft", "list", "table", "inet", "softmap"]


class BaseHost(FakeHost):
    """Its table of nftables is there unless it is `gone`, and can be loaded unless it is `stuck`."""

    gone = stuck = False

    def run(self, argv, **options):
        if argv == NFT:
            return answer(1 if self.gone else 0, "")
        if argv[:2] == ["systemctl", "restart"] and argv[2] == FIREWALL:
            self.gone = False
        done = super().run(argv, **options)
        return answer(1, "") if self.stuck and argv[:3] == ["systemctl", "reload", FIREWALL] else done


def base(host, rules="one", apply="a"):
    texts = {"units/" + FIREWALL: "f", "units/" + BASE: "b", "base/firewall.nft": rules, "base/apply.sh": apply}
    active = {"kind": "active"}
    return {
        "stack": "dev", "role": "base", "owner": "hosts on w", "host": "w", "packages": [], "users": [], "dirs": [], "state": [],
        "files": [{"path": path, "text": text} for path, text in texts.items()],
        "services": [
            {"unit": FIREWALL, "reloadOn": ["base/firewall.nft"], "restartOn": [], "holds": NFT, "health": active},
            {"unit": BASE, "reloadOn": ["base/apply.sh"], "restartOn": [], "notes": os.path.join(host.state, "notes"), "health": active},
        ],
        "keepReleases": 3, "timeoutSeconds": 5,
    }


class Base(unittest.TestCase):
    def setUp(self):
        self.host = BaseHost(self)

    def drift(self):
        lines = Lines()
        probe.probe_main(lines, {"host": "w", "roles": ["base"], "owner": "hosts on w"})
        return json.loads(lines.said[0])["drift"]

    def test_what_the_machine_cannot_do_is_said_by_the_deployment(self):
        overwrite(os.path.join(self.host.state, "notes"), "softmap base: this kernel has no AppArmor\n")
        self.host.release(base(self.host))
        self.assertEqual(self.host.lines.said.count("softmap base: this kernel has no AppArmor"), 1)
        self.host.release(base(self.host))
        self.assertEqual(self.host.lines.said.count("softmap base: this kernel has no AppArmor"), 1, "nothing was done, nothing is said")
        self.host.release(base(self.host, apply="b"))
        self.assertEqual(self.host.lines.said.count("softmap base: this kernel has no AppArmor"), 2)

    def test_other_rules_are_a_reload(self):
        self.host.release(base(self.host))
        self.assertEqual(self.host.release(base(self.host, "two")), ["reload " + FIREWALL])

    def test_rules_that_cannot_be_loaded_go_back(self):
        self.host.release(base(self.host))
        self.host.stuck = True
        with self.assertRaisesRegex(report.Failure, FIREWALL + " did not reload; it goes on with what it had.*Reverted"):
            self.host.release(base(self.host, "two"))

    def test_a_table_that_somebody_emptied_is_drift_and_is_made_again(self):
        self.host.release(base(self.host))
        self.assertEqual(self.drift(), [])
        self.host.gone = True
        self.assertEqual(self.drift(), ["what %s had set up is gone" % FIREWALL])
        self.host.done()
        self.assertEqual(self.host.release(base(self.host)), ["restart " + FIREWALL])
        self.assertEqual(self.drift(), [])

    def test_its_profiles_leave_the_kernel_before_their_files_go(self):
        asked = []
        with unittest.mock.patch.multiple(retire, run=lambda argv, **_: asked.append(argv)), unittest.mock.patch("os.path.isdir", lambda _: True):
            with unittest.mock.patch("shutil.which", lambda *_, **__: "/usr/sbin/apparmor_parser"):
                retire.unload_profiles(retire.ROLES["base"]["own"])
                retire.unload_profiles(["/var/lib/softmap/tor"])
        self.assertEqual(asked, [["apparmor_parser", "-R", "/etc/apparmor.d/softmap-tor", "/etc/apparmor.d/softmap-nginx", "/etc/apparmor.d/softmap-onionbalance"]])


if __name__ == "__main__":
    unittest.main()
