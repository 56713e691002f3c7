"""A visitor's tor: its own guards, descriptors and circuits. For programs that visit onion sites from the lab's Tor container (load.py, bench/load_clients.py)."""
import asyncio, ctypes, json, os, signal, subprocess

PR_SET_PDEATHSIG = 1
# RFC 1928, 6. tor knows more precise ones (torrc's ExtendedErrors), but it notes them for every try: a stream that is open at the second
# directory is answered with the first one's "descriptor not found", and its client gives it up (connection_ap_handshake_socks_reply).
REPLIES = {1: "general failure", 2: "not allowed", 3: "network unreachable", 4: "host unreachable", 5: "refused", 6: "timed out"}
libc = ctypes.CDLL(None)


class Failed(Exception):
    """Something did not come about; the text says what, and why."""


def say(**line):
    print(json.dumps(line), flush=True)


def die_with(parent):
    """In a child before exec: it gets SIGKILL when its parent ends, however that ends."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


class ClientTor:
    def __init__(self, name):
        self.name, self.said, self.tor = name, [], None

    async def start(self, folder, torrc, lines):
        """
        Starts the tor in a folder of its own below that one, by the network's torrc and these lines. Returns when it has bootstrapped.
        Sockets in that folder: no port that another program has, no cookie. tor tries an introduction again after three times CircuitBuildTimeout:
        with the 15 s of the lab's own client a second such time would be over the time-out, and on a network where a circuit takes 0.1 s 5 s are many.
        """
        self.folder = f"{folder}/{self.name}"
        os.mkdir(self.folder, 0o700)
        with open(torrc) as file:
            common = file.read()
        always = [f"DataDirectory {self.folder}", f"SocksPort unix:{self.folder}/socks", f"ControlSocket {self.folder}/control",
                  "Log notice stdout", "CircuitPadding 0", "LearnCircuitBuildTimeout 0", "CircuitBuildTimeout 5", "VanguardsLiteEnabled 0"]
        with open(f"{self.folder}/torrc", "w") as file:
            file.write("\n".join([common, *always, *lines]) + "\n")
        me = os.getpid()
        self.tor = await asyncio.create_subprocess_exec(
            "tor", "--defaults-torrc", "/nonexistent", "--ignore-missing-torrc", "-f", f"{self.folder}/torrc", "--RunAsDaemon", "0",
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, preexec_fn=lambda: die_with(me))
        while not any("Bootstrapped 100%" in line for line in self.said):
            await self.hear()

    async def hear(self):
        """Takes one line of what the tor says. Failed, with its last words, when it has ended."""
        line = await self.tor.stdout.readline()
        if not line:
            raise Failed(f"the tor of client {self.name} ended: " + " | ".join(self.said))
        self.said = self.said[-4:] + [line.decode(errors="replace").strip()]

    async def watch(self):
        """Reads on, so that the tor never waits for a reader."""
        while True:
            await self.hear()

    async def control(self):
        """A control connection, as a function: it tells the tor a command, and waits for a line that begins with each of the expected answers."""
        reader, writer = await asyncio.open_unix_connection(f"{self.folder}/control")

        async def tell(command, *answers):
            writer.write(command + b"\r\n")
            for expected in answers:
                answer = await reader.readline()
                if not answer.startswith(expected):
                    words = answer.decode(errors="replace").strip() or "nothing more"
                    raise Failed(f"the tor of client {self.name} answered to {command.decode()}: {words}")

        await tell(b"AUTHENTICATE", b"250")
        return tell

    async def connect(self, site):
        """A stream to port 80 of the site, on a circuit of its own: SOCKS user and password are new each time (IsolateSOCKSAuth)."""
        reader, writer = await asyncio.open_unix_connection(f"{self.folder}/socks")
        try:
            user, host = os.urandom(8).hex().encode(), site.encode()
            # step by step: of messages that come at once tor answers the last alone
            writer.write(b"\x05\x01\x02")
            if await reader.readexactly(2) != b"\x05\x02":
                raise Failed("tor's SOCKS port does not take a name and password")
            writer.write(b"\x01" + bytes([len(user)]) + user + b"\x01x")
            if (await reader.readexactly(2))[1] != 0:
                raise Failed("tor's SOCKS port refused us")
            writer.write(b"\x05\x01\x00\x03" + bytes([len(host)]) + host + (80).to_bytes(2, "big"))
            reply = await reader.readexactly(4)
            if reply[1] != 0:
                raise Failed(f"SOCKS {REPLIES.get(reply[1], 'error')} (0x{reply[1]:02x})")
            await reader.readexactly({1: 6, 4: 18}.get(reply[3]) or (await reader.readexactly(1))[0] + 2)
            return reader, writer
        except asyncio.IncompleteReadError:
            writer.close()
            raise Failed("tor closed the connection")
        except BaseException:
            writer.close()
            raise

    def kill(self):
        """Ends the tor; whether there was one to be ended."""
        if self.tor is None or self.tor.returncode is not None:
            return False
        self.tor.kill()
        return True
