"""
Looks at a frontend's descriptor as the directories have it, again and again, through a tor of its own: every answer that the balancer's
tor gets reaches Onionbalance, too, and would change what is measured. Prints each answer as a line of JSON; ends with its stdin.
"""
import base64
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from control import Control, ControlError, bootstrap_state
from descriptors import bare, introduction_points, parse_event

START_SECONDS, ANSWER_SECONDS = 90, 5
DIRECTORIES_SECONDS = 20  # the lab's consensus is voted on so often


def directories(control):
    """Fingerprints of the relays that keep descriptors. Each is asked by its name: one of tor's own choice would be asked once in 15 minutes."""
    found, relay = [], ""
    for line in (control.info("ns/all") or "").splitlines():
        words = line.split()
        if words[:1] == ["r"]:
            relay = base64.b64decode(words[2] + "=").hex().upper()
        elif words[:1] == ["s"] and "HSDir" in words:
            found.append(relay)
    return found


def ask(control, address, directory):
    """The introduction points in that directory's descriptor, or None: it has none, does not answer, or cannot be read."""
    control.events.clear()
    code, lines = control.command("HSFETCH %s SERVER=$%s" % (address, directory))
    if code != 250:  # a relay that has just left; said aloud for the case that it is something else
        print("HSFETCH: %s" % " ".join(lines), file=sys.stderr)
        return None
    end = time.monotonic() + ANSWER_SECONDS
    while True:
        event = control.event(max(end - time.monotonic(), 0))
        if event is None:
            return None
        told = parse_event(event)
        if told is None or told[0] != address:
            continue
        try:
            return introduction_points(told[1], address) if told[1] is not None else None
        except ValueError:
            return None


def listening(seconds):
    """Waits so long; False as soon as nobody is there any more. Nothing is ever written to stdin, it only ends."""
    return not select.select([sys.stdin], [], [], seconds)[0]


def start_tor(folder, torrc):
    path = os.path.join(folder, "torrc")
    own = ["DataDirectory %s/data", "ControlSocket %s/control", "SocksPort unix:%s/socks", "Log notice file %s/log"]
    with open(path, "w") as handle:
        handle.write("\n".join([*torrc, *(line % folder for line in own), "DormantCanceledByStartup 1", "DormantTimeoutEnabled 0", ""]))
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


def watch(control, frontend, backends, pause):
    """The frontend in every round, one backend in every third: their points change, too, but seldom."""
    control.command("SETEVENTS HS_DESC HS_DESC_CONTENT")
    known, renewed, asked, rounds = [], 0.0, 0, 0
    while listening(pause):
        if time.monotonic() - renewed > DIRECTORIES_SECONDS:
            known, renewed = directories(control) or known, time.monotonic()
        addresses = [frontend] if rounds % 3 else [frontend, backends[rounds // 3 % len(backends)]]
        rounds += 1
        for address in addresses:
            if known:
                points = ask(control, address, known[asked % len(known)])
                asked += 1
                if points is not None:
                    print(json.dumps({"at": time.time(), "address": address, "points": sorted(points)}), flush=True)


def main(settings):
    with tempfile.TemporaryDirectory(prefix="softmap-bench-") as folder:
        tor = start_tor(folder, settings["torrc"])
        try:
            with bootstrapped(folder) as control:
                watch(control, bare(settings["frontend"]), [bare(each) for each in settings["backends"]], settings["pause"])
        finally:
            tor.kill()
            tor.wait()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
