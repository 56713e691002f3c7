"""
The network behind a proxy under test, inside its container: the origins' TLS side with certificates by an authority of its own, and DNS.
What an origin answers is not decided here: each connection is handed on, byte by byte, to a socket where the tests listen.
The first line to the tests is JSON, what TLS knows of the peer; then what the peer sends. From the tests come frames: a letter, a length in
4 bytes, the data. D data, P data and wait until the peer has read it, C close as TLS wants it, F close without a word of TLS, R reset.
"""
import asyncio
import datetime
import ipaddress
import json
import os
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

SHARED = sys.argv[1]
DOMAINS = sys.argv[2:]
STORE = "/etc/ssl/certs/ca-certificates.crt"
JOURNAL = "/run/systemd/journal/dev-log"
DAY = datetime.timedelta(days=1)
ROOMS = tempfile.mkdtemp()
# The first label of a name says what is wrong with its origin.
ADDRESSES = {"refused": "127.0.0.2", "plaintext": "127.0.0.3", "silent": "127.0.0.4"}


def make(subject, names=(), issuer=None, ca=False, expired=False):
    """A key and a certificate for it, by itself or by an issuer's (key, certificate)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject[:64])])
    now = datetime.datetime.utcnow()
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer[1].subject if issuer else name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 9 * DAY)
        .not_valid_after(now - DAY if expired else now + 9 * DAY)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if names:
        built = built.add_extension(x509.SubjectAlternativeName([x509.DNSName(each) for each in names]), critical=False)
    return key, built.sign(issuer[0] if issuer else key, hashes.SHA256())


def key_pem(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def cert_pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


def share(name, data):
    """A file for the tests, whole or not at all."""
    path = os.path.join(SHARED, name)
    with open(path + ".new", "wb", opener=lambda file, flags: os.open(file, flags, 0o600)) as out:
        out.write(data)
    os.rename(path + ".new", path)


trusted = make("authority of the tests", ca=True)
other = make("another authority", ca=True)
contexts = {}


def context_for(name):
    """What a name's origin shows of itself; made when first asked for."""
    if name not in contexts:
        kind = name.split(".")[0]
        names = [name if kind != "wrongname" else "somewhere.else.invalid"]
        issuer = {"selfsigned": None, "otherca": other}.get(kind, trusted)
        key, certificate = make(name, names, issuer, expired=kind == "expired")
        path = os.path.join(ROOMS, str(len(contexts)))
        with open(path, "wb") as out:
            out.write(key_pem(key) + cert_pem(certificate))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        # A client's certificate is asked for and not insisted on: the tests look at what came.
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(cadata=cert_pem(trusted[1]).decode())
        context.sni_callback = by_name
        contexts[name] = context
    return contexts[name]


def by_name(tls, name, _context):
    tls.softmap_name = name
    tls.context = context_for(name or "nameless.invalid")


def unread(peer, own):
    """Bytes that the kernel holds for the peer: what it has been sent and has not read."""
    def hexed(address):
        return "%08X:%04X" % (struct.unpack("=I", ipaddress.ip_address(address[0]).packed)[0], address[1])
    wanted = [hexed(peer), hexed(own)]
    with open("/proc/net/tcp") as table:
        for row in table:
            fields = row.split()
            if fields[1:3] == wanted:
                return int(fields[4].split(":")[1], 16)
    return 0


async def read_by_peer(writer):
    peer, own = writer.get_extra_info("peername"), writer.get_extra_info("sockname")
    while writer.transport.get_write_buffer_size() > 0 or unread(peer, own) > 0:
        if writer.transport.is_closing():
            return
        await asyncio.sleep(0.0005)


async def upward(reader, to):
    """What the peer sends, to the tests."""
    try:
        while data := await reader.read(65536):
            to.write(data)
            await to.drain()
    except OSError:
        pass
    if to.can_write_eof():
        to.write_eof()


