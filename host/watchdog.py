"""
The watchdog: probes every backend through a tor of its own, and writes the list of those that the publisher leaves out. It is in nobody's way: without it
the list lapses, and publishing goes on. watchdog.py -c CONFIG -s SETTINGS: Onionbalance's config.yaml and publisher.yaml, which are read again when they
change; with --check it reads them and starts nothing.
"""
import argparse
import contextlib
import os
import queue
import random
import signal
import socket
import threading
import time
from publisher_settings import WATCHDOG_LIST, Watched, refuse, write_status
from socks import REPLIES, FetchError, first_answer
from watchdog_marks import Marks
from watchdog_pace import Pace
from watchdog_settings import backends_of, pacing_of

PROBER_SOCKS = "/run/softmap/prober-tor/socks"
TURN_SECONDS = 1
SOCKET_SECONDS = 2
# The wall clock was set when it moves by more against the other one.
CLOCK_STEP = 5


def now_seconds():
    """Goes on while the machine is suspended, and nobody sets it."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def socket_trouble(path):
    """Why nobody can connect to a unix socket; "" when it works."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stream:
            stream.settimeout(SOCKET_SECONDS)
            stream.connect(path)
        return ""
    except OSError as error:
        return error.strerror or str(error)


def socket_identity(path):
    """Another one after each start of its program; None where there is none."""
    try:
        found = os.stat(path)
        return found.st_dev, found.st_ino, found.st_ctime_ns
    except OSError:
        return None


def probed(socks, address, timeout):
    """("ok", seconds), ("failed", why) or ("doubt", why): then it was not the backend's fault. Any HTTP answer is one."""
    before = socket_identity(socks)
    try:
        return "ok", first_answer(socks, address, timeout)[1]
    except FetchError as error:
        if before is None or before != socket_identity(socks) or socket_trouble(socks):
            return "doubt", "the prober's tor went away"
        return "failed", "tor says %s" % error if str(error) in REPLIES.values() else str(error)
    except Exception as error:  # a fault of ours is nobody's silence
        return "doubt", "a bug in the watchdog: %s: %s" % (type(error).__name__, error)


