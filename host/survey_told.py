"""What a balancer's publisher and its watchdog tell of themselves, each in a file, for the operator's desk. A machine that was deployed before has neither."""
from files import read
from told import latest_two, status_of

KEPT = ("fingerprint", "replica", "asked", "state", "reason", "tries", "seconds", "bytes")


def told_in(path, now):
    """The content of a status file; None when there is none that can be read."""
    return status_of((read(path) or b"").decode("utf-8", "replace"), now) if path else None


def site_told(its, names, now):
    """A site as its publisher tells of it. `names`: address of a backend -> its name. None when it is of another form."""
    called = lambda address: names.get(address, address)
    try:
        return {
            "backends": int(its["backends"]),
            "listed": int(its["listed"]),
            "leftOut": [
                {"name": called(address), "address": address + ".onion", "by": str(mark["by"]), "why": str(mark["why"]), "age": seconds_since(mark["since"], now)}
                for address, mark in sorted(its["leftOut"].items(), key=lambda pair: called(pair[0]))
            ],
            "spared": sorted(called(each) for each in its["spared"]),
            "descriptors": [descriptor_told(each, called, now) for each in latest_two(its["descriptors"])],
        }
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def descriptor_told(each, called, now):
    rows = [{**{key: row[key] for key in KEPT}, "backends": sorted(called(one) for one in row["backends"])} for row in each["directories"]]
    return {"which": each["which"], "period": each["period"], "readers": bool(each["readers"]), "age": seconds_since(each["at"], now), "why": str(each["why"]), "points": each["points"], "directories": rows}


def seconds_since(at, now):
    return None if at is None else max(0, round(now - float(at)))


def publisher_told(status):
    """The publisher as a whole; `status` is its file, or None."""
    if status is None:
        return None
    try:
        return {"mode": str(status["mode"]), "age": round(status["age"]), "problems": [str(each) for each in status["problems"]]}
    except (KeyError, TypeError):
        return None


def watchdog_told(status, names, now):
    """The watchdog with each backend; `status` is its file, or None."""
    if status is None:
        return None
    try:
        backends = [
            {
                **{"name": names.get(address, str(its["name"])), "address": address + ".onion", "state": str(its["state"]), "why": str(its["why"])},
                **{"age": seconds_since(its["since"], now), "answered": seconds_since(its["last"], now)},
                **{key: its[key] for key in ("seconds", "failures", "probes")},
            }
            for address, its in status["backends"].items()
        ]
        return {"age": round(status["age"]), "every": float(status["every"]), "broken": str(status["broken"]), "backends": sorted(backends, key=lambda each: each["name"])}
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
