"""
The operator's door to a publisher: its list of backends that are left out is read, written, and waited for until every directory that clients ask has it.
The last line is JSON: cli/desk/door.ts names its fields.
"""
import contextlib
import datetime
import fcntl
import json
import os
import time
from report import Failure, run
from files import ids, make_dir, read, write
from descriptors import bare
from publication import ONIONBALANCE, status_text
from publish import PUBLICATION, USER
from services import Applied
from leaving import read_list
from publisher_settings import OPERATOR_LIST
from told import age_of, latest_two, status_of
from tree import Tree

# The publisher tells of itself every ten seconds.
SILENT_SECONDS = 30
LOOK_SECONDS = 0.5
# A backend's new descriptor may not have come to the directory that was asked first.
NUDGE_AGAIN_SECONDS = 15


class Door:
    """One balancer: what it publishes, who is left out, and what its publisher says of that."""

    def __init__(self, known, standby, list_path=OPERATOR_LIST):
        if not known:
            raise Failure("this balancer has published nothing yet. Next: run `pulumi up`.")
        if not known.get("publisherStatus"):
            raise Failure("what publishes here is of an earlier release, and knows no list of backends to leave out. Next: run `pulumi up`.")
        self.known, self.standby, self.list_path = known, standby, list_path
        self.sites = [{"domain": site["domain"], "address": bare(site["address"]), "backends": {bare(each["address"]): each["name"] for each in site["backends"]}} for site in known["frontends"]]
        self.names = {address: name for site in self.sites for address, name in site["backends"].items()}

    # The list

    @contextlib.contextmanager
    def locked(self):
        """Two who change the list at once: one after the other. An `up` may hold the machine for long, and this cannot wait for it."""
        folder = os.path.dirname(self.list_path)
        if not os.path.isdir(folder):
            make_dir(folder, *ids("root", USER), 0o750)
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def listed(self):
        """address -> its entry in the operator's list. A list that the publisher would ignore is begun anew."""
        text = read(self.list_path)
        text = None if text is None else text.decode("utf-8", "replace")
        marks, _ = read_list(text, "operator", time.time())
        return json.loads(text)["backends"] if marks else {}

    def write(self, entries):
        """Backends that no site has any more are dropped."""
        kept = {address: its for address, its in entries.items() if address in self.names}
        told = {"version": 1, "written": time.time(), "valid": None, "backends": kept}
        write(self.list_path, json.dumps(told, indent=1, sort_keys=True).encode(), *ids("root", USER), 0o640)

    # What the publisher says

    def told(self):
        """The publisher's status with its age; {} when it cannot be read."""
        return status_of((read(self.known["publisherStatus"]) or b"").decode("utf-8", "replace"), time.time()) or {}

    def quiet(self, told):
        """Why nothing can be said of the descriptors; None: the publisher tells of them."""
        if not told:
            return "its publisher tells nothing: does %s run?" % ONIONBALANCE
        return "its publisher has told nothing for %d s: does %s run?" % (told["age"], ONIONBALANCE) if told["age"] > SILENT_SECONDS else None

    def of_site(self, told, site):
        return told.get("sites", {}).get(site["address"], {})

    def concerned(self, wanted):
        """(site, those of the wanted that it has)."""
        return [(site, mine) for site in self.sites if (mine := wanted & site["backends"].keys())]

    def last_ones(self, told, entries, wanted):
        """address -> domain of a site of which nobody would be left that answers: those of the wanted that cannot be left out."""
        found = {}
        for site, mine in self.concerned(wanted):
            its = self.of_site(told, site)
            away = {*its.get("leftOut", {}), *its.get("spared", []), *entries, *wanted}
            if not site["backends"].keys() - away:
                found.update((address, site["domain"]) for address in mine - entries.keys())
        return found

    def named(self, addresses):
        return ", ".join(sorted(self.names.get(each, each) for each in addresses))

    # Waiting

    def still_listed(self, told, wanted):
        """(why the wanted are not out of every descriptor yet, or None; directory -> why it may keep the one before)."""
        if why := self.quiet(told):
            return why, {}
        stuck = {}
        for site, mine in self.concerned(wanted):
            for each in latest_two(self.of_site(told, site).get("descriptors", [])):
                rows = each["directories"]
                if here := {one for row in rows for one in mine & set(row["backends"])}:
                    return "%s: still in the descriptor of %s" % (self.named(here), site["domain"]), {}
                waiting = [row for row in rows if row["asked"] and row["state"] == "pending"]
                if waiting:
                    return "%s: %d of %d directories have yet to store its descriptor" % (site["domain"], len(waiting), sum(row["asked"] for row in rows)), {}
                stuck.update((row["fingerprint"], "%s: %s %s" % (site["domain"], row["state"], row.get("reason") or "")) for row in rows if row["asked"] and row["state"] != "stored")
        return None, stuck

    def not_listed(self, told, wanted):
        """Why the wanted are not all in a descriptor that clients ask for; None: they are."""
        if why := self.quiet(told):
            return why
        for site, mine in self.concerned(wanted):
            its = self.of_site(told, site)
            rows = [row for each in its.get("descriptors", []) if each["readers"] for row in each["directories"]]
            there = {one for row in rows if row["asked"] and row["state"] == "stored" for one in row["backends"]}
            for address in sorted(mine - there):
                mark = its.get("leftOut", {}).get(address)
                return "%s: %s" % (self.named([address]), "left out by the %s: %s" % (mark["by"], mark["why"]) if mark else "in no stored descriptor of %s yet" % site["domain"])
        return None

    def awaited(self, addresses, since):
        """Those of whom Onionbalance has got no descriptor since then; of one with `True` beside its time none with other introduction points."""
        now, found = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None), {}
        try:
            for service in json.loads(status_text(self.known["statusSocket"]))["services"]:
                found.update((bare(bare(one["onionAddress"])), one) for one in service["instances"])
        except (ValueError, KeyError, TypeError):
            return set(addresses)
        late = set()
        for address in addresses:
            at, other = since[address]
            came = age_of(found.get(address, {}).get("introSetModified" if other else "descriptorReceived"), now)
            if came is None or came > time.time() - at + 1:
                late.add(address)
        return late


