"""Tor's control protocol over its unix socket (control-spec), as little of it as we need. The workers have no stem."""
import re
import socket
import time


class ControlError(Exception):
    """The control socket is not there, refused us, or went away."""


class Control:
    """One authenticated connection. `command` answers (code, lines); events wait in a list."""

    def __init__(self, path, timeout=10.0):
        self.events, self.buffer = [], b""
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        try:
            self.socket.connect(path)
            self.authenticate()
        except OSError as error:
            self.close()
            raise ControlError("%s: %s" % (path, error.strerror or error))
        except ControlError:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def authenticate(self):
        """With the cookie when tor has one: root can read it. Tor names its file in PROTOCOLINFO."""
        _, lines = self.command("PROTOCOLINFO 1")
        cookie = re.search(r'METHODS=(\S+)(?: COOKIEFILE="((?:[^"\\]|\\.)*)")?', "\n".join(lines))
        methods = cookie.group(1).split(",") if cookie else []
        secret = ""
        if "NULL" not in methods and cookie and cookie.group(2):
            with open(re.sub(r"\\(.)", r"\1", cookie.group(2)), "rb") as handle:
                secret = handle.read(64).hex()
        code, lines = self.command("AUTHENTICATE " + secret)
        if code != 250:
            raise ControlError("tor refused us: %s" % " ".join(lines))

    def line(self):
        while b"\r\n" not in self.buffer:
            try:
                more = self.socket.recv(65536)
            except ConnectionError as error:
                raise ControlError("the control socket broke: %s" % error.strerror)
            if not more:
                raise ControlError("tor closed its control socket")
            self.buffer += more
        found, _, self.buffer = self.buffer.partition(b"\r\n")
        return found.decode("utf-8", "replace")

    def reply(self):
        """One whole reply or event: its code and its lines, data blocks as one line with newlines inside."""
        seen, lines = [], []

        def line():
            seen.append(self.line())
            return seen[-1]

        try:
            while True:
                first = line()
                code, mark, text = first[:3], first[3:4], first[4:]
                if mark == "+":
                    more = line()
                    while more != ".":
                        text += "\n" + (more[1:] if more.startswith("..") else more)
                        more = line()
                lines.append(text)
                if mark == " ":
                    return int(code), lines
        except socket.timeout:
            # Half a reply: it goes back, to be read whole the next time.
            self.buffer = "".join(each + "\r\n" for each in seen).encode() + self.buffer
            raise

    def command(self, text):
        """Sends a command and waits for its reply; events that come between are kept."""
        try:
            self.socket.sendall(text.encode() + b"\r\n")
            while True:
                code, lines = self.reply()
                if code != 650:
                    return code, lines
                self.events.append(lines)
        except socket.timeout:
            raise ControlError("tor does not answer on its control socket")
        except OSError as error:
            raise ControlError("the control socket broke: %s" % error.strerror)

    def event(self, seconds):
        """The next event's lines, or None when none came within so many seconds."""
        if self.events:
            return self.events.pop(0)
        before = self.socket.gettimeout()
        end = time.monotonic() + seconds
        try:
            while True:
                left = end - time.monotonic()
                if left <= 0:
                    return None
                self.socket.settimeout(left)
                code, lines = self.reply()
                if code == 650:
                    return lines
        except socket.timeout:
            return None
        finally:
            self.socket.settimeout(before)

    def info(self, key):
        """GETINFO of one value, or None."""
        code, lines = self.command("GETINFO " + key)
        return lines[0].partition("=")[2].lstrip("\n") if code == 250 else None


def bootstrap_state(phase):
    """(percent, what tor says of it) from GETINFO status/bootstrap-phase."""
    percent = re.search(r"PROGRESS=(\d+)", phase or "")
    summary = re.search(r'SUMMARY="([^"]*)"', phase or "")
    warning = re.search(r'WARNING="([^"]*)"', phase or "")
    return int(percent.group(1)) if percent else 0, (warning or summary).group(1) if warning or summary else "no bootstrap state"


