"""What a balancer publishes: as Onionbalance and our layer tell it, and as the network has it. For the operator's desk."""
import datetime
import json
import os
import time
from control import Control, ControlError
from descriptors import ROUNDS, bare, fetch_from, introduction_points
from files import read
from health import is_running, journal
from proof import address
from publication import FETCH_SECONDS, ONIONBALANCE, asked_apart, status_text
from publish import PUBLICATION
from services import Applied
from survey_told import publisher_told, site_told, told_in, watchdog_told
from told import WATCHDOG_STATUS, age_of
from tree import Tree

# A look has two minutes in all.
MOST_SECONDS = 60


def parse_services(text, now):
    """
    The status socket's services: frontend -> since its last try to upload, and backend -> (since its descriptor came, its points). Fields of
    onionbalance/hs_v3/status.py. ValueError when it is nothing of that kind.
    """
    found = {}
    try:
        for service in json.loads(text)["services"]:
            tries = [age_of(service.get(key), now) for key in ("publishAttemptFirstDescriptor", "publishAttemptSecondDescriptor")]
            backends = {address(one): (age_of(one.get("descriptorReceived") or one.get("received"), now), one.get("introPointsNum")) for one in service["instances"]}
            found[address(service)] = {"attempted": min((each for each in tries if each is not None), default=None), "backends": backends}
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(str(error))
    return found


def told_by_onionbalance(socket_path):
    """(services, None) or ({}, why not)."""
    text = status_text(socket_path)
    if not text:
        return {}, "its status socket does not answer"
    try:
        return parse_services(text, datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)), None
    except ValueError:
        return {}, "its status cannot be read"


def points_of(found, wanted):
    """(points, None) or (None, why not) of a descriptor that was asked for: `wanted` is its address with the directory, or with None for any."""
    text, reason = found.get(wanted, (None, "not asked"))
    if text is None:
        return None, reason
    try:
        return introduction_points(text, wanted[0]), None
    except Exception:  # stem raises what it finds: of no kind of its own
        return None, "its descriptor cannot be read"


def fetched(control_path, wanted):
    """(each of the wanted -> (descriptor or None, why), seconds). Who was not found is asked for again: of any directory another one answers then."""
    start, found = time.monotonic(), {}
    end = start + min(FETCH_SECONDS + len(wanted) / 4, MOST_SECONDS)
    try:
        with Control(control_path) as control:
            for _ in range(ROUNDS):
                waiting, left = [each for each in wanted if found.get(each, (None, None))[0] is None], end - time.monotonic()
                if waiting and left > 0:
                    found.update(fetch_from(control, waiting, left))
    except ControlError as error:
        found = {each: (None, "the balancer's tor: %s" % error) for each in wanted}
    return found, time.monotonic() - start


def published_site(site, known, told, asked, found, took):
    """
    One frontend. known: what Onionbalance says of it; told: what the publisher does; asked: the directories that have different descriptors of it, else
    [None]; found: descriptors, None when nobody asked the network.
    """
    mine, names = bare(site["address"]), {bare(each["address"]): each["name"] for each in site["backends"]}
    looks = [points_of(found, (mine, each)) for each in asked] if found is not None else []
    had = [points for points, _ in looks if points is not None]
    whole, counted, rows = set().union(*had), set(), []
    for each in [*names, *(one for one in known["backends"] if one not in names)]:
        its, _ = points_of(found, (each, None)) if found is not None else (None, None)
        there = None if not had or its is None else [points & its for points in had]
        counted |= its or set()
        received, number = known["backends"].get(each, (None, None))
        listed = {"listed": None, "directories": None} if there is None else {"listed": sum(map(len, there)), "directories": sum(map(bool, there))}
        rows.append({"name": names.get(each), "address": each + ".onion", "received": received, "points": number, **listed})
    published = None if found is None else {
        **{"error": None if had else looks[0][1], "points": max(map(len, had), default=0), "all": len(whole), "unknown": len(whole - counted), "took": round(took, 2)},
        **{"asked": len(asked), "silent": [{"fingerprint": each, "why": why} for each, (points, why) in zip(asked, looks) if points is None and each is not None]},
    }
    return {"domain": site["domain"], "address": mine + ".onion", "attempted": known["attempted"], "backends": rows, "told": told, "published": published}


def publisher_seen(quick):
    tree, now = Tree("publisher"), time.time()
    known = json.loads(read(os.path.join(tree.root, PUBLICATION)) or b"{}")
    standby = Applied(os.path.join(tree.root, "applied.json")).services.get(ONIONBALANCE) is False
    sites = known.get("frontends", [])
    services, error = ({}, None) if standby or not known else told_by_onionbalance(known["statusSocket"])
    status = None if standby else told_in(known.get("publisherStatus"), now)
    own = (status or {}).get("sites") or {}
    names = {bare(each["address"]): each["name"] for site in sites for each in site["backends"]}
    told = {bare(site["address"]): site_told(own.get(bare(site["address"])), names, now) for site in sites}
    asked = {address: asked_apart((its or {}).get("descriptors", [])) for address, its in told.items()}
    found, took = None, 0.0
    if not quick and sites:
        backends = set(names) | {one for site in services.values() for one in site["backends"]}
        fronts = [(address, each) for address, directories in asked.items() for each in directories]
        found, took = fetched(known["control"], [*fronts, *((each, None) for each in sorted(backends))])
    nothing = {"attempted": None, "backends": {}}
    return {
        "standby": standby,
        "error": error,
        # A publisher that refuses to start says why, and nowhere else.
        "said": (journal(ONIONBALANCE, 1) or None) if error and not is_running(ONIONBALANCE) else None,
        "told": publisher_told(status),
        "watchdog": None if standby else watchdog_told(told_in(WATCHDOG_STATUS, now), names, now),
        "sites": [published_site(site, services.get(address, nothing), told[address], asked[address], found, took) for address, site in ((bare(site["address"]), site) for site in sites)],
    }
