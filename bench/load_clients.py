"""Visitors of one onion site, through tors of their own, as many at a time as asked for. Runs in the lab's Tor container.

load_clients.py SETTINGS, JSON: {"clients": number of tors, "torrc": FILE, "timeout": seconds of a request}. On stdin a line of JSON each:
{"site", "path", "bytes": of the body or 0, "fresh": true or false, "visitors": for each tor} begins, {} ends what is under way at once. Prints a line of
JSON each: {"ready": true} when all tors are in the network, {"begun": true}, {"ended": true}, and one record a finished request (see say_record()).
A fresh visitor has a circuit of its own for each request, any other keeps its circuit and its connection. With its stdin everything ends.
"""
import asyncio, ctypes, json, os, shutil, signal, subprocess, sys, tempfile, time

SETTINGS = json.loads(sys.argv[1])
PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None)
FAILURES = (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.TimeoutError, ValueError)


def say(**line):
    print(json.dumps(line), flush=True)


def die_with(parent):
    """In a child before exec: it gets SIGKILL when its parent ends, however that ends."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


class Client:
    """One tor."""

    async def start(self, folder):
        self.folder = folder
        os.mkdir(folder, 0o700)
        with open(SETTINGS["torrc"]) as file:
            common = file.read()
        # Circuits: each fresh visitor's is dropped soon, and enough may be under way that the number of visitors alone is the limit.
        lines = ["DataDirectory %s" % folder, "SocksPort unix:%s/socks" % folder, "ControlSocket %s/control" % folder, "Log notice stdout",
                 "MaxCircuitDirtiness 10", "CircuitPadding 0", "LearnCircuitBuildTimeout 0", "CircuitBuildTimeout 5", "VanguardsLiteEnabled 0",
                 "MaxClientCircuitsPending 256"]
        with open(folder + "/torrc", "w") as file:
            file.write("\n".join([common] + lines) + "\n")
        me = os.getpid()
        self.tor = await asyncio.create_subprocess_exec(
            "tor", "--defaults-torrc", "/nonexistent", "--ignore-missing-torrc", "-f", folder + "/torrc", "--RunAsDaemon", "0",
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, preexec_fn=lambda: die_with(me))
        while b"Bootstrapped 100%" not in await self.hear():
            pass
        self.watching = asyncio.ensure_future(self.watch())
        self.control = await asyncio.open_unix_connection(folder + "/control")
        await self.tell(b"AUTHENTICATE")

    async def hear(self):
        line = await self.tor.stdout.readline()
        if not line:
            sys.exit("a client's tor ended")
        return line

    async def watch(self):
        """Reads on, so that the tor never waits for a reader."""
        while True:
            await self.hear()

    async def tell(self, command):
        reader, writer = self.control
        writer.write(command + b"\r\n")
        answer = await reader.readline()
        if not answer.startswith(b"250"):
            sys.exit("a client's tor answered to %s: %s" % (command.decode(), answer.decode().strip()))

    async def connect(self, site):
        """A stream to port 80 of the site, on a circuit of its own: SOCKS user and password are new each time (IsolateSOCKSAuth)."""
        reader, writer = await asyncio.open_unix_connection(self.folder + "/socks")
        try:
            user, host = os.urandom(8).hex().encode(), site.encode()
            # step by step: of messages that come at once tor answers the last alone
            writer.write(b"\x05\x01\x02")
            await reader.readexactly(2)
            writer.write(b"\x01" + bytes([len(user)]) + user + b"\x01x")
            await reader.readexactly(2)
            writer.write(b"\x05\x01\x00\x03" + bytes([len(host)]) + host + (80).to_bytes(2, "big"))
            reply = await reader.readexactly(4)
            if reply[1] != 0:
                raise OSError("SOCKS 0x%02x" % reply[1])
            await reader.readexactly({1: 6, 4: 18}.get(reply[3]) or (await reader.readexactly(1))[0] + 2)
            return reader, writer
        except BaseException:
            writer.close()
            raise


async def skip(reader, length):
    while length > 0:
        piece = await reader.read(min(length, 65536))
        if not piece:
            raise asyncio.IncompleteReadError(b"", length)
        length -= len(piece)


async def get(stream, what):
    """One GET on that stream. (bytes of the body, whether the connection stays)"""
    reader, writer = stream
    connection = "close" if what["fresh"] else "keep-alive"
    writer.write(("GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: lab\r\nAccept: */*\r\nConnection: %s\r\n\r\n" % (what["path"], what["site"], connection)).encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    if head[0].split()[1] != "200":
        raise ValueError("HTTP %s" % head[0].split()[1])
    headers = {name.strip().lower(): value.strip().lower() for name, _, value in (line.partition(":") for line in head[1:])}
    length = 0
    if headers.get("transfer-encoding") == "chunked":
        while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
            length += size
            await skip(reader, size + 2)
        await reader.readuntil(b"\r\n")
    else:
        length = int(headers["content-length"])
        await skip(reader, length)
    if what["bytes"] and length != what["bytes"]:
        raise ValueError("%d bytes came instead of %d" % (length, what["bytes"]))
    return length, headers.get("connection") != "close" and not what["fresh"]


def say_record(start, length, error):
    """When it was done, Unix seconds; how long it took, with its connection where it made one; bytes of the body; empty, or why it failed."""
    say(at=round(time.time(), 3), seconds=round(time.monotonic() - start, 4), bytes=length, error=error)


async def visitor(client, what):
    stream = None
    try:
        while True:
            start = time.monotonic()
            try:
                async with asyncio.timeout(SETTINGS["timeout"]):
                    stream = stream or await client.connect(what["site"])
                    length, stays = await get(stream, what)
                say_record(start, length, "")
                if not stays:
                    stream[1].close()
                    stream = None
            except FAILURES as error:
                say_record(start, 0, str(error) or type(error).__name__)
                if stream:
                    stream[1].close()
                stream = None
                await asyncio.sleep(0.5)  # tor refuses within milliseconds what it knows to be hopeless
    finally:
        if stream:
            stream[1].close()


async def serve(clients):
    reader = asyncio.StreamReader(limit=1 << 20)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    visitors = []
    while line := await reader.readline():
        what = json.loads(line)
        for task in visitors:
            task.cancel()
        await asyncio.gather(*visitors, return_exceptions=True)
        visitors = []
        if not what:
            say(ended=True)
            continue
        # descriptors and circuits of before are forgotten
        await asyncio.gather(*(client.tell(b"SIGNAL NEWNYM") for client in clients))
        visitors = [asyncio.ensure_future(visitor(client, what)) for client in clients for _ in range(what["visitors"])]
        say(begun=True)


async def main():
    folder, clients = tempfile.mkdtemp(prefix="bench-load-"), [Client() for _ in range(SETTINGS["clients"])]
    try:
        await asyncio.gather(*(client.start("%s/%d" % (folder, n)) for n, client in enumerate(clients)))
        say(ready=True)
        await serve(clients)
    finally:
        for client in clients:
            if getattr(client, "tor", None) and client.tor.returncode is None:
                client.tor.kill()
        shutil.rmtree(folder, ignore_errors=True)


asyncio.run(main())
