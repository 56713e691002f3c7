"""Visitors of one onion site, through tors of their own, as many at a time as asked for. Runs in the lab's Tor container.

load_clients.py SETTINGS, JSON: {"clients": number of tors, "torrc": FILE, "timeout": seconds of a request}. On stdin a line of JSON each:
{"site", "path", "bytes": of the body or 0, "fresh": true or false, "visitors": for each tor} begins, {} ends what is under way at once. Prints a line of
JSON each: {"ready": true} when all tors are in the network, {"begun": true}, {"ended": true}, and one record a finished request (see say_record()).
A fresh visitor has a circuit of its own for each request, any other keeps its circuit and its connection. With its stdin everything ends.
"""
import asyncio, json, shutil, sys, tempfile, time
from client_tor import ClientTor, Failed, say

SETTINGS = json.loads(sys.argv[1])
FAILURES = (Failed, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.TimeoutError, ValueError)


class Client(ClientTor):
    async def start(self, folder):
        # Each fresh visitor's circuit is dropped soon, and enough may be under way that the number of visitors alone is the limit.
        await super().start(folder, SETTINGS["torrc"], ["MaxCircuitDirtiness 10", "MaxClientCircuitsPending 256"])
        self.watching = asyncio.ensure_future(self.watch())
        self.tell = await self.control()

    async def watch(self):
        try:
            await super().watch()
        except Failed as failed:
            sys.exit(str(failed))


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
        await asyncio.gather(*(client.tell(b"SIGNAL NEWNYM", b"250") for client in clients))
        visitors = [asyncio.ensure_future(visitor(client, what)) for client in clients for _ in range(what["visitors"])]
        say(begun=True)


async def main():
    folder, clients = tempfile.mkdtemp(prefix="bench-load-"), [Client(str(n)) for n in range(SETTINGS["clients"])]
    try:
        await asyncio.gather(*(client.start(folder) for client in clients))
        say(ready=True)
        await serve(clients)
    except Failed as failed:
        sys.exit(str(failed))
    finally:
        for client in clients:
            client.kill()
        shutil.rmtree(folder, ignore_errors=True)


asyncio.run(main())
