"""Visitors of a tor that leaves: no new ones are let in, those that are connected are counted, and waited for up to a limit."""
import os
import re
import time
from report import run
from control import Control, ControlError
from health import unit_state

PROXY_SOCKETS = "/run/softmap/nginx/"
CONTROL = "/run/softmap/tor/%s/control"
# So long nobody must be connected: the last of a page is still on its way through tor's circuit when its connection has ended.
QUIET_SECONDS = 3


def sockets_of(pid):
    """Inodes of the sockets that a process has open."""
    folder, found = "/proc/%s/fd" % pid, set()
    try:
        names = os.listdir(folder)
    except OSError:
        return found
    for name in names:
        try:
            target = os.readlink(os.path.join(folder, name))
        except OSError:
            continue
        if target.startswith("socket:["):
            found.add(target[len("socket:["):-1])
    return found


def parse_connections(text):
    """
    Of `ss -xnH state established`: the far end's inode of every connection to one of nginx's sockets. A visitor's stream is one connection.
    And the own inode of what nginx has closed already (its inode is 0 then), but tor has not: it still reads what it was sent.
    """
    found = []
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 7 and words[-4].startswith(PROXY_SOCKETS):
            found.append(words[-1])
        elif len(words) >= 7 and words[-4] == "*" and words[-1] == "0":
            found.append(words[-3])
    return found


def connections(units):
    """Unit -> open connections of its visitors."""
    ends = parse_connections(run(["ss", "-xnH", "state", "established"], check=False).text)
    counts = {}
    for unit in units:
        own = sockets_of(unit_state(unit).get("MainPID") or "0")
        counts[unit] = sum(1 for end in ends if end in own)
    return counts


def turn_away(unit):
    """
    Closes the introduction circuits of a tor, so that a client is refused at once and asks elsewhere: it would wait for the answer of a tor
    that is about to stop, until it gives up. tor makes new ones, so this is done again and again. Returns how many visitors are on their way in.
    """
    try:
        with Control(CONTROL % unit.partition("@")[2].rpartition(".")[0], timeout=2.0) as control:
            circuits = (control.info("circuit-status") or "").splitlines()
            for circuit in circuits:
                if re.search(r" PURPOSE=HS_SERVICE_INTRO\b", circuit):
                    control.command("CLOSECIRCUIT " + circuit.split()[0])
            return sum(1 for circuit in circuits if re.search(r" HS_STATE=HSSR_CONNECTING\b", circuit))
    except ControlError:
        return 0  # it does not run: it has no visitors


def drain(report, units, seconds):
    """
    Waits until no visitor is connected to these tors, or for so many seconds. They are listed no more: nobody new comes but from an old
    descriptor, and is turned away.
    """
    end, told, quiet = time.monotonic() + seconds, -60.0, None
    while True:
        coming = sum([turn_away(unit) for unit in units]) if seconds > 0 else 0
        counts = connections(units)
        open_now, now = sum(counts.values()), time.monotonic()
        left = end - now
        quiet = (quiet or now) if open_now + coming == 0 else None
        if quiet is not None and (now - quiet >= QUIET_SECONDS or left <= 0 or not report.listening):
            if told > 0:
                report.say("the last connection has ended")
            return
        if left <= 0 or not report.listening:
            if open_now:
                report.say("%d connection%s still open after %d s: ended now" % (open_now, "" if open_now == 1 else "s", seconds))
            return
        if open_now and now - told > 10:
            told = now
            report.say("%d connection%s still open on what leaves (%s); waiting %.0f s at most" % (open_now, "" if open_now == 1 else "s", ", ".join(sorted(unit for unit, count in counts.items() if count)), left))
        time.sleep(0.25)
