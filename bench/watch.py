"""
Looks at a frontend's descriptor as the directories have it, again and again, through a tor of its own: every answer that the balancer's
tor gets reaches Onionbalance, too, and would change what is measured. Prints each answer as a line of JSON, before them one without an address when
it can look; ends with its stdin.
"""
import base64
import json
import sys
import tempfile
import time
from descriptors import bare, introduction_points, parse_event
from own_tor import bootstrapped, listening, start_tor

ANSWER_SECONDS = 5
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


def tell(address, points):
    print(json.dumps({"at": time.time(), "address": address, "points": points}), flush=True)


def watch(control, frontend, backends, pause):
    """The frontend in every round, one backend in every third: their points change, too, but seldom."""
    control.command("SETEVENTS HS_DESC HS_DESC_CONTENT")
    tell("", [])
    known, renewed, asked, rounds = [], 0.0, 0, 0
    while listening(pause):
        if time.monotonic() - renewed > DIRECTORIES_SECONDS:
            known, renewed = directories(control) or known, time.monotonic()
        addresses = [frontend] if rounds % 3 or not backends else [frontend, backends[rounds // 3 % len(backends)]]
        rounds += 1
        for address in addresses:
            if known:
                points = ask(control, address, known[asked % len(known)])
                asked += 1
                if points is not None:
                    tell(address, sorted(points))


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
