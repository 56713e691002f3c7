"""One page through the balancer's tor, as a visitor would ask for it (SOCKS5, RFC 1928 and 1929)."""
import os
import socket
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


class FetchError(Exception):
    """No HTTP answer came."""


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


def first_answer(socks, address, seconds, host=None):
    """(HTTP status, seconds it took) of http://<address>.onion/, asked for as `host` when one is given. FetchError when none came in time."""
    start = time.monotonic()
    onion = address.removesuffix(".onion") + ".onion"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stream:
        stream.settimeout(seconds)
        try:
            stream.connect(socks)
            connect(stream, onion, 80)
            status = answer_on(stream, host or onion)
        except OSError as error:
            raise FetchError("timed out after %d s" % seconds if isinstance(error, socket.timeout) else str(error.strerror or error))
    return status, time.monotonic() - start


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
