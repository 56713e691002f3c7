"""Answers by https: real TLS behind a pretended SOCKS port and on nginx's own sockets. Run: cd host && python3 -m unittest"""
import hashlib
import os
import socket
import ssl
import subprocess
import tempfile
import threading
import unittest
import unittest.mock

import proving
import publication
import socks
from test_parts import Lines

OK, MOVED, UNKNOWN = (b"HTTP/1.1 %s\r\n\r\n" % text for text in (b"200 OK", b"308 Permanent Redirect", b"421 Misdirected Request"))


class WithTls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        key, certificate = (os.path.join(folder.name, name) for name in ("key.pem", "certificate.pem"))
        make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=a.onion", "-keyout", key, "-out", certificate]
        subprocess.run(make, check=True, capture_output=True)
        with open(certificate) as file:
            cls.fingerprint = hashlib.sha256(ssl.PEM_cert_to_DER_cert(file.read())).hexdigest()
        cls.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        cls.context.load_cert_chain(certificate, key)
        cls.context.sni_callback = lambda _, name, __: None if name == "a.onion" else ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder, self.asked = folder.name, []

    def serve(self, name, talk):
        """A unix socket; every connection to it is given to `talk`."""
        path, server = os.path.join(self.folder, name), socket.socket(socket.AF_UNIX)
        server.bind(path)
        server.listen(8)
        server.settimeout(0.1)
        ended = threading.Event()

        def run():
            while not ended.is_set():
                try:
                    stream, _ = server.accept()
                except socket.timeout:
                    continue
                stream.settimeout(5)
                try:
                    with stream:
                        talk(stream)
                except OSError:
                    pass  # the other side left, as some tests want

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        self.addCleanup(server.close)
        self.addCleanup(thread.join, 6)
        self.addCleanup(ended.set)
        return path

    def answer(self, stream, port, reply):
        request = stream.recv(4096).decode()
        if request:  # none comes from who did not like the certificate
            self.asked.append((port, request.split("\r\nHost: ")[1].split("\r\n")[0]))
            stream.sendall(reply)

    def by_tls(self, stream, port, reply):
        with self.context.wrap_socket(stream, server_side=True) as inside:
            self.answer(inside, port, reply)

    def tor(self, tls, plain):
        """A SOCKS port with a site behind it: what it answers by https and by http; None for a port that refuses."""
        def talk(stream):
            stream.recv(4096)
            stream.sendall(b"\x05\x02")
            stream.recv(4096)
            stream.sendall(b"\x01\x00")
            port = int.from_bytes(stream.recv(4096)[-2:], "big")
            reply = {443: tls, 80: plain}[port]
            stream.sendall(b"\x05%c\x00\x01\0\0\0\0\0\0" % (5 if reply is None else 0))
            if reply is not None:
                (self.by_tls if port == 443 else self.answer)(stream, port, reply)

        return self.serve("socks", talk)

    def site(self, address="a", **more):
        return {"address": address, "domain": "a.test", "fingerprint": self.fingerprint, **more}