async def downward(frames, writer):
    """What the tests say, to the peer."""
    raw = writer.get_extra_info("socket")
    while True:
        kind, length = struct.unpack(">cI", await frames.readexactly(5))
        data = await frames.readexactly(length)
        if kind in b"DP":
            writer.write(data)
            await (read_by_peer(writer) if kind == b"P" else writer.drain())
        elif kind == b"C":
            return writer.close()
        elif kind == b"F":
            raw.shutdown(socket.SHUT_WR)
        elif kind == b"R":
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return writer.transport.abort()


async def connection(reader, writer):
    tls = writer.get_extra_info("ssl_object")
    frames, to = await asyncio.open_unix_connection(os.path.join(SHARED, "origin.sock"))
    client = dict(part[0] for part in (tls.getpeercert() or {}).get("subject", ()))
    to.write(json.dumps({"name": getattr(tls, "softmap_name", None), "client": client.get("commonName")}).encode() + b"\n")
    up = asyncio.ensure_future(upward(reader, to))
    try:
        await downward(frames, writer)
    except (asyncio.IncompleteReadError, OSError):
        writer.close()
    await up
    to.close()


async def plaintext(reader, writer):
    """A web server without TLS where there should be one with it."""
    await reader.read(65536)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain")
    writer.close()


async def silent(reader, _writer):
    """Takes the connection, says nothing."""
    await reader.read()


def quiet(loop, context):
    """Broken handshakes are what many tests are about."""
    if not isinstance(context.get("exception"), (OSError, ssl.SSLError, asyncio.CancelledError)):
        loop.default_exception_handler(context)


def start_dns():
    """Every domain is this machine, but for names that stand for a fault."""
    lines = ["no-resolv", "no-hosts", "bind-interfaces", "listen-address=127.0.0.1", "user=root"]
    for domain in DOMAINS:
        lines.append("address=/%s/127.0.0.1" % domain)
        lines += ["address=/%s.%s/%s" % (fault, domain, address) for fault, address in ADDRESSES.items()]
        lines.append("local=/nodns.%s/" % domain)
    path = os.path.join(ROOMS, "dnsmasq.conf")
    with open(path, "w") as out:
        out.write("\n".join(lines) + "\n")
    return subprocess.Popen(["dnsmasq", "--keep-in-foreground", "--log-facility=-", "--conf-file=" + path])


class Journal(asyncio.DatagramProtocol):
    """Where systemd's journal takes the lines of an access log."""

    def datagram_received(self, data, _address):
        with open(os.path.join(SHARED, "log", "journal"), "ab") as out:
            out.write(data + b"\n")


async def journal():
    os.makedirs(os.path.dirname(JOURNAL), exist_ok=True)
    await asyncio.get_running_loop().create_datagram_endpoint(Journal, local_addr=JOURNAL, family=socket.AF_UNIX)
    os.chmod(JOURNAL, 0o666)


async def main():
    asyncio.get_running_loop().set_exception_handler(quiet)
    with open(STORE, "ab") as store:
        store.write(cert_pem(trusted[1]))
    share("other-ca.crt", cert_pem(other[1]))
    key, certificate = make("softmap client", issuer=trusted)
    share("client.key", key_pem(key))
    share("client.crt", cert_pem(certificate))
    await journal()
    dns = start_dns()
    await asyncio.start_server(connection, "127.0.0.1", 443, ssl=context_for("nameless.invalid"), backlog=1024, limit=1 << 20)
    await asyncio.start_server(plaintext, ADDRESSES["plaintext"], 443)
    await asyncio.start_server(silent, ADDRESSES["silent"], 443)
    query = b"\x00\x01\x01\x00\x00\x01" + bytes(6) + b"".join(bytes([len(part)]) + part.encode() for part in DOMAINS[0].split(".")) + b"\x00\x00\x01\x00\x01"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(0.1)
        for _ in range(200):
            asking.sendto(query, ("127.0.0.1", 53))
            try:
                asking.recv(512)
                break
            except OSError:
                await asyncio.sleep(0.02)
    share("ready", b"")
    while dns.poll() is None:
        await asyncio.sleep(1)
    sys.exit("dnsmasq ended")


asyncio.run(main())
