"""What a balancer publishes: as Onionbalance tells it on its status socket, and as the network has it. For the operator's desk."""
import datetime
import json
import os
import time
from control import Control, ControlError
from descriptors import bare, fetch_patiently, introduction_points
from files import read
from proof import address
from publication import FETCH_SECONDS, ONIONBALANCE, status_text
from publish import PUBLICATION
from services import Applied
from told import age_of
from tree import Tree


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
    """(points, None) or (None, why not) of a descriptor that was asked for."""
    text, reason = found.get(wanted, (None, "not asked"))
    if text is None:
        return None, reason
    try:
        return introduction_points(text, wanted), None
    except Exception:  # stem raises what it finds: of no kind of its own
        return None, "its descriptor cannot be read"


def fetched(control_path, addresses):
    """(address -> (descriptor or None, why), seconds)."""
    start = time.monotonic()
    try:
        with Control(control_path) as control:
            found = fetch_patiently(control, addresses, FETCH_SECONDS)
    except ControlError as error:
        found = {each: (None, "the balancer's tor: %s" % error) for each in addresses}
    return found, time.monotonic() - start


def published_site(site, told, found, took):
    """One frontend. `found` is None when nobody asked the network."""
    mine, names = bare(site["address"]), {bare(each["address"]): each["name"] for each in site["backends"]}
    known = told.get(mine, {"attempted": None, "backends": {}})
    points, why = points_of(found, mine) if found is not None else (None, None)
    rows, counted = [], set()
    for each in [*names, *(one for one in known["backends"] if one not in names)]:
        its, _ = points_of(found, each) if found is not None else (None, None)
        listed = None if points is None or its is None else len(points & its)
        counted |= (its or set()) & (points or set())
        received, number = known["backends"].get(each, (None, None))
        rows.append({"name": names.get(each), "address": each + ".onion", "received": received, "points": number, "listed": listed})
    published = None if found is None else {"error": why, "points": len(points or ()), "unknown": len((points or set()) - counted), "took": round(took, 2)}
    return {"domain": site["domain"], "address": mine + ".onion", "attempted": known["attempted"], "backends": rows, "published": published}


def publisher_seen(quick):
    tree = Tree("publisher")
    known = json.loads(read(os.path.join(tree.root, PUBLICATION)) or b"{}")
    standby = Applied(os.path.join(tree.root, "applied.json")).services.get(ONIONBALANCE) is False
    sites = known.get("frontends", [])
    told, error = ({}, None) if standby or not known else told_by_onionbalance(known["statusSocket"])
    found, took = None, 0.0
    if not quick and sites:
        backends = {bare(one["address"]) for site in sites for one in site["backends"]} | {one for site in told.values() for one in site["backends"]}
        found, took = fetched(known["control"], [*dict.fromkeys([*(bare(site["address"]) for site in sites), *sorted(backends)])])
    return {"standby": standby, "error": error, "sites": [published_site(site, told, found, took) for site in sites]}