def look(door, wanted):
    told, entries, now = door.told(), door.listed(), time.time()
    spared = {each for its in told.get("sites", {}).values() for each in its.get("spared", [])}
    marks = {address: {"by": "operator", "why": its.get("why", ""), "since": its["since"], "kind": its.get("kind", "drain")} for address, its in entries.items()}
    for its in told.get("sites", {}).values():
        for address, mark in its.get("leftOut", {}).items():
            marks.setdefault(address, mark)
    return {
        "standby": door.standby,
        "quiet": None if door.standby else door.quiet(told),
        "mode": told.get("mode"),
        "listed": sorted(address for address in wanted if address in door.names),
        "last": door.last_ones(told, entries, wanted),
        "marks": [
            {"address": address, "name": door.named([address]), "by": its["by"], "kind": its.get("kind"), "why": its["why"], "age": max(0, round(now - its["since"])), "kept": address in spared}
            for address, its in sorted(marks.items(), key=lambda pair: door.named([pair[0]]))
        ],
    }


def leave_them(door, payload, wanted, end):
    """Writes them into the list, and waits until they are out."""
    with door.locked():
        entries, told = door.listed(), door.told()
        last = door.last_ones(told, entries, wanted)
        if last:
            raise Failure("%s cannot be left out: of %s no other backend would be left that answers; nothing was written." % (door.named(last), ", ".join(sorted(set(last.values())))))
        why = "%s: %s" % (os.environ.get("SOFTMAP_BY") or "root", payload["reason"][:150])
        fresh = {address: {"name": door.names[address], "why": why, "since": time.time(), "kind": payload["kind"]} for address in wanted if address in door.names}
        door.write({**fresh, **entries})
    why, stuck = None, {}
    while not door.standby:
        why, stuck = door.still_listed(door.told(), wanted)
        # What another balancer has stored there since is not ours to judge: the desk sees both.
        if why is None and (not stuck or payload["others"]) or time.monotonic() > end:
            break
        time.sleep(LOOK_SECONDS)
    return {"why": why, "stuck": stuck, "changed": sorted(fresh.keys() - entries.keys())}


def take_them_back(door, payload, wanted, end):
    """Gets their descriptors anew, takes them out of the list, and waits until they are listed."""
    kind = payload["kind"]
    mine = lambda entries: {address: its for address, its in entries.items() if address in wanted and (kind == "drain" or its.get("kind") == kind)}
    began, entries = time.time(), mine(door.listed())
    # One that was restarted has other introduction points: with those of before nobody would reach it.
    since = {address: (its["since"], True) if kind == "restart" else (began, False) for address, its in entries.items()}
    half, nudged = time.monotonic() + max(0, (end - time.monotonic()) / 2), 0.0
    while entries and not door.standby and door.awaited(entries, since) and time.monotonic() < half:
        if time.monotonic() - nudged > NUDGE_AGAIN_SECONDS:
            nudged = time.monotonic()
            run(["systemctl", "reload", ONIONBALANCE], timeout=60, check=False)
        time.sleep(LOOK_SECONDS)
    with door.locked():
        entries = mine(door.listed())
        if entries:
            door.write({address: its for address, its in door.listed().items() if address not in entries})
    why = None
    while entries and not door.standby:
        why = door.not_listed(door.told(), entries.keys())
        if why is None or time.monotonic() > end:
            break
        time.sleep(LOOK_SECONDS)
    return {"why": why, "stuck": {}, "changed": sorted(entries)}


def leave_main(report, payload):
    """Prints one JSON line."""
    root = Tree("publisher").root
    known = json.loads(read(os.path.join(root, PUBLICATION)) or b"{}")
    door = Door(known, Applied(os.path.join(root, "applied.json")).services.get(ONIONBALANCE) is False)
    wanted, start = {bare(each) for each in payload["backends"]}, time.monotonic()
    if payload["action"] == "look":
        told = look(door, wanted)
    else:
        work = leave_them if payload["action"] == "out" else take_them_back
        told = {"standby": door.standby, **work(door, payload, wanted, start + payload["seconds"])}
    report.raw(json.dumps({**told, "seconds": round(time.monotonic() - start, 1)}))
