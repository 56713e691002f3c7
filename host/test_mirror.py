"""What a mirror takes, and what it never does. Run: cd host && python3 -m unittest"""
import base64
import io
import json
import os
import tempfile
import unittest
import unittest.mock

import mirror
from report import Failure

SECRET = b"== ed25519v1-secret: type0 ==\0\0\0" + bytes(64)
KEYS = (
    b"-----BEGIN OPENSSH PRIVATE KEY-----\nx\n",
    b"text before\n-----BEGIN PRIVATE KEY-----\n",
    SECRET,
    base64.b64encode(SECRET),
    b"ADD_ONION ED25519-V3:aaaa",
    b"# created\nAGE-SECRET-KEY-1QQ",
)


class Told:
    def __init__(self):
        self.lines = []

    def raw(self, line):
        self.lines.append(json.loads(line))


class Mirror(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.base = folder.name

    def release(self, role, files, found="0123456789ab", current=True):
        root = os.path.join(self.base, role, "releases", found)
        for path, data in files.items():
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            with open(os.path.join(root, path), "wb") as handle:
                handle.write(data)
        if current:
            os.symlink("releases/" + found, os.path.join(self.base, role, "current"))
        return root

    def taken(self, **limits):
        told = Told()
        refused = mirror.released(told, self.base, **limits)
        return {line["file"]: base64.b64decode(line["base64"]) for line in told.lines}, refused

    def test_the_serving_releases_alone(self):
        self.release("worker", {"nginx/news.conf": b"a", "tor/x/torrc": b"\xff"})
        self.release("worker", {"nginx/old.conf": b"b"}, "ba9876543210", current=False)
        self.release("balancer", {"tor/torrc": b"c"})
        self.assertEqual(self.taken(), ({"worker/nginx/news.conf": b"a", "worker/tor/x/torrc": b"\xff", "balancer/tor/torrc": b"c"}, []))

    def test_nothing_is_released(self):
        self.assertEqual(self.taken(), ({}, []))

    def test_no_key_leaves(self):
        self.release("worker", {"k/%d" % at: data for at, data in enumerate(KEYS)} | {"ok": b"-----BEGIN CERTIFICATE-----\n== ed25519v1-public: type0 =="})
        files, refused = self.taken()
        self.assertEqual(list(files), ["worker/ok"])
        self.assertEqual(refused, ["worker/k/%d" % at for at in range(len(KEYS))])

    def test_a_link_is_not_followed(self):
        root = self.release("worker", {"a": b"a"})
        os.symlink("/etc/shadow", os.path.join(root, "b"))
        self.assertEqual(list(self.taken()[0]), ["worker/a"])

    def test_bounds(self):
        self.release("worker", {"a": b"a" * 10, "b": b"b" * 10})
        self.assertEqual(len(self.taken(most_files=2, most_bytes=20)[0]), 2)
        for limits in ({"most_files": 1}, {"most_bytes": 19}):
            with self.assertRaises(Failure):
                self.taken(**limits)

    def test_the_newest_lines_that_fit(self):
        lines = io.BytesIO(b"four\nthree\ntwo\none\n")
        self.assertEqual(mirror.newest(lines, 11), ([b"three\n", b"four\n"], True, 0))
        lines = io.BytesIO(b"two\n%s\none\n" % KEYS[0].splitlines()[0])
        self.assertEqual(mirror.newest(lines, 100), ([b"one\n", b"two\n"], False, 1))
        self.assertEqual(mirror.newest(io.BytesIO(b""), 100), ([], False, 0))

    def test_what_is_said(self):
        told = Told()
        with unittest.mock.patch.object(mirror, "released", return_value=["worker/k"]), unittest.mock.patch.object(mirror, "journal", return_value=([b"a\n"], True, 2)):
            mirror.mirror_main(told, {"host": "h", "hours": 1, "bytes": 2})
        self.assertEqual(told.lines, [{"journal": base64.b64encode(b"a\n").decode()}, {"cut": True, "refused": ["worker/k", "2 lines of the journal"]}])


if __name__ == "__main__":
    unittest.main()