class SiteAnswers(WithTls):
    def test_the_right_certificate_https_counts_and_http_is_asked_too(self):
        self.assertEqual(socks.site_answer(self.tor(OK, MOVED), "x", 5, self.site())[0], 200)
        self.assertEqual(self.asked, [(443, "a.onion"), (80, "a.onion")])

    def test_without_a_certificate_http_alone(self):
        self.assertEqual(socks.site_answer(self.tor(None, MOVED), "x", 5, {"address": "a.onion"})[0], 308)
        self.assertEqual(self.asked, [(80, "a.onion")])

    def test_another_certificate(self):
        with self.assertRaises(socks.WrongAnswer) as caught:
            socks.site_answer(self.tor(OK, MOVED), "x", 5, self.site(fingerprint="0" * 64))
        self.assertEqual(str(caught.exception), "another certificate than planned: %s instead of %s" % (self.fingerprint[:16], "0" * 16))

    def test_a_name_without_a_certificate(self):
        with self.assertRaisesRegex(socks.WrongAnswer, "^the proxy has no certificate for this address$"):
            socks.site_answer(self.tor(OK, MOVED), "x", 5, self.site("b"))

    def test_no_tls_and_nobody_on_443_are_no_answers(self):
        path = self.serve("plain", lambda stream: (stream.recv(4096), stream.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")))
        with proving.opened(path, 5) as stream, self.assertRaisesRegex(socks.FetchError, "^no TLS: ") as caught:
            socks.secured(stream, "a.onion")
        self.assertNotIsInstance(caught.exception, socks.WrongAnswer)
        with self.assertRaisesRegex(socks.FetchError, "^refused$"):
            socks.site_answer(self.tor(None, MOVED), "x", 5, self.site())

    def test_port_80_that_does_not_know_the_site_or_does_not_answer(self):
        path = self.tor(OK, UNKNOWN)
        with self.assertRaisesRegex(socks.WrongAnswer, "^port 80: 421"):
            socks.site_answer(path, "x", 5, self.site())
        os.unlink(path)
        with self.assertRaisesRegex(socks.FetchError, "^port 80: refused$") as caught:
            socks.site_answer(self.tor(OK, None), "x", 5, self.site())
        self.assertNotIsInstance(caught.exception, socks.WrongAnswer)

    def test_421_by_https_is_an_unknown_site(self):
        question = proving.Question({"project": "news"}, {"socks": self.tor(UNKNOWN, MOVED), "address": "x"}, self.site(), {})
        self.assertEqual((question.ask(), question.why), (False, "421: the proxy does not know this site"))

    def test_the_second_fetch_has_the_rest_of_the_time(self):
        for took, left in ((3, 17), (19, socks.LEAST_SECONDS)):
            with unittest.mock.patch("socks.first_answer", side_effect=[(200, took), (308, 1)]) as asked:
                self.assertEqual(socks.site_answer("/s", "x", 20, self.site()), (200, took))
            self.assertEqual([call.args[2] for call in asked.call_args_list], [20, left])

    def test_a_handshake_that_never_ends(self):
        path = self.serve("silent", lambda stream: stream.recv(4096) and stream.recv(4096) and stream.recv(4096))
        with proving.opened(path, 0.2) as stream, self.assertRaises(socket.timeout):
            socks.secured(stream, "a.onion")


class OwnSockets(WithTls):
    def project(self, **more):
        return {"project": "news", "socket": self.serve("1.sock", lambda stream: self.answer(stream, 80, MOVED)), **more}

    def test_by_tls_where_the_site_has_a_certificate_else_by_http(self):
        project = self.project(tlsSocket=self.serve("1.tls.sock", lambda stream: self.by_tls(stream, 443, OK)))
        self.assertEqual([proving.status_on(project, host) for host in ("a.onion", "b.onion")], [200, 308])
        self.assertEqual(self.asked, [(443, "a.onion"), (80, "b.onion")])

    def test_no_nginx_on_the_tls_socket_or_none_planned(self):
        project = self.project()
        self.assertEqual(proving.status_on({**project, "tlsSocket": os.path.join(self.folder, "none")}, "a.onion"), 308)
        self.assertEqual(proving.status_on(project, "a.onion"), 308)

    def test_a_plan_of_an_older_version(self):
        self.assertEqual(proving.statuses([self.project(sites=["a.onion"], domains=["a.test"])]), {("news", "a.onion"): 308})


class Published(WithTls):
    def known(self, path, **more):
        front = {"domain": "a.test", "address": "a.onion", "backends": [{"name": "news-w1-1", "address": "x"}], **more}
        known = publication.Publication(Lines(), {"frontends": [front], "socks": path, "publishTimeoutSeconds": 0}, {}, True)
        known.verdicts["a"] = unittest.mock.Mock(present=["news-w1-1"], missing={})
        return known

    def test_a_page_by_https(self):
        known = self.known(self.tor(OK, MOVED), fingerprint=self.fingerprint)
        self.assertIsNone(known.answer(known.sites[0]))
        self.assertEqual(self.asked, [(443, "a.onion"), (80, "a.onion")])
        self.assertIn("first answer 200 in ", known.report.said[-1])

    def test_what_is_wrong_is_told(self):
        known = self.known(self.tor(OK, UNKNOWN), fingerprint=self.fingerprint)
        self.assertRegex(known.answer(known.sites[0]), "^port 80: 421")
        self.assertEqual(known.answers, {})
        other = self.known(known.payload["socks"], fingerprint="0" * 64)
        self.assertRegex(other.answer(other.sites[0]), "^another certificate than planned: ")

    def test_without_a_certificate_by_http(self):
        known = self.known(self.tor(None, OK))
        self.assertIsNone(known.answer(known.sites[0]))
        self.assertEqual(self.asked, [(80, "a.onion")])


if __name__ == "__main__":
    unittest.main()
