import base64
import hashlib
import json
import os
import tempfile
import unittest
import zlib
from pack import unpacked, with_texts
from store import MOST_PACKS, store_main


def deflated(value):
    return zlib.compress(json.dumps(value).encode())


def name_of(value):
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:16]


class StoreTest(unittest.TestCase):
    def setUp(self):
        self.folder = os.path.join(self.enterContext(tempfile.TemporaryDirectory()), "programs")

    def put(self, value):
        store_main(None, {"pack": deflated(value)}, self.folder)
        return os.path.join(self.folder, name_of(value))

    def test_a_pack_is_there_for_root_alone_under_the_hash_of_what_is_in_it(self):
        path = self.put({"modules": {}})
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        self.assertEqual(os.stat(self.folder).st_mode & 0o777, 0o700)
        with open(path, "rb") as file:
            self.assertEqual(json.loads(zlib.decompress(file.read())), {"modules": {}})

    def test_one_that_was_changed_is_put_right(self):
        path = self.put("whole")
        with open(path, "wb") as file:
            file.write(b"half")
        self.put("whole")
        with open(path, "rb") as file:
            self.assertEqual(file.read(), deflated("whole"))

    def test_the_last_few_stay_and_the_one_that_came_again_is_the_newest(self):
        paths = []
        for number in range(MOST_PACKS + 1):
            paths.append(self.put(number))
            os.utime(paths[-1], (number, number))
        self.assertEqual(sorted(os.listdir(self.folder)), sorted(map(os.path.basename, paths[1:])))
        self.put(1)
        self.put("new")
        self.assertEqual(sorted(os.listdir(self.folder)), sorted([name_of(1), name_of(3), name_of("new")]))


class PackTest(unittest.TestCase):
    def test_a_file_that_is_only_named_gets_its_text_from_the_pack(self):
        pack = {"modules": {"a": "A"}, "files": {"both": [{"text": "# "}, {"module": "a"}, {"text": "!"}]}}
        payload = with_texts({"files": [{"path": "x", "packed": "both"}, {"path": "y", "text": "own"}]}, pack)
        self.assertEqual(payload["files"], [{"path": "x", "text": "# A!"}, {"path": "y", "text": "own"}])
        self.assertEqual(with_texts({"host": "w"}, pack), {"host": "w"})

    def test_a_payload_travels_deflated(self):
        self.assertEqual(unpacked(base64.b64encode(deflated({"a": 1})).decode()), {"a": 1})

    def test_with_what_such_payloads_are_like_it_is_smaller(self):
        value, sample = {"sites": ["www.example.org", "shop.example.org"]}, '{"sites": ["www.example.org", "other.example.org"]}'
        small = zlib.compressobj(zdict=sample.encode())
        sent = small.compress(json.dumps(value).encode()) + small.flush()
        self.assertLess(len(sent), len(deflated(value)))
        self.assertEqual(unpacked(base64.b64encode(sent).decode(), sample), value)


if __name__ == "__main__":
    unittest.main()
