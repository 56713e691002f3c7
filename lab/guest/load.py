"""Clients that fetch onion sites without pause and record every request. Runs in the lab's Tor container.

load.py SETTINGS, JSON: {"sites": [HOST], "clients": [{"name", "newIdentityEvery": seconds or 0}], "concurrency": loops a client, "pause": seconds
between a loop's requests, "small": PATH, "big": {"path", "bytes"}, "timeout", "warmUp", "maxSeconds": seconds, "maxRequests", "torrc": FILE}.
Prints one JSON object a line: {"ready": true} when every client has fetched every site once, then one record a finished request (see record()),
{"settled": N} as the answer to `settle N`, and {"ended": why} last. On stdin: `settle N` (answered when all requests under way have finished),
`stop` (finishes those under way). When stdin ends everything ends at once: nobody is left who would read.
"""
import asyncio, json, shutil, signal, sys, tempfile, time
from client_tor import ClientTor, Failed, say

SETTINGS = json.loads(sys.argv[1])
SITES, BIG = SETTINGS["sites"], SETTINGS["big"]
BIG_EVERY = 5  # of a site's requests
# Failed: no whole HTTP answer came.
FAILURES = (Failed, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError)


def reason(error, begun):
    """Why a try failed, in words. `begun`: a byte of the answer had come."""
    if isinstance(error, asyncio.IncompleteReadError):
        return "the answer ended early" if begun else "no answer: the connection was closed"
    if isinstance(error, (asyncio.LimitOverrunError, ValueError)):
        return "the answer is not HTTP"
    return str(getattr(error, "strerror", None) or error)


class Client(ClientTor):
    """One tor of its own: its own guards, descriptors and circuits."""

    def __init__(self, name, new_identity_every):
        super().__init__(name)
        self.new_identity_every, self.asked = new_identity_every, 0
        self.connecting = set()  # a future for each request whose stream is not open yet
        self.free = asyncio.Event()  # not set while this client forgets what it knows
        self.free.set()

    async def start(self, folder):
        """
        Of a testing network introduction points live 10 to 30 s (get_intro_point_min_lifetime in hs_service.c): one request in some 200 comes just
        when one goes, is acknowledged and gets no rendezvous. And each request has a circuit of its own: kept for ten minutes after it, as tor does,
        they would be thousands, and slow everybody on the machine.
        """
        await super().start(folder, SETTINGS["torrc"], ["SafeLogging 0", "MaxCircuitDirtiness 60"])

    async def forget(self):
        """Again and again: drops descriptors and circuits. A request that connects just then would fail by it (NEWNYM cancels its descriptor's
        fetch), and that would be our fault: new ones wait until none does. One may take long: then the others go on, and it is tried again later;
        the fourth time they wait as long as it takes."""
        control = await self.control()
        await control(b"SETEVENTS SIGNAL", b"250")
        while True:
            await asyncio.sleep(self.new_identity_every)
            for patience in (2, 4, 8, None):
                self.free.clear()
                if not self.connecting or not (await asyncio.wait(set(self.connecting), timeout=patience))[1]:
                    break
                self.free.set()
                await asyncio.sleep(1)
            # "250 OK" comes before the signal is handled, the event after that (handle_control_signal, signewnym_impl)
            await control(b"SIGNAL NEWNYM", b"250", b"650 SIGNAL NEWNYM")
            self.free.set()

    def turn(self):
        """(site, path): all sites in turn, and of each site's requests every fifth the big page, at another turn for every site."""
        lap, index = divmod(self.asked, len(SITES))
        self.asked += 1
        return SITES[index], BIG["path"] if (lap + index) % BIG_EVERY == BIG_EVERY - 1 else SETTINGS["small"]

    def request(self, site, path):
        """Starts one request; a task that ends with its record."""
        return asyncio.ensure_future(record(self, site, path, self.connects()))

    def connects(self):
        """A future for a request that begins to connect: to be given to opened()."""
        future = asyncio.get_running_loop().create_future()
        self.connecting.add(future)
        return future

    def opened(self, future):
        """The request of that future connects no more."""
        self.connecting.discard(future)
        if not future.done():
            future.set_result(None)


