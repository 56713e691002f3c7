"""
Another nginx in place of one that runs, as after an update: it inherits the listening sockets, so that nobody is turned away (nginx.org,
"Controlling nginx", on upgrading it while it runs). A restart would turn away everybody until the requests under way have ended. systemd finds
the new main process in the PID file when the old one ends.
"""
import os
import signal
import time
from files import read
from health import unit_state

START_SECONDS = 20
STOP_SECONDS = 60  # for the requests under way: meanwhile a reload would reach the old one


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


def take_over(service):
    """True when another nginx runs in its place. False when only a restart helps, which also ends what was begun here."""
    unit, folder = service["unit"], os.path.dirname(service["health"]["socket"])
    old = main_pid(unit)
    if not old or not signalled(old, signal.SIGUSR2):
        return False
    new = until(START_SECONDS, lambda: successor(folder, old))
    if new is None:
        return False
    signalled(old, signal.SIGQUIT)
    if not until(STOP_SECONDS, lambda: not signalled(old, 0)):
        signalled(old, signal.SIGTERM)
    return until(START_SECONDS, lambda: main_pid(unit) == new) is not None
