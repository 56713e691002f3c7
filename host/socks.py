"""One page through the balancer's tor, as a visitor would ask for it (SOCKS5, RFC 1928 and 1929)."""
import hashlib
import os
import socket
import ssl
import time

# RFC 1928, and tor's own from 0xF0 on (torrc's ExtendedErrors).
REPLIES = {
    1: "general failure",
    4: "host unreachable",
    5: "refused",
    6: "timed out",
    0xF0: "descriptor not found",
    0xF1: "descriptor invalid",
    0xF2: "introduction failed",
    0xF3: "rendezvous failed",
    0xF6: "bad onion address",
    0xF7: "introduction timed out",
}

# Of a second fetch after a slow first one: the descriptor is known by then.
LEAST_SECONDS = 5


class FetchError(Exception):
    """No HTTP answer came."""


class WrongAnswer(FetchError):
    """An answer came, and it is the proxy that is wrong: waiting does not help for long."""


def take(stream, length):
    got = b""
    while len(got) < length:
        more = stream.recv(length - len(got))
        if not more:
            raise FetchError("tor closed the connection")
        got += more
    return got


def connect(stream, host, port):
    """Opens a stream to host:port. A name and password of its own keep it off every other stream's circuit (IsolateSOCKSAuth)."""
    name = os.urandom(8).hex().encode()
    stream.sendall(b"\x05\x01\x02")
    if take(stream, 2) != b"\x05\x02":
        raise FetchError("tor's SOCKS port does not take a name and password")
    stream.sendall(b"\x01" + bytes([len(name)]) + name + b"\x01x")
    if take(stream, 2)[1] != 0:
        raise FetchError("tor's SOCKS port refused us")
    target = host.encode()
    stream.sendall(b"\x05\x01\x00\x03" + bytes([len(target)]) + target + port.to_bytes(2, "big"))
    reply = take(stream, 4)
    if reply[1] != 0:
        raise FetchError(REPLIES.get(reply[1], "SOCKS error %d" % reply[1]))
    take(stream, {1: 4, 4: 16}.get(reply[3]) or take(stream, 1)[0])
    take(stream, 2)


def answer_on(stream, host):
    """Asks for / as `host` on an open stream: the HTTP status. FetchError when the answer is none."""
    stream.sendall(("GET / HTTP/1.1\r\nHost: %s\r\nUser-Agent: softmap\r\nAccept: */*\r\nConnection: close\r\n\r\n" % host).encode())
    line = b""
    while b"\r\n" not in line and len(line) < 4096:
        more = stream.recv(512)
        if not more:
            break
        line += more
    words = line.split(b"\r\n")[0].split()
    if len(words) < 2 or not words[0].startswith(b"HTTP/") or not words[1].isdigit():
        raise FetchError("the answer is not HTTP")
    return int(words[1])


def secured(stream, name, fingerprint=None):
    """
    TLS on an open stream, with a site that is called `name` there. No authority is asked: the plan says which certificate it must be, where it
    matters. WrongAnswer when it is another one, or the proxy has none for that name.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        inside = context.wrap_socket(stream, server_hostname=name)
    except ssl.SSLError as error:
        # Older Pythons have no name for this alert: then OpenSSL's own words are there alone.
        if "unrecognized name" in str(error).lower().replace("_", " "):
            raise WrongAnswer("the proxy has no certificate for this address")
        raise FetchError("no TLS: %s" % (error.reason or error.strerror or error))
    found = hashlib.sha256(inside.getpeercert(binary_form=True)).hexdigest()
    if found != (fingerprint or found):
        inside.close()
        raise WrongAnswer("another certificate than planned: %s instead of %s" % (found[:16], fingerprint[:16]))
    return inside


def first_answer(socks, address, seconds, host=None, fingerprint=None):
    """
    (HTTP status, seconds it took) of <address>.onion, asked for as `host` when one is given: by https when the fingerprint of a certificate is,
    else by http. FetchError when none came in time.
    """
    start = time.monotonic()
    onion = address.removesuffix(".onion") + ".onion"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stream:
        stream.settimeout(seconds)
        try:
            stream.connect(socks)
            connect(stream, onion, 443 if fingerprint else 80)
            if fingerprint:
                with secured(stream, host or onion, fingerprint) as inside:
                    status = answer_on(inside, host or onion)
            else:
                status = answer_on(stream, host or onion)
        except OSError as error:
            raise FetchError("timed out after %d s" % seconds if isinstance(error, socket.timeout) else str(error.strerror or error))
    return status, time.monotonic() - start


def site_answer(socks, address, seconds, site):
    """
    The first answer of a site, {address, fingerprint where it has a certificate}, through some onion address. With a certificate it is that of
    https, and http must give one too, if only the way to https. It has the rest of the same seconds.
    """
    host = site["address"].removesuffix(".onion") + ".onion"
    found = first_answer(socks, address, seconds, host, site.get("fingerprint"))
    if site.get("fingerprint"):
        try:
            status, _ = first_answer(socks, address, max(seconds - found[1], LEAST_SECONDS), host)
        except FetchError as error:
            raise FetchError("port 80: %s" % error)
        if status == 421:
            raise WrongAnswer("port 80: 421: the proxy does not know this site there")
    return found


def judge_answer(status):
    """
    (good enough, what to say of it). A 421 means that the proxy does not know the address: nobody can use the site. Other errors come from the
    origin or its way: the onion side is proved, and publishing must not wait for an origin that is down.
    """
    if status == 421:
        return False, "421: the proxy that answered does not know this address"
    if status >= 500:
        return True, "%d (the proxy answers, the origin behind it does not)" % status
    return True, str(status)
