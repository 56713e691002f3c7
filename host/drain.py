"""Visitors that are still connected to a tor that leaves: counted, and waited for up to a limit."""
import os
import time
from report import run
from health import unit_state

PROXY_SOCKETS = "/run/softmap/nginx/"


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
    """Of `ss -xnH state established`: the far end's inode of every connection to one of nginx's sockets. A visitor's stream is one connection."""
    found = []
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 7 and words[-4].startswith(PROXY_SOCKETS):
            found.append(words[-1])
    return found


def connections(units):
    """Unit -> open connections of its visitors."""
    ends = parse_connections(run(["ss", "-xnH", "state", "established"], check=False).text)
    counts = {}
    for unit in units:
        own = sockets_of(unit_state(unit).get("MainPID") or "0")
        counts[unit] = sum(1 for end in ends if end in own)
    return counts


def drain(report, units, seconds):
    """Waits until no visitor is connected to these tors, or for so many seconds. They are listed no more: nobody new comes but from an old descriptor."""
    end, told = time.monotonic() + seconds, -60.0
    while True:
        counts = connections(units)
        open_now = sum(counts.values())
        left = end - time.monotonic()
        if open_now == 0:
            if told > 0:
                report.say("the last connection has ended")
            return
        if left <= 0 or not report.listening:
            report.say("%d connection%s still open after %d s: ended now" % (open_now, "" if open_now == 1 else "s", seconds))
            return
        if time.monotonic() - told > 10:
            told = time.monotonic()
            report.say("%d connection%s still open on what leaves (%s); waiting %.0f s at most" % (open_now, "" if open_now == 1 else "s", ", ".join(sorted(unit for unit, count in counts.items() if count)), left))
        time.sleep(0.5)
