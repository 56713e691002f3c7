"""Is what the network has what was planned: pure judgement on descriptors and on Onionbalance's status."""
import datetime
import json
from descriptors import bare

# hs_v3/params.py: Onionbalance itself takes an older descriptor for a backend that is down.
TOO_OLD_SECONDS = 3600
POINTS_PER_BACKEND = 2  # N_INTROS_PER_INSTANCE there


class Verdict:
    """What one frontend's descriptor holds."""

    def __init__(self, present, missing, foreign, unknown, excused=()):
        self.present = present  # planned backends that are in it
        self.missing = missing  # planned backend -> why not
        self.foreign = foreign  # backends that are no longer planned, still in it
        self.unknown = unknown  # introduction points of nobody we know
        # Backends of hosts that do not answer: the last points of each, which nobody can tell any more, may still be listed.
        self.excused = sorted(excused)
        waited = [name for name in missing if name not in self.excused]
        self.good = not waited and not foreign and unknown <= POINTS_PER_BACKEND * len(self.excused)

    def waits(self):
        """Each reason once, with those that it keeps out."""
        for why in sorted(set(self.missing.values())):
            names = sorted(name for name, its in self.missing.items() if its == why)
            yield "%s: %s" % (", ".join(names) if self.present or len(names) < len(self.missing) else "all", why)

    def text(self, total):
        parts = ["%d of %d backends" % (len(self.present), total)]
        if self.missing:
            parts.append("; ".join(self.waits()))
        if self.foreign:
            parts.append("still lists %s" % ", ".join(sorted(self.foreign)))
        if self.unknown and not self.missing:
            parts.append("%d introduction point%s of an older descriptor" % (self.unknown, "" if self.unknown == 1 else "s"))
        return ", ".join(parts)


def parse_status(text):
    """Onionbalance's status socket: frontend -> backend -> when its descriptor was received, as it prints it, or None."""
    try:
        services = json.loads(text)["services"]
        return {
            address(service): {address(one): one.get("descriptorReceived") or one.get("received") for one in service["instances"]} for service in services
        }
    except (ValueError, KeyError, TypeError):
        return {}


def address(entry):
    # 0.2.2 writes ".onion.onion" in places
    return bare(bare(entry["onionAddress"]))


def is_fresh(received, now):
    """True for a descriptor that Onionbalance received, and lately. Its times are UTC."""
    if not received:
        return False
    try:
        when = datetime.datetime.strptime(received, "%Y-%m-%d %H:%M:%S")
    except ValueError:
        return False
    return (now - when).total_seconds() < TOO_OLD_SECONDS


def judge(planned, others, listed, seen, reasons, status, now, excused=(), left=()):
    """
    A frontend's verdict.
    planned, others: backend address -> name, those that must be listed and those that must not be;
    listed: the frontend's introduction points, or None when its descriptor was not had; seen: address -> every point the backend had during
    this proof (they change, and Onionbalance may list the last ones); reasons: address -> why a descriptor was not had;
    status: backend -> received, as Onionbalance says; excused: addresses of planned backends that nobody waits for; left: those that are left out.
    """
    points = listed or set()
    present, missing, known = [], {}, set()
    for backend, name in planned.items():
        mine = points & seen.get(backend, set())
        known |= mine
        received = is_fresh(status.get(backend), now)
        if mine and received:
            present.append(name)
        elif backend in left:
            missing[name] = reasons[backend]
        elif mine:
            missing[name] = "listed, but Onionbalance has no fresh descriptor of it"
        elif not seen.get(backend):
            missing[name] = "its own descriptor is not in the network: %s" % reasons.get(backend, "not asked yet")
        elif not received:
            missing[name] = "Onionbalance has not fetched its descriptor yet"
        elif listed is None:
            missing[name] = "the frontend's descriptor is not in the network yet"
        else:
            missing[name] = "Onionbalance has it, the published descriptors do not yet"
    foreign = []
    for backend, name in others.items():
        mine = points & seen.get(backend, set())
        known |= mine
        if mine:
            foreign.append(name)
    return Verdict(present, missing, foreign, len(points - known), [name for backend, name in planned.items() if backend in excused])