class Watchdog:
    """The loop: all judging is done in it, threads only wait for answers."""

    def __init__(self, config, settings, socks, folder):
        self.config, self.settings, self.socks = Watched(config), Watched(settings), socks
        self.list_path, self.status_path = (os.path.join(folder, name) for name in (os.path.basename(WATCHDOG_LIST), "status.json"))
        self.events = queue.SimpleQueue()
        self.dirty, self.write_at, self.unwritten = True, 0.0, ""
        self.prober, self.offset = None, None

    def load(self):
        """Both files, for the start: a fault in them ends the program."""
        found = []
        for watched, read in ((self.settings, pacing_of), (self.config, backends_of)):
            watched.changed()
            try:
                found.append(read(watched.text))
            except ValueError as error:
                refuse("%s cannot be used: %s; the watchdog was not started. Next: run `pulumi up`, which writes it." % (watched.path, error))
        return found

    def log(self, text):
        print(text, flush=True)
        self.dirty = True

    def start(self):
        pacing, names = self.load()
        now = now_seconds()
        self.marks, self.pace = Marks(pacing, now, self.log), Pace(pacing.every, random.random)
        self.watch(names, now)
        self.log("watching %d backends, each every %g s; time-out %g s, %d failures in a row" % (len(names), pacing.every, pacing.timeout, pacing.failures))

    def watch(self, names, now):
        self.marks.set_backends(names, now)
        self.pace.spread(list(names), self.marks.settings.every, now)
        self.dirty = True

    def look_at_files(self, now):
        """What has changed since the last look. A file with a fault in it changes nothing."""
        for watched, read, take in ((self.settings, pacing_of, self.take_pacing), (self.config, backends_of, self.take_backends)):
            if not watched.changed():
                continue
            try:
                take(read(watched.text), now)
            except ValueError as error:
                self.log("%s cannot be used: %s; going on with what it said before. Next: run `pulumi up`, which writes it." % (watched.path, error))

    def take_pacing(self, pacing, now):
        if pacing != self.marks.settings:
            self.marks.settings = pacing
            self.log("new settings: each backend every %g s; time-out %g s, %d failures in a row" % pacing[:3])
            self.watch({address: each.name for address, each in self.marks.backends.items()}, now)

    def take_backends(self, names, now):
        before = self.marks.backends.keys()
        self.log("watching %d backends: %d more, %d fewer than before" % (len(names), len(names.keys() - before), len(before - names.keys())))
        self.watch(names, now)

    def look_at_prober(self, now):
        """Whether its tor takes connections. Another socket is another tor, which has no circuits yet."""
        trouble, found = socket_trouble(self.socks), socket_identity(self.socks)
        if trouble:
            self.marks.doubt("the prober's tor cannot be reached at %s: %s" % (self.socks, trouble), now)
        elif found != self.prober:
            if self.prober is not None:
                self.marks.doubt("the prober's tor was started anew, and no backend has answered since", now)
            self.prober = found
        return not trouble

    def launch(self, now):
        """Probes whoever is due, as far as there is room."""
        marked, suspected = self.marks.marked(), self.marks.suspected()
        while (address := self.pace.next(now, suspected, marked)) is not None:
            self.pace.began(address, now)
            self.marks.began(address, now)
            self.probe(address, self.marks.settings.timeout)

    def probe(self, address, timeout):
        work = lambda: self.events.put((address, *probed(self.socks, address, timeout)))
        # Nobody waits for it at the end: it may hang for a whole time-out.
        threading.Thread(target=work, daemon=True).start()

    def take(self, address, kind, found, now):
        """What a probe has found."""
        began = self.pace.running.get(address)
        if began is None:
            return  # nobody's backend any more
        self.pace.finished(address, now)
        if kind == "ok":
            self.marks.probe_ok(address, now, found)
            # Now that somebody has answered, another failure of these says something.
            self.pace.hurry(self.marks.to_try_again(), now)
        elif kind == "failed":
            if self.marks.probe_failed(address, now, found):
                self.pace.hurry([address], now)
            if not self.marks.broken:
                # Whether it is the backend or the probe, somebody else's answer tells.
                self.pace.call_witness(began, now, self.marks.suspected() | self.marks.marked().keys())
        elif began >= self.marks.doubted:
            self.marks.doubt(found, now)

    def run(self):
        """Until somebody ends it. Its list does not outlive it: nobody would take back what is in it."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.events.put(None))
        look_at, reachable = 0.0, False
        try:
            while True:
                now = now_seconds()
                self.marks.tick(now)
                if now >= look_at:
                    self.look_at_files(now)
                    look_at, reachable = now + TURN_SECONDS, self.look_at_prober(now)
                if reachable:
                    self.launch(now)
                offset = time.time() - now
                if self.dirty or now >= self.write_at or abs(offset - self.offset) > CLOCK_STEP:
                    self.write(now, offset)
                try:
                    event = self.events.get(timeout=self.pace.rest(now, TURN_SECONDS))
                except queue.Empty:
                    continue
                if event is None:
                    self.log("ending; the marks end with it")
                    return
                self.take(*event, now_seconds())
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.list_path)

    def write(self, now, offset):
        """The list and the status. `offset` makes wall time of ours: only what is written has it."""
        wall = lambda at: None if at is None else round(at + offset, 1)
        self.dirty, self.write_at, self.offset = False, now + self.marks.settings.every, offset
        marks = {address: {"name": name, "why": why, "since": wall(since)} for address, (name, why, since) in self.marks.leave_out(now).items()}
        told = {
            address: {
                **{"name": each.name, "state": each.state, "since": wall(each.since), "last": wall(each.last), "why": each.told_why(now)},
                **{"seconds": each.seconds and round(each.seconds, 3), "failures": each.failures, "probes": each.probes},
            }
            for address, each in self.marks.backends.items()
        }
        common = {"version": 1, "written": round(now + offset, 3), "broken": self.marks.broken}
        trouble = ""
        try:
            write_status(self.list_path, {**common, "valid": self.marks.settings.valid, "backends": marks})
            write_status(self.status_path, {**common, "every": self.marks.settings.every, "backends": told})
        except OSError as error:
            trouble = "its files in %s cannot be written: %s" % (os.path.dirname(self.list_path), error.strerror)
        if trouble and trouble != self.unwritten:
            print(trouble, flush=True)
        self.unwritten = trouble


def watchdog_main(words=None):
    parser = argparse.ArgumentParser(prog="watchdog.py", description="Probes a balancer's backends through Tor and tells which of them are silent.")
    parser.add_argument("-c", "--config", required=True, help="Onionbalance's config.yaml")
    parser.add_argument("-s", "--settings", required=True, help="publisher.yaml")
    parser.add_argument("--socks", default=PROBER_SOCKS, help="the SOCKS socket of its tor")
    parser.add_argument("--folder", default=os.path.dirname(WATCHDOG_LIST), help="where its list and its status go")
    parser.add_argument("--check", action="store_true", help="only read both files")
    given = parser.parse_args(words)
    watchdog = Watchdog(given.config, given.settings, given.socks, given.folder)
    if given.check:
        print("%d backends" % len(watchdog.load()[1]))
        return
    watchdog.start()
    watchdog.run()
