"""
Another nginx in place of one that runs, as after an update: it inherits the listening sockets, so that nobody is turned away (nginx.org,
"Controlling nginx", on upgrading it while it runs). A restart would turn away everybody until the requests under way have ended.
"""
import array
import os
import signal
import socket
import struct
import time
from files import read
from health import unit_state

NOTIFY = "/run/systemd/notify"
START_SECONDS = 20
STOP_SECONDS = 20  # TimeoutStopSec of its unit


def main_pid(unit):
    return int(unit_state(unit).get("MainPID") or 0)


def until(seconds, asked):
    """What `asked` answers at last; None when it was nothing for so long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = asked()
        if found:
            return found
        time.sleep(0.1)
    return None


def successor(folder, old):
    """The pid that another nginx wrote when it had read its configuration."""
    text = (read(os.path.join(folder, "nginx.pid")) or b"").decode().strip()
    return int(text) if text.isdigit() and int(text) != old else None


def signalled(pid, number):
    """Whether there is such a process; it gets the signal, 0 is none."""
    try:
        os.kill(pid, number)
        return True
    except ProcessLookupError:
        return False


def tell_systemd(old, new, path=NOTIFY):
    """The unit's main process is another one now: sd_notify(3), said for the old one, as root may (unix(7), SCM_CREDENTIALS)."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
        sender = array.array("B", struct.pack("iII", old, os.getuid(), os.getgid()))
        out.sendmsg([b"MAINPID=%d" % new], [(socket.SOL_SOCKET, socket.SCM_CREDENTIALS, sender)], 0, path)


def take_over(service):
    """True when another nginx runs in its place. False when only a restart helps, which also ends what was begun here."""
    unit, folder = service["unit"], os.path.dirname(service["health"]["socket"])
    old = main_pid(unit)
    if not old or not signalled(old, signal.SIGUSR2):
        return False
    new = until(START_SECONDS, lambda: successor(folder, old))
    if new is None:
        return False
    try:
        tell_systemd(old, new)
    except OSError:
        return False
    # systemd would take the old one's end for that of the unit.
    if not until(5, lambda: main_pid(unit) == new):
        return False
    signalled(old, signal.SIGQUIT)
    if not until(STOP_SECONDS, lambda: not signalled(old, 0)):
        signalled(old, signal.SIGTERM)
    return True