async def take_body(reader, headers, answer):
    """Reads the body and counts its bytes. Only what says its length can be known to be whole: Content-Length or chunks (RFC 9112, 6)."""
    if headers.get("transfer-encoding", "").lower() == "chunked":
        while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
            await take(reader, size, answer)
            if await reader.readexactly(2) != b"\r\n":
                raise Failed("a chunk of the answer is not as long as it says")
        while await reader.readuntil(b"\r\n") != b"\r\n":
            pass
    elif "content-length" in headers:
        await take(reader, int(headers["content-length"]), answer)
    else:
        raise Failed("the answer has no length: nobody can tell whether it is whole")


async def take(reader, length, answer):
    while length > 0:
        piece = await reader.read(min(length, 65536))
        if not piece:
            raise asyncio.IncompleteReadError(b"", length)
        length -= len(piece)
        answer["bytes"] += len(piece)


async def fetch(client, answer, opened, begun):
    """One GET; fills in what came as it comes, so that a failure leaves what there was. `begun` is set at the first byte of the answer.
    One of FAILURES when no whole answer came."""
    site, path = answer["site"], answer["path"]
    reader, writer = await client.connect(site)
    try:
        client.opened(opened)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {site}\r\nUser-Agent: lab\r\nAccept: */*\r\nConnection: close\r\n\r\n".encode())
        first = await reader.readexactly(1)
        begun.set()
        head = (first + await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        words = head[0].split()
        if len(words) < 2 or not words[0].startswith("HTTP/") or not words[1].isdigit():
            raise Failed("the answer is not HTTP")
        answer["status"] = int(words[1])
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        answer["backend"] = headers.get("x-softmap-backend", "")
        await take_body(reader, headers, answer)
    finally:
        writer.close()
    if answer["status"] >= 400:
        raise Failed(f"HTTP {answer['status']}")
    if path == BIG["path"] and answer["bytes"] != BIG["bytes"]:
        raise Failed(f"{answer['bytes']} bytes came instead of {BIG['bytes']}")


async def twice(client, answer, opened, begun):
    """One GET, and at once a second one when nothing at all came of the first, as with a browser's reload. Never a second one after a first byte
    of the answer, nor after an HTTP status: what is answered counts as it is answered."""
    try:
        answer["tries"] = 1
        try:
            return await fetch(client, answer, opened, begun)
        except FAILURES as error:
            if begun.is_set():
                raise
            answer["firstError"] = reason(error, False)
        if opened.done():  # else its client does not forget before this request has connected
            await client.free.wait()
            opened = client.connects()
        answer["tries"] = 2
        await fetch(client, answer, opened, begun)
    finally:
        client.opened(opened)


async def record(client, site, path, opened):
    """One request and what became of it: its `error` is empty when a whole answer with a status below 400 came in time, at the first try or the
    second. The time is both tries'."""
    answer = {"at": round(time.time(), 3), "seconds": 0, "client": client.name, "site": site, "path": path, "status": 0, "backend": "", "error": "",
              "bytes": 0, "tries": 0, "firstError": ""}
    start, begun = time.monotonic(), asyncio.Event()
    try:
        await asyncio.wait_for(twice(client, answer, opened, begun), SETTINGS["timeout"])
    except asyncio.TimeoutError:
        answer["error"] = f"not done after {SETTINGS['timeout']} s"
    except FAILURES as error:
        answer["error"] = reason(error, begun.is_set())
    answer["seconds"] = round(time.monotonic() - start, 3)
    return answer


async def warm_up(client, site):
    """Fetches until an answer comes: a first request may meet a descriptor that is not there yet."""
    while (answer := await client.request(site, SETTINGS["small"]))["error"]:
        warm_up.last[site] = answer["error"]
        await asyncio.sleep(0.5)
    warm_up.last.pop(site, None)


warm_up.last = {}


class Load:
    def __init__(self):
        self.clients = [Client(one["name"], one["newIdentityEvery"]) for one in SETTINGS["clients"]]
        self.under_way, self.answers, self.watching, self.count, self.why = set(), set(), [], 0, ""

    def end(self, why):
        self.why = self.why or why

    async def loop(self, client):
        """Requests, one after the other, until the load ends. After one that failed the next starts a second after it at the earliest: tor refuses
        within milliseconds what it knows to be hopeless, and no visitor asks again so fast."""
        while not self.why:
            await client.free.wait()
            if self.why:
                return
            self.count += 1
            if self.count >= SETTINGS["maxRequests"]:
                self.end(f"{SETTINGS['maxRequests']} requests, as many as were allowed")
            request = client.request(*client.turn())
            self.under_way.add(request)
            answer = await request
            self.under_way.discard(request)
            say(**answer)
            await asyncio.sleep(max(SETTINGS["pause"], 1 - answer["seconds"] if answer["error"] else 0))

    async def settle(self, number):
        if self.under_way:
            await asyncio.wait(set(self.under_way))
        await asyncio.sleep(0)  # the loops print first
        say(settled=number)

    async def listen(self):
        """Does what stdin says; Failed when it ends."""
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while words := (await reader.readline()).decode().split():
            if words[0] == "stop":
                self.end("stopped")
            elif words[0] == "settle":
                self.answers.add(asyncio.ensure_future(self.settle(int(words[1]))))  # kept: the event loop itself keeps no task alive
        raise Failed("nobody listens any more")

    async def prepare(self, folder):
        await asyncio.gather(*(client.start(folder) for client in self.clients))
        self.watching = [asyncio.ensure_future(client.watch()) for client in self.clients]
        warm = asyncio.gather(*(warm_up(client, site) for client in self.clients for site in SITES))
        await first_of(warm, self.watching, None)

    async def requests(self):
        asyncio.get_running_loop().call_later(SETTINGS["maxSeconds"], self.end, f"{SETTINGS['maxSeconds']} s, as long as was allowed")
        await asyncio.gather(*(self.loop(client) for client in self.clients for _ in range(SETTINGS["concurrency"])))

    async def run(self, folder):
        """The whole load; returns why it ended. Failed when it could not go on."""
        listening = asyncio.ensure_future(self.listen())
        preparing = asyncio.ensure_future(self.prepare(folder))
        if not await first_of(preparing, [listening], SETTINGS["warmUp"]):
            doubts = [f"{site}: {why}" for site, why in warm_up.last.items()]
            doubts = doubts or [f"the tor of client {client.name} said: {' | '.join(client.said[-1:])}" for client in self.clients]
            raise Failed(f"not ready after {SETTINGS['warmUp']} s: {'; '.join(doubts)}")
        say(ready=True)
        forgetting = [asyncio.ensure_future(client.forget()) for client in self.clients if client.new_identity_every]
        await first_of(asyncio.ensure_future(self.requests()), [listening] + forgetting + self.watching, None)
        if self.answers:
            await asyncio.wait(self.answers)
        return self.why

    async def end_tors(self):
        for task in self.watching:
            task.cancel()
        for client in self.clients:
            if client.kill():
                await client.tor.wait()


async def first_of(work, watchers, seconds):
    """True when the work is done, False when it is not in time; the exception of whichever fails first. Watchers end by an exception alone."""
    done, _ = await asyncio.wait([work, *watchers], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()
    return work in done


async def main():
    folder, load, why = tempfile.mkdtemp(prefix="lab-load-"), Load(), ""
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asyncio.current_task().cancel)
    try:
        why = await load.run(folder)
    except Failed as failed:
        why = str(failed)
    finally:
        await load.end_tors()
        shutil.rmtree(folder, ignore_errors=True)
    say(ended=why)


asyncio.run(main())
