"""A tor of one's own for a program that looks: what it asks reaches nobody else's tor. The program lives as long as its stdin."""
import os
import select
import subprocess
import sys
import time
from control import Control, ControlError, bootstrap_state

START_SECONDS = 90


def listening(seconds):
    """Waits so long; False as soon as nobody is there any more. Nothing is ever written to stdin, it only ends."""
    return not select.select([sys.stdin], [], [], seconds)[0]


def start_tor(folder, torrc):
    """What it asks needs no circuit twice: kept for ten minutes, as tor does, they would be thousands, and cost more than the looking."""
    path = os.path.join(folder, "torrc")
    own = ["DataDirectory %s/data", "ControlSocket %s/control", "SocksPort unix:%s/socks", "Log notice file %s/log"]
    always = ["MaxCircuitDirtiness 10", "CircuitPadding 0", "DormantCanceledByStartup 1", "DormantTimeoutEnabled 0"]
    with open(path, "w") as handle:
        handle.write("\n".join([*torrc, *(line % folder for line in own), *always, ""]))
    return subprocess.Popen(["tor", "--quiet", "--defaults-torrc", "/dev/null", "-f", path], stdin=subprocess.DEVNULL)


def bootstrapped(folder):
    """A control connection to the tor once it is in the network."""
    end, state = time.monotonic() + START_SECONDS, "it did not start"
    while time.monotonic() < end:
        try:
            control = Control(os.path.join(folder, "control"))
            percent, state = bootstrap_state(control.info("status/bootstrap-phase"))
            if percent == 100:
                return control
            control.close()
        except ControlError as error:
            state = str(error)
        if not listening(0.5):
            sys.exit(0)
    sys.exit("the tor that looks is not in the network after %d s: %s" % (START_SECONDS, state))
